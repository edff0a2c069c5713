//! rules.yaml as a tree of values, each with its location in the file.
//!
//! The file is parsed once, into this tree; everything else reads the tree.
//!
//! - A file that would take unbounded time or memory is refused while the tree
//!   is built: at most [`MAX_DEPTH`] levels, and at most [`MAX_EXPANDED`] bytes
//!   of values when each use of an alias counts as a copy.
//! - An alias is a second reference to the same value, so it costs nothing.
//! - Plain scalars follow YAML's core schema. A plain number that starts with
//!   `0`, such as an account id, is text.
//! - A field that occurs twice is recorded as a duplicate; lookups find the first.
//! - Tags, merge keys and several documents are not supported.

mod builder;

use std::{borrow::Cow, collections::HashMap};

use saphyr_parser::{Marker, Span as ParserSpan};

use super::{
    finding::{Code, Finding},
    secret::{MASKED, is_secret},
};

/// The deepest nesting of lists and mappings. The format itself needs eight.
const MAX_DEPTH: usize = 64;

/// The largest size of a file with its aliases expanded: the bytes of its texts,
/// and [`VALUE_BYTES`] for each value. That is room for a million values, more
/// than a valid file of the largest size holds.
const MAX_EXPANDED: usize = 4 * super::load::MAX_FILE_BYTES;
const VALUE_BYTES: usize = 32;

/// Mappings with more fields than this are searched by hash.
const INDEXED_FIELDS: usize = 8;

/// A location in a file. One of several lines ends with its first line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The line, counted from 1.
    pub line: usize,
    /// The first column, counted from 1 in characters.
    pub column: usize,
    /// The column after the last. For a text in quotes it may be too large.
    pub end_column: usize,
}

impl Span {
    /// Returns the location of one character.
    pub fn character(line: usize, column: usize) -> Self {
        Self { line, column, end_column: column + 1 }
    }

    fn between(start: Marker, end: Marker) -> Self {
        let column = start.col() + 1;
        let end_column = if end.line() == start.line() { end.col() + 1 } else { usize::MAX };
        Self { line: start.line(), column, end_column }
    }
}

impl From<ParserSpan> for Span {
    fn from(span: ParserSpan) -> Self {
        Self::between(span.start, span.end)
    }
}

#[derive(Debug)]
pub struct YamlTree<'t> {
    /// The values; the first is the whole document.
    nodes: Vec<NodeData<'t>>,
    duplicates: Vec<Duplicate<'t>>,
}

#[derive(Debug)]
struct NodeData<'t> {
    span: Span,
    parent: usize,
    /// The position among the parent's values.
    position: usize,
    value: Value<'t>,
    /// The size of the value with its aliases expanded.
    expanded: usize,
}

#[derive(Debug)]
enum Value<'t> {
    Scalar { text: Cow<'t, str>, plain: bool },
    List(Vec<usize>),
    Mapping(Box<Entries<'t>>),
}

/// The fields of a mapping, in the order of the file.
#[derive(Debug, Default)]
struct Entries<'t> {
    list: Vec<(Cow<'t, str>, Span, usize)>,
    /// The first position of each name, in a mapping of many fields.
    index: Option<HashMap<Cow<'t, str>, usize>>,
}

impl<'t> Entries<'t> {
    fn position(&self, name: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(name).copied(),
            None => self.list.iter().position(|(field, ..)| field == name),
        }
    }

    fn push(&mut self, name: Cow<'t, str>, span: Span, value: usize) {
        let position = self.list.len();
        if let Some(index) = &mut self.index {
            index.entry(name.clone()).or_insert(position);
        }
        self.list.push((name, span, value));
        if self.index.is_none() && self.list.len() > INDEXED_FIELDS {
            let mut index = HashMap::new();
            for (position, (name, ..)) in self.list.iter().enumerate() {
                index.entry(name.clone()).or_insert(position);
            }
            self.index = Some(index);
        }
    }
}

/// A field that occurs again in the same mapping.
#[derive(Debug)]
struct Duplicate<'t> {
    mapping: usize,
    name: Cow<'t, str>,
    first: Span,
    again: Span,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No value, or `null`.
    Null,
    Bool(bool),
    /// A number; `None` if it is negative, fractional or too large.
    Number(Option<u64>),
    Text,
    List,
    Mapping,
}

/// A value of the tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    tree: &'t YamlTree<'t>,
    index: usize,
}

impl<'t> YamlTree<'t> {
    /// Parses a text. The error is the one finding that says why it is refused.
    pub fn parse(text: &'t str) -> Result<Self, Box<Finding>> {
        builder::build(text)
    }

    /// Returns the whole document.
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, index: 0 }
    }

    /// Returns findings about fields that occur twice.
    pub(super) fn duplicates(&self) -> impl Iterator<Item = Finding> {
        self.duplicates.iter().map(|Duplicate { mapping, name, first, again }| {
            let mapping = Node { tree: self, index: *mapping };
            let (code, message) = match &*mapping.path() {
                "targets" => (Code::DuplicateName, format!("a second target is named `{name}`")),
                _ => (Code::DuplicateField, format!("the field `{name}` occurs twice")),
            };
            let finding = mapping.field_finding(code, name, message);
            let finding = Finding { span: *again, ..finding }
                .note(format!("first at line {}, column {}", first.line, first.column));
            match code {
                Code::DuplicateField => finding.help(format!(
                    "write `{name}` once; several values are a list: `{name}: [one, two]`"
                )),
                _ => finding,
            }
        })
    }
}

