//! Templates of `paths:` and `tags:`, read at load.
//!
//! A template is literal text and placeholders in braces:
//!
//! | placeholder | stands for | of `docs/a b.html` under `/docs` |
//! |---|---|---|
//! | `{path}` | the URL path of the key below the origin path, encoded | `/a%20b.html` |
//! | `{dir}` | the directory of `{path}`, from slash to slash | `/` |
//! | `{key}` | the whole key | `docs/a b.html` |
//! | `{file}` | what follows the last slash of the key | `a b.html` |
//! | `{stem}` | the file up to its last dot; all of `.htaccess` | `a b` |
//! | `{ext}` | what follows the last dot of the file | `html` |
//! | `{bucket}` | the bucket's name | |
//! | `{1}`, `{name}` | a capture of the rule's regex | |
//!
//! `{path}` and `{dir}` are URL text wherever they stand. The others are text
//! of the key: percent-encoded in a path, as it is in a tag.
//!
//! # Paths
//!
//! - A path starts with `/`, or with `{path}` or `{dir}`, which do.
//! - A `*` may stand at the end only; there it is a wildcard.
//! - Literal text is text of a URL: valid `%XX` and `?`, which starts a query
//!   string, stay as they are; what else a URL encodes is encoded here.
//! - `~`, `%7E` and `%2A` are refused: CloudFront invalidates nothing for them.
//! - `{path}` alone stands for every path of the object: index documents,
//!   query strings and both spellings of `+` apply. As a part of a longer
//!   template it is just the text.
//!
//! # Tags
//!
//! - Literal text is printable ASCII without space and comma; the `#` in front
//!   is not written.
//!
//! # Both
//!
//! - Braces have no escape. A path can say `%7B` and `%7D`.
//! - Every regex of the rule defines every capture the template uses, so that
//!   it does not matter which one matched.

mod parse;
mod render;

use std::fmt;

pub use parse::TemplateError;
pub(super) use render::Subject;

/// A template of `paths:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    text: Box<str>,
    /// Literal parts are already encoded; the wildcard is not among them.
    parts: Box<[Part]>,
    wildcard: bool,
}

/// A template of `tags:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagTemplate {
    text: Box<str>,
    parts: Box<[Part]>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
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

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(field, _)| *field == name).map(|&(_, field)| field)
    }
}

impl PathTemplate {
    /// The text of rules.yaml.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the template ends in a `*` of its own.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard
    }

    /// Whether the template is `{path}` alone, which stands for every path of
    /// the object.
    pub fn is_object(&self) -> bool {
        !self.wildcard && matches!(*self.parts, [Part::Field(Field::Path)])
    }

    /// The encoded text in front of the first placeholder and of the `*`.
    pub fn literal_start(&self) -> &str {
        literal_start(&self.parts)
    }
}

/// The template of a target whose rule names no paths.
impl Default for PathTemplate {
    fn default() -> Self {
        Self { text: "{path}".into(), parts: [Part::Field(Field::Path)].into(), wildcard: false }
    }
}

impl TagTemplate {
    /// The text of rules.yaml.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for TagTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn literal_start(parts: &[Part]) -> &str {
    match parts.first() {
        Some(Part::Literal(text)) => text,
        _ => "",
    }
}

#[cfg(test)]
mod tests;
