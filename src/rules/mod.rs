//! rules.yaml: which items of which targets a change asks for, and why.
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
//! # From bytes to rules
//!
//! 1. `yaml`: the text is parsed into a tree whose values have places. Files
//!    that are too large, too deep or have too many values are refused here.
//! 2. `mapping`: typed values are read from the tree. Unknown fields and values
//!    of a wrong type are reported.
//! 3. `load`: the values become [`Rule`]s and [`Target`]s. Every error is a
//!    [`Finding`], and a file with an error does not load.
//!
//! `invalidator check` continues from [`RulesFile`] with lints and the file's own
//! `tests`, which the function ignores.
//!
//! # What a file says
//!
//! - Rules are read in order, and every rule that matches contributes. `stop`
//!   makes a rule that matches the last one read; `ignore` contributes nothing
//!   and ends the reading too. What was contributed before stays.
//! - A change matches a rule if and only if it satisfies its conditions and no
//!   set of its `except`. A rule without `events` matches created and deleted
//!   objects; `ignore` rules and `except` sets without it match every kind.
//! - A change is [`Verdict::Matched`] if a rule other than `ignore` matched,
//!   even when nothing comes of it; [`Verdict::Ignored`] if an `ignore` rule
//!   was the only one; else [`Verdict::Unmatched`].
//! - An unmatched change whose content changed goes to the fallback, if there
//!   is one ([`RuleSet::with_fallback`], [`RuleSet::route`]).
//! - `defaults` are the settings that every target of the file starts from,
//!   those of bare distribution ids included. The fallback is of the
//!   environment, not of the file, and has them only through a target of the
//!   same distribution.
//! - Names go before ids: `invalidate: E1EXAMPLE1WWW` is the target of that
//!   name if the file has one, else the distribution.

mod affix;
mod conditions;
mod contribution;
mod explain;
mod finding;
mod leaf;
mod load;
pub mod mapping;
mod matcher;
mod regex;
mod rule;
mod set;
mod template;
mod yaml;

use crate::item::{Addressed, Unaddressable};

pub use crate::target::{Target, TargetIndex};

pub use self::{
    conditions::Condition,
    explain::{Explanation, Fallback, Made, Mismatch, Reading, TargetItems, explain},
    finding::{Code, Finding, Findings, MAX_FINDINGS, Severity, UnknownWord, is_hidden, printable},
    load::{AccountId, MAX_FILE_BYTES, RegionName, RulesFile, unknown_target},
    matcher::Matcher,
    regex::{RegexError, RuleRegex},
    rule::{Action, BucketPattern, Conditions, Invalidate, Rule},
    set::RuleSet,
    template::{PathTemplate, TagTemplate, TemplateError},
    yaml::{Node, Shape, Span, YamlTree},
};

/// The name that stands for the environment variable of the fallback wherever
/// a target's name is shown.
pub const FALLBACK_TARGET: &str = "DistributionId";

/// The place of a rule in rules.yaml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleIndex(pub usize);

/// What the rules say of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether any rule spoke for the change.
    pub verdict: Verdict,
    /// What is to be invalidated. Empty on a match means that no target serves
    /// the key.
    pub contributions: Vec<Contribution>,
}

/// Whether any rule spoke for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A rule other than `ignore` matched it.
    Matched,
    /// An `ignore` rule was the only one that matched it.
    Ignored,
    /// No rule matched it. The fallback may still have contributed.
    Unmatched,
}

/// One item that one rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// The rule; `None` for the fallback.
    pub rule: Option<RuleIndex>,
    /// The target that shaped the item.
    pub target: TargetIndex,
    /// Which of the rule's templates for that target made it, counted over
    /// `paths` and then `tags`.
    pub template: usize,
    /// The item, or why there is none.
    pub item: Result<Addressed, Unaddressable>,
}
