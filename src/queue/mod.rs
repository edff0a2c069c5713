//! Reads an SQS queue until it is quiet, so that a whole deploy becomes one
//! plan.
//!
//! Lambda's own event source mapping reads a standard queue with five pollers,
//! each of which fills a batch of its own: a plan then sees a random fifth of
//! some seconds of a deploy, and no directory looks rebuilt. A drain is one
//! invocation that reads the queue itself.
//!
//! # Receiving
//!
//! - ReceiveMessage of ten messages with long polling of one second. One
//!   receive is in flight at first, and one more after each full answer.
//! - The drain stops receiving when at most two messages came within
//!   `quiet_seconds` (5), after `max_wait_seconds` (120), at 50,000 messages
//!   or 40 MiB of changes, or when the time that is left is needed for
//!   submitting. If the first receive is empty, it stops at once, unless the
//!   request sets `quiet_seconds`.
//! - A receive is not aborted when the drain ends: its messages would be hidden
//!   although nobody has them. After five failed receives in a row, the drain
//!   continues with the messages that it has.
//! - A body is dropped as soon as its changes are read.
//! - The visibility timeout is set on receive, to the end of the invocation, so
//!   that no message is redelivered while its invocation runs.
//!
//! # Deleting and releasing
//!
//! | message | what happens | where it is then |
//! |---|---|---|
//! | all its items were accepted, or are unaddressable | DeleteMessageBatch | gone |
//! | an item was not accepted | ChangeMessageVisibilityBatch: visible again after 15 s, 30 s, 60 s … 7 min | in the queue, at last in the dead-letter queue |
//! | the message is unreadable | the same, after 15 s each time | in the queue, and soon in the dead-letter queue |
//! | could not be deleted or released in time | nothing | visible when its timeout ends, and handled again |
//! | the process ended first | nothing | visible when its timeout ends |
//!
//! # Messages that end the process
//!
//! A message on which the process is killed must not take the others to the
//! dead-letter queue. A kill hides the message until the end of the invocation.
//! So a message was received by killed processes only if the time since its
//! first receive is that long for each of them; a released message comes back
//! sooner. A drain that receives a message which may have ended two processes
//! takes at most 1,000 messages; if it may have ended three 100, then 10. It
//! releases the others at once. And the first receive of a new process takes one
//! message, which is handled alone if it may have ended four processes or more;
//! the next drains go on in this way until there is no such message.

mod gather;
mod request;

use std::{
    cmp::Reverse,
    collections::HashMap,
    mem,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    config::timeout::TimeoutConfig,
    error::{ProvideErrorMetadata, SdkError},
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
        MessageSystemAttributeName,
    },
};
use aws_smithy_async::time::SharedTimeSource;
use futures_util::{StreamExt, stream, stream::FuturesUnordered};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::event::{Change, Delivery, MessageReader};

use self::gather::{Gather, Limits};

pub use self::request::{DrainRequest, InvalidDrainRequest};

/// The quiet time of a drain that does not set its own.
const QUIET: Duration = Duration::from_secs(5);

/// The longest time to receive of a drain that does not set its own.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// The time kept for submitting the plan, at most half of what is left.
const SUBMIT_TIME: Duration = Duration::from_secs(60);

/// Messages of one receive, delete or release: the most that SQS takes.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const MESSAGES_PER_CALL: usize = 10;

/// Deletes or releases in flight.
const CALLS_AT_ONCE: usize = 8;

/// How long one attempt of a call may take: the long polling, and some seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Long polling, which asks all hosts of the queue; a short poll asks some.
const WAIT_SECONDS: i32 = 1;

/// How long a released message is hidden at first, and at most: little longer
/// than the timeout of the function, so that a message that was only released
/// does not look like one that ended as many processes.
const RELEASE_SECONDS: (i32, i32) = (15, 420);

/// How much longer than the invocation a message stays hidden.
const VISIBILITY_MARGIN: Duration = Duration::from_secs(5);

/// The most memory that the changes of a drain take, as estimated: that of 50,000
/// with keys of 50 bytes. With three items for each, the keys long and in another
/// script, it is twice as much, which fits into the 128 MB of the smallest function.
const MAX_BYTES: usize = 40 << 20;

/// What a change takes in memory, without its key and its paths.
const CHANGE_BYTES: usize = 500;

/// What a change takes for each byte of its key, in which a path may have three.
const KEY_FACTOR: usize = 6;

