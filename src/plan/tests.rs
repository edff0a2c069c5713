//! The planner as a whole; its parts have tests of their own.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{
    distribution::{DistributionId, Role},
    event::{Change, Kind, Occurrence},
    item::{Addressed, PathSettings, tests::item},
    rules::{Contribution, Decision, Verdict},
    target::{Collapse, Excluded, ExclusionSource, Target, TargetIndex},
};

/// Two targets of one distribution, one of another, one of a tenant, and one of
/// the first distribution under a role.
fn targets() -> Vec<Target> {
    let distribution = |id| DistributionId::distribution(id).unwrap();
    let role = Role { arn: "arn:aws:iam::111122223333:role/r".to_owned(), external_id: None };
    let one: Distribution = distribution("E1EXAMPLE").into();
    [
        ("www", one.clone()),
        ("feeds", one.clone()),
        ("blog", distribution("E2EXAMPLE").into()),
        ("acme", DistributionId::tenant("dt_1").unwrap().into()),
        ("partner", Distribution { role: Some(role), ..one }),
    ]
    .map(|(name, distribution)| Target {
        name: name.into(),
        distribution,
        paths: PathSettings::default(),
        collapse: Some(Collapse::default()),
        excluded: Excluded::default(),
    })
    .into()
}

fn change(key: &str, sequencer: &str) -> Change {
    let occurrence = Occurrence::Sequencer(sequencer);
    let identity = Identity::new("site", key, Kind::Created, None, occurrence, None);
    Change { identity, ..Change::listed("site", key, Kind::Created) }
}

/// The contribution of a rule without a prefix to a target: `/a`, `/a*`, `#a`,
/// or the unaddressable `~a`.
fn contribution(target: usize, text: &str) -> Contribution {
    let item = match text.starts_with('~') {
        true => Err(Unaddressable::WholeSite(format!("/{text}"))),
        false => Ok(Addressed { item: item(text), bound: "/".into(), is_index: false }),
    };
    Contribution { rule: None, target: TargetIndex(target), item }
}

fn matched(contributions: impl IntoIterator<Item = Contribution>) -> Decision {
    Decision { verdict: Verdict::Matched, contributions: contributions.into_iter().collect() }
}

/// One line for each request of a plan: its distribution, and each item with
/// the deliveries behind it.
fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for distribution in &plan.distributions {
        for request in &distribution.requests {
            let items = request.items.iter().map(|planned| {
                let changes = planned.changes.iter().map(|&change| plan.changes[change as usize]);
                let mut deliveries: Vec<String> =
                    changes.map(|change| change.delivery.to_string()).collect();
                deliveries.sort();
                deliveries.dedup();
                format!("{}={}", planned.item, deliveries.join(","))
            });
            let items: Vec<String> = items.collect();
            lines.push(format!("{}: {}", distribution.distribution, items.join(" ")));
        }
    }
    lines
}

#[test]
fn changes_meet_in_the_plan_of_their_distribution() {
    let targets = targets();
    let mut planner = Planner::new(&targets);
    for (key, delivery, contributions) in [
        ("a", 0, vec![contribution(0, "/a"), contribution(2, "/a"), contribution(4, "/a")]),
        ("b", 1, vec![contribution(1, "/a"), contribution(1, "#Posts"), contribution(3, "/b")]),
        ("c", 2, vec![contribution(0, "#posts"), contribution(0, "/d/*"), contribution(0, "/d/x")]),
        ("d", 2, vec![contribution(0, "/d/")]),
    ] {
        planner.add(&change(key, "1"), delivery, &matched(contributions));
    }
    let plan = planner.finish();
    assert_eq!(
        lines(&plan),
        [
            "E1EXAMPLE: /a=0,1 /d/=2 #Posts=1,2",
            "E1EXAMPLE: /d/*=2",
            "E1EXAMPLE: /a=0",
            "E2EXAMPLE: /a=0",
            "dt_1: /b=1",
        ]
    );
    let names: Vec<&[Arc<str>]> =
        plan.distributions.iter().map(|distribution| &*distribution.targets).collect();
    assert_eq!(
        names,
        [
            &["www".into(), "feeds".into()][..],
            &["partner".into()],
            &["blog".into()],
            &["acme".into()]
        ]
    );
    assert_eq!(plan.billed_paths(), 7);
}

