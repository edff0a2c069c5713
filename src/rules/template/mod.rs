//! Templates of `paths:` and `tags:`, parsed when the file is read.
//!
//! A template is literal text and placeholders in braces:
//!
//! | placeholder | replaced by | of `docs/a b.html` under `/docs` |
//! |---|---|---|
//! | `{path}` | the URL path of the key below the origin path, encoded | `/a%20b.html` |
//! | `{dir}` | the directory of `{path}`, with both slashes | `/` |
//! | `{key}` | the whole key | `docs/a b.html` |
//! | `{file}` | the part of the key after its last slash | `a b.html` |
//! | `{stem}` | the file up to its last dot; all of `.htaccess` | `a b` |
//! | `{ext}` | the part of the file after its last dot | `html` |
//! | `{bucket}` | the name of the bucket | |
//! | `{1}`, `{name}` | a capture of the rule's regex | |
//!
//! `{path}` and `{dir}` are URL text, in tags too. The others are text of the
//! key: percent-encoded in a path, unchanged in a tag.
//!
//! - Every regex of the rule must define every capture that a template uses, so
//!   that it does not matter which one matched. If a capture did not participate
//!   in the match, the template produces no item.
//! - Braces have no escape. A path can contain `%7B` and `%7D`.
//!
//! # Paths
//!
//! - A path starts with `/`, `{path}` or `{dir}`.
//! - A `*` is allowed only at the end, where it is a wildcard.
//! - Literal text is URL text: valid `%XX` and `?`, which starts a query string,
//!   are kept; other characters are encoded where a URL needs it.
//! - `~`, `%7E` and `%2A` are refused, because CloudFront does not invalidate
//!   such paths.
//! - `{path}` alone makes every path of the object: index documents, query
//!   strings and both spellings of `+` apply. In a longer template it is plain
//!   text.
//!
//! # Tags
//!
//! - Literal text is printable ASCII without spaces and commas. The leading `#`
//!   is not written.

mod parse;
mod render;

use std::fmt;

pub use self::parse::TemplateError;
pub(super) use self::parse::encode_url_text;
pub(super) use self::render::RenderContext;

/// A template of `paths:` or `tags:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    kind: TemplateKind,
    text: Box<str>,
    parts: Box<[Part]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TemplateKind {
    Path,
    /// A path with a final `*`, which is not among the parts.
    Wildcard,
    Tag,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Text as it is sent: encoded in a path.
    Literal(Box<str>),
    Field(Field),
    Group(usize),
    Name(Box<str>),
}

/// A placeholder that every change fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Path,
    Key,
    Dir,
    File,
    Stem,
    Ext,
    Bucket,
}

impl Field {
    const ALL: [(&'static str, Self); 7] = [
        ("path", Self::Path),
        ("key", Self::Key),
        ("dir", Self::Dir),
        ("file", Self::File),
        ("stem", Self::Stem),
        ("ext", Self::Ext),
        ("bucket", Self::Bucket),
    ];
}

impl Template {
    /// Returns the text in rules.yaml.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the template is a path that ends in `*`.
    pub fn is_wildcard(&self) -> bool {
        self.kind == TemplateKind::Wildcard
    }

    /// Returns the encoded text before the first placeholder or the final `*`.
    pub fn literal_prefix(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(text)) => text,
            _ => "",
        }
    }

    /// Returns whether the template has no placeholder.
    pub fn is_literal(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Literal(_)))
    }

    /// Returns whether the template is `{path}` alone.
    fn is_object(&self) -> bool {
        self.kind == TemplateKind::Path && matches!(*self.parts, [Part::Field(Field::Path)])
    }
}

/// `{path}`, the path template if a rule names none.
impl Default for Template {
    fn default() -> Self {
        let parts = [Part::Field(Field::Path)].into();
        Self { kind: TemplateKind::Path, text: "{path}".into(), parts }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
