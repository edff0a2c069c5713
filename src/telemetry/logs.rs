//! Log lines: one for an invocation, each of its distributions and each failure.

use std::{
    collections::BTreeSet,
    io::{self, Stdout, Write, stdout},
};

use tracing::{debug, error, info, warn};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    prelude::*,
};

use crate::{
    cloudfront::{Outcome, SubmittedDistribution},
    escape::escape,
    handler::{ChangeDecision, InvocationReport},
    plan::ChangeStatus,
    queue::DrainCounts,
    response,
};

/// The most invalidation ids in one line.
const MAX_IDS: usize = 10;

/// Sets up logging to standard output as Lambda's logging variables say:
/// `AWS_LAMBDA_LOG_LEVEL` (else `RUST_LOG`, else info) and
/// `AWS_LAMBDA_LOG_FORMAT`.
///
/// The level is that of this crate. Its dependencies log warnings only, because
/// the SDK logs whole requests with signatures and session tokens at debug.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").or_else(|_| std::env::var("RUST_LOG"));
    let level = level.ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let json = std::env::var("AWS_LAMBDA_LOG_FORMAT")
        .is_ok_and(|format| format.eq_ignore_ascii_case("json"));
    let targets = Targets::new()
        .with_default(LevelFilter::WARN.min(level))
        .with_target(env!("CARGO_CRATE_NAME"), level);
    let subscriber = tracing_subscriber::fmt().with_target(false).with_max_level(level);
    if json {
        // With a timestamp: Lambda treats a line without one as level INFO.
        subscriber.json().finish().with(targets).init();
    } else {
        let lines = || EscapedLines(stdout());
        let subscriber = subscriber.without_time().with_ansi(false).with_writer(lines);
        subscriber.finish().with(targets).init();
    }
}

/// Writes each event as one line, whatever is in it: in a text log, a line break
/// in a name would forge a line of the log or of metrics. JSON escapes it anyway.
struct EscapedLines<W = Stdout>(W);

impl<W: Write> Write for EscapedLines<W> {
    /// Writes an event, which ends in a line break.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        self.0.write_all(format!("{}\n", escape(text)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The level that lines of metrics need to be kept: Lambda counts a line of JSON
/// without a level as INFO, and drops it if the log level is higher.
pub fn metric_level() -> Option<&'static str> {
    match LevelFilter::current() {
        LevelFilter::WARN => Some("WARN"),
        LevelFilter::ERROR => Some("ERROR"),
        _ => None,
    }
}

/// Whether [`log`] writes a line for every change.
pub fn is_debug() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

/// Logs one line for the invocation, one for each distribution and one for each
/// failure; at debug, also one for each change.
pub fn log(report: &InvocationReport) {
    let InvocationReport { payload, decisions, submission, drained } = report;
    decisions.iter().for_each(log_decision);
    let counts = submission.counts;
    info!(
        changes = counts.changes,
        matched = counts.matched,
        fallback = counts.fallback,
        ignored = counts.ignored,
        unmatched = counts.unmatched,
        not_served = counts.not_served,
        deliveries = payload.deliveries.len(),
        "read {} changes in {} deliveries",
        counts.changes,
        payload.deliveries.len()
    );
    for delivery in &payload.deliveries {
        for unreadable in &delivery.unreadable {
            let id = delivery.id.as_deref().unwrap_or_default();
            error!(delivery = id, "cannot read delivery {id:?}: {unreadable}");
        }
    }
    if let Some(warning) = payload.foreign_warning() {
        warn!("{warning}");
    }
    if let Some(DrainCounts { received, deleted, kept }) = *drained {
        info!(
            received,
            deleted, kept, "drained {received} messages, deleted {deleted}, kept {kept}"
        );
    }
    submission.distributions.iter().for_each(log_distribution);
    for failure in response::failures(submission) {
        error!("{failure}");
    }
}

fn log_decision(decision: &ChangeDecision) {
    let ChangeDecision { bucket, key, kind, status, items } = decision;
    let rules: BTreeSet<&str> = items.iter().map(|item| &*item.rule).collect();
    let status = match status {
        ChangeStatus::Matched => "matched",
        ChangeStatus::NotServed => "matched, but not served",
        ChangeStatus::Ignored => "ignored",
        ChangeStatus::Fallback => "unmatched, sent to the fallback",
        ChangeStatus::Unmatched => "unmatched",
    };
    debug!(
        bucket = &**bucket,
        key = ?key,
        event = kind.name(),
        rules = rules.into_iter().collect::<Vec<_>>().join(", "),
        items = items.len(),
        "{kind} {key:?} in {bucket}: {status}"
    );
}

fn log_distribution(part: &SubmittedDistribution) {
    for change in &part.unaddressable {
        warn!(
            bucket = &*change.bucket,
            key = ?change.key,
            distribution = part.distribution.id.as_str(),
            "cannot invalidate {:?} of {} in {}: {}",
            change.key, change.bucket, part.distribution, change.reason
        );
    }
    let mut ids = BTreeSet::new();
    let (mut accepted, mut remembered, mut unsent, mut failed) = (0, 0, 0, 0);
    for submitted in part.items() {
        match &submitted.outcome {
            Outcome::Accepted(invalidation) => {
                accepted += 1;
                ids.insert(invalidation.id.as_str());
            }
            Outcome::Remembered(_) => remembered += 1,
            Outcome::DryRun => unsent += 1,
            Outcome::Refused(_) | Outcome::Retry(_) => failed += 1,
        }
    }
    let text = if unsent > 0 {
        format!("DRY_RUN: {unsent} items not sent to {}", part.distribution)
    } else {
        format!("{} accepted {accepted} of {} items", part.distribution, accepted + failed)
    };
    info!(
        distribution = part.distribution.id.as_str(),
        targets = part.targets.join(" "),
        invalidations = ids.into_iter().take(MAX_IDS).collect::<Vec<_>>().join(" "),
        accepted,
        remembered,
        failed,
        dry_run = unsent,
        unaddressable = part.unaddressable.len(),
        calls = part.calls,
        retries = part.retries,
        throttles = part.throttles,
        duration_ms = part.duration_ms,
        "{text}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let mut lines = EscapedLines(Vec::new());
        let event = "WARN bucket=a\n{\"_aws\":{}}\r\u{1b}[31m\u{2028} ä\n";
        lines.write_all(event.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(lines.0).unwrap(),
            "WARN bucket=a\\n{\"_aws\":{}}\\r\\u{1b}[31m\\u{2028} ä\n"
        );
    }
}
