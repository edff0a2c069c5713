//! What it means that a change satisfies conditions.

use std::fmt;

use crate::event::Change;

use super::{BucketPattern, Conditions, Rule, RuleRegex};

/// How a change satisfied a rule: what its templates need to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match<'r> {
    /// The shortest of the rule's prefixes that the key starts with; empty if
    /// the rule has none.
    pub prefix: &'r str,
    /// The first of the rule's regexes that matches, if it has any.
    pub regex: Option<&'r RuleRegex>,
}

/// A condition of rules.yaml, by the name it has there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `bucket`
    Bucket,
    /// `prefix`
    Prefix,
    /// `suffix`
    Suffix,
    /// `events`
    Events,
    /// `account`
    Account,
    /// `region`
    Region,
    /// `min_size`
    MinSize,
    /// `max_size`
    MaxSize,
    /// `regex`
    Regex,
}

impl Condition {
    /// Every condition, in the order they are tested: a regex, which alone
    /// costs something, comes last.
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

    /// The name as rules.yaml spells it.
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

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Rule {
    /// Whether the change matches: it satisfies the conditions and none of the
    /// `except` sets.
    pub(super) fn matches(&self, change: &Change) -> Option<Match<'_>> {
        let matched = self.conditions.satisfied(change).ok()?;
        let excepted = self.except.iter().any(|set| set.satisfied(change).is_ok());
        (!excepted).then_some(matched)
    }
}

impl Conditions {
    /// Tests every condition, in the order of [`Condition::ALL`]. The error is
    /// the first that the change does not satisfy.
    pub(super) fn satisfied(&self, change: &Change) -> Result<Match<'_>, Condition> {
        let key = &*change.key;
        let require = |holds: bool, condition| if holds { Ok(()) } else { Err(condition) };
        require(any(&self.buckets, |bucket| bucket.matches(&change.bucket)), Condition::Bucket)?;
        let prefix = self
            .prefixes
            .iter()
            .filter(|prefix| key.starts_with(&***prefix))
            .min_by_key(|prefix| prefix.len());
        require(self.prefixes.is_empty() || prefix.is_some(), Condition::Prefix)?;
        require(any(&self.suffixes, |suffix| key.ends_with(&**suffix)), Condition::Suffix)?;
        let kind = self.events.as_ref().is_none_or(|kinds| kinds.contains(&change.kind));
        require(kind, Condition::Events)?;
        let is = |wanted: &String, actual: &Option<_>| actual.as_deref() == Some(&**wanted);
        require(any(&self.accounts, |account| is(account, &change.account)), Condition::Account)?;
        require(any(&self.regions, |region| is(region, &change.region)), Condition::Region)?;
        let size = |holds: &dyn Fn(u64) -> bool| change.size.is_some_and(holds);
        require(self.min_size.is_none_or(|min| size(&|size| size >= min)), Condition::MinSize)?;
        require(self.max_size.is_none_or(|max| size(&|size| size <= max)), Condition::MaxSize)?;
        let regex = self.regexes.iter().find(|regex| regex.regex().is_match(key));
        require(self.regexes.is_empty() || regex.is_some(), Condition::Regex)?;
        Ok(Match { prefix: prefix.map_or("", String::as_str), regex })
    }
}

/// Whether one of a list's values holds; an empty list is no condition.
fn any<T>(values: &[T], holds: impl FnMut(&T) -> bool) -> bool {
    values.is_empty() || values.iter().any(holds)
}

impl BucketPattern {
    /// Whether a bucket is one of those the pattern names.
    pub fn matches(&self, bucket: &str) -> bool {
        match self {
            Self::Exact(name) => bucket == name,
            Self::Prefix(start) => bucket.starts_with(&**start),
        }
    }
}

/// As rules.yaml spells it.
impl fmt::Display for BucketPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Prefix(start) => write!(f, "{start}*"),
        }
    }
}
