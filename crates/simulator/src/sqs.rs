//! A standard SQS queue in the process, on tokio's clock: with paused time,
//! hours of a queue take a moment.
//!
//! - A receive takes up to ten visible messages near the head of the queue, in
//!   random order, and waits for the first if there is none (long polling).
//! - A received message is hidden for the visibility timeout of the receive or
//!   of the queue. ChangeMessageVisibility sets it anew.
//! - A message that is visible again after [`SqsOptions::max_receives`]
//!   receives becomes a dead letter.
//! - A receipt handle stays valid until the message is received again.
//!
//! [`SqsQueue::sdk_config`] configures a client in this process, which uses SQS's
//! JSON protocol. Pollers can call [`SqsQueue::receive`] and
//! [`SqsQueue::delete`] directly.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use hyper::{Request, Response, StatusCode, body::Bytes};
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::connector::{self, Service};

/// How a [`SqsQueue`] behaves.
#[derive(Clone, Debug)]
pub struct SqsOptions {
    /// The visibility timeout of a receive that sets none.
    pub visibility: Duration,
    /// After this many receives a message becomes a dead letter.
    pub max_receives: u32,
    /// A receive takes messages from among this many at the head.
    pub spread: usize,
    /// The error code of every call.
    pub refuse: Option<&'static str>,
    /// The share of calls that are throttled.
    pub throttle: f64,
    /// The share of received messages that are delivered a second time.
    pub duplicate: f64,
    /// How long each call takes.
    pub latency: Duration,
    /// The seed of all random choices.
    pub seed: u64,
}

impl Default for SqsOptions {
    fn default() -> Self {
        Self {
            visibility: Duration::from_secs(60),
            max_receives: 10,
            spread: 200,
            refuse: None,
            throttle: 0.0,
            duplicate: 0.0,
            latency: Duration::ZERO,
            seed: 0,
        }
    }
}

/// A standard queue. Clones share the messages.
#[derive(Clone)]
pub struct SqsQueue(Arc<QueueState>);

struct QueueState {
    state: Mutex<State>,
    sent: Notify,
    options: SqsOptions,
}

struct State {
    created: Instant,
    created_at: SystemTime,
    random: fastrand::Rng,
    /// Messages by number: their order in the queue.
    messages: BTreeMap<u64, QueuedMessage>,
    visible: BTreeSet<u64>,
    /// Hidden messages by when they become visible.
    hidden: BTreeSet<(Instant, u64)>,
    next: u64,
    handles: HashMap<String, u64>,
    dead_letters: Vec<SqsMessage>,
    redeliveries: usize,
    calls: BTreeMap<String, usize>,
}

struct QueuedMessage {
    message: SqsMessage,
    /// `None` for a visible message.
    visible_at: Option<Instant>,
}

/// A message as it was last received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqsMessage {
    /// The number of the message, in the order in which messages were sent.
    pub id: String,
    /// The body.
    pub body: String,
    /// How often the message was received.
    pub receives: u32,
    /// Empty until the first receive.
    pub receipt_handle: String,
    /// When the message was received for the first time, since the queue was
    /// created.
    pub first_receive: Option<Duration>,
}

impl fmt::Debug for SqsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqsQueue").field("messages", &self.len()).finish_non_exhaustive()
    }
}

impl SqsQueue {
    /// The URL of the queue, for `QUEUE_URL`.
    pub const URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/changes";

    /// An empty queue.
    pub fn new(options: SqsOptions) -> Self {
        let state = State {
            created: Instant::now(),
            created_at: connector::now(),
            random: fastrand::Rng::with_seed(options.seed),
            messages: BTreeMap::new(),
            visible: BTreeSet::new(),
            hidden: BTreeSet::new(),
            next: 0,
            handles: HashMap::new(),
            dead_letters: Vec::new(),
            redeliveries: 0,
            calls: BTreeMap::new(),
        };
        Self(Arc::new(QueueState { state: Mutex::new(state), sent: Notify::new(), options }))
    }

    /// Sends a message.
    pub fn send(&self, body: impl Into<String>) {
        self.send_after(Duration::ZERO, body);
    }

    /// Sends a message that becomes visible after a delay.
    pub fn send_after(&self, delay: Duration, body: impl Into<String>) {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let message = SqsMessage {
            id: number.to_string(),
            body: body.into(),
            receives: 0,
            receipt_handle: String::new(),
            first_receive: None,
        };
        state.messages.insert(number, QueuedMessage { message, visible_at: None });
        let visible_at = (delay > Duration::ZERO).then(|| Instant::now() + delay);
        state.set_visible_at(number, visible_at);
        drop(state);
        self.0.sent.notify_waiters();
    }

