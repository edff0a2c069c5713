//! rules.yaml as a tree of values that know where they stand.
//!
//! The tree is built from the events of a parser that keeps positions. It
//! serves three ends: a finding about `rules[3].regex` is placed under that
//! very value; duplicate fields, which serde would see one at a time, are all
//! found; and a file that would take unbounded time or memory to read is
//! refused before anything else reads it.
//!
//! Values live in one flat list and refer to each other by index, so neither
//! deep nesting nor a repeated alias costs stack or memory. An alias is an index
//! of the value it stands for.

mod builder;

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScanError, Span as ScanSpan};

use self::builder::Builder;

/// The deepest nesting of lists and mappings. The format itself needs eight.
pub(super) const MAX_DEPTH: usize = 64;

/// What a file may amount to when each use of an alias counts as the value it
/// stands for: bytes of text, and [`VALUE_BYTES`] for each value. It is room for
/// a million values, more than a sound file of the largest size holds, and
/// bounds the memory that reading takes.
pub(super) const MAX_EXPANDED: usize = 4 * super::MAX_FILE_BYTES;
const VALUE_BYTES: usize = 32;

/// Mappings with more fields than this are looked up by hash.
const INDEXED_FIELDS: usize = 8;

/// Where a piece of text stands: lines and columns count from 1, columns in
/// characters. A piece that goes over several lines ends with its first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub line: usize,
    pub column: usize,
    pub end_column: usize,
}

impl Span {
    fn new(span: ScanSpan) -> Self {
        Self::between(span.start, span.end)
    }

    fn between(start: Marker, end: Marker) -> Self {
        let column = start.col() + 1;
        let end_column = if end.line() == start.line() { end.col() + 1 } else { usize::MAX };
        Self { line: start.line(), column, end_column }
    }
}

/// Why a text is no tree.
#[derive(Debug)]
pub(super) enum Broken {
    /// It is not YAML.
    Syntax(String),
    /// It nests deeper than [`MAX_DEPTH`].
    TooDeep,
    /// With its aliases it amounts to more than [`MAX_EXPANDED`].
    TooManyValues,
    /// A field's name is a list or a mapping.
    FieldName,
    /// A construct of YAML that has no meaning here.
    Unsupported(String),
}

/// A field that stands twice in one mapping.
#[derive(Debug)]
pub(super) struct Duplicate {
    /// The mapping.
    pub mapping: usize,
    /// The field's name.
    pub name: String,
    /// Where it stands first.
    pub first: Span,
    /// Where it stands again.
    pub again: Span,
}

#[derive(Debug)]
struct Node {
    span: Span,
    parent: usize,
    /// Which of the parent's values it is.
    place: usize,
    value: Value,
    /// What reading the value with all its aliases amounts to.
    expanded: usize,
}

#[derive(Debug)]
enum Value {
    Scalar(String),
    List(Vec<usize>),
    Mapping(Fields),
}

#[derive(Debug, Default)]
struct Fields {
    list: Vec<(String, Span, usize)>,
    /// Of many fields, the places of each name.
    index: Option<HashMap<String, Places>>,
}

/// Where among the fields of a mapping a name stands.
#[derive(Clone, Copy, Debug)]
struct Places {
    first: usize,
    last: usize,
}

impl Fields {
    /// The field of a name; of several, the last.
    fn get(&self, name: &str) -> Option<&(String, Span, usize)> {
        match &self.index {
            Some(index) => index.get(name).map(|places| &self.list[places.last]),
            None => self.list.iter().rev().find(|(field, ..)| field == name),
        }
    }
}

/// The text and its tree.
#[derive(Debug)]
pub(super) struct Source<'t> {
    lines: Vec<&'t str>,
    nodes: Vec<Node>,
    /// Fields that stand twice, in the order of the file.
    pub duplicates: Vec<Duplicate>,
}

/// One value of the tree, or the place where a missing one belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'s> {
    pub source: &'s Source<'s>,
    /// The value's index; the nearest known value around it when `exact` is not
    /// set.
    node: usize,
    exact: bool,
}

impl<'t> Source<'t> {
    /// A text whose tree is not known.
    pub fn without_tree(text: &'t str) -> Self {
        Self { lines: split_lines(text), nodes: Vec::new(), duplicates: Vec::new() }
    }

