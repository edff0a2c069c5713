//! The answer to the caller, from the outcomes.
//!
//! - A delivery is done if and only if it was read whole and all of its items
//!   were accepted, now or earlier by this process. Unaddressable items do not
//!   count: a retry would not help. With `DRY_RUN`, everything that was read is
//!   done.
//! - A queue is answered with the ids of the messages that are not done, and in
//!   a FIFO queue with every later message of the same group too. If a part of
//!   such a payload that is no message fails, the answer is an error.
//! - A drain is answered with a summary and what became of the messages: those
//!   that are not done are in the queue again.
//! - Any other caller is answered with a summary if its one delivery is done.
//!   Otherwise the answer is an error, which is what makes the caller retry.
//!   The error types, [`UNREADABLE`] and [`NOT_ACCEPTED`], are part of the
//!   contract.

use std::{collections::BTreeMap, iter};

use aws_lambda_events::sqs::SqsBatchResponse;
use serde::Serialize;

use crate::{
    cloudfront::{Outcome, Submission},
    event::{Payload, PayloadSource, Unreadable},
    item::Item,
    queue::{DrainCounts, InvalidDrainRequest, QueueError},
};

/// The `errorType` if the payload, or a part of it, could not be read.
pub const UNREADABLE: &str = "UnreadablePayload";

/// The `errorType` if CloudFront did not accept everything.
pub const NOT_ACCEPTED: &str = "NotAccepted";

/// The `errorType` if the queue could not be drained.
pub const NOT_DRAINED: &str = "NotDrained";

/// The most bytes of items in a summary. Lambda fails an invocation whose answer
/// is larger than 6 MB, although its items were accepted.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ITEM_BYTES: usize = 4 << 20;

/// The bytes of an invalidation in a summary, without its items.
const INVALIDATION_BYTES: usize = 128;

/// The most reasons in an error message.
const REASONS: usize = 100;

/// What the function returns.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a queue: the messages to redeliver.
    Queue(SqsBatchResponse),
    /// To any other caller.
    Summary(Summary),
}

/// The result of a direct payload or a drain.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What became of the messages of a drain.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub drained: Option<DrainCounts>,
    /// All distinct changes.
    pub changes: usize,
    /// Changes that only an `ignore` rule matched.
    pub ignored: usize,
    /// Changes that no rule matched, and that did not go to the fallback.
    pub unmatched: usize,
    /// Changes that a rule matched and no target serves.
    pub not_served: usize,
    /// Events without a change, such as S3's test event.
    pub skipped: usize,
    /// Changes for which no item can be sent.
    pub unaddressable: usize,
    /// What CloudFront accepted.
    pub invalidations: Vec<InvalidationSummary>,
    /// Present and true if nothing was sent because `DRY_RUN` is on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// An invalidation that CloudFront accepted, or that a dry run did not send.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct InvalidationSummary {
    /// The id of the distribution or tenant.
    pub distribution: String,
    /// The id of the invalidation. Absent in a dry run, and if CloudFront only
    /// returned that it accepted the same batch before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub items: Vec<String>,
    /// Items that are not listed because the answer would be too large.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_items: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Why an invocation must be retried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvocationError {
    /// [`UNREADABLE`], [`NOT_ACCEPTED`] or [`NOT_DRAINED`].
    pub kind: &'static str,
    /// One line per reason.
    pub message: String,
}

impl From<Unreadable> for InvocationError {
    fn from(reason: Unreadable) -> Self {
        Self { kind: UNREADABLE, message: reason.to_string() }
    }
}

impl From<InvalidDrainRequest> for InvocationError {
    fn from(reason: InvalidDrainRequest) -> Self {
        Self { kind: UNREADABLE, message: reason.to_string() }
    }
}

impl From<QueueError> for InvocationError {
    fn from(reason: QueueError) -> Self {
        Self { kind: NOT_DRAINED, message: reason.to_string() }
    }
}

impl From<InvocationError> for lambda_runtime::Diagnostic {
    fn from(error: InvocationError) -> Self {
        Self { error_type: error.kind.to_owned(), error_message: error.message }
    }
}

