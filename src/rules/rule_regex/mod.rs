//! The regexes of rules: checked when the file is read, compiled on first use.
//!
//! Compiling takes the largest part of a cold start with many rules, so a
//! pattern is compiled only when a key has passed the cheaper conditions of its
//! rule. That compilation cannot fail, because the file is refused otherwise:
//!
//! - The pattern is parsed by `regex-syntax`, as the `regex` crate does, with
//!   the default settings. This settles the syntax, Unicode classes, nesting
//!   (at most 250 levels) and the names of the captures.
//! - A pattern is refused if an upper bound of its compiled size exceeds
//!   [`SIZE_LIMIT`], above which the `regex` crate does not compile it. Only
//!   counted repetitions of large Unicode classes get there: `\w{1,64}` is
//!   accepted, `\w{1,100}` is not, and `[a-z]{1,1000}` is far below.
//!
//! A search takes time linear in the length of the key, whatever the pattern:
//! there are no back-references and no look-around.

use once_cell::sync::OnceCell;
use regex::{Regex, RegexBuilder};
use regex_syntax::{
    hir::{Class, Hir, HirKind},
    utf8::Utf8Sequences,
};

/// The longest pattern, in bytes. It bounds the memory for parsing, where each
/// `\w` takes 6 KiB.
const MAX_PATTERN: usize = 10_000;

/// The largest compiled program, in bytes: the default of the `regex` crate.
/// <https://docs.rs/regex/1/regex/struct.RegexBuilder.html#method.size_limit>
const SIZE_LIMIT: usize = 10 * (1 << 20);

/// The bytes of a state of a compiled program with two links.
const STATE: usize = 32 + 2 * 8;

/// A valid regex of rules.yaml.
#[derive(Debug)]
pub struct RuleRegex {
    pattern: Box<str>,
    /// The names of the capture groups, without the whole match.
    groups: Box<[Option<Box<str>>]>,
    required_literals: Option<Box<[Box<[u8]>]>>,
    compiled: OnceCell<Regex>,
}

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegexError {
    /// A syntax error. The text has several lines: the message of the regex
    /// crate, with a caret under the location.
    #[error("{0}")]
    Syntax(String),
    #[error(
        "the regex has {0} bytes, and at most {MAX_PATTERN} are allowed; list prefixes or suffixes instead"
    )]
    TooLong(usize),
    /// The compiled program could exceed the size limit.
    #[error(
        "the regex `{0}` may need more than 10 MiB when compiled; reduce its counted repetitions, or write `[0-9A-Za-z_]` instead of `\\w` and `[0-9]` instead of `\\d`"
    )]
    TooBig(String),
}

impl RuleRegex {
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        if pattern.len() > MAX_PATTERN {
            return Err(RegexError::TooLong(pattern.len()));
        }
        let hir =
            regex_syntax::parse(pattern).map_err(|error| RegexError::Syntax(error.to_string()))?;
        if size_bound(&hir) > SIZE_LIMIT {
            return Err(RegexError::TooBig(pattern.to_owned()));
        }
        let mut groups = Vec::new();
        collect_groups(&hir, &mut groups);
        Ok(Self {
            pattern: pattern.into(),
            groups: groups.into(),
            required_literals: required_literals(&hir).map(Into::into),
            compiled: OnceCell::new(),
        })
    }

    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Returns the number of capture groups, without the whole match.
    pub(super) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Returns the names of the named capture groups, in order.
    pub(super) fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flatten().map(|name| &**name)
    }

    /// Compiles the pattern, unless it is compiled already. This is not
    /// expected to fail; `check` verifies it for every regex of a file.
    pub fn compile(&self) -> Result<&Regex, RegexError> {
        self.compiled.get_or_try_init(|| {
            RegexBuilder::new(&self.pattern).size_limit(SIZE_LIMIT).build().map_err(|error| {
                match error {
                    regex::Error::CompiledTooBig(_) => RegexError::TooBig(self.pattern.to_string()),
                    other => RegexError::Syntax(other.to_string()),
                }
            })
        })
    }

    pub fn regex(&self) -> &Regex {
        self.compile().expect("syntax and size were checked when the file was read")
    }

    /// Returns literals of which every matching key contains at least one.
    /// `None` if the pattern requires no literal.
    pub(super) fn required_literals(&self) -> Option<&[Box<[u8]>]> {
        self.required_literals.as_deref()
    }
}

/// Returns literals of which every match contains at least one. Of a
/// concatenation, this is the part whose shortest literal is the longest.
fn required_literals(hir: &Hir) -> Option<Vec<Box<[u8]>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.clone()]),
        HirKind::Capture(capture) => required_literals(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required_literals(&repetition.sub),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(required_literals)
            .max_by_key(|literals| literals.iter().map(|literal| literal.len()).min()),
        HirKind::Alternation(parts) => {
            Some(parts.iter().map(required_literals).collect::<Option<Vec<_>>>()?.concat())
        }
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => None,
    }
}

/// Collects the names of all capture groups, by number.
fn collect_groups(hir: &Hir, groups: &mut Vec<Option<Box<str>>>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            let index = capture.index as usize - 1;
            if groups.len() <= index {
                groups.resize(index + 1, None);
            }
            groups[index].clone_from(&capture.name);
            collect_groups(&capture.sub, groups);
        }
        HirKind::Repetition(repetition) => collect_groups(&repetition.sub, groups),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            for part in parts {
                collect_groups(part, groups);
            }
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

/// Returns an upper bound of the bytes of either program (forward and reverse)
/// that the regex crate compiles a pattern to. The crate counts 32 bytes for a
/// state and at most 8 for a link to another state.
fn size_bound(hir: &Hir) -> usize {
    // Around the pattern: the loop that lets a match start anywhere, the
    // capture of the whole match, and its end.
    program_bound(hir).saturating_add(8 * STATE)
}

/// Returns the bound of one expression. It has at most four states of its own
/// (two for a capture, and those of a repetition or alternation), three for a
/// byte of a literal, and one for each byte range of the UTF-8 encodings of a
/// class. A repetition copies its expression as often as its larger count says.
fn program_bound(hir: &Hir) -> usize {
    let inner = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => 3 * STATE * literal.0.len(),
        HirKind::Class(Class::Bytes(class)) => STATE * class.ranges().len(),
        HirKind::Class(Class::Unicode(class)) => class
            .iter()
            .flat_map(|range| Utf8Sequences::new(range.start(), range.end()))
            .map(|sequence| STATE * sequence.len())
            .sum(),
        HirKind::Capture(capture) => program_bound(&capture.sub),
        HirKind::Repetition(repetition) => {
            let copies = repetition.max.unwrap_or(repetition.min).max(1);
            program_bound(&repetition.sub).saturating_mul(copies as usize)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(program_bound).fold(0, usize::saturating_add)
        }
    };
    inner.saturating_add(4 * STATE)
}

#[cfg(test)]
mod tests;
