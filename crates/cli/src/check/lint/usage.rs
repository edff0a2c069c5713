//! Targets that no rule uses, or whose settings no rule makes use of.

use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    rules::{Action, Code, Findings, Node, Rule, RuleSet},
};

/// Reports unused targets, and index documents that no rule matches.
pub fn lint_targets(
    root: Node<'_>,
    rules: &RuleSet,
    fallback: Option<&DistributionId>,
    findings: &mut Findings,
) {
    let Some(targets) = root.field("targets") else { return };
    let users = users(rules);
    // The targets of the file are the first of the rule set, in the same order.
    let listed = targets.fields().zip(rules.targets()).zip(&users);
    for (((name, node), target), users) in listed {
        if findings.is_full() {
            return;
        }
        if users.is_empty() {
            if fallback != Some(&target.distribution.id) {
                let message = format!("no rule invalidates the target `{name}`");
                let finding = targets.field_finding(Code::UnusedTarget, name, message);
                findings.push(
                    finding.help("remove it, unless it has the settings of `DistributionId`"),
                );
            }
            continue;
        }
        let Some(documents) = node.field("index_documents") else { continue };
        for (node, document) in documents.values().zip(&target.paths.index_documents) {
            let admits = |suffix: &String| {
                document.ends_with(&**suffix) || suffix.ends_with(&format!("/{document}"))
            };
            let excludes = |rule: &&Rule| {
                let suffixes = &rule.conditions.suffixes;
                !suffixes.is_empty() && !suffixes.iter().any(admits)
            };
            if users.iter().all(excludes) {
                let message = format!("no rule of the target `{name}` matches `{document}`");
                let finding = node.finding(Code::IndexDocumentUnreachable, message);
                findings.push(finding.help("the suffixes of its rules all exclude that file"));
            }
        }
    }
}

/// For each target, the rules that invalidate something in it.
fn users(rules: &RuleSet) -> Vec<Vec<&Rule>> {
    let mut users = vec![Vec::new(); rules.targets().len()];
    for rule in rules.rules() {
        if let Action::Invalidate { targets, .. } = &rule.action {
            for invalidate in targets {
                users[invalidate.target.0].push(rule);
            }
        }
    }
    users
}
