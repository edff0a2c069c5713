//! The plan and its figures, which every output format shows.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use anyhow::bail;
use s3_cloudfront_invalidator::{
    distribution::Distribution,
    escape::escape,
    event::Change,
    item::Item,
    plan::{DistributionPlan, ExclusionCosts, Plan, Planner},
    rules::{Action, Conditions, Decision, Rule, RuleSet, Verdict},
    target::TargetIndex,
};

use super::{
    batches::{BatchDraft, Batches},
    cost::Cost,
    directories::{self, DirectoryCounts},
    keys,
    site_inventory::{SiteInventory, UnchangedObjects},
};

/// Collects changes and their figures until the plan is made.
pub struct PlanDraft<'r> {
    rules: &'r RuleSet,
    planner: Planner<'r>,
    figures: BTreeMap<Distribution, Figures>,
    buckets: BTreeMap<Arc<str>, ChangedBucket>,
    keeps_keys: bool,
    site: SiteInventory,
    batches: Option<BatchDraft<'r>>,
    first_unmatched: Option<String>,
}

/// A bucket with changes.
#[derive(Default)]
struct ChangedBucket {
    /// Indices of the targets that serve its changes.
    targets: BTreeSet<TargetIndex>,
    changed_keys: HashSet<String>,
}

pub struct PlanSummary {
    pub plan: Plan,
    /// The first change that no rule matches, as an S3 URI.
    first_unmatched: Option<String>,
    /// One entry for each distribution of the plan.
    figures: Vec<Figures>,
    /// Paths that the account has already invalidated this month.
    pub month_to_date: u64,
    pub plan_cost: Cost,
    /// The cost of one path for each changed file.
    pub path_per_file: Cost,
    /// The cost of `/*` for each distribution.
    pub everything: Cost,
    /// With `--batch`.
    pub batches: Option<Batches>,
    /// The buckets of the changes.
    pub buckets: Vec<Arc<str>>,
    /// The rules that leave out keys by a suffix or a regex, which limits no
    /// wildcard.
    pub leave_out: Vec<Arc<str>>,
}

#[derive(Default)]
pub struct Figures {
    /// Changes that lead to an item, also to one that cannot be sent.
    pub changes: usize,
    pub directories: DirectoryCounts,
    /// `None` without `--site`.
    pub unchanged: Option<UnchangedObjects>,
    pub exclusions: ExclusionCosts,
}

impl<'r> PlanDraft<'r> {
    /// `keeps_keys` is required for [`Self::measure_site`]. With `batch`, that
    /// many changes at a time are planned as well.
    pub fn new(rules: &'r RuleSet, keeps_keys: bool, batch: Option<usize>) -> Self {
        Self {
            rules,
            planner: Planner::new(rules.targets()),
            figures: BTreeMap::new(),
            buckets: BTreeMap::new(),
            keeps_keys,
            site: SiteInventory::default(),
            batches: batch.map(|size| BatchDraft::new(rules, size)),
            first_unmatched: None,
        }
    }

    /// Returns the bucket's shared name.
    pub fn bucket(&mut self, name: &str) -> Arc<str> {
        if let Some((bucket, _)) = self.buckets.get_key_value(name) {
            return bucket.clone();
        }
        let bucket: Arc<str> = name.into();
        self.buckets.insert(bucket.clone(), ChangedBucket::default());
        bucket
    }

    pub fn add(&mut self, change: &Change, delivery: u32) {
        let Self { rules, planner, figures, buckets, keeps_keys, batches, .. } = self;
        let decision = rules.route(change);
        if let Some(batches) = batches {
            batches.add(change, delivery, &decision);
        }
        if decision.verdict == Verdict::Unmatched && self.first_unmatched.is_none() {
            self.first_unmatched = Some(format!("s3://{}/{}", change.bucket, change.key));
        }
        if planner.add(change, delivery, &decision) {
            count(figures, rules, &decision);
        }
        let bucket = buckets.entry(change.bucket.clone()).or_default();
        bucket.targets.extend(decision.contributions.iter().map(|made| made.target));
        if *keeps_keys {
            bucket.changed_keys.insert(change.key.clone());
        }
    }

