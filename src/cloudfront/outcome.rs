use std::{collections::HashSet, fmt, sync::Arc};

use crate::{event::Delivery, plan::Plan};

/// What became of a plan: for every distribution of the plan, in its order.
#[derive(Debug, Default)]
pub struct Submission {
    /// One entry for each of the plan's distributions.
    pub distributions: Vec<DistributionSubmission>,
}

impl Submission {
    /// For each delivery, whether it must come again: it has an item that was
    /// not accepted or a part that could not be read, or it follows such a one
    /// in its FIFO group, which it must not overtake. What is no message of a
    /// queue can only be asked for again with all of its payload.
    pub fn comes_again(&self, plan: &Plan, deliveries: &[Delivery]) -> Vec<bool> {
        let mut again: Vec<bool> =
            deliveries.iter().map(|delivery| !delivery.unreadable.is_empty()).collect();
        for (part, submitted) in plan.distributions.iter().zip(&self.distributions) {
            for (planned, outcome) in part.items().zip(submitted.outcomes.iter().flatten()) {
                if !outcome.is_done() {
                    for change in &planned.changes {
                        again[plan.changes[*change as usize].delivery as usize] = true;
                    }
                }
            }
        }
        if deliveries.iter().zip(&again).any(|(delivery, again)| *again && delivery.id.is_none()) {
            return vec![true; deliveries.len()];
        }
        let mut blocked: HashSet<&str> = HashSet::new();
        for (delivery, again) in deliveries.iter().zip(&mut again) {
            let group = delivery.group.as_deref();
            *again |= group.is_some_and(|group| blocked.contains(group));
            blocked.extend(group.filter(|_| *again));
        }
        again
    }
}

/// What became of one distribution's requests.
#[derive(Debug, Default)]
pub struct DistributionSubmission {
    /// For each request of the plan, for each of its items, in their order.
    pub outcomes: Vec<Vec<Outcome>>,
    /// How many CreateInvalidation calls were made, bisected ones included and
    /// the SDK's own retries not.
    pub calls: u32,
    /// How often the SDK tried again.
    pub retries: u32,
    /// How many tries CloudFront throttled.
    pub throttles: u32,
    /// From the first call to the last answer, in milliseconds.
    pub duration_ms: u64,
}

/// What became of one item.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// CloudFront accepted it.
    Accepted(Arc<Invalidation>),
    /// This process had it accepted for every delivery it answers for in an
    /// earlier invocation, and does not pay for it again.
    Remembered(Arc<Invalidation>),
    /// Not sent, because `DRY_RUN` is on.
    DryRun,
    /// CloudFront will not take it, however often it is sent, until somebody
    /// changes something: the item, the rules or a policy.
    Refused(Arc<Failure>),
    /// Not accepted this time.
    Retry(Arc<Failure>),
}

/// An invalidation that CloudFront created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalidation {
    /// Its id. Empty when CloudFront only said that it had accepted the batch
    /// before, which happens when a caller reference was used.
    pub id: String,
    /// `InProgress` or `Completed`, as CloudFront said when it accepted it;
    /// empty with an empty id.
    pub status: String,
}

impl Invalidation {
    /// An invalidation that exists and that CloudFront did not name.
    pub(super) fn unnamed() -> Self {
        Self { id: String::new(), status: String::new() }
    }
}

/// Why CloudFront did not accept an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// AWS's error code, or a name of ours in the same style
    /// (`DeadlineExceeded`) where no answer of AWS is behind it.
    pub code: String,
    /// What happened, which distribution, and what to do.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl Outcome {
    /// Whether a delivery needs nothing more for this item.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Accepted(_) | Self::Remembered(_) | Self::DryRun)
    }

    /// Why the item was not accepted.
    pub fn failure(&self) -> Option<&Arc<Failure>> {
        match self {
            Self::Refused(failure) | Self::Retry(failure) => Some(failure),
            Self::Accepted(_) | Self::Remembered(_) | Self::DryRun => None,
        }
    }
}
