//! The walk over the candidates of the index, and the walk over all rules,
//! compared with a naive implementation of the definition.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use proptest::prelude::*;

use crate::{
    distribution::{Distribution, DistributionId},
    event::Kind,
    item::PathSettings,
    rules::{BucketPattern, Conditions, ExceptSets, RuleRegex, Template, index::CandidateIndex},
};

use super::*;

/// Conditions as text, independent of the types under test.
#[derive(Clone, Debug, Default)]
struct Set {
    buckets: Vec<String>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    regexes: Vec<String>,
    events: Option<Vec<Kind>>,
    accounts: Vec<String>,
    regions: Vec<String>,
    min_size: Option<u64>,
    max_size: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Ignore,
    Stop,
    Continue,
}

#[derive(Clone, Debug)]
struct Entry {
    conditions: Set,
    except: Vec<Set>,
    act: Act,
}

impl Set {
    /// The definition of a satisfied set of conditions.
    fn holds(&self, change: &Change) -> bool {
        let one = |list: &[String], test: &dyn Fn(&str) -> bool| {
            list.is_empty() || list.iter().any(|value| test(value))
        };
        let key = &*change.key;
        one(&self.buckets, &|bucket| match bucket.strip_suffix('*') {
            Some(start) => change.bucket.starts_with(start),
            None => &*change.bucket == bucket,
        }) && one(&self.prefixes, &|prefix| key.starts_with(prefix))
            && one(&self.suffixes, &|suffix| key.ends_with(suffix))
            && one(&self.regexes, &|pattern| compiled(pattern).is_match(key))
            && self.events.as_ref().is_none_or(|events| events.contains(&change.kind))
            && one(&self.accounts, &|account| change.account.as_deref() == Some(account))
            && one(&self.regions, &|region| change.region.as_deref() == Some(region))
            && (self.min_size.is_none() || change.size.is_some() && change.size >= self.min_size)
            && (self.max_size.is_none() || change.size.is_some() && change.size <= self.max_size)
    }

    fn conditions(&self) -> Conditions {
        let bucket = |bucket: &String| match bucket.strip_suffix('*') {
            Some(start) => BucketPattern::Prefix(start.to_owned()),
            None => BucketPattern::Exact(bucket.clone()),
        };
        Conditions {
            buckets: self.buckets.iter().map(bucket).collect(),
            prefixes: self.prefixes.clone(),
            suffixes: self.suffixes.clone(),
            regexes: self
                .regexes
                .iter()
                .map(|regex| RuleRegex::new(regex).expect("a regex"))
                .collect(),
            events: self.events.clone(),
            accounts: self.accounts.clone(),
            regions: self.regions.clone(),
            min_size: self.min_size,
            max_size: self.max_size,
            ..Conditions::default()
        }
    }
}

/// Compiled once each: there are few patterns and many rules.
fn compiled(pattern: &str) -> regex::Regex {
    thread_local! {
        static ALL: RefCell<HashMap<String, regex::Regex>> = RefCell::default();
    }
    let compile = || regex::Regex::new(pattern).expect(pattern);
    ALL.with_borrow_mut(|all| all.entry(pattern.to_owned()).or_insert_with(compile).clone())
}

/// The verdict, and the rules that contribute, in their order.
fn naive(entries: &[Entry], change: &Change) -> (Verdict, Vec<usize>) {
    let mut rules = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let excepted = entry.except.iter().any(|set| set.holds(change));
        if !entry.conditions.holds(change) || excepted {
            continue;
        }
        if entry.act == Act::Ignore {
            let verdict = if rules.is_empty() { Verdict::Ignored } else { Verdict::Matched };
            return (verdict, rules);
        }
        rules.push(index);
        if entry.act == Act::Stop {
            break;
        }
    }
    (if rules.is_empty() { Verdict::Unmatched } else { Verdict::Matched }, rules)
}

fn rules(entries: &[Entry]) -> Vec<Rule> {
    let rule = |(index, entry): (usize, &Entry)| Rule {
        name: index.to_string().into(),
        line: index + 1,
        conditions: entry.conditions.conditions(),
        except: entry.except.iter().map(Set::conditions).collect(),
        action: match entry.act {
            Act::Ignore => Action::Ignore { allow_wildcards: false },
            act => Action::Invalidate {
                targets: vec![Invalidate::new(
                    TargetIndex(0),
                    vec![Template::default()],
                    Vec::new(),
                )],
                stop: act == Act::Stop,
            },
        },
    };
    entries.iter().enumerate().map(rule).collect()
}

fn target() -> Target {
    let id = DistributionId::distribution("E1EXAMPLE1WWW").expect("an id");
    Target {
        name: "www".into(),
        distribution: Distribution::from(id),
        paths: PathSettings::default(),
        collapse: None,
        excluded: crate::target::Excluded::default(),
    }
}

