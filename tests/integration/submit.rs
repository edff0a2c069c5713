//! The submitter against the simulator: what CloudFront is left with.

use std::{collections::BTreeSet, time::Duration};

use cloudfront_simulator::{
    Fault, InProgress, PerSecond, RequestRate, ReusedReference, RoleGrant, Simulator,
    SimulatorOptions,
};
use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, Outcome},
    distribution::{Distribution, DistributionId, Role},
};
use tokio::time::Instant;

use crate::hand_plan::{HandPlan, cloudfront, distribution, item, words};

async fn start(options: SimulatorOptions) -> (Simulator, CloudFront) {
    let simulator = Simulator::new(options);
    let cloudfront = cloudfront(&simulator);
    (simulator, cloudfront)
}

fn paths(from: usize, to: usize) -> impl Iterator<Item = String> {
    (from..to).map(|n| format!("/{n:05}.html"))
}

/// The items of all invalidations, each as often as it was billed.
fn billed(simulator: &Simulator) -> Vec<String> {
    simulator.invalidations().into_iter().flat_map(|invalidation| invalidation.items).collect()
}

fn count(words: &[String], word: &str) -> usize {
    words.iter().filter(|w| *w == word).count()
}

#[tokio::test]
async fn faults_bill_nothing_twice() {
    for fault in [
        Fault::Throttle,
        Fault::InternalError,
        Fault::Unavailable,
        Fault::DropBefore,
        Fault::DropAfter,
    ] {
        let (simulator, cloudfront) = start(SimulatorOptions::default()).await;
        simulator.fail_next(vec![fault.clone(); 3]);
        let submission = HandPlan::direct("E1EXAMPLE", ["/a", "/b"]).submit(&cloudfront).await;
        assert_eq!(words(&submission), ["accepted"; 2], "{fault:?}");
        assert_eq!(billed(&simulator), ["/a", "/b"], "{fault:?}");
        assert_eq!(submission.distributions[0].retries, 3, "{fault:?}");
        // The id is the invalidation's, also when its first answer was lost.
        let Outcome::Accepted(accepted) = &submission.distributions[0].outcomes[0][0] else {
            panic!("accepted")
        };
        assert_eq!(accepted.id, simulator.invalidations()[0].id);
    }
}

#[tokio::test(start_paused = true)]
async fn the_quota_in_progress_is_survived() {
    let options = SimulatorOptions {
        in_progress: Some(InProgress::default()),
        completion: Duration::from_secs(30),
        ..SimulatorOptions::default()
    };
    let (simulator, cloudfront) = start(options).await;
    // As a queue does: what failed comes again, some minutes later.
    let mut left: Vec<String> = paths(0, 7_500).chain(wildcards(40)).collect();
    let mut rounds = 0;
    while !left.is_empty() {
        let submission = HandPlan::direct("E1EXAMPLE", &left).submit(&cloudfront).await;
        let words = words(&submission);
        let mut sorted: Vec<String> = left.clone();
        sorted.sort();
        left = sorted
            .into_iter()
            .zip(&words)
            .filter(|(_, word)| *word == "retry:TooManyInvalidationsInProgress")
            .map(|(path, _)| path)
            .collect();
        assert_eq!(count(&words, "accepted") + left.len(), words.len());
        tokio::time::advance(Duration::from_secs(180)).await;
        rounds += 1;
        assert!(rounds < 10, "{left:?}");
    }
    assert!(simulator.counters().refused["TooManyInvalidationsInProgress"] > 1);
    let billed = billed(&simulator);
    assert_eq!(billed.len(), 7_540);
    assert_eq!(billed.iter().collect::<BTreeSet<_>>().len(), 7_540);
}

fn wildcards(n: usize) -> impl Iterator<Item = String> {
    (0..n).map(|n| format!("/w{n:02}/*"))
}

#[tokio::test(start_paused = true)]
async fn the_quota_a_second_is_survived() {
    let options = SimulatorOptions {
        in_progress: None,
        per_second: Some(PerSecond::default()),
        request_rate: Some(RequestRate::default()),
        ..SimulatorOptions::default()
    };
    let (simulator, cloudfront) = start(options).await;
    let mut left: Vec<String> = paths(0, 2_000).chain(wildcards(20)).collect();
    let mut rounds = 0;
    while !left.is_empty() {
        let submission = HandPlan::direct("E1EXAMPLE", &left).submit(&cloudfront).await;
        let mut sorted: Vec<String> = left.clone();
        sorted.sort();
        let words = words(&submission);
        let throttled = |(_, word): &(String, &String)| *word == "retry:Throttling";
        left = sorted.into_iter().zip(&words).filter(throttled).map(|(path, _)| path).collect();
        assert_eq!(count(&words, "accepted") + left.len(), words.len());
        tokio::time::advance(Duration::from_secs(180)).await;
        rounds += 1;
        assert!(rounds < 10, "{left:?}");
    }
    assert!(simulator.counters().refused["Throttling"] > 1);
    assert_eq!(billed(&simulator).len(), 2_020);
}

