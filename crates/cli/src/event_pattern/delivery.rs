//! `event-pattern --test`: which changes of payloads the patterns deliver.

use std::path::Path;

use s3_cloudfront_invalidator::{
    escape::escape,
    event::{self, Change},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Exit, Format,
    input::{self, PayloadFile},
    output::print_json,
};

use super::{evaluate::matches, row::kind_detail_types};

#[derive(Serialize)]
struct TestedChange {
    event: &'static str,
    bucket: String,
    key: String,
    delivered: bool,
}

/// Prints whether the patterns deliver each change of the payloads, in whichever
/// shape they are: as the EventBridge event that S3 would send.
pub(super) fn test(patterns: &[Value], file: &Path, format: Format) -> anyhow::Result<Exit> {
    let mut tested = Vec::new();
    let mut is_read = true;
    for PayloadFile { name, bytes } in input::read_payloads(&[file.to_owned()])? {
        let mut refuse = |reason: String| {
            errln!("error: {name}: {reason}");
            is_read = false;
        };
        match event::read(&bytes, &name) {
            Ok(payload) => {
                if let Some(warning) = payload.foreign_warning() {
                    errln!("warning: {name}: {warning}");
                }
                for delivery in payload.deliveries {
                    delivery.unreadable.iter().for_each(|reason| refuse(reason.to_string()));
                    tested.extend(delivery.changes.iter().map(|change| TestedChange {
                        event: change.kind.name(),
                        bucket: change.bucket.to_string(),
                        key: change.key.clone(),
                        delivered: is_delivered(patterns, change),
                    }));
                }
            }
            Err(reason) => refuse(reason.to_string()),
        }
    }
    let all = is_read && tested.iter().all(|change| change.delivered);
    if format == Format::Json {
        print_json(&tested)?;
    } else {
        if tested.is_empty() && is_read {
            errln!("note: the payloads contain no change");
        }
        for TestedChange { event, bucket, key, delivered } in &tested {
            let delivered = if *delivered { "delivered" } else { "not delivered" };
            let object = format!("s3://{bucket}/{key}");
            outln!("{delivered:<13} {event}: {}", escape(&object));
        }
    }
    Ok(if all { Exit::Done } else { Exit::Negative })
}

fn is_delivered(patterns: &[Value], change: &Change) -> bool {
    kind_detail_types(change.kind).iter().any(|detail_type| {
        let event = json!({
            "source": "aws.s3",
            "detail-type": detail_type,
            "account": change.account,
            "region": change.region,
            "detail": { "bucket": { "name": change.bucket }, "object": { "key": change.key } },
        });
        patterns.iter().any(|pattern| matches(pattern, &event))
    })
}
