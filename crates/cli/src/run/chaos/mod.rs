//! A simulated queue on a bad day, which checks that no change is lost.
//!
//! [`simulate_day`] gives the messages of a queue to the function until every
//! message is deleted or a dead letter, in one of two ways ([`Reader`]): the
//! function drains the queue itself, or receives batches as Lambda's event
//! source mapping fills them.
//!
//! - A message that the function does not delete or reports as failed, or whose
//!   invocation fails, is redelivered.
//! - A message that was received too often becomes a dead letter.
//! - Some invocations are killed at a random point. A new environment, with an
//!   empty memory, replaces the killed one.
//! - Invocations alternate between environments.
//!
//! [`expected`] returns the items to invalidate for each message. An item is
//! lost if no invalidation covers it that was accepted after its message was
//! sent.
//!
//! Use a current-thread runtime whose time is paused: then a day takes seconds,
//! and one seed always gives the same day.

mod audit;
mod comparison;

use std::{
    collections::HashSet,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use aws_sdk_cloudfront::config::retry::RetryConfig;
use cloudfront_simulator::{
    Counters, Simulator, SimulatorOptions, SqsMessage, SqsOptions, SqsQueue,
};
use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, CloudFrontOptions},
    handler::Function,
    queue::Queue,
    response::Answer,
    rules::RuleSet,
};
use serde_json::json;
use tokio::time::Instant;

use audit::{ExpectedItem, expected};
pub use comparison::compare;

/// A message to send.
#[derive(Clone, Debug)]
pub struct SentMessage {
    pub body: String,
    /// When it is sent, from the start of the day.
    pub sent_at: Duration,
}

/// The queue, the function's environments, and how often they fail.
#[derive(Clone, Copy, Debug)]
pub struct ChaosOptions {
    /// The seed of the batches, the kills and the faults of the queue.
    pub seed: u64,
    pub reader: Reader,
    /// How often a message is received before it becomes a dead letter.
    pub max_receives: u32,
    /// The messages sent in a second.
    pub rate: u32,
    /// The timeout of the function.
    pub timeout: Duration,
    pub environments: usize,
    /// The share of invocations to kill.
    pub kill: f64,
    /// The share of calls of SQS that are throttled, and of received messages
    /// that are delivered twice.
    pub queue_faults: f64,
}

/// Who reads the queue.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    /// The function, which a schedule invokes this often with a drain request.
    Drain { tick: Duration },
    /// Lambda, with batches of at most so many messages, this long apart.
    Pollers { batch: usize, pace: Duration },
}

impl Reader {
    pub const DRAIN: Self = Self::Drain { tick: Duration::from_secs(60) };
    pub const POLLERS: Self = Self::Pollers { batch: 100, pace: Duration::from_secs(2) };
}

impl Default for ChaosOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            reader: Reader::DRAIN,
            max_receives: 10,
            rate: 45,
            timeout: Duration::from_secs(300),
            environments: 1,
            kill: 0.0,
            queue_faults: 0.0,
        }
    }
}

impl ChaosOptions {
    /// When the `n`th message is sent.
    pub fn sent_at(&self, n: usize) -> Duration {
        Duration::from_secs_f64(n as f64 / f64::from(self.rate))
    }
}

/// The result of a simulated day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChaosReport {
    /// Invocations, including killed ones.
    pub invocations: usize,
    /// Invocations that were killed before they ended.
    pub killed: usize,
    /// Invocations that ended after their deadline.
    pub late: usize,
    /// Receives of messages after their first.
    pub redeliveries: usize,
    pub dead_letters: Vec<SqsMessage>,
    pub lost: Vec<ExpectedItem>,
    pub counters: Counters,
}

