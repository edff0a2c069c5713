//! Finds the rules that a change may match, without testing each rule.
//!
//! Rules are indexed by bucket, then by `prefix`, then by `suffix`. A lookup
//! takes one search for each of the three, and returns every rule whose
//! literal conditions the change satisfies. These candidates are then tested in
//! full, so the index never decides a match on its own.
//!
//! - **Buckets.** A hash map holds the buckets with a full name, and an
//!   [`AffixMap`] those that end in `*`. A rule without `bucket` is under the
//!   empty bucket prefix, which every bucket starts with.
//! - **Prefixes and suffixes.** A rule has an entry for every combination of
//!   its buckets, prefixes and suffixes. If that exceeds its share of
//!   [`MAX_ENTRIES`], its suffixes are not indexed, and if necessary its
//!   prefixes neither.
//! - **Regexes.** Rules with equal literal conditions share a [`RuleGroup`]. A
//!   large group searches the key once, with Aho-Corasick, for the literals
//!   that its regexes require: only a key that contains `/tenant-7/` can match
//!   `/tenant-7/[0-9]+`. This search is set up for the first key that needs it.
//!
//! The number of rules that are not candidates hardly matters: 10,000 rules
//! cost about what 100 do (`benches/rules.rs`). Candidates are tested one by
//! one if they differ only in `events`, `account`, `region`, sizes, `except`,
//! or in regexes that require no literal.

mod affix;
mod group;

use std::collections::HashMap;

use crate::event::Change;

use self::{affix::AffixMap, group::RuleGroup};

use super::{BucketPattern, Rule};

/// The most entries of the index, at about 200 bytes each. The entries of one
/// rule are the product of its buckets, prefixes and suffixes.
const MAX_ENTRIES: usize = 200_000;

/// The index of a list of rules. Rules are identified by their place in it.
#[derive(Debug, Default)]
pub(super) struct CandidateIndex {
    buckets: HashMap<Box<str>, ByPrefix>,
    bucket_prefixes: AffixMap<ByPrefix>,
}

type ByPrefix = AffixMap<BySuffix>;
/// The suffixes are reversed.
type BySuffix = AffixMap<RuleGroup>;

impl CandidateIndex {
    pub fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        let share = MAX_ENTRIES / rules.len().max(1);
        for (place, rule) in rules.iter().enumerate() {
            index.insert(place, rule, share);
        }
        index
    }

    fn insert(&mut self, place: usize, rule: &Rule, share: usize) {
        let conditions = &rule.conditions;
        let any = [BucketPattern::Prefix(String::new())];
        let buckets = if conditions.buckets.is_empty() { &any[..] } else { &conditions.buckets };
        let mut prefixes = or_any(&conditions.prefixes);
        let mut suffixes = or_any(&conditions.suffixes);
        if buckets.len() * prefixes.len() * suffixes.len() > share {
            suffixes = vec![""];
        }
        if buckets.len() * prefixes.len() > share {
            prefixes = vec![""];
        }
        for bucket in buckets {
            let by_prefix = match bucket {
                BucketPattern::Exact(name) => self.buckets.entry(name.as_str().into()).or_default(),
                BucketPattern::Prefix(prefix) => self.bucket_prefixes.entry(prefix.bytes()),
            };
            for prefix in &prefixes {
                let by_suffix = by_prefix.entry(prefix.bytes());
                for suffix in &suffixes {
                    by_suffix.entry(suffix.bytes().rev()).push(place);
                }
            }
        }
    }

    /// The places of all rules that the change may match, in ascending order.
    /// `rules` are those the index was made of.
    pub fn candidates(&self, rules: &[Rule], change: &Change) -> Vec<usize> {
        let key = change.key.as_bytes();
        let reversed: Vec<u8> = key.iter().rev().copied().collect();
        let exact = self.buckets.get(&*change.bucket).into_iter();
        let groups = exact
            .chain(self.bucket_prefixes.prefixes_of(change.bucket.as_bytes()))
            .flat_map(|by_prefix| by_prefix.prefixes_of(key))
            .flat_map(|by_suffix| by_suffix.prefixes_of(&reversed));
        let mut candidates = Vec::new();
        for group in groups {
            group.candidates(rules, key, &mut candidates);
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }
}

/// The values of a condition; without one, the empty text that every text
/// starts and ends with.
fn or_any(values: &[String]) -> Vec<&str> {
    if values.is_empty() { vec![""] } else { values.iter().map(String::as_str).collect() }
}
