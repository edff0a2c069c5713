//! What is generated for AWS: from rules as users write them, and as committed.

use std::{fs, path::Path};

use invalidator::setup::{event_pattern, iam_policy, matches, template};
use s3_cloudfront_invalidator::{
    event::{self, Kind},
    rules::RuleSet,
};
use serde_json::{Value, json};

fn rules(text: &str) -> RuleSet {
    RuleSet::parse("rules.yaml", text.as_bytes()).expect("rules")
}

/// `deploy/generate` writes what this compares.
#[test]
fn templates_say_what_rules_yaml_says() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let read = |file| fs::read_to_string(root.join(file)).expect(file);
    let rules = rules(&read("rules.yaml"));
    let statements = iam_policy::rules_statements(
        rules.targets(),
        iam_policy::Place::STACK,
        iam_policy::Tenants::Exact,
    );
    let made = event_pattern::event_patterns(rules.rules(), &event_pattern::Options::default());
    let mut parts = vec![template::policies(&statements)];
    parts.extend(template::patterns(&made.patterns, template::Names::SAM));
    for file in ["deploy/sam/template.yaml", "deploy/sam/direct.yaml"] {
        let committed = read(file);
        let filled = template::fill(&committed, &parts).expect(file);
        assert!(filled == committed, "{file} is not as rules.yaml has it: run deploy/generate");
    }
}

/// The pattern's detail types are those that the reader of events knows, for
/// every kind that `events` can name.
#[test]
fn patterns_deliver_every_kind_of_event() {
    for kind in Kind::ALL {
        let rules = rules(&format!(
            "version: 1\nrules:\n  - name: r\n    bucket: b\n    events: {kind}\n    invalidate: E1EXAMPLE\n"
        ));
        let made = event_pattern::event_patterns(rules.rules(), &Default::default());
        let [pattern] = &*made.patterns else { panic!("{kind}: {:?}", made.patterns) };
        let detail_types = pattern["detail-type"].as_array().expect("a list");
        assert!(!detail_types.is_empty());
        for detail_type in detail_types {
            let event = event_of(kind, detail_type);
            assert_eq!(matches(pattern, &event), Ok(true), "{event}");
            let payload = event::read(event.to_string().as_bytes(), "request").expect("an event");
            let changes: Vec<Kind> = payload
                .deliveries
                .iter()
                .flat_map(|delivery| &delivery.changes)
                .map(|change| change.kind)
                .collect();
            assert_eq!(changes, [kind], "{event}");
        }
    }
}

fn event_of(kind: Kind, detail_type: &Value) -> Value {
    let mut event = json!({
        "version": "0", "id": "1", "source": "aws.s3", "detail-type": detail_type,
        "account": "111122223333", "region": "eu-west-1", "time": "2026-11-22T12:00:00Z",
        "resources": [],
        "detail": {"version": "0", "bucket": {"name": "b"}, "object": {"key": "k"}},
    });
    if kind == Kind::VersionExpired {
        event["detail"]["object"]["version-id"] = json!("1");
        event["detail"]["reason"] = json!("Lifecycle Expiration");
        event["detail"]["deletion-type"] = json!("Permanently Deleted");
    }
    event
}
