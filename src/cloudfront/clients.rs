//! SDK clients: one for each role, with retries, timeouts and credentials, and
//! the permits that limit the requests of an account.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use aws_config::{Region, SdkConfig, sts::AssumeRoleProvider};
use aws_sdk_cloudfront::{
    Client,
    config::{
        Builder, SharedCredentialsProvider,
        retry::{RetryConfig, RetryPartition, TokenBucket},
        timeout::TimeoutConfig,
    },
};
use tokio::sync::Semaphore;

use super::lock;
use crate::distribution::Role;

/// Requests at once in one AWS account. Users report a limit of one
/// CreateInvalidation every two seconds, with a small burst
/// (<https://github.com/aws/aws-sdk-js/issues/3983>), so more requests would
/// only be throttled. Two, so that one slow response does not block all others.
const REQUESTS_AT_ONCE: usize = 2;

/// The attempts of a request unless `AWS_MAX_ATTEMPTS` sets them. With the
/// standard back-off (1, 2, 4, 8, 16, then 20 s, each times a random fraction)
/// ten attempts take a minute and a half at most, and half of that on average.
/// crates.io uses as many. The deadline of the invocation may end them earlier.
/// <https://github.com/chetan/invalidate-cloudfront-action/issues/18>
const MAX_ATTEMPTS: u32 = 10;

/// The SDK's default number of attempts.
const SDK_MAX_ATTEMPTS: u32 = 3;

/// How long one attempt may take. CloudFront answers in a second or two, also to
/// 3,000 paths. The SDK has no limit of its own.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Shown in the CloudTrail of the account that owns the role.
const SESSION_NAME: &str = "s3-cloudfront-invalidator";

/// CloudFront is a global service, but the SDK needs a region of the partition.
/// Lambda always sets one; this one is used elsewhere.
const DEFAULT_REGION: Region = Region::from_static("us-east-1");

/// One SDK client per role, and the permits of each account.
#[derive(Debug)]
pub(super) struct Clients {
    sdk_config: SdkConfig,
    own: Client,
    /// Built when first needed. Each caches and refreshes its credentials.
    by_role: Mutex<BTreeMap<Role, Client>>,
    function_arn: OnceLock<String>,
    /// By account; `None` is the function's own.
    permits: Mutex<BTreeMap<Option<String>, Arc<Semaphore>>>,
}

impl Clients {
    pub(super) fn new(sdk_config: &SdkConfig, retry: Option<RetryConfig>) -> Self {
        let retry = retry.unwrap_or_else(|| {
            let is_set = std::env::var_os("AWS_MAX_ATTEMPTS").is_some();
            retry_config(sdk_config.retry_config(), is_set)
        });
        let timeouts = sdk_config.timeout_config().map(TimeoutConfig::to_builder);
        let timeouts = timeouts.unwrap_or_default().operation_attempt_timeout(ATTEMPT_TIMEOUT);
        let sdk_config = sdk_config
            .clone()
            .into_builder()
            .retry_config(retry)
            .timeout_config(timeouts.build())
            .region(sdk_config.region().cloned().unwrap_or(DEFAULT_REGION))
            .build();
        Self {
            own: client(&sdk_config),
            sdk_config,
            by_role: Mutex::default(),
            function_arn: OnceLock::new(),
            permits: Mutex::default(),
        }
    }

    pub(super) fn set_function_arn(&self, arn: &str) {
        self.function_arn.get_or_init(|| arn.to_owned());
    }

    pub(super) fn function_arn(&self) -> &str {
        self.function_arn.get().map_or("", String::as_str)
    }

    /// Returns the client that uses a role, or the function's own.
    pub(super) async fn client(&self, role: Option<&Role>) -> Client {
        let Some(role) = role else { return self.own.clone() };
        if let Some(client) = lock(&self.by_role).get(role) {
            return client.clone();
        }
        let mut provider = AssumeRoleProvider::builder(&role.arn)
            .configure(&self.sdk_config)
            .session_name(SESSION_NAME);
        if let Some(external_id) = &role.external_id {
            provider = provider.external_id(external_id);
        }
        let credentials = SharedCredentialsProvider::new(provider.build().await);
        let sdk_config =
            self.sdk_config.clone().into_builder().credentials_provider(credentials).build();
        let client = client(&sdk_config);
        lock(&self.by_role).entry(role.clone()).or_insert(client).clone()
    }

