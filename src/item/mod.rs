//! Items: the entries of `Paths.Items` in a CloudFront invalidation.
//!
//! An item is a path (`/docs/a.html`), a wildcard path (`/docs/*`) or a cache
//! tag (`#posts`). This module produces items that CloudFront accepts and that
//! match what viewers requested, or returns why there is none.
//!
//! # From key to path
//!
//! - The target's `origin_path` is removed at a segment boundary, then one `/`
//!   is prepended: with `/public`, `public/a b.html` becomes `/a%20b.html`. `./`,
//!   `//` and a trailing `/` are kept, because S3 keys are names, not paths.
//! - Non-ASCII bytes and the bytes that RFC 1738 calls unsafe are
//!   percent-encoded with upper-case hex, as CloudFront [requires][paths]; all
//!   other bytes are kept. `%` itself is unsafe, and so is `?`, which would start
//!   a query string.
//! - `~` cannot be invalidated, raw or encoded, and a path that ends in `*` can
//!   only be sent as a wildcard. Both are **widened**: the path is cut before the
//!   first `~` and gets a final `*`. A widened item must start with its bound and
//!   with the key's own directory, and is never `/*`. Otherwise the item is
//!   [`Unaddressable`].
//! - `+` and `%2B` are two cache keys: by default both spellings are sent.
//!
//! # Other paths of the same object
//!
//! `/docs/index.html` may also be served as `/docs/` or `/docs`, `/about.html` as
//! `/about`, the default root object as `/`, and every path with query strings.
//! Viewers may see the bucket below a prefix, `/media/a.jpg`. The target's
//! [`PathSettings`] say which of these apply.
//!
//! [paths]: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html

mod path;
mod settings;

use std::{borrow::Cow, fmt, sync::Arc};

pub use path::{UrlPath, address};
pub(crate) use path::{encode, last_segment, plus_spellings};
pub use settings::{PathSettings, PlusSpelling};

/// The longest path that CloudFront accepts, in characters.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>
pub(crate) const MAX_PATH_LENGTH: usize = 4_000;

/// The longest cache tag that CloudFront accepts, in characters.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html>
pub(crate) const MAX_TAG_LENGTH: usize = 256;

/// One entry of `Paths.Items`: a path, a wildcard path or a `#tag`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item(Box<str>);

impl Item {
    /// Returns a cache tag, without its `#`.
    pub fn tag(text: &str) -> Result<Self, Unaddressable> {
        if text.is_empty() || !text.bytes().all(is_tag_byte) {
            return Err(Unaddressable::TagCharacter(text.to_owned()));
        }
        if text.len() > MAX_TAG_LENGTH {
            return Err(Unaddressable::TagTooLong(text.len()));
        }
        Ok(Self(format!("#{text}").into()))
    }

    /// Returns the wildcard for all paths that start with `prefix`, which must
    /// be encoded.
    pub fn wildcard(prefix: &str) -> Self {
        debug_assert!(prefix.starts_with('/'));
        Self(format!("{prefix}*").into())
    }

    /// Fails for a path that is too long.
    fn within_limit(self) -> Result<Self, Unaddressable> {
        match self.0.len() {
            length if length > MAX_PATH_LENGTH => Err(Unaddressable::PathTooLong(length)),
            _ => Ok(self),
        }
    }

    /// Returns the text that is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the item is a cache tag.
    pub fn is_tag(&self) -> bool {
        self.0.starts_with('#')
    }

    /// Returns the text of a wildcard path in front of its `*`.
    pub fn wildcard_prefix(&self) -> Option<&str> {
        if self.is_tag() { None } else { self.0.strip_suffix('*') }
    }

