//! Prints the report of a plan.

use anstyle::{AnsiColor, Style};

use s3_cloudfront_invalidator::escape::escape;

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
            ReportBlock::Text(text) => outln!("{}", escape(&text)),
            ReportBlock::Heading { title, remark } => {
                outln!("\n{HEADING}{}{HEADING:#} {}", escape(&title), escape(&remark));
            }
            ReportBlock::Table { header, rows, first_number } => {
                outln!("{}", number_table(header, first_number, &rows));
            }
            ReportBlock::List { heading, entries, omitted } => {
                outln!("{heading}");
                for ReportEntry { text, remark, is_wildcard, .. } in entries {
                    let (text, remark) = (escape(&text), escape(&remark));
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
