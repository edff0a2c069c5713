//! S3 events as S3's own notifications tell them: keys are form-encoded.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{
    Change, Identity, Kind, Occurrence, Unreadable,
    collector::{Collector, Names},
    time,
    unreadable::Quoted,
    wire::{Detail, Object, ResponseElements},
};

/// Reads one record of a notification.
pub(super) fn read(
    record: &Object<'_>,
    s3: &str,
    names: &mut Names,
    into: &mut Collector<'_>,
) -> Result<(), Unreadable> {
    let Some(event_name) = record.event_name.get() else {
        return Err(Unreadable::new("an S3 record without `eventName`"));
    };
    let s3: Detail<'_> =
        serde_json::from_str(s3).map_err(|error| Unreadable::member("s3", &error))?;
    let version_id = s3.version_id();
    let Some(kind) = kind(event_name, version_id.is_some()) else {
        into.skip();
        return Ok(());
    };
    let missing =
        |member| Unreadable::new(format!("a record of {} without {member}", Quoted(event_name)));
    let bucket = s3.bucket().ok_or_else(|| missing("`s3.bucket.name`"))?;
    let encoded = s3.key().ok_or_else(|| missing("`s3.object.key`"))?;
    let key = decode(encoded).ok_or_else(|| {
        Unreadable::new(format!(
            "key {} of bucket {} does not decode to UTF-8, as every S3 key does",
            Quoted(encoded),
            Quoted(bucket),
        ))
    })?;
    let answer: ResponseElements<'_> = record
        .response_elements
        .and_then(|elements| serde_json::from_str(elements.get()).ok())
        .unwrap_or_default();
    let occurrence = match (s3.sequencer(), answer.request_id.get()) {
        (Some(sequencer), _) => Occurrence::Sequencer(sequencer),
        (None, Some(id)) => Occurrence::Event(id),
        (None, None) => Occurrence::Delivery(into.id),
    };
    into.add(Change {
        bucket: names.share(bucket),
        kind,
        time_ms: record.event_time.get().and_then(time::milliseconds),
        size: s3.size(),
        account: None,
        region: record.aws_region.get().map(|region| names.share(region)),
        identity: Identity::new(bucket, &key, kind, version_id, occurrence, None),
        key,
    });
    Ok(())
}

/// What happened, or `None` when it is nothing that a rule can ask for.
fn kind(event_name: &str, has_version: bool) -> Option<Kind> {
    let name = event_name.strip_prefix("s3:").unwrap_or(event_name);
    let (family, action) = name.split_once(':').unwrap_or((name, ""));
    Some(match (family, action) {
        ("ObjectCreated", _) => Kind::Created,
        ("LifecycleExpiration", "Delete") if has_version => Kind::VersionExpired,
        ("ObjectRemoved" | "LifecycleExpiration", _) => Kind::Deleted,
        ("ObjectRestore", "Completed") => Kind::Restored,
        ("ObjectRestore", "Delete") => Kind::RestoreExpired,
        ("ObjectAcl", _) => Kind::AclUpdated,
        ("ObjectTagging", _) => Kind::TagsChanged,
        ("LifecycleTransition", _) => Kind::StorageClassChanged,
        ("IntelligentTiering", _) => Kind::AccessTierChanged,
        ("ObjectAnnotation", _) => Kind::AnnotationsChanged,
        // `ObjectRestore:Post` among them: nothing can be read yet.
        _ => return None,
    })
}

/// The key as it is in S3. `+` first: a `%2B` becomes a plus that stays one.
/// Percent signs that start no byte stay as they are.
fn decode(encoded: &str) -> Option<String> {
    let spaced = if encoded.contains('+') {
        Cow::Owned(encoded.replace('+', " "))
    } else {
        Cow::Borrowed(encoded)
    };
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}