    /// Drops a role's client and its cached credentials, which AWS rejected.
    pub(super) fn forget(&self, role: &Role) {
        lock(&self.by_role).remove(role);
    }

    /// Returns the permits for requests to the role's account.
    pub(super) fn permits(&self, role: Option<&Role>) -> Arc<Semaphore> {
        let account = role
            .map(|role| account(&role.arn))
            .filter(|account| *account != self::account(self.function_arn()))
            .map(str::to_owned);
        let mut permits = lock(&self.permits);
        Arc::clone(
            permits.entry(account).or_insert_with(|| Semaphore::new(REQUESTS_AT_ONCE).into()),
        )
    }
}

fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

fn client(sdk_config: &SdkConfig) -> Client {
    // The SDK's retry quota protects a service from a large fleet. In a warm
    // process an outage would use it up, and later requests would not be retried.
    // Attempts, the deadline and the permits are the limits here.
    let partition = RetryPartition::custom("invalidator").token_bucket(TokenBucket::unlimited());
    Client::from_conf(Builder::from(sdk_config).retry_partition(partition.build()).build())
}

/// Returns the loaded configuration, with [`MAX_ATTEMPTS`] if it has the SDK's
/// default. aws-config does not tell whether the number was set, so the
/// environment does.
fn retry_config(loaded: Option<&RetryConfig>, attempts_are_set: bool) -> RetryConfig {
    let loaded = loaded.cloned().unwrap_or_else(RetryConfig::standard);
    if attempts_are_set || loaded.max_attempts() != SDK_MAX_ATTEMPTS {
        loaded
    } else {
        loaded.with_max_attempts(MAX_ATTEMPTS)
    }
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;
    use aws_sdk_cloudfront::config::retry::RetryMode;

    use super::*;

    #[test]
    fn ten_attempts_unless_set() {
        let attempts =
            |loaded: Option<RetryConfig>, set| retry_config(loaded.as_ref(), set).max_attempts();
        assert_eq!(attempts(None, false), MAX_ATTEMPTS);
        assert_eq!(attempts(Some(RetryConfig::standard()), false), MAX_ATTEMPTS);
        assert_eq!(attempts(Some(RetryConfig::standard()), true), SDK_MAX_ATTEMPTS);
        assert_eq!(attempts(Some(RetryConfig::standard().with_max_attempts(1)), true), 1);
        assert_eq!(attempts(Some(RetryConfig::standard().with_max_attempts(5)), false), 5);
        let adaptive = retry_config(Some(&RetryConfig::adaptive()), false);
        assert_eq!((adaptive.mode(), adaptive.max_attempts()), (RetryMode::Adaptive, MAX_ATTEMPTS));
    }

    #[test]
    fn each_account_has_its_own_permits() {
        let sdk_config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let clients = Clients::new(&sdk_config, None);
        let permits = |account: &str, name: &str| {
            let arn = format!("arn:aws:iam::{account}:role/{name}");
            clients.permits(Some(&Role { arn, external_id: None }))
        };
        let own = clients.permits(None);
        assert_eq!(own.available_permits(), 2);
        let partner = permits("111122223333", "a");
        assert!(Arc::ptr_eq(&partner, &permits("111122223333", "path/b")));
        assert!(!Arc::ptr_eq(&partner, &permits("444455556666", "a")));
        assert!(!Arc::ptr_eq(&partner, &own));

        clients.set_function_arn("arn:aws:lambda:eu-central-1:111122223333:function:f");
        assert!(Arc::ptr_eq(&permits("111122223333", "a"), &own));
        assert!(!Arc::ptr_eq(&permits("444455556666", "a"), &own));
    }
}
