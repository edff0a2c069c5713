//! Rules as rows, each a product of simple filters, that can be merged and
//! compared.

use std::collections::{BTreeMap, BTreeSet};

use s3_cloudfront_invalidator::{
    event::Kind,
    rules::{BucketPattern, Conditions, RuleRegex},
};

use super::{literals, text_filter::TextFilter};

/// If a regex has more literals than this, such as the ten digits, the filter
/// uses what they have in common.
const MAX_LITERALS: usize = 4;

/// A set of S3 events: those of one rule, for one of its buckets and one of its
/// key filters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) scope: Scope,
    pub(super) bucket: TextFilter,
    pub(super) key: TextFilter,
    pub(super) detail_types: BTreeSet<&'static str>,
}

/// The accounts and regions of the buckets. `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    pub(super) accounts: Option<BTreeSet<String>>,
    pub(super) regions: Option<BTreeSet<String>>,
}

impl Row {
    /// Returns rows that together match what satisfies the conditions, or more.
    pub(super) fn of_conditions(conditions: &Conditions) -> Vec<Self> {
        let set = |list: &[String]| (!list.is_empty()).then(|| list.iter().cloned().collect());
        let scope =
            Scope { accounts: set(&conditions.accounts), regions: set(&conditions.regions) };
        let kinds = conditions.events.as_deref().unwrap_or(&Kind::ALL);
        let regexes = &conditions.regexes;
        let prefixes = affixes(&conditions.prefixes, regexes, &START);
        let suffixes = affixes(&conditions.suffixes, regexes, &END);
        let keys = TextFilter::keys(&prefixes, &suffixes);
        let mut rows = Vec::new();
        for bucket in bucket_filters(&conditions.buckets) {
            rows.extend(keys.iter().map(|key| Self {
                scope: scope.clone(),
                bucket: bucket.clone(),
                key: key.clone(),
                detail_types: detail_types(kinds),
            }));
        }
        rows
    }

    /// Returns rows for all creations and deletions in the buckets that rules
    /// name and in `more`; in all buckets if there is none.
    pub(super) fn of_fallback<'a>(
        named: impl Iterator<Item = &'a [BucketPattern]>,
        more: &[BucketPattern],
    ) -> Vec<Self> {
        let mut buckets: BTreeSet<TextFilter> = named.flat_map(bucket_filters).collect();
        buckets.extend(more.iter().map(TextFilter::bucket));
        if buckets.is_empty() {
            buckets.insert(TextFilter::Any);
        }
        let kinds: Vec<Kind> =
            Kind::ALL.into_iter().filter(|kind| kind.changes_content()).collect();
        buckets
            .into_iter()
            .map(|bucket| Self {
                scope: Scope::default(),
                bucket,
                key: TextFilter::Any,
                detail_types: detail_types(&kinds),
            })
            .collect()
    }

    fn covers(&self, other: &Self) -> bool {
        let covers = |a: &Option<BTreeSet<String>>, b: &Option<BTreeSet<String>>| {
            a.as_ref().is_none_or(|a| b.as_ref().is_some_and(|b| a.is_superset(b)))
        };
        self.bucket.covers(&other.bucket)
            && self.key.covers(&other.key)
            && self.detail_types.is_superset(&other.detail_types)
            && covers(&self.scope.accounts, &other.scope.accounts)
            && covers(&self.scope.regions, &other.scope.regions)
    }

    fn may_overlap(&self, other: &Self) -> bool {
        let overlaps = |a: &Option<BTreeSet<String>>, b: &Option<BTreeSet<String>>| {
            a.as_ref().zip(b.as_ref()).is_none_or(|(a, b)| !a.is_disjoint(b))
        };
        self.bucket.may_overlap(&other.bucket)
            && self.key.may_overlap(&other.key)
            && !self.detail_types.is_disjoint(&other.detail_types)
            && overlaps(&self.scope.accounts, &other.scope.accounts)
            && overlaps(&self.scope.regions, &other.scope.regions)
    }
}

/// Returns the fewest rows for the same events, sorted. Rows that differ only
/// in their detail types or in a part of their scope are joined; rows that
/// another one covers are dropped.
///
/// Rows with the same bucket and key have no detail type, no account or no
/// region in common: event-ruler drops an alternative if every field of it has
/// an entry in common with an earlier one.
pub(super) fn reduce(rows: Vec<Row>) -> Vec<Row> {
    let mut types: BTreeMap<_, BTreeSet<&'static str>> = BTreeMap::new();
    for Row { scope, bucket, key, detail_types } in rows {
        for account in each(scope.accounts) {
            for region in each(scope.regions.clone()) {
                let place = (account.clone(), region, bucket.clone(), key.clone());
                types.entry(place).or_default().extend(&detail_types);
            }
        }
    }
    let regions =
        grouped(types.into_iter().map(|((account, region, bucket, key), types)| {
            ((account, bucket, key, types), region)
        }));
    let accounts =
        grouped(regions.into_iter().map(|((account, bucket, key, types), regions)| {
            ((regions, bucket, key, types), account)
        }));
    let rows = accounts.into_iter().map(|((regions, bucket, key, detail_types), accounts)| Row {
        scope: Scope { accounts, regions },
        bucket,
        key,
        detail_types,
    });
    let rows: Vec<Row> = BTreeSet::from_iter(rows).into_iter().collect();
    // Distinct rows never cover each other both ways.
    let is_covered = |row: &Row| rows.iter().any(|other| other != row && other.covers(row));
    rows.iter().filter(|row| !is_covered(row)).cloned().collect()
}

