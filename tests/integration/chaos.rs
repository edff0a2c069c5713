//! Ten thousand changes through a queue on a bad day: nothing is lost, and
//! nothing is billed much more often than on a good one.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use s3_cloudfront_invalidator::{
    chaos::{Expected, Message, Options, Process, Report, lost, run},
    cloudfront::CloudFront,
    distribution::DistributionId,
    item::Item,
    simulator::{self, Clock, Counters, Faults, Simulator},
};
use tokio::time::Instant;

use crate::hand_plan::{HandPlan, cloudfront, distribution, item};

const CHANGES: usize = 10_000;

/// Every two-hundredth change is of a path that CloudFront refuses, and every
/// two-hundredth asks for a target that nobody may touch, beside a good one.
const ONE_IN: usize = 200;

const DENIED: &str = "E9DENIED";

fn is_poison(item: &str) -> bool {
    item.ends_with(".poison")
}

/// What a change asks for. The same path changes five times in the run.
fn asks(n: usize) -> Vec<(DistributionId, Item)> {
    let path = n % (CHANGES / 5);
    let ask = |id: &str, text: String| (distribution(id).id, item(&text));
    let mut asks = match path % 20 {
        0..12 => vec![ask("E1EXAMPLE", format!("/pages/{path}.html"))],
        12 if path % 200 == 12 => vec![ask("dt_1EXAMPLE", format!("/{path}/*"))],
        12 | 13 => vec![
            ask("E1EXAMPLE", format!("/pages/{path}.html")),
            ask("E2EXAMPLE", "#posts".to_owned()),
        ],
        _ => vec![ask("E2EXAMPLE", format!("/{path}.json"))],
    };
    if n % ONE_IN == 17 {
        asks = vec![ask("E1EXAMPLE", format!("/pages/{n}.poison"))];
    }
    if n % ONE_IN == 101 {
        asks.push(ask(DENIED, format!("/{path}.html")));
    }
    asks
}

/// The function without its rules: a message's text is the number of a change.
struct Function(CloudFront);

impl Process for Function {
    async fn invoke(&self, messages: &[Message], deadline: Instant) -> Result<Vec<String>, String> {
        let mut plan = HandPlan::default();
        for message in messages {
            plan.delivery(Some(&message.id));
            for (id, item) in asks(message.body.parse().unwrap()) {
                plan.ask(id.into(), item);
            }
        }
        let (plan, deliveries) = plan.finish();
        let submission = self.0.submit(&plan, &deliveries, deadline).await;
        let mut failed = BTreeSet::new();
        for (part, submitted) in plan.distributions.iter().zip(&submission.distributions) {
            let items = part.requests.iter().flat_map(|request| &request.items);
            for (item, outcome) in items.zip(submitted.outcomes.iter().flatten()) {
                if !outcome.is_done() {
                    let deliveries =
                        item.sources.iter().map(|s| plan.sources[*s as usize].delivery);
                    failed
                        .extend(deliveries.filter_map(|d| messages[d as usize].id.clone().into()));
                }
            }
        }
        Ok(failed.into_iter().collect())
    }
}

struct Day {
    report: Report,
    counters: Counters,
    /// The changes that no invalidation covers.
    lost: Vec<usize>,
    /// The dead letters, as changes.
    dead: BTreeSet<usize>,
}

/// One day: `faults` of CloudFront, and the share of invocations killed.
async fn day(seed: u64, batch: usize, faults: Faults, kill: f64) -> Day {
    let options = simulator::Options {
        clock: Clock::manual(),
        denied: BTreeSet::from([distribution(DENIED).id]),
        poison: is_poison,
        faults,
        ..simulator::Options::chaos(seed)
    };
    let simulator = Simulator::start(options).await.unwrap();
    let pace = Duration::from_secs(2);
    // The queue fills a little more slowly than it is emptied.
    let sent_at = |n: usize| pace * u32::try_from(n / (batch * 9 / 10)).unwrap();
    let messages =
        (0..CHANGES).map(|n| Message::new(format!("m{n}"), n.to_string(), sent_at(n))).collect();
    // AWS recommends at least five receives.
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    let options = Options { seed, batch, kill, pace, max_receives: 5, ..Options::default() };
    let report =
        run(messages, &options, simulator.clock(), || Function(cloudfront(&simulator))).await;

    let mut expected = Vec::new();
    let mut changes = HashMap::new();
    for n in 0..CHANGES {
        for (distribution, item) in asks(n) {
            changes.insert(expected.len(), n);
            expected.push(Expected { sent_at: sent_at(n), distribution, item });
        }
    }
    let accepted = simulator.invalidations();
    let places: HashMap<*const Expected, usize> =
        expected.iter().enumerate().map(|(place, one)| (std::ptr::from_ref(one), place)).collect();
    let lost = lost(&expected, &accepted)
        .into_iter()
        // What CloudFront refuses by rule is no loss of ours.
        .filter(|one| !is_poison(one.item.as_str()) && one.distribution.as_str() != DENIED)
        .map(|one| changes[&places[&std::ptr::from_ref(one)]])
        .collect();
    let dead = report.dead_letters.iter().map(|message| message.body.parse().unwrap()).collect();
    Day { report, counters: simulator.counters(), lost, dead }
}

/// Compares a good day with a bad one of the same queue, with the same refused
/// paths and the same forbidden target: only faults and kills are the bad
/// day's own. Billed is all that CloudFront accepted, on both days.
async fn compare(seed: u64, batch: usize) {
    let hopeless: BTreeSet<usize> =
        (0..CHANGES).filter(|n| n % ONE_IN == 17 || n % ONE_IN == 101).collect();
    let good = day(seed, batch, Faults::default(), 0.0).await;
    let bad = day(seed, batch, simulator::Options::chaos(seed).faults, 0.03).await;
    for day in [&good, &bad] {
        assert_eq!(day.lost, [0; 0]);
        // Nobody's message dies for its neighbours.
        assert_eq!(day.dead, hopeless);
        assert_eq!((day.report.late, day.report.errors), (0, 0));
    }
    assert!(bad.report.killed > 0, "{:?}", bad.counters);
    assert!(bad.counters.dropped_after > 0, "{:?}", bad.counters);
    let ratio = bad.counters.billed_paths as f64 / good.counters.billed_paths as f64;
    assert!(ratio <= 1.05, "{ratio}: {:?} {:?}", good.counters, bad.counters);
}

#[tokio::test]
async fn nothing_is_lost_and_little_is_billed_twice() {
    compare(1, 100).await;
}

#[tokio::test]
async fn nor_beyond_the_quota_in_progress() {
    compare(2, 1_000).await;
}
