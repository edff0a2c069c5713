//! How many requests are sent at once, and in which order.

use tokio::time::Instant;

use super::scripted::{Answer, LATENCY, ScriptedCloudFront};
use crate::hand_plan::{HandPlan, with_role, words};

const DISTRIBUTIONS: [&str; 4] = ["E1EXAMPLE", "E2EXAMPLE", "E3EXAMPLE", "E4EXAMPLE"];

#[tokio::test(start_paused = true)]
async fn two_requests_at_once_in_an_account_and_one_in_a_distribution() {
    let scripted = ScriptedCloudFront::in_turn([]);
    let mut plan = HandPlan::direct();
    for id in DISTRIBUTIONS {
        for path in ["/1", "/2", "/3"] {
            plan = plan.request(id, [path]);
        }
    }
    let started = Instant::now();
    let submission = plan.submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["accepted"; 12]);
    assert_eq!(scripted.most_running(), 2);
    // Six responses in each of two lanes: neither lane was ever idle.
    assert_eq!(started.elapsed().as_millis(), LATENCY.as_millis() * 6);
    for id in DISTRIBUTIONS {
        let mut sent = scripted.sent();
        sent.retain(|sent| sent.is_to(id));
        let paths: Vec<_> = sent.iter().map(|sent| sent.items.concat()).collect();
        assert_eq!(paths, ["/1", "/2", "/3"]);
        assert!(sent.windows(2).all(|two| two[1].at - two[0].at >= LATENCY));
    }
}

#[tokio::test(start_paused = true)]
async fn each_account_has_its_own_permits() {
    let scripted = ScriptedCloudFront::with_sts(|_| Answer::Created);
    let mut plan = HandPlan::direct();
    for id in &DISTRIBUTIONS[..3] {
        for path in ["/1", "/2"] {
            plan = plan.request(id, [path]).request_to(with_role(id, "secret"), [path]);
        }
    }
    let submission = plan.submit(&scripted.client()).await;
    assert_eq!(words(&submission), ["accepted"; 12]);
    assert_eq!(scripted.most_running(), 4);
}

#[tokio::test(start_paused = true)]
async fn concurrent_invocations_share_the_permits() {
    let scripted = ScriptedCloudFront::in_turn([]);
    let cloudfront = scripted.client();
    let [one, two, three, _] = DISTRIBUTIONS.map(|id| HandPlan::direct().request(id, ["/a"]));
    let submissions =
        tokio::join!(one.submit(&cloudfront), two.submit(&cloudfront), three.submit(&cloudfront));
    assert_eq!(words(&submissions.2), ["accepted"]);
    assert_eq!(scripted.most_running(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_empty_plan_sends_nothing() {
    let scripted = ScriptedCloudFront::in_turn([]);
    let submission = HandPlan::direct().submit(&scripted.client()).await;
    assert!(submission.distributions.is_empty() && scripted.sent().is_empty());
}
