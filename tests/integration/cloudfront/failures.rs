//! A test for each row of docs/failures.md.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;

use super::scripted::{
    Answer, BAD_PATH, ScriptedCloudFront, THROTTLED, TOO_MANY, USED_REFERENCE, assumed,
};
use crate::hand_plan::{HandPlan, ROLE, count, message, submitted_items, with_role, words};

const NO_SUCH: Answer =
    Answer::Error(404, "NoSuchDistribution", "The specified distribution does not exist.");
const DENIED: Answer = Answer::Error(403, "AccessDenied", "Access denied.");
const EXISTS: Answer = Answer::Error(400, "InvalidationBatchAlreadyExists", "exists");
const TOO_LARGE: Answer = Answer::Error(413, "BatchTooLarge", "too large");

/// A plan of one request with `n` items, some of which have `bad` in their name.
fn plan(n: usize, bad: &[usize]) -> HandPlan {
    let name = |i| if bad.contains(&i) { format!("/{i:04}-bad") } else { format!("/{i:04}") };
    HandPlan::direct().request("E1EXAMPLE", (0..n).map(name))
}

#[tokio::test(start_paused = true)]
async fn requests_outcome_and_message_of_each_error() {
    for (answer, requests, outcome, expected) in [
        (TOO_MANY, 7..=7, "retry:TooManyInvalidationsInProgress", "usually within minutes"),
        (
            Answer::Error(503, "ServiceUnavailable", "busy"),
            10..=10,
            "retry:ServiceUnavailable",
            "not billed twice",
        ),
        (Answer::Raw(502, "<html>".to_owned()), 10..=10, "retry:Http502", "not billed twice"),
        (Answer::Drop, 10..=10, "retry:ConnectionFailed", "connection reset by peer"),
        (Answer::Hang, 10..=10, "retry:RequestTimeout", "not billed twice"),
        (BAD_PATH, 1..=1, "refused:InvalidArgument", "does not accept `/a`"),
        (NO_SUCH, 1..=1, "refused:NoSuchDistribution", "correct the distribution id"),
        (Answer::Error(404, "EntityNotFound", "no"), 1..=1, "refused:EntityNotFound", "rules.yaml"),
        (
            DENIED,
            1..=1,
            "refused:AccessDenied",
            "allow `cloudfront:CreateInvalidation` on `arn:aws:cloudfront::*:distribution/E1EXAMPLE` to the function's role",
        ),
        (
            Answer::Error(403, "ExpiredToken", "The security token is expired"),
            1..=1,
            "retry:ExpiredToken",
            "credentials of the function's role",
        ),
        (TOO_LARGE, 1..=1, "retry:BatchTooLarge", "too large"),
        (EXISTS, 2..=2, "retry:InvalidationBatchAlreadyExists", "exists"),
        (Answer::Error(400, "MalformedXML", "what"), 1..=1, "retry:MalformedXML", "what"),
        (Answer::Raw(418, String::new()), 1..=1, "retry:Http418", "`E1EXAMPLE` (target www)"),
    ] {
        let scripted = ScriptedCloudFront::always(answer.clone());
        let plan = HandPlan::direct().request("E1EXAMPLE", ["/a"]);
        let submission = plan.submit(&scripted.client()).await;
        assert_eq!(words(&submission), [outcome], "{answer:?}");
        assert!(requests.contains(&scripted.sent().len()), "{answer:?}");
        let message = message(&submission);
        assert!(message.contains(expected), "{message:?} does not contain {expected:?}");
        assert!(message.contains("E1EXAMPLE"), "{message:?}");
    }
}

