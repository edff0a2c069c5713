//! `{"drain": {}}`: the queue, the rules, the plan and CloudFront, on a paused
//! clock.

use std::time::Duration;

use aws_sdk_cloudfront::config::retry::RetryConfig;
use cloudfront_simulator::{Simulator, SimulatorOptions, SqsOptions, SqsQueue};
use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, CloudFrontOptions},
    handler::Function,
    queue::Queue,
    rules::RuleSet,
};
use serde_json::{Value, json};
use tokio::time::Instant;

const RULES: &str = "
version: 1
targets:
  www: { distribution: E1EXAMPLEWWW, index_documents: [index.html] }
rules:
  - { name: pages, bucket: site, invalidate: www }
";

fn function(queue: Option<&SqsQueue>, cloudfront: &Simulator) -> Function {
    function_with(RULES, queue, cloudfront)
}

fn function_with(rules: &str, queue: Option<&SqsQueue>, cloudfront: &Simulator) -> Function {
    let retry = RetryConfig::standard().with_max_attempts(10).with_initial_backoff(Duration::ZERO);
    let options = CloudFrontOptions { retry: Some(retry), ..CloudFrontOptions::default() };
    let cloudfront = CloudFront::new(&cloudfront.sdk_config(), options);
    let rules = RuleSet::parse("rules.yaml", rules.as_bytes()).unwrap();
    let queue = queue.map(|queue| Queue::new(&queue.sdk_config(), SqsQueue::URL));
    Function { queue, ..Function::new(rules, cloudfront) }
}

async fn drain(function: &Function, payload: &str) -> Result<Value, String> {
    let deadline = Instant::now() + Duration::from_secs(300);
    let report = function.handle(payload.as_bytes(), "request", deadline).await;
    let answer = report.and_then(|report| report.answer()).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(answer).unwrap())
}

fn created(key: &str) -> String {
    json!({
        "source": "aws.s3", "detail-type": "Object Created", "id": key,
        "detail": { "bucket": { "name": "site" }, "object": { "key": key } },
    })
    .to_string()
}

