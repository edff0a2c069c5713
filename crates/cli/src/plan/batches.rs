//! `--batch`: the plans of a function that gets some changes at a time.

use std::mem;

use s3_cloudfront_invalidator::{
    event::Change,
    plan::{Plan, Planner},
    rules::{Decision, RuleSet},
};

use super::{cost::Cost, site_inventory::SiteInventory};

/// Makes a plan of every few changes, in the order in which they are added.
pub struct BatchDraft<'r> {
    rules: &'r RuleSet,
    size: usize,
    planner: Planner<'r>,
    /// The changes in `planner`.
    changes: usize,
    plans: Vec<Plan>,
}

/// The plans of all batches, and what they come to.
pub struct Batches {
    /// The changes of one invocation; the last one may have fewer.
    pub size: usize,
    pub plans: Vec<Plan>,
    pub cost: Cost,
    /// The objects that a batch purges although they did not change at all, each
    /// counted once. `None` without `--site`.
    pub unchanged_purged: Option<usize>,
}

impl<'r> BatchDraft<'r> {
    pub fn new(rules: &'r RuleSet, size: usize) -> Self {
        Self { rules, size, planner: Planner::new(rules.targets()), changes: 0, plans: Vec::new() }
    }

    pub fn add(&mut self, change: &Change, delivery: u32, decision: &Decision) {
        self.planner.add(change, delivery, decision);
        self.changes += 1;
        if self.changes == self.size {
            self.end_batch();
        }
    }

    fn end_batch(&mut self) {
        let next = Planner::new(self.rules.targets());
        self.plans.push(mem::replace(&mut self.planner, next).finish());
        self.changes = 0;
    }

    pub fn finish(mut self, site: &SiteInventory, month_to_date: u64) -> Batches {
        if self.changes > 0 {
            self.end_batch();
        }
        let Self { size, plans, .. } = self;
        let billed: usize = plans.iter().map(Plan::billed_paths).sum();
        let cost = Cost::of(billed as u64, month_to_date);
        let parts = plans.iter().flat_map(|plan| &plan.distributions);
        let unchanged_purged = site.purged_by_any(parts);
        Batches { size, plans, cost, unchanged_purged }
    }
}