#[tokio::test]
async fn one_refused_item_costs_no_neighbour() {
    let options =
        SimulatorOptions { poison: |item| item == "/00333.html", ..SimulatorOptions::default() };
    let (simulator, cloudfront) = start(options).await;
    let submission = HandPlan::direct("E1EXAMPLE", paths(0, 1_000)).submit(&cloudfront).await;
    let words = words(&submission);
    assert_eq!(count(&words, "accepted"), 999);
    assert_eq!(words[333], "refused:InvalidArgument");
    assert_eq!(billed(&simulator).len(), 999);
    assert!(simulator.counters().create_calls <= 32);

    // The warm process keeps it apart for a queue's messages.
    let before = simulator.counters().create_calls;
    let mut plan = HandPlan::default();
    plan.delivery(Some("m1"));
    for path in paths(300, 400) {
        plan.ask(distribution("E1EXAMPLE"), item(&path));
    }
    plan.submit(&cloudfront).await;
    assert_eq!(simulator.counters().create_calls - before, 2);
}

#[tokio::test]
async fn many_refused_items_stay_within_the_limit() {
    let options =
        SimulatorOptions { poison: |item| item.ends_with("7.html"), ..SimulatorOptions::default() };
    let (simulator, cloudfront) = start(options).await;
    let submission = HandPlan::direct("E1EXAMPLE", paths(0, 1_000)).submit(&cloudfront).await;
    assert_eq!(simulator.counters().create_calls, 32);
    let words = words(&submission);
    assert_eq!(count(&words, "accepted") + count(&words, "retry:RequestLimit"), 1_000);
}

#[tokio::test]
async fn every_distribution_fails_for_itself() {
    let known = ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE", "dt_1EXAMPLE"];
    let options = SimulatorOptions {
        known: Some(known.map(str::to_owned).into()),
        denied: BTreeSet::from(["E2EXAMPLE".to_owned()]),
        in_progress: Some(InProgress { paths: 3, wildcards: 15 }),
        poison: |item| item == "/bad",
        completion: Duration::from_secs(30),
        ..SimulatorOptions::default()
    };
    let (simulator, cloudfront) = start(options).await;
    let mut plan = HandPlan::default();
    plan.delivery(None);
    for id in ["E1EXAMPLE", "E2EXAMPLE", "E4EXAMPLE", "dt_1EXAMPLE", "dt_2EXAMPLE"] {
        plan.ask(distribution(id), item("/a"));
        plan.ask(distribution(id), item("/bad"));
    }
    for text in ["/1", "/2", "/3", "/4"] {
        plan.ask(distribution("E3EXAMPLE"), item(text));
    }
    let submission = plan.submit(&cloudfront).await;
    assert_eq!(
        words(&submission),
        [
            "accepted",
            "refused:InvalidArgument",
            "refused:AccessDenied",
            "refused:AccessDenied",
            "retry:TooManyInvalidationsInProgress",
            "retry:TooManyInvalidationsInProgress",
            "retry:TooManyInvalidationsInProgress",
            "retry:TooManyInvalidationsInProgress",
            "refused:NoSuchDistribution",
            "refused:NoSuchDistribution",
            "accepted",
            "refused:InvalidArgument",
            "refused:EntityNotFound",
            "refused:EntityNotFound",
        ]
    );
    let accepted: Vec<_> = simulator.invalidations().into_iter().map(|i| i.distribution).collect();
    assert_eq!(
        BTreeSet::from_iter(accepted),
        BTreeSet::from(["E1EXAMPLE".to_owned(), "dt_1EXAMPLE".to_owned()])
    );
}

#[tokio::test]
async fn the_same_batch_from_another_process_is_free() {
    for reused_reference in [
        ReusedReference::AlreadyExists,
        ReusedReference::InvalidArgument,
        ReusedReference::AlwaysInvalidArgument,
    ] {
        let options = SimulatorOptions { reused_reference, ..SimulatorOptions::default() };
        let (simulator, first) = start(options).await;
        let second = cloudfront(&simulator);
        for process in [&first, &second, &first] {
            let submission = HandPlan::direct("E1EXAMPLE", paths(0, 50)).submit(process).await;
            assert_eq!(words(&submission), ["accepted"; 50], "{reused_reference:?}");
        }
        assert_eq!(billed(&simulator).len(), 50, "{reused_reference:?}");
    }
}

