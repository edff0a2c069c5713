//! Conditions that have no effect, or not the one they seem to have.

use s3_cloudfront_invalidator::{
    event::Kind,
    rules::{Code, Conditions, Findings, Node, Rule, RuleRegex},
};

use crate::{event_pattern::literals, output::quote_list};

/// Lints one set of conditions.
pub fn lint_conditions(node: Node<'_>, conditions: &Conditions, findings: &mut Findings) {
    let Conditions { prefixes, suffixes, accounts, regions, .. } = conditions;
    let buckets: Vec<String> = conditions.buckets.iter().map(ToString::to_string).collect();
    let regexes: Vec<&str> = conditions.regexes.iter().map(RuleRegex::pattern).collect();
    let events = conditions.events.iter().flatten().map(|kind| kind.name());
    // The default of `events` is not in the file.
    let events = if node.field("events").is_some() { events.collect() } else { Vec::new() };
    let equals = |one: &str, other: &str| one == other;
    let mut covered = |field, values: &[&str], covers: &dyn Fn(&str, &str) -> bool| {
        duplicate_values(node, field, values, covers, findings);
    };
    covered("bucket", &texts(&buckets), &bucket_covers);
    covered("prefix", &texts(prefixes), &|one, other| other.starts_with(one));
    covered("suffix", &texts(suffixes), &|one, other| other.ends_with(one));
    covered("regex", &regexes, &equals);
    covered("account", &texts(accounts), &equals);
    covered("region", &texts(regions), &equals);
    covered("events", &events, &equals);
    for (index, prefix) in prefixes.iter().enumerate() {
        lint_prefix(node.value("prefix", index), prefix, findings);
    }
    for (index, suffix) in suffixes.iter().enumerate() {
        lint_suffix(node.value("suffix", index), suffix, findings);
    }
    for (index, regex) in regexes.into_iter().enumerate() {
        let node = node.value("regex", index);
        if !contradiction(node, regex, conditions, findings) {
            lint_regex(node, regex, findings);
        }
    }
}

fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

fn lint_prefix(node: Node<'_>, prefix: &str, findings: &mut Findings) {
    if prefix.is_empty() {
        needless(node, "every key starts with an empty prefix", findings);
    }
    if let Some(rest) = prefix.strip_prefix('/') {
        let message = format!("the prefix `{prefix}` starts with a slash, but S3 keys do not");
        let finding = node.finding(Code::LeadingSlash, message);
        findings.push(match rest {
            "" => finding.help("remove `prefix` to match every key"),
            rest => finding.help(format!("write `{rest}`")),
        });
    }
    if prefix.ends_with('*') {
        literal_asterisk(node, "prefix", prefix.trim_end_matches('*'), findings);
    }
}

fn lint_suffix(node: Node<'_>, suffix: &str, findings: &mut Findings) {
    if suffix.is_empty() {
        needless(node, "every key ends with an empty suffix", findings);
    }
    if suffix.starts_with('*') {
        literal_asterisk(node, "suffix", suffix.trim_start_matches('*'), findings);
    }
}

fn lint_regex(node: Node<'_>, regex: &str, findings: &mut Findings) {
    if matches!(regex, "" | "^" | "$" | ".*" | "^.*") {
        needless(node, "every key matches this regex", findings);
    }
    if let Some(prefix) = plain_prefix(regex) {
        let message = format!("the regex `{regex}` only tests how the key starts");
        let finding = node.finding(Code::RegexIsPrefix, message);
        findings.push(finding.help(format!(
            "write `prefix: '{prefix}'`, which is equivalent and also limits wildcards"
        )));
    }
}

/// Reports a regex that no key matches because of a slash at its start, or
/// together with the other conditions. Returns whether it is one.
fn contradiction(
    node: Node<'_>,
    regex: &str,
    Conditions { prefixes, suffixes, .. }: &Conditions,
    findings: &mut Findings,
) -> bool {
    let starts = literals::prefixes(regex).unwrap_or_default();
    let ends = literals::suffixes(regex).unwrap_or_default();
    if !starts.is_empty() && starts.iter().all(|start| start.starts_with('/')) {
        let message =
            format!("the regex `{regex}` requires a slash at the start, but S3 keys have none");
        let finding = node.finding(Code::LeadingSlash, message);
        findings.push(match regex.strip_prefix("^/") {
            Some(rest) => finding.help(format!("write `^{rest}`")),
            None => finding.help("remove the slash"),
        });
        return true;
    }
    let clash = |values: &[String], literals: &[String], fits: fn(&str, &str) -> bool| {
        let fits_one = |value: &String| {
            literals.iter().any(|literal| fits(value, literal) || fits(literal, value))
        };
        !values.is_empty() && !literals.is_empty() && !values.iter().any(fits_one)
    };
    let (verb, values) = if clash(prefixes, &starts, |one, other| one.starts_with(other)) {
        ("starts", prefixes)
    } else if clash(suffixes, &ends, |one, other| one.ends_with(other)) {
        ("ends", suffixes)
    } else {
        return false;
    };
    let values = quote_list(values, "or", MAX_NAMED);
    let message = format!("no key that {verb} with {values} matches `{regex}`");
    let finding = node.finding(Code::ContradictoryConditions, message);
    findings
        .push(finding.help(
            "a change must meet every condition of the rule: remove one, or write two rules",
        ));
    true
}

