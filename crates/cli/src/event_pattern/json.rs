//! A pattern as JSON: rows that differ only in bucket and key share its fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    row::{Row, Scope},
    text_filter::TextFilter,
};

/// What rows have in common that differ only in bucket and key.
type Shared<'r> = (&'r Scope, &'r BTreeSet<&'static str>);
type Filters<'r> = BTreeSet<&'r TextFilter>;
type Fields = Map<String, Value>;

/// Returns the pattern for [reduced](super::row::reduce) rows.
pub(super) fn pattern(rows: &[Row]) -> Value {
    let mut keys: BTreeMap<(Shared<'_>, &TextFilter), Filters<'_>> = BTreeMap::new();
    for row in rows {
        let shared = (&row.scope, &row.detail_types);
        keys.entry((shared, &row.bucket)).or_default().insert(&row.key);
    }
    // Buckets with the same keys share an alternative.
    let mut buckets: BTreeMap<Shared<'_>, BTreeMap<Filters<'_>, Filters<'_>>> = BTreeMap::new();
    for ((shared, bucket), keys) in keys {
        buckets.entry(shared).or_default().entry(keys).or_default().insert(bucket);
    }
    let groups: Vec<(Shared<'_>, Vec<Fields>)> = buckets
        .into_iter()
        .map(|(shared, details)| {
            (shared, details.into_iter().map(|(keys, buckets)| detail(&buckets, &keys)).collect())
        })
        .collect();

    let mut pattern = Fields::from_iter([("source".to_owned(), json!(["aws.s3"]))]);
    pattern.extend(match &*groups {
        // The form of AWS's documentation: common fields are outside of `$or`.
        [(shared, details)] => event(*shared, &alternatives(details.clone())),
        _ => alternatives(
            groups
                .into_iter()
                .flat_map(|(shared, details)| {
                    details.into_iter().map(move |one| event(shared, &one))
                })
                .collect(),
        ),
    });
    Value::Object(pattern)
}

/// Returns one alternative unchanged, several as `$or`, which needs at least two.
fn alternatives(mut list: Vec<Fields>) -> Fields {
    match list.len() {
        1 => list.remove(0),
        _ => Fields::from_iter([("$or".to_owned(), json!(list))]),
    }
}

fn event((scope, detail_types): Shared<'_>, detail: &Fields) -> Fields {
    let fields = [
        ("detail-type", Some(json!(detail_types))),
        ("account", scope.accounts.as_ref().map(|accounts| json!(accounts))),
        ("region", scope.regions.as_ref().map(|regions| json!(regions))),
        ("detail", (!detail.is_empty()).then(|| json!(detail))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn detail(buckets: &Filters<'_>, keys: &Filters<'_>) -> Fields {
    // `TextFilter::Any` has no entry and is always alone.
    let entries = |filters: &Filters<'_>| -> Option<Vec<Value>> {
        filters.iter().map(|filter| filter.entry()).collect()
    };
    let fields = [
        ("bucket", entries(buckets).map(|entries| json!({ "name": entries }))),
        ("object", entries(keys).map(|entries| json!({ "key": entries }))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Returns the largest length that EventBridge may count: compact JSON with all
/// but ASCII escaped.
pub(super) fn length(pattern: &Value) -> usize {
    let escaped_length = |c: char| if c.is_ascii() { 1 } else { 6 * c.len_utf16() };
    pattern.to_string().chars().map(escaped_length).sum()
}
