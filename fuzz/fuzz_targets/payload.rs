//! Any bytes → deliveries: never a panic, and every queue message answered for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use s3_cloudfront_invalidator::event::{self, Source};
use serde_json::Value;

fuzz_target!(|payload: &[u8]| {
    let read = event::read(payload, "request-1");
    let value = serde_json::from_slice::<Value>(payload).ok();
    let Ok(read) = read else {
        // serde_json is the oracle of what is JSON; what is and is understood
        // by nobody is refused for other reasons.
        assert!(
            value.is_none_or(|value| !value["Records"].is_array() && !value.is_array()),
            "a list is read element by element"
        );
        return;
    };
    let echoed: Vec<&str> = read.deliveries.iter().filter_map(|it| it.id.as_deref()).collect();
    assert_eq!(read.source == Source::Queue, !echoed.is_empty());
    for change in read.deliveries.iter().flat_map(|delivery| &delivery.changes) {
        assert!(!change.bucket.is_empty() && !change.key.is_empty());
    }
    if let Some(value) = value {
        let elements = value.as_array().or_else(|| value["Records"].as_array());
        // Of two `Records`, `Value` keeps the last and the reader reads both.
        let mut ids = elements
            .into_iter()
            .flatten()
            .filter(|it| it["eventSource"] == "aws:sqs" || it["body"].is_string())
            .filter_map(|it| it["messageId"].as_str())
            .filter(|id| !id.is_empty());
        assert!(ids.all(|id| echoed.contains(&id)), "every message is answered for");
    }
});
