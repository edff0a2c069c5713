//! Reads any bytes: never panics, and every SQS message is answered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use s3_cloudfront_invalidator::event::{self, PayloadSource};
use serde_json::Value;

fuzz_target!(|payload: &[u8]| {
    let read = event::read(payload, "request-1");
    let value = serde_json::from_slice::<Value>(payload).ok();
    let Ok(read) = read else {
        // `Value` permits repeated members of the payload object, the reader does not.
        assert!(value.is_none_or(|value| !value.is_array()), "elements are read independently");
        return;
    };
    let ids: Vec<&str> = read.deliveries.iter().filter_map(|it| it.id.as_deref()).collect();
    assert_eq!(read.source == PayloadSource::Queue, !ids.is_empty());
    for change in read.deliveries.iter().flat_map(|delivery| &delivery.changes) {
        assert!(!change.bucket.is_empty() && !change.key.is_empty());
    }
    // An unreadable element without an id fails the invocation, and so the whole batch.
    if read.deliveries.iter().any(|it| it.id.is_none() && !it.unreadable.is_empty()) {
        return;
    }
    if let Some(value) = value {
        let elements = value.as_array().or_else(|| value["Records"].as_array());
        let mut messages = elements
            .into_iter()
            .flatten()
            .filter(|it| it["eventSource"] == "aws:sqs" || it["body"].is_string())
            .filter_map(|it| it["messageId"].as_str())
            .filter(|id| !id.is_empty());
        assert!(messages.all(|id| ids.contains(&id)), "every message is answered");
    }
});
