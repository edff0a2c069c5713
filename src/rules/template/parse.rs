//! Parses and checks the templates of `paths` and `tags`.

use crate::{
    item::{self, MAX_PATH_LENGTH, MAX_TAG_LENGTH, is_tag_byte},
    rules::{RuleRegex, UnknownWord, load::url_path},
};

use super::{Field, Part, Template, TemplateKind};

/// Why a template is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {help}")]
pub struct TemplateError {
    /// What is wrong, with the value.
    pub problem: String,
    /// What to write instead.
    pub help: String,
    /// For an unknown placeholder, it and the known ones.
    pub unknown: Option<UnknownWord>,
}

type Result<T> = std::result::Result<T, TemplateError>;

fn error(problem: impl Into<String>, help: impl Into<String>) -> TemplateError {
    TemplateError { problem: problem.into(), help: help.into(), unknown: None }
}

impl Template {
    /// Parses a template of `paths:` of a rule with these regexes.
    pub fn path(text: &str, regexes: &[RuleRegex]) -> Result<Self> {
        let (body, kind) = match text.strip_suffix('*') {
            Some(body) => (body, TemplateKind::Wildcard),
            None => (text, TemplateKind::Path),
        };
        let parts = parse(body, text, regexes, path_literal)?;
        let has_slash = match parts.first() {
            Some(Part::Literal(literal)) => literal.starts_with('/'),
            Some(Part::Field(Field::Path | Field::Dir)) => true,
            _ => false,
        };
        if !has_slash {
            let help = match text.strip_prefix('#') {
                _ if text.is_empty() => "write `{path}` for the path of the object".to_owned(),
                Some(tag) => format!("a cache tag belongs under `tags`: `{tag}`"),
                None => match url_path(text) {
                    Some(path) => format!("write the path without scheme and host: `{path}`"),
                    None => format!("write `/{text}`"),
                },
            };
            return Err(error(format!("the path `{text}` does not start with `/`"), help));
        }
        let length = literal_length(&parts) + usize::from(kind == TemplateKind::Wildcard);
        if length > MAX_PATH_LENGTH {
            return Err(error(
                format!("the path has {length} characters of literal text"),
                format!("CloudFront accepts at most {MAX_PATH_LENGTH}"),
            ));
        }
        Ok(Self { kind, text: text.into(), parts })
    }

    /// Parses a template of `tags:` of a rule with these regexes.
    pub fn tag(text: &str, regexes: &[RuleRegex]) -> Result<Self> {
        if text.is_empty() {
            return Err(error("the tag is empty", "write the text of the tag"));
        }
        if let Some(rest) = text.strip_prefix('#') {
            return Err(error(
                format!("the tag `{text}` starts with `#`"),
                format!("write `{rest}`: the `#` is added when the tag is sent"),
            ));
        }
        let parts = parse(text, text, regexes, tag_literal)?;
        let length = literal_length(&parts);
        if length > MAX_TAG_LENGTH {
            return Err(error(
                format!("the tag has {length} characters of literal text"),
                format!("CloudFront accepts at most {MAX_TAG_LENGTH}"),
            ));
        }
        Ok(Self { kind: TemplateKind::Tag, text: text.into(), parts })
    }
}

/// Splits the body of a template at its braces. `literal` checks and encodes a
/// piece of literal text; `text` is the whole template, for errors.
fn parse(
    body: &str,
    text: &str,
    regexes: &[RuleRegex],
    literal: fn(&str, &str) -> Result<Box<str>>,
) -> Result<Box<[Part]>> {
    let mut parts = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (before, braces) = rest.split_at(rest.find(['{', '}']).unwrap_or(rest.len()));
        if !before.is_empty() {
            parts.push(Part::Literal(literal(before, text)?));
        }
        rest = braces;
        if let Some(brace) = braces.chars().next() {
            let inside = braces.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let Some((name, after)) = inside.filter(|(name, _)| !name.contains('{')) else {
                return Err(error(
                    format!("unbalanced `{brace}` in `{text}`"),
                    "braces enclose a placeholder, as in `{path}`; in a path, write `%7B` or `%7D` for a brace",
                ));
            };
            parts.push(placeholder(name, text, regexes)?);
            rest = after;
        }
    }
    Ok(parts.into())
}

