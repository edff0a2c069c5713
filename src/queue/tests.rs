use cloudfront_simulator::{SqsOptions, SqsQueue};
use tokio::time::Instant;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(300);

fn event(key: &str) -> String {
    serde_json::json!({
        "source": "aws.s3", "detail-type": "Object Created", "id": key,
        "detail": { "bucket": { "name": "site" }, "object": { "key": key } },
    })
    .to_string()
}

/// A queue with so many messages, and its client.
fn queue(messages: usize, options: SqsOptions) -> (SqsQueue, Queue) {
    let simulated = SqsQueue::new(options);
    for number in 0..messages {
        simulated.send(event(&format!("{number}.html")));
    }
    let queue = Queue::new(&simulated.sdk_config(), SqsQueue::URL);
    (simulated, queue)
}

async fn receive(queue: &Queue) -> ReceivedBatch {
    queue.receive(DrainRequest::default(), Instant::now() + TIMEOUT).await.unwrap()
}

async fn settle(queue: &Queue, batch: ReceivedBatch, again: impl Fn(usize) -> bool) -> DrainCounts {
    let again: Vec<bool> = (0..batch.deliveries.len()).map(again).collect();
    queue.settle(batch.receipts, &batch.deliveries, &again, Instant::now() + TIMEOUT).await
}

#[tokio::test(start_paused = true)]
async fn a_deploy_is_one_batch() {
    let (simulated, queue) = queue(1_000, SqsOptions::default());
    let sender = simulated.clone();
    let deploy = tokio::spawn(async move {
        for number in 0..1_000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            sender.send(event(&format!("late-{number}.html")));
        }
    });
    let batch = receive(&queue).await;
    deploy.await.unwrap();
    assert_eq!(batch.deliveries.len(), 2_000);
    assert!(batch.deliveries.iter().all(|delivery| delivery.changes.len() == 1));
    let counts = settle(&queue, batch, |_| false).await;
    assert_eq!(counts, DrainCounts { received: 2_000, deleted: 2_000, kept: 0 });
    assert!(simulated.is_empty());
    assert_eq!(simulated.calls("DeleteMessageBatch"), 200);
}

