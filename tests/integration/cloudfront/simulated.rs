//! The CloudFront client against the simulator: what CloudFront accepted and
//! billed.

use std::{collections::BTreeSet, time::Duration};

use cloudfront_simulator::{
    Counting, Fault, InProgress, PerSecond, RequestRate, ReusedReference, RoleGrant, Simulator,
    SimulatorOptions,
};
use s3_cloudfront_invalidator::cloudfront::{CloudFront, Outcome};

use super::scripted::client;
use crate::hand_plan::{HandPlan, ROLE, distribution, submitted_items, with_role, words};

fn start(options: SimulatorOptions) -> (Simulator, CloudFront) {
    let simulator = Simulator::new(options);
    let cloudfront = client(&simulator.sdk_config());
    (simulator, cloudfront)
}

fn paths(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("/{n:05}.html")).collect()
}

fn wildcards(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("/w{n:02}/*")).collect()
}

/// The items of all invalidations, each as often as it was billed.
fn billed(simulator: &Simulator) -> Vec<String> {
    simulator.invalidations().into_iter().flat_map(|invalidation| invalidation.items).collect()
}

#[tokio::test(start_paused = true)]
async fn faults_bill_nothing_twice() {
    for fault in [
        Fault::Throttle,
        Fault::InternalError,
        Fault::Unavailable,
        Fault::DropBefore,
        Fault::DropAfter,
    ] {
        let (simulator, cloudfront) = start(SimulatorOptions::default());
        simulator.fail_next(vec![fault.clone(); 3]);
        let plan = HandPlan::direct().request("E1EXAMPLE", ["/a", "/b"]);
        let submission = plan.submit(&cloudfront).await;
        assert_eq!(words(&submission), ["accepted"; 2], "{fault:?}");
        assert_eq!(billed(&simulator), ["/a", "/b"], "{fault:?}");
        assert_eq!(submission.distributions[0].retries, 3, "{fault:?}");
        // The id is known even if the first response with it was lost.
        let outcome = &submission.distributions[0].requests[0].items[0].outcome;
        let Outcome::Accepted(accepted) = outcome else { panic!("{outcome:?}") };
        assert_eq!(accepted.id, simulator.invalidations()[0].id);
    }
}

/// Submits until everything is accepted, three minutes apart, as a queue does.
async fn everything_is_accepted(options: SimulatorOptions, items: Vec<String>, refusal: &str) {
    let (simulator, cloudfront) = start(options);
    let total = items.len();
    let mut left = items;
    for _ in 0..10 {
        let (wildcards, paths): (Vec<_>, Vec<_>) =
            left.drain(..).partition(|path| path.ends_with('*'));
        let requests = paths.chunks(1_000).chain(wildcards.chunks(15));
        let plan =
            requests.fold(HandPlan::direct(), |plan, request| plan.request("E1EXAMPLE", request));
        let submission = plan.submit(&cloudfront).await;
        for submitted in submitted_items(&submission) {
            match submitted.outcome.failure() {
                None => {}
                Some(failure) if failure.code == refusal => {
                    left.push(submitted.planned.item.to_string());
                }
                Some(failure) => panic!("{failure}"),
            }
        }
        if left.is_empty() {
            break;
        }
        tokio::time::advance(Duration::from_secs(180)).await;
    }
    assert!(left.is_empty(), "{left:?}");
    assert!(simulator.counters().refused[refusal] > 0);
    let billed = billed(&simulator);
    assert_eq!(billed.len(), total);
    assert_eq!(billed.iter().collect::<BTreeSet<_>>().len(), total);
}

#[tokio::test(start_paused = true)]
async fn the_quota_in_progress() {
    let options = SimulatorOptions {
        in_progress: Some(InProgress::default()),
        completion: Duration::from_secs(30),
        ..SimulatorOptions::default()
    };
    let items = [paths(7_500), wildcards(40)].concat();
    everything_is_accepted(options, items, "TooManyInvalidationsInProgress").await;
}

#[tokio::test(start_paused = true)]
async fn the_quota_per_second() {
    for counting in [Counting::Items, Counting::ItemsInDebt, Counting::Requests] {
        let options = SimulatorOptions {
            in_progress: None,
            per_second: Some(PerSecond { counting, ..PerSecond::default() }),
            request_rate: Some(RequestRate::default()),
            ..SimulatorOptions::default()
        };
        let items = [paths(2_000), wildcards(20)].concat();
        everything_is_accepted(options, items, "Throttling").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_one_distribution_spares_the_others() {
    let known = ["E1EXAMPLE", "E2EXAMPLE", "dt_1EXAMPLE"];
    let options = SimulatorOptions {
        known: Some(known.map(str::to_owned).into()),
        denied: ["E2EXAMPLE".to_owned()].into(),
        poison: |item| item == "/bad",
        ..SimulatorOptions::default()
    };
    let (simulator, cloudfront) = start(options);
    let cases = [
        ("E1EXAMPLE", ["accepted", "refused:InvalidArgument"]),
        ("E2EXAMPLE", ["refused:AccessDenied"; 2]),
        ("E4EXAMPLE", ["refused:NoSuchDistribution"; 2]),
        ("dt_1EXAMPLE", ["accepted", "refused:InvalidArgument"]),
        ("dt_2EXAMPLE", ["refused:EntityNotFound"; 2]),
    ];
    let plan =
        cases.iter().fold(HandPlan::direct(), |plan, (id, _)| plan.request(id, ["/a", "/bad"]));
    assert_eq!(words(&plan.submit(&cloudfront).await), cases.map(|(_, words)| words).concat());
    assert_eq!(billed(&simulator), ["/a", "/a"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_batch_from_another_process_is_free() {
    for reused_reference in [
        ReusedReference::AlreadyExists,
        ReusedReference::InvalidArgument,
        ReusedReference::AlwaysInvalidArgument,
    ] {
        let options = SimulatorOptions { reused_reference, ..SimulatorOptions::default() };
        let (simulator, first) = start(options);
        let second = client(&simulator.sdk_config());
        for process in [&first, &second, &first] {
            let plan = HandPlan::direct().request("E1EXAMPLE", paths(50));
            let submission = plan.submit(process).await;
            assert!(submitted_items(&submission).all(|item| item.outcome.is_done()));
        }
        assert_eq!(billed(&simulator).len(), 50, "{reused_reference:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_partners_distribution_is_reached_with_its_role() {
    let grant = RoleGrant {
        arn: ROLE.to_owned(),
        external_id: Some("secret".to_owned()),
        distributions: ["E9PARTNER".to_owned()].into(),
    };
    let simulator =
        Simulator::new(SimulatorOptions { roles: vec![grant], ..SimulatorOptions::default() });
    for (distribution, word) in [
        (with_role("E9PARTNER", "secret"), "accepted"),
        (with_role("E9PARTNER", "wrong"), "retry:RequestNotSent"),
        (distribution("E9PARTNER"), "refused:AccessDenied"),
    ] {
        let plan = HandPlan::direct().request_to(distribution, ["/a"]).request("E1EXAMPLE", ["/a"]);
        let cloudfront = client(&simulator.sdk_config());
        assert_eq!(words(&plan.submit(&cloudfront).await), [word, "accepted"]);
    }
    let partner = simulator.invalidations().into_iter().filter(|i| i.role.is_some()).count();
    assert_eq!(partner, 1);
}
