//! The result of `check`.

use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    rules::{Finding, Findings, RulesFile, Severity},
};
use serde::Serialize;

use super::{
    file_tests::{self, TestSummary},
    lint,
    snippet::Rendered,
    suggest,
};
use crate::{account::Difference, output::pluralize};

/// Everything that `check` finds in a file.
#[derive(Debug)]
pub struct CheckReport {
    /// Errors and lints, in the order of the file.
    pub findings: Findings,
    /// The results of the tests; `None` if errors prevented them from running.
    pub tests: Option<TestSummary>,
    /// The memory of all compiled regexes in bytes, if it is much of the
    /// function's.
    pub regex_memory: Option<usize>,
}

/// A quarter of the memory that the templates give the function.
const MUCH_MEMORY: usize = (128 << 20) / 4;

impl CheckReport {
    /// Checks a file. `fallback` is the distribution of unmatched changes.
    pub fn new(name: &str, bytes: &[u8], fallback: Option<&DistributionId>) -> Self {
        let mut file = match RulesFile::read(name, bytes) {
            Ok(file) => file,
            Err(findings) => return Self { findings, tests: None, regex_memory: None },
        };
        let mut findings = std::mem::take(&mut file.findings);
        let cases = file_tests::read_tests(&file, &mut findings);
        let mut tests = None;
        if !findings.has_error() {
            let root = file.tree.root();
            tests = Some(file_tests::run(&cases, &file.rules, &mut findings));
            // Last, so that lints do not displace failed tests.
            lint::lint(root, &file.rules, fallback, &mut findings);
        }
        let regex_memory = Some(file.rules.regex_memory()).filter(|bytes| *bytes > MUCH_MEMORY);
        Self { findings: findings.finish(file.text), tests, regex_memory }
    }

    /// The report for people. `differences` are those from the AWS account.
    pub fn text(&self, differences: Option<&[Difference]>) -> String {
        let file = self.findings.file();
        let mut text = String::new();
        if !self.findings.is_empty() {
            text = format!("{}\n", Rendered(&self.findings));
        }
        for Difference { line, message } in differences.unwrap_or_default() {
            text.push_str(&format!("{file}:{line}: {message}\n"));
        }
        if let Some(bytes) = self.regex_memory {
            text.push_str(&format!(
                "{file}: note: the regexes take about {} MB once all of them are compiled; the \
                 templates give the function 128 MB (MemorySize)\n",
                bytes >> 20
            ));
        }
        let account = match differences.map(<[Difference]>::len) {
            None => String::new(),
            Some(0) => "; no differences from the account".to_owned(),
            Some(count) => format!("; {} from the account", pluralize(count, "difference")),
        };
        format!("{text}{file}: {}{account}\n", self.summary())
    }

    /// "3 errors, 1 lint; 5 tests passed", or "2 of 7 tests failed; 1 lint"
    fn summary(&self) -> String {
        let count = |count: usize, noun: &str| match count {
            0 => format!("no {noun}s"),
            count => pluralize(count, noun),
        };
        let lints = count(self.findings.count(Severity::Lint), "lint");
        let tests = match self.tests {
            None => "tests not run".to_owned(),
            Some(TestSummary { passed: 0, failed: 0 }) => "no tests".to_owned(),
            Some(TestSummary { passed, failed: 0 }) => format!("{} passed", count(passed, "test")),
            // Tests run only if there is no error.
            Some(TestSummary { passed, failed }) => {
                return format!(
                    "{failed} of {} failed; {lints}",
                    pluralize(passed + failed, "test")
                );
            }
        };
        format!("{}, {lints}; {tests}", count(self.errors(), "error"))
    }

    /// The number of errors. Failed tests are counted on their own.
    fn errors(&self) -> usize {
        let failed = self.tests.map_or(0, |tests| tests.failed);
        self.findings.count(Severity::Error) - failed
    }

    /// The report for scripts.
    pub fn document<'r>(&'r self, differences: Option<&'r [Difference]>) -> CheckDocument<'r> {
        let findings = &self.findings;
        let entries = findings.iter().map(|finding| {
            let Finding { code, message, path, span, notes, .. } = finding;
            FindingEntry {
                severity: code.severity().name(),
                code: code.name(),
                message,
                path,
                line: span.line,
                column: span.column,
                notes,
                help: suggest::help(finding, findings),
            }
        });
        CheckDocument {
            file: findings.file(),
            errors: self.errors(),
            lints: findings.count(Severity::Lint),
            tests: self.tests,
            findings: entries.collect(),
            truncated: findings.is_full(),
            regex_memory_bytes: self.regex_memory,
            account_differences: differences,
        }
    }
}

/// The report as printed in JSON.
#[derive(Serialize)]
pub struct CheckDocument<'r> {
    file: &'r str,
    errors: usize,
    lints: usize,
    /// `null` if errors prevented the tests from running.
    tests: Option<TestSummary>,
    findings: Vec<FindingEntry<'r>>,
    /// Whether there may be more findings than those listed.
    truncated: bool,
    /// Only if it is more than a quarter of the function's.
    #[serde(skip_serializing_if = "Option::is_none")]
    regex_memory_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_differences: Option<&'r [Difference]>,
}

#[derive(Serialize)]
struct FindingEntry<'r> {
    severity: &'static str,
    code: &'static str,
    message: &'r str,
    path: &'r str,
    line: usize,
    column: usize,
    notes: &'r [String],
    help: Option<String>,
}

#[cfg(test)]
mod tests;
