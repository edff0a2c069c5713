use std::sync::Arc;

use crate::{
    cloudfront::{Failure, Invalidation},
    distribution::DistributionId,
    event::{Delivery, Identity, Kind, Occurrence, Unreadable},
    item::Item,
    plan::{Counts, Request, Source as ChangeSource},
};

use super::*;

fn delivery(id: &str, group: Option<&str>) -> Delivery {
    Delivery { id: Some(id.to_owned()), group: group.map(str::to_owned), ..Delivery::default() }
}

/// A plan with one source for each delivery, and items `(text, deliveries)`.
fn plan(deliveries: u32, items: &[(&str, &[u32])]) -> Plan {
    let identity = Identity::new("b", "k", Kind::Created, None, Occurrence::Only, None);
    let items = items
        .iter()
        .map(|(text, sources)| PlannedItem {
            item: Item::tag(text).unwrap(),
            sources: sources.to_vec(),
            stands_for: 1,
        })
        .collect();
    Plan {
        counts: Counts { changes: deliveries as usize, ..Counts::default() },
        sources: (0..deliveries).map(|delivery| ChangeSource { delivery, identity }).collect(),
        distributions: vec![DistributionPlan {
            distribution: DistributionId::distribution("E1EXAMPLE").unwrap().into(),
            targets: vec!["www".into(), "blog".into()],
            requests: vec![Request { caller_reference: String::new(), items }],
            unaddressable: Vec::new(),
        }],
    }
}

fn accepted() -> Outcome {
    Outcome::Accepted(Arc::new(Invalidation {
        id: "I1".to_owned(),
        status: "InProgress".to_owned(),
    }))
}

fn retry() -> Outcome {
    Outcome::Retry(failure())
}

fn failure() -> Arc<Failure> {
    Arc::new(Failure { code: "AccessDenied".to_owned(), message: "allow it".to_owned() })
}

fn submission(outcomes: Vec<Outcome>) -> Submission {
    let submitted = DistributionSubmission { outcomes: vec![outcomes], ..Default::default() };
    Submission { distributions: vec![submitted] }
}

fn queue_answer(deliveries: Vec<Delivery>, plan: &Plan, outcomes: Vec<Outcome>) -> Vec<String> {
    let payload = Payload { source: PayloadSource::Queue, deliveries };
    let Ok(Answer::Queue(response)) = answer(&payload, plan, &submission(outcomes)) else {
        panic!("a queue gets a batch response")
    };
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

#[test]
fn a_queue_gets_exactly_the_failed_messages() {
    let deliveries = || vec![delivery("a", None), delivery("b", None), delivery("c", None)];
    let plan = plan(3, &[("x", &[0, 1]), ("y", &[1]), ("z", &[2])]);
    let cases: &[(Vec<Outcome>, &[&str])] = &[
        (vec![accepted(), accepted(), accepted()], &[]),
        (vec![accepted(), retry(), accepted()], &["b"]),
        (vec![retry(), accepted(), accepted()], &["a", "b"]),
        (vec![accepted(), accepted(), Outcome::Refused(failure())], &["c"]),
        (vec![Outcome::DryRun, Outcome::DryRun, Outcome::DryRun], &[]),
    ];
    for (outcomes, expected) in cases {
        assert_eq!(queue_answer(deliveries(), &plan, outcomes.clone()), *expected);
    }
}

#[test]
fn an_unreadable_message_fails_alone() {
    let mut deliveries = vec![delivery("a", None), delivery("b", None)];
    deliveries[0].unreadable.push(Unreadable::new("not JSON"));
    let plan = plan(2, &[("x", &[1])]);
    assert_eq!(queue_answer(deliveries, &plan, vec![accepted()]), ["a"]);
}

#[test]
fn a_queue_gets_an_error_for_what_is_no_message() {
    let stray =
        Delivery { unreadable: vec![Unreadable::new("[1]: no message")], ..Delivery::default() };
    let payload =
        Payload { source: PayloadSource::Queue, deliveries: vec![delivery("a", None), stray] };
    let plan = plan(2, &[("x", &[0])]);
    let error = answer(&payload, &plan, &submission(vec![accepted()])).unwrap_err();
    assert_eq!((error.kind, &*error.message), (UNREADABLE, "[1]: no message"));
}

#[test]
fn a_fifo_group_stops_at_its_first_failure() {
    let deliveries = vec![
        delivery("a1", Some("a")),
        delivery("b1", Some("b")),
        delivery("a2", Some("a")),
        delivery("b2", Some("b")),
        delivery("a3", Some("a")),
    ];
    let plan = plan(5, &[("x", &[2]), ("y", &[0, 1, 3, 4])]);
    assert_eq!(queue_answer(deliveries, &plan, vec![retry(), accepted()]), ["a2", "a3"]);
}

#[test]
fn a_direct_caller_gets_a_summary() {
    let plan = plan(1, &[("x", &[0]), ("y", &[0])]);
    let payload = Payload {
        source: PayloadSource::Direct,
        deliveries: vec![Delivery { skipped: 2, ..Delivery::default() }],
    };
    let answer = answer(&payload, &plan, &submission(vec![accepted(), accepted()])).unwrap();
    assert_eq!(
        serde_json::to_value(answer).unwrap(),
        serde_json::json!({
            "changes": 1, "ignored": 0, "unmatched": 0, "not_served": 0, "skipped": 2, "unaddressable": 0,
            "invalidations": [{ "distribution": "E1EXAMPLE", "id": "I1", "items": ["#x", "#y"] }],
        })
    );
}

#[test]
fn an_invalidation_that_cloudfront_did_not_name_has_no_id() {
    let plan = plan(1, &[("x", &[0])]);
    let payload = Payload { source: PayloadSource::Direct, deliveries: vec![Delivery::default()] };
    let unnamed = Invalidation { id: String::new(), status: String::new() };
    let submission = submission(vec![Outcome::Accepted(Arc::new(unnamed))]);
    let answer = serde_json::to_value(answer(&payload, &plan, &submission).unwrap()).unwrap();
    assert_eq!(
        answer["invalidations"],
        serde_json::json!([{ "distribution": "E1EXAMPLE", "items": ["#x"] }])
    );
}

#[test]
fn a_dry_run_says_so() {
    let plan = plan(1, &[("x", &[0])]);
    let payload = Payload { source: PayloadSource::Direct, deliveries: vec![Delivery::default()] };
    let answer = answer(&payload, &plan, &submission(vec![Outcome::DryRun])).unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(answer["dry_run"], true);
    assert_eq!(
        answer["invalidations"],
        serde_json::json!([{ "distribution": "E1EXAMPLE", "items": ["#x"] }])
    );
}

#[test]
fn a_direct_caller_gets_an_error_that_names_everything() {
    let plan = plan(1, &[("x", &[0]), ("y", &[0])]);
    let mut delivery = Delivery::default();
    let payload = Payload { source: PayloadSource::Direct, deliveries: vec![Delivery::default()] };
    let error = answer(&payload, &plan, &submission(vec![retry(), retry()])).unwrap_err();
    assert_eq!(error.kind, NOT_ACCEPTED);
    assert_eq!(
        error.message,
        "target www, blog (E1EXAMPLE) did not take #x and 1 more: AccessDenied: allow it"
    );

    delivery.unreadable.push(Unreadable::new("element 2 has no key"));
    let payload = Payload { source: PayloadSource::Direct, deliveries: vec![delivery] };
    let error = answer(&payload, &plan, &submission(vec![accepted(), accepted()])).unwrap_err();
    assert_eq!((error.kind, &*error.message), (UNREADABLE, "element 2 has no key"));
}
