use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*, sample::select};
use s3_cloudfront_invalidator::{
    event::{self, Kind},
    rules::{Action, BucketPattern, Conditions, ExceptSets, Rule, RuleRegex, RuleSet},
};
use serde_json::{Value, json};

use super::{
    EventPatterns, PatternLimits, PatternOptions, bucket_pattern, complexity::complexity,
    evaluate::matches, event_patterns, json, row::kind_detail_types,
};

/// Makes the patterns for rules that have these conditions, or `ignore`.
fn made(conditions: &[&str], options: &PatternOptions) -> EventPatterns {
    let rules = conditions.iter().zip(1..).map(|(conditions, number)| {
        let action = if conditions.contains("ignore") { "" } else { "invalidate: E1EXAMPLE," };
        format!("  - {{ name: r{number}, {action} {conditions} }}\n")
    });
    let text = format!("version: 1\nrules:\n{}", rules.collect::<String>());
    let rules = RuleSet::parse("rules.yaml", text.as_bytes()).expect(&text);
    event_patterns(rules.rules(), options)
}

/// The patterns for rules with these conditions.
fn patterns(conditions: &[&str]) -> Vec<Value> {
    let made = made(conditions, &PatternOptions::default());
    assert!(!made.widened);
    made.patterns
}

/// A pattern for creations and deletions with this `detail`.
fn content(detail: &Value) -> Value {
    json!({
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": detail,
    })
}

/// A pattern for creations and deletions of these keys in the bucket `a`.
fn keys(entries: &Value) -> Value {
    content(&json!({"bucket": {"name": ["a"]}, "object": {"key": entries}}))
}

#[test]
fn one_rule() {
    let all = content(&json!({"bucket": {"name": ["a"]}}));
    for (conditions, expected) in [
        ("bucket: a", all.clone()),
        ("bucket: a-*", content(&json!({"bucket": {"name": [{"prefix": "a-"}]}}))),
        ("bucket: a, prefix: ['']", all.clone()),
        ("bucket: a, prefix: [x/, y/]", keys(&json!([{"prefix": "x/"}, {"prefix": "y/"}]))),
        // A covered prefix is left out.
        ("bucket: a, prefix: [x/, x/y/]", keys(&json!([{"prefix": "x/"}]))),
        ("bucket: a, suffix: .html", keys(&json!([{"suffix": ".html"}]))),
        ("bucket: a, prefix: img/, suffix: /i", keys(&json!(["img/i", {"wildcard": "img/*/i"}]))),
        // The literals of a regex, narrowed by prefixes and suffixes.
        (r"bucket: a, regex: '^docs/\d+/(a|b)/'", keys(&json!([{"prefix": "docs/"}]))),
        (
            "bucket: a, regex: ['^docs/[0-9]/', '^x/[ab]/']",
            keys(&json!([{"prefix": "docs/"}, {"prefix": "x/a/"}, {"prefix": "x/b/"}])),
        ),
        (
            "bucket: a, regex: [^x/, ^y/z/], prefix: [x/a/, y/]",
            keys(&json!([{"prefix": "x/a/"}, {"prefix": "y/z/"}])),
        ),
        (r"bucket: a, regex: '\d\.jpg$', suffix: jpg", keys(&json!([{"suffix": ".jpg"}]))),
        ("bucket: a, regex: [^x/, y]", all),
    ] {
        assert_eq!(patterns(&[conditions]), [expected], "{conditions}");
    }
}

