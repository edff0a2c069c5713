//! Splits the items of a distribution into requests.

use crate::item::Item;

/// How many items a request takes unless told otherwise. CloudFront documents
/// 3,000 paths in progress per distribution and no number per request; a
/// thousand leaves room for two more requests beside this one, and is what
/// other large users [send][crates.io].
///
/// [crates.io]: https://github.com/rust-lang/crates.io/blob/main/src/worker/jobs/process_cloudfront_invalidation_queue.rs
pub const ITEMS_PER_REQUEST: usize = 1_000;

/// The most items a request may take: as many as CloudFront lets be in progress
/// per distribution.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
pub const MAX_ITEMS_PER_REQUEST: usize = 3_000;

/// The most wildcards a request may take: as many as CloudFront lets be in
/// progress per distribution.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
pub const MAX_WILDCARDS_PER_REQUEST: usize = 15;

/// Splits `items` into as few lists as the limits allow: at most
/// `items_per_request` items, of which at most [`MAX_WILDCARDS_PER_REQUEST`]
/// wildcards. Within a list the order of `items` is kept.
pub(super) fn split<T>(
    items: Vec<T>,
    items_per_request: usize,
    item: impl Fn(&T) -> &Item,
) -> Vec<Vec<T>> {
    let size = items_per_request.clamp(1, MAX_ITEMS_PER_REQUEST);
    let wildcards = items.iter().filter(|entry| item(entry).is_wildcard()).count();
    let wildcards_per_request = size.min(MAX_WILDCARDS_PER_REQUEST);
    let count = items.len().div_ceil(size).max(wildcards.div_ceil(wildcards_per_request));

    // Wildcards are dealt first, a full hand to each request, so every other
    // item knows how much room is left where.
    let room = |request: usize| {
        let dealt = wildcards.saturating_sub(request * wildcards_per_request);
        size - dealt.min(wildcards_per_request)
    };
    let mut requests: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
    let (mut wildcard_number, mut other_request) = (0, 0);
    let mut others_left = if count == 0 { 0 } else { room(0) };
    for entry in items {
        if item(&entry).is_wildcard() {
            requests[wildcard_number / wildcards_per_request].push(entry);
            wildcard_number += 1;
        } else {
            while others_left == 0 {
                other_request += 1;
                others_left = room(other_request);
            }
            others_left -= 1;
            requests[other_request].push(entry);
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(paths: usize, wildcards: usize) -> Vec<Item> {
        let paths = (0..paths).map(|n| Item::tag(&format!("{n:05}")).unwrap());
        let wildcards = (0..wildcards).map(|n| Item::wildcard(&format!("/{n:05}/")));
        paths.chain(wildcards).collect()
    }

    #[test]
    fn requests_are_few_and_within_the_limits() {
        for (paths, wildcards, items_per_request, expected) in [
            (0, 0, 1_000, 0),
            (1, 0, 1_000, 1),
            (1_000, 0, 1_000, 1),
            (1_001, 0, 1_000, 2),
            (990, 10, 1_000, 1),
            (990, 11, 1_000, 2),
            (0, 15, 1_000, 1),
            (0, 16, 1_000, 2),
            (5, 40, 1_000, 3),
            (3_001, 0, 3_000, 2),
            // Above the hard limit, the hard limit counts.
            (3_001, 0, 9_000, 2),
            (7, 5, 3, 4),
            (3, 0, 0, 3),
        ] {
            let items = items(paths, wildcards);
            let size = items_per_request.clamp(1, MAX_ITEMS_PER_REQUEST);
            let requests = split(items.clone(), items_per_request, |item| item);
            assert_eq!(requests.len(), expected, "{paths} {wildcards} {items_per_request}");
            for request in &requests {
                assert!(!request.is_empty() && request.len() <= size);
                assert!(request.iter().filter(|item| item.is_wildcard()).count() <= 15);
                assert!(
                    request.iter().map(|item| items.iter().position(|i| i == item)).is_sorted()
                );
            }
            let mut all: Vec<Item> = requests.concat();
            all.sort();
            let mut items = items;
            items.sort();
            assert_eq!(all, items);
        }
    }
}
