//! Conditions that say nothing, or something else than they seem to.

use crate::{
    event::Kind,
    rules::{
        Conditions, Rule, RuleRegex,
        finding::{Code, Finding, Findings},
        source::At,
    },
};

/// Lints one set of conditions.
pub(super) fn lint(at: At<'_>, conditions: &Conditions, findings: &mut Findings) {
    let buckets: Vec<String> = conditions.buckets.iter().map(ToString::to_string).collect();
    let regexes: Vec<&str> = conditions.regexes.iter().map(RuleRegex::pattern).collect();
    let events = conditions.events.iter().flatten().map(|kind| kind.name());
    covered(at.field("bucket"), &buckets, bucket_covers, findings);
    covered(
        at.field("prefix"),
        &conditions.prefixes,
        |one, other| other.starts_with(one),
        findings,
    );
    covered(at.field("suffix"), &conditions.suffixes, |one, other| other.ends_with(one), findings);
    covered(at.field("regex"), &regexes, |one, other| one == other, findings);
    covered(at.field("account"), &conditions.accounts, |one, other| one == other, findings);
    covered(at.field("region"), &conditions.regions, |one, other| one == other, findings);
    // The default of `events` is not written anywhere.
    let events_at = at.field("events");
    if events_at.is_given() {
        covered(events_at, &events.collect::<Vec<_>>(), |one, other| one == other, findings);
    }
    needless(at, conditions, findings);
    for (place, prefix) in conditions.prefixes.iter().enumerate() {
        if let Some(rest) = prefix.strip_prefix('/') {
            let message = format!("the prefix `{prefix}` starts with a slash, and S3 keys do not");
            let finding = Finding::new(Code::LeadingSlash, at.field("prefix").item(place), message);
            findings.push(match rest {
                "" => finding.help("leave `prefix` out to match every key"),
                rest => finding.help(format!("write `{rest}`")),
            });
        }
    }
    let asterisk = |name: &'static str, place: usize, value: &str, rest: &str| {
        let message =
            format!("the `*` in the {name} `{value}` is a character of the key, not a wildcard");
        let finding = Finding::new(Code::LiteralAsterisk, at.field(name).item(place), message);
        match rest {
            "" => finding.help(format!("leave `{name}` out to match every key")),
            rest => finding.help(format!("write `{rest}`, or a `regex` if keys really hold a `*`")),
        }
    };
    for (place, prefix) in conditions.prefixes.iter().enumerate() {
        if prefix.ends_with('*') {
            findings.push(asterisk("prefix", place, prefix, prefix.trim_end_matches('*')));
        }
    }
    for (place, suffix) in conditions.suffixes.iter().enumerate() {
        if suffix.starts_with('*') {
            findings.push(asterisk("suffix", place, suffix, suffix.trim_start_matches('*')));
        }
    }
    for (place, regex) in conditions.regexes.iter().enumerate() {
        if let Some(prefix) = plain_prefix(regex.pattern()) {
            let message = format!("the regex `{}` only says how the key starts", regex.pattern());
            let at = at.field("regex").item(place);
            let finding = Finding::new(Code::RegexIsPrefix, at, message);
            findings.push(
                finding.help(format!("`prefix: '{prefix}'` says the same, and bounds wildcards")),
            );
        }
    }
}

fn bucket_covers(one: &str, other: &str) -> bool {
    match one.strip_suffix('*') {
        Some(start) => other.starts_with(start),
        None => one == other,
    }
}

/// Values of a list that another value of it makes needless. Of two equal
/// values the second is needless.
fn covered<T: AsRef<str>>(
    at: At<'_>,
    values: &[T],
    covers: impl Fn(&str, &str) -> bool,
    findings: &mut Findings,
) {
    // A list this long is generated, and comparing all pairs would take long.
    const MAX_VALUES: usize = 1_000;
    if values.len() > MAX_VALUES {
        return;
    }
    for (place, value) in values.iter().map(AsRef::as_ref).enumerate() {
        let others = values.iter().map(AsRef::as_ref).enumerate();
        let cover = others.into_iter().find(|(other_place, other)| {
            *other_place != place
                && covers(other, value)
                && (*other_place < place || !covers(value, other))
        });
        let Some((_, other)) = cover else { continue };
        let message = match other == value {
            true => format!("`{value}` stands twice"),
            false => format!("`{value}` is already covered by `{other}`"),
        };
        findings.push(
            Finding::new(Code::DuplicateCondition, at.item(place), message)
                .help(format!("take out `{value}`")),
        );
    }
}

/// Values that every change satisfies.
fn needless(at: At<'_>, conditions: &Conditions, findings: &mut Findings) {
    let mut report = |at: At<'_>, message: &str| {
        let finding = Finding::new(Code::NeedlessCondition, at, message);
        findings.push(finding.help("leave it out"));
    };
    for (place, _) in conditions.prefixes.iter().enumerate().filter(|(_, text)| text.is_empty()) {
        report(at.field("prefix").item(place), "every key starts with an empty prefix");
    }
    for (place, _) in conditions.suffixes.iter().enumerate().filter(|(_, text)| text.is_empty()) {
        report(at.field("suffix").item(place), "every key ends with an empty suffix");
    }
    for (place, regex) in conditions.regexes.iter().enumerate() {
        if matches!(regex.pattern(), "" | "^" | "$" | ".*" | "^.*") {
            report(at.field("regex").item(place), "every key matches this regex");
        }
    }
}

/// A size condition on deletes that the rule asks for, in so many words or by
/// default.
pub(super) fn size_on_delete(at: At<'_>, rule: &Rule) -> Option<Finding> {
    let conditions = &rule.conditions;
    let field = match (conditions.min_size, conditions.max_size) {
        (Some(_), _) => "min_size",
        (None, Some(_)) => "max_size",
        (None, None) => return None,
    };
    // A rule that ignores asks for every kind, and deletes just go on.
    let events = conditions.events.as_ref()?;
    if !events.iter().any(|kind| matches!(kind, Kind::Deleted | Kind::VersionExpired)) {
        return None;
    }
    let message = format!("`{field}` never holds for deletes: they carry no size");
    let finding = Finding::on_field(Code::SizeOnDelete, at, field, message);
    let others: Vec<&str> = events
        .iter()
        .filter(|kind| !matches!(kind, Kind::Deleted | Kind::VersionExpired))
        .map(|kind| kind.name())
        .collect();
    Some(match others.is_empty() {
        true => finding.help(format!("take out `{field}`, or the rule never matches")),
        false => finding.help(format!(
            "write `events: [{}]`, and a rule of its own for deletes",
            others.join(", ")
        )),
    })
}

/// The text that a regex demands at the key's start, if it demands nothing
/// else.
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
