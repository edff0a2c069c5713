//! The walk over the rules, from a change to a [`Decision`].
//!
//! Rules are evaluated in the order of the file. A rule that matches
//! contributes its items. A rule with `ignore` or `stop` that matches is the
//! last one evaluated.
//!
//! [`RuleSet::decide`](super::RuleSet::decide) walks the candidates of the
//! index; [`RuleSet::observe`](super::RuleSet::observe) walks all rules and
//! reports each step to a [`RuleObserver`].

use crate::{
    event::Change,
    target::{Target, TargetIndex},
};

use super::{
    Action, Contribution, Decision, Invalidate, Mismatch, Rule, RuleMatch, Verdict,
    template::RenderContext,
};

/// Observes a walk over the rules, for example to explain its result.
///
/// Rules after the last one evaluated are not reported.
#[expect(unused_variables, reason = "the default implementations do nothing")]
pub trait RuleObserver<'r> {
    /// A rule matched.
    fn matched(&mut self, rule: &'r Rule, matched: RuleMatch<'r>) {}

    /// A rule did not match.
    fn mismatched(&mut self, rule: &'r Rule, mismatch: Mismatch) {}

    /// A template was rendered for a target, by a rule or the fallback.
    /// `contributions` is empty if the target does not serve the key, or if a
    /// capture did not participate in the match.
    fn rendered(
        &mut self,
        rule: Option<&'r Rule>,
        target: TargetIndex,
        template: &'r str,
        contributions: &[Contribution],
    ) {
    }
}

/// Observes nothing.
impl RuleObserver<'_> for () {}

/// Evaluates `rules` in order. Rules that are left out must not match.
pub(super) fn walk<'r>(
    rules: impl IntoIterator<Item = &'r Rule>,
    targets: &[Target],
    change: &Change,
    observer: &mut impl RuleObserver<'r>,
) -> Decision {
    let mut decision = Decision { verdict: Verdict::Unmatched, contributions: Vec::new() };
    for rule in rules {
        let matched = match rule.test(change) {
            Ok(matched) => matched,
            Err(mismatch) => {
                observer.mismatched(rule, mismatch);
                continue;
            }
        };
        observer.matched(rule, matched);
        match &rule.action {
            Action::Ignore { .. } if decision.verdict == Verdict::Unmatched => {
                decision.verdict = Verdict::Ignored;
            }
            Action::Ignore { .. } => {}
            Action::Invalidate { targets: entries, .. } => {
                decision.verdict = Verdict::Matched;
                for entry in entries {
                    let target = &targets[entry.target.0];
                    let bound = || entry.bound(&target.paths, rule, matched.prefix);
                    let context = RenderContext::new(change, &target.paths, matched, bound);
                    contribute(
                        rule,
                        entry,
                        context.as_ref(),
                        &mut decision.contributions,
                        observer,
                    );
                }
            }
        }
        if rule.is_last() {
            break;
        }
    }
    decision
}

/// Adds the items of one entry of a rule's `invalidate`. Without a context, the
/// target does not serve the key.
fn contribute<'r>(
    rule: &'r Rule,
    entry: &'r Invalidate,
    context: Option<&RenderContext<'_>>,
    contributions: &mut Vec<Contribution>,
    observer: &mut impl RuleObserver<'r>,
) {
    let target = entry.target;
    for template in entry.paths.iter().chain(&entry.tags) {
        let first = contributions.len();
        if let Some(context) = context {
            template.render(context, |item| {
                contributions.push(Contribution { rule: Some(rule.name.clone()), target, item });
            });
        }
        observer.rendered(Some(rule), target, template.text(), &contributions[first..]);
    }
}

/// Returns the items of an unmatched change in the fallback.
pub(super) fn fall_back<'r>(
    fallback: TargetIndex,
    targets: &[Target],
    change: &Change,
    observer: &mut impl RuleObserver<'r>,
) -> Vec<Contribution> {
    let settings = &targets[fallback.0].paths;
    let path = settings.url_path(&change.key);
    let items = path.iter().flat_map(|path| settings.items(path, &settings.bound("")));
    let contributions: Vec<_> =
        items.map(|item| Contribution { rule: None, target: fallback, item }).collect();
    observer.rendered(None, fallback, "{path}", &contributions);
    contributions
}

#[cfg(test)]
mod tests;
