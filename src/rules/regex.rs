//! The regex condition: read at load, compiled when first needed.
//!
//! Compiling is the largest part of a cold start with many rules, so a pattern
//! is compiled only when a key has passed the rule's cheaper conditions.
//! Nothing is left that could go wrong by then. When the file is read,
//!
//! - the pattern is parsed and translated by the same `regex-syntax` that the
//!   `regex` crate uses, with its default settings: syntax, Unicode classes,
//!   nesting (at most 250 deep) and the names of the captures are settled;
//! - the size of the compiled program is bounded from above, and a pattern
//!   whose bound exceeds [`SIZE_LIMIT`], the limit at which the `regex` crate
//!   refuses to compile, is refused right away. Only counted repetitions of
//!   large Unicode classes get there: `\w{1,64}` passes, `\w{1,100}` does not,
//!   and `[a-z]{1,1000}` is far below.
//!
//! Searching takes time linear in the key, whatever the pattern: there are no
//! back-references and no look-around.
//!
//! A pattern also says, without being compiled, what every matching key starts
//! with, ends with and holds. The matcher looks rules up by that.

use once_cell::sync::OnceCell;
use regex::{Regex, RegexBuilder};
use regex_syntax::{
    hir::{
        Class, Hir, HirKind, Look,
        literal::{ExtractKind, Extractor, Literal},
    },
    utf8::Utf8Sequences,
};

/// The longest pattern, in bytes. It bounds the memory of parsing: each `\w`
/// takes 6 KiB while the pattern is read.
pub const MAX_PATTERN: usize = 10_000;

/// The largest compiled program, in bytes: the default of the `regex` crate.
/// <https://docs.rs/regex/1/regex/struct.RegexBuilder.html#method.size_limit>
pub const SIZE_LIMIT: usize = 10 * (1 << 20);

/// A state of a compiled program with two links, in bytes.
const STATE: usize = 32 + 2 * 8;

/// The most literal beginnings, or endings, that are drawn from one pattern.
const MAX_LITERALS: usize = 32;

/// A regex of rules.yaml, sound and not yet compiled.
#[derive(Debug)]
pub struct RuleRegex {
    pattern: Box<str>,
    groups: Box<[Option<Box<str>>]>,
    starts: Option<Literals>,
    ends: Option<Literals>,
    holds: Option<Literals>,
    compiled: OnceCell<Regex>,
}

/// Literals one of which every matching key has in a certain place.
type Literals = Box<[Box<[u8]>]>;

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegexError {
    /// The pattern cannot be read. The text has several lines: the regex
    /// crate's own message, with its pointer under the place.
    #[error("{0}")]
    Syntax(String),
    /// The pattern's text is too long.
    #[error(
        "the regex has {0} bytes, more than the {MAX_PATTERN} allowed; list prefixes or suffixes instead"
    )]
    TooLong(usize),
    /// The compiled program could exceed the size limit.
    #[error(
        "the regex `{0}` may need more than 10 MiB when compiled; lower its counted repetitions, or write `[0-9A-Za-z_]` for `\\w` and `[0-9]` for `\\d`"
    )]
    TooBig(String),
}

impl RuleRegex {
    /// Reads a pattern and settles everything but its compilation.
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
        let properties = hir.properties();
        let starts = properties.look_set_prefix().contains(Look::Start);
        let ends = properties.look_set_suffix().contains(Look::End);
        Ok(Self {
            pattern: pattern.into(),
            groups: groups.into(),
            starts: if starts { literals(&hir, ExtractKind::Prefix) } else { None },
            ends: if ends { literals(&hir, ExtractKind::Suffix) } else { None },
            holds: required(&hir).filter(|all| all.len() <= MAX_LITERALS).map(Into::into),
            compiled: OnceCell::new(),
        })
    }

    /// The pattern as rules.yaml has it.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// How many capture groups there are; the whole match does not count.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The names of the captures that have one, in order.
    pub fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flatten().map(|name| &**name)
    }

    /// Compiles the pattern, unless that is done, and keeps it. It does not
    /// fail for a pattern that [`RuleRegex::new`] took; `check` makes sure.
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

    /// The regex, compiled now if no key came this far before.
    pub fn regex(&self) -> &Regex {
        self.compile().expect("syntax and size were settled when the file was read")
    }

    /// Whether the regex was needed so far.
    pub fn is_compiled(&self) -> bool {
        self.compiled.get().is_some()
    }

    /// What a matching key starts with: one of these. `None` if the pattern
    /// does not say.
    pub fn starts(&self) -> Option<&[Box<[u8]>]> {
        self.starts.as_deref()
    }

    /// What a matching key ends with: one of these. `None` if the pattern does
    /// not say.
    pub fn ends(&self) -> Option<&[Box<[u8]>]> {
        self.ends.as_deref()
    }

    /// What a matching key holds: one of these. `None` if the pattern does not
    /// say.
    pub(super) fn holds(&self) -> Option<&[Box<[u8]>]> {
        self.holds.as_deref()
    }
}

/// The literals one of which every match starts, or ends, with.
fn literals(hir: &Hir, kind: ExtractKind) -> Option<Literals> {
    let sequence = Extractor::new().kind(kind).limit_total(MAX_LITERALS).extract(hir);
    let literals = sequence.literals()?;
    if literals.iter().any(Literal::is_empty) {
        return None;
    }
    Some(literals.iter().map(|literal| literal.as_bytes().into()).collect())
}

/// Literals one of which every match holds: of a sequence, the part whose
/// shortest one is longest.
fn required(hir: &Hir) -> Option<Vec<Box<[u8]>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.clone()]),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(required)
            .max_by_key(|literals| literals.iter().map(|literal| literal.len()).min()),
        HirKind::Alternation(parts) => {
            Some(parts.iter().map(required).collect::<Option<Vec<_>>>()?.concat())
        }
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => None,
    }
}

/// Puts the names of all capture groups in their places.
fn collect_groups(hir: &Hir, groups: &mut Vec<Option<Box<str>>>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            let place = capture.index as usize - 1;
            if groups.len() <= place {
                groups.resize(place + 1, None);
            }
            groups[place].clone_from(&capture.name);
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

/// A bound, from above, on the bytes of either program (forward and reverse)
/// that the regex crate makes of a pattern, counted as it counts them: a state
/// takes 32 bytes and a link to another state at most 8.
fn size_bound(hir: &Hir) -> usize {
    // Around the pattern: the loop that lets a match start anywhere, the
    // capture of the whole match, and its end.
    program_bound(hir).saturating_add(8 * STATE)
}

/// The bound of one expression. There are at most four states around it (a
/// capture's two, and a repetition's or an alternation's), three for a byte of
/// a literal, and one for each byte range of a class's UTF-8 encodings; a
/// repetition has as many copies of its expression as its larger count says.
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