/// Released messages that the process remembers.
const MAX_REMEMBERED: usize = 100_000;

/// A standard SQS queue that receives S3 events.
#[derive(Debug)]
pub struct Queue {
    client: Client,
    time: SharedTimeSource,
    url: String,
    /// The receive counts of the messages that this process released.
    released: Mutex<HashMap<String, u32>>,
    /// Whether the process is new, or its last drain received a suspicious
    /// message.
    cautious: AtomicBool,
}

/// Messages that a drain received.
#[derive(Debug, Default)]
pub struct ReceivedBatch {
    /// What was read of them, one for each message.
    pub deliveries: Vec<Delivery>,
    /// How to delete and release them.
    pub receipts: Receipts,
    /// The memory that the changes take, as estimated.
    bytes: usize,
}

/// The receipt handles of received messages.
#[derive(Debug, Default)]
pub struct Receipts {
    list: Vec<Receipt>,
    /// Messages received, those included that were released at once.
    received: usize,
}

#[derive(Debug)]
struct Receipt {
    handle: String,
    receives: u32,
}

/// What became of the messages of a drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct DrainCounts {
    /// Messages received.
    pub received: usize,
    /// Messages deleted: they are done.
    pub deleted: usize,
    /// Messages that stay in the queue.
    pub kept: usize,
}

/// Why a queue cannot be drained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// There is no queue.
    #[error(
        "cannot drain: the environment variable QUEUE_URL is not set; set it to the URL of the queue that receives the events"
    )]
    NotSet,
    /// A FIFO queue.
    #[error(
        "cannot drain {0}: it is a FIFO queue; send the events to a standard queue, as EventBridge and S3 do by default"
    )]
    Fifo(String),
    /// A receive failed.
    #[error("cannot receive from {url}: {reason}{fix}")]
    Receive {
        /// The queue.
        url: String,
        /// What SQS or the SDK answered.
        reason: String,
        /// What to do.
        fix: &'static str,
    },
}

