//! A standard SQS queue in the process, on tokio's clock: with paused time,
//! hours of a queue take a moment.
//!
//! - A receive takes up to ten visible messages near the head of the queue, in
//!   random order, and waits for the first if there is none (long polling).
//! - A received message is hidden for the visibility timeout of the receive or
//!   of the queue. ChangeMessageVisibility sets it anew.
//! - A message that is visible again after [`QueueOptions::max_receives`]
//!   receives becomes a dead letter.
//! - A receipt handle stays valid until the message is received again.
//!
//! [`Queue::sdk_config`] gives a client that calls the queue without a socket;
//! [`Queue::respond`] is SQS's JSON protocol for a server.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudfront::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// How a [`Queue`] behaves.
#[derive(Clone, Debug)]
pub struct QueueOptions {
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

impl Default for QueueOptions {
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
pub struct Queue {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    sent: Notify,
    options: QueueOptions,
}

struct State {
    random: fastrand::Rng,
    /// Messages by number: their order in the queue.
    messages: BTreeMap<u64, Message>,
    visible: BTreeSet<u64>,
    /// Hidden messages by when they become visible.
    hidden: BTreeSet<(Instant, u64)>,
    next: u64,
    handles: HashMap<String, u64>,
    dead_letters: Vec<(String, String)>,
    calls: BTreeMap<String, usize>,
}

struct Message {
    id: String,
    body: String,
    receives: u32,
    /// `None` for a visible message.
    visible_at: Option<Instant>,
    handle: Option<String>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("messages", &self.len()).finish_non_exhaustive()
    }
}

impl Queue {
    /// The URL of the queue, for `QUEUE_URL`.
    pub const URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/changes";

