use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use serde_json::json;

use super::Options;

/// One message of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id, the same at every reception.
    pub id: String,
    /// Its text.
    pub body: String,
    /// When it was sent, on the simulator's clock.
    pub sent_at: Duration,
    /// How often it was received, this time included.
    pub receives: u32,
}

impl Message {
    /// A message that was never received.
    pub fn new(id: impl Into<String>, body: impl Into<String>, sent_at: Duration) -> Self {
        Self { id: id.into(), body: body.into(), sent_at, receives: 0 }
    }
}

/// The payload that Lambda makes of a batch.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
pub fn sqs_event(messages: &[Message]) -> String {
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

/// The queue: messages by the time they can next be received.
#[derive(Debug)]
pub(super) struct Queue {
    batch: usize,
    visibility: Duration,
    max_receives: u32,
    waiting: BTreeMap<Duration, Vec<Message>>,
    dead: Vec<Message>,
}

impl Queue {
    pub(super) fn new(messages: Vec<Message>, options: &Options) -> Self {
        let mut waiting = BTreeMap::<_, Vec<_>>::new();
        for message in messages {
            waiting.entry(message.sent_at).or_default().push(message);
        }
        let Options { batch, visibility, max_receives, .. } = *options;
        Self { batch, visibility, max_receives, waiting, dead: Vec::new() }
    }

    /// When the next message can be received.
    pub(super) fn next_visible(&self) -> Option<Duration> {
        self.waiting.first_key_value().map(|(at, _)| *at)
    }

    /// Takes a batch, in no order, and hides it. As with SQS, a message that
    /// was received often enough dies when it would be received once more.
    pub(super) fn receive(&mut self, now: Duration, chance: &mut fastrand::Rng) -> Vec<Message> {
        let later = self.waiting.split_off(&(now + Duration::from_nanos(1)));
        let visible = std::mem::replace(&mut self.waiting, later).into_values().flatten();
        let (mut visible, dead): (Vec<_>, Vec<_>) =
            visible.partition(|message| message.receives < self.max_receives);
        self.dead.extend(dead);
        chance.shuffle(&mut visible);
        let rest = visible.split_off(visible.len().min(self.batch));
        if !rest.is_empty() {
            self.waiting.entry(now).or_default().extend(rest);
        }
        for message in &mut visible {
            message.receives += 1;
        }
        if !visible.is_empty() {
            let hidden = self.waiting.entry(now + self.visibility).or_default();
            hidden.extend(visible.iter().cloned());
        }
        visible
    }

    /// Deletes the messages of a batch that did not fail.
    pub(super) fn done(&mut self, batch: &[Message], failed: &[String]) {
        let failed: HashSet<&str> = failed.iter().map(String::as_str).collect();
        let done: HashSet<&str> =
            batch.iter().map(|m| m.id.as_str()).filter(|id| !failed.contains(id)).collect();
        self.waiting.retain(|_, messages| {
            messages.retain(|message| !done.contains(message.id.as_str()));
            !messages.is_empty()
        });
    }

    pub(super) fn into_dead_letters(self) -> Vec<Message> {
        self.dead
    }
}
