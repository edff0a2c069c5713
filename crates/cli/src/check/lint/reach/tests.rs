//! A rule that is called unreachable never contributes: random rules and
//! changes, read by the definition.

use proptest::prelude::*;

use s3_cloudfront_invalidator::{
    event::{Change, Identity, Kind, Occurrence},
    rules::{Code, RuleSet},
};

use crate::check::report::CheckReport;

/// Conditions over so few values that they often cover each other.
fn conditions() -> impl Strategy<Value = String> {
    let one = |field: &'static str, values: &'static [&'static str]| {
        proptest::option::weighted(0.4, proptest::sample::subsequence(values, 1..=2)).prop_map(
            move |values| values.map(|values| format!("{field}: [{}]", values.join(", "))),
        )
    };
    let sizes = proptest::option::weighted(0.3, (0u64..4, 0u64..4, any::<bool>(), any::<bool>()))
        .prop_map(|sizes| {
            let Some((one, other, min, max)) = sizes else { return [None, None] };
            [
                min.then(|| format!("min_size: {}", one.min(other))),
                max.then(|| format!("max_size: {}", one.max(other))),
            ]
        });
    (
        one("bucket", &["s", "s*", "st", "t"]),
        one("prefix", &["a", "a/", "a/b", "b"]),
        one("suffix", &["a", ".a", "/b", "b"]),
        one("regex", &["'a.b'", "'^a'", "'^b'", r"'\.a$'"]),
        one("events", &["created", "deleted", "restored"]),
        one("account", &["'111122223333'", "'444455556666'"]),
        sizes,
    )
        .prop_map(|(bucket, prefix, suffix, regex, events, account, sizes)| {
            let all = [bucket, prefix, suffix, regex, events, account].into_iter().chain(sizes);
            all.flatten().collect::<Vec<_>>().join(", ")
        })
}

fn rule() -> impl Strategy<Value = String> {
    let action = prop_oneof![
        Just("ignore: true"),
        Just("invalidate: E1EXAMPLE, stop: true"),
        Just("invalidate: E1EXAMPLE"),
    ];
    let except = proptest::collection::vec(conditions(), 0..=2);
    (conditions(), except, action).prop_map(|(conditions, except, action)| {
        let mut fields = vec![action.to_owned()];
        if !conditions.is_empty() {
            fields.push(conditions);
        }
        if !except.is_empty() {
            let sets: Vec<String> = except.iter().map(|set| format!("{{{set}}}")).collect();
            fields.push(format!("except: [{}]", sets.join(", ")));
        }
        fields.join(", ")
    })
}

fn change() -> impl Strategy<Value = Change> {
    let key = proptest::string::string_regex("[ab./]{0,5}").unwrap();
    let bucket = proptest::sample::select(&["s", "st", "t"][..]);
    let kinds = [Kind::Created, Kind::Deleted, Kind::Restored, Kind::TagsChanged];
    let kind = proptest::sample::select(kinds.to_vec());
    let size = proptest::option::of(0u64..4);
    let account = proptest::option::of(proptest::sample::select(
        &["111122223333", "444455556666", "777788889999"][..],
    ));
    (bucket, key, kind, size, account).prop_map(|(bucket, key, kind, size, account)| Change {
        bucket: bucket.into(),
        identity: Identity::new(bucket, &key, kind, None, Occurrence::Only, None),
        key,
        kind,
        time_ms: None,
        size,
        account: account.map(Into::into),
        region: None,
    })
}

