use crate::{
    item::{self, MAX_PATH_LENGTH, MAX_TAG_LENGTH, is_tag_byte},
    rules::{RuleRegex, UnknownWord},
};

use super::{Field, Part, PathTemplate, TagTemplate};

/// Why a template is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {help}")]
pub struct TemplateError {
    /// What is wrong, quoting the value.
    pub problem: String,
    /// What to write instead.
    pub help: String,
    /// For an unknown placeholder, it and the known ones.
    pub unknown: Option<UnknownWord>,
}

impl TemplateError {
    fn new(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { problem: problem.into(), help: help.into(), unknown: None }
    }
}

impl PathTemplate {
    /// Reads a template of `paths:` that belongs to a rule with these regexes.
    pub fn parse(text: &str, regexes: &[RuleRegex]) -> Result<Self, TemplateError> {
        let mut pieces = split(text)?;
        let wildcard = match pieces.last_mut() {
            Some(Piece::Literal(last)) if last.ends_with('*') => {
                *last = &last[..last.len() - 1];
                true
            }
            _ => false,
        };
        pieces.retain(|piece| *piece != Piece::Literal(""));
        let parts = pieces
            .iter()
            .map(|piece| match *piece {
                Piece::Literal(literal) => path_literal(literal, text).map(Part::Literal),
                Piece::Placeholder(name) => placeholder(name, text, regexes),
            })
            .collect::<Result<Box<[_]>, _>>()?;
        let has_slash = match parts.first() {
            Some(Part::Literal(literal)) => literal.starts_with('/'),
            Some(Part::Field(Field::Path | Field::Dir)) => true,
            _ => false,
        };
        if !has_slash {
            return Err(no_leading_slash(text));
        }
        let length = literal_length(&parts) + usize::from(wildcard);
        if length > MAX_PATH_LENGTH {
            return Err(TemplateError::new(
                format!("the path has {length} characters of literal text"),
                format!("CloudFront takes at most {MAX_PATH_LENGTH}"),
            ));
        }
        Ok(Self { text: text.into(), parts, wildcard })
    }
}

impl TagTemplate {
    /// Reads a template of `tags:` that belongs to a rule with these regexes.
    pub fn parse(text: &str, regexes: &[RuleRegex]) -> Result<Self, TemplateError> {
        if text.is_empty() {
            return Err(TemplateError::new("the tag is empty", "write the tag's text"));
        }
        if let Some(rest) = text.strip_prefix('#') {
            return Err(TemplateError::new(
                format!("the tag `{text}` starts with `#`"),
                format!("write `{rest}`: the `#` is put in front when the tag is sent"),
            ));
        }
        let parts = split(text)?
            .into_iter()
            .map(|piece| match piece {
                Piece::Literal(literal) => tag_literal(literal, text).map(Part::Literal),
                Piece::Placeholder(name) => placeholder(name, text, regexes),
            })
            .collect::<Result<Box<[_]>, _>>()?;
        let length = literal_length(&parts);
        if length > MAX_TAG_LENGTH {
            return Err(TemplateError::new(
                format!("the tag has {length} characters of literal text"),
                format!("CloudFront takes at most {MAX_TAG_LENGTH}"),
            ));
        }
        Ok(Self { text: text.into(), parts })
    }
}

