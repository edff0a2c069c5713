use std::sync::Arc;

use super::{Failure, error::Error};
use crate::{
    distribution::{Distribution, DistributionId, Role},
    item::Item,
};

/// What failures of one distribution are told with.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    pub(super) distribution: &'a Distribution,
    pub(super) targets: &'a [Arc<str>],
    /// The partition of the function's region.
    pub(super) partition: &'static str,
}

impl Teller<'_> {
    /// Why a request failed. `alone` is the item of a request with just one.
    pub(super) fn failure(&self, error: &Error, alone: Option<&Item>) -> Arc<Failure> {
        let Self { distribution, .. } = self;
        let said = error.message();
        let said = said.trim().trim_end_matches('.');
        let advice = if error.is_refused_path() {
            match alone {
                Some(item) => format!("CloudFront does not take `{item}`"),
                None => "one of the items with it is not taken by CloudFront".to_owned(),
            }
        } else if error.is_too_many_invalidations() {
            "it is to be sent again in some minutes, when invalidations are complete".to_owned()
        } else if error.is_throttled() {
            "requests of the whole account come too fast; it is to be sent again".to_owned()
        } else if error.is_batch_too_large() {
            "CloudFront finds even a single item too many".to_owned()
        } else if error.is_unknown_distribution() {
            let (what, other) = match distribution.id {
                DistributionId::Distribution(_) => {
                    ("distribution", "; a multi-tenant distribution is invalidated by its tenants")
                }
                DistributionId::Tenant(_) => ("distribution tenant", ""),
            };
            format!("correct the {what} in rules.yaml, or the role that reaches it{other}")
        } else if error.is_access_denied() {
            format!(
                "allow `{}` on `{}` to {}",
                action(&distribution.id),
                self.resource(),
                who(distribution.role.as_ref())
            )
        } else if error.is_bad_credentials() {
            format!("the credentials of {} were not taken", who(distribution.role.as_ref()))
        } else if error.is_unsent() {
            match &distribution.role {
                Some(Role { arn, .. }) => format!(
                    "allow `sts:AssumeRole` on `{arn}` to the function's role, and let that role's trust policy name the function's role and the external id"
                ),
                None => "check the function's credentials, region and endpoint settings".to_owned(),
            }
        } else if error.is_outcome_unknown() {
            "CloudFront may have accepted it; the same batch sent again has the same caller reference and is not billed twice".to_owned()
        } else {
            "it is to be sent again".to_owned()
        };
        Arc::new(Failure { code: error.code(), message: format!("{self}: {said}; {advice}") })
    }

    /// Why an item was not sent although there is time.
    pub(super) fn not_isolated(&self, limit: u32) -> Arc<Failure> {
        Arc::new(Failure {
            code: "RequestLimit".to_owned(),
            message: format!(
                "{self}: a batch that CloudFront refuses was not taken apart further after {limit} requests; it is to be sent again"
            ),
        })
    }

    fn resource(&self) -> String {
        let kind = match self.distribution.id {
            DistributionId::Distribution(_) => "distribution",
            DistributionId::Tenant(_) => "distribution-tenant",
        };
        let mut parts = self.distribution.role.iter().flat_map(|role| role.arn.split(':')).skip(1);
        let partition = parts.next().unwrap_or(self.partition);
        // The function does not know its own account; `*` is as good in a policy.
        let account = parts.nth(2).unwrap_or("*");
        format!("arn:{partition}:cloudfront::{account}:{kind}/{}", self.distribution.id)
    }
}

impl std::fmt::Display for Teller<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.distribution)?;
        match self.targets {
            [] => Ok(()),
            [one] => write!(f, " (target {one})"),
            many => write!(f, " (targets {})", many.join(", ")),
        }
    }
}

/// The IAM action that invalidating needs.
fn action(id: &DistributionId) -> &'static str {
    match id {
        DistributionId::Distribution(_) => "cloudfront:CreateInvalidation",
        DistributionId::Tenant(_) => "cloudfront:CreateInvalidationForDistributionTenant",
    }
}

fn who(role: Option<&Role>) -> String {
    role.map_or_else(|| "the function's role".to_owned(), |role| format!("`{}`", role.arn))
}

/// The partition of a region.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
pub(super) fn partition(region: Option<&str>) -> &'static str {
    match region {
        Some(region) if region.starts_with("cn-") => "aws-cn",
        Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
        Some(region) if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}