#[test]
fn a_repeated_change_counts_once_for_every_delivery() {
    let targets = targets();
    let mut planner = Planner::new(&targets);
    for (key, sequencer, delivery, first) in [
        ("a", "1", 0, true),
        ("a", "1", 1, false),
        ("a", "1", 1, false),
        ("a", "2", 2, true),
        ("b", "1", 3, true),
        ("a", "1", 3, false),
    ] {
        let decision = matched([contribution(0, &format!("/{key}"))]);
        assert_eq!(planner.add(&change(key, sequencer), delivery, &decision), first);
    }
    let plan = planner.finish();
    assert_eq!(plan.counts, Counts { changes: 3, matched: 3, ..Counts::default() });
    assert_eq!(lines(&plan), ["E1EXAMPLE: /a=0,1,2,3 /b=3"]);
}

/// As when a notification has no account, an event of EventBridge has one, and a
/// rule requires it.
#[test]
fn copies_of_a_change_may_have_different_decisions() {
    let targets = targets();
    let unmatched = Decision { verdict: Verdict::Unmatched, contributions: Vec::new() };
    let wanted = matched([contribution(0, "/a")]);
    for (decisions, expected) in [
        ([&unmatched, &wanted, &wanted], "E1EXAMPLE: /a=1,2"),
        ([&wanted, &wanted, &unmatched], "E1EXAMPLE: /a=0,1"),
    ] {
        let mut planner = Planner::new(&targets);
        for (decision, delivery) in decisions.into_iter().zip(0..) {
            planner.add(&change("a", "1"), delivery, decision);
        }
        let plan = planner.finish();
        assert_eq!(plan.counts, Counts { changes: 1, matched: 1, ..Counts::default() });
        assert_eq!(lines(&plan), [expected]);
    }
}

#[test]
fn changes_are_counted_by_decision() {
    let targets = targets();
    let mut planner = Planner::new(&targets);
    let decision = |verdict, contributions| Decision { verdict, contributions };
    for (key, verdict, contributions) in [
        ("a", Verdict::Matched, vec![contribution(0, "/a")]),
        ("b", Verdict::Matched, vec![]),
        ("c", Verdict::Matched, vec![contribution(0, "~")]),
        ("d", Verdict::Ignored, vec![]),
        ("e", Verdict::Ignored, vec![]),
        ("f", Verdict::Unmatched, vec![]),
        ("g", Verdict::Unmatched, vec![contribution(0, "/g")]),
    ] {
        planner.add(&change(key, "1"), 0, &decision(verdict, contributions));
    }
    assert_eq!(
        planner.finish().counts,
        Counts { changes: 7, matched: 3, ignored: 2, unmatched: 1, fallback: 1, not_served: 1 }
    );
}

#[test]
fn an_unaddressable_change_is_reported_once_for_each_reason() {
    let targets = targets();
    let mut planner = Planner::new(&targets);
    planner.add(
        &change("~b", "1"),
        0,
        &matched([contribution(0, "~b"), contribution(1, "~b"), contribution(1, "~c")]),
    );
    planner.add(
        &change("~a", "1"),
        1,
        &matched([contribution(0, "~a"), contribution(0, "/a"), contribution(2, "~a")]),
    );
    planner.add(
        &change("~a", "1"),
        2,
        &matched([contribution(2, "~a"), contribution(0, "~a"), contribution(0, "/a")]),
    );
    let plan = planner.finish();
    let reported = plan.distributions.iter().flat_map(|distribution| {
        distribution.unaddressable.iter().map(|change| {
            let Unaddressable::WholeSite(path) = &change.reason else { panic!("{change:?}") };
            (distribution.distribution.id.as_str(), &*change.key, &**path, change.changes.len())
        })
    });
    let expected = [
        ("E1EXAMPLE", "~a", "/~a", 2),
        ("E1EXAMPLE", "~b", "/~b", 1),
        ("E1EXAMPLE", "~b", "/~c", 1),
        ("E2EXAMPLE", "~a", "/~a", 2),
    ];
    assert!(reported.eq(expected), "{:?}", plan.distributions);
    assert_eq!(lines(&plan), ["E1EXAMPLE: /a=1,2"]);
}

