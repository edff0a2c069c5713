use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_cloudfront::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef},
        timeout::TimeoutConfig,
    },
    error::{BoxError, ProvideErrorMetadata},
    operation::{
        create_invalidation::CreateInvalidationError,
        create_invalidation_for_distribution_tenant::CreateInvalidationForDistributionTenantError,
    },
    types::{InvalidationBatch, Paths},
};
use tokio::time::{Instant, timeout_at};

use super::{Invalidation, clients::Clients, error::Error, error::is_throttling_code};
use crate::distribution::{Distribution, DistributionId};

/// How long one try may take. CloudFront answers in a second or two, also to
/// 3,000 paths; the SDK by itself would wait for ever.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// What one call cost, for the counters.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Requests that left, the SDK's own retries included.
    pub(super) sent: u32,
    /// Those that were throttled.
    pub(super) throttled: u32,
    /// What CloudFront last answered, if it was an error.
    answer: Option<String>,
    /// A request is on its way.
    in_flight: bool,
    /// A request got no answer, or an error of the server.
    unsure: bool,
}

/// Creates one invalidation, or says why not before `stop`.
pub(super) async fn create_invalidation(
    clients: &Clients,
    distribution: &Distribution,
    reference: &str,
    items: Vec<String>,
    stop: Instant,
) -> (Result<Invalidation, Error>, Tries) {
    if Instant::now() >= stop {
        return (Err(Error::Deadline { unsure: false, answer: None }), Tries::default());
    }
    let tries = Arc::new(Mutex::new(Tries::default()));
    let call = async {
        let role = distribution.role.as_ref();
        let turns = clients.turns(role);
        let _turn = turns.acquire().await.expect("turns are never closed");
        if Instant::now() >= stop {
            return Err(Error::Deadline { unsure: false, answer: None });
        }
        let client = clients.client(role).await;
        send(&client, &distribution.id, batch(reference, items), stop, Counter(Arc::clone(&tries)))
            .await
    };
    let result = timeout_at(stop, call).await;
    let mut tries = std::mem::take(&mut *tries.lock().unwrap_or_else(PoisonError::into_inner));
    let result = match result {
        Ok(Ok(invalidation)) => Ok(invalidation),
        Ok(Err(error)) if !error.is_timeout() || Instant::now() < stop => {
            Err(if tries.sent == 0 { Error::Unsent(error.into()) } else { error })
        }
        Ok(Err(_)) | Err(_) => {
            let unsure = tries.in_flight || tries.unsure;
            Err(Error::Deadline { unsure, answer: tries.answer.take() })
        }
    };
    (result, tries)
}

fn batch(reference: &str, items: Vec<String>) -> InvalidationBatch {
    let quantity = i32::try_from(items.len()).expect("a request has at most 3,000 items");
    let paths = Paths::builder().quantity(quantity).set_items(Some(items)).build();
    InvalidationBatch::builder()
        .paths(paths.expect("the quantity is set"))
        .caller_reference(reference)
        .build()
        .expect("paths and reference are set")
}

async fn send(
    client: &Client,
    id: &DistributionId,
    batch: InvalidationBatch,
    stop: Instant,
    counter: Counter,
) -> Result<Invalidation, Error> {
    let left = stop.saturating_duration_since(Instant::now());
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(left)
        .operation_attempt_timeout(left.min(ATTEMPT_TIMEOUT))
        .build();
    let config = aws_sdk_cloudfront::Config::builder().timeout_config(timeouts);
    let created = match id {
        DistributionId::Distribution(id) => {
            client
                .create_invalidation()
                .distribution_id(id)
                .invalidation_batch(batch)
                .customize()
                .config_override(config)
                .interceptor(counter)
                .send()
                .await?
                .invalidation
        }
        DistributionId::Tenant(id) => {
            client
                .create_invalidation_for_distribution_tenant()
                .id(id)
                .invalidation_batch(batch)
                .customize()
                .config_override(config)
                .interceptor(counter)
                .send()
                .await?
                .invalidation
        }
    };
    // A 201 without a body accepts all the same.
    Ok(created.map_or_else(Invalidation::unnamed, |created| Invalidation {
        id: created.id,
        status: created.status,
    }))
}

/// Counts the SDK's tries.
#[derive(Debug)]
struct Counter(Arc<Mutex<Tries>>);

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "Counter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.sent += 1;
        tries.in_flight = true;
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_in_flight = std::mem::take(&mut tries.in_flight);
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        let answer = error.as_operation_error();
        let code = answer.and_then(|error| {
            None.or_else(|| error.downcast_ref::<CreateInvalidationError>()?.code()).or_else(|| {
                error.downcast_ref::<CreateInvalidationForDistributionTenantError>()?.code()
            })
        });
        tries.throttled += u32::from(code.is_some_and(is_throttling_code));
        let mut is_refusal = false;
        if let Some(response) = context.response() {
            let status = response.status();
            let text = || format!("HTTP status {}", status.as_u16());
            tries.answer = Some(code.map_or_else(text, str::to_owned));
            is_refusal = status.is_client_error();
        }
        tries.unsure |= was_in_flight && !is_refusal;
        Ok(())
    }
}
