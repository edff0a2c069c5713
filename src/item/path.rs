//! Encodes keys into URL paths, and widens paths that CloudFront cannot address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Item, Unaddressable};

/// The bytes that [`encode`] encodes: all but letters, digits and the characters
/// that RFC 3986 permits in a path. `~` stays raw for [`address`], which never
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

/// Percent-encodes text for a path, except for `~`.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Returns URL text in both spellings of `+`, as written first.
pub(crate) fn plus_spellings(url: String) -> Vec<String> {
    match url.replace('+', "%2B") {
        encoded if encoded != url => vec![url, encoded],
        _ => vec![url],
    }
}

/// The URL path of a key as viewers of one target request it: encoded, with a
/// leading slash, and with `~` still raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlPath<'k> {
    /// Without its origin path.
    key: &'k str,
    /// The last segment of the key.
    file: &'k str,
    text: String,
    /// The length of the directory, both slashes included.
    directory: usize,
}

impl<'k> UrlPath<'k> {
    /// Encodes a key without its origin path. `viewer_prefix` is as `/media`, or
    /// empty.
    pub(super) fn new(viewer_prefix: &str, key: &'k str) -> Self {
        let mut path = String::with_capacity(viewer_prefix.len() + key.len() + 1);
        path.push_str(viewer_prefix);
        path.push('/');
        let file = last_segment(key);
        path.extend(utf8_percent_encode(&key[..key.len() - file.len()], ENCODED));
        let directory = path.len();
        path.extend(utf8_percent_encode(file, ENCODED));
        Self { key, file, text: path, directory }
    }

    /// Returns the text of the path, which is not an item yet: it may contain
    /// `~` or end in `*`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the directory: `/docs/` of `/docs/a.html`.
    pub(crate) fn directory(&self) -> &str {
        &self.text[..self.directory]
    }

    /// Returns the key without its origin path.
    pub(crate) fn key(&self) -> &'k str {
        self.key
    }

    /// Returns the last segment of the key: `a.html` for `docs/a.html`, and
    /// nothing for `docs/`.
    pub(crate) fn file(&self) -> &'k str {
        self.file
    }
}

/// Returns what follows the last slash of a key.
pub(crate) fn last_segment(key: &str) -> &str {
    let slash = key.bytes().rposition(|byte| byte == b'/');
    slash.map_or(key, |slash| &key[slash + 1..])
}

/// Makes the item of an encoded path, and widens it if necessary.
///
/// - `directory` and `bound` limit a widened item: it must start with both. They
///   are spelled like `path`.
/// - `is_wildcard` says that the rule itself wrote the final `*`. Then the path
///   is a wildcard as it is, and only a `~` widens it.
pub fn address(
    path: &str,
    directory: &str,
    bound: &str,
    is_wildcard: bool,
) -> Result<Item, Unaddressable> {
    debug_assert!(path.starts_with('/'), "{path}");
    let prefix = match path.split_once('~') {
        Some((prefix, _)) => Some(prefix),
        None if is_wildcard => None,
        None => path.strip_suffix('*'),
    };
    let Some(prefix) = prefix else { return Item(path.into()).within_limit() };
    let (path, widened) = (path.to_owned(), format!("{prefix}*"));
    if prefix == "/" {
        Err(Unaddressable::WholeSite(path))
    } else if prefix.len() < directory.len() {
        Err(Unaddressable::AboveDirectory { path, widened })
    } else if !prefix.starts_with(bound) {
        Err(Unaddressable::OutsideBound { path, widened, bound: bound.to_owned() })
    } else {
        Item(widened.into()).within_limit()
    }
}
