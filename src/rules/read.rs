//! From bytes to what is written: limits, YAML, and the fields that exist.
//!
//! Two parsers read the text, and both must take it. The first, which keeps
//! positions and uses no unsafe code, refuses what would cost unbounded time or
//! memory, so that the second, serde's, never sees it.

use std::borrow::Cow;

use super::{
    file::{
        LongTarget, RawCollapse, RawConditions, RawInvalidate, RawRule, RawTest, RulesFile,
        Settings,
    },
    finding::{Code, Finding, Findings, MAX_FINDINGS},
    source::{Broken, Duplicate, Source, Span},
    suggest,
    value::{Fields, Given},
};

/// The largest file, in bytes. A Lambda deployment package takes far more, but
/// 10,000 rules take less.
pub const MAX_FILE_BYTES: usize = 8 << 20;

/// The text of a file, or the one finding that says why it is none.
pub(super) fn text<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, Findings> {
    let refuse = |code, text: &str, span: Span, message: String| {
        let source = Source::without_tree(text);
        let mut findings = Findings::new(file);
        findings.push(Finding::placed(code, &source, span, String::new(), message));
        Err(findings)
    };
    if bytes.len() > MAX_FILE_BYTES {
        let message = format!("the file has {} bytes, more than the 8 MiB allowed", bytes.len());
        return refuse(Code::FileTooLarge, "", Span { line: 1, column: 1, end_column: 1 }, message);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let (good, bad) = bytes.split_at(error.valid_up_to());
            let good = String::from_utf8_lossy(good);
            let line_start = good.rfind('\n').map_or(0, |end| end + 1);
            let column = good[line_start..].chars().count() + 1;
            let line = good.matches('\n').count() + 1;
            let rest = bad.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let text: Cow<'_, str> = String::from_utf8_lossy(rest);
            let text = format!("{}{}{text}", "\n".repeat(line - 1), &good[line_start..]);
            let message = format!(
                "the byte 0x{:02X} is not UTF-8; save the file as UTF-8",
                bad.first().copied().unwrap_or_default()
            );
            let span = Span { line, column, end_column: column + 1 };
            refuse(Code::NotUtf8, &text, span, message)
        }
    }
}

/// The tree of a text, or the one finding that says why there is none.
pub(super) fn source<'t>(file: &str, text: &'t str) -> Result<Source<'t>, Findings> {
    Source::parse(text).map_err(|(broken, span)| {
        let plain = Source::without_tree(text);
        let (code, message) = match &broken {
            Broken::Syntax(text) | Broken::Unsupported(text) => (Code::Syntax, &**text),
            Broken::FieldName => (Code::Syntax, "a field's name must be plain text"),
            Broken::TooDeep => (Code::NestedTooDeeply, "nested deeper than 64 levels"),
            Broken::TooManyValues => (
                Code::TooManyValues,
                "more than a million values or so, each use of an alias counted",
            ),
        };
        let finding = Finding::placed(code, &plain, span, String::new(), message.to_owned());
        let help = match &broken {
            Broken::Syntax(text) => syntax_help(text),
            Broken::FieldName => Some("text that starts with `{` or `[` must be in quotes"),
            _ => None,
        };
        let mut findings = Findings::new(file);
        findings.push(finding.help_if(help.map(str::to_owned)));
        findings
    })
}

/// What most likely is behind a message of the YAML parser.
fn syntax_help(message: &str) -> Option<&'static str> {
    const HELP: [(&str, &str); 9] = [
        ("tab", "indent with spaces, not with tabs"),
        (
            "unknown escape character",
            "in double quotes a backslash starts an escape: put a regex in single quotes",
        ),
        (
            "mapping values are not allowed",
            "check the indentation; text that holds `: ` must be in quotes",
        ),
        ("anchor", "text that starts with `*` or `&` must be in quotes"),
        (
            "node content",
            "a bracket or a comma too many; text that holds brackets or commas must be in quotes",
        ),
        ("end of stream", "a quote is opened and never closed"),
        (
            "unexpected character",
            "text that starts with a character like `@`, `%` or `` ` `` must be in quotes",
        ),
        (
            "flow",
            "a bracket is opened and never closed; text that holds `#`, `,` or a bracket must be in quotes",
        ),
        ("expected", "check the indentation of this line and of those above it"),
    ];
    HELP.iter().find(|(part, _)| message.contains(part)).map(|(_, help)| *help)
}

