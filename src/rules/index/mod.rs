//! Finds the rules that a change may match, without testing each rule.
//!
//! Rules are indexed by bucket, then by `prefix`, then by `suffix`. A lookup
//! takes one search for each of the three, and returns every rule whose
//! literal conditions the change satisfies. These candidates are then tested in
//! full, so the index never decides a match on its own.
//!
//! - **Buckets.** A full name ends in [`END`], and a pattern that ends in `*`
//!   does not. A rule without `bucket` is under the empty pattern, which every
//!   bucket starts with.
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
//! cost about twice what 100 do (`benches/rules.rs`). Candidates are tested one by
//! one if they differ only in `events`, `account`, `region`, sizes, `except`,
//! or in regexes that require no literal of their own.

mod affix;
mod group;

use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::event::Change;

use self::group::RuleGroup;

pub(super) use self::affix::{AffixMap, backwards, forwards};

use super::{BucketPattern, Conditions};

/// The most entries of the index, at about 200 bytes each. The entries of one
/// rule are the product of its buckets, prefixes and suffixes.
const MAX_ENTRIES: usize = 200_000;

/// The end of a bucket's full name. As the smallest byte, it puts the names in
/// the order of the texts without it.
const END: u8 = 0;

/// The index of a list of rules, or of the sets of an `except`. Rules are
/// identified by their index in it.
#[derive(Debug)]
pub(super) struct CandidateIndex(AffixMap<ByPrefix>);

type ByPrefix = AffixMap<BySuffix>;
/// The suffixes are reversed.
type BySuffix = AffixMap<RuleGroup>;

/// A rule for a bucket, a prefix and a suffix.
struct Entry<'r> {
    /// The name, or the pattern without its `*`.
    bucket: &'r str,
    is_name: bool,
    prefix: &'r str,
    suffix: &'r str,
    rule: usize,
}

impl<'r> Entry<'r> {
    fn bucket(&self) -> (&'r str, bool) {
        (self.bucket, self.is_name)
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
        let buckets = entries.chunk_by(|a, b| a.bucket() == b.bucket()).map(|of_bucket| {
            let by_prefix = of_bucket.chunk_by(|a, b| a.prefix == b.prefix).map(|of_prefix| {
                let by_suffix = of_prefix.chunk_by(|a, b| a.suffix == b.suffix).map(|group| {
                    let rules = group.iter().map(|entry| entry.rule);
                    (reversed(group[0].suffix), RuleGroup::new(rules))
                });
                (of_prefix[0].prefix.as_bytes().into(), AffixMap::new(by_suffix))
            });
            let (bucket, is_name) = of_bucket[0].bucket();
            let end: &[u8] = if is_name { &[END] } else { &[] };
            ([bucket.as_bytes(), end].concat().into(), AffixMap::new(by_prefix))
        });
        Self(AffixMap::new(buckets))
    }

    /// Returns the indexes of all rules that the change may match, in ascending
    /// order. `rules` are those the index was made of.
    pub fn candidates(
        &self,
        rules: &[impl AsRef<Conditions>],
        change: &Change,
    ) -> SmallVec<[usize; 8]> {
        let (bucket, key) = (change.bucket.as_bytes(), change.key.as_bytes());
        let name = |at| if at == bucket.len() { Some(END) } else { forwards(bucket)(at) };
        let mut candidates = SmallVec::new();
        for by_prefix in self.0.prefixes_of(name) {
            for by_suffix in by_prefix.prefixes_of(forwards(key)) {
                for group in by_suffix.prefixes_of(backwards(key)) {
                    group.candidates(rules, key, &mut candidates);
                }
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }
}

/// Returns the bytes of a text from last to first.
pub(super) fn reversed(text: &str) -> Box<[u8]> {
    text.bytes().rev().collect()
}

/// Returns the entries of all rules.
fn entries(rules: &[impl AsRef<Conditions>]) -> Vec<Entry<'_>> {
    let mut entries = Vec::with_capacity(rules.len());
    let share = MAX_ENTRIES / rules.len().max(1);
    for (rule, conditions) in rules.iter().map(AsRef::as_ref).enumerate() {
        let buckets: Vec<(&str, bool)> = match &*conditions.buckets {
            [] => vec![("", false)],
            buckets => buckets
                .iter()
                .map(|bucket| match bucket {
                    BucketPattern::Exact(name) => (&**name, true),
                    BucketPattern::Prefix(start) => (&**start, false),
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
        for &(bucket, is_name) in &buckets {
            for prefix in &prefixes {
                entries.extend(suffixes.iter().map(|suffix| Entry {
                    bucket,
                    is_name,
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