    /// Receives up to `most` messages, and hides them.
    pub fn receive(&self, most: usize, visibility: Duration) -> Vec<SqsMessage> {
        self.state().receive(most, visibility, &self.0.options)
    }

    /// Deletes a received message. Returns whether the handle was valid.
    pub fn delete(&self, receipt_handle: &str) -> bool {
        self.state().delete(receipt_handle)
    }

    /// The time until a message is visible, or `None` if the queue is empty.
    pub fn next_visible(&self) -> Option<Duration> {
        let state = self.state();
        if !state.visible.is_empty() {
            return Some(Duration::ZERO);
        }
        let (visible_at, _) = state.hidden.first()?;
        Some(visible_at.saturating_duration_since(Instant::now()))
    }

    /// How many messages are in the queue, hidden ones included.
    pub fn len(&self) -> usize {
        self.state().messages.len()
    }

    /// Whether no message is in the queue, hidden or visible.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dead letters.
    pub fn dead_letters(&self) -> Vec<SqsMessage> {
        self.state().dead_letters.clone()
    }

    /// How many messages were received that had been received before.
    pub fn redeliveries(&self) -> usize {
        self.state().redeliveries
    }

    /// How many calls of an operation there were, as `ReceiveMessage`.
    pub fn calls(&self, operation: &str) -> usize {
        self.state().calls.get(operation).copied().unwrap_or_default()
    }

    /// Returns the configuration for a client in this process.
    pub fn sdk_config(&self) -> SdkConfig {
        connector::sdk_config(self.clone())
    }