/// Ten attempts take 111 s here.
#[tokio::test(start_paused = true)]
async fn a_throttled_request_waits_within_the_deadline() {
    for (seconds, requests, message_part) in
        [(120, 10..=10, "whole account"), (900, 70..=70, "whole account")]
    {
        let scripted = ScriptedCloudFront::always(THROTTLED);
        let plan = HandPlan::direct().request("E1EXAMPLE", ["/a"]);
        let time = Duration::from_secs(seconds);
        let submission = plan.submit_within(&scripted.client(), time).await;
        let message = message(&submission);
        assert!(words(&submission)[0].starts_with("retry:"), "{message}");
        assert!(message.contains(message_part), "{message}");
        let sent = scripted.sent().len();
        assert!(requests.contains(&sent), "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn access_denied_names_the_tenant_and_the_role() {
    let scripted = ScriptedCloudFront::with_sts(|_| DENIED);
    let mut tenant = with_role("dt_1EXAMPLE", "secret");
    let role = tenant.role.as_mut().unwrap();
    role.arn = ROLE.replace("arn:aws:", "arn:aws-cn:");
    let submission = HandPlan::direct().request_to(tenant, ["/a"]).submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["refused:AccessDenied"]);
    let expected = "allow `cloudfront:CreateInvalidationForDistributionTenant` on `arn:aws-cn:cloudfront::444455556666:distribution-tenant/dt_1EXAMPLE` to `arn:aws-cn:iam::444455556666:role/invalidator`";
    assert!(message(&submission).contains(expected), "{}", message(&submission));
}

#[tokio::test(start_paused = true)]
async fn a_refused_item_is_isolated() {
    for bad in [0, 1, 499, 500, 998, 999] {
        let scripted = ScriptedCloudFront::refusing("bad");
        let submission = plan(1_000, &[bad]).submit(&scripted.client()).await;
        for (at, word) in words(&submission).iter().enumerate() {
            assert_eq!(word, if at == bad { "refused:InvalidArgument" } else { "accepted" });
        }
        // The whole, and one or both halves of ten levels.
        assert!(scripted.sent().len() <= 21, "{}", scripted.sent().len());
        // No item is accepted, and billed, twice.
        let mut accepted = scripted.sent();
        accepted.retain(|sent| !sent.items.iter().any(|item| item.ends_with("bad")));
        let accepted: Vec<&String> = accepted.iter().flat_map(|sent| &sent.items).collect();
        assert_eq!(accepted.len(), 999);
        assert_eq!(accepted.iter().collect::<BTreeSet<_>>().len(), 999);
    }
}

#[tokio::test(start_paused = true)]
async fn halves_have_their_own_references_in_every_process() {
    let references = async || {
        let scripted = ScriptedCloudFront::refusing("bad");
        plan(8, &[3]).submit(&scripted.client()).await;
        scripted.references()
    };
    let first = references().await;
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), first.len());
    assert_eq!(references().await, first);
}

#[tokio::test(start_paused = true)]
async fn isolating_has_a_limit() {
    let bad: Vec<usize> = (0..1_000).step_by(50).collect();
    let scripted = ScriptedCloudFront::refusing("bad");
    let submission = plan(1_000, &bad).submit(&scripted.client()).await;
    assert_eq!(scripted.sent().len(), 1 + 64);
    let words = words(&submission);
    let isolated = count(&words, "refused:InvalidArgument");
    assert!(isolated >= 6, "{isolated}");
    let accepted = count(&words, "accepted");
    assert_eq!(accepted + isolated + count(&words, "retry:RequestLimit"), 1_000);
    let limited = submitted_items(&submission).filter_map(|item| item.outcome.failure());
    let limited = limited.filter(|failure| failure.code == "RequestLimit");
    assert!(limited.last().unwrap().message.contains("after 64 requests"));
}

#[tokio::test(start_paused = true)]
async fn isolating_has_a_limit_while_others_wait_for_a_quota() {
    let scripted = ScriptedCloudFront::new(|sent| match &sent.items[0] {
        item if item.ends_with('*') => TOO_MANY,
        _ if sent.items.iter().any(|item| item.ends_with("bad")) => BAD_PATH,
        _ => Answer::Created,
    });
    let bad: Vec<usize> = (0..1_000).step_by(50).collect();
    let submission =
        plan(1_000, &bad).request("E1EXAMPLE", ["/d/*"]).submit(&scripted.client()).await;
    let sent = scripted.sent();
    let paths = sent.iter().filter(|sent| !sent.items[0].ends_with('*')).count();
    assert_eq!((paths, sent.len() - paths), (1 + 64, 7));
    let words = words(&submission);
    assert!(count(&words, "retry:RequestLimit") > 0);
    assert_eq!(count(&words, "retry:TooManyInvalidationsInProgress"), 1);
}

