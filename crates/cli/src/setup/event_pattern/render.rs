use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    matcher::Matcher,
    row::{Row, Scope},
};

/// Rows that differ in bucket and key alone.
type Shared = (Scope, BTreeSet<&'static str>);

/// The pattern that matches what one of the rows matches. The rows are
/// [reduced](super::row::reduce).
pub(super) fn pattern(rows: &[Row]) -> Value {
    // Keys by bucket, then buckets by their set of keys.
    let mut keys: BTreeMap<(Shared, &Matcher), BTreeSet<&Matcher>> = BTreeMap::new();
    for row in rows {
        let shared = (row.scope.clone(), row.detail_types.clone());
        keys.entry((shared, &row.bucket)).or_default().insert(&row.key);
    }
    let mut branches: BTreeMap<(Shared, BTreeSet<&Matcher>), BTreeSet<&Matcher>> = BTreeMap::new();
    for ((shared, bucket), keys) in keys {
        branches.entry((shared, keys)).or_default().insert(bucket);
    }

    let mut pattern = Map::from_iter([("source".to_owned(), json!(["aws.s3"]))]);
    let shared: BTreeSet<&Shared> = branches.keys().map(|(shared, _)| shared).collect();
    if let ([shared], true) = (&*Vec::from_iter(shared), !branches.is_empty()) {
        // The documented shape: what all alternatives share stands outside.
        envelope(shared, &mut pattern);
        let details: Vec<_> =
            branches.iter().map(|((_, keys), buckets)| detail(buckets, keys)).collect();
        let detail = alternatives(details);
        if !detail.is_empty() {
            pattern.insert("detail".to_owned(), Value::Object(detail));
        }
    } else {
        let alternative = |((shared, keys), buckets): (&(Shared, BTreeSet<&Matcher>), &_)| {
            let mut alternative = Map::new();
            envelope(shared, &mut alternative);
            let detail = detail(buckets, keys);
            if !detail.is_empty() {
                alternative.insert("detail".to_owned(), Value::Object(detail));
            }
            alternative
        };
        pattern.extend(alternatives(branches.iter().map(alternative).collect()));
    }
    Value::Object(pattern)
}

/// One alternative as it is, several as `$or`, which needs at least two.
fn alternatives(mut list: Vec<Map<String, Value>>) -> Map<String, Value> {
    match list.len() {
        1 => list.remove(0),
        _ => Map::from_iter([("$or".to_owned(), json!(list))]),
    }
}

fn envelope((scope, detail_types): &Shared, into: &mut Map<String, Value>) {
    into.insert("detail-type".to_owned(), json!(detail_types));
    for (name, condition) in [("account", &scope.accounts), ("region", &scope.regions)] {
        if let Some(values) = condition {
            into.insert(name.to_owned(), json!(values));
        }
    }
}

fn detail(buckets: &BTreeSet<&Matcher>, keys: &BTreeSet<&Matcher>) -> Map<String, Value> {
    let mut detail = Map::new();
    for (object, field, matchers) in [("bucket", "name", buckets), ("object", "key", keys)] {
        if let Some(entries) = entries(matchers) {
            detail.insert(object.to_owned(), json!({ field: entries }));
        }
    }
    detail
}

fn entries(matchers: &BTreeSet<&Matcher>) -> Option<Vec<Value>> {
    matchers.iter().map(|matcher| matcher.entry()).collect()
}

/// The length EventBridge may count: of the pattern as compact JSON, with
/// everything but ASCII escaped.
pub(super) fn length(pattern: &Value) -> usize {
    let escaped_length = |c: char| if c.is_ascii() { 1 } else { 6 * c.len_utf16() };
    pattern.to_string().chars().map(escaped_length).sum()
}
