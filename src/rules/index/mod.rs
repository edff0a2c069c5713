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

use std::{cmp::Ordering, collections::HashMap};

use smallvec::SmallVec;

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

/// A rule for a bucket, a prefix and a suffix.
struct Entry<'r> {
    /// Whether `bucket` is a pattern that ends in `*`.
    is_pattern: bool,
    bucket: &'r str,
    prefix: &'r str,
    suffix: &'r str,
    rule: usize,
}

impl<'r> Entry<'r> {
    fn bucket(&self) -> (bool, &'r str) {
        (self.is_pattern, self.bucket)
    }

    /// Returns what entries are sorted by.
    fn order(&self, other: &Self) -> Ordering {
        let by_bucket = self.bucket().cmp(&other.bucket());
        let reversed = |entry: &Self| entry.suffix.bytes().rev();
        by_bucket
            .then_with(|| self.prefix.cmp(other.prefix))
            .then_with(|| reversed(self).cmp(reversed(other)))
            .then(self.rule.cmp(&other.rule))
    }
}

impl CandidateIndex {
    pub fn new(rules: &[impl AsRef<Conditions>]) -> Self {
        let mut entries = entries(rules);
        // Sorting one list is faster than filling a map for each bucket and prefix.
        entries.sort_unstable_by(Entry::order);
        let mut index = Self { buckets: HashMap::new(), bucket_prefixes: AffixMap::new([]) };
        let mut bucket_prefixes = Vec::new();
        for of_bucket in entries.chunk_by(|a, b| a.bucket() == b.bucket()) {
            let by_prefix = of_bucket.chunk_by(|a, b| a.prefix == b.prefix).map(|of_prefix| {
                let by_suffix = of_prefix.chunk_by(|a, b| a.suffix == b.suffix).map(|group| {
                    let reversed = reversed(group[0].suffix);
                    (
                        reversed.as_slice().into(),
                        RuleGroup::new(group.iter().map(|entry| entry.rule)),
                    )
                });
                (of_prefix[0].prefix.as_bytes().into(), AffixMap::new(by_suffix))
            });
            let by_prefix = AffixMap::new(by_prefix);
            match of_bucket[0].bucket() {
                (false, name) => drop(index.buckets.insert(name.into(), by_prefix)),
                (true, start) => bucket_prefixes.push((start.as_bytes().into(), by_prefix)),
            }
        }
        index.bucket_prefixes = AffixMap::new(bucket_prefixes);
        index
    }

    /// Returns the indexes of all rules that the change may match, in ascending
    /// order. `rules` are those the index was made of.
    pub fn candidates(
        &self,
        rules: &[impl AsRef<Conditions>],
        change: &Change,
    ) -> SmallVec<[usize; 8]> {
        let key = change.key.as_bytes();
        let reversed = reversed(&change.key);
        let exact = self.buckets.get(&*change.bucket).into_iter();
        let groups = exact
            .chain(self.bucket_prefixes.prefixes_of(change.bucket.as_bytes()))
            .flat_map(|by_prefix| by_prefix.prefixes_of(key))
            .flat_map(|by_suffix| by_suffix.prefixes_of(&reversed));
        let mut candidates = SmallVec::new();
        for group in groups {
            group.candidates(rules, key, &mut candidates);
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }
}

/// Returns the bytes of a text from last to first.
pub(super) fn reversed(text: &str) -> SmallVec<[u8; 128]> {
    let mut bytes = SmallVec::from_slice(text.as_bytes());
    bytes.reverse();
    bytes
}

/// Returns the entries of all rules.
fn entries(rules: &[impl AsRef<Conditions>]) -> Vec<Entry<'_>> {
    let mut entries = Vec::with_capacity(rules.len());
    let share = MAX_ENTRIES / rules.len().max(1);
    for (rule, conditions) in rules.iter().map(AsRef::as_ref).enumerate() {
        let buckets: Vec<(bool, &str)> = match &*conditions.buckets {
            // The empty bucket prefix, which every bucket starts with.
            [] => vec![(true, "")],
            buckets => buckets
                .iter()
                .map(|bucket| match bucket {
                    BucketPattern::Exact(name) => (false, &**name),
                    BucketPattern::Prefix(start) => (true, &**start),
                })
                .collect(),
        };
        let mut prefixes = or_any(&conditions.prefixes);
        let mut suffixes = or_any(&conditions.suffixes);
        if buckets.len() * prefixes.len() * suffixes.len() > share {
            suffixes = vec![""];
        }
        if buckets.len() * prefixes.len() > share {
            prefixes = vec![""];
        }
        for &(is_pattern, bucket) in &buckets {
            for prefix in &prefixes {
                entries.extend(suffixes.iter().map(|suffix| Entry {
                    is_pattern,
                    bucket,
                    prefix,
                    suffix,
                    rule,
                }));
            }
        }
    }
    entries
}

/// Returns the values of a condition; without one, the empty text that every
/// text starts and ends with.
fn or_any(values: &[String]) -> Vec<&str> {
    if values.is_empty() { vec![""] } else { values.iter().map(String::as_str).collect() }
}
