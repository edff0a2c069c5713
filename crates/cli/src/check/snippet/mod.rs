//! Findings as text for people: the place, the source line with a caret below the
//! value, and the help.
//!
//! Whatever the file contains, the output is safe for a terminal and of limited
//! width: control characters are escaped, and of a long line only the part
//! around the caret is shown.

use std::fmt;

use anstyle::{AnsiColor, Style};
use s3_cloudfront_invalidator::{
    escape::is_hidden,
    rules::{Finding, Findings, MAX_FINDINGS, Severity, Span, printable},
};
use unicode_width::UnicodeWidthChar;

use super::suggest;

/// The longest part of a source line that is shown, in characters, and how much
/// of it may be before the caret.
const MAX_WIDTH: usize = 120;
const MAX_BEFORE: usize = 60;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const LINT: Style = AnsiColor::Yellow.on_default().bold();
const MESSAGE: Style = Style::new().bold();
const FRAME: Style = AnsiColor::Blue.on_default().bold();
const HELP: Style = AnsiColor::Green.on_default().bold();

/// Displays findings with ANSI colours, one block each:
///
/// ```text
/// rules.yaml:12:18: error[unknown-target]: no target is named `wwww`
///    |
/// 12 |     invalidate: [wwww, blog]
///    |                  ^^^^
///    = help: did you mean `www`?
/// ```
pub struct Rendered<'f>(pub &'f Findings);

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(findings) = self;
        for (index, finding) in findings.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write_finding(f, findings, finding)?;
        }
        if findings.is_full() {
            writeln!(f, "\nonly the first {MAX_FINDINGS} findings are shown; there may be more")?;
        }
        Ok(())
    }
}

fn write_finding(
    f: &mut fmt::Formatter<'_>,
    findings: &Findings,
    finding: &Finding,
) -> fmt::Result {
    let Finding { code, message, span, notes, .. } = finding;
    let Span { line, column, .. } = span;
    let style = match code.severity() {
        Severity::Error => ERROR,
        Severity::Lint => LINT,
    };
    let (file, severity) = (printable(findings.file()), code.severity().name());
    let message = printable(message).replace('\n', " ");
    writeln!(
        f,
        "{file}:{line}:{column}: {style}{severity}[{code}]{style:#}{MESSAGE}: {message}{MESSAGE:#}"
    )?;
    let gutter = line.to_string().len();
    let Excerpt { text, before, width } = Excerpt::new(findings.line(*line), *span);
    if !text.is_empty() {
        let caret = "^".repeat(width);
        writeln!(f, "{FRAME}{:gutter$} |{FRAME:#}", "")?;
        writeln!(f, "{FRAME}{line} |{FRAME:#} {text}")?;
        writeln!(f, "{FRAME}{:gutter$} |{FRAME:#} {:before$}{style}{caret}{style:#}", "", "")?;
    }
    let notes = notes.iter().map(|text| ("note", FRAME, text.clone()));
    let help = suggest::help(finding, findings).into_iter().map(|text| ("help", HELP, text));
    for (label, style, text) in notes.chain(help) {
        // Further lines are indented.
        let text = printable(&text).replace('\n', &format!("\n{:gutter$}   ", ""));
        writeln!(f, "{FRAME}{:gutter$} ={FRAME:#} {style}{label}{style:#}: {text}", "")?;
    }
    Ok(())
}

/// The visible part of a source line, and its caret.
#[derive(Default)]
struct Excerpt {
    text: String,
    /// The columns of the terminal before the caret, and below the value.
    before: usize,
    width: usize,
}

impl Excerpt {
    fn new(line: &str, span: Span) -> Self {
        let skipped = span.column.saturating_sub(1 + MAX_BEFORE);
        let end = end_column(line, span);
        let mut excerpt = Self::default();
        let mut add = |shown: char, column: usize| {
            let width = shown.width().unwrap_or_default();
            match column {
                _ if column < span.column => excerpt.before += width,
                _ if column < end => excerpt.width += width,
                _ => {}
            }
            excerpt.text.push(shown);
        };
        if skipped > 0 {
            add('…', 0);
        }
        let mut characters = (1..).zip(line.trim_end().chars()).skip(skipped);
        for (column, character) in characters.by_ref().take(MAX_WIDTH) {
            match character {
                '\t' => (0..4).for_each(|_| add(' ', column)),
                _ if is_hidden(character) => {
                    character.escape_default().for_each(|shown| add(shown, column));
                }
                _ => add(character, column),
            }
        }
        if characters.next().is_some() {
            add('…', usize::MAX);
        }
        excerpt.width = excerpt.width.max(1);
        excerpt
    }
}

/// The column after a value. The parser counts what follows a text in quotes,
/// such as a comment, as part of it.
fn end_column(line: &str, span: Span) -> usize {
    let start = span.column.saturating_sub(1);
    let mut characters = (1..).zip(line.chars()).skip(start).peekable();
    // An anchor may come first.
    if characters.peek().is_some_and(|(_, first)| *first == '&') {
        while characters.next_if(|(_, character)| !character.is_whitespace()).is_some() {}
        while characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
    }
    let Some((_, quote @ ('\'' | '"'))) = characters.next() else { return span.end_column };
    while let Some((column, character)) = characters.next() {
        // In single quotes, two of them are one character of the text.
        let is_escape = match quote {
            '"' => character == '\\',
            _ => character == quote && characters.peek().is_some_and(|(_, next)| *next == quote),
        };
        if is_escape {
            characters.next();
        } else if character == quote {
            return span.end_column.min(column + 1);
        }
    }
    span.end_column
}

#[cfg(test)]
mod tests;
