use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    cloudfront::{Failure, Invalidation, SubmittedDistribution, SubmittedItem, SubmittedRequest},
    distribution::DistributionId,
    event::Delivery,
    plan::{ChangeList, Counts, PlannedItem},
};

use super::*;

fn message(id: &str) -> Delivery {
    Delivery { id: Some(id.to_owned()), ..Delivery::default() }
}

fn direct() -> Payload {
    let delivery = Delivery { skipped: 2, ..Delivery::default() };
    Payload { source: PayloadSource::Direct, deliveries: vec![delivery] }
}

fn accepted(id: &str) -> Outcome {
    let status = "InProgress".to_owned();
    Outcome::Accepted(Arc::new(Invalidation { id: id.to_owned(), status }))
}

fn retry() -> Outcome {
    Outcome::Retry(Arc::new(Failure {
        code: "AccessDenied".to_owned(),
        message: "allow it".to_owned(),
    }))
}

/// One distribution that got `#x`, `#y` …, and the deliveries to redeliver.
fn submission(outcomes: Vec<Outcome>, needs_redelivery: &[bool]) -> Submission {
    let items = outcomes.into_iter().zip(["x", "y", "z"]).map(|(outcome, tag)| {
        let item = Item::tag(tag).unwrap();
        SubmittedItem {
            planned: PlannedItem { item, changes: ChangeList::new(), replaces: 1 },
            outcome,
        }
    });
    let request = SubmittedRequest { caller_reference: String::new(), items: items.collect() };
    Submission {
        counts: Counts { changes: 1, ..Counts::default() },
        changes: vec![],
        distributions: vec![SubmittedDistribution {
            distribution: DistributionId::distribution("E1EXAMPLE").unwrap().into(),
            targets: vec!["www".into(), "blog".into()],
            requests: vec![request],
            unaddressable: vec![],
            calls: 1,
            retries: 0,
            throttles: 0,
            duration_ms: 0,
        }],
        needs_redelivery: needs_redelivery.to_vec(),
    }
}

#[test]
fn a_queue_gets_the_messages_to_redeliver() {
    let deliveries = vec![message("a"), message("b"), message("c")];
    let payload = Payload { source: PayloadSource::Queue, deliveries };
    for (failed, expected) in [
        ([false, false, false], &[][..]),
        ([false, true, false], &["b"]),
        ([true, false, true], &["a", "c"]),
    ] {
        let Ok(Answer::Queue(response)) = answer(&payload, &submission(vec![], &failed), None)
        else {
            panic!("a queue gets a batch response")
        };
        let failures = response.batch_item_failures.into_iter();
        let ids: Vec<String> = failures.map(|failure| failure.item_identifier).collect();
        assert_eq!(ids, expected);
    }
}

#[test]
fn a_queue_gets_an_error_for_a_part_that_is_no_message() {
    let unreadable = vec![Unreadable::new("[1]: no message")];
    let stray = Delivery { unreadable, ..Delivery::default() };
    let payload = Payload { source: PayloadSource::Queue, deliveries: vec![message("a"), stray] };
    let error =
        answer(&payload, &submission(vec![accepted("I1")], &[false, true]), None).unwrap_err();
    assert_eq!((error.kind, &*error.message), (UNREADABLE, "[1]: no message"));
}

#[test]
fn a_direct_caller_gets_a_summary() {
    let both = json!(["#x", "#y"]);
    for (outcomes, dry_run, invalidations) in [
        (
            vec![accepted("I1"), accepted("I1")],
            None,
            json!([{ "distribution": "E1EXAMPLE", "id": "I1", "items": both }]),
        ),
        (
            vec![accepted("I1"), accepted("I2")],
            None,
            json!([
                { "distribution": "E1EXAMPLE", "id": "I1", "items": ["#x"] },
                { "distribution": "E1EXAMPLE", "id": "I2", "items": ["#y"] },
            ]),
        ),
        // CloudFront did not answer the id.
        (
            vec![accepted(""), accepted("")],
            None,
            json!([{ "distribution": "E1EXAMPLE", "items": both }]),
        ),
        (
            vec![Outcome::DryRun, Outcome::DryRun],
            Some(true),
            json!([{ "distribution": "E1EXAMPLE", "items": both }]),
        ),
    ] {
        let answer = answer(&direct(), &submission(outcomes, &[false]), None).unwrap();
        let mut expected = json!({
            "changes": 1, "ignored": 0, "unmatched": 0, "not_served": 0, "skipped": 2,
            "unaddressable": 0, "invalidations": invalidations,
        });
        if let Some(dry_run) = dry_run {
            expected["dry_run"] = json!(dry_run);
        }
        assert_eq!(serde_json::to_value(answer).unwrap(), expected);
    }
}

