//! The HTTPS clients of the SDK: rustls with ring. docs/performance.md says why not
//! AWS-LC.

use std::time::Duration;

use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

const TLS: Provider = Provider::Rustls(CryptoMode::Ring);

/// The SDK's default.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

/// Makes a client whose users share one TLS configuration and one pool of
/// connections. Otherwise each would read the root certificates of the system
/// twice. It ignores the timeouts that they set for connections.
pub fn shared_client() -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let connector = Connector::builder().connector_settings(settings).tls_provider(TLS).build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}

/// Makes a client for credentials from any source, such as a metadata service
/// with a short timeout.
pub fn client() -> SharedHttpClient {
    Builder::new().tls_provider(TLS).build_https()
}
