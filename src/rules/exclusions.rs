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

use std::collections::HashSet;

use crate::{
    item::PathSettings,
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
            .filter(|set| names_keys(set) && overlap(&set.buckets, &rule.conditions.buckets));
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

/// The rules that ignore everything below their prefixes.
struct Ignored<'r>(Vec<&'r Rule>);

impl<'r> Ignored<'r> {
    fn of(rules: &'r [Rule]) -> Self {
        let bounds = |rule: &&Rule| {
            matches!(rule.action, Action::Ignore { allow_wildcards: false })
                && rule.except.is_empty()
                && names_keys(&rule.conditions)
        };
        Self(rules.iter().filter(bounds).collect())
    }

    /// Returns what no wildcard of a target may cover. `buckets` are those that
    /// the target gets keys of.
    fn always(&self, target: &Target, buckets: &HashSet<Buckets<'_>>) -> Vec<Exclusion> {
        let protected = target.paths.protect.iter().map(|prefix| Exclusion {
            prefix: (&**prefix).into(),
            source: ExclusionSource::Protect,
        });
        let rules = self.0.iter().filter(|rule| {
            buckets.iter().any(|buckets| overlap(buckets, &rule.conditions.buckets))
        });
        let ignored = rules.flat_map(|rule| {
            let prefixes = rule.conditions.prefixes.iter();
            prefixes.flat_map(|prefix| url_prefixes(&target.paths, prefix)).map(|prefix| {
                let source = ExclusionSource::Ignore(rule.name.clone());
                Exclusion { prefix: prefix.into(), source }
            })
        });
        protected.chain(ignored).collect()
    }
}

/// Returns whether a set of conditions holds for changed content of all keys
/// below its prefixes.
fn names_keys(conditions: &Conditions) -> bool {
    let Conditions {
        buckets: _,
        prefixes,
        suffixes,
        regexes,
        events,
        accounts,
        regions,
        min_size,
        max_size,
    } = conditions;
    !prefixes.is_empty()
        && suffixes.is_empty()
        && regexes.is_empty()
        && accounts.is_empty()
        && regions.is_empty()
        && min_size.is_none()
        && max_size.is_none()
        && events.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind.changes_content()))
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
    match &*url {
        "/" => Vec::new(),
        url if url.contains('+') => vec![url.to_owned(), url.replace('+', "%2B")],
        url => vec![url.to_owned()],
    }
}
