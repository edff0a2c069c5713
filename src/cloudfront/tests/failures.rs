//! A test for each row of docs/failures.md.

use std::collections::BTreeSet;

use super::*;

const NO_SUCH: Answer =
    Answer::Error(404, "NoSuchDistribution", "The specified distribution does not exist.");
const DENIED: Answer = Answer::Error(403, "AccessDenied", "Access denied.");

/// Refuses every batch with an item that holds `bad`.
fn refusing(bad: &'static str) -> Server {
    Server::new(move |sent| {
        if sent.items.iter().any(|item| item.contains(bad)) { BAD_PATH } else { Answer::Created }
    })
}

fn many(n: usize, bad: &[usize]) -> Vec<String> {
    let name = |i| if bad.contains(&i) { format!("/{i:04}-bad") } else { format!("/{i:04}") };
    (0..n).map(name).collect()
}

fn site(items: &[String]) -> Site {
    Site::direct("E1EXAMPLE", &items.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test(start_paused = true)]
async fn what_one_error_leads_to() {
    let expired = "The security token included in the request is expired";
    for (answer, requests, outcome, says) in [
        (TOO_MANY, 1, "retry:TooManyInvalidationsInProgress", "in some minutes"),
        (THROTTLED, 10, "retry:Throttling", "whole account"),
        (
            Answer::Error(503, "ServiceUnavailable", "busy"),
            10,
            "retry:ServiceUnavailable",
            "not billed twice",
        ),
        (Answer::Raw(502, "<html>".to_owned()), 10, "retry:Http502", "not billed twice"),
        (Answer::Drop, 10, "retry:ConnectionFailed", "connection reset by peer"),
        (Answer::Hang, 10, "retry:RequestTimeout", "not billed twice"),
        (BAD_PATH, 1, "refused:InvalidArgument", "does not take `/a`"),
        (USED_REFERENCE, 1, "", ""),
        (NO_SUCH, 1, "refused:NoSuchDistribution", "correct the distribution"),
        (Answer::Error(404, "EntityNotFound", "no"), 1, "refused:EntityNotFound", "rules.yaml"),
        (
            DENIED,
            1,
            "refused:AccessDenied",
            "allow `cloudfront:CreateInvalidation` on `arn:aws:cloudfront::*:distribution/E1EXAMPLE` to the function's role",
        ),
        (
            Answer::Error(403, "ExpiredToken", expired),
            1,
            "retry:ExpiredToken",
            "credentials of the function's role",
        ),
        (Answer::Error(413, "BatchTooLarge", "too large"), 1, "retry:BatchTooLarge", "too large"),
        (
            Answer::Error(400, "InvalidationBatchAlreadyExists", "exists"),
            2,
            "retry:InvalidationBatchAlreadyExists",
            "exists",
        ),
        (Answer::Error(400, "MalformedXML", "what"), 1, "retry:MalformedXML", "what"),
        (Answer::Raw(418, String::new()), 1, "retry:Http418", "`E1EXAMPLE` (target www)"),
    ] {
        let scripted = answer.clone();
        let server = Server::new(move |_| scripted.clone());
        let submission = Site::direct("E1EXAMPLE", &["/a"]).submit(&server.cloudfront()).await;
        assert_eq!(words(&submission), [outcome], "{answer:?}");
        assert_eq!(server.sent().len(), requests, "{answer:?}");
        if !says.is_empty() {
            let message = message(&submission);
            assert!(message.contains(says), "{message:?} does not say {says:?}");
            assert!(message.contains("E1EXAMPLE"), "{message:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn access_denied_names_the_tenant_and_the_role() {
    let server =
        Server::new(|sent| if sent.uri.contains("sts") { assumed("AKIDROLE") } else { DENIED });
    let arn = "arn:aws-cn:iam::444455556666:role/invalidator";
    let site =
        Site::default().delivery(None).request_as(with_role("dt_1EXAMPLE", arn), &[("/a", &[0])]);
    let submission = site.submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["refused:AccessDenied"]);
    let expected = "allow `cloudfront:CreateInvalidationForDistributionTenant` on `arn:aws-cn:cloudfront::444455556666:distribution-tenant/dt_1EXAMPLE` to `arn:aws-cn:iam::444455556666:role/invalidator`";
    assert!(message(&submission).contains(expected), "{}", message(&submission));
}

#[tokio::test(start_paused = true)]
async fn a_refused_item_is_isolated() {
    for bad in [0, 1, 499, 500, 998, 999] {
        let server = refusing("bad");
        let items = many(1_000, &[bad]);
        let submission = site(&items).submit(&server.cloudfront()).await;
        for (item, word) in items.iter().zip(words(&submission)) {
            let expected =
                if item.ends_with("bad") { "refused:InvalidArgument" } else { "I1EXAMPLE" };
            assert_eq!(word, expected, "{item}");
        }
        // Both halves of ten levels, and the whole.
        assert!(server.sent().len() <= 21, "{}", server.sent().len());
        // No item is accepted, and billed, twice.
        let sent = server.sent();
        let accepted = sent.iter().filter(|s| !s.items.iter().any(|i| i.ends_with("bad")));
        let accepted: Vec<&String> = accepted.flat_map(|s| &s.items).collect();
        assert_eq!(accepted.len(), 999);
        assert_eq!(accepted.iter().collect::<BTreeSet<_>>().len(), 999);
    }
}

#[tokio::test(start_paused = true)]
async fn parts_have_references_of_their_own() {
    let server = refusing("bad");
    site(&many(8, &[3])).submit(&server.cloudfront()).await;
    let references: BTreeSet<_> = server.sent().into_iter().map(|s| s.reference).collect();
    assert_eq!(references.len(), server.sent().len());

    // And the same ones when the same batch comes again, in another process.
    let again = refusing("bad");
    site(&many(8, &[3])).submit(&again.cloudfront()).await;
    assert_eq!(again.sent().into_iter().map(|s| s.reference).collect::<BTreeSet<_>>(), references);
}

#[tokio::test(start_paused = true)]
async fn taking_apart_has_a_limit() {
    let bad: Vec<usize> = (0..1_000).step_by(100).collect();
    let server = refusing("bad");
    let submission = site(&many(1_000, &bad)).submit(&server.cloudfront()).await;
    assert_eq!(server.sent().len(), 32);
    let words = words(&submission);
    let count = |word| words.iter().filter(|w| *w == word).count();
    assert_eq!(count("I1EXAMPLE") + count("retry:RequestLimit"), 1_000);
    // The largest parts go first, so that most neighbours are through.
    assert!(count("I1EXAMPLE") >= 300, "{}", count("I1EXAMPLE"));
    assert!(message(&submission).contains("after 32 requests"), "{}", message(&submission));
}

#[tokio::test(start_paused = true)]
async fn other_requests_go_before_the_parts_of_a_refused_one() {
    let server = refusing("bad");
    let site = Site::default()
        .delivery(None)
        .request("E1EXAMPLE", &[("/1", &[0]), ("/2-bad", &[0])])
        .request("E1EXAMPLE", &[("/3", &[0])]);
    let submission = site.submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["I1EXAMPLE", "refused:InvalidArgument", "I1EXAMPLE"]);
    assert_eq!(server.batches(), ["/1 /2-bad", "/3", "/1", "/2-bad"]);
}

/// A queue's message that asks for items.
fn queued(message: &str, distribution: &str, items: &[String]) -> Site {
    let items: Vec<_> = items.iter().map(|item| (item.as_str(), &[0][..])).collect();
    Site::default().delivery(Some(message)).request(distribution, &items)
}

#[tokio::test(start_paused = true)]
async fn a_refused_item_is_kept_apart() {
    let server = refusing("bad");
    let cloudfront = server.cloudfront();
    queued("m1", "E1EXAMPLE", &many(4, &[1])).submit(&cloudfront).await;
    let first = server.sent().len();
    let submission = queued("m2", "E1EXAMPLE", &many(4, &[1])).submit(&cloudfront).await;
    assert_eq!(
        words(&submission),
        ["I1EXAMPLE", "refused:InvalidArgument", "I1EXAMPLE", "I1EXAMPLE"]
    );
    assert_eq!(server.batches()[first..], ["/0000 /0002 /0003", "/0001-bad"]);
    // Of one distribution only.
    let other = queued("m3", "E2EXAMPLE", &many(2, &[1])).submit(&cloudfront).await;
    assert_eq!(words(&other), ["I1EXAMPLE", "refused:InvalidArgument"]);
    assert_eq!(server.batches()[first + 2], "/0000 /0001-bad");
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_taken_again_is_apart_no_more() {
    let server = Server::in_turn([BAD_PATH, Answer::Created, Answer::Created]);
    let cloudfront = server.cloudfront();
    for message in ["m1", "m2"] {
        queued(message, "E1EXAMPLE", &many(1, &[])).submit(&cloudfront).await;
    }
    queued("m3", "E1EXAMPLE", &many(2, &[])).submit(&cloudfront).await;
    assert_eq!(server.batches(), ["/0000", "/0000", "/0000 /0001"]);
}

/// Whatever the process has learned since: other batches would have other
/// references, and be billed again.
#[tokio::test(start_paused = true)]
async fn a_direct_payload_that_comes_again_is_cut_the_same_way() {
    let server = refusing("bad");
    let cloudfront = server.cloudfront();
    let references = |from: usize| -> Vec<String> {
        server.sent()[from..].iter().map(|sent| sent.reference.clone()).collect()
    };
    site(&many(4, &[1])).submit(&cloudfront).await;
    let first = references(0);
    site(&many(4, &[1])).submit(&cloudfront).await;
    assert_eq!(references(first.len()), first);
}

#[tokio::test(start_paused = true)]
async fn a_used_reference_was_accepted() {
    let server = Server::in_turn([USED_REFERENCE]);
    let submission = Site::direct("E1EXAMPLE", &["/a", "/b"]).submit(&server.cloudfront()).await;
    let outcomes = &submission.distributions[0].outcomes[0];
    for outcome in outcomes {
        let Outcome::Accepted(invalidation) = outcome else { panic!("{outcome:?}") };
        assert_eq!(**invalidation, Invalidation::unnamed());
    }
    assert_eq!(server.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_taken_reference_is_salted_once() {
    let exists = Answer::Error(400, "InvalidationBatchAlreadyExists", "exists");
    let server = Server::in_turn([exists]);
    let submission = Site::direct("E1EXAMPLE", &["/a", "/b"]).submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["I1EXAMPLE"; 2]);
    let [first, second] = &server.sent()[..] else { panic!("two requests") };
    assert_eq!(first.items, second.items);
    assert_ne!(first.reference, second.reference);
}

#[tokio::test(start_paused = true)]
async fn a_batch_too_large_is_split() {
    let server = Server::new(|sent| match sent.items.len() {
        0..=3 => Answer::Created,
        _ => Answer::Error(413, "BatchTooLarge", "too large"),
    });
    let submission = site(&many(10, &[])).submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["I1EXAMPLE"; 10]);
    let sizes: Vec<_> = server.sent().iter().map(|sent| sent.items.len()).collect();
    assert_eq!(sizes, [10, 5, 2, 3, 5, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn what_ends_a_distribution_ends_no_other() {
    for answer in [TOO_MANY, NO_SUCH, DENIED] {
        let scripted = answer.clone();
        let server =
            Server::new(
                move |sent| {
                    if sent.is_to("E1EXAMPLE") { scripted.clone() } else { Answer::Created }
                },
            );
        let site = Site::default()
            .delivery(None)
            .request("E1EXAMPLE", &[("/1", &[0])])
            .request("E1EXAMPLE", &[("/2", &[0])])
            .request("E2EXAMPLE", &[("/1", &[0])])
            .request("E2EXAMPLE", &[("/2", &[0])]);
        let submission = site.submit(&server.cloudfront()).await;
        let words = words(&submission);
        assert!(words[..2].iter().all(|word| word.contains(':')), "{words:?}");
        assert_eq!(words[2..], ["I1EXAMPLE"; 2]);
        assert_eq!(server.sent().len(), 3, "{answer:?}");
    }
}

/// STS's answer to AssumeRole.
pub(super) fn assumed(key: &str) -> Answer {
    Answer::Raw(
        200,
        format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::444455556666:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ),
    )
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_once_and_its_credentials_are_used() {
    let server =
        Server::new(
            |sent| {
                if sent.uri.contains("sts") { assumed("AKIDROLE") } else { Answer::Created }
            },
        );
    let cloudfront = server.cloudfront();
    let arn = "arn:aws:iam::444455556666:role/invalidator";
    for path in ["/a", "/b"] {
        let site =
            Site::default().delivery(None).request_as(with_role("E1EXAMPLE", arn), &[(path, &[0])]);
        assert_eq!(words(&site.submit(&cloudfront).await), ["I1EXAMPLE"]);
    }
    let [sts, first, second] = &server.sent()[..] else { panic!("{:?}", server.sent()) };
    assert!(sts.uri.contains("sts.eu-central-1."), "{}", sts.uri);
    for part in [
        "Action=AssumeRole",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Finvalidator",
        "RoleSessionName=s3-cloudfront-invalidator",
        "ExternalId=shared-word",
    ] {
        assert!(sts.body.contains(part), "{}", sts.body);
    }
    for sent in [first, second] {
        assert!(sent.headers["authorization"].contains("Credential=AKIDROLE/"));
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_not_taken_are_not_kept() {
    let mut assumptions = 0;
    let server = Server::new(move |sent| {
        if sent.uri.contains("sts") {
            assumptions += 1;
            return assumed(if assumptions == 1 { "AKIDOLD" } else { "AKIDNEW" });
        }
        if sent.headers["authorization"].contains("AKIDOLD") {
            return Answer::Error(403, "ExpiredToken", "expired");
        }
        Answer::Created
    });
    let cloudfront = server.cloudfront();
    let arn = "arn:aws:iam::444455556666:role/invalidator";
    let site =
        Site::default().delivery(None).request_as(with_role("E1EXAMPLE", arn), &[("/a", &[0])]);
    assert_eq!(words(&site.submit(&cloudfront).await), ["retry:ExpiredToken"]);
    assert_eq!(words(&site.submit(&cloudfront).await), ["I1EXAMPLE"]);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_be_assumed_fails_alone() {
    let server = Server::new(|sent| {
        if sent.uri.contains("sts") {
            let said = "User is not authorized to perform: sts:AssumeRole";
            let xml = format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{said}</Message></Error></ErrorResponse>"
            );
            return Answer::Raw(403, xml);
        }
        Answer::Created
    });
    let arn = "arn:aws:iam::444455556666:role/invalidator";
    let site = Site::default()
        .delivery(None)
        .request_as(with_role("E1EXAMPLE", arn), &[("/a", &[0])])
        .request("E2EXAMPLE", &[("/a", &[0])]);
    let submission = site.submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["retry:RequestNotSent", "I1EXAMPLE"]);
    let message = message(&submission);
    assert!(message.contains("not authorized to perform: sts:AssumeRole"), "{message}");
    assert!(message.contains(&format!("allow `sts:AssumeRole` on `{arn}`")), "{message}");
    assert_eq!(submission.distributions[0].calls, 0);
}
