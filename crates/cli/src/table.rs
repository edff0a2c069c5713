//! Tables for people: a line under the header, and nothing else.

use comfy_table::{ContentArrangement, Table, TableComponent, presets::NOTHING};

/// An empty table with its header.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table
}
