//! Secrets of a rules file, which no message shows: the values of `external_id`.
//!
//! Findings quote lines of the file, on a terminal, in the log of a build or in
//! that of the function. This works on the text, since a file with a finding may
//! not be YAML. It masks too much rather than too little.

use std::sync::LazyLock;

use regex::Regex;

/// The fields whose values are secret.
const SECRET_FIELDS: [&str; 1] = ["external_id"];

/// What messages show in place of a secret.
pub(super) const MASKED: &str = "***";

/// Returns whether the values of a field are secret.
pub(super) fn is_secret(field: &str) -> bool {
    SECRET_FIELDS.contains(&field)
}

/// The name of a secret field, misspelled or not, up to its value.
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)\bext[a-z]*[-_ ]?id["']?[ \t]*:[ \t]*"#).expect("the pattern is valid")
});

/// A value within braces: in quotes, or up to the next field.
static FLOW_VALUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(?:"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|(?:[^,}]|,[^\s}])*)"#)
        .expect("the pattern is valid")
});

/// Returns a text with each character of a secret replaced by `*`, so that
/// columns stay the same.
pub(super) fn mask_secrets(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    // The indentation of a field whose value may go on in the next lines.
    let mut open: Option<usize> = None;
    for line in text.split_inclusive(['\n', '\r']) {
        let indent = line.len() - line.trim_start_matches([' ', '-']).len();
        if open.is_some_and(|field| indent > field || line.trim().is_empty()) {
            mask(line, &mut masked);
            continue;
        }
        open = None;
        let mut rest = line;
        while let Some(field) = FIELD.find(rest) {
            let is_flow = line[..line.len() - rest.len() + field.start()].contains('{');
            let value = &rest[field.end()..];
            let length = match FLOW_VALUE.find(value.trim_end()) {
                Some(found) if is_flow => found.end(),
                _ => value.len(),
            };
            masked += &rest[..field.end()];
            mask(&value[..length], &mut masked);
            rest = &value[length..];
            open = open.or((!is_flow).then_some(indent));
        }
        masked += rest;
    }
    masked
}

/// Adds a text with its characters masked, except for spaces and line breaks.
fn mask(text: &str, masked: &mut String) {
    masked.extend(text.chars().map(|one| if one.is_whitespace() { one } else { '*' }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        for (text, expected) in [
            ("", ""),
            ("a: 1\r\nb: 2\n", "a: 1\r\nb: 2\n"),
            ("external_id: s3cr3t\nx: 1", "external_id: ******\nx: 1"),
            ("  external_id:s3cr3t # why\n", "  external_id:****** * ***\n"),
            ("{external_id: s3cr3t, plus: raw}\n", "{external_id: ******, plus: raw}\n"),
            ("{ external_id: a,b, plus: raw }", "{ external_id: ***, plus: raw }"),
            ("{external_id: 'a, b}', plus: raw}", "{external_id: *** ***, plus: raw}"),
            (r#"{external_id: "a\"b, c", plus: raw}"#, "{external_id: ****** **, plus: raw}"),
            (r#"{"external_id": "open"#, r#"{"external_id": *****"#),
            (
                "External-Id: a\nexternalId: b\nextrenal_id: c",
                "External-Id: *\nexternalId: *\nextrenal_id: *",
            ),
            (
                "  external_id: >\n    s3cr3t\n\n    x\n  plus: raw",
                "  external_id: *\n    ******\n\n    *\n  plus: raw",
            ),
            ("  external_id:\n    s3cr3t\nplus: raw", "  external_id:\n    ******\nplus: raw"),
            ("- external_id: a b\n  plus: raw", "- external_id: * *\n  plus: raw"),
        ] {
            assert_eq!(mask_secrets(text), expected, "{text}");
            assert_eq!(mask_secrets(text).chars().count(), text.chars().count(), "{text}");
        }
    }
}
