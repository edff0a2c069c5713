use std::{collections::BTreeMap, time::Duration};

use s3_cloudfront_invalidator::distribution::DistributionId;

/// An invalidation that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What it invalidates.
    pub distribution: DistributionId,
    /// Its id.
    pub id: String,
    /// The caller's reference.
    pub caller_reference: String,
    /// Its paths and tags as they came.
    pub items: Vec<String>,
    /// When it was accepted, on the simulator's clock.
    pub accepted_at: Duration,
    /// The ARN of the role whose credentials signed the call, if any.
    pub role: Option<String>,
}

impl Recorded {
    /// How many of the items are wildcard paths.
    pub fn wildcards(&self) -> usize {
        self.items.iter().filter(|item| is_wildcard(item)).count()
    }
}

/// Whether an item is a wildcard path. Only a final `*` makes one.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>
pub(super) fn is_wildcard(item: &str) -> bool {
    item.starts_with('/') && item.ends_with('*')
}

/// One call, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it was answered, on the simulator's clock.
    pub at: Duration,
    /// What it asked for.
    pub operation: Operation,
    /// The HTTP method.
    pub method: String,
    /// The path and query.
    pub path: String,
    /// The body as it came.
    pub body: String,
    /// The ARN of the role whose credentials signed the call, if any.
    pub role: Option<String>,
    /// The answer.
    pub reply: Reply,
}

/// What a call asks for. The operations of tenants count as those of
/// distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// CreateInvalidation or CreateInvalidationForDistributionTenant.
    CreateInvalidation,
    /// GetInvalidation or GetInvalidationForDistributionTenant.
    GetInvalidation,
    /// ListInvalidations or ListInvalidationsForDistributionTenant.
    ListInvalidations,
    /// AssumeRole of STS.
    AssumeRole,
    /// Nothing the simulator speaks.
    Unknown,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An invalidation was created.
    Created {
        /// Its id.
        id: String,
    },
    /// The caller reference was known: the existing invalidation.
    Replayed {
        /// Its id.
        id: String,
    },
    /// Another operation's success.
    Answered,
    /// An error.
    Refused {
        /// The HTTP status.
        status: u16,
        /// AWS's code.
        code: String,
        /// AWS's text.
        message: String,
        /// What AWS would not say: the offending path, the quota that is used
        /// up.
        why: Option<String>,
    },
    /// The connection was cut before anything was done.
    DroppedBefore,
    /// The connection was cut in place of the answer.
    DroppedAfter {
        /// The invalidation that was created or replayed.
        id: String,
    },
}

/// Totals. Calls of every operation count, dropped ones too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// All calls.
    pub calls: u64,
    /// CreateInvalidation calls.
    pub create_calls: u64,
    /// Calls answered with a new invalidation.
    pub created: u64,
    /// Calls answered with an existing one.
    pub replayed: u64,
    /// Calls cut before anything was done.
    pub dropped_before: u64,
    /// Calls cut in place of their answer.
    pub dropped_after: u64,
    /// Calls answered with an error, by code.
    pub refused: BTreeMap<String, u64>,
    /// Invalidations accepted, whether or not the caller heard of it.
    pub invalidations: u64,
    /// Their items: what AWS bills.
    pub billed_paths: u64,
    /// The wildcards among them.
    pub wildcards: u64,
    /// The tags among them.
    pub tags: u64,
}

impl Counters {
    pub(super) fn new(calls: &[Call], recorded: &[Recorded]) -> Self {
        let mut counters = Self { calls: calls.len() as u64, ..Self::default() };
        for call in calls {
            if call.operation == Operation::CreateInvalidation {
                counters.create_calls += 1;
            }
            match &call.reply {
                Reply::Created { .. } => counters.created += 1,
                Reply::Replayed { .. } => counters.replayed += 1,
                Reply::Answered => {}
                Reply::Refused { code, .. } => {
                    *counters.refused.entry(code.clone()).or_default() += 1;
                }
                Reply::DroppedBefore => counters.dropped_before += 1,
                Reply::DroppedAfter { .. } => counters.dropped_after += 1,
            }
        }
        counters.invalidations = recorded.len() as u64;
        for invalidation in recorded {
            counters.billed_paths += invalidation.items.len() as u64;
            counters.wildcards += invalidation.wildcards() as u64;
            counters.tags +=
                invalidation.items.iter().filter(|item| item.starts_with('#')).count() as u64;
        }
        counters
    }
}
