//! Payload shapes in, deliveries of changes out.

mod change;
mod collector;
mod eventbridge;
mod notification;
mod reader;
mod time;
mod unescape;
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
