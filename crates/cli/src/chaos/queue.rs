//! An SQS queue: visibility timeout, redelivery, dead letters.

use std::{
    collections::{BTreeMap, HashSet},
    mem,
    time::Duration,
};

use serde_json::json;

use super::ChaosOptions;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message id, the same at every receive.
    pub id: String,
    pub body: String,
    /// When it is sent, from the start of the day.
    pub sent_at: Duration,
    /// How often it was received, including this receive.
    pub receives: u32,
}

impl Message {
    /// A message that was never received.
    pub fn new(id: impl Into<String>, body: impl Into<String>, sent_at: Duration) -> Self {
        Self { id: id.into(), body: body.into(), sent_at, receives: 0 }
    }
}

/// The payload with which Lambda invokes a function for a batch of messages.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
pub(super) fn sqs_event(messages: &[Message]) -> String {
    let records: Vec<_> = messages
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id,
                "receiptHandle": format!("{}#{}", message.id, message.receives),
                "body": message.body,
                "attributes": { "ApproximateReceiveCount": message.receives.to_string() },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:chaos",
                "awsRegion": "us-east-1",
            })
        })
        .collect();
    json!({ "Records": records }).to_string()
}

/// Messages by the time at which they become visible.
#[derive(Debug)]
pub(super) struct Queue<'a> {
    options: &'a ChaosOptions,
    messages: BTreeMap<Duration, Vec<Message>>,
    dead_letters: Vec<Message>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(messages: &[Message], options: &'a ChaosOptions) -> Self {
        let mut queue = Self { options, messages: BTreeMap::new(), dead_letters: Vec::new() };
        for message in messages {
            queue.messages.entry(message.sent_at).or_default().push(message.clone());
        }
        queue
    }

    pub(super) fn next_visible(&self) -> Option<Duration> {
        self.messages.first_key_value().map(|(at, _)| *at)
    }

    /// Returns random visible messages and hides them for the visibility
    /// timeout. As in SQS, a message becomes a dead letter when it is due to be
    /// received once more than allowed.
    pub(super) fn receive(&mut self, now: Duration, rng: &mut fastrand::Rng) -> Vec<Message> {
        let hidden = self.messages.split_off(&(now + Duration::from_nanos(1)));
        let visible = mem::replace(&mut self.messages, hidden).into_values().flatten();
        let (mut batch, dead): (Vec<_>, Vec<_>) =
            visible.partition(|message| message.receives < self.options.max_receives);
        self.dead_letters.extend(dead);
        rng.shuffle(&mut batch);
        let rest = batch.split_off(batch.len().min(self.options.batch));
        for message in &mut batch {
            message.receives += 1;
        }
        for (at, messages) in [(now, rest), (now + self.options.visibility, batch.clone())] {
            if !messages.is_empty() {
                self.messages.entry(at).or_default().extend(messages);
            }
        }
        batch
    }

    /// Deletes the messages of a batch, except the failed ones.
    pub(super) fn delete(&mut self, batch: &[Message], failed: &HashSet<String>) {
        let done: HashSet<&str> =
            batch.iter().map(|message| &*message.id).filter(|id| !failed.contains(*id)).collect();
        self.messages.retain(|_, messages| {
            messages.retain(|message| !done.contains(&*message.id));
            !messages.is_empty()
        });
    }

    pub(super) fn into_dead_letters(self) -> Vec<Message> {
        self.dead_letters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_messages_are_redelivered_until_they_are_dead_letters() {
        let options = ChaosOptions { batch: 2, max_receives: 3, ..ChaosOptions::default() };
        let message = |n: u64| Message::new(format!("m{n}"), "", Duration::from_secs(n));
        let mut queue = Queue::new(&[message(0), message(1), message(2), message(30)], &options);
        let mut rng = fastrand::Rng::with_seed(1);
        let mut receives: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        while let Some(at) = queue.next_visible() {
            let at = at.max(Duration::from_secs(10));
            let batch = queue.receive(at, &mut rng);
            assert!(batch.len() <= 2);
            for message in &batch {
                receives.entry(message.id.clone()).or_default().push(at.as_secs());
            }
            let failed = |message: &&Message| {
                message.id == "m2" || message.id == "m1" && message.receives == 1
            };
            let failed = batch.iter().filter(failed).map(|message| message.id.clone()).collect();
            queue.delete(&batch, &failed);
        }
        let received = |id: &str| &receives[id][..];
        assert_eq!(received("m0"), [10]);
        assert_eq!(received("m1"), [10, 190]);
        assert_eq!(received("m2"), [10, 190, 370]);
        assert_eq!(received("m30"), [30]);
        let dead: Vec<String> = queue.into_dead_letters().into_iter().map(|m| m.id).collect();
        assert_eq!(dead, ["m2"]);
    }
}
