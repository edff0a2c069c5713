//! Thousands of changes through a queue on a bad day: nothing is lost, and
//! little is billed that a good day would not have billed.

use aws_sdk_cloudfront::config::retry::RetryConfig;
use std::{collections::BTreeSet, time::Duration};

use cloudfront_simulator as simulator;
use cloudfront_simulator::{Clock, Counters, Faults, InProgress, Simulator};
use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, Settings},
    distribution::DistributionId,
    handler::Function,
    rules::RuleSet,
};
use serde_json::json;

use super::{Expected, Message, Options, Report, expected, lost, run};

/// Every two-hundredth change is of a path that CloudFront refuses, and every
/// two-hundredth asks for a target that nobody may touch, beside a good one.
const ONE_IN: usize = 200;

const DENIED: &str = "E9DENIED";

/// Nothing collapses, so that what is billed does not depend on which messages
/// happen to come together.
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

/// The key of a change. The same keys change every 2,000 changes.
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

/// A queue of changes, and what they ask for.
struct Load {
    messages: Vec<Message>,
    expected: Vec<Expected>,
    in_progress: InProgress,
}

impl Load {
    fn new(changes: usize, options: &Options, in_progress: InProgress) -> Self {
        // The queue fills a little more slowly than it is emptied.
        let sent_at =
            |n: usize| options.pace * u32::try_from(n / (options.batch * 9 / 10)).unwrap();
        let message = |n: usize| Message::new(n.to_string(), event(n), sent_at(n));
        let messages: Vec<Message> = (0..changes).map(message).collect();
        let mut expected = expected(&rules(), &messages);
        // What CloudFront refuses by rule cannot be covered.
        expected.retain(|one| one.distribution.as_str() != DENIED && !is_poison(one.item.as_str()));
        // Posts ask for two more items: the path and a tag of the blog.
        let posts = (0..changes).filter(|n| key(*n).starts_with("posts/")).count();
        assert_eq!(expected.len(), changes - changes / ONE_IN + 2 * posts);
        Self { messages, expected, in_progress }
    }
}

fn rules() -> RuleSet {
    RuleSet::parse("rules.yaml", RULES.as_bytes()).unwrap()
}

struct Day {
    report: Report,
    counters: Counters,
    /// What no invalidation covers: message and item.
    lost: Vec<String>,
}

/// One day: `faults` of CloudFront, and the share of invocations killed.
async fn day(load: &Load, options: &Options, faults: Faults) -> Day {
    let simulator = Simulator::start(simulator::Options {
        clock: Clock::manual(),
        denied: BTreeSet::from([DistributionId::distribution(DENIED).unwrap()]),
        poison: is_poison,
        faults,
        in_progress: Some(load.in_progress),
        ..simulator::Options::chaos(options.seed)
    })
    .await
    .unwrap();
    let report = run(load.messages.clone(), options, simulator.clock(), || {
        Function::new(rules(), cloudfront(&simulator))
    })
    .await;
    let accepted = simulator.invalidations();
    let lost = lost(&load.expected, &accepted);
    Day {
        counters: simulator.counters(),
        lost: lost.iter().map(|one| format!("{} {}", one.message, one.item)).collect(),
        report,
    }
}

/// Compares a good day with a bad one of the same queue, with the same refused
/// paths and the same forbidden target: only faults and kills are the bad
/// day's own. Billed is all that CloudFront accepted, on both days. Gives the
/// bad day.
async fn compare(load: Load, options: Options) -> Day {
    let good = day(&load, &Options { kill: 0.0, ..options }, Faults::default()).await;
    let faults = simulator::Options::chaos(options.seed).faults;
    let bad = day(&load, &options, faults).await;
    for day in [&good, &bad] {
        assert_eq!(day.lost, [""; 0]);
        // Nobody's message dies for its neighbours.
        for dead in &day.report.dead_letters {
            let n: usize = dead.id.parse().unwrap();
            assert!([17, 101].contains(&(n % ONE_IN)), "{} {}", dead.id, key(n));
        }
        assert_eq!(day.report.dead_letters.len(), load.messages.len() / (ONE_IN / 2));
        assert_eq!((day.report.late, day.report.errors), (0, 0));
    }
    assert!(bad.counters.dropped_after > 0, "{:?}", bad.counters);
    let ratio = bad.counters.billed_paths as f64 / good.counters.billed_paths as f64;
    assert!(ratio <= 1.05, "{ratio}: {:?} {:?}", good.counters, bad.counters);
    bad
}

/// AWS recommends at least five receives.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
const MAX_RECEIVES: u32 = 5;

#[tokio::test]
async fn nothing_is_lost_and_little_is_billed_twice() {
    let options = Options {
        seed: 1,
        processes: 2,
        kill: 0.03,
        max_receives: MAX_RECEIVES,
        ..Options::default()
    };
    let bad = compare(Load::new(10_000, &options, InProgress::default()), options).await;
    assert!(bad.report.killed > 0);
}

#[tokio::test]
async fn nor_beyond_the_quota_in_progress() {
    let options = Options { seed: 2, batch: 600, max_receives: MAX_RECEIVES, ..Options::default() };
    let load = Load::new(3_000, &options, InProgress { paths: 800, wildcards: 15 });
    let bad = compare(load, options).await;
    assert!(bad.counters.refused["TooManyInvalidationsInProgress"] > 1);
}

#[tokio::test(start_paused = true)]
async fn no_invocation_is_late_when_cloudfront_does_not_answer() {
    // The simulator's clock stands still while an invocation runs, so that no
    // answer ever comes.
    let simulator = Simulator::start(simulator::Options {
        clock: Clock::manual(),
        latency: Duration::from_secs(1),
        ..simulator::Options::default()
    })
    .await
    .unwrap();
    let messages: Vec<Message> =
        (0..60).map(|n| Message::new(n.to_string(), event(n), Duration::ZERO)).collect();
    let options = Options {
        batch: 30,
        max_receives: 2,
        timeout: Duration::from_secs(20),
        ..Options::default()
    };
    let report = run(messages, &options, simulator.clock(), || {
        Function::new(rules(), cloudfront(&simulator))
    })
    .await;
    // Every invocation answered in time that all of its messages must come again.
    assert_eq!((report.invocations, report.late, report.errors), (4, 0, 0));
    assert_eq!(report.dead_letters.len(), 60);
}

/// A client in front of the simulator that does not wait between attempts.
fn cloudfront(simulator: &Simulator) -> CloudFront {
    let retry = RetryConfig::standard().with_max_attempts(10).with_initial_backoff(Duration::ZERO);
    let settings = Settings { retry: Some(retry), ..Settings::default() };
    CloudFront::new(&simulator.sdk_config(), settings)
}
