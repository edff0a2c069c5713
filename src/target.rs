//! Targets: the named entries of rules.yaml that say how keys become items of
//! one distribution.

use std::sync::Arc;

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
