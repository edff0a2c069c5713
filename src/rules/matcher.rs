//! Finds the rules that a change matches, and what they ask for.
//!
//! A change matches a rule if and only if it satisfies each of the rule's
//! conditions and none of its `except` sets. Each kind of condition is
//! satisfied if and only if
//!
//! | condition | the change's … |
//! |---|---|
//! | `bucket: site` | bucket is `site` |
//! | `bucket: site-*` | bucket starts with `site-` |
//! | `prefix: docs/` | key starts with `docs/` |
//! | `suffix: .html` | key ends with `.html` |
//! | `regex: '\.css$'` | key holds a match; `^` and `$` stand for its two ends |
//! | `events: deleted` | kind is that one |
//! | `account`, `region` | account, region is known and is that one |
//! | `min_size`, `max_size` | size is known and not less, not more |
//!
//! or, for a list, one of its values is. Keys are compared decoded, byte by
//! byte.
//!
//! Rules are read in the order of the file. One that matches contributes its
//! items; the first `ignore` or `stop` rule that matches is the last one read.
//!
//! # Speed
//!
//! Rules are looked up, not tried. They are classified once, by bucket, then by
//! what their keys start with, then by what they end with, and one binary
//! search in each class leads to all rules whose literal conditions the change
//! satisfies; these few are then tested in full. A regex counts for what every
//! match starts and ends with (`^docs/`, `\.(js|css)$`) when that says more
//! than the rule's own `prefix` and `suffix`, and many regexes in one place are
//! told apart by the text each requires (`/tenant-7/`) in one pass over the
//! key. Which rules there are besides does not matter. What is left to be tried
//! one by one is rules that differ in nothing literal: by `events`, `account`,
//! `region`, sizes, or regexes that require no text.

use std::collections::{BTreeMap, HashMap};

use crate::event::Change;

use super::{
    Action, BucketPattern, Decision, Rule, RuleIndex, RuleRegex, Target, Verdict,
    affix::{Affixes, End},
    contribution::contribute,
    leaf::Leaf,
};

/// How many entries the index may have in all, at some 200 bytes each. A rule
/// has one for every combination of its buckets, starts and ends; where that is
/// more than its share, it is looked up by fewer of them.
const MAX_ENTRIES: usize = 200_000;

/// The rules of a file, classified once.
#[derive(Debug)]
pub struct Matcher {
    /// Rules for buckets by their whole name.
    buckets: HashMap<Box<str>, ByStart>,
    /// Rules for buckets by what their name starts with; rules without a
    /// bucket are under the empty start.
    bucket_starts: Affixes<ByStart>,
}

/// Rules by what a key starts with; under it, by what it ends with.
type ByStart = Affixes<ByEnd>;
type ByEnd = Affixes<Leaf>;

/// The same while it grows.
type StartEntries = BTreeMap<Vec<u8>, EndEntries>;
type EndEntries = BTreeMap<Vec<u8>, Leaf>;

