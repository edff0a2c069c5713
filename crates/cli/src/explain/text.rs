//! The explanation for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use s3_cloudfront_invalidator::{
    plan::Plan,
    rules::{
        Action, Condition, Explanation, Fallback, Made, Mismatch, Reading, Rule, RuleSet,
        TargetItems, Verdict,
    },
};

use super::Explained;

const TITLE: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const QUIET: Style = Style::new().dimmed();

/// More values of a list than these are only counted.
const SHOWN_VALUES: usize = 5;

pub fn render(rules: &RuleSet, explained: &[Explained], plan: &Plan) -> String {
    let mut out = String::new();
    for one in explained {
        let parts = [title(one), readings(rules, one), items(rules, one)];
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            out += &part;
            out.push('\n');
        }
    }
    out += &planned(plan);
    out
}

fn title(explained: &Explained) -> String {
    let Explained { change, explanation } = explained;
    let (style, verdict) = match (explanation.verdict, explanation.fallback) {
        (Verdict::Matched, _) => (GOOD, "matched"),
        (Verdict::Ignored, _) => (QUIET, "ignored"),
        (Verdict::Unmatched, Fallback::Taken) => (GOOD, "unmatched, goes to DistributionId"),
        (Verdict::Unmatched, Fallback::OtherEvent) => {
            (BAD, "unmatched; DistributionId takes created and deleted only")
        }
        (Verdict::Unmatched, _) => (BAD, "unmatched; DistributionId is not set"),
    };
    let object = visible(&format!("s3://{}/{}", change.bucket, change.key));
    format!("{TITLE}{object}{TITLE:#} ({}): {style}{verdict}{style:#}\n", change.kind)
}

fn readings(rules: &RuleSet, explained: &Explained) -> String {
    let rows: Vec<_> = rules
        .rules()
        .iter()
        .zip(&explained.explanation.readings)
        .map(|(rule, read)| (visible(&rule.name), format!("line {}", rule.line), read, rule))
        .collect();
    let width = |cell: fn(&(String, String, &Reading, &Rule)) -> usize| {
        rows.iter().map(cell).max().unwrap_or(0)
    };
    let names = width(|row| row.0.chars().count());
    let lines = width(|row| row.1.len());
    let mut out = String::new();
    for (name, line, read, rule) in &rows {
        let (style, sign) = match read {
            Reading::Matched { .. } => (GOOD, '✓'),
            Reading::Failed(_) | Reading::Excepted { .. } => (QUIET, '✗'),
            Reading::NotRead { .. } => (QUIET, '·'),
        };
        let text = reading(rules, rule, read);
        let _ = writeln!(
            out,
            "  {style}{sign}{style:#} {name:names$}  {QUIET}{line:lines$}{QUIET:#}  {text}"
        );
    }
    out
}

fn reading(rules: &RuleSet, rule: &Rule, reading: &Reading) -> String {
    match reading {
        Reading::Matched { regex, captures } => {
            let mut text = "matched".to_owned();
            if let Some(regex) = regex {
                let _ = write!(text, " by {}", quoted(regex));
            }
            for (name, value) in captures {
                let _ = match value {
                    Some(value) => write!(text, ", {{{name}}} is {}", quoted(value)),
                    None => write!(text, ", {{{name}}} took no part"),
                };
            }
            text += match rule.action {
                Action::Ignore => "; ignored, and the last rule read",
                Action::Invalidate { stop: true, .. } => "; the last rule read",
                Action::Invalidate { stop: false, .. } => "",
            };
            text
        }
        Reading::Failed(mismatch) => failed(mismatch),
        Reading::Excepted { set, conditions } => {
            let names: Vec<_> = conditions.iter().copied().map(Condition::name).collect();
            let number = match rule.except.len() {
                0 | 1 => String::new(),
                _ => format!(" {}", set + 1),
            };
            match names.is_empty() {
                true => format!("except{number}: takes every change out"),
                false => format!("except{number}: taken out by its {}", names.join(" and ")),
            }
        }
        Reading::NotRead { after } => {
            format!("{QUIET}not read after {}{QUIET:#}", quoted(rules.rule_name(*after)))
        }
    }
}

