//! Metrics in CloudWatch's embedded metric format: one JSON document a line.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! The first line has the function as its dimension and sums up the invocation.
//! Each distribution that was submitted to has a further line with a second
//! dimension, the names of its targets. There are as few dimension values as
//! distributions in the rules file, because each distinct set of values is a
//! metric that is paid for.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    cloudfront::{Outcome, SubmittedDistribution},
    distribution::Distribution,
    event::Identity,
    handler::InvocationReport,
    plan::DeliveredChange,
    target::Target,
};

/// The namespace of every metric.
pub const NAMESPACE: &str = "S3CloudFrontInvalidator";

/// CloudWatch's limit for the value of a dimension, in characters.
const MAX_DIMENSION_VALUE: usize = 1_024;

/// The value of the dimension `Target` for each distribution: the names of all
/// of its targets, in the order of the rules file.
#[derive(Debug)]
pub struct TargetNames(BTreeMap<Distribution, String>);

impl TargetNames {
    /// The names of these targets.
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

/// A document of the embedded metric format.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    #[serde(rename = "_aws")]
    metadata: Metadata<'a>,
    function_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(flatten)]
    metrics: &'a Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: i64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'static str,
    dimensions: [&'a [&'static str]; 1],
    metrics: Vec<Definition<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition<'a> {
    name: &'a str,
    unit: &'static str,
}

/// The metrics of an invocation. Each field is a metric of its name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvocationMetrics {
    changes: usize,
    matched: usize,
    ignored: usize,
    unmatched: usize,
    #[serde(flatten)]
    items: ItemMetrics,
    failed_deliveries: usize,
}

/// The metrics of one distribution, or of all.
#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ItemMetrics {
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

/// The lines of one invocation, answered at `now_ms`.
pub fn metric_lines(
    function_name: &str,
    target_names: &TargetNames,
    report: &InvocationReport,
    now_ms: i64,
) -> Vec<String> {
    let changes = report.payload.deliveries.iter().flat_map(|delivery| &delivery.changes);
    let ages: HashMap<Identity, i64> = changes
        .filter_map(|change| Some((change.identity, (now_ms - change.time_ms?).max(0))))
        .collect();
    let submission = &report.submission;
    let mut sum = ItemMetrics::default();
    let mut lines = vec![String::new()];
    for part in &submission.distributions {
        let metrics = ItemMetrics::new(part, &submission.changes, &ages);
        let target = target_names.0.get(&part.distribution).map_or("", String::as_str);
        lines.push(line(function_name, Some(target), &metrics, now_ms));
        sum.add(metrics);
    }
    let counts = submission.counts;
    let metrics = InvocationMetrics {
        changes: counts.changes,
        matched: counts.matched,
        ignored: counts.ignored,
        unmatched: counts.unmatched,
        items: sum,
        failed_deliveries: submission.failed_deliveries(),
    };
    lines[0] = line(function_name, None, &metrics, now_ms);
    lines
}

fn line(
    function_name: &str,
    target: Option<&str>,
    metrics: &impl Serialize,
    now_ms: i64,
) -> String {
    let Ok(Value::Object(metrics)) = serde_json::to_value(metrics) else { return String::new() };
    let definition = |name| {
        let unit = if name == "OldestChangeAge" { "Milliseconds" } else { "Count" };
        Definition { name, unit }
    };
    let dimensions = ["FunctionName", "Target"];
    let line = Line {
        metadata: Metadata {
            timestamp: now_ms,
            cloud_watch_metrics: [Directive {
                namespace: NAMESPACE,
                dimensions: [&dimensions[..1 + usize::from(target.is_some())]],
                metrics: metrics.keys().map(|name| definition(name)).collect(),
            }],
        },
        function_name,
        target,
        metrics: &metrics,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

impl ItemMetrics {
    fn new(
        part: &SubmittedDistribution,
        changes: &[DeliveredChange],
        ages: &HashMap<Identity, i64>,
    ) -> Self {
        let mut metrics = Self {
            requests: part.calls,
            retries: part.retries,
            throttles: part.throttles,
            unaddressable: part.unaddressable.len(),
            ..Self::default()
        };
        for submitted in part.items() {
            let item = &submitted.planned.item;
            metrics.items += 1;
            metrics.wildcards += usize::from(item.is_wildcard());
            metrics.tags += usize::from(item.is_tag());
            metrics.failures += usize::from(!submitted.outcome.is_done());
            if matches!(submitted.outcome, Outcome::Accepted(_)) {
                metrics.billed_paths += 1;
                let changes = submitted.planned.changes.iter().map(|at| &changes[*at as usize]);
                let oldest = changes.filter_map(|change| ages.get(&change.identity)).max();
                metrics.oldest_change_age = metrics.oldest_change_age.max(oldest.copied());
            }
        }
        metrics
    }

    fn add(&mut self, other: Self) {
        self.unaddressable += other.unaddressable;
        self.items += other.items;
        self.wildcards += other.wildcards;
        self.tags += other.tags;
        self.billed_paths += other.billed_paths;
        self.requests += other.requests;
        self.retries += other.retries;
        self.throttles += other.throttles;
        self.failures += other.failures;
        self.oldest_change_age = self.oldest_change_age.max(other.oldest_change_age);
    }
}

#[cfg(test)]
mod tests;
