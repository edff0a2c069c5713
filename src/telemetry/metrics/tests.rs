use std::sync::Arc;

use smallvec::smallvec;

use crate::{
    cloudfront::{Failure, Invalidation, Submission, SubmittedRequest},
    distribution::DistributionId,
    event::{Change, Delivery, Kind, Occurrence, Payload, PayloadSource},
    item::Item,
    plan::{Counts, PlannedItem},
};

use super::*;

fn distribution() -> Distribution {
    DistributionId::distribution("E1EXAMPLE").unwrap().into()
}

/// Two changes and two items, of which CloudFront accepted the first.
fn report() -> InvocationReport {
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
    let delivered = |change: &Change| DeliveredChange { delivery: 0, identity: change.identity };
    let item = |tag, change, outcome| SubmittedItem {
        planned: PlannedItem {
            item: Item::tag(tag).unwrap(),
            changes: smallvec![change],
            replaces: 1,
        },
        outcome,
    };
    let failure = Failure { code: "Throttling".to_owned(), message: "Rate exceeded".to_owned() };
    let invalidation = Invalidation { id: "I1".to_owned(), status: "InProgress".to_owned() };
    let items = vec![
        item("x", 0, Outcome::Accepted(Arc::new(invalidation))),
        item("y", 1, Outcome::Retry(Arc::new(failure))),
    ];
    InvocationReport {
        drained: None,
        submission: Submission {
            counts: Counts { changes: 2, matched: 2, ..Counts::default() },
            changes: changes.iter().map(delivered).collect(),
            distributions: vec![SubmittedDistribution {
                distribution: distribution(),
                targets: vec!["www".into()],
                requests: vec![SubmittedRequest { caller_reference: String::new(), items }],
                unaddressable: Vec::new(),
                calls: 2,
                retries: 3,
                throttles: 1,
                duration_ms: 7,
            }],
            needs_redelivery: vec![true],
        },
        payload: Payload {
            source: PayloadSource::Direct,
            deliveries: vec![Delivery { changes, ..Delivery::default() }],
        },
        decisions: Vec::new(),
    }
}

fn lines() -> Vec<Value> {
    let names = BTreeMap::from([(distribution(), "www blog".to_owned())]);
    metric_lines("invalidator", &TargetNames(names), &report(), 4_000, None)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_function_and_each_distribution_have_a_line() {
    let lines = lines();
    let [function, distribution] = &lines[..] else { panic!("{lines:?}") };
    for (name, value) in [
        ("Unaddressable", 0),
        ("Items", 2),
        ("Wildcards", 0),
        ("Tags", 2),
        ("BilledPaths", 1),
        ("Requests", 2),
        ("Retries", 3),
        ("Throttles", 1),
        ("Failures", 1),
        ("OldestChangeAge", 3_000),
    ] {
        assert_eq!((&function[name], &distribution[name]), (&json!(value), &json!(value)));
    }
    for (name, value) in
        [("Changes", 2), ("Matched", 2), ("Ignored", 0), ("Unmatched", 0), ("FailedDeliveries", 1)]
    {
        assert_eq!((&function[name], &distribution[name]), (&json!(value), &Value::Null));
    }
    assert_eq!(function["FunctionName"], "invalidator");
    assert_eq!((&function["Target"], &distribution["Target"]), (&Value::Null, &json!("www blog")));
}

/// The rules of the specification as a JSON Schema.
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

#[test]
fn the_names_of_a_distributions_targets() {
    let rules = b"version: 1\ntargets:\n  www: E1EXAMPLE\n  blog: { distribution: E1EXAMPLE, origin_path: /blog }\n  shop: E2EXAMPLE\n";
    let rules = crate::rules::RuleSet::parse("rules.yaml", rules).unwrap();
    let names = TargetNames::new(rules.targets());
    assert_eq!(names.0.values().collect::<Vec<_>>(), ["www blog", "shop"]);
}
