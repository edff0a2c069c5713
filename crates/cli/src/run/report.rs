//! What `run` prints.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use s3_cloudfront_invalidator::{
    cloudfront::Outcome as ItemOutcome,
    distribution::Distribution,
    event::Unreadable,
    handler::Report,
    item::Item,
    response::{self, Error},
    rules::{Contribution, FALLBACK_TARGET, RuleSet, Verdict},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    document::{Document, OutcomeDocument},
    table::table,
    words::many,
};

/// One payload and what came of it.
pub struct Invocation {
    /// The payload's file.
    pub payload: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a payload.
pub enum Outcome {
    /// It was understood.
    Handled(Box<Report>),
    /// It was not.
    Refused(Unreadable),
}

impl Invocation {
    /// Whether everything was read and accepted.
    pub fn is_done(&self) -> bool {
        match &self.outcome {
            Outcome::Refused(_) => false,
            Outcome::Handled(report) => {
                let Report { payload, plan, submission } = &**report;
                !submission.comes_again(plan, &payload.deliveries).contains(&true)
            }
        }
    }
}

/// Prints one table of every change, then what went wrong, then the totals.
pub fn text(rules: &RuleSet, invocations: &[Invocation]) {
    let mut table = table(["payload", "event", "key", "rule", "target", "item", "invalidation"]);
    for invocation in invocations {
        let rows = match &invocation.outcome {
            Outcome::Handled(report) => rows(rules, report),
            Outcome::Refused(_) => vec![note("(refused)")],
        };
        // What a row shares with the one above it is said once.
        let mut above = Vec::new();
        for row in rows {
            let row: Vec<String> = [invocation.payload.clone()].into_iter().chain(row).collect();
            let mut shared = true;
            table.add_row(row.iter().enumerate().map(|(at, cell)| {
                shared &= at < SHARED_COLUMNS && above.get(at) == Some(cell);
                if shared { "" } else { cell }
            }));
            above = row;
        }
    }
    anstream::println!("{table}\n");
    for invocation in invocations {
        for problem in problems(invocation) {
            anstream::println!("{}: {problem}", invocation.payload);
        }
    }
    anstream::println!("{}", totals(invocations));
}

/// The columns up to the target's name.
const SHARED_COLUMNS: usize = 5;

/// A row of a payload without changes.
fn note(text: &str) -> [String; 6] {
    let mut row = [const { String::new() }; 6];
    row[1] = text.to_owned();
    row
}

fn problems(invocation: &Invocation) -> Vec<String> {
    match &invocation.outcome {
        Outcome::Refused(unreadable) => vec![unreadable.to_string()],
        Outcome::Handled(report) => {
            let deliveries = &report.payload.deliveries;
            let mut problems: Vec<String> = deliveries
                .iter()
                .flat_map(|delivery| {
                    let id = delivery.id.as_ref().map(|id| format!("message {id}: "));
                    delivery
                        .unreadable
                        .iter()
                        .map(move |reason| format!("{}{reason}", id.clone().unwrap_or_default()))
                })
                .collect();
            problems.extend(response::failures(&report.plan, &report.submission));
            problems
        }
    }
}

/// The rows of one payload, without its name.
fn rows(rules: &RuleSet, report: &Report) -> Vec<[String; 6]> {
    let accepted = Accepted::of(report);
    let mut rows = Vec::new();
    if report.payload.deliveries.iter().all(|delivery| delivery.changes.is_empty()) {
        rows.push(note("(no change)"));
    }
    for change in report.payload.deliveries.iter().flat_map(|delivery| &delivery.changes) {
        let head = |rule: &str, target: &str, item: String, id: String| {
            let key = format!("{}/{}", change.bucket, change.key.escape_debug());
            [change.kind.to_string(), key, rule.to_owned(), target.to_owned(), item, id]
        };
        let decision = rules.route(change);
        if decision.contributions.is_empty() {
            let why = match decision.verdict {
                Verdict::Matched => "(no target serves it)",
                Verdict::Ignored => "(ignored)",
                Verdict::Unmatched => "(no rule matched)",
            };
            rows.push(head(why, "", String::new(), String::new()));
        }
        for Contribution { rule, target, item } in &decision.contributions {
            let rule = rule.as_deref().unwrap_or(FALLBACK_TARGET);
            let target = rules.target(*target);
            let (item, id) = match item {
                Ok(addressed) => {
                    (addressed.item.to_string(), accepted.id(&target.distribution, &addressed.item))
                }
                Err(reason) => (format!("unaddressable: {reason}"), String::new()),
            };
            rows.push(head(rule, &target.name, item, id));
        }
    }
    rows
}

/// Where to look up what became of an item.
struct Accepted<'r> {
    items: HashMap<(&'r Distribution, Cow<'r, str>), &'r ItemOutcome>,
    wildcards: Vec<(&'r Distribution, &'r Item, &'r ItemOutcome)>,
}

impl<'r> Accepted<'r> {
    fn of(report: &'r Report) -> Self {
        let mut accepted = Self { items: HashMap::new(), wildcards: Vec::new() };
        for (plan, planned, outcome) in response::outcomes(&report.plan, &report.submission) {
            accepted.items.insert((&plan.distribution, planned.item.folded()), outcome);
            if planned.item.is_wildcard() {
                accepted.wildcards.push((&plan.distribution, &planned.item, outcome));
            }
        }
        accepted
    }

