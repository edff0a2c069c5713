//! Finds the rules a change matches, and what they ask for.

use crate::event::Change;

use super::{
    Action, Contribution, Decision, Rule, RuleIndex, Target, Verdict, conditions::Match,
    template::Subject,
};

/// The rules of a file, classified once.
#[derive(Debug)]
pub struct Matcher {
    rules: usize,
}

impl Matcher {
    /// Classifies rules.
    pub fn new(rules: &[Rule]) -> Self {
        Self { rules: rules.len() }
    }

    /// What `rules`, those the matcher was made of, say of a change.
    pub fn decide(&self, rules: &[Rule], targets: &[Target], change: &Change) -> Decision {
        let mut decision = Decision { verdict: Verdict::Unmatched, contributions: Vec::new() };
        for (index, rule) in rules.iter().enumerate().take(self.rules) {
            let Some(matched) = rule.matches(change) else { continue };
            if !contribute(rule, RuleIndex(index), matched, targets, change, &mut decision) {
                break;
            }
        }
        decision
    }
}

/// Adds what a rule that matched asks for. Returns whether rules after it are
/// read.
fn contribute(
    rule: &Rule,
    index: RuleIndex,
    matched: Match<'_>,
    targets: &[Target],
    change: &Change,
    decision: &mut Decision,
) -> bool {
    let Action::Invalidate { targets: wanted, stop } = &rule.action else {
        if decision.verdict == Verdict::Unmatched {
            decision.verdict = Verdict::Ignored;
        }
        return false;
    };
    decision.verdict = Verdict::Matched;
    for invalidate in wanted {
        let settings = &targets[invalidate.target.0].paths;
        let Some(subject) = Subject::new(change, settings, matched.prefix, matched.regex) else {
            continue;
        };
        let mut template = 0;
        let mut emit = |template, item| {
            decision.contributions.push(Contribution {
                rule: Some(index),
                target: invalidate.target,
                template,
                item,
            });
        };
        for path in &invalidate.paths {
            path.render(&subject, |item| emit(template, item));
            template += 1;
        }
        for tag in &invalidate.tags {
            tag.render(&subject, |item| emit(template, item));
            template += 1;
        }
    }
    !stop
}