/// Delivers messages until none is left.
pub async fn simulate_day(
    messages: &[SentMessage],
    expected: &[ExpectedItem],
    options: &ChaosOptions,
    cloudfront: SimulatorOptions,
    rules: &Arc<RuleSet>,
) -> ChaosReport {
    // The SDK's back-off is random. It takes its numbers from this generator.
    fastrand::seed(options.seed);
    let simulator = Simulator::new(cloudfront);
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let queue = SqsQueue::new(SqsOptions {
        max_receives: options.max_receives,
        throttle: options.queue_faults,
        duplicate: options.queue_faults,
        seed: options.seed,
        ..SqsOptions::default()
    });
    for SentMessage { body, sent_at } in messages {
        queue.send_after(*sent_at, body);
    }
    let start = || environment(rules, &simulator, &queue);
    let mut environments: Vec<Function> = (0..options.environments).map(|_| start()).collect();
    let mut report = ChaosReport::default();
    while let Some(wait) = queue.next_visible() {
        tokio::time::sleep(wait).await;
        let environment = report.invocations % environments.len();
        let polls = (rng.f64() < options.kill).then(|| 1 + rng.u32(..) % options.reader.polls());
        let deadline = Instant::now() + options.timeout;
        let invocation = options.reader.invoke(&environments[environment], &queue, deadline);
        match unless_killed(invocation, polls).await {
            None => {
                report.invocations += 1;
                report.killed += 1;
                environments[environment] = start();
            }
            Some(is_invoked) => {
                report.invocations += usize::from(is_invoked);
                report.late += usize::from(Instant::now() > deadline);
            }
        }
        tokio::time::sleep(options.reader.pause()).await;
    }
    report.redeliveries = queue.redeliveries();
    report.dead_letters = queue.dead_letters();
    report.lost = audit::lost(expected, &simulator.invalidations());
    report.counters = simulator.counters();
    report
}

/// Returns the function of a new environment.
fn environment(rules: &Arc<RuleSet>, simulator: &Simulator, queue: &SqsQueue) -> Function {
    let retry = RetryConfig::standard().with_max_attempts(10);
    let options = CloudFrontOptions { retry: Some(retry), ..CloudFrontOptions::default() };
    let cloudfront = CloudFront::new(&simulator.sdk_config(), options);
    let queue = Queue::new(&queue.sdk_config(), SqsQueue::URL);
    Function { queue: Some(queue), ..Function::new(Arc::clone(rules), cloudfront) }
}

impl Reader {
    /// The time between two invocations.
    fn pause(self) -> Duration {
        match self {
            Self::Drain { tick } => tick,
            Self::Pollers { pace, .. } => pace,
        }
    }

    /// About how often an invocation is polled until it ends.
    fn polls(self) -> u32 {
        match self {
            Self::Drain { .. } => 1_000,
            Self::Pollers { .. } => 4,
        }
    }

    /// Returns whether the function is invoked: Lambda sends no empty batch.
    async fn invoke(self, function: &Function, queue: &SqsQueue, deadline: Instant) -> bool {
        match self {
            Self::Drain { .. } => {
                // A failed drain leaves the messages to their visibility timeout.
                let _ = function.handle(br#"{"drain": {}}"#, "chaos", deadline).await;
                true
            }
            Self::Pollers { batch, .. } => {
                let messages = queue.receive(batch, VISIBILITY);
                if messages.is_empty() {
                    return false;
                }
                // After an error the whole batch is redelivered.
                let failed = invoke_with_batch(function, &messages, deadline).await;
                for message in messages {
                    if failed.as_ref().is_some_and(|failed| !failed.contains(&message.id)) {
                        queue.delete(&message.receipt_handle);
                    }
                }
                true
            }
        }
    }
}

/// The visibility timeout of the queue for pollers. AWS recommends six times the
/// function's timeout.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
const VISIBILITY: Duration = Duration::from_secs(1_860);

/// Invokes the function as Lambda does for a queue with
/// `ReportBatchItemFailures`; returns the ids of the messages to redeliver, or
/// `None` after an error.
async fn invoke_with_batch(
    function: &Function,
    messages: &[SqsMessage],
    deadline: Instant,
) -> Option<HashSet<String>> {
    let payload = sqs_event(messages);
    let report = function.handle(payload.as_bytes(), "chaos", deadline).await.ok()?;
    match report.answer().ok()? {
        Answer::Queue(answer) => {
            let failures = answer.batch_item_failures.into_iter();
            Some(failures.map(|failure| failure.item_identifier).collect())
        }
        Answer::Summary(_) => Some(HashSet::new()),
    }
}

/// The payload with which Lambda invokes a function for a batch of messages.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
fn sqs_event(messages: &[SqsMessage]) -> String {
    let records: Vec<_> = messages
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id,
                "receiptHandle": message.receipt_handle,
                "body": message.body,
                "attributes": { "ApproximateReceiveCount": message.receives.to_string() },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:chaos",
                "awsRegion": "us-east-1",
            })
        })
        .collect();
    json!({ "Records": records }).to_string()
}

/// Drops a future that is not ready after so many polls.
async fn unless_killed<T>(future: impl Future<Output = T>, polls: Option<u32>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => {
            left = left.map(|left| left - 1);
            if left == Some(0) { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}

#[cfg(test)]
mod tests;