#[test]
fn several_rules() {
    // Buckets with the same keys share an alternative.
    assert_eq!(
        patterns(&["bucket: a, prefix: x/", "bucket: b, prefix: x/", "bucket: c, suffix: .js"]),
        [content(&json!({"$or": [
            {"bucket": {"name": ["a", "b"]}, "object": {"key": [{"prefix": "x/"}]}},
            {"bucket": {"name": ["c"]}, "object": {"key": [{"suffix": ".js"}]}},
        ]}))]
    );
    // Other kinds, accounts and regions are in the alternative that needs them.
    assert_eq!(
        patterns(&[
            "bucket: a, prefix: x/",
            "bucket: a, events: tags_changed, account: '111122223333'",
        ]),
        [json!({"source": ["aws.s3"], "$or": [
            {"detail-type": ["Object Created", "Object Deleted"],
             "detail": {"bucket": {"name": ["a"]}, "object": {"key": [{"prefix": "x/"}]}}},
            {"detail-type": ["Object Tags Added", "Object Tags Deleted"],
             "account": ["111122223333"], "detail": {"bucket": {"name": ["a"]}}},
        ]})]
    );
    // A rule without a condition matches everything. `ignore` rules count for nothing.
    let made = |conditions: &[&str]| made(conditions, &PatternOptions::default());
    let every = made(&["bucket: a, prefix: x/", "", "ignore: true"]);
    assert_eq!(
        every.patterns,
        [json!({"source": ["aws.s3"], "detail-type": ["Object Created", "Object Deleted"]})]
    );
    assert!(every.every_bucket);
    assert_eq!(made(&["ignore: true"]).patterns, Vec::<Value>::new());
}

#[test]
fn the_fallback_needs_every_key() {
    let options = PatternOptions {
        fallback: true,
        fallback_buckets: vec![bucket_pattern("other")],
        ..PatternOptions::default()
    };
    assert_eq!(
        made(&["bucket: a, prefix: x/, suffix: .html"], &options).patterns,
        [content(&json!({"bucket": {"name": ["a", "other"]}}))]
    );
    // Without any bucket, events of all buckets are delivered.
    let options = PatternOptions { fallback: true, ..PatternOptions::default() };
    assert!(event_patterns(&[], &options).every_bucket);
}

#[test]
fn rules_are_split_before_they_are_widened() {
    let prefixes: Vec<String> = (0..200).map(|i| format!("section-{i:03}/pages/")).collect();
    let made = patterns(&[&format!("bucket: a, prefix: {prefixes:?}")]);
    assert_eq!(made.len(), 4);
    assert!(made.iter().all(|pattern| json::length(pattern) <= 2_048));
}

#[test]
fn the_deepest_directories_are_widened_first() {
    let prefixes: Vec<String> =
        (0..5_000).map(|i| format!("year-{:02}/day-{i:04}/", i % 25)).collect();
    let conditions = format!("bucket: a, prefix: {prefixes:?}");
    let made = made(&[&conditions], &PatternOptions::default());
    assert!(made.widened && !made.every_bucket);
    let years: Vec<Value> = (0..25).map(|i| json!({"prefix": format!("year-{i:02}/")})).collect();
    assert_eq!(made.patterns, [keys(&json!(years))]);
}

#[test]
fn suffixes_beyond_the_complexity_limit_are_dropped() {
    let suffixed = |count: usize| {
        let suffixes: Vec<String> = (0..count).map(|i| format!(".{i:03}")).collect();
        let conditions = format!("bucket: a, prefix: a/, suffix: {suffixes:?}");
        made(&[&conditions], &PatternOptions::default())
    };
    // 4 in each of 10 patterns.
    assert_eq!((suffixed(4).patterns.len(), suffixed(5).patterns.len()), (1, 2));
    assert_eq!((suffixed(40).patterns.len(), suffixed(40).widened), (10, false));
    assert!(suffixed(41).widened);
    assert_eq!(suffixed(41).patterns, [keys(&json!([{"prefix": "a/"}]))]);
}

/// Every kind that `events` can name has the detail types that
/// `event::read` maps to it.
#[test]
fn every_kind_of_event_is_delivered() {
    for kind in Kind::ALL {
        let made = patterns(&[&format!("bucket: b, events: {kind}")]);
        let [pattern] = &*made else { panic!("{kind}: {made:?}") };
        for detail_type in pattern["detail-type"].as_array().expect("a list") {
            let event = event_of(kind, detail_type);
            assert!(matches(pattern, &event), "{event}");
            let payload = event::read(event.to_string().as_bytes(), "request").expect("an event");
            let changes = payload.deliveries.iter().flat_map(|delivery| &delivery.changes);
            assert_eq!(changes.map(|change| change.kind).collect::<Vec<_>>(), [kind], "{event}");
        }
    }
}

