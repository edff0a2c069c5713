//! From decisions to a plan.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use crate::{
    event::{Change, Identity},
    item::{Item, Unaddressable},
    rules::{Decision, Verdict},
    target::{Collapse, Target, TargetIndex},
};

use super::{
    Census, Counts, DeliveredChange, DistributionPlan, Plan, PlannedItem, Request,
    UnaddressableChange, caller_reference,
    census::Unchanged,
    collapse,
    cover::{self, Asked, Group, Head},
    split::{self, split},
};

/// What a plan is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// The most items of a request; the hard limit is
    /// [`MAX_ITEMS_PER_REQUEST`](super::MAX_ITEMS_PER_REQUEST).
    pub items_per_request: usize,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { items_per_request: split::ITEMS_PER_REQUEST }
    }
}

/// Collects changes and what the rules say of them, and makes the plan.
#[derive(Debug)]
pub struct Planner<'t> {
    targets: &'t [Target],
    options: PlanOptions,
    /// For each target, the place of its distribution in `drafts`.
    draft_of: Vec<usize>,
    drafts: Vec<Draft<'t>>,
    counts: Counts,
    /// Every change so far, as it was first seen; with its number if it asked
    /// for anything.
    seen: HashMap<Identity, (View, Option<u32>)>,
    /// The same changes, seen otherwise.
    other_views: HashMap<(Identity, View), Option<u32>>,
    /// The identities of the changes that asked for anything, by number.
    identities: Vec<Identity>,
    /// Which delivery brought which change, by the change's number.
    deliveries: Vec<(u32, u32)>,
}

/// What one distribution is asked for.
#[derive(Debug)]
struct Draft<'t> {
    target: &'t Target,
    collapse: Option<Collapse>,
    /// The targets that contributed.
    contributors: Vec<TargetIndex>,
    asked: Vec<Asked>,
    unaddressable: Vec<Refused>,
}

/// What rules see of a change beside its identity, hashed. The same change has
/// several when it comes in payloads of several shapes, some of which leave
/// account or size out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct View(u64);

impl View {
    fn of(change: &Change) -> Self {
        let mut hasher = DefaultHasher::new();
        (&change.account, &change.region, change.size).hash(&mut hasher);
        Self(hasher.finish())
    }
}

#[derive(Debug)]
struct Refused {
    bucket: Arc<str>,
    key: String,
    reason: Unaddressable,
    change: u32,
}

