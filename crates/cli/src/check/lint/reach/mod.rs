//! Rules that no change reaches.

use super::rule_nodes;
use s3_cloudfront_invalidator::rules::{
    Action, BucketPattern, Code, Conditions, Findings, Node, Rule, RuleRegex, RuleSet,
};

/// The most pairs of rules that are compared. Rules of a larger file may be
/// unreachable without a finding.
const MAX_PAIRS: usize = 20_000_000;

/// Reports rules that never match because of an earlier rule or their own `except`.
pub fn lint_rules(root: Node<'_>, rules: &RuleSet, findings: &mut Findings) {
    let mut pairs = 0;
    // Earlier rules that are the last one evaluated for every change they match.
    let mut closing: Vec<&Rule> = Vec::new();
    for (rule, node) in rules.rules().iter().zip(rule_nodes(root)) {
        pairs += closing.len();
        if let Some(set) = rule.except.iter().position(|set| implies(&rule.conditions, set)) {
            let message = format!("no change matches `{}`: its `except` excludes all", rule.name);
            findings.push(node.value("except", set).finding(Code::UnreachableRule, message));
            // A rule that matches nothing does not cover another one.
            continue;
        }
        let covers = |closing: &&&Rule| implies(&rule.conditions, &closing.conditions);
        if pairs < MAX_PAIRS
            && let Some(cover) = closing.iter().find(covers)
        {
            let verb =
                if matches!(cover.action, Action::Ignore { .. }) { "ignores" } else { "stops at" };
            let note = format!(
                "the rule `{}` at line {} {verb} every change it would match",
                cover.name, cover.line
            );
            let message = format!("no change reaches `{}`", rule.name);
            let finding = node.value("name", 0).finding(Code::UnreachableRule, message);
            findings.push(finding.note(note).help("move it before that rule, or remove it"));
        }
        let closes =
            matches!(rule.action, Action::Ignore { .. } | Action::Invalidate { stop: true, .. });
        if closes && rule.except.is_empty() {
            closing.push(rule);
        }
    }
}

/// Whether every change that satisfies `narrow` satisfies `wide`, as far as
/// literal conditions prove it.
pub fn implies(narrow: &Conditions, wide: &Conditions) -> bool {
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

/// Whether each value of the narrow list implies one of the wide list. An empty
/// list is no condition.
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

/// A size condition also requires that the change has a size.
fn sizes_imply(narrow: &Conditions, wide: &Conditions) -> bool {
    let known = narrow.min_size.is_some() || narrow.max_size.is_some();
    let min = wide.min_size.is_none_or(|wide| known && narrow.min_size.unwrap_or(0) >= wide);
    let max = wide.max_size.is_none_or(|wide| known && narrow.max_size.unwrap_or(u64::MAX) <= wide);
    min && max
}

#[cfg(test)]
mod tests;
