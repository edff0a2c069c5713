//! Submitting ends in time, whatever CloudFront does. (`submit_within` fails a
//! test that ends late.)

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_cloudfront_that_hangs_is_left() {
    for seconds in [1, 3, 30, 900] {
        let server = Server::new(|_| Answer::Hang);
        let mut site = Site::default().delivery(None);
        for id in ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE"] {
            site = site.request(id, &[("/1", &[0])]).request(id, &[("/2", &[0])]);
        }
        let submission = site.submit_within(&server.cloudfront(), seconds * SECOND).await;
        for word in words(&submission) {
            assert!(["retry:DeadlineExceeded", "retry:RequestTimeout"].contains(&&*word), "{word}");
        }
        assert!(!server.sent().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_and_what_was_not_is_told() {
    let server = Server::new(|sent| match &*sent.items[0] {
        "/1" => Answer::Created,
        _ => Answer::Hang,
    });
    let mut site = Site::default().delivery(None);
    for path in ["/1", "/2", "/3"] {
        site = site.request("E1EXAMPLE", &[(path, &[0])]);
    }
    let submission = site.submit_within(&server.cloudfront(), 5 * SECOND).await;
    assert_eq!(
        words(&submission),
        ["I1EXAMPLE", "retry:DeadlineExceeded", "retry:DeadlineExceeded"]
    );
    assert_eq!(server.sent().len(), 2);
    let outcomes = &submission.distributions[0].outcomes;
    let sent = outcomes[1][0].failure().unwrap();
    assert!(sent.message.contains("may have accepted it"), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_is_told() {
    // One answer, then back-off or silence until the end.
    let server = Server::in_turn([THROTTLED, Answer::Hang, Answer::Hang, Answer::Hang]);
    let site = Site::direct("E1EXAMPLE", &["/a"]);
    let submission = site.submit_within(&server.cloudfront(), 8 * SECOND).await;
    assert_eq!(words(&submission), ["retry:DeadlineExceeded"]);
    let message = message(&submission);
    assert!(message.contains("CloudFront last answered Throttling"), "{message}");
    assert!(message.contains("may have accepted it"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_at_every_try_was_not_accepted() {
    let server = Server::new(|_| THROTTLED);
    let site = Site::direct("E1EXAMPLE", &["/a"]);
    // The back-off outlasts the time, and no request is cut off: the first
    // answer takes nearly all of it.
    let submission = site.submit_within(&server.cloudfront(), LATENCY * 4 / 3 + LATENCY / 50).await;
    let message = message(&submission);
    let cut_off = server.sent().len() > 1;
    assert_eq!(message.contains("may have accepted it"), cut_off, "{message}");
}

#[tokio::test(start_paused = true)]
async fn no_time_sends_nothing() {
    let server = Server::in_turn([]);
    let site = Site::direct("E1EXAMPLE", &["/a"]);
    let submission = site.submit_within(&server.cloudfront(), Duration::ZERO).await;
    assert_eq!(words(&submission), ["retry:DeadlineExceeded"]);
    assert!(server.sent().is_empty());
    assert!(!message(&submission).contains("may have accepted"), "{}", message(&submission));
}

#[tokio::test(start_paused = true)]
async fn a_margin_is_kept_for_the_answer() {
    for (seconds, margin) in [(2, 0.5), (60, 1.0)] {
        let server = Server::new(|_| Answer::Hang);
        let retry = Some(RetryConfig::disabled());
        let cloudfront =
            CloudFront::new(&server.sdk_config(), Settings { retry, ..Settings::default() });
        let mut site = Site::default().delivery(None);
        for path in 0..20 {
            site = site.request("E1EXAMPLE", &[(&format!("/{path}"), &[0])]);
        }
        let deadline = Instant::now() + seconds * SECOND;
        site.submit_within(&cloudfront, seconds * SECOND).await;
        let left = deadline.saturating_duration_since(Instant::now()).as_secs_f64();
        assert!((margin - 0.01..margin + 0.01).contains(&left), "{left}");
    }
}

#[tokio::test(start_paused = true)]
async fn slow_turns_end_too() {
    // The third distribution never gets its turn.
    let server = Server::new(|_| Answer::Hang);
    let mut site = Site::default().delivery(None);
    for id in ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE"] {
        site = site.request(id, &[("/1", &[0])]);
    }
    let submission = site.submit_within(&server.cloudfront(), 8 * SECOND).await;
    assert_eq!(words(&submission), ["retry:DeadlineExceeded"; 3]);
    assert!(server.sent().iter().all(|sent| !sent.is_to("E3EXAMPLE")));
    assert_eq!(submission.distributions[2].calls, 0);
}