impl<'t> Planner<'t> {
    /// A planner for changes whose decisions speak of these targets. Targets of
    /// one distribution share one plan, and its wildcards purge what each of
    /// them serves, so the more careful of their collapse settings count.
    pub fn new(targets: &'t [Target], options: PlanOptions) -> Self {
        let mut places = BTreeMap::new();
        let mut drafts: Vec<Draft<'t>> = Vec::new();
        let mut draft_of = Vec::with_capacity(targets.len());
        for target in targets {
            let place = *places.entry(&target.distribution).or_insert(drafts.len());
            match drafts.get_mut(place) {
                Some(draft) => draft.collapse = more_careful(draft.collapse, target.collapse),
                None => drafts.push(Draft {
                    target,
                    collapse: target.collapse,
                    contributors: Vec::new(),
                    asked: Vec::new(),
                    unaddressable: Vec::new(),
                }),
            }
            draft_of.push(place);
        }
        Self {
            targets,
            options,
            draft_of,
            drafts,
            counts: Counts::default(),
            seen: HashMap::new(),
            other_views: HashMap::new(),
            identities: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    /// Adds a change that a delivery brought. `decide` is asked once for each
    /// identity and what else rules see of it: a repeated change counts once,
    /// but every delivery that brought it is behind its items.
    pub fn add(&mut self, change: &Change, delivery: u32, decide: impl FnOnce() -> Decision) {
        let view = View::of(change);
        let number = match self.seen.get(&change.identity) {
            Some((first, number)) if *first == view => *number,
            Some(_) => match self.other_views.get(&(change.identity, view)) {
                Some(number) => *number,
                None => {
                    let number = self.add_new(change, decide());
                    self.other_views.insert((change.identity, view), number);
                    number
                }
            },
            None => {
                let decision = decide();
                self.count(&decision);
                let number = self.add_new(change, decision);
                self.seen.insert(change.identity, (view, number));
                number
            }
        };
        if let Some(number) = number {
            self.deliveries.push((number, delivery));
        }
    }

    fn add_new(&mut self, change: &Change, decision: Decision) -> Option<u32> {
        if decision.contributions.is_empty() {
            return None;
        }
        let number = u32::try_from(self.identities.len()).expect("fewer than 2^32 changes");
        self.identities.push(change.identity);
        for contribution in decision.contributions {
            let draft = &mut self.drafts[self.draft_of[contribution.target.0]];
            if !draft.contributors.contains(&contribution.target) {
                draft.contributors.push(contribution.target);
            }
            match contribution.item {
                Ok(addressed) => {
                    draft.asked.push(Asked::new(addressed.item, &addressed.bound, number));
                }
                Err(reason) => draft.refuse(change, reason, number),
            }
        }
        Some(number)
    }

    fn count(&mut self, decision: &Decision) {
        let counts = &mut self.counts;
        counts.changes += 1;
        match decision.verdict {
            Verdict::Matched => {
                counts.matched += 1;
                counts.not_served += usize::from(decision.contributions.is_empty());
            }
            Verdict::Ignored => counts.ignored += 1,
            Verdict::Unmatched if decision.contributions.is_empty() => counts.unmatched += 1,
            Verdict::Unmatched => counts.fallback += 1,
        }
    }

    /// How many changes there were so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Makes the plan from the batch alone.
    pub fn finish(self) -> Plan {
        self.finish_with(&Census::default())
    }

    /// Makes the plan with what is known of the objects that did not change.
    pub fn finish_with(self, census: &Census) -> Plan {
        let Self { targets, options, mut drafts, counts, seen, identities, mut deliveries, .. } =
            self;
        // A million changes: what is no longer needed makes room.
        drop(seen);
        deliveries.sort_unstable();
        deliveries.dedup();
        let sources = Sources::new(&identities, &deliveries);
        drafts.retain(|draft| !draft.contributors.is_empty());
        drafts.sort_unstable_by(|a, b| a.target.distribution.cmp(&b.target.distribution));
        let distributions = drafts
            .into_iter()
            .map(|draft| {
                let unchanged = census.of(&draft.target.distribution);
                draft.finish(targets, options, unchanged, &sources)
            })
            .collect();
        Plan { counts, distributions, changes: sources.list }
    }
}

/// What satisfies two targets of one distribution: no collapse if one has none,
/// else the larger thresholds and the fewer wildcards.
fn more_careful(a: Option<Collapse>, b: Option<Collapse>) -> Option<Collapse> {
    let (a, b) = (a?, b?);
    Some(Collapse {
        above: a.above.max(b.above),
        weight: a.weight.max(b.weight),
        min_depth: a.min_depth.max(b.min_depth),
        max_wildcards: a.max_wildcards.min(b.max_wildcards),
    })
}

/// The plan's sources, grouped by change.
struct Sources {
    list: Vec<DeliveredChange>,
    /// Where in `list` those of each change start, and at the end its length.
    starts: Vec<u32>,
}

impl Sources {
    /// `deliveries` are sorted by change, and every change has one.
    fn new(identities: &[Identity], deliveries: &[(u32, u32)]) -> Self {
        let mut starts = Vec::with_capacity(identities.len() + 1);
        let mut list = Vec::with_capacity(deliveries.len());
        for &(change, delivery) in deliveries {
            if starts.len() == change as usize {
                starts.push(u32::try_from(list.len()).expect("fewer than 2^32 sources"));
            }
            list.push(DeliveredChange { delivery, identity: identities[change as usize] });
        }
        starts.push(u32::try_from(list.len()).expect("fewer than 2^32 sources"));
        Self { list, starts }
    }

    /// The places in the list of those who are behind a change.
    fn of(&self, change: u32) -> std::ops::Range<u32> {
        self.starts[change as usize]..self.starts[change as usize + 1]
    }

    fn add_to(&self, item: &mut PlannedItem, group: Group<'_>) {
        item.replaces += 1;
        item.changes.extend(group.asked.iter().flat_map(|asked| self.of(asked.change)));
    }
}

impl Draft<'_> {
    fn refuse(&mut self, change: &Change, reason: Unaddressable, number: u32) {
        let told = |refused: &&Refused| refused.change == number;
        let mut of_this_change = self.unaddressable.iter().rev().take_while(told);
        if of_this_change.all(|refused| refused.reason != reason) {
            let (bucket, key) = (change.bucket.clone(), change.key.clone());
            self.unaddressable.push(Refused { bucket, key, reason, change: number });
        }
    }

    fn finish(
        mut self,
        targets: &[Target],
        options: PlanOptions,
        unchanged: Option<Unchanged<'_>>,
        sources: &Sources,
    ) -> DistributionPlan {
        let mut items = self.items(unchanged, sources);
        for item in &mut items {
            item.changes.sort_unstable();
            item.changes.dedup();
        }
        items.sort_unstable_by(|a, b| a.item.cmp(&b.item));
        let distribution = self.target.distribution.clone();
        let requests = split(items, options.items_per_request, |planned| &planned.item)
            .into_iter()
            .map(|items| {
                let identities = items
                    .iter()
                    .flat_map(|item| &item.changes)
                    .map(|&source| sources.list[source as usize].identity);
                let items_alone = items.iter().map(|planned| &planned.item);
                let caller_reference =
                    caller_reference(&distribution.id, items_alone, identities, None);
                Request { caller_reference, items }
            })
            .collect();
        self.contributors.sort_unstable();
        let names = self.contributors.iter().map(|target| targets[target.0].name.clone());
        let mut unaddressable: Vec<_> = self
            .unaddressable
            .into_iter()
            .map(|refused| UnaddressableChange {
                bucket: refused.bucket,
                key: refused.key,
                reason: refused.reason,
                changes: sources.of(refused.change).collect(),
            })
            .collect();
        unaddressable.sort_by_cached_key(|change| {
            (change.bucket.clone(), change.key.clone(), change.reason.to_string())
        });
        DistributionPlan { targets: names.collect(), requests, unaddressable, distribution }
    }

    /// The items that are sent, and who is behind them.
    fn items(&mut self, unchanged: Option<Unchanged<'_>>, sources: &Sources) -> Vec<PlannedItem> {
        let mut asked = std::mem::take(&mut self.asked);
        let (paths, tags) = cover::group(&mut asked);
        let mut cover = cover::cover(&paths, &[]);
        let directories = match &self.collapse {
            Some(settings) => directories(&paths, &cover.heads, settings, unchanged),
            None => Vec::new(),
        };
        if !directories.is_empty() {
            cover = cover::cover(&paths, &directories);
        }
        let planned = |item| PlannedItem { item, changes: Vec::new(), replaces: 0 };
        let mut items: Vec<PlannedItem> = Vec::with_capacity(cover.heads.len() + tags.len());
        items.extend(cover.heads.iter().map(|head| match *head {
            Head::Group(number) => planned(paths[number as usize].item().clone()),
            Head::Directory(number) => planned(Item::wildcard(directories[number as usize])),
        }));
        for (group, owner) in paths.iter().zip(&cover.owners) {
            sources.add_to(&mut items[*owner as usize], *group);
        }
        items.extend(tags.iter().map(|group| {
            let mut item = planned(group.item().clone());
            sources.add_to(&mut item, *group);
            item
        }));
        items
    }
}

/// The directories whose wildcards stand for paths.
fn directories<'a>(
    paths: &[Group<'a>],
    heads: &[Head],
    settings: &Collapse,
    unchanged: Option<Unchanged<'_>>,
) -> Vec<&'a str> {
    let left = || {
        heads.iter().filter_map(|head| match *head {
            Head::Group(number) => Some(paths[number as usize]),
            Head::Directory(_) => None,
        })
    };
    let wildcards = left().filter(|group| group.item().is_wildcard()).count();
    if heads.len() - wildcards <= settings.above && wildcards <= settings.max_wildcards {
        return Vec::new();
    }
    let leaves = left().map(|group| collapse::Leaf {
        path: group.item().stem(),
        wildcard: group.item().is_wildcard(),
        bound: group.bound as usize,
    });
    collapse::choose(leaves, settings, unchanged)
}
