//! Targets: the named entries of rules.yaml that say how keys become items of
//! one distribution.

use std::{collections::HashMap, sync::Arc};

use crate::{distribution::Distribution, item::PathSettings};

/// A named entry of rules.yaml that shapes items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name in rules.yaml, a bare distribution id, or
    /// [`FALLBACK_TARGET`](crate::rules::FALLBACK_TARGET).
    pub name: Arc<str>,
    /// Several targets may share one distribution.
    pub distribution: Distribution,
    /// How keys become paths.
    pub paths: PathSettings,
    /// When the plan replaces paths with wildcards; `None` for never.
    pub collapse: Option<Collapse>,
    /// What these wildcards must not cover.
    pub excluded: Excluded,
}

/// The paths that no wildcard chosen by the plan may cover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excluded {
    /// For every wildcard.
    pub always: Vec<Exclusion>,
    /// For wildcards that replace a path of a rule, by the name of the rule.
    pub by_rule: HashMap<Arc<str>, Vec<Exclusion>>,
}

/// Paths that a wildcard must not cover, and what excludes them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Exclusion {
    /// The encoded start of the paths, with a leading slash.
    pub prefix: Arc<str>,
    pub source: ExclusionSource,
}

/// What excludes paths from wildcards.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExclusionSource {
    /// `protect` of a target of the distribution.
    Protect,
    /// A rule with `ignore`, by its name.
    Ignore(Arc<str>),
    /// `except` of a rule, by its name.
    Except(Arc<str>),
}

/// The index of a target in the list of all targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetIndex(pub usize);

/// When the plan replaces paths with directory wildcards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collapse {
    /// Up to this many paths, nothing is collapsed. It is also the most that
    /// one wildcard is charged for paths whose directory is not known to be
    /// rebuilt.
    pub above: usize,
    /// How many paths a wildcard must save for each directory it purges whose
    /// index page did not change.
    pub weight: u32,
    /// The fewest path segments of a wildcard: `/a/*` has one.
    pub min_depth: usize,
    /// The most wildcards in the plan of one distribution.
    pub max_wildcards: usize,
}

impl Default for Collapse {
    fn default() -> Self {
        Self { above: 100, weight: 3, min_depth: 1, max_wildcards: 10 }
    }
}
