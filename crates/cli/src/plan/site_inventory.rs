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

    /// Returns how many unchanged objects any of these plans purges. `None` when
    /// no objects are known.
    pub fn purged_by_any<'p>(
        &self,
        plans: impl IntoIterator<Item = &'p DistributionPlan>,
    ) -> Option<usize> {
        let mut wildcards: BTreeMap<&Distribution, BTreeSet<&str>> = BTreeMap::new();
        for plan in plans {
            wildcards.entry(&plan.distribution).or_default().extend(prefixes(plan));
        }
        let purged = wildcards.into_iter().map(|(distribution, prefixes)| {
            let mut prefixes: Vec<&str> = prefixes.into_iter().collect();
            // Sorted, so what another one covers is right behind it.
            prefixes.dedup_by(|next, kept| next.starts_with(*kept));
            let unchanged = self.unchanged.get(distribution);
            unchanged.map_or(0, |paths| prefixes.iter().map(|prefix| count(paths, prefix)).sum())
        });
        (!self.unchanged.is_empty()).then(|| purged.sum())
    }

    /// `None` when the distribution's objects are not known.
    pub fn measure(&self, plan: &DistributionPlan) -> Option<UnchangedObjects> {
        let unchanged = self.unchanged.get(&plan.distribution)?;
        let purged_by: Vec<(String, usize)> =
            prefixes(plan).map(|prefix| (format!("{prefix}*"), count(unchanged, prefix))).collect();
        // No wildcard of a plan covers another, so no object counts twice.
        let purged = purged_by.iter().map(|(_, count)| count).sum();
        Some(UnchangedObjects { total: unchanged.len(), purged, purged_by })
    }
}

/// Returns the wildcards of a plan without their `*`.
fn prefixes(plan: &DistributionPlan) -> impl Iterator<Item = &str> {
    plan.items().filter_map(|planned| planned.item.wildcard_prefix())
}

fn count(paths: &BTreeSet<String>, prefix: &str) -> usize {
    let from = paths.range(prefix.to_owned()..);
    from.take_while(|path| path.starts_with(prefix)).count()
}
