//! How the tree of a file grows.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, ScalarStyle, Span as ScanSpan};

use super::{
    Broken, Duplicate, Fields, INDEXED_FIELDS, MAX_DEPTH, MAX_EXPANDED, Node, Places, Source, Span,
    VALUE_BYTES, Value,
};

/// Builds the tree from events, one after another.
pub(super) struct Builder<'t> {
    text: &'t str,
    /// How far the text was followed, in characters and in bytes.
    followed: (usize, usize),
    pub source: Source<'t>,
    open: Vec<Open>,
    /// The value an anchor names. An anchor of an open value is not here yet.
    anchors: HashMap<usize, usize>,
}

/// A list or mapping whose end is still to come.
struct Open {
    node: usize,
    anchor: usize,
    start: Marker,
    /// Of a mapping, the places of each name.
    seen: HashMap<String, Places>,
    /// Of a mapping, the field whose value comes next.
    field: Option<(String, Span)>,
}

impl<'t> Builder<'t> {
    pub fn new(text: &'t str) -> Self {
        let source = Source::without_tree(text);
        Self { text, followed: (0, 0), source, open: Vec::new(), anchors: HashMap::new() }
    }

    pub fn event(&mut self, event: Event<'_>, span: ScanSpan) -> Result<(), Broken> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                no_tag(tag.is_some())?;
                if self.awaits_field_name() {
                    if text == "<<" && style == ScalarStyle::Plain {
                        let text = "merge keys (`<<`) are not read; repeat the fields, or use `defaults` for those of targets";
                        return Err(Broken::Unsupported(text.to_owned()));
                    }
                    self.field_name(text.into_owned(), Span::new(span));
                } else {
                    let expanded = text.len().saturating_add(VALUE_BYTES);
                    let value = Value::Scalar(text.into_owned());
                    let span = self.scalar_span(span, style);
                    let node = self.add(span, value, expanded);
                    self.name(anchor, node);
                    self.attach(node)?;
                }
            }
            Event::SequenceStart(anchor, tag) => {
                no_tag(tag.is_some())?;
                self.open(Value::List(Vec::new()), anchor, span)?;
            }
            Event::MappingStart(anchor, tag) => {
                no_tag(tag.is_some())?;
                self.open(Value::Mapping(Fields::default()), anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Alias(anchor) => {
                let Some(&node) = self.anchors.get(&anchor) else {
                    let text = "an alias stands within the value it names";
                    return Err(Broken::Unsupported(text.to_owned()));
                };
                if self.awaits_field_name() {
                    return Err(Broken::FieldName);
                }
                self.attach(node)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Where a scalar stands. The parser counts what follows a text in quotes, a
    /// comment for one, as a part of it.
    fn scalar_span(&mut self, parsed: ScanSpan, style: ScalarStyle) -> Span {
        let span = Span::new(parsed);
        let quote = match style {
            ScalarStyle::SingleQuoted => '\'',
            ScalarStyle::DoubleQuoted => '"',
            _ => return span,
        };
        let mut text = self.text_from(parsed.start).chars();
        let mut end_column = span.column;
        // An anchor may stand in front.
        for character in text.by_ref() {
            end_column += 1;
            match character {
                '\r' | '\n' => return span,
                character if character == quote => break,
                _ => {}
            }
        }
        while let Some(character) = text.next() {
            end_column += 1;
            match character {
                '\r' | '\n' => return span,
                '\\' if quote == '"' => {
                    text.next();
                    end_column += 1;
                }
                // Two single quotes are one, as text.
                '\'' if quote == '\'' && text.as_str().starts_with('\'') => {
                    text.next();
                    end_column += 1;
                }
                character if character == quote => return Span { end_column, ..span },
                _ => {}
            }
        }
        span
    }

    /// The text from a place on. Places are asked for in their order.
    fn text_from(&mut self, place: Marker) -> &'t str {
        let (characters, bytes) = self.followed;
        let rest = &self.text[bytes..];
        let ahead = place.index().saturating_sub(characters);
        let ahead = rest.char_indices().nth(ahead).map_or(rest.len(), |(bytes, _)| bytes);
        self.followed = (place.index(), bytes + ahead);
        &rest[ahead..]
    }

    fn awaits_field_name(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.field.is_none() && matches!(self.source.nodes[open.node].value, Value::Mapping(_))
        })
    }