    /// Reads the list of all keys of a bucket, to count the unchanged objects
    /// that the plan purges. The bucket defaults to that of the changes.
    pub fn measure_site(&mut self, list: &str, bucket: Option<&str>) -> anyhow::Result<()> {
        let mut buckets = self.buckets.keys();
        let bucket = match (bucket, buckets.next(), buckets.next()) {
            (Some(bucket), ..) => bucket,
            (None, Some(bucket), None) => bucket,
            (None, None, _) => return Ok(()),
            (None, Some(one), Some(other)) => bail!(
                "--site needs --bucket: the changes are in several buckets, `{one}` and `{other}` among them"
            ),
        };
        let Some(ChangedBucket { targets, changed_keys }) = self.buckets.get(bucket) else {
            return Ok(());
        };
        let keys = keys::site_keys(list);
        for target in targets.iter().map(|&target| self.rules.target(target)) {
            let unchanged = keys.iter().filter(|key| !changed_keys.contains(**key));
            let unchanged = unchanged.filter_map(|key| target.paths.url_path(key));
            self.site.add(&target.distribution, unchanged.map(|path| path.as_str().to_owned()));
        }
        Ok(())
    }

    /// Makes the plan.
    pub fn finish(self, month_to_date: u64) -> PlanSummary {
        let Self { rules, planner, mut figures, site, buckets, batches, first_unmatched, .. } =
            self;
        let mut exclusions = planner.exclusion_costs();
        let plan = planner.finish();
        let complete = |plan: &DistributionPlan| {
            let mut figures = figures.remove(&plan.distribution).unwrap_or_default();
            figures.unchanged = site.measure(plan);
            figures.exclusions = exclusions.remove(&plan.distribution).unwrap_or_default();
            figures
        };
        let figures: Vec<Figures> = plan.distributions.iter().map(complete).collect();
        let files: usize = figures.iter().map(|figures| figures.changes).sum();
        let cost = |paths: usize| Cost::of(paths as u64, month_to_date);
        PlanSummary {
            plan_cost: cost(plan.billed_paths()),
            path_per_file: cost(files),
            everything: cost(figures.len()),
            batches: batches.map(|batches| batches.finish(&site, month_to_date)),
            buckets: buckets.into_keys().collect(),
            leave_out: rules
                .rules()
                .iter()
                .filter(leaves_out)
                .map(|rule| rule.name.clone())
                .collect(),
            plan,
            first_unmatched,
            figures,
            month_to_date,
        }
    }
}

impl PlanSummary {
    /// Returns a warning if no rule matches any of the changes.
    pub fn warning(&self) -> Option<String> {
        let object = escape(self.first_unmatched.as_ref()?);
        let counts = &self.plan.counts;
        (counts.unmatched == counts.changes).then(|| {
            format!("no rule matches any change; `invalidator explain '{object}'` shows why")
        })
    }

    /// Returns each distribution's plan with its figures.
    pub fn distributions(&self) -> impl Iterator<Item = (&DistributionPlan, &Figures)> {
        self.plan.distributions.iter().zip(&self.figures)
    }
}

/// Returns whether a rule leaves out keys by a suffix or a regex.
fn leaves_out(rule: &&Rule) -> bool {
    let by_name = |set: &Conditions| !set.suffixes.is_empty() || !set.regexes.is_empty();
    matches!(rule.action, Action::Ignore { .. }) && by_name(&rule.conditions)
        || rule.except.iter().any(by_name)
}

/// Counts a change once for each distribution, at its first path there.
fn count(figures: &mut BTreeMap<Distribution, Figures>, rules: &RuleSet, decision: &Decision) {
    let mut paths: BTreeMap<&Distribution, Option<&str>> = BTreeMap::new();
    for contribution in &decision.contributions {
        let path = paths.entry(&rules.target(contribution.target).distribution).or_default();
        let item = contribution.item.as_ref().ok().map(|addressed| &addressed.item);
        *path = path.or(item.filter(|item| !item.is_tag()).map(Item::stem));
    }
    for (distribution, path) in paths {
        if !figures.contains_key(distribution) {
            figures.insert(distribution.clone(), Figures::default());
        }
        let Some(figures) = figures.get_mut(distribution) else { continue };
        figures.changes += 1;
        if let Some(path) = path {
            directories::count_change(&mut figures.directories, path);
        }
    }
}
