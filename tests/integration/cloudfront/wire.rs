//! The requests, byte for byte, and their retries.

use aws_config::Region;
use s3_cloudfront_invalidator::cloudfront::{CloudFront, CloudFrontOptions, Outcome};

use super::scripted::{Answer, ScriptedCloudFront, Sent, THROTTLED, client, created, retry_config};
use crate::hand_plan::{HandPlan, message, words};

fn unavailable() -> Answer {
    Answer::Raw(503, "<html>busy</html>".to_owned())
}

fn plan() -> HandPlan {
    HandPlan::direct().request("E1EXAMPLE", ["/a"])
}

#[tokio::test(start_paused = true)]
async fn the_request_of_a_distribution() {
    let scripted = ScriptedCloudFront::in_turn([]);
    let plan = HandPlan::direct().request("E1EXAMPLE", ["/a%20b&c.html", "/docs/*", "#posts"]);
    let submission = plan.submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["accepted"; 3]);

    let [sent] = &scripted.sent()[..] else { panic!("one request") };
    assert_eq!(sent.method, "POST");
    assert_eq!(
        sent.uri,
        "https://cloudfront.amazonaws.com/2020-05-31/distribution/E1EXAMPLE/invalidation"
    );
    assert_eq!(sent.headers["content-type"], "application/xml");
    let scope = "/us-east-1/cloudfront/aws4_request, ";
    assert!(sent.headers["authorization"].contains(scope), "{:?}", sent.headers);
    assert_eq!(
        sent.body,
        format!(
            r##"<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>3</Quantity><Items><Path>#posts</Path><Path>/a%20b&amp;c.html</Path><Path>/docs/*</Path></Items></Paths><CallerReference>{}</CallerReference></InvalidationBatch>"##,
            submission.distributions[0].requests[0].caller_reference
        )
    );
}

#[tokio::test(start_paused = true)]
async fn the_request_of_a_tenant() {
    let scripted = ScriptedCloudFront::in_turn([]);
    let plan = HandPlan::direct().request("dt_2EXAMPLE", ["/a"]);
    assert_eq!(words(&plan.submit(&scripted.client()).await), ["accepted"]);
    assert_eq!(
        scripted.sent()[0].uri,
        "https://cloudfront.amazonaws.com/2020-05-31/distribution-tenant/dt_2EXAMPLE/invalidation"
    );
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_of_each_partition() {
    for (region, endpoint, signed_for) in [
        (Some("eu-central-1"), "https://cloudfront.amazonaws.com/", "/us-east-1/"),
        (
            Some("cn-north-1"),
            "https://cloudfront.cn-northwest-1.amazonaws.com.cn/",
            "/cn-northwest-1/",
        ),
        (Some("us-gov-west-1"), "https://cloudfront.amazonaws.com/", "/us-gov-west-1/"),
        (Some("eusc-de-east-1"), "https://cloudfront.amazonaws.eu/", "/eusc-de-east-1/"),
        (None, "https://cloudfront.amazonaws.com/", "/us-east-1/"),
    ] {
        let scripted = ScriptedCloudFront::in_turn([]);
        let config = scripted.sdk_config().into_builder().region(region.map(Region::new)).build();
        assert_eq!(words(&plan().submit(&client(&config)).await), ["accepted"], "{region:?}");
        let sent = scripted.sent().remove(0);
        assert!(sent.uri.starts_with(endpoint), "{}", sent.uri);
        assert!(sent.headers["authorization"].contains(signed_for), "{:?}", sent.headers);
    }
}

#[tokio::test(start_paused = true)]
async fn retried_errors() {
    let internal = Answer::Error(500, "InternalError", "We encountered an internal error.");
    let answers = [THROTTLED, unavailable(), internal, Answer::Drop, Answer::Hang, THROTTLED];
    let scripted = ScriptedCloudFront::in_turn(answers.clone());
    let submission = plan().submit(&scripted.client()).await;

    assert_eq!(words(&submission), ["accepted"]);
    let sent = scripted.sent();
    assert_eq!(sent.len(), answers.len() + 1);
    // The reference is the same, so that no attempt is billed twice.
    let bytes = |one: &Sent| (one.method.clone(), one.uri.clone(), one.body.clone());
    assert!(sent.iter().all(|one| bytes(one) == bytes(&sent[0])));
    assert!(sent.iter().all(|one| one.headers["content-type"] == "application/xml"));
    let part = &submission.distributions[0];
    let outcome = &part.requests[0].items[0].outcome;
    let Outcome::Accepted(invalidation) = outcome else { panic!("{outcome:?}") };
    assert_eq!(invalidation.id, "I1EXAMPLE");
    assert_eq!((part.calls, part.retries, part.throttles), (1, 6, 2));
    // Six responses, one attempt timeout, and back-off of 1, 2, 4, 8, 16 and 20 s.
    assert_eq!(part.duration_ms, 600 + 10_000 + 51_000);
}

#[tokio::test(start_paused = true)]
async fn a_long_outage_does_not_use_up_the_retries() {
    // The SDK's own quota would be used up after a hundred retries.
    let scripted = ScriptedCloudFront::always(unavailable());
    let cloudfront = scripted.client();
    for round in 1..=30 {
        let submission = plan().submit(&cloudfront).await;
        assert_eq!(words(&submission), ["retry:Http503"]);
        assert_eq!(submission.distributions[0].retries, 9);
        assert_eq!(scripted.sent().len(), 10 * round);
    }
}

/// A proxy or a wrong endpoint may answer with a success of its own.
#[tokio::test(start_paused = true)]
async fn only_201_with_an_invalidation_id_is_an_acceptance() {
    for (status, body, problem) in [
        (201, String::new(), "no invalidation id"),
        (201, created(""), "no invalidation id"),
        (200, created("I1EXAMPLE"), "the HTTP status is 200 instead of 201"),
        (200, String::new(), "200"),
        (204, String::new(), "204"),
        (200, "<html></html>".to_owned(), ""),
        (201, "<html></html>".to_owned(), ""),
    ] {
        let scripted = ScriptedCloudFront::always(Answer::Raw(status, body.clone()));
        let submission = plan().submit(&scripted.client()).await;
        assert!(words(&submission)[0].starts_with("retry:"), "{status} {body}");
        let message = message(&submission);
        assert!(message.contains(problem) && message.contains("E1EXAMPLE"), "{message}");
        assert!(message.contains("CloudFront may have accepted it"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_the_sdk_refuses() {
    let scripted = ScriptedCloudFront::in_turn([]);
    let config = scripted.sdk_config().into_builder();
    let config = config.endpoint_url("http://127.0.0.1:9").use_fips(true).build();
    let submission = plan().submit(&client(&config)).await;
    assert_eq!(words(&submission), ["retry:RequestNotSent"]);
    assert!(message(&submission).contains("FIPS"), "{}", message(&submission));
    assert!(scripted.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn settings() {
    let scripted = ScriptedCloudFront::always(unavailable());
    let retry = Some(retry_config().with_max_attempts(4));
    for (settings, word, requests) in [
        (CloudFrontOptions { dry_run: true, ..CloudFrontOptions::default() }, "dry-run", 0),
        (CloudFrontOptions { retry, ..CloudFrontOptions::default() }, "retry:Http503", 4),
    ] {
        let cloudfront = CloudFront::new(&scripted.sdk_config(), settings);
        assert_eq!(words(&plan().submit(&cloudfront).await), [word]);
        assert_eq!(scripted.sent().len(), requests);
    }
}
