//! The example payloads in events/.

use std::{collections::BTreeMap, fs, path::Path};

use s3_cloudfront_invalidator::event::{self, Delivery};

/// The caller, and `changes/skipped` of each delivery.
fn outcome(payload: &[u8]) -> String {
    let payload = event::read(payload, "request-1").unwrap();
    let mut outcome = format!("{:?}", payload.source).to_lowercase();
    for Delivery { changes, unreadable, skipped, .. } in &payload.deliveries {
        assert_eq!(unreadable, &[]);
        outcome += &format!(" {}/{skipped}", changes.len());
    }
    outcome
}

#[test]
fn every_example_is_understood() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let outcomes: BTreeMap<_, _> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, outcome(&fs::read(path).unwrap()))
        })
        .collect();
    let expected = [
        ("asset-with-hash", "direct 1/0"),
        ("custom-bus-array", "direct 2/0"),
        ("custom-bus-data", "direct 1/0"),
        ("empty-array", "direct 0/0"),
        ("empty-object", "direct 0/0"),
        ("empty-records", "direct 0/0"),
        ("eventbridge-array", "direct 3/0"),
        ("eventbridge-created", "direct 1/0"),
        ("eventbridge-deleted", "direct 1/0"),
        ("eventbridge-reduced", "direct 1/0"),
        ("eventbridge-replayed", "direct 1/0"),
        ("key-with-space-korean-plus", "direct 1/0"),
        ("key-without-rule", "direct 1/0"),
        ("on-failure-record", "direct 1/0"),
        ("page-created", "direct 1/0"),
        ("page-deleted", "direct 1/0"),
        ("pipes-sqs", "queue 1/0 1/0"),
        ("pipes-sqs-transformed", "queue 1/0 1/0"),
        ("restore-initiated", "direct 0/1"),
        ("s3-notification", "direct 5/1"),
        ("s3-test-event", "direct 0/1"),
        ("shop-price-list", "direct 1/0"),
        ("sns-eventbridge", "direct 1/0"),
        ("sns-s3-notification", "direct 2/0"),
        ("sqs-custom-bus", "queue 1/0 1/0"),
        ("sqs-eventbridge", "queue 1/0 1/0 1/0 1/0"),
        ("sqs-fifo", "queue 1/0 1/0 1/0"),
        ("sqs-on-failure-record", "queue 1/0 1/0"),
        ("sqs-s3-notification", "queue 2/0"),
        ("sqs-sns-eventbridge", "queue 1/0"),
        ("sqs-sns-raw", "queue 1/0"),
        ("sqs-sns-s3-notification", "queue 1/0"),
        ("sqs-test-event", "queue 0/1 0/1"),
        ("version-expired", "direct 1/0"),
    ];
    let expected = expected.map(|(name, outcome)| (name.to_owned(), outcome.to_owned()));
    assert_eq!(outcomes, BTreeMap::from(expected));
}
