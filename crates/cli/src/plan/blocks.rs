//! The report of a plan: the blocks of text that both the terminal and the HTML
//! page show.

use s3_cloudfront_invalidator::{
    item::Item,
    plan::{Counts, DistributionPlan, PlannedItem},
    rules::FALLBACK_TARGET,
};

use super::{
    cost::FREE_PATHS_PER_MONTH,
    directories,
    summary::{Figures, PlanSummary},
};
use crate::output::pluralize;

/// The most directories, however long other lists may be.
const MAX_DIRECTORIES: usize = 40;

pub enum ReportBlock {
    Text(String),
    /// Begins a section.
    Heading {
        title: String,
        remark: String,
    },
    Table {
        header: Vec<&'static str>,
        rows: Vec<Vec<String>>,
        /// The first of the columns with numbers.
        first_number: usize,
    },
    List {
        heading: String,
        entries: Vec<ReportEntry>,
        /// Entries beyond the limit.
        omitted: usize,
    },
}

#[derive(Default)]
pub struct ReportEntry {
    pub text: String,
    pub remark: String,
    /// It is a wildcard, or a wildcard purges it.
    pub is_wildcard: bool,
    /// The share of all changes.
    pub share: Option<f64>,
}

/// Returns the report. Lists have at most `max_entries`.
pub fn report(summary: &PlanSummary, max_entries: usize) -> Vec<ReportBlock> {
    let mut blocks = vec![ReportBlock::Text(counts(&summary.plan.counts))];
    for (plan, figures) in summary.distributions() {
        let targets: Vec<&str> = plan.targets.iter().map(|name| &**name).collect();
        blocks.push(ReportBlock::Heading {
            title: plan.distribution.to_string(),
            remark: format!("({})", targets.join(", ")),
        });
        if !plan.requests.is_empty() {
            blocks.push(requests(plan));
            blocks.extend(items(plan, max_entries));
            blocks.extend(changed_directories(plan, figures, max_entries));
            blocks.extend(unchanged_objects(figures, max_entries));
        }
        let unaddressable = plan.unaddressable.iter().map(|change| ReportEntry {
            text: format!("{}/{}", change.bucket, change.key.escape_debug()),
            remark: change.reason.to_string(),
            ..ReportEntry::default()
        });
        blocks.extend(list("Cannot be invalidated:", unaddressable, max_entries));
    }
    if !summary.plan.distributions.is_empty() {
        blocks.extend(cost(summary));
    }
    blocks
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

fn requests(plan: &DistributionPlan) -> ReportBlock {
    let rows = plan.requests.iter().zip(1..).map(|(request, number)| {
        let count = |is_kind: fn(&Item) -> bool| {
            request.items.iter().filter(|planned| is_kind(&planned.item)).count().to_string()
        };
        vec![
            format!("{number}"),
            request.items.len().to_string(),
            count(Item::is_wildcard),
            count(Item::is_tag),
            // Enough of it to find it in a log.
            request.caller_reference.chars().take(16).collect(),
        ]
    });
    let header = vec!["request", "billed paths", "wildcards", "tags", "caller reference"];
    ReportBlock::Table { header, rows: rows.collect(), first_number: 0 }
}

fn items(plan: &DistributionPlan, max_entries: usize) -> impl Iterator<Item = ReportBlock> {
    let entry = |planned: &PlannedItem| ReportEntry {
        text: planned.item.to_string(),
        remark: match planned.replaces {
            0 | 1 => String::new(),
            number => format!("replaces {number} paths"),
        },
        is_wildcard: planned.item.is_wildcard(),
        share: None,
    };
    let of_kind = |heading, is_wildcard| {
        let items = plan.items().filter(|planned| planned.item.is_wildcard() == is_wildcard);
        list(heading, items.map(entry), max_entries)
    };
    of_kind("Wildcards:", true).into_iter().chain(of_kind("Paths and tags:", false))
}

fn changed_directories(
    plan: &DistributionPlan,
    figures: &Figures,
    max_entries: usize,
) -> Option<ReportBlock> {
    let wildcards: Vec<&str> =
        plan.items().filter_map(|planned| planned.item.wildcard_prefix()).collect();
    let all = figures.directories.values().sum::<usize>() as f64;
    let max = max_entries.min(MAX_DIRECTORIES);
    let (directories, others, changes) = directories::summarize(&figures.directories, max);
    let mut entries: Vec<ReportEntry> = directories
        .into_iter()
        .map(|(path, changes)| ReportEntry {
            text: path.to_owned(),
            remark: pluralize(changes, "file"),
            is_wildcard: wildcards.iter().any(|prefix| path.starts_with(prefix)),
            share: Some(changes as f64 / all),
        })
        .collect();
    if others > 0 {
        let text = pluralize(others, "more directory");
        entries.push(ReportEntry {
            text,
            remark: pluralize(changes, "file"),
            ..ReportEntry::default()
        });
    }
    list("Changed files by directory:", entries, usize::MAX)
}

fn unchanged_objects(figures: &Figures, max_entries: usize) -> Option<ReportBlock> {
    let unchanged = figures.unchanged.as_ref()?;
    let total = pluralize(unchanged.total, "unchanged object");
    if unchanged.purged == 0 {
        return Some(ReportBlock::Text(format!("Purges none of {total}.")));
    }
    let purged_by = unchanged.purged_by.iter().filter(|(_, count)| *count > 0);
    let entries = purged_by.map(|(wildcard, count)| ReportEntry {
        text: wildcard.clone(),
        remark: format!("purges {count}"),
        is_wildcard: true,
        share: None,
    });
    list(&format!("Purges {} of {total}:", unchanged.purged), entries, max_entries)
}

fn cost(summary: &PlanSummary) -> [ReportBlock; 2] {
    let paths = pluralize(summary.month_to_date as usize, "path");
    let remark = format!("after {paths} this month ({FREE_PATHS_PER_MONTH} per month are free)");
    let rows = [
        ("this plan", summary.plan_cost),
        ("one path per changed file", summary.path_per_file),
        ("/* for each distribution", summary.everything),
    ]
    .map(|(name, cost)| {
        let [paths, free] = [cost.paths, cost.free].map(|paths| paths.to_string());
        vec![name.to_owned(), paths, free, cost.price.to_string()]
    });
    let header = vec!["", "billed paths", "of them free", "USD"];
    [
        ReportBlock::Heading { title: "Cost".to_owned(), remark },
        ReportBlock::Table { header, rows: rows.into(), first_number: 1 },
    ]
}

/// Returns a list of the first entries; `None` if there is no entry.
fn list(
    heading: &str,
    entries: impl IntoIterator<Item = ReportEntry>,
    max_entries: usize,
) -> Option<ReportBlock> {
    let mut entries = entries.into_iter();
    let first: Vec<ReportEntry> = entries.by_ref().take(max_entries).collect();
    let heading = heading.to_owned();
    (!first.is_empty()).then(|| ReportBlock::List {
        heading,
        entries: first,
        omitted: entries.count(),
    })
}
