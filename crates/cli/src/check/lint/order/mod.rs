//! Rules with `ignore` or `stop` that come too late.
//!
//! What earlier rules contributed stays, so an `ignore` rule must come before
//! the rules that it restricts. The proof is an example: a change that the
//! late rule matches and that the rules invalidate because of the earlier one.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind};
use s3_cloudfront_invalidator::{
    event::{Change, Kind},
    rules::{Action, BucketPattern, Code, Findings, Node, Rule, RuleSet},
};

use super::reach::implies;

/// The most changes that are tried. Rules of a larger file may be late without
/// a finding.
const MAX_CHANGES: usize = 100_000;

/// The most values of a condition that are tried.
const MAX_VALUES: usize = 4;

/// Reports late rules, each with the first rule that it is too late for.
pub fn lint_order(root: Node<'_>, rules: &RuleSet, findings: &mut Findings) {
    let mut tried = 0;
    for (index, late) in rules.rules().iter().enumerate().filter(|(_, rule)| rule.is_last()) {
        let (earlier, after) = (&rules.rules()[..index], &rules.rules()[index + 1..]);
        let found = earlier.iter().find_map(|rule| {
            let is_special = implies(&rule.conditions, &late.conditions);
            let is_ignore = matches!(late.action, Action::Ignore { .. });
            // The usual order: special cases, then what applies to the rest.
            if rule.is_last() && !is_ignore || is_special {
                return None;
            }
            // `stop` is an addition to a rule that invalidates, and may be meant for later rules.
            if !is_ignore && !implies(&late.conditions, &rule.conditions) {
                return None;
            }
            let changes = examples(rule, late);
            tried += changes.len();
            let is_proof = |change: &&Change| {
                rule.test(change).is_ok()
                    && late.test(change).is_ok()
                    && (is_ignore || !after.iter().any(|rule| rule.test(change).is_ok()))
                    && invalidates(rules, rule, change)
            };
            let change = (tried < MAX_CHANGES).then(|| changes.iter().find(is_proof).cloned());
            change.flatten().map(|change| (rule, change))
        });
        let Some((rule, change)) = found else { continue };
        let verb =
            if matches!(late.action, Action::Ignore { .. }) { "ignores" } else { "stops at" };
        let (key, name) = (&change.key, &rule.name);
        let message = format!("`{name}` already invalidates `{key}`, which `{}` {verb}", late.name);
        let finding = root.value("rules", index).value("name", 0).finding(Code::LateRule, message);
        let note = format!(
            "the rule `{name}` at line {} comes first, and what it contributes stays",
            rule.line
        );
        findings.push(finding.note(note).help(format!("move `{}` before `{name}`", late.name)));
    }
}

/// Whether the rules invalidate something for a change because of `rule`.
fn invalidates(rules: &RuleSet, rule: &Rule, change: &Change) -> bool {
    let contributions = rules.decide(change).contributions;
    contributions.iter().any(|one| one.item.is_ok() && one.rule.as_deref() == Some(&*rule.name))
}

/// Changes that both rules may match.
fn examples(one: &Rule, other: &Rule) -> Vec<Change> {
    let [one, other] = [&one.conditions, &other.conditions];
    let bucket = |pattern: &BucketPattern| match pattern {
        BucketPattern::Exact(name) | BucketPattern::Prefix(name) => name.clone(),
    };
    let buckets = one.buckets.iter().chain(&other.buckets).map(bucket);
    let buckets: BTreeSet<String> =
        buckets.take(MAX_VALUES).chain(["example".to_owned()]).collect();
    let matches = |bucket: &&String| {
        let matches = |patterns: &[BucketPattern]| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(bucket))
        };
        matches(&one.buckets) && matches(&other.buckets)
    };
    let Some(bucket) = buckets.iter().find(matches) else { return Vec::new() };
    let kinds = one.events.iter().chain(&other.events).flatten();
    let kind = kinds.copied().find(|kind| {
        [one, other].iter().all(|set| set.events.as_ref().is_none_or(|kinds| kinds.contains(kind)))
    });
    let texts = |one: &[String], other: &[String]| {
        let texts = one.iter().take(MAX_VALUES).chain(other.iter().take(MAX_VALUES));
        texts.cloned().chain([String::new()]).collect::<BTreeSet<String>>()
    };
    let regexes = one.regexes.iter().take(MAX_VALUES).chain(other.regexes.iter().take(MAX_VALUES));
    let regexes = regexes.filter_map(|regex| regex_syntax::parse(regex.pattern()).ok());
    let middles = regexes.flat_map(|hir| {
        let text = matching_text(&hir);
        let is_word = text.starts_with(|c: char| c.is_alphanumeric());
        [if is_word { text.clone() } else { format!("a{text}") }, text]
    });
    let middles: Vec<String> = middles.chain(["a".to_owned()]).collect();
    let mut changes = Vec::new();
    for prefix in texts(&one.prefixes, &other.prefixes) {
        for suffix in texts(&one.suffixes, &other.suffixes) {
            for middle in &middles {
                let start = if middle.starts_with(&prefix) { "" } else { &prefix };
                let end = if middle.ends_with(&suffix) { "" } else { &suffix };
                let key = format!("{start}{middle}{end}");
                changes.push(Change {
                    size: one
                        .min_size
                        .max(other.min_size)
                        .or(one.max_size.min(other.max_size))
                        .or(Some(1)),
                    account: one
                        .accounts
                        .iter()
                        .chain(&other.accounts)
                        .next()
                        .map(|id| id.as_str().into()),
                    region: one
                        .regions
                        .iter()
                        .chain(&other.regions)
                        .next()
                        .map(|name| name.as_str().into()),
                    ..Change::listed(bucket.as_str(), key, kind.unwrap_or(Kind::Created))
                });
            }
        }
    }
    changes
}

/// A text that the expression probably matches.
fn matching_text(hir: &Hir) -> String {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => String::new(),
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Class(class) => class_character(class).into(),
        HirKind::Capture(capture) => matching_text(&capture.sub),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            // A long repetition is not worth an example.
            matching_text(&repetition.sub).repeat(repetition.min.max(1).min(most).min(64) as usize)
        }
        HirKind::Concat(parts) => parts.iter().map(matching_text).collect(),
        HirKind::Alternation(parts) => parts.first().map(matching_text).unwrap_or_default(),
    }
}

/// A character of the class, a common one if possible.
fn class_character(class: &Class) -> char {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => {
            class.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
    };
    let contains = |c: &char| ranges.iter().any(|(start, end)| (start..=end).contains(&c));
    ['a', '1', 'A', '-']
        .into_iter()
        .find(contains)
        .unwrap_or_else(|| ranges.first().map_or('a', |range| range.0))
}

#[cfg(test)]
mod tests;