impl Queue {
    /// A client of the queue at `url`.
    pub fn new(sdk_config: &SdkConfig, url: &str) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
        let config = aws_sdk_sqs::config::Builder::from(sdk_config).timeout_config(timeouts);
        let client = Client::from_conf(config.build());
        let (released, cautious) = (Mutex::default(), AtomicBool::new(true));
        let time = sdk_config.time_source().unwrap_or_default();
        Self { client, time, url: url.to_owned(), released, cautious }
    }

    /// Receives messages until the queue is quiet. `deadline` is that of the
    /// invocation.
    pub async fn receive(
        &self,
        request: DrainRequest,
        deadline: Instant,
    ) -> Result<ReceivedBatch, QueueError> {
        if self.url.ends_with(".fifo") {
            return Err(QueueError::Fifo(self.url.clone()));
        }
        let start = Instant::now();
        let left = deadline.saturating_duration_since(start);
        let seconds = |seconds: u16| Duration::from_secs(seconds.into());
        let max_wait = request.max_wait_seconds.map_or(MAX_WAIT, seconds);
        let mut gather = Gather::new(Limits {
            quiet: request.quiet_seconds.map_or(QUIET, seconds),
            wait_for_first: request.quiet_seconds.is_some(),
            until: max_wait.min(left - SUBMIT_TIME.min(left / 2)),
            cautious: self.cautious.load(Ordering::Relaxed),
        });
        let (mut batch, mut reader) = (ReceivedBatch::default(), MessageReader::default());
        let mut in_flight = FuturesUnordered::new();
        loop {
            while in_flight.len() < gather.receivers() {
                in_flight.push(self.receive_messages(gather.messages_per_receive(), deadline));
            }
            let Some(answer) = in_flight.next().await else { break };
            match answer {
                Ok(messages) => {
                    let now = self.time.now();
                    let receives = messages.iter().map(|message| {
                        let releases = message.message_id.as_deref().map(|id| self.releases(id));
                        suspicion(message, releases.unwrap_or_default(), now, left)
                    });
                    gather.answered(start.elapsed(), receives);
                    batch.add(messages, &mut reader);
                    if batch.bytes >= MAX_BYTES {
                        gather.end();
                    }
                }
                Err(error) if batch.deliveries.is_empty() && in_flight.is_empty() => {
                    return Err(self.receive_error(&error));
                }
                Err(error) => {
                    warn!("{}", self.receive_error(&error));
                    gather.failed(start.elapsed());
                }
            }
        }
        self.cautious.store(gather.suspicious(), Ordering::Relaxed);
        let (excess, deliveries): (Vec<_>, Vec<_>) =
            batch.shrink(gather.limit()).into_iter().unzip();
        deliveries.iter().zip(&excess).for_each(|(delivery, one)| self.remember(delivery, one));
        self.release(&excess, |_| 0, deadline).await;
        Ok(batch)
    }

    async fn receive_messages(
        &self,
        most: i32,
        deadline: Instant,
    ) -> Result<Vec<Message>, SdkError<aws_sdk_sqs::operation::receive_message::ReceiveMessageError>>
    {
        let hidden = deadline.saturating_duration_since(Instant::now()) + VISIBILITY_MARGIN;
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(most)
            .wait_time_seconds(WAIT_SECONDS)
            .visibility_timeout(i32::try_from(hidden.as_secs()).unwrap_or(i32::MAX))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(
                MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
            )
            .send()
            .await?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// How often this process released a message.
    fn releases(&self, message: &str) -> u32 {
        let released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        released.get(message).copied().unwrap_or_default()
    }

    /// Remembers that this process releases a message.
    fn remember(&self, delivery: &Delivery, receipt: &Receipt) {
        let mut released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        if released.len() >= MAX_REMEMBERED {
            released.clear();
        }
        released.extend(delivery.id.clone().map(|id| (id, receipt.receives)));
    }

    /// Deletes the messages that are done and releases the others. There is an
    /// entry of `needs_redelivery` for each delivery.
    pub async fn settle(
        &self,
        receipts: Receipts,
        deliveries: &[Delivery],
        needs_redelivery: &[bool],
        deadline: Instant,
    ) -> DrainCounts {
        let (mut done, mut kept, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        let deliveries = deliveries.iter().zip(needs_redelivery);
        for (receipt, (delivery, again)) in receipts.list.into_iter().zip(deliveries) {
            if *again {
                self.remember(delivery, &receipt);
            }
            let list = match again {
                false => &mut done,
                true if delivery.unreadable.is_empty() => &mut kept,
                true => &mut unreadable,
            };
            list.push(receipt);
        }
        let deleted = self.delete(&done, deadline).await;
        self.release(&kept, release_seconds, deadline).await;
        // Waiting does not help, so that it becomes a dead letter soon.
        self.release(&unreadable, |_| RELEASE_SECONDS.0, deadline).await;
        DrainCounts { received: receipts.received, deleted, kept: receipts.received - deleted }
    }

    /// Returns how many messages were deleted.
    async fn delete(&self, receipts: &[Receipt], deadline: Instant) -> usize {
        let mut left: Vec<&Receipt> = receipts.iter().collect();
        // What SQS fails to delete in a successful call is tried once more.
        for _ in 0..2 {
            let calls = left.chunks(MESSAGES_PER_CALL).map(|chunk| async move {
                let entries = chunk.iter().enumerate().map(|(index, receipt)| {
                    DeleteMessageBatchRequestEntry::builder()
                        .id(index.to_string())
                        .receipt_handle(&receipt.handle)
                        .build()
                        .expect("id and receipt handle are set")
                });
                let call = self.client.delete_message_batch().queue_url(&self.url);
                let call = call.set_entries(Some(entries.collect())).send();
                let failed: Vec<&Receipt> = match timeout_at(deadline, call).await {
                    Ok(Ok(answer)) => answer
                        .failed
                        .iter()
                        .filter_map(|entry| chunk.get(entry.id.parse::<usize>().ok()?).copied())
                        .collect(),
                    Ok(Err(error)) => {
                        warn!("cannot delete messages of {}: {}", self.url, reason(&error));
                        chunk.to_vec()
                    }
                    Err(_) => chunk.to_vec(),
                };
                failed
            });
            left = stream::iter(calls)
                .buffer_unordered(CALLS_AT_ONCE)
                .fold(Vec::new(), |mut all, failed| async move {
                    all.extend(failed);
                    all
                })
                .await;
            if left.is_empty() {
                break;
            }
        }
        receipts.len() - left.len()
    }

    /// Makes messages visible again. Where that fails they become visible when
    /// their timeout ends.
    async fn release(&self, receipts: &[Receipt], seconds: impl Fn(u32) -> i32, deadline: Instant) {
        let calls = receipts.chunks(MESSAGES_PER_CALL).map(|chunk| {
            let entries = chunk.iter().enumerate().map(|(index, receipt)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&receipt.handle)
                    .visibility_timeout(seconds(receipt.receives))
                    .build()
                    .expect("id and receipt handle are set")
            });
            let call = self.client.change_message_visibility_batch().queue_url(&self.url);
            let call = call.set_entries(Some(entries.collect()));
            async move {
                if let Ok(Err(error)) = timeout_at(deadline, call.send()).await {
                    warn!("cannot release messages of {}: {}", self.url, reason(&error));
                }
            }
        });
        stream::iter(calls).buffer_unordered(CALLS_AT_ONCE).collect::<()>().await;
    }

    fn receive_error<E>(&self, error: &SdkError<E>) -> QueueError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let fix = match error.code().unwrap_or_default() {
            code if code.contains("NonExistentQueue") || code == "QueueDoesNotExist" => {
                "; set QUEUE_URL to the URL of a queue in the function's region"
            }
            code if code.contains("AccessDenied") => {
                "; allow the function's role sqs:ReceiveMessage, sqs:DeleteMessage and \
                 sqs:ChangeMessageVisibility on the queue (`invalidator iam-policy --queue` prints the policy)"
            }
            _ => "",
        };
        QueueError::Receive { url: self.url.clone(), reason: reason(error), fix }
    }
}