#[test]
fn a_direct_caller_gets_an_error_that_names_everything() {
    let error = answer(&direct(), &submission(vec![retry(), retry()], &[true]), None).unwrap_err();
    assert_eq!(error.kind, NOT_ACCEPTED);
    assert_eq!(error.message, "CloudFront did not accept #x and 1 more: AccessDenied: allow it");

    let mut payload = direct();
    payload.deliveries[0].unreadable.push(Unreadable::new("element 2 has no key"));
    let error = answer(&payload, &submission(vec![accepted("I1")], &[true]), None).unwrap_err();
    assert_eq!((error.kind, &*error.message), (UNREADABLE, "element 2 has no key"));
}

#[test]
fn a_drain_gets_a_summary_whatever_failed() {
    let counts = DrainCounts { received: 3, deleted: 2, kept: 1 };
    let payload = Payload { source: PayloadSource::Drain, ..direct() };
    let submission = submission(vec![accepted("I1"), retry()], &[true]);
    let answer = answer(&payload, &submission, Some(counts)).unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(
        (&answer["received"], &answer["deleted"], &answer["kept"]),
        (&json!(3), &json!(2), &json!(1))
    );
    assert_eq!(
        answer["invalidations"],
        json!([{ "distribution": "E1EXAMPLE", "id": "I1", "items": ["#x"] }])
    );
}

#[test]
fn a_summary_fits_in_an_answer() {
    let mut large = submission(vec![], &[false]);
    let items = (0..3_000).map(|n| {
        let path = format!("/{n}{}", "x".repeat(2_000));
        let item = crate::item::address(&path, "/", "/", true).unwrap();
        let planned = PlannedItem { item, changes: ChangeList::new(), replaces: 1 };
        SubmittedItem { planned, outcome: accepted("I1") }
    });
    large.distributions[0].requests[0].items = items.collect();
    let answer = serde_json::to_value(answer(&direct(), &large, None).unwrap()).unwrap();
    let invalidation = &answer["invalidations"][0];
    let listed = invalidation["items"].as_array().unwrap().len();
    assert_eq!(listed as u64 + invalidation["more_items"].as_u64().unwrap(), 3_000);
    assert!(listed > 2_000 && answer.to_string().len() < 6_000_000, "{listed}");
}

#[test]
fn a_summary_of_many_invalidations_fits_in_an_answer() {
    let mut large = submission(vec![], &[false]);
    let items = (0..100_000).map(|n| {
        let item = Item::tag(&format!("{n}\"\"\"\"\"\"")).unwrap();
        let planned = PlannedItem { item, changes: ChangeList::new(), replaces: 1 };
        SubmittedItem { planned, outcome: accepted(&format!("I{}", n % 2)) }
    });
    large.distributions[0].requests[0].items = items.collect();
    let answer = serde_json::to_value(answer(&direct(), &large, None).unwrap()).unwrap();
    let sum = |one: &Value| {
        one["items"].as_array().unwrap().len() as u64 + one["more_items"].as_u64().unwrap_or(0)
    };
    assert_eq!(answer["invalidations"].as_array().unwrap().iter().map(sum).sum::<u64>(), 100_000);
    let length = answer.to_string().len();
    assert!((1_000_000..6_000_000).contains(&length), "{length}");
}

#[test]
fn an_error_message_has_a_limit() {
    let unreadable = (0..250).map(|n| Unreadable::new(format!("[{n}]: no event")));
    let delivery = Delivery { unreadable: unreadable.collect(), ..Delivery::default() };
    let payload = Payload { source: PayloadSource::Direct, deliveries: vec![delivery] };
    let error = answer(&payload, &submission(vec![], &[true]), None).unwrap_err();
    assert_eq!(error.message.lines().count(), 101);
    assert!(error.message.ends_with("and 150 more reasons"), "{}", error.message);
}
