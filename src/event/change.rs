//! A change, its kind, and the identity by which copies of it are recognized.

use std::{fmt, str::FromStr, sync::Arc};

use sha2::{Digest, Sha256};
use smallvec::SmallVec;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// One S3 object event, independent of the payload that contained it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The bucket's name; shared, because a payload names few buckets.
    pub bucket: Arc<str>,
    /// The object key, decoded.
    pub key: String,
    pub kind: Kind,
    /// When it happened, in milliseconds since the Unix epoch.
    pub time_ms: Option<i64>,
    /// The object's size in bytes; absent from deletions and some other kinds.
    pub size: Option<u64>,
    /// The AWS account that owns the bucket; absent from S3 notifications.
    pub account: Option<Arc<str>>,
    pub region: Option<Arc<str>>,
    /// Equal for two changes that are the same event.
    pub identity: Identity,
}

impl Change {
    /// Makes the change of a list that has each change once and tells no more
    /// about it, such as a key list.
    pub fn listed(bucket: impl Into<Arc<str>>, key: impl Into<String>, kind: Kind) -> Self {
        let (bucket, key) = (bucket.into(), key.into());
        Self {
            identity: Identity::new(&bucket, &key, kind, None, Occurrence::Only, None),
            bucket,
            key,
            kind,
            time_ms: None,
            size: None,
            account: None,
            region: None,
        }
    }
}

/// What happened to an object. The names are those of `events:` in rules.yaml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Written: put, posted, copied or assembled from parts.
    Created,
    /// Deleted, or hidden by a delete marker.
    Deleted,
    /// A noncurrent version was removed by lifecycle; the object is unchanged.
    VersionExpired,
    Restored,
    /// The restored copy was removed.
    RestoreExpired,
    AclUpdated,
    /// Object tags were added or deleted.
    TagsChanged,
    StorageClassChanged,
    /// Moved to an archive tier of Intelligent-Tiering.
    AccessTierChanged,
    /// Object annotations were created or removed.
    AnnotationsChanged,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Deleted,
        Self::VersionExpired,
        Self::Restored,
        Self::RestoreExpired,
        Self::AclUpdated,
        Self::TagsChanged,
        Self::StorageClassChanged,
        Self::AccessTierChanged,
        Self::AnnotationsChanged,
    ];

    /// Returns the name as rules.yaml spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::VersionExpired => "version_expired",
            Self::Restored => "restored",
            Self::RestoreExpired => "restore_expired",
            Self::AclUpdated => "acl_updated",
            Self::TagsChanged => "tags_changed",
            Self::StorageClassChanged => "storage_class_changed",
            Self::AccessTierChanged => "access_tier_changed",
            Self::AnnotationsChanged => "annotations_changed",
        }
    }

    /// Returns whether viewers see other content, or none, after the change.
    /// These kinds lead to invalidations unless a rule says otherwise.
    pub fn changes_content(self) -> bool {
        matches!(self, Self::Created | Self::Deleted)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error of parsing a name that is no [`Kind`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown event `{0}`; one of {names}", names = Kind::ALL.map(Kind::name).join(", "))]
pub struct UnknownKind(String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

/// Equal for two changes that are the same event: the first 128 bits of a
/// SHA-256 over bucket, key, kind, version id, occurrence and replay name.
///
/// It is the same in every process, and so is the caller reference that is
/// built from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity([u8; 16]);

/// Distinguishes like changes of one object. The first variant that the payload
/// has a value for is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence<'a> {
    /// S3's sequencer, a hexadecimal number; its letter case does not matter.
    Sequencer(&'a str),
    /// The event id of EventBridge, or the request id of an S3 notification.
    Event(&'a str),
    /// The message id of the delivery, or the invocation's request id.
    Delivery(&'a str),
    /// A list that has each change once: [`Change::listed`].
    Only,
}

impl<'a> Occurrence<'a> {
    pub(super) fn first(
        sequencer: Option<&'a str>,
        id: Option<&'a str>,
        delivery: &'a str,
    ) -> Self {
        sequencer.map(Self::Sequencer).or(id.map(Self::Event)).unwrap_or(Self::Delivery(delivery))
    }
}

impl Identity {
    /// Makes the identity of a change. `replay_name` is set if an EventBridge
    /// archive replays the event, which makes it a new change.
    pub fn new(
        bucket: &str,
        key: &str,
        kind: Kind,
        version_id: Option<&str>,
        occurrence: Occurrence<'_>,
        replay_name: Option<&str>,
    ) -> Self {
        let (occurrence_kind, value) = match occurrence {
            Occurrence::Sequencer(hex) => ("sequencer", hex),
            Occurrence::Event(id) => ("event", id),
            Occurrence::Delivery(id) => ("delivery", id),
            Occurrence::Only => ("only", ""),
        };
        let mut value = SmallVec::<[u8; 64]>::from_slice(value.as_bytes());
        if let Occurrence::Sequencer(_) = occurrence {
            value.make_ascii_lowercase();
        }
        // Hashing one short text is faster than hashing its parts.
        let mut text = SmallVec::<[u8; 256]>::new();
        for part in [
            bucket.as_bytes(),
            key.as_bytes(),
            kind.name().as_bytes(),
            version_id.unwrap_or_default().as_bytes(),
            occurrence_kind.as_bytes(),
            &value,
            replay_name.unwrap_or_default().as_bytes(),
        ] {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part);
        }
        let digest = Sha256::digest(&text);
        let mut identity = [0; 16];
        identity.copy_from_slice(&digest[..16]);
        Self(identity)
    }

    /// Returns the bytes, for a hash over several identities.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Converts an RFC 3339 time to milliseconds since the Unix epoch, rounded down.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let nanoseconds = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
    i64::try_from(nanoseconds.div_euclid(1_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_names_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("Created".parse::<Kind>().is_err());
    }

    #[test]
    fn identity_is_the_same_for_the_same_change() {
        use Occurrence::{Event, Only, Sequencer};
        let identity = |kind, version, occurrence, replay| {
            Identity::new("bucket", "key", kind, version, occurrence, replay)
        };
        let one = identity(Kind::Created, Some("v1"), Sequencer("00AB"), None);
        assert_eq!(one, identity(Kind::Created, Some("v1"), Sequencer("00ab"), None));
        for other in [
            identity(Kind::Deleted, Some("v1"), Sequencer("00AB"), None),
            identity(Kind::Created, Some("v2"), Sequencer("00AB"), None),
            identity(Kind::Created, None, Sequencer("00AB"), None),
            identity(Kind::Created, Some("v1"), Sequencer("00AC"), None),
            identity(Kind::Created, Some("v1"), Event("00ab"), None),
            identity(Kind::Created, Some("v1"), Sequencer("00AB"), Some("replay")),
        ] {
            assert_ne!(one, other);
        }
        let of = |bucket, key| Identity::new(bucket, key, Kind::Created, None, Only, None);
        assert_ne!(of("a", "bc"), of("ab", "c"), "parts are separated");
    }

    #[test]
    fn times() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.123Z", Some(123)),
            ("1969-12-31T23:59:59.9999Z", Some(-1)),
            ("2026-10-01T08:30:00.5Z", Some(1_790_843_400_500)),
            ("2026-10-01T10:30:00.5+02:00", Some(1_790_843_400_500)),
            ("2026-10-01 ten o'clock", None),
            ("1790843400", None),
            ("", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
