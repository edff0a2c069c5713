//! The plan: per distribution, the fewest billed paths that cover every change
//! and purge nothing nobody asked for.
//!
//! ```text
//! changes ─ decisions → merge → cover → collapse → split → requests
//! ```
//!
//! - **Merge**: targets with an equal [`Distribution`] share one plan. A
//!   repeated [`Identity`] counts once, but every delivery that brought it is
//!   behind its items.
//! - **Cover**: duplicates go, and what a wildcard item covers.
//! - **Collapse**: where many paths are left, a few directory wildcards take
//!   their place; the module `collapse` says which, and why they are the best.
//! - **Split**: requests within CloudFront's limits, each with a caller
//!   reference made from what it sends and on whose behalf.
//!
//! A plan is a pure function of the changes, the decisions and the settings: no
//! clock, no chance, and the order of the changes decides nothing.
//!
//! ```
//! use s3_cloudfront_invalidator::plan::{PlanOptions, Planner};
//!
//! let plan = Planner::new(&[], PlanOptions::default()).finish();
//! assert_eq!(plan.billed_paths(), 0);
//! ```

mod census;
mod collapse;
mod cost;
mod cover;
mod planner;
mod reference;
mod split;
mod table;

use std::sync::Arc;

use crate::{
    distribution::Distribution,
    event::Identity,
    item::{Item, Unaddressable},
};

pub use crate::target::Collapse;

pub use self::{
    census::{Census, Unchanged},
    cost::{Cost, Dollars, FREE_PATHS_PER_MONTH, MILLIDOLLARS_PER_PATH},
    planner::{PlanOptions, Planner},
    reference::caller_reference,
    split::{ITEMS_PER_REQUEST, MAX_ITEMS_PER_REQUEST, MAX_WILDCARDS_PER_REQUEST},
};

/// What is to be submitted, and for whom.
#[derive(Debug, Default)]
pub struct Plan {
    /// How many changes there were and what the rules said of them.
    pub counts: Counts,
    /// Every change of every delivery that asked for an item; items point here.
    pub changes: Vec<DeliveredChange>,
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
pub struct DeliveredChange {
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
    /// Places in [`Plan::changes`], sorted: every change this item covers.
    pub changes: Vec<u32>,
    /// How many of the items that the rules asked for it stands for, itself
    /// included if it is one of them. 1 for a path.
    pub replaces: usize,
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
    /// Places in [`Plan::changes`].
    pub changes: Vec<u32>,
}

impl Plan {
    /// What CloudFront will bill for all distributions.
    pub fn billed_paths(&self) -> usize {
        self.distributions.iter().map(DistributionPlan::billed_paths).sum()
    }
}

impl DistributionPlan {
    /// Everything that is sent, request by request.
    pub fn items(&self) -> impl Iterator<Item = &PlannedItem> {
        self.requests.iter().flat_map(|request| &request.items)
    }

    /// What CloudFront will bill: every path, wildcard and tag is one.
    pub fn billed_paths(&self) -> usize {
        self.requests.iter().map(|request| request.items.len()).sum()
    }

    /// How many of the items are wildcards.
    pub fn wildcards(&self) -> usize {
        self.items().filter(|planned| planned.item.is_wildcard()).count()
    }
}

#[cfg(test)]
mod tests;
