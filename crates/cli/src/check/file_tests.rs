//! The `tests` of a rules file: for one change each, what the rules alone produce
//! compared with what is expected.
//!
//! Items are compared as sets, before they are merged, covered or collapsed.
//! Items that cannot be sent do not count, but are shown.

use std::collections::{BTreeMap, BTreeSet};

use s3_cloudfront_invalidator::{
    event::{Change, Identity, Kind, Occurrence},
    rules::{
        AccountId, Code, Decision, Finding, Findings, Node, RegionName, RuleSet, RulesFile, Shape,
        Verdict,
        mapping::{Expected, MappingReader, TEST, read, read_list, read_texts},
        unknown_target,
    },
    target::TargetIndex,
};
use serde::Serialize;

use crate::{input::S3Uri, output::quote_list};

/// A test that can be run.
#[derive(Debug)]
pub struct FileTest<'t> {
    expect: Node<'t>,
    change: Change,
    expected: Expectation,
}

/// What a test expects of a change, and what the rules make of it.
#[derive(Debug, PartialEq, Eq)]
enum Expectation {
    Ignored,
    Unmatched,
    /// The items of each target that has any.
    Matched(BTreeMap<TargetIndex, BTreeSet<String>>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TestSummary {
    pub passed: usize,
    pub failed: usize,
}

/// Reads the tests of a file.
pub fn read_tests<'t>(file: &'t RulesFile<'_>, findings: &mut Findings) -> Vec<FileTest<'t>> {
    let root = file.tree.root();
    let mut tests = Vec::new();
    let Some(node) = root.field("tests") else { return tests };
    for node in read_list(node, "a list of tests", findings) {
        if findings.is_full() {
            break;
        }
        let fields = MappingReader::new(node, &TEST, findings);
        tests.extend(fields.and_then(|mut fields| read_test(&mut fields, root, &file.rules)));
    }
    tests
}

fn read_test<'t>(
    fields: &mut MappingReader<'_, 't>,
    root: Node<'t>,
    rules: &RuleSet,
) -> Option<FileTest<'t>> {
    const MISSING: [&str; 2] = [
        "the test has no `expect`",
        "`expect` maps targets to items, or is `ignored` or `unmatched`",
    ];
    let change = read_change(fields);
    let expect = fields.required("expect", MISSING)?;
    let expected = match expect.shape() {
        Shape::Text => read_word(expect, fields.findings)?,
        Shape::Mapping => {
            let mut targets = BTreeMap::new();
            for (name, node) in expect.fields() {
                let texts = read_texts(node, fields.findings);
                let target = expected_target(expect, name, root, rules, fields.findings);
                let items: BTreeSet<String> = texts.into_iter().map(|(_, text)| text).collect();
                targets.extend(target.filter(|_| !items.is_empty()).map(|target| (target, items)));
            }
            Expectation::Matched(targets)
        }
        _ => {
            let words = "`ignored`, `unmatched`, or a mapping of targets to items";
            fields.findings.push(Expected::text(words).wrong_type(expect));
            return None;
        }
    };
    Some(FileTest { expect, change: change?, expected })
}

fn read_change(fields: &mut MappingReader<'_, '_>) -> Option<Change> {
    const MISSING: [&str; 2] =
        ["the test has no `key`", "add the object that changes: `key: s3://BUCKET/KEY`"];
    let node = fields.required("key", MISSING);
    let url = node.and_then(|node| read::<String>(node, fields.findings));
    let kind = match fields.node.field("event") {
        Some(node) => read(node, fields.findings),
        None => Some(Kind::Created),
    };
    let size = fields.read("size");
    let account = fields.read::<AccountId>("account");
    let region = fields.read::<RegionName>("region");
    let (node, url, kind) = (node?, url?, kind?);
    let Ok(S3Uri { bucket, key }) = S3Uri::parse(&url) else {
        let mut finding = node.finding(Code::BadKey, format!("`{url}` is not `s3://BUCKET/KEY`"));
        if !url.contains(':') && !url.starts_with('/') && url.contains('/') {
            finding = finding.help(format!("write `s3://{url}`"));
        }
        fields.findings.push(finding);
        return None;
    };
    Some(Change {
        identity: Identity::new(&bucket, &key, kind, None, Occurrence::Only, None),
        bucket: bucket.into(),
        key,
        kind,
        time_ms: None,
        size,
        account: account.map(|AccountId(id)| id.into()),
        region: region.map(|RegionName(name)| name.into()),
    })
}

fn read_word(node: Node<'_>, findings: &mut Findings) -> Option<Expectation> {
    match node.text() {
        "ignored" => Some(Expectation::Ignored),
        "unmatched" => Some(Expectation::Unmatched),
        other => {
            let message = format!("`{other}` is neither `ignored`, `unmatched` nor a mapping");
            let finding = node.finding(Code::UnknownValue, message);
            findings.push(finding.unknown(other, ["ignored", "unmatched"]));
            None
        }
    }
}

