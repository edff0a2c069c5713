//! Errors about unreadable payloads, safe to log.

use std::{fmt, sync::LazyLock};

use regex::{Captures, Regex};
use serde_json::error::Category;

/// Payloads are quoted up to this many bytes.
const QUOTED_BYTES: usize = 200;

/// The shapes a document may have, for errors about a whole document.
const EXPECTED: &str = "expected an S3 event of EventBridge (with `source`, `detail-type` and \
     `detail`, which an input transformer must keep) or an S3 notification (with `Records`), \
     alone, in an array, or in a message of SQS or SNS";

/// Why a part of a payload could not be read: what was expected, and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    message: String,
}

impl Unreadable {
    /// Returns an error with this text: lower-case, quoting the offending
    /// value.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    pub(super) fn not_utf8(payload: &[u8]) -> Self {
        let start = &payload[..payload.len().min(QUOTED_BYTES)];
        Self::expected("not UTF-8; ", &String::from_utf8_lossy(start))
    }

    /// Makes the error of JSON that is neither an object nor, where one is allowed,
    /// an array.
    pub(super) fn no_object(json: &str) -> Self {
        Self::expected("neither an object nor an array; ", json)
    }

    /// Makes the error of an object of none of the known shapes.
    pub(super) fn unknown_shape(json: &str) -> Self {
        Self::expected("", json)
    }

    pub(super) fn json(error: &serde_json::Error, text: &str) -> Self {
        let not_json = if error.classify() == Category::Data { "" } else { "not JSON, " };
        Self::expected(&format!("{not_json}{error}; "), text)
    }

    fn expected(problem: &str, text: &str) -> Self {
        Self::new(format!("{problem}{EXPECTED}; got {}", excerpt(text)))
    }

    /// Returns the same error, with its position in the payload.
    #[must_use]
    pub(super) fn at(self, position: impl fmt::Display) -> Self {
        Self::new(format!("{position}: {self}"))
    }
}

/// A value that is not a secret, shortened.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = start(self.0);
        write!(f, "`{}", start.escape_debug())?;
        f.write_str(if start.len() < self.0.len() { "…`" } else { "`" })
    }
}

/// Returns the first bytes of a text, escaped, without possible credentials:
/// only strings that are member names are shown, and no long run of characters.
fn excerpt(text: &str) -> String {
    /// A string, possibly unterminated, with the colon that follows a member name.
    static STRING: LazyLock<Regex> = LazyLock::new(|| {
        regex(r#"(?s)(?:"(?:[^"\\]|\\.?)*(?:"|\z)|'(?:[^'\\]|\\.?)*(?:'|\z))(\s*:)?"#)
    });
    /// No AWS credential is shorter than an access key id, which has 20 characters.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
    static LONG_RUN: LazyLock<Regex> = LazyLock::new(|| regex("[A-Za-z0-9+/=_.%-]{20,}"));

    if text.is_empty() {
        return "nothing".to_owned();
    }
    let mut shown = start(text);
    let cut = if shown.len() < text.len() { "…" } else { "" };
    if !cut.is_empty() {
        // The last characters may begin a long run.
        shown =
            shown.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+/=_.%-".contains(c));
    }
    let shown = STRING.replace_all(shown, |string: &Captures<'_>| match string.get(1) {
        Some(_) => string[0].to_owned(),
        None => format!("{quote}…{quote}", quote = &string[0][..1]),
    });
    let mut excerpt = String::from("`");
    for c in LONG_RUN.replace_all(&shown, "…").chars() {
        match c {
            '"' | '\'' | '\\' => excerpt.push(c),
            _ => excerpt.extend(c.escape_debug()),
        }
    }
    excerpt + cut + "`"
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is valid")
}

/// Returns the first bytes of a text, whole characters only.
fn start(text: &str) -> &str {
    &text[..text.floor_char_boundary(QUOTED_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts() {
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
            (r#"{"a": "unended\"#, r#"`{"a": "…"`"#),
            ("a\nb\u{1b}[31m\u{202e}", r"`a\nb\u{1b}[31m\u{202e}`"),
        ] {
            assert_eq!(excerpt(text), expected, "{text}");
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
            let excerpt = excerpt(&text);
            assert!(!excerpt.contains(&key[..6]), "{excerpt}");
        }
        assert!(!excerpt("AKIAIOSFODNN7EXAMPLE").contains("AKIA"));
        assert!(!excerpt(r#"{"password": "hunter2"}"#).contains("hunter2"));
    }

    #[test]
    fn excerpts_are_cut_between_characters() {
        for length in QUOTED_BYTES - 4..QUOTED_BYTES + 4 {
            let text = format!("{}한국", ". ".repeat(length / 2) + &" ".repeat(length % 2));
            let excerpt = excerpt(&text);
            let shown = excerpt.trim_matches('`');
            match shown.strip_suffix('…') {
                Some(start) => assert!(text.starts_with(start) && start.len() <= QUOTED_BYTES),
                None => assert_eq!(shown, text),
            }
        }
    }
}