impl ReceivedBatch {
    fn add(&mut self, messages: Vec<Message>, reader: &mut MessageReader) {
        for message in messages {
            let receives = receives(&message);
            let (Some(id), Some(handle)) = (message.message_id, message.receipt_handle) else {
                continue;
            };
            let delivery = reader.read(&id, message.body.as_deref());
            let bytes = |change: &Change| CHANGE_BYTES + KEY_FACTOR * change.key.len();
            self.bytes += delivery.changes.iter().map(bytes).sum::<usize>();
            self.deliveries.push(delivery);
            self.receipts.list.push(Receipt { handle, receives });
            self.receipts.received += 1;
        }
    }

    /// Keeps the `limit` messages that were received most often, and returns
    /// the others.
    fn shrink(&mut self, limit: usize) -> Vec<(Receipt, Delivery)> {
        if self.deliveries.len() <= limit {
            return Vec::new();
        }
        let receipts = mem::take(&mut self.receipts.list);
        let mut all: Vec<_> = receipts.into_iter().zip(mem::take(&mut self.deliveries)).collect();
        all.sort_by_key(|(receipt, _)| Reverse(receipt.receives));
        let excess = all.split_off(limit);
        (self.receipts.list, self.deliveries) = all.into_iter().unzip();
        excess
    }
}

/// How often a message was received.
fn receives(message: &Message) -> u32 {
    attribute(message, &MessageSystemAttributeName::ApproximateReceiveCount)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
}

/// Returns 1 for a message that did not end a process. Otherwise returns how
/// often it may have been received by processes that ended, this time included.
/// `releases` is its receive count when this process last released it, `timeout`
/// that of the function.
fn suspicion(message: &Message, releases: u32, now: SystemTime, timeout: Duration) -> u32 {
    let ended = receives(message).saturating_sub(1 + releases);
    let first = MessageSystemAttributeName::ApproximateFirstReceiveTimestamp;
    let first = attribute(message, &first).and_then(|time| time.parse().ok());
    let elapsed = first.map_or(Duration::MAX, |time| {
        now.duration_since(UNIX_EPOCH + Duration::from_millis(time)).unwrap_or_default()
    });
    // An ended process may have received it up to `MAX_WAIT` after its start.
    let may_have_ended = elapsed.saturating_add(MAX_WAIT) >= timeout * ended;
    if may_have_ended { ended + 1 } else { 1 }
}

fn attribute<'m>(message: &'m Message, name: &MessageSystemAttributeName) -> Option<&'m str> {
    message.attributes.as_ref()?.get(name).map(String::as_str)
}

/// How long a message stays hidden that was received `receives` times.
fn release_seconds(receives: u32) -> i32 {
    let (first, most) = RELEASE_SECONDS;
    first.saturating_mul(1 << receives.saturating_sub(1).min(10)).min(most)
}

/// What SQS or the SDK answered, down to the first cause.
fn reason<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => aws_sdk_sqs::error::DisplayErrorContext(error).to_string(),
    }
}

#[cfg(test)]
mod tests;
