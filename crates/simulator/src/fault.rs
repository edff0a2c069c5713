//! Failures that a client must survive, scripted or random.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::refusal::Refusal;

/// The shares of CreateInvalidation calls, from 0 to 1, that fail at random.
/// A call has at most one fault, so the sum must not exceed 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// [`Fault::Throttle`].
    pub throttle: f64,
    /// [`Fault::InternalError`].
    pub internal_error: f64,
    /// [`Fault::Unavailable`].
    pub unavailable: f64,
    /// [`Fault::DropBefore`].
    pub drop_before: f64,
    /// [`Fault::DropAfter`].
    pub drop_after: f64,
    /// [`Fault::Slow`].
    pub slow: f64,
}

/// A fault of a CreateInvalidation call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `Throttling`.
    Throttle,
    /// A response with status 500.
    InternalError,
    /// A response with status 503.
    Unavailable,
    /// The connection is cut before the call takes effect.
    DropBefore,
    /// The connection is cut after the batch is accepted. A refused call gets
    /// its error response.
    DropAfter,
    /// The call takes effect, but the response takes [`Fault::SLOW`].
    Slow,
}

impl Faults {
    /// A bad day: 30 % of the calls are throttled, 10 % fail with a 5xx status,
    /// 5 % lose their connection before and 5 % after acceptance.
    pub fn chaos() -> Self {
        Self {
            throttle: 0.30,
            internal_error: 0.05,
            unavailable: 0.05,
            drop_before: 0.05,
            drop_after: 0.05,
            slow: 0.0,
        }
    }

    pub(crate) fn roll(&self, rng: &mut fastrand::Rng) -> Option<Fault> {
        // One number per call, whatever the shares, so that equal calls of two
        // runs have equal luck.
        let mut roll = rng.f64();
        for (share, fault) in [
            (self.throttle, Fault::Throttle),
            (self.internal_error, Fault::InternalError),
            (self.unavailable, Fault::Unavailable),
            (self.drop_before, Fault::DropBefore),
            (self.drop_after, Fault::DropAfter),
            (self.slow, Fault::Slow),
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
    /// How long a slow response takes.
    pub const SLOW: Duration = Duration::from_secs(4);

    /// The error response; `None` if the connection is cut.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::DropBefore | Self::DropAfter | Self::Slow => None,
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
        }
    }
}

/// The random numbers of one distribution.
pub(crate) fn rng(seed: u64, distribution: &str) -> fastrand::Rng {
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(distribution);
    let mut first = [0; 8];
    first.copy_from_slice(&digest.finalize()[..8]);
    fastrand::Rng::with_seed(u64::from_be_bytes(first))
}
