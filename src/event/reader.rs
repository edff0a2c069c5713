//! Removes a payload's wrappings, one after another.

use serde_json::value::RawValue;

use super::{
    Delivery, Payload, PayloadSource, Unreadable, batch,
    collector::{Collector, Names},
    eventbridge,
    member::Text,
    notification,
    object::{Body, Object, Records, parse},
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

/// The advice where an SQS message is incomplete.
const KEEP: &str = "an input transformer must keep `messageId` and `body`";

/// A replay that fails again puts the record of the first failure into another.
/// Payloads can nest deeper than the stack.
const MAX_FAILURES: u32 = 5;

/// The list that holds an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// An array, whose elements are documents.
    Array,
    /// `Records`, whose elements are records of S3, SNS or SQS.
    Records,
}

pub(super) fn read(text: &str, request_id: &str) -> Result<Payload, Unreadable> {
    let mut names = Names::default();
    if let Some(deliveries) = batch::read(text, &mut names) {
        return Ok(Payload { source: PayloadSource::Queue, deliveries });
    }
    let mut deliveries = Vec::new();
    let direct = Collector::new(request_id, &mut names);
    let mut reader = Reader { messages: &mut deliveries, into: direct, failures: 0 };
    reader.text(text, Depth::Payload)?;
    let direct = reader.into.finish();
    let source = if deliveries.is_empty() { PayloadSource::Direct } else { PayloadSource::Queue };
    if source == PayloadSource::Direct || !direct.is_empty() {
        deliveries.push(direct);
    }
    Ok(Payload { source, deliveries })
}

/// Reads an SQS message.
pub(super) fn read_message(id: &str, body: Option<&str>, names: &mut Names) -> Delivery {
    let into = Collector::new(id, names);
    let mut reader = Reader { messages: &mut Vec::new(), into, failures: 0 };
    let read = match body {
        Some(body) => reader.text(body, Depth::Message),
        None => {
            Err(Unreadable::new(format!("an SQS message without a `body` that is text; {KEEP}")))
        }
    };
    reader.into.check(read);
    Delivery { id: Some(id.to_owned()), ..reader.into.finish() }
}

/// Reads an SQS message of a payload.
pub(super) fn message(message: &Object<'_>, names: &mut Names) -> Result<Delivery, Unreadable> {
    let Some(id) = message.message_id.as_deref() else {
        return Err(Unreadable::new(format!("an SQS message without `messageId`; {KEEP}")));
    };
    let body = message.body.as_ref().map(|Body(body)| &**body);
    let delivery = read_message(id, body, names);
    // A standard queue may have groups too, for fairness; it is not ordered.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    let is_fifo = message.event_source_arn.as_deref().is_some_and(|arn| arn.ends_with(".fifo"));
    let group = message.attributes.message_group_id.as_deref().filter(|_| is_fifo);
    Ok(Delivery { group: group.map(str::to_owned), ..delivery })
}

struct Reader<'a> {
    messages: &'a mut Vec<Delivery>,
    into: Collector<'a>,
    /// The records of failed invocations around the document.
    failures: u32,
}

impl Reader<'_> {
    /// Reads the JSON of a document.
    fn text(&mut self, json: &str, depth: Depth) -> Result<(), Unreadable> {
        // A file, or a message made of one, may start with a byte order mark.
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        if json.trim_start().starts_with('[') {
            self.list(List::Array, &parse::<Vec<_>>(json)?, depth);
            return Ok(());
        }
        self.document(&Object::parse(json)?, json, depth)
    }

    fn list(&mut self, list: List, elements: &[&RawValue], depth: Depth) {
        for (at, element) in elements.iter().enumerate() {
            self.into.enter(if list == List::Records { "Records" } else { "" }, at);
            let read = self.element(list, element.get(), depth);
            self.into.check(read);
            self.into.leave();
        }
    }

    fn element(&mut self, list: List, json: &str, depth: Depth) -> Result<(), Unreadable> {
        let object = Object::parse(json)?;
        if depth == Depth::Payload && object.is_message() {
            self.messages.push(message(&object, self.into.names)?);
            return Ok(());
        }
        let depth = depth.max(Depth::Message);
        match list {
            List::Array => self.document(&object, json, depth),
            List::Records => self.record(&object, json, depth),
        }
    }

    fn document(
        &mut self,
        object: &Object<'_>,
        json: &str,
        depth: Depth,
    ) -> Result<(), Unreadable> {
        if depth != Depth::Bus
            && let Some(Records(records)) = &*object.records
        {
            self.list(List::Records, records, depth);
            Ok(())
        } else if object.is_event() {
            let change = eventbridge::read(object, self.into.id, self.into.names)?;
            let detail_type = object.detail_type.as_deref().unwrap_or_default();
            if change.is_none() && !detail_type.starts_with("Object ") {
                self.into.note_foreign(detail_type);
            }
            self.into.add(change);
            Ok(())
        } else if is_empty(json) {
            Ok(())
        } else if depth == Depth::Bus {
            Err(Unreadable::unknown_shape(json))
        } else if let Some(data) = object.data {
            self.text(data.get(), Depth::Bus).map_err(|error| error.at("Data"))
        } else if let Some(event) = object.request_payload {
            if self.failures == MAX_FAILURES {
                return Err(Unreadable::new("too many failed invocations inside one another"));
            }
            self.failures += 1;
            let read = self.text(event.get(), depth.max(Depth::Message));
            self.failures -= 1;
            read.map_err(|error| error.at("requestPayload"))
        } else if object.event.as_deref() == Some("s3:TestEvent") {
            self.into.add(None);
            Ok(())
        } else if object.is_envelope() {
            self.topic(&object.kind, &object.message, depth)
        } else {
            Err(misplaced_or_unknown(object, json))
        }
    }

    /// Reads an element of `Records` that is not an SQS message of the payload.
    fn record(&mut self, record: &Object<'_>, json: &str, depth: Depth) -> Result<(), Unreadable> {
        if let Some(s3) = &*record.s3 {
            let change = notification::read(record, s3, self.into.id, self.into.names)?;
            self.into.add(change);
            return Ok(());
        }
        if let Some(sns) = &*record.sns {
            return self.topic(&sns.kind, &sns.message, depth);
        }
        match record.event_source.as_deref() {
            Some(source) if !record.is_message() => Err(Unreadable::new(format!(
                "a record of {}; expected one of `aws:s3`, `aws:sns` or `aws:sqs`",
                Quoted(source)
            ))),
            _ => Err(misplaced_or_unknown(record, json)),
        }
    }

    fn topic(
        &mut self,
        kind: &Text<'_>,
        message: &Text<'_>,
        depth: Depth,
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
        let Some(message) = message.as_deref() else {
            return Err(Unreadable::new("an SNS notification without `Message`"));
        };
        self.text(message, Depth::Topic).map_err(|error| error.at("Message"))
    }
}

fn is_empty(object: &str) -> bool {
    object.trim().strip_prefix('{').is_some_and(|rest| rest.trim_start() == "}")
}

fn misplaced_or_unknown(object: &Object<'_>, json: &str) -> Unreadable {
    if object.is_message() {
        return Unreadable::new("an SQS message that is not an element of the payload's own list");
    }
    Unreadable::unknown_shape(json)
}
