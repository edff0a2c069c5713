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
//!   `/tenant-7/[0-9]+`. Of several literals of a regex, such as `tenant-7/` and
//!   `/feed.xml`, the one that fewest other rules require counts. This search is
//!   set up for the first key that needs it.
//!
//! The sets of an `except` are indexed in the same way if there are many.
//!
//! The number of rules that are not candidates hardly matters: 10,000 rules
//! cost about what 100 do (`benches/rules.rs`). Candidates are tested one by
//! one if they differ only in `events`, `account`, `region`, sizes, `except`,
//! or in regexes that require no literal of their own.

mod affix;
mod group;

use std::collections::{BTreeMap, HashMap};

use crate::event::Change;

use self::group::RuleGroup;

pub(super) use self::affix::AffixMap;

use super::{BucketPattern, Conditions};

/// The most entries of the index, at about 200 bytes each. The entries of one
/// rule are the product of its buckets, prefixes and suffixes.
const MAX_ENTRIES: usize = 200_000;

/// The index of a list of rules, or of the sets of an `except`. Rules are
/// identified by their index in it.
#[derive(Debug)]
pub(super) struct CandidateIndex {
    buckets: HashMap<Box<str>, ByPrefix>,
    bucket_prefixes: AffixMap<ByPrefix>,
}

type ByPrefix = AffixMap<BySuffix>;
/// The suffixes are reversed.
type BySuffix = AffixMap<RuleGroup>;

/// A `ByPrefix` under construction.
type AffixEntries = BTreeMap<Box<[u8]>, BTreeMap<Box<[u8]>, RuleGroup>>;

impl CandidateIndex {
    pub fn new(rules: &[impl AsRef<Conditions>]) -> Self {
        let mut buckets: HashMap<&str, AffixEntries> = HashMap::new();
        let mut bucket_prefixes: BTreeMap<&str, AffixEntries> = BTreeMap::new();
        let share = MAX_ENTRIES / rules.len().max(1);
        for (index, rule) in rules.iter().enumerate() {
            let conditions = rule.as_ref();
            let mut prefixes = or_any(&conditions.prefixes);
            let mut suffixes = or_any(&conditions.suffixes);
            let count = conditions.buckets.len().max(1);
            if count * prefixes.len() * suffixes.len() > share {
                suffixes = vec![""];
            }
            if count * prefixes.len() > share {
                prefixes = vec![""];
            }
            let insert = |entries: &mut AffixEntries| {
                for prefix in &prefixes {
                    let by_suffix = entries.entry(prefix.as_bytes().into()).or_default();
                    for suffix in &suffixes {
                        by_suffix.entry(suffix.bytes().rev().collect()).or_default().push(index);
                    }
                }
            };
            for bucket in &conditions.buckets {
                insert(match bucket {
                    BucketPattern::Exact(name) => buckets.entry(name).or_default(),
                    BucketPattern::Prefix(prefix) => bucket_prefixes.entry(prefix).or_default(),
                });
            }
            if conditions.buckets.is_empty() {
                insert(bucket_prefixes.entry("").or_default());
            }
        }
        let finish = |entries: AffixEntries| {
            let entries = entries.into_iter();
            AffixMap::new(entries.map(|(text, groups)| (text, AffixMap::new(groups))).collect())
        };
        let buckets = buckets.into_iter().map(|(name, entries)| (name.into(), finish(entries)));
        let bucket_prefixes = bucket_prefixes.into_iter();
        let bucket_prefixes =
            bucket_prefixes.map(|(text, entries)| (text.as_bytes().into(), finish(entries)));
        Self {
            buckets: buckets.collect(),
            bucket_prefixes: AffixMap::new(bucket_prefixes.collect()),
        }
    }

    /// Returns the indexes of all rules that the change may match, in ascending
    /// order. `rules` are those the index was made of.
    pub fn candidates(&self, rules: &[impl AsRef<Conditions>], change: &Change) -> Vec<usize> {
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

/// Returns the values of a condition; without one, the empty text that every
/// text starts and ends with.
fn or_any(values: &[String]) -> Vec<&str> {
    if values.is_empty() { vec![""] } else { values.iter().map(String::as_str).collect() }
}
