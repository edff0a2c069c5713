//! What could not be read, put into words that are safe to log.

use std::{fmt, ops::ControlFlow};

use super::{Unreadable, json::Malformed};

/// What came is quoted up to this many bytes.
const QUOTED_BYTES: usize = 200;

/// Unbroken runs of at least this many letters, digits and the signs of base64
/// are not quoted: no credential of AWS is shorter than an access key id, and
/// those have 20 characters (`AKIAIOSFODNN7EXAMPLE`).
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
const SECRET_LENGTH: usize = 20;

/// What a payload may be, as every refusal of a whole document says it.
const EXPECTED: &str = "expected an S3 event of EventBridge (with `source`, `detail-type` and \
     `detail`, which an input transformer must keep) or an S3 notification (with `Records`), \
     alone, in an array, or in a message of SQS or SNS";

impl Unreadable {
    /// The payload is not even text.
    pub(super) fn not_utf8(payload: &[u8]) -> Self {
        let start = &payload[..payload.len().min(QUOTED_BYTES)];
        let start = String::from_utf8_lossy(start);
        Self::new(format!("not UTF-8; {EXPECTED}; got {}", Excerpt(&start)))
    }

    /// JSON, but neither an array nor an object.
    pub(super) fn no_object(text: &str) -> Self {
        Self::new(format!("neither an object nor an array; {EXPECTED}; got {}", Excerpt(text)))
    }

    /// The text is no JSON.
    pub(super) fn malformed(malformed: Malformed, text: &str) -> Self {
        Self::new(format!("not JSON, {malformed}; {EXPECTED}; got {}", Excerpt(text)))
    }

    /// An object of none of the known shapes.
    pub(super) fn unknown_shape(text: &str) -> Self {
        Self::new(format!("{EXPECTED}; got {}", Excerpt(text)))
    }

    /// The same, naming where in the payload it is.
    #[must_use]
    pub(super) fn at(self, place: impl fmt::Display) -> Self {
        Self::new(format!("{place}: {self}"))
    }
}

/// A value of the payload that is known to be no secret, shortened.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = start(self.0);
        write!(f, "`{}", start.escape_debug())?;
        f.write_str(if start.len() < self.0.len() { "…`" } else { "`" })
    }
}

/// The first bytes of what came, escaped, without anything that could be a
/// credential: strings are shown only where they name a field, and long
/// unbroken runs of characters nowhere, be they cut or whole.
struct Excerpt<'a>(&'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        let mut rest = start(self.0);
        let cut = rest.len() < self.0.len();
        if cut {
            rest = rest.trim_end_matches(is_word);
        }
        f.write_str("`")?;
        while let Some(first) = rest.chars().next() {
            let token = match first {
                '"' | '\'' => string(rest),
                _ if is_word(first) => &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())],
                _ => &rest[..first.len_utf8()],
            };
            rest = &rest[token.len()..];
            match first {
                '"' | '\'' if !rest.trim_start().starts_with(':') => {
                    write!(f, "{first}…{first}")?;
                }
                _ if longest_word(token) >= SECRET_LENGTH => f.write_str("…")?,
                _ => token.chars().try_for_each(|c| write_escaped(c, f))?,
            }
        }
        f.write_str(if cut { "…`" } else { "`" })
    }
}

/// The bytes that may be quoted, whole characters only.
fn start(text: &str) -> &str {
    &text[..text.floor_char_boundary(QUOTED_BYTES)]
}

/// The quoted string at the start of the text, or all of the text if it does
/// not end.
fn string(text: &str) -> &str {
    let mut chars = text.char_indices();
    let quote = chars.next().map(|(_, quote)| quote);
    let end = chars.try_fold(false, |escaped, (at, c)| match c {
        '\\' => ControlFlow::Continue(!escaped),
        _ if Some(c) == quote && !escaped => ControlFlow::Break(at + c.len_utf8()),
        _ => ControlFlow::Continue(false),
    });
    match end {
        ControlFlow::Break(end) => &text[..end],
        ControlFlow::Continue(_) => text,
    }
}

fn longest_word(text: &str) -> usize {
    text.split(|c| !is_word(c)).map(str::len).max().unwrap_or(0)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=_-.%".contains(c)
}

/// Quotes and backslashes stay readable; what a terminal would act on does not
/// reach it.
fn write_escaped(c: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match c {
        '"' | '\'' | '\\' => write!(f, "{c}"),
        _ => write!(f, "{}", c.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_show_what_came() {
        for (text, expected) in [
            ("", "nothing"),
            ("hello world", "`hello world`"),
            ("한국 🍋", "`한국 🍋`"),
            (r#"{"message": "hello"}"#, r#"`{"message": "…"}`"#),
            (r#"{"a" : 1, "b": [true, null]}"#, r#"`{"a" : 1, "b": [true, null]}`"#),
            (r#"["x", "y"]"#, r#"`["…", "…"]`"#),
            (r#"{"a": "say \"b\": c", "d": 1}"#, r#"`{"a": "…", "d": 1}`"#),
            ("{'a': 'b'}", "`{'a': '…'}`"),
            (r#"{"a": "unended"#, r#"`{"a": "…"`"#),
            ("a\nb\u{1b}[31m\u{202e}", r"`a\nb\u{1b}[31m\u{202e}`"),
        ] {
            assert_eq!(Excerpt(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn excerpts_show_no_credential() {
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let padding = " ".repeat(QUOTED_BYTES - 10);
        for text in [
            key.to_owned(),
            format!("aws_secret_access_key={key}"),
            format!("AWS_SESSION_TOKEN={key}== and more"),
            format!(r#"{{"receiptHandle": "{key}""#),
            format!(r#"{{"password": "{key}"}}"#),
            format!(r#"{{"{key}": 1}}"#),
            format!("https://example.com/?X-Amz-Signature={key}"),
            format!("{padding}{key}"),
            format!("{padding}\"{key}"),
        ] {
            let excerpt = Excerpt(&text).to_string();
            assert!(!excerpt.contains(&key[..6]), "{excerpt}");
        }
        assert!(!Excerpt("AKIAIOSFODNN7EXAMPLE").to_string().contains("AKIA"));
        assert!(!Excerpt(r#"{"password": "hunter2"}"#).to_string().contains("hunter2"));
    }

    #[test]
    fn excerpts_are_cut_between_characters() {
        for length in QUOTED_BYTES - 4..QUOTED_BYTES + 4 {
            let text = format!("{}한국", ". ".repeat(length / 2) + &" ".repeat(length % 2));
            let excerpt = Excerpt(&text).to_string();
            let shown = excerpt.trim_matches('`');
            match shown.strip_suffix('…') {
                Some(start) => assert!(text.starts_with(start) && start.len() <= QUOTED_BYTES),
                None => assert_eq!(shown, text),
            }
        }
    }
}
