//! The largest payload of a queue, 6 MB.
//! <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
//!
//! - `cargo bench --bench event` reads it by `event::read` and, for comparison,
//!   as `serde_json::Value`.
//! - `cargo bench --bench event -- allocations` counts the allocations of each
//!   step from payload to plan, and the memory at its peak.

use std::{fmt::Write, hint::black_box};

use allocation_counter::measure;
use criterion::{Criterion, Throughput, criterion_group};
use s3_cloudfront_invalidator::{event, plan::Planner, rules::RuleSet};
use serde_json::{Value, json};

const PAYLOAD_BYTES: usize = 6_000_000;

/// SQS messages, each with a complete EventBridge event.
fn payload() -> String {
    let mut payload = String::from("{\"Records\":[");
    for number in 0.. {
        let message = message(number);
        if payload.len() + message.len() > PAYLOAD_BYTES {
            break;
        }
        let comma = if number == 0 { "" } else { "," };
        write!(payload, "{comma}{message}").expect("writing to a String cannot fail");
    }
    payload + "]}"
}

fn message(number: usize) -> String {
    let event = json!({
        "version": "0",
        "id": format!("17793124-05d4-b198-2fde-{number:012x}"),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-10-01T08:30:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:s3:::example-site"],
        "detail": {
            "version": "0",
            "event-version": "1.1",
            "bucket": {"name": "example-site"},
            "object": {
                "key": format!("public/posts/2026/post-{number}/index.html"),
                "size": number,
                "etag": "b1946ac92492d2347c6235b4d2611184",
                "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
                "sequencer": format!("617f08299329{number:06x}"),
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "111122223333",
            "source-ip-address": "192.0.2.10",
            "reason": "PutObject",
        },
    });
    json!({
        "messageId": format!("059f36b4-87a3-44ab-83d2-{number:012x}"),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a".repeat(6),
        "body": event.to_string(),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1790843400250",
            "SenderId": "AIDAEXAMPLEID",
            "ApproximateFirstReceiveTimestamp": "1790843400261",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:cdn-changes",
        "awsRegion": "eu-west-1",
    })
    .to_string()
}

fn outer(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).expect("the payload is JSON")
}

fn outer_and_bodies(payload: &[u8]) -> (Value, Vec<Value>) {
    let outer = outer(payload);
    let records = outer["Records"].as_array().expect("the payload has records");
    let bodies = records
        .iter()
        .map(|record| record["body"].as_str().expect("a message has a body"))
        .map(|body| serde_json::from_str(body).expect("a body is JSON"))
        .collect();
    (outer, bodies)
}

fn benchmark(criterion: &mut Criterion) {
    let payload = payload().into_bytes();
    let read = event::read(&payload, "request").expect("the payload is understood");
    assert!(read.deliveries.iter().all(|delivery| delivery.changes.len() == 1));
    let mut group = criterion.benchmark_group(format!("{} messages", read.deliveries.len()));
    group.throughput(Throughput::Bytes(payload.len() as u64));
    group.bench_function("event::read", |bencher| {
        bencher.iter(|| event::read(black_box(&payload), "request"));
    });
    group.bench_function("Value, bodies as Value", |bencher| {
        bencher.iter(|| outer_and_bodies(black_box(&payload)));
    });
    group.bench_function("Value, bodies as text", |bencher| {
        bencher.iter(|| outer(black_box(&payload)));
    });
    group.finish();
}

const RULES: &str = "
version: 1
rules:
  - {name: pages, bucket: example-site, prefix: public/, suffix: [.html, .json], invalidate: E1EXAMPLE1WWW}
";

fn count_allocations() {
    let payload = payload().into_bytes();
    let rules = RuleSet::parse("rules.yaml", RULES.as_bytes()).expect("a sound file");
    let read = || event::read(&payload, "request").expect("the payload is understood");
    let messages = read().deliveries;
    let changes = || {
        (0..)
            .zip(&messages)
            .flat_map(|(at, one)| one.changes.iter().map(move |change| (at, change)))
    };
    let plan = || {
        let mut planner = Planner::new(rules.targets());
        for (delivery, change) in changes() {
            planner.add(change, delivery, &rules.route(change));
        }
        planner.finish()
    };
    let decide = || changes().for_each(|(_, change)| drop(black_box(rules.route(change))));
    let steps: [(&str, &dyn Fn()); 3] = [
        ("read", &|| drop(black_box(read()))),
        ("decide", &decide),
        ("decide and plan", &|| drop(black_box(plan()))),
    ];
    for (name, step) in steps {
        let counted = measure(step);
        println!(
            "{name}: {:.1} allocations a change, {:.1} MB at the peak",
            counted.count_total as f64 / changes().count() as f64,
            counted.bytes_max as f64 / 1e6,
        );
    }
}

criterion_group!(benches, benchmark);

fn main() {
    if std::env::args().any(|argument| argument == "allocations") {
        count_allocations();
    } else {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}
