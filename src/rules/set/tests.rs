use proptest::prelude::*;

use crate::{
    distribution::Role,
    event::{Identity, Kind, Occurrence},
    item::PlusSpelling,
    rules::{Code, MAX_FILE_BYTES, Severity},
};

use super::*;

fn parse(yaml: &str) -> RuleSet {
    RuleSet::parse("rules.yaml", format!("version: 1\n{yaml}").as_bytes())
        .unwrap_or_else(|findings| panic!("{findings}"))
}

/// The codes of all findings, each with its place.
fn findings(bytes: &[u8]) -> Vec<(Code, usize, usize)> {
    let report = RuleSet::check("rules.yaml", bytes, None);
    report.findings.iter().map(|one| (one.code, one.line, one.column)).collect()
}

fn change(kind: Kind, bucket: &str, key: &str) -> Change {
    Change {
        bucket: bucket.into(),
        key: key.to_owned(),
        kind,
        time_ms: None,
        size: None,
        account: None,
        region: None,
        identity: Identity::new(bucket, key, kind, None, Occurrence::Only, None),
    }
}

fn items(set: &RuleSet, decision: &Decision) -> Vec<String> {
    let items = decision.contributions.iter().map(|one| {
        let name = &set.target(one.target).name;
        format!("{name} {}", one.item.as_ref().map_or("?", |addressed| addressed.item.as_str()))
    });
    items.collect()
}

#[test]
fn targets_inherit_defaults() {
    let set = parse(
        "defaults:
  origin_path: /x
  role_arn: arn:aws:iam::444455556666:role/r
  external_id: abc
  collapse: { above: 7, weight: 2 }
  plus: raw
targets:
  short: E1EXAMPLE1WWW
  long: { tenant: dt_1a, origin_path: y/z/, default_root_object: null, index_documents: a, plus: encoded, collapse: { weight: 9 } }
  own: { distribution: E2EXAMPLE, role_arn: null, external_id: null, collapse: false, query_strings: true, directory_redirects: true }
  again: { distribution: E2EXAMPLE, role_arn: arn:aws:iam::111122223333:role/p/r, collapse: true, index_documents: [b, c] }
rules:
  - { name: r, invalidate: [E3EXAMPLE, E3EXAMPLE, short] }
",
    );
    let target = |name: &str| set.targets().iter().find(|target| &*target.name == name).unwrap();
    let role = |arn: &str| Some(Role { arn: arn.to_owned(), external_id: Some("abc".to_owned()) });
    let shared = Collapse { above: 7, weight: 2, ..Collapse::default() };
    for name in ["short", "E3EXAMPLE"] {
        let target = target(name);
        assert_eq!(target.paths.origin_path(), "/x");
        assert_eq!(target.paths.plus, PlusSpelling::Raw);
        assert_eq!(target.distribution.role, role("arn:aws:iam::444455556666:role/r"));
        assert_eq!(target.collapse, Some(shared));
    }
    let long = target("long");
    assert_eq!(long.distribution.id.as_str(), "dt_1a");
    assert_eq!(long.paths.origin_path(), "/y/z");
    assert_eq!(long.paths.default_root_object, None);
    assert_eq!(long.paths.index_documents, ["a"]);
    assert_eq!(long.paths.plus, PlusSpelling::Encoded);
    assert_eq!(long.collapse, Some(Collapse { weight: 9, ..shared }));
    let own = target("own");
    assert_eq!((&own.distribution.role, own.collapse), (&None, None));
    assert!(own.paths.query_strings && own.paths.directory_redirects);
    let again = target("again");
    assert_eq!(again.distribution.role, role("arn:aws:iam::111122223333:role/p/r"));
    assert_eq!(again.paths.index_documents, ["b", "c"]);
    assert_eq!(again.collapse, Some(shared));
    // Bare ids come after the targets of the file, each once.
    let names: Vec<&str> = set.targets().iter().map(|target| &*target.name).collect();
    assert_eq!(names, ["short", "long", "own", "again", "E3EXAMPLE"]);
}

