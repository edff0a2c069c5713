//! Random changes, put into every wrapping, are read back unchanged.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    Delivery, Identity, Kind, Occurrence, PayloadSource, envelope, message, read, records, sns,
    without,
};
use crate::event::Change;

/// The data of an event of either format.
#[derive(Clone, Debug)]
struct Sample {
    kind: Kind,
    bucket: String,
    key: String,
    size: Option<u64>,
    version_id: Option<String>,
    sequencer: Option<String>,
    id: String,
    replay: Option<String>,
}

impl Sample {
    /// The change that should be read from an event or from a notification.
    fn change(&self, is_event: bool) -> Change {
        let sequencer = self.sequencer.as_deref();
        let occurrence = sequencer.map_or(Occurrence::Event(&self.id), Occurrence::Sequencer);
        Change {
            bucket: self.bucket.as_str().into(),
            key: self.key.clone(),
            kind: self.kind,
            time_ms: Some(1_790_843_400_250),
            size: self.size,
            account: is_event.then(|| "111122223333".into()),
            region: Some("eu-west-1".into()),
            identity: Identity::new(
                &self.bucket,
                &self.key,
                self.kind,
                self.version_id.as_deref(),
                occurrence,
                self.replay.as_deref().filter(|_| is_event),
            ),
        }
    }

    fn event(&self) -> Value {
        const PERMANENT: &str = "Permanently Deleted";
        let (detail_type, reason, deletion) = match self.kind {
            Kind::Created => ("Object Created", "CopyObject", ""),
            Kind::Deleted => ("Object Deleted", "DeleteObject", PERMANENT),
            Kind::VersionExpired => ("Object Deleted", "Lifecycle Expiration", PERMANENT),
            Kind::Restored => ("Object Restore Completed", "", ""),
            Kind::RestoreExpired => ("Object Restore Expired", "", ""),
            Kind::AclUpdated => ("Object ACL Updated", "", ""),
            Kind::TagsChanged => ("Object Tags Deleted", "", ""),
            Kind::StorageClassChanged => ("Object Storage Class Changed", "", ""),
            Kind::AccessTierChanged => ("Object Access Tier Changed", "", ""),
            Kind::AnnotationsChanged => ("Object Annotation Removed", "", ""),
        };
        json!({
            "id": self.id,
            "detail-type": detail_type,
            "source": "aws.s3",
            "account": "111122223333",
            "time": "2026-10-01T08:30:00.25Z",
            "region": "eu-west-1",
            "replay-name": self.replay,
            "detail": {
                "bucket": {"name": self.bucket},
                "object": {
                    "key": self.key,
                    "size": self.size,
                    "version-id": self.version_id,
                    "sequencer": self.sequencer,
                },
                "reason": reason,
                "deletion-type": deletion,
            }
        })
    }

    fn record(&self) -> Value {
        let name = match self.kind {
            Kind::Created => "ObjectCreated:CompleteMultipartUpload",
            Kind::Deleted => "ObjectRemoved:DeleteMarkerCreated",
            Kind::VersionExpired => "LifecycleExpiration:Delete",
            Kind::Restored => "ObjectRestore:Completed",
            Kind::RestoreExpired => "ObjectRestore:Delete",
            Kind::AclUpdated => "ObjectAcl:Put",
            Kind::TagsChanged => "ObjectTagging:Delete",
            Kind::StorageClassChanged => "LifecycleTransition",
            Kind::AccessTierChanged => "IntelligentTiering",
            Kind::AnnotationsChanged => "ObjectAnnotation:Put",
        };
        let key = utf8_percent_encode(&self.key, NON_ALPHANUMERIC).to_string().replace("%20", "+");
        json!({
            "eventSource": "aws:s3",
            "awsRegion": "eu-west-1",
            "eventTime": "2026-10-01T08:30:00.250Z",
            "eventName": name,
            "responseElements": {"x-amz-request-id": self.id},
            "s3": {
                "bucket": {"name": self.bucket},
                "object": {
                    "key": key,
                    "size": self.size,
                    "versionId": self.version_id,
                    "sequencer": self.sequencer,
                },
            }
        })
    }

    /// A document with the change, and the change that should be read.
    fn document(&self, form: usize) -> (Value, Change) {
        let (event, record) = (self.event(), self.record());
        let data = json!({"Metadata": {}, "Data": event});
        let (document, is_event) = match form {
            0 => (event, true),
            1 => (data, true),
            2 => (records([record]), false),
            3 => (envelope(&event), true),
            4 => (envelope(&records([record])), false),
            5 => (records([sns(&event)]), true),
            6 => (records([sns(&records([record]))]), false),
            7 => (envelope(&json!([data])), true),
            8 => (json!({"requestContext": {}, "requestPayload": data}), true),
            _ => (json!([event]), true),
        };
        (document, self.change(is_event))
    }
}

/// The forms of a document that are not an array, and so may be in one.
const OBJECT_FORMS: usize = 9;
const FORMS: usize = 10;

fn sample() -> impl Strategy<Value = Sample> {
    let key = prop_oneof![
        "[a-z]{1,8}(/[a-z0-9.-]{1,8}){0,3}",
        "[+% /\"'\\\\~*#?&a-c\u{0}-\u{1f}한é🍋]{1,12}",
        "(%[0-9A-Fa-f]{2}|%|[+]| ){1,6}",
        any::<String>().prop_filter("keys are not empty", |key| !key.is_empty()),
    ];
    (
        select(&Kind::ALL[..]),
        "[a-z][a-z0-9.-]{2,20}",
        key,
        any::<Option<u64>>(),
        prop::option::of("[A-Za-z0-9._]{1,32}"),
        prop::option::of("[0-9A-Fa-f]{2,18}"),
        "[0-9a-f]{8}",
        prop::option::of("[a-z]{1,5}"),
    )
        .prop_map(|(kind, bucket, key, size, mut version_id, sequencer, id, replay)| {
            if kind == Kind::VersionExpired {
                version_id.get_or_insert_with(|| "v1".into());
            }
            Sample { kind, bucket, key, size, version_id, sequencer, id, replay }
        })
}

