//! Targets that no rule uses, or not as their settings expect.

use crate::{
    distribution::DistributionId,
    rules::{
        Action, Rule, RuleSet, TargetIndex,
        file::{RulesFile, TargetForm},
        finding::{Code, Finding, Findings},
        source::At,
        value::Given,
    },
};

/// Reports unused targets, and index documents that no rule lets through.
pub(super) fn targets(
    at: At<'_>,
    written: &RulesFile,
    rules: &RuleSet,
    fallback: Option<&DistributionId>,
    findings: &mut Findings,
) {
    let Given::Value(written) = &written.targets else { return };
    let at = at.field("targets");
    let users = users(rules);
    for (index, (name, form)) in written.0.iter().enumerate() {
        // The targets of a file come first, in its order.
        let index = TargetIndex(index);
        let target = rules.target(index);
        let users = &users[index.0];
        if users.is_empty() {
            if fallback != Some(&target.distribution.id) {
                let message = format!("no rule invalidates the target `{name}`");
                let finding = Finding::on_field(Code::UnusedTarget, at, name, message);
                findings.push(
                    finding.help(
                        "take it out, unless it is there for the settings of `DistributionId`",
                    ),
                );
            }
            continue;
        }
        let Given::Value(TargetForm::Long(_)) = form else { continue };
        let at = at.field(name).field("index_documents");
        if !at.is_given() {
            continue;
        }
        for (place, document) in target.paths.index_documents.iter().enumerate() {
            let passes = |suffix: &String| {
                document.ends_with(&**suffix) || suffix.ends_with(&format!("/{document}"))
            };
            let blocked = users.iter().all(|rule| {
                let suffixes = &rule.conditions.suffixes;
                !suffixes.is_empty() && !suffixes.iter().any(passes)
            });
            if blocked {
                let message = format!("no rule of the target `{name}` lets `{document}` through");
                let finding = Finding::new(Code::IndexDocumentUnreachable, at.item(place), message);
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
