//! Builds the tree from the events of the parser.

use std::{borrow::Cow, collections::HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as ParserSpan};

use super::{
    Duplicate, MAX_DEPTH, MAX_EXPANDED, NodeData, Span, VALUE_BYTES, Value, YamlTree, lines,
};
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
        builder.add(Span::character(1, 1), Value::Scalar { text: "".into(), plain: true }, 0);
    }
    Ok(YamlTree { nodes: builder.nodes, duplicates: builder.duplicates })
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
    duplicates: Vec<Duplicate<'t>>,
    documents: usize,
    /// The lists and mappings around the next value.
    open: Vec<Open<'t>>,
    /// The nodes of complete values with an anchor.
    anchors: HashMap<usize, usize>,
}

struct Open<'t> {
    node: usize,
    anchor: usize,
    start: Marker,
    /// In a mapping, the field that the next value belongs to.
    field: Option<(Cow<'t, str>, Span)>,
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
                if !self.expects_field_name() {
                    let expanded = text.len().saturating_add(VALUE_BYTES);
                    let node = self.add(span.into(), Value::Scalar { text, plain }, expanded);
                    return self.attach(node, anchor);
                }
                if text == "<<" && plain {
                    return Err(MERGE_KEY);
                }
                self.field_name(text, span.into());
            }
            Event::SequenceStart(anchor, _) => {
                self.open(Value::List(Vec::new()), anchor, span)?;
            }
            Event::MappingStart(anchor, _) => {
                self.open(Value::Mapping(Box::default()), anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Alias(_) if self.expects_field_name() => return Err(FIELD_NAME),
            // An anchor of a value that is still open is not in the map.
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(&node) => self.attach(node, 0)?,
                None => return Err(RECURSIVE_ALIAS),
            },
            _ => {}
        }
        Ok(())
    }

    fn expects_field_name(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.field.is_none() && matches!(self.nodes[open.node].value, Value::Mapping(_))
        })
    }

    fn field_name(&mut self, name: Cow<'t, str>, span: Span) {
        let Some(open) = self.open.last_mut() else { return };
        let Value::Mapping(entries) = &self.nodes[open.node].value else { return };
        if let Some(position) = entries.position(&name) {
            let first = entries.list[position].1;
            let (mapping, name) = (open.node, name.clone());
            self.duplicates.push(Duplicate { mapping, name, first, again: span });
        }
        open.field = Some((name, span));
    }

    fn add(&mut self, span: Span, value: Value<'t>, expanded: usize) -> usize {
        let parent = self.open.last().map_or(0, |open| open.node);
        let position = match self.nodes.get(parent).map(|node| &node.value) {
            Some(Value::List(items)) => items.len(),
            Some(Value::Mapping(entries)) => entries.list.len(),
            _ => 0,
        };
        self.nodes.push(NodeData { span, parent, position, value, expanded });
        self.nodes.len() - 1
    }

    fn open(&mut self, value: Value<'t>, anchor: usize, span: ParserSpan) -> Result<(), YamlError> {
        if self.expects_field_name() {
            return Err(FIELD_NAME);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        let node = self.add(span.into(), value, VALUE_BYTES);
        self.open.push(Open { node, anchor, start: span.start, field: None });
        Ok(())
    }

    fn close(&mut self, span: ParserSpan) -> Result<(), YamlError> {
        let Some(Open { node, anchor, start, .. }) = self.open.pop() else { return Ok(()) };
        // A block has no closing bracket: it is shown by its first field or item.
        let first = match &self.nodes[node].value {
            Value::Mapping(entries) => entries.list.first().map(|(_, span, _)| *span),
            Value::List(items) => items.first().map(|item| self.nodes[*item].span),
            Value::Scalar { .. } => None,
        };
        self.nodes[node].span = match first {
            Some(first) if span.is_empty() && first.line == start.line() => first,
            _ if span.is_empty() => Span::between(start, start),
            _ => Span::between(start, span.end),
        };
        self.attach(node, anchor)
    }

    /// Puts a complete value into the list or mapping around it.
    fn attach(&mut self, node: usize, anchor: usize) -> Result<(), YamlError> {
        // Anchors count from 1.
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let mut expanded = self.nodes[node].expanded;
        let parent = &mut self.nodes[open.node];
        match (&mut parent.value, open.field.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Mapping(entries), Some((name, span))) => {
                expanded = expanded.saturating_add(name.len());
                entries.push(name, span, node);
            }
            _ => {}
        }
        parent.expanded = parent.expanded.saturating_add(expanded);
        if parent.expanded > MAX_EXPANDED { Err(TOO_MANY) } else { Ok(()) }
    }
}
