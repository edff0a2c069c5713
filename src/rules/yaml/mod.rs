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
//! - A lookup of a field that occurs twice finds the first.
//! - Tags, merge keys and several documents are not supported.

mod builder;

use std::{borrow::Cow, iter};

use saphyr_parser::{Marker, Span as ParserSpan};

use super::{
    finding::{Code, Finding, Findings},
    secret::{MASKED, is_secret},
};

/// The deepest nesting of lists and mappings. The format itself needs eight.
const MAX_DEPTH: usize = 64;

/// The largest size of a file with its aliases expanded: the bytes of its texts,
/// and [`VALUE_BYTES`] for each value. That is room for a million values, more
/// than a valid file of the largest size holds.
const MAX_EXPANDED: usize = 4 * super::load::MAX_FILE_BYTES;
const VALUE_BYTES: usize = 32;

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
    /// The values in the order of the file, each before those inside it; the
    /// first is the whole document. In a mapping, names and values alternate.
    nodes: Vec<NodeData<'t>>,
}

#[derive(Debug)]
struct NodeData<'t> {
    span: Span,
    /// The list or mapping around it.
    parent: usize,
    /// The position among the items of a list.
    position: usize,
    /// The node after the last one inside it.
    end: usize,
    value: Value<'t>,
}

#[derive(Debug, PartialEq)]
enum Value<'t> {
    Scalar {
        text: Cow<'t, str>,
        plain: bool,
    },
    List,
    Mapping,
    /// The value of an anchor, which is not an alias itself.
    Alias(usize),
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

    /// Reports fields that occur twice.
    pub(super) fn report_duplicates(&self, findings: &mut Findings) {
        let mut names = Vec::new();
        for index in 0..self.nodes.len() {
            let mapping = Node { tree: self, index };
            names.clear();
            names.extend(mapping.names().map(|name| (name.text(), name.index)));
            names.sort_unstable();
            for equal in names.chunk_by(|a, b| a.0 == b.0) {
                for again in &equal[1..] {
                    if findings.is_full() {
                        return;
                    }
                    findings.push(mapping.duplicate(equal[0].1, again.1));
                }
            }
        }
    }
}

impl<'t> Node<'t> {
    fn data(self) -> &'t NodeData<'t> {
        &self.tree.nodes[self.index]
    }

    /// Returns another value of the tree; for an alias, what it refers to.
    fn with(self, index: usize) -> Self {
        match self.tree.nodes[index].value {
            Value::Alias(index) => Self { index, ..self },
            _ => Self { index, ..self },
        }
    }

    /// Returns the names of a mapping's fields. The value of each is the next
    /// node.
    fn names(self) -> impl Iterator<Item = Self> {
        let (nodes, NodeData { end, value, .. }) = (&self.tree.nodes, self.data());
        let has_names = *value == Value::Mapping && self.index + 1 < *end;
        let first = has_names.then_some(self.index + 1);
        iter::successors(first, move |name| Some(nodes[name + 1].end).filter(|next| next < end))
            .map(move |index| Self { index, ..self })
    }

    /// Returns the name of a field.
    fn name(self, name: &str) -> Option<Self> {
        self.names().find(|node| node.text() == name)
    }

    pub fn shape(self) -> Shape {
        match &self.data().value {
            Value::Scalar { text, plain: true } => resolve(text),
            Value::Scalar { .. } | Value::Alias(_) => Shape::Text,
            Value::List => Shape::List,
            Value::Mapping => Shape::Mapping,
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
        self.name(name).map(|name| self.with(name.index + 1))
    }

    /// Returns the fields of a mapping, duplicates included; otherwise none.
    pub fn fields(self) -> impl Iterator<Item = (&'t str, Self)> {
        self.names().map(move |name| (name.text(), self.with(name.index + 1)))
    }

    /// Returns the items of a list, or the value itself if it is not a list.
    pub fn values(self) -> impl Iterator<Item = Self> {
        let (nodes, NodeData { end, value, .. }) = (&self.tree.nodes, self.data());
        let first = self.index + usize::from(*value == Value::List);
        let first = (first < *end).then_some(first);
        iter::successors(first, move |node| Some(nodes[*node].end).filter(|next| next < end))
            .map(move |index| self.with(index))
    }

    /// Returns whether the value is an item of a list.
    pub fn is_item(self) -> bool {
        let parent = self.with(self.data().parent);
        self.index != 0 && parent.shape() == Shape::List
    }

    /// Returns the value of a field that accepts one value or a list, by its
    /// position; the mapping itself if there is none.
    pub fn value(self, field: &str, position: usize) -> Self {
        let value = self.field(field).and_then(|node| node.values().nth(position));
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
            let parent = Self { index: node.data().parent, ..self };
            if parent.data().value == Value::Mapping {
                let name = Self { index: node.index - 1, ..self };
                steps.push(format!(".{}", name.text()));
            } else {
                steps.push(format!("[{}]", node.data().position));
            }
            node = parent;
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
        let span = self.name(name).unwrap_or(self).span();
        let path = match self.path() {
            path if path.is_empty() => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        Finding { path, ..Finding::at(code, span, message) }
    }

    /// Returns a finding about the name of a field that occurs again.
    fn duplicate(self, first: usize, again: usize) -> Finding {
        let [first, again] = [first, again].map(|index| Self { index, ..self });
        let name = again.text();
        let (code, message) = match &*self.path() {
            "targets" => (Code::DuplicateName, format!("a second target is named `{name}`")),
            _ => (Code::DuplicateField, format!("the field `{name}` occurs twice")),
        };
        let Span { line, column, .. } = first.span();
        let finding = self.field_finding(code, name, message);
        let finding = Finding { span: again.span(), ..finding }
            .note(format!("first at line {line}, column {column}"));
        match code {
            Code::DuplicateField => finding.help(format!(
                "write `{name}` once; several values are a list: `{name}: [one, two]`"
            )),
            _ => finding,
        }
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
