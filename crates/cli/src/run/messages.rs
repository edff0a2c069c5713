//! The changes of payloads as messages of a queue: one EventBridge event for each.

use cloudfront_simulator::{SqsOptions, SqsQueue};
use s3_cloudfront_invalidator::event::{Change, Kind, Unreadable, read};
use serde_json::json;

use crate::input::PayloadFile;

/// The created and deleted objects of payloads.
pub struct Changes {
    pub list: Vec<Change>,
    /// Whether every payload could be read.
    pub is_complete: bool,
}

impl Changes {
    /// Reads the payloads. Warns of what cannot be read.
    pub fn read(payloads: &[PayloadFile]) -> anyhow::Result<Self> {
        let mut list = Vec::new();
        let mut is_complete = true;
        for PayloadFile { name, bytes } in payloads {
            let mut warn = |reason: &Unreadable| {
                errln!("warning: {name}: {reason}");
                is_complete = false;
            };
            match read(bytes, name) {
                Ok(payload) => {
                    for delivery in payload.deliveries {
                        delivery.unreadable.iter().for_each(&mut warn);
                        list.extend(delivery.changes);
                    }
                }
                Err(reason) => warn(&reason),
            }
        }
        list.retain(|change| change.kind.changes_content());
        anyhow::ensure!(!list.is_empty(), "the payloads hold no created or deleted object");
        Ok(Self { list, is_complete })
    }

    /// Returns a queue with a message for each change.
    pub fn queue(&self) -> SqsQueue {
        let queue = SqsQueue::new(SqsOptions::default());
        for (n, change) in self.list.iter().enumerate() {
            queue.send(event(change, n));
        }
        queue
    }
}

/// The EventBridge event of a change; `n` orders the changes of an object.
pub fn event(change: &Change, n: usize) -> String {
    let is_deleted = change.kind == Kind::Deleted;
    json!({
        "source": "aws.s3",
        "detail-type": if is_deleted { "Object Deleted" } else { "Object Created" },
        "account": change.account.as_deref(),
        "region": change.region.as_deref(),
        "detail": {
            "bucket": { "name": &*change.bucket },
            "object": { "key": change.key, "size": change.size, "sequencer": format!("{n:016X}") },
        },
    })
    .to_string()
}
