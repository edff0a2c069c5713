//! The EventBridge event patterns that deliver what the rules act on.
//!
//! ```json
//! {"source": ["aws.s3"],
//!  "detail-type": ["Object Created", "Object Deleted"],
//!  "detail": {"bucket": {"name": ["example-site"]},
//!             "object": {"key": [{"prefix": "docs/"}, {"wildcard": "public/*.html"}]}}}
//! ```
//!
//! - Every change that a rule other than `ignore` matches is delivered. Other
//!   events may be delivered too: they cost a little, and the function ignores
//!   them.
//! - The conditions `bucket`, `account`, `region`, `prefix`, `suffix` and
//!   `events` become filters, and so do the literals that an anchored `regex`
//!   starts or ends with. Sizes, `except`, `ignore` and `stop` do not.
//! - A prefix with a suffix becomes a `wildcard`. Keys in which the two overlap
//!   do not match it and are listed separately.
//! - `version_expired` and `deleted` have the same detail type, so that one
//!   delivers the other.
//! - If `DistributionId` is set, all creations and deletions in the buckets of
//!   the rules are delivered, whatever their keys.
//! - Rules that do not fit into one pattern are split into several patterns
//!   that never match the same event, so that nothing is delivered twice. If
//!   more than [`PatternLimits::patterns`] would be needed, filters are widened
//!   step by step, and [`EventPatterns::widened`] is set.

use serde_json::Value;

use s3_cloudfront_invalidator::rules::{Action, BucketPattern, Rule};

use super::{fit, row::Row};

#[derive(Clone, Debug, Default)]
pub struct PatternOptions {
    /// `DistributionId` is set.
    pub fallback: bool,
    /// Buckets for `DistributionId` that no rule names.
    pub fallback_buckets: Vec<BucketPattern>,
    pub limits: PatternLimits,
}

/// EventBridge's limits.
#[derive(Clone, Copy, Debug)]
pub struct PatternLimits {
    /// Characters of a pattern. The quota is 2,048 and can be raised.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
    pub characters: usize,
    /// The complexity of a pattern, which [`super::complexity`] defines.
    /// EventBridge is known to accept 9 and to refuse 11.
    pub complexity: usize,
    /// Patterns, each of which becomes a rule. The quotas are 300 rules per
    /// bus, 30 of them with wildcards.
    pub patterns: usize,
}

impl Default for PatternLimits {
    fn default() -> Self {
        Self { characters: 2_048, complexity: 9, patterns: 10 }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct EventPatterns {
    /// Empty if the rules invalidate nothing.
    pub patterns: Vec<Value>,
    /// Filters were widened to stay within the limits.
    pub widened: bool,
    /// A pattern does not filter by bucket.
    pub every_bucket: bool,
}

/// Makes the patterns for `rules`.
pub fn event_patterns(rules: &[Rule], options: &PatternOptions) -> EventPatterns {
    let rules: Vec<&Rule> =
        rules.iter().filter(|rule| matches!(rule.action, Action::Invalidate { .. })).collect();
    let mut rows: Vec<Row> =
        rules.iter().flat_map(|rule| Row::of_conditions(&rule.conditions)).collect();
    if options.fallback {
        let named = rules.iter().map(|rule| &rule.conditions.buckets[..]);
        rows.extend(Row::of_fallback(named, &options.fallback_buckets));
    }
    fit::fit(rows, options.limits)
}
