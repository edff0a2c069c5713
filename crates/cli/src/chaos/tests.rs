use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};

use super::*;
use cloudfront_simulator::Recorded;
use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    item::{Item, address},
};

/// A process that fails the messages whose body says so.
#[derive(Clone, Default)]
struct Fake {
    seen: Rc<RefCell<Vec<Vec<Message>>>>,
}

impl Process for Fake {
    async fn invoke(&self, messages: &[Message], _: Instant) -> Result<Vec<String>, String> {
        self.seen.borrow_mut().push(messages.to_vec());
        tokio::task::yield_now().await;
        if messages.iter().any(|message| message.body == "error") {
            return Err("no".to_owned());
        }
        let failed = messages.iter().filter(|message| match &*message.body {
            "ok" => false,
            "twice" => message.receives < 2,
            "never" => true,
            other => panic!("{other}"),
        });
        Ok(failed.map(|message| message.id.clone()).collect())
    }
}

fn messages(bodies: &[&str]) -> Vec<Message> {
    let one = |(n, body): (usize, &&str)| Message::new(format!("m{n}"), *body, Duration::ZERO);
    bodies.iter().enumerate().map(one).collect()
}

#[tokio::test]
async fn messages_come_again_until_they_are_done_or_dead() {
    let fake = Fake::default();
    let (clock, options) =
        (Clock::manual(), Options { batch: 2, max_receives: 3, ..Options::default() });
    let bodies = ["ok", "twice", "never", "ok", "ok"];
    let report = run(messages(&bodies), &options, &clock, || fake.clone()).await;
    let received =
        |id: &str| fake.seen.borrow().iter().flatten().filter(|message| message.id == id).count();
    assert_eq!(["m0", "m1", "m2", "m3", "m4"].map(received), [1, 2, 3, 1, 1]);
    let dead: Vec<_> = report.dead_letters.iter().map(|message| &*message.id).collect();
    assert_eq!((dead, report.redeliveries, report.killed), (vec!["m2"], 3, 0));
    assert!(fake.seen.borrow().iter().all(|batch| batch.len() <= 2));
    assert!(clock.now() >= options.visibility * 3);
}

#[tokio::test]
async fn an_error_fails_the_whole_batch() {
    let fake = Fake::default();
    let options = Options { max_receives: 2, ..Options::default() };
    let report = run(messages(&["ok", "error"]), &options, &Clock::manual(), || fake.clone()).await;
    assert_eq!((report.errors, report.dead_letters.len()), (2, 2));
}

#[tokio::test]
async fn a_killed_process_is_replaced_and_its_messages_come_again() {
    let (fake, started) = (Fake::default(), Cell::new(0));
    let options = Options { batch: 1, kill: 1.0, ..Options::default() };
    let start = || {
        started.set(started.get() + 1);
        fake.clone()
    };
    let report = run(messages(&["ok"; 300]), &options, &Clock::manual(), start).await;
    // An invocation of two polls is killed with one chance in 16.
    assert!(report.killed > 0);
    assert_eq!(report.invocations, 300 + report.killed);
    assert_eq!(started.get(), 1 + report.killed);
    assert!(report.dead_letters.is_empty());
}

#[tokio::test]
async fn a_run_repeats() {
    let bodies = ["ok", "twice", "never", "ok"].repeat(50);
    let mut runs = BTreeSet::new();
    for seed in [1, 1, 2] {
        let fake = Fake::default();
        let options = Options { seed, batch: 7, kill: 0.1, ..Options::default() };
        run(messages(&bodies), &options, &Clock::manual(), || fake.clone()).await;
        runs.insert(format!("{:?}", fake.seen.borrow()));
    }
    assert_eq!(runs.len(), 2);
}

fn id(text: &str) -> DistributionId {
    DistributionId::distribution(text).unwrap()
}

fn item(text: &str) -> Item {
    match text.strip_prefix('#') {
        Some(tag) => Item::tag(tag).unwrap(),
        None => address(text, "/", "/", true).unwrap(),
    }
}

#[test]
fn what_counts_as_lost() {
    for (accepted, at, wanted, is_lost) in [
        ("/a", 10, "/a", false),
        ("/a", 9, "/a", true),
        ("/b", 10, "/a", true),
        ("/docs/*", 10, "/docs/x/a", false),
        ("/docs/*", 10, "/docs", true),
        ("/d*", 11, "/docs", false),
        ("/docs/a*", 11, "/docs/*", true),
        ("/docs/*", 11, "/docs/a*", false),
        ("/*", 11, "#a", true),
        ("#a", 11, "#a", false),
    ] {
        let recorded = Recorded {
            distribution: id("E1EXAMPLE"),
            id: "I1".to_owned(),
            caller_reference: "r".to_owned(),
            items: vec![accepted.to_owned()],
            accepted_at: Duration::from_secs(at),
            role: None,
        };
        let expected = |distribution| {
            let sent_at = Duration::from_secs(10);
            let message = "m1".to_owned();
            [Expected { message, sent_at, distribution: id(distribution), item: item(wanted) }]
        };
        let recorded = [recorded];
        let found = lost(&expected("E1EXAMPLE"), &recorded).len();
        assert_eq!(found, usize::from(is_lost), "{accepted} at {at}, {wanted}");
        assert_eq!(lost(&expected("E2EXAMPLE"), &recorded).len(), 1);
    }
}

#[test]
fn a_batch_is_what_lambda_sends() {
    let mut messages = messages(&["{\"a\": 1}"]);
    messages[0].receives = 2;
    let event: serde_json::Value = serde_json::from_str(&sqs_event(&messages)).unwrap();
    let record = &event["Records"][0];
    assert_eq!(record["messageId"], "m0");
    assert_eq!(record["body"], "{\"a\": 1}");
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "2");
}
