//! The plan: per distribution, the fewest billed paths that cover every change.

mod reference;

use std::sync::Arc;

pub use reference::caller_reference;

use crate::{
    distribution::Distribution,
    event::Identity,
    item::{Item, Unaddressable},
};

/// What is to be submitted, and for whom.
#[derive(Debug, Default)]
pub struct Plan {
    /// How many changes there were and what the rules said of them.
    pub counts: Counts,
    /// Every change of every delivery that asked for an item; items point here.
    pub sources: Vec<Source>,
    /// One entry per distribution, in the order of [`Distribution`].
    pub distributions: Vec<DistributionPlan>,
}

/// How many distinct changes there were and what the rules said of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All distinct changes: a repeated identity counts once.
    pub changes: usize,
    /// A rule other than `ignore` matched.
    pub matched: usize,
    /// Only an `ignore` rule matched.
    pub ignored: usize,
    /// No rule matched and the fallback did not take it.
    pub unmatched: usize,
    /// No rule matched and `DistributionId` took it.
    pub fallback: usize,
    /// Matched, but no target serves the key.
    pub not_served: usize,
}

/// One change as one delivery brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The place of the delivery in the payload.
    pub delivery: u32,
    /// The change's identity. Two deliveries may bring the same one.
    pub identity: Identity,
}

/// What is to be submitted to one distribution.
#[derive(Debug)]
pub struct DistributionPlan {
    /// The distribution.
    pub distribution: Distribution,
    /// The names of the targets that contributed, in the order of rules.yaml.
    pub targets: Vec<Arc<str>>,
    /// The requests, to be sent one after another.
    pub requests: Vec<Request>,
    /// What no item can be sent for.
    pub unaddressable: Vec<UnaddressableChange>,
}

/// One CreateInvalidation.
#[derive(Debug)]
pub struct Request {
    /// The same for the same distribution, items and identities.
    pub caller_reference: String,
    /// Its items, sorted and distinct.
    pub items: Vec<PlannedItem>,
}

/// An item and the changes it answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedItem {
    /// The item.
    pub item: Item,
    /// Places in [`Plan::sources`], sorted: every change this item covers.
    pub sources: Vec<u32>,
    /// How many paths it stands for; 1 for a path or a tag.
    pub stands_for: usize,
}

/// A change that no item can be sent for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnaddressableChange {
    /// The bucket.
    pub bucket: Arc<str>,
    /// The key.
    pub key: String,
    /// Why.
    pub reason: Unaddressable,
    /// Places in [`Plan::sources`].
    pub sources: Vec<u32>,
}

impl DistributionPlan {
    /// What CloudFront will bill: every path, wildcard and tag is one.
    pub fn billed_paths(&self) -> usize {
        self.requests.iter().map(|request| request.items.len()).sum()
    }
}
