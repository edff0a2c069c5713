//! A CloudFront simulator for trials and tests of invalidation clients.
//!
//! [`Simulator::sdk_config`] configures an SDK client whose requests are
//! answered in this process, without a socket. [`SimulatorServer`] serves the
//! same API on a port of 127.0.0.1, for other processes. No AWS account is
//! needed: the simulator accepts its own credentials only.
//!
//! ```
//! # use cloudfront_simulator::{Simulator, SimulatorOptions};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};
//! let simulator = Simulator::new(SimulatorOptions::default());
//! let client = aws_sdk_cloudfront::Client::new(&simulator.sdk_config());
//! let paths = Paths::builder().quantity(1).items("/index.html").build()?;
//! let batch = InvalidationBatch::builder().paths(paths).caller_reference("1").build()?;
//! client
//!     .create_invalidation()
//!     .distribution_id("E1EXAMPLE")
//!     .invalidation_batch(batch)
//!     .send()
//!     .await?;
//! assert_eq!(simulator.invalidations()[0].items, ["/index.html"]);
//! # Ok(())
//! # }
//! ```
//!
//! # API
//!
//! - CreateInvalidation, GetInvalidation and ListInvalidations of CloudFront's
//!   REST-XML API of 2020-05-31, for distributions and distribution tenants.
//!   Lists are not paginated.
//! - AssumeRole of STS. Calls signed with the credentials of a role are
//!   attributed to that role.
//!
//! # Behaviour
//!
//! A CreateInvalidation call is checked in this order, and the first failed
//! check is the response:
//!
//! 1. **Signature.** The call must be signed for `us-east-1/cloudfront` with
//!    known and unexpired credentials. The signature itself is not verified.
//! 2. **Faults**, scripted by [`Simulator::fail_next`] or random by
//!    [`SimulatorOptions::faults`]. Other operations have no faults.
//! 3. **Request rate**, over all distributions (`Throttling`).
//! 4. **Permission**: [`SimulatorOptions::denied`] and
//!    [`SimulatorOptions::roles`] (`AccessDenied`), before existence, as in IAM.
//! 5. **Existence**: `NoSuchDistribution`, or `EntityNotFound` for a tenant.
//! 6. **Body**: `MissingBody`, `MalformedXML`, `InconsistentQuantities`,
//!    `BatchTooLarge`, and `InvalidArgument` for paths and tags. As in AWS, the
//!    message does not contain the refused path;
//!    [`CallOutcome::Refused`] does.
//! 7. **Caller reference**: the same reference with the same set of items
//!    returns the existing invalidation, which is neither counted nor billed
//!    again; for other items see [`ReusedReference`].
//! 8. **Quotas** of the distribution: [`InProgress`] is documented
//!    (`TooManyInvalidationsInProgress`), [`PerSecond`] is reported by users
//!    (`Throttling`).
//!
//! Then the batch is accepted, recorded and billed: one path per item, even if
//! the caller disconnected or the response is lost. The invalidation is
//! `InProgress` for [`SimulatorOptions::completion`], then `Completed`.
//!
//! The rules for paths and tags are written from CloudFront's documentation and
//! from users' reports. They are independent of the function's `item` module,
//! so that a bug there cannot hide here. Rules without a source are marked
//! *guess*.
//!
//! # Determinism
//!
//! Time is tokio's, which tests can pause. Random faults come from
//! [`SimulatorOptions::seed`], with a generator per distribution, so that the
//! order in which distributions are served does not change them. With
//! [`Simulator::sdk_config`], a current-thread runtime and paused time, a run
//! depends on nothing but its input.
#![deny(missing_docs)]

mod account;
mod batch;
mod caller;
mod connector;
mod fault;
mod options;
mod quota;
mod record;
mod refusal;
mod route;
mod server;
mod sqs;
mod sts;
mod xml;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use hyper::{Request, Response, body::Bytes};
use tokio::time::Instant;

pub use fault::{Fault, Faults};
pub use options::{
    Counting, InProgress, PerSecond, RequestRate, ReusedReference, RoleGrant, SimulatorOptions,
};
pub use record::{Call, CallOutcome, Counters, Operation, Recorded};
pub use server::SimulatorServer;
pub use sqs::{SqsMessage, SqsOptions, SqsQueue};

use account::Account;
use connector::Service;

/// CloudFront requests are signed for this region, wherever the caller runs.
/// <https://docs.aws.amazon.com/general/latest/gr/cf_region.html>
const REGION: &str = "us-east-1";

/// The account that owns the distributions; AWS reserves it for examples.
const ACCOUNT_ID: &str = "111122223333";

const ACCESS_KEY_ID: &str = "SIMULATOR";
const SECRET_ACCESS_KEY: &str = "simulator-secret";
const SESSION_TOKEN: &str = "simulator-session-token";

/// A CloudFront simulator. Clones share one state.
#[derive(Clone, Debug)]
pub struct Simulator(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: SimulatorOptions,
    started: Instant,
    started_at: SystemTime,
    account: Mutex<Account>,
}

impl Simulator {
    /// Creates a simulator. It serves clients in this process only; see
    /// [`SimulatorServer`] for other processes.
    pub fn new(options: SimulatorOptions) -> Self {
        let account = Mutex::new(Account::new(&options));
        let (started, started_at) = (Instant::now(), SystemTime::now());
        Self(Arc::new(Shared { options, started, started_at, account }))
    }

    /// Returns the configuration for a client in this process.
    pub fn sdk_config(&self) -> SdkConfig {
        connector::sdk_config(self.clone())
    }

    /// The time since the simulator was created.
    pub fn now(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// Makes the next CreateInvalidation calls fail, one fault per call, in the
    /// order in which calls arrive.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.account().scripted.extend(faults);
    }

    /// All accepted invalidations, oldest first.
    pub fn invalidations(&self) -> Vec<Recorded> {
        self.account().recorded.clone()
    }

    /// All calls, in the order in which they were answered.
    pub fn calls(&self) -> Vec<Call> {
        self.account().calls.clone()
    }

    /// The totals of [`calls`](Self::calls) and
    /// [`invalidations`](Self::invalidations).
    pub fn counters(&self) -> Counters {
        let account = self.account();
        Counters::new(&account.calls, &account.recorded)
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.0.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Simulator {
    async fn respond(self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        // In a task of its own, because CloudFront completes a request whose
        // caller disconnects.
        let response = tokio::spawn(async move {
            let Shared { options, started, started_at, .. } = &*self.0;
            if !options.latency.is_zero() {
                tokio::time::sleep(options.latency).await;
            }
            let now = started.elapsed();
            let (response, delay) = self.account().respond(options, now, *started_at, &request);
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            response
        });
        response.await.expect("the request is handled without a panic")
    }
}

#[cfg(test)]
mod tests;
