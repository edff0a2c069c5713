//! The explanation as one JSON document.

use s3_cloudfront_invalidator::{
    plan::Plan,
    rules::{
        Action, Condition, Fallback, Made, Mismatch, Reading, Rule, RuleSet, TargetItems, Verdict,
    },
};
use serde::Serialize;

use crate::plan::document::{DistributionKey, PlanDocument};

use super::Explained;

pub fn render(rules: &RuleSet, explained: &[Explained], plan: &Plan) -> anyhow::Result<String> {
    let document = Document {
        changes: explained.iter().map(|one| change(rules, one)).collect(),
        plan: PlanDocument::planned(plan),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

#[derive(Serialize)]
struct Document<'a> {
    changes: Vec<ChangePart<'a>>,
    plan: PlanDocument,
}

#[derive(Serialize)]
struct ChangePart<'a> {
    bucket: &'a str,
    key: &'a str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    verdict: &'static str,
    fallback: &'static str,
    rules: Vec<RulePart<'a>>,
    targets: Vec<TargetPart<'a>>,
}

#[derive(Serialize)]
struct RulePart<'a> {
    rule: &'a str,
    line: usize,
    #[serde(flatten)]
    reading: ReadingPart<'a>,
}

/// How the rule was read.
#[derive(Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
enum ReadingPart<'a> {
    Matched {
        ignore: bool,
        stop: bool,
        regex: Option<&'a str>,
        captures: Vec<CapturePart<'a>>,
    },
    Failed {
        condition: &'static str,
        wanted: &'a [String],
        actual: Option<&'a str>,
    },
    Excepted {
        /// The place of the set under `except`.
        except: usize,
        conditions: Vec<&'static str>,
    },
    NotRead {
        after: &'a str,
    },
}

#[derive(Serialize)]
struct CapturePart<'a> {
    /// The capture's name, or its number.
    name: &'a str,
    /// `null` if it took no part in the match.
    text: Option<&'a str>,
}

#[derive(Serialize)]
struct TargetPart<'a> {
    target: &'a str,
    #[serde(flatten)]
    id: DistributionKey,
    served: bool,
    made: Vec<MadePart<'a>>,
}

#[derive(Serialize)]
struct MadePart<'a> {
    /// `null` for the fallback.
    rule: Option<&'a str>,
    template: &'a str,
    items: Vec<&'a str>,
    unaddressable: Vec<String>,
}

fn change<'a>(rules: &'a RuleSet, explained: &'a Explained) -> ChangePart<'a> {
    let Explained { change, explanation } = explained;
    ChangePart {
        bucket: &change.bucket,
        key: &change.key,
        event: change.kind.name(),
        size: change.size,
        account: change.account.as_deref(),
        region: change.region.as_deref(),
        verdict: match explanation.verdict {
            Verdict::Matched => "matched",
            Verdict::Ignored => "ignored",
            Verdict::Unmatched => "unmatched",
        },
        fallback: match explanation.fallback {
            Fallback::NotNeeded => "not_needed",
            Fallback::NotSet => "not_set",
            Fallback::OtherEvent => "other_event",
            Fallback::Taken => "taken",
        },
        rules: rules
            .rules()
            .iter()
            .zip(&explanation.readings)
            .map(|(rule, read)| RulePart {
                rule: &rule.name,
                line: rule.line,
                reading: reading(rules, rule, read),
            })
            .collect(),
        targets: explanation.targets.iter().map(|items| target(rules, items)).collect(),
    }
}

fn reading<'a>(rules: &'a RuleSet, rule: &Rule, reading: &'a Reading) -> ReadingPart<'a> {
    match reading {
        Reading::Matched { regex, captures } => ReadingPart::Matched {
            ignore: matches!(rule.action, Action::Ignore),
            stop: matches!(rule.action, Action::Invalidate { stop: true, .. }),
            regex: regex.as_deref(),
            captures: captures
                .iter()
                .map(|(name, text)| CapturePart { name, text: text.as_deref() })
                .collect(),
        },
        Reading::Failed(Mismatch { condition, wanted, actual }) => {
            ReadingPart::Failed { condition: condition.name(), wanted, actual: actual.as_deref() }
        }
        Reading::Excepted { set, conditions } => ReadingPart::Excepted {
            except: *set,
            conditions: conditions.iter().copied().map(Condition::name).collect(),
        },
        Reading::NotRead { after } => ReadingPart::NotRead { after: rules.rule_name(*after) },
    }
}

fn target<'a>(rules: &'a RuleSet, items: &'a TargetItems) -> TargetPart<'a> {
    let target = rules.target(items.target);
    TargetPart {
        target: &target.name,
        id: DistributionKey::of(&target.distribution),
        served: items.served,
        made: items.made.iter().map(|one| made(rules, one)).collect(),
    }
}

fn made<'a>(rules: &'a RuleSet, made: &'a Made) -> MadePart<'a> {
    MadePart {
        rule: made.rule.map(|rule| rules.rule_name(rule)),
        template: &made.template,
        items: made.items.iter().flatten().map(|one| one.item.as_str()).collect(),
        unaddressable: made
            .items
            .iter()
            .filter_map(|one| one.as_ref().err())
            .map(ToString::to_string)
            .collect(),
    }
}
