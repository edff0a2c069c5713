//! The HTTP client that sends requests to a simulator in this process.

use aws_sdk_cloudfront::config::SharedHttpClient;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    retries::ErrorKind,
};
use hyper::body::Bytes;

use super::Simulator;

pub(crate) fn http_client(simulator: Simulator) -> SharedHttpClient {
    http_client_fn(move |_, _| SharedHttpConnector::new(InProcess(simulator.clone())))
}

#[derive(Debug)]
struct InProcess(Simulator);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let simulator = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
            let request =
                request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
            // The SDK's own connector reports a cut connection in this way.
            let cut = ConnectorError::other(
                "the connection was cut".into(),
                Some(ErrorKind::TransientError),
            );
            let response = simulator.respond(request).await.ok_or(cut)?;
            HttpResponse::try_from(response.map(Into::into))
                .map_err(|e| ConnectorError::user(e.into()))
        })
    }
}
