//! Reads the distributions of an account from AWS.

use anyhow::Context;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudfront::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{
        Aliases, CacheBehaviors, CachePolicyQueryStringBehavior, DistributionConfig,
        DistributionList, ForwardedValues, FunctionAssociations, LambdaFunctionAssociations,
        Origins,
    },
};
use s3_cloudfront_invalidator::{config::check_sdk_variables, https};

use super::{AccountDistribution, Behavior, CachePolicy, Origin};

/// CloudFront requests are signed for this region.
/// <https://docs.aws.amazon.com/general/latest/gr/cf_region.html>
const REGION: Region = Region::from_static("us-east-1");

/// Reads all distributions, with the credentials of the environment.
pub fn distributions() -> anyhow::Result<Vec<AccountDistribution>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        check_sdk_variables(|name| std::env::var(name).ok())?;
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12());
        let sdk = sdk.http_client(https::client()).region(REGION).load().await;
        read(&Client::new(&sdk)).await
    })
}

async fn read(client: &Client) -> anyhow::Result<Vec<AccountDistribution>> {
    let mut distributions = Vec::new();
    let mut pages = client.list_distributions().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| sdk_error(&error)).context("cannot list the distributions")?;
        let list = page.distribution_list();
        for summary in list.map(DistributionList::items).unwrap_or_default() {
            // The list does not contain the default root object.
            let id = summary.id();
            let config = client.get_distribution_config().id(id).send().await;
            let config = config
                .map_err(|error| sdk_error(&error))
                .with_context(|| format!("cannot read `{id}`"))?;
            let Some(config) = config.distribution_config() else { continue };
            let origins = config.origins().map(Origins::items).unwrap_or_default();
            distributions.push(AccountDistribution {
                id: id.to_owned(),
                aliases: summary.aliases().map(Aliases::items).unwrap_or_default().to_vec(),
                default_root_object: config.default_root_object().unwrap_or_default().to_owned(),
                origins: origins
                    .iter()
                    .map(|origin| Origin {
                        id: origin.id().to_owned(),
                        domain_name: origin.domain_name().to_owned(),
                        path: origin.origin_path().unwrap_or_default().to_owned(),
                    })
                    .collect(),
                behaviors: behaviors(client, config).await,
                has_cache_tags: config.cache_tag_config().is_some(),
            });
        }
    }
    Ok(distributions)
}

/// Copies the members that `CacheBehavior` and `DefaultCacheBehavior` share.
macro_rules! behavior {
    ($path_pattern:expr, $config:expr) => {{
        let functions = $config.function_associations().map(FunctionAssociations::items);
        let lambdas = $config.lambda_function_associations().map(LambdaFunctionAssociations::items);
        let behavior = Behavior {
            path_pattern: $path_pattern.to_owned(),
            origin_id: $config.target_origin_id().to_owned(),
            query_strings: $config.forwarded_values().map(ForwardedValues::query_string),
            caches: $config.max_ttl().map(|seconds| seconds > 0),
            has_edge_function: functions.is_some_and(|list| !list.is_empty())
                || lambdas.is_some_and(|list| !list.is_empty()),
            ..Behavior::default()
        };
        (behavior, $config.cache_policy_id().filter(|id| !id.is_empty()))
    }};
}

#[expect(deprecated, reason = "older distributions have these settings in place of a cache policy")]
async fn behaviors(client: &Client, config: &DistributionConfig) -> Vec<Behavior> {
    let listed = config.cache_behaviors().map(CacheBehaviors::items).unwrap_or_default();
    let listed = listed.iter().map(|one| behavior!(one.path_pattern(), one));
    let default = config.default_cache_behavior().map(|one| behavior!("*", one));
    let mut behaviors = Vec::new();
    for (mut behavior, policy) in listed.chain(default) {
        if let Some(id) = policy {
            let policy = match CachePolicy::managed(id) {
                Some(policy) => Ok(policy),
                None => cache_policy(client, id).await.map_err(|error| error.to_string()),
            };
            behavior.set_policy(id, policy);
        }
        behaviors.push(behavior);
    }
    behaviors
}

async fn cache_policy(client: &Client, id: &str) -> anyhow::Result<CachePolicy> {
    let answer = client.get_cache_policy().id(id).send().await;
    let answer = answer.map_err(|error| sdk_error(&error))?;
    let config = answer.cache_policy().and_then(|policy| policy.cache_policy_config());
    let config = config.context("the answer is empty")?;
    let key = config.parameters_in_cache_key_and_forwarded_to_origin();
    let query_strings = key.and_then(|key| key.query_strings_config());
    Ok(CachePolicy {
        query_strings: query_strings.is_some_and(|config| {
            *config.query_string_behavior() != CachePolicyQueryStringBehavior::None
        }),
        caches: config.max_ttl().is_none_or(|seconds| seconds > 0),
    })
}

/// Returns the cause of a failed call in one sentence. The `Display` of SDK errors
/// is shorter than that, and their `DisplayErrorContext` longer.
fn sdk_error<E>(error: &SdkError<E>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let (Some(code), message) = (error.code(), error.message()) {
        let message = message.unwrap_or("no further details").trim_end_matches('.');
        let help = match code {
            "AccessDenied" | "AccessDeniedException" => {
                "; `invalidator iam-policy --for setup --account ID` prints the permissions"
            }
            _ => "",
        };
        return anyhow::anyhow!("{message} ({code}){help}");
    }
    let error: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(|cause| cause.to_string().replace('\n', " ")).collect();
    if causes.iter().any(|cause| cause.contains("credential")) {
        return anyhow::anyhow!(
            "no AWS credentials were found; set AWS_PROFILE to a profile that has them, or \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        );
    }
    anyhow::anyhow!("{}", causes.last().map_or("", |cause| cause))
}