/// A template's text as it is split at its braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'t> {
    Literal(&'t str),
    /// The name between the braces.
    Placeholder(&'t str),
}

fn split(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(brace) = rest.find(['{', '}']) {
        if brace > 0 {
            pieces.push(Piece::Literal(&rest[..brace]));
        }
        let inside = rest[brace..].strip_prefix('{').ok_or_else(|| unbalanced('}', text))?;
        let end = inside.find(['{', '}']).ok_or_else(|| unbalanced('{', text))?;
        if inside[end..].starts_with('{') {
            return Err(unbalanced('{', text));
        }
        pieces.push(Piece::Placeholder(&inside[..end]));
        rest = &inside[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

fn unbalanced(brace: char, text: &str) -> TemplateError {
    TemplateError::new(
        format!("`{brace}` without its partner in `{text}`"),
        "braces surround a placeholder, as in `{path}`; a path spells a brace of its own `%7B` or `%7D`",
    )
}

fn no_leading_slash(text: &str) -> TemplateError {
    let help = match text {
        "" => "write `{path}` for the object itself".to_owned(),
        _ if text.starts_with('#') => {
            format!("a cache tag belongs under `tags`, as `{}`", &text[1..])
        }
        _ => format!("write `/{text}`"),
    };
    TemplateError::new(format!("the path `{text}` does not start with `/`"), help)
}

fn placeholder(name: &str, text: &str, regexes: &[RuleRegex]) -> Result<Part, TemplateError> {
    let defines = |regex: &&RuleRegex| regex.capture_names().any(|capture| capture == name);
    if let Some(field) = Field::named(name) {
        return match regexes.iter().find(defines) {
            None => Ok(Part::Field(field)),
            Some(regex) => Err(TemplateError::new(
                format!(
                    "`{{{name}}}` is both a placeholder and a capture of `{}`",
                    regex.pattern()
                ),
                "give the capture another name",
            )),
        };
    }
    let number =
        name.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.parse().ok()).flatten();
    let lacks = match number {
        Some(0) => {
            return Err(TemplateError::new(
                format!("`{{{name}}}` is no capture"),
                "captures are numbered from 1",
            ));
        }
        Some(group) => regexes.iter().find(|regex| regex.group_count() < group),
        None if regexes.iter().any(|regex| defines(&regex)) => {
            regexes.iter().find(|regex| !defines(regex))
        }
        None => return Err(unknown_placeholder(name, text, regexes)),
    };
    match (lacks, number) {
        (Some(regex), _) => Err(TemplateError::new(
            format!("the regex `{}` has no capture `{{{name}}}`", regex.pattern()),
            "every regex of the rule must define every capture its templates use",
        )),
        (None, _) if regexes.is_empty() => Err(TemplateError::new(
            format!("`{{{name}}}` is a capture, and the rule has no `regex`"),
            "give the rule a `regex` that defines it",
        )),
        (None, Some(group)) => Ok(Part::Group(group)),
        (None, None) => Ok(Part::Name(name.into())),
    }
}

fn unknown_placeholder(name: &str, text: &str, regexes: &[RuleRegex]) -> TemplateError {
    let braced = |name: &str| format!("{{{name}}}");
    let fields = Field::ALL.map(|(field, _)| braced(field));
    let captures = regexes.iter().flat_map(RuleRegex::capture_names).map(braced);
    let help =
        format!("the placeholders are {} and the captures of the rule's regex", fields.join(" "));
    let unknown = UnknownWord::new(&braced(name), fields.into_iter().chain(captures));
    let problem = format!("unknown placeholder `{{{name}}}` in `{text}`");
    TemplateError { unknown: Some(unknown), ..TemplateError::new(problem, help) }
}

/// Checks and encodes literal text of a path.
fn path_literal(literal: &str, text: &str) -> Result<Box<str>, TemplateError> {
    if literal.contains('*') {
        return Err(TemplateError::new(
            format!("the `*` in `{text}` is not at its end"),
            "CloudFront knows a wildcard only as the last character of a path",
        ));
    }
    let mut encoded = String::with_capacity(literal.len());
    let mut rest = literal;
    while !rest.is_empty() {
        let (kept, after) = match rest.as_bytes() {
            [b'?', ..] => rest.split_at(1),
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest.split_at(3)
            }
            _ => {
                let first = rest.chars().next().map_or(0, char::len_utf8);
                let end = rest[first..].find(['?', '%']).map_or(rest.len(), |place| first + place);
                ("", &rest[end..])
            }
        };
        if kept.is_empty() {
            encoded.push_str(&item::encode(&rest[..rest.len() - after.len()]));
        } else {
            encoded.push_str(kept);
        }
        rest = after;
    }
    let upper = encoded.to_ascii_uppercase();
    for dead in ["~", "%7E", "%2A"] {
        if upper.contains(dead) {
            return Err(TemplateError::new(
                format!(
                    "the path `{text}` holds `{dead}`, for which CloudFront invalidates nothing"
                ),
                "end the path with a `*` in front of it",
            ));
        }
    }
    Ok(encoded.into())
}

/// Checks literal text of a tag.
fn tag_literal(literal: &str, text: &str) -> Result<Box<str>, TemplateError> {
    match literal.chars().find(|&c| !u8::try_from(c).is_ok_and(is_tag_byte)) {
        None => Ok(literal.into()),
        Some(c) => Err(TemplateError::new(
            format!("the tag `{}` holds `{}`", text.escape_debug(), c.escape_debug()),
            "a tag is printable ASCII without space and comma",
        )),
    }
}

fn literal_length(parts: &[Part]) -> usize {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.len(),
            Part::Field(_) | Part::Group(_) | Part::Name(_) => 0,
        })
        .sum()
}