/// The file, and which of its rules are called unreachable, or have only regexes
/// that contradict another condition.
fn unreachable(rules: &[String]) -> (RuleSet, Vec<usize>) {
    let mut yaml = "version: 1\nrules:\n".to_owned();
    for (index, rule) in rules.iter().enumerate() {
        yaml.push_str(&format!("- {{name: r{index}, {rule}}}\n"));
    }
    let report = CheckReport::new("rules.yaml", yaml.as_bytes(), None);
    let set = RuleSet::parse("rules.yaml", yaml.as_bytes()).expect("sound rules");
    let is_never = |index: &usize| {
        let path = format!("rules[{index}].regex");
        let contradictions = report.findings.iter().filter(|finding| {
            finding.code == Code::ContradictoryConditions && finding.path.starts_with(&path)
        });
        let regexes = set.rules()[*index].conditions.regexes.len();
        regexes > 0 && contradictions.count() == regexes
    };
    let lints = report.findings.iter().filter(|finding| finding.code == Code::UnreachableRule);
    // One rule a line, from the third line on.
    let unreachable = lints.map(|finding| finding.span.line - 3);
    let unreachable = unreachable.chain((0..rules.len()).filter(is_never)).collect();
    (set, unreachable)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn unreachable_rules_never_match(
        rules in proptest::collection::vec(rule(), 1..6),
        changes in proptest::collection::vec(change(), 20),
    ) {
        let (set, unreachable) = unreachable(&rules);
        for change in &changes {
            for rule in set.matching_rules(change) {
                let matched = rule.line - 3;
                prop_assert!(!unreachable.contains(&matched), "{rule:?} matched {change:?}");
            }
        }
    }
}

/// The property above says nothing if no rule is ever called unreachable.
#[test]
fn covered_rules_are_found() {
    for (rules, expected) in [
        (["ignore: true", "invalidate: E1EXAMPLE"], vec![1]),
        (["prefix: a/, ignore: true", "prefix: [a/b, a/c], invalidate: E1EXAMPLE"], vec![1]),
        (["prefix: a/, ignore: true", "prefix: [a/b, b], invalidate: E1EXAMPLE"], vec![]),
        (["prefix: a/b, ignore: true", "prefix: a/, invalidate: E1EXAMPLE"], vec![]),
        (["suffix: .a, ignore: true", "suffix: b.a, invalidate: E1EXAMPLE"], vec![1]),
        (["bucket: s*, ignore: true", "bucket: st, invalidate: E1EXAMPLE"], vec![1]),
        (["bucket: s*, ignore: true", "bucket: st*, invalidate: E1EXAMPLE"], vec![1]),
        (["bucket: st, ignore: true", "bucket: st*, invalidate: E1EXAMPLE"], vec![]),
        (["bucket: s, ignore: true", "prefix: a, invalidate: E1EXAMPLE"], vec![]),
        (["regex: a, ignore: true", "regex: a, prefix: b, invalidate: E1EXAMPLE"], vec![1]),
        (["regex: a, ignore: true", "prefix: a, invalidate: E1EXAMPLE"], vec![]),
        (
            ["regex: ^a, ignore: true", "prefix: [b, c], regex: ^a, invalidate: E1EXAMPLE"],
            vec![1, 1],
        ),
        (["regex: ^a, ignore: true", "suffix: a, regex: [^a, b$], invalidate: E1EXAMPLE"], vec![]),
        (["suffix: b, ignore: true", "suffix: a, regex: [b$, c$], invalidate: E1EXAMPLE"], vec![1]),
        (["events: created, ignore: true", "invalidate: E1EXAMPLE"], vec![]),
        (["events: [created, deleted], ignore: true", "invalidate: E1EXAMPLE"], vec![1]),
        (["stop: true, invalidate: E1EXAMPLE", "invalidate: E2EXAMPLE"], vec![1]),
        (["stop: true, invalidate: E1EXAMPLE", "ignore: true"], vec![]),
        (["invalidate: E1EXAMPLE", "invalidate: E2EXAMPLE"], vec![]),
        (["ignore: true, except: {prefix: a}", "prefix: b, invalidate: E1EXAMPLE"], vec![]),
        (["min_size: 5, ignore: true", "min_size: 6, invalidate: E1EXAMPLE"], vec![1]),
        (["min_size: 0, ignore: true", "max_size: 6, invalidate: E1EXAMPLE"], vec![1]),
        (["min_size: 0, ignore: true", "invalidate: E1EXAMPLE"], vec![]),
        (["max_size: 5, ignore: true", "min_size: 1, invalidate: E1EXAMPLE"], vec![]),
        (["prefix: a, ignore: true, except: {}", "prefix: a, invalidate: E1EXAMPLE"], vec![0]),
        (
            ["prefix: b, ignore: true", "prefix: a/b, invalidate: E1EXAMPLE, except: {prefix: a}"],
            vec![1],
        ),
    ] {
        let rules = rules.map(str::to_owned);
        assert_eq!(unreachable(&rules).1, expected, "{rules:?}");
    }
}
