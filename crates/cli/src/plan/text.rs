//! The plan as tables and lists.

use anstyle::{AnsiColor, Style};
use s3_cloudfront_invalidator::{
    plan::{Counts, DistributionPlan, PlannedItem},
    rules::FALLBACK_TARGET,
};

use super::{
    cost::FREE_PATHS_PER_MONTH,
    outline::{Directory, PurgedBy},
    summary::{Figures, Summary},
};
use crate::output::{number_table, pluralize};

/// The most entries of a list.
const MAX_ENTRIES: usize = 15;
/// The most rows of an outline.
const MAX_ROWS: usize = 24;

const HEADING: Style = Style::new().bold();
const WILDCARD: Style = AnsiColor::Yellow.on_default();
const DIMMED: Style = Style::new().dimmed();

pub fn print(summary: &Summary) {
    anstream::println!("{}", counts(&summary.plan.counts));
    for (plan, figures) in summary.distributions() {
        anstream::println!();
        print_distribution(plan, figures);
    }
    if !summary.plan.distributions.is_empty() {
        anstream::println!();
        print_cost(summary);
    }
}

/// `12 changes: 9 matched, 2 ignored, 1 unmatched`
fn counts(counts: &Counts) -> String {
    let mut parts = vec![format!("{} matched", counts.matched)];
    for (number, what) in [
        (counts.not_served, "of them not served by any target"),
        (counts.fallback, &format!("sent to {FALLBACK_TARGET}")),
        (counts.ignored, "ignored"),
        (counts.unmatched, "unmatched"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    format!("{}: {}", pluralize(counts.changes, "change"), parts.join(", "))
}

fn print_distribution(plan: &DistributionPlan, figures: &Figures) {
    let targets: Vec<&str> = plan.targets.iter().map(|name| &**name).collect();
    anstream::println!("{HEADING}{}{HEADING:#} ({})", plan.distribution, targets.join(", "));
    if !plan.requests.is_empty() {
        print_requests(plan);
        print_items(plan);
        print_outline(&figures.outline);
        if let Some(unchanged) = &figures.unchanged {
            let total = pluralize(unchanged.total, "unchanged object");
            let purged_by = unchanged.purged_by.iter().filter(|(_, count)| *count > 0);
            print_list(
                &format!("Purges {} of {total}:", unchanged.purged),
                purged_by.map(|(wildcard, count)| format!("{wildcard}  {DIMMED}{count}{DIMMED:#}")),
            );
        }
    }
    let unaddressable = plan.unaddressable.iter().map(|change| {
        format!("{}/{}: {}", change.bucket, change.key.escape_debug(), change.reason)
    });
    print_list("Cannot be invalidated:", unaddressable);
}

fn print_requests(plan: &DistributionPlan) {
    let rows = plan.requests.iter().zip(1..).map(|(request, number)| {
        let count = |is_kind: fn(&PlannedItem) -> bool| {
            request.items.iter().filter(|item| is_kind(item)).count().to_string()
        };
        [
            format!("{number}"),
            request.items.len().to_string(),
            count(|planned| planned.item.is_wildcard()),
            count(|planned| planned.item.is_tag()),
            // Enough of it to find it in a log.
            request.caller_reference.chars().take(16).collect(),
        ]
    });
    let header = ["request", "billed paths", "wildcards", "tags", "caller reference"];
    anstream::println!("{}", number_table(header, 0, rows));
}

fn print_items(plan: &DistributionPlan) {
    let is_wildcard = |planned: &&PlannedItem| planned.item.is_wildcard();
    let wildcard = |planned: &PlannedItem| {
        let replaces = match planned.replaces {
            0 | 1 => String::new(),
            number => format!("  {DIMMED}replaces {number} paths{DIMMED:#}"),
        };
        format!("{WILDCARD}{}{WILDCARD:#}{replaces}", planned.item)
    };
    print_list("Wildcards:", plan.items().filter(is_wildcard).map(wildcard));
    let others = plan.items().filter(|planned| !is_wildcard(planned));
    print_list("Paths and tags:", others.map(|planned| planned.item.to_string()));
}

/// Prints a heading and the first entries, or nothing if there is no entry.
fn print_list(heading: &str, entries: impl Iterator<Item = String>) {
    let mut entries = entries.peekable();
    if entries.peek().is_none() {
        return;
    }
    anstream::println!("{heading}");
    entries.by_ref().take(MAX_ENTRIES).for_each(|entry| anstream::println!("  {entry}"));
    match entries.count() {
        0 => {}
        more => anstream::println!("  {DIMMED}and {more} more{DIMMED:#}"),
    }
}

fn print_outline(outline: &Directory) {
    if outline.changes == 0 {
        return;
    }
    anstream::println!("Changed files by directory:");
    for row in outline.rows(MAX_ROWS) {
        let style = if row.purged_by == PurgedBy::Wildcard { WILDCARD } else { Style::new() };
        let indent = "  ".repeat(row.depth + 1);
        anstream::println!(
            "{indent}{style}{}{style:#}  {DIMMED}{}{DIMMED:#}",
            row.name,
            row.changes
        );
    }
}

fn print_cost(summary: &Summary) {
    anstream::println!(
        "{HEADING}Cost{HEADING:#} after {} this month ({FREE_PATHS_PER_MONTH} per month are free)",
        pluralize(summary.month_to_date as usize, "path")
    );
    let rows = summary.costs().map(|(name, cost)| {
        [name.to_owned(), cost.paths.to_string(), cost.free.to_string(), cost.price.to_string()]
    });
    anstream::println!("{}", number_table(["", "billed paths", "of them free", "USD"], 1, rows));
}
