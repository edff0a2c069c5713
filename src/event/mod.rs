//! Reads a payload into deliveries of S3 object changes.
//!
//! ```
//! use s3_cloudfront_invalidator::event::{self, Kind, PayloadSource};
//!
//! let payload = br#"{"source": "aws.s3", "detail-type": "Object Created", "detail":
//!     {"bucket": {"name": "example-site"}, "object": {"key": "public/a+b.html"}}}"#;
//! let payload = event::read(payload, "request-1")?;
//! assert_eq!(payload.source, PayloadSource::Direct);
//! let change = &payload.deliveries[0].changes[0];
//! assert_eq!((change.key.as_str(), change.kind), ("public/a+b.html", Kind::Created));
//! # Ok::<(), event::Unreadable>(())
//! ```
//!
//! # Shapes
//!
//! A **document** is one of
//!
//! - an S3 event from EventBridge; an input transformer may reduce it, but must
//!   keep `source`, `detail-type` and `detail`;
//! - `{"Data": …}` around one event or an array of events (custom event bus);
//! - an S3 notification, `{"Records": […]}`, or an `s3:TestEvent`;
//! - an SNS notification whose `Message` is a document, either in `Records`
//!   (Lambda subscription) or as a bare envelope (queue subscription);
//! - the record that Lambda sends to the on-failure destination of the function,
//!   whose `requestPayload` is a document;
//! - `{}`, which is a no-op;
//! - an array of the above (Pipes, custom event bus).
//!
//! A **payload** is a document, or SQS messages whose `body` is a document: in
//! `Records` (event source mapping) or in an array (Pipes). Wrappings are
//! removed in the order queue, topic, bus, each at most once; any other nesting
//! is refused, except that a record may be around or within a topic, and may
//! contain the records of four earlier failures.
//!
//! Unknown members and the order of members are ignored. An optional member
//! that is empty or has an unexpected type is treated as missing. An object in
//! which a known member occurs twice is unreadable.
//!
//! # Deliveries
//!
//! - Each SQS message is a delivery, identified by its message id. If part of it
//!   is unreadable, only that delivery fails.
//! - Everything else in the payload is one delivery without an id, which comes
//!   last. If it fails, the invocation fails. It is present, possibly empty,
//!   when the payload has no SQS messages.
//! - List elements are read independently: an error names the position of the
//!   unreadable element, and the other elements are processed.
//! - If the whole payload has none of these shapes, [`read`] returns an error.
//!
//! # Changes
//!
//! - [`Kind`] is derived from EventBridge's `detail-type` or from the
//!   notification's `eventName`, with or without the prefix `s3:`. Unknown names,
//!   test events and restores that have only started are counted as skipped,
//!   because S3 may add event types at any time. [`Delivery::foreign`] names a
//!   `detail-type` that does not start with `Object `, because an event rule
//!   that sends such events is wired to the wrong ones.
//! - [`Kind::VersionExpired`] is the permanent removal by a lifecycle rule of a
//!   version with an id. Every other removal is [`Kind::Deleted`].
//! - Keys from EventBridge are raw. Keys from notifications are form-encoded:
//!   `+` is a space, then `%XX` is decoded. A `%` that starts no escape is kept.
//!   A key that does not decode to UTF-8 is unreadable, because S3 keys are UTF-8.
//! - A key is any non-empty string: `dir/`, NUL and keys of more than 1,024 bytes
//!   are left to the rules and to CloudFront. A record without a bucket, a key or
//!   an event name is unreadable.
//! - A time that is not RFC 3339, or a size that is not an integer from 0 to
//!   2⁶⁴ − 1, is treated as missing.
//! - [`Identity`] uses S3's sequencer; without one, the event id or S3's request
//!   id; without those, the id of the delivery. The records of a notification
//!   share a request id, so bucket, key, kind and version are part of it too.

mod batch;
mod change;
mod collector;
mod eventbridge;
mod member;
mod notification;
mod object;
mod reader;
mod unreadable;

use collector::Names;

pub use change::{Change, Identity, Kind, Occurrence, UnknownKind};
pub use unreadable::Unreadable;

/// Reads the payload of one invocation. `request_id` is Lambda's; it identifies
/// changes of a direct payload that carry no id, and is kept on a retry.
pub fn read(payload: &[u8], request_id: &str) -> Result<Payload, Unreadable> {
    let text = std::str::from_utf8(payload).map_err(|_| Unreadable::not_utf8(payload))?;
    reader::read(text, request_id)
}

/// Reads messages that were received from a queue, one at a time.
#[derive(Debug, Default)]
pub struct MessageReader {
    names: Names,
}

impl MessageReader {
    /// Reads one message. What cannot be read is part of the delivery.
    pub fn read(&mut self, id: &str, body: Option<&str>) -> Delivery {
        reader::read_message(id, body, &mut self.names)
    }
}

/// A payload that was read.
#[derive(Debug)]
pub struct Payload {
    /// Whether single deliveries can be retried.
    pub source: PayloadSource,
    /// The units that can be retried; a direct payload is one delivery.
    pub deliveries: Vec<Delivery>,
}

impl Payload {
    /// Returns a warning about the first event that is none of S3's object
    /// events: a rule wired to such events looks healthy and does nothing.
    pub fn foreign_warning(&self) -> Option<String> {
        let foreign = self.deliveries.iter().find_map(|one| one.foreign.as_deref())?;
        Some(format!(
            "skipped an event of type {foreign}, which is none of S3's object events: correct the \
             `detail-type` of the event rule, for example to \"Object Created\""
        ))
    }
}

/// The kind of caller, which decides the shape of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadSource {
    /// An SQS event source mapping, or Pipes from SQS: each message is a
    /// delivery, and the answer lists the ids of the failed ones.
    Queue,
    /// Any other caller: the payload is one delivery.
    Direct,
    /// Messages that the function received from a queue itself.
    Drain,
}

/// A unit that the caller can retry: an SQS message, or a whole direct payload.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The SQS message id; `None` for a direct payload.
    pub id: Option<String>,
    /// The message group, if the queue is FIFO.
    pub group: Option<String>,
    /// The changes that could be read.
    pub changes: Vec<Change>,
    /// The parts that could not be read. If there are any, the delivery fails
    /// after its readable changes were submitted.
    pub unreadable: Vec<Unreadable>,
    /// The number of valid events that are no change: S3's test event, unknown
    /// event types, restores that have only started.
    pub skipped: usize,
    /// The first `detail-type` of a skipped event that is none of S3's object
    /// events, such as `AWS API Call via CloudTrail`.
    pub foreign: Option<String>,
}

impl Delivery {
    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.unreadable.is_empty() && self.skipped == 0
    }
}

#[cfg(test)]
mod tests;