    /// Parses a text. An error says where it is.
    pub fn parse(text: &'t str) -> Result<Self, (Broken, Span)> {
        let mut builder = Builder::new(text);
        let mut parser = Parser::new_from_str(text);
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error: ScanError| {
                let at = Span::between(*error.marker(), *error.marker());
                // The parser has a limit of its own, and looks ahead.
                let broken = match error.info() {
                    "recursion limit exceeded" => Broken::TooDeep,
                    info => Broken::Syntax(info.to_owned()),
                };
                (broken, builder.source.clamp(at))
            })?;
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    let text = "a second document; a rules file is one".to_owned();
                    return Err((Broken::Unsupported(text), Span::new(span)));
                }
            }
            builder.event(event, span).map_err(|broken| (broken, Span::new(span)))?;
        }
        Ok(builder.source)
    }

    /// The whole document.
    pub fn root(&self) -> At<'_> {
        At { source: self, node: 0, exact: !self.nodes.is_empty() }
    }

    /// A value by its index, as [`Duplicate`] names it.
    pub fn value(&self, node: usize) -> At<'_> {
        At { source: self, node, exact: true }
    }

    /// A place in the file for one that may be behind its last line.
    fn clamp(&self, span: Span) -> Span {
        if span.line <= self.lines.len() {
            return span;
        }
        let column = self.lines.last().map_or(0, |line| line.chars().count()) + 1;
        Span { line: self.lines.len().max(1), column, end_column: column + 1 }
    }

    /// The text of a line, counted from 1.
    pub fn line(&self, line: usize) -> &'t str {
        self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// YAML breaks lines at `\n`, `\r\n` and `\r`.
fn split_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        lines.extend(line.strip_suffix('\r').unwrap_or(line).split('\r'));
    }
    lines
}

impl<'s> At<'s> {
    /// The value of a field.
    pub fn field(self, name: &str) -> Self {
        self.child(|value| match value {
            Value::Mapping(fields) => fields.get(name).map(|(.., node)| *node),
            _ => None,
        })
    }

    /// An item of a list.
    pub fn index(self, index: usize) -> Self {
        self.child(|value| match value {
            Value::List(items) => items.get(index).copied(),
            _ => None,
        })
    }

    /// A value of a field that takes one or a list, by its place.
    pub fn item(self, index: usize) -> Self {
        match self.source.nodes.get(self.node).map(|node| &node.value) {
            Some(Value::List(_)) if self.exact => self.index(index),
            _ => self,
        }
    }

    fn child(self, find: impl FnOnce(&Value) -> Option<usize>) -> Self {
        let found = if self.exact { find(&self.source.nodes[self.node].value) } else { None };
        match found {
            Some(node) => Self { node, ..self },
            None => Self { exact: false, ..self },
        }
    }

    /// Whether the value is in the file.
    pub fn is_given(self) -> bool {
        self.exact
    }

    /// Where the value stands.
    pub fn span(self) -> Span {
        let span = self.source.nodes.get(self.node).map(|node| node.span);
        span.unwrap_or(Span { line: 1, column: 1, end_column: 1 })
    }

    /// Where the name of a field stands; the mapping when it has no such field.
    pub fn field_name(self, name: &str) -> Span {
        match self.source.nodes.get(self.node).map(|node| &node.value) {
            Some(Value::Mapping(fields)) if self.exact => {
                fields.get(name).map_or_else(|| self.span(), |(_, span, _)| *span)
            }
            _ => self.span(),
        }
    }

    /// The text of a scalar, as it stands in the file less its quotes.
    pub fn text(self) -> Option<&'s str> {
        match self.source.nodes.get(self.node).map(|node| &node.value) {
            Some(Value::Scalar(text)) if self.exact => Some(text),
            _ => None,
        }
    }

    /// The way to the value: `rules[3].regex`. A value that aliases share has
    /// the path of where it is written.
    pub fn path(self) -> String {
        let nodes = &self.source.nodes;
        let mut steps = Vec::new();
        let mut node = self.node;
        while node != 0 && node < nodes.len() {
            let Node { parent, place, .. } = nodes[node];
            match &nodes[parent].value {
                Value::List(_) => steps.push(format!("[{place}]")),
                Value::Mapping(fields) => steps.push(format!(".{}", fields.list[place].0)),
                Value::Scalar(_) => {}
            }
            node = parent;
        }
        let path: String = steps.into_iter().rev().collect();
        path.strip_prefix('.').map(str::to_owned).unwrap_or(path)
    }
}

#[cfg(test)]
mod tests;
