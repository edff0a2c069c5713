//! `invalidator run --chaos`: the changes of the payloads on a bad day, and on a
//! good day for comparison.

use std::{sync::Arc, time::Duration};

use cloudfront_simulator::{Faults, InProgress, PerSecond, RequestRate, SimulatorOptions};
use serde_json::{Value, json};
use simulation::{Day, DayOptions, End, ExpectedItem, SentMessage, expected, lost, simulate_day};

use crate::{
    Exit, Format, Global, input,
    output::{print_json, table},
    run::messages::{self, Changes},
};

/// The share of drains that are killed on the bad day.
const KILL: f64 = 0.2;

/// The share of calls of SQS that fail, and of messages that come twice.
const QUEUE_FAULTS: f64 = 0.05;

/// The messages sent in a second.
const RATE: u32 = 45;

/// How long invalidations are in progress.
const COMPLETION: Duration = Duration::from_secs(30);

/// Sends `count` changes, which repeat those of the payloads.
pub async fn compare(
    changes: &Changes,
    count: usize,
    options: DayOptions,
    global: &Global,
    cloudfront: SimulatorOptions,
) -> anyhow::Result<Exit> {
    let (good, seed) = (options, options.seed);
    let bad = DayOptions { kill: KILL, queue_faults: QUEUE_FAULTS, environments: 2, ..good };
    let repeated = changes.list.iter().cycle().take(count).enumerate();
    let messages: Vec<SentMessage> = repeated
        .map(|(n, change)| SentMessage {
            body: messages::event(change, n),
            sent_at: Duration::from_secs(1) * n as u32 / RATE,
        })
        .collect();
    let rules = Arc::new(input::load_rules(global)?);
    let expected = expected(&rules, &messages);
    let day = async |options: DayOptions, faults: Faults| {
        let cloudfront = SimulatorOptions {
            faults,
            seed,
            completion: COMPLETION,
            // All quotas that are documented or quoted, each in its strictest
            // reading.
            in_progress: Some(InProgress::default()),
            per_second: Some(PerSecond::default()),
            request_rate: Some(RequestRate::default()),
            ..cloudfront.clone()
        };
        let day = simulate_day(&messages, &options, cloudfront, &rules).await;
        let lost = lost(&expected, &day.accepted);
        DayResult { day, lost }
    };
    let good = day(good, Faults::default()).await;
    let bad = day(bad, Faults::chaos()).await;
    match global.format {
        Format::Text => print_text(&good, &bad),
        Format::Json => {
            let (good, bad) = (to_json(&good), to_json(&bad));
            let document =
                json!({ "changes": count, "seed": seed, "good_day": good, "bad_day": bad });
            print_json(&document)?;
        }
    }
    let is_sound = |DayResult { day, lost }: &DayResult| {
        lost.is_empty() && day.ended(&End::Late) == 0 && day.dead_letters.is_empty()
    };
    let is_sound = changes.is_complete && is_sound(&good) && is_sound(&bad);
    Ok(if is_sound { Exit::Done } else { Exit::Negative })
}

/// A day, and the items that were lost.
struct DayResult {
    day: Day,
    lost: Vec<ExpectedItem>,
}

type Figure = fn(&Day) -> u64;

/// The figures of a day, each with its name in JSON and its label in text.
const FIGURES: [(&str, &str, Figure); 9] = [
    ("invocations", "invocations", |day| day.invocations.len() as u64),
    ("killed", "  killed", |day| day.ended(&End::Killed) as u64),
    ("late", "  past their deadline", |day| day.ended(&End::Late) as u64),
    ("redeliveries", "redelivered messages", |day| day.redeliveries as u64),
    ("dead_letters", "dead letters", |day| day.dead_letters.len() as u64),
    ("calls", "CreateInvalidation calls", |day| day.counters.create_calls),
    ("throttled", "  throttled", |day| {
        day.counters.refused.get("Throttling").copied().unwrap_or_default()
    }),
    ("dropped", "  connection cut", |day| day.counters.dropped_before + day.counters.dropped_after),
    ("billed_paths", "billed paths", |day| day.counters.billed_paths),
];

impl DayResult {
    /// The lost items, each with its distribution.
    fn lost(&self) -> impl Iterator<Item = String> {
        self.lost.iter().map(|lost| format!("{} {}", lost.distribution, lost.item))
    }
}

fn to_json(result: &DayResult) -> Value {
    let mut document: serde_json::Map<String, Value> = FIGURES
        .iter()
        .map(|(name, _, figure)| ((*name).to_owned(), figure(&result.day).into()))
        .collect();
    document.insert("lost".to_owned(), result.lost().collect());
    document.into()
}

fn print_text(good: &DayResult, bad: &DayResult) {
    let mut table = table(["", "good day", "bad day"]);
    for (_, label, figure) in FIGURES {
        table.add_row([
            label.to_owned(),
            figure(&good.day).to_string(),
            figure(&bad.day).to_string(),
        ]);
    }
    table.add_row([
        "lost items".to_owned(),
        good.lost.len().to_string(),
        bad.lost.len().to_string(),
    ]);
    outln!("{table}");
    for lost in good.lost().chain(bad.lost()) {
        outln!("lost: {lost}");
    }
}