impl<'t> Node<'t> {
    fn data(self) -> &'t NodeData<'t> {
        &self.tree.nodes[self.index]
    }

    fn with(self, index: usize) -> Self {
        Self { index, ..self }
    }

    pub fn shape(self) -> Shape {
        match &self.data().value {
            Value::Scalar { text, plain: true } => resolve(text),
            Value::Scalar { .. } => Shape::Text,
            Value::List(_) => Shape::List,
            Value::Mapping(_) => Shape::Mapping,
        }
    }

    /// Returns the text of a scalar, without quotes; otherwise empty.
    pub fn text(self) -> &'t str {
        match &self.data().value {
            Value::Scalar { text, .. } => text,
            _ => "",
        }
    }

    /// Returns the text as messages may show it: not that of a secret.
    pub(super) fn shown_text(self) -> &'t str {
        let path = self.path();
        let field = path.rsplit('.').next().unwrap_or_default();
        let field = field.split('[').next().unwrap_or_default();
        if is_secret(field) { MASKED } else { self.text() }
    }

    /// Returns the value of a field.
    pub fn field(self, name: &str) -> Option<Self> {
        let Value::Mapping(entries) = &self.data().value else { return None };
        entries.position(name).map(|position| self.with(entries.list[position].2))
    }

    /// Returns the fields of a mapping, duplicates included; otherwise none.
    pub fn fields(self) -> impl Iterator<Item = (&'t str, Self)> {
        let entries = match &self.data().value {
            Value::Mapping(entries) => &*entries.list,
            _ => &[],
        };
        entries.iter().map(move |(name, _, node)| (&**name, self.with(*node)))
    }

    /// Returns the items of a list, or the value itself if it is not a list.
    pub fn values(self) -> Vec<Self> {
        match &self.data().value {
            Value::List(items) => items.iter().map(|item| self.with(*item)).collect(),
            _ => vec![self],
        }
    }

    /// Returns whether the value is an item of a list.
    pub fn is_item(self) -> bool {
        let parent = self.with(self.data().parent);
        self.index != 0 && parent.shape() == Shape::List
    }

    /// Returns the value of a field that accepts one value or a list, by its
    /// position; the mapping itself if there is none.
    pub fn value(self, field: &str, position: usize) -> Self {
        let value = self.field(field).and_then(|node| node.values().get(position).copied());
        value.unwrap_or(self)
    }

    pub fn span(self) -> Span {
        self.data().span
    }

    /// Returns the path of the value, such as `rules[3].regex`. A value with
    /// aliases has the path of its anchor.
    pub fn path(self) -> String {
        let mut steps = Vec::new();
        let mut node = self;
        while node.index != 0 {
            let NodeData { parent, position, .. } = *node.data();
            node = self.with(parent);
            match &node.data().value {
                Value::List(_) => steps.push(format!("[{position}]")),
                Value::Mapping(entries) => steps.push(format!(".{}", entries.list[position].0)),
                Value::Scalar { .. } => {}
            }
        }
        let path: String = steps.into_iter().rev().collect();
        path.strip_prefix('.').map(str::to_owned).unwrap_or(path)
    }

    /// Returns a finding about the value.
    pub fn finding(self, code: Code, message: impl Into<String>) -> Finding {
        Finding { path: self.path(), ..Finding::at(code, self.span(), message) }
    }

    /// Returns a finding about the name of a field.
    pub fn field_finding(self, code: Code, name: &str, message: impl Into<String>) -> Finding {
        let span = match &self.data().value {
            Value::Mapping(entries) => {
                entries.position(name).map(|position| entries.list[position].1)
            }
            _ => None,
        };
        let path = match self.path() {
            path if path.is_empty() => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        Finding { path, ..Finding::at(code, span.unwrap_or_else(|| self.span()), message) }
    }
}

/// Returns the type of a plain scalar.
fn resolve(text: &str) -> Shape {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Shape::Null,
        "true" | "True" | "TRUE" => return Shape::Bool(true),
        "false" | "False" | "FALSE" => return Shape::Bool(false),
        ".inf" | "+.inf" | "-.inf" | ".nan" => return Shape::Number(None),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || unsigned.len() > 1 && unsigned.starts_with('0') && digits(unsigned)
    {
        return Shape::Text;
    }
    let (radix, number) = match unsigned.as_bytes() {
        [b'0', b'x', ..] => (16, &unsigned[2..]),
        [b'0', b'o', ..] => (8, &unsigned[2..]),
        [b'0', b'b', ..] => (2, &unsigned[2..]),
        _ => (10, unsigned),
    };
    match u64::from_str_radix(number, radix) {
        Ok(_) if number.starts_with('+') => Shape::Text,
        Ok(number) => Shape::Number((!text.starts_with('-')).then_some(number)),
        Err(_) if unsigned.parse().is_ok_and(f64::is_finite) => Shape::Number(None),
        Err(_) => Shape::Text,
    }
}

/// Returns the lines of a text. YAML breaks lines at `\n`, `\r\n` and `\r`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

#[cfg(test)]
mod tests;