#[test]
fn rules_are_what_is_written() {
    let set = parse(
        "rules:
  - name: one
    bucket: [a, b*]
    account: [012345678901, 111122223333]
    events: deleted
    except: { prefix: x }
    invalidate: E1EXAMPLE
    stop: true
  - { name: two, ignore: true }
  - { name: three, invalidate: { target: E1EXAMPLE, tags: [t, u] } }
  - { name: four, invalidate: { target: E1EXAMPLE, paths: [], tags: t } }
",
    );
    let rule = |index: usize| &set.rules()[index];
    assert_eq!(&*rule(3).name, "four");
    assert_eq!((rule(0).line, rule(1).line), (3, 10));
    assert_eq!(rule(0).conditions.accounts, ["012345678901", "111122223333"]);
    assert_eq!(rule(0).conditions.events, Some(vec![Kind::Deleted]));
    assert_eq!(rule(0).except[0].events, None);
    assert_eq!(rule(1).conditions.events, None);
    assert_eq!(rule(2).conditions.events, Some(vec![Kind::Created, Kind::Deleted]));
    let made = |index: usize| match &rule(index).action {
        crate::rules::Action::Ignore => None,
        crate::rules::Action::Invalidate { targets, stop } => {
            let texts = targets[0].paths.iter().map(ToString::to_string);
            let texts = texts.chain(targets[0].tags.iter().map(ToString::to_string));
            Some((texts.collect::<Vec<_>>().join(" "), *stop))
        }
    };
    assert_eq!(made(0), Some(("{path}".to_owned(), true)));
    assert_eq!(made(1), None);
    assert_eq!(made(2), Some(("{path} t u".to_owned(), false)));
    assert_eq!(made(3), Some(("t".to_owned(), false)));
}

#[test]
fn unmatched_changes_go_to_the_fallback() {
    const RULES: &str = "
targets:
  www: { distribution: E1EXAMPLE, origin_path: /public, collapse: false }
  other: { distribution: E1EXAMPLE, origin_path: /other }
rules:
  - { name: docs, prefix: public/docs/, invalidate: www }
  - { name: drafts, prefix: public/drafts/, ignore: true }
";
    let route = |set: &RuleSet, kind, key: &str| {
        let decision = set.route(&change(kind, "b", key));
        (decision.verdict, items(set, &decision))
    };
    let own = parse(RULES).with_fallback(DistributionId::Distribution("E1EXAMPLE".into()));
    let foreign = parse(RULES).with_fallback(DistributionId::Distribution("E9EXAMPLE".into()));
    let none = parse(RULES);
    let one = |item: &str| vec![item.to_owned()];
    for (kind, key, verdict, by_own, by_foreign) in [
        (Kind::Created, "public/docs/a", Verdict::Matched, one("www /docs/a"), one("www /docs/a")),
        (Kind::Created, "public/drafts/a", Verdict::Ignored, vec![], vec![]),
        (
            Kind::Created,
            "public/a",
            Verdict::Unmatched,
            one("DistributionId /a"),
            one("DistributionId /public/a"),
        ),
        (Kind::Deleted, "a", Verdict::Unmatched, vec![], one("DistributionId /a")),
        (Kind::TagsChanged, "public/a", Verdict::Unmatched, vec![], vec![]),
    ] {
        assert_eq!(route(&own, kind, key), (verdict, by_own), "{key}");
        assert_eq!(route(&foreign, kind, key), (verdict, by_foreign), "{key}");
        let decision = none.route(&change(kind, "b", key));
        assert_eq!(decision, own.decide(&change(kind, "b", key)), "{key}");
    }
    assert_eq!(own.fallback(), Some(TargetIndex(2)));
    assert_eq!(own.target(TargetIndex(2)).collapse, None);
    assert_eq!(&*own.target(TargetIndex(2)).name, FALLBACK_TARGET);
    assert_eq!(foreign.target(TargetIndex(2)).collapse, Some(Collapse::default()));
}

