//! Rules: from a change to the items to invalidate in each target.
//!
//! ```
//! use s3_cloudfront_invalidator::rules::RuleSet;
//!
//! let yaml = b"
//! version: 1
//! targets:
//!   www: { distribution: E1EXAMPLE1WWW, origin_path: /public }
//! rules:
//!   - name: pages
//!     bucket: example-site
//!     suffix: [.html, .json]
//!     invalidate: www
//! ";
//! let rules = RuleSet::parse("rules.yaml", yaml).unwrap();
//! assert_eq!(rules.rules().len(), 1);
//! ```
//!
//! # Semantics
//!
//! - Rules are evaluated in the order of the file, and every rule that matches
//!   contributes its items. A matching rule with `stop` is the last one
//!   evaluated. So is a matching rule with `ignore`, which contributes nothing.
//!   Earlier contributions stay.
//! - A rule without `events` matches created and deleted objects. `ignore` rules
//!   and `except` sets without it match every kind. The other conditions are
//!   specified in `rule`.
//! - A change is [`Verdict::Matched`] if a rule other than `ignore` matched,
//!   even if that produces no item; [`Verdict::Ignored`] if only an `ignore` rule
//!   matched; otherwise [`Verdict::Unmatched`].
//! - An unmatched change whose content changed is invalidated in the fallback,
//!   if there is one ([`RuleSet::with_fallback`], [`RuleSet::route`]).
//! - `defaults` are the initial settings of every target of the file, including
//!   bare distribution ids. They do not apply to the fallback, which is part of
//!   the environment, unless a target of the file has the same distribution.
//! - What an `ignore` rule, `except` or `protect` excludes, no wildcard of the
//!   plan covers; `exclusions` defines that.
//! - Names take precedence over ids: `invalidate: E1EXAMPLE1WWW` is the target
//!   of that name if the file has one, otherwise the distribution.
//!
//! # From bytes to rules
//!
//! 1. `yaml`: the text is parsed into a tree whose values have locations. Files
//!    that are too large, too deep or have too many values are refused here.
//! 2. `mapping`: typed values are read from the tree. Unknown fields and values
//!    of a wrong type are reported.
//! 3. `load`: the values become [`Rule`]s and [`Target`](crate::target::Target)s.
//!    Every error is a [`Finding`], and a file with an error does not load.
//!
//! `invalidator check` continues from [`RulesFile`] with lints and the file's own
//! `tests`, which the function ignores.
//!
//! # From a change to a decision
//!
//! - `index` looks up the few rules that a change may match.
//! - `walk` evaluates them in order, or all of them for an observer.
//! - `template` renders the items of the rules that match.

mod exclusions;
mod finding;
mod index;
mod load;
pub mod mapping;
mod rule;
mod rule_regex;
mod secret;
mod set;
mod template;
mod walk;
mod yaml;

use std::sync::Arc;

use serde::Serialize;

use crate::{
    item::{Addressed, Unaddressable},
    target::TargetIndex,
};

pub use self::{
    finding::{Code, Finding, Findings, MAX_FINDINGS, Severity, UnknownWord, printable},
    load::{AccountId, RegionName, RulesFile, unknown_target},
    rule::{
        Action, BucketPattern, Condition, Conditions, ExceptSets, Invalidate, Mismatch, Rule,
        RuleMatch,
    },
    rule_regex::{Captures, RegexError, RuleRegex},
    set::RuleSet,
    template::{Template, TemplateError},
    walk::RuleObserver,
    yaml::{Node, Shape, Span, YamlTree},
};

/// The name of the fallback's target: the environment variable that sets it.
pub const FALLBACK_TARGET: &str = "DistributionId";

/// The result of the rules for one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// The items to invalidate. Empty for a matched change that no target
    /// serves.
    pub contributions: Vec<Contribution>,
}

/// Whether a rule matched a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A rule other than `ignore` matched.
    Matched,
    /// Only an `ignore` rule matched.
    Ignored,
    /// No rule matched. The fallback may still have contributed.
    Unmatched,
}

/// One item of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// The name of the rule; `None` for the fallback.
    pub rule: Option<Arc<str>>,
    /// The target that the item was made for.
    pub target: TargetIndex,
    /// The item, or why there is none.
    pub item: Result<Addressed, Unaddressable>,
}