/// Messages of a queue are redelivered until all but the refused ones are done.
/// The process that isolated an item sends it alone from then on.
#[tokio::test(start_paused = true)]
async fn the_messages_of_other_items_are_done_after_few_deliveries() {
    for (n, bad) in [(1_000, 1), (1_000, 10), (300, 30), (30, 3)] {
        for is_clustered in [false, true] {
            let step = if is_clustered { 1 } else { n / bad };
            let is_bad = |at: usize| at.is_multiple_of(step) && at / step < bad;
            let scripted = ScriptedCloudFront::refusing("bad");
            let cloudfront = scripted.client();
            let mut left: Vec<usize> = (0..n).collect();
            let mut deliveries = 0;
            while left.iter().any(|at| !is_bad(*at)) {
                let ids: Vec<String> = left.iter().map(usize::to_string).collect();
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                let name = |at: usize| format!("/{at:04}{}", if is_bad(at) { "-bad" } else { "" });
                let items = left.iter().map(|at| name(*at));
                let plan = HandPlan::queue(&ids).request_each("E1EXAMPLE", items);
                let submission = plan.submit(&cloudfront).await;
                let again = submission.needs_redelivery.iter();
                left = left
                    .iter()
                    .zip(again)
                    .filter(|(_, again)| **again)
                    .map(|(at, _)| *at)
                    .collect();
                deliveries += 1;
            }
            assert!(deliveries <= bad.div_ceil(8) + 2, "{bad} of {n}: {deliveries}");
            assert!(left.len() == bad, "{left:?}");
        }
    }
}

/// A redelivery goes on where the last one stopped, and bills nothing twice.
#[tokio::test(start_paused = true)]
async fn a_direct_payload_ends() {
    for bad in [2, 20] {
        let bad: Vec<usize> = (0..1_000).step_by(1_000 / bad).collect();
        let scripted = ScriptedCloudFront::refusing("bad");
        let cloudfront = scripted.client();
        let mut redeliveries = 0;
        let is_done = |word: &&String| word.ends_with("ed");
        while words(&plan(1_000, &bad).submit(&cloudfront).await).iter().filter(is_done).count()
            < 1_000 - bad.len()
        {
            redeliveries += 1;
        }
        assert!(redeliveries <= bad.len() / 5, "{redeliveries} for {}", bad.len());
        let mut accepted = scripted.sent();
        accepted.retain(|sent| !sent.items.iter().any(|item| item.ends_with("bad")));
        let billed: usize = accepted.iter().map(|sent| sent.items.len()).sum();
        assert_eq!(billed, 1_000 - bad.len());
    }
}

#[tokio::test(start_paused = true)]
async fn planned_requests_go_before_the_halves_of_a_refused_one() {
    let scripted = ScriptedCloudFront::refusing("bad");
    let plan =
        HandPlan::direct().request("E1EXAMPLE", ["/1", "/2-bad"]).request("E1EXAMPLE", ["/3"]);
    let submission = plan.submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["accepted", "refused:InvalidArgument", "accepted"]);
    assert_eq!(scripted.batches(), ["/1 /2-bad", "/3", "/1", "/2-bad"]);
}

#[tokio::test(start_paused = true)]
async fn a_used_reference_is_an_acceptance() {
    let scripted = ScriptedCloudFront::in_turn([USED_REFERENCE]);
    let submission = plan(2, &[]).submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["unnamed"; 2]);
    assert_eq!(scripted.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reference_of_other_items_is_salted_once() {
    let scripted = ScriptedCloudFront::in_turn([EXISTS]);
    let submission = plan(2, &[]).submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["accepted"; 2]);
    let [first, second] = &scripted.sent()[..] else { panic!("two requests") };
    assert_eq!(first.items, second.items);
    assert_ne!(first.reference, second.reference);
}

#[tokio::test(start_paused = true)]
async fn a_batch_too_large_is_bisected() {
    let scripted = ScriptedCloudFront::new(|sent| match sent.items.len() {
        0..=3 => Answer::Created,
        _ => TOO_LARGE,
    });
    let submission = plan(10, &[]).submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["accepted"; 10]);
    let sizes: Vec<_> = scripted.sent().iter().map(|sent| sent.items.len()).collect();
    assert_eq!(sizes, [10, 5, 2, 3, 2, 3]);
}

/// Too little to wait for a quota.
const LITTLE_TIME: Duration = Duration::from_secs(10);

