//! `invalidator check`

use std::path::PathBuf;

use anyhow::Context;
use s3_cloudfront_invalidator::{
    config::RULES_FILE,
    distribution::DistributionId,
    rules::{Code, FALLBACK_TARGET, Finding, Findings, Report, RuleSet, Severity, TestSummary},
};
use serde::Serialize;

use crate::{Format, Global, Verdict};

/// Checks the rules: errors, lints, and the tests in the file.
#[derive(clap::Args)]
pub struct Args {
    /// The rules file, in place of --rules and RULES_PATH.
    #[arg(value_name = "RULES")]
    file: Option<PathBuf>,
}

pub fn run(args: Args, global: &Global) -> anyhow::Result<Verdict> {
    let path = args.file.or_else(|| global.rules.clone());
    let path = path.unwrap_or_else(|| PathBuf::from(RULES_FILE));
    let bytes =
        std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let report = RuleSet::check(&path.display().to_string(), &bytes, fallback().as_ref());
    match global.format {
        Format::Text => print_text(&report),
        Format::Json => anstream::println!("{}", json(&report)?),
    }
    Ok(if report.findings.has_error() { Verdict::Negative } else { Verdict::Done })
}

/// The distribution of unmatched changes, which puts its target to use. Whether
/// it is a sound id is not a matter of the file.
fn fallback() -> Option<DistributionId> {
    let id = std::env::var(FALLBACK_TARGET).ok()?;
    DistributionId::distribution(&id).or_else(|_| DistributionId::tenant(&id)).ok()
}

fn print_text(report: &Report) {
    let Report { findings, .. } = report;
    if !findings.is_empty() {
        anstream::println!("{findings:#}");
    }
    anstream::println!("{}: {}", findings.file(), summary(report));
}

/// "3 errors, 1 lint; 5 tests passed"
fn summary(report: &Report) -> String {
    let Report { tests, .. } = report;
    let count = |number: usize, word: &str| match number {
        0 => format!("no {word}s"),
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    let (errors, lints) = counts(report);
    let tests = match tests {
        None => "tests not run".to_owned(),
        Some(TestSummary { passed: 0, failed: 0 }) => "no tests".to_owned(),
        Some(TestSummary { passed, failed: 0 }) => format!("{} passed", count(*passed, "test")),
        Some(TestSummary { passed, failed }) => {
            format!("{} passed, {failed} failed", count(*passed, "test"))
        }
    };
    format!("{}, {}; {tests}", count(errors, "error"), count(lints, "lint"))
}

/// Errors and lints. A failed test is an error that has a count of its own.
fn counts(report: &Report) -> (usize, usize) {
    let failed = report.findings.iter().filter(|finding| finding.code == Code::FailedTest).count();
    let errors = report.findings.count(Severity::Error) - failed;
    (errors, report.findings.count(Severity::Lint))
}

#[derive(Serialize)]
struct Document<'r> {
    file: &'r str,
    errors: usize,
    lints: usize,
    /// `null` when errors kept the tests from running.
    tests: Option<Tests>,
    findings: Vec<Entry<'r>>,
    /// Whether there may be more findings than those listed.
    truncated: bool,
}

#[derive(Serialize)]
struct Tests {
    passed: usize,
    failed: usize,
}

#[derive(Serialize)]
struct Entry<'r> {
    severity: &'static str,
    code: &'static str,
    message: &'r str,
    path: &'r str,
    line: usize,
    column: usize,
    notes: &'r [String],
    help: Option<&'r str>,
}

fn json(report: &Report) -> anyhow::Result<String> {
    let findings: &Findings = &report.findings;
    let entries = findings.iter().map(|finding| {
        let Finding { code, message, path, line, column, notes, help, .. } = finding;
        Entry {
            severity: code.severity().name(),
            code: code.name(),
            message,
            path,
            line: *line,
            column: *column,
            notes,
            help: help.as_deref(),
        }
    });
    let (errors, lints) = counts(report);
    let document = Document {
        file: findings.file(),
        errors,
        lints,
        tests: report.tests.map(|TestSummary { passed, failed }| Tests { passed, failed }),
        findings: entries.collect(),
        truncated: findings.is_full(),
    };
    Ok(serde_json::to_string_pretty(&document)?)
}
