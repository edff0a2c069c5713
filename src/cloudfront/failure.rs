//! Failure messages: what happened, in which distribution, and what to do.

use std::{fmt, sync::Arc};

use super::{
    Failure, Outcome,
    error::{CloudFrontError, ErrorKind},
};
use crate::{
    distribution::{Distribution, DistributionId, Role},
    item::Item,
};

/// What the failure messages of one distribution need.
#[derive(Debug)]
pub(super) struct FailureContext<'a> {
    pub(super) distribution: &'a Arc<Distribution>,
    pub(super) targets: &'a [Arc<str>],
    /// Empty outside Lambda.
    pub(super) function_arn: &'a str,
}

impl FailureContext<'_> {
    /// Returns the outcome of the items of a failed request. `item` is the
    /// first of them, and the only one if CloudFront refused an item.
    pub(super) fn outcome(&self, error: &CloudFrontError, item: &Item) -> Outcome {
        let message = error.message.trim().trim_end_matches('.');
        let failure = Arc::new(Failure {
            code: error.code.clone(),
            message: format!("{self}: {message}; {}", self.advice(error, item)),
        });
        if error.kind.is_permanent() { Outcome::Refused(failure) } else { Outcome::Retry(failure) }
    }

    /// Returns the outcome of the items that were not sent because of the
    /// request limit.
    pub(super) fn request_limit(&self, limit: u32) -> Outcome {
        Outcome::Retry(Arc::new(Failure {
            code: "RequestLimit".to_owned(),
            message: format!(
                "{self}: the refused items were not isolated after {limit} requests; it is retried"
            ),
        }))
    }

    fn advice(&self, error: &CloudFrontError, item: &Item) -> String {
        let Distribution { id, role } = &**self.distribution;
        let principal = || {
            role.as_ref()
                .map_or_else(|| "the function's role".to_owned(), |role| format!("`{}`", role.arn))
        };
        match error.kind {
            ErrorKind::RefusedItem => format!("CloudFront does not accept `{item}`"),
            ErrorKind::TooManyInvalidations => {
                "it is retried; this succeeds when invalidations in progress have completed, usually within minutes".to_owned()
            }
            ErrorKind::Throttled => {
                "the request rate of the whole account is too high; it is retried".to_owned()
            }
            ErrorKind::BatchTooLarge => "CloudFront refuses even a single item as too large".to_owned(),
            ErrorKind::UnknownDistribution => match id {
                DistributionId::Distribution(_) => "correct the distribution id in rules.yaml or `DistributionId`, or set the role of the account that owns it; a multi-tenant distribution is invalidated through its tenants".to_owned(),
                DistributionId::Tenant(_) => "correct the tenant id in rules.yaml, or set the role of the account that owns it".to_owned(),
            },
            ErrorKind::AccessDenied => {
                let action = match id {
                    DistributionId::Distribution(_) => "CreateInvalidation",
                    DistributionId::Tenant(_) => "CreateInvalidationForDistributionTenant",
                };
                format!("allow `cloudfront:{action}` on `{}` to {}", self.resource_arn(), principal())
            }
            ErrorKind::BadCredentials => format!("AWS rejected the credentials of {}", principal()),
            ErrorKind::NotSent => match role {
                Some(Role { arn, .. }) => format!(
                    "allow `sts:AssumeRole` on `{arn}` to the function's role, and allow the function's role and the external id in the trust policy of that role"
                ),
                None => "check the function's credentials, region and endpoint settings".to_owned(),
            },
            _ if error.may_be_accepted => "CloudFront may have accepted it; the same batch has the same caller reference when it is retried, and is not billed twice".to_owned(),
            _ => "it is retried".to_owned(),
        }
    }

    fn resource_arn(&self) -> String {
        let Distribution { id, role } = &**self.distribution;
        let kind = match id {
            DistributionId::Distribution(_) => "distribution",
            DistributionId::Tenant(_) => "distribution-tenant",
        };
        let owner = role.as_ref().map_or(self.function_arn, |role| &role.arn);
        let part = |at| owner.split(':').nth(at);
        // Without an ARN the account is not known; `*` works in a policy too.
        let (partition, account) = (part(1).unwrap_or("aws"), part(4).unwrap_or("*"));
        format!("arn:{partition}:cloudfront::{account}:{kind}/{id}")
    }
}

impl fmt::Display for FailureContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.distribution)?;
        match self.targets {
            [] => Ok(()),
            [target] => write!(f, " (target {target})"),
            targets => write!(f, " (targets {})", targets.join(", ")),
        }
    }
}
