//! What the JSON objects of a payload may hold, borrowed from its text.
//!
//! Members that are not named here are skipped without being looked at, and so
//! is the content of those kept as [`RawValue`] until someone asks for it:
//! nothing odd in them can harm what stands beside them.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::Unreadable;

/// A JSON document of a payload, opened but not yet understood.
pub(super) enum Document<'a> {
    /// An array's elements.
    Array(Vec<&'a RawValue>),
    /// An object's members.
    Object(Box<Object<'a>>),
}

impl<'a> Document<'a> {
    /// Opens a text that should be an array or an object.
    pub(super) fn open(text: &'a str) -> Result<Self, Unreadable> {
        match text.trim_ascii_start().as_bytes().first() {
            Some(b'[') => serde_json::from_str(text).map(Self::Array),
            Some(b'{') => serde_json::from_str(text).map(Self::Object),
            _ => return Err(Unreadable::no_object(text)),
        }
        .map_err(|error| Unreadable::malformed(&error, text))
    }
}

/// Every member that tells one shape from another, or that is needed of the
/// outer object of a shape.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Object<'a> {
    /// S3, SNS and SQS, as Lambda is given them.
    #[serde(rename = "Records", borrow)]
    pub(super) records: Option<Vec<&'a RawValue>>,
    /// SNS spells it with a capital.
    #[serde(rename = "eventSource", alias = "EventSource")]
    pub(super) event_source: Text<'a>,

    // EventBridge.
    pub(super) source: Text<'a>,
    #[serde(rename = "detail-type")]
    pub(super) detail_type: Text<'a>,
    pub(super) detail: Option<&'a RawValue>,
    pub(super) id: Text<'a>,
    pub(super) time: Text<'a>,
    pub(super) account: Text<'a>,
    pub(super) region: Text<'a>,
    #[serde(rename = "replay-name")]
    pub(super) replay_name: Text<'a>,
    /// The wrapper of a custom event bus.
    #[serde(rename = "Data")]
    pub(super) data: Option<&'a RawValue>,

    // A record of an S3 notification.
    pub(super) s3: Option<&'a RawValue>,
    #[serde(rename = "eventName")]
    pub(super) event_name: Text<'a>,
    #[serde(rename = "eventTime")]
    pub(super) event_time: Text<'a>,
    #[serde(rename = "awsRegion")]
    pub(super) aws_region: Text<'a>,
    #[serde(rename = "responseElements")]
    pub(super) response_elements: Option<&'a RawValue>,
    /// `s3:TestEvent`, which S3 sends when a notification is set up.
    #[serde(rename = "Event")]
    pub(super) event: Text<'a>,

    // SNS: a record's member, and the envelope it puts into a queue.
    #[serde(rename = "Sns")]
    pub(super) sns: Option<&'a RawValue>,
    #[serde(rename = "Type")]
    pub(super) kind: Text<'a>,
    #[serde(rename = "TopicArn")]
    pub(super) topic: Text<'a>,
    #[serde(rename = "Message")]
    pub(super) message: Text<'a>,

    // A message of SQS.
    #[serde(rename = "messageId")]
    pub(super) message_id: Text<'a>,
    pub(super) body: Option<&'a RawValue>,
    pub(super) attributes: Option<&'a RawValue>,
}

impl Object<'_> {
    /// Whether this is an EventBridge event, be it reduced.
    pub(super) fn is_event(&self) -> bool {
        self.source.get().is_some() || self.detail_type.get().is_some() || self.detail.is_some()
    }

    /// Whether this is an SQS message.
    pub(super) fn is_message(&self) -> bool {
        is_message(&self.message_id, &self.event_source, self.body.is_some())
    }
}

/// Lambda says `aws:sqs`; whoever reshapes messages in Pipes may not.
fn is_message(id: &Text<'_>, event_source: &Text<'_>, has_body: bool) -> bool {
    event_source.is("aws:sqs") || (id.get().is_some() && has_body)
}

/// `detail` of an EventBridge event, and `s3` of a notification's record.
#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
pub(super) struct Detail<'a> {
    #[serde(borrow)]
    bucket: Option<Bucket<'a>>,
    #[serde(borrow)]
    object: Option<S3Object<'a>>,
    #[serde(rename = "request-id", borrow)]
    pub(super) request_id: Text<'a>,
    pub(super) reason: Text<'a>,
    #[serde(rename = "deletion-type")]
    pub(super) deletion_type: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object as `bucket`")]
struct Bucket<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object as `object`")]
struct S3Object<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    size: Option<&'a RawValue>,
    #[serde(rename = "version-id", alias = "versionId")]
    version_id: Text<'a>,
    sequencer: Text<'a>,
}

impl Detail<'_> {
    pub(super) fn bucket(&self) -> Option<&str> {
        self.bucket.as_ref()?.name.get()
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.object.as_ref()?.key.get()
    }

    pub(super) fn version_id(&self) -> Option<&str> {
        self.object.as_ref()?.version_id.get()
    }

    pub(super) fn sequencer(&self) -> Option<&str> {
        self.object.as_ref()?.sequencer.get()
    }

    /// The size, when it is a number a size can be: whole, not negative, and
    /// within 64 bits.
    pub(super) fn size(&self) -> Option<u64> {
        self.object.as_ref()?.size?.get().parse().ok()
    }
}

/// `responseElements` of a notification's record.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ResponseElements<'a> {
    #[serde(rename = "x-amz-request-id", borrow)]
    pub(super) request_id: Text<'a>,
}

/// `attributes` of an SQS message.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes<'a> {
    #[serde(rename = "MessageGroupId", borrow)]
    pub(super) group: Text<'a>,
}

/// What names a message of which nothing else could be read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct MessageId<'a> {
    #[serde(rename = "messageId", borrow)]
    pub(super) id: Text<'a>,
    #[serde(rename = "eventSource")]
    event_source: Text<'a>,
    body: Option<IgnoredAny>,
    pub(super) attributes: Option<&'a RawValue>,
}

impl MessageId<'_> {
    /// Whether this is an SQS message.
    pub(super) fn is_message(&self) -> bool {
        is_message(&self.id, &self.event_source, self.body.is_some())
    }
}

/// A member that should be a string. Absent, empty and of another type are all
/// the same: there is no text.
#[derive(Default)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    /// The text, if there is any.
    pub(super) fn get(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&*self.0)
    }

    /// Whether the member is exactly this text.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0 == text
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Cow::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Cow::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Cow::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Cow::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cow::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cow::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cow::default())
    }
}
