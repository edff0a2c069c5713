//! S3 events from EventBridge; their keys are raw.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>

use super::{
    Change, Identity, Kind, Occurrence, Unreadable, change,
    collector::Names,
    object::{Object, S3Detail},
    unreadable::Quoted,
};

/// Reads an event; `None` if no rule can match it.
pub(super) fn read(
    event: &Object<'_>,
    delivery_id: &str,
    names: &mut Names,
) -> Result<Option<Change>, Unreadable> {
    let (Some(source), Some(detail_type), Some(detail)) =
        (&*event.source, &*event.detail_type, &*event.detail)
    else {
        return Err(incomplete(event));
    };
    if source != "aws.s3" {
        return Err(Unreadable::new(format!(
            "an event of {} ({}), not of `aws.s3`; add \"source\": [\"aws.s3\"] to the event \
             pattern of the rule",
            Quoted(source),
            Quoted(detail_type),
        )));
    }
    let Some(kind) = kind(detail_type, detail) else {
        return Ok(None);
    };
    let missing = |member| {
        let id = event.id.as_deref().map(|id| format!(" {}", Quoted(id))).unwrap_or_default();
        Unreadable::new(format!(
            "{} event{id} without {member}; an input transformer must keep it",
            Quoted(detail_type)
        ))
    };
    let object = &detail.object;
    let bucket = detail.bucket.name.as_deref().ok_or_else(|| missing("`detail.bucket.name`"))?;
    let key = object.key.as_deref().ok_or_else(|| missing("`detail.object.key`"))?;
    let id = event.id.as_deref().or(detail.request_id.as_deref());
    let occurrence = Occurrence::first(object.sequencer.as_deref(), id, delivery_id);
    let (version_id, replay) = (object.version_id.as_deref(), event.replay_name.as_deref());
    Ok(Some(Change {
        bucket: names.share(bucket),
        key: key.to_owned(),
        kind,
        time_ms: event.time.as_deref().and_then(change::milliseconds),
        size: *object.size,
        account: event.account.as_deref().map(|account| names.share(account)),
        region: event.region.as_deref().map(|region| names.share(region)),
        identity: Identity::new(bucket, key, kind, version_id, occurrence, replay),
    }))
}

/// Returns the kind of change, or `None` if no rule can match the event.
fn kind(detail_type: &str, detail: &S3Detail<'_>) -> Option<Kind> {
    Some(match detail_type {
        "Object Created" => Kind::Created,
        // Lifecycle removes noncurrent versions, which viewers do not see. A
        // version that was deleted by hand may have been the current one: the
        // event does not say.
        "Object Deleted"
            if detail.reason.as_deref() == Some("Lifecycle Expiration")
                && detail.deletion_type.as_deref() == Some("Permanently Deleted")
                && detail.object.version_id.is_some() =>
        {
            Kind::VersionExpired
        }
        "Object Deleted" => Kind::Deleted,
        "Object Restore Completed" => Kind::Restored,
        "Object Restore Expired" => Kind::RestoreExpired,
        "Object ACL Updated" => Kind::AclUpdated,
        "Object Tags Added" | "Object Tags Deleted" => Kind::TagsChanged,
        "Object Storage Class Changed" => Kind::StorageClassChanged,
        "Object Access Tier Changed" => Kind::AccessTierChanged,
        "Object Annotation Created" | "Object Annotation Removed" => Kind::AnnotationsChanged,
        // Includes "Object Restore Initiated": the object is not readable yet.
        _ => return None,
    })
}

/// Returns the error of an event that lacks a member every event has.
fn incomplete(event: &Object<'_>) -> Unreadable {
    let members = [
        ("`source`", event.source.is_some()),
        ("`detail-type`", event.detail_type.is_some()),
        ("`detail`", event.detail.is_some()),
    ];
    let missing: Vec<_> =
        members.iter().filter(|(_, exists)| !exists).map(|(name, _)| *name).collect();
    Unreadable::new(format!(
        "an EventBridge event without {}; an input transformer must keep `source`, \
         `detail-type` and `detail`",
        missing.join(" and "),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds() {
        use Kind::*;
        const LIFECYCLE: &str = "Lifecycle Expiration";
        const PERMANENT: &str = "Permanently Deleted";
        const MARKER: &str = "Delete Marker Created";
        for (detail_type, reason, deletion, version, expected) in [
            ("Object Created", "PutObject", "", "", Some(Created)),
            ("Object Created", "a new reason", "", "v", Some(Created)),
            ("Object Deleted", "DeleteObject", "", "", Some(Deleted)),
            ("Object Deleted", "DeleteObject", PERMANENT, "v", Some(Deleted)),
            ("Object Deleted", "DeleteObject", MARKER, "v", Some(Deleted)),
            ("Object Deleted", LIFECYCLE, MARKER, "v", Some(Deleted)),
            ("Object Deleted", LIFECYCLE, PERMANENT, "", Some(Deleted)),
            ("Object Deleted", LIFECYCLE, PERMANENT, "v", Some(VersionExpired)),
            ("Object Deleted", "", PERMANENT, "v", Some(Deleted)),
            ("Object Created", LIFECYCLE, PERMANENT, "v", Some(Created)),
            ("Object Restore Initiated", "", "", "v", None),
            ("Object Restore Completed", "", "", "v", Some(Restored)),
            ("Object Restore Expired", "", "", "v", Some(RestoreExpired)),
            ("Object ACL Updated", "", "", "", Some(AclUpdated)),
            ("Object Tags Added", "", "", "", Some(TagsChanged)),
            ("Object Tags Deleted", "", "", "", Some(TagsChanged)),
            ("Object Storage Class Changed", "", "", "", Some(StorageClassChanged)),
            ("Object Access Tier Changed", "", "", "", Some(AccessTierChanged)),
            ("Object Annotation Created", "", "", "", Some(AnnotationsChanged)),
            ("Object Annotation Removed", "", "", "", Some(AnnotationsChanged)),
            ("AWS API Call via CloudTrail", "", "", "", None),
            ("object created", "", "", "", None),
        ] {
            let detail = json!({
                "object": {"version-id": version}, "reason": reason, "deletion-type": deletion,
            })
            .to_string();
            let kind = kind(detail_type, &serde_json::from_str(&detail).expect("a detail"));
            assert_eq!(kind, expected, "{detail_type}: {detail}");
        }
    }
}
