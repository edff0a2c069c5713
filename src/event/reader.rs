//! Takes a payload's wrappings off, one after another.

use std::mem;

use serde_json::value::RawValue;

use super::{
    Delivery, Payload, Source, Unreadable,
    collector::{Collector, Names},
    eventbridge, notification,
    unescape::unescape,
    unreadable::Quoted,
    wire::{Document, MessageId, Object},
};

/// How deep in wrappings a document is. A wrapping is taken off only when it is
/// deeper than those around it, so nesting has an end.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Depth {
    /// The payload itself, or the body of an SQS message.
    Delivery,
    /// The message of an SNS notification.
    Topic,
    /// The `Data` of a custom event bus.
    Bus,
}

/// What an element stands in.
#[derive(Clone, Copy)]
enum List {
    /// An array of documents.
    Array,
    /// `Records`, whose elements say what they are by `eventSource`.
    Records,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Array => "",
            Self::Records => "Records",
        }
    }
}

/// Reads a whole payload.
pub(super) fn read(text: &str, request_id: &str) -> Result<Payload, Unreadable> {
    let mut reader = Reader::default();
    let mut direct = Collector::direct(request_id);
    let mut deliveries = Vec::new();
    let document = Document::open(text)?;
    let (list, elements) = match &document {
        Document::Array(elements) => (List::Array, elements),
        Document::Object(object) => match &object.records {
            Some(records) => (List::Records, records),
            None => {
                reader.object(object, text, Depth::Delivery, &mut direct)?;
                return Ok(Payload { source: Source::Direct, deliveries: vec![direct.finish()] });
            }
        },
    };
    for (at, element) in elements.iter().enumerate() {
        let text = element.get();
        let opened = Document::open(text);
        if let Some(message) = reader.message(&opened, text) {
            deliveries.push(message);
        } else {
            reader.element(opened, text, list, at, Depth::Delivery, &mut direct);
        }
    }
    let source = if deliveries.is_empty() { Source::Direct } else { Source::Queue };
    if source == Source::Direct || !direct.is_empty() {
        deliveries.push(direct.finish());
    }
    Ok(Payload { source, deliveries })
}

#[derive(Default)]
struct Reader {
    names: Names,
    /// The body of the message that is being read.
    body: String,
}

impl Reader {
    /// Reads an element of a payload that is an SQS message with an id; it may
    /// be that nothing else of it can be read.
    fn message(
        &mut self,
        opened: &Result<Document<'_>, Unreadable>,
        text: &str,
    ) -> Option<Delivery> {
        match opened {
            Ok(Document::Array(_)) => None,
            Ok(Document::Object(message)) => {
                let id = message.message_id.get().filter(|_| message.is_message())?;
                let mut into = Collector::message(id, message.attributes);
                let read = self.body(message.body, &mut into);
                into.check(read);
                Some(into.finish())
            }
            Err(unreadable) => {
                let message: MessageId<'_> = serde_json::from_str(text).ok()?;
                let id = message.id.get().filter(|_| message.is_message())?;
                let mut into = Collector::message(id, message.attributes);
                into.refuse(unreadable.clone());
                Some(into.finish())
            }
        }
    }

    fn body(
        &mut self,
        body: Option<&RawValue>,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        let mut text = mem::take(&mut self.body);
        let read = match body.and_then(|body| unescape(body.get(), &mut text)) {
            Some(()) => self.document(&text, Depth::Delivery, into),
            None => Err(Unreadable::new("an SQS message whose `body` is no text")),
        };
        self.body = text;
        read
    }

    /// Reads a document; its elements, if it has some, each on its own.
    fn document(
        &mut self,
        text: &str,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        match Document::open(text)? {
            Document::Array(elements) => self.elements(&elements, List::Array, depth, into),
            Document::Object(object) => self.object(&object, text, depth, into)?,
        }
        Ok(())
    }

    fn elements(
        &mut self,
        elements: &[&RawValue],
        list: List,
        depth: Depth,
        into: &mut Collector<'_>,
    ) {
        for (at, element) in elements.iter().enumerate() {
            let text = element.get();
            self.element(Document::open(text), text, list, at, depth, into);
        }
    }

    fn element(
        &mut self,
        opened: Result<Document<'_>, Unreadable>,
        text: &str,
        list: List,
        at: usize,
        depth: Depth,
        into: &mut Collector<'_>,
    ) {
        into.enter(list.name(), at);
        let read = opened.and_then(|document| match (document, list) {
            (Document::Array(_), _) => Err(Unreadable::new("an array inside an array")),
            (Document::Object(object), List::Array) => self.object(&object, text, depth, into),
            (Document::Object(record), List::Records) => self.record(&record, text, depth, into),
        });
        into.check(read);
        into.leave();
    }

    /// Reads an object that is not an element of `Records`.
    fn object(
        &mut self,
        object: &Object<'_>,
        text: &str,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        if object.is_event() {
            eventbridge::read(object, &mut self.names, into)
        } else if depth == Depth::Bus {
            Err(Unreadable::unknown_shape(text).at("Data"))
        } else if let Some(data) = object.data {
            match Document::open(data.get())? {
                Document::Object(event) => self.object(&event, data.get(), Depth::Bus, into),
                Document::Array(_) => Err(Unreadable::unknown_shape(data.get()).at("Data")),
            }
        } else if let Some(records) = &object.records {
            self.elements(records, List::Records, depth, into);
            Ok(())
        } else if object.event.is("s3:TestEvent") {
            into.skip();
            Ok(())
        } else if object.topic.get().is_some() || object.kind.is("Notification") {
            self.topic(object, depth, into)
        } else if object.is_message() {
            Err(misplaced(object))
        } else if is_empty(text) {
            Ok(())
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
        if let Some(s3) = record.s3 {
            notification::read(record, s3.get(), &mut self.names, into)
        } else if let Some(sns) = record.sns {
            match Document::open(sns.get()).map_err(|unreadable| unreadable.at("Sns"))? {
                Document::Object(notification) => self.topic(&notification, depth, into),
                Document::Array(_) => Err(Unreadable::new("an SNS record whose `Sns` is an array")),
            }
        } else if record.is_message() {
            Err(misplaced(record))
        } else if let Some(source) = record.event_source.get() {
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
        notification: &Object<'_>,
        depth: Depth,
        into: &mut Collector<'_>,
    ) -> Result<(), Unreadable> {
        if depth >= Depth::Topic {
            return Err(Unreadable::new("an SNS notification inside an SNS notification"));
        }
        match (notification.kind.get(), notification.message.get()) {
            (Some("Notification") | None, Some(message)) => self
                .document(message, Depth::Topic, into)
                .map_err(|unreadable| unreadable.at("Message")),
            (Some("Notification") | None, None) => {
                Err(Unreadable::new("an SNS notification without `Message`"))
            }
            (Some(kind), _) => Err(Unreadable::new(format!(
                "a message of type {} from SNS; expected `Notification`, which comes once the                  subscription is confirmed",
                Quoted(kind)
            ))),
        }
    }
}

/// An SQS message where nobody could answer for it alone.
fn misplaced(message: &Object<'_>) -> Unreadable {
    Unreadable::new(match message.message_id.get() {
        None => "an SQS message without `messageId`",
        Some(_) => "an SQS message that is not an element of the payload's own list",
    })
}

/// Whether an object's text is `{}`.
fn is_empty(object: &str) -> bool {
    let inner = object.trim_ascii().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.is_some_and(|text| text.trim_ascii().is_empty())
}
