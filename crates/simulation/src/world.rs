//! A world: a site, its changes, who reads the queue, and what goes wrong.

use std::{sync::Arc, time::Duration};

use cloudfront_simulator::{
    Counting, Faults, InProgress, PerSecond, RequestRate, ReusedReference, SimulatorOptions,
};
use s3_cloudfront_invalidator::rules::RuleSet;
use serde_json::json;

use crate::{
    day::{Day, DayOptions, Reader, SentMessage, simulate_day},
    site::{BUCKETS, DENIED, SECTIONS, Site},
};

/// Everything that happens from outside, and nothing that is random.
#[derive(Clone, Debug)]
pub struct World {
    pub site: Site,
    /// In the order of time.
    pub changes: Vec<ObjectChange>,
    pub day: DayOptions,
    pub cloudfront: SimulatorOptions,
}

/// S3 puts or deletes an object, and EventBridge delivers the event.
#[derive(Clone, Debug)]
pub struct ObjectChange {
    pub at: Duration,
    pub bucket: &'static str,
    pub key: String,
    pub is_deleted: bool,
    /// When the event is delivered; EventBridge delivers at least once, and in
    /// any order.
    pub delivered_at: Vec<Duration>,
    /// Not an event, but what somebody else sent to the queue.
    pub is_unreadable: bool,
}

/// CloudFront refuses paths that contain this.
pub const REFUSED: &str = ".refused";

impl World {
    pub fn random(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let rng = &mut rng;
        let site = Site::random(rng);
        let day = day_options(rng, seed);
        let cloudfront = cloudfront_options(rng, seed, day.reader);
        let changes = changes(rng, day.reader);
        Self { site, changes, day, cloudfront }
    }

    /// Runs the function in this world.
    pub fn run(&self) -> Day {
        let document = self.site.document();
        let rules = RuleSet::parse("rules.yaml", document.as_bytes());
        let rules: Arc<RuleSet> =
            rules.unwrap_or_else(|error| panic!("{document}: {error}")).into();
        let mut messages: Vec<SentMessage> = Vec::new();
        for (n, change) in self.changes.iter().enumerate() {
            let body = change.event(n);
            messages.extend(
                change
                    .delivered_at
                    .iter()
                    .map(|sent_at| SentMessage { body: body.clone(), sent_at: *sent_at }),
            );
        }
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().expect("a runtime");
        let day = simulate_day(&messages, &self.day, self.cloudfront.clone(), &rules);
        runtime.block_on(day)
    }
}

impl ObjectChange {
    fn event(&self, n: usize) -> String {
        if self.is_unreadable {
            return format!("{{\"detail-type\": \"Object Created\", \"source\": \"aws.s3\", {n}");
        }
        json!({
            "version": "0",
            "id": format!("00000000-0000-0000-0000-{n:012}"),
            "detail-type": if self.is_deleted { "Object Deleted" } else { "Object Created" },
            "source": "aws.s3",
            "account": "111122223333",
            "time": "2026-11-12T00:00:00Z",
            "region": "eu-central-1",
            "resources": [format!("arn:aws:s3:::{}", self.bucket)],
            "detail": {
                "bucket": { "name": self.bucket },
                "object": { "key": self.key, "size": 5, "sequencer": format!("{n:016X}") },
            },
        })
        .to_string()
    }
}

fn day_options(rng: &mut fastrand::Rng, seed: u64) -> DayOptions {
    let reader = match rng.u32(0..4) {
        0 | 1 => Reader::Drain { tick: Duration::from_secs(60) },
        2 => Reader::Pollers { batch: rng.usize(1..=100), pace: Duration::from_secs(2) },
        _ => Reader::Direct,
    };
    let is_direct = reader == Reader::Direct;
    DayOptions {
        seed,
        reader,
        timeout: Duration::from_secs(rng.u64(60..=300)),
        environments: rng.usize(1..=if is_direct { 8 } else { 3 }),
        kill: if rng.bool() { 0.0 } else { 0.2 },
        // A direct event is given up after three attempts.
        most_kills: if is_direct { 1 } else { 3 },
        freeze: if rng.u32(0..4) == 0 && !is_direct { 0.2 } else { 0.0 },
        queue_faults: if is_direct || rng.bool() { 0.0 } else { 0.1 },
        ..DayOptions::default()
    }
}

