//! Rules, and the semantics of their conditions.
//!
//! A change matches a rule if and only if it satisfies every condition of the
//! rule and none of its `except` sets. A condition is satisfied if and only if
//!
//! | condition | the change's … |
//! |---|---|
//! | `bucket: site` | bucket is `site` |
//! | `bucket: site-*` | bucket starts with `site-` |
//! | `prefix: docs/` | key starts with `docs/` |
//! | `suffix: .html` | key ends with `.html` |
//! | `regex: '\.css$'` | key contains a match; `^` and `$` match its start and end |
//! | `events: deleted` | kind is `deleted` |
//! | `account`, `region` | account or region is known and equal |
//! | `min_size`, `max_size` | size is known and within the limit |
//!
//! If the condition is a list, one of its values has to be satisfied. Keys are
//! compared decoded, byte by byte.

use std::{collections::BTreeMap, fmt, ops::Deref, sync::Arc};

use once_cell::sync::OnceCell;
use serde::Serialize;

use crate::{
    event::{Change, Kind},
    item::PathSettings,
    target::TargetIndex,
};

use super::{
    RuleRegex, Template,
    index::{AffixMap, CandidateIndex, backwards, forwards, reversed},
};

/// Testing this many values or sets one by one is as fast as a search.
const SMALL: usize = 8;

/// One entry of `rules:`.
#[derive(Debug)]
pub struct Rule {
    /// Its name, unique in the file.
    pub name: Arc<str>,
    /// The line of rules.yaml it starts on, counted from 1.
    pub line: usize,
    /// What a change must satisfy.
    pub conditions: Conditions,
    /// A change that satisfies one of these does not match.
    pub except: ExceptSets,
    /// The effect of a match.
    pub action: Action,
}

/// The effect of a match.
#[derive(Debug)]
pub enum Action {
    /// Contribute nothing and evaluate no further rule.
    Ignore {
        /// Whether wildcards may purge what the rule ignores.
        allow_wildcards: bool,
    },
    Invalidate {
        /// The targets, in the order of the file.
        targets: Vec<Invalidate>,
        /// Whether this is the last rule evaluated.
        stop: bool,
    },
}

/// What a rule invalidates in one target.
#[derive(Debug)]
pub struct Invalidate {
    pub target: TargetIndex,
    /// The paths; `{path}` if the file names none.
    pub paths: Vec<Template>,
    pub tags: Vec<Template>,
    /// The bound of the only prefix of the rule, or of none.
    bound: OnceCell<Arc<str>>,
}

/// The sets of `except`, in the order of the file.
#[derive(Debug, Default)]
pub struct ExceptSets {
    sets: Box<[Conditions]>,
    /// Finds the sets that a change may satisfy, if there are many.
    index: OnceCell<CandidateIndex>,
}

/// A set of conditions. An empty list is no condition.
#[derive(Debug, Default)]
pub struct Conditions {
    pub buckets: Vec<BucketPattern>,
    pub prefixes: Vec<String>,
    pub suffixes: Vec<String>,
    /// The regexes of the key. The first that matches provides the captures.
    pub regexes: Vec<RuleRegex>,
    /// The kinds; `None` for every kind. The default of a rule (created and
    /// deleted) is already filled in.
    pub events: Option<Vec<Kind>>,
    /// The accounts that own the bucket.
    pub accounts: Vec<String>,
    pub regions: Vec<String>,
    pub min_size: Option<u64>,
    pub max_size: Option<u64>,
    pub long_lists: LongLists,
}

/// Finds the values of long lists of prefixes and suffixes; made when first
/// needed.
#[derive(Debug, Default)]
pub struct LongLists {
    /// The positions of the prefixes.
    prefixes: OnceCell<AffixMap<usize>>,
    /// The suffixes are reversed.
    suffixes: OnceCell<AffixMap<()>>,
}

/// A value of `bucket`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BucketPattern {
    Exact(String),
    /// `site-*`: every bucket whose name starts with `site-`.
    Prefix(String),
}

