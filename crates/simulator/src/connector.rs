//! Clients in this process: their configuration, and the HTTP client that sends
//! requests to a simulated service without a socket.

use std::{fmt::Debug, future::Future, sync::LazyLock, time::SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudfront::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    retries::ErrorKind,
};
use hyper::{Request, Response, body::Bytes};
use tokio::time::Instant;

use super::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, SESSION_TOKEN};

/// A simulated service of AWS.
pub(crate) trait Service: Clone + Debug + Send + Sync + 'static {
    /// Answers a request; `None` cuts the connection.
    fn respond(
        self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Option<Response<Bytes>>> + Send;
}

/// Returns the configuration for a client of a service. Nothing is read from the
/// environment, profiles or the metadata service.
pub(crate) fn sdk_config(service: impl Service) -> SdkConfig {
    let token = Some(SESSION_TOKEN.to_owned());
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, token, None, "simulator");
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(InProcess(service.clone())));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
        .time_source(SharedTimeSource::new(RuntimeTime))
        .build()
}

/// The time of day on the clock of the runtime, which tests can pause.
#[derive(Debug)]
struct RuntimeTime;

impl TimeSource for RuntimeTime {
    fn now(&self) -> SystemTime {
        now()
    }
}

/// The time of day on the clock of the runtime.
pub(crate) fn now() -> SystemTime {
    static START: LazyLock<(Instant, SystemTime)> =
        LazyLock::new(|| (Instant::now(), SystemTime::now()));
    let (instant, time) = *START;
    time + instant.elapsed()
}

#[derive(Debug)]
struct InProcess<S>(S);

impl<S: Service> HttpConnector for InProcess<S> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let service = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
            let request =
                request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
            // The SDK's own connector reports a cut connection in this way.
            let cut = ConnectorError::other(
                "the connection was cut".into(),
                Some(ErrorKind::TransientError),
            );
            let response = service.respond(request).await.ok_or(cut)?;
            HttpResponse::try_from(response.map(Into::into))
                .map_err(|e| ConnectorError::user(e.into()))
        })
    }
}
