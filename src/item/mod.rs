//! Items: the entries of `Paths.Items` in a CloudFront invalidation.
//!
//! An item is a path (`/docs/a.html`), a wildcard path (`/docs/*`) or a cache
//! tag (`#posts`). This module makes items that CloudFront accepts and that
//! match what viewers requested, or says why there is none.
//!
//! # From key to path
//!
//! - The target's `origin_path` is taken off at a segment boundary, then one
//!   `/` is put in front: with `/public`, `public/a b.html` becomes
//!   `/a%20b.html`. `./`, `//` and a trailing `/` stay as they are: S3 keys
//!   are names, not paths.
//! - Non-ASCII bytes and the bytes RFC 1738 calls unsafe are percent-encoded
//!   with upper-case hex; every other byte stays as it is, as CloudFront
//!   [demands][paths]. `%` itself is unsafe, and so is `?`, which would start
//!   a query string.
//! - `~` cannot be invalidated, raw or encoded, and a path that ends in `*`
//!   can only be sent as a wildcard. Both are **widened**: cut before the first
//!   `~`, add `*`; a final `*` is kept. A widened item starts with its bound,
//!   does not reach above the key's own directory, and is never `/*`. Where it
//!   would, the item is [`Unaddressable`].
//! - `+` and `%2B` are two cache keys: by default both spellings are made.
//!
//! # Further paths of the same object
//!
//! `/docs/index.html` is also seen as `/docs/`, and perhaps as `/docs`; the
//! default root object also as `/`; and any path with any query string. Which
//! of these apply is up to the target's [`PathSettings`].
//!
//! [paths]: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html

mod path;
mod settings;

use std::{borrow::Cow, fmt, sync::Arc};

pub use path::{UrlPath, address, encode};
pub use settings::{PathSettings, PlusSpelling};

/// The longest path CloudFront takes, in characters.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>
pub const MAX_PATH_LENGTH: usize = 4_000;

/// The longest cache tag CloudFront takes, in characters.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html>
pub const MAX_TAG_LENGTH: usize = 256;

/// One entry of `Paths.Items`: a path, a wildcard path or a `#tag`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item(Box<str>);

impl Item {
    /// A cache tag, without its `#`.
    pub fn tag(text: &str) -> Result<Self, Unaddressable> {
        if text.is_empty() || !text.bytes().all(is_tag_byte) {
            return Err(Unaddressable::TagCharacter(text.to_owned()));
        }
        if text.len() > MAX_TAG_LENGTH {
            return Err(Unaddressable::TagTooLong(text.len()));
        }
        Ok(Self(format!("#{text}").into()))
    }

    /// The wildcard that stands for everything that starts with `prefix`, a
    /// path CloudFront takes.
    pub fn wildcard(prefix: &str) -> Self {
        debug_assert!(prefix.starts_with('/'));
        Self(format!("{prefix}*").into())
    }

    /// The text that is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the item is a cache tag.
    pub fn is_tag(&self) -> bool {
        self.0.starts_with('#')
    }

    /// For a wildcard path, the text in front of its `*`.
    pub fn wildcard_prefix(&self) -> Option<&str> {
        if self.is_tag() { None } else { self.0.strip_suffix('*') }
    }

    /// Whether the item is a wildcard path.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard_prefix().is_some()
    }

    /// The text of a path or a tag, or what a wildcard has in front of its `*`.
    pub fn stem(&self) -> &str {
        self.wildcard_prefix().unwrap_or(&self.0)
    }

    /// The item as CloudFront compares it: tags without regard to letter case.
    pub fn folded(&self) -> Cow<'_, str> {
        if self.is_tag() { self.0.to_ascii_lowercase().into() } else { (&*self.0).into() }
    }

    /// Whether invalidating this item does all that invalidating `other` would.
    pub fn covers(&self, other: &Self) -> bool {
        match self.wildcard_prefix() {
            Some(prefix) if !other.is_tag() => {
                wildcard_covers(prefix, other.stem(), other.is_wildcard())
            }
            _ => self.folded() == other.folded(),
        }
    }
}

/// Whether the wildcard `prefix*` covers the path `stem`, or with `is_wildcard`
/// the wildcard `stem*`: if it starts with the prefix. The one exception:
/// `/docs/*` is not regarded as covering `/docs/`, since some have [seen][pulumi]
/// that path stay. `/*` covers all.
///
/// [pulumi]: https://github.com/pulumi/docs/pull/21786
pub fn wildcard_covers(prefix: &str, stem: &str, is_wildcard: bool) -> bool {
    let is_directory_itself =
        !is_wildcard && stem == prefix && prefix.ends_with('/') && prefix != "/";
    stem.starts_with(prefix) && !is_directory_itself
}

/// Whether a byte may stand in a cache tag: printable ASCII but comma.
pub fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b','
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An item, and the text a wildcard must start with to stand for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// The item.
    pub item: Item,
    /// The bound of a path, in the item's own spelling; tags have none.
    pub bound: Arc<str>,
}

/// Why no item can be sent for a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unaddressable {
    /// The widened item would purge the whole distribution.
    #[error("`{0}` can only be invalidated as `/*`, the whole distribution")]
    WholeSite(String),
    /// The widened item would reach above the key's directory.
    #[error("`{path}` can only be invalidated as `{widened}`, which reaches above its directory")]
    AboveDirectory {
        /// The path as viewers see it.
        path: String,
        /// What would have to be sent.
        widened: String,
    },
    /// The widened item would purge what the rule does not speak for.
    #[error(
        "`{path}` can only be invalidated as `{widened}`, which is wider than the rule's `{bound}`"
    )]
    OutsideBound {
        /// The path as viewers see it.
        path: String,
        /// What would have to be sent.
        widened: String,
        /// The text every wildcard of this rule starts with.
        bound: String,
    },
    /// The path is longer than CloudFront takes.
    #[error("the path has {0} characters, more than the 4,000 CloudFront takes")]
    PathTooLong(usize),
    /// The tag is longer than CloudFront takes.
    #[error("the tag has {0} characters, more than the 256 CloudFront takes")]
    TagTooLong(usize),
    /// The tag is empty or has a character CloudFront does not take.
    #[error("the tag `{}` is empty or has a character other than printable ASCII without space and comma", .0.escape_debug())]
    TagCharacter(String),
}

#[cfg(test)]
mod tests;
