//! Outcomes in, the answer the caller understands out.
//!
//! - A delivery is done if and only if it was read whole and every item it
//!   needs was accepted, now or earlier by this process. What no item can be
//!   sent for (unaddressable) needs nothing: trying again would not help.
//! - A queue is answered with the message ids that are not done; in a FIFO
//!   queue also with every later message of the same group, which must not
//!   overtake.
//!   A part of such a payload that is no message makes all of it an error.
//! - Any other caller is answered with a summary when its one delivery is done,
//!   and with an error otherwise, since an error is all it can retry on. The
//!   errors' types, [`UNREADABLE`] and [`NOT_ACCEPTED`], are part of the
//!   contract.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::SqsBatchResponse;
use serde::Serialize;

use crate::{
    cloudfront::{DistributionSubmission, Outcome, Submission},
    event::{Payload, PayloadSource, Unreadable},
    plan::{DistributionPlan, Plan, PlannedItem},
};

/// The `errorType` of a payload, or a part of it, that could not be read.
pub const UNREADABLE: &str = "UnreadablePayload";

/// The `errorType` when CloudFront did not accept everything.
pub const NOT_ACCEPTED: &str = "NotAccepted";

/// What the function returns.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a queue: the messages to deliver again.
    Queue(SqsBatchResponse),
    /// To any other caller.
    Summary(Summary),
}

/// What was done with a direct payload.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// All distinct changes.
    pub changes: usize,
    /// Changes that only an `ignore` rule matched.
    pub ignored: usize,
    /// Changes that no rule matched, and no fallback took.
    pub unmatched: usize,
    /// Changes that a rule matched and no target serves.
    pub not_served: usize,
    /// Events that are understood and ask for nothing, as S3's test event.
    pub skipped: usize,
    /// Items that cannot be sent, whatever is done.
    pub unaddressable: usize,
    /// What CloudFront accepted.
    pub invalidations: Vec<InvalidationSummary>,
    /// Present and true when nothing was sent because `DRY_RUN` is on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// One invalidation that CloudFront accepted, or would have been asked for.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct InvalidationSummary {
    /// The id of the distribution or tenant.
    pub distribution: String,
    /// The id of the invalidation; absent in a dry run, and where CloudFront
    /// only said that it has accepted the same request before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its items.
    pub items: Vec<String>,
}

/// Why a direct payload must come again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// [`UNREADABLE`] or [`NOT_ACCEPTED`].
    pub kind: &'static str,
    /// Every reason, a line each.
    pub message: String,
}

impl Error {
    /// The error of a payload of which nothing could be read.
    pub fn unreadable(reason: &Unreadable) -> Self {
        Self { kind: UNREADABLE, message: reason.to_string() }
    }
}

impl From<Error> for lambda_runtime::Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.kind.to_owned(), error_message: error.message }
    }
}

/// Answers the caller.
pub fn answer(payload: &Payload, plan: &Plan, submission: &Submission) -> Result<Answer, Error> {
    match payload.source {
        PayloadSource::Queue => queue(payload, plan, submission).map(Answer::Queue),
        PayloadSource::Direct => direct(payload, plan, submission).map(Answer::Summary),
    }
}

fn queue(
    payload: &Payload,
    plan: &Plan,
    submission: &Submission,
) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    let again = submission.comes_again(plan, &payload.deliveries);
    for (delivery, _) in payload.deliveries.iter().zip(again).filter(|(_, again)| *again) {
        match &delivery.id {
            Some(id) => response.add_failure(id),
            None => return Err(error(payload, plan, submission)),
        }
    }
    Ok(response)
}

fn direct(payload: &Payload, plan: &Plan, submission: &Submission) -> Result<Summary, Error> {
    if submission.comes_again(plan, &payload.deliveries).contains(&true) {
        return Err(error(payload, plan, submission));
    }
    Ok(summary(payload, plan, submission))
}

/// Everything that was not accepted or not read.
fn error(payload: &Payload, plan: &Plan, submission: &Submission) -> Error {
    let not_accepted = failures(plan, submission);
    let kind = if not_accepted.is_empty() { UNREADABLE } else { NOT_ACCEPTED };
    let unreadable = payload.deliveries.iter().flat_map(|delivery| &delivery.unreadable);
    let lines = not_accepted.into_iter().chain(unreadable.map(ToString::to_string));
    Error { kind, message: lines.collect::<Vec<_>>().join("\n") }
}

/// A line for every reason why a distribution did not take items.
pub fn failures(plan: &Plan, submission: &Submission) -> Vec<String> {
    let mut lines = Vec::new();
    for (distribution, submitted) in plan.distributions.iter().zip(&submission.distributions) {
        let mut reasons: BTreeMap<String, Vec<&PlannedItem>> = BTreeMap::new();
        for (item, outcome) in distribution_outcomes(distribution, submitted) {
            if let Some(failure) = outcome.failure() {
                reasons.entry(failure.to_string()).or_default().push(item);
            }
        }
        let targets = distribution.targets.join(", ");
        for (reason, items) in reasons {
            let more = match items.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            lines.push(format!(
                "target {targets} ({}) did not take {}{more}: {reason}",
                distribution.distribution, items[0].item
            ));
        }
    }
    lines
}

fn summary(payload: &Payload, plan: &Plan, submission: &Submission) -> Summary {
    let mut dry_run = false;
    let mut invalidations: Vec<InvalidationSummary> = Vec::new();
    for (distribution, item, outcome) in outcomes(plan, submission) {
        let id = match outcome {
            Outcome::Accepted(invalidation) | Outcome::Remembered(invalidation) => {
                Some(invalidation.id.clone()).filter(|id| !id.is_empty())
            }
            Outcome::DryRun => {
                dry_run = true;
                None
            }
            Outcome::Refused(_) | Outcome::Retry(_) => continue,
        };
        let distribution = distribution.distribution.to_string();
        match invalidations.last_mut() {
            Some(last) if last.distribution == distribution && last.id == id => {
                last.items.push(item.item.to_string());
            }
            _ => invalidations.push(InvalidationSummary {
                distribution,
                id,
                items: vec![item.item.to_string()],
            }),
        }
    }
    Summary {
        changes: plan.counts.changes,
        ignored: plan.counts.ignored,
        unmatched: plan.counts.unmatched,
        not_served: plan.counts.not_served,
        skipped: payload.deliveries.iter().map(|delivery| delivery.skipped).sum(),
        unaddressable: plan.distributions.iter().map(|d| d.unaddressable.len()).sum(),
        invalidations,
        dry_run,
    }
}

/// Every item of the plan with its outcome.
pub fn outcomes<'a>(
    plan: &'a Plan,
    submission: &'a Submission,
) -> impl Iterator<Item = (&'a DistributionPlan, &'a PlannedItem, &'a Outcome)> {
    plan.distributions.iter().zip(&submission.distributions).flat_map(
        |(distribution, submitted)| {
            distribution_outcomes(distribution, submitted)
                .map(move |(item, outcome)| (distribution, item, outcome))
        },
    )
}

fn distribution_outcomes<'a>(
    distribution: &'a DistributionPlan,
    submitted: &'a DistributionSubmission,
) -> impl Iterator<Item = (&'a PlannedItem, &'a Outcome)> {
    distribution
        .requests
        .iter()
        .zip(&submitted.outcomes)
        .flat_map(|(request, outcomes)| request.items.iter().zip(outcomes))
}

#[cfg(test)]
mod tests;