/// The plan for 300 paths of a directory when the two targets of one
/// distribution have these settings.
fn planned_with(www: Option<Collapse>, feeds: Option<Collapse>) -> Vec<String> {
    let mut targets = targets();
    targets[0].collapse = www;
    targets[1].collapse = feeds;
    let mut planner = Planner::new(&targets);
    for number in 0..300 {
        let path = format!("/docs/{number}");
        planner.add(&change(&path, "1"), 0, &matched([contribution(0, &path)]));
    }
    let plan = planner.finish();
    plan.distributions[0].items().map(|planned| planned.item.to_string()).take(2).collect()
}

#[test]
fn the_strictest_target_of_a_distribution_decides() {
    let default = Some(Collapse::default());
    assert_eq!(planned_with(default, default), ["/docs/*"]);
    for strict in [
        None,
        Some(Collapse { above: 300, ..Collapse::default() }),
        Some(Collapse { weight: 300, ..Collapse::default() }),
        Some(Collapse { min_depth: 2, ..Collapse::default() }),
        Some(Collapse { max_wildcards: 0, ..Collapse::default() }),
    ] {
        assert_eq!(planned_with(strict, default), ["/docs/0", "/docs/1"], "{strict:?}");
        assert_eq!(planned_with(default, strict), ["/docs/0", "/docs/1"], "{strict:?}");
    }
}

#[test]
fn what_one_target_excludes_no_wildcard_of_the_distribution_covers() {
    let exclusion = |prefix: &str, source| Exclusion { prefix: prefix.into(), source };
    let except = exclusion("/docs/drafts/", ExclusionSource::Except("pages".into()));
    let protect = exclusion("/docs/preview/", ExclusionSource::Protect);
    let elsewhere = exclusion("/shop/preview/", ExclusionSource::Protect);
    for (excluded, rule, expected) in [
        (Excluded::default(), "pages", &["/docs/*"][..]),
        (
            Excluded { always: vec![elsewhere, protect.clone()], ..Excluded::default() },
            "pages",
            &["/docs/0", "/docs/1"],
        ),
        (
            Excluded {
                by_rule: [("pages".into(), vec![except.clone()])].into(),
                ..Excluded::default()
            },
            "pages",
            &["/docs/0", "/docs/1"],
        ),
        (
            Excluded { by_rule: [("pages".into(), vec![except])].into(), ..Excluded::default() },
            "feeds",
            &["/docs/*"],
        ),
    ] {
        let mut targets = targets();
        targets[0].excluded = excluded;
        let mut planner = Planner::new(&targets);
        for number in 0..300 {
            let path = format!("/docs/{number}");
            let of = Contribution { rule: Some(rule.into()), ..contribution(0, &path) };
            planner.add(&change(&path, "1"), 0, &matched([of]));
        }
        let costs = planner.exclusion_costs();
        let plan = planner.finish();
        let items = plan.distributions[0].items().map(|planned| planned.item.to_string());
        assert_eq!(items.take(2).collect::<Vec<_>>(), expected, "{:?}", targets[0].excluded);
        let cost = plan.billed_paths() as i64 - 1;
        let of_www = costs.get(&targets[0].distribution).cloned().unwrap_or_default();
        assert_eq!(of_www.all, cost);
        assert_eq!(of_www.each.iter().map(|(_, cost)| cost).sum::<i64>(), cost);
        // `/shop/preview/` has nothing to do with these changes.
        assert!(of_www.each.len() <= 1, "{of_www:?}");
    }
}

#[test]
fn a_wildcard_is_sent_for_all_changes_it_covers() {
    let targets = targets();
    let mut planner = Planner::new(&targets);
    for number in 0..150 {
        let path = format!("/docs/{number}");
        planner.add(&change(&path, "1"), number, &matched([contribution(0, &path)]));
    }
    planner.add(&change("/docs/", "1"), 150, &matched([contribution(0, "/docs/")]));
    planner.add(&change("/x", "1"), 151, &matched([contribution(0, "/x"), contribution(0, "#x")]));
    let plan = planner.finish();
    let requests = &plan.distributions[0].requests;
    assert_eq!(requests.len(), 2);
    let wildcard = plan.distributions[0].items().find(|planned| planned.item.is_wildcard());
    let wildcard = wildcard.expect("a wildcard");
    assert_eq!((wildcard.item.as_str(), wildcard.replaces), ("/docs/*", 150));
    assert_eq!(wildcard.changes[..], (0..150).collect::<Vec<u32>>());
}

