//! Metrics in CloudWatch's embedded metric format: one JSON document a line.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! The first line has the function as its dimension and sums the invocation up;
//! one more line follows for each distribution it wrote to, with the names of
//! that distribution's targets as a second dimension. Both sets of dimensions
//! are as few as the rules file has targets, since every distinct set of values
//! is a metric that is paid for.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::{
    cloudfront::{DistributionSubmission, Outcome},
    distribution::Distribution,
    event::Identity,
    handler::Report,
    plan::{DeliveredChange, DistributionPlan},
    rules::RuleSet,
};

/// The namespace of every metric.
pub const NAMESPACE: &str = "S3CloudFrontInvalidator";

/// The longest dimension value CloudWatch takes, in characters.
const MAX_DIMENSION_VALUE: usize = 1_024;

/// What the lines for one target count.
#[derive(Default)]
struct Totals {
    items: usize,
    wildcards: usize,
    tags: usize,
    billed_paths: usize,
    requests: usize,
    retries: usize,
    throttles: usize,
    failures: usize,
    unaddressable: usize,
    /// When the oldest accepted change happened, in ms since the Unix epoch.
    oldest_ms: Option<i64>,
}

/// The lines of one invocation. `now_ms` is the time of the answer.
pub fn metrics(function: &str, rules: &RuleSet, report: &Report, now_ms: i64) -> Vec<String> {
    let times: HashMap<Identity, i64> = report
        .payload
        .deliveries
        .iter()
        .flat_map(|delivery| &delivery.changes)
        .filter_map(|change| Some((change.identity, change.time_ms?)))
        .collect();
    let mut sum = Totals::default();
    let mut targets = Vec::new();
    for (plan, submitted) in report.plan.distributions.iter().zip(&report.submission.distributions)
    {
        let totals = Totals::of(plan, submitted, &report.plan.changes, &times);
        let mut line = Line::new(now_ms, &["FunctionName", "Target"]);
        line.dimension("FunctionName", function);
        line.dimension("Target", &target_names(rules, &plan.distribution));
        line.totals(&totals, now_ms);
        targets.push(line.finish());
        sum.add(&totals);
    }
    let again = report.submission.comes_again(&report.plan, &report.payload.deliveries);
    let counts = report.plan.counts;
    let mut line = Line::new(now_ms, &["FunctionName"]);
    line.dimension("FunctionName", function);
    line.count("Changes", counts.changes);
    line.count("Matched", counts.matched);
    line.count("Ignored", counts.ignored);
    line.count("Unmatched", counts.unmatched);
    line.totals(&sum, now_ms);
    line.count("FailedDeliveries", again.iter().filter(|again| **again).count());
    let mut lines = vec![line.finish()];
    lines.extend(targets);
    lines
}

/// The names of all targets of a distribution, in the order of the rules file.
fn target_names(rules: &RuleSet, distribution: &Distribution) -> String {
    let names: Vec<&str> = rules
        .targets()
        .iter()
        .filter(|target| target.distribution == *distribution)
        .map(|target| &*target.name)
        .collect();
    names.join(" ").chars().take(MAX_DIMENSION_VALUE).collect()
}

impl Totals {
    fn of(
        plan: &DistributionPlan,
        submitted: &DistributionSubmission,
        changes: &[DeliveredChange],
        times: &HashMap<Identity, i64>,
    ) -> Self {
        let mut totals = Self {
            requests: submitted.calls as usize,
            retries: submitted.retries as usize,
            throttles: submitted.throttles as usize,
            unaddressable: plan.unaddressable.len(),
            ..Self::default()
        };
        let items = plan.requests.iter().flat_map(|request| &request.items);
        for (planned, outcome) in items.zip(submitted.outcomes.iter().flatten()) {
            totals.items += 1;
            totals.wildcards += usize::from(planned.item.is_wildcard());
            totals.tags += usize::from(planned.item.is_tag());
            totals.failures += usize::from(!outcome.is_done());
            if matches!(outcome, Outcome::Accepted(_)) {
                totals.billed_paths += 1;
                let times = planned
                    .changes
                    .iter()
                    .filter_map(|at| times.get(&changes[*at as usize].identity));
                totals.oldest_ms = totals.oldest_ms.into_iter().chain(times.copied()).min();
            }
        }
        totals
    }

    fn add(&mut self, other: &Self) {
        self.items += other.items;
        self.wildcards += other.wildcards;
        self.tags += other.tags;
        self.billed_paths += other.billed_paths;
        self.requests += other.requests;
        self.retries += other.retries;
        self.throttles += other.throttles;
        self.failures += other.failures;
        self.unaddressable += other.unaddressable;
        self.oldest_ms = self.oldest_ms.into_iter().chain(other.oldest_ms).min();
    }
}

/// One document in the making.
struct Line {
    timestamp_ms: i64,
    dimensions: Vec<&'static str>,
    definitions: Vec<Value>,
    members: Map<String, Value>,
}

impl Line {
    fn new(timestamp_ms: i64, dimensions: &[&'static str]) -> Self {
        let dimensions = dimensions.to_vec();
        Self { timestamp_ms, dimensions, definitions: Vec::new(), members: Map::new() }
    }

    fn dimension(&mut self, name: &str, value: &str) {
        self.members.insert(name.to_owned(), value.into());
    }

    fn count(&mut self, name: &str, value: usize) {
        self.metric(name, "Count", json!(value));
    }

    fn metric(&mut self, name: &str, unit: &str, value: Value) {
        self.definitions.push(json!({ "Name": name, "Unit": unit }));
        self.members.insert(name.to_owned(), value);
    }

    fn totals(&mut self, totals: &Totals, now_ms: i64) {
        self.count("Unaddressable", totals.unaddressable);
        self.count("Items", totals.items);
        self.count("Wildcards", totals.wildcards);
        self.count("Tags", totals.tags);
        self.count("BilledPaths", totals.billed_paths);
        self.count("Requests", totals.requests);
        self.count("Retries", totals.retries);
        self.count("Throttles", totals.throttles);
        self.count("Failures", totals.failures);
        if let Some(oldest_ms) = totals.oldest_ms {
            self.metric("OldestChangeAge", "Milliseconds", json!((now_ms - oldest_ms).max(0)));
        }
    }

    fn finish(mut self) -> String {
        let directive = json!({
            "Namespace": NAMESPACE,
            "Dimensions": [self.dimensions],
            "Metrics": self.definitions,
        });
        let head = json!({ "Timestamp": self.timestamp_ms, "CloudWatchMetrics": [directive] });
        self.members.insert("_aws".to_owned(), head);
        Value::Object(self.members).to_string()
    }
}

#[cfg(test)]
mod tests;
