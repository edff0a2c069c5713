//! `invalidator check`

use std::path::PathBuf;

use anyhow::Context;
use s3_cloudfront_invalidator::{
    config::RULES_FILE,
    distribution::DistributionId,
    rules::{Code, FALLBACK_TARGET, Finding, Findings, Report, RuleSet, Severity, TestSummary},
};
use serde::Serialize;

use crate::{
    Exit, Format, Global,
    account::{self, differences},
};

/// Checks the rules: errors, lints, and the tests in the file.
#[derive(clap::Args)]
pub struct Args {
    /// The rules file, in place of --rules and RULES_PATH.
    #[arg(value_name = "RULES")]
    file: Option<PathBuf>,
    /// Also compare the targets with the distributions of the AWS account that
    /// the environment gives credentials for.
    #[arg(long)]
    aws: bool,
}

pub fn run(args: Args, global: &Global) -> anyhow::Result<Exit> {
    let path = args.file.or_else(|| global.rules.clone());
    let path = path.unwrap_or_else(|| PathBuf::from(RULES_FILE));
    let bytes =
        std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let name = path.display().to_string();
    let report = RuleSet::check(&name, &bytes, fallback().as_ref());
    // Rules that cannot be read have nothing to compare.
    let rules = if args.aws { RuleSet::parse(&name, &bytes).ok() } else { None };
    let differences = rules.map(|rules| differences_from_account(&rules)).transpose()?;
    match global.format {
        Format::Text => print_text(&report, differences.as_deref()),
        Format::Json => anstream::println!("{}", json(&report, differences.as_deref())?),
    }
    let sound = !report.findings.has_error() && differences.is_none_or(|list| list.is_empty());
    Ok(if sound { Exit::Done } else { Exit::Negative })
}

fn differences_from_account(rules: &RuleSet) -> anyhow::Result<Vec<String>> {
    Ok(differences(rules, &account::distributions()?))
}

/// The distribution of unmatched changes, which puts its target to use. Whether
/// it is a sound id is not a matter of the file.
fn fallback() -> Option<DistributionId> {
    let id = std::env::var(FALLBACK_TARGET).ok()?;
    DistributionId::distribution(&id).or_else(|_| DistributionId::tenant(&id)).ok()
}

fn print_text(report: &Report, differences: Option<&[String]>) {
    let Report { findings, .. } = report;
    if !findings.is_empty() {
        anstream::println!("{findings:#}");
    }
    for difference in differences.unwrap_or_default() {
        anstream::println!("{}: {difference}", findings.file());
    }
    let account = match differences {
        None => String::new(),
        Some([]) => "; as the account has it".to_owned(),
        Some([_]) => "; 1 difference from the account".to_owned(),
        Some(several) => format!("; {} differences from the account", several.len()),
    };
    anstream::println!("{}: {}{account}", findings.file(), summary(report));
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
    /// What the account has otherwise, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_differences: Option<&'r [String]>,
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

fn json(report: &Report, differences: Option<&[String]>) -> anyhow::Result<String> {
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
        account_differences: differences,
    };
    Ok(serde_json::to_string_pretty(&document)?)
}