fn event_of(kind: Kind, detail_type: &Value) -> Value {
    let mut event = json!({
        "version": "0", "id": "1", "source": "aws.s3", "detail-type": detail_type,
        "account": "111122223333", "region": "eu-west-1", "time": "2026-11-22T12:00:00Z",
        "resources": [],
        "detail": {"version": "0", "bucket": {"name": "b"}, "object": {"key": "k"}},
    });
    if kind == Kind::VersionExpired {
        event["detail"]["object"]["version-id"] = json!("1");
        event["detail"]["reason"] = json!("Lifecycle Expiration");
        event["detail"]["deletion-type"] = json!("Permanently Deleted");
    }
    event
}

const BUCKETS: [&str; 4] = ["a", "ab", "ac", "b"];
const PARTS: [&str; 8] = ["a/", "/", "a", "a/b/", "*", "\\", ".é", "b/a"];

const REGEXES: [&str; 7] = ["^a/", r"^[ab*\\./]/", r"\*$", "^(a|b)/", "b", "a/$|b", r"^a/(b/)?\*?"];

/// A rule with at most `max_regexes` regexes. Few values, so that rules and
/// events often match.
fn rule(max_regexes: usize) -> impl Strategy<Value = Rule> {
    let bucket = select(&["a", "ab", "b", "a*", "ab*"][..]);
    let texts = || vec(vec(select(&PARTS[..]), 0..3).prop_map(|parts| parts.concat()), 0..4);
    let accounts = vec(select(&["1", "2"][..]), 0..2);
    let events = option::weighted(0.8, vec(select(&Kind::ALL[..4]), 1..3));
    let regex = vec(select(&REGEXES[..]), 0..=max_regexes)
        .prop_map(|list| list.into_iter().map(|one| RuleRegex::new(one).expect(one)).collect());
    (vec(bucket, 0..3), texts(), texts(), regex, accounts.clone(), accounts, events).prop_map(
        |(buckets, prefixes, suffixes, regexes, accounts, regions, events)| Rule {
            name: "".into(),
            line: 1,
            conditions: Conditions {
                buckets: buckets.into_iter().map(bucket_pattern).collect(),
                prefixes,
                suffixes,
                regexes,
                accounts: accounts.into_iter().map(str::to_owned).collect(),
                regions: regions.into_iter().map(str::to_owned).collect(),
                events,
                ..Conditions::default()
            },
            except: ExceptSets::default(),
            action: Action::Invalidate { targets: Vec::new(), stop: false },
        },
    )
}

fn event() -> impl Strategy<Value = (Value, Kind)> {
    let key = vec(select(&PARTS[..]), 0..5).prop_map(|parts| parts.concat());
    let number = || select(&["1", "2"][..]);
    (select(&BUCKETS[..]), key, number(), number(), select(&Kind::ALL[..4])).prop_flat_map(
        |(bucket, key, account, region, kind)| {
            select(kind_detail_types(kind)).prop_map(move |detail_type| {
                let detail = json!({"bucket": {"name": bucket}, "object": {"key": key}});
                let event = json!({
                    "source": "aws.s3", "detail-type": detail_type,
                    "account": account, "region": region, "detail": detail,
                });
                (event, kind)
            })
        },
    )
}

/// The conditions as docs/rules.md defines them, with no code of the product.
fn satisfies(conditions: &Conditions, event: &Value, kind: Kind) -> bool {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).expect("a string");
    let (bucket, key) = (text("/detail/bucket/name"), text("/detail/object/key"));
    let one_of = |list: &[String], test: &dyn Fn(&str) -> bool| {
        list.is_empty() || list.iter().any(|value| test(value))
    };
    let named = |pattern: &BucketPattern| match pattern {
        BucketPattern::Exact(name) => bucket == name,
        BucketPattern::Prefix(prefix) => bucket.starts_with(prefix),
    };
    (conditions.buckets.is_empty() || conditions.buckets.iter().any(named))
        && one_of(&conditions.prefixes, &|prefix| key.starts_with(prefix))
        && one_of(&conditions.suffixes, &|suffix| key.ends_with(suffix))
        && (conditions.regexes.is_empty()
            || conditions.regexes.iter().any(|regex| regex.is_match(key)))
        && one_of(&conditions.accounts, &|account| text("/account") == account)
        && one_of(&conditions.regions, &|region| text("/region") == region)
        && conditions.events.as_ref().is_none_or(|kinds| kinds.contains(&kind))
}