fn change(bucket: &str, key: &str) -> Change {
    Change::listed(bucket, key, Kind::Created)
}

/// Walks over some rules.
fn walked<'r>(rules: impl IntoIterator<Item = &'r Rule>, change: &Change) -> (Verdict, Vec<usize>) {
    let decision = walk(rules, &[target()], change, &mut ());
    let by = decision.contributions.into_iter().filter_map(|one| one.rule?.parse().ok());
    (decision.verdict, by.collect())
}

/// Walks over the candidates.
fn decided(index: &CandidateIndex, rules: &[Rule], change: &Change) -> (Verdict, Vec<usize>) {
    walked(index.candidates(rules, change).into_iter().map(|index| &rules[index]), change)
}

fn list<T: std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Vec<T>> {
    // Most conditions are absent, so that rules match now and then. Long lists are
    // searched.
    prop_oneof![6 => Just(0..1_usize), 3 => Just(1..4), 1 => Just(9..12)].prop_flat_map({
        let value = value.boxed();
        move |length| prop::collection::vec(value.clone(), length)
    })
}

fn set() -> impl Strategy<Value = Set> {
    let text = |pattern: &'static str| pattern.prop_map(|text: String| text);
    let pick =
        |values: &'static [&'static str]| prop::sample::select(values).prop_map(str::to_owned);
    (
        list(text(r"[ab]{1,3}|[ab]{0,2}\*")),
        list(text("[ab/é]{0,3}")),
        list(text("[ab/é]{0,3}")),
        list(pick(&[
            "^a",
            "b$",
            "a|é",
            "^(a)?b",
            "^[ab]+/",
            "^a.*b$",
            "/",
            "^ab|^b",
            "é$|a$",
            "^$",
            "^(?i-u:A)",
            "[^/]b$",
            "a+b",
            "b/|é",
            "ab",
            "[ab]a?é",
            "(bb)+[^b]",
            "aa|a/|é/",
            "[ab]{3}",
        ])),
        prop::option::of(prop::collection::vec(prop::sample::select(&Kind::ALL[..3]), 1..3)),
        list(pick(&["1", "2"])),
        list(pick(&["north", "south"])),
        prop::option::weighted(0.1, 0..4_u64),
        prop::option::weighted(0.1, 0..4_u64),
    )
        .prop_map(
            |(buckets, prefixes, suffixes, regexes, events, accounts, regions, min, max)| Set {
                buckets,
                prefixes,
                suffixes,
                regexes,
                events,
                accounts,
                regions,
                min_size: min,
                max_size: max,
            },
        )
}

fn entry() -> impl Strategy<Value = Entry> {
    // Many sets are indexed.
    let except = prop_oneof![6 => Just(0..1_usize), 3 => Just(1..3), 1 => Just(9..12)]
        .prop_flat_map(|length| prop::collection::vec(set(), length));
    let act = prop_oneof![1 => Just(Act::Ignore), 1 => Just(Act::Stop), 6 => Just(Act::Continue)];
    (set(), except, act).prop_map(|(conditions, except, act)| Entry { conditions, except, act })
}

