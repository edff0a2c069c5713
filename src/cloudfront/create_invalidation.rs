//! One CreateInvalidation call: what is sent, what the attempts were, and what
//! the response means.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use aws_sdk_cloudfront::{
    Client,
    config::{
        Builder, ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef, InterceptorContext,
        },
        retry::{ClassifyRetry, RetryAction},
    },
    error::{BoxError, ProvideErrorMetadata},
    operation::{
        create_invalidation::CreateInvalidationError,
        create_invalidation_for_distribution_tenant::CreateInvalidationForDistributionTenantError,
    },
    types::{InvalidationBatch, Paths},
};
use tokio::time::{Instant, timeout_at};

use super::{
    Invalidation,
    clients::Clients,
    error::{CloudFrontError, ErrorKind, is_throttling_code},
    lock,
    request_queue::Batch,
};
use crate::distribution::{Distribution, DistributionId};

/// So many throttled attempts in a row, and a request is halved. With the standard
/// back-off they take four seconds on average. If CloudFront had accepted an
/// earlier attempt whose response was lost, it would return that invalidation.
const THROTTLES_BEFORE_HALVING: u32 = 4;

/// The attempts of one call, the SDK's retries included.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    pub(super) sent: u32,
    pub(super) throttled: u32,
    throttled_in_a_row: u32,
    in_flight: bool,
    /// CloudFront may have accepted an attempt.
    may_be_accepted: bool,
    /// The HTTP status of the last response.
    status: Option<u16>,
    /// The error code or HTTP status of the last error response.
    last_response: Option<String>,
}

/// Creates one invalidation before `stop`.
pub(super) async fn create_invalidation(
    clients: &Clients,
    distribution: &Distribution,
    batch: &Batch,
    stop: Instant,
) -> (Result<Invalidation, CloudFrontError>, Attempts) {
    let attempts = Arc::new(Mutex::new(Attempts::default()));
    let call = async {
        let role = distribution.role.as_ref();
        let permits = clients.permits(role);
        let _permit = permits.acquire().await.expect("the semaphore is never closed");
        // A request that waited for the permit until `stop` must not be sent.
        if Instant::now() >= stop {
            return None;
        }
        let client = clients.client(role).await;
        let counter = AttemptCounter(Arc::clone(&attempts));
        let created = send(&client, &distribution.id, batch, counter).await;
        Some(created.and_then(|created| check(created, lock(&attempts).status)))
    };
    let result = timeout_at(stop, call).await.ok().flatten();
    let attempts = mem::take(&mut *lock(&attempts));
    let may_be_accepted = attempts.may_be_accepted || attempts.in_flight;
    let result = match result {
        None => Err(CloudFrontError::deadline(may_be_accepted, attempts.last_response.as_deref())),
        Some(Err(error)) if attempts.sent == 0 => Err(error.not_sent()),
        Some(Err(error)) if error.kind == ErrorKind::UsedReference => Ok(Invalidation::default()),
        Some(result) => result.map_err(|error| CloudFrontError {
            may_be_accepted: may_be_accepted || error.may_be_accepted,
            ..error
        }),
    };
    (result, attempts)
}

async fn send(
    client: &Client,
    id: &DistributionId,
    batch: &Batch,
    counter: AttemptCounter,
) -> Result<Invalidation, CloudFrontError> {
    let is_small = batch.is_small();
    let items: Vec<String> = batch.items.iter().map(|planned| planned.item.to_string()).collect();
    let quantity = i32::try_from(items.len()).expect("a request has at most 3,000 items");
    let paths = Paths::builder().quantity(quantity).set_items(Some(items)).build();
    let batch = InvalidationBatch::builder()
        .paths(paths.expect("the quantity is set"))
        .caller_reference(&batch.reference)
        .build()
        .expect("paths and reference are set");
    let mut config = Builder::new();
    if !is_small {
        config = config.retry_classifier(UntilThrottled(AttemptCounter(Arc::clone(&counter.0))));
    }
    let created = match id {
        DistributionId::Distribution(id) => {
            let call = client.create_invalidation().distribution_id(id).invalidation_batch(batch);
            let call = call.customize().interceptor(counter).config_override(config);
            call.send().await?.invalidation
        }
        DistributionId::Tenant(id) => {
            let call = client.create_invalidation_for_distribution_tenant();
            let call = call.id(id).invalidation_batch(batch);
            let call = call.customize().interceptor(counter).config_override(config);
            call.send().await?.invalidation
        }
    };
    Ok(created.map_or_else(Invalidation::default, |created| Invalidation {
        id: created.id,
        status: created.status,
    }))
}

/// Checks that CloudFront answered: a success of another server, such as a proxy,
/// is no acceptance.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>
fn check(created: Invalidation, status: Option<u16>) -> Result<Invalidation, CloudFrontError> {
    let problem = match status {
        Some(201) if created.id.is_empty() => "the response has no invalidation id".to_owned(),
        Some(201) => return Ok(created),
        status => format!("the HTTP status is {} instead of 201", status.unwrap_or_default()),
    };
    Err(CloudFrontError {
        kind: ErrorKind::Other,
        code: "UnreadableResponse".to_owned(),
        message: format!("{problem}; check AWS_ENDPOINT_URL_CLOUDFRONT and proxies"),
        may_be_accepted: true,
    })
}

/// Stops the SDK's retries of a request that is halved when it is throttled.
#[derive(Debug)]
struct UntilThrottled(AttemptCounter);

impl ClassifyRetry for UntilThrottled {
    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        let is_throttled = lock(&self.0.0).throttled_in_a_row >= THROTTLES_BEFORE_HALVING;
        if is_throttled { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "UntilThrottled"
    }
}

#[derive(Debug)]
struct AttemptCounter(Arc<Mutex<Attempts>>);

impl Intercept for AttemptCounter {
    fn name(&self) -> &'static str {
        "AttemptCounter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut attempts = lock(&self.0);
        attempts.sent += 1;
        attempts.in_flight = true;
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut attempts = lock(&self.0);
        let was_in_flight = mem::take(&mut attempts.in_flight);
        attempts.status = context.response().map(|response| response.status().as_u16());
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        let code = error.as_operation_error().and_then(|error| {
            None.or_else(|| error.downcast_ref::<CreateInvalidationError>()?.code()).or_else(|| {
                error.downcast_ref::<CreateInvalidationForDistributionTenantError>()?.code()
            })
        });
        let is_throttled = code.is_some_and(is_throttling_code);
        attempts.throttled += u32::from(is_throttled);
        attempts.throttled_in_a_row =
            if is_throttled { attempts.throttled_in_a_row + 1 } else { 0 };
        let mut is_refusal = false;
        if let Some(response) = context.response() {
            let status = response.status();
            let text = || format!("HTTP status {}", status.as_u16());
            attempts.last_response = Some(code.map_or_else(text, str::to_owned));
            is_refusal = status.is_client_error();
        }
        attempts.may_be_accepted |= was_in_flight && !is_refusal;
        attempts.may_be_accepted &= attempts.throttled_in_a_row < THROTTLES_BEFORE_HALVING;
        Ok(())
    }
}