/// A condition of rules.yaml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    Bucket,
    Prefix,
    Suffix,
    Events,
    Account,
    Region,
    MinSize,
    MaxSize,
    Regex,
}

/// How a change matched a rule.
#[derive(Clone, Copy, Debug)]
pub struct RuleMatch<'r> {
    /// The shortest of the rule's prefixes that the key starts with; empty if
    /// the rule has none.
    pub prefix: &'r str,
    /// The first of the rule's regexes that matches, if the rule has any.
    pub regex: Option<&'r RuleRegex>,
}

/// Why a change does not match a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The first condition that the change does not satisfy.
    Condition(Condition),
    /// The index of the first `except` set that the change satisfies.
    Except(usize),
}

impl Rule {
    /// Tests the conditions and then the `except` sets.
    pub fn test(&self, change: &Change) -> Result<RuleMatch<'_>, Mismatch> {
        let matched = self.conditions.test(change).map_err(Mismatch::Condition)?;
        match self.except.first_satisfied(change) {
            Some(set) => Err(Mismatch::Except(set)),
            None => Ok(matched),
        }
    }

    /// Returns the regexes of the conditions and of `except`.
    pub(super) fn regexes(&self) -> impl Iterator<Item = &RuleRegex> {
        let sets = std::iter::once(&self.conditions).chain(&*self.except);
        sets.flat_map(|set| &set.regexes)
    }

    /// Returns whether no further rule is evaluated for a change that matches.
    pub fn is_last(&self) -> bool {
        matches!(self.action, Action::Ignore { .. } | Action::Invalidate { stop: true, .. })
    }
}

impl Invalidate {
    pub fn new(target: TargetIndex, paths: Vec<Template>, tags: Vec<Template>) -> Self {
        Self { target, paths, tags, bound: OnceCell::new() }
    }

    /// Returns what the items of a match start with if they are wildcards.
    pub(super) fn bound(&self, settings: &PathSettings, rule: &Rule, prefix: &str) -> Arc<str> {
        if rule.conditions.prefixes.len() > 1 {
            return settings.bound(prefix);
        }
        self.bound.get_or_init(|| settings.bound(prefix)).clone()
    }
}

impl FromIterator<Conditions> for ExceptSets {
    fn from_iter<I: IntoIterator<Item = Conditions>>(sets: I) -> Self {
        Self { sets: sets.into_iter().collect(), index: OnceCell::new() }
    }
}

impl Deref for ExceptSets {
    type Target = [Conditions];

    fn deref(&self) -> &[Conditions] {
        &self.sets
    }
}

impl ExceptSets {
    /// Returns the position of the first set that a change satisfies.
    pub(super) fn first_satisfied(&self, change: &Change) -> Option<usize> {
        let is_satisfied = |set: &usize| self.sets[*set].test(change).is_ok();
        if self.sets.len() <= SMALL {
            return (0..self.sets.len()).find(is_satisfied);
        }
        let index = self.index.get_or_init(|| CandidateIndex::new(&self.sets));
        index.candidates(&self.sets, change).into_iter().find(is_satisfied)
    }

    #[cfg(test)]
    pub(super) fn is_indexed(&self) -> bool {
        self.index.get().is_some()
    }
}

impl AsRef<Conditions> for Rule {
    fn as_ref(&self) -> &Conditions {
        &self.conditions
    }
}

impl AsRef<Self> for Conditions {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Conditions {
    /// Returns the shortest of the prefixes that a key starts with.
    fn prefix_of(&self, key: &str) -> Option<&str> {
        if self.prefixes.len() <= SMALL {
            let prefixes = self.prefixes.iter().filter(|prefix| key.starts_with(&***prefix));
            return prefixes.min_by_key(|prefix| prefix.len()).map(String::as_str);
        }
        let map = self.long_lists.prefixes.get_or_init(|| {
            let prefixes = self.prefixes.iter().map(|prefix| prefix.as_bytes().into());
            AffixMap::new(prefixes.zip(0..).collect::<BTreeMap<_, _>>())
        });
        map.prefixes_of(forwards(key.as_bytes())).last().map(|at| &*self.prefixes[*at])
    }

