//! From decisions to a plan.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{
    distribution::Distribution,
    event::{Change, Identity},
    item::Item,
    rules::{Decision, Verdict},
    target::{Collapse, Exclusion, Target, TargetIndex},
};

use super::{
    Counts, DeliveredChange, DistributionPlan, ExclusionCosts, Plan, PlannedItem, Request,
    UnaddressableChange, caller_reference,
    collapse::{self, Leaf},
    cover::{Candidate, cover},
    exclusion_cost::CoveredCandidates,
    floor::{Floors, common_prefix},
    split::{ITEMS_PER_REQUEST, split},
};

/// Collects changes with their decisions, and produces the plan.
#[derive(Debug)]
pub struct Planner<'t> {
    targets: &'t [Target],
    /// For each target, the index of its distribution in `drafts`.
    draft_of: Vec<usize>,
    drafts: Vec<Draft<'t>>,
    statuses: HashMap<Identity, ChangeStatus>,
    changes: Vec<DeliveredChange>,
}

/// The decisions for one distribution.
#[derive(Debug, Default)]
struct Draft<'t> {
    /// Every target of the distribution.
    targets: Vec<&'t Target>,
    collapse: Option<Collapse>,
    /// The rules with exclusions of their own.
    excepting: HashSet<&'t str>,
    contributors: BTreeSet<TargetIndex>,
    candidates: Vec<Candidate>,
    recent: RecentItems,
    unaddressable: Vec<UnaddressableChange>,
}

/// Where items were added lately, by their hash: a front page that a rule adds
/// for every page of a language is one candidate, not a million.
#[derive(Debug, Default)]
struct RecentItems(Vec<u32>);

impl RecentItems {
    /// A power of two, and enough for all items that rules add often.
    const SLOTS: usize = 4_096;

    /// Returns the slot of an item.
    fn slot(&mut self, item: &Item) -> &mut u32 {
        if self.0.is_empty() {
            self.0.resize(Self::SLOTS, 0);
        }
        let mut hasher = DefaultHasher::new();
        item.hash(&mut hasher);
        &mut self.0[hasher.finish() as usize % Self::SLOTS]
    }
}

/// How a change counts. If copies of one change are decided differently, the
/// greatest status counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeStatus {
    /// No rule matched.
    Unmatched,
    /// No rule matched, and the change goes to the fallback.
    Fallback,
    /// Only an `ignore` rule matched.
    Ignored,
    /// A rule matched, but no target serves the key.
    NotServed,
    /// A rule other than `ignore` matched.
    Matched,
}

impl ChangeStatus {
    /// Returns the status of a change with this decision.
    pub fn of(decision: &Decision) -> Self {
        match (decision.verdict, decision.contributions.is_empty()) {
            (Verdict::Unmatched, true) => Self::Unmatched,
            (Verdict::Unmatched, false) => Self::Fallback,
            (Verdict::Ignored, _) => Self::Ignored,
            (Verdict::Matched, true) => Self::NotServed,
            (Verdict::Matched, false) => Self::Matched,
        }
    }
}

impl<'t> Planner<'t> {
    /// Makes a planner for changes whose decisions refer to these targets.
    ///
    /// Targets of one distribution share one plan. A wildcard of that plan
    /// purges the objects of all of them, so it follows the strictest of their
    /// collapse settings, and covers nothing that is excluded for one of them.
    pub fn new(targets: &'t [Target]) -> Self {
        let mut indexes = BTreeMap::new();
        let mut drafts: Vec<Draft<'t>> = Vec::new();
        let mut draft_of = Vec::with_capacity(targets.len());
        for target in targets {
            let index = *indexes.entry(&target.distribution).or_insert(drafts.len());
            if index == drafts.len() {
                drafts.push(Draft { collapse: target.collapse, ..Draft::default() });
            }
            let draft = &mut drafts[index];
            draft.collapse = strictest(draft.collapse, target.collapse);
            draft.excepting.extend(target.excluded.by_rule.keys().map(|rule| &**rule));
            draft.targets.push(target);
            draft_of.push(index);
        }
        let (statuses, changes) = (HashMap::new(), Vec::new());
        Self { targets, draft_of, drafts, statuses, changes }
    }

