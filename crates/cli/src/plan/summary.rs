//! What the plan comes to: the figures that every form of output shows.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use anyhow::bail;
use s3_cloudfront_invalidator::{
    distribution::Distribution,
    event::Change,
    item::Item,
    plan::{Cost, DistributionPlan, Plan, PlanOptions, Planner},
    rules::{Decision, RuleSet, TargetIndex},
};

use super::{
    keys,
    outline::{self, Outline},
    site::{SiteInventory, UnchangedObjects},
};

/// A plan in the making, and what is noted on the way.
pub struct Draft<'r> {
    rules: &'r RuleSet,
    planner: Planner<'r>,
    month_to_date: u64,
    buckets: BTreeSet<Arc<str>>,
    notes: Notes,
    site: SiteInventory,
}

/// What is noted of each change, since the plan keeps no keys.
#[derive(Default)]
struct Notes {
    tallies: BTreeMap<Distribution, Tally>,
    /// Whether a site will be measured, which needs the changed keys.
    keeps_keys: bool,
    /// The targets that serve each bucket, and the bucket's changed keys.
    buckets: BTreeMap<Arc<str>, (BTreeSet<TargetIndex>, HashSet<String>)>,
}

/// What is noted of each distribution.
#[derive(Default)]
struct Tally {
    changes: usize,
    directories: outline::Counts,
}

/// A plan and its figures.
pub struct Summary {
    /// The plan.
    pub plan: Plan,
    /// One entry for each distribution of the plan.
    pub figures: Vec<Figures>,
    /// What it costs, and what other ways would.
    pub cost: Comparison,
    /// How many paths the account has sent this month.
    pub month_to_date: u64,
}

/// What is to be said of the plan of one distribution.
pub struct Figures {
    /// How many changes asked for anything.
    pub changes: usize,
    /// Where they are.
    pub outline: Outline,
    /// `None` without `--site`.
    pub unchanged: Option<UnchangedObjects>,
}

/// What three ways cost.
pub struct Comparison {
    /// This plan.
    pub plan: Cost,
    /// A path for each changed file.
    pub path_per_file: Cost,
    /// `/*` for each distribution.
    pub everything: Cost,
}

impl<'r> Draft<'r> {
    /// `expects_site` says whether [`Self::measure_site`] will be called.
    pub fn new(rules: &'r RuleSet, month_to_date: u64, expects_site: bool) -> Self {
        Self {
            rules,
            planner: Planner::new(rules.targets(), PlanOptions::default()),
            month_to_date,
            buckets: BTreeSet::new(),
            notes: Notes { keeps_keys: expects_site, ..Notes::default() },
            site: SiteInventory::default(),
        }
    }

    /// The bucket's name, shared.
    pub fn bucket(&mut self, name: &str) -> Arc<str> {
        if let Some(bucket) = self.buckets.get(name) {
            return bucket.clone();
        }
        let bucket: Arc<str> = name.into();
        self.buckets.insert(bucket.clone());
        bucket
    }

    pub fn add(&mut self, change: &Change, delivery: u32) {
        let Self { rules, planner, notes, .. } = self;
        let decision = rules.route(change);
        if planner.add(change, delivery, &decision) {
            notes.note(rules, change, &decision);
        }
    }

    /// Reads the list of all keys of a bucket, to count the unchanged objects
    /// that the plan purges. The bucket defaults to that of the changes.
    pub fn measure_site(&mut self, list: &str, bucket: Option<&str>) -> anyhow::Result<()> {
        let named = bucket.map(Arc::from);
        let mut buckets = self.notes.buckets.keys();
        let bucket = match (named, buckets.next(), buckets.next()) {
            (Some(bucket), ..) => bucket,
            (None, Some(bucket), None) => bucket.clone(),
            (None, None, _) => return Ok(()),
            (None, Some(one), Some(other)) => bail!(
                "--site needs --bucket: the changes are of several buckets, as {one} and {other}"
            ),
        };
        let Some((targets, changed)) = self.notes.buckets.get(&bucket) else { return Ok(()) };
        let keys = keys::site_keys(list);
        for target in targets.iter().map(|&target| self.rules.target(target)) {
            let unchanged = keys.iter().filter(|key| !changed.contains(**key));
            let unchanged = unchanged.filter_map(|key| target.paths.url_path(key));
            self.site.add(&target.distribution, unchanged.map(|path| path.as_str().to_owned()));
        }
        Ok(())
    }

    pub fn finish(self) -> Summary {
        let Self { planner, mut notes, site, month_to_date, .. } = self;
        let plan = planner.finish();
        let figures: Vec<Figures> = plan
            .distributions
            .iter()
            .map(|plan| {
                let tally = notes.tallies.remove(&plan.distribution).unwrap_or_default();
                let wildcards = plan.items().filter_map(|item| item.item.wildcard_prefix());
                let purged = wildcards.filter(|prefix| prefix.ends_with('/')).collect();
                let unchanged = site.measure(plan);
                let outline = Outline::new(&tally.directories, &purged);
                Figures { changes: tally.changes, outline, unchanged }
            })
            .collect();
        let files: usize = figures.iter().map(|figures| figures.changes).sum();
        let cost = |paths: usize| Cost::of(paths as u64, month_to_date);
        let cost = Comparison {
            plan: cost(plan.billed_paths()),
            path_per_file: cost(files),
            everything: cost(figures.len()),
        };
        Summary { plan, figures, cost, month_to_date }
    }
}

impl Summary {
    /// Each distribution's plan with its figures.
    pub fn distributions(&self) -> impl Iterator<Item = (&DistributionPlan, &Figures)> {
        self.plan.distributions.iter().zip(&self.figures)
    }
}

impl Notes {
    fn note(&mut self, rules: &RuleSet, change: &Change, decision: &Decision) {
        let (serving, keys) = self.buckets.entry(change.bucket.clone()).or_default();
        if self.keeps_keys {
            keys.insert(change.key.clone());
        }
        let mut noted: Vec<&Distribution> = Vec::new();
        for contribution in &decision.contributions {
            serving.insert(contribution.target);
            let distribution = &rules.target(contribution.target).distribution;
            if noted.contains(&distribution) {
                continue;
            }
            noted.push(distribution);
            if !self.tallies.contains_key(distribution) {
                self.tallies.insert(distribution.clone(), Tally::default());
            }
            let Some(tally) = self.tallies.get_mut(distribution) else { continue };
            tally.changes += 1;
            if let Some(path) = path_of(rules, decision, distribution) {
                outline::count(&mut tally.directories, path);
            }
        }
    }
}

/// Where a change shows in a distribution: its first path there.
fn path_of<'d>(
    rules: &RuleSet,
    decision: &'d Decision,
    distribution: &Distribution,
) -> Option<&'d str> {
    let there = decision
        .contributions
        .iter()
        .filter(|contribution| rules.target(contribution.target).distribution == *distribution);
    let mut items = there.filter_map(|contribution| contribution.item.as_ref().ok());
    let item: &Item = &items.find(|addressed| !addressed.item.is_tag())?.item;
    Some(item.wildcard_prefix().unwrap_or(item.as_str()))
}