#[tokio::test]
async fn a_reference_somebody_else_used_is_salted() {
    let (simulator, cloudfront) = start(SimulatorOptions::default()).await;
    let (mut plan, deliveries) = HandPlan::direct("E1EXAMPLE", ["/a"]).finish();
    let (other, _) = HandPlan::direct("E1EXAMPLE", ["/b"]).finish();
    let deadline = Instant::now() + Duration::from_secs(60);
    cloudfront.submit(&other, &deliveries, deadline).await;
    plan.distributions[0].requests[0].caller_reference =
        other.distributions[0].requests[0].caller_reference.clone();
    let submission = cloudfront.submit(&plan, &deliveries, deadline).await;
    assert_eq!(words(&submission), ["accepted"]);
    assert_eq!(billed(&simulator), ["/b", "/a"]);
    assert_eq!(simulator.counters().refused["InvalidationBatchAlreadyExists"], 1);
}

fn role(external_id: &str) -> Role {
    Role {
        arn: "arn:aws:iam::444455556666:role/invalidator".to_owned(),
        external_id: Some(external_id.to_owned()),
    }
}

fn grant(Role { arn, external_id }: Role, distribution: &DistributionId) -> RoleGrant {
    RoleGrant { arn, external_id, distributions: BTreeSet::from([distribution.to_string()]) }
}

#[tokio::test]
async fn a_partners_distribution_is_reached_with_its_role() {
    let partner: DistributionId = distribution("E9PARTNER").id;
    let roles = vec![grant(role("shared-word"), &partner)];
    let (simulator, cloudfront) = start(SimulatorOptions { roles, ..Default::default() }).await;
    let with = |role| Distribution { id: partner.clone(), role };
    for (role, expected) in [
        (Some(role("shared-word")), "accepted"),
        (Some(role("wrong-word")), "retry:RequestNotSent"),
        (None, "refused:AccessDenied"),
    ] {
        let mut plan = HandPlan::default();
        plan.delivery(None);
        plan.ask(with(role), item("/a"));
        plan.ask(distribution("E1EXAMPLE"), item("/a"));
        let mut words = words(&plan.submit(&cloudfront).await);
        words.sort();
        assert_eq!(words, ["accepted", expected]);
    }
    let roles: BTreeSet<_> =
        simulator.invalidations().into_iter().map(|i| (i.distribution, i.role)).collect();
    let arn = role("").arn;
    assert_eq!(
        roles,
        BTreeSet::from([("E1EXAMPLE".to_owned(), None), ("E9PARTNER".to_owned(), Some(arn))])
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_whose_credentials_expire_is_assumed_again() {
    let partner: DistributionId = distribution("E9PARTNER").id;
    let roles = vec![grant(role("w"), &partner)];
    let (_, cloudfront) = start(SimulatorOptions { roles, ..Default::default() }).await;
    let submit = async |text: &str| {
        let mut plan = HandPlan::default();
        plan.delivery(None);
        plan.ask(Distribution { id: partner.clone(), role: Some(role("w")) }, item(text));
        words(&plan.submit(&cloudfront).await)
    };
    assert_eq!(submit("/a").await, ["accepted"]);
    // Sooner than the SDK thinks: its clock did not move.
    tokio::time::advance(Duration::from_secs(24 * 3_600)).await;
    assert!(submit("/b").await[0].starts_with("retry:"));
    assert_eq!(submit("/b").await, ["accepted"]);
}

#[tokio::test(start_paused = true)]
async fn a_cloudfront_that_is_slow_does_not_hold_up_the_answer() {
    let options =
        SimulatorOptions { latency: Duration::from_secs(3_600), ..SimulatorOptions::default() };
    let (_simulator, cloudfront) = start(options).await;
    let mut plan = HandPlan::direct("E1EXAMPLE", paths(0, 2_500));
    plan.ask(distribution("E2EXAMPLE"), item("/a"));
    let (plan, deliveries) = plan.finish();
    let deadline = Instant::now() + Duration::from_secs(20);
    let submission = cloudfront.submit(&plan, &deliveries, deadline).await;
    assert!(Instant::now() < deadline);
    assert_eq!(words(&submission), vec!["retry:DeadlineExceeded"; 2_501]);
}
