//! What leaves the process, byte for byte, and how often.

use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};

use super::*;

#[tokio::test(start_paused = true)]
async fn the_request_of_a_distribution() {
    let server = Server::in_turn([]);
    let site = Site::direct("E1EXAMPLE", &["/a%20b&c.html", "/docs/*", "#posts"]);
    let submission = site.submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["I1EXAMPLE"; 3]);

    let [sent] = &server.sent()[..] else { panic!("one request") };
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
            site.plan.distributions[0].requests[0].caller_reference
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_recorded_exchange() {
    let site = Site::direct("E1EXAMPLE", &["/a%20b.html"]);
    let reference = &site.plan.distributions[0].requests[0].caller_reference;
    let event = |status: u16, answer: String| {
        let body = format!(
            r#"<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>1</Quantity><Items><Path>/a%20b.html</Path></Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>"#
        );
        let mut request = HttpRequest::new(body.into());
        request.set_method("POST").unwrap();
        let url = "https://cloudfront.amazonaws.com/2020-05-31/distribution/E1EXAMPLE/invalidation";
        request.set_uri(url).unwrap();
        request.headers_mut().insert("content-type", "application/xml");
        let status = StatusCode::try_from(status).unwrap();
        ReplayEvent::new(request, HttpResponse::new(status, answer.into()))
    };
    let client = StaticReplayClient::new(vec![
        event(400, error("Throttling", "Rate exceeded")),
        event(503, error("ServiceUnavailable", "CloudFront encountered an internal error.")),
        event(201, created("I2J0I21PCUYOIK")),
    ]);
    let cloudfront =
        CloudFront::new(&sdk_config(SharedHttpClient::new(client.clone())), Settings::default());
    assert_eq!(words(&site.submit(&cloudfront).await), ["I2J0I21PCUYOIK"]);
    client.assert_requests_match(&[]);
}

#[tokio::test(start_paused = true)]
async fn the_request_of_a_tenant() {
    let server = Server::in_turn([]);
    let submission = Site::direct("dt_2EXAMPLE", &["/a"]).submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["I1EXAMPLE"]);
    assert_eq!(
        server.sent()[0].uri,
        "https://cloudfront.amazonaws.com/2020-05-31/distribution-tenant/dt_2EXAMPLE/invalidation"
    );
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_of_each_partition() {
    for (region, endpoint, signed_for) in [
        ("eu-central-1", "https://cloudfront.amazonaws.com/", "/us-east-1/"),
        ("cn-north-1", "https://cloudfront.cn-northwest-1.amazonaws.com.cn/", "/cn-northwest-1/"),
        ("us-gov-west-1", "https://cloudfront.amazonaws.com/", "/us-gov-west-1/"),
        ("eusc-de-east-1", "https://cloudfront.amazonaws.eu/", "/eusc-de-east-1/"),
    ] {
        let server = Server::in_turn([]);
        let config = server.sdk_config().into_builder().region(Region::new(region)).build();
        let cloudfront = CloudFront::new(&config, Settings::default());
        let submission = Site::direct("E1EXAMPLE", &["/a"]).submit(&cloudfront).await;
        assert_eq!(words(&submission), ["I1EXAMPLE"], "{region}");
        let sent = server.sent().remove(0);
        assert!(sent.uri.starts_with(endpoint), "{}", sent.uri);
        assert!(sent.headers["authorization"].contains(signed_for), "{:?}", sent.headers);
    }
}

#[tokio::test(start_paused = true)]
async fn no_region_is_no_failure() {
    let server = Server::in_turn([]);
    let config = server.sdk_config().into_builder().region(None).build();
    let cloudfront = CloudFront::new(&config, Settings::default());
    let submission = Site::direct("E1EXAMPLE", &["/a"]).submit(&cloudfront).await;
    assert_eq!(words(&submission), ["I1EXAMPLE"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_sdk_tries_again() {
    let unavailable = Answer::Raw(503, "<html>busy</html>".to_owned());
    let internal = Answer::Error(500, "InternalError", "We encountered an internal error.");
    let answers = [THROTTLED, unavailable, internal, Answer::Drop, Answer::Hang, THROTTLED];
    let server = Server::in_turn(answers.clone());
    let submission = Site::direct("E1EXAMPLE", &["/a"]).submit(&server.cloudfront()).await;

    assert_eq!(words(&submission), ["I1EXAMPLE"]);
    let sent = server.sent();
    assert_eq!(sent.len(), answers.len() + 1);
    // What may have been accepted is not paid twice: the reference is the same.
    assert!(sent.iter().all(|one| one.body == sent[0].body));
    let part = &submission.distributions[0];
    assert_eq!((part.calls, part.retries, part.throttles), (1, 6, 2));
    // One try hung until its own timeout, and the duration is counted.
    assert!(part.duration_ms >= 10_000, "{}", part.duration_ms);
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_after_ten_tries() {
    let server = Server::new(|_| THROTTLED);
    let submission = Site::direct("E1EXAMPLE", &["/a"]).submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["retry:Throttling"]);
    assert_eq!(server.sent().len(), 10);
    assert_eq!(submission.distributions[0].throttles, 10);
}

#[tokio::test(start_paused = true)]
async fn a_long_outage_does_not_use_up_the_retries() {
    // The SDK's own quota would be empty after a hundred tries.
    let server = Server::new(|_| THROTTLED);
    let cloudfront = server.cloudfront();
    for round in 1..=30 {
        Site::direct("E1EXAMPLE", &["/a"]).submit(&cloudfront).await;
        assert_eq!(server.sent().len(), 10 * round);
    }
}

#[tokio::test(start_paused = true)]
async fn an_acceptance_without_a_body_is_one() {
    let server = Server::in_turn([Answer::Raw(201, String::new())]);
    let submission = Site::direct("E1EXAMPLE", &["/a"]).submit(&server.cloudfront()).await;
    let [outcome] = &submission.distributions[0].outcomes[0][..] else { panic!("one item") };
    assert!(outcome.is_done(), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn fips_with_an_own_endpoint_is_the_sdks_error() {
    let server = Server::in_turn([]);
    let config = server.sdk_config().into_builder();
    let config = config.endpoint_url("http://127.0.0.1:9").use_fips(true).build();
    let cloudfront = CloudFront::new(&config, Settings::default());
    let submission = Site::direct("E1EXAMPLE", &["/a"]).submit(&cloudfront).await;
    assert_eq!(words(&submission), ["retry:RequestNotSent"]);
    assert!(message(&submission).contains("FIPS"), "{}", message(&submission));
    assert!(server.sent().is_empty());
}
