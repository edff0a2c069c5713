use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Item, MAX_PATH_LENGTH, Unaddressable};

/// What [`encode`] encodes: everything but letters, digits and the characters
/// RFC 3986 lets stand in a path. `~` is left for [`address`], which never
/// sends it.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b':')
    .remove(b'=')
    .remove(b'@')
    .remove(b'~');

/// Percent-encodes text for a path, leaving `~` raw for [`address`].
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The URL path of a key as one target's viewers request it: encoded, with a
/// leading slash, and `~` still raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlPath(String);

impl UrlPath {
    /// Encodes a key that has its origin path already taken off.
    pub fn new(key: &str) -> Self {
        let mut path = String::with_capacity(key.len() + 1);
        path.push('/');
        path.extend(utf8_percent_encode(key, ENCODED));
        Self(path)
    }

    /// The path's text. It may hold a `~` and end in `*`, so it is no item yet.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `/docs/` of `/docs/a.html`.
    pub fn directory(&self) -> &str {
        directory(&self.0)
    }

    /// `a.html` of `/docs/a.html`; empty when the path ends in `/`.
    pub fn file(&self) -> &str {
        &self.0[self.directory().len()..]
    }

    /// `a` of `/docs/a.html`: the file up to its last dot. A file that starts
    /// with its only dot, as `.htaccess`, is all stem.
    pub fn stem(&self) -> &str {
        match self.file().rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => self.file(),
        }
    }

    /// `html` of `/docs/a.html`, without the dot; empty when there is none.
    pub fn ext(&self) -> &str {
        match self.file().rsplit_once('.') {
            Some((stem, ext)) if !stem.is_empty() => ext,
            _ => "",
        }
    }
}

/// The text up to and including the last slash.
pub(super) fn directory(path: &str) -> &str {
    &path[..path.rfind('/').map_or(0, |slash| slash + 1)]
}

/// Makes the item of an encoded path, widened where it must be.
///
/// - `directory` is the directory a widened item must not reach above, in the
///   spelling of `path`.
/// - `bound` is what a widened item must start with.
/// - `asked_wildcard` says that the final `*` is the rule's own: then the path
///   is a wildcard as written, and only a `~` widens it.
pub fn address(
    path: &str,
    directory: &str,
    bound: &str,
    asked_wildcard: bool,
) -> Result<Item, Unaddressable> {
    debug_assert!(path.starts_with('/'), "{path}");
    let prefix = match path.find('~') {
        Some(tilde) => Some(&path[..tilde]),
        None if asked_wildcard => None,
        None => path.strip_suffix('*'),
    };
    let item = match prefix {
        None => Item(path.into()),
        Some(prefix) => {
            let widened = Item::wildcard(prefix);
            let (path, text) = (path.to_owned(), widened.as_str().to_owned());
            if prefix == "/" {
                return Err(Unaddressable::WholeSite(path));
            }
            if prefix.len() < directory.len() {
                return Err(Unaddressable::AboveDirectory { path, widened: text });
            }
            if !prefix.starts_with(bound) {
                let bound = bound.to_owned();
                return Err(Unaddressable::OutsideBound { path, widened: text, bound });
            }
            widened
        }
    };
    match item.as_str().len() {
        length if length > MAX_PATH_LENGTH => Err(Unaddressable::PathTooLong(length)),
        _ => Ok(item),
    }
}
