//! The members of JSON objects that are used, borrowed from the payload.
//!
//! Each is optional, and treated as missing if it has an unexpected type. The
//! types of `aws_lambda_events` require more than real payloads have:
//!
//! - `SqsMessage`: `body` must be a string; Pipes may pass it on parsed.
//! - `EventBridgeEvent`: has no `replay-name`; `time` must be RFC 3339.
//! - `SnsMessage`: `UnsubscribeURL` is required; subscription confirmations lack it.
//! - `S3EventRecord`: `eventTime`, `userIdentity` and `requestParameters` are
//!   required; a forwarder may drop them, and no rule uses them.

use std::{borrow::Cow, ops::Deref};

use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::value::RawValue;

use super::Unreadable;

/// Any object of a payload. Which members it has decides its shape.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Object<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    pub(super) event_source: Text<'a>,

    // An EventBridge event.
    pub(super) source: Text<'a>,
    #[serde(rename = "detail-type")]
    pub(super) detail_type: Text<'a>,
    pub(super) detail: Lenient<Option<S3Detail<'a>>>,
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
    pub(super) s3: Lenient<Option<S3Detail<'a>>>,
    pub(super) event_name: Text<'a>,
    pub(super) event_time: Text<'a>,
    pub(super) aws_region: Text<'a>,
    pub(super) response_elements: Lenient<ResponseElements<'a>>,
    /// `s3:TestEvent`, which S3 sends when a notification is configured.
    #[serde(rename = "Event")]
    pub(super) event: Text<'a>,

    // An SNS notification: in a record, or as an envelope.
    #[serde(rename = "Sns")]
    pub(super) sns: Lenient<Option<Sns<'a>>>,
    #[serde(rename = "Type")]
    pub(super) kind: Text<'a>,
    #[serde(rename = "TopicArn")]
    topic_arn: Text<'a>,
    #[serde(rename = "Message")]
    pub(super) message: Text<'a>,

    // An SQS message.
    pub(super) message_id: Text<'a>,
    body: Option<&'a RawValue>,
    pub(super) attributes: Lenient<Attributes<'a>>,
    #[serde(rename = "eventSourceARN")]
    pub(super) event_source_arn: Text<'a>,
}

/// `detail` of an EventBridge event, or `s3` of a notification's record.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct S3Detail<'a> {
    #[serde(borrow)]
    pub(super) bucket: Lenient<Bucket<'a>>,
    pub(super) object: Lenient<S3Object<'a>>,
    pub(super) request_id: Text<'a>,
    pub(super) reason: Text<'a>,
    pub(super) deletion_type: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Bucket<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct S3Object<'a> {
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    pub(super) size: Lenient<Option<u64>>,
    #[serde(alias = "versionId")]
    pub(super) version_id: Text<'a>,
    pub(super) sequencer: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ResponseElements<'a> {
    #[serde(borrow, rename = "x-amz-request-id")]
    pub(super) request_id: Text<'a>,
}

/// `Sns` of a record.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Sns<'a> {
    #[serde(borrow, rename = "Type")]
    pub(super) kind: Text<'a>,
    #[serde(rename = "Message")]
    pub(super) message: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
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

    /// Returns the elements of `Records`, if it is a list.
    pub(super) fn records(&self) -> Option<Vec<&'a RawValue>> {
        serde_json::from_str(self.records?.get()).ok()
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
        let has_body = || self.body.is_some_and(|body| body.get().starts_with(['"', '{', '[']));
        self.event_source.as_deref() == Some("aws:sqs") || (self.message_id.is_some() && has_body())
    }

    /// Returns the document in the body of an SQS message. An input transformer of
    /// Pipes receives a JSON body parsed and may pass it on so.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html>
    pub(super) fn body(&self) -> Option<Cow<'a, str>> {
        let json = self.body?.get();
        if json.starts_with(['{', '[']) { Some(json.into()) } else { string(json) }
    }
}

/// A member that is the default if it has an unexpected type.
#[derive(Default)]
pub(super) struct Lenient<T>(T);

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let value = if json.starts_with('[') { None } else { serde_json::from_str(json).ok() };
        Ok(Self(value.unwrap_or_default()))
    }
}

impl<T> Deref for Lenient<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A string member that is `None` if it is empty or not a string.
#[derive(Default)]
pub(super) struct Text<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        Ok(Self(string(json).filter(|text| !text.is_empty())))
    }
}

impl<'a> Deref for Text<'a> {
    type Target = Option<Cow<'a, str>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Decodes a JSON string; `None` for other JSON and for lone surrogates.
fn string(json: &str) -> Option<Cow<'_, str>> {
    match json.strip_prefix('"')?.strip_suffix('"')? {
        plain if !plain.contains('\\') => Some(plain.into()),
        _ => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}
