//! A whole rules file, ready for changes.

use crate::{distribution::DistributionId, event::Change, item::PathSettings, target::Collapse};

use super::{
    Decision, FALLBACK_TARGET, Findings, Matcher, Rule, RuleIndex, RulesFile, Target, TargetIndex,
    Verdict, contribution::fall_back,
};

/// The rules and targets of a file, and the fallback beside them.
#[derive(Debug)]
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
    pub(super) targets: Vec<Target>,
    pub(super) fallback: Option<TargetIndex>,
    pub(super) matcher: Matcher,
}

impl RuleSet {
    /// No rules: every change is unmatched.
    pub fn empty() -> Self {
        Self { rules: Vec::new(), targets: Vec::new(), fallback: None, matcher: Matcher::new(&[]) }
    }

    /// Reads a rules file; `file` is the name that findings show. The error has
    /// every error of the file.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Findings> {
        let RulesFile { text, rules, findings, .. } = RulesFile::read(file, bytes)?;
        if findings.has_error() { Err(findings.finish(text)) } else { Ok(rules) }
    }

    /// Adds the distribution of changes that no rule speaks for, as the last
    /// target. When a target of the file names the same distribution, the first
    /// such gives the fallback its role, its path settings and its collapse;
    /// otherwise these are the program's defaults, not those of the file.
    #[must_use]
    pub fn with_fallback(mut self, id: DistributionId) -> Self {
        let name = FALLBACK_TARGET.into();
        let target = match self.targets.iter().find(|target| target.distribution.id == id) {
            Some(target) => Target { name, ..target.clone() },
            None => Target {
                name,
                distribution: id.into(),
                paths: PathSettings::default(),
                collapse: Some(Collapse::default()),
            },
        };
        self.fallback = Some(TargetIndex(self.targets.len()));
        self.targets.push(target);
        self
    }

    /// Every target: those of the file, the bare ids that rules use, and the
    /// fallback.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// A target.
    pub fn target(&self, index: TargetIndex) -> &Target {
        &self.targets[index.0]
    }

    /// The rules, in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The name of a rule.
    pub fn rule_name(&self, index: RuleIndex) -> &str {
        &self.rules[index.0].name
    }

    /// The target of changes that no rule speaks for.
    pub fn fallback(&self) -> Option<TargetIndex> {
        self.fallback
    }

    /// What the rules say of a change.
    pub fn decide(&self, change: &Change) -> Decision {
        self.matcher.decide(&self.rules, &self.targets, change)
    }

    /// What the rules say of a change; and if they say nothing and its content
    /// changed, the items of the fallback. The verdict stays unmatched.
    pub fn route(&self, change: &Change) -> Decision {
        let mut decision = self.decide(change);
        if let (Verdict::Unmatched, Some(fallback)) = (decision.verdict, self.fallback) {
            decision.contributions = fall_back(fallback, &self.targets, change);
        }
        decision
    }
}

#[cfg(test)]
mod tests;
