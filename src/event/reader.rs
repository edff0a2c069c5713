//! Removes a payload's wrappings, one after another.

use serde_json::value::RawValue;

use super::{
    Delivery, Payload, PayloadSource, Unreadable,
    collector::{Collector, Names},
    eventbridge, notification,
    object::{Object, Text, parse},
    unreadable::Quoted,
};

/// The wrappings around a document, outermost first. A wrapping is removed only
/// inside an earlier one, which bounds the nesting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    /// The payload. Only the elements of its own list may be SQS messages.
    Payload,
    /// The body of an SQS message, or an element of the payload's list.
    Message,
    /// The message of an SNS notification.
    Topic,
    /// `Data` of a custom event bus.
    Bus,
}

/// The list that holds an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// An array, whose elements are documents.
    Array,
    /// `Records`, whose elements are records of S3, SNS or SQS.
    Records,
}

pub(super) fn read(text: &str, request_id: &str) -> Result<Payload, Unreadable> {
    let mut direct = Collector::direct(request_id);
    let mut reader = Reader::default();
    reader.text(text, Depth::Payload, &mut direct)?;
    let mut deliveries = reader.messages;
    let source = if deliveries.is_empty() { PayloadSource::Direct } else { PayloadSource::Queue };
    if source == PayloadSource::Direct || !direct.is_empty() {
        deliveries.push(direct.finish());
    }
    Ok(Payload { source, deliveries })
}

#[derive(Default)]
struct Reader {
    messages: Vec<Delivery>,
    names: Names,
}

impl Reader {
    /// Reads the JSON of a document.
    fn text(
        &mut self,
        json: &str,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        if json.trim_start().starts_with('[') {
            self.list(List::Array, &parse::<Vec<_>>(json)?, depth, into);
            return Ok(());
        }
        self.document(&Object::parse(json)?, json, depth, into)
    }

    fn list(&mut self, list: List, elements: &[&RawValue], depth: Depth, into: &mut Collector<'_>) {
        let name = if list == List::Records { "Records" } else { "" };
        for (at, element) in elements.iter().enumerate() {
            into.element(name, at, |into| {
                let json = element.get();
                let object = Object::parse(json)?;
                if depth == Depth::Payload && object.is_message() {
                    return self.message(&object);
                }
                let depth = depth.max(Depth::Message);
                match list {
                    List::Array => self.document(&object, json, depth, into),
                    List::Records => self.record(&object, json, depth, into),
                }
            });
        }
    }

    fn message(&mut self, message: &Object<'_>) -> Result<(), Unreadable> {
        let Some(id) = message.message_id.as_deref() else {
            return Err(Unreadable::new("an SQS message without `messageId`"));
        };
        // A standard queue may have groups too, for fairness; it is not ordered.
        // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
        let is_fifo = message.event_source_arn.as_deref().is_some_and(|arn| arn.ends_with(".fifo"));
        let group = message.attributes.message_group_id.as_deref().filter(|_| is_fifo);
        let mut into = Collector::message(id, group);
        let read = match message.body() {
            Some(body) => self.text(&body, Depth::Message, &mut into),
            None => Err(Unreadable::new("an SQS message without a `body` that is text")),
        };
        into.check(read);
        self.messages.push(into.finish());
        Ok(())
    }

    fn document(
        &mut self,
        object: &Object<'_>,
        json: &str,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        if depth != Depth::Bus
            && let Some(records) = object.records()
        {
            self.list(List::Records, &records, depth, into);
            Ok(())
        } else if object.is_event() {
            eventbridge::read(object, &mut self.names, into)
        } else if is_empty(json) {
            Ok(())
        } else if depth == Depth::Bus {
            Err(Unreadable::unknown_shape(json))
        } else if let Some(data) = object.data {
            self.text(data.get(), Depth::Bus, into).map_err(|error| error.at("Data"))
        } else if object.event.as_deref() == Some("s3:TestEvent") {
            into.skip();
            Ok(())
        } else if object.is_envelope() {
            self.topic(&object.kind, &object.message, depth, into)
        } else {
            Err(misplaced_or_unknown(object, json))
        }
    }

    /// Reads an element of `Records` that is not an SQS message.
    fn record(
        &mut self,
        record: &Object<'_>,
        json: &str,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        if let Some(s3) = &*record.s3 {
            return notification::read(record, s3, &mut self.names, into);
        }
        if let Some(sns) = &*record.sns {
            return self.topic(&sns.kind, &sns.message, depth, into);
        }
        match record.event_source.as_deref() {
            Some(source) if !record.is_message() => Err(Unreadable::new(format!(
                "a record of {}; expected one of `aws:s3`, `aws:sns` or `aws:sqs`",
                Quoted(source)
            ))),
            _ => Err(misplaced_or_unknown(record, json)),
        }
    }

    /// Reads an SNS notification.
    fn topic(
        &mut self,
        kind: &Text<'_>,
        message: &Text<'_>,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        if depth >= Depth::Topic {
            return Err(Unreadable::new("an SNS notification inside an SNS notification"));
        }
        if let Some(kind) = kind.as_deref().filter(|kind| *kind != "Notification") {
            return Err(Unreadable::new(format!(
                "a message of type {} from SNS; expected `Notification`, which is sent once the \
                 subscription is confirmed",
                Quoted(kind)
            )));
        }
        match message.as_deref() {
            Some(message) => {
                self.text(message, Depth::Topic, into).map_err(|error| error.at("Message"))
            }
            None => Err(Unreadable::new("an SNS notification without `Message`")),
        }
    }
}

/// Whether an object has no members.
fn is_empty(object: &str) -> bool {
    object.trim().strip_prefix('{').is_some_and(|rest| rest.trim_start() == "}")
}

fn misplaced_or_unknown(object: &Object<'_>, json: &str) -> Unreadable {
    if object.is_message() {
        return Unreadable::new("an SQS message that is not an element of the payload's own list");
    }
    Unreadable::unknown_shape(json)
}