    /// Adds a change of a delivery. Returns whether no copy of the change was
    /// added before.
    ///
    /// Copies of one change count once, but each needs its own decision: an S3
    /// notification, for example, lacks the account that a rule may require,
    /// while the EventBridge event of the same change has it.
    pub fn add(&mut self, change: &Change, delivery: u32, decision: &Decision) -> bool {
        let status = ChangeStatus::of(decision);
        let counted = self.statuses.get(&change.identity).copied();
        if counted.is_none_or(|counted| counted < status) {
            self.statuses.insert(change.identity, status);
        }
        if !decision.contributions.is_empty() {
            let number = u32::try_from(self.changes.len()).expect("fewer than 2^32 changes");
            self.changes.push(DeliveredChange { delivery, identity: change.identity });
            for contribution in &decision.contributions {
                let draft = &mut self.drafts[self.draft_of[contribution.target.0]];
                draft.contributors.insert(contribution.target);
                match &contribution.item {
                    Ok(addressed) => {
                        let rule = contribution.rule.clone();
                        let rule = rule.filter(|rule| draft.excepting.contains(&**rule));
                        draft.add(Candidate::new(addressed, rule, number));
                    }
                    Err(reason) => draft.unaddressable.push(UnaddressableChange {
                        bucket: change.bucket.clone(),
                        key: change.key.clone(),
                        reason: reason.clone(),
                        changes: vec![number],
                    }),
                }
            }
        }
        counted.is_none()
    }

    pub fn finish(self) -> Plan {
        let Self { targets, mut drafts, statuses, changes, .. } = self;
        let counts = count(statuses);
        drafts.retain(|draft| !draft.contributors.is_empty());
        drafts.sort_unstable_by_key(Draft::distribution);
        let finished = drafts.into_iter().map(|draft| draft.finish(targets, &changes));
        Plan { counts, distributions: finished.collect(), changes }
    }

    /// Returns what the exclusions of each distribution cost: how many more
    /// paths are billed than without them. This chooses the wildcards once more
    /// for each exclusion, so the function does not call it.
    pub fn exclusion_costs(&self) -> BTreeMap<Distribution, ExclusionCosts> {
        let costs = self.drafts.iter().map(|draft| {
            let each = draft.exclusions();
            if each.is_empty() {
                return (draft.distribution().clone(), ExclusionCosts::default());
            }
            let mut candidates = CoveredCandidates::new(&draft.candidates);
            let mut billed = |keeps: &dyn Fn(&Exclusion) -> bool| {
                let floors = Floors::new(draft.targets.iter().copied(), keeps);
                candidates.billed_paths(draft.collapse.as_ref(), &floors) as i64
            };
            let all = billed(&|_| true);
            let cost = |one: &Exclusion| (one.clone(), all - billed(&|other| other != one));
            let each = each.into_iter().map(cost).collect();
            let all = all - billed(&|_| false);
            (draft.distribution().clone(), ExclusionCosts { all, each })
        });
        costs.filter(|(_, costs)| !costs.each.is_empty()).collect()
    }
}

fn count(statuses: HashMap<Identity, ChangeStatus>) -> Counts {
    let mut counts = Counts { changes: statuses.len(), ..Counts::default() };
    for status in statuses.into_values() {
        match status {
            ChangeStatus::Unmatched => counts.unmatched += 1,
            ChangeStatus::Fallback => counts.fallback += 1,
            ChangeStatus::Ignored => counts.ignored += 1,
            ChangeStatus::NotServed => {
                counts.matched += 1;
                counts.not_served += 1;
            }
            ChangeStatus::Matched => counts.matched += 1,
        }
    }
    counts
}

/// Returns the settings that permit a wildcard only where both `a` and `b` do.
fn strictest(a: Option<Collapse>, b: Option<Collapse>) -> Option<Collapse> {
    let (a, b) = (a?, b?);
    Some(Collapse {
        above: a.above.max(b.above),
        weight: a.weight.max(b.weight),
        min_depth: a.min_depth.max(b.min_depth),
        max_wildcards: a.max_wildcards.min(b.max_wildcards),
    })
}

impl<'t> Draft<'t> {
    /// Adds a candidate, or its change to an equal candidate that was added
    /// lately. The cover does the same with all others.
    fn add(&mut self, candidate: Candidate) {
        let slot = self.recent.slot(&candidate.planned.item);
        match self.candidates.get_mut(*slot as usize) {
            Some(recent) if recent.merges(&candidate) => {
                recent.planned.changes.extend(candidate.planned.changes);
            }
            _ => {
                *slot = u32::try_from(self.candidates.len()).expect("fewer than 2^32 items");
                self.candidates.push(candidate);
            }
        }
    }

