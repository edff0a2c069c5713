//! CloudFront client: submits a plan and returns every item with its outcome.
//!
//! - The requests of a distribution are sent one after another. Distributions
//!   are submitted concurrently, with at most two requests at once in one AWS
//!   account. A failure of one distribution does not affect the others.
//! - The SDK retries throttling, 5xx errors and missing responses: ten attempts,
//!   or as `AWS_MAX_ATTEMPTS` and `AWS_RETRY_MODE` say.
//! - Everything ends at the deadline, less a margin for the answer.
//!   Items that are not accepted by then are [`Outcome::Retry`].
//! - A request beyond a quota is halved, down to 100 paths or one wildcard. If
//!   that is beyond it too, the rest of its kind waits, and is sent again for a
//!   minute: the quotas of paths and of wildcards are separate.
//! - A request that CloudFront refuses because of an item is halved until that
//!   item is alone, with at most 64 requests per distribution. All other items
//!   are accepted. For messages of a queue, the process then keeps the item in
//!   quarantine.
//!
//! docs/failures.md has a row for every error code of AWS.
//!
//! # Nothing is billed twice
//!
//! - The same batch has the same caller reference in every process, and
//!   CloudFront bills it once. Direct payloads rely on this alone, since they
//!   are redelivered unchanged.
//! - Messages of a queue are redelivered in different batches. If a message is
//!   redelivered because of one of its items, the process remembers the items
//!   that were accepted and does not send them again for that message. An item
//!   that another message needs too is always sent.

mod clients;
mod create_invalidation;
mod error;
mod failure;
mod memory;
mod request_queue;
mod submission;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_cloudfront::config::retry::RetryConfig;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use self::{
    clients::Clients,
    create_invalidation::create_invalidation,
    error::ErrorKind,
    failure::FailureContext,
    memory::Memory,
    request_queue::{RequestQueue, Step},
};
use crate::{
    event::Delivery,
    plan::{DeliveredChange, DistributionPlan, Plan},
};

pub use submission::{
    Failure, Invalidation, Outcome, Submission, SubmittedDistribution, SubmittedItem,
    SubmittedRequest,
};

/// The time kept before the deadline for the answer, metrics and log lines of
/// up to 10,000 messages, on a function that may have a fourteenth of a core.
/// Of less than four seconds, a quarter is kept.
pub(crate) const MARGIN: Duration = Duration::from_secs(1);

/// How long requests wait for a quota before they are sent again, and how often.
/// Invalidations are in progress for seconds to minutes. A longer invocation
/// would keep back the changes of other distributions: drains do not overlap.
const QUOTA_WAIT: Duration = Duration::from_secs(10);
const QUOTA_WAITS: u32 = 6;

/// How to submit.
#[derive(Clone, Debug, Default)]
pub struct CloudFrontOptions {
    /// Send nothing.
    pub dry_run: bool,
    /// Attempts and back-off; `None` for those of the SDK's configuration, with
    /// ten attempts if it does not set their number.
    pub retry: Option<RetryConfig>,
}

/// A CloudFront client with the memory of one process.
#[derive(Debug)]
pub struct CloudFront {
    dry_run: bool,
    clients: Clients,
    memory: Mutex<Memory>,
}

impl CloudFront {
    /// Builds the client of the function's own role. The clients of other roles
    /// are built when first needed.
    pub fn new(sdk_config: &SdkConfig, options: CloudFrontOptions) -> Self {
        Self {
            dry_run: options.dry_run,
            clients: Clients::new(sdk_config, options.retry),
            memory: Mutex::default(),
        }
    }

    /// Sets the ARN of the function, once. Requests with a role of its account
    /// share the permits of the function's own requests.
    pub fn set_function_arn(&self, arn: &str) {
        self.clients.set_function_arn(arn);
    }

    /// Submits a plan before the deadline.
    pub async fn submit(
        &self,
        plan: Plan,
        deliveries: &[Delivery],
        deadline: Instant,
    ) -> Submission {
        let Plan { counts, changes, distributions } = plan;
        let stop = keep(MARGIN, deadline);
        let submitted = distributions
            .into_iter()
            .map(|part| self.submit_distribution(part, &changes, deliveries, stop));
        let distributions = join_all(submitted).await;
        let submission = Submission::new(counts, changes, distributions, deliveries);
        lock(&self.memory).update(&submission, deliveries);
        submission
    }

    async fn submit_distribution(
        &self,
        plan: DistributionPlan,
        changes: &[DeliveredChange],
        deliveries: &[Delivery],
        stop: Instant,
    ) -> SubmittedDistribution {
        let DistributionPlan { distribution, targets, requests, unaddressable } = plan;
        let distribution = Arc::new(distribution);
        let context = FailureContext {
            distribution: &distribution,
            targets: &targets,
            function_arn: self.clients.function_arn(),
        };
        let mut queue = RequestQueue::new(context, changes, deliveries, requests, &self.memory);
        if self.dry_run {
            queue.give_up(&Outcome::DryRun);
        }
        let started = Instant::now();
        let (mut calls, mut retries, mut throttles, mut waits) = (0, 0, 0, 0);
        loop {
            let batch = match queue.next() {
                Step::Send(batch) => batch,
                Step::Wait if waits < QUOTA_WAITS && Instant::now() + QUOTA_WAIT < stop => {
                    waits += 1;
                    sleep(QUOTA_WAIT).await;
                    queue.resume();
                    continue;
                }
                Step::Wait => {
                    queue.stop_waiting();
                    continue;
                }
                Step::Done => break,
            };
            let (result, attempts) =
                create_invalidation(&self.clients, &distribution, &batch, stop).await;
            calls += u32::from(attempts.sent > 0);
            retries += attempts.sent.saturating_sub(1);
            throttles += attempts.throttled;
            match result {
                Ok(invalidation) => queue.accept(batch, invalidation),
                Err(error) => {
                    if let (Some(role), ErrorKind::BadCredentials) =
                        (&distribution.role, error.kind)
                    {
                        self.clients.forget(role);
                    }
                    queue.fail(batch, &error);
                }
            }
        }
        SubmittedDistribution {
            requests: queue.finish(),
            distribution: Arc::unwrap_or_clone(distribution),
            targets,
            unaddressable,
            calls,
            retries,
            throttles,
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Returns the deadline less `time`, at most a quarter of what is left.
pub(crate) fn keep(time: Duration, deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(Instant::now());
    deadline.checked_sub(time.min(left / 4)).unwrap_or(deadline)
}

/// Locks a mutex. No panic leaves the state behind these locks half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
