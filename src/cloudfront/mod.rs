//! Submits a plan to CloudFront and gives an outcome for every item.
//!
//! ```no_run
//! # use s3_cloudfront_invalidator::{cloudfront::{CloudFront, Settings}, event::Delivery, plan::Plan};
//! # async fn example(plan: Plan, deliveries: Vec<Delivery>) {
//! let sdk_config = aws_config::load_from_env().await;
//! let cloudfront = CloudFront::new(&sdk_config, Settings::default());
//! let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
//! let submission = cloudfront.submit(&plan, &deliveries, deadline).await;
//! # }
//! ```
//!
//! # Order
//!
//! - The requests of a distribution go one after another. Distributions go
//!   side by side, with at most two requests at once in one AWS account.
//! - A failure of one distribution is its own; the others go on.
//!
//! # Time
//!
//! - The SDK tries again what is throttled, fails with a 5xx, or has no
//!   answer: ten times, or as `AWS_MAX_ATTEMPTS` and `AWS_RETRY_MODE` say.
//! - Nothing is waited for beyond the deadline, less a [margin](MARGIN) for
//!   the answer. What is not accepted by then is [`Outcome::Retry`].
//!
//! # Failures
//!
//! docs/failures.md has a row for every code of AWS. In short:
//!
//! - A request that CloudFront refuses for one of its items is halved until
//!   that item is alone, with at most 32 requests per distribution; its
//!   neighbours are accepted. The process then keeps that item apart, for the
//!   messages of a queue.
//! - A batch that is too large is halved; a used caller reference means that
//!   the batch was accepted before.
//! - Too many invalidations in progress end the distribution for this time.
//! - [`Outcome::Refused`] needs somebody to act; [`Outcome::Retry`] needs time.
//!
//! # Nothing is billed twice
//!
//! - The same batch, from any process, has the same caller reference, and
//!   CloudFront bills it once. That is the whole memory of a direct payload,
//!   which comes again as it was.
//! - A queue's messages come again in other company. So an item that was
//!   accepted for a message whose other items were not is remembered, and not
//!   sent for that message again by the same process. An item that any other
//!   message asks for too is always sent.

mod call;
mod clients;
mod error;
mod failure;
mod memory;
mod outcome;
mod work;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_cloudfront::config::retry::RetryConfig;
use futures_util::future::join_all;
use tokio::time::Instant;

use self::{
    clients::Clients,
    failure::{Teller, partition},
    memory::{Accepted, Apart},
    work::{Known, Work},
};
use crate::{
    distribution::Distribution,
    event::Delivery,
    plan::{DistributionPlan, Plan, PlannedItem},
};

pub use outcome::{DistributionSubmission, Failure, Invalidation, Outcome, Submission};

/// What is kept of the deadline for all that comes after submitting: the
/// answer, metrics and log lines of up to 10,000 messages, on a function whose
/// share of a core may be a fourteenth. Of a short time, a quarter is kept.
pub const MARGIN: Duration = Duration::from_secs(1);

/// How to submit.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Send nothing.
    pub dry_run: bool,
    /// Attempts and back-off; `None` for those of the SDK's configuration,
    /// with ten attempts where it does not say how many.
    pub retry: Option<RetryConfig>,
}

/// CloudFront, as one process sees it.
#[derive(Debug)]
pub struct CloudFront {
    settings: Settings,
    clients: Clients,
    accepted: Mutex<Accepted>,
    apart: Mutex<Apart>,
}

impl CloudFront {
    /// Builds the client of the function's own role. The clients of other
    /// roles are built when first needed.
    pub fn new(sdk_config: &SdkConfig, settings: Settings) -> Self {
        Self {
            clients: Clients::new(sdk_config, settings.retry.clone()),
            settings,
            accepted: Mutex::default(),
            apart: Mutex::default(),
        }
    }

    /// Makes known in which account the function runs: its own requests and
    /// those it makes with a role of that account count together.
    pub fn set_own_account(&self, account: &str) {
        self.clients.set_own_account(account);
    }

