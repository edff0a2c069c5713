//! S3 events as EventBridge tells them: keys are raw.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>

use super::{
    Change, Identity, Kind, Occurrence, Unreadable,
    collector::{Collector, Names},
    time,
    unreadable::Quoted,
    wire::{Detail, Object},
};

/// Reads the event that `event` is.
pub(super) fn read(
    event: &Object<'_>,
    names: &mut Names,
    into: &mut Collector<'_>,
) -> Result<(), Unreadable> {
    let (source, detail_type) = (event.source.get(), event.detail_type.get());
    let (Some(source), Some(detail_type), Some(detail)) = (source, detail_type, event.detail)
    else {
        return Err(reduced(event));
    };
    if source != "aws.s3" {
        return Err(Unreadable::new(format!(
            "an event of {} ({}), not of `aws.s3`; let the rule's event pattern ask for \
             \"source\": [\"aws.s3\"]",
            Quoted(source),
            Quoted(detail_type),
        )));
    }
    let detail: Detail<'_> =
        serde_json::from_str(detail.get()).map_err(|error| Unreadable::member("detail", &error))?;
    let Some(kind) = kind(detail_type, &detail) else {
        into.skip();
        return Ok(());
    };
    let missing = |member| {
        let id = event.id.get().map(|id| format!(" {}", Quoted(id))).unwrap_or_default();
        Unreadable::new(format!("{} event{id} without {member}", Quoted(detail_type)))
    };
    let bucket = detail.bucket().ok_or_else(|| missing("`detail.bucket.name`"))?;
    let key = detail.key().ok_or_else(|| missing("`detail.object.key`"))?;
    let occurrence = match (detail.sequencer(), event.id.get().or(detail.request_id.get())) {
        (Some(sequencer), _) => Occurrence::Sequencer(sequencer),
        (None, Some(id)) => Occurrence::Event(id),
        (None, None) => Occurrence::Delivery(into.id),
    };
    let (version_id, replay) = (detail.version_id(), event.replay_name.get());
    into.add(Change {
        bucket: names.share(bucket),
        key: key.to_owned(),
        kind,
        time_ms: event.time.get().and_then(time::milliseconds),
        size: detail.size(),
        account: event.account.get().map(|account| names.share(account)),
        region: event.region.get().map(|region| names.share(region)),
        identity: Identity::new(bucket, key, kind, version_id, occurrence, replay),
    });
    Ok(())
}

/// What happened, or `None` when it is nothing that a rule can ask for.
fn kind(detail_type: &str, detail: &Detail<'_>) -> Option<Kind> {
    Some(match detail_type {
        "Object Created" => Kind::Created,
        // A noncurrent version that lifecycle removes is no change for readers.
        // Whoever deletes a version by hand may mean the current one: the event
        // does not tell.
        "Object Deleted"
            if detail.reason.is("Lifecycle Expiration")
                && detail.deletion_type.is("Permanently Deleted")
                && detail.version_id().is_some() =>
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
        // "Object Restore Initiated" among them: nothing can be read yet.
        _ => return None,
    })
}

/// An event that an input transformer reduced too far.
fn reduced(event: &Object<'_>) -> Unreadable {
    let members = [
        ("`source`", event.source.get().is_some()),
        ("`detail-type`", event.detail_type.get().is_some()),
        ("`detail`", event.detail.is_some()),
    ];
    let missing: Vec<_> =
        members.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
    Unreadable::new(format!(
        "an EventBridge event without {}; an input transformer must keep `source`, \
         `detail-type` and `detail`",
        missing.join(" and "),
    ))
}
