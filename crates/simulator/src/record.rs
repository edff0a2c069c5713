//! What tests can inspect: invalidations, calls and totals.

use std::{collections::BTreeMap, time::Duration};

/// An accepted invalidation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The id of the distribution or tenant.
    pub distribution: String,
    /// The id of the invalidation.
    pub id: String,
    /// The caller reference of the request.
    pub caller_reference: String,
    /// The paths and tags of the request.
    pub items: Vec<String>,
    /// When it was accepted, as [`Simulator::now`](super::Simulator::now).
    pub accepted_at: Duration,
    /// The ARN of the role that signed the request, if any.
    pub role: Option<String>,
}

/// A call and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it was answered, as [`Simulator::now`](super::Simulator::now).
    pub at: Duration,
    /// The operation.
    pub operation: Operation,
    /// The HTTP method.
    pub method: String,
    /// The path of the URL.
    pub path: String,
    /// The request body.
    pub body: String,
    /// The outcome.
    pub outcome: CallOutcome,
}

/// An AWS operation. The operations on tenants count as those on distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// CreateInvalidation or CreateInvalidationForDistributionTenant.
    CreateInvalidation,
    /// GetInvalidation or GetInvalidationForDistributionTenant.
    GetInvalidation,
    /// ListInvalidations or ListInvalidationsForDistributionTenant.
    ListInvalidations,
    /// AssumeRole of STS.
    AssumeRole,
    /// An operation that the simulator does not implement.
    Unknown,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// Created the invalidation with this id.
    Created(String),
    /// Returned the existing invalidation with this id.
    Replayed(String),
    /// Another operation succeeded.
    Answered,
    /// An error response.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// The error message.
        message: String,
        /// Details that AWS does not send, such as the refused path.
        why: Option<String>,
    },
    /// The connection was cut before the call took effect.
    DroppedBefore,
    /// The connection was cut after the invalidation with this id was created
    /// or returned.
    DroppedAfter(String),
}

/// Totals over all calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// CreateInvalidation calls.
    pub create_calls: u64,
    /// Calls cut before they took effect.
    pub dropped_before: u64,
    /// Calls cut after they took effect.
    pub dropped_after: u64,
    /// Error responses by error code.
    pub refused: BTreeMap<String, u64>,
    /// Items of all accepted invalidations: what AWS bills.
    pub billed_paths: u64,
}

impl Counters {
    pub(crate) fn new(calls: &[Call], recorded: &[Recorded]) -> Self {
        let billed_paths = recorded.iter().map(|invalidation| invalidation.items.len() as u64);
        let mut counters = Self { billed_paths: billed_paths.sum(), ..Self::default() };
        for call in calls {
            counters.create_calls += u64::from(call.operation == Operation::CreateInvalidation);
            match &call.outcome {
                CallOutcome::Refused { code, .. } => {
                    *counters.refused.entry(code.clone()).or_default() += 1;
                }
                CallOutcome::DroppedBefore => counters.dropped_before += 1,
                CallOutcome::DroppedAfter(_) => counters.dropped_after += 1,
                CallOutcome::Created(_) | CallOutcome::Replayed(_) | CallOutcome::Answered => {}
            }
        }
        counters
    }
}