    /// Returns whether a key ends with one of the suffixes, or there is none.
    fn ends(&self, key: &str) -> bool {
        if self.suffixes.len() <= SMALL {
            return any(&self.suffixes, |suffix| key.ends_with(&**suffix));
        }
        let map = self.long_lists.suffixes.get_or_init(|| {
            let suffixes = self.suffixes.iter().map(|suffix| (reversed(suffix), ()));
            AffixMap::new(suffixes.collect::<BTreeMap<_, _>>())
        });
        map.prefixes_of(backwards(key.as_bytes())).next().is_some()
    }

    /// Tests every condition, in the order of [`Condition::ALL`]. The error is
    /// the first that the change does not satisfy.
    fn test(&self, change: &Change) -> Result<RuleMatch<'_>, Condition> {
        let key = &*change.key;
        let require = |satisfied: bool, condition| satisfied.then_some(()).ok_or(condition);
        require(any(&self.buckets, |bucket| bucket.matches(&change.bucket)), Condition::Bucket)?;
        let prefix = self.prefix_of(key);
        require(self.prefixes.is_empty() || prefix.is_some(), Condition::Prefix)?;
        require(self.ends(key), Condition::Suffix)?;
        let kind = self.events.as_ref().is_none_or(|kinds| kinds.contains(&change.kind));
        require(kind, Condition::Events)?;
        let account = |account: &String| change.account.as_deref() == Some(account);
        require(any(&self.accounts, account), Condition::Account)?;
        let region = |region: &String| change.region.as_deref() == Some(region);
        require(any(&self.regions, region), Condition::Region)?;
        let min_size = |min| change.size.is_some_and(|size| size >= min);
        require(self.min_size.is_none_or(min_size), Condition::MinSize)?;
        let max_size = |max| change.size.is_some_and(|size| size <= max);
        require(self.max_size.is_none_or(max_size), Condition::MaxSize)?;
        let regex = self.regexes.iter().find(|regex| regex.is_match(key));
        require(self.regexes.is_empty() || regex.is_some(), Condition::Regex)?;
        Ok(RuleMatch { prefix: prefix.unwrap_or_default(), regex })
    }
}

/// Returns whether one value of a list is satisfied, or the list is empty.
fn any<T>(values: &[T], satisfied: impl FnMut(&T) -> bool) -> bool {
    values.is_empty() || values.iter().any(satisfied)
}

impl Condition {
    /// Every condition, in the order in which they are tested. A regex is the
    /// slowest, so it comes last.
    pub const ALL: [Self; 9] = [
        Self::Bucket,
        Self::Prefix,
        Self::Suffix,
        Self::Events,
        Self::Account,
        Self::Region,
        Self::MinSize,
        Self::MaxSize,
        Self::Regex,
    ];

    /// Returns the name in rules.yaml.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Prefix => "prefix",
            Self::Suffix => "suffix",
            Self::Events => "events",
            Self::Account => "account",
            Self::Region => "region",
            Self::MinSize => "min_size",
            Self::MaxSize => "max_size",
            Self::Regex => "regex",
        }
    }
}

impl BucketPattern {
    /// Returns whether there is a name that both patterns match.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(name), pattern) | (pattern, Self::Exact(name)) => pattern.matches(name),
            (Self::Prefix(a), Self::Prefix(b)) => a.starts_with(&**b) || b.starts_with(&**a),
        }
    }

    /// Returns whether the pattern matches a bucket's name.
    pub fn matches(&self, bucket: &str) -> bool {
        match self {
            Self::Exact(name) => bucket == name,
            Self::Prefix(prefix) => bucket.starts_with(&**prefix),
        }
    }
}

/// As in rules.yaml.
impl fmt::Display for BucketPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}
