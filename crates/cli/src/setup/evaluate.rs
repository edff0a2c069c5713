//! Says whether an event matches an event pattern, as EventBridge does.
//!
//! The part of the pattern language that [`event_pattern`](super::event_pattern)
//! writes, and nothing else:
//!
//! - A pattern is an object; every field of it must match (AND).
//! - `"$or": [{…}, {…}]` matches if and only if one of its patterns does.
//! - An object as a field's value is a pattern for that field's object.
//! - An array as a field's value matches if and only if one entry does (OR); a
//!   field the event lacks matches nothing.
//! - A string entry matches if and only if it is the field's value;
//!   `{"prefix": p}`, `{"suffix": s}` and `{"wildcard": w}` match strings, where
//!   `*` in `w` stands for any number of characters, none included, `\*` for an
//!   asterisk and `\\` for a backslash.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use serde_json::{Map, Value};

/// A pattern with something that this evaluator does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a part of the pattern language that is understood here")]
pub struct UnsupportedPattern(String);

/// Whether EventBridge would deliver `event` by a rule with `pattern`.
pub fn matches(pattern: &Value, event: &Value) -> Result<bool, UnsupportedPattern> {
    let Value::Object(fields) = pattern else {
        return Err(UnsupportedPattern(pattern.to_string()));
    };
    // No early return on `false`: an unknown operator is reported in any case.
    let mut all = true;
    for (name, condition) in fields {
        all &= match (name.as_str(), condition) {
            ("$or", Value::Array(patterns)) => any(patterns, |one| matches(one, event))?,
            (_, Value::Object(_)) => {
                let empty = Value::Object(Map::new());
                matches(condition, event.get(name).unwrap_or(&empty))?
            }
            (_, Value::Array(entries)) => {
                let value = event.get(name).and_then(Value::as_str);
                any(entries, |entry| entry_matches(entry, value))?
            }
            _ => return Err(UnsupportedPattern(condition.to_string())),
        };
    }
    Ok(all)
}

fn any(
    entries: &[Value],
    mut matches: impl FnMut(&Value) -> Result<bool, UnsupportedPattern>,
) -> Result<bool, UnsupportedPattern> {
    entries.iter().try_fold(false, |found, entry| Ok(matches(entry)? || found))
}

fn entry_matches(entry: &Value, value: Option<&str>) -> Result<bool, UnsupportedPattern> {
    let unsupported = || UnsupportedPattern(entry.to_string());
    let (operator, operand) = match entry {
        Value::String(exact) => ("exact", exact.as_str()),
        Value::Object(object) => match object.iter().next() {
            Some((operator, Value::String(operand))) if object.len() == 1 => {
                (operator.as_str(), operand.as_str())
            }
            _ => return Err(unsupported()),
        },
        _ => return Err(unsupported()),
    };
    let test: fn(&str, &str) -> bool = match operator {
        "exact" => |value, exact| value == exact,
        "prefix" => |value, prefix| value.starts_with(prefix),
        "suffix" => |value, suffix| value.ends_with(suffix),
        "wildcard" => wildcard_matches,
        _ => return Err(unsupported()),
    };
    Ok(value.is_some_and(|value| test(value, operand)))
}

fn wildcard_matches(value: &str, wildcard: &str) -> bool {
    let parts = literal_parts(wildcard);
    let Some((first, rest)) = parts.split_first() else { return false };
    let Some(mut value) = value.strip_prefix(first.as_str()) else { return false };
    let Some((last, middle)) = rest.split_last() else { return value.is_empty() };
    for part in middle {
        // The leftmost occurrence leaves the most for the parts that follow.
        let Some(at) = value.find(part.as_str()) else { return false };
        value = &value[at + part.len()..];
    }
    value.ends_with(last.as_str())
}

/// The literal texts between the asterisks, unescaped.
fn literal_parts(wildcard: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = wildcard.chars().peekable();
    while let Some(character) = characters.next() {
        let literal = match character {
            '*' => {
                parts.push(String::new());
                continue;
            }
            '\\' => characters.next_if(|next| matches!(next, '*' | '\\')).unwrap_or('\\'),
            other => other,
        };
        if let Some(part) = parts.last_mut() {
            part.push(literal);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wildcards() {
        for (wildcard, value, expected) in [
            ("img/*.jpg", "img/a.jpg", true),
            ("img/*.jpg", "img/.jpg", true),
            ("img/*.jpg", "img.jpg", false),
            ("img/*.jpg", "img/a.jpg2", false),
            ("img/*/index.html", "img/index.html", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            (r"a\*b*c", "a*bc", true),
            (r"a\*b*c", "axbc", false),
            (r"a\\*c", r"a\bc", true),
            (r"a\\*c", "abc", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
            ("é*ü", "é–ü", true),
        ] {
            assert_eq!(wildcard_matches(value, wildcard), expected, "{wildcard} on {value}");
        }
    }

    #[test]
    fn patterns() {
        let event = json!({
            "source": "aws.s3",
            "detail": {"bucket": {"name": "site"}, "object": {"key": "docs/a.html"}},
        });
        for (pattern, expected) in [
            (json!({"source": ["aws.s3"]}), true),
            (json!({"source": ["aws.ec2", "aws.s3"]}), true),
            (json!({"source": ["aws.ec2"]}), false),
            (json!({"region": ["eu-west-1"]}), false),
            (json!({"detail": {"object": {"key": [{"prefix": "docs/"}]}}}), true),
            (
                json!({"detail": {"object": {"key": [{"suffix": ".css"}, {"suffix": ".html"}]}}}),
                true,
            ),
            (json!({"detail": {"object": {"key": [{"prefix": "img/"}]}}}), false),
            (json!({"detail": {"object": {"etag": [{"prefix": ""}]}}}), false),
            (
                json!({"detail": {"bucket": {"name": ["site"]}, "object": {"key": ["docs/"]}}}),
                false,
            ),
            (json!({"$or": [{"source": ["x"]}, {"detail": {"bucket": {"name": ["site"]}}}]}), true),
            (json!({"source": ["x"], "$or": [{"source": ["aws.s3"]}, {"source": ["y"]}]}), false),
            (json!({"lacking": {"field": ["x"]}}), false),
        ] {
            assert_eq!(matches(&pattern, &event), Ok(expected), "{pattern}");
        }
    }

    #[test]
    fn unknown_operators_are_errors() {
        for pattern in [
            json!([]),
            json!({"source": "aws.s3"}),
            json!({"source": [{"cidr": "10.0.0.0/8"}]}),
            json!({"source": [{"prefix": "a", "suffix": "b"}]}),
            json!({"source": [1]}),
            json!({"region": ["no match"], "source": [{"anything-but": "x"}]}),
        ] {
            assert!(matches(&pattern, &json!({"source": "aws.s3"})).is_err(), "{pattern}");
        }
    }
}
