//! A day of the function behind its queue.
//!
//! [`simulate_day`] delivers messages to the function until every message is
//! deleted or a dead letter, in one of three ways ([`Reader`]): the function
//! drains the queue itself; it receives batches as Lambda's event source mapping
//! fills them; or it is invoked with each event.
//!
//! - A message that the function does not delete or reports as failed, or whose
//!   invocation fails, is redelivered.
//! - A message that was received too often becomes a dead letter.
//! - Some invocations are killed at a random point. A new environment, with an
//!   empty memory, replaces the killed one. Others are frozen for a time.
//! - An invocation that does not end before its deadline is killed.
//! - Environments run concurrently.
//!
//! Use a current-thread runtime whose time is paused: then a day takes a moment,
//! and one seed always gives the same day.

use std::{cell::RefCell, collections::HashSet, sync::Arc, time::Duration};

use aws_sdk_cloudfront::config::retry::RetryConfig;
use cloudfront_simulator::{
    Call, Counters, Recorded, Simulator, SimulatorOptions, SqsMessage, SqsOptions, SqsQueue,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, CloudFrontOptions},
    handler::Function,
    queue::Queue,
    response::Answer,
    rules::RuleSet,
};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use crate::interruption::{Interruption, interrupted};

/// A message to send.
#[derive(Clone, Debug)]
pub struct SentMessage {
    pub body: String,
    /// When it is sent, from the start of the day.
    pub sent_at: Duration,
}

/// The queue, the function's environments, and how often they fail.
#[derive(Clone, Copy, Debug)]
pub struct DayOptions {
    /// The seed of the batches, the interruptions and the faults of the queue.
    pub seed: u64,
    pub reader: Reader,
    /// How often a message is received before it becomes a dead letter.
    pub max_receives: u32,
    /// The timeout of the function.
    pub timeout: Duration,
    pub environments: usize,
    /// The share of invocations to kill.
    pub kill: f64,
    /// The most invocations to kill.
    pub most_kills: usize,
    /// The share of invocations to freeze for up to 30 s.
    pub freeze: f64,
    /// The share of calls of SQS that are throttled, and of received messages
    /// that are delivered twice.
    pub queue_faults: f64,
}

/// Who reads the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The function, which a schedule invokes this often with a drain request.
    Drain { tick: Duration },
    /// Lambda, with batches of at most so many messages, this long apart.
    Pollers { batch: usize, pace: Duration },
    /// Lambda, which invokes the function asynchronously with each event.
    Direct,
}

impl Reader {
    pub const DRAIN: Self = Self::Drain { tick: Duration::from_secs(60) };
    pub const POLLERS: Self = Self::Pollers { batch: 100, pace: Duration::from_secs(2) };
}

/// Lambda invokes the function asynchronously at most three times, the second
/// time after one minute and the third after two more. What fails then goes to
/// the dead-letter queue.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
const DIRECT_ATTEMPTS: u32 = 3;
const DIRECT_RETRY: Duration = Duration::from_secs(90);

impl Default for DayOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            reader: Reader::DRAIN,
            max_receives: 10,
            timeout: Duration::from_secs(300),
            environments: 1,
            kill: 0.0,
            most_kills: usize::MAX,
            freeze: 0.0,
            queue_faults: 0.0,
        }
    }
}

/// The result of a simulated day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// In the order in which they ended.
    pub invocations: Vec<Invocation>,
    /// Receives of messages after their first.
    pub redeliveries: usize,
    pub dead_letters: Vec<SqsMessage>,
    /// What CloudFront accepted.
    pub accepted: Vec<Recorded>,
    pub calls: Vec<Call>,
    pub counters: Counters,
    /// When everything was settled.
    pub until: Duration,
}

/// An invocation of the function, with times from the start of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    pub from: Duration,
    pub until: Duration,
    pub environment: usize,
    pub end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The function returned an answer or an error in time.
    Returned,
    Killed,
    /// The function was frozen for so long that its time was up.
    Frozen,
    /// The function did not return before its deadline.
    Late,
}

impl Day {
    /// Returns how many invocations ended in this way.
    pub fn ended(&self, end: &End) -> usize {
        self.invocations.iter().filter(|one| one.end == *end).count()
    }
}

/// Delivers messages until none is left.
pub async fn simulate_day(
    messages: &[SentMessage],
    options: &DayOptions,
    cloudfront: SimulatorOptions,
    rules: &Arc<RuleSet>,
) -> Day {
    // The SDK's back-off is random. It takes its numbers from this generator.
    fastrand::seed(options.seed);
    let simulator = Simulator::new(cloudfront);
    let is_direct = options.reader == Reader::Direct;
    let queue = SqsQueue::new(SqsOptions {
        max_receives: if is_direct { DIRECT_ATTEMPTS } else { options.max_receives },
        throttle: options.queue_faults,
        duplicate: options.queue_faults,
        seed: options.seed,
        ..SqsOptions::default()
    });
    for SentMessage { body, sent_at } in messages {
        queue.send_after(*sent_at, body);
    }
    let lambda = Lambda {
        options,
        rules,
        started: Instant::now(),
        queue,
        simulator,
        rng: RefCell::new(fastrand::Rng::with_seed(options.seed)),
        invocations: RefCell::default(),
    };
    let environments = (0..options.environments).map(|number| lambda.serve(number));
    environments.collect::<FuturesUnordered<_>>().collect::<()>().await;
    let Lambda { started, queue, simulator, invocations, .. } = lambda;
    Day {
        invocations: invocations.into_inner(),
        redeliveries: queue.redeliveries(),
        dead_letters: queue.dead_letters(),
        accepted: simulator.invalidations(),
        calls: simulator.calls(),
        counters: simulator.counters(),
        until: started.elapsed(),
    }
}

