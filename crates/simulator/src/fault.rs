use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use s3_cloudfront_invalidator::distribution::DistributionId;

/// How often a CreateInvalidation fails for no reason of its own: shares of
/// the calls, from 0 to 1. A call meets one fault at most, so that the shares
/// add up to at most 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// `Throttling`.
    pub throttle: f64,
    /// A 500.
    pub internal_error: f64,
    /// A 503.
    pub unavailable: f64,
    /// The connection is cut, and nothing was done.
    pub drop_before: f64,
    /// The connection is cut, but what was to be accepted is accepted. A call
    /// that is refused gets its answer all the same.
    pub drop_after: f64,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `Throttling`.
    Throttle,
    /// A 500.
    InternalError,
    /// A 503.
    Unavailable,
    /// The connection is cut before anything is done.
    DropBefore,
    /// The connection is cut after acceptance.
    DropAfter,
    /// Any other error AWS might answer.
    Error {
        /// The HTTP status.
        status: u16,
        /// AWS's code.
        code: Cow<'static, str>,
        /// AWS's text.
        message: Cow<'static, str>,
    },
}

impl Faults {
    /// What the dice say about one call.
    pub(super) fn roll(&self, dice: &mut fastrand::Rng) -> Option<Fault> {
        // One roll a call whatever the shares, so that the same call of two
        // runs meets the same luck.
        let mut roll = dice.f64();
        for (share, fault) in [
            (self.throttle, Fault::Throttle),
            (self.internal_error, Fault::InternalError),
            (self.unavailable, Fault::Unavailable),
            (self.drop_before, Fault::DropBefore),
            (self.drop_after, Fault::DropAfter),
        ] {
            if roll < share {
                return Some(fault);
            }
            roll -= share;
        }
        None
    }
}

impl Fault {
    /// The answer of a fault that is one.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::DropBefore | Self::DropAfter => None,
            Self::Throttle => Some(Refusal::throttled()),
            Self::InternalError => Some(Refusal::new(
                500,
                "InternalError",
                "We encountered an internal error. Please try again.",
            )),
            // https://github.com/aws/aws-cdk/issues/15891
            Self::Unavailable => Some(Refusal::new(
                503,
                "ServiceUnavailable",
                "CloudFront encountered an internal error. Please try again.",
            )),
            Self::Error { status, code, message } => {
                Some(Refusal::new(*status, code.clone(), message.clone()))
            }
        }
    }
}

/// The dice of one distribution.
pub(super) fn dice(seed: u64, id: &DistributionId) -> fastrand::Rng {
    let digest =
        Sha256::new().chain_update(seed.to_be_bytes()).chain_update(id.as_str()).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    fastrand::Rng::with_seed(u64::from_be_bytes(first))
}
