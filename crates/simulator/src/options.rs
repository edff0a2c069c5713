//! The options of a simulator, whose defaults are what AWS documents or users
//! report.

use std::{collections::BTreeSet, time::Duration};

use super::Faults;

/// The behaviour of a [`Simulator`](super::Simulator).
///
/// Distributions and distribution tenants are identified by their ids: `E…`
/// and `dt_…`. By default every well-formed id exists, responses are immediate
/// and without faults, invalidations complete at once, and the documented
/// quota applies.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// The distributions and tenants that exist; `None` for every well-formed
    /// id.
    pub known: Option<BTreeSet<String>>,
    /// The distributions and tenants for which every caller is denied.
    pub denied: BTreeSet<String>,
    /// When these are permitted, since the start.
    pub denied_until: Duration,
    /// The roles that can be assumed. The simulator's own credentials are
    /// denied for all distributions that are granted to a role.
    pub roles: Vec<RoleGrant>,
    /// The quota of items in progress, if any.
    pub in_progress: Option<InProgress>,
    /// The quota of items per second, if any.
    pub per_second: Option<PerSecond>,
    /// The rate limit of CreateInvalidation calls, if any.
    pub request_rate: Option<RequestRate>,
    /// How long an invalidation is in progress.
    pub completion: Duration,
    /// How long a call takes.
    pub latency: Duration,
    /// Selects items to refuse as `InvalidArgument`, in addition to invalid
    /// ones.
    pub poison: fn(&str) -> bool,
    /// The response to a caller reference that was used before.
    pub reused_reference: ReusedReference,
    /// The shares of calls that fail at random.
    pub faults: Faults,
    /// The seed of the random faults.
    pub seed: u64,
}

/// An IAM role that can be assumed.
#[derive(Clone, Debug)]
pub struct RoleGrant {
    /// The ARN of the role.
    pub arn: String,
    /// The external id that callers must send, if any.
    pub external_id: Option<String>,
    /// The distributions and tenants that the role may invalidate.
    pub distributions: BTreeSet<String>,
}

/// The quota of items in progress per distribution.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InProgress {
    /// Paths without a wildcard, and tags.
    pub paths: usize,
    /// Paths with a wildcard.
    pub wildcards: usize,
}

impl Default for InProgress {
    fn default() -> Self {
        Self { paths: 3_000, wildcards: 15 }
    }
}

/// The quota of items per second and distribution, as users quote it since
/// 2026: "150 paths or tags per second" and "1 wildcard invalidation per second".
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-invalidations>
///
/// Most users report that the quota is per distribution, not per account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerSecond {
    /// Paths without a wildcard, and tags.
    pub paths: u32,
    /// Paths with a wildcard.
    pub wildcards: u32,
    /// What counts.
    pub counting: Counting,
}

/// What counts towards [`PerSecond`]: the quoted sentences allow each reading.
/// *Guess*
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// Each item. A request that holds more items than a second allows is always
    /// throttled.
    #[default]
    Items,
    /// Each item. A request that holds more items is accepted if the whole
    /// allowance of a second is available; further requests are throttled until
    /// the excess is paid back.
    ItemsInDebt,
    /// Each request, once for each kind of item that it holds.
    Requests,
}

impl Default for PerSecond {
    fn default() -> Self {
        Self { paths: 150, wildcards: 1, counting: Counting::default() }
    }
}

/// The rate limit of CreateInvalidation calls of the account. By default one
/// call every two seconds after a burst of six.
/// <https://github.com/aws/aws-sdk-js/issues/3983>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestRate {
    /// Sustained calls per second.
    pub per_second: f64,
    /// Calls in a burst.
    pub burst: u32,
}

impl Default for RequestRate {
    fn default() -> Self {
        Self { per_second: 0.5, burst: 6 }
    }
}

/// The response to a caller reference that was used for the distribution
/// before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReusedReference {
    /// The existing invalidation for the same items,
    /// `InvalidationBatchAlreadyExists` for others, as documented.
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html>
    #[default]
    AlreadyExists,
    /// The existing invalidation for the same items, `InvalidArgument` for
    /// others, as users report.
    /// <https://github.com/jonls/s3-deploy-website/issues/26>
    InvalidArgument,
    /// `InvalidArgument` even for the same items, as users report after a
    /// retry. <https://github.com/aws/aws-cdk/issues/3878>
    AlwaysInvalidArgument,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            known: None,
            denied: BTreeSet::new(),
            denied_until: Duration::MAX,
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
        }
    }
}
