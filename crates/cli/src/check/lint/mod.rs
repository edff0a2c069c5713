//! Lints: what is allowed, but probably not what was intended.
//!
//! A lint is reported only if the literal conditions prove it: a rule that is
//! called unreachable never contributes. What a regex matches is not guessed.

mod order;
mod origin;
mod reach;
mod usage;
mod values;

use std::{collections::HashMap, sync::Arc};

use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    rules::{Action, Code, Findings, Node, RuleSet, Shape, Template},
};

/// Lints a file without errors.
pub fn lint(
    root: Node<'_>,
    rules: &RuleSet,
    fallback: Option<&DistributionId>,
    findings: &mut Findings,
) {
    reach::lint_rules(root, rules, findings);
    order::lint_order(root, rules, findings);
    usage::lint_targets(root, rules, fallback, findings);
    let mut bodies = HashMap::new();
    for (rule, node) in rules.rules().iter().zip(rule_nodes(root)) {
        duplicate_rule(node, &mut bodies, findings);
        values::lint_conditions(node, &rule.conditions, findings);
        values::lint_size(node, rule, findings);
        for (index, except) in rule.except.iter().enumerate() {
            values::lint_conditions(node.value("except", index), except, findings);
        }
        let Action::Invalidate { targets, .. } = &rule.action else { continue };
        origin::lint_keys(node, &rule.conditions, targets, rules, findings);
        for (index, invalidate) in targets.iter().enumerate() {
            let node = node.value("invalidate", index);
            let settings = &rules.target(invalidate.target).paths;
            let bounds = rule.conditions.prefixes.iter().map(|prefix| settings.bound(prefix));
            let bounds: Vec<_> = bounds.collect();
            for (index, path) in invalidate.paths.iter().enumerate() {
                let node = node.value("paths", index);
                wide_wildcard(node, path, &bounds, findings);
                origin::lint_path(node, path, rules.target(invalidate.target), findings);
            }
        }
    }
}

/// Returns the entries of `rules`.
fn rule_nodes(root: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    root.field("rules").into_iter().flat_map(Node::values)
}

/// Reports a wildcard without placeholders that purges the rule's prefix and more.
fn wide_wildcard(node: Node<'_>, path: &Template, bounds: &[Arc<str>], findings: &mut Findings) {
    let start = path.literal_prefix();
    // With several prefixes, the wildcard is too wide only if it is for each.
    let is_wider = |bound: &Arc<str>| bound.len() > start.len() && bound.starts_with(start);
    let Some(bound) = bounds.iter().min_by_key(|bound| bound.len()) else { return };
    if !path.is_wildcard() || !path.is_literal() || !bounds.iter().all(is_wider) {
        return;
    }
    let message = format!("`{path}` purges more than the rule's prefix, which is `{bound}`");
    let finding = node.finding(Code::WideWildcard, message);
    findings.push(match bounds.len() {
        1 => finding.help(format!("write `{bound}*` if that is enough")),
        _ => finding.help("write one wildcard for each prefix if that is enough"),
    });
}

/// Reports a rule that equals an earlier one except for its name.
fn duplicate_rule<'t>(
    node: Node<'t>,
    bodies: &mut HashMap<String, Node<'t>>,
    findings: &mut Findings,
) {
    let first = *bodies.entry(mapping_body(node, "name")).or_insert(node);
    let (first, second) = (first.value("name", 0), node.value("name", 0));
    if first.span() != second.span() {
        let message = format!("`{}` repeats the rule `{}`", second.text(), first.text());
        let finding = second.finding(Code::DuplicateRule, message);
        findings.push(finding.note(format!("that rule is at line {}", first.span().line)));
    }
}

/// A text that is equal for equal values, whatever the order of fields.
fn body(node: Node<'_>) -> String {
    match node.shape() {
        Shape::Mapping => mapping_body(node, ""),
        Shape::List => {
            let items: Vec<String> = node.values().map(body).collect();
            format!("[{}]", items.join(","))
        }
        _ => format!("{:?}", node.text()),
    }
}

fn mapping_body(node: Node<'_>, without: &str) -> String {
    let fields = node.fields().filter(|(name, _)| *name != without);
    let mut fields: Vec<String> =
        fields.map(|(name, node)| format!("{name:?}:{}", body(node))).collect();
    fields.sort_unstable();
    format!("{{{}}}", fields.join(","))
}
