//! What the rules and `protect` exclude from the wildcards of a target.
//!
//! A wildcard stands for all keys of a directory, also for those that the rules
//! leave out. Prefixes tell which these are:
//!
//! | what | for |
//! |---|---|
//! | a `prefix` of a rule with `ignore`, unless it has `allow_wildcards` | every wildcard of a target that gets keys of its buckets |
//! | a `prefix` of an `except` set | wildcards that replace a path of the rule |
//! | `protect` | every wildcard of the distribution |
//!
//! The set must have no other condition than `bucket`, `prefix` and `events`: a
//! rule that ignores `{prefix: site/, suffix: .map}` says nothing of most keys
//! in `site/`. Neither does one that is not about the content of objects. A
//! prefix that all keys of the target start with excludes nothing; that is how
//! a last rule ignores what no other rule matched.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    slice,
    sync::Arc,
};

use crate::{
    item::{PathSettings, plus_spellings},
    target::{Excluded, Exclusion, ExclusionSource, Target, TargetIndex},
};

use super::{Action, BucketPattern, Conditions, Rule};

/// The buckets of one set of conditions; none for all buckets.
type Buckets<'r> = &'r [BucketPattern];

/// Sets `excluded` of every target.
pub(super) fn set_excluded(rules: &[Rule], targets: &mut [Target]) {
    let mut buckets: Vec<HashSet<Buckets<'_>>> = vec![HashSet::new(); targets.len()];
    for (rule, index) in invalidations(rules) {
        buckets[index.0].insert(&rule.conditions.buckets);
    }
    let ignored = Ignored::of(rules);
    for (target, buckets) in targets.iter_mut().zip(&buckets) {
        target.excluded.always = ignored.always(target, buckets);
    }
    for (rule, index) in invalidations(rules) {
        let target = &mut targets[index.0];
        let sets = rule
            .except
            .iter()
            .filter(|set| set.names_keys() && overlap(&set.buckets, &rule.conditions.buckets));
        let prefixes = sets.flat_map(|set| &set.prefixes);
        let mut exclusions: Vec<Exclusion> = prefixes
            .flat_map(|prefix| url_prefixes(&target.paths, prefix))
            .map(|prefix| Exclusion {
                prefix: prefix.into(),
                source: ExclusionSource::Except(rule.name.clone()),
            })
            .collect();
        if !exclusions.is_empty() {
            target.excluded.by_rule.entry(rule.name.clone()).or_default().append(&mut exclusions);
        }
    }
}

/// Returns what is excluded for a target that gets keys of all buckets, by no
/// rule.
pub(super) fn of_fallback(rules: &[Rule], target: &Target) -> Excluded {
    let always = Ignored::of(rules).always(target, &[&[][..]].into());
    Excluded { always, ..Excluded::default() }
}

/// Returns each rule with each of its targets.
fn invalidations(rules: &[Rule]) -> impl Iterator<Item = (&Rule, TargetIndex)> {
    rules.iter().flat_map(|rule| {
        let targets = match &rule.action {
            Action::Ignore { .. } => &[][..],
            Action::Invalidate { targets, .. } => targets,
        };
        targets.iter().map(move |entry| (rule, entry.target))
    })
}

/// The prefixes below which everything is ignored, sorted. A file may have
/// thousands of them and of targets, so not every pair of them is compared.
struct Ignored<'r> {
    /// By the name of the bucket.
    by_name: HashMap<&'r str, Vec<IgnoredPrefix<'r>>>,
    /// For all buckets, or those of a pattern.
    others: Vec<(Option<&'r BucketPattern>, IgnoredPrefix<'r>)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct IgnoredPrefix<'r> {
    prefix: &'r str,
    rule: &'r Arc<str>,
}

