//! Builds the tree from the events of the parser.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as ParserSpan};

use super::{MAX_DEPTH, MAX_EXPANDED, NodeData, Span, VALUE_BYTES, Value, YamlTree, lines};
use crate::rules::finding::{Code, Finding};

/// Why an event is refused; the caller adds the location.
type YamlError = (Code, &'static str);

const TOO_DEEP: YamlError = (Code::NestedTooDeeply, "nested deeper than 64 levels");
const TOO_MANY: YamlError =
    (Code::TooManyValues, "more than about a million values, counting every use of an alias");
const MISSING_COLON: YamlError = (Code::Syntax, "the name of a field has no `:` after it");
const FIELD_NAME: YamlError = (Code::Syntax, "the name of a field must be plain text");
const MERGE_KEY: YamlError = (
    Code::Syntax,
    "merge keys (`<<`) are not supported; repeat the fields, or use `defaults` for those of targets",
);
const TAG: YamlError =
    (Code::Syntax, "tags (`!name`) are not supported; write text that starts with `!` in quotes");
const RECURSIVE_ALIAS: YamlError = (Code::Syntax, "an alias is inside the value that it refers to");
const SECOND_DOCUMENT: YamlError =
    (Code::Syntax, "a second document starts here; a rules file has only one");

pub(super) fn build(text: &str) -> Result<YamlTree<'_>, Box<Finding>> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax_error(&error, text))?;
        builder
            .event(event, span)
            .map_err(|(code, message)| Finding::at(code, span.into(), message))?;
    }
    if builder.nodes.is_empty() {
        let value = Value::Scalar { text: "".into(), plain: true };
        let span = Span::character(1, 1);
        builder.nodes.push(NodeData { span, parent: 0, position: 0, end: 1, value });
    }
    Ok(YamlTree { nodes: builder.nodes })
}

fn syntax_error(error: &ScanError, text: &str) -> Finding {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    // An error at the end of the file may be placed behind its last line.
    let last = lines(text).count();
    let span = if line <= last {
        Span::character(line, column)
    } else {
        Span::character(last, lines(text).last().unwrap_or_default().chars().count() + 1)
    };
    // The parser has a limit of its own, and reads ahead.
    let (code, message) = match error.info() {
        "recursion limit exceeded" => TOO_DEEP,
        "simple key expect ':'" | "simple key expected" => MISSING_COLON,
        info => (Code::Syntax, info),
    };
    Finding::at(code, span, message)
}

#[derive(Default)]
struct Builder<'t> {
    nodes: Vec<NodeData<'t>>,
    documents: usize,
    /// The lists and mappings around the next value.
    open: Vec<Open>,
    /// Complete values with an anchor, and their expanded sizes.
    anchors: HashMap<usize, (usize, usize)>,
}

/// A list or mapping whose end has not come yet.
struct Open {
    node: usize,
    anchor: usize,
    start: Marker,
    /// In a mapping, whether the next value is that of a field.
    has_name: bool,
    /// The number of values so far.
    values: usize,
    /// The size of the values so far, with aliases expanded.
    expanded: usize,
}

impl<'t> Builder<'t> {
    fn event(&mut self, event: Event<'t>, span: ParserSpan) -> Result<(), YamlError> {
        if let Event::Scalar(.., Some(_))
        | Event::SequenceStart(_, Some(_))
        | Event::MappingStart(_, Some(_)) = event
        {
            return Err(TAG);
        }
        match event {
            Event::DocumentStart(_) if self.documents > 0 => return Err(SECOND_DOCUMENT),
            Event::DocumentStart(_) => self.documents += 1,
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let is_name = self.expects_field_name();
                if is_name && text == "<<" && plain {
                    return Err(MERGE_KEY);
                }
                let length = text.len();
                let node = self.add(span, Value::Scalar { text, plain });
                if is_name {
                    self.count(length, true)?;
                } else {
                    self.complete(node, anchor, length.saturating_add(VALUE_BYTES))?;
                }
            }
            Event::SequenceStart(anchor, _) => self.open(Value::List, anchor, span)?,
            Event::MappingStart(anchor, _) => self.open(Value::Mapping, anchor, span)?,
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Alias(_) if self.expects_field_name() => return Err(FIELD_NAME),
            // An anchor of a value that is still open is not in the map.
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(&(value, expanded)) => {
                    let alias = self.add(span, Value::Alias(value));
                    self.complete(alias, 0, expanded)?;
                }
                None => return Err(RECURSIVE_ALIAS),
            },
            _ => {}
        }
        Ok(())
    }

    fn expects_field_name(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| !open.has_name && self.nodes[open.node].value == Value::Mapping)
    }

    fn add(&mut self, span: ParserSpan, value: Value<'t>) -> usize {
        let (parent, position) = self.open.last().map_or((0, 0), |open| (open.node, open.values));
        let node = self.nodes.len();
        self.nodes.push(NodeData { span: span.into(), parent, position, end: node + 1, value });
        node
    }

    fn open(&mut self, value: Value<'t>, anchor: usize, span: ParserSpan) -> Result<(), YamlError> {
        if self.expects_field_name() {
            return Err(FIELD_NAME);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        let node = self.add(span, value);
        let start = span.start;
        let expanded = VALUE_BYTES;
        self.open.push(Open { node, anchor, start, has_name: false, values: 0, expanded });
        Ok(())
    }

    fn close(&mut self, span: ParserSpan) -> Result<(), YamlError> {
        let Some(Open { node, anchor, start, expanded, .. }) = self.open.pop() else {
            return Ok(());
        };
        // A block has no closing bracket: it is shown by its first field or item.
        let first = self.nodes.get(node + 1).map(|first| first.span);
        self.nodes[node].end = self.nodes.len();
        self.nodes[node].span = match first {
            Some(first) if span.is_empty() && first.line == start.line() => first,
            _ if span.is_empty() => Span::between(start, start),
            _ => Span::between(start, span.end),
        };
        self.complete(node, anchor, expanded)
    }

    /// Records the anchor and the size of a complete value.
    fn complete(&mut self, node: usize, anchor: usize, expanded: usize) -> Result<(), YamlError> {
        // Anchors count from 1.
        if anchor != 0 {
            self.anchors.insert(anchor, (node, expanded));
        }
        self.count(expanded, false)
    }

    /// Adds the size of a name or value to the list or mapping around it.
    fn count(&mut self, expanded: usize, has_name: bool) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        open.has_name = has_name;
        open.values += usize::from(!has_name);
        open.expanded = open.expanded.saturating_add(expanded);
        if open.expanded > MAX_EXPANDED { Err(TOO_MANY) } else { Ok(()) }
    }
}
