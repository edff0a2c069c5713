use std::collections::{BTreeMap, BTreeSet};

use super::matcher::Matcher;

/// A box in the space of S3 events: what one rule acts on, for one of its
/// buckets and one of its key conditions. `None` is no condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) scope: Scope,
    pub(super) bucket: Matcher,
    pub(super) key: Matcher,
    pub(super) detail_types: BTreeSet<&'static str>,
}

/// The buckets' accounts and regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    pub(super) accounts: Option<BTreeSet<String>>,
    pub(super) regions: Option<BTreeSet<String>>,
}

impl Row {
    fn covers(&self, other: &Self) -> bool {
        self.bucket.covers(&other.bucket)
            && self.key.covers(&other.key)
            && self.detail_types.is_superset(&other.detail_types)
            && set_covers(self.scope.accounts.as_ref(), other.scope.accounts.as_ref())
            && set_covers(self.scope.regions.as_ref(), other.scope.regions.as_ref())
    }

    fn may_overlap(&self, other: &Self) -> bool {
        self.bucket.may_overlap(&other.bucket)
            && self.key.may_overlap(&other.key)
            && !self.detail_types.is_disjoint(&other.detail_types)
            && set_overlaps(self.scope.accounts.as_ref(), other.scope.accounts.as_ref())
            && set_overlaps(self.scope.regions.as_ref(), other.scope.regions.as_ref())
    }
}

fn set_covers(a: Option<&BTreeSet<String>>, b: Option<&BTreeSet<String>>) -> bool {
    a.is_none_or(|a| b.is_some_and(|b| a.is_superset(b)))
}

fn set_overlaps(a: Option<&BTreeSet<String>>, b: Option<&BTreeSet<String>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => !a.is_disjoint(b),
        _ => true,
    }
}

/// The fewest rows for the same events, sorted: joins what differs in the
/// detail types alone, and drops what another row covers.
pub(super) fn reduce(rows: Vec<Row>) -> Vec<Row> {
    let mut joined: BTreeMap<_, BTreeSet<&'static str>> = BTreeMap::new();
    for Row { scope, bucket, key, detail_types } in rows {
        joined.entry((scope, bucket, key)).or_default().extend(detail_types);
    }
    let rows: Vec<Row> = joined
        .into_iter()
        .map(|((scope, bucket, key), detail_types)| Row { scope, bucket, key, detail_types })
        .collect();
    // Distinct rows do not cover each other both ways, so that one always stays.
    let covered = |row: &Row| rows.iter().any(|other| other != row && other.covers(row));
    rows.iter().filter(|row| !covered(row)).cloned().collect()
}

/// Rows in groups such that no event is matched by rows of two groups.
pub(super) fn disjoint_groups(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let (mut touched, apart): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group.iter().any(|other| other.may_overlap(&row)));
        groups = apart;
        touched.push(vec![row]);
        groups.push(touched.concat());
    }
    groups.sort_unstable();
    groups
}
