//! A CloudFront that lives in this process and behaves like the real one where
//! it matters to somebody who invalidates.
//!
//! [`Simulator::start`] binds a port of 127.0.0.1 and serves until it is
//! dropped. It needs no AWS account: it has credentials and a region of its
//! own, which [`Simulator::environment`] gives to a child process and
//! [`Simulator::sdk_config`] to a client in this one.
//!
//! ```
//! # use cloudfront_simulator::{Options, Simulator};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let simulator = Simulator::start(Options::default()).await?;
//! assert!(simulator.endpoint_url().starts_with("http://127.0.0.1:"));
//! assert!(simulator.invalidations().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # What it speaks
//!
//! - CloudFront's REST-XML of 2020-05-31: CreateInvalidation, GetInvalidation
//!   and ListInvalidations, of distributions and of distribution tenants.
//! - STS's AssumeRole. What is signed with the credentials of a role is
//!   attributed to that role.
//!
//! # How it behaves
//!
//! A CreateInvalidation is judged in this order, and the first objection is
//! the answer:
//!
//! 1. **Signature.** There must be one, made with known and unexpired
//!    credentials, scoped to `us-east-1/cloudfront`. The signature itself and
//!    its date are not verified: the SDK's signer is not what is tested here.
//! 2. **Faults**, scripted by [`Simulator::fail_next`] or rolled by
//!    [`Options::faults`]. They strike no other operation.
//! 3. **Request rate**, over all distributions (`Throttling`).
//! 4. **Permission**: [`Options::denied`] and [`Options::roles`]
//!    (`AccessDenied`), before existence, as IAM does.
//! 5. **Existence**: `NoSuchDistribution`, or `EntityNotFound` for a tenant.
//! 6. **Body**: `MissingBody`, `MalformedInput`, `MalformedXML`,
//!    `InconsistentQuantities`, `BatchTooLarge`, and `InvalidArgument` for
//!    paths and tags. As in the real one, the message does not say which path
//!    it is; [`Reply::Refused`] does.
//! 7. **Caller reference**: the same reference with the same set of items is
//!    the existing invalidation again, uncounted and unbilled; see
//!    [`ReusedReference`] for other items.
//! 8. **Quotas** of the distribution: [`InProgress`], the documented one
//!    (`TooManyInvalidationsInProgress`), and [`PerSecond`], the reported one
//!    (`Throttling`).
//!
//! Then it is accepted, recorded and billed: one path for each item, whether
//! or not the answer reaches the caller, and even when the caller hung up
//! before it was judged. It is `InProgress` for
//! [`Options::completion`], and `Completed` after that.
//!
//! Its rules for paths and tags are written from CloudFront's documentation
//! and users' reports, on purpose apart from [`item`](crate::item): a judge
//! does not borrow the defendant's book. What has no source is marked *guess*.
//!
//! # Time and chance
//!
//! Time is a [`Clock`]: real, or advanced by hand. Chance comes from
//! [`Options::seed`]. Every distribution has dice of its own, so that a run
//! repeats even when distributions are served at the same time.

mod batch;
mod clock;
mod fault;
mod options;
mod quota;
mod record;
mod refusal;
mod router;
mod server;
mod signature;
pub mod sqs;
mod state;
mod sts;
mod xml;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudfront::config::{Credentials, SharedCredentialsProvider};
use tokio::{net::TcpListener, task::JoinHandle};

pub use clock::Clock;
pub use fault::{Fault, Faults};
pub use options::{InProgress, Options, PerSecond, RequestRate, ReusedReference, RoleGrant};
pub use record::{Call, Counters, Operation, Recorded, Reply};

use state::State;

/// The region CloudFront is signed for, wherever the caller runs.
/// <https://docs.aws.amazon.com/general/latest/gr/cf_region.html>
const REGION: &str = "us-east-1";

/// The account the simulator's distributions live in, one of the numbers AWS
/// keeps for examples.
const ACCOUNT: &str = "111122223333";

/// The simulator's own credentials. They open nothing else.
const ACCESS_KEY_ID: &str = "SIMULATOR";
const SECRET_ACCESS_KEY: &str = "simulator-secret";
const SESSION_TOKEN: &str = "simulator-session-token";

/// A running simulator. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// What the connections share.
#[derive(Debug)]
struct Shared {
    options: Options,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulator {
    /// Binds the port and serves on a task of the current runtime.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let state = Mutex::new(State::new(&options));
        let shared = Arc::new(Shared { options, state });
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a child process needs in its environment to reach this CloudFront
    /// and nothing else of AWS.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_CLOUDFRONT", self.endpoint_url()),
            ("AWS_ENDPOINT_URL_STS", self.endpoint_url()),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false".to_owned()),
            ("AWS_USE_FIPS_ENDPOINT", "false".to_owned()),
            ("AWS_USE_DUALSTACK_ENDPOINT", "false".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
            ("AWS_SESSION_TOKEN", SESSION_TOKEN.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// What a client in this process needs to reach this CloudFront. Nothing
    /// is read from the environment, profiles or the metadata service.
    pub fn sdk_config(&self) -> SdkConfig {
        let credentials = Credentials::new(
            ACCESS_KEY_ID,
            SECRET_ACCESS_KEY,
            Some(SESSION_TOKEN.to_owned()),
            None,
            "simulator",
        );
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(self.endpoint_url());
        // AssumeRoleProvider panics without one.
        builder.set_time_source(Some(Default::default()));
        builder.build()
    }

    /// The simulator's clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.options.clock
    }

    /// Lets time pass: invalidations complete, quotas recover, credentials of
    /// roles expire, and answers that wait for [`Options::latency`] go out.
    pub fn advance(&self, by: Duration) {
        self.clock().advance(by);
    }

    /// Makes the next CreateInvalidation calls fail, one fault a call, in the
    /// order they arrive and before any dice are rolled.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.state().scripted.extend(faults);
    }

    /// Everything that was accepted, in the order it was.
    pub fn invalidations(&self) -> Vec<Recorded> {
        self.shared.state().recorded.clone()
    }

    /// Every call, in the order they were answered.
    pub fn requests(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// The totals of [`requests`](Self::requests) and
    /// [`invalidations`](Self::invalidations).
    pub fn counters(&self) -> Counters {
        let state = self.shared.state();
        Counters::new(&state.calls, &state.recorded)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The connections are tasks of the server's, and end with it.
        self.server.abort();
    }
}

#[cfg(test)]
mod tests;
