//! A rule as the program uses it: validated, with what it needs to explain
//! itself.

use crate::event::Kind;

use super::{
    TargetIndex,
    regex::RuleRegex,
    template::{PathTemplate, TagTemplate},
};

/// One entry of `rules:`.
#[derive(Debug)]
pub struct Rule {
    /// Its name; unique in the file.
    pub name: String,
    /// The line of rules.yaml it starts on, counted from 1.
    pub line: usize,
    /// What a change must satisfy.
    pub conditions: Conditions,
    /// A change that satisfies one of these does not match.
    pub except: Vec<Conditions>,
    /// What a match leads to.
    pub action: Action,
}

/// What a match leads to.
#[derive(Debug)]
pub enum Action {
    /// Contribute nothing and read no further rule.
    Ignore,
    /// Contribute items.
    Invalidate {
        /// To which targets, in the order of the file.
        targets: Vec<Invalidate>,
        /// Whether this is the last rule read.
        stop: bool,
    },
}

/// What a rule invalidates in one target.
#[derive(Debug)]
pub struct Invalidate {
    /// The target.
    pub target: TargetIndex,
    /// The paths; `{path}` when the file names none.
    pub paths: Vec<PathTemplate>,
    /// The cache tags.
    pub tags: Vec<TagTemplate>,
}

/// A set of conditions. A change satisfies it if and only if it satisfies every
/// condition; an empty list is no condition.
#[derive(Debug, Default)]
pub struct Conditions {
    /// One of these is the change's bucket.
    pub buckets: Vec<BucketPattern>,
    /// The key starts with one of these.
    pub prefixes: Vec<String>,
    /// The key ends with one of these.
    pub suffixes: Vec<String>,
    /// One of these matches the key. The first that does supplies the captures.
    pub regexes: Vec<RuleRegex>,
    /// The change is of one of these kinds; `None` for every kind. The default
    /// of a rule (created and deleted) is already filled in.
    pub events: Option<Vec<Kind>>,
    /// The bucket belongs to one of these accounts.
    pub accounts: Vec<String>,
    /// The bucket is in one of these regions.
    pub regions: Vec<String>,
    /// The object has at least this many bytes. A change without a size fails.
    pub min_size: Option<u64>,
    /// The object has at most this many bytes. A change without a size fails.
    pub max_size: Option<u64>,
}

/// Which buckets a condition names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BucketPattern {
    /// Matches if and only if the bucket has exactly this name.
    Exact(String),
    /// `site-*`: matches if and only if the bucket's name starts with `site-`.
    Prefix(String),
}
