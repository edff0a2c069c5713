//! The plan: per distribution, the fewest billed paths that cover every change.
//!
//! ```text
//! changes with decisions → merge → cover → collapse → split → requests
//! ```
//!
//! - **Merge**: targets of one [`Distribution`] share one plan. Copies of one
//!   change (equal [`Identity`]) count once, and each of them is behind the
//!   items that it requested.
//! - **Cover**: duplicates are dropped, and items that a wildcard covers.
//! - **Collapse**: if many paths remain, a few directory wildcards replace them.
//!   The module `collapse` defines which. They cover nothing that the target
//!   excludes (`floor`).
//! - **Split**: requests within CloudFront's limits, wildcards in requests of
//!   their own, each with a caller reference.
//!
//! A plan is a pure function of the changes, their decisions and the settings.
//! The order of the changes never decides.
//!
//! ```
//! use s3_cloudfront_invalidator::plan::Planner;
//!
//! let plan = Planner::new(&[]).finish();
//! assert_eq!(plan.billed_paths(), 0);
//! ```

mod collapse;
mod cover;
mod exclusion_cost;
mod floor;
mod front;
mod planner;
mod reference;
mod split;

use std::sync::Arc;

use smallvec::SmallVec;

use crate::{
    distribution::Distribution,
    event::Identity,
    item::{Item, Unaddressable},
    target::Exclusion,
};

pub use self::{
    planner::{ChangeStatus, Planner},
    reference::caller_reference,
    split::{ITEMS_PER_REQUEST, MAX_WILDCARDS_PER_REQUEST},
};

/// The requests for all distributions, and the changes behind them.
#[derive(Debug, Default)]
pub struct Plan {
    /// How the changes were decided.
    pub counts: Counts,
    /// Every change of every delivery that requested an item. Items refer to it
    /// by index.
    pub changes: Vec<DeliveredChange>,
    /// One entry per distribution, in the order of [`Distribution`].
    pub distributions: Vec<DistributionPlan>,
}

/// How many distinct changes there were, by decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub changes: usize,
    /// A rule other than `ignore` matched.
    pub matched: usize,
    /// Only an `ignore` rule matched.
    pub ignored: usize,
    /// No rule matched, and the change was not sent to `DistributionId`.
    pub unmatched: usize,
    /// No rule matched, and the change was sent to `DistributionId`.
    pub fallback: usize,
    /// Of the matched changes, those whose key no target serves.
    pub not_served: usize,
}

/// A change in one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveredChange {
    /// The index of the delivery in the payload.
    pub delivery: u32,
    /// Several deliveries may bring copies of one change.
    pub identity: Identity,
}

/// The requests for one distribution.
#[derive(Debug)]
pub struct DistributionPlan {
    pub distribution: Distribution,
    /// The names of the targets that contributed, in the order of rules.yaml.
    pub targets: Vec<Arc<str>>,
    /// The requests, to be sent in this order.
    pub requests: Vec<Request>,
    /// The changes that no item can be sent for.
    pub unaddressable: Vec<UnaddressableChange>,
}

/// One CreateInvalidation request.
#[derive(Debug)]
pub struct Request {
    /// See [`caller_reference`].
    pub caller_reference: String,
    /// Sorted and distinct.
    pub items: Vec<PlannedItem>,
}

/// Changes of an item, most often one; four need no memory of their own.
pub type ChangeList = SmallVec<[u32; 4]>;

/// An item and the changes it is sent for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedItem {
    pub item: Item,
    /// Sorted indexes into [`Plan::changes`]: every change this item covers.
    pub changes: ChangeList,
    /// How many of the items that rules requested this one replaces, itself
    /// included if it is one of them. 1 for a path.
    pub replaces: usize,
}

/// What the exclusions of a distribution cost, in billed paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExclusionCosts {
    /// How many paths fewer would be billed without all of them.
    pub all: i64,
    /// For each exclusion that decides about a directory with a change, how many
    /// paths fewer would be billed without it alone.
    pub each: Vec<(Exclusion, i64)>,
}

/// A change that no item can be sent for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnaddressableChange {
    pub bucket: Arc<str>,
    /// The decoded key of the object.
    pub key: String,
    /// Why there is no item.
    pub reason: Unaddressable,
    /// Sorted indexes into [`Plan::changes`].
    pub changes: Vec<u32>,
}

impl Plan {
    /// Returns the number of paths that CloudFront bills.
    pub fn billed_paths(&self) -> usize {
        self.distributions.iter().map(DistributionPlan::billed_paths).sum()
    }
}

impl DistributionPlan {
    /// Returns the items of all requests.
    pub fn items(&self) -> impl Iterator<Item = &PlannedItem> {
        self.requests.iter().flat_map(|request| &request.items)
    }

    /// Returns the number of paths that CloudFront bills: one for every path,
    /// wildcard and tag.
    pub fn billed_paths(&self) -> usize {
        self.requests.iter().map(|request| request.items.len()).sum()
    }

    /// Returns the number of wildcards among the items.
    pub fn wildcards(&self) -> usize {
        self.items().filter(|planned| planned.item.is_wildcard()).count()
    }
}

#[cfg(test)]
mod tests;