    /// Returns whether the item is a wildcard path.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard_prefix().is_some()
    }

    /// Returns the item without the final `*` of a wildcard.
    pub fn stem(&self) -> &str {
        self.wildcard_prefix().unwrap_or(&self.0)
    }

    /// Returns the item as CloudFront compares it: tags without regard to
    /// letter case.
    pub fn folded(&self) -> Cow<'_, str> {
        if self.is_tag() { self.0.to_ascii_lowercase().into() } else { (&*self.0).into() }
    }

    /// Returns whether the item is a wildcard that covers a path which starts
    /// with `prefix`: it is wider than the prefix, or within it.
    pub fn overlaps(&self, prefix: &str) -> bool {
        self.wildcard_prefix().is_some_and(|own| own.starts_with(prefix) || prefix.starts_with(own))
    }

    /// Returns whether invalidating this item also invalidates `other`.
    ///
    /// A wildcard covers all paths and wildcards that start with its prefix, with
    /// one exception: `/docs/*` is not regarded as covering `/docs/`, because
    /// users have [reported][pulumi] that it does not purge that path. `/*`
    /// covers `/`.
    ///
    /// [pulumi]: https://github.com/pulumi/docs/pull/21786
    pub fn covers(&self, other: &Self) -> bool {
        match self.wildcard_prefix() {
            Some(prefix) if !other.is_tag() => {
                let is_directory = prefix.ends_with('/') && prefix != "/" && *other.0 == *prefix;
                other.stem().starts_with(prefix) && !is_directory
            }
            _ => self.folded() == other.folded(),
        }
    }
}

/// Returns whether a cache tag may contain a byte: printable ASCII except for
/// comma.
pub(crate) fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b','
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An item and its bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    pub item: Item,
    /// The text that a wildcard must start with to replace the item, in the
    /// item's own spelling. Empty for a tag.
    pub bound: Arc<str>,
    /// Whether the item is the path of a changed object that is the index page
    /// of its directory: only a build of the directory writes it.
    pub is_index: bool,
}

/// What helps where a key would need a wildcard that is not sent.
const BY_HAND: &str = "rename the object, or invalidate a wider wildcard by hand";

/// The reason why no item can be sent for a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unaddressable {
    /// The widened item would purge the whole distribution.
    #[error("`{0}` can only be invalidated as `/*`, the whole distribution; {BY_HAND}")]
    WholeSite(String),
    /// The widened item would reach above the key's directory.
    #[error(
        "`{path}` can only be invalidated as `{widened}`, which reaches above its directory; {BY_HAND}"
    )]
    AboveDirectory {
        /// The path that viewers request.
        path: String,
        /// The wildcard that would be needed.
        widened: String,
    },
    /// The widened item would purge paths outside the rule's prefix.
    #[error(
        "`{path}` can only be invalidated as `{widened}`, which is wider than the rule's `{bound}`; {BY_HAND}"
    )]
    OutsideBound {
        /// The path that viewers request.
        path: String,
        /// The wildcard that would be needed.
        widened: String,
        /// The text that every wildcard of this rule starts with.
        bound: String,
    },
    /// The wildcard would purge paths that the target protects.
    #[error(
        "`{wildcard}` would purge paths below `{protected}`, which the target protects; change `paths` or `protect`, or rename the object"
    )]
    Protected {
        /// The wildcard that a rule requested, or that would be needed.
        wildcard: String,
        /// The first prefix of `protect` that it overlaps.
        protected: String,
    },
    /// The path is longer than CloudFront accepts.
    #[error(
        "the path has {0} characters, more than the 4,000 CloudFront accepts; shorten the template"
    )]
    PathTooLong(usize),
    /// The tag is longer than CloudFront accepts.
    #[error(
        "the tag has {0} characters, more than the 256 CloudFront accepts; shorten the template"
    )]
    TagTooLong(usize),
    /// The tag is empty or has a character that CloudFront does not accept.
    #[error("the tag `{}` is empty or has a character other than printable ASCII without space and comma", .0.escape_debug())]
    TagCharacter(String),
}

#[cfg(test)]
pub(crate) mod tests;
