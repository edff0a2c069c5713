//! What is allowed and likely not as it was meant.
//!
//! A lint speaks only when the literal conditions prove it: a rule it calls
//! unreachable never contributes, whatever the change. What a regex matches is
//! never guessed.

mod condition;
mod reach;
mod target;

use std::collections::HashMap;

use crate::distribution::DistributionId;

use super::{
    Action, RuleSet, Template,
    file::{RawRule, RulesFile},
    finding::{Code, Finding, Findings},
    source::At,
    value::Given,
};

/// Lints a file that has no errors.
pub(super) fn file(
    at: At<'_>,
    written: &RulesFile,
    rules: &RuleSet,
    fallback: Option<&DistributionId>,
    findings: &mut Findings,
) {
    let rules_at = at.field("rules");
    reach::rules(rules_at, rules, findings);
    target::targets(at, written, rules, fallback, findings);
    if let Given::Value(written) = &written.rules {
        duplicate_rules(rules_at, &written.0, findings);
    }
    for (index, rule) in rules.rules.iter().enumerate() {
        let at = rules_at.index(index);
        condition::lint(at, &rule.conditions, findings);
        let size_on_delete = condition::size_on_delete(at, rule);
        size_on_delete.into_iter().for_each(|finding| findings.push(finding));
        for (place, except) in rule.except.iter().enumerate() {
            condition::lint(at.field("except").item(place), except, findings);
        }
        if let Action::Invalidate { targets, .. } = &rule.action {
            for (place, invalidate) in targets.iter().enumerate() {
                let at = at.field("invalidate").item(place).field("paths");
                let settings = &rules.target(invalidate.target).paths;
                let bounds = rule.conditions.prefixes.iter().map(|prefix| settings.bound(prefix));
                let bounds: Vec<_> = bounds.collect();
                for (place, path) in invalidate.paths.iter().enumerate() {
                    wide_wildcard(at.item(place), path, &bounds, findings);
                }
            }
        }
    }
}

/// A wildcard without placeholders that purges all of the rule's prefix, and
/// more.
fn wide_wildcard(
    at: At<'_>,
    path: &Template,
    bounds: &[std::sync::Arc<str>],
    findings: &mut Findings,
) {
    if !is_fixed_wildcard(path) {
        return;
    }
    let start = path.literal_prefix();
    let wider =
        |bound: &&std::sync::Arc<str>| bound.len() > start.len() && bound.starts_with(start);
    // With several prefixes the wildcard is too wide only if it is so for each.
    if bounds.is_empty() || !bounds.iter().all(|bound| wider(&bound)) {
        return;
    }
    if let Some(bound) = bounds.iter().min_by_key(|bound| bound.len()) {
        let message = format!("`{path}` purges more than the rule's prefix, which is `{bound}`");
        let finding = Finding::new(Code::WideWildcard, at, message);
        findings.push(match bounds.len() {
            1 => finding.help(format!("write `{bound}*`, if that is enough")),
            _ => finding.help("write a wildcard for each prefix, if that is enough"),
        });
    }
}

/// Rules that are the same but for their names.
fn duplicate_rules(at: At<'_>, written: &[Given<RawRule>], findings: &mut Findings) {
    let mut seen = HashMap::new();
    for (index, rule) in written.iter().enumerate() {
        let Given::Value(rule) = rule else { continue };
        let RawRule { name, conditions, except, ignore, stop, invalidate } = rule;
        let body = (conditions, except, ignore, stop, invalidate);
        let Some(first) = seen.get(&body) else {
            seen.insert(body, index);
            continue;
        };
        let first = at.index(*first).field("name");
        let name = if let Given::Value(name) = name { &**name } else { "" };
        let message = format!("`{name}` repeats the rule `{}`", first.text().unwrap_or_default());
        let at = at.index(index).field("name");
        let finding = Finding::new(Code::DuplicateRule, at, message);
        findings.push(finding.note(format!("that rule is at line {}", first.span().line)));
    }
}

/// Whether a path is a wildcard as written, without a placeholder.
fn is_fixed_wildcard(path: &Template) -> bool {
    path.is_wildcard() && path.is_literal()
}
