//! The result of submitting a plan: an outcome for every item, and the
//! deliveries that must be redelivered.

use std::{collections::HashSet, fmt, sync::Arc};

use crate::{
    distribution::Distribution,
    event::Delivery,
    plan::{Counts, DeliveredChange, PlannedItem, UnaddressableChange},
};

/// A submitted plan: every item with its outcome.
#[derive(Debug, Default)]
pub struct Submission {
    /// How many changes there were, and how the rules handled them.
    pub counts: Counts,
    /// The changes behind the items, as the plan lists them.
    pub changes: Vec<DeliveredChange>,
    /// One entry per distribution, in the plan's order.
    pub distributions: Vec<SubmittedDistribution>,
    /// For each delivery of the payload, whether it must be redelivered.
    pub needs_redelivery: Vec<bool>,
}

/// The requests of one distribution.
#[derive(Debug)]
pub struct SubmittedDistribution {
    pub distribution: Distribution,
    /// The names of the targets that contributed.
    pub targets: Vec<Arc<str>>,
    pub requests: Vec<SubmittedRequest>,
    /// Changes for which no item can be sent.
    pub unaddressable: Vec<UnaddressableChange>,
    /// CreateInvalidation calls, without the SDK's retries.
    pub calls: u32,
    pub retries: u32,
    pub throttles: u32,
    /// From the first call to the last response, in milliseconds.
    pub duration_ms: u64,
}

/// A planned request. If CloudFront refused it, its items may have been sent
/// in several requests.
#[derive(Debug)]
pub struct SubmittedRequest {
    /// The caller reference of the planned request.
    pub caller_reference: String,
    pub items: Vec<SubmittedItem>,
}

/// An item and its outcome.
#[derive(Debug)]
pub struct SubmittedItem {
    pub planned: PlannedItem,
    pub outcome: Outcome,
}

/// What happened to an item.
#[derive(Clone, Debug)]
pub enum Outcome {
    Accepted(Arc<Invalidation>),
    /// An earlier invocation of this process had it accepted for all of its
    /// messages, so it was not sent again.
    Remembered(Arc<Invalidation>),
    /// Not sent, because `DRY_RUN` is on.
    DryRun,
    /// CloudFront refuses it until somebody changes the item, the rules or a
    /// policy.
    Refused(Arc<Failure>),
    /// Not accepted this time.
    Retry(Arc<Failure>),
}

/// An invalidation that CloudFront created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invalidation {
    /// The id; empty if the response has none: CloudFront only returned that the
    /// caller reference was used, that is, that it accepted the batch before.
    pub id: String,
    /// `InProgress` or `Completed` when it was accepted; empty if the id is.
    pub status: String,
}

/// Why CloudFront did not accept an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// AWS's error code, or a name in the same style (`DeadlineExceeded`) if
    /// AWS did not answer.
    pub code: String,
    /// What happened, in which distribution, and what to do.
    pub message: String,
}

impl Submission {
    pub(super) fn new(
        counts: Counts,
        changes: Vec<DeliveredChange>,
        distributions: Vec<SubmittedDistribution>,
        deliveries: &[Delivery],
    ) -> Self {
        let needs_redelivery = needs_redelivery(&changes, &distributions, deliveries);
        Self { counts, changes, distributions, needs_redelivery }
    }

    /// Returns how many deliveries must be redelivered.
    pub fn failed_deliveries(&self) -> usize {
        self.needs_redelivery.iter().filter(|failed| **failed).count()
    }
}

/// Decides for each delivery whether it must be redelivered: if one of its items
/// was not accepted, if a part of it could not be read, or if it follows such a
/// delivery in its FIFO group. If that is no message of a queue, the whole
/// payload is redelivered.
fn needs_redelivery(
    changes: &[DeliveredChange],
    distributions: &[SubmittedDistribution],
    deliveries: &[Delivery],
) -> Vec<bool> {
    let mut failed: Vec<bool> =
        deliveries.iter().map(|delivery| !delivery.unreadable.is_empty()).collect();
    let items = distributions.iter().flat_map(SubmittedDistribution::items);
    for SubmittedItem { planned, .. } in items.filter(|item| !item.outcome.is_done()) {
        for change in &planned.changes {
            failed[changes[*change as usize].delivery as usize] = true;
        }
    }
    let mut blocked_groups: HashSet<&str> = HashSet::new();
    for (delivery, failed) in deliveries.iter().zip(&mut failed) {
        if let Some(group) = delivery.group.as_deref() {
            *failed |= blocked_groups.contains(group);
            blocked_groups.extend(failed.then_some(group));
        }
    }
    if deliveries.iter().zip(&failed).any(|(delivery, failed)| *failed && delivery.id.is_none()) {
        failed.fill(true);
    }
    failed
}

impl SubmittedDistribution {
    /// Returns the items of all requests.
    pub fn items(&self) -> impl Iterator<Item = &SubmittedItem> {
        self.requests.iter().flat_map(|request| &request.items)
    }
}

impl Outcome {
    /// Returns whether the item's deliveries need nothing more for it.
    pub fn is_done(&self) -> bool {
        self.failure().is_none()
    }

    /// Returns why the item was not accepted.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Refused(failure) | Self::Retry(failure) => Some(failure),
            Self::Accepted(_) | Self::Remembered(_) | Self::DryRun => None,
        }
    }
}

impl Failure {
    /// Returns whether CloudFront refused the item itself: it was sent alone,
    /// or its batch would have been bisected.
    pub(super) fn is_refused_item(&self) -> bool {
        self.code == "InvalidArgument"
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