    /// The invalidation that took an item, itself or under a wildcard.
    fn id(&self, distribution: &Distribution, item: &Item) -> String {
        if let Some(outcome) = self.items.get(&(distribution, item.folded())) {
            return describe(outcome);
        }
        let covering = self
            .wildcards
            .iter()
            .find(|(of, wildcard, _)| *of == distribution && wildcard.covers(item));
        match covering {
            Some((_, wildcard, outcome)) => format!("{} ({wildcard})", describe(outcome)),
            None => String::new(),
        }
    }
}

fn describe(outcome: &ItemOutcome) -> String {
    match outcome {
        ItemOutcome::Accepted(invalidation) | ItemOutcome::Remembered(invalidation) => {
            invalidation.id.clone()
        }
        ItemOutcome::DryRun => "(dry run)".to_owned(),
        ItemOutcome::Refused(failure) | ItemOutcome::Retry(failure) => {
            format!("not accepted: {}", failure.code)
        }
    }
}

/// Prints one document: the sums over all payloads as `plan` prints them, and
/// the answer to each payload.
pub fn json(invocations: &[Invocation]) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Run {
        #[serde(flatten)]
        sum: Document,
        invocations: Vec<Value>,
    }
    let mut run = Run { sum: Document::default(), invocations: Vec::new() };
    for invocation in invocations {
        let answer = match &invocation.outcome {
            Outcome::Refused(reason) => Err(Error::unreadable(reason)),
            Outcome::Handled(report) => {
                run.sum.add(Document::submitted(report));
                report.answer()
            }
        };
        run.invocations.push(match answer {
            Ok(answer) => json!({ "payload": invocation.payload, "answer": answer }),
            Err(error) => json!({
                "payload": invocation.payload,
                "error": { "errorType": error.kind, "errorMessage": error.message },
            }),
        });
    }
    anstream::println!("{}", serde_json::to_string_pretty(&run)?);
    Ok(())
}

/// What all payloads came to, as a sentence.
fn totals(invocations: &[Invocation]) -> String {
    let (mut sum, mut refused, mut skipped, mut failed) = (Document::default(), 0, 0, 0);
    for invocation in invocations {
        match &invocation.outcome {
            Outcome::Refused(_) => refused += 1,
            Outcome::Handled(report) => {
                let Report { payload, plan, submission } = &**report;
                sum.add(Document::submitted(report));
                skipped +=
                    payload.deliveries.iter().map(|delivery| delivery.skipped).sum::<usize>();
                let again = submission.comes_again(plan, &payload.deliveries);
                failed += again.iter().filter(|again| **again).count();
            }
        }
    }
    let ids: HashSet<&OutcomeDocument> = sum
        .distributions
        .iter()
        .flat_map(|part| &part.requests)
        .filter_map(|request| request.outcome.as_ref())
        .filter(|outcome| matches!(outcome, OutcomeDocument::Accepted { .. }))
        .collect();
    let unaddressable: usize = sum.distributions.iter().map(|part| part.unaddressable.len()).sum();
    let mut parts = vec![
        many(invocations.len(), "payload"),
        many(sum.changes, "change"),
        many(ids.len(), "invalidation"),
        many(sum.billed_paths, "billed path"),
    ];
    for (count, what) in [
        (sum.fallback, "to the fallback"),
        (sum.ignored, "ignored"),
        (sum.unmatched, "unmatched"),
        (sum.not_served, "not served"),
        (skipped, "asking for nothing"),
        (unaddressable, "unaddressable"),
        (failed, "to be delivered again"),
        (refused, "refused"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.join(", ")
}