/// Reads the fields of a file. What does not belong there goes into `findings`;
/// `None` means that there is nothing to go on with.
pub(super) fn file(
    text: &str,
    source: &Source<'_>,
    findings: &mut Findings,
) -> Option<Given<RulesFile>> {
    for duplicate in source.duplicates.iter().take(MAX_FINDINGS + 1) {
        findings.push(duplicate_finding(source, duplicate));
    }
    let mut unknown = Vec::new();
    let read: Result<Given<RulesFile>, _> =
        serde_ignored::deserialize(serde_yaml::Deserializer::from_str(text), |path| {
            if unknown.len() <= MAX_FINDINGS {
                unknown.push(steps(&path));
            }
        });
    for steps in unknown {
        findings.push(unknown_field(source, &steps));
    }
    match read {
        Ok(file) => Some(file),
        Err(error) => {
            let (line, column) =
                error.location().map_or((1, 1), |place| (place.line(), place.column()));
            let span = Span { line, column, end_column: column + 1 };
            let message = error.to_string();
            findings.push(Finding::placed(Code::Syntax, source, span, String::new(), message));
            None
        }
    }
}

fn duplicate_finding(source: &Source<'_>, duplicate: &Duplicate) -> Finding {
    let Duplicate { mapping, name, first, again } = duplicate;
    let path = source.value(*mapping).path();
    let (code, message) = match &*path {
        "targets" => (Code::DuplicateName, format!("a second target named `{name}`")),
        _ => (Code::DuplicateField, format!("the field `{name}` stands twice")),
    };
    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
    Finding::placed(code, source, *again, path, message)
        .note(format!("first at line {}, column {}", first.line, first.column))
        .help_if((code == Code::DuplicateField).then(|| {
            format!("give `{name}` once; several values make a list: `{name}: [one, two]`")
        }))
}

/// A step of the way to a value.
#[derive(Debug)]
enum Step {
    Field(String),
    Item(usize),
}

fn steps(path: &serde_ignored::Path<'_>) -> Vec<Step> {
    use serde_ignored::Path;
    let mut steps = Vec::new();
    let mut path = path;
    loop {
        path = match path {
            Path::Root => break,
            Path::Seq { parent, index } => {
                steps.push(Step::Item(*index));
                parent
            }
            Path::Map { parent, key } => {
                steps.push(Step::Field(key.clone()));
                parent
            }
            Path::Some { parent }
            | Path::NewtypeStruct { parent }
            | Path::NewtypeVariant { parent } => parent,
        };
    }
    steps.reverse();
    steps
}

fn unknown_field(source: &Source<'_>, steps: &[Step]) -> Finding {
    let Some((Step::Field(name), parents)) = steps.split_last() else {
        // Only fields are ever ignored.
        return Finding::new(Code::UnknownField, source.root(), "an unknown field");
    };
    let at = parents.iter().fold(source.root(), |at, step| match step {
        Step::Field(name) => at.field(name),
        Step::Item(index) => at.index(*index),
    });
    let (place, known) = mapping(parents);
    Finding::on_field(Code::UnknownField, at, name, format!("{place} has no field `{name}`"))
        .help(field_help(name, place, &known))
}

/// What kind of mapping stands at a path, and its fields.
fn mapping(steps: &[Step]) -> (&'static str, Vec<&'static str>) {
    let mut names = steps.iter().filter_map(|step| match step {
        Step::Field(name) => Some(&**name),
        Step::Item(_) => None,
    });
    match (names.next(), names.next(), names.next()) {
        (Some("defaults"), None, _) => ("`defaults`", Settings::names()),
        (Some("targets"), Some(_), None) => ("a target", LongTarget::names()),
        (Some("defaults"), Some(_), _) | (Some("targets"), Some(_), Some(_)) => {
            ("`collapse`", RawCollapse::names())
        }
        (Some("rules"), None, _) => ("a rule", RawRule::names()),
        (Some("rules"), Some("except"), _) => ("`except`", RawConditions::names()),
        (Some("rules"), Some(_), _) => ("an entry of `invalidate`", RawInvalidate::names()),
        (Some("tests"), ..) => ("a test", RawTest::names()),
        _ => ("the file", RulesFile::names()),
    }
}

/// The field that was meant, or where the field belongs.
fn field_help(name: &str, place: &str, known: &[&str]) -> String {
    let elsewhere = [
        ("an entry of `invalidate`", RawInvalidate::names()),
        ("a rule", RawRule::names()),
        ("a target", LongTarget::names()),
        ("`collapse`, a setting of a target", RawCollapse::names()),
        ("the file", RulesFile::names()),
        ("a test", RawTest::names()),
    ]
    .into_iter()
    .find(|(other, names)| *other != place && names.contains(&name));
    match (suggest::nearest(name, known.iter().copied()), elsewhere) {
        (Some(known), _) => format!("did you mean `{known}`?"),
        (None, Some((other, _))) => format!("`{name}` is a field of {other}"),
        (None, None) => format!("{place} has the fields {}", suggest::quote_list(known)),
    }
}
