//! Faults, scripted and rolled.

use super::*;

#[tokio::test]
async fn scripted_faults_strike_in_order() {
    let simulator = start(manual()).await;
    let client = client(&simulator.sdk_config());
    simulator.fail_next([
        Fault::Throttle,
        Fault::InternalError,
        Fault::Unavailable,
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Error { status: 418, code: "Teapot".into(), message: "short & stout".into() },
    ]);
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(send(&client, SITE, batch("r", &["/a"])).await.unwrap_err());
    }
    assert_eq!(
        codes,
        ["Throttling", "InternalError", "ServiceUnavailable", "dispatch", "dispatch", "Teapot"]
    );
    let recorded = simulator.invalidations();
    assert_eq!(recorded.len(), 1, "dropped after acceptance is accepted");
    let replies: Vec<Reply> = simulator.requests().into_iter().map(|call| call.reply).collect();
    assert_eq!(
        replies[3..5],
        [Reply::DroppedBefore, Reply::DroppedAfter { id: recorded[0].id.clone() }]
    );
    let again = send(&client, SITE, batch("r", &["/a"])).await.unwrap();
    assert_eq!(again.id, recorded[0].id);
    let counters = simulator.counters();
    assert_eq!((counters.created, counters.replayed, counters.billed_paths), (0, 1, 1));
    assert_eq!((counters.dropped_before, counters.dropped_after), (1, 1));
}

#[tokio::test]
async fn the_statuses_are_awss() {
    let simulator = start(manual()).await;
    let client = client(&simulator.sdk_config());
    for (fault, status, message) in [
        (Fault::Throttle, 400, "Rate exceeded"),
        (Fault::InternalError, 500, "We encountered an internal error. Please try again."),
        (Fault::Unavailable, 503, "CloudFront encountered an internal error. Please try again."),
    ] {
        simulator.fail_next([fault]);
        let call = client.create_invalidation().distribution_id(SITE);
        let error = call.invalidation_batch(batch("r", &["/a"])).send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(error.message(), Some(message));
        assert!(aws_sdk_cloudfront::operation::RequestId::request_id(&error).is_some());
    }
}

#[tokio::test]
async fn the_sdk_retries_what_passes() {
    let simulator = start(manual()).await;
    let retry = RetryConfig::standard()
        .with_max_attempts(6)
        .with_initial_backoff(Duration::from_nanos(1))
        .with_max_backoff(Duration::from_nanos(1));
    let config = Builder::from(&simulator.sdk_config()).retry_config(retry).build();
    let client = Client::from_conf(config);
    simulator.fail_next([
        Fault::Throttle,
        Fault::InternalError,
        Fault::Unavailable,
        Fault::DropBefore,
        Fault::DropAfter,
    ]);
    let created = send(&client, SITE, batch("r", &["/a"])).await.unwrap();
    let recorded = simulator.invalidations();
    assert_eq!((recorded.len(), &recorded[0].id), (1, &created.id));
    assert_eq!(simulator.counters().calls, 6);
}

#[tokio::test]
async fn a_call_that_is_refused_is_not_dropped_after_acceptance() {
    let simulator = start(manual()).await;
    let client = client(&simulator.sdk_config());
    simulator.fail_next([Fault::DropAfter]);
    assert_eq!(send(&client, SITE, batch("r", &["a"])).await.unwrap_err(), "InvalidArgument");
}

/// What became of a hundred calls, a letter each, distributions in turn or
/// one after the other.
async fn fates(seed: u64, in_turn: bool) -> String {
    let options = Options { clock: Clock::manual(), in_progress: None, ..Options::chaos(seed) };
    let simulator = start(options).await;
    let client = client(&simulator.sdk_config());
    let mut order: Vec<(&str, usize)> =
        [SITE, BLOG].into_iter().flat_map(|site| (0..50).map(move |n| (site, n))).collect();
    if in_turn {
        order.sort_by_key(|(_, number)| *number);
    }
    for (site, number) in order {
        // The outcome is read from the record.
        let _ = send(&client, site, batch(&number.to_string(), &["/a"])).await;
    }
    let mut calls = simulator.requests();
    calls.sort_by(|a, b| a.path.cmp(&b.path));
    let letter = |call: Call| match call.reply {
        Reply::Created { .. } => 'c',
        Reply::DroppedBefore => 'b',
        Reply::DroppedAfter { .. } => 'a',
        Reply::Refused { status: 400, .. } => 't',
        Reply::Refused { status, .. } => {
            if status == 500 {
                '5'
            } else {
                '3'
            }
        }
        other => panic!("{other:?}"),
    };
    calls.into_iter().map(letter).collect()
}

#[tokio::test]
async fn a_seeded_run_repeats_whatever_the_order_of_distributions() {
    let one = fates(7, false).await;
    assert_eq!(one, fates(7, true).await);
    assert_ne!(one, fates(8, false).await);
    assert_ne!(one[..50], one[50..], "every distribution has dice of its own");
}

#[test]
fn shares_are_kept() {
    let faults = Options::chaos(1).faults;
    let mut dice = super::super::fault::dice(1, &id(SITE));
    let rolls: Vec<Option<Fault>> = (0..20_000).map(|_| faults.roll(&mut dice)).collect();
    for (fault, share) in [
        (Some(Fault::Throttle), 0.30),
        (Some(Fault::InternalError), 0.05),
        (Some(Fault::Unavailable), 0.05),
        (Some(Fault::DropBefore), 0.05),
        (Some(Fault::DropAfter), 0.05),
        (None, 0.50),
    ] {
        let seen = rolls.iter().filter(|roll| **roll == fault).count() as f64 / 20_000.0;
        assert!((seen - share).abs() < 0.02, "{fault:?}: {seen}");
    }
}

#[test]
fn no_faults_by_default() {
    let mut dice = super::super::fault::dice(1, &id(SITE));
    assert!((0..1_000).all(|_| Faults::default().roll(&mut dice).is_none()));
}
