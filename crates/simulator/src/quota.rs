//! The quotas: items in progress, items per second, calls per second.

use std::time::Duration;

use super::{Counting, InProgress, PerSecond, RequestRate};

/// The number of items of each kind. Each kind has its own quota; tags count as
/// paths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ItemCounts {
    paths: usize,
    wildcards: usize,
}

impl ItemCounts {
    pub(crate) fn of(items: &[String]) -> Self {
        // An asterisk is a wildcard only at the end of a path.
        // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
        let is_wildcard = |item: &&String| item.starts_with('/') && item.ends_with('*');
        let wildcards = items.iter().filter(is_wildcard).count();
        Self { paths: items.len() - wildcards, wildcards }
    }
}

/// The items of one distribution that are in progress, with their ends.
#[derive(Debug, Default)]
pub(crate) struct Running(Vec<(Duration, ItemCounts)>);

impl Running {
    /// Checks that `new` items fit in the quota; the error is the usage.
    pub(crate) fn check(
        &mut self,
        quota: InProgress,
        new: ItemCounts,
        now: Duration,
    ) -> Result<(), String> {
        self.0.retain(|(end, _)| *end > now);
        let paths: usize = self.0.iter().map(|(_, counts)| counts.paths).sum();
        let wildcards: usize = self.0.iter().map(|(_, counts)| counts.wildcards).sum();
        if paths + new.paths <= quota.paths && wildcards + new.wildcards <= quota.wildcards {
            return Ok(());
        }
        Err(format!(
            "{paths} of {} paths and {wildcards} of {} wildcards are in progress, {} and {} more are requested",
            quota.paths, quota.wildcards, new.paths, new.wildcards
        ))
    }

    pub(crate) fn add(&mut self, counts: ItemCounts, end: Duration) {
        self.0.push((end, counts));
    }
}

/// A token bucket whose balance may become negative.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    refilled_at: Duration,
}

/// Makes a bucket that was refilled exactly count as full in spite of rounding.
const ROUNDING: f64 = 1e-6;

impl TokenBucket {
    fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, tokens: burst, refilled_at: Duration::ZERO }
    }

    pub(crate) fn of_requests(rate: RequestRate) -> Self {
        Self::new(rate.per_second, f64::from(rate.burst))
    }

    /// Whether `amount` tokens, or all tokens if it is more, are available.
    pub(crate) fn has(&mut self, amount: f64, now: Duration) -> bool {
        let passed = now.saturating_sub(self.refilled_at).as_secs_f64();
        self.tokens = self.burst.min(self.tokens + passed * self.rate);
        self.refilled_at = now;
        // A request without wildcards, say, passes whatever their balance.
        amount == 0.0 || self.tokens + ROUNDING >= amount.min(self.burst)
    }

    pub(crate) fn take(&mut self, amount: f64) {
        self.tokens -= amount;
    }
}

/// The quota per second of one distribution.
#[derive(Debug)]
pub(crate) struct Allowance {
    quota: PerSecond,
    paths: TokenBucket,
    wildcards: TokenBucket,
}

impl Allowance {
    pub(crate) fn new(quota: PerSecond) -> Self {
        let bucket = |rate| TokenBucket::new(f64::from(rate), f64::from(rate));
        Self { quota, paths: bucket(quota.paths), wildcards: bucket(quota.wildcards) }
    }

    /// Takes the tokens of a request and returns whether it may pass. A refused
    /// request takes none.
    pub(crate) fn take(&mut self, counts: ItemCounts, now: Duration) -> bool {
        let ItemCounts { paths, wildcards } = counts;
        let PerSecond { paths: most_paths, wildcards: most_wildcards, counting } = self.quota;
        let is_larger = paths > most_paths as usize || wildcards > most_wildcards as usize;
        let amount = match counting {
            Counting::Items if is_larger => return false,
            Counting::Items | Counting::ItemsInDebt => |items: usize| items as f64,
            Counting::Requests => |items: usize| items.min(1) as f64,
        };
        let (paths, wildcards) = (amount(paths), amount(wildcards));
        let has = self.paths.has(paths, now) && self.wildcards.has(wildcards, now);
        if has {
            self.paths.take(paths);
            self.wildcards.take(wildcards);
        }
        has
    }
}
