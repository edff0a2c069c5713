//! Splits the items of a distribution into requests.

use super::PlannedItem;

/// The most items of a request. CloudFront documents no limit per request, only 3,000 paths in progress per distribution. With a
/// thousand, two more requests fit beside this one; [crates.io] does the same.
///
/// [crates.io]: https://github.com/rust-lang/crates.io/blob/main/src/worker/jobs/process_cloudfront_invalidation_queue.rs
pub const ITEMS_PER_REQUEST: usize = 1_000;

/// The most wildcards of a request: CloudFront's limit of wildcards in progress
/// per distribution.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
pub const MAX_WILDCARDS_PER_REQUEST: usize = 15;

/// Splits items into as few requests as the limits allow, of at most `size`
/// items. Wildcards are in requests of their own, after all others: while
/// CloudFront refuses further wildcards, paths and tags go through. Tags come after
/// paths: where CloudFront refuses all tags, halving a batch finds its paths first.
pub(super) fn split(
    items: Vec<PlannedItem>,
    size: usize,
) -> impl Iterator<Item = Vec<PlannedItem>> {
    let (wildcards, mut others): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|planned| planned.item.is_wildcard());
    others.sort_by_key(|planned| planned.item.is_tag());
    chunks(others, size).chain(chunks(wildcards, size.min(MAX_WILDCARDS_PER_REQUEST)))
}

fn chunks<T>(items: Vec<T>, size: usize) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.into_iter();
    std::iter::from_fn(move || {
        let chunk: Vec<T> = items.by_ref().take(size).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        item::{Item, address},
        plan::ChangeList,
    };

    #[test]
    fn requests_are_few_and_within_the_limits() {
        for (paths, tags, wildcards, size, expected) in [
            (0, 0, 0, 1_000, &[][..]),
            (1, 0, 0, 1_000, &[1]),
            (0, 1_000, 0, 1_000, &[1_000]),
            (1_001, 0, 0, 1_000, &[1_000, 1]),
            (5, 985, 10, 1_000, &[990, 10]),
            (0, 0, 15, 1_000, &[15]),
            (0, 0, 16, 1_000, &[15, 1]),
            (5, 0, 40, 1_000, &[5, 15, 15, 10]),
            (7, 4, 5, 3, &[3, 3, 3, 2, 3, 2]),
            (2, 0, 0, 1, &[1, 1]),
        ] {
            let paths = (0..paths).map(|n| address(&format!("/{n:05}"), "/", "/", false).unwrap());
            let tags = (0..tags).map(|n| Item::tag(&format!("{n:05}")).unwrap());
            let wildcards = (0..wildcards).map(|n| Item::wildcard(&format!("/{n:05}/")));
            let mut sorted: Vec<Item> = paths.chain(tags).chain(wildcards).collect();
            sorted.sort_unstable();
            let planned = |item| PlannedItem { item, changes: ChangeList::new(), replaces: 1 };
            let items: Vec<PlannedItem> = sorted.iter().cloned().map(planned).collect();
            // The order of the items decides no request.
            let rotated = [&items[items.len() / 2..], &items[..items.len() / 2]].concat();
            for items in [items, rotated] {
                let requests: Vec<Vec<PlannedItem>> = split(items, size).collect();
                assert!(requests.concat().is_sorted_by_key(|planned| match &planned.item {
                    item if item.is_wildcard() => 2,
                    item => u8::from(item.is_tag()),
                }));
                assert!(requests.iter().map(Vec::len).eq(expected.iter().copied()), "{expected:?}");
                let mut sent: Vec<Item> =
                    requests.into_iter().flatten().map(|planned| planned.item).collect();
                sent.sort_unstable();
                assert_eq!(sent, sorted);
            }
        }
    }
}
