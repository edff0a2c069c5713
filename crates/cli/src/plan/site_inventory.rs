//! `--site`: how many unchanged objects a plan purges.

use std::collections::{BTreeMap, BTreeSet};

use s3_cloudfront_invalidator::{distribution::Distribution, plan::DistributionPlan};

/// The URL paths of the objects that did not change, by distribution.
#[derive(Default)]
pub struct SiteInventory {
    unchanged: BTreeMap<Distribution, BTreeSet<String>>,
}

/// How many objects of a distribution did not change.
pub struct UnchangedObjects {
    pub total: usize,
    /// Those that the plan purges nevertheless.
    pub purged: usize,
    /// The same for each wildcard of the plan.
    pub purged_by: Vec<(String, usize)>,
}

impl SiteInventory {
    pub fn add(&mut self, distribution: &Distribution, paths: impl Iterator<Item = String>) {
        self.unchanged.entry(distribution.clone()).or_default().extend(paths);
    }

    /// `None` when the distribution's objects are not known.
    pub fn measure(&self, plan: &DistributionPlan) -> Option<UnchangedObjects> {
        let unchanged = self.unchanged.get(&plan.distribution)?;
        let wildcards = plan.items().filter_map(|planned| planned.item.wildcard_prefix());
        let below = |prefix: &str| {
            let paths = unchanged.range(prefix.to_owned()..);
            paths.take_while(|path| path.starts_with(prefix)).count()
        };
        let purged_by: Vec<(String, usize)> =
            wildcards.map(|prefix| (format!("{prefix}*"), below(prefix))).collect();
        // No wildcard of a plan covers another, so no object counts twice.
        let purged = purged_by.iter().map(|(_, count)| count).sum();
        Some(UnchangedObjects { total: unchanged.len(), purged, purged_by })
    }
}
