use proptest::{prelude::*, test_runner::TestCaseError};
use s3_cloudfront_invalidator::rules::{Code, RuleSet};

use super::*;

fn check(bytes: &[u8]) -> CheckReport {
    CheckReport::new("rules.yaml", bytes, None)
}

#[test]
fn a_target_of_the_fallback_is_in_use() {
    let yaml = b"version: 1\ntargets: { www: E1EXAMPLE }\n";
    let id = |text: &str| DistributionId::distribution(text).unwrap();
    let lints = |fallback: Option<DistributionId>| {
        CheckReport::new("rules.yaml", yaml, fallback.as_ref()).findings.count(Severity::Lint)
    };
    assert_eq!(lints(None), 1);
    assert_eq!(lints(Some(id("E1EXAMPLE"))), 0);
    assert_eq!(lints(Some(id("E2EXAMPLE"))), 1);
}

#[test]
fn the_number_of_findings_is_limited() {
    for rule in ["{ignore: true},", "{name: a, nmae: b, ignore: true},", "1,", "{name: 1, x: 2},"] {
        let yaml = format!("version: 1\nrules: [{}]\n", rule.repeat(1_500));
        let report = check(yaml.as_bytes());
        assert_eq!(report.findings.iter().count(), 200, "{rule}");
        assert!(report.findings.is_full(), "{rule}");
        assert!(report.text(None).contains("only the first 200 findings are shown"), "{rule}");
    }
}

#[test]
fn much_memory_of_regexes_is_reported() {
    let rules = |count: usize| {
        let rule = |n| {
            format!("  - {{name: r{n}, regex: '^{n}[\\w-]{{1,40}}$', invalidate: E1EXAMPLE}}\n")
        };
        format!("version: 1\nrules:\n{}", (0..count).map(rule).collect::<String>())
    };
    for (count, reported) in [(5, false), (15, true)] {
        let report = check(rules(count).as_bytes());
        assert!(!report.findings.has_error(), "{}", report.text(None));
        assert_eq!(report.text(None).contains("the regexes take about "), reported);
        assert_eq!(report.document(None).regex_memory_bytes.is_some(), reported);
    }
}

const SHIPPED: &str = include_str!("../../../../../rules.yaml");

#[test]
fn the_shipped_file_has_no_errors() {
    let report = check(SHIPPED.as_bytes());
    assert!(!report.findings.has_error(), "{}", report.text(None));
}

/// A file loads if and only if `check` finds no error outside of its tests. A
/// duplicate field is an error wherever it is.
/// Nothing panics, and every finding is at a place in the file.
fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let loaded = RuleSet::parse("rules.yaml", bytes);
    let report = check(bytes);
    let errors = report.findings.iter().filter(|finding| {
        let is_of_tests = finding.path.starts_with("tests") && finding.code != Code::DuplicateField;
        finding.code.severity() == Severity::Error && !is_of_tests
    });
    prop_assert_eq!(loaded.is_ok(), errors.count() == 0, "{}", report.text(None));
    let lines = String::from_utf8_lossy(bytes).split(['\n', '\r']).count();
    for finding in report.findings.iter() {
        prop_assert!(finding.span.line >= 1 && finding.span.line <= lines, "{finding:?}");
        prop_assert!(finding.span.column >= 1, "{finding:?}");
    }
    if let Err(findings) = loaded {
        prop_assert!(findings.has_error());
    }
    Ok(())
}

/// The files of the command-line cases, broken in many ways.
#[test]
fn check_and_function_agree_on_the_cases() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd/check");
    let mut files = 0;
    for folder in ["broken.in", "clean.in"] {
        for entry in std::fs::read_dir(format!("{cases}/{folder}")).unwrap() {
            agree(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            files += 1;
        }
    }
    assert!(files > 10, "{files}");
    agree(b"version: 1\ntests: [{key: s3://b/k, key: s3://b/k, expect: ignored}]").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn check_and_function_agree_on_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        agree(&bytes)?;
    }

    #[test]
    fn check_and_function_agree_on_yaml(
        text in proptest::string::string_regex(r"([a-c:?\-\[\]{},&*#|>'!%@ \n\t]|version: 1\n|rules:|- )*").unwrap()
    ) {
        agree(text.as_bytes())?;
    }

    /// The shipped file with a few pieces replaced.
    #[test]
    fn check_and_function_agree_on_slips(
        slips in proptest::collection::vec(
            (any::<proptest::sample::Index>(), 0usize..12, "[a-z:\\-\\[\\]{},*'\" \n0-9]{0,6}"), 1..4)
    ) {
        let mut text = SHIPPED.to_owned();
        for (place, length, with) in slips {
            // rules.yaml is plain ASCII, and so is what is put in.
            let start = place.index(text.len());
            let end = (start + length).min(text.len());
            text.replace_range(start..end, &with);
        }
        agree(text.as_bytes())?;
    }
}
