//! What the objects of a payload may hold, borrowed from its text.
//!
//! Members not named here are skipped. A member of another type than it should
//! be is as good as absent, and so is an empty string.

use std::borrow::Cow;

use super::json::{Cursor, Malformed};

type Text<'a> = Option<Cow<'a, str>>;

/// Every member that tells one shape from another, or that is needed of the
/// outer object of a shape.
#[derive(Default)]
pub(super) struct Object<'a> {
    /// Whether there was a list of `Records`, as S3, SNS and SQS give them.
    pub(super) has_records: bool,
    /// `eventSource` of a record.
    pub(super) event_source: Text<'a>,

    // EventBridge.
    pub(super) source: Text<'a>,
    pub(super) detail_type: Text<'a>,
    pub(super) detail: Option<Detail<'a>>,
    pub(super) id: Text<'a>,
    pub(super) time: Text<'a>,
    pub(super) account: Text<'a>,
    pub(super) region: Text<'a>,
    pub(super) replay_name: Text<'a>,
    /// The wrapper of a custom event bus.
    pub(super) data: Option<&'a str>,

    // A record of an S3 notification.
    pub(super) s3: Option<Detail<'a>>,
    pub(super) event_name: Text<'a>,
    pub(super) event_time: Text<'a>,
    pub(super) aws_region: Text<'a>,
    /// `x-amz-request-id` of `responseElements`.
    pub(super) request_id: Text<'a>,
    /// `s3:TestEvent`, which S3 sends when a notification is set up.
    pub(super) event: Text<'a>,

    /// `Sns` of a record.
    pub(super) sns: Option<Sns<'a>>,
    /// The members of an SNS notification on their own, as a queue gets them.
    pub(super) envelope: Sns<'a>,

    // A message of SQS.
    pub(super) message_id: Text<'a>,
    /// Whether there was a `body`, which is elsewhere.
    pub(super) has_body: bool,
    /// `MessageGroupId` of `attributes`.
    pub(super) group: Text<'a>,
    /// The queue's ARN.
    pub(super) source_arn: Text<'a>,

    /// Whether there was no member at all.
    pub(super) is_empty: bool,
}

impl<'a> Object<'a> {
    /// Reads an object; `None` for a value of another type, which is skipped. Its
    /// `body` is written over `body`, and its `Records` are left to `records`,
    /// which says whether they were a list.
    pub(super) fn read(
        cursor: &mut Cursor<'a>,
        body: &mut String,
        mut records: impl FnMut(&mut Cursor<'a>) -> Result<bool, Malformed>,
    ) -> Result<Option<Self>, Malformed> {
        let mut object = Self { is_empty: true, ..Self::default() };
        let is_object = cursor.object(|name, cursor| {
            object.is_empty = false;
            match name {
                "Records" => object.has_records |= records(cursor)?,
                "eventSource" => object.event_source = cursor.text()?,
                "source" => object.source = cursor.text()?,
                "detail-type" => object.detail_type = cursor.text()?,
                "detail" => object.detail = Detail::read(cursor)?,
                "id" => object.id = cursor.text()?,
                "time" => object.time = cursor.text()?,
                "account" => object.account = cursor.text()?,
                "region" => object.region = cursor.text()?,
                "replay-name" => object.replay_name = cursor.text()?,
                "Data" => object.data = Some(cursor.skip()?),
                "s3" => object.s3 = Detail::read(cursor)?,
                "eventName" => object.event_name = cursor.text()?,
                "eventTime" => object.event_time = cursor.text()?,
                "awsRegion" => object.aws_region = cursor.text()?,
                "responseElements" => object.request_id = member(cursor, "x-amz-request-id")?,
                "Event" => object.event = cursor.text()?,
                "Sns" => object.sns = Sns::read(cursor)?,
                "Type" | "TopicArn" | "Message" => object.envelope.member(name, cursor)?,
                "messageId" => object.message_id = cursor.text()?,
                "body" => object.has_body = read_body(cursor, body)?,
                "attributes" => object.group = member(cursor, "MessageGroupId")?,
                "eventSourceARN" => object.source_arn = cursor.text()?,
                _ => cursor.skip().map(drop)?,
            }
            Ok(())
        })?;
        Ok(is_object.then_some(object))
    }

    /// Whether this is an EventBridge event, be it reduced.
    pub(super) fn is_event(&self) -> bool {
        self.source.is_some() || self.detail_type.is_some() || self.detail.is_some()
    }

    /// Whether this is an SQS message. Lambda says `aws:sqs`; whoever reshapes
    /// messages in Pipes may not.
    pub(super) fn is_message(&self) -> bool {
        self.event_source.as_deref() == Some("aws:sqs")
            || (self.message_id.is_some() && self.has_body)
    }
}

/// Writes a message's body over `body`; `false` if there is none. Pipes parse it
/// when an input transformer passes it on.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html>
fn read_body(cursor: &mut Cursor<'_>, body: &mut String) -> Result<bool, Malformed> {
    if !(cursor.is_object() || cursor.is_array()) {
        return cursor.text_into(body);
    }
    body.clear();
    body.push_str(cursor.skip()?);
    Ok(true)
}

/// What a topic sent.
#[derive(Default)]
pub(super) struct Sns<'a> {
    /// `Type`: a notification, or the request to confirm a subscription.
    pub(super) kind: Text<'a>,
    pub(super) message: Text<'a>,
    topic: Text<'a>,
}

