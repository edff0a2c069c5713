//! Output that several subcommands share: tables, counts in sentences, JSON.

use std::{
    borrow::Cow,
    fmt,
    io::{self, BufWriter, ErrorKind, Write, stdout},
    process,
};

use anyhow::Context;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets::NOTHING};
use s3_cloudfront_invalidator::escape::{escape, escape_where, is_hidden};
use serde::Serialize;

/// Prints to standard output, without colour where it is not supported.
macro_rules! out {
    ($($text:tt)*) => { $crate::output::print(format_args!($($text)*)) };
}

/// Prints a line to standard output.
macro_rules! outln {
    ($($text:tt)*) => { $crate::output::print(format_args!("{}\n", format_args!($($text)*))) };
}

/// Prints a line to standard error.
macro_rules! errln {
    ($($text:tt)*) => { $crate::output::print_error(format_args!($($text)*)) };
}

/// Prints to standard output. If it cannot be written, as on a full disk, the
/// process ends with exit code 2.
pub fn print(text: fmt::Arguments<'_>) {
    let mut out = anstream::stdout().lock();
    let text = text.to_string();
    let written = out.write_all(safe(&text).as_bytes()).and_then(|()| out.flush());
    if let Err(error) = unless_closed(written) {
        print_error(format_args!("error: cannot write the output: {error}"));
        process::exit(2);
    }
}

/// Prints a line to standard error. There is nowhere to report a failure.
pub fn print_error(text: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr().lock(), "{}", safe(&text.to_string()));
}

/// Returns a text with its hidden characters escaped, except for line breaks,
/// tabs and styles, which are our own: whatever comes from outside and is put in
/// a line of its own, or in a cell, is [escaped](escape) before.
fn safe(text: &str) -> Cow<'_, str> {
    let is_escaped = |character| is_hidden(character) && !matches!(character, '\n' | '\t');
    if !text.contains(is_escaped) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len());
    let mut pieces = text.split("\u{1b}[");
    safe += &escape_where(pieces.next().unwrap_or_default(), is_escaped);
    for piece in pieces {
        let style = piece.find(|c: char| !c.is_ascii_digit() && c != ';');
        let is_style = style.is_some_and(|end| piece[end..].starts_with('m'));
        safe += if is_style { "\u{1b}[" } else { "\\u{1b}[" };
        safe += &escape_where(piece, is_escaped);
    }
    safe.into()
}

/// Adds a row whose cells may have text from outside.
pub fn add_row<'c>(table: &mut Table, cells: impl IntoIterator<Item = &'c str>) {
    table.add_row(cells.into_iter().map(escape));
}

/// Ignores that the reader of the output has closed it, as `head` does: the exit
/// code is still that of the command.
fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// An empty table with its header and a line below it.
pub fn table<'h>(header: impl IntoIterator<Item = &'h str>) -> Table {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table
}

/// A table whose columns are numbers, except those before `first_number`.
pub fn number_table(header: Vec<&str>, first_number: usize, rows: &[Vec<String>]) -> Table {
    let mut table = table(header);
    rows.iter().for_each(|row| add_row(&mut table, row.iter().map(String::as_str)));
    for column in table.column_iter_mut().skip(first_number) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// `1 path`, `2 paths`, `3 more directories`
pub fn pluralize(count: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if count == 1 => format!("1 {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

/// `` `a`, `b` or `c` ``; after the first `most` words, the others are counted.
pub fn quote_list(words: &[impl AsRef<str>], conjunction: &str, most: usize) -> String {
    let mut quoted: Vec<String> =
        words.iter().take(most).map(|word| format!("`{}`", word.as_ref())).collect();
    if words.len() > most {
        quoted.push(pluralize(words.len() - most, "other"));
    }
    match quoted.pop() {
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} {conjunction} {last}", quoted.join(", ")),
        None => String::new(),
    }
}

/// Prints a JSON document for scripts.
///
/// It is written straight to standard output: a plan may have a million items,
/// and there are no colors to strip.
pub fn print_json(document: &impl Serialize) -> anyhow::Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from);
    let written = written.and_then(|()| writeln!(out)).and_then(|()| out.flush());
    // What is left in the buffer is not written again.
    drop(out.into_parts());
    unless_closed(written).context("cannot write the output")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_styles_reach_the_terminal() {
        for (text, expected) in [
            ("a\n\tb ä", "a\n\tb ä"),
            ("\u{1b}[1ma\u{1b}[0m\u{1b}[m\n", "\u{1b}[1ma\u{1b}[0m\u{1b}[m\n"),
            ("\u{1b}[38;5;1m\u{1b}[2J", "\u{1b}[38;5;1m\\u{1b}[2J"),
            ("a\u{1b}]0;title\u{7}\r\u{9b}2J", r"a\u{1b}]0;title\u{7}\r\u{9b}2J"),
            ("\u{1b}[31\u{1b}[", r"\u{1b}[31\u{1b}["),
        ] {
            assert_eq!(safe(text), expected, "{text:?}");
        }
    }

    #[test]
    fn cells_are_one_line() {
        let rows = vec![vec!["a\nb\u{1b}[8m".to_owned(), "1".to_owned()]];
        let table = number_table(vec!["x", "y"], 1, &rows).to_string();
        assert!(table.contains(r"a\nb\u{1b}[8m"), "{table}");
    }

    #[test]
    fn counts_and_nouns_agree() {
        assert_eq!(pluralize(1, "path"), "1 path");
        assert_eq!(pluralize(0, "path"), "0 paths");
        assert_eq!(pluralize(2, "more directory"), "2 more directories");
    }

    #[test]
    fn lists_read_as_sentences() {
        for (words, expected) in [
            (&[][..], ""),
            (&["a"], "`a`"),
            (&["a", "b"], "`a` or `b`"),
            (&["a", "b", "c"], "`a`, `b` or `c`"),
            (&["a", "b", "c", "d"], "`a`, `b`, `c` or 1 other"),
            (&["a", "b", "c", "d", "e"], "`a`, `b`, `c` or 2 others"),
        ] {
            assert_eq!(quote_list(words, "or", 3), expected);
        }
    }
}
