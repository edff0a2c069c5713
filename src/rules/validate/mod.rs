//! From what is written to what the program uses: the one step in which
//! everything is checked and every error is collected.
//!
//! A value that is wrong is reported and left out, and the rest is checked as
//! if it had never been there, so that one mistake is one finding. When there
//! are as many findings as are kept, what is left is not looked at: there is at
//! least one error among them.

mod conditions;
mod rule;
mod target;
mod test;

use super::{
    RuleSet,
    file::{RulesFile, Settings, Texts, VERSION},
    finding::{Code, Finding, Findings},
    source::At,
    testing::TestCase,
    value::{Found, Given, OneOrMany, Read},
};

pub(super) use self::conditions::regex_finding;
use self::target::TargetTable;

/// Validates a whole file. What it returns is meaningless when `findings` then
/// holds an error.
pub(super) fn file(
    at: At<'_>,
    file: &Given<RulesFile>,
    findings: &mut Findings,
) -> (RuleSet, Vec<TestCase>) {
    let mut check = Check { findings };
    if let Given::Wrong(Found::Null) = file {
        let finding = Finding::new(Code::MissingField, at, "the file is empty");
        check.report(finding.help(format!("a rules file starts with `version: {VERSION}`")));
        return (RuleSet::empty(), Vec::new());
    }
    let Some(file) = check.value(at, file) else { return (RuleSet::empty(), Vec::new()) };
    check.version(at, &file.version);
    let mut targets = check.targets(at, file);
    let rules = check.rules(at.field("rules"), &file.rules, &mut targets);
    let tests = check.tests(at.field("tests"), &file.tests, &targets);
    (RuleSet::new(rules, targets.into_targets()), tests)
}

/// Collects findings while values are taken apart.
struct Check<'f> {
    findings: &'f mut Findings,
}

impl Check<'_> {
    fn report(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn error(&mut self, code: Code, at: At<'_>, message: impl Into<String>) {
        self.report(Finding::new(code, at, message));
    }

    /// The value, if there is one of the right type.
    fn value<'v, T: Read>(&mut self, at: At<'_>, given: &'v Given<T>) -> Option<&'v T> {
        match given {
            Given::Absent => None,
            Given::Value(value) => Some(value),
            Given::Wrong(found) => {
                if !self.findings.is_full() {
                    self.report(wrong_type::<T>(at, *found));
                }
                None
            }
        }
    }

    /// A value that must be there: `missing` says so otherwise.
    fn required<'v, T: Read>(
        &mut self,
        at: At<'_>,
        given: &'v Given<T>,
        missing: impl FnOnce() -> Finding,
    ) -> Option<&'v T> {
        if matches!(given, Given::Absent) {
            self.report(missing());
        }
        self.value(at, given)
    }

    /// The values of a field that takes one or a list, each with its place. A
    /// list holds at least one.
    fn values<'v, 's, T: Read>(
        &mut self,
        at: At<'s>,
        given: &'v Given<OneOrMany<T>>,
    ) -> Vec<(At<'s>, &'v T)> {
        match self.value(at, given) {
            None => Vec::new(),
            Some(OneOrMany::Many(list)) if list.is_empty() => {
                let finding = Finding::new(Code::EmptyList, at, "the list is empty");
                self.report(finding.help("leave the field out, or give it a value"));
                Vec::new()
            }
            Some(values) => self.one_or_many(at, values),
        }
    }

    /// The texts of a field that takes one or a list, which may be empty.
    fn texts<'v, 's>(&mut self, at: At<'s>, texts: Option<&'v Texts>) -> Vec<(At<'s>, &'v String)> {
        texts.map_or_else(Vec::new, |Texts(texts)| self.one_or_many(at, texts))
    }

    fn one_or_many<'v, 's, T: Read>(
        &mut self,
        at: At<'s>,
        values: &'v OneOrMany<T>,
    ) -> Vec<(At<'s>, &'v T)> {
        match values {
            OneOrMany::One(value) => vec![(at, value)],
            OneOrMany::Many(list) => self.items(at, list),
        }
    }

    /// The items of a list that are of the right type, each with its place.
    fn items<'v, 's, T: Read>(&mut self, at: At<'s>, list: &'v [Given<T>]) -> Vec<(At<'s>, &'v T)> {
        let items = list.iter().enumerate().map(|(index, item)| (at.index(index), item));
        items.filter_map(|(at, item)| Some((at, self.value(at, item)?))).collect()
    }

    fn version(&mut self, at: At<'_>, given: &Given<u64>) {
        let value = self.required(at.field("version"), given, || {
            Finding::new(Code::MissingField, at, "the file has no `version`")
                .help(format!("start the file with `version: {VERSION}`"))
        });
        if let Some(version) = value
            && *version != VERSION
        {
            let message = format!("version {version} of the file format is not known");
            let finding = Finding::new(Code::UnsupportedVersion, at.field("version"), message);
            self.report(finding.help(format!("this program reads `version: {VERSION}`")));
        }
    }

    fn targets(&mut self, at: At<'_>, file: &RulesFile) -> TargetTable {
        let default = Settings::default();
        let defaults = self.value(at.field("defaults"), &file.defaults).unwrap_or(&default);
        let mut table = TargetTable::new(self.settings(at.field("defaults"), defaults, None));
        let at = at.field("targets");
        if let Some(targets) = self.value(at, &file.targets) {
            for (name, form) in &targets.0 {
                if self.findings.is_full() {
                    break;
                }
                self.target(at, name, form, &mut table);
            }
        }
        table
    }
}

