//! A whole rules file, ready for changes.

use crate::{distribution::DistributionId, event::Change, item::PathSettings, target::Collapse};

use super::{
    Decision, FALLBACK_TARGET, Findings, Matcher, Rule, RuleIndex, Target, TargetIndex,
    TestSummary, Verdict,
    contribution::fall_back,
    file::RulesFile,
    lint, read,
    source::{At, Source},
    testing::TestCase,
    validate,
    value::Given,
};

/// The rules and targets of a file, and the fallback beside them.
#[derive(Debug)]
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
    pub(super) targets: Vec<Target>,
    pub(super) fallback: Option<TargetIndex>,
    pub(super) matcher: Matcher,
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
    /// No rules: every change is unmatched.
    pub fn empty() -> Self {
        Self { rules: Vec::new(), targets: Vec::new(), fallback: None, matcher: Matcher::new(&[]) }
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
