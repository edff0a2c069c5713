//! Drives the simulator with the real SDK, and where the SDK is too well
//! behaved, with bytes.

mod api;
mod fault;
mod http;
mod limit;
mod permission;
mod refusal;

use aws_sdk_cloudfront::{
    Client,
    config::{Builder, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    types::{Invalidation, InvalidationBatch, Paths},
};

use super::*;
use s3_cloudfront_invalidator::distribution::DistributionId;

const SITE: &str = "E1EXAMPLE1WWW";
const BLOG: &str = "E2EXAMPLE2BLOG";
const TENANT: &str = "dt_2EXAMPLE1abcd";

async fn start(options: Options) -> Simulator {
    Simulator::start(options).await.expect("a free port")
}

/// Options whose time only moves by hand.
fn manual() -> Options {
    Options { clock: Clock::manual(), ..Options::default() }
}

fn id(text: &str) -> DistributionId {
    DistributionId::distribution(text).or_else(|_| DistributionId::tenant(text)).unwrap()
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A client that does not retry, so that every answer is seen.
fn client(config: &SdkConfig) -> Client {
    let config = Builder::from(config).retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

fn batch(reference: &str, items: &[impl AsRef<str>]) -> InvalidationBatch {
    let items: Vec<String> = items.iter().map(|item| item.as_ref().to_owned()).collect();
    let paths = Paths::builder()
        .quantity(i32::try_from(items.len()).unwrap())
        .set_items(Some(items))
        .build()
        .unwrap();
    InvalidationBatch::builder().paths(paths).caller_reference(reference).build().unwrap()
}

/// Sends an invalidation; an error is its code, or `dispatch` when the
/// connection was lost.
async fn send(
    client: &Client,
    target: &str,
    batch: InvalidationBatch,
) -> Result<Invalidation, String> {
    let (invalidation, location) = match id(target) {
        DistributionId::Distribution(id) => {
            let call = client.create_invalidation().distribution_id(id).invalidation_batch(batch);
            let output = call.send().await.map_err(|error| code(&error))?;
            (output.invalidation, output.location)
        }
        DistributionId::Tenant(id) => {
            let call = client.create_invalidation_for_distribution_tenant().id(id);
            let output =
                call.invalidation_batch(batch).send().await.map_err(|error| code(&error))?;
            (output.invalidation, output.location)
        }
    };
    let invalidation = invalidation.expect("an invalidation in the answer");
    let end = format!("{target}/invalidation/{}", invalidation.id);
    assert!(location.expect("a location").ends_with(&end));
    Ok(invalidation)
}

fn code<E: ProvideErrorMetadata + std::fmt::Debug>(error: &SdkError<E>) -> String {
    match error {
        SdkError::DispatchFailure(_) => "dispatch".to_owned(),
        error => error.code().unwrap_or_else(|| panic!("no code: {error:?}")).to_owned(),
    }
}

/// The code of the last answer, with what AWS would not say.
fn last_refusal(simulator: &Simulator) -> (u16, String, String) {
    match simulator.requests().pop().map(|call| call.reply) {
        Some(Reply::Refused { status, code, why, .. }) => (status, code, why.unwrap_or_default()),
        other => panic!("no refusal: {other:?}"),
    }
}