#[tokio::test(start_paused = true)]
async fn an_empty_queue_costs_one_receive() {
    let (simulated, queue) = queue(0, SqsOptions::default());
    let start = Instant::now();
    assert!(receive(&queue).await.deliveries.is_empty());
    assert_eq!((simulated.calls("ReceiveMessage"), start.elapsed().as_secs()), (1, 1));
    // Whoever sets a quiet time waits for it.
    let request = DrainRequest { quiet_seconds: Some(3), ..DrainRequest::default() };
    queue.receive(request, Instant::now() + TIMEOUT).await.unwrap();
    assert_eq!((simulated.calls("ReceiveMessage"), start.elapsed().as_secs()), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_is_redelivered_later_each_time_and_becomes_a_dead_letter() {
    let (simulated, queue) = queue(20, SqsOptions::default());
    let mut waits = Vec::new();
    while !simulated.is_empty() {
        let start = Instant::now();
        let mut batch = receive(&queue).await;
        while batch.deliveries.is_empty() && !simulated.is_empty() {
            batch = receive(&queue).await;
        }
        waits.push(start.elapsed().as_secs());
        let bad = |delivery: &Delivery| delivery.changes[0].key == "7.html";
        let again: Vec<bool> = batch.deliveries.iter().map(bad).collect();
        settle(&queue, batch, |place| again[place]).await;
    }
    assert_eq!(simulated.dead_letters().len(), 1);
    assert!(simulated.dead_letters()[0].body.contains("7.html"));
    // Each after the first: the wait, and about the quiet time of five seconds.
    assert_eq!(waits[1..6], [19, 34, 64, 124, 244], "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_message_is_soon_a_dead_letter() {
    let (simulated, queue) = queue(0, SqsOptions::default());
    simulated.send("no event");
    let start = Instant::now();
    while !simulated.is_empty() {
        let batch = receive(&queue).await;
        settle(&queue, batch, |_| true).await;
    }
    assert_eq!(simulated.dead_letters().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(300), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn no_message_is_visible_while_its_invocation_runs() {
    let (simulated, queue) = queue(30, SqsOptions::default());
    let start = Instant::now();
    let batch = receive(&queue).await;
    assert_eq!(batch.deliveries.len(), 30);
    // The process ends here; nothing is visible before the deadline.
    drop(batch);
    let other = Queue::new(&simulated.sdk_config(), SqsQueue::URL);
    while receive(&other).await.deliveries.is_empty() {}
    assert!(start.elapsed() >= TIMEOUT, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_ends_the_process_is_alone_at_last() {
    let (simulated, _) = queue(3_000, SqsOptions::default());
    let mut sizes = Vec::new();
    while !simulated.is_empty() {
        // A new process each time one was killed.
        let queue = Queue::new(&simulated.sdk_config(), SqsQueue::URL);
        loop {
            let batch = receive(&queue).await;
            let killer = |delivery: &Delivery| delivery.changes[0].key == "1234.html";
            if batch.deliveries.iter().any(killer) {
                sizes.push(batch.deliveries.len());
                break;
            }
            settle(&queue, batch, |_| false).await;
            if simulated.is_empty() {
                break;
            }
        }
    }
    assert_eq!(sizes[..4], [3_000, 3_000, 1_000, 100]);
    assert!(sizes[4..].iter().all(|size| *size <= 10) && sizes.last() == Some(&1), "{sizes:?}");
    let dead = simulated.dead_letters();
    assert!(dead.len() == 1 && dead[0].body.contains("1234.html"), "{}", dead.len());
}

/// A process does not know what another one released.
#[tokio::test(start_paused = true)]
async fn released_messages_do_not_look_as_if_they_ended_processes() {
    let (simulated, queue) = queue(2_000, SqsOptions::default());
    let queues = [queue, Queue::new(&simulated.sdk_config(), SqsQueue::URL)];
    let mut sizes = Vec::new();
    for receives in 0..9 {
        let batch = loop {
            let batch = receive(&queues[receives % 2]).await;
            if !batch.deliveries.is_empty() {
                break batch;
            }
        };
        sizes.push(batch.deliveries.len());
        settle(&queues[receives % 2], batch, |_| true).await;
    }
    assert_eq!(sizes, [2_000; 9]);
    assert!(simulated.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn throttling_by_sqs_loses_nothing() {
    let options = SqsOptions { throttle: 0.2, duplicate: 0.05, ..SqsOptions::default() };
    let (simulated, queue) = queue(2_000, options);
    let mut keys = std::collections::BTreeSet::new();
    while !simulated.is_empty() {
        let batch = receive(&queue).await;
        keys.extend(batch.deliveries.iter().map(|delivery| delivery.changes[0].key.clone()));
        settle(&queue, batch, |_| false).await;
    }
    assert_eq!((keys.len(), simulated.dead_letters().len()), (2_000, 0));
}

#[tokio::test(start_paused = true)]
async fn errors_say_what_to_do() {
    let simulated = SqsQueue::new(SqsOptions::default());
    let fifo = Queue::new(&simulated.sdk_config(), "https://sqs/1/changes.fifo");
    let fifo = fifo.receive(DrainRequest::default(), Instant::now()).await.unwrap_err();
    assert!(fifo.to_string().contains("FIFO queue; send the events to a standard queue"), "{fifo}");
    for (code, fix) in [
        ("AWS.SimpleQueueService.NonExistentQueue", "set QUEUE_URL"),
        ("QueueDoesNotExist", "set QUEUE_URL"),
        ("AccessDenied", "sqs:DeleteMessage"),
    ] {
        let simulated = SqsQueue::new(SqsOptions { refuse: Some(code), ..SqsOptions::default() });
        let queue = Queue::new(&simulated.sdk_config(), SqsQueue::URL);
        let deadline = Instant::now() + TIMEOUT;
        let error = queue.receive(DrainRequest::default(), deadline).await.unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(code) && error.contains(fix) && error.contains("changes"),
            "{error}"
        );
    }
}