    /// Submits a plan. Every item has an outcome before the deadline.
    pub async fn submit(
        &self,
        plan: &Plan,
        deliveries: &[Delivery],
        deadline: Instant,
    ) -> Submission {
        if self.settings.dry_run {
            return dry_run(plan);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let stop = deadline.checked_sub(MARGIN.min(left / 4)).unwrap_or(deadline);
        let parts = plan
            .distributions
            .iter()
            .map(|part| self.submit_distribution(plan, part, deliveries, stop));
        let submission = Submission { distributions: join_all(parts).await };
        self.forget_done(plan, deliveries, &submission);
        submission
    }

    async fn submit_distribution(
        &self,
        plan: &Plan,
        part: &DistributionPlan,
        deliveries: &[Delivery],
        stop: Instant,
    ) -> DistributionSubmission {
        let distribution = Arc::new(part.distribution.clone());
        let teller = Teller {
            distribution: &part.distribution,
            targets: &part.targets,
            partition: partition(self.clients.region()),
        };
        let mut work = Work::new(plan, part, teller, |item| {
            self.known(&distribution, item, &messages(plan, deliveries, item))
        });
        let mut submission = DistributionSubmission::default();
        let started = Instant::now();
        while let Some(batch) = work.next() {
            let items = work.items(&batch).map(|item| item.item.as_str().to_owned()).collect();
            let (result, tries) = call::create_invalidation(
                &self.clients,
                &distribution,
                &batch.reference,
                items,
                stop,
            )
            .await;
            submission.calls += u32::from(tries.sent > 0);
            submission.retries += tries.sent.saturating_sub(1);
            submission.throttles += tries.throttled;
            let result = match result {
                Err(error) if error.is_used_reference() => Ok(Invalidation::unnamed()),
                result => result,
            };
            let alone = work.alone(&batch);
            match result {
                Ok(invalidation) => {
                    let invalidation = Arc::new(invalidation);
                    for item in work.items(&batch) {
                        self.remember(plan, deliveries, &distribution, item, &invalidation);
                    }
                    if let Some(item) = alone {
                        lock(&self.apart).remove(&distribution, item);
                    }
                    work.accepted(&batch, &invalidation);
                }
                Err(error) => {
                    if let (Some(item), true) = (alone, error.is_refused_path()) {
                        lock(&self.apart).insert(&distribution, item);
                    }
                    if let (Some(role), true) = (&distribution.role, error.is_bad_credentials()) {
                        self.clients.forget(role);
                    }
                    work.failed(batch, &error);
                }
            }
        }
        submission.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        submission.outcomes = work.finish();
        submission
    }

    fn known(
        &self,
        distribution: &Arc<Distribution>,
        item: &PlannedItem,
        messages: &Messages<'_>,
    ) -> Known {
        // A direct payload that comes again is cut into the same batches, which
        // have the same references; an item set apart would make others.
        let Messages::Ids(ids) = messages else { return Known::Nothing };
        {
            let accepted = lock(&self.accepted);
            let mut recalled = None;
            let all = ids.iter().all(|id| {
                let invalidation = accepted.recall(id, distribution, &item.item);
                recalled = recalled.or(invalidation);
                invalidation.is_some()
            });
            if let (true, Some(invalidation)) = (all, recalled) {
                return Known::Accepted(Arc::clone(invalidation));
            }
        }
        if lock(&self.apart).contains(distribution, &item.item) {
            Known::Refused
        } else {
            Known::Nothing
        }
    }

    fn remember(
        &self,
        plan: &Plan,
        deliveries: &[Delivery],
        distribution: &Arc<Distribution>,
        item: &PlannedItem,
        invalidation: &Arc<Invalidation>,
    ) {
        let mut accepted = lock(&self.accepted);
        for id in item.changes.iter().filter_map(|&change| message(plan, deliveries, change)) {
            accepted.remember(id, distribution, &item.item, invalidation);
        }
    }

    /// Forgets the messages that do not come again.
    fn forget_done(&self, plan: &Plan, deliveries: &[Delivery], submission: &Submission) {
        let mut accepted = lock(&self.accepted);
        for (delivery, comes_again) in
            deliveries.iter().zip(submission.comes_again(plan, deliveries))
        {
            if let (Some(id), false) = (&delivery.id, comes_again) {
                accepted.forget(id);
            }
        }
    }
}

/// The messages an item answers for.
enum Messages<'a> {
    Ids(Vec<&'a str>),
    /// A direct payload is behind it, which has no memory.
    Direct,
}

fn messages<'a>(plan: &Plan, deliveries: &'a [Delivery], item: &PlannedItem) -> Messages<'a> {
    let ids = item.changes.iter().map(|&change| message(plan, deliveries, change));
    ids.collect::<Option<Vec<_>>>().map_or(Messages::Direct, Messages::Ids)
}

fn message<'a>(plan: &Plan, deliveries: &'a [Delivery], change: u32) -> Option<&'a str> {
    let delivery = plan.changes[change as usize].delivery;
    deliveries.get(delivery as usize)?.id.as_deref()
}

fn dry_run(plan: &Plan) -> Submission {
    let outcomes = |part: &DistributionPlan| {
        part.requests.iter().map(|request| vec![Outcome::DryRun; request.items.len()]).collect()
    };
    let distributions = plan.distributions.iter().map(|part| DistributionSubmission {
        outcomes: outcomes(part),
        ..DistributionSubmission::default()
    });
    Submission { distributions: distributions.collect() }
}

/// A panic elsewhere leaves both memories whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
