//! The distributions and distribution tenants that are invalidated.

use std::fmt;

use serde::Serialize;

/// A distribution or a distribution tenant, and the role that may invalidate
/// it. Targets with an equal value share one plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Distribution {
    /// The id for the CloudFront API.
    pub id: DistributionId,
    /// The role to assume; `None` for the function's own role.
    pub role: Option<Role>,
}

/// The id of a distribution or of a distribution tenant. As JSON it is
/// `{"distribution": "E…"}` or `{"tenant": "dt_…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DistributionId {
    /// `E` and 5 to 31 more of `0-9A-Z`.
    Distribution(String),
    /// `dt_` and letters or digits.
    Tenant(String),
}

/// An IAM role in the account that owns the distribution.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Role {
    /// `arn:PARTITION:iam::ACCOUNT:role/NAME`.
    pub arn: String,
    /// The external id that the role's trust policy requires.
    pub external_id: Option<String>,
}

/// The error for a malformed id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    #[error(
        "`{0}` is not a distribution id: expected `E` and 5 to 31 more of 0-9 and A-Z, as in `E2EXAMPLE1ABCD`"
    )]
    Distribution(String),
    #[error(
        "`{0}` is not a distribution tenant id: expected `dt_` and letters or digits, as in `dt_2EXAMPLE1abcd`"
    )]
    Tenant(String),
}

impl DistributionId {
    pub fn distribution(text: &str) -> Result<Self, InvalidId> {
        let is_valid = (6..=32).contains(&text.len())
            && text.starts_with('E')
            && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        let text = text.to_owned();
        if is_valid { Ok(Self::Distribution(text)) } else { Err(InvalidId::Distribution(text)) }
    }

    pub fn tenant(text: &str) -> Result<Self, InvalidId> {
        let rest = text.strip_prefix("dt_").unwrap_or_default();
        let is_valid = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric());
        let text = text.to_owned();
        if is_valid { Ok(Self::Tenant(text)) } else { Err(InvalidId::Tenant(text)) }
    }

    /// Returns the id as AWS writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Distribution(id) | Self::Tenant(id) => id,
        }
    }
}

impl fmt::Display for DistributionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl From<DistributionId> for Distribution {
    fn from(id: DistributionId) -> Self {
        Self { id, role: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        for good in ["E1EXAM", "E1EXAMPLE1WWW", "EABCDEFGHIJKLMNOPQRSTUVWXYZ01234"] {
            assert!(DistributionId::distribution(good).is_ok(), "{good}");
        }
        let too_long = "EABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
        for bad in ["", "E1234", "D1EXAMPLE", "e1example", "E1EXAMPLE ", "E1-EXAMPLE", too_long] {
            assert!(DistributionId::distribution(bad).is_err(), "{bad}");
        }
        assert!(DistributionId::tenant("dt_2EXAMPLEabc").is_ok());
        for bad in ["", "dt_", "dt-1", "E1EXAMPLE", "dt_a/b", "dt_a b"] {
            assert!(DistributionId::tenant(bad).is_err(), "{bad}");
        }
    }
}