impl Matcher {
    /// Classifies rules.
    pub fn new(rules: &[Rule]) -> Self {
        let share = MAX_ENTRIES / rules.len().max(1);
        let mut buckets: BTreeMap<&str, StartEntries> = BTreeMap::new();
        let mut bucket_starts: BTreeMap<&str, StartEntries> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let place = Place::of(rule, share);
            let add = |entries: &mut StartEntries| place.add(RuleIndex(index), entries);
            for bucket in &rule.conditions.buckets {
                add(match bucket {
                    BucketPattern::Exact(name) => buckets.entry(name).or_default(),
                    BucketPattern::Prefix(start) => bucket_starts.entry(start).or_default(),
                });
            }
            if rule.conditions.buckets.is_empty() {
                add(bucket_starts.entry("").or_default());
            }
        }
        let by_start = |entries: StartEntries| {
            let by_end = |(start, ends)| (start, Affixes::new(End::Finish, ends));
            Affixes::new(End::Start, entries.into_iter().map(by_end).collect())
        };
        Self {
            buckets: buckets
                .into_iter()
                .map(|(bucket, entries)| (bucket.into(), by_start(entries)))
                .collect(),
            bucket_starts: Affixes::new(
                End::Start,
                bucket_starts
                    .into_iter()
                    .map(|(start, entries)| (start.into(), by_start(entries)))
                    .collect(),
            ),
        }
    }

    /// What `rules`, those the matcher was made of, say of a change.
    pub fn decide(&self, rules: &[Rule], targets: &[Target], change: &Change) -> Decision {
        let mut decision = Decision { verdict: Verdict::Unmatched, contributions: Vec::new() };
        for index in self.candidates(change) {
            let rule = &rules[index.0];
            let Some(matched) = rule.matches(change) else { continue };
            match &rule.action {
                Action::Ignore => {
                    if decision.verdict == Verdict::Unmatched {
                        decision.verdict = Verdict::Ignored;
                    }
                    break;
                }
                Action::Invalidate { targets: wanted, stop } => {
                    decision.verdict = Verdict::Matched;
                    for one in wanted {
                        let contributions = &mut decision.contributions;
                        contribute(one, index, matched, targets, change, contributions);
                    }
                    if *stop {
                        break;
                    }
                }
            }
        }
        decision
    }

    /// The rules whose literal conditions the change satisfies, and perhaps
    /// others, in the order of the file.
    fn candidates(&self, change: &Change) -> Vec<RuleIndex> {
        let (bucket, key) = (&*change.bucket, change.key.as_bytes());
        let named = self.buckets.get(bucket).into_iter();
        let leaves = named
            .chain(self.bucket_starts.matching(bucket.as_bytes()))
            .flat_map(|by_start| by_start.matching(key))
            .flat_map(|by_end| by_end.matching(key));
        let mut found = Vec::new();
        for leaf in leaves {
            leaf.candidates(key, &mut found);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// What the keys of a rule start with, end with and hold: one of each.
struct Place<'r> {
    starts: Vec<&'r [u8]>,
    ends: Vec<&'r [u8]>,
    holds: Option<Vec<&'r [u8]>>,
}

impl<'r> Place<'r> {
    /// Where a rule belongs that may have `share` entries.
    fn of(rule: &'r Rule, share: usize) -> Self {
        const ANY: &[u8] = b"";
        let conditions = &rule.conditions;
        let starts = best(&conditions.prefixes, &conditions.regexes, RuleRegex::starts);
        let ends = best(&conditions.suffixes, &conditions.regexes, RuleRegex::ends);
        let holds = drawn(&conditions.regexes, RuleRegex::holds);
        let buckets = conditions.buckets.len().max(1);
        if buckets * starts.len() * ends.len() <= share {
            Self { starts, ends, holds }
        } else if buckets * starts.len() <= share {
            Self { starts, ends: vec![ANY], holds }
        } else if buckets * ends.len() <= share {
            Self { starts: vec![ANY], ends, holds }
        } else {
            Self { starts: vec![ANY], ends: vec![ANY], holds }
        }
    }

    fn add(&self, rule: RuleIndex, entries: &mut StartEntries) {
        for &start in &self.starts {
            let ends = entries.entry(start.into()).or_default();
            for &end in &self.ends {
                ends.entry(end.into()).or_default().add(rule, self.holds.as_deref());
            }
        }
    }
}

/// The literals that tell most: a rule's own, or those of its regexes if even
/// the shortest of these is longer. An empty literal is no condition.
fn best<'r>(
    own: &'r [String],
    regexes: &'r [RuleRegex],
    literals: impl Fn(&'r RuleRegex) -> Option<&'r [Box<[u8]>]>,
) -> Vec<&'r [u8]> {
    let own: Vec<&[u8]> =
        if own.is_empty() { vec![b""] } else { own.iter().map(String::as_bytes).collect() };
    let shortest = |literals: &[&[u8]]| literals.iter().map(|literal| literal.len()).min();
    match drawn(regexes, literals) {
        Some(drawn) if shortest(&drawn) > shortest(&own) => drawn,
        _ => own,
    }
}

/// The literals of all regexes of a rule, if each has some.
fn drawn<'r>(
    regexes: &'r [RuleRegex],
    literals: impl Fn(&'r RuleRegex) -> Option<&'r [Box<[u8]>]>,
) -> Option<Vec<&'r [u8]>> {
    if regexes.is_empty() {
        return None;
    }
    let all = regexes.iter().map(literals).collect::<Option<Vec<_>>>()?;
    Some(all.into_iter().flatten().map(|literal| &**literal).collect())
}

#[cfg(test)]
mod tests;
