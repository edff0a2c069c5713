//! Metrics in CloudWatch's embedded metric format: one JSON document a line.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! The first line has the function as its dimension and sums up the invocation.
//! Each distribution that was submitted to has a further line with a second
//! dimension, the names of its targets. There are as few dimension values as
//! distributions in the rules file, because each distinct set of values is a
//! metric that is paid for.

use std::{
    collections::{BTreeMap, HashMap},
    slice,
};

use serde::Serialize;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    cloudfront::{Outcome, SubmittedDistribution, SubmittedItem},
    distribution::Distribution,
    event::Identity,
    handler::InvocationReport,
    plan::DeliveredChange,
    queue::DrainCounts,
    target::Target,
};

const NAMESPACE: &str = "S3CloudFrontInvalidator";

/// CloudWatch's limit for the value of a dimension, in characters.
const MAX_DIMENSION_VALUE: usize = 1_024;

/// The value of the dimension `Target` for each distribution: the names of all
/// of its targets, in the order of the rules file.
#[derive(Debug)]
pub struct TargetNames(BTreeMap<Distribution, String>);

impl TargetNames {
    pub fn new(targets: &[Target]) -> Self {
        let mut names: BTreeMap<Distribution, String> = BTreeMap::new();
        for target in targets {
            let names = names.entry(target.distribution.clone()).or_default();
            let joined = format!("{names} {}", target.name);
            *names = joined.trim().chars().take(MAX_DIMENSION_VALUE).collect();
        }
        Self(names)
    }
}

/// The metrics of a line. Each field is a metric of its name.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metrics {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    invocation: Option<InvocationMetrics>,
    unaddressable: usize,
    items: usize,
    wildcards: usize,
    tags: usize,
    billed_paths: usize,
    requests: u32,
    retries: u32,
    throttles: u32,
    failures: usize,
    /// In milliseconds, at the time of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_change_age: Option<i64>,
}

/// Metrics that only the line of the function has.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvocationMetrics {
    changes: usize,
    matched: usize,
    ignored: usize,
    unmatched: usize,
    failed_deliveries: usize,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    drain: Option<DrainMetrics>,
}

/// Metrics of an invocation that drained the queue.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DrainMetrics {
    drains: usize,
    received: usize,
    deleted: usize,
    kept: usize,
}

/// The lines of one invocation, answered at `now_ms`. With a level, Lambda
/// treats them as log lines of that level.
pub fn metric_lines(
    function_name: &str,
    target_names: &TargetNames,
    report: &InvocationReport,
    now_ms: i64,
    level: Option<&str>,
) -> Vec<String> {
    let changes = report.payload.deliveries.iter().flat_map(|delivery| &delivery.changes);
    let ages: HashMap<Identity, i64> = changes
        .filter_map(|change| Some((change.identity, (now_ms - change.time_ms?).max(0))))
        .collect();
    let submission = &report.submission;
    let counts = submission.counts;
    let invocation = InvocationMetrics {
        changes: counts.changes,
        matched: counts.matched,
        ignored: counts.ignored,
        unmatched: counts.unmatched,
        failed_deliveries: submission.failed_deliveries(),
        drain: report.drained.map(|DrainCounts { received, deleted, kept }| DrainMetrics {
            drains: 1,
            received,
            deleted,
            kept,
        }),
    };
    let all = Metrics::new(&submission.distributions, &submission.changes, &ages);
    let all = Metrics { invocation: Some(invocation), ..all };
    let mut lines = vec![line(&[("FunctionName", function_name)], &all, now_ms, level)];
    for part in &submission.distributions {
        let metrics = Metrics::new(slice::from_ref(part), &submission.changes, &ages);
        let target = target_names.0.get(&part.distribution).map_or("", String::as_str);
        let dimensions = [("FunctionName", function_name), ("Target", target)];
        lines.push(line(&dimensions, &metrics, now_ms, level));
    }
    lines
}

fn line(
    dimensions: &[(&str, &str)],
    metrics: &Metrics,
    now_ms: i64,
    level: Option<&str>,
) -> String {
    let mut line = json!(metrics);
    let names = line.as_object().into_iter().flat_map(Map::keys);
    let definitions: Vec<Value> = names
        .map(|name| match &**name {
            "OldestChangeAge" => json!({ "Name": name, "Unit": "Milliseconds" }),
            _ => json!({ "Name": name, "Unit": "Count" }),
        })
        .collect();
    for (name, value) in dimensions {
        line[*name] = json!(value);
    }
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    line["_aws"] = json!({
        "Timestamp": now_ms,
        "CloudWatchMetrics": [
            { "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": definitions },
        ],
    });
    if let Some(level) = level {
        // Lambda reads the level only of lines that have a timestamp, too.
        // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
        line["level"] = json!(level);
        line["timestamp"] = json!(rfc_3339(now_ms));
    }
    line.to_string()
}

fn rfc_3339(ms: i64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok()?;
    time.format(&Rfc3339).ok()
}

impl Metrics {
    fn new(
        distributions: &[SubmittedDistribution],
        changes: &[DeliveredChange],
        ages: &HashMap<Identity, i64>,
    ) -> Self {
        let mut metrics = Self::default();
        for part in distributions {
            metrics.requests += part.calls;
            metrics.retries += part.retries;
            metrics.throttles += part.throttles;
            metrics.unaddressable += part.unaddressable.len();
            for SubmittedItem { planned, outcome } in part.items() {
                metrics.items += 1;
                metrics.wildcards += usize::from(planned.item.is_wildcard());
                metrics.tags += usize::from(planned.item.is_tag());
                metrics.failures += usize::from(!outcome.is_done());
                if matches!(outcome, Outcome::Accepted(_)) {
                    metrics.billed_paths += 1;
                    let changes = planned.changes.iter().map(|at| &changes[*at as usize]);
                    let oldest = changes.filter_map(|change| ages.get(&change.identity)).max();
                    metrics.oldest_change_age = metrics.oldest_change_age.max(oldest.copied());
                }
            }
        }
        metrics
    }
}

#[cfg(test)]
mod tests;
