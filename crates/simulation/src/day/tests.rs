//! Thousands of changes on a bad day: nothing is lost, and little is billed
//! that is not billed on a good day.

use std::{sync::Arc, time::Duration};

use cloudfront_simulator::{Faults, InProgress, SimulatorOptions};
use s3_cloudfront_invalidator::rules::RuleSet;
use serde_json::json;

use super::{Day, DayOptions, End, Reader, SentMessage, simulate_day};
use crate::audit::{expected, lost};

/// One in 200 changes is of a path that CloudFront refuses, and one in 200 has
/// a denied target beside a permitted one.
const ONE_IN: usize = 200;

const DENIED: &str = "E9DENIED";

/// Nothing collapses, so that the billed paths do not depend on the batches.
const RULES: &str = r##"
version: 1
defaults: { collapse: false, default_root_object: null }
targets:
  www: E1EXAMPLEWWW
  blog: E2EXAMPLEBLOG
  acme: { tenant: dt_1EXAMPLE }
  theirs: E9DENIED
rules:
  - { name: pages, prefix: pages/, invalidate: www }
  - { name: posts, prefix: posts/, invalidate: [www, { target: blog, tags: [posts] }] }
  - { name: data, prefix: data/, invalidate: blog }
  - { name: galleries, prefix: galleries/, invalidate: [{ target: acme, paths: ["/galleries/{stem}/*"] }] }
  - { name: shared, prefix: shared/, invalidate: [www, theirs] }
"##;

fn is_poison(item: &str) -> bool {
    item.ends_with(".poison")
}

/// The key of the `n`th change. Keys repeat after 2,000 changes.
fn key(n: usize) -> String {
    let path = n % 2_000;
    match (n % ONE_IN, path % 20) {
        (17, _) => format!("pages/{n}.poison"),
        (101, _) => format!("shared/{n}.html"),
        (12, _) => format!("galleries/{path}.json"),
        (_, 0..12) => format!("pages/{path}.html"),
        (_, 12 | 13) => format!("posts/{path}.html"),
        _ => format!("data/{path}.json"),
    }
}

fn event(n: usize) -> String {
    json!({
        "version": "0",
        "id": format!("00000000-0000-0000-0000-{n:012}"),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-11-12T00:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:s3:::site"],
        "detail": {
            "version": "0",
            "bucket": { "name": "site" },
            "object": { "key": key(n), "size": 5, "etag": "e", "sequencer": format!("{n:016X}") },
            "reason": "PutObject"
        }
    })
    .to_string()
}

fn rules() -> Arc<RuleSet> {
    RuleSet::parse("rules.yaml", RULES.as_bytes()).unwrap().into()
}

fn pollers(batch: usize) -> DayOptions {
    DayOptions {
        reader: Reader::Pollers { batch, pace: Duration::from_secs(2) },
        timeout: Duration::from_secs(120),
        max_receives: MAX_RECEIVES,
        ..DayOptions::default()
    }
}

/// AWS recommends at least five receives.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
const MAX_RECEIVES: u32 = 5;

/// A bad day, and a good day with the same refused paths and the same denied
/// target, but without faults and kills. Asserts what holds for both.
/// `factor` is the most that is billed on the bad day, as a multiple of the good
/// day.
async fn bad_day(
    changes: usize,
    rate: u32,
    options: DayOptions,
    in_progress: InProgress,
    factor: f64,
) -> Day {
    let message = |n: usize| SentMessage {
        body: event(n),
        sent_at: Duration::from_secs(1) * n as u32 / rate,
    };
    let messages: Vec<SentMessage> = (0..changes).map(message).collect();
    let mut expected = expected(&rules(), &messages);
    // Items that CloudFront always refuses cannot be invalidated.
    expected.retain(|one| one.distribution != DENIED && !is_poison(&one.item));
    // Posts have two more items: the path and a tag of the blog.
    let posts = (0..changes).filter(|n| key(*n).starts_with("posts/")).count();
    assert_eq!(expected.len(), changes - changes / ONE_IN + 2 * posts);
    let day = async |kill: f64, faults: Faults| {
        let cloudfront = SimulatorOptions {
            denied: [DENIED.to_owned()].into(),
            poison: is_poison,
            completion: Duration::from_secs(30),
            in_progress: Some(in_progress),
            faults,
            seed: options.seed,
            ..SimulatorOptions::default()
        };
        let queue_faults = if kill > 0.0 { options.queue_faults } else { 0.0 };
        let options = DayOptions { kill, queue_faults, ..options };
        let day = simulate_day(&messages, &options, cloudfront, &rules()).await;
        assert_eq!(lost(&expected, &day.accepted), []);
        // No message becomes a dead letter because of others in its batch.
        for dead in &day.dead_letters {
            let n: usize = dead.id.parse().unwrap();
            assert!([17, 101].contains(&(n % ONE_IN)), "{n}: {}", key(n));
        }
        assert_eq!(day.dead_letters.len(), changes / (ONE_IN / 2));
        assert_eq!(day.ended(&End::Late), 0);
        day
    };
    let good = day(0.0, Faults::default()).await.counters;
    let bad_day = day(options.kill, Faults::chaos()).await;
    let bad = &bad_day.counters;
    assert!(bad.dropped_after > 0, "{bad:?}");
    assert!(bad.billed_paths as f64 <= good.billed_paths as f64 * factor, "{good:?} {bad:?}");
    bad_day
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_by_pollers() {
    let options = DayOptions { seed: 1, environments: 2, kill: 0.03, ..pollers(100) };
    let bad = bad_day(5_000, 45, options, InProgress::default(), 1.05).await;
    assert!(bad.ended(&End::Killed) > 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_by_drains() {
    let options = DayOptions {
        seed: 1,
        environments: 2,
        kill: 0.2,
        queue_faults: 0.05,
        ..Default::default()
    };
    let bad = bad_day(2_000, 45, options, InProgress::default(), 1.5).await;
    assert!(bad.ended(&End::Killed) > 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_beyond_the_quota_in_progress() {
    let options = DayOptions { seed: 2, max_receives: 10, ..pollers(600) };
    let bad = bad_day(3_000, 500, options, InProgress { paths: 500, wildcards: 15 }, 1.05).await;
    assert!(bad.counters.refused["TooManyInvalidationsInProgress"] > 1);
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_the_day() {
    for options in [DayOptions { queue_faults: 0.05, ..Default::default() }, pollers(100)] {
        let day = async |seed| {
            let options = DayOptions { seed, environments: 2, kill: 0.3, ..options };
            bad_day(800, 45, options, InProgress::default(), 1.5).await
        };
        let first = day(3).await;
        assert_eq!(first, day(3).await);
        assert_ne!(first, day(4).await);
    }
}

#[tokio::test(start_paused = true)]
async fn no_invocation_is_late_when_cloudfront_does_not_respond() {
    let message = |n: usize| SentMessage { body: event(n), sent_at: Duration::ZERO };
    let messages: Vec<SentMessage> = (0..60).map(message).collect();
    for (options, invocations) in [(pollers(30), 4), (DayOptions::default(), 3)] {
        let options = DayOptions { max_receives: 2, ..options };
        let cloudfront =
            SimulatorOptions { latency: Duration::from_secs(3_600), ..SimulatorOptions::default() };
        let day = simulate_day(&messages, &options, cloudfront, &rules()).await;
        // Every invocation gave all of its messages back in time.
        assert_eq!((day.invocations.len(), day.ended(&End::Late)), (invocations, 0));
        assert_eq!(day.dead_letters.len(), 60);
    }
}
