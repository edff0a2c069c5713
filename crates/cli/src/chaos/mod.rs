//! A queue that behaves like SQS on a bad day, to see that nothing is lost.
//!
//! [`run`] feeds messages to a process in batches, as Lambda does from a
//! queue, and goes on until every message is done or dead:
//!
//! - A message that the process reports as failed, or whose invocation ended
//!   in an error, comes again after the visibility timeout, in other company.
//! - A message that was received too often goes to the dead letters.
//! - Now and then an invocation is killed at a random point, and another
//!   process, which remembers nothing, takes its place.
//! - Processes take turns, as Lambda's environments do.
//!
//! Time is the [`Clock`] of the simulator, advanced between invocations, so
//! that a run of an hour takes a moment; only the deadline of an invocation is
//! real. Chance comes from a seed.
//!
//! [`expected`] says what the messages ask for, and [`lost`] which of it no
//! invalidation covers that was accepted after the message was sent.

mod audit;
mod function;
mod queue;

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::time::Instant;

use cloudfront_simulator::Clock;

pub use audit::{Expected, lost};
pub use function::expected;
pub use queue::{Message, sqs_event};

use queue::Queue;

/// How bad the day is.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of all chance.
    pub seed: u64,
    /// The most messages of one invocation.
    pub batch: usize,
    /// How long a message stays away after it was received.
    pub visibility: Duration,
    /// How often a message is received before it is a dead letter.
    pub max_receives: u32,
    /// How much time passes from one invocation to the next.
    pub pace: Duration,
    /// The real time an invocation has.
    pub timeout: Duration,
    /// How many processes take turns.
    pub processes: usize,
    /// The share of invocations that are killed.
    pub kill: f64,
}

impl Default for Options {
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
            processes: 1,
            kill: 0.0,
        }
    }
}

/// One environment of the function, with what it remembers.
pub trait Process {
    /// Runs one invocation: the ids of the messages that must come again, or
    /// an error, after which all of them do.
    fn invoke(
        &self,
        messages: &[Message],
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<String>, String>>;
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Invocations, killed ones included.
    pub invocations: usize,
    /// Invocations that were killed before they answered.
    pub killed: usize,
    /// Invocations that answered after their deadline.
    pub late: usize,
    /// Invocations that ended in an error.
    pub errors: usize,
    /// Receptions of messages after their first.
    pub redeliveries: usize,
    /// The messages that were received too often.
    pub dead_letters: Vec<Message>,
}

/// An invocation is killed when its future was polled at most this often; a
/// request takes it a handful.
const MOST_POLLS: usize = 16;

/// Feeds messages to processes until none is left. `start` makes a process.
pub async fn run<P: Process>(
    messages: Vec<Message>,
    options: &Options,
    clock: &Clock,
    mut start: impl FnMut() -> P,
) -> Report {
    let mut chance = fastrand::Rng::with_seed(options.seed);
    let mut queue = Queue::new(messages, options);
    let mut processes: Vec<P> = (0..options.processes.max(1)).map(|_| start()).collect();
    let mut report = Report::default();
    while let Some(at) = queue.next_visible() {
        clock.advance(at.saturating_sub(clock.now()));
        let batch = queue.receive(clock.now(), &mut chance);
        report.redeliveries += batch.iter().filter(|message| message.receives > 1).count();
        if batch.is_empty() {
            continue;
        }
        let environment = report.invocations % processes.len();
        report.invocations += 1;
        let polls = (chance.f64() < options.kill).then(|| chance.usize(1..=MOST_POLLS));
        let deadline = Instant::now() + options.timeout;
        let answer = unless_killed(processes[environment].invoke(&batch, deadline), polls).await;
        match answer {
            None => {
                report.killed += 1;
                processes[environment] = start();
            }
            Some(answer) => {
                report.late += usize::from(Instant::now() > deadline);
                match answer {
                    Ok(failed) => queue.done(&batch, &failed),
                    Err(_) => report.errors += 1,
                }
            }
        }
        clock.advance(options.pace);
    }
    report.dead_letters = queue.into_dead_letters();
    report
}

/// Drops a future that is not ready after so many polls.
async fn unless_killed<T>(future: impl Future<Output = T>, polls: Option<usize>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => match &mut left {
            None => Poll::Pending,
            Some(0 | 1) => Poll::Ready(None),
            Some(left) => {
                *left -= 1;
                Poll::Pending
            }
        },
    })
    .await
}

#[cfg(test)]
mod bad_days;
#[cfg(test)]
mod tests;