/// The JSON with the members of every object in reverse.
fn reversed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let member = |(name, value)| format!("{} : {}", Value::from(name), reversed(value));
            let members: Vec<_> =
                members.iter().rev().map(|(name, value)| member((&**name, value))).collect();
            format!("{{ {} }}", members.join(" , "))
        }
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(reversed).collect();
            format!("[ {} ]\n", elements.join(","))
        }
        other => other.to_string(),
    }
}

/// Elements of a batch: messages of all kinds, and what is none.
const ELEMENTS: [fn(&str, &Value) -> String; 9] = [
    |id, document| message(id, document).to_string(),
    |id, document| message(id, document).to_string(),
    |id, document| message(id, document).to_string(),
    |id, document| reversed(&message(id, document)),
    |id, document| json!({"messageId": id, "body": document}).to_string(),
    |id, _| json!({"messageId": id, "body": "{", "eventSource": "aws:sqs"}).to_string(),
    |id, document| {
        let group = json!({"MessageGroupId": id});
        let queue = format!("arn:aws:sqs:eu-west-1:111122223333:{id}.fifo");
        let attributes = json!({"attributes": group, "eventSourceARN": queue});
        let message = message(id, document).to_string();
        format!("{}, {}", &message[..message.len() - 1], &attributes.to_string()[1..])
    },
    |id, document| without(message(id, document), "", "messageId").to_string(),
    |id, _| format!(r#"{{"messageId": "{id}", "messageId": "x", "body": "{{}}"}}"#),
];

/// The id and the changes of each delivery, which must hold nothing else.
fn changes(deliveries: Vec<Delivery>) -> Vec<(Option<String>, Vec<Change>)> {
    deliveries
        .into_iter()
        .inspect(|delivery| assert_eq!((&delivery.unreadable[..], delivery.skipped), (&[][..], 0)))
        .map(|delivery| (delivery.id, delivery.changes))
        .collect()
}

proptest! {
    #[test]
    fn direct_documents(
        samples in prop::collection::vec((sample(), 0..OBJECT_FORMS), 1..6),
        is_array: bool,
    ) {
        let (mut documents, mut expected): (Vec<_>, Vec<_>) =
            samples.iter().map(|(sample, form)| sample.document(*form)).unzip();
        let payload = if is_array {
            Value::from(documents)
        } else {
            expected.truncate(1);
            documents.swap_remove(0)
        };
        for text in [payload.to_string(), reversed(&payload)] {
            let payload = read(&text).unwrap();
            prop_assert_eq!(payload.source, PayloadSource::Direct);
            prop_assert_eq!(changes(payload.deliveries), [(None, expected.clone())]);
        }
    }

    #[test]
    fn queue_messages(
        samples in prop::collection::vec((sample(), 0..FORMS), 1..6),
        from_pipes: bool,
    ) {
        let (mut messages, mut expected) = (Vec::new(), Vec::new());
        for (at, (sample, form)) in samples.iter().enumerate() {
            let (document, change) = sample.document(*form);
            messages.push(message(&format!("m{at}"), &document));
            expected.push((Some(format!("m{at}")), vec![change]));
        }
        let payload = if from_pipes { Value::from(messages) } else { records(messages) };
        for text in [payload.to_string(), reversed(&payload)] {
            let payload = read(&text).unwrap();
            prop_assert_eq!(payload.source, PayloadSource::Queue);
            prop_assert_eq!(changes(payload.deliveries), expected.clone());
        }
    }

    /// A batch is read in one pass; with another member, it is not.
    #[test]
    fn a_batch_reads_as_its_elements(
        elements in prop::collection::vec(("[a-z]{2}", sample(), 0..FORMS, select(&ELEMENTS[..])), 0..6),
    ) {
        let elements: Vec<_> = elements
            .iter()
            .map(|(id, sample, form, element)| element(id, &sample.document(*form).0))
            .collect();
        let batch = format!(r#"{{"Records": [{}]}}"#, elements.join(","));
        let mixed = batch.replacen('{', r#"{"other": 0, "#, 1);
        prop_assert_eq!(format!("{:?}", read(&batch)), format!("{:?}", read(&mixed)));
    }

    /// Whatever is wrong with a body, the other messages and all ids are read.
    #[test]
    fn a_bad_body_fails_alone(
        sample in sample(),
        bad in "[\\[\\]{}:,\"\\\\a0 ]{1,20}",
        position in 0..3_usize,
    ) {
        let (document, change) = sample.document(0);
        let mut messages = vec![message("m1", &document), message("m2", &document)];
        messages.insert(position, message("bad", &Value::from(bad)));
        let payload = read(&records(messages).to_string()).unwrap();
        prop_assert_eq!(payload.deliveries.len(), 3);
        for (at, delivery) in payload.deliveries.iter().enumerate() {
            if at == position {
                prop_assert_eq!(delivery.id.as_deref(), Some("bad"));
                prop_assert_eq!(&delivery.changes, &[]);
            } else {
                prop_assert_eq!(&delivery.changes[..], std::slice::from_ref(&change));
            }
        }
    }
}