/// The targets and items of a change.
type Contributions = Vec<(usize, String)>;

fn any_contributions() -> impl Strategy<Value = Contributions> {
    let item = prop_oneof![
        8 => "/[ab]{0,2}/[ab]{0,2}/[0-9]",
        2 => "/[ab]/([ab]/)?",
        1 => "/[ab]/[0-9]?[*]",
        1 => "#[abAB]",
        1 => "~[ab]",
    ];
    prop::collection::vec((0_usize..5, item), 0..3)
}

proptest! {
    /// Every requested item is sent or covered for every delivery that requested
    /// it; nothing is sent twice; the limits hold; and the order of the changes
    /// decides nothing.
    #[test]
    fn nothing_is_lost_and_order_decides_nothing(
        changes in prop::collection::vec((0_u32..40, 0_u32..4, any_contributions()), 0..60),
        order in any::<prop::sample::Index>(),
        above in 0_usize..10,
    ) {
        let mut targets = targets();
        for target in &mut targets {
            target.collapse = Some(Collapse { above, weight: 1, ..Collapse::default() });
        }
        let make = |changes: &[(u32, u32, Contributions)]| {
            let mut planner = Planner::new(&targets);
            for (key, delivery, contributions) in changes {
                let key = key.to_string();
                let contributions = contributions.iter().map(|(target, text)| contribution(*target, text));
                planner.add(&change(&key, "1"), *delivery, &matched(contributions));
            }
            planner.finish()
        };
        // Copies of one change have one decision.
        let mut first: std::collections::BTreeMap<u32, Contributions> = [].into();
        let changes: Vec<_> = changes
            .into_iter()
            .map(|(key, delivery, contributions)| {
                (key, delivery, first.entry(key).or_insert(contributions).clone())
            })
            .collect();
        let plan = make(&changes);

        for (_, delivery, contributions) in &changes {
            for (target, text) in contributions.iter().filter(|(_, text)| !text.starts_with('~')) {
                let of_target = plan.distributions.iter()
                    .find(|planned| planned.distribution == targets[*target].distribution);
                let answered = of_target.into_iter().flat_map(DistributionPlan::items).any(|planned| {
                    let same = planned.item.as_str().eq_ignore_ascii_case(text)
                        && (planned.item.is_tag() || planned.item.as_str() == text);
                    let covers = !text.starts_with('#')
                        && planned.item.wildcard_prefix().is_some_and(|prefix| {
                            text.starts_with(prefix) && text != prefix
                        });
                    (same || covers) && planned.changes.iter()
                        .any(|&change| plan.changes[change as usize].delivery == *delivery)
                });
                prop_assert!(answered, "{text} of {delivery} in {:?}", lines(&plan));
            }
        }
        for planned in &plan.distributions {
            let items: Vec<&Item> = planned.items().map(|planned| &planned.item).collect();
            for (at, item) in items.iter().enumerate() {
                prop_assert!(!items[..at].contains(item));
            }
            for request in &planned.requests {
                let order = |planned: &PlannedItem| (planned.item.is_tag(), planned.item.clone());
                prop_assert!(request.items.is_sorted_by(|a, b| order(a) < order(b)));
                prop_assert!((1..=ITEMS_PER_REQUEST).contains(&request.items.len()));
                let wildcards = request.items.iter().filter(|planned| planned.item.is_wildcard());
                prop_assert!([0, request.items.len()].contains(&wildcards.count()));
            }
        }

        let mut reordered = changes.clone();
        reordered.rotate_left(if changes.is_empty() { 0 } else { order.index(changes.len()) });
        reordered.reverse();
        let reordered = make(&reordered);
        prop_assert_eq!(lines(&plan), lines(&reordered));
        let references = |plan: &Plan| -> Vec<String> {
            let requests = plan.distributions.iter().flat_map(|planned| &planned.requests);
            requests.map(|request| request.caller_reference.clone()).collect()
        };
        prop_assert_eq!(references(&plan), references(&reordered));
        prop_assert_eq!(plan.counts, reordered.counts);
    }
}
