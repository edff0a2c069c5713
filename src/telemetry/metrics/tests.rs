use std::sync::Arc;

use crate::{
    cloudfront::{Failure, Invalidation, Submission},
    distribution::DistributionId,
    event::{Change, Delivery, Kind, Occurrence, Payload, PayloadSource},
    item::Item,
    plan::{Counts, Plan, PlannedItem, Request},
};

use super::*;

const RULES: &[u8] = b"version: 1\ntargets:\n  www: E1EXAMPLE\n  blog: { distribution: E1EXAMPLE, origin_path: /blog }\n  shop: E2EXAMPLE\n";

/// Two changes, two items, of which CloudFront accepted the first.
fn invocation() -> Report {
    let change = |key: &str, time_ms| Change {
        bucket: "b".into(),
        key: key.to_owned(),
        kind: Kind::Created,
        time_ms: Some(time_ms),
        size: None,
        account: None,
        region: None,
        identity: Identity::new("b", key, Kind::Created, None, Occurrence::Only, None),
    };
    let changes = vec![change("x", 1_000), change("y", 500)];
    let sources = changes.iter().map(|c| Source { delivery: 0, identity: c.identity }).collect();
    let item = |text, source| PlannedItem {
        item: Item::tag(text).unwrap(),
        sources: vec![source],
        stands_for: 1,
    };
    let failure = Failure { code: "Throttling".to_owned(), message: "Rate exceeded".to_owned() };
    let invalidation = Invalidation { id: "I1".to_owned(), status: "InProgress".to_owned() };
    Report {
        payload: Payload {
            source: PayloadSource::Direct,
            deliveries: vec![Delivery { changes, ..Delivery::default() }],
        },
        plan: Plan {
            counts: Counts { changes: 2, matched: 2, ..Counts::default() },
            sources,
            distributions: vec![DistributionPlan {
                distribution: DistributionId::distribution("E1EXAMPLE").unwrap().into(),
                targets: vec!["www".into()],
                requests: vec![Request {
                    caller_reference: String::new(),
                    items: vec![item("x", 0), item("y", 1)],
                }],
                unaddressable: Vec::new(),
            }],
        },
        submission: Submission {
            distributions: vec![DistributionSubmission {
                outcomes: vec![vec![
                    Outcome::Accepted(Arc::new(invalidation)),
                    Outcome::Retry(Arc::new(failure)),
                ]],
                calls: 2,
                retries: 3,
                throttles: 1,
                duration_ms: 7,
            }],
        },
    }
}

fn lines() -> Vec<Value> {
    let rules = RuleSet::parse("rules.yaml", RULES).unwrap();
    metrics("invalidator", &rules, &invocation(), 4_000)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_function_and_each_target_have_a_line() {
    let lines = lines();
    let [function, target] = &lines[..] else { panic!("{lines:?}") };
    for (name, value) in [
        ("Changes", 2),
        ("Matched", 2),
        ("Ignored", 0),
        ("Items", 2),
        ("Tags", 2),
        ("BilledPaths", 1),
        ("Requests", 2),
        ("Retries", 3),
        ("Throttles", 1),
        ("Failures", 1),
        ("FailedDeliveries", 1),
        ("OldestChangeAge", 3_000),
    ] {
        assert_eq!(function[name], value, "{name}");
    }
    assert_eq!(function["FunctionName"], "invalidator");
    assert_eq!(target["Target"], "www blog");
    assert_eq!(target["BilledPaths"], 1);
}

/// The rules of the specification, as a JSON Schema of our own making.
#[test]
fn lines_are_valid_embedded_metric_format() {
    let schema = json!({
        "type": "object",
        "required": ["_aws"],
        "properties": { "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": false,
            "properties": {
                "Timestamp": { "type": "integer", "minimum": 0 },
                "CloudWatchMetrics": { "type": "array", "minItems": 1, "items": {
                    "type": "object",
                    "required": ["Namespace", "Dimensions", "Metrics"],
                    "additionalProperties": false,
                    "properties": {
                        "Namespace": { "type": "string", "minLength": 1, "maxLength": 1024 },
                        "Dimensions": { "type": "array", "minItems": 1, "items": {
                            "type": "array", "maxItems": 30, "items": { "type": "string", "minLength": 1, "maxLength": 250 },
                        } },
                        "Metrics": { "type": "array", "maxItems": 100, "items": {
                            "type": "object",
                            "required": ["Name"],
                            "additionalProperties": false,
                            "properties": {
                                "Name": { "type": "string", "minLength": 1, "maxLength": 1024 },
                                "Unit": { "enum": ["Count", "Milliseconds", "None"] },
                            },
                        } },
                    },
                } },
            },
        } },
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    for line in lines() {
        assert!(validator.is_valid(&line), "{line}");
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        for dimension in directive["Dimensions"][0].as_array().unwrap() {
            let value = line[dimension.as_str().unwrap()].as_str().unwrap();
            assert!((1..=1_024).contains(&value.len()), "{dimension}");
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
    }
}
