//! The EventBridge event pattern that delivers what the rules act on.
//!
//! ```json
//! {"source": ["aws.s3"],
//!  "detail-type": ["Object Created", "Object Deleted"],
//!  "detail": {"bucket": {"name": ["example-site"]},
//!             "object": {"key": [{"prefix": "docs/"}, {"wildcard": "public/*.html"}]}}}
//! ```
//!
//! - Every change that a rule other than `ignore` matches is delivered. What
//!   else is delivered costs money and nothing more: the function looks again.
//! - Buckets, accounts, regions, prefixes, suffixes and kinds of events become
//!   filters, and so does the text that a `regex` starts or ends with when it is
//!   anchored there. Sizes, `except`, `ignore` and `stop` do not: the pattern
//!   language cannot say them, or hardly.
//! - A prefix and a suffix together become a `wildcard`, and the keys where the
//!   two overlap, which it does not match, are added as they are.
//! - `version_expired` and `deleted` come as one detail type, and are not told
//!   apart here.
//! - When `DistributionId` takes what no rule matches, every creation and
//!   deletion in the named buckets counts: there is no filter on keys then.
//! - What does not fit into one pattern is split into several that never match
//!   the same event, so that nothing is delivered twice; each is for a rule of
//!   its own. What does not fit into [`Limits::patterns`] either is widened
//!   step by step, and [`EventPatterns::widened`] says so.

mod fit;
mod literals;
mod matcher;
mod render;
mod row;

use std::collections::BTreeSet;

use serde_json::Value;

use self::{
    matcher::Matcher,
    row::{Row, Scope},
};
use s3_cloudfront_invalidator::{
    event::Kind,
    rules::{Action, BucketPattern, Rule, RuleRegex},
};

/// What counts besides the rules.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `DistributionId` takes the creations and deletions that no rule matches.
    pub fallback: bool,
    /// Buckets that no rule names and `DistributionId` stands for.
    pub fallback_buckets: Vec<BucketPattern>,
    /// What EventBridge takes.
    pub limits: Limits,
}

/// What EventBridge takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most characters in a pattern. The quota is 2,048 and can be raised.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
    pub characters: usize,
    /// The most `wildcard` entries in a pattern. EventBridge refuses patterns
    /// that are "too complex" and publishes no number; complexity is the number
    /// of wildcards that one text may be half-way through
    /// (<https://github.com/aws/event-ruler>), so at most their number.
    pub wildcards: usize,
    /// The most patterns, each of which becomes a rule. The quotas are 300
    /// rules to a bus, and 30 among them with wildcards.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
    pub patterns: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { characters: 2_048, wildcards: 16, patterns: 10 }
    }
}

/// Patterns that together deliver what the rules act on.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPatterns {
    /// The patterns; none when no change leads to anything.
    pub patterns: Vec<Value>,
    /// Whether the patterns deliver more than the rules' conditions ask for,
    /// since those did not fit.
    pub widened: bool,
    /// Whether a pattern takes the changes of every bucket.
    pub every_bucket: bool,
}

/// Makes the patterns for `rules`.
pub fn event_patterns<'a>(
    rules: impl IntoIterator<Item = &'a Rule>,
    options: &Options,
) -> EventPatterns {
    let rules: Vec<&Rule> =
        rules.into_iter().filter(|rule| matches!(rule.action, Action::Invalidate { .. })).collect();
    let mut rows: Vec<Row> = rules.iter().flat_map(|rule| rule_rows(rule)).collect();
    if options.fallback {
        rows.extend(fallback_rows(&rules, &options.fallback_buckets));
    }
    fit::fit(rows, options.limits)
}

fn rule_rows(rule: &Rule) -> Vec<Row> {
    let conditions = &rule.conditions;
    let set =
        |list: &[String]| (!list.is_empty()).then(|| BTreeSet::from_iter(list.iter().cloned()));
    let scope = Scope { accounts: set(&conditions.accounts), regions: set(&conditions.regions) };
    let kinds = conditions.events.as_deref().unwrap_or(&Kind::ALL);
    let buckets = buckets(rule);
    let regexes = &conditions.regexes;
    let starts: fn(&str, &str) -> bool = |text, start| text.starts_with(start);
    let ends: fn(&str, &str) -> bool = |text, end| text.ends_with(end);
    let prefixes = narrowed(
        &conditions.prefixes,
        alternatives(regexes, literals::prefixes, starts, without_last),
        starts,
    );
    let suffixes = narrowed(
        &conditions.suffixes,
        alternatives(regexes, literals::suffixes, ends, without_first),
        ends,
    );
    let keys = Matcher::keys(&prefixes, &suffixes);
    let mut rows = Vec::new();
    for bucket in buckets {
        rows.extend(keys.iter().map(|key| Row {
            scope: scope.clone(),
            bucket: bucket.clone(),
            key: key.clone(),
            detail_types: detail_types(kinds),
        }));
    }
    rows
}

