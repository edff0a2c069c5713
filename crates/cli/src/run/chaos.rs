//! `invalidator run --chaos`: the changes of the payloads through a queue on a
//! bad day, beside the same queue on a good one.

use std::time::Duration;

use crate::chaos::{self, Message, expected, lost};
use aws_sdk_cloudfront::config::retry::RetryConfig;
use cloudfront_simulator as simulator;
use cloudfront_simulator::{Clock, Faults, Simulator};
use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, Settings},
    event::{self, Change, Kind},
    handler::Function,
};
use serde::Serialize;
use serde_json::json;

use crate::{Exit, Format, Global, input, output::table};

/// The share of invocations that are killed on the bad day.
const KILL: f64 = 0.03;

/// What one day came to.
#[derive(Serialize)]
struct Day {
    invocations: usize,
    killed: usize,
    late: usize,
    redeliveries: usize,
    dead_letters: usize,
    calls: u64,
    throttled: u64,
    dropped: u64,
    billed_paths: u64,
    lost: Vec<String>,
}

/// Sends `count` changes, those of the payloads over and over.
pub async fn run(
    payloads: &[input::PayloadFile],
    count: usize,
    seed: u64,
    global: &Global,
) -> anyhow::Result<Exit> {
    let changes = changes(payloads);
    anyhow::ensure!(!changes.is_empty(), "the payloads hold no created or deleted object");
    let options = chaos::Options { seed, kill: KILL, processes: 2, ..chaos::Options::default() };
    // The queue fills a little more slowly than it is emptied.
    let sent_at =
        |n: usize| options.pace * u32::try_from(n / (options.batch * 9 / 10)).unwrap_or(u32::MAX);
    let messages: Vec<Message> = changes
        .iter()
        .cycle()
        .take(count)
        .enumerate()
        .map(|(n, change)| Message::new(n.to_string(), message(change, n), sent_at(n)))
        .collect();
    let good = chaos::Options { kill: 0.0, ..options.clone() };
    let good = day(&messages, &good, Faults::default(), global).await?;
    let faults = simulator::Options::chaos(seed).faults;
    let bad = day(&messages, &options, faults, global).await?;
    match global.format {
        Format::Text => text(&good, &bad),
        Format::Json => {
            let document =
                json!({ "changes": count, "seed": seed, "good_day": good, "bad_day": bad });
            anstream::println!("{document:#}");
        }
    }
    let sound = |day: &Day| day.lost.is_empty() && day.late == 0 && day.dead_letters == 0;
    Ok(if sound(&good) && sound(&bad) { Exit::Done } else { Exit::Negative })
}

/// The created and deleted objects of payloads that can be read.
fn changes(payloads: &[input::PayloadFile]) -> Vec<Change> {
    payloads
        .iter()
        .filter_map(|payload| event::read(&payload.bytes, &payload.name).ok())
        .flat_map(|payload| payload.deliveries)
        .flat_map(|delivery| delivery.changes)
        .filter(|change| change.kind.changes_content())
        .collect()
}

/// A change as an event of EventBridge, the `n`th of its object.
fn message(change: &Change, n: usize) -> String {
    let detail_type =
        if change.kind == Kind::Deleted { "Object Deleted" } else { "Object Created" };
    json!({
        "source": "aws.s3",
        "detail-type": detail_type,
        "account": change.account.as_deref(),
        "region": change.region.as_deref(),
        "detail": {
            "bucket": { "name": &*change.bucket },
            "object": { "key": change.key, "size": change.size, "sequencer": format!("{n:016X}") },
        },
    })
    .to_string()
}

async fn day(
    messages: &[Message],
    options: &chaos::Options,
    faults: Faults,
    global: &Global,
) -> anyhow::Result<Day> {
    let rules = input::load_rules(global)?;
    let expected = expected(&rules, messages);
    let simulator = Simulator::start(simulator::Options {
        clock: Clock::manual(),
        faults,
        completion: simulator::Options::chaos(options.seed).completion,
        seed: options.seed,
        ..super::options(&rules)
    })
    .await?;
    let start = || -> anyhow::Result<Function> {
        // Back-off is waited for in real time, of which the simulator needs none.
        let retry =
            RetryConfig::standard().with_max_attempts(10).with_initial_backoff(Duration::ZERO);
        let settings = Settings { retry: Some(retry), ..Settings::default() };
        let cloudfront = CloudFront::new(&simulator.sdk_config(), settings);
        Ok(Function::new(input::load_rules(global)?, cloudfront))
    };
    // The file was read a moment ago; every process of the day reads it again.
    let start = || start().expect("the rules file was readable a moment ago");
    let report = chaos::run(messages.to_vec(), options, simulator.clock(), start).await;
    let counters = simulator.counters();
    let lost = lost(&expected, &simulator.invalidations())
        .into_iter()
        .map(|expected| format!("{} {}", expected.distribution, expected.item))
        .collect();
    Ok(Day {
        invocations: report.invocations,
        killed: report.killed,
        late: report.late,
        redeliveries: report.redeliveries,
        dead_letters: report.dead_letters.len(),
        calls: counters.create_calls,
        throttled: counters.refused.get("Throttling").copied().unwrap_or_default(),
        dropped: counters.dropped_before + counters.dropped_after,
        billed_paths: counters.billed_paths,
        lost,
    })
}

fn text(good: &Day, bad: &Day) {
    let mut table = table(["", "good day", "bad day"]);
    for (name, value) in [
        ("invocations", (|day: &Day| day.invocations.to_string()) as fn(&Day) -> String),
        ("  killed", |day| day.killed.to_string()),
        ("  past their deadline", |day| day.late.to_string()),
        ("messages that came again", |day| day.redeliveries.to_string()),
        ("dead letters", |day| day.dead_letters.to_string()),
        ("CreateInvalidation calls", |day| day.calls.to_string()),
        ("  throttled", |day| day.throttled.to_string()),
        ("  cut off", |day| day.dropped.to_string()),
        ("billed paths", |day| day.billed_paths.to_string()),
        ("lost items", |day| day.lost.len().to_string()),
    ] {
        table.add_row([name.to_owned(), value(good), value(bad)]);
    }
    anstream::println!("{table}");
    for lost in good.lost.iter().chain(&bad.lost) {
        anstream::println!("lost: {lost}");
    }
}
