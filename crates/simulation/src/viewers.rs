//! Viewers, and what CloudFront has cached for them.

use std::{collections::HashMap, time::Duration};

use cloudfront_simulator::Recorded;

use crate::{site::covers, world::World};

/// A viewer gets an object that changed after CloudFront fetched it, although
/// everything is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    pub distribution: String,
    pub url: String,
    /// Index of the last change of the object.
    pub change: usize,
    pub fetched_at: Duration,
}

/// Viewers request every object at the worst time, just before each change of
/// it. Returns what they get at the end.
///
/// An accepted invalidation purges what was fetched before it was accepted. What
/// is fetched while it is in progress stays.
pub fn stale(world: &World, accepted: &[Recorded]) -> Vec<Stale> {
    let mut cached: HashMap<(&str, String), Stale> = HashMap::new();
    for (index, change) in world.changes.iter().enumerate() {
        if change.is_unreadable {
            continue;
        }
        let fetched_at = change.at;
        for need in world.site.needs(change.bucket, &change.key) {
            let distribution = &need.target.distribution;
            for url in need.urls {
                let entry = Stale {
                    distribution: distribution.clone(),
                    url: url.clone(),
                    change: index,
                    fetched_at,
                };
                cached.insert((distribution, url), entry);
            }
        }
    }
    let is_purged = |entry: &Stale| {
        accepted.iter().any(|invalidation| {
            invalidation.distribution == entry.distribution
                && invalidation.accepted_at >= entry.fetched_at
                && invalidation.items.iter().any(|item| covers(item, &entry.url))
        })
    };
    let mut stale: Vec<Stale> = cached.into_values().filter(|entry| !is_purged(entry)).collect();
    stale.sort_by(|a, b| (a.change, &a.url).cmp(&(b.change, &b.url)));
    stale
}