    /// Answers a request of SQS's JSON protocol: the status and the document.
    /// `target` is the header `X-Amz-Target`.
    async fn answer(&self, target: &str, body: &[u8]) -> (u16, Value) {
        let operation = target.rsplit('.').next().unwrap_or_default();
        tokio::time::sleep(self.0.options.latency).await;
        {
            let mut state = self.state();
            *state.calls.entry(operation.to_owned()).or_default() += 1;
            if let Some(code) = self.0.options.refuse {
                return error(code, "the simulator refuses");
            }
            if state.random.f64() < self.0.options.throttle {
                return error("RequestThrottled", "the simulator throttles");
            }
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match operation {
            "ReceiveMessage" => self.poll(&body).await,
            "DeleteMessageBatch" => self.batch(&body, |state, handle, _| state.delete(handle)),
            "ChangeMessageVisibilityBatch" => self.batch(&body, |state, handle, entry| {
                let seconds = entry["VisibilityTimeout"].as_u64().unwrap_or_default();
                state.change_visibility(handle, Duration::from_secs(seconds))
            }),
            _ => error("UnsupportedOperation", operation),
        }
    }

    async fn poll(&self, body: &Value) -> (u16, Value) {
        let number = |name: &str, default: u64| body[name].as_u64().unwrap_or(default);
        let most = usize::try_from(number("MaxNumberOfMessages", 1)).unwrap_or(10).min(10);
        let wait = Duration::from_secs(number("WaitTimeSeconds", 0).min(20));
        let visibility = body["VisibilityTimeout"].as_u64().map(Duration::from_secs);
        let visibility = visibility.unwrap_or(self.0.options.visibility);
        let until = Instant::now() + wait;
        loop {
            let sent = self.0.sent.notified();
            let wake = {
                let mut state = self.state();
                let messages = state.receive(most, visibility, &self.0.options);
                if !messages.is_empty() {
                    let created_at = state.created_at;
                    let messages = messages.iter().map(|message| document(message, created_at));
                    let messages: Vec<Value> = messages.collect();
                    return (200, json!({ "Messages": messages }));
                }
                state.hidden.first().map(|(visible_at, _)| *visible_at)
            };
            if Instant::now() >= until {
                return (200, json!({}));
            }
            let _ = timeout_at(until.min(wake.unwrap_or(until)), sent).await;
        }
    }

    fn batch(&self, body: &Value, act: impl Fn(&mut State, &str, &Value) -> bool) -> (u16, Value) {
        let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !(1..=10).contains(&entries.len()) {
            return error("TooManyEntriesInBatchRequest", "1 to 10 entries");
        }
        let mut state = self.state();
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            let handle = entry["ReceiptHandle"].as_str().unwrap_or_default();
            if act(&mut state, handle, entry) {
                successful.push(json!({ "Id": entry["Id"] }));
            } else {
                failed.push(json!({
                    "Id": entry["Id"], "SenderFault": true, "Code": "ReceiptHandleIsInvalid",
                }));
            }
        }
        (200, json!({ "Successful": successful, "Failed": failed }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn receive(
        &mut self,
        most: usize,
        visibility: Duration,
        options: &SqsOptions,
    ) -> Vec<SqsMessage> {
        let now = Instant::now();
        while let Some(&(visible_at, number)) = self.hidden.first()
            && visible_at <= now
        {
            self.set_visible_at(number, None);
        }
        let head = self.visible.iter().copied().take(options.spread.max(most));
        let mut head: Vec<u64> = head.collect();
        let mut received = Vec::new();
        while received.len() < most && !head.is_empty() {
            let number = head.swap_remove(self.random.usize(..head.len()));
            let receipt_handle = format!("{number}-{:016x}", self.random.u64(..));
            let is_duplicated = self.random.f64() < options.duplicate;
            let Some(QueuedMessage { message, .. }) = self.messages.get_mut(&number) else {
                continue;
            };
            if message.receives >= options.max_receives {
                let dead = message.clone();
                self.remove(number);
                self.dead_letters.push(dead);
                continue;
            }
            self.redeliveries += usize::from(message.receives > 0);
            message.receives += 1;
            message.first_receive.get_or_insert(now.saturating_duration_since(self.created));
            self.handles.remove(&message.receipt_handle);
            message.receipt_handle.clone_from(&receipt_handle);
            received.push(message.clone());
            self.handles.insert(receipt_handle, number);
            if !is_duplicated {
                self.set_visible_at(number, Some(now + visibility));
            }
        }
        received
    }

    fn set_visible_at(&mut self, number: u64, visible_at: Option<Instant>) {
        let Some(queued) = self.messages.get_mut(&number) else { return };
        match std::mem::replace(&mut queued.visible_at, visible_at) {
            Some(old) => self.hidden.remove(&(old, number)),
            None => self.visible.remove(&number),
        };
        match visible_at {
            Some(visible_at) => self.hidden.insert((visible_at, number)),
            None => self.visible.insert(number),
        };
    }

    fn remove(&mut self, number: u64) {
        self.set_visible_at(number, None);
        self.visible.remove(&number);
        if let Some(QueuedMessage { message, .. }) = self.messages.remove(&number) {
            self.handles.remove(&message.receipt_handle);
        }
    }

    fn delete(&mut self, receipt_handle: &str) -> bool {
        let number = self.handles.get(receipt_handle).copied();
        number.map(|number| self.remove(number)).is_some()
    }

    fn change_visibility(&mut self, receipt_handle: &str, timeout: Duration) -> bool {
        let visible_at = (timeout > Duration::ZERO).then(|| Instant::now() + timeout);
        let number = self.handles.get(receipt_handle).copied();
        number.map(|number| self.set_visible_at(number, visible_at)).is_some()
    }
}

fn document(message: &SqsMessage, created_at: SystemTime) -> Value {
    let first = created_at + message.first_receive.unwrap_or_default();
    let first = first.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt_handle,
        "Body": message.body,
        "Attributes": {
            "ApproximateReceiveCount": message.receives.to_string(),
            "ApproximateFirstReceiveTimestamp": first.to_string(),
        },
    })
}

fn error(code: &str, message: &str) -> (u16, Value) {
    (400, json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": message }))
}

impl Service for SqsQueue {
    async fn respond(self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        let (status, document) = self.answer(target.unwrap_or_default(), request.body()).await;
        let mut response = Response::new(document.to_string().into());
        *response.status_mut() = StatusCode::from_u16(status).expect("an HTTP status");
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failed_messages_are_received_again_until_they_are_dead_letters() {
        let visibility = Duration::from_secs(180);
        let queue = SqsQueue::new(SqsOptions { max_receives: 3, ..SqsOptions::default() });
        for seconds in [0, 1, 2, 30] {
            queue.send_after(Duration::from_secs(seconds), "");
        }
        let start = Instant::now();
        let mut receives: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        tokio::time::advance(Duration::from_secs(10)).await;
        while let Some(wait) = queue.next_visible() {
            tokio::time::sleep(wait).await;
            for message in queue.receive(2, visibility) {
                receives.entry(message.id.clone()).or_default().push(start.elapsed().as_secs());
                let is_failed = message.id == "2" || message.id == "1" && message.receives == 1;
                assert!(is_failed || queue.delete(&message.receipt_handle));
                // A handle is valid once, until the next receive.
                assert!(is_failed || !queue.delete(&message.receipt_handle));
            }
        }
        let received = ["0", "1", "2", "3"].map(|id| receives[id].clone());
        assert_eq!(received, [vec![10], vec![10, 190], vec![10, 190, 370], vec![30]]);
        let dead: Vec<String> = queue.dead_letters().into_iter().map(|dead| dead.id).collect();
        assert_eq!(dead, ["2"]);
    }
}
