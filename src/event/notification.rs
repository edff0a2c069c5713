//! S3 event notifications; their keys are form-encoded.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{
    Change, Identity, Kind, Occurrence, Unreadable, change,
    collector::Names,
    object::{Object, S3Detail},
    unreadable::Quoted,
};

/// Reads a record, whose member `s3` is given too; `None` if no rule can match it.
pub(super) fn read(
    record: &Object<'_>,
    s3: &S3Detail<'_>,
    delivery_id: &str,
    names: &mut Names,
) -> Result<Option<Change>, Unreadable> {
    let Some(event_name) = record.event_name.as_deref() else {
        return Err(Unreadable::new("an S3 record without `eventName`; a forwarder must keep it"));
    };
    let version_id = s3.object.version_id.as_deref();
    let Some(kind) = kind(event_name, version_id.is_some()) else {
        return Ok(None);
    };
    let missing = |member| {
        Unreadable::new(format!(
            "a record of {} without {member}; a forwarder must keep it",
            Quoted(event_name)
        ))
    };
    let bucket = s3.bucket.name.as_deref().ok_or_else(|| missing("`s3.bucket.name`"))?;
    let encoded = s3.object.key.as_deref().ok_or_else(|| missing("`s3.object.key`"))?;
    let key = decode(encoded).ok_or_else(|| {
        Unreadable::new(format!(
            "key {} of bucket {} does not decode to UTF-8, as every S3 key does",
            Quoted(encoded),
            Quoted(bucket),
        ))
    })?;
    let request_id = record.response_elements.request_id.as_deref();
    let occurrence = Occurrence::first(s3.object.sequencer.as_deref(), request_id, delivery_id);
    Ok(Some(Change {
        bucket: names.share(bucket),
        kind,
        time_ms: record.event_time.as_deref().and_then(change::milliseconds),
        size: *s3.object.size,
        account: None,
        region: record.aws_region.as_deref().map(|region| names.share(region)),
        identity: Identity::new(bucket, &key, kind, version_id, occurrence, None),
        key,
    }))
}

/// Returns the kind of change, or `None` if no rule can match the event.
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
        // Includes `ObjectRestore:Post`: the object is not readable yet.
        _ => return None,
    })
}

/// Decodes a key. `+` is replaced first, so that a `%2B` becomes a plus.
fn decode(encoded: &str) -> Option<String> {
    let spaced = if encoded.contains('+') {
        Cow::Owned(encoded.replace('+', " "))
    } else {
        Cow::Borrowed(encoded)
    };
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        use Kind::*;
        for (name, has_version, expected) in [
            ("ObjectCreated:Put", false, Some(Created)),
            ("ObjectCreated:Post", false, Some(Created)),
            ("ObjectCreated:Copy", true, Some(Created)),
            ("ObjectCreated:CompleteMultipartUpload", false, Some(Created)),
            ("s3:ObjectCreated:Put", false, Some(Created)),
            ("ObjectCreated:SomethingNew", false, Some(Created)),
            ("ObjectRemoved:Delete", true, Some(Deleted)),
            ("ObjectRemoved:DeleteMarkerCreated", true, Some(Deleted)),
            ("LifecycleExpiration:Delete", false, Some(Deleted)),
            ("LifecycleExpiration:Delete", true, Some(VersionExpired)),
            ("s3:LifecycleExpiration:Delete", true, Some(VersionExpired)),
            ("LifecycleExpiration:DeleteMarkerCreated", true, Some(Deleted)),
            ("ObjectRestore:Post", false, None),
            ("ObjectRestore:Completed", false, Some(Restored)),
            ("ObjectRestore:Delete", false, Some(RestoreExpired)),
            ("ObjectAcl:Put", false, Some(AclUpdated)),
            ("ObjectTagging:Put", false, Some(TagsChanged)),
            ("ObjectTagging:Delete", false, Some(TagsChanged)),
            ("LifecycleTransition", false, Some(StorageClassChanged)),
            ("s3:LifecycleTransition", false, Some(StorageClassChanged)),
            ("IntelligentTiering", false, Some(AccessTierChanged)),
            ("ObjectAnnotation:Put", false, Some(AnnotationsChanged)),
            ("ObjectAnnotation:Delete", false, Some(AnnotationsChanged)),
            ("ReducedRedundancyLostObject", false, None),
            ("Replication:OperationFailedReplication", false, None),
            ("TestEvent", false, None),
            ("objectcreated:Put", false, None),
            ("ObjectCreatedTwice:Put", false, None),
            ("s3:", false, None),
        ] {
            assert_eq!(kind(name, has_version), expected, "{name} {has_version}");
        }
    }

    #[test]
    fn keys() {
        for (encoded, expected) in [
            ("index.html", Some("index.html")),
            ("red+flower.jpg", Some("red flower.jpg")),
            ("red%20flower.jpg", Some("red flower.jpg")),
            ("a%2Bb.html", Some("a+b.html")),
            ("a%2bb.html", Some("a+b.html")),
            ("a%252Bb", Some("a%2Bb")),
            ("%ED%95%9C%EA%B5%AD/%EC%96%B4", Some("한국/어")),
            ("한국", Some("한국")),
            ("%F0%9F%8D%8B", Some("🍋")),
            ("dir/", Some("dir/")),
            ("+", Some(" ")),
            ("a%00b", Some("a\0b")),
            ("100%", Some("100%")),
            ("100%2", Some("100%2")),
            ("%zz%41", Some("%zzA")),
            ("%%41", Some("%A")),
            ("%FF", None),
            ("a%C3", None),
            ("%ED%A0%80", None),
        ] {
            assert_eq!(decode(encoded).as_deref(), expected, "{encoded}");
        }
    }
}
