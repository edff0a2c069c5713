//! Prints the report of a plan.

use anstyle::{AnsiColor, Style};

use super::{
    blocks::{ReportBlock, ReportEntry, report},
    summary::PlanSummary,
};
use crate::output::number_table;

const MAX_ENTRIES: usize = 15;

const HEADING: Style = Style::new().bold();
const WILDCARD: Style = AnsiColor::Yellow.on_default();
const DIMMED: Style = Style::new().dimmed();

pub fn print(summary: &PlanSummary) {
    for block in report(summary, MAX_ENTRIES) {
        match block {
            ReportBlock::Text(text) => outln!("{text}"),
            ReportBlock::Heading { title, remark } => {
                outln!("\n{HEADING}{title}{HEADING:#} {remark}");
            }
            ReportBlock::Table { header, rows, first_number } => {
                outln!("{}", number_table(header, first_number, rows));
            }
            ReportBlock::List { heading, entries, omitted } => {
                outln!("{heading}");
                for ReportEntry { text, remark, is_wildcard, .. } in entries {
                    let style = if is_wildcard { WILDCARD } else { Style::new() };
                    let separator = if remark.is_empty() { "" } else { "  " };
                    outln!("  {style}{text}{style:#}{separator}{DIMMED}{remark}{DIMMED:#}");
                }
                if omitted > 0 {
                    outln!("  {DIMMED}and {omitted} more{DIMMED:#}");
                }
            }
        }
    }
}