fn delivered(patterns: &[Value], event: &Value) -> usize {
    patterns.iter().filter(|pattern| matches(pattern, event)).count()
}

/// The fields of each alternative of a pattern, with their entries.
fn alternatives(pattern: &Value) -> Vec<BTreeMap<String, Vec<Value>>> {
    let mut alternatives = vec![BTreeMap::new()];
    for (name, value) in pattern.as_object().expect("an object") {
        let parts: Vec<BTreeMap<String, Vec<Value>>> = match value {
            Value::Array(list) if name == "$or" => {
                list.iter().flat_map(self::alternatives).collect()
            }
            Value::Array(entries) => vec![BTreeMap::from([(name.clone(), entries.clone())])],
            nested => self::alternatives(nested),
        };
        let with = |fields: &BTreeMap<_, _>| {
            let extended = parts.iter().map(|part| {
                let fields: BTreeMap<_, _> = fields.clone();
                fields.into_iter().chain(part.clone()).collect()
            });
            extended.collect::<Vec<_>>()
        };
        alternatives = alternatives.iter().flat_map(with).collect();
    }
    alternatives
}

/// Whether event-ruler takes one alternative for another, and drops it.
fn shares_every_field(
    one: &BTreeMap<String, Vec<Value>>,
    earlier: &BTreeMap<String, Vec<Value>>,
) -> bool {
    one.len() == earlier.len()
        && one.iter().all(|(field, entries)| {
            earlier.get(field).is_some_and(|list| list.iter().any(|entry| entries.contains(entry)))
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// An event is delivered if and only if the conditions of a rule hold.
    /// Kinds with the same detail type deliver each other.
    #[test]
    fn exactly_what_the_rules_act_on(
        rules in vec(rule(0), 0..4),
        events in vec(event(), 32),
    ) {
        let made = event_patterns(&rules, &PatternOptions::default());
        prop_assume!(!made.widened);
        for (event, kind) in events {
            let acted_on = |kind| rules.iter().any(|rule| satisfies(&rule.conditions, &event, kind));
            let mut expected = acted_on(kind);
            if matches!(kind, Kind::Deleted | Kind::VersionExpired) {
                expected = acted_on(Kind::Deleted) || acted_on(Kind::VersionExpired);
            }
            prop_assert_eq!(delivered(&made.patterns, &event), usize::from(expected), "{}", event);
        }
    }

    /// Splitting and widening lose no event, deliver none twice, and keep
    /// within the limits.
    #[test]
    fn never_lost_never_twice(
        rules in vec(rule(2), 0..8),
        events in vec(event(), 32),
        fallback in any::<bool>(),
        characters in 350_usize..800,
        max_complexity in 0_usize..10,
        patterns in 1_usize..4,
    ) {
        let limits = PatternLimits { characters, complexity: max_complexity, patterns };
        let made = event_patterns(&rules, &PatternOptions { fallback, fallback_buckets: Vec::new(), limits });
        prop_assert!(made.patterns.len() <= patterns);
        for pattern in &made.patterns {
            prop_assert!(json::length(pattern) <= characters);
            prop_assert!(complexity(pattern, 100) <= max_complexity);
            let all = alternatives(pattern);
            for (at, one) in all.iter().enumerate() {
                let dropped = all[..at].iter().any(|earlier| shares_every_field(one, earlier));
                prop_assert!(!dropped, "{pattern}");
            }
        }
        for (event, kind) in events {
            let acted_on = rules.iter().any(|rule| satisfies(&rule.conditions, &event, kind));
            let count = delivered(&made.patterns, &event);
            prop_assert!(count <= 1, "{} delivered {} times", event, count);
            prop_assert!(count == 1 || !acted_on, "{} lost", event);
            let named = rules.iter().flat_map(|rule| &rule.conditions.buckets);
            let in_named_bucket = satisfies(
                &Conditions { buckets: named.cloned().collect(), ..Conditions::default() },
                &event,
                kind,
            );
            if fallback && kind.changes_content() && in_named_bucket {
                prop_assert_eq!(count, 1, "{} lost for the fallback", event);
            }
        }
    }
}
