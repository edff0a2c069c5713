//! What exclusions cost: the paths of a plan, counted with and without them.
//!
//! A plan for a million changes is large, so it is not made again for every
//! exclusion: exclusions decide only about the floors of the candidates, and what
//! the candidates cover stays the same.

use crate::{item::Item, target::Collapse};

use super::{
    collapse::{self, Leaf},
    cover::{Candidate, UNBOUND, order},
    floor::Floors,
};

/// Candidates as [`cover`](super::cover::cover) leaves them, by reference.
pub(super) struct CoveredCandidates<'c> {
    /// All candidates, with those that one covers right behind it.
    all: Vec<&'c Candidate>,
    kept: Vec<Kept<'c>>,
}

/// A candidate that remains. There may be a million, so it is small.
struct Kept<'c> {
    candidate: &'c Candidate,
    /// The position after the candidates that it covers.
    end: u32,
    /// As in [`Leaf`]; all ones for [`UNBOUND`].
    bound: u32,
    floor: u32,
    is_index: bool,
}

/// Returns a length of at most that of a path, or the value for [`UNBOUND`].
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn long(length: u32) -> usize {
    if length == u32::MAX { UNBOUND } else { length as usize }
}

impl<'c> Kept<'c> {
    fn item(&self) -> &'c Item {
        &self.candidate.planned.item
    }

    fn leaf(&self) -> Leaf<'c> {
        Leaf {
            bound: long(self.bound),
            floor: long(self.floor),
            is_index: self.is_index,
            ..Leaf::of(self.candidate)
        }
    }
}

impl<'c> CoveredCandidates<'c> {
    pub fn new(candidates: &'c [Candidate]) -> Self {
        let mut all: Vec<&Candidate> = candidates.iter().collect();
        all.sort_by(|a, b| order(&a.planned.item, &b.planned.item));
        let mut kept: Vec<Kept<'c>> = Vec::new();
        for (&candidate, end) in all.iter().zip(1..) {
            let item = &candidate.planned.item;
            match kept.last_mut() {
                Some(last) if last.item().covers(item) => {
                    if last.item().folded() == item.folded() {
                        last.bound = last.bound.min(short(candidate.bound));
                        last.is_index |= candidate.is_index;
                    }
                    last.end = end;
                }
                _ => kept.push(Kept {
                    candidate,
                    end,
                    bound: short(candidate.bound),
                    floor: 0,
                    is_index: candidate.is_index,
                }),
            }
        }
        Self { all, kept }
    }

    /// Returns how many paths are billed with these exclusions.
    pub fn billed_paths(&mut self, collapse: Option<&Collapse>, floors: &Floors<'_>) -> usize {
        let Some(settings) = collapse else { return self.kept.len() };
        let mut start = 0;
        for kept in &mut self.kept {
            let covered = &self.all[start..kept.end as usize];
            let floor =
                |one: &&Candidate| floors.floor(one.planned.item.stem(), one.rule.as_deref());
            kept.floor = short(covered.iter().map(floor).max().unwrap_or(0));
            start = kept.end as usize;
        }
        let mut wildcards = collapse::wildcards(self.kept.iter().map(Kept::leaf), settings);
        wildcards.sort_unstable_by(|a, b| a.stem().cmp(b.stem()));
        // None of the wildcards covers another, so only the one before a path can
        // cover it.
        let is_replaced = |kept: &&Kept<'_>| {
            let item = kept.item();
            let next = wildcards.partition_point(|one| one.stem() <= item.stem());
            next > 0 && wildcards[next - 1].covers(item)
        };
        let replaced = self.kept.iter().filter(is_replaced).count();
        self.kept.len() - replaced + wildcards.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use crate::{
        item::{Addressed, Item, tests::item},
        plan::planner::items,
        rules::RuleSet,
    };

    use super::*;

    fn candidate() -> impl Strategy<Value = Candidate> {
        let path = "/[ab]/[ab]/[abc]\\*?|/[ab]/[abc]|/[ab]/\\*?|#[abA]";
        let rule = prop::option::of(prop::sample::select(&["r", "s"][..]));
        (path, 0..3_usize, rule, any::<bool>()).prop_map(|(path, bound, rule, is_index)| {
            let addressed = match path.strip_suffix('*') {
                Some(prefix) => Item::wildcard(prefix),
                None => item(&path),
            };
            let bound: String = path.split_inclusive('/').take(bound).collect();
            let addressed = Addressed { item: addressed, bound: bound.into(), is_index };
            Candidate::new(&addressed, rule.map(Arc::from), 0)
        })
    }

    proptest! {
        #[test]
        fn as_many_as_the_plan_has(
            candidates in prop::collection::vec(candidate(), 0..40),
            above in 0..6_usize,
            weight in 1..4_u32,
        ) {
            let yaml = "version: 1
targets: {t: {distribution: E1EXAMPLE, protect: [/b/b]}}
rules:
  - {name: i, prefix: a/a, ignore: true}
  - {name: r, except: {prefix: [a/b, b/a/]}, invalidate: t}
  - {name: s, except: {prefix: b/c}, invalidate: t}
";
            let rules = RuleSet::parse("rules.yaml", yaml.as_bytes()).expect("rules");
            let settings = Collapse { above, weight, max_wildcards: 2, ..Collapse::default() };
            let mut covered = CoveredCandidates::new(&candidates);
            for left_out in ["", "/a/a", "/b/b", "/a/b", "/b/c", "/"] {
                let floors = Floors::new(rules.targets(), |one| !one.prefix.starts_with(left_out) || left_out.is_empty());
                let planned = items(candidates.clone(), Some(&settings), &floors).len();
                prop_assert_eq!(covered.billed_paths(Some(&settings), &floors), planned);
            }
            let planned = items(candidates.clone(), None, &Floors::default()).len();
            prop_assert_eq!(covered.billed_paths(None, &Floors::default()), planned);
        }
    }
}
