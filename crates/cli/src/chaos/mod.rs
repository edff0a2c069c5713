//! A simulated queue on a bad day, which checks that no change is lost.
//!
//! [`simulate_day`] delivers messages to the function in batches, as Lambda
//! does from an SQS queue, until every message is deleted or a dead letter:
//!
//! - A message that the function reports as failed, or whose invocation fails,
//!   is redelivered after the visibility timeout, in a different batch.
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
    mem,
    pin::pin,
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
#[derive(Clone, Debug)]
pub struct ChaosOptions {
    /// The seed of the batches and the kills.
    pub seed: u64,
    /// The most messages of an invocation.
    pub batch: usize,
    /// The visibility timeout of the queue.
    pub visibility: Duration,
    /// How often a message is received before it becomes a dead letter.
    pub max_receives: u32,
    /// The time between invocations.
    pub pace: Duration,
    /// The timeout of the function.
    pub timeout: Duration,
    pub environments: usize,
    /// The share of invocations to kill.
    pub kill: f64,
}

impl Default for ChaosOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            batch: 100,
            // AWS recommends six times the function's timeout.
            // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
            visibility: Duration::from_secs(180),
            max_receives: 10,
            pace: Duration::from_secs(2),
            timeout: Duration::from_secs(30),
            environments: 1,
            kill: 0.0,
        }
    }
}

impl ChaosOptions {
    /// When the `n`th message is sent: a little more slowly than the queue is
    /// emptied.
    pub fn sent_at(&self, n: usize) -> Duration {
        self.pace * u32::try_from(n / (self.batch * 9 / 10).max(1)).unwrap_or(u32::MAX)
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
    rules: RuleSet,
) -> ChaosReport {
    let simulator = Simulator::new(cloudfront);
    let start = || environment(&simulator);
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let queue = SqsQueue::new(SqsOptions {
        max_receives: options.max_receives,
        spread: usize::MAX,
        seed: options.seed,
        ..SqsOptions::default()
    });
    for SentMessage { body, sent_at } in messages {
        queue.send_after(*sent_at, body);
    }
    let mut environments: Vec<CloudFront> = (0..options.environments).map(|_| start()).collect();
    let mut function = Function::new(rules, start());
    let mut report = ChaosReport::default();
    while let Some(wait) = queue.next_visible() {
        tokio::time::sleep(wait).await;
        let batch = queue.receive(options.batch, options.visibility);
        if batch.is_empty() {
            continue;
        }
        report.redeliveries += batch.iter().filter(|message| message.receives > 1).count();
        let environment = report.invocations % environments.len();
        report.invocations += 1;
        // A request takes a poll or two, so that half of the kills must be at the
        // first, a quarter at the second, and so on.
        let polls = (rng.f64() < options.kill).then(|| 1 + rng.u64(1..).trailing_zeros());
        let deadline = Instant::now() + options.timeout;
        // Environments differ only in the memory of their client.
        mem::swap(&mut function.cloudfront, &mut environments[environment]);
        let invocation = invoke(&function, &batch, deadline);
        match unless_killed(invocation, polls).await {
            None => {
                report.killed += 1;
                function.cloudfront = start();
            }
            Some(result) => {
                report.late += usize::from(Instant::now() > deadline);
                // After an error the whole batch is redelivered.
                if let Some(failed) = result {
                    for done in batch.iter().filter(|message| !failed.contains(&message.id)) {
                        queue.delete(&done.receipt_handle);
                    }
                }
            }
        }
        mem::swap(&mut function.cloudfront, &mut environments[environment]);
        tokio::time::sleep(options.pace).await;
    }
    report.dead_letters = queue.dead_letters();
    report.lost = audit::lost(expected, &simulator.invalidations());
    report.counters = simulator.counters();
    report
}

/// Returns the client of a new environment. Retries do not wait, because the
/// SDK's random back-off would make every run of a seed different.
fn environment(simulator: &Simulator) -> CloudFront {
    let retry = RetryConfig::standard().with_max_attempts(10).with_initial_backoff(Duration::ZERO);
    let options = CloudFrontOptions { retry: Some(retry), ..CloudFrontOptions::default() };
    CloudFront::new(&simulator.sdk_config(), options)
}

/// Invokes the function as Lambda does for a queue with
/// `ReportBatchItemFailures`; returns the ids of the messages to redeliver, or
/// `None` after an error.
async fn invoke(
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