fn failed(mismatch: &Mismatch) -> String {
    let Mismatch { condition, wanted, actual } = mismatch;
    let (wanted, actual) = (one_of(wanted), actual.as_deref());
    let text = match (condition, actual) {
        (Condition::Prefix, _) => format!("the key does not start with {wanted}"),
        (Condition::Suffix, _) => format!("the key does not end with {wanted}"),
        (Condition::Regex, _) => format!("the key does not match {wanted}"),
        (Condition::MinSize, Some(size)) => format!("{size} bytes are fewer than {wanted}"),
        (Condition::MaxSize, Some(size)) => format!("{size} bytes are more than {wanted}"),
        (Condition::MinSize | Condition::MaxSize, None) => {
            format!("the size is not known (--size); wanted {wanted}")
        }
        (_, Some(actual)) => format!("{} is not {wanted}", quoted(actual)),
        (_, None) => format!("not known (--{condition}); wanted {wanted}"),
    };
    format!("{condition}: {text}")
}

fn items(rules: &RuleSet, explained: &Explained) -> String {
    let Explanation { targets, .. } = &explained.explanation;
    targets.iter().map(|items| target(rules, items)).collect()
}

fn target(rules: &RuleSet, items: &TargetItems) -> String {
    let target = rules.target(items.target);
    let mut out = match &*target.name == target.distribution.id.as_str() {
        true => format!("  {TITLE}{}{TITLE:#}\n", target.name),
        false => format!("  {TITLE}{}{TITLE:#} ({})\n", target.name, target.distribution),
    };
    if !items.served {
        let origin_path = target.paths.origin_path();
        let _ = writeln!(out, "    {QUIET}not served: the key is not below {origin_path}{QUIET:#}");
        return out;
    }
    let rows: Vec<_> = items.made.iter().flat_map(|made| rows(rules, made)).collect();
    let width = rows.iter().filter(|row| row.error.is_none()).map(|row| row.item.chars().count());
    let width = width.max().unwrap_or(0);
    for Row { item, error, origin } in rows {
        let _ = match error {
            None => writeln!(out, "    {item:width$}  {QUIET}{origin}{QUIET:#}"),
            Some(why) => writeln!(out, "    {BAD}{why}{BAD:#}  {QUIET}{origin}{QUIET:#}"),
        };
    }
    out
}

/// An item, or why there is none, and what made it.
struct Row {
    item: String,
    error: Option<String>,
    origin: String,
}

fn rows(rules: &RuleSet, made: &Made) -> Vec<Row> {
    let rule = made.rule.map_or("no rule".to_owned(), |rule| visible(rules.rule_name(rule)));
    let origin = format!("{rule}: {}", visible(&made.template));
    let row = |item: String, error| Row { item, error, origin: origin.clone() };
    if made.items.is_empty() {
        let why = "nothing: a capture took no part in the match".to_owned();
        return vec![row(String::new(), Some(why))];
    }
    made.items
        .iter()
        .map(|item| match item {
            Ok(addressed) => row(addressed.item.to_string(), None),
            Err(reason) => row(String::new(), Some(visible(&reason.to_string()))),
        })
        .collect()
}

fn planned(plan: &Plan) -> String {
    let billed = match plan.billed_paths() {
        0 => "nothing is sent".to_owned(),
        1 => "1 billed path".to_owned(),
        paths => format!("{paths} billed paths"),
    };
    let mut out = format!("{TITLE}plan{TITLE:#}: {billed}\n");
    for distribution in plan.distributions.iter().filter(|one| one.billed_paths() > 0) {
        let id = distribution.distribution.id.as_str();
        let targets: Vec<_> = distribution.targets.iter().map(|name| &**name).collect();
        let _ = match *targets {
            [name] if name == id => writeln!(out, "  {TITLE}{id}{TITLE:#}"),
            _ => writeln!(out, "  {TITLE}{id}{TITLE:#} ({})", targets.join(", ")),
        };
        for planned in distribution.items() {
            let _ = match planned.replaces {
                0 | 1 => writeln!(out, "    {}", planned.item),
                items => writeln!(out, "    {}  {QUIET}for {items} items{QUIET:#}", planned.item),
            };
        }
    }
    out
}

/// "`a`, `b` or `c`"
fn one_of(values: &[String]) -> String {
    let hidden = values.len().saturating_sub(SHOWN_VALUES);
    let mut texts: Vec<_> = values.iter().take(SHOWN_VALUES).map(|value| quoted(value)).collect();
    if hidden > 0 {
        texts.push(format!("{hidden} others"));
    }
    match texts.pop() {
        Some(last) if !texts.is_empty() => format!("{} or {last}", texts.join(", ")),
        last => last.unwrap_or_default(),
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", visible(text))
}

/// A key may hold anything, even what a terminal would obey.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}
