//! The members of a payload's objects that are used; all are optional.
//!
//! The types of `aws_lambda_events` require more than real payloads have:
//!
//! - `SqsMessage`: `body` must be a string; Pipes may pass it on parsed.
//! - `EventBridgeEvent`: has no `replay-name`; `time` must be RFC 3339.
//! - `SnsMessage`: `UnsubscribeURL` is required; subscription confirmations lack it.
//! - `S3EventRecord`: `eventTime`, `userIdentity` and `requestParameters` are
//!   required; a forwarder may drop them, and no rule uses them.

use std::borrow::Cow;

use serde::{
    Deserialize,
    de::{
        IgnoredAny, MapAccess, SeqAccess,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_json::{Value, value::RawValue};

use super::{
    Unreadable,
    member::{Lenient, Member, Text, or_default},
};

/// Any object of a payload. Which members it has decides its shape.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object<'a> {
    #[serde(borrow, rename = "Records")]
    pub(super) records: Lenient<Records<'a>>,
    pub(super) event_source: Text<'a>,

    // An EventBridge event.
    pub(super) source: Text<'a>,
    #[serde(rename = "detail-type")]
    pub(super) detail_type: Text<'a>,
    pub(super) detail: Lenient<S3Detail<'a>>,
    pub(super) id: Text<'a>,
    pub(super) time: Text<'a>,
    pub(super) account: Text<'a>,
    pub(super) region: Text<'a>,
    #[serde(rename = "replay-name")]
    pub(super) replay_name: Text<'a>,
    /// The wrapper of a custom event bus.
    #[serde(rename = "Data")]
    pub(super) data: Option<&'a RawValue>,

    /// The event in Lambda's record of a failed invocation.
    pub(super) request_payload: Option<&'a RawValue>,

    // A record of an S3 notification.
    pub(super) s3: Lenient<S3Detail<'a>>,
    pub(super) event_name: Text<'a>,
    pub(super) event_time: Text<'a>,
    pub(super) aws_region: Text<'a>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) response_elements: ResponseElements<'a>,
    /// `s3:TestEvent`, which S3 sends when a notification is configured.
    #[serde(rename = "Event")]
    pub(super) event: Text<'a>,

    // An SNS notification: in a record, or as an envelope.
    #[serde(rename = "Sns")]
    pub(super) sns: Lenient<Sns<'a>>,
    #[serde(rename = "Type")]
    pub(super) kind: Text<'a>,
    #[serde(rename = "TopicArn")]
    topic_arn: Text<'a>,
    #[serde(rename = "Message")]
    pub(super) message: Text<'a>,

    // An SQS message.
    pub(super) message_id: Text<'a>,
    pub(super) body: Lenient<Body<'a>>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) attributes: Attributes<'a>,
    #[serde(rename = "eventSourceARN")]
    pub(super) event_source_arn: Text<'a>,
}

/// `detail` of an EventBridge event, or `s3` of a notification's record.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct S3Detail<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) bucket: Bucket<'a>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) object: S3Object<'a>,
    pub(super) request_id: Text<'a>,
    pub(super) reason: Text<'a>,
    pub(super) deletion_type: Text<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct Bucket<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct S3Object<'a> {
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    pub(super) size: Lenient<u64>,
    #[serde(alias = "versionId")]
    pub(super) version_id: Text<'a>,
    pub(super) sequencer: Text<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct ResponseElements<'a> {
    #[serde(borrow, rename = "x-amz-request-id")]
    pub(super) request_id: Text<'a>,
}

/// `Sns` of a record.
#[derive(Deserialize)]
pub(super) struct Sns<'a> {
    #[serde(borrow, rename = "Type")]
    pub(super) kind: Text<'a>,
    #[serde(rename = "Message")]
    pub(super) message: Text<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct Attributes<'a> {
    #[serde(borrow, rename = "MessageGroupId")]
    pub(super) message_group_id: Text<'a>,
}

/// Parses JSON. Only syntax errors and repeated members are errors.
pub(super) fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(json).map_err(|error| Unreadable::json(&error, json))
}

impl<'a> Object<'a> {
    pub(super) fn parse(json: &'a str) -> Result<Self, Unreadable> {
        // A derived type would also read an array, as its members in order.
        if json.trim_start().starts_with('{') {
            return parse(json);
        }
        parse::<IgnoredAny>(json)?;
        Err(Unreadable::no_object(json))
    }

    /// Returns whether this is an EventBridge event, possibly reduced.
    pub(super) fn is_event(&self) -> bool {
        self.source.is_some() || self.detail_type.is_some() || self.detail.is_some()
    }

    /// Returns whether this is a message from SNS, as a queue receives it.
    pub(super) fn is_envelope(&self) -> bool {
        self.topic_arn.is_some() || self.kind.as_deref() == Some("Notification")
    }

    /// Returns whether this is an SQS message. An input transformer of Pipes
    /// may drop `eventSource`.
    pub(super) fn is_message(&self) -> bool {
        self.event_source.as_deref() == Some("aws:sqs")
            || (self.message_id.is_some() && self.body.is_some())
    }
}

/// The elements of `Records`.
pub(super) struct Records<'a>(pub(super) Vec<&'a RawValue>);

impl<'de: 'a, 'a> Member<'de> for Records<'a> {
    fn list<A: SeqAccess<'de>>(elements: A) -> Result<Option<Self>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(elements)).map(|list| Some(Self(list)))
    }
}

/// The JSON of a document in an SQS message. Pipes parse it for an input
/// transformer, which may pass it on so.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html>
pub(super) struct Body<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Member<'de> for Body<'a> {
    fn string(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text))
    }

    fn object<A: MapAccess<'de>>(members: A) -> Result<Option<Self>, A::Error> {
        let parsed = Value::deserialize(MapAccessDeserializer::new(members))?;
        Ok(Some(Self(parsed.to_string().into())))
    }

    fn list<A: SeqAccess<'de>>(elements: A) -> Result<Option<Self>, A::Error> {
        let parsed = Value::deserialize(SeqAccessDeserializer::new(elements))?;
        Ok(Some(Self(parsed.to_string().into())))
    }
}

/// Members, and elements of a batch, that are objects.
macro_rules! objects {
    ($($object:ident)+) => {$(
        impl<'de: 'a, 'a> Member<'de> for $object<'a> {
            fn object<A: MapAccess<'de>>(members: A) -> Result<Option<Self>, A::Error> {
                Self::deserialize(MapAccessDeserializer::new(members)).map(Some)
            }
        }
    )+};
}
objects!(Object S3Detail Bucket S3Object ResponseElements Sns Attributes);