/// The most values that a message names.
const MAX_NAMED: usize = 3;

fn needless(node: Node<'_>, message: &str, findings: &mut Findings) {
    findings.push(node.finding(Code::NeedlessCondition, message).help("remove it"));
}

fn literal_asterisk(node: Node<'_>, field: &str, rest: &str, findings: &mut Findings) {
    let text = node.text();
    let message = format!("the `*` in the {field} `{text}` is a literal character, not a wildcard");
    let finding = node.finding(Code::LiteralAsterisk, message);
    findings.push(match rest {
        "" => finding.help(format!("remove `{field}` to match every key")),
        rest => finding.help(format!("write `{rest}`, or a `regex` if keys really contain a `*`")),
    });
}

fn bucket_covers(one: &str, other: &str) -> bool {
    match one.strip_suffix('*') {
        Some(start) => other.starts_with(start),
        None => one == other,
    }
}

/// Reports values that another value of the list makes needless. Of two equal
/// values, it is the second.
fn duplicate_values(
    node: Node<'_>,
    field: &str,
    values: &[&str],
    covers: &dyn Fn(&str, &str) -> bool,
    findings: &mut Findings,
) {
    // A list this long is generated, and comparing all pairs would take long.
    const MAX_VALUES: usize = 1_000;
    if values.len() > MAX_VALUES {
        return;
    }
    for (index, value) in values.iter().enumerate() {
        let cover = values.iter().enumerate().find(|(other_index, other)| {
            *other_index != index
                && covers(other, value)
                && (*other_index < index || !covers(value, other))
        });
        let Some((_, other)) = cover else { continue };
        let message = match other == value {
            true => format!("`{value}` occurs twice"),
            false => format!("`{value}` is already covered by `{other}`"),
        };
        let finding = node.value(field, index).finding(Code::DuplicateCondition, message);
        findings.push(finding.help(format!("remove `{value}`")));
    }
}

/// Reports a size condition of a rule that matches deletes, explicitly or by default.
pub fn lint_size(node: Node<'_>, rule: &Rule, findings: &mut Findings) {
    let conditions = &rule.conditions;
    let field = match (conditions.min_size, conditions.max_size) {
        (Some(_), _) => "min_size",
        (None, Some(_)) => "max_size",
        (None, None) => return,
    };
    // A rule that ignores matches every event; that deletes pass it is harmless.
    let Some(events) = &conditions.events else { return };
    let is_delete = |kind: &&Kind| matches!(kind, Kind::Deleted | Kind::VersionExpired);
    if !events.iter().any(|kind| is_delete(&kind)) {
        return;
    }
    let others: Vec<&str> =
        events.iter().filter(|kind| !is_delete(kind)).map(|kind| kind.name()).collect();
    let message = format!("`{field}` never matches deletes: they have no size");
    let finding = node.field_finding(Code::SizeOnDelete, field, message);
    findings.push(match others.is_empty() {
        true => finding.help(format!("remove `{field}`, or the rule never matches")),
        false => finding.help(format!(
            "write `events: [{}]`, and a separate rule for deletes",
            others.join(", ")
        )),
    });
}

/// The literal text that a regex requires at the start of the key, if it requires
/// nothing else.
fn plain_prefix(pattern: &str) -> Option<String> {
    let rest = pattern.strip_prefix('^')?;
    let rest = rest.strip_suffix(".*").unwrap_or(rest);
    let mut prefix = String::new();
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                escaped if escaped.is_ascii_punctuation() && !"<>".contains(escaped) => {
                    prefix.push(escaped);
                }
                _ => return None,
            },
            '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                return None;
            }
            literal => prefix.push(literal),
        }
    }
    (!prefix.is_empty()).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regexes_that_are_prefixes() {
        for (pattern, expected) in [
            ("^docs/", Some("docs/")),
            ("^docs/.*", Some("docs/")),
            (r"^a\.b\-c", Some("a.b-c")),
            ("^docs/.*$", None),
            ("docs/", None),
            ("^", None),
            ("^.*", None),
            ("^docs/.", None),
            ("^(docs)/", None),
            (r"^docs\d", None),
            (r"^docs\<", None),
            ("^a|b", None),
            ("^a{2}", None),
            (r"^a\.*", None),
        ] {
            assert_eq!(plain_prefix(pattern).as_deref(), expected, "{pattern}");
        }
    }
}
