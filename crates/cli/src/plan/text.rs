//! The plan as tables and sentences, for people.

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table};
use s3_cloudfront_invalidator::{
    plan::{DistributionPlan, FREE_PATHS_PER_MONTH, PlannedItem},
    rules::FALLBACK_TARGET,
};

use super::{
    outline::{Content, Outline},
    summary::{Figures, Summary},
};
use crate::{table::table, words::many};

/// How many entries of a long list are shown.
const SHOWN: usize = 15;
/// How many rows the outline of a site has.
const OUTLINE_ROWS: usize = 24;

const HEADING: Style = Style::new().bold();
const WILDCARD: Style = AnsiColor::Yellow.on_default();
const DIMMED: Style = Style::new().dimmed();

pub fn print(summary: &Summary) {
    anstream::println!("{}", counts(summary));
    for (plan, figures) in summary.distributions() {
        anstream::println!();
        distribution(plan, figures);
    }
    if !summary.figures.is_empty() {
        anstream::println!();
        cost(summary);
    }
}

/// "12 changes: 9 matched, 2 ignored, 1 unmatched"
fn counts(summary: &Summary) -> String {
    let counts = &summary.plan.counts;
    let mut parts = vec![format!("{} matched", counts.matched)];
    for (number, what) in [
        (counts.fallback, format!("taken by {FALLBACK_TARGET}")),
        (counts.not_served, "of them served by no target".to_owned()),
        (counts.ignored, "ignored".to_owned()),
        (counts.unmatched, "unmatched".to_owned()),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    format!("{}: {}", many(counts.changes, "change"), parts.join(", "))
}

fn distribution(plan: &DistributionPlan, figures: &Figures) {
    let targets: Vec<&str> = plan.targets.iter().map(|name| &**name).collect();
    anstream::println!("{HEADING}{}{HEADING:#} ({})", plan.distribution, targets.join(", "));
    if !plan.requests.is_empty() {
        anstream::println!("{}", requests(plan));
        items(plan);
        outline(&figures.outline);
        if let Some(unchanged) = &figures.unchanged {
            let total = many(unchanged.total, "unchanged object");
            anstream::println!("It purges {} of {total}.", unchanged.purged);
            let purged_by = unchanged.purged_by.iter().filter(|(_, count)| *count > 0);
            for (wildcard, count) in purged_by {
                anstream::println!("  {wildcard} purges {count}");
            }
        }
    }
    let unaddressable = plan.unaddressable.iter().map(|change| {
        format!("{}/{}: {}", change.bucket, change.key.escape_debug(), change.reason)
    });
    list("Nothing can be sent for:", unaddressable);
}

fn requests(plan: &DistributionPlan) -> Table {
    let mut table = table(["request", "billed paths", "wildcards", "tags", "caller reference"]);
    for (request, number) in plan.requests.iter().zip(1..) {
        let count = |is: fn(&PlannedItem) -> bool| {
            request.items.iter().filter(|item| is(item)).count().to_string()
        };
        table.add_row([
            format!("{number}"),
            request.items.len().to_string(),
            count(|planned| planned.item.is_wildcard()),
            count(|planned| planned.item.is_tag()),
            // Enough of it to find it again in a log.
            request.caller_reference.chars().take(16).collect(),
        ]);
    }
    for column in 0..4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Wildcards first: they are what one wants to look at.
fn items(plan: &DistributionPlan) {
    let is_wildcard = |item: &&PlannedItem| item.item.is_wildcard();
    list(
        "Wildcards:",
        plan.items().filter(is_wildcard).map(|planned| {
            let replaces = match planned.replaces {
                0 | 1 => String::new(),
                number => format!("  {DIMMED}for {number} paths{DIMMED:#}"),
            };
            format!("{WILDCARD}{}{WILDCARD:#}{replaces}", planned.item)
        }),
    );
    let others = plan.items().filter(|item| !is_wildcard(item));
    list("Paths and tags:", others.map(|planned| planned.item.to_string()));
}

/// A heading and the first entries, if there are any.
fn list(heading: &str, entries: impl Iterator<Item = String>) {
    let mut entries = entries.peekable();
    if entries.peek().is_none() {
        return;
    }
    anstream::println!("{heading}");
    entries.by_ref().take(SHOWN).for_each(|entry| anstream::println!("  {entry}"));
    match entries.count() {
        0 => {}
        more => anstream::println!("  {DIMMED}and {more} more{DIMMED:#}"),
    }
}

/// Directories, how many files changed in them, and what purges them.
fn outline(outline: &Outline) {
    if outline.directory(0).total == 0 {
        return;
    }
    anstream::println!("Where it changed:");
    for row in outline.rows(OUTLINE_ROWS) {
        let indent = "  ".repeat(row.depth + 1);
        match row.content {
            Content::Directory(place) => {
                let directory = outline.directory(place);
                let files = many(directory.total, "changed file");
                if directory.purged {
                    anstream::println!("{indent}{WILDCARD}{}*{WILDCARD:#}  {files}", row.label);
                } else {
                    anstream::println!("{indent}{}  {DIMMED}{files}{DIMMED:#}", row.label);
                }
            }
            Content::Others { directories, total } => anstream::println!(
                "{indent}{DIMMED}{}, {}{DIMMED:#}",
                many(directories, "more directory"),
                many(total, "changed file")
            ),
        }
    }
}

fn cost(summary: &Summary) {
    anstream::println!(
        "{HEADING}Cost{HEADING:#}, after {} this month ({FREE_PATHS_PER_MONTH} a month are free)",
        many(usize::try_from(summary.month_to_date).unwrap_or(usize::MAX), "path")
    );
    let mut table = table(["", "billed paths", "still free", "USD"]);
    let cost = &summary.cost;
    for (name, cost) in [
        ("this plan", cost.plan),
        ("one path per changed file", cost.path_per_file),
        ("/* for each distribution", cost.everything),
    ] {
        table.add_row([
            name.to_owned(),
            cost.paths.to_string(),
            cost.free.to_string(),
            cost.price.to_string(),
        ]);
    }
    for column in 1..4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    anstream::println!("{table}");
}