pub fn answer(
    payload: &Payload,
    submission: &Submission,
    drained: Option<DrainCounts>,
) -> Result<Answer, InvocationError> {
    let deliveries = payload.deliveries.iter().zip(&submission.needs_redelivery);
    let mut failed = deliveries.filter(|(_, failed)| **failed).map(|(delivery, _)| delivery);
    match payload.source {
        PayloadSource::Queue => {
            let mut response = SqsBatchResponse::default();
            for delivery in failed {
                let Some(id) = &delivery.id else { return Err(error(payload, submission)) };
                response.add_failure(id);
            }
            Ok(Answer::Queue(response))
        }
        PayloadSource::Direct if failed.next().is_some() => Err(error(payload, submission)),
        PayloadSource::Direct | PayloadSource::Drain => {
            Ok(Answer::Summary(Summary { drained, ..summary(payload, submission) }))
        }
    }
}

/// Everything that was not accepted or not read.
fn error(payload: &Payload, submission: &Submission) -> InvocationError {
    let not_accepted = failures(submission);
    let kind = if not_accepted.is_empty() { UNREADABLE } else { NOT_ACCEPTED };
    let unreadable = payload.deliveries.iter().flat_map(|delivery| &delivery.unreadable);
    let lines = not_accepted.into_iter().chain(unreadable.map(ToString::to_string));
    let mut lines: Vec<String> = lines.collect();
    let others = lines.len().saturating_sub(REASONS);
    lines.truncate(REASONS);
    lines.extend(iter::repeat_n(format!("and {others} more reasons"), others.min(1)));
    InvocationError { kind, message: lines.join("\n") }
}

/// One line per distribution and reason for which items were not accepted.
pub fn failures(submission: &Submission) -> Vec<String> {
    let mut lines = Vec::new();
    for part in &submission.distributions {
        let mut reasons: BTreeMap<String, (&Item, usize)> = BTreeMap::new();
        for submitted in part.items() {
            if let Some(failure) = submitted.outcome.failure() {
                let first = (&submitted.planned.item, 0);
                reasons.entry(failure.to_string()).or_insert(first).1 += 1;
            }
        }
        lines.extend(reasons.into_iter().map(|(reason, (item, count))| {
            let others = match count {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            format!("CloudFront did not accept {item}{others}: {reason}")
        }));
    }
    lines
}

fn summary(payload: &Payload, submission: &Submission) -> Summary {
    let mut dry_run = false;
    let mut bytes = 0;
    let mut invalidations: Vec<InvalidationSummary> = Vec::new();
    for part in &submission.distributions {
        let distribution = part.distribution.to_string();
        for submitted in part.items() {
            let id = match &submitted.outcome {
                Outcome::Accepted(invalidation) | Outcome::Remembered(invalidation) => {
                    Some(invalidation.id.clone()).filter(|id| !id.is_empty())
                }
                Outcome::DryRun => {
                    dry_run = true;
                    None
                }
                Outcome::Refused(_) | Outcome::Retry(_) => continue,
            };
            let is_new = invalidations.last().is_none_or(|last| {
                last.distribution != distribution || last.id != id && bytes <= ITEM_BYTES
            });
            if is_new {
                bytes += INVALIDATION_BYTES;
                let distribution = distribution.clone();
                let items = Vec::new();
                invalidations.push(InvalidationSummary { distribution, id, items, more_items: 0 });
            }
            let last = invalidations.last_mut().expect("one was added");
            let item = submitted.planned.item.to_string();
            // JSON escapes these in tags.
            bytes += item.len() + item.matches(['"', '\\']).count();
            if bytes <= ITEM_BYTES { last.items.push(item) } else { last.more_items += 1 }
        }
    }
    let counts = submission.counts;
    Summary {
        drained: None,
        changes: counts.changes,
        ignored: counts.ignored,
        unmatched: counts.unmatched,
        not_served: counts.not_served,
        skipped: payload.deliveries.iter().map(|delivery| delivery.skipped).sum(),
        unaddressable: submission.distributions.iter().map(|part| part.unaddressable.len()).sum(),
        invalidations,
        dry_run,
    }
}

#[cfg(test)]
mod tests;
