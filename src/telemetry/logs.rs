use std::collections::BTreeSet;

use lambda_runtime::tracing::{
    self, debug, error, info,
    subscriber::{
        EnvFilter,
        filter::{Directive, LevelFilter},
    },
    warn,
};

use crate::{
    cloudfront::{DistributionSubmission, Outcome},
    event::Change,
    handler::Report,
    plan::DistributionPlan,
    response,
    rules::{Decision, RuleSet},
};

/// The most ids or reasons one line names; the rest are counted.
const MOST_NAMED: usize = 10;

/// Sets up logging to standard output as Lambda's logging variables ask:
/// `AWS_LAMBDA_LOG_LEVEL` (else `RUST_LOG`, else info) and
/// `AWS_LAMBDA_LOG_FORMAT`.
///
/// The level holds for this crate. Its dependencies stay at warnings, since at
/// debug the SDK writes whole requests, their signatures and session tokens.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").or_else(|_| std::env::var("RUST_LOG"));
    let level = level.ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let json = std::env::var("AWS_LAMBDA_LOG_FORMAT")
        .is_ok_and(|format| format.eq_ignore_ascii_case("json"));
    let own: Directive =
        format!("{}={level}", env!("CARGO_CRATE_NAME")).parse().unwrap_or_else(|_| level.into());
    let others = LevelFilter::WARN.min(level);
    let filter = EnvFilter::builder()
        .with_default_directive(others.into())
        .parse_lossy("")
        .add_directive(own);
    let subscriber = tracing::subscriber::fmt().with_target(false).with_env_filter(filter);
    if json {
        // With its timestamp: a line without one is taken to be of level INFO.
        subscriber.json().init();
    } else {
        subscriber.without_time().with_ansi(false).init();
    }
}

/// What the rules say of one change.
fn change(change: &Change, decision: &Decision) {
    let by: BTreeSet<&str> = decision
        .contributions
        .iter()
        .map(|contribution| contribution.rule.as_deref().unwrap_or(crate::rules::FALLBACK_TARGET))
        .collect();
    let by = by.into_iter().collect::<Vec<_>>().join(", ");
    let verdict = decision.verdict.name();
    debug!(
        bucket = &*change.bucket,
        key = ?change.key,
        event = change.kind.name(),
        rules = by,
        items = decision.contributions.len(),
        "{} {:?} in {}: {verdict}", change.kind, change.key, change.bucket
    );
}

/// One line for the invocation, one for each distribution, and one for each
/// thing that went wrong; at debug, also one for each change.
pub fn report(rules: &RuleSet, report: &Report) {
    let Report { payload, plan, submission } = report;
    if tracing::enabled!(tracing::Level::DEBUG) {
        for one in payload.deliveries.iter().flat_map(|delivery| &delivery.changes) {
            change(one, &rules.route(one));
        }
    }
    let counts = plan.counts;
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
    for (plan, submitted) in plan.distributions.iter().zip(&submission.distributions) {
        distribution(plan, submitted);
    }
    for reason in response::failures(plan, submission) {
        error!("{reason}");
    }
}

fn distribution(plan: &DistributionPlan, submitted: &DistributionSubmission) {
    for change in &plan.unaddressable {
        warn!(
            bucket = &*change.bucket,
            key = ?change.key,
            distribution = plan.distribution.id.as_str(),
            "cannot invalidate {:?} of {} in {}: {}",
            change.key, change.bucket, plan.distribution, change.reason
        );
    }
    let mut ids = BTreeSet::new();
    let (mut accepted, mut remembered, mut unsent, mut failed) =
        (0_usize, 0_usize, 0_usize, 0_usize);
    for outcome in submitted.outcomes.iter().flatten() {
        match outcome {
            Outcome::Accepted(invalidation) => {
                accepted += 1;
                ids.insert(invalidation.id.as_str());
            }
            Outcome::Remembered(_) => remembered += 1,
            Outcome::DryRun => unsent += 1,
            Outcome::Refused(_) | Outcome::Retry(_) => failed += 1,
        }
    }
    let ids = ids.into_iter().take(MOST_NAMED).collect::<Vec<_>>().join(" ");
    let targets = plan.targets.join(" ");
    let text = if unsent > 0 {
        format!("DRY_RUN: not sent to {}: {unsent}", plan.distribution)
    } else {
        format!("accepted by {}: {accepted} of {}", plan.distribution, accepted + failed)
    };
    info!(
        distribution = plan.distribution.id.as_str(),
        targets,
        invalidations = ids,
        accepted,
        remembered,
        failed,
        dry_run = unsent,
        unaddressable = plan.unaddressable.len(),
        calls = submitted.calls,
        retries = submitted.retries,
        throttles = submitted.throttles,
        duration_ms = submitted.duration_ms,
        "{text}"
    );
}
