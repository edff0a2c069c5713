use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_config::{Region, SdkConfig, sts::AssumeRoleProvider};
use aws_sdk_cloudfront::{
    Client,
    config::{
        SharedCredentialsProvider,
        retry::{RetryConfig, RetryPartition, TokenBucket},
    },
};
use once_cell::sync::OnceCell;
use tokio::sync::Semaphore;

use crate::distribution::Role;

/// Requests at once in one AWS account. CloudFront is said to let an account
/// make one CreateInvalidation every two seconds, with a small burst
/// (<https://github.com/aws/aws-sdk-js/issues/3983>), so that more would only
/// throttle each other; two, so that one slow answer does not hold up all else.
const REQUESTS_AT_ONCE: usize = 2;

/// How often the SDK tries a request, unless `AWS_MAX_ATTEMPTS` says so. With
/// the standard back-off (1, 2, 4, 8, 16, then 20 s, each times a random
/// fraction) ten tries take a minute and a half at most, and one on average:
/// as crates.io does it. The deadline of the invocation may end them earlier.
/// <https://github.com/chetan/invalidate-cloudfront-action/issues/18>
const MAX_ATTEMPTS: u32 = 10;

/// The SDK's own number of tries, when nobody set one.
const SDK_MAX_ATTEMPTS: u32 = 3;

/// Shown in the other account's CloudTrail.
const SESSION_NAME: &str = "s3-cloudfront-invalidator";

/// CloudFront is one service for the world; the SDK only wants some region of
/// the partition, which Lambda always sets. This one serves where nobody does.
const DEFAULT_REGION: Region = Region::from_static("us-east-1");

/// One SDK client per role, and the turns of each account.
#[derive(Debug)]
pub(super) struct Clients {
    sdk_config: SdkConfig,
    own: Client,
    /// Built when first needed. Credentials are cached and refreshed in each.
    by_role: Mutex<BTreeMap<Role, Client>>,
    /// The function's own account, once it is known.
    own_account: OnceCell<String>,
    /// By account; `None` is the function's own.
    turns: Mutex<BTreeMap<Option<String>, Arc<Semaphore>>>,
}

impl Clients {
    pub(super) fn new(sdk_config: &SdkConfig, retry: Option<RetryConfig>) -> Self {
        let retry = retry.unwrap_or_else(|| {
            let is_set = std::env::var_os("AWS_MAX_ATTEMPTS").is_some();
            retry_config(sdk_config.retry_config(), is_set)
        });
        let region = sdk_config.region().cloned().unwrap_or(DEFAULT_REGION);
        let sdk_config =
            sdk_config.clone().into_builder().retry_config(retry).region(region).build();
        Self {
            own: client(&sdk_config),
            sdk_config,
            by_role: Mutex::default(),
            own_account: OnceCell::new(),
            turns: Mutex::default(),
        }
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.sdk_config.region().map(Region::as_ref)
    }

    /// Makes known in which account the function runs, so that a role of that
    /// account shares its turns.
    pub(super) fn set_own_account(&self, account: &str) {
        let _ = self.own_account.set(account.to_owned());
    }

    /// The client that acts with a role, or with the function's own.
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
        let sdk_config = self
            .sdk_config
            .clone()
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(provider.build().await))
            .build();
        let client = client(&sdk_config);
        lock(&self.by_role).entry(role.clone()).or_insert(client).clone()
    }

    /// Drops a role's client with its cached credentials, which were not taken.
    pub(super) fn forget(&self, role: &Role) {
        lock(&self.by_role).remove(role);
    }

    /// What a request to the role's account must hold.
    pub(super) fn turns(&self, role: Option<&Role>) -> Arc<Semaphore> {
        let account = role
            .and_then(|role| role.arn.split(':').nth(4))
            .filter(|account| self.own_account.get().is_none_or(|own| own != account))
            .map(str::to_owned);
        let mut turns = lock(&self.turns);
        Arc::clone(turns.entry(account).or_insert_with(|| Semaphore::new(REQUESTS_AT_ONCE).into()))
    }
}

fn client(sdk_config: &SdkConfig) -> Client {
    // The SDK's retry quota protects a service from a fleet that retries; it
    // would outlive an outage in a warm process and then leave the first try
    // without a second. Here attempts, the deadline and the account's turns
    // are the quota.
    let partition = RetryPartition::custom("invalidator").token_bucket(TokenBucket::unlimited());
    Client::from_conf(
        aws_sdk_cloudfront::config::Builder::from(sdk_config)
            .retry_partition(partition.build())
            .build(),
    )
}

/// The loaded configuration, with [`MAX_ATTEMPTS`] where it says nothing of
/// attempts. aws-config does not tell a default from a choice, so the
/// environment is asked.
fn retry_config(loaded: Option<&RetryConfig>, attempts_are_set: bool) -> RetryConfig {
    let loaded = loaded.cloned().unwrap_or_else(RetryConfig::standard);
    if attempts_are_set || loaded.max_attempts() != SDK_MAX_ATTEMPTS {
        loaded
    } else {
        loaded.with_max_attempts(MAX_ATTEMPTS)
    }
}

/// A panic elsewhere leaves these maps whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;
    use aws_sdk_cloudfront::config::retry::RetryMode;

    use super::*;

    #[test]
    fn attempts_are_ours_unless_somebody_chose() {
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
    fn an_account_has_its_own_turns() {
        let sdk_config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let clients = Clients::new(&sdk_config, None);
        let role = |arn: &str| Role { arn: arn.to_owned(), external_id: None };
        let own = clients.turns(None);
        let first = clients.turns(Some(&role("arn:aws:iam::111122223333:role/a")));
        let same = clients.turns(Some(&role("arn:aws:iam::111122223333:role/path/b")));
        let other = clients.turns(Some(&role("arn:aws:iam::444455556666:role/a")));
        assert!(Arc::ptr_eq(&first, &same));
        assert!(!Arc::ptr_eq(&first, &other) && !Arc::ptr_eq(&first, &own));
        assert_eq!(own.available_permits(), 2);
    }

    #[test]
    fn a_role_of_the_own_account_shares_its_turns() {
        let sdk_config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let clients = Clients::new(&sdk_config, None);
        clients.set_own_account("111122223333");
        let turns = |account: &str| {
            let arn = format!("arn:aws:iam::{account}:role/a");
            clients.turns(Some(&Role { arn, external_id: None }))
        };
        assert!(Arc::ptr_eq(&turns("111122223333"), &clients.turns(None)));
        assert!(!Arc::ptr_eq(&turns("444455556666"), &clients.turns(None)));
    }
}
