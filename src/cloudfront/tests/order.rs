//! How many requests go at once, and in which order.

use super::*;

#[tokio::test(start_paused = true)]
async fn two_at_once_in_an_account_and_one_in_a_distribution() {
    let server = Server::in_turn([]);
    let mut site = Site::default().delivery(None);
    for id in ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE", "E4EXAMPLE"] {
        for path in ["/1", "/2", "/3"] {
            site = site.request(id, &[(path, &[0])]);
        }
    }
    let started = Instant::now();
    let submission = site.submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["I1EXAMPLE"; 12]);
    assert_eq!(server.most_running(), 2);
    // Two lanes of six answers: neither lane ever stood still.
    assert_eq!(started.elapsed().as_millis(), LATENCY.as_millis() * 6);
    for id in ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE", "E4EXAMPLE"] {
        let mut sent = server.sent();
        sent.retain(|sent| sent.is_to(id));
        let paths: Vec<_> = sent.iter().map(|sent| sent.items.concat()).collect();
        assert_eq!(paths, ["/1", "/2", "/3"]);
        assert!(sent.windows(2).all(|two| two[1].at - two[0].at >= LATENCY));
    }
}

#[tokio::test(start_paused = true)]
async fn one_at_once_in_a_distribution() {
    let server = Server::in_turn([]);
    let mut site = Site::default().delivery(None);
    for path in ["/1", "/2", "/3"] {
        site = site.request("E1EXAMPLE", &[(path, &[0])]);
    }
    site.submit(&server.cloudfront()).await;
    assert_eq!(server.most_running(), 1);
}

#[tokio::test(start_paused = true)]
async fn accounts_do_not_wait_for_each_other() {
    let server = Server::new(|sent| match sent.uri.contains("sts") {
        true => failures::assumed("AKIDROLE"),
        false => Answer::Created,
    });
    let mut site = Site::default().delivery(None);
    for id in ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE"] {
        let role = "arn:aws:iam::444455556666:role/invalidator";
        for path in ["/1", "/2"] {
            site =
                site.request(id, &[(path, &[0])]).request_as(with_role(id, role), &[(path, &[0])]);
        }
    }
    let submission = site.submit(&server.cloudfront()).await;
    assert_eq!(words(&submission), ["I1EXAMPLE"; 12]);
    assert_eq!(server.most_running(), 4);
}

#[tokio::test(start_paused = true)]
async fn two_invocations_share_the_turns() {
    let server = Server::in_turn([]);
    let cloudfront = server.cloudfront();
    let sites = ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE"].map(|id| Site::direct(id, &["/a"]));
    let [one, two, three] = &sites;
    let submissions =
        tokio::join!(one.submit(&cloudfront), two.submit(&cloudfront), three.submit(&cloudfront));
    assert_eq!(words(&submissions.2), ["I1EXAMPLE"]);
    assert_eq!(server.most_running(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_empty_plan_sends_nothing() {
    let server = Server::in_turn([]);
    let submission = Site::default().submit(&server.cloudfront()).await;
    assert!(submission.distributions.is_empty() && server.sent().is_empty());
}