fn cloudfront_options(rng: &mut fastrand::Rng, seed: u64, reader: Reader) -> SimulatorOptions {
    let share =
        |rng: &mut fastrand::Rng, most: f64| if rng.bool() { rng.f64() * most } else { 0.0 };
    let is_drain = matches!(reader, Reader::Drain { .. });
    let counting = [Counting::Items, Counting::ItemsInDebt, Counting::Requests];
    let per_second =
        PerSecond { counting: rng.choice(counting).unwrap_or_default(), ..PerSecond::default() };
    let quota = rng.u32(0..4);
    SimulatorOptions {
        denied: [DENIED.to_owned()].into(),
        // In most worlds somebody adds the permission after some minutes.
        denied_until: match seed % 6 {
            0 => Duration::MAX,
            minutes => Duration::from_secs(60 * minutes),
        },
        poison: |item| item.contains(REFUSED),
        latency: Duration::from_millis(rng.u64(0..2_000)),
        completion: Duration::from_secs(rng.u64(0..120)),
        in_progress: (quota > 0).then(InProgress::default),
        per_second: (is_drain && quota == 1).then_some(per_second),
        request_rate: (is_drain && quota == 2).then(RequestRate::default),
        reused_reference: match rng.u32(0..3) {
            0 => ReusedReference::InvalidArgument,
            _ => ReusedReference::AlreadyExists,
        },
        faults: Faults {
            throttle: share(rng, 0.3),
            internal_error: share(rng, 0.1),
            unavailable: share(rng, 0.1),
            drop_before: share(rng, 0.1),
            drop_after: share(rng, 0.1),
            slow: if reader == Reader::Direct { 0.0 } else { share(rng, 0.1) },
        },
        seed,
        ..SimulatorOptions::default()
    }
}

/// Returns bursts of changes, as of deploys, and single ones.
fn changes(rng: &mut fastrand::Rng, reader: Reader) -> Vec<ObjectChange> {
    let has_refused = rng.u32(0..3) == 0;
    let mean_delay = [0.2, 5.0, 60.0][rng.usize(0..3)];
    let duplicated = if rng.bool() { 0.0 } else { 0.1 };
    let most = if reader == Reader::Direct { 40 } else { 150 };
    let mut changes = Vec::new();
    let mut at = Duration::ZERO;
    for _ in 0..rng.usize(1..=3) {
        at += Duration::from_millis(rng.u64(0..300_000));
        let origin = if rng.bool() { "public/" } else { "" };
        let section = rng.choice(SECTIONS).unwrap_or_default();
        let bucket = rng.choice(BUCKETS).unwrap_or_default();
        let pace = [10, 500, 5_000][rng.usize(0..3)];
        for _ in 0..rng.usize(1..=most / 3) {
            at += Duration::from_millis(rng.u64(0..pace));
            let directory = ["", "a/", "a/x/", "b/", "c/"][rng.usize(0..5)];
            let file = match rng.u32(0..40) {
                0..12 => "index.html".to_owned(),
                12..30 => format!("p{}.html", rng.u32(0..20)),
                30..36 => format!("image {}.jpg", rng.u32(0..9)),
                36 => "größe.css".to_owned(),
                37 if has_refused => format!("p{}{REFUSED}", rng.u32(0..3)),
                _ => "data.json".to_owned(),
            };
            let key = match rng.u32(0..30) {
                0 => format!("{origin}index.html"),
                _ => format!("{origin}{section}/{directory}{file}"),
            };
            let mut delay = || Duration::from_secs_f64(-mean_delay * (1.0 - rng.f64()).ln());
            let mut delivered_at = vec![at + delay()];
            let second = at + delay() + delay();
            if rng.f64() < duplicated {
                delivered_at.push(second);
            }
            changes.push(ObjectChange {
                at,
                bucket,
                key,
                is_deleted: rng.u32(0..8) == 0,
                delivered_at,
                is_unreadable: rng.u32(0..200) == 0,
            });
        }
    }
    changes
}