/// The sizes of the requests, and the outcomes, if CloudFront accepts
/// `accepted` items and refuses all else.
async fn beyond_quota(
    refusal: Answer,
    accepted: usize,
    plan: HandPlan,
) -> (Vec<usize>, Vec<String>) {
    let mut left = accepted;
    let scripted = ScriptedCloudFront::new(move |sent| {
        if sent.items.len() > left {
            return refusal.clone();
        }
        left -= sent.items.len();
        Answer::Created
    });
    let words = words(&plan.submit_within(&scripted.client(), LITTLE_TIME).await);
    (scripted.sent().iter().map(|sent| sent.items.len()).collect(), words)
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_a_quota_are_halved() {
    let wildcards = || {
        let wildcards = (0..15).map(|n| format!("/{n:02}/*"));
        HandPlan::direct().request("E1EXAMPLE", wildcards).request("E1EXAMPLE", ["/a"])
    };
    let (sizes, words) = beyond_quota(TOO_MANY, 10, wildcards()).await;
    assert_eq!(sizes, [15, 7, 8, 4, 2, 2, 1, 1, 1]);
    assert_eq!(
        (count(&words, "accepted"), count(&words, "retry:TooManyInvalidationsInProgress")),
        (10, 6)
    );
    let (sizes, words) = beyond_quota(TOO_MANY, 0, wildcards()).await;
    assert_eq!(sizes, [15, 7, 3, 1, 1], "the path has a quota of its own");
    assert_eq!(count(&words, "retry:TooManyInvalidationsInProgress"), 16);
    let (sizes, words) = beyond_quota(TOO_MANY, 700, plan(1_000, &[])).await;
    assert_eq!(sizes, [1_000, 500, 500, 250, 125, 125, 62, 63]);
    assert_eq!(count(&words, "accepted"), 687);
    // Four attempts of a request that can be halved.
    let (sizes, _) = beyond_quota(THROTTLED, 0, plan(150, &[])).await;
    assert_eq!(sizes[..4], [150; 4]);
    assert!(sizes.len() > 4 && sizes[4..].iter().all(|size| *size == 75), "{sizes:?}");
}

/// Fifteen wildcards at once, each for a minute.
#[tokio::test(start_paused = true)]
async fn requests_beyond_a_quota_wait_while_others_are_sent() {
    let started = Instant::now();
    let (mut in_progress, mut minute) = (0, 0);
    let scripted = ScriptedCloudFront::new(move |sent| {
        if started.elapsed().as_secs() / 60 > minute {
            (in_progress, minute) = (0, started.elapsed().as_secs() / 60);
        }
        let wildcards = sent.items.iter().filter(|item| item.ends_with('*')).count();
        if in_progress + wildcards > 15 {
            return TOO_MANY;
        }
        in_progress += wildcards;
        Answer::Created
    });
    let mut plan = HandPlan::direct();
    for request in 0..2 {
        plan = plan.request("E1EXAMPLE", (0..15).map(|n| format!("/{request}/{n:02}/*")));
    }
    let plan = plan.request("E1EXAMPLE", ["/a"]);
    let submission = plan.submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["accepted"; 31]);
    assert!((60..70).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    // The whole second request, its halves down to a single wildcard, then the path.
    let sizes: Vec<_> = scripted.sent().iter().map(|sent| sent.items.len()).collect();
    assert_eq!(sizes[..6], [15, 15, 7, 3, 1, 1]);
    assert_eq!(scripted.sent()[5].items, ["/a"]);
}

/// The next invocation starts with twice the number that was accepted.
#[tokio::test(start_paused = true)]
async fn the_size_that_a_quota_allows_is_remembered() {
    let scripted =
        ScriptedCloudFront::new(
            |sent| {
                if sent.items.len() > 2 { TOO_MANY } else { Answer::Created }
            },
        );
    let cloudfront = scripted.client();
    let wildcards = |message: &str| {
        let wildcards = (0..8).map(|n| format!("/{n}/*"));
        HandPlan::queue(&[message]).request("E1EXAMPLE", wildcards)
    };
    for message in ["1", "2"] {
        wildcards(message).submit(&cloudfront).await;
    }
    let sizes: Vec<_> = scripted.sent().iter().map(|sent| sent.items.len()).collect();
    assert_eq!(sizes, [[8, 4, 2, 2, 2, 2].as_slice(), &[4, 2, 2, 2, 2]].concat());
}

/// CloudFront would return an accepted batch instead of throttling it four times.
#[tokio::test(start_paused = true)]
async fn a_throttled_request_is_halved_although_a_response_was_lost() {
    let mut calls = 0;
    let scripted = ScriptedCloudFront::new(move |sent| {
        calls += 1;
        match (calls, sent.items.len()) {
            (3, _) => Answer::Drop,
            (_, 150) => THROTTLED,
            _ => Answer::Created,
        }
    });
    let submission = plan(150, &[]).submit(&scripted.client()).await;
    let sizes: Vec<_> = scripted.sent().iter().map(|sent| sent.items.len()).collect();
    assert_eq!(sizes, [[150; 7].to_vec(), [75; 2].to_vec()].concat());
    assert_eq!(words(&submission), ["accepted"; 150]);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_ends_a_distribution_spares_the_others() {
    for answer in [NO_SUCH, DENIED] {
        let scripted = ScriptedCloudFront::to("E1EXAMPLE", answer);
        let plan = HandPlan::direct()
            .request("E1EXAMPLE", ["/1"])
            .request("E1EXAMPLE", ["/2"])
            .request("E2EXAMPLE", ["/1"])
            .request("E2EXAMPLE", ["/2"]);
        let words = words(&plan.submit(&scripted.client()).await);
        assert!(words[..2].iter().all(|word| word.contains(':')), "{words:?}");
        assert_eq!(words[2..], ["accepted"; 2]);
        assert_eq!(scripted.sent().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_once() {
    let scripted = ScriptedCloudFront::with_sts(|_| Answer::Created);
    let cloudfront = scripted.client();
    for path in ["/a", "/b"] {
        let plan = HandPlan::direct().request_to(with_role("E1EXAMPLE", "secret"), [path]);
        assert_eq!(words(&plan.submit(&cloudfront).await), ["accepted"]);
    }
    let [sts, first, second] = &scripted.sent()[..] else { panic!("{:?}", scripted.sent()) };
    assert!(sts.uri.contains("sts.eu-central-1."), "{}", sts.uri);
    for part in [
        "Action=AssumeRole",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Finvalidator",
        "RoleSessionName=s3-cloudfront-invalidator",
        "ExternalId=secret",
    ] {
        assert!(sts.body.contains(part), "{}", sts.body);
    }
    for sent in [first, second] {
        assert!(sent.headers["authorization"].contains("Credential=AKIDROLE/"));
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_credentials_of_a_role_are_not_kept() {
    let mut assumptions = 0;
    let scripted = ScriptedCloudFront::new(move |sent| {
        if sent.is_to_sts() {
            assumptions += 1;
            return assumed(if assumptions == 1 { "AKIDOLD" } else { "AKIDNEW" });
        }
        if sent.headers["authorization"].contains("AKIDOLD") {
            return Answer::Error(403, "ExpiredToken", "expired");
        }
        Answer::Created
    });
    let cloudfront = scripted.client();
    let plan = HandPlan::direct().request_to(with_role("E1EXAMPLE", "secret"), ["/a"]);
    assert_eq!(words(&plan.submit(&cloudfront).await), ["retry:ExpiredToken"]);
    assert_eq!(words(&plan.submit(&cloudfront).await), ["accepted"]);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_fails_alone() {
    let scripted = ScriptedCloudFront::new(|sent| {
        if sent.is_to_sts() {
            return Answer::Error(
                403,
                "AccessDenied",
                "User is not authorized to perform: sts:AssumeRole",
            );
        }
        Answer::Created
    });
    let plan = HandPlan::direct()
        .request_to(with_role("E1EXAMPLE", "secret"), ["/a"])
        .request("E2EXAMPLE", ["/a"]);
    let submission = plan.submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["retry:RequestNotSent", "accepted"]);
    let message = message(&submission);
    assert!(message.contains("not authorized to perform: sts:AssumeRole"), "{message}");
    assert!(message.contains(&format!("allow `sts:AssumeRole` on `{ROLE}`")), "{message}");
    assert_eq!(submission.distributions[0].calls, 0);
}
