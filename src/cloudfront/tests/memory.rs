//! What a warm process does not pay twice.

use super::{
    super::memory::{Accepted, Apart},
    *,
};

/// Answers `TooManyInvalidationsInProgress` for one distribution.
fn blocking(id: &'static str) -> Server {
    Server::new(move |sent| if sent.is_to(id) { TOO_MANY } else { Answer::Created })
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_again_is_not_paid_twice() {
    let server = blocking("E2EXAMPLE");
    let cloudfront = server.cloudfront();
    let site = Site::default()
        .delivery(Some("m1"))
        .request("E1EXAMPLE", &[("/a", &[0])])
        .request("E2EXAMPLE", &[("/a", &[0])]);
    let too_many = "retry:TooManyInvalidationsInProgress";
    assert_eq!(words(&site.submit(&cloudfront).await), ["I1EXAMPLE", too_many]);
    assert_eq!(words(&site.submit(&cloudfront).await), ["remembered", too_many]);
    assert_eq!(words(&site.submit(&cloudfront).await), ["remembered", too_many]);
    assert_eq!(server.sent().iter().filter(|sent| sent.is_to("E1EXAMPLE")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_message_is_always_sent() {
    let server = blocking("E2EXAMPLE");
    let cloudfront = server.cloudfront();
    let first = Site::default()
        .delivery(Some("m1"))
        .request("E1EXAMPLE", &[("/a", &[0]), ("/b", &[0])])
        .request("E2EXAMPLE", &[("/a", &[0])]);
    first.submit(&cloudfront).await;
    // m2 changed /a after m1's invalidation.
    let second = Site::default()
        .delivery(Some("m1"))
        .delivery(Some("m2"))
        .request("E1EXAMPLE", &[("/a", &[0, 1]), ("/b", &[0])]);
    let submission = second.submit(&cloudfront).await;
    assert_eq!(words(&submission), ["I1EXAMPLE", "remembered"]);
    let sent = server.sent();
    assert_eq!(sent.last().unwrap().items, ["/a"]);
    // A part of a request is another request.
    let planned = &second.plan.distributions[0].requests[0].caller_reference;
    assert_ne!(sent.last().unwrap().reference, *planned);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_done_is_forgotten() {
    let server = Server::in_turn([]);
    let cloudfront = server.cloudfront();
    let site = Site::default().delivery(Some("m1")).request("E1EXAMPLE", &[("/a", &[0])]);
    site.submit(&cloudfront).await;
    assert_eq!(lock(&cloudfront.accepted).messages(), 0);
    // A queue may deliver twice what was done; CloudFront knows the reference.
    assert_eq!(words(&site.submit(&cloudfront).await), ["I1EXAMPLE"]);
    assert_eq!(server.sent()[0].reference, server.sent()[1].reference);
}

#[tokio::test(start_paused = true)]
async fn which_messages_come_again() {
    for (unreadable, groups, kept) in [
        ([false, false], [None, None], 0),
        ([true, false], [None, None], 1),
        ([true, false], [Some("g"), Some("g")], 2),
        ([true, false], [Some("g"), Some("h")], 1),
    ] {
        let server = Server::in_turn([]);
        let cloudfront = server.cloudfront();
        let mut site = Site::default()
            .delivery(Some("m1"))
            .delivery(Some("m2"))
            .request("E1EXAMPLE", &[("/a", &[0]), ("/b", &[1])]);
        for ((delivery, bad), group) in site.deliveries.iter_mut().zip(unreadable).zip(groups) {
            delivery.group = group.map(str::to_owned);
            if bad {
                delivery.unreadable.push(crate::event::Unreadable::new("no JSON"));
            }
        }
        site.submit(&cloudfront).await;
        assert_eq!(lock(&cloudfront.accepted).messages(), kept, "{unreadable:?} {groups:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_payload_relies_on_its_reference() {
    let server = blocking("E2EXAMPLE");
    let cloudfront = server.cloudfront();
    let site = Site::default()
        .delivery(None)
        .request("E1EXAMPLE", &[("/a", &[0])])
        .request("E2EXAMPLE", &[("/a", &[0])]);
    site.submit(&cloudfront).await;
    site.submit(&cloudfront).await;
    let mut sent = server.sent();
    sent.retain(|sent| sent.is_to("E1EXAMPLE"));
    let [first, second] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(first.body, second.body);
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_is_dropped_leaves_what_was_accepted() {
    let server = blocking("E2EXAMPLE");
    let cloudfront = server.cloudfront();
    let site = Site::default()
        .delivery(Some("m1"))
        .request("E1EXAMPLE", &[("/a", &[0])])
        .request("E1EXAMPLE", &[("/b", &[0])]);
    let half = tokio::time::timeout(LATENCY * 3 / 2, site.submit(&cloudfront)).await;
    assert!(half.is_err());
    assert_eq!(words(&site.submit(&cloudfront).await), ["remembered", "I1EXAMPLE"]);
}

fn invalidation(id: &str) -> Arc<Invalidation> {
    Arc::new(Invalidation { id: id.to_owned(), status: "InProgress".to_owned() })
}

#[test]
fn what_an_accepted_item_covers() {
    for (accepted, wanted, covered) in [
        ("/a", "/a", true),
        ("/a", "/b", false),
        ("/docs/*", "/docs/a.html", true),
        ("/docs/*", "/docs/x/*", true),
        ("/docs/*", "/docs/*", true),
        ("/docs/*", "/docs/", false),
        ("/docs/*", "/docs", false),
        ("/docs/x/*", "/docs/*", false),
        ("/d*", "/docs/a.html", true),
        ("/docs/a.html", "/docs/*", false),
        ("/*", "#posts", false),
        ("#Posts", "#posts", true),
        ("#posts", "#posts-2", false),
        ("#posts*", "#posts-2", false),
    ] {
        let mut memory = Accepted::default();
        let one = Arc::new(distribution("E1EXAMPLE"));
        memory.remember("m1", &one, &item(accepted), &invalidation("I1"));
        let recalled = memory.recall("m1", &one, &item(wanted));
        assert_eq!(recalled.is_some(), covered, "{accepted} {wanted}");
        assert!(memory.recall("m2", &one, &item(wanted)).is_none());
        assert!(memory.recall("m1", &Arc::new(distribution("E2EXAMPLE")), &item(wanted)).is_none());
    }
}

#[test]
fn memory_of_accepted_items_is_bounded() {
    let mut memory = Accepted::default();
    let one = Arc::new(distribution("E1EXAMPLE"));
    let path = item(&format!("/{}", "x".repeat(3_999)));
    for message in 0..10_000 {
        memory.remember(&format!("m{message}"), &one, &path, &invalidation("I1"));
    }
    // 16 MiB of paths of 4,000 bytes and their entries.
    assert_eq!(memory.messages(), (16 << 20) / 4_096);
    assert!(memory.recall("m9999", &one, &path).is_some());
    assert!(memory.recall("m0", &one, &path).is_none());
    for message in 0..10_000 {
        memory.forget(&format!("m{message}"));
    }
    assert_eq!(memory.messages(), 0);
}

#[test]
fn memory_of_refused_items_is_bounded() {
    let mut memory = Apart::default();
    let one = Arc::new(distribution("E1EXAMPLE"));
    for n in 0..1_001 {
        memory.insert(&one, &item(&format!("/{n}")));
    }
    assert!(!memory.contains(&one, &item("/0")));
    assert!(memory.contains(&one, &item("/1")));
    memory.remove(&one, &item("/1"));
    assert!(!memory.contains(&one, &item("/1")));
}
