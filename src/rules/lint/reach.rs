//! Rules that no change reaches.

use crate::rules::{
    Action, BucketPattern, Conditions, Rule, RuleRegex, RuleSet,
    finding::{Code, Finding, Findings},
    source::At,
};

/// The most pairs of rules that are compared; the rest of a file this large is
/// not proven to be reachable or not.
const MAX_PAIRS: usize = 20_000_000;

/// Reports rules that an earlier one, or their own `except`, keeps from ever
/// matching.
pub(super) fn rules(at: At<'_>, rules: &RuleSet, findings: &mut Findings) {
    let mut pairs = 0;
    // Earlier rules that end the reading for every change they match.
    let mut closing: Vec<&Rule> = Vec::new();
    for (index, rule) in rules.rules().iter().enumerate() {
        let at = at.index(index);
        let everything = rule.except.iter().position(|except| implies(&rule.conditions, except));
        pairs += closing.len();
        if let Some(except) = everything {
            let message =
                format!("no change matches `{}`: `except` takes them all away", rule.name);
            let at = at.field("except").item(except);
            findings.push(Finding::new(Code::UnreachableRule, at, message));
            // What matches nothing covers nothing.
            continue;
        }
        let cover = match pairs {
            0..MAX_PAIRS => {
                closing.iter().find(|closing| implies(&rule.conditions, &closing.conditions))
            }
            _ => None,
        };
        if let Some(cover) = cover {
            let verb = if matches!(cover.action, Action::Ignore) { "ignores" } else { "stops at" };
            let message = format!("no change reaches `{}`", rule.name);
            let note = format!(
                "the rule `{}` at line {} {verb} every change it would match",
                cover.name, cover.line
            );
            let finding = Finding::new(Code::UnreachableRule, at.field("name"), message);
            findings.push(finding.note(note).help("put it before that rule, or take it out"));
        }
        let closes = matches!(rule.action, Action::Ignore | Action::Invalidate { stop: true, .. });
        if closes && rule.except.is_empty() {
            closing.push(rule);
        }
    }
}

/// Whether every change that satisfies `narrow` satisfies `wide`, as far as
/// literal conditions prove it.
fn implies(narrow: &Conditions, wide: &Conditions) -> bool {
    all(&narrow.buckets, &wide.buckets, |narrow, wide| match (narrow, wide) {
        (BucketPattern::Exact(narrow), BucketPattern::Exact(wide)) => narrow == wide,
        (
            BucketPattern::Exact(narrow) | BucketPattern::Prefix(narrow),
            BucketPattern::Prefix(wide),
        ) => narrow.starts_with(&**wide),
        (BucketPattern::Prefix(_), BucketPattern::Exact(_)) => false,
    }) && all(&narrow.prefixes, &wide.prefixes, |narrow, wide| narrow.starts_with(&**wide))
        && all(&narrow.suffixes, &wide.suffixes, |narrow, wide| narrow.ends_with(&**wide))
        && all(&narrow.accounts, &wide.accounts, |narrow, wide| narrow == wide)
        && all(&narrow.regions, &wide.regions, |narrow, wide| narrow == wide)
        && all(&narrow.regexes, &wide.regexes, |narrow: &RuleRegex, wide: &RuleRegex| {
            narrow.pattern() == wide.pattern()
        })
        && events_imply(narrow, wide)
        && sizes_imply(narrow, wide)
}

/// Whether each value of the narrow list satisfies one of the wide list. An
/// empty list is no condition.
fn all<T>(narrow: &[T], wide: &[T], implies: impl Fn(&T, &T) -> bool) -> bool {
    wide.is_empty()
        || !narrow.is_empty()
            && narrow.iter().all(|narrow| wide.iter().any(|wide| implies(narrow, wide)))
}

fn events_imply(narrow: &Conditions, wide: &Conditions) -> bool {
    match (&narrow.events, &wide.events) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(narrow), Some(wide)) => narrow.iter().all(|kind| wide.contains(kind)),
    }
}

/// A size condition also demands that there is a size.
fn sizes_imply(narrow: &Conditions, wide: &Conditions) -> bool {
    let known = narrow.min_size.is_some() || narrow.max_size.is_some();
    let min = wide.min_size.is_none_or(|wide| known && narrow.min_size.unwrap_or(0) >= wide);
    let max = wide.max_size.is_none_or(|wide| known && narrow.max_size.unwrap_or(u64::MAX) <= wide);
    min && max
}

#[cfg(test)]
mod tests;
