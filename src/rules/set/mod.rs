//! A whole rules file, ready for changes.

use crate::{
    distribution::DistributionId,
    event::Change,
    item::PathSettings,
    target::{Collapse, Excluded, Target, TargetIndex},
};

use super::{
    Decision, FALLBACK_TARGET, Findings, Rule, RuleMatch, RuleObserver, RuleRegex, RulesFile,
    Verdict, exclusions,
    index::CandidateIndex,
    walk::{fall_back, walk},
};

/// The rules and targets of a file, and the fallback beside them.
#[derive(Debug)]
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
    pub(super) targets: Vec<Target>,
    pub(super) fallback: Option<TargetIndex>,
    index: CandidateIndex,
}

impl RuleSet {
    pub(super) fn new(rules: Vec<Rule>, mut targets: Vec<Target>) -> Self {
        exclusions::set_excluded(&rules, &mut targets);
        let index = CandidateIndex::new(&rules);
        Self { rules, targets, fallback: None, index }
    }

    /// Returns a set without rules: every change is unmatched.
    pub fn empty() -> Self {
        Self::new(Vec::new(), Vec::new())
    }

    /// Reads a rules file; `file` is the name that findings show. The error has
    /// every error of the file.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Findings> {
        let RulesFile { text, rules, findings, .. } = RulesFile::read(file, bytes)?;
        if findings.has_error() { Err(findings.finish(text)) } else { Ok(rules) }
    }

    /// Adds the distribution of unmatched changes, as the last target. If a
    /// target of the file has the same distribution, the fallback takes its
    /// role, path settings and collapse from the first such target. Otherwise
    /// it has the default settings of the program, not those of the file.
    #[must_use]
    pub fn with_fallback(mut self, id: DistributionId) -> Self {
        let name = FALLBACK_TARGET.into();
        let mut target = match self.targets.iter().find(|target| target.distribution.id == id) {
            Some(target) => Target { name, ..target.clone() },
            None => Target {
                name,
                distribution: id.into(),
                paths: PathSettings::default(),
                collapse: Some(Collapse::default()),
                excluded: Excluded::default(),
            },
        };
        target.excluded = exclusions::of_fallback(&self.rules, &target);
        self.fallback = Some(TargetIndex(self.targets.len()));
        self.targets.push(target);
        self
    }

    /// Returns every target: those of the file, the bare ids that rules use,
    /// and the fallback.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    pub fn target(&self, index: TargetIndex) -> &Target {
        &self.targets[index.0]
    }

    /// Returns the rules, in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns about how many bytes the regexes take once keys have led to the
    /// compilation of every one of them.
    pub fn regex_memory(&self) -> usize {
        self.rules.iter().flat_map(Rule::regexes).map(RuleRegex::memory).sum()
    }

    /// Returns the target of unmatched changes.
    pub fn fallback(&self) -> Option<TargetIndex> {
        self.fallback
    }

    /// Decides by the rules alone.
    pub fn decide(&self, change: &Change) -> Decision {
        let candidates = self.index.candidates(&self.rules, change);
        let candidates = candidates.into_iter().map(|index| &self.rules[index]);
        walk(candidates, &self.targets, change, &mut ())
    }

    /// Decides by the rules. If no rule matches and the content changed, the
    /// fallback contributes the items; the verdict stays unmatched.
    pub fn route(&self, change: &Change) -> Decision {
        self.add_fallback(self.decide(change), change, &mut ())
    }

    /// Decides as [`RuleSet::route`] does, but tests every rule and reports
    /// each step to an observer.
    pub fn observe<'r>(
        &'r self,
        change: &Change,
        observer: &mut impl RuleObserver<'r>,
    ) -> Decision {
        let decision = walk(&self.rules, &self.targets, change, observer);
        self.add_fallback(decision, change, observer)
    }

    /// Returns the rules that match a change, up to the last one evaluated.
    pub fn matching_rules(&self, change: &Change) -> Vec<&Rule> {
        struct Matching<'r>(Vec<&'r Rule>);
        impl<'r> RuleObserver<'r> for Matching<'r> {
            fn matched(&mut self, rule: &'r Rule, _: RuleMatch<'r>) {
                self.0.push(rule);
            }
        }
        let mut matching = Matching(Vec::new());
        self.observe(change, &mut matching);
        matching.0
    }

    fn add_fallback<'r>(
        &'r self,
        mut decision: Decision,
        change: &Change,
        observer: &mut impl RuleObserver<'r>,
    ) -> Decision {
        if let (Verdict::Unmatched, Some(fallback)) = (decision.verdict, self.fallback)
            && change.kind.changes_content()
        {
            decision.contributions = fall_back(fallback, &self.targets, change, observer);
        }
        decision
    }
}

#[cfg(test)]
mod tests;
