use std::{collections::VecDeque, time::Duration};

use super::{InProgress, PerSecond, RequestRate, record::is_wildcard};

/// How many items of each kind a request has. Each kind has a quota of its
/// own; tags count as paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) paths: usize,
    pub(super) wildcards: usize,
}

impl Size {
    pub(super) fn of(items: &[String]) -> Self {
        let wildcards = items.iter().filter(|item| is_wildcard(item)).count();
        Self { paths: items.len() - wildcards, wildcards }
    }
}

/// What of one distribution is in progress, oldest first. All take equally
/// long, so that they end in the order they came.
#[derive(Debug, Default)]
pub(super) struct Running {
    ends: VecDeque<(Duration, Size)>,
    total: Size,
}

impl Running {
    /// Whether `size` more would stay within the quota, else what is used.
    pub(super) fn check(
        &mut self,
        quota: InProgress,
        size: Size,
        now: Duration,
    ) -> Result<(), String> {
        while let Some((_, ended)) = self.ends.pop_front_if(|(end, _)| *end <= now) {
            self.total.paths -= ended.paths;
            self.total.wildcards -= ended.wildcards;
        }
        let Size { paths, wildcards } = self.total;
        if paths + size.paths <= quota.paths && wildcards + size.wildcards <= quota.wildcards {
            return Ok(());
        }
        Err(format!(
            "{paths} of {} paths and {wildcards} of {} wildcards are in progress, {} and {} more were asked for",
            quota.paths, quota.wildcards, size.paths, size.wildcards
        ))
    }

    pub(super) fn add(&mut self, size: Size, end: Duration) {
        self.ends.push_back((end, size));
        self.total.paths += size.paths;
        self.total.wildcards += size.wildcards;
    }
}

/// A rate with a burst: tokens that come back with time. Below zero is debt.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Duration,
}

/// Lets a bucket that time has filled exactly be full, whatever the rounding.
const ROUNDING: f64 = 1e-6;

impl Bucket {
    fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, tokens: burst, at: Duration::ZERO }
    }

    pub(super) fn of_requests(rate: RequestRate) -> Self {
        Self::new(rate.per_second, f64::from(rate.burst))
    }

    /// Whether there are tokens for `amount`, or all there can be if it is
    /// more than that. Nothing costs nothing, even in debt.
    pub(super) fn has(&mut self, amount: f64, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = self.burst.min(self.tokens + passed * self.rate);
        self.at = now;
        amount == 0.0 || self.tokens + ROUNDING >= amount.min(self.burst)
    }

    pub(super) fn take(&mut self, amount: f64) {
        self.tokens -= amount;
    }
}

/// The allowances of one distribution in the quota a second.
#[derive(Debug)]
pub(super) struct Allowance {
    paths: Bucket,
    wildcards: Bucket,
}

impl Allowance {
    pub(super) fn new(quota: PerSecond) -> Self {
        let bucket = |rate| Bucket::new(f64::from(rate), f64::from(rate));
        Self { paths: bucket(quota.paths), wildcards: bucket(quota.wildcards) }
    }

    /// Takes what a request needs, or nothing.
    pub(super) fn take(&mut self, size: Size, now: Duration) -> bool {
        let (paths, wildcards) = (size.paths as f64, size.wildcards as f64);
        let has = self.paths.has(paths, now) && self.wildcards.has(wildcards, now);
        if has {
            self.paths.take(paths);
            self.wildcards.take(wildcards);
        }
        has
    }
}
