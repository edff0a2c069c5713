//! The explanation as text.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use s3_cloudfront_invalidator::{
    escape::escape,
    plan::Plan,
    rules::{Condition, FALLBACK_TARGET, Verdict},
};

use super::explanation::{Explanation, FallbackUse, RuleExplanation, RuleResult, TargetItems};
use crate::output::{pluralize, quote_list};

const TITLE: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const QUIET: Style = Style::new().dimmed();

/// The most values of a list that are shown; the others are counted.
const MAX_VALUES: usize = 5;

pub fn render(explanations: &[Explanation<'_>], plan: &Plan) -> String {
    let mut out = String::new();
    for one in explanations {
        let targets = one.targets.iter().map(target).collect();
        let parts = [title(one), rules(&one.rules), targets];
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            out += &part;
            out.push('\n');
        }
    }
    out += &planned(plan);
    out
}

fn title(explanation: &Explanation<'_>) -> String {
    let (style, verdict) = match (explanation.verdict, &explanation.fallback) {
        (Verdict::Matched, _) => (GOOD, "matched"),
        (Verdict::Ignored, _) => (QUIET, "ignored"),
        (Verdict::Unmatched, FallbackUse::Taken) => (GOOD, "unmatched, goes to DistributionId"),
        (Verdict::Unmatched, FallbackUse::OtherEvent) => {
            (BAD, "unmatched; DistributionId is for created and deleted only")
        }
        (Verdict::Unmatched, _) => (BAD, "unmatched; DistributionId is not set"),
    };
    let Explanation { bucket, key, event, .. } = explanation;
    let object = escape(&format!("s3://{bucket}/{key}")).into_owned();
    format!("{TITLE}{object}{TITLE:#} ({event}): {style}{verdict}{style:#}\n")
}

fn rules(rules: &[RuleExplanation<'_>]) -> String {
    let rows: Vec<_> = rules
        .iter()
        .map(|rule| (escape(rule.name), format!("line {}", rule.line), &rule.result))
        .collect();
    let names = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
    let lines = rows.iter().map(|row| row.1.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, line, result) in &rows {
        let (style, sign) = match result {
            RuleResult::Matched { .. } => (GOOD, '✓'),
            RuleResult::Failed { .. } | RuleResult::Excepted { .. } => (QUIET, '✗'),
            RuleResult::NotRead { .. } => (QUIET, '·'),
        };
        let text = describe(result);
        let _ = writeln!(
            out,
            "  {style}{sign}{style:#} {name:names$}  {QUIET}{line:lines$}{QUIET:#}  {text}"
        );
    }
    out
}

fn describe(result: &RuleResult<'_>) -> String {
    match result {
        RuleResult::Matched { ignore, stop, regex, captures } => {
            let mut text = match regex {
                Some(regex) => format!("matches {}", quoted(regex)),
                None => "matches".to_owned(),
            };
            for capture in captures {
                let _ = match capture.text {
                    Some(value) => write!(text, ", {{{}}} is {}", capture.name, quoted(value)),
                    None => write!(text, ", {{{}}} is unset", capture.name),
                };
            }
            text += match (ignore, stop) {
                (true, _) => "; ignore: no later rule is evaluated",
                (_, true) => "; stop: no later rule is evaluated",
                _ => "",
            };
            text
        }
        RuleResult::Failed { condition, wanted, actual } => {
            format!("{}: {}", condition.name(), mismatch(*condition, wanted, actual.as_deref()))
        }
        RuleResult::Excepted { except, conditions, sets } => {
            let number = if *sets > 1 { format!(" {}", except + 1) } else { String::new() };
            let names: Vec<_> = conditions.iter().map(|condition| condition.name()).collect();
            match names.is_empty() {
                true => format!("except{number}: excludes every change"),
                false => format!("except{number}: excluded by {}", names.join(" and ")),
            }
        }
        RuleResult::NotRead { after } => {
            format!("{QUIET}not evaluated after {}{QUIET:#}", quoted(after))
        }
    }
}

fn mismatch(condition: Condition, wanted: &[String], actual: Option<&str>) -> String {
    let wanted = escape(&quote_list(wanted, "or", MAX_VALUES)).into_owned();
    match (condition, actual) {
        (Condition::Prefix, _) => format!("the key does not start with {wanted}"),
        (Condition::Suffix, _) => format!("the key does not end with {wanted}"),
        (Condition::Regex, _) => format!("the key does not match {wanted}"),
        (Condition::MinSize, Some(size)) => format!("{size} bytes is less than {wanted}"),
        (Condition::MaxSize, Some(size)) => format!("{size} bytes is more than {wanted}"),
        (Condition::MinSize | Condition::MaxSize, None) => {
            format!("the size is unknown (--size); expected {wanted}")
        }
        (_, Some(actual)) => format!("{} is not {wanted}", quoted(actual)),
        (_, None) => format!("unknown (--{}); expected {wanted}", condition.name()),
    }
}

fn target(items: &TargetItems<'_>) -> String {
    let target = items.target;
    let mut out = match items.name == target.distribution.id.as_str() {
        true => format!("  {TITLE}{}{TITLE:#}\n", items.name),
        false => format!("  {TITLE}{}{TITLE:#} ({})\n", items.name, target.distribution),
    };
    if !items.served {
        let origin_path = target.paths.origin_path();
        let _ = writeln!(out, "    {QUIET}not served: the key is not below {origin_path}{QUIET:#}");
        return out;
    }
    let all = items.made.iter().flat_map(|made| &made.items);
    let width = all.map(|item| item.chars().count()).max().unwrap_or(0);
    for made in &items.made {
        let rule = escape(made.rule.unwrap_or(FALLBACK_TARGET));
        let origin = format!("{QUIET}{rule}: {}{QUIET:#}", escape(made.template));
        for item in &made.items {
            let _ = writeln!(out, "    {item:width$}  {origin}");
        }
        for reason in &made.unaddressable {
            let _ = writeln!(out, "    {BAD}{}{BAD:#}  {origin}", escape(reason));
        }
        if made.items.is_empty() && made.unaddressable.is_empty() {
            let _ = writeln!(out, "    {BAD}no item: a capture is unset{BAD:#}  {origin}");
        }
    }
    out
}

fn planned(plan: &Plan) -> String {
    let billed = match plan.billed_paths() {
        0 => "nothing to send".to_owned(),
        paths => pluralize(paths, "billed path"),
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

fn quoted(text: &str) -> String {
    format!("`{}`", escape(text))
}