/// The target of a name in `expect`. `None` means that it has been reported,
/// here or as an error of the target itself.
fn expected_target(
    expect: Node<'_>,
    name: &str,
    root: Node<'_>,
    rules: &RuleSet,
    findings: &mut Findings,
) -> Option<TargetIndex> {
    let targets = rules.targets();
    let index = targets.iter().position(|target| &*target.name == name);
    let listed = root.field("targets");
    if index.is_none() && listed.and_then(|targets| targets.field(name)).is_none() {
        let listed = listed.into_iter().flat_map(Node::fields).map(|(name, _)| name);
        let mut names: Vec<&str> =
            listed.chain(targets.iter().map(|target| &*target.name)).collect();
        names.sort_unstable();
        names.dedup();
        let finding = expect.field_finding(Code::UnknownTarget, name, "");
        findings.push(unknown_target(finding, name, &names));
    }
    index.map(TargetIndex)
}

/// Runs the tests. Each failure is a finding.
pub fn run(tests: &[FileTest<'_>], rules: &RuleSet, findings: &mut Findings) -> TestSummary {
    let mut summary = TestSummary::default();
    for test in tests {
        let decision = rules.decide(&test.change);
        let actual = Expectation::of(&decision);
        if test.expected == actual {
            summary.passed += 1;
        } else {
            summary.failed += 1;
            findings.push(failure(test, &actual, &decision, rules));
        }
    }
    summary
}

impl Expectation {
    fn of(decision: &Decision) -> Self {
        match decision.verdict {
            Verdict::Ignored => Self::Ignored,
            Verdict::Unmatched => Self::Unmatched,
            Verdict::Matched => {
                let mut items: BTreeMap<TargetIndex, BTreeSet<String>> = BTreeMap::new();
                for contribution in &decision.contributions {
                    if let Ok(addressed) = &contribution.item {
                        let item = addressed.item.as_str().to_owned();
                        items.entry(contribution.target).or_default().insert(item);
                    }
                }
                Self::Matched(items)
            }
        }
    }

    /// It as lines that start with a sign.
    fn lines(&self, sign: char, rules: &RuleSet) -> Vec<String> {
        match self {
            Self::Ignored => vec![format!("{sign} ignored")],
            Self::Unmatched => vec![format!("{sign} unmatched")],
            Self::Matched(targets) if targets.is_empty() => {
                vec![format!("{sign} matched, without items")]
            }
            Self::Matched(targets) => {
                let line = |(target, items): (&TargetIndex, &BTreeSet<String>)| {
                    let items: Vec<&str> = items.iter().map(String::as_str).collect();
                    format!("{sign} {}: [{}]", rules.target(*target).name, items.join(", "))
                };
                targets.iter().map(line).collect()
            }
        }
    }
}

fn failure(
    test: &FileTest<'_>,
    actual: &Expectation,
    decision: &Decision,
    rules: &RuleSet,
) -> Finding {
    let FileTest { expect, change, expected } = test;
    let lines = match (expected, actual) {
        (Expectation::Matched(expected), Expectation::Matched(actual)) => {
            diff(expected, actual, rules)
        }
        _ => [expected.lines('-', rules), actual.lines('+', rules)].concat(),
    };
    let Change { bucket, key, .. } = change;
    let message = format!("s3://{bucket}/{key} gives another result than `expect`");
    let finding = expect
        .finding(Code::FailedTest, message)
        .note(format!("- expected, + actual\n{}", lines.join("\n")))
        .note(matched_rules(rules, change, decision));
    let reasons = decision.contributions.iter().filter_map(|one| one.item.as_ref().err());
    let reasons: BTreeSet<String> = reasons.map(ToString::to_string).collect();
    reasons.into_iter().fold(finding, Finding::note)
}

/// The items of the targets that differ.
fn diff(
    expected: &BTreeMap<TargetIndex, BTreeSet<String>>,
    actual: &BTreeMap<TargetIndex, BTreeSet<String>>,
    rules: &RuleSet,
) -> Vec<String> {
    let none = BTreeSet::new();
    let targets: BTreeSet<&TargetIndex> = expected.keys().chain(actual.keys()).collect();
    let mut lines = Vec::new();
    for target in targets {
        let expected = expected.get(target).unwrap_or(&none);
        let actual = actual.get(target).unwrap_or(&none);
        if expected == actual {
            continue;
        }
        lines.push(format!("  {}:", rules.target(*target).name));
        for item in actual.union(expected) {
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

/// The most matching rules that are named.
const MAX_RULES: usize = 20;

/// Which rules matched.
fn matched_rules(rules: &RuleSet, change: &Change, decision: &Decision) -> String {
    let matching = rules.matching_rules(change);
    let names: Vec<&str> = matching.iter().map(|rule| &*rule.name).collect();
    let without =
        if names.len() > 1 && decision.contributions.is_empty() { ", without items" } else { "" };
    match names.len() {
        0 => "no rule matched".to_owned(),
        1 => format!("matched by the rule {}", quote_list(&names, "and", MAX_RULES)),
        _ => format!("matched by the rules {}{without}", quote_list(&names, "and", MAX_RULES)),
    }
}
