//! The tests that a rules file carries: what the rules alone make of a change,
//! compared with what the file expects.
//!
//! Items are compared as sets, before any are merged, covered or collapsed.
//! Items that cannot be sent do not count, but are shown.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Change;

use super::{
    Decision, RuleSet, TargetIndex, Verdict,
    finding::{Code, Finding},
    source::At,
    suggest,
};

/// A test, ready to run.
#[derive(Debug)]
pub(super) struct TestCase {
    /// Its place in `tests`.
    pub place: usize,
    pub change: Change,
    pub expected: Expected,
}

/// What a test expects.
#[derive(Debug)]
pub(super) enum Expected {
    Ignored,
    Unmatched,
    Items(BTreeMap<TargetIndex, Vec<String>>),
}

/// How the tests of a file went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestSummary {
    /// Tests whose change led to what they expect.
    pub passed: usize,
    /// The others. Each is a finding.
    pub failed: usize,
}

impl TestCase {
    /// Runs the test. A failure is a finding at its place among `tests`.
    pub fn run(&self, rules: &RuleSet, tests: At<'_>) -> Option<Finding> {
        let decision = rules.decide(&self.change);
        let difference = match (&self.expected, decision.verdict) {
            (Expected::Ignored, Verdict::Ignored) | (Expected::Unmatched, Verdict::Unmatched) => {
                return None;
            }
            (Expected::Items(items), Verdict::Matched) => {
                let difference = difference(rules, items, &decision);
                if difference.is_empty() {
                    return None;
                }
                difference
            }
            (Expected::Items(items), verdict) => {
                let lines = items.iter().map(|(target, items)| {
                    let name = &rules.target(*target).name;
                    format!("- {name}: [{}]", items.join(", "))
                });
                let actual = format!("+ {}", verdict.name());
                lines.chain([actual]).collect()
            }
            (expected, Verdict::Matched) => {
                let mut lines = vec![format!("- {}", expected_name(expected))];
                lines.extend(difference(rules, &BTreeMap::new(), &decision));
                if lines.len() == 1 {
                    lines.push("+ matched, without an item".to_owned());
                }
                lines
            }
            (expected, verdict) => {
                vec![format!("- {}", expected_name(expected)), format!("+ {}", verdict.name())]
            }
        };
        let at = tests.index(self.place).field("expect");
        let Change { bucket, key, .. } = &self.change;
        let message = format!("s3://{bucket}/{key} leads to something else than expected");
        let finding = Finding::new(Code::FailedTest, at, message)
            .note(format!("- expected, + actual\n{}", difference.join("\n")))
            .note(matched_rules(rules, &self.change, &decision));
        Some(unaddressable(&decision).into_iter().fold(finding, Finding::note))
    }
}

fn expected_name(expected: &Expected) -> &'static str {
    match expected {
        Expected::Ignored => "ignored",
        Expected::Unmatched => "unmatched",
        Expected::Items(_) => "matched",
    }
}

/// The lines of a diff, target by target; none when all is as expected.
fn difference(
    rules: &RuleSet,
    expected: &BTreeMap<TargetIndex, Vec<String>>,
    decision: &Decision,
) -> Vec<String> {
    let mut actual: BTreeMap<TargetIndex, BTreeSet<&str>> = BTreeMap::new();
    for contribution in &decision.contributions {
        if let Ok(addressed) = &contribution.item {
            actual.entry(contribution.target).or_default().insert(addressed.item.as_str());
        }
    }
    let targets: BTreeSet<TargetIndex> = actual.keys().chain(expected.keys()).copied().collect();
    let none = BTreeSet::new();
    let mut lines = Vec::new();
    for target in targets {
        let actual = actual.get(&target).unwrap_or(&none);
        let expected: BTreeSet<&str> =
            expected.get(&target).into_iter().flatten().map(String::as_str).collect();
        if *actual == expected {
            continue;
        }
        lines.push(format!("  {}:", rules.target(target).name));
        for item in actual.union(&expected) {
            let sign = match (expected.contains(item), actual.contains(item)) {
                (true, true) => ' ',
                (true, false) => '-',
                _ => '+',
            };
            lines.push(format!("{sign}   {item}"));
        }
    }
    lines
}

/// Which rules matched.
fn matched_rules(rules: &RuleSet, change: &Change, decision: &Decision) -> String {
    let matching = rules.matching_rules(change);
    let names: Vec<&str> = matching.iter().map(|rule| &*rule.name).collect();
    match names.len() {
        0 => "no rule matched".to_owned(),
        1 => format!("matched by the rule {}", suggest::quote_list(&names)),
        _ if decision.contributions.is_empty() => {
            format!("matched by the rules {}, without an item", suggest::quote_list(&names))
        }
        _ => format!("matched by the rules {}", suggest::quote_list(&names)),
    }
}

fn unaddressable(decision: &Decision) -> BTreeSet<String> {
    let reasons = decision.contributions.iter().filter_map(|one| one.item.as_ref().err());
    reasons.map(ToString::to_string).collect()
}
