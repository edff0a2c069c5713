use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;

use super::*;
use crate::setup::matches;
use s3_cloudfront_invalidator::rules::Conditions;

/// A rule that invalidates, with these conditions.
fn rule(conditions: Conditions) -> Rule {
    let action = Action::Invalidate { targets: Vec::new(), stop: false };
    Rule { name: "".into(), line: 1, conditions, except: Vec::new(), action }
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn regexes(list: &[&str]) -> Vec<RuleRegex> {
    list.iter().map(|pattern| RuleRegex::new(pattern).expect("a regex")).collect()
}

/// The conditions of a rule as the file's defaults leave them.
fn on(bucket: &str, prefixes: &[&str], suffixes: &[&str]) -> Conditions {
    let bucket = match bucket.strip_suffix('*') {
        Some(prefix) => BucketPattern::Prefix(prefix.to_owned()),
        None => BucketPattern::Exact(bucket.to_owned()),
    };
    Conditions {
        buckets: vec![bucket],
        prefixes: strings(prefixes),
        suffixes: strings(suffixes),
        events: Some(vec![Kind::Created, Kind::Deleted]),
        ..Conditions::default()
    }
}

fn patterns(rules: Vec<Conditions>) -> Vec<Value> {
    let rules: Vec<Rule> = rules.into_iter().map(rule).collect();
    let made = event_patterns(&rules, &Options::default());
    assert!(!made.widened);
    made.patterns
}

/// `{"source": …, "detail-type": creations and deletions, "detail": detail}`
fn content(detail: &Value) -> Value {
    json!({
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": detail,
    })
}

#[test]
fn one_rule() {
    for (conditions, detail) in [
        (on("a", &[], &[]), json!({"bucket": {"name": ["a"]}})),
        (on("a-*", &[], &[]), json!({"bucket": {"name": [{"prefix": "a-"}]}})),
        (
            on("a", &["x/", "y/"], &[]),
            json!({"bucket": {"name": ["a"]}, "object": {"key": [{"prefix": "x/"}, {"prefix": "y/"}]}}),
        ),
        // What a prefix covers is left out.
        (
            on("a", &["x/", "x/y/"], &[]),
            json!({"bucket": {"name": ["a"]}, "object": {"key": [{"prefix": "x/"}]}}),
        ),
        (
            on("a", &[], &[".html"]),
            json!({"bucket": {"name": ["a"]}, "object": {"key": [{"suffix": ".html"}]}}),
        ),
        (
            on("a", &["img/"], &["/i"]),
            json!({"bucket": {"name": ["a"]}, "object": {"key": ["img/i", {"wildcard": "img/*/i"}]}}),
        ),
        (on("a", &[""], &[]), json!({"bucket": {"name": ["a"]}})),
        // What a regex starts and ends with, and what it shares with prefixes and suffixes.
        (
            Conditions { regexes: regexes(&[r"^docs/\d+/(a|b)/"]), ..on("a", &[], &[]) },
            json!({"bucket": {"name": ["a"]}, "object": {"key": [{"prefix": "docs/"}]}}),
        ),
        (
            Conditions { regexes: regexes(&["^docs/[0-9]/", "^x/[ab]/"]), ..on("a", &[], &[]) },
            json!({"bucket": {"name": ["a"]}, "object": {"key": [
                {"prefix": "docs/"}, {"prefix": "x/a/"}, {"prefix": "x/b/"}]}}),
        ),
        (
            Conditions { regexes: regexes(&["^x/", "^y/z/"]), ..on("a", &["x/a/", "y/"], &[]) },
            json!({"bucket": {"name": ["a"]}, "object": {"key": [{"prefix": "x/a/"}, {"prefix": "y/z/"}]}}),
        ),
        (
            Conditions { regexes: regexes(&[r"\d\.jpg$"]), ..on("a", &[], &["jpg"]) },
            json!({"bucket": {"name": ["a"]}, "object": {"key": [{"suffix": ".jpg"}]}}),
        ),
        (
            Conditions { regexes: regexes(&["^x/", "y"]), ..on("a", &[], &[]) },
            json!({"bucket": {"name": ["a"]}}),
        ),
    ] {
        assert_eq!(patterns(vec![conditions]), [content(&detail)]);
    }
}

#[test]
fn several_rules() {
    // Buckets with the same keys share an alternative.
    let made = patterns(vec![on("a", &["x/"], &[]), on("b", &["x/"], &[]), on("c", &[], &[".js"])]);
    let detail = json!({"$or": [
        {"bucket": {"name": ["a", "b"]}, "object": {"key": [{"prefix": "x/"}]}},
        {"bucket": {"name": ["c"]}, "object": {"key": [{"suffix": ".js"}]}},
    ]});
    assert_eq!(made, [content(&detail)]);

    // Other kinds, accounts and regions stand in the alternative that needs them.
    let tags = Conditions {
        events: Some(vec![Kind::TagsChanged]),
        accounts: strings(&["111122223333"]),
        ..on("a", &[], &[])
    };
    assert_eq!(
        patterns(vec![on("a", &["x/"], &[]), tags]),
        [json!({"source": ["aws.s3"], "$or": [
            {"detail-type": ["Object Created", "Object Deleted"],
             "detail": {"bucket": {"name": ["a"]}, "object": {"key": [{"prefix": "x/"}]}}},
            {"detail-type": ["Object Tags Added", "Object Tags Deleted"],
             "account": ["111122223333"], "detail": {"bucket": {"name": ["a"]}}},
        ]})]
    );

    // A rule without a condition takes everything, and `ignore` rules nothing.
    let every = Conditions { buckets: Vec::new(), ..on("", &[], &[]) };
    let mut ignore = rule(Conditions::default());
    ignore.action = Action::Ignore;
    let rules = [rule(on("a", &["x/"], &[])), rule(every), ignore];
    let made = event_patterns(&rules, &Options::default());
    assert_eq!(
        made.patterns,
        [json!({"source": ["aws.s3"], "detail-type": ["Object Created", "Object Deleted"]})]
    );
    assert!(made.every_bucket);
    assert_eq!(event_patterns(&rules[2..], &Options::default()).patterns, Vec::<Value>::new());
}

#[test]
fn fallback_takes_every_key() {
    let options = Options {
        fallback: true,
        fallback_buckets: vec![BucketPattern::Exact("other".to_owned())],
        ..Options::default()
    };
    let rules = [rule(on("a", &["x/"], &[".html"]))];
    let detail = json!({"bucket": {"name": ["a", "other"]}});
    assert_eq!(event_patterns(&rules, &options).patterns, [content(&detail)]);
    // Without any bucket to go by, all of them.
    let options = Options { fallback: true, ..Options::default() };
    assert!(event_patterns(&[], &options).every_bucket);
}

#[test]
fn splits_before_it_widens() {
    let prefixes: Vec<String> = (0..200).map(|i| format!("section-{i:03}/pages/")).collect();
    let rules = [rule(Conditions { prefixes, ..on("site", &[], &[]) })];
    let made = event_patterns(&rules, &Options::default());
    assert!(!made.widened);
    assert_eq!(made.patterns.len(), 4);
    assert!(made.patterns.iter().all(|pattern| render::length(pattern) <= 2_048));
}

#[test]
fn widens_the_deepest_directories_first() {
    let prefixes: Vec<String> =
        (0..5_000).map(|i| format!("year-{:02}/day-{i:04}/", i % 25)).collect();
    let rules = [rule(Conditions { prefixes, ..on("site", &[], &[]) })];
    let made = event_patterns(&rules, &Options::default());
    assert!(made.widened && !made.every_bucket);
    let keys: Vec<Value> = (0..25).map(|i| json!({"prefix": format!("year-{i:02}/")})).collect();
    assert_eq!(
        made.patterns,
        [content(&json!({"bucket": {"name": ["site"]}, "object": {"key": keys}}))]
    );
}

#[test]
fn gives_up_suffixes_beyond_the_wildcard_budget() {
    let suffixed = |count: usize| {
        let suffixes = (0..count).map(|i| format!(".{i:03}")).collect();
        let rules = [rule(Conditions { suffixes, ..on("site", &["a/"], &[]) })];
        event_patterns(&rules, &Options::default())
    };
    // 16 to each of 10 patterns.
    assert_eq!((suffixed(160).patterns.len(), suffixed(160).widened), (10, false));
    let made = suffixed(161);
    assert!(made.widened);
    let key = json!({"bucket": {"name": ["site"]}, "object": {"key": [{"prefix": "a/"}]}});
    assert_eq!(made.patterns, [content(&key)]);
}

const BUCKETS: [&str; 4] = ["a", "ab", "ac", "b"];
const PARTS: [&str; 8] = ["a/", "/", "a", "a/b/", "*", "\\", ".é", "b/a"];

const REGEXES: [&str; 7] = ["^a/", r"^[ab*\\./]/", r"\*$", "^(a|b)/", "b", "a/$|b", r"^a/(b/)?\*?"];

/// Some conditions of a rule with as many as `most` regexes. Few values, so
/// that rules and changes meet.
fn conditions(most: usize) -> impl Strategy<Value = Conditions> {
    let bucket = select(&["a", "ab", "b", "a*", "ab*"][..]);
    let texts = || vec(vec(select(&PARTS[..]), 0..3).prop_map(|parts| parts.concat()), 0..4);
    let accounts = vec(select(&["1", "2"][..]), 0..2);
    let events = option::weighted(0.8, vec(select(&Kind::ALL[..4]), 1..3));
    let regex = vec(select(&REGEXES[..]), 0..=most).prop_map(|list| regexes(&list));
    (vec(bucket, 0..3), texts(), texts(), regex, accounts.clone(), accounts, events).prop_map(
        |(buckets, prefixes, suffixes, regexes, accounts, regions, events)| Conditions {
            buckets: buckets.iter().flat_map(|bucket| on(bucket, &[], &[]).buckets).collect(),
            prefixes,
            suffixes,
            regexes,
            accounts: strings(&accounts),
            regions: strings(&regions),
            events,
            ..Conditions::default()
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

/// The conditions as the documentation of rules.yaml has them, word by word.
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
            || conditions.regexes.iter().any(|regex| regex.regex().is_match(key)))
        && one_of(&conditions.accounts, &|account| text("/account") == account)
        && one_of(&conditions.regions, &|region| text("/region") == region)
        && conditions.events.as_ref().is_none_or(|kinds| kinds.contains(&kind))
}

fn delivered(patterns: &[Value], event: &Value) -> usize {
    patterns.iter().filter(|pattern| matches(pattern, event).expect("a known pattern")).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Delivered if and only if the conditions of a rule hold. (A kind that
    /// shares its detail type comes along with the other.)
    #[test]
    fn exactly_what_the_rules_act_on(
        rules in vec(conditions(0).prop_map(rule), 0..4),
        events in vec(event(), 32),
    ) {
        let made = event_patterns(&rules, &Options::default());
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

    /// Splitting and widening lose nothing, deliver nothing twice, and keep
    /// within the limits.
    #[test]
    fn never_lost_never_twice(
        rules in vec(conditions(2).prop_map(rule), 0..8),
        events in vec(event(), 32),
        fallback in any::<bool>(),
        characters in 350_usize..800,
        wildcards in 0_usize..4,
        patterns in 1_usize..4,
    ) {
        let limits = Limits { characters, wildcards, patterns };
        let made = event_patterns(&rules, &Options { fallback, fallback_buckets: Vec::new(), limits });
        prop_assert!(made.patterns.len() <= patterns);
        for pattern in &made.patterns {
            prop_assert!(render::length(pattern) <= characters);
            prop_assert!(pattern.to_string().matches(r#""wildcard":"#).count() <= wildcards);
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
