//! Text from outside, safe to print in a line.
//!
//! Keys, names of buckets and messages of errors may contain anything. A line
//! break in one of them would begin a line of its own, which CloudWatch could
//! even read as metrics, and an escape sequence controls a terminal.

use std::{borrow::Cow, fmt::Write};

/// Returns whether a character is invisible or changes how others are shown.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Returns a text with its hidden characters escaped, line breaks among them.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_where(text, is_hidden)
}

/// Returns a text with some of its characters escaped.
pub fn escape_where(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_escaped(character) {
            let _ = write!(escaped, "{}", character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped() {
        for (text, expected) in [
            ("docs/a b.html", "docs/a b.html"),
            ("ä한🍋\\", "ä한🍋\\"),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{1b}[2J\u{9b}31m", r"\u{1b}[2J\u{9b}31m"),
            ("a\u{202e}b\u{feff}", r"a\u{202e}b\u{feff}"),
        ] {
            assert_eq!(escape(text), expected);
        }
    }
}