impl<'a> Sns<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Option<Self>, Malformed> {
        let mut sns = Self::default();
        let is_object = cursor.object(|name, cursor| sns.member(name, cursor))?;
        Ok(is_object.then_some(sns))
    }

    fn member(&mut self, name: &str, cursor: &mut Cursor<'a>) -> Result<(), Malformed> {
        match name {
            "Type" => self.kind = cursor.text()?,
            "Message" => self.message = cursor.text()?,
            "TopicArn" => self.topic = cursor.text()?,
            _ => cursor.skip().map(drop)?,
        }
        Ok(())
    }

    /// Whether an object with these members came from a topic.
    pub(super) fn is_envelope(&self) -> bool {
        self.topic.is_some() || self.kind.as_deref() == Some("Notification")
    }
}

/// One string member of an object, of which nothing else matters.
fn member<'a>(cursor: &mut Cursor<'a>, wanted: &str) -> Result<Text<'a>, Malformed> {
    let mut text = None;
    cursor.object(|name, cursor| {
        if name == wanted {
            text = cursor.text()?;
        } else {
            cursor.skip()?;
        }
        Ok(())
    })?;
    Ok(text)
}

/// `detail` of an EventBridge event, and `s3` of a notification's record.
#[derive(Default)]
pub(super) struct Detail<'a> {
    /// `bucket.name`
    pub(super) bucket: Text<'a>,
    /// `object.key`, as it was spelled.
    pub(super) key: Text<'a>,
    /// `object.size`, when it is a number a size can be: whole, not negative,
    /// within 64 bits.
    pub(super) size: Option<u64>,
    /// `object.version-id` or `object.versionId`
    pub(super) version_id: Text<'a>,
    /// `object.sequencer`
    pub(super) sequencer: Text<'a>,
    pub(super) request_id: Text<'a>,
    pub(super) reason: Text<'a>,
    pub(super) deletion_type: Text<'a>,
}

impl<'a> Detail<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Option<Self>, Malformed> {
        let mut detail = Self::default();
        let is_object = cursor.object(|name, cursor| {
            match name {
                "bucket" => detail.bucket = member(cursor, "name")?,
                "object" => detail.object(cursor)?,
                "request-id" => detail.request_id = cursor.text()?,
                "reason" => detail.reason = cursor.text()?,
                "deletion-type" => detail.deletion_type = cursor.text()?,
                _ => cursor.skip().map(drop)?,
            }
            Ok(())
        })?;
        Ok(is_object.then_some(detail))
    }

    fn object(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Malformed> {
        (self.key, self.size, self.version_id, self.sequencer) = Default::default();
        cursor.object(|name, cursor| {
            match name {
                "key" => self.key = cursor.text()?,
                "size" => self.size = cursor.skip()?.parse().ok(),
                "version-id" | "versionId" => self.version_id = cursor.text()?,
                "sequencer" => self.sequencer = cursor.text()?,
                _ => cursor.skip().map(drop)?,
            }
            Ok(())
        })?;
        Ok(())
    }
}
