//! The output of `run`.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use s3_cloudfront_invalidator::{
    cloudfront::{Outcome, Submission},
    distribution::Distribution,
    escape::escape,
    handler::{DecidedItem, InvocationReport},
    item::Item,
    plan::ChangeStatus,
    queue::DrainCounts,
    response::{self, Answer, InvocationError},
    rules::FALLBACK_TARGET,
};
use serde::Serialize;

use crate::{
    output::{add_row, pluralize, print_json, table},
    plan::document::{OutcomeDocument, PlanDocument},
};

/// A payload and its result.
pub struct Invocation {
    pub payload: String,
    pub result: Result<InvocationReport, InvocationError>,
}

impl Invocation {
    /// Returns whether everything was read and accepted.
    pub fn is_done(&self) -> bool {
        self.result.as_ref().is_ok_and(|report| report.submission.failed_deliveries() == 0)
    }
}

/// The cells of a row after the payload.
type Cells = [String; 6];

/// How many leading cells are blank if they are those of the row above: up to
/// the target.
const REPEATED_CELLS: usize = 5;

/// The most rows of the table, and the most problems, without `--verbose`.
const MAX_ROWS: usize = 40;

/// Prints a table of the changes, then the problems, then the totals. Without
/// `verbose`, the table and the problems are cut after [`MAX_ROWS`].
pub fn print_text(invocations: &[Invocation], verbose: bool) {
    let most = if verbose { usize::MAX } else { MAX_ROWS };
    let mut count = 0;
    let mut table = table(["payload", "event", "key", "rule", "target", "item", "invalidation"]);
    for Invocation { payload, result } in invocations {
        let rows = match result {
            Ok(report) => rows(report),
            Err(_) => vec![note("(refused)")],
        };
        let mut above: Vec<String> = Vec::new();
        count += rows.len();
        let shown = most.saturating_sub(count - rows.len());
        for row in rows.into_iter().take(shown) {
            let row: Vec<String> = [payload.clone()].into_iter().chain(row).collect();
            let mut is_repeated = true;
            let cells = row.iter().enumerate().map(|(at, cell)| {
                is_repeated &= at < REPEATED_CELLS && above.get(at) == Some(cell);
                if is_repeated { "" } else { cell }
            });
            add_row(&mut table, cells);
            above = row;
        }
    }
    outln!("{table}");
    print_rest(count, most, "row");
    outln!("");
    let problems: Vec<String> = invocations
        .iter()
        .flat_map(|Invocation { payload, result }| {
            problems(result).into_iter().map(move |problem| format!("{payload}: {problem}"))
        })
        .collect();
    for problem in problems.iter().take(most) {
        outln!("{}", escape(problem));
    }
    print_rest(problems.len(), most, "problem");
    outln!("{}", totals(invocations));
}

/// Says how many rows or problems are not shown.
fn print_rest(count: usize, most: usize, noun: &str) {
    if count > most {
        outln!("and {}; --verbose shows all", pluralize(count - most, &format!("more {noun}")));
    }
}

/// Returns the row of a payload without changes.
fn note(text: &str) -> Cells {
    let mut row = Cells::default();
    row[1] = text.to_owned();
    row
}

fn problems(result: &Result<InvocationReport, InvocationError>) -> Vec<String> {
    let report = match result {
        Ok(report) => report,
        Err(unreadable) => return vec![unreadable.to_string()],
    };
    let mut problems = Vec::new();
    for delivery in &report.payload.deliveries {
        problems.extend(delivery.unreadable.iter().map(|reason| match &delivery.id {
            Some(id) => format!("message {id}: {reason}"),
            None => reason.to_string(),
        }));
    }
    problems.extend(report.payload.foreign_warning());
    problems.extend(response::failures(&report.submission));
    problems
}

fn rows(report: &InvocationReport) -> Vec<Cells> {
    let outcomes = ItemOutcomes::new(&report.submission);
    let mut rows = Vec::new();
    if report.decisions.is_empty() {
        rows.push(note("(no change)"));
    }
    for change in &report.decisions {
        let row = |rule: &str, target: &str, item: String, outcome: String| {
            let key = format!("{}/{}", change.bucket, change.key);
            [change.kind.to_string(), key, rule.to_owned(), target.to_owned(), item, outcome]
        };
        if change.items.is_empty() {
            let reason = match change.status {
                ChangeStatus::Matched | ChangeStatus::NotServed => "(not served by any target)",
                ChangeStatus::Ignored => "(ignored)",
                ChangeStatus::Fallback | ChangeStatus::Unmatched => "(no rule matched)",
            };
            rows.push(row(reason, "", String::new(), String::new()));
        }
        for DecidedItem { rule, target, distribution, item } in &change.items {
            let (item, outcome) = match item {
                Ok(item) => (item.to_string(), outcomes.describe(distribution, item)),
                Err(reason) => (format!("unaddressable: {reason}"), String::new()),
            };
            rows.push(row(rule, target, item, outcome));
        }
    }
    rows
}