#[tokio::test(start_paused = true)]
async fn a_deploy_is_one_plan() {
    let (queue, cloudfront) =
        (SqsQueue::new(SqsOptions::default()), Simulator::new(SimulatorOptions::default()));
    let function = function(Some(&queue), &cloudfront);
    let sender = queue.clone();
    // 2,000 files of a section at 100 a second, its index page last.
    let deploy = tokio::spawn(async move {
        for number in 0..1_999 {
            sender.send(created(&format!("docs/{number}.html")));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        sender.send(created("docs/index.html"));
    });
    let answer = drain(&function, r#"{"drain": {"quiet_seconds": 2}}"#).await.unwrap();
    deploy.await.unwrap();
    let ids: Vec<String> = cloudfront.invalidations().into_iter().map(|i| i.id).collect();
    assert_eq!(
        answer,
        json!({
            "received": 2_000, "deleted": 2_000, "kept": 0,
            "changes": 2_000, "ignored": 0, "unmatched": 0, "not_served": 0, "skipped": 0,
            "unaddressable": 0,
            "invalidations": [
                { "distribution": "E1EXAMPLEWWW", "id": ids[0], "items": ["/docs/"] },
                { "distribution": "E1EXAMPLEWWW", "id": ids[1], "items": ["/docs/*"] },
            ],
        })
    );
    assert!(queue.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_drain_takes_what_fits_into_memory() {
    let (queue, cloudfront) =
        (SqsQueue::new(SqsOptions::default()), Simulator::new(SimulatorOptions::default()));
    let function = function(Some(&queue), &cloudfront);
    let directory = "x".repeat(900);
    for message in 0..300 {
        let events = (0..65).map(|event| created(&format!("{directory}/{message}/{event}")));
        queue.send(format!("[{}]", events.collect::<Vec<_>>().join(",")));
    }
    let first = drain(&function, r#"{"drain": {}}"#).await.unwrap();
    let received = first["received"].as_u64().unwrap();
    // A hundred messages, and the receives that were in flight.
    assert!((100..200).contains(&received), "{received}");
    assert_eq!(first["deleted"], first["received"]);
    while !queue.is_empty() {
        drain(&function, r#"{"drain": {}}"#).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn time_is_left_for_the_answer_when_sqs_is_slow() {
    let latency = Duration::from_secs(2);
    let queue = SqsQueue::new(SqsOptions { latency, ..SqsOptions::default() });
    let latency = Duration::from_millis(1_900);
    let cloudfront = Simulator::new(SimulatorOptions { latency, ..SimulatorOptions::default() });
    let function = function(Some(&queue), &cloudfront);
    for number in 0..100 {
        queue.send(created(&format!("{number}.html")));
    }
    // Received after six seconds, and accepted after eight.
    let deadline = Instant::now() + Duration::from_secs(10);
    let report = function.handle(br#"{"drain": {}}"#, "request", deadline).await.unwrap();
    assert_eq!(cloudfront.invalidations().len(), 1);
    assert_eq!(report.drained.unwrap().deleted, 0);
    let left = deadline - Instant::now();
    assert!(left > Duration::from_millis(500), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cloudfront_does_not_accept_stays_in_the_queue() {
    let queue = SqsQueue::new(SqsOptions { max_receives: 3, ..SqsOptions::default() });
    let cloudfront = Simulator::new(SimulatorOptions {
        poison: |item| item == "/bad.html",
        ..SimulatorOptions::default()
    });
    let function = function(Some(&queue), &cloudfront);
    for body in [&created("good.html"), &created("bad.html"), "no event"] {
        queue.send(body);
    }
    let answer = drain(&function, r#"{"drain": {}}"#).await.unwrap();
    assert_eq!(
        (&answer["received"], &answer["deleted"], &answer["kept"]),
        (&json!(3), &json!(1), &json!(2))
    );
    while !queue.is_empty() {
        drain(&function, r#"{"drain": {"quiet_seconds": 60}}"#).await.unwrap();
    }
    assert_eq!(queue.dead_letters().len(), 2);
    let items: Vec<_> = cloudfront.invalidations().into_iter().flat_map(|i| i.items).collect();
    assert_eq!(items, ["/good.html"]);
}

/// Where CloudFront has no tags, for example.
#[tokio::test(start_paused = true)]
async fn refused_tags_do_not_keep_back_the_paths() {
    let rules = "
version: 1
targets: { www: { distribution: E1EXAMPLEWWW, collapse: false } }
rules:
  - { name: posts, prefix: posts/, invalidate: { target: www, tags: ['{stem}'] } }
  - { name: pages, invalidate: www }
";
    let queue = SqsQueue::new(SqsOptions::default());
    let poison = |item: &str| item.starts_with('#');
    let cloudfront = Simulator::new(SimulatorOptions { poison, ..SimulatorOptions::default() });
    let function = function_with(rules, Some(&queue), &cloudfront);
    for number in 0..300 {
        queue.send(created(&format!("posts/{number}.html")));
        queue.send(created(&format!("pages/{number}.html")));
    }
    let answer = drain(&function, r#"{"drain": {}}"#).await.unwrap();
    assert_eq!((&answer["deleted"], &answer["kept"]), (&json!(300), &json!(300)));
}

#[tokio::test(start_paused = true)]
async fn killed_anywhere_nothing_is_lost() {
    for polls in 1..40 {
        let queue = SqsQueue::new(SqsOptions::default());
        let cloudfront = Simulator::new(SimulatorOptions::default());
        for number in 0..25 {
            queue.send(created(&format!("{number}.html")));
        }
        let killed = function(Some(&queue), &cloudfront);
        let deadline = Instant::now() + Duration::from_secs(300);
        let mut invocation = Box::pin(killed.handle(br#"{"drain": {}}"#, "request", deadline));
        let mut left = polls;
        std::future::poll_fn(|context| {
            left -= 1;
            let done = invocation.as_mut().poll(context).is_ready();
            if done || left == 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        drop(invocation);
        let function = function(Some(&queue), &cloudfront);
        while !queue.is_empty() {
            drain(&function, r#"{"drain": {"quiet_seconds": 120}}"#).await.unwrap();
        }
        let items: std::collections::BTreeSet<_> =
            cloudfront.invalidations().into_iter().flat_map(|i| i.items).collect();
        assert_eq!(items.len(), 25, "{polls}");
        assert!(queue.dead_letters().is_empty());
    }
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let cloudfront = Simulator::new(SimulatorOptions::default());
    let without = drain(&function(None, &cloudfront), r#"{"drain": {}}"#).await.unwrap_err();
    assert!(without.contains("QUEUE_URL is not set; set it to the URL"), "{without}");
    let unknown = drain(&function(None, &cloudfront), r#"{"drain": {"quiet": 1}}"#).await;
    let unknown = unknown.unwrap_err();
    assert!(unknown.contains("unknown field `quiet`, expected `quiet_seconds`"), "{unknown}");
}