    /// An empty queue.
    pub fn new(options: QueueOptions) -> Self {
        let state = State {
            random: fastrand::Rng::with_seed(options.seed),
            messages: BTreeMap::new(),
            visible: BTreeSet::new(),
            hidden: BTreeSet::new(),
            next: 0,
            handles: HashMap::new(),
            dead_letters: Vec::new(),
            calls: BTreeMap::new(),
        };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), sent: Notify::new(), options }) }
    }

    /// Sends a message and returns its id.
    pub fn send(&self, body: impl Into<String>) -> String {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        let message = Message {
            id: id.clone(),
            body: body.into(),
            receives: 0,
            visible_at: None,
            handle: None,
        };
        state.messages.insert(number, message);
        state.visible.insert(number);
        drop(state);
        self.shared.sent.notify_waiters();
        id
    }

    /// How many messages are in the queue, hidden ones included.
    pub fn len(&self) -> usize {
        self.state().messages.len()
    }

    /// Whether no message is in the queue, hidden or visible.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids and bodies of the dead letters.
    pub fn dead_letters(&self) -> Vec<(String, String)> {
        self.state().dead_letters.clone()
    }

    /// How many calls of an operation there were, as `ReceiveMessage`.
    pub fn calls(&self, operation: &str) -> usize {
        self.state().calls.get(operation).copied().unwrap_or_default()
    }

    /// The configuration of a client in this process. It calls the queue without
    /// a socket.
    pub fn sdk_config(&self) -> SdkConfig {
        let queue = self.clone();
        let credentials =
            Credentials::new("SIMULATOR", "simulator-secret", None, None, "simulator");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(move |_, _| {
                SharedHttpConnector::new(InProcess(queue.clone()))
            }))
            .build()
    }

    /// Answers a request of SQS's JSON protocol: the status and the document.
    /// `target` is the header `X-Amz-Target`.
    pub async fn respond(&self, target: &str, body: &[u8]) -> (u16, Value) {
        let operation = target.rsplit('.').next().unwrap_or_default();
        tokio::time::sleep(self.shared.options.latency).await;
        {
            let mut state = self.state();
            *state.calls.entry(operation.to_owned()).or_default() += 1;
            if let Some(code) = self.shared.options.refuse {
                return error(code, "the simulator refuses");
            }
            if state.random.f64() < self.shared.options.throttle {
                return error("RequestThrottled", "the simulator throttles");
            }
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match operation {
            "ReceiveMessage" => self.receive(&body).await,
            "DeleteMessageBatch" => self.batch(&body, State::delete),
            "ChangeMessageVisibilityBatch" => self.batch(&body, State::change_visibility),
            _ => error("UnsupportedOperation", operation),
        }
    }

    async fn receive(&self, body: &Value) -> (u16, Value) {
        let number = |name: &str, default: u64| body[name].as_u64().unwrap_or(default);
        let most = usize::try_from(number("MaxNumberOfMessages", 1)).unwrap_or(10).min(10);
        let wait = Duration::from_secs(number("WaitTimeSeconds", 0).min(20));
        let visibility = body["VisibilityTimeout"].as_u64().map(Duration::from_secs);
        let visibility = visibility.unwrap_or(self.shared.options.visibility);
        let until = Instant::now() + wait;
        loop {
            let sent = self.shared.sent.notified();
            let wake = {
                let mut state = self.state();
                let messages = state.receive(most, visibility, &self.shared.options);
                if !messages.is_empty() {
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

    fn batch(&self, body: &Value, act: impl Fn(&mut State, &Value) -> bool) -> (u16, Value) {
        let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !(1..=10).contains(&entries.len()) {
            return error("TooManyEntriesInBatchRequest", "1 to 10 entries");
        }
        let mut state = self.state();
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            if act(&mut state, entry) {
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
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn receive(&mut self, most: usize, visibility: Duration, options: &QueueOptions) -> Vec<Value> {
        let now = Instant::now();
        while let Some(&(visible_at, number)) = self.hidden.first()
            && visible_at <= now
        {
            self.set_visible_at(number, None);
        }
        let mut head: Vec<u64> =
            self.visible.iter().copied().take(options.spread.max(most)).collect();
        let mut received = Vec::new();
        while received.len() < most && !head.is_empty() {
            let number = head.swap_remove(self.random.usize(..head.len()));
            let handle = format!("{number}-{:016x}", self.random.u64(..));
            let duplicate = self.random.f64() < options.duplicate;
            let Some(message) = self.messages.get_mut(&number) else { continue };
            if message.receives >= options.max_receives {
                self.visible.remove(&number);
                if let Some(message) = self.messages.remove(&number) {
                    self.dead_letters.push((message.id, message.body));
                }
                continue;
            }
            message.receives += 1;
            if let Some(old) = message.handle.replace(handle.clone()) {
                self.handles.remove(&old);
            }
            received.push(json!({
                "MessageId": message.id,
                "ReceiptHandle": handle,
                "Body": message.body,
                "Attributes": { "ApproximateReceiveCount": message.receives.to_string() },
            }));
            self.handles.insert(handle, number);
            if !duplicate {
                self.set_visible_at(number, Some(now + visibility));
            }
        }
        received
    }

    fn set_visible_at(&mut self, number: u64, visible_at: Option<Instant>) -> bool {
        let Some(message) = self.messages.get_mut(&number) else { return false };
        match std::mem::replace(&mut message.visible_at, visible_at) {
            Some(old) => self.hidden.remove(&(old, number)),
            None => self.visible.remove(&number),
        };
        match visible_at {
            Some(visible_at) => self.hidden.insert((visible_at, number)),
            None => self.visible.insert(number),
        }
    }

    fn message_of(&self, entry: &Value) -> Option<u64> {
        self.handles.get(entry["ReceiptHandle"].as_str()?).copied()
    }

    fn delete(&mut self, entry: &Value) -> bool {
        let Some(number) = self.message_of(entry) else { return false };
        let Some(message) = self.messages.remove(&number) else { return false };
        match message.visible_at {
            Some(visible_at) => self.hidden.remove(&(visible_at, number)),
            None => self.visible.remove(&number),
        };
        message.handle.is_some_and(|handle| self.handles.remove(&handle).is_some())
    }

    fn change_visibility(&mut self, entry: &Value) -> bool {
        let seconds = entry["VisibilityTimeout"].as_u64().unwrap_or_default();
        let visible_at = (seconds > 0).then(|| Instant::now() + Duration::from_secs(seconds));
        self.message_of(entry).is_some_and(|number| self.set_visible_at(number, visible_at))
    }
}

fn error(code: &str, message: &str) -> (u16, Value) {
    (400, json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": message }))
}

#[derive(Debug)]
struct InProcess(Queue);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let queue = self.0.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let body = request.body().bytes().unwrap_or_default();
            let (status, document) = queue.respond(target, body).await;
            let status = StatusCode::try_from(status).expect("an HTTP status");
            Ok(HttpResponse::new(status, document.to_string().into()))
        })
    }
}