fn buckets(rule: &Rule) -> Vec<Matcher> {
    match &*rule.conditions.buckets {
        [] => vec![Matcher::Any],
        buckets => buckets.iter().map(Matcher::bucket).collect(),
    }
}

/// The most alternatives that are worth an entry each; of more, such as the ten
/// digits, what they have in common is filtered by.
const MAX_ALTERNATIVES: usize = 4;

/// Texts of which every matching key starts (or ends) with one. `None` if one of
/// the regexes requires no text there.
fn alternatives(
    regexes: &[RuleRegex],
    texts: fn(&str) -> Option<Vec<String>>,
    includes: fn(&str, &str) -> bool,
    shorter: fn(&str) -> Option<&str>,
) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for regex in regexes {
        let texts = texts(regex.pattern())?;
        if texts.len() <= MAX_ALTERNATIVES {
            all.extend(texts);
        } else {
            let mut common = &**texts.first()?;
            while !texts.iter().all(|text| includes(text, common)) {
                common = shorter(common)?;
            }
            all.push(common.to_owned());
        }
    }
    Some(all).filter(|all| !all.is_empty())
}

fn without_last(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next_back().map(|_| characters.as_str())
}

fn without_first(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

/// The starts (or ends) of keys that satisfy both a list of conditions and a
/// list of alternatives; the empty text where there is no condition.
fn narrowed(
    conditions: &[String],
    alternatives: Option<Vec<String>>,
    includes: fn(&str, &str) -> bool,
) -> Vec<String> {
    let lists = [conditions.to_vec(), alternatives.unwrap_or_default()];
    let mut lists = lists.into_iter().filter(|list| !list.is_empty());
    match (lists.next(), lists.next()) {
        (None, _) => vec![String::new()],
        (Some(list), None) => list,
        (Some(a), Some(b)) => {
            let mut both = BTreeSet::new();
            for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (a, b))) {
                // Where neither includes the other, no key has both.
                if includes(a, b) {
                    both.insert(a.clone());
                } else if includes(b, a) {
                    both.insert(b.clone());
                }
            }
            both.into_iter().collect()
        }
    }
}

fn fallback_rows(rules: &[&Rule], more: &[BucketPattern]) -> Vec<Row> {
    let mut buckets: BTreeSet<Matcher> = rules.iter().flat_map(|rule| buckets(rule)).collect();
    buckets.extend(more.iter().map(Matcher::bucket));
    if buckets.is_empty() {
        buckets.insert(Matcher::Any);
    }
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.changes_content()).collect();
    buckets
        .into_iter()
        .map(|bucket| Row {
            scope: Scope::default(),
            bucket,
            key: Matcher::Any,
            detail_types: detail_types(&kinds),
        })
        .collect()
}

fn detail_types(kinds: &[Kind]) -> BTreeSet<&'static str> {
    kinds.iter().flat_map(|&kind| kind_detail_types(kind)).copied().collect()
}

/// The `detail-type`s of a kind's events.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-mapping-troubleshooting.html>
fn kind_detail_types(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Created => &["Object Created"],
        Kind::Deleted | Kind::VersionExpired => &["Object Deleted"],
        Kind::Restored => &["Object Restore Completed"],
        Kind::RestoreExpired => &["Object Restore Expired"],
        Kind::AclUpdated => &["Object ACL Updated"],
        Kind::TagsChanged => &["Object Tags Added", "Object Tags Deleted"],
        Kind::StorageClassChanged => &["Object Storage Class Changed"],
        Kind::AccessTierChanged => &["Object Access Tier Changed"],
        Kind::AnnotationsChanged => &["Object Annotation Created", "Object Annotation Removed"],
    }
}

#[cfg(test)]
mod tests;