impl<'r> Ignored<'r> {
    fn of(rules: &'r [Rule]) -> Self {
        let mut ignored = Self { by_name: HashMap::new(), others: Vec::new() };
        let bounds = |rule: &&Rule| {
            matches!(rule.action, Action::Ignore { allow_wildcards: false })
                && rule.except.is_empty()
                && rule.conditions.names_keys()
        };
        for rule in rules.iter().filter(bounds) {
            let Conditions { buckets, prefixes, .. } = &rule.conditions;
            for prefix in prefixes {
                let prefix = IgnoredPrefix { prefix, rule: &rule.name };
                if buckets.is_empty() {
                    ignored.others.push((None, prefix));
                }
                for bucket in buckets {
                    match bucket {
                        BucketPattern::Exact(name) => {
                            ignored.by_name.entry(name).or_default().push(prefix);
                        }
                        BucketPattern::Prefix(_) => ignored.others.push((Some(bucket), prefix)),
                    }
                }
            }
        }
        ignored.by_name.values_mut().for_each(|prefixes| prefixes.sort_unstable());
        ignored.others.sort_unstable_by_key(|(_, prefix)| *prefix);
        ignored
    }

    /// Returns what no wildcard of a target may cover. `buckets` are those that
    /// the target gets keys of.
    fn always(&self, target: &Target, buckets: &HashSet<Buckets<'_>>) -> Vec<Exclusion> {
        let protected = target.paths.protect.iter().map(|prefix| Exclusion {
            prefix: (&**prefix).into(),
            source: ExclusionSource::Protect,
        });
        let ignored = self.prefixes(&target.paths, buckets).into_iter().flat_map(|ignored| {
            url_prefixes(&target.paths, ignored.prefix).into_iter().map(move |prefix| Exclusion {
                prefix: prefix.into(),
                source: ExclusionSource::Ignore(ignored.rule.clone()),
            })
        });
        protected.chain(ignored).collect()
    }

    /// Returns the prefixes in these buckets and below the origin path.
    fn prefixes(
        &self,
        settings: &PathSettings,
        buckets: &HashSet<Buckets<'_>>,
    ) -> BTreeSet<IgnoredPrefix<'r>> {
        let origin = settings.origin_path().strip_prefix('/');
        let directory = origin.map_or(String::new(), |name| format!("{name}/"));
        let mut prefixes = BTreeSet::new();
        let mut add = |sorted: &[IgnoredPrefix<'r>]| {
            let start = sorted.partition_point(|one| one.prefix < &*directory);
            let below = sorted[start..].iter();
            prefixes.extend(below.take_while(|one| one.prefix.starts_with(&*directory)));
        };
        for &buckets in buckets {
            if let [BucketPattern::Exact(name)] = buckets {
                self.by_name.get(&**name).into_iter().for_each(|sorted| add(sorted));
            } else {
                let named = |name: &str| {
                    buckets.is_empty() || buckets.iter().any(|bucket| bucket.matches(name))
                };
                let sorted = self.by_name.iter().filter(|(name, _)| named(name));
                sorted.for_each(|(_, sorted)| add(sorted));
            }
            let start = self.others.partition_point(|(_, one)| one.prefix < &*directory);
            for (bucket, prefix) in &self.others[start..] {
                if !prefix.prefix.starts_with(&*directory) {
                    break;
                }
                if bucket.is_none_or(|bucket| overlap(buckets, slice::from_ref(bucket))) {
                    add(slice::from_ref(prefix));
                }
            }
        }
        prefixes
    }
}

impl Conditions {
    /// Returns whether they hold for changed content of all keys below their
    /// prefixes, in their buckets.
    pub fn names_keys(&self) -> bool {
        let Self {
            buckets: _,
            prefixes,
            suffixes,
            regexes,
            events,
            accounts,
            regions,
            min_size,
            max_size,
            long_lists: _,
        } = self;
        !prefixes.is_empty()
            && suffixes.is_empty()
            && regexes.is_empty()
            && accounts.is_empty()
            && regions.is_empty()
            && min_size.is_none()
            && max_size.is_none()
            && events.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind.changes_content()))
    }
}

/// Returns whether two lists of buckets have one in common.
fn overlap(a: Buckets<'_>, b: Buckets<'_>) -> bool {
    let any = |a: &BucketPattern| b.iter().any(|b| a.overlaps(b));
    a.is_empty() || b.is_empty() || a.iter().any(any)
}

/// Returns the URL prefixes of the keys that start with a prefix, in both
/// spellings of `+`; none if the target serves no such key, or only such keys.
fn url_prefixes(settings: &PathSettings, prefix: &str) -> Vec<String> {
    let url = settings.bound(prefix);
    if url == settings.bound("") {
        return Vec::new();
    }
    plus_spellings(url.to_string())
}
