//! How findings look: the place, the source line with a caret, and the help.
//!
//! Whatever the file holds, the output is safe for a terminal and of bounded
//! width: control characters are made visible, and of a long line only the part
//! around the caret is kept.

use std::fmt;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

use super::{
    finding::{Finding, Findings, MAX_FINDINGS, Severity},
    source::Span,
};

/// The widest part of a source line that is shown, in characters, and how much
/// of it may stand before the caret.
const MAX_WIDTH: usize = 120;
const MAX_BEFORE: usize = 60;

/// The longest message, note or help, in characters: they quote the file.
const MAX_TEXT: usize = 4_000;

/// The source line of a finding, as it is shown.
#[derive(Clone, Debug)]
pub(super) struct Excerpt {
    text: String,
    /// The columns of the terminal before the caret, and under it.
    before: usize,
    width: usize,
}

impl Excerpt {
    /// Cuts the part around a span out of its line.
    pub fn new(line: &str, span: Span) -> Self {
        let caret = span.column.saturating_sub(1);
        let skip = caret.saturating_sub(MAX_BEFORE);
        let end = span.end_column.saturating_sub(1);
        let mut excerpt = Self { text: String::new(), before: 0, width: 0 };
        if skip > 0 {
            excerpt.add('…', 0, 1, 1);
        }
        let trimmed = line.trim_end();
        // Of a long line that is plain ASCII, nothing before the part is read.
        let part = if trimmed.is_ascii() {
            trimmed.get(skip..)
        } else {
            trimmed.char_indices().nth(skip).map(|(start, _)| &trimmed[start..])
        };
        let mut characters = (skip..).zip(part.unwrap_or_default().chars());
        for (column, character) in characters.by_ref().take(MAX_WIDTH) {
            match character {
                '\t' => (0..4).for_each(|_| excerpt.add(' ', column, caret, end)),
                character if is_hidden(character) => {
                    character.escape_default().for_each(|c| excerpt.add(c, column, caret, end));
                }
                character => excerpt.add(character, column, caret, end),
            }
        }
        if characters.next().is_some() {
            excerpt.text.push('…');
        }
        excerpt.width = excerpt.width.max(1);
        excerpt
    }

    fn add(&mut self, shown: char, column: usize, caret: usize, end: usize) {
        let width = shown.width().unwrap_or_default();
        if column < caret {
            self.before += width;
        } else if column < end {
            self.width += width;
        }
        self.text.push(shown);
    }
}

/// Whether a character would not show, or would change how others do: control
/// characters, and the marks that set the direction of text.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text of a finding, made safe. Its line breaks stay.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars().take(MAX_TEXT) {
        match character {
            '\n' => clean.push('\n'),
            character if is_hidden(character) => clean.extend(character.escape_default()),
            character => clean.push(character),
        }
    }
    if text.chars().nth(MAX_TEXT).is_some() {
        clean.push('…');
    }
    clean
}

/// The styles of the parts; all plain when colour is not wanted.
#[derive(Clone, Copy, Default)]
struct Styles {
    error: Style,
    lint: Style,
    message: Style,
    frame: Style,
    help: Style,
}

impl Styles {
    fn coloured() -> Self {
        let bold = Style::new().bold();
        Self {
            error: AnsiColor::Red.on_default().bold(),
            lint: AnsiColor::Yellow.on_default().bold(),
            message: bold,
            frame: AnsiColor::Blue.on_default().bold(),
            help: AnsiColor::Green.on_default().bold(),
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let styles = if f.alternate() { Styles::coloured() } else { Styles::default() };
        for (index, finding) in self.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            finding.write(f, self.file(), styles)?;
        }
        if self.is_full() {
            writeln!(
                f,
                "\nand perhaps more: after {MAX_FINDINGS} findings no more are looked for"
            )?;
        }
        Ok(())
    }
}

impl Finding {
    fn write(&self, f: &mut fmt::Formatter<'_>, file: &str, styles: Styles) -> fmt::Result {
        let Self { code, line, column, .. } = self;
        let Styles { message, frame, help, .. } = styles;
        let severity = match code.severity() {
            Severity::Error => styles.error,
            Severity::Lint => styles.lint,
        };
        let text = clean(&self.message).replace('\n', " ");
        writeln!(
            f,
            "{}:{line}:{column}: {severity}{}[{code}]{severity:#}{message}: {text}{message:#}",
            clean(file),
            code.severity().name(),
        )?;
        let gutter = line.to_string().len();
        if !self.excerpt.text.is_empty() {
            let Excerpt { text, before, width } = &self.excerpt;
            writeln!(f, "{frame}{:gutter$} |{frame:#}", "")?;
            writeln!(f, "{frame}{line} |{frame:#} {text}")?;
            writeln!(
                f,
                "{frame}{:gutter$} |{frame:#} {:before$}{severity}{}{severity:#}",
                "",
                "",
                "^".repeat(*width),
            )?;
        }
        let notes = self.notes.iter().map(|text| ("note", frame, text));
        for (word, style, text) in notes.chain(self.help.iter().map(|text| ("help", help, text))) {
            let text = clean(text);
            let mut lines = text.lines();
            let first = lines.next().unwrap_or_default();
            writeln!(f, "{frame}{:gutter$} ={frame:#} {style}{word}{style:#}: {first}", "")?;
            for line in lines {
                writeln!(f, "{:gutter$}   {line}", "")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
