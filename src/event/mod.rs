//! Payload shapes in, deliveries of changes out.
//!
//! ```
//! use s3_cloudfront_invalidator::event::{self, Kind, Source};
//!
//! let payload = br#"{"source": "aws.s3", "detail-type": "Object Created", "detail":
//!     {"bucket": {"name": "example-site"}, "object": {"key": "public/a+b.html"}}}"#;
//! let payload = event::read(payload, "request-1")?;
//! assert_eq!(payload.source, Source::Direct);
//! let change = &payload.deliveries[0].changes[0];
//! assert_eq!((change.key.as_str(), change.kind), ("public/a+b.html", Kind::Created));
//! # Ok::<(), event::Unreadable>(())
//! ```
//!
//! # Shapes
//!
//! A **document** is one of
//!
//! - an S3 event of EventBridge; an input transformer may reduce it, if it keeps
//!   `source`, `detail-type` and `detail`;
//! - `{"Data": …}` around one, or around an array of them (custom event bus);
//! - an S3 notification, `{"Records": […]}`, or `s3:TestEvent`;
//! - an SNS notification whose `Message` is a document, in `Records` as Lambda
//!   is given it or as the envelope that a queue is given;
//! - `{}`, which asks for nothing;
//! - an array of these (Pipes, custom event bus).
//!
//! A **payload** is a document, or SQS messages whose `body` is a document: in
//! `Records` (event source mapping) or in an array (Pipes). Wrappings come in
//! this order, queue, topic, bus, and each at most once; any other nesting is
//! refused. Members that are not needed are ignored, and so is their order.
//! Where a name occurs twice in an object, the last counts; of two lists of
//! `Records`, both are read.
//!
//! # Deliveries
//!
//! - Every SQS message is a delivery with its id. What cannot be read of it
//!   fails that delivery alone.
//! - Everything else in the payload is one delivery without an id, the last of
//!   them. It is there, if empty, when there is no SQS message. When it fails,
//!   the invocation does: there is no smaller unit to give back.
//! - Elements of a list are read each on its own: one that cannot be read is
//!   named by its place, and its neighbours go on.
//! - A payload that as a whole is none of these is an error of [`read`].
//!
//! # Changes
//!
//! - What happened, [`Kind`], is told by EventBridge's detail-type or by the
//!   notification's event name, with or without `s3:`. Unknown ones, test events
//!   and restores that only began are counted as skipped: S3 may send new ones
//!   at any time.
//! - [`Kind::VersionExpired`] is a removal by lifecycle, permanent, of a version
//!   with an id. Every other removal is [`Kind::Deleted`].
//! - EventBridge gives keys raw, notifications form-encoded: `+` is a space, then
//!   `%XX` a byte. A percent sign that starts no byte stays as it is; bytes that
//!   are not UTF-8 are unreadable, since no S3 key has them.
//! - A key is any string that is not empty: `dir/`, NUL and more than the 1,024
//!   bytes S3 allows are left to the rules and to CloudFront. Without a bucket,
//!   a key or an event name, a record is unreadable.
//! - A time that is not of RFC 3339 and a size that is no whole number from 0 to
//!   2⁶⁴ − 1 are as good as absent.
//! - The [`Identity`] has S3's sequencer; else the event's id, or the request id
//!   of S3, which the records of one notification share, so that there bucket,
//!   key, kind and version tell them apart; else the delivery's id.

mod change;
mod collector;
mod eventbridge;
mod json;
mod notification;
mod reader;
mod time;
mod unreadable;
mod wire;

pub use change::{Change, Identity, Kind, Occurrence, UnknownKind};

/// Reads what one invocation brought. `request_id` is Lambda's: it names changes
/// of a direct payload that have no name of their own, and is the same when
/// Lambda tries again.
pub fn read(payload: &[u8], request_id: &str) -> Result<Payload, Unreadable> {
    let text = std::str::from_utf8(payload).map_err(|_| Unreadable::not_utf8(payload))?;
    reader::read(text, request_id)
}

/// Reads a message that was received from a queue.
pub fn read_message(id: &str, body: Option<&str>) -> Delivery {
    reader::read_message(id, body)
}

/// What one invocation brought.
#[derive(Debug)]
pub struct Payload {
    /// Whether the caller can retry single deliveries.
    pub source: Source,
    /// The units the caller can retry. A direct payload is one delivery.
    pub deliveries: Vec<Delivery>,
}

/// Who called, which decides the shape of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An SQS event source mapping, or Pipes from SQS: every message is a
    /// delivery of its own and is answered by its id.
    Queue,
    /// Anything else: the payload is one delivery.
    Direct,
}

/// One unit the caller can retry: an SQS message, or a whole direct payload.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The SQS message id; `None` for a direct payload.
    pub id: Option<String>,
    /// The message group of a FIFO queue.
    pub group: Option<String>,
    /// The changes that could be read.
    pub changes: Vec<Change>,
    /// What could not be read. Such a delivery fails, after its readable
    /// changes were submitted.
    pub unreadable: Vec<Unreadable>,
    /// Events that are understood and ask for nothing: S3's test event,
    /// unknown detail-types and event names, a restore that was only started.
    pub skipped: usize,
}

/// Why a part of a payload could not be read: what was expected, and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    message: String,
}

impl Unreadable {
    /// An error with its whole text: lower-case, quoting what came.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

#[cfg(test)]
mod tests;
