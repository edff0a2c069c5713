//! Packs rows into patterns within the limits of EventBridge, and widens them if
//! they do not fit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    EventPatterns, PatternLimits,
    complexity::complexity,
    json,
    row::{Row, Scope, disjoint_groups, reduce},
    text_filter::TextFilter,
};

/// More rows than this cannot fit into any limits, and comparing them in pairs
/// would take long.
const MAX_ROWS: usize = 2_000;

/// Returns patterns within `limits` that match what the rows match, or more if
/// they do not fit. No event matches two patterns.
pub(super) fn fit(mut rows: Vec<Row>, limits: PatternLimits) -> EventPatterns {
    let mut widened = false;
    loop {
        let packed = if rows.len() > MAX_ROWS {
            Err((std::mem::take(&mut rows), Vec::new()))
        } else {
            rows = reduce(rows);
            pack(&rows, limits)
        };
        let patterns = match packed {
            Ok(patterns) => patterns,
            Err((mut too_large, rest)) => {
                let is_widened = widen(&mut too_large);
                rows = BTreeSet::from_iter(too_large.into_iter().chain(rest)).into_iter().collect();
                if is_widened {
                    widened = true;
                    continue;
                }
                // A single row without a filter.
                vec![json::pattern(&reduce(rows.clone()))]
            }
        };
        let every_bucket = rows.iter().any(|row| row.bucket == TextFilter::Any);
        return EventPatterns { patterns, widened, every_bucket };
    }
}

/// Returns patterns within the limits. If the rows do not fit, returns those to
/// widen and the others.
fn pack(rows: &[Row], limits: PatternLimits) -> Result<Vec<Value>, (Vec<Row>, Vec<Row>)> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(pattern) = render_within(rows, limits) {
        return Ok(vec![pattern]);
    }
    let mut groups = disjoint_groups(rows.to_vec());
    if let Some(at) = groups.iter().position(|group| render_within(group, limits).is_none()) {
        let too_large = groups.swap_remove(at);
        return Err((too_large, groups.concat()));
    }
    let mut patterns = Vec::new();
    let mut packed: Vec<Row> = Vec::new();
    for group in groups {
        let longer = [packed.as_slice(), &group].concat();
        packed = if render_within(&longer, limits).is_some() {
            longer
        } else {
            patterns.push(json::pattern(&packed));
            group
        };
    }
    patterns.push(json::pattern(&packed));
    if patterns.len() > limits.patterns { Err((rows.to_vec(), Vec::new())) } else { Ok(patterns) }
}

fn render_within(rows: &[Row], limits: PatternLimits) -> Option<Value> {
    let pattern = json::pattern(rows);
    (json::length(&pattern) <= limits.characters
        && complexity(&pattern, limits.complexity + 1) <= limits.complexity)
        .then_some(pattern)
}

/// Widens the filters by one step: first the keys, in the bucket with most key
/// filters; then accounts, regions and detail types; then the buckets. Returns
/// `false` if no filter is left.
fn widen(rows: &mut [Row]) -> bool {
    let mut key_filters: BTreeMap<&TextFilter, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.key != TextFilter::Any) {
        *key_filters.entry(&row.bucket).or_default() += 1;
    }
    if let Some((bucket, _)) = key_filters.into_iter().max_by_key(|&(_, count)| count) {
        let bucket = bucket.clone();
        let of_bucket = rows.iter_mut().filter(|row| row.bucket == bucket);
        widen_keys(of_bucket.map(|row| &mut row.key).collect());
        return true;
    }
    let detail_types: BTreeSet<&'static str> =
        rows.iter().flat_map(|row| row.detail_types.iter().copied()).collect();
    let is_shared = |row: &Row| row.scope == Scope::default() && row.detail_types == detail_types;
    let (all_shared, all_buckets) =
        (rows.iter().all(is_shared), rows.iter().all(|row| row.bucket == TextFilter::Any));
    for row in rows {
        if all_shared {
            row.bucket = TextFilter::Any;
        } else {
            row.scope = Scope::default();
            row.detail_types.clone_from(&detail_types);
        }
    }
    !(all_shared && all_buckets)
}

/// Drops the suffixes next to prefixes; or else the last directory of the
/// deepest prefixes; or else all filters.
fn widen_keys(keys: Vec<&mut TextFilter>) {
    let has_wildcard = keys.iter().any(|key| key.is_wildcard());
    let deepest = keys.iter().filter_map(|key| parent(key)).map(depth).max();
    for key in keys {
        *key = match (&*key, parent(key)) {
            (TextFilter::Between(prefix, _), _) => TextFilter::Prefix(prefix.clone()),
            _ if has_wildcard => continue,
            (_, Some(parent)) if Some(depth(parent)) == deepest => {
                TextFilter::Prefix(parent.to_owned())
            }
            _ if deepest.is_some() => continue,
            _ => TextFilter::Any,
        };
    }
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