fn placeholder(name: &str, text: &str, regexes: &[RuleRegex]) -> Result<Part> {
    let defines = |regex: &&RuleRegex| regex.capture_names().any(|capture| capture == name);
    if let Some(&(_, field)) = Field::ALL.iter().find(|(field, _)| *field == name) {
        return match regexes.iter().find(defines) {
            None => Ok(Part::Field(field)),
            Some(regex) => Err(error(
                format!(
                    "`{{{name}}}` is both a placeholder and a capture of `{}`",
                    regex.pattern()
                ),
                "rename the capture",
            )),
        };
    }
    let number = name.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.parse());
    let (part, without) = match number {
        Some(Ok(0)) => {
            let problem = format!("`{{{name}}}` is not a capture");
            return Err(error(problem, "captures are numbered from 1"));
        }
        Some(Ok(group)) => {
            (Part::Group(group), regexes.iter().find(|regex| regex.groups().len() < group))
        }
        _ if regexes.iter().any(|regex| defines(&regex)) => {
            (Part::Name(name.into()), regexes.iter().find(|regex| !defines(regex)))
        }
        _ => return Err(unknown_placeholder(name, text, regexes)),
    };
    match without {
        Some(regex) => Err(error(
            format!("the regex `{}` has no capture `{{{name}}}`", regex.pattern()),
            "every regex of the rule must define every capture that its templates use",
        )),
        None if regexes.is_empty() => Err(error(
            format!("`{{{name}}}` is a capture, but the rule has no `regex`"),
            "add a `regex` that defines it",
        )),
        None => Ok(part),
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
    TemplateError { unknown: Some(unknown), ..error(problem, help) }
}

/// Checks and encodes literal text of a path.
fn path_literal(literal: &str, text: &str) -> Result<Box<str>> {
    if literal.contains('*') {
        return Err(error(
            format!("the `*` in `{text}` is not at the end"),
            "CloudFront supports a wildcard only as the last character of a path",
        ));
    }
    let encoded = encode_url_text(literal);
    let upper = encoded.to_ascii_uppercase();
    match ["~", "%7E", "%2A"].into_iter().find(|refused| upper.contains(refused)) {
        None => Ok(encoded.into()),
        Some(refused) => Err(error(
            format!("the path `{text}` contains `{refused}`, which CloudFront cannot invalidate"),
            format!("end the path with `*` before the `{refused}`"),
        )),
    }
}

/// Encodes what a URL requires, and keeps `?` and every valid `%XX`.
pub(in crate::rules) fn encode_url_text(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for (position, character) in text.char_indices() {
        let hex = text.as_bytes()[position..].get(1..3);
        let is_escape = hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        match character {
            '?' => encoded.push('?'),
            '%' if is_escape => encoded.push('%'),
            _ => encoded.push_str(&item::encode(character.encode_utf8(&mut [0; 4]))),
        }
    }
    encoded
}

/// Checks literal text of a tag.
fn tag_literal(literal: &str, text: &str) -> Result<Box<str>> {
    match literal.chars().find(|&c| !u8::try_from(c).is_ok_and(is_tag_byte)) {
        None => Ok(literal.into()),
        Some(c) => Err(error(
            format!("the tag `{}` contains `{}`", text.escape_debug(), c.escape_debug()),
            "a tag is printable ASCII without spaces and commas",
        )),
    }
}

fn literal_length(parts: &[Part]) -> usize {
    let length = |part: &Part| if let Part::Literal(text) = part { text.len() } else { 0 };
    parts.iter().map(length).sum()
}