fn any_change() -> impl Strategy<Value = Change> {
    let known = |values: &'static [&'static str]| {
        prop::option::weighted(0.8, prop::sample::select(values).prop_map(Arc::<str>::from))
    };
    (
        "[ab]{1,3}",
        "[ab/é]{0,6}",
        prop::sample::select(&Kind::ALL[..3]),
        prop::option::weighted(0.8, 0..4_u64),
        known(&["1", "2"]),
        known(&["north", "south"]),
    )
        .prop_map(|(bucket, key, kind, size, account, region)| Change {
            kind,
            size,
            account,
            region,
            ..change(&bucket, &key)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn agrees_with_the_definition(
        entries in prop::collection::vec(entry(), 0..20),
        changes in prop::collection::vec(any_change(), 1..40),
    ) {
        let rules = rules(&entries);
        let index = CandidateIndex::new(&rules);
        for change in &changes {
            let expected = naive(&entries, change);
            prop_assert_eq!(&decided(&index, &rules, change), &expected);
            prop_assert_eq!(&walked(&rules, change), &expected);
        }
    }
}

fn entry_of(conditions: Set) -> Entry {
    Entry { conditions, except: Vec::new(), act: Act::Continue }
}

fn values(values: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    values.into_iter().map(Into::into).collect()
}

#[test]
fn two_thousand_rules_leave_one_candidate() {
    type Shape = (&'static str, fn(usize) -> Set, fn(usize) -> Change);
    let shapes: [Shape; 11] = [
        (
            "buckets",
            |n| Set { buckets: vec![format!("site-{n:05}")], ..Set::default() },
            |n| change(&format!("site-{n:05}"), "a.html"),
        ),
        (
            "bucket prefixes",
            |n| Set { buckets: vec![format!("site-{n:05}-*")], ..Set::default() },
            |n| change(&format!("site-{n:05}-eu"), "a.html"),
        ),
        (
            "prefixes",
            |n| Set { prefixes: vec![format!("site-{n:05}/")], ..Set::default() },
            |n| change("all", &format!("site-{n:05}/a.html")),
        ),
        (
            "suffixes",
            |n| Set { suffixes: vec![format!("-{n:05}.html")], ..Set::default() },
            |n| change("all", &format!("a-{n:05}.html")),
        ),
        (
            "prefixes and suffixes, neither enough alone",
            |n| Set {
                prefixes: vec![format!("{:02}/", n % 100)],
                suffixes: vec![format!(".{:02}", n / 100)],
                ..Set::default()
            },
            |n| change("all", &format!("{:02}/a.{:02}", n % 100, n / 100)),
        ),
        (
            "regexes",
            |n| Set { regexes: vec![format!("^site-{n:05}/.+")], ..Set::default() },
            |n| change("all", &format!("site-{n:05}/a.html")),
        ),
        (
            "regexes under one prefix",
            |n| Set {
                prefixes: values(["site/"]),
                regexes: vec![format!(r"^site/{n:05}/\w")],
                ..Set::default()
            },
            |n| change("all", &format!("site/{n:05}/a.html")),
        ),
        (
            "regexes that require a literal",
            |n| Set { regexes: vec![format!(r"[0-9]+/site-{n:05}/")], ..Set::default() },
            |n| change("all", &format!("2026/site-{n:05}/a.html")),
        ),
        (
            "regexes that require one of two literals, under one suffix",
            |n| Set {
                suffixes: values([".html"]),
                regexes: vec![format!(r"/(site-{n:05}|blog-{n:05})/")],
                ..Set::default()
            },
            |n| change("all", &format!("2026/blog-{n:05}/a.html")),
        ),
        (
            "regexes that require a literal, and a longer one that all of them require",
            |n| Set {
                regexes: vec![format!(r"/t{n:05}/[0-9]+/the-same-for-all\.html$")],
                ..Set::default()
            },
            |n| change("all", &format!("a/t{n:05}/7/the-same-for-all.html")),
        ),
        (
            "regexes with such literals in a list",
            |n| Set {
                regexes: vec![
                    format!(r"/t{n:05}/[0-9]+/the-same-for-all\.html$"),
                    format!(r"the-same-for-some/[0-9]+/u{n:05}$"),
                ],
                ..Set::default()
            },
            |n| change("all", &format!("the-same-for-some/7/u{n:05}")),
        ),
    ];
    for (shape, make, change) in shapes {
        let entries: Vec<_> = (0..2_000).map(|n| entry_of(make(n))).collect();
        let rules = rules(&entries);
        let index = CandidateIndex::new(&rules);
        for n in [0, 17, 1_999] {
            assert_eq!(*index.candidates(&rules, &change(n)), [n], "{shape}");
            assert_eq!(decided(&index, &rules, &change(n)), (Verdict::Matched, vec![n]), "{shape}");
        }
    }
}

#[test]
fn fifty_thousand_except_sets_leave_one_candidate() {
    let set = |n| Set { prefixes: vec![format!("site-{n:05}/")], ..Set::default() };
    let sets: Vec<Conditions> = (0..50_000).map(|n| set(n).conditions()).collect();
    let index = CandidateIndex::new(&sets);
    assert_eq!(*index.candidates(&sets, &change("all", "site-00017/a")), [17]);
    let except: ExceptSets = sets.into_iter().collect();
    assert_eq!(except.first_satisfied(&change("all", "site-00017/a")), Some(17));
    assert!(except.is_indexed());
}

#[test]
fn long_lists_do_not_multiply_without_limit() {
    let many = |kind: &'static str| (0..200).map(move |n| format!("{kind}{n}"));
    let entries = [entry_of(Set {
        buckets: many("b").collect(),
        prefixes: many("p").collect(),
        suffixes: many("s").collect(),
        ..Set::default()
    })];
    let rules = rules(&entries);
    let index = CandidateIndex::new(&rules);
    for (bucket, key, matched) in
        [("b7", "p8s9", true), ("b7", "p8x", false), ("b7", "xs9", false), ("x", "p8s9", false)]
    {
        let expected = if matched { vec![0] } else { vec![] };
        assert_eq!(decided(&index, &rules, &change(bucket, key)).1, expected, "{bucket} {key}");
    }
}
