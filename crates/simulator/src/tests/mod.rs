//! Calls the simulator with the SDK, in paused time.

mod batch;
mod fault;
mod invalidation;
mod quota;
mod refusal;
mod role;

use std::fmt::Debug;

use aws_sdk_cloudfront::{
    Client,
    config::{Builder, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    types::{Invalidation, InvalidationBatch, Paths},
};
use tokio::time::advance;

use super::*;

const SITE: &str = "E1EXAMPLE1WWW";
const BLOG: &str = "E2EXAMPLE2BLOG";
const TENANT: &str = "dt_2EXAMPLE1abcd";

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A simulator and a client that does not retry.
fn start(options: SimulatorOptions) -> (Simulator, Client) {
    let simulator = Simulator::new(options);
    let client = client(&simulator.sdk_config());
    (simulator, client)
}

fn client(config: &SdkConfig) -> Client {
    Client::from_conf(Builder::from(config).retry_config(RetryConfig::disabled()).build())
}

fn batch(reference: &str, items: &[impl AsRef<str>]) -> InvalidationBatch {
    let items: Vec<String> = items.iter().map(|item| item.as_ref().to_owned()).collect();
    let quantity = i32::try_from(items.len()).unwrap();
    let paths = Paths::builder().quantity(quantity).set_items(Some(items)).build().unwrap();
    InvalidationBatch::builder().paths(paths).caller_reference(reference).build().unwrap()
}

/// Creates an invalidation; the error is its code.
async fn send(
    client: &Client,
    target: &str,
    batch: InvalidationBatch,
) -> Result<Invalidation, String> {
    let (invalidation, location) = if target.starts_with("dt_") {
        let call = client.create_invalidation_for_distribution_tenant().id(target);
        let output = call.invalidation_batch(batch).send().await.map_err(|e| code(&e))?;
        (output.invalidation, output.location)
    } else {
        let call = client.create_invalidation().distribution_id(target);
        let output = call.invalidation_batch(batch).send().await.map_err(|e| code(&e))?;
        (output.invalidation, output.location)
    };
    let invalidation = invalidation.unwrap();
    let path = format!("{target}/invalidation/{}", invalidation.id);
    assert!(location.unwrap().ends_with(&path));
    Ok(invalidation)
}

/// The code of the response to an invalidation of these items, or `ok`.
async fn result(
    client: &Client,
    target: &str,
    reference: &str,
    items: &[impl AsRef<str>],
) -> String {
    match send(client, target, batch(reference, items)).await {
        Ok(_) => "ok".to_owned(),
        Err(code) => code,
    }
}

/// The error code, or `dispatch` if the connection was cut.
fn code<E: ProvideErrorMetadata + Debug>(error: &SdkError<E>) -> String {
    match error {
        SdkError::DispatchFailure(_) => "dispatch".to_owned(),
        error => error.code().unwrap().to_owned(),
    }
}

/// The status, message and details of the last response, which is an error.
fn last_refusal(simulator: &Simulator) -> (u16, String, String) {
    match simulator.calls().pop().unwrap().outcome {
        CallOutcome::Refused { status, message, why, .. } => {
            (status, message, why.unwrap_or_default())
        }
        other => panic!("not refused: {other:?}"),
    }
}
