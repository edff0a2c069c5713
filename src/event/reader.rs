//! Takes a payload's wrappings off, one after another.

use std::mem;

use super::{
    Delivery, Payload, Source, Unreadable,
    collector::{Collector, Names},
    eventbridge,
    json::{Cursor, Malformed},
    notification,
    unreadable::Quoted,
    wire::{Object, Sns},
};

/// What was read: JSON, and then something we know.
type Read = Result<Result<(), Unreadable>, Malformed>;

/// How deep in wrappings a document is. A wrapping is taken off only when it is
/// deeper than those around it, so nesting has an end.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Depth {
    /// The payload, whose own list alone may hold SQS messages.
    Payload,
    /// The body of an SQS message, or an element of the payload's list.
    Message,
    /// The message of an SNS notification.
    Topic,
    /// The `Data` of a custom event bus.
    Bus,
}

/// Where an object stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// It is the document.
    Document,
    /// In an array, as a document of its own.
    Array,
    /// In `Records`, where it says what it is by `eventSource`.
    Records,
}

const MISPLACED: &str = "an SQS message that is not an element of the payload's own list";

/// Reads a whole payload.
pub(super) fn read(text: &str, request_id: &str) -> Result<Payload, Unreadable> {
    let mut direct = Collector::direct(request_id);
    let mut reader = Reader::default();
    reader.text(text, Depth::Payload, &mut direct)?;
    let mut deliveries = reader.messages;
    let source = if deliveries.is_empty() { Source::Direct } else { Source::Queue };
    if source == Source::Direct || !direct.is_empty() {
        deliveries.push(direct.finish());
    }
    Ok(Payload { source, deliveries })
}

/// Reads a message received from a queue.
pub(super) fn read_message(id: &str, body: Option<&str>) -> Delivery {
    let mut into = Collector::message(id, None);
    let read = match body {
        Some(body) => Reader::default().text(body, Depth::Message, &mut into),
        None => Err(Unreadable::new("an SQS message without a `body` that is text")),
    };
    into.check(read);
    into.finish()
}

#[derive(Default)]
struct Reader {
    messages: Vec<Delivery>,
    names: Names,
    /// The body of the message that is being read, or was read last.
    body: String,
}

impl Reader {
    /// Reads a text that is a document.
    fn text(
        &mut self,
        text: &str,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        let mut cursor = Cursor::new(text);
        let read = if cursor.is_array() {
            self.list(&mut cursor, Place::Array, depth, into).map(|_| Ok(()))
        } else {
            self.object(&mut cursor, Place::Document, depth, into)
        };
        match read.and_then(|read| cursor.end().map(|()| read)) {
            Ok(read) => read,
            Err(malformed) => Err(Unreadable::malformed(malformed, text)),
        }
    }

    /// Reads the elements of an array, each on its own; `false` if it is none.
    fn list(
        &mut self,
        cursor: &mut Cursor<'_>,
        place: Place,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<bool, Malformed> {
        let name = if place == Place::Records { "Records" } else { "" };
        let mut at = 0;
        cursor.array(|cursor| {
            into.enter(name, at);
            let read = self.object(cursor, place, depth, into).map(|read| into.check(read));
            into.leave();
            at += 1;
            read
        })
    }

    /// Reads the next value, which should be an object.
    fn object(
        &mut self,
        cursor: &mut Cursor<'_>,
        place: Place,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Read {
        let start = cursor.place();
        let mut body = mem::take(&mut self.body);
        let object = Object::read(cursor, &mut body, |records| match (place, depth) {
            (Place::Records, _) | (_, Depth::Bus) => records.skip().map(|_| false),
            (Place::Array, Depth::Payload) => {
                self.list(records, Place::Records, Depth::Message, into)
            }
            _ => self.list(records, Place::Records, depth, into),
        })?;
        let text = cursor.since(start);
        let read = match object {
            None => Err(Unreadable::no_object(text)),
            Some(object)
                if place != Place::Document && depth == Depth::Payload && object.is_message() =>
            {
                self.message(&object, &body)
            }
            Some(record) if place == Place::Records => self.record(&record, text, depth, into),
            Some(object) => self.document(&object, text, depth, into),
        };
        self.body = body;
        Ok(read)
    }

    /// Reads an SQS message.
    fn message(&mut self, message: &Object<'_>, body: &str) -> Result<(), Unreadable> {
        let Some(id) = message.message_id.as_deref() else {
            return Err(Unreadable::new("an SQS message without `messageId`"));
        };
        // A standard queue may have groups as well, for fairness; it keeps no order.
        // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
        let is_fifo = message.source_arn.as_deref().is_some_and(|arn| arn.ends_with(".fifo"));
        let group = message.group.as_deref().filter(|_| is_fifo);
        let mut into = Collector::message(id, group);
        let read = if message.has_body {
            self.text(body, Depth::Message, &mut into)
        } else {
            Err(Unreadable::new("an SQS message without a `body` that is text"))
        };
        into.check(read);
        self.messages.push(into.finish());
        Ok(())
    }

    /// Reads an object that is a document.
    fn document(
        &mut self,
        object: &Object<'_>,
        text: &str,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        if object.has_records || object.is_empty {
            Ok(())
        } else if object.is_event() {
            eventbridge::read(object, &mut self.names, into)
        } else if depth == Depth::Bus {
            Err(Unreadable::unknown_shape(text))
        } else if let Some(data) = object.data {
            self.text(data, Depth::Bus, into).map_err(|unreadable| unreadable.at("Data"))
        } else if object.event.as_deref() == Some("s3:TestEvent") {
            into.skip();
            Ok(())
        } else if object.envelope.is_envelope() {
            self.topic(&object.envelope, depth, into)
        } else if object.is_message() {
            Err(Unreadable::new(MISPLACED))
        } else {
            Err(Unreadable::unknown_shape(text))
        }
    }

    /// Reads an element of `Records`.
    fn record(
        &mut self,
        record: &Object<'_>,
        text: &str,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        if let Some(s3) = &record.s3 {
            notification::read(record, s3, &mut self.names, into)
        } else if let Some(sns) = &record.sns {
            self.topic(sns, depth, into)
        } else if record.is_message() {
            Err(Unreadable::new(MISPLACED))
        } else if let Some(source) = record.event_source.as_deref() {
            Err(Unreadable::new(format!(
                "a record of {}; expected one of `aws:s3`, `aws:sns` or `aws:sqs`",
                Quoted(source)
            )))
        } else {
            Err(Unreadable::unknown_shape(text))
        }
    }

    /// Reads what a topic sent.
    fn topic(
        &mut self,
        notification: &Sns<'_>,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        if depth >= Depth::Topic {
            return Err(Unreadable::new("an SNS notification inside an SNS notification"));
        }
        match (notification.kind.as_deref(), notification.message.as_deref()) {
            (Some("Notification") | None, Some(message)) => self
                .text(message, Depth::Topic, into)
                .map_err(|unreadable| unreadable.at("Message")),
            (Some("Notification") | None, None) => {
                Err(Unreadable::new("an SNS notification without `Message`"))
            }
            (Some(kind), _) => Err(Unreadable::new(format!(
                "a message of type {} from SNS; expected `Notification`, which comes once the \
                 subscription is confirmed",
                Quoted(kind)
            ))),
        }
    }
}