    fn distribution(&self) -> &'t Distribution {
        &self.targets[0].distribution
    }

    /// Returns the exclusions that decide about a directory of a candidate.
    fn exclusions(&self) -> Vec<&'t Exclusion> {
        let all = self.targets.iter().flat_map(|target| {
            let by_rule = target.excluded.by_rule.values().flatten();
            target.excluded.always.iter().chain(by_rule)
        });
        let all: BTreeSet<&Exclusion> = all.collect();
        let Some(Collapse { min_depth, .. }) = self.collapse.filter(|_| !all.is_empty()) else {
            return Vec::new();
        };
        let mut stems: Vec<&str> =
            self.candidates.iter().map(|candidate| candidate.planned.item.stem()).collect();
        // Stable: fast on sorted runs, as those of a key list are.
        stems.sort();
        let decides = |exclusion: &&Exclusion| {
            let prefix = &*exclusion.prefix;
            let next = stems.partition_point(|stem| *stem < prefix);
            let neighbours = &stems[next.saturating_sub(1)..stems.len().min(next + 1)];
            neighbours.iter().any(|stem| {
                let common = &prefix[..common_prefix(stem, prefix)];
                common == prefix || common.matches('/').count() > min_depth
            })
        };
        all.into_iter().filter(decides).collect()
    }

    fn finish(self, targets: &[Target], changes: &[DeliveredChange]) -> DistributionPlan {
        let distribution = self.distribution().clone();
        let identity = |change: &u32| changes[*change as usize].identity;
        let floors = Floors::new(self.targets.iter().copied(), |_| true);
        let items = items(self.candidates, self.collapse.as_ref(), &floors);
        let requests = split(items, ITEMS_PER_REQUEST)
            .map(|items| Request {
                caller_reference: caller_reference(
                    &distribution.id,
                    items.iter().map(|planned| &planned.item),
                    items.iter().flat_map(|planned| &planned.changes).map(identity),
                    None,
                ),
                items,
            })
            .collect();

        // One entry for each change and reason, with all copies of the change.
        let mut unaddressable = self.unaddressable;
        unaddressable.sort_by_cached_key(|entry| {
            let reason = entry.reason.to_string();
            (entry.bucket.clone(), entry.key.clone(), reason, identity(&entry.changes[0]))
        });
        unaddressable.dedup_by(|next, kept| {
            let repeated = kept.reason == next.reason
                && identity(&kept.changes[0]) == identity(&next.changes[0]);
            if repeated {
                kept.changes.append(&mut next.changes);
            }
            repeated
        });
        unaddressable.iter_mut().for_each(|entry| entry.changes.dedup());

        let names = self.contributors.iter().map(|target| targets[target.0].name.clone());
        DistributionPlan { targets: names.collect(), requests, unaddressable, distribution }
    }
}

/// Returns the items to send, sorted.
pub(super) fn items(
    mut candidates: Vec<Candidate>,
    collapse: Option<&Collapse>,
    floors: &Floors<'_>,
) -> Vec<PlannedItem> {
    for candidate in &mut candidates {
        let stem = candidate.planned.item.stem();
        candidate.floor = floors.floor(stem, candidate.rule.as_deref());
    }
    let mut candidates = cover(candidates);
    if let Some(settings) = collapse {
        let wildcards = collapse::wildcards(candidates.iter().map(Leaf::of), settings);
        if !wildcards.is_empty() {
            candidates.extend(wildcards.into_iter().map(Candidate::chosen));
            candidates = cover(candidates);
        }
    }
    let mut items: Vec<PlannedItem> =
        candidates.into_iter().map(|candidate| candidate.planned).collect();
    // Stable: fast on items that are nearly sorted, as these are.
    items.sort_by(|a, b| a.item.cmp(&b.item));
    for item in &mut items {
        item.changes.sort_unstable();
        item.changes.dedup();
    }
    items
}

#[cfg(test)]
mod tests {
    use crate::{event::Kind, rules::RuleSet};

    use super::*;

    #[test]
    fn an_item_of_many_changes_is_one_candidate() {
        let yaml = "version: 1\nrules: [{name: r, invalidate: {target: E1EXAMPLE, paths: ['{path}', /feed.xml, '{dir}']}}]";
        let rules = RuleSet::parse("rules.yaml", yaml.as_bytes()).unwrap();
        let mut planner = Planner::new(rules.targets());
        for n in 0..10_000 {
            let change = Change::listed("b", format!("d{}/{n}", n / 1_000), Kind::Created);
            planner.add(&change, 0, &rules.decide(&change));
        }
        let candidates = planner.drafts[0].candidates.len();
        // Each own path, and a few of the others again.
        assert!((10_011..10_100).contains(&candidates), "{candidates}");
    }
}