/// The outcome of each item that was sent.
struct ItemOutcomes<'r> {
    items: HashMap<(&'r Distribution, Cow<'r, str>), &'r Outcome>,
    wildcards: Vec<(&'r Distribution, &'r Item, &'r Outcome)>,
}

impl<'r> ItemOutcomes<'r> {
    fn new(submission: &'r Submission) -> Self {
        let mut outcomes = Self { items: HashMap::new(), wildcards: Vec::new() };
        for part in &submission.distributions {
            for submitted in part.items() {
                let (item, outcome) = (&submitted.planned.item, &submitted.outcome);
                outcomes.items.insert((&part.distribution, item.folded()), outcome);
                if item.is_wildcard() {
                    outcomes.wildcards.push((&part.distribution, item, outcome));
                }
            }
        }
        outcomes
    }

    /// Describes the outcome of an item, or of a wildcard that covers it.
    fn describe(&self, distribution: &Distribution, item: &Item) -> String {
        if let Some(outcome) = self.items.get(&(distribution, item.folded())) {
            return describe(outcome);
        }
        let mut wildcards = self.wildcards.iter();
        wildcards
            .find(|(of, wildcard, _)| *of == distribution && wildcard.covers(item))
            .map(|(_, wildcard, outcome)| format!("{} ({wildcard})", describe(outcome)))
            .unwrap_or_default()
    }
}

fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(invalidation) | Outcome::Remembered(invalidation) => {
            invalidation.id.clone()
        }
        Outcome::DryRun => "(dry run)".to_owned(),
        Outcome::Refused(failure) | Outcome::Retry(failure) => {
            format!("not accepted: {}", failure.code)
        }
    }
}

/// The document of `run --format json`.
#[derive(Serialize)]
struct RunDocument<'i> {
    #[serde(flatten)]
    sum: PlanDocument,
    invocations: Vec<InvocationDocument<'i>>,
}

#[derive(Serialize)]
struct InvocationDocument<'i> {
    payload: &'i str,
    #[serde(flatten)]
    answer: AnswerDocument,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum AnswerDocument {
    Answer(Answer),
    #[serde(rename_all = "camelCase")]
    Error {
        error_type: &'static str,
        error_message: String,
    },
}

impl From<Result<Answer, InvocationError>> for AnswerDocument {
    fn from(answer: Result<Answer, InvocationError>) -> Self {
        match answer {
            Ok(answer) => Self::Answer(answer),
            Err(InvocationError { kind, message }) => {
                Self::Error { error_type: kind, error_message: message }
            }
        }
    }
}

/// Prints the sum of all payloads, and the answer to each.
pub fn print_document(invocations: &[Invocation]) -> anyhow::Result<()> {
    let answers = invocations.iter().map(|Invocation { payload, result }| {
        let answer = match result {
            Ok(report) => report.answer(),
            Err(unreadable) => Err(unreadable.clone()),
        };
        InvocationDocument { payload, answer: answer.into() }
    });
    print_json(&RunDocument { sum: sum(invocations), invocations: answers.collect() })
}

fn sum(invocations: &[Invocation]) -> PlanDocument {
    let mut sum = PlanDocument::default();
    for report in invocations.iter().filter_map(|invocation| invocation.result.as_ref().ok()) {
        sum.add(PlanDocument::submitted(&report.submission));
    }
    sum
}

/// Returns the totals of all payloads as a sentence.
fn totals(invocations: &[Invocation]) -> String {
    let sum = sum(invocations);
    let reports = || invocations.iter().filter_map(|invocation| invocation.result.as_ref().ok());
    let deliveries = reports().flat_map(|report| &report.payload.deliveries);
    let outcomes = sum
        .distributions
        .iter()
        .flat_map(|part| &part.requests)
        .filter_map(|request| request.outcome.as_ref());
    let invalidations: HashSet<&OutcomeDocument> =
        outcomes.filter(|outcome| outcome.is_new()).collect();
    let mut parts = match reports().find_map(|report| report.drained) {
        None => vec![pluralize(invocations.len(), "payload")],
        Some(DrainCounts { received, deleted, kept }) => vec![
            format!("{} received", pluralize(received, "message")),
            format!("{deleted} deleted"),
            format!("{kept} kept"),
        ],
    };
    parts.extend([
        pluralize(sum.changes, "change"),
        pluralize(invalidations.len(), "invalidation"),
        pluralize(sum.billed_paths, "billed path"),
    ]);
    for (count, what) in [
        (sum.fallback, &*format!("sent to {FALLBACK_TARGET}")),
        (sum.ignored, "ignored"),
        (sum.unmatched, "unmatched"),
        (sum.not_served, "not served"),
        (deliveries.map(|delivery| delivery.skipped).sum(), "skipped"),
        (sum.distributions.iter().map(|part| part.unaddressable.len()).sum(), "unaddressable"),
        (reports().map(|report| report.submission.failed_deliveries()).sum(), "to be redelivered"),
        (invocations.iter().filter(|invocation| invocation.result.is_err()).count(), "refused"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.join(", ")
}
