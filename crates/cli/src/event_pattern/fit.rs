use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    EventPatterns, PatternLimits, render,
    row::{Row, Scope, disjoint_groups, reduce},
    text_filter::TextFilter,
};

/// More rows than this are widened first: they cannot fit into any limits, and
/// comparing them in pairs would take long.
const MAX_ROWS: usize = 2_000;

/// Returns patterns within `limits` that match what the rows match. No event
/// matches two patterns.
pub(super) fn fit(mut rows: Vec<Row>, limits: PatternLimits) -> EventPatterns {
    let mut widened = false;
    while rows.len() > MAX_ROWS && widen(&mut rows) {
        widened = true;
        rows = BTreeSet::from_iter(rows).into_iter().collect();
    }
    loop {
        rows = reduce(rows);
        let every_bucket = rows.iter().any(|row| row.bucket == TextFilter::Any);
        let (mut too_large, mut rest) = match pack(&rows, limits) {
            Packed::Patterns(patterns) if patterns.len() <= limits.patterns => {
                return EventPatterns { patterns, widened, every_bucket };
            }
            Packed::Patterns(_) => (rows, Vec::new()),
            Packed::TooLarge(group, rest) => (group, rest),
        };
        if !widen(&mut too_large) {
            // A single row without a filter.
            rest.extend(too_large);
            let patterns = vec![render::pattern(&reduce(rest))];
            return EventPatterns { patterns, widened, every_bucket };
        }
        widened = true;
        rest.extend(too_large);
        rows = rest;
    }
}

enum Packed {
    Patterns(Vec<Value>),
    /// Rows that must be in one pattern and do not fit into it, and all others.
    TooLarge(Vec<Row>, Vec<Row>),
}

fn pack(rows: &[Row], limits: PatternLimits) -> Packed {
    if rows.is_empty() {
        return Packed::Patterns(Vec::new());
    }
    if let Some(pattern) = render_within(rows, limits) {
        return Packed::Patterns(vec![pattern]);
    }
    let mut groups = disjoint_groups(rows.to_vec());
    if let Some(at) = groups.iter().position(|group| render_within(group, limits).is_none()) {
        let group = groups.swap_remove(at);
        return Packed::TooLarge(group, groups.concat());
    }
    let mut patterns = Vec::new();
    let mut open: Vec<Row> = Vec::new();
    for group in groups {
        let longer = [open.as_slice(), &group].concat();
        open = if render_within(&longer, limits).is_some() {
            longer
        } else {
            patterns.push(render::pattern(&open));
            group
        };
    }
    patterns.push(render::pattern(&open));
    Packed::Patterns(patterns)
}

fn render_within(rows: &[Row], limits: PatternLimits) -> Option<Value> {
    let wildcards = rows.iter().filter(|row| row.key.is_wildcard()).count();
    let pattern = render::pattern(rows);
    (wildcards <= limits.wildcards && render::length(&pattern) <= limits.characters)
        .then_some(pattern)
}

/// Widens the rows to fewer or shorter filters. Returns `false` if no filter is
/// left. One step at a time:
///
/// 1. the suffixes of the prefix with most suffixes;
/// 2. the last directory of the deepest prefixes, in the bucket with most rows;
/// 3. the key filters of that bucket;
/// 4. accounts, regions and detail types;
/// 5. buckets.
fn widen(rows: &mut [Row]) -> bool {
    widen_wildcards(rows) || widen_keys(rows) || widen_scopes(rows) || widen_buckets(rows)
}

fn widen_wildcards(rows: &mut [Row]) -> bool {
    let mut suffixes: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &*rows {
        if let TextFilter::Between(prefix, _) = &row.key {
            *suffixes.entry(prefix).or_default() += 1;
        }
    }
    let Some(widest) = suffixes.into_iter().max_by_key(|&(_, count)| count) else { return false };
    let widest = widest.0.to_owned();
    for row in rows {
        if matches!(&row.key, TextFilter::Between(prefix, _) if *prefix == widest) {
            row.key = TextFilter::Prefix(widest.clone());
        }
    }
    true
}

fn widen_keys(rows: &mut [Row]) -> bool {
    let mut filtered: BTreeMap<&TextFilter, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.key != TextFilter::Any) {
        *filtered.entry(&row.bucket).or_default() += 1;
    }
    let Some((bucket, _)) = filtered.into_iter().max_by_key(|&(_, count)| count) else {
        return false;
    };
    let bucket = bucket.clone();
    let mut of_bucket: Vec<&mut Row> = rows.iter_mut().filter(|row| row.bucket == bucket).collect();
    let deepest = of_bucket.iter().filter_map(|row| parent(&row.key)).map(depth).max();
    for row in &mut of_bucket {
        row.key = match deepest {
            None => TextFilter::Any,
            Some(deepest) => match parent(&row.key) {
                Some(parent) if depth(parent) == deepest => TextFilter::Prefix(parent.to_owned()),
                _ => continue,
            },
        };
    }
    true
}

/// Returns the parent directory of a prefix.
fn parent(key: &TextFilter) -> Option<&str> {
    let TextFilter::Prefix(prefix) = key else { return None };
    let within = prefix.strip_suffix('/').unwrap_or(prefix);
    within.rfind('/').map(|slash| &prefix[..=slash])
}

fn depth(directory: &str) -> usize {
    directory.matches('/').count()
}

fn widen_scopes(rows: &mut [Row]) -> bool {
    let detail_types: BTreeSet<&'static str> =
        rows.iter().flat_map(|row| row.detail_types.iter().copied()).collect();
    let mut widened = false;
    for row in rows {
        widened |= row.scope != Scope::default() || row.detail_types != detail_types;
        row.scope = Scope::default();
        row.detail_types.clone_from(&detail_types);
    }
    widened
}

fn widen_buckets(rows: &mut [Row]) -> bool {
    let mut widened = false;
    for row in rows {
        widened |= row.bucket != TextFilter::Any;
        row.bucket = TextFilter::Any;
    }
    widened
}
