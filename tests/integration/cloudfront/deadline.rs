//! Submitting ends in time, whatever CloudFront does. (`submit_within` fails a
//! test that ends late.)

use std::time::Duration;

use aws_sdk_cloudfront::config::retry::RetryConfig;
use s3_cloudfront_invalidator::cloudfront::{CloudFront, CloudFrontOptions};
use tokio::time::Instant;

use super::scripted::{Answer, LATENCY, ScriptedCloudFront, THROTTLED};
use crate::hand_plan::{HandPlan, message, words};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn hanging_requests_end_at_the_deadline() {
    for seconds in [1, 3, 30, 900] {
        let scripted = ScriptedCloudFront::always(Answer::Hang);
        let mut plan = HandPlan::direct();
        for id in ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE"] {
            plan = plan.request(id, ["/1"]).request(id, ["/2"]);
        }
        let submission = plan.submit_within(&scripted.client(), seconds * SECOND).await;
        for word in words(&submission) {
            assert!(["retry:DeadlineExceeded", "retry:RequestTimeout"].contains(&&*word), "{word}");
        }
        assert!(!scripted.sent().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn accepted_unanswered_and_unsent_requests_are_told_apart() {
    let scripted = ScriptedCloudFront::new(|sent| match &*sent.items[0] {
        "/1" => Answer::Created,
        _ => Answer::Hang,
    });
    let plan = ["/1", "/2", "/3"]
        .into_iter()
        .fold(HandPlan::direct(), |plan, path| plan.request("E1EXAMPLE", [path]));
    let submission = plan.submit_within(&scripted.client(), 5 * SECOND).await;
    assert_eq!(
        words(&submission),
        ["accepted", "retry:DeadlineExceeded", "retry:DeadlineExceeded"]
    );
    assert_eq!(scripted.batches(), ["/1", "/2"]);
    let maybe_accepted: Vec<bool> = submission.distributions[0]
        .items()
        .filter_map(|item| item.outcome.failure())
        .map(|failure| failure.message.contains("may have accepted it"))
        .collect();
    assert_eq!(maybe_accepted, [true, false]);
}

/// The first response comes after 0.1 s, the first back-off takes one second,
/// and three quarters of a short time are used.
#[tokio::test(start_paused = true)]
async fn the_message_names_the_last_response() {
    for (second_answer, time, requests, may_be_accepted) in [
        (Answer::Hang, 8 * SECOND, 2, true),
        // The time ends in the back-off, when no request is in flight.
        (Answer::Hang, SECOND, 1, false),
        (THROTTLED, 2 * SECOND, 2, false),
    ] {
        let scripted = ScriptedCloudFront::in_turn([THROTTLED, second_answer]);
        let plan = HandPlan::direct().request("E1EXAMPLE", ["/a"]);
        let submission = plan.submit_within(&scripted.client(), time).await;
        assert_eq!(words(&submission), ["retry:DeadlineExceeded"]);
        let message = message(&submission);
        assert!(message.contains("CloudFront's last response was Throttling"), "{message}");
        assert_eq!(message.contains("may have accepted it"), may_be_accepted, "{message}");
        assert_eq!(scripted.sent().len(), requests);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_without_time() {
    let scripted = ScriptedCloudFront::in_turn([]);
    let plan = HandPlan::direct().request("E1EXAMPLE", ["/a"]);
    let submission = plan.submit_within(&scripted.client(), Duration::ZERO).await;
    assert_eq!(words(&submission), ["retry:DeadlineExceeded"]);
    assert!(scripted.sent().is_empty());
    assert!(!message(&submission).contains("may have accepted"), "{}", message(&submission));
}

#[tokio::test(start_paused = true)]
async fn a_margin_is_kept_for_the_answer() {
    for (time, margin) in [(2 * SECOND, SECOND / 2), (60 * SECOND, SECOND)] {
        let scripted = ScriptedCloudFront::always(Answer::Hang);
        let settings = CloudFrontOptions {
            retry: Some(RetryConfig::disabled()),
            ..CloudFrontOptions::default()
        };
        let cloudfront = CloudFront::new(&scripted.sdk_config(), settings);
        let plan = (0..20)
            .fold(HandPlan::direct(), |plan, path| plan.request("E1EXAMPLE", [format!("/{path}")]));
        let deadline = Instant::now() + time;
        plan.submit_within(&cloudfront, time).await;
        let left = deadline - Instant::now();
        assert!(left.abs_diff(margin) < LATENCY / 10, "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_permit_ends_at_the_deadline() {
    // The third distribution never gets a permit.
    let scripted = ScriptedCloudFront::always(Answer::Hang);
    let plan = ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE"]
        .into_iter()
        .fold(HandPlan::direct(), |plan, id| plan.request(id, ["/1"]));
    let submission = plan.submit_within(&scripted.client(), 8 * SECOND).await;
    assert_eq!(words(&submission), ["retry:DeadlineExceeded"; 3]);
    assert!(scripted.sent().iter().all(|sent| !sent.is_to("E3EXAMPLE")));
    assert_eq!(submission.distributions[2].calls, 0);
}
