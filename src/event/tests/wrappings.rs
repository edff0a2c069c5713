//! Random changes, put into every wrapping, come out as they went in.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{Delivery, Identity, Kind, Occurrence, Source, envelope, message, read, records, sns};
use crate::event::Change;

/// A change as S3 would tell it in both ways.
#[derive(Clone, Debug)]
struct Told {
    kind: Kind,
    bucket: String,
    key: String,
    size: Option<u64>,
    version_id: Option<String>,
    sequencer: Option<String>,
    id: String,
    replay: Option<String>,
}

impl Told {
    fn occurrence(&self) -> Occurrence<'_> {
        self.sequencer.as_deref().map_or(Occurrence::Event(&self.id), Occurrence::Sequencer)
    }

    /// What should be read, from an event or from a notification.
    fn change(&self, is_event: bool) -> Change {
        let replay = self.replay.as_deref().filter(|_| is_event);
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
                self.occurrence(),
                replay,
            ),
        }
    }

    fn event(&self) -> Value {
        let (detail_type, reason, deletion) = match self.kind {
            Kind::Created => ("Object Created", "CopyObject", ""),
            Kind::Deleted => ("Object Deleted", "DeleteObject", "Permanently Deleted"),
            Kind::VersionExpired => {
                ("Object Deleted", "Lifecycle Expiration", "Permanently Deleted")
            }
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

    /// A document that holds the change alone, and the change as it should be
    /// read.
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
            _ => (json!([event]), true),
        };
        (document, self.change(is_event))
    }
}

/// Forms that are no array, and so may be elements of one.
const OBJECT_FORMS: usize = 8;
const FORMS: usize = 9;

fn told() -> impl Strategy<Value = Told> {
    let key = prop_oneof![
        "[a-z]{1,8}(/[a-z0-9.-]{1,8}){0,3}",
        "[+% /\"'\\\\~*#?&a-c\u{0}-\u{1f}한é🍋]{1,12}",
        "(%[0-9A-Fa-f]{2}|%|[+]| ){1,6}",
        any::<String>().prop_filter("keys are not empty", |key| !key.is_empty()),
    ];
    let version_id = prop::option::of("[A-Za-z0-9._]{1,32}");
    let sequencer = prop::option::of("[0-9A-Fa-f]{2,18}");
    (
        select(&Kind::ALL[..]),
        "[a-z][a-z0-9.-]{2,20}",
        key,
        any::<Option<u64>>(),
        version_id,
        sequencer,
        "[0-9a-f]{8}",
        prop::option::of("[a-z]{1,5}"),
    )
        .prop_map(|(kind, bucket, key, size, version_id, sequencer, id, replay)| {
            let version_id = match kind {
                Kind::VersionExpired => Some(version_id.unwrap_or_else(|| "v1".into())),
                _ => version_id,
            };
            Told { kind, bucket, key, size, version_id, sequencer, id, replay }
        })
}

/// The JSON with every object's members in reverse.
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

/// The deliveries, each with its id and its changes, and nothing else in them.
fn changes(deliveries: Vec<Delivery>) -> Vec<(Option<String>, Vec<Change>)> {
    deliveries
        .into_iter()
        .inspect(|delivery| assert_eq!((&delivery.unreadable[..], delivery.skipped), (&[][..], 0)))
        .map(|delivery| (delivery.id, delivery.changes))
        .collect()
}

proptest! {
    #[test]
    fn one_document(told in told(), form in 0..FORMS) {
        let (document, change) = told.document(form);
        for text in [document.to_string(), reversed(&document)] {
            let payload = read(&text).unwrap();
            prop_assert_eq!(payload.source, Source::Direct);
            prop_assert_eq!(changes(payload.deliveries), [(None, vec![change.clone()])]);
        }
    }

    #[test]
    fn an_array_of_documents(told in prop::collection::vec((told(), 0..OBJECT_FORMS), 1..6)) {
        let (documents, expected): (Vec<_>, Vec<_>) =
            told.iter().map(|(told, form)| told.document(*form)).unzip();
        let payload = read(&reversed(&Value::from(documents))).unwrap();
        prop_assert_eq!(payload.source, Source::Direct);
        prop_assert_eq!(changes(payload.deliveries), [(None, expected)]);
    }

    #[test]
    fn a_notification_of_records(told in prop::collection::vec(told(), 1..6)) {
        let payload = records(told.iter().map(Told::record));
        let expected: Vec<_> = told.iter().map(|told| told.change(false)).collect();
        let payload = read(&payload.to_string()).unwrap();
        prop_assert_eq!(changes(payload.deliveries), [(None, expected)]);
    }

    #[test]
    fn a_queue_of_messages(
        told in prop::collection::vec((told(), 0..FORMS), 1..6),
        from_pipes: bool,
        reverse: bool,
    ) {
        let (mut messages, mut expected) = (Vec::new(), Vec::new());
        for (at, (told, form)) in told.iter().enumerate() {
            let (document, change) = told.document(*form);
            messages.push(message(&format!("m{at}"), &document));
            expected.push((Some(format!("m{at}")), vec![change]));
        }
        let payload = if from_pipes { Value::from(messages) } else { records(messages) };
        let text = if reverse { reversed(&payload) } else { payload.to_string() };
        let payload = read(&text).unwrap();
        prop_assert_eq!(payload.source, Source::Queue);
        prop_assert_eq!(changes(payload.deliveries), expected);
    }

    /// Whatever breaks in one message, the others and all ids are still there.
    #[test]
    fn a_broken_body_harms_no_neighbour(
        told in told(),
        broken in "[\\[\\]{}:,\"\\\\a0 ]{1,20}",
        place in 0..3_usize,
    ) {
        let (document, change) = told.document(0);
        let mut messages = vec![message("m1", &document), message("m2", &document)];
        messages.insert(place, message("broken", &Value::from(broken)));
        let payload = read(&records(messages).to_string()).unwrap();
        prop_assert_eq!(payload.deliveries.len(), 3);
        for (at, delivery) in payload.deliveries.iter().enumerate() {
            if at == place {
                prop_assert_eq!(delivery.id.as_deref(), Some("broken"));
                prop_assert_eq!(&delivery.changes, &[]);
            } else {
                prop_assert_eq!(&delivery.changes[..], std::slice::from_ref(&change));
            }
        }
    }
}
