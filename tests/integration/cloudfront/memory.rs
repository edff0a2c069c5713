//! What a warm process does not send twice.

use super::scripted::{Answer, BAD_PATH, ScriptedCloudFront, TOO_MANY};
use crate::hand_plan::{HandPlan, words};

const TOO_MANY_WORD: &str = "retry:TooManyInvalidationsInProgress";

#[tokio::test(start_paused = true)]
async fn a_redelivered_message_is_not_billed_twice() {
    let scripted = ScriptedCloudFront::to("E2EXAMPLE", TOO_MANY);
    let cloudfront = scripted.client();
    let plan = HandPlan::queue(&["m1"]).request("E1EXAMPLE", ["/a"]).request("E2EXAMPLE", ["/a"]);
    assert_eq!(words(&plan.submit(&cloudfront).await), ["accepted", TOO_MANY_WORD]);
    assert_eq!(words(&plan.submit(&cloudfront).await), ["remembered", TOO_MANY_WORD]);
    assert_eq!(words(&plan.submit(&cloudfront).await), ["remembered", TOO_MANY_WORD]);
    assert_eq!(scripted.sent().iter().filter(|sent| sent.is_to("E1EXAMPLE")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_item_of_another_message_is_always_sent() {
    let scripted = ScriptedCloudFront::to("E2EXAMPLE", TOO_MANY);
    let cloudfront = scripted.client();
    let first =
        HandPlan::queue(&["m1"]).request("E1EXAMPLE", ["/a", "/b"]).request("E2EXAMPLE", ["/a"]);
    first.submit(&cloudfront).await;
    // m2 changed /a after m1's invalidation.
    let second =
        HandPlan::queue(&["m1", "m2"]).request_for("E1EXAMPLE", &[("/a", &[0, 1]), ("/b", &[0])]);
    let submission = second.submit(&cloudfront).await;
    assert_eq!(words(&submission), ["accepted", "remembered"]);
    let sent = scripted.sent().pop().unwrap();
    assert_eq!(sent.items, ["/a"]);
    // A part of a request is another request.
    assert_ne!(sent.reference, submission.distributions[0].requests[0].caller_reference);
}

#[tokio::test(start_paused = true)]
async fn an_item_is_remembered_under_a_wildcard() {
    let scripted = ScriptedCloudFront::to("E2EXAMPLE", TOO_MANY);
    let cloudfront = scripted.client();
    let plan = |path| {
        let plan = HandPlan::queue(&["m1"]).request("E1EXAMPLE", [path]);
        plan.request("E2EXAMPLE", ["/a"])
    };
    plan("/docs/*").submit(&cloudfront).await;
    for (path, word) in
        [("/docs/a.html", "remembered"), ("/docs/x/*", "remembered"), ("/docs/", "accepted")]
    {
        assert_eq!(words(&plan(path).submit(&cloudfront).await)[0], word, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_done_is_forgotten() {
    let scripted = ScriptedCloudFront::in_turn([]);
    let cloudfront = scripted.client();
    let plan = HandPlan::queue(&["m1"]).request("E1EXAMPLE", ["/a"]);
    // A queue may deliver a message twice; CloudFront knows the reference.
    for _ in 0..2 {
        assert_eq!(words(&plan.submit(&cloudfront).await), ["accepted"]);
    }
    let references = scripted.references();
    assert_eq!(references[0], references[1]);
}

#[tokio::test(start_paused = true)]
async fn which_messages_need_redelivery_and_are_remembered() {
    for (unreadable, groups, expected) in [
        (false, [None, None], [false, false]),
        (true, [None, None], [true, false]),
        (true, [Some("g"), Some("g")], [true, true]),
        (true, [Some("g"), Some("h")], [true, false]),
    ] {
        let cloudfront = ScriptedCloudFront::in_turn([]).client();
        let plan =
            HandPlan::queue(&["m1", "m2"]).request_for("E1EXAMPLE", &[("/a", &[0]), ("/b", &[1])]);
        let mut plan = if unreadable { plan.unreadable(0) } else { plan };
        for (delivery, group) in plan.deliveries.iter_mut().zip(groups) {
            delivery.group = group.map(str::to_owned);
        }
        let submission = plan.submit(&cloudfront).await;
        assert_eq!(submission.needs_redelivery, expected, "{unreadable} {groups:?}");
        let word = |failed| if failed { "remembered" } else { "accepted" };
        assert_eq!(words(&plan.submit(&cloudfront).await), expected.map(word));
    }
}

/// Other batches would have other references, and be billed again.
#[tokio::test(start_paused = true)]
async fn a_redelivered_direct_payload_makes_the_same_requests() {
    let scripted = ScriptedCloudFront::refusing("bad");
    let cloudfront = scripted.client();
    let plan = HandPlan::direct().request("E1EXAMPLE", ["/0", "/1-bad", "/2", "/3"]);
    plan.submit(&cloudfront).await;
    let first = scripted.references();
    plan.submit(&scripted.client()).await;
    assert_eq!(scripted.references()[first.len()..], first);
    // The same process knows the answers, and sends the refused item alone.
    let words = words(&plan.submit(&cloudfront).await);
    assert_eq!(words, ["remembered", "refused:InvalidArgument", "remembered", "remembered"]);
    assert_eq!(scripted.batches()[2 * first.len()..], ["/1-bad"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_item_is_quarantined() {
    let scripted = ScriptedCloudFront::refusing("bad");
    let cloudfront = scripted.client();
    let plan = |message, distribution| {
        HandPlan::queue(&[message]).request(distribution, ["/0", "/1-bad", "/2", "/3"])
    };
    plan("m1", "E1EXAMPLE").submit(&cloudfront).await;
    let first = scripted.sent().len();
    let submission = plan("m2", "E1EXAMPLE").submit(&cloudfront).await;
    assert_eq!(words(&submission), ["accepted", "refused:InvalidArgument", "accepted", "accepted"]);
    assert_eq!(scripted.batches()[first..], ["/0 /2 /3", "/1-bad"]);
    // In one distribution only.
    plan("m3", "E2EXAMPLE").submit(&cloudfront).await;
    assert_eq!(scripted.batches()[first + 2], "/0 /1-bad /2 /3");
}

#[tokio::test(start_paused = true)]
async fn an_accepted_item_leaves_the_quarantine() {
    let scripted = ScriptedCloudFront::in_turn([BAD_PATH, Answer::Created, Answer::Created]);
    let cloudfront = scripted.client();
    for (message, items) in [("m1", &["/0"][..]), ("m2", &["/0"]), ("m3", &["/0", "/1"])] {
        HandPlan::queue(&[message]).request("E1EXAMPLE", items).submit(&cloudfront).await;
    }
    assert_eq!(scripted.batches(), ["/0", "/0", "/0 /1"]);
}
