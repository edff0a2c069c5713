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
//! - All regexes of a file together have a limit too, [`MAX_PROGRAMS`], since a
//!   process may come to compile every one of them.
//!
//! A compiled regex takes the memory of its programs, and of tables that make
//! searches fast. Since keys are short, the tables are limited, and a search does
//! not look for literals first.
//!
//! A search takes time linear in the length of the key, whatever the pattern:
//! there are no back-references and no look-around.

use once_cell::sync::OnceCell;
use regex_automata::{meta, util::captures};
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

/// The most memory of the programs of all regexes of a file, in bytes: half of
/// the 128 MB of the smallest function. 10,000 ordinary regexes take 18 MB, and
/// seven of the largest cross it with the [`SIZE_LIMIT`] that each may have.
pub(super) const MAX_PROGRAMS: usize = 64 << 20;

/// What a small compiled regex takes beside its programs, most of it for the
/// one-pass DFA: at most 19 kB of 20,000 random patterns.
const OVERHEAD: usize = 24 << 10;

/// The most memory of the one-pass DFA, which finds captures, in bytes. The
/// default is 1 MB, which patterns such as `(\w+)` use. Without this DFA, the
/// captures of a key take some 100 ns more.
const ONE_PASS_LIMIT: usize = 16 << 10;

/// The most memory of each of the two lazy DFAs, in bytes. The default is 2 MB.
const LAZY_LIMIT: usize = 64 << 10;

/// How to make a regex smaller.
pub(super) const SMALLER_REGEX: &str = "reduce counted repetitions, or write `[0-9A-Za-z_]` instead of `\\w` and `[0-9]` instead of `\\d`";

/// The bytes of a state of a compiled program with two links.
const STATE: usize = 32 + 2 * 8;

/// A valid regex of rules.yaml.
#[derive(Debug)]
pub struct RuleRegex {
    pattern: Box<str>,
    /// The names of the capture groups, without the whole match.
    groups: Box<[Option<Box<str>>]>,
    program_bytes: usize,
    compiled: OnceCell<meta::Regex>,
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
    #[error("the regex `{0}` may need more than 10 MiB when compiled; {SMALLER_REGEX}")]
    TooBig(String),
}

impl RuleRegex {
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        if pattern.len() > MAX_PATTERN {
            return Err(RegexError::TooLong(pattern.len()));
        }
        let hir =
            regex_syntax::parse(pattern).map_err(|error| RegexError::Syntax(error.to_string()))?;
        let size = size_bound(&hir);
        if size > SIZE_LIMIT {
            return Err(RegexError::TooBig(pattern.to_owned()));
        }
        let mut groups = Vec::new();
        collect_groups(&hir, &mut groups);
        Ok(Self {
            pattern: pattern.into(),
            groups: groups.into(),
            program_bytes: size / 2,
            compiled: OnceCell::new(),
        })
    }

    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Returns the names of the capture groups, without the whole match.
    pub fn groups(&self) -> &[Option<Box<str>>] {
        &self.groups
    }

    /// Returns the names of the named capture groups, in order.
    pub(super) fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flatten().map(|name| &**name)
    }

    /// Returns how many bytes its two programs take when it is compiled: at most
    /// half of the bound, which counts links and ranges that they share.
    pub(super) fn program_bytes(&self) -> usize {
        self.program_bytes
    }

    /// Returns about how many bytes it takes when it is compiled and in use: the
    /// states of a search take at most a quarter of the programs.
    pub(super) fn memory(&self) -> usize {
        self.program_bytes * 5 / 4 + OVERHEAD
    }

    fn compiled(&self) -> &meta::Regex {
        self.compiled.get_or_init(|| {
            let config = meta::Config::new()
                // It saves little time with keys, which are short, and takes up to 100 kB.
                .auto_prefilter(false)
                .nfa_size_limit(Some(SIZE_LIMIT))
                .onepass_size_limit(Some(ONE_PASS_LIMIT))
                .hybrid_cache_capacity(LAZY_LIMIT);
            let regex = meta::Regex::builder().configure(config).build(&self.pattern);
            regex.expect("syntax and size were checked when the file was read")
        })
    }

    /// Returns whether a key contains a match. Compiles the pattern when first
    /// called.
    pub fn is_match(&self, key: &str) -> bool {
        self.compiled().is_match(key)
    }

    /// Returns the captures of the first match.
    pub fn captures<'k>(&self, key: &'k str) -> Option<Captures<'k>> {
        let mut captures = self.compiled().create_captures();
        self.compiled().captures(key, &mut captures);
        captures.is_match().then_some(Captures { key, captures })
    }
}

/// The captures of a match.
#[derive(Clone, Debug)]
pub struct Captures<'k> {
    key: &'k str,
    captures: captures::Captures,
}

impl<'k> Captures<'k> {
    /// Returns the text of a group by its number; `None` if it did not
    /// participate in the match.
    pub fn get(&self, group: usize) -> Option<&'k str> {
        self.captures.get_group(group).map(|span| &self.key[span.range()])
    }

    /// Returns the text of a named group.
    pub fn name(&self, name: &str) -> Option<&'k str> {
        self.captures.get_group_by_name(name).map(|span| &self.key[span.range()])
    }
}

/// Literals of which every match contains at least one.
pub(super) type RequiredLiterals = Vec<Box<[u8]>>;

impl RuleRegex {
    /// Returns all sets of literals that the pattern requires: every matching key
    /// contains at least one literal of each set. This parses the pattern, which
    /// only an index of many regexes needs.
    pub(super) fn required_literals(&self) -> Vec<RequiredLiterals> {
        let hir = regex_syntax::parse(&self.pattern);
        required_literals(&hir.expect("the syntax was checked when the file was read"))
    }
}

fn required_literals(hir: &Hir) -> Vec<RequiredLiterals> {
    match hir.kind() {
        HirKind::Literal(literal) => vec![vec![literal.0.clone()]],
        HirKind::Capture(capture) => required_literals(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required_literals(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(required_literals).collect(),
        // Of each alternative, the set whose shortest literal is the longest.
        HirKind::Alternation(parts) => {
            let one = |part| required_literals(part).into_iter().max_by_key(shortest);
            let all = parts.iter().map(one).collect::<Option<Vec<_>>>();
            all.map(|sets| sets.concat()).into_iter().collect()
        }
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => {
            Vec::new()
        }
    }
}

/// Returns the length of the shortest literal.
pub(super) fn shortest(literals: &RequiredLiterals) -> usize {
    literals.iter().map(|literal| literal.len()).min().unwrap_or_default()
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