/// Returns each value of a set; `None` for all values.
fn each(set: Option<BTreeSet<String>>) -> Vec<Option<String>> {
    set.map_or_else(|| vec![None], |set| set.into_iter().map(Some).collect())
}

/// Collects the values that have the same key, but keeps `None` apart.
fn grouped<K: Ord + Clone>(
    values: impl Iterator<Item = (K, Option<String>)>,
) -> Vec<(K, Option<BTreeSet<String>>)> {
    let mut groups: BTreeMap<(K, bool), Option<BTreeSet<String>>> = BTreeMap::new();
    for (key, value) in values {
        let group = groups.entry((key, value.is_none())).or_default();
        if let Some(value) = value {
            group.get_or_insert_default().insert(value);
        }
    }
    groups.into_iter().map(|((key, _), values)| (key, values)).collect()
}

/// Groups rows such that no event matches rows of two groups.
pub(super) fn disjoint_groups(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let (mut touched, disjoint): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group.iter().any(|other| other.may_overlap(&row)));
        groups = disjoint;
        touched.push(vec![row]);
        groups.push(touched.concat());
    }
    groups.sort_unstable();
    groups
}

fn bucket_filters(buckets: &[BucketPattern]) -> Vec<TextFilter> {
    match buckets {
        [] => vec![TextFilter::Any],
        buckets => buckets.iter().map(TextFilter::bucket).collect(),
    }
}

/// The start or the end of a key.
struct KeyEnd {
    literals: fn(&str) -> Option<Vec<String>>,
    /// Whether the first text has the second one at this end.
    has: fn(&str, &str) -> bool,
    /// Removes the character that is farthest from this end.
    shorten: fn(&str) -> &str,
}

const START: KeyEnd = KeyEnd {
    literals: literals::prefixes,
    has: |text, start| text.starts_with(start),
    shorten: |text| text.char_indices().next_back().map_or("", |(at, _)| &text[..at]),
};

const END: KeyEnd = KeyEnd {
    literals: literals::suffixes,
    has: |text, end| text.ends_with(end),
    shorten: |text| text.char_indices().nth(1).map_or("", |(at, _)| &text[at..]),
};

/// Returns the prefixes (or suffixes) of keys that satisfy both the conditions
/// and the regexes; the empty text if every key may.
fn affixes(conditions: &[String], regexes: &[RuleRegex], end: &KeyEnd) -> Vec<String> {
    let literals = required(regexes, end).unwrap_or_default();
    match (conditions, &*literals) {
        ([], []) => vec![String::new()],
        (affixes, []) | ([], affixes) => affixes.to_vec(),
        (conditions, literals) => {
            let pairs = conditions.iter().flat_map(|a| literals.iter().map(move |b| (a, b)));
            // A key has both only if one of them has the other.
            let longer = pairs.filter_map(|(a, b)| {
                if (end.has)(a, b) { Some(a) } else { (end.has)(b, a).then_some(b) }
            });
            BTreeSet::from_iter(longer).into_iter().cloned().collect()
        }
    }
}

/// Returns texts one of which a matching key starts (or ends) with. `None` if
/// one of the regexes has no literal there.
fn required(regexes: &[RuleRegex], end: &KeyEnd) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for regex in regexes {
        let texts = (end.literals)(regex.pattern())?;
        if texts.len() <= MAX_LITERALS {
            all.extend(texts);
        } else {
            let mut common = &**texts.first()?;
            while !texts.iter().all(|text| (end.has)(text, common)) {
                common = (end.shorten)(common);
            }
            all.push(common.to_owned());
        }
    }
    Some(all)
}

fn detail_types(kinds: &[Kind]) -> BTreeSet<&'static str> {
    kinds.iter().flat_map(|&kind| kind_detail_types(kind)).copied().collect()
}

/// Returns the `detail-type`s of a kind's events.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-mapping-troubleshooting.html>
pub fn kind_detail_types(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Created => &["Object Created"],
        Kind::Deleted | Kind::VersionExpired => &["Object Deleted"],
        Kind::Restored => &["Object Restore Completed"],
        Kind::RestoreExpired => &["Object Restore Expired"],
        Kind::AclUpdated => &["Object ACL Updated"],
        Kind::TagsChanged => &["Object Tags Added", "Object Tags Deleted"],
        Kind::StorageClassChanged => &["Object Storage Class Changed"],
        Kind::AccessTierChanged => &["Object Access Tier Changed"],
        Kind::AnnotationsChanged => &["Object Annotation Created", "Object Annotation Removed"],
    }
}
