//! The report of a plan: the blocks of text that both the terminal and the HTML
//! page show.

use std::{collections::BTreeMap, slice};

use s3_cloudfront_invalidator::{
    item::Item,
    plan::{Counts, DistributionPlan, ExclusionCosts, Plan, PlannedItem},
    rules::FALLBACK_TARGET,
    target::{Exclusion, ExclusionSource},
};

use super::{
    batches::Batches,
    cost::{Cost, FREE_PATHS_PER_MONTH},
    directories,
    site_inventory::UnchangedObjects,
    summary::{Figures, PlanSummary},
};
use crate::output::{pluralize, quote_list};

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
            blocks.extend(items(plan, figures.unchanged.as_ref(), max_entries));
            blocks.extend(figures.unchanged.as_ref().map(unchanged_objects));
            blocks.extend(exclusions(&figures.exclusions, max_entries));
            blocks.extend(changed_directories(plan, figures, max_entries));
        }
        let unaddressable = plan.unaddressable.iter().map(|change| ReportEntry {
            text: format!("{}/{}", change.bucket, change.key),
            remark: change.reason.to_string(),
            ..ReportEntry::default()
        });
        blocks.extend(list("Cannot be invalidated:", unaddressable, max_entries));
    }
    if !summary.plan.distributions.is_empty() {
        blocks.extend(left_out(summary));
        blocks.extend(cost(summary));
        let batches = summary.batches.as_ref();
        blocks
            .extend(batches.into_iter().flat_map(|them| batch_blocks(summary, them, max_entries)));
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

fn items(
    plan: &DistributionPlan,
    unchanged: Option<&UnchangedObjects>,
    max_entries: usize,
) -> impl Iterator<Item = ReportBlock> {
    let purged_by: BTreeMap<&str, usize> = unchanged
        .into_iter()
        .flat_map(|unchanged| &unchanged.purged_by)
        .map(|(wildcard, count)| (wildcard.as_str(), *count))
        .collect();
    let remark = |planned: &PlannedItem| {
        let replaces =
            (planned.replaces > 1).then(|| format!("replaces {} paths", planned.replaces));
        let purged = purged_by.get(planned.item.as_str());
        let purged =
            purged.map(|count| format!("purges {}", pluralize(*count, "unchanged object")));
        replaces.into_iter().chain(purged).collect::<Vec<_>>().join(", ")
    };
    let entry = |planned: &PlannedItem| ReportEntry {
        text: planned.item.to_string(),
        remark: remark(planned),
        is_wildcard: planned.item.is_wildcard(),
        share: None,
    };
    let of_kind = |heading, is_wildcard| {
        let items = plan.items().filter(|planned| planned.item.is_wildcard() == is_wildcard);
        list(heading, items.map(entry), max_entries)
    };
    let (wildcards, others) = (of_kind("Wildcards:", true), of_kind("Paths and tags:", false));
    wildcards.into_iter().chain(others)
}

/// What wildcards do not cover because of the rules, with its price.
fn exclusions(costs: &ExclusionCosts, max_entries: usize) -> Option<ReportBlock> {
    let entries = costs.each.iter().map(|(Exclusion { prefix, source }, cost)| {
        let source = match source {
            ExclusionSource::Protect => "`protect` of the target".to_owned(),
            ExclusionSource::Ignore(rule) => format!("ignored by `{rule}`"),
            ExclusionSource::Except(rule) => format!("`except` of `{rule}`"),
        };
        ReportEntry {
            text: prefix.to_string(),
            remark: format!("{source}, costs {}", paths(*cost)),
            ..ReportEntry::default()
        }
    });
    let all = paths(costs.all);
    list(&format!("Excluded from wildcards, which costs {all} in all:"), entries, max_entries)
}

/// What wildcards purge although a rule leaves it out.
fn left_out(summary: &PlanSummary) -> Option<ReportBlock> {
    const MAX_RULES: usize = 5;
    let wildcards: usize = summary.plan.distributions.iter().map(DistributionPlan::wildcards).sum();
    (wildcards > 0 && !summary.leave_out.is_empty()).then(|| {
        let rules = quote_list(&summary.leave_out, "and", MAX_RULES);
        ReportBlock::Text(format!(
            "A wildcard also purges files that only a suffix or a regex leaves out: see {rules}."
        ))
    })
}

/// `1 path`; negative if something is cheaper than without it.
fn paths(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", pluralize(number.unsigned_abs() as usize, "path"))
}

/// Compares the plan with those of the batches, and lists these.
fn batch_blocks(
    summary: &PlanSummary,
    batches: &Batches,
    max_entries: usize,
) -> impl Iterator<Item = ReportBlock> {
    let sum = |plans: &[Plan], of: fn(&DistributionPlan) -> usize| {
        let parts = plans.iter().flat_map(|plan| &plan.distributions);
        parts.map(of).sum::<usize>().to_string()
    };
    let column = |plans: &[Plan], cost: Cost, unchanged: Option<usize>| {
        [
            plans.len().to_string(),
            sum(plans, |part| part.requests.len()),
            cost.paths.to_string(),
            sum(plans, DistributionPlan::wildcards),
            unchanged.map_or_else(|| "unknown".to_owned(), |count| count.to_string()),
            cost.price.to_string(),
        ]
    };
    let unchanged = summary.distributions().map(|(_, figures)| figures.unchanged.as_ref());
    let unchanged: Option<usize> = unchanged.map(|one| Some(one?.purged)).sum();
    let one = column(slice::from_ref(&summary.plan), summary.plan_cost, unchanged);
    let many = column(&batches.plans, batches.cost, batches.unchanged_purged);
    let names =
        ["invocations", "requests", "billed paths", "wildcards", "unchanged objects purged", "USD"];
    let rows = names.into_iter().zip(one).zip(many);
    let rows = rows.map(|((name, one), many)| vec![name.to_owned(), one, many]).collect();
    let header = vec!["", "one drain", "in batches"];
    let entries = batches.plans.iter().zip(1..).map(|(plan, number)| {
        let parts = &plan.distributions;
        let wildcards = parts.iter().flat_map(DistributionPlan::items);
        let wildcards = wildcards.filter(|planned| planned.item.is_wildcard());
        let wildcards: Vec<String> = wildcards.map(|planned| planned.item.to_string()).collect();
        let billed = pluralize(plan.billed_paths(), "billed path");
        ReportEntry {
            text: format!("{number}"),
            is_wildcard: !wildcards.is_empty(),
            remark: match wildcards.is_empty() {
                true => billed,
                false => format!("{billed}, among them {}", wildcards.join(" ")),
            },
            ..ReportEntry::default()
        }
    });
    let heading = ReportBlock::Heading {
        title: "Batches".to_owned(),
        remark: format!("of {}", pluralize(batches.size, "change")),
    };
    let table = ReportBlock::Table { header, rows, first_number: 1 };
    [heading, table].into_iter().chain(list("Invocations in batches:", entries, max_entries))
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

fn unchanged_objects(unchanged: &UnchangedObjects) -> ReportBlock {
    let purged = match unchanged.purged {
        0 => "none".to_owned(),
        purged => purged.to_string(),
    };
    let total = pluralize(unchanged.total, "unchanged object");
    ReportBlock::Text(format!("Purges {purged} of {total}."))
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