/// Lambda, with the function's environments.
struct Lambda<'d> {
    options: &'d DayOptions,
    rules: &'d Arc<RuleSet>,
    started: Instant,
    queue: SqsQueue,
    simulator: Simulator,
    rng: RefCell<fastrand::Rng>,
    invocations: RefCell<Vec<Invocation>>,
}

impl Lambda<'_> {
    /// Invokes the function in one environment until no message is left.
    async fn serve(&self, number: usize) {
        let (reader, timeout) = (self.options.reader, self.options.timeout);
        let mut function = self.environment();
        let pause = reader.pause(self.options.environments);
        tokio::time::sleep(pause * number as u32 / self.options.environments as u32).await;
        while let Some(wait) = self.queue.next_visible() {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
                continue;
            }
            let from = self.started.elapsed();
            let deadline = Instant::now() + timeout;
            let interruption = self.interruption();
            let invocation = timeout_at(deadline, reader.invoke(&function, &self.queue, deadline));
            let end = match interrupted(invocation, interruption).await {
                Some(Ok(true)) => Some(End::Returned),
                Some(Ok(false)) => None,
                Some(Err(_)) if interruption.is_some() => Some(End::Frozen),
                Some(Err(_)) => Some(End::Late),
                None => Some(End::Killed),
            };
            if let Some(end) = end {
                if end != End::Returned {
                    function = self.environment();
                }
                let until = self.started.elapsed();
                let invocation = Invocation { from, until, environment: number, end };
                self.invocations.borrow_mut().push(invocation);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Returns the function of a new environment.
    fn environment(&self) -> Function {
        let retry = RetryConfig::standard().with_max_attempts(10);
        let options = CloudFrontOptions { retry: Some(retry), ..CloudFrontOptions::default() };
        let cloudfront = CloudFront::new(&self.simulator.sdk_config(), options);
        let queue = Queue::new(&self.queue.sdk_config(), SqsQueue::URL);
        Function { queue: Some(queue), ..Function::new(Arc::clone(self.rules), cloudfront) }
    }

    /// What happens to the next invocation, and after how many polls.
    fn interruption(&self) -> Option<(u32, Interruption)> {
        let mut rng = self.rng.borrow_mut();
        let (roll, polls) = (rng.f64(), 1 + rng.u32(..) % self.options.reader.polls());
        let time = Duration::from_millis(rng.u64(1..=30_000));
        let DayOptions { kill, freeze, most_kills, .. } = *self.options;
        if roll < kill {
            let killed = |one: &&Invocation| one.end == End::Killed;
            let is_enough = self.invocations.borrow().iter().filter(killed).count() >= most_kills;
            (!is_enough).then_some((polls, Interruption::Kill))
        } else {
            (roll < kill + freeze).then_some((polls, Interruption::Freeze(time)))
        }
    }
}

impl Reader {
    /// The time between two invocations of one of so many environments.
    fn pause(self, environments: usize) -> Duration {
        match self {
            Self::Drain { tick } => tick * environments as u32,
            Self::Pollers { pace, .. } => pace,
            Self::Direct => Duration::from_millis(10),
        }
    }

    /// About how often an invocation is polled until it ends.
    fn polls(self) -> u32 {
        match self {
            Self::Drain { .. } => 1_000,
            Self::Pollers { .. } | Self::Direct => 4,
        }
    }

    /// Returns whether the function is invoked: Lambda sends no empty batch.
    async fn invoke(self, function: &Function, queue: &SqsQueue, deadline: Instant) -> bool {
        match self {
            Self::Drain { .. } => {
                // A failed drain leaves the messages to their visibility timeout.
                let _ = function.handle(br#"{"drain": {}}"#, "day", deadline).await;
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
            Self::Direct => {
                let visibility = deadline.saturating_duration_since(Instant::now()) + DIRECT_RETRY;
                let Some(message) = queue.receive(1, visibility).pop() else { return false };
                let result = function.handle(message.body.as_bytes(), &message.id, deadline).await;
                if result.and_then(|report| report.answer()).is_ok() {
                    queue.delete(&message.receipt_handle);
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
    let report = function.handle(payload.as_bytes(), "day", deadline).await.ok()?;
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
                "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:changes",
                "awsRegion": "us-east-1",
            })
        })
        .collect();
    json!({ "Records": records }).to_string()
}

#[cfg(test)]
mod tests;
