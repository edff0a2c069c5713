//! What a rule that matched, or the fallback, asks for.

use crate::event::Change;

use super::{
    Contribution, Invalidate, PathTemplate, RuleIndex, Target, TargetIndex, conditions::Match,
    template::Subject,
};

/// Adds what a rule that matched asks of one target. A target that does not
/// serve the key gets nothing, whatever the template.
pub(super) fn contribute(
    invalidate: &Invalidate,
    rule: RuleIndex,
    matched: Match<'_>,
    targets: &[Target],
    change: &Change,
    contributions: &mut Vec<Contribution>,
) {
    let target = invalidate.target;
    let settings = &targets[target.0].paths;
    let Some(subject) = Subject::new(change, settings, matched.prefix, matched.regex) else {
        return;
    };
    let mut emit = |template, item| {
        contributions.push(Contribution { rule: Some(rule), target, template, item });
    };
    for (template, path) in invalidate.paths.iter().enumerate() {
        path.render(&subject, |item| emit(template, item));
    }
    for (template, tag) in (invalidate.paths.len()..).zip(&invalidate.tags) {
        tag.render(&subject, |item| emit(template, item));
    }
}

/// What a change that no rule speaks for asks of the fallback: its path, if its
/// content changed.
pub(super) fn fall_back(
    fallback: TargetIndex,
    targets: &[Target],
    change: &Change,
) -> Vec<Contribution> {
    let mut contributions = Vec::new();
    let settings = &targets[fallback.0].paths;
    if change.kind.changes_content()
        && let Some(subject) = Subject::new(change, settings, "", None)
    {
        PathTemplate::default().render(&subject, |item| {
            contributions.push(Contribution { rule: None, target: fallback, template: 0, item });
        });
    }
    contributions
}
