use crate::{
    distribution::Role,
    event::Kind,
    item::PlusSpelling,
    rules::{Code, Finding, load::MAX_FILE_BYTES},
    target::{Exclusion, ExclusionSource},
};

use super::*;

fn parse(yaml: &str) -> RuleSet {
    RuleSet::parse("rules.yaml", format!("version: 1\n{yaml}").as_bytes())
        .unwrap_or_else(|findings| panic!("{findings}"))
}

/// The codes of all errors, each with its location.
fn errors(bytes: &[u8]) -> Vec<(Code, usize, usize)> {
    let location = |Finding { code, span, .. }: &Finding| (*code, span.line, span.column);
    let errors = RuleSet::parse("rules.yaml", bytes).err();
    errors.iter().flat_map(Findings::iter).map(location).collect()
}

fn change(kind: Kind, bucket: &str, key: &str) -> Change {
    Change::listed(bucket, key, kind)
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
        crate::rules::Action::Ignore { .. } => None,
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
fn invalid_files_are_refused() {
    let padded = |bytes: usize| {
        let mut yaml = b"version: 1\n#".to_vec();
        yaml.resize(bytes, b'x');
        yaml
    };
    assert_eq!(errors(&padded(MAX_FILE_BYTES)), []);
    assert_eq!(errors(&padded(MAX_FILE_BYTES + 1)), [(Code::FileTooLarge, 1, 1)]);
    assert_eq!(errors(b"version: 1\n# \xc3\xa4\xff\n"), [(Code::NotUtf8, 2, 4)]);
    assert_eq!(errors(b"\xef\xbb\xbfversion: 1\n"), []);
    assert_eq!(errors(b""), [(Code::MissingField, 1, 1)]);
    assert_eq!(errors(b"# nothing\n"), [(Code::MissingField, 1, 1)]);
    assert_eq!(errors(b"a\n"), [(Code::WrongType, 1, 1)]);
    assert_eq!(errors("[".repeat(100).as_bytes()), [(Code::NestedTooDeeply, 1, 65)]);
    assert_eq!(errors(b"version: 1\n? [a]\n: b\n"), [(Code::Syntax, 2, 3)]);
}

#[test]
fn findings_display_as_one_line_each() {
    let yaml = "version: 1\ntargets:\n  www: { distribution: E1EXAMPLE, originPath: /a }\nrules: \"\\e\"\n";
    let expected = "\
rules.yaml:3:35: error[unknown-field]: a target has no field `originPath`
rules.yaml:4:8: error[wrong-type]: expected a list of rules, found `\\u{1b}`";
    assert_eq!(RuleSet::parse("rules.yaml", yaml.as_bytes()).unwrap_err().to_string(), expected);
}

#[test]
fn the_function_ignores_tests() {
    assert_eq!(errors(b"version: 1\ntests: [{ key: 1, expected: unmatched }]\n"), []);
}

/// One line for each exclusion of the target `www`.
fn excluded(yaml: &str) -> Vec<String> {
    let set = parse(yaml);
    let target = set.targets().iter().find(|target| &*target.name == "www").expect("www");
    let by_rule = target.excluded.by_rule.values().flatten();
    let lines =
        target.excluded.always.iter().chain(by_rule).map(
            |Exclusion { prefix, source }| match source {
                ExclusionSource::Protect => format!("{prefix} protect"),
                ExclusionSource::Ignore(rule) => format!("{prefix} ignore {rule}"),
                ExclusionSource::Except(rule) => format!("{prefix} except {rule}"),
            },
        );
    lines.collect()
}

#[test]
fn ignored_prefixes_exclude() {
    for (conditions, expected) in [
        ("prefix: docs/preview/", &["/docs/preview/ ignore i"][..]),
        ("prefix: [a, b/]", &["/a ignore i", "/b/ ignore i"]),
        ("prefix: 'a b'", &["/a%20b ignore i"]),
        ("prefix: c++/", &["/c++/ ignore i", "/c%2B%2B/ ignore i"]),
        ("prefix: docs/, bucket: example-site", &["/docs/ ignore i"]),
        ("prefix: docs/, bucket: [other, example-*]", &["/docs/ ignore i"]),
        ("prefix: docs/, events: deleted", &["/docs/ ignore i"]),
        // Not of this target.
        ("prefix: docs/, bucket: other", &[]),
        ("prefix: docs/, bucket: example-sites-*", &[]),
        // It is not about content.
        ("prefix: docs/, events: tags_changed", &[]),
        // Something else decides.
        ("prefix: docs/, suffix: .map", &[]),
        ("prefix: docs/, regex: x", &[]),
        ("prefix: docs/, account: '111122223333'", &[]),
        ("prefix: docs/, region: eu-west-1", &[]),
        ("prefix: docs/, min_size: 1", &[]),
        ("prefix: docs/, max_size: 1", &[]),
        ("prefix: docs/, except: { prefix: docs/a/ }", &[]),
        ("suffix: .map", &[]),
        // All of it.
        ("prefix: ''", &[]),
        ("bucket: example-site", &[]),
        ("prefix: docs/, allow_wildcards: true", &[]),
    ] {
        let yaml = format!(
            "targets: {{ www: E1EXAMPLE1WWW }}
rules:
  - {{ name: i, ignore: true, {conditions} }}
  - {{ name: r, bucket: example-site, invalidate: www }}
  - {{ name: o, bucket: other, invalidate: E2EXAMPLE2BLOG }}
"
        );
        assert_eq!(excluded(&yaml), expected, "{conditions}");
    }
}

#[test]
fn exclusions_are_where_viewers_see_the_keys() {
    for (settings, prefix, expected) in [
        ("origin_path: public", "public/docs/", &["/docs/ ignore i"][..]),
        ("viewer_prefix: /media", "docs/", &["/media/docs/ ignore i"]),
        ("viewer_prefix: /media, origin_path: public", "public/a", &["/media/a ignore i"]),
        ("viewer_prefix: /media, protect: [/media/x/]", "''", &["/media/x/ protect"]),
        ("clean_urls: true", "docs/", &["/docs/ ignore i"]),
        // All that the target serves, and nothing of it.
        ("origin_path: public", "public/", &[]),
        ("origin_path: public", "pub", &[]),
        ("origin_path: public", "docs/", &[]),
        ("viewer_prefix: /media, origin_path: public", "public/", &[]),
    ] {
        let yaml = format!(
            "targets: {{ www: {{ distribution: E1EXAMPLE1WWW, {settings} }} }}
rules:
  - {{ name: i, ignore: true, prefix: {prefix} }}
  - {{ name: r, invalidate: www }}
"
        );
        assert_eq!(excluded(&yaml), expected, "{settings} {prefix}");
    }
}

#[test]
fn excepted_prefixes_exclude_for_their_rule() {
    for (except, expected) in [
        ("{ prefix: drafts/ }", &["/drafts/ except r"][..]),
        ("[{ prefix: [a/, b/] }, { suffix: .map }]", &["/a/ except r", "/b/ except r"]),
        ("{ prefix: drafts/, bucket: example-site }", &["/drafts/ except r"]),
        ("{ prefix: drafts/, bucket: other }", &[]),
        ("{ prefix: drafts/, regex: x }", &[]),
        ("{ prefix: drafts/, events: restored }", &[]),
    ] {
        let yaml = format!(
            "targets: {{ www: E1EXAMPLE1WWW }}
rules: [{{ name: r, bucket: example-site, invalidate: www, except: {except} }}]
"
        );
        assert_eq!(excluded(&yaml), expected, "{except}");
    }
}

#[test]
fn targets_of_one_distribution_protect_together() {
    let set = parse(
        "targets:
  www: { distribution: E1EXAMPLE1WWW, protect: [/preview/, '/a b'] }
  feeds: { distribution: E1EXAMPLE1WWW, protect: [/x%20y/, /caf%c3%a9/, /%2Dc++/] }
  blog: E2EXAMPLE2BLOG
rules:
  - { name: r, invalidate: [E1EXAMPLE1WWW, blog] }
",
    )
    .with_fallback(DistributionId::distribution("E1EXAMPLE1WWW").unwrap());
    // As the paths of keys are spelled, and in both spellings of `+`.
    let all = ["/-c%2B%2B/", "/-c++/", "/a%20b", "/caf%C3%A9/", "/preview/", "/x%20y/"];
    for name in ["www", "feeds", "E1EXAMPLE1WWW", FALLBACK_TARGET] {
        let target = set.targets().iter().find(|target| &*target.name == name).unwrap();
        assert_eq!(target.paths.protect, all, "{name}");
        let prefixes: Vec<&str> =
            target.excluded.always.iter().map(|exclusion| &*exclusion.prefix).collect();
        assert_eq!(prefixes, all, "{name}");
    }
    let blog = set.targets().iter().find(|target| &*target.name == "blog").unwrap();
    assert!(blog.paths.protect.is_empty() && blog.excluded == Excluded::default());
}

/// Unmatched changes come from every bucket.
#[test]
fn every_ignored_prefix_excludes_for_the_fallback() {
    let set = parse(
        "rules:
  - { name: i, ignore: true, bucket: other, prefix: preview/ }
  - { name: j, ignore: true, bucket: other, prefix: assets/, allow_wildcards: true }
",
    )
    .with_fallback(DistributionId::distribution("E9FALLBACK").unwrap());
    let excluded = &set.targets()[0].excluded.always;
    assert_eq!(excluded.iter().map(|one| &*one.prefix).collect::<Vec<_>>(), ["/preview/"]);
}

#[test]
fn a_wildcard_of_a_rule_within_what_is_protected_is_an_error() {
    for (path, is_error) in [
        ("/*", true),
        ("/docs/*", true),
        ("/docs/pre*", true),
        ("/docs/preview/*", true),
        ("/docs/preview/{file}*", true),
        ("/docs/preview/", false),
        ("/docs/a*", false),
        ("/blog/*", false),
        // It depends on the key.
        ("{dir}*", false),
        ("/docs/{file}*", false),
    ] {
        let yaml = format!(
            "version: 1
targets: {{ www: {{ distribution: E1EXAMPLE1WWW, protect: /docs/preview/ }} }}
rules: [{{ name: r, invalidate: {{ target: www, paths: ['{{path}}', '{path}'] }} }}]
"
        );
        let codes: Vec<Code> = errors(yaml.as_bytes()).into_iter().map(|(code, ..)| code).collect();
        assert_eq!(codes, vec![Code::ProtectedPath; usize::from(is_error)], "{path}");
    }
}

#[test]
fn all_regexes_of_a_file_share_one_limit() {
    let rules = |count: usize, regex: &str| {
        let rule =
            |n| format!("  - {{name: r{n}, regex: ['{regex}', x{n}], invalidate: E1EXAMPLE}}\n");
        format!("version: 1\nrules:\n{}", (0..count).map(rule).collect::<String>())
    };
    let large = r"^[\w-]{1,40}/[\w-]+$";
    let few = RuleSet::parse("rules.yaml", rules(12, large).as_bytes()).unwrap();
    assert!((32 << 20..64 << 20).contains(&few.regex_memory()), "{}", few.regex_memory());
    // One finding, at the regexes of the first rule that is too much.
    assert_eq!(errors(rules(40, large).as_bytes()), [(Code::RegexesTooLarge, 23, 24)]);
    let except =
        rules(40, large).replace("regex: [", "except: {regex: [").replace("], inv", "]}, inv");
    assert_eq!(errors(except.as_bytes()), [(Code::RegexesTooLarge, 23, 25)]);
    // A large number of ordinary regexes is no error.
    let many = RuleSet::parse("rules.yaml", rules(5_000, "^docs/[a-z]{2}/").as_bytes()).unwrap();
    assert!(many.regex_memory() > 128 << 20);
}

#[test]
fn findings_do_not_show_an_external_id() {
    for (external_id, extra) in [
        ("s3cr3t!!", ""),
        ("'s3cr3t!!'", ""),
        ("[s3cr3t]", ""),
        ("s3cr3t", ", colapse: false"),
        ("s3cr3t", ", collapse: ]"),
    ] {
        let target = format!("{{distribution: E1EXAMPLE, external_id: {external_id}{extra}}}");
        let yaml = format!("version: 1\ntargets:\n  a: {target}\n");
        let findings = RuleSet::parse("rules.yaml", yaml.as_bytes()).unwrap_err();
        let line = findings.line(3);
        assert!(line.contains("external_id: *"), "{line}");
        let shown = format!("{findings}\n{line}\n{:?}", findings.iter().collect::<Vec<_>>());
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
    let number = "version: 1\ntargets: {a: {distribution: E1EXAMPLE, external_id: 12345}}";
    let findings = RuleSet::parse("rules.yaml", number.as_bytes()).unwrap_err();
    assert!(!format!("{findings:?}").contains("12345"), "{findings:?}");
}

#[test]
fn many_errors_take_no_square_of_time() {
    const MANY: usize = 200_000;
    let fields: String = (0..MANY).map(|n| format!("f{n}: 1, ")).collect();
    for (rest, path) in [
        (format!("prefix: [{}]", "1, ".repeat(MANY)), "rules[0].prefix[0]"),
        (format!("except: [{}]", "1, ".repeat(MANY)), "rules[0].except[0]"),
        (fields, "rules[0].f0"),
    ] {
        let yaml = format!("version: 1\nrules: [{{name: r, invalidate: E1EXAMPLE, {rest}}}]\n");
        let findings = RuleSet::parse("rules.yaml", yaml.as_bytes()).unwrap_err();
        assert_eq!(findings.iter().count(), crate::rules::MAX_FINDINGS, "{path}");
        assert_eq!(findings.iter().next().unwrap().path, path);
    }
}
