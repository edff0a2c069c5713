use std::{collections::BTreeSet, time::Duration};

use super::{Clock, Faults};
use s3_cloudfront_invalidator::distribution::{DistributionId, Role};

/// What kind of CloudFront to simulate.
///
/// The default knows every well-formed id, answers at once and without
/// faults, completes invalidations at once, and keeps the documented quota.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port of 127.0.0.1 to listen on; 0 for any free one.
    pub port: u16,
    /// The distributions and tenants that exist; `None` for every well-formed
    /// id.
    pub known: Option<BTreeSet<DistributionId>>,
    /// What nobody may touch.
    pub denied: BTreeSet<DistributionId>,
    /// The roles that may be assumed. What one of them is granted, the
    /// simulator's own credentials may not touch.
    pub roles: Vec<RoleGrant>,
    /// The quota of what is in progress; `None` for no such quota.
    pub in_progress: Option<InProgress>,
    /// The quota of items a second; `None` for no such quota.
    pub per_second: Option<PerSecond>,
    /// The rate of CreateInvalidation calls; `None` for no limit.
    pub request_rate: Option<RequestRate>,
    /// How long an invalidation is in progress.
    pub completion: Duration,
    /// How long every answer takes.
    pub latency: Duration,
    /// Items to refuse as `InvalidArgument`, beside those no CloudFront takes.
    pub poison: fn(&str) -> bool,
    /// What a used caller reference leads to.
    pub reused_reference: ReusedReference,
    /// How often calls fail for no reason.
    pub faults: Faults,
    /// The seed of all chance.
    pub seed: u64,
    /// The clock.
    pub clock: Clock,
}

/// A role, and what it may invalidate.
#[derive(Clone, Debug)]
pub struct RoleGrant {
    /// The role; its external id, if any, is asked for.
    pub role: Role,
    /// The distributions and tenants it may touch, and only they.
    pub distributions: BTreeSet<DistributionId>,
}

/// How much of one distribution may be in progress. Wildcards count apart.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InProgress {
    /// Paths without a wildcard, and tags.
    pub paths: usize,
    /// Wildcard paths.
    pub wildcards: usize,
}

impl Default for InProgress {
    fn default() -> Self {
        Self { paths: 3_000, wildcards: 15 }
    }
}

/// How much of one distribution may be accepted in a second, as the quota page
/// is quoted since 2026.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-invalidations>
///
/// How it is counted is a *guess*: a request larger than a second's allowance
/// is accepted when the whole allowance is there, and the next one waits until
/// the debt is paid. Otherwise no retry could ever help a large request. That
/// it holds for a distribution, not for the account, is the commoner report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerSecond {
    /// Paths without a wildcard, and tags.
    pub paths: u32,
    /// Wildcard paths.
    pub wildcards: u32,
}

impl Default for PerSecond {
    fn default() -> Self {
        Self { paths: 150, wildcards: 1 }
    }
}

/// How many CreateInvalidation calls the account may make, whatever the
/// distribution: one every two seconds after the first six or seven.
/// <https://github.com/aws/aws-sdk-js/issues/3983>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestRate {
    /// Calls a second in the long run.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: u32,
}

impl Default for RequestRate {
    fn default() -> Self {
        Self { per_second: 0.5, burst: 6 }
    }
}

/// What a caller reference leads to that the distribution has seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReusedReference {
    /// As documented: the same items are the existing invalidation, others are
    /// `InvalidationBatchAlreadyExists`.
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html>
    #[default]
    AlreadyExists,
    /// The same items are the existing invalidation, others are
    /// `InvalidArgument`, as users report.
    /// <https://github.com/jonls/s3-deploy-website/issues/26>
    InvalidArgument,
    /// Even the same items are `InvalidArgument`, as users report after a
    /// retry. <https://github.com/aws/aws-cdk/issues/3878>
    AlwaysInvalidArgument,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            known: None,
            denied: BTreeSet::new(),
            roles: Vec::new(),
            in_progress: Some(InProgress::default()),
            per_second: None,
            request_rate: None,
            completion: Duration::ZERO,
            latency: Duration::ZERO,
            poison: |_| false,
            reused_reference: ReusedReference::default(),
            faults: Faults::default(),
            seed: 0,
            clock: Clock::default(),
        }
    }
}

impl Options {
    /// A bad day: of the CreateInvalidation calls 30 % are throttled, 10 % fail
    /// with a 5xx, 5 % lose their connection before and 5 % after acceptance,
    /// and what is accepted counts as in progress for half a minute.
    pub fn chaos(seed: u64) -> Self {
        Self {
            completion: Duration::from_secs(30),
            faults: Faults {
                throttle: 0.30,
                internal_error: 0.05,
                unavailable: 0.05,
                drop_before: 0.05,
                drop_after: 0.05,
            },
            seed,
            ..Self::default()
        }
    }
}