    fn field_name(&mut self, name: String, span: Span) {
        let Some(open) = self.open.last_mut() else { return };
        let Value::Mapping(fields) = &self.source.nodes[open.node].value else { return };
        let place = fields.list.len();
        if let Some(places) = open.seen.get_mut(&name) {
            places.last = place;
            self.source.duplicates.push(Duplicate {
                mapping: open.node,
                name: name.clone(),
                first: fields.list[places.first].1,
                again: span,
            });
        } else {
            open.seen.insert(name.clone(), Places { first: place, last: place });
        }
        open.field = Some((name, span));
    }

    fn add(&mut self, span: Span, value: Value, expanded: usize) -> usize {
        let parent = self.open.last().map_or(0, |open| open.node);
        let place = match self.source.nodes.get(parent).map(|node| &node.value) {
            Some(Value::List(items)) => items.len(),
            Some(Value::Mapping(fields)) => fields.list.len(),
            _ => 0,
        };
        self.source.nodes.push(Node { span, parent, place, value, expanded });
        self.source.nodes.len() - 1
    }

    fn name(&mut self, anchor: usize, node: usize) {
        // Anchors count from 1; 0 is none.
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
    }

    fn open(&mut self, value: Value, anchor: usize, span: ScanSpan) -> Result<(), Broken> {
        if self.awaits_field_name() {
            return Err(Broken::FieldName);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Broken::TooDeep);
        }
        let node = self.add(Span::new(span), value, VALUE_BYTES);
        let (seen, field) = (HashMap::new(), None);
        self.open.push(Open { node, anchor, start: span.start, seen, field });
        Ok(())
    }

    fn close(&mut self, span: ScanSpan) -> Result<(), Broken> {
        let Some(Open { node, anchor, start, seen, .. }) = self.open.pop() else { return Ok(()) };
        if let Value::Mapping(fields) = &mut self.source.nodes[node].value
            && fields.list.len() > INDEXED_FIELDS
        {
            fields.index = Some(seen);
        }
        // A block has no closing bracket: its first field or item stands for it.
        let first = match &self.source.nodes[node].value {
            Value::Mapping(fields) => fields.list.first().map(|(_, span, _)| *span),
            Value::List(items) => items.first().map(|item| self.source.nodes[*item].span),
            Value::Scalar(_) => None,
        };
        self.source.nodes[node].span = match first {
            Some(first) if span.is_empty() && first.line == start.line() => first,
            _ if span.is_empty() => Span::between(start, start),
            _ => Span::between(start, span.end),
        };
        self.name(anchor, node);
        self.attach(node)
    }

    /// Puts a whole value where it stands.
    fn attach(&mut self, node: usize) -> Result<(), Broken> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let nodes = &mut self.source.nodes;
        let mut expanded = nodes[node].expanded;
        match &mut nodes[open.node].value {
            Value::List(items) => items.push(node),
            Value::Mapping(fields) => {
                if let Some((name, span)) = open.field.take() {
                    expanded = expanded.saturating_add(name.len());
                    fields.list.push((name, span, node));
                }
            }
            Value::Scalar(_) => {}
        }
        let total = nodes[open.node].expanded.saturating_add(expanded);
        nodes[open.node].expanded = total;
        if total > MAX_EXPANDED {
            return Err(Broken::TooManyValues);
        }
        Ok(())
    }
}

fn no_tag(tagged: bool) -> Result<(), Broken> {
    if tagged {
        let text = "tags (`!name`) have no meaning here; put text in quotes if that was the aim";
        return Err(Broken::Unsupported(text.to_owned()));
    }
    Ok(())
}
