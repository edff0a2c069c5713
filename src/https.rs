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

#[cfg(test)]
mod tests {
    use aws_sdk_cloudfront::{
        Client, Config,
        config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    };
    use tokio::net::TcpListener;

    use super::*;

    /// The first byte of a TLS handshake.
    /// <https://www.rfc-editor.org/rfc/rfc8446#section-5.1>
    const HANDSHAKE: u8 = 22;

    #[tokio::test]
    async fn clients_start_with_a_tls_handshake() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        for http_client in [shared_client(), client()] {
            let config = Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("us-east-1"))
                .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
                .retry_config(RetryConfig::disabled())
                .endpoint_url(&url)
                .http_client(http_client)
                .build();
            let cloudfront = Client::from_conf(config);
            let request =
                cloudfront.get_invalidation().distribution_id("E1EXAMPLE").id("I1").send();
            let first_byte = async {
                let (stream, _) = listener.accept().await.unwrap();
                let mut bytes = [0];
                stream.peek(&mut bytes).await.unwrap();
                bytes
            };
            let (response, first_byte) = tokio::join!(request, first_byte);
            assert_eq!(first_byte, [HANDSHAKE]);
            assert!(response.is_err(), "nothing answered");
        }
    }
}
