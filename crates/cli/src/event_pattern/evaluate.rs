//! Evaluates an event pattern as EventBridge does.
//!
//! It knows the operators that `json` writes, but shares no code with it:
//!
//! - A pattern is an object. It matches if and only if every field matches.
//! - `"$or": [{…}, {…}]` matches if and only if one of the patterns does.
//! - An object as a field's value is a pattern for the object in that field.
//! - An array as a field's value matches if and only if one entry does. A
//!   missing field never matches.
//! - A string entry matches if and only if it equals the field's value.
//!   `{"prefix": p}`, `{"suffix": s}` and `{"wildcard": w}` match strings. In
//!   `w`, `*` matches any number of characters, `\*` an asterisk and `\\` a
//!   backslash.
//! - Anything else matches nothing.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use serde_json::Value;

/// Returns whether a rule with `pattern` delivers `event`.
pub fn matches(pattern: &Value, event: &Value) -> bool {
    let Value::Object(fields) = pattern else { return false };
    fields.iter().all(|(name, condition)| match (name.as_str(), condition) {
        ("$or", Value::Array(patterns)) => patterns.iter().any(|one| matches(one, event)),
        (_, Value::Object(_)) => matches(condition, &event[name]),
        (_, Value::Array(entries)) => {
            event[name].as_str().is_some_and(|value| entries.iter().any(|one| is_match(one, value)))
        }
        _ => false,
    })
}

fn is_match(entry: &Value, value: &str) -> bool {
    let Value::Object(operators) = entry else { return entry == value };
    operators.len() == 1
        && operators.iter().all(|(operator, operand)| {
            operand.as_str().is_some_and(|operand| match operator.as_str() {
                "prefix" => value.starts_with(operand),
                "suffix" => value.ends_with(operand),
                "wildcard" => matches_wildcard(operand, value),
                _ => false,
            })
        })
}

fn matches_wildcard(wildcard: &str, mut value: &str) -> bool {
    let mut literals = vec![String::new()];
    let mut characters = wildcard.chars().peekable();
    while let Some(character) = characters.next() {
        let literal = literals.last_mut().expect("starts with one");
        match character {
            '*' => literals.push(String::new()),
            '\\' => literal.push(characters.next_if(|c| "*\\".contains(*c)).unwrap_or('\\')),
            other => literal.push(other),
        }
    }
    let last = literals.pop().expect("starts with one");
    let Some((first, middle)) = literals.split_first() else { return value == last };
    let Some(rest) = value.strip_prefix(first.as_str()) else { return false };
    value = rest;
    for literal in middle {
        // The leftmost occurrence leaves most of the value to the others.
        let Some(at) = value.find(literal.as_str()) else { return false };
        value = &value[at + literal.len()..];
    }
    value.ends_with(&last)
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
            assert_eq!(matches_wildcard(wildcard, value), expected, "{wildcard} on {value}");
        }
    }

    #[test]
    fn patterns() {
        let event = json!({
            "source": "aws.s3",
            "detail": {"bucket": {"name": "site"}, "object": {"key": "docs/a.html"}},
        });
        let key = |entries: Value| json!({"detail": {"object": {"key": entries}}});
        for (pattern, expected) in [
            (json!({"source": ["aws.s3"]}), true),
            (json!({"source": ["aws.ec2", "aws.s3"]}), true),
            (json!({"source": ["aws.ec2"]}), false),
            (json!({"region": ["eu-west-1"]}), false),
            (json!({"lacking": {"field": ["x"]}}), false),
            (json!({"detail": {"object": {"etag": [{"prefix": ""}]}}}), false),
            (
                json!({"detail": {"bucket": {"name": ["site"]}, "object": {"key": ["docs/"]}}}),
                false,
            ),
            (key(json!([{"prefix": "docs/"}])), true),
            (key(json!([{"suffix": ".css"}, {"suffix": ".html"}])), true),
            (key(json!([{"prefix": "img/"}])), false),
            (json!({"$or": [{"source": ["x"]}, {"detail": {"bucket": {"name": ["site"]}}}]}), true),
            (json!({"source": ["x"], "$or": [{"source": ["aws.s3"]}, {"source": ["y"]}]}), false),
            // Not a pattern, or an unknown operator.
            (json!([]), false),
            (json!({"source": "aws.s3"}), false),
            (json!({"source": [{"anything-but": "x"}]}), false),
            (json!({"source": [{"prefix": "aws", "suffix": "s3"}]}), false),
            (json!({"source": [1]}), false),
        ] {
            assert_eq!(matches(&pattern, &event), expected, "{pattern}");
        }
    }
}
