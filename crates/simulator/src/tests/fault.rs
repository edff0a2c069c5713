//! Faults, and the server, which has them too.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudfront::config::{Credentials, SharedCredentialsProvider};

use super::*;

const FAULTS: [(Fault, &str); 5] = [
    (Fault::Throttle, "Throttling"),
    (Fault::InternalError, "InternalError"),
    (Fault::Unavailable, "ServiceUnavailable"),
    (Fault::DropBefore, "dispatch"),
    (Fault::DropAfter, "dispatch"),
];

/// Sends one batch until it is accepted, through all faults.
async fn check_faults(simulator: &Simulator, client: &Client) {
    simulator.fail_next(FAULTS.map(|(fault, _)| fault));
    for (fault, expected) in FAULTS {
        assert_eq!(result(client, SITE, "r", &["/a"]).await, expected, "{fault:?}");
    }
    let accepted = simulator.invalidations();
    let replayed = send(client, SITE, batch("r", &["/a"])).await.unwrap();
    assert_eq!((accepted.len(), &accepted[0].id), (1, &replayed.id));
    let outcomes: Vec<CallOutcome> =
        simulator.calls().into_iter().map(|call| call.outcome).collect();
    let id = replayed.id;
    assert_eq!(outcomes[3..5], [CallOutcome::DroppedBefore, CallOutcome::DroppedAfter(id.clone())]);
    assert_eq!(outcomes[5], CallOutcome::Replayed(id));
    let counters = simulator.counters();
    assert_eq!((counters.create_calls, counters.billed_paths), (6, 1));
    assert_eq!((counters.dropped_before, counters.dropped_after), (1, 1));
    assert_eq!(counters.refused.values().sum::<u64>(), 3);
}

#[tokio::test(start_paused = true)]
async fn scripted_faults() {
    let (simulator, client) = start(SimulatorOptions::default());
    check_faults(&simulator, &client).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_response_is_of_an_accepted_batch() {
    let (simulator, client) = start(SimulatorOptions::default());
    simulator.fail_next([Fault::Slow]);
    let started = Instant::now();
    send(&client, SITE, batch("r", &["/a"])).await.unwrap();
    assert_eq!(started.elapsed(), Fault::SLOW);
    assert_eq!(simulator.invalidations()[0].accepted_at, Duration::ZERO);
}

#[tokio::test]
async fn the_server_behaves_like_the_simulator_in_the_process() {
    let server = SimulatorServer::start(SimulatorOptions::default()).await.unwrap();
    let environment: std::collections::BTreeMap<_, _> = server.environment().into_iter().collect();
    let variable = |name| environment[name].clone();
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
        Some(variable("AWS_SESSION_TOKEN")),
        None,
        "environment",
    );
    let config = SdkConfig::builder()
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(variable("AWS_REGION")))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(variable("AWS_ENDPOINT_URL_CLOUDFRONT"))
        .build();
    check_faults(&server, &client(&config)).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_is_not_dropped_after_acceptance() {
    let (simulator, client) = start(SimulatorOptions::default());
    simulator.fail_next([Fault::DropAfter]);
    assert_eq!(result(&client, SITE, "r", &["a"]).await, "InvalidArgument");
}

/// The outcomes of 50 calls per distribution.
async fn outcomes(seed: u64, order: impl Iterator<Item = (&str, usize)>) -> [Vec<CallOutcome>; 2] {
    let faults = Faults::chaos();
    let (simulator, client) = start(SimulatorOptions { faults, seed, ..Default::default() });
    for (target, number) in order {
        result(&client, target, &number.to_string(), &["/a"]).await;
    }
    [SITE, BLOG].map(|target| {
        let calls = simulator.calls().into_iter();
        calls.filter(|call| call.path.contains(target)).map(|call| call.outcome).collect()
    })
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_in_any_order_of_distributions() {
    let one_by_one = || [SITE, BLOG].into_iter().flat_map(|site| (0..50).map(move |n| (site, n)));
    let alternating = (0..50).flat_map(|n| [SITE, BLOG].map(|site| (site, n)));
    let first = outcomes(7, one_by_one()).await;
    assert_eq!(first, outcomes(7, alternating).await);
    assert_ne!(first, outcomes(8, one_by_one()).await);
    assert_ne!(first[0], first[1]);
}
