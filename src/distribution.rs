//! What is invalidated: a distribution or a distribution tenant, reached with
//! one role.

use std::fmt;

/// A distribution or a distribution tenant, and the role that may invalidate
/// it. Two targets with an equal value share one plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Distribution {
    /// Its id.
    pub id: DistributionId,
    /// The role to assume; `None` for the function's own.
    pub role: Option<Role>,
}

/// The id of a distribution or of a distribution tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// What the role's trust policy asks callers to send.
    pub external_id: Option<String>,
}

/// A text that is no distribution or tenant id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a distribution id.
    #[error(
        "`{0}` is not a distribution id: expected `E` and 5 to 31 more of 0-9 and A-Z, as in `E2EXAMPLE1ABCD`"
    )]
    Distribution(String),
    /// Not a tenant id.
    #[error(
        "`{0}` is not a distribution tenant id: expected `dt_` and letters or digits, as in `dt_2EXAMPLE1abcd`"
    )]
    Tenant(String),
}

impl DistributionId {
    /// Reads a distribution id.
    pub fn distribution(text: &str) -> Result<Self, InvalidId> {
        let valid = (6..=32).contains(&text.len())
            && text.starts_with('E')
            && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if valid {
            Ok(Self::Distribution(text.to_owned()))
        } else {
            Err(InvalidId::Distribution(text.to_owned()))
        }
    }

    /// Reads a distribution tenant id.
    pub fn tenant(text: &str) -> Result<Self, InvalidId> {
        let valid = text.strip_prefix("dt_").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if valid {
            Ok(Self::Tenant(text.to_owned()))
        } else {
            Err(InvalidId::Tenant(text.to_owned()))
        }
    }

    /// The id as AWS spells it.
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
    fn distribution_ids() {
        for good in ["E1EXAM", "E1EXAMPLE1WWW", "EABCDEFGHIJKLMNOPQRSTUVWXYZ01234"] {
            assert!(DistributionId::distribution(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "E1234",
            "D1EXAMPLE",
            "e1example",
            "E1EXAMPLE ",
            "E1-EXAMPLE",
            "EABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
        ] {
            assert!(DistributionId::distribution(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tenant_ids() {
        assert!(DistributionId::tenant("dt_2EXAMPLEabc").is_ok());
        for bad in ["", "dt_", "dt-1", "E1EXAMPLE", "dt_a/b", "dt_a b"] {
            assert!(DistributionId::tenant(bad).is_err(), "{bad}");
        }
    }
}