/// A finding about a value of the wrong type.
fn wrong_type<T: Read>(at: At<'_>, found: Found) -> Finding {
    let expected = match T::LIST && !T::EXPECTED.contains("list") {
        true => format!("{} or a list", T::EXPECTED),
        false => T::EXPECTED.to_owned(),
    };
    let text = at.text().unwrap_or_default();
    let found_text = match found {
        Found::Null => "nothing".to_owned(),
        Found::Number => format!("the number `{text}`"),
        Found::Bool | Found::Text => format!("`{text}`"),
        Found::List => "a list".to_owned(),
        Found::Mapping => "a mapping".to_owned(),
    };
    let takes_text = T::text(text).is_some();
    let help = match found {
        Found::Null => Some("give it a value, or take the field out".to_owned()),
        Found::Bool | Found::Number if takes_text => Some(format!("put it in quotes: '{text}'")),
        Found::Mapping if takes_text => {
            Some("text that holds `{` or `: ` must be in quotes".to_owned())
        }
        Found::Text => plain_help::<T>(text).or_else(|| size_help::<T>(text)),
        Found::List if takes_text && T::LIST => {
            Some("text that starts with `[` must be in quotes".to_owned())
        }
        _ => None,
    };
    let message = format!("expected {expected}, found {found_text}");
    Finding::new(Code::WrongType, at, message).help_if(help)
}

/// For text that would be the right value without its quotes, or in YAML's
/// newer spelling.
fn plain_help<T: Read>(text: &str) -> Option<String> {
    let number = text.parse().ok().and_then(T::number).is_some();
    let word = match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some("true"),
        "false" | "no" | "off" => Some("false"),
        _ => None,
    };
    match word.filter(|_| T::bool(true).is_some()) {
        Some(word) => Some(format!("write `{word}`, without quotes")),
        None => number.then(|| format!("write `{text}`, without quotes")),
    }
}

/// The bytes that a size like `5MB` stands for, where a number is expected.
fn size_help<T: Read>(text: &str) -> Option<String> {
    T::number(1)?;
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let bytes: u64 = match &*unit {
        "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    let bytes = text[..digits].parse::<u64>().ok()?.checked_mul(bytes)?;
    Some(format!("a size is a number of bytes: {bytes}"))
}
