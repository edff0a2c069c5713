//! A whole rules file, ready for changes.

use crate::{distribution::DistributionId, event::Change, item::PathSettings, target::Collapse};

use super::{
    Decision, FALLBACK_TARGET, Findings, Rule, RuleMatch, RuleObserver, Target, TargetIndex,
    TestSummary, Verdict,
    file::RulesFile,
    index::CandidateIndex,
    lint, read,
    source::{At, Source},
    testing::TestCase,
    validate,
    value::Given,
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

/// All that `invalidator check` says of a file.
#[derive(Debug)]
pub struct Report {
    /// Errors and lints, in the order of the file.
    pub findings: Findings,
    /// How its tests went; `None` when errors kept them from running.
    pub tests: Option<TestSummary>,
}

impl RuleSet {
    pub(super) fn new(rules: Vec<Rule>, targets: Vec<Target>) -> Self {
        let index = CandidateIndex::new(&rules);
        Self { rules, targets, fallback: None, index }
    }

    /// No rules: every change is unmatched.
    pub fn empty() -> Self {
        Self::new(Vec::new(), Vec::new())
    }

    /// Reads a rules file; `file` is the name that findings show. An error
    /// carries every error of the file.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Findings> {
        load(file, bytes, |loaded| loaded.rules)
    }

    /// Reads a rules file as [`RuleSet::parse`] does, and looks for what is
    /// likely not as it was meant. It also runs the file's own tests.
    ///
    /// `fallback` is the distribution of unmatched changes: a target of its own
    /// is in use even if no rule names it.
    pub fn check(file: &str, bytes: &[u8], fallback: Option<&DistributionId>) -> Report {
        let checked = load(file, bytes, |loaded| {
            let Loaded { rules, tests, source, written, mut findings } = loaded;
            compile_regexes(source.root().field("rules"), &rules, &mut findings);
            let mut summary = TestSummary::default();
            for test in &tests {
                match test.run(&rules, source.root().field("tests")) {
                    None => summary.passed += 1,
                    Some(finding) => {
                        summary.failed += 1;
                        findings.push(finding);
                    }
                }
            }
            // Last, so that lints never take the place of a failed test.
            lint::file(source.root(), written, &rules, fallback, &mut findings);
            findings.sort();
            Report { findings, tests: Some(summary) }
        });
        checked.unwrap_or_else(|findings| Report { findings, tests: None })
    }

    /// Adds the distribution of unmatched changes, as the last target. If a
    /// target of the file has the same distribution, the fallback takes its
    /// role, path settings and collapse from the first such target. Otherwise
    /// it has the default settings of the program, not those of the file.
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

    /// The target of unmatched changes.
    pub fn fallback(&self) -> Option<TargetIndex> {
        self.fallback
    }

    /// Decides by the rules alone.
    pub fn decide(&self, change: &Change) -> Decision {
        let candidates = self.index.candidates(&self.rules, change);
        let candidates = candidates.into_iter().map(|place| &self.rules[place]);
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

    /// The rules that match a change, up to the last one evaluated.
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

/// A file without an error.
struct Loaded<'s> {
    rules: RuleSet,
    tests: Vec<TestCase>,
    source: &'s Source<'s>,
    written: &'s RulesFile,
    /// None so far.
    findings: Findings,
}

/// The one way from bytes to rules.
fn load<T>(file: &str, bytes: &[u8], then: impl FnOnce(Loaded<'_>) -> T) -> Result<T, Findings> {
    let text = read::text(file, bytes)?;
    let source = read::source(file, text)?;
    let mut findings = Findings::new(file);
    let Some(given) = read::file(text, &source, &mut findings) else {
        findings.sort();
        return Err(findings);
    };
    let (rules, tests) = validate::file(source.root(), &given, &mut findings);
    match given {
        Given::Value(written) if !findings.has_error() => {
            Ok(then(Loaded { rules, tests, source: &source, written: &written, findings }))
        }
        _ => {
            findings.sort();
            Err(findings)
        }
    }
}

/// Compiles every regex now, to be sure that none fails later.
fn compile_regexes(at: At<'_>, rules: &RuleSet, findings: &mut Findings) {
    for (index, rule) in rules.rules.iter().enumerate() {
        let at = at.index(index);
        let except = rule.except.iter().enumerate();
        let except = except.map(|(place, set)| (at.field("except").item(place), set));
        for (at, conditions) in [(at, &rule.conditions)].into_iter().chain(except) {
            for (place, regex) in conditions.regexes.iter().enumerate() {
                if let Err(error) = regex.compile() {
                    findings.push(validate::regex_finding(at.field("regex").item(place), &error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