#[test]
fn a_target_of_the_fallback_is_in_use() {
    let yaml = b"version: 1\ntargets: { www: E1EXAMPLE }\n";
    let id = |text: &str| DistributionId::distribution(text).unwrap();
    let lints = |fallback: Option<DistributionId>| {
        RuleSet::check("rules.yaml", yaml, fallback.as_ref()).findings.count(Severity::Lint)
    };
    assert_eq!(lints(None), 1);
    assert_eq!(lints(Some(id("E1EXAMPLE"))), 0);
    assert_eq!(lints(Some(id("E2EXAMPLE"))), 1);
}

#[test]
fn what_is_no_file_is_refused() {
    let padded = |bytes: usize| {
        let mut yaml = b"version: 1\n#".to_vec();
        yaml.resize(bytes, b'x');
        yaml
    };
    assert_eq!(findings(&padded(MAX_FILE_BYTES)), []);
    assert_eq!(findings(&padded(MAX_FILE_BYTES + 1)), [(Code::FileTooLarge, 1, 1)]);
    assert_eq!(findings(b"version: 1\n# \xc3\xa4\xff\n"), [(Code::NotUtf8, 2, 4)]);
    assert_eq!(findings(b"\xef\xbb\xbfversion: 1\n"), []);
    assert_eq!(findings(b""), [(Code::MissingField, 1, 1)]);
    assert_eq!(findings(b"# nothing\n"), [(Code::MissingField, 1, 1)]);
    assert_eq!(findings(b"a\n"), [(Code::WrongType, 1, 1)]);
    assert_eq!(findings("[".repeat(100).as_bytes()), [(Code::NestedTooDeeply, 1, 65)]);
    // Names of fields that are no names.
    assert_eq!(findings(b"version: 1\n? [a]\n: b\n"), [(Code::Syntax, 2, 3)]);
}

#[test]
fn findings_are_as_many_as_anyone_reads() {
    for rule in ["{ignore: true},", "{name: a, nmae: b, ignore: true},", "1,", "{name: 1, x: 2},"] {
        let yaml = format!("version: 1\nrules: [{}]\n", rule.repeat(1_500));
        let report = RuleSet::check("rules.yaml", yaml.as_bytes(), None);
        assert_eq!(report.findings.iter().count(), 200, "{rule}");
        assert!(report.findings.is_full(), "{rule}");
        let text = report.findings.to_string();
        assert!(text.ends_with("after 200 findings no more are looked for\n"), "{text}");
    }
}

const SHIPPED: &str = include_str!("../../../rules.yaml");

#[test]
fn the_shipped_file_is_sound() {
    let report = RuleSet::check("rules.yaml", SHIPPED.as_bytes(), None);
    // Users put their own file in its place; lints are theirs to judge.
    assert!(!report.findings.has_error(), "{}", report.findings);
}

/// What `check` has no error in loads, and the other way round; whatever the
/// bytes, nothing panics, and every finding stands in the file.
fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let loaded = RuleSet::parse("rules.yaml", bytes);
    let report = RuleSet::check("rules.yaml", bytes, None);
    let errors = report.findings.iter().filter(|finding| {
        finding.code.severity() == Severity::Error && finding.code != Code::FailedTest
    });
    prop_assert_eq!(loaded.is_ok(), errors.count() == 0, "{}", report.findings);
    let lines = String::from_utf8_lossy(bytes).split(['\n', '\r']).count();
    for finding in &report.findings {
        prop_assert!(finding.line >= 1 && finding.line <= lines, "{finding:?}");
        prop_assert!(finding.column >= 1, "{finding:?}");
    }
    if let Err(findings) = loaded {
        prop_assert!(findings.has_error());
    }
    Ok(())
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
