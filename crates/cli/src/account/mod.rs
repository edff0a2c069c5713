//! The CloudFront distributions of an AWS account.

mod behavior;
mod differences;

pub use behavior::Behavior;
pub use differences::{Difference, compare};

use std::collections::BTreeSet;

use anyhow::Context;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudfront::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{Aliases, CacheBehaviors, DistributionConfig, DistributionList, Origins},
};
use s3_cloudfront_invalidator::config::check_sdk_variables;

/// CloudFront requests are signed for this region.
/// <https://docs.aws.amazon.com/general/latest/gr/cf_region.html>
const REGION: Region = Region::from_static("us-east-1");

/// A distribution of the account.
#[derive(Debug, Default)]
pub struct AccountDistribution {
    pub id: String,
    /// Alternate domain names.
    pub aliases: Vec<String>,
    /// Empty if there is none.
    pub default_root_object: String,
    pub origins: Vec<Origin>,
    /// The cache behaviors; the default one is the last.
    pub behaviors: Vec<Behavior>,
    /// Whether origins can tag objects (`CacheTagConfig`).
    pub has_cache_tags: bool,
}

#[derive(Debug, Default)]
pub struct Origin {
    /// The name that cache behaviors use.
    pub id: String,
    pub domain_name: String,
    pub path: String,
}

impl Origin {
    /// Returns the bucket of an S3 origin, from `BUCKET.s3.REGION.amazonaws.com`
    /// and the similar names that S3 has, website endpoints included.
    pub fn bucket(&self) -> Option<&str> {
        let host = self.domain_name.strip_suffix(".cn").unwrap_or(&self.domain_name);
        let host = host.strip_suffix(".amazonaws.com")?;
        // A bucket name may contain ".s3", too.
        let (bucket, endpoint) = host.rsplit_once(".s3")?;
        let is_endpoint = endpoint.is_empty() || endpoint.starts_with(['.', '-']);
        (is_endpoint && !bucket.is_empty()).then_some(bucket)
    }

    /// Returns whether it is an S3 website endpoint, which has index documents.
    pub fn is_website(&self) -> bool {
        self.domain_name.contains(".s3-website")
    }
}

impl AccountDistribution {
    /// Returns the buckets and origin paths of the S3 origins.
    pub fn buckets(&self) -> BTreeSet<(&str, &str)> {
        self.origins
            .iter()
            .filter_map(|origin| Some((origin.bucket()?, origin.path.as_str())))
            .collect()
    }
}

/// Reads all distributions, with the credentials of the environment.
pub fn distributions() -> anyhow::Result<Vec<AccountDistribution>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        check_sdk_variables(|name| std::env::var(name).ok())?;
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(REGION).load().await;
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

#[expect(deprecated, reason = "older distributions have these settings in place of a cache policy")]
async fn behaviors(client: &Client, config: &DistributionConfig) -> Vec<Behavior> {
    let listed = config.cache_behaviors().map(CacheBehaviors::items).unwrap_or_default();
    let mut behaviors: Vec<(Behavior, Option<&str>)> = listed
        .iter()
        .map(|one| {
            let cache = (one.forwarded_values(), one.max_ttl());
            let behavior = Behavior::new(one.path_pattern(), one.target_origin_id(), cache);
            (behavior, one.cache_policy_id())
        })
        .collect();
    behaviors.extend(config.default_cache_behavior().map(|one| {
        let cache = (one.forwarded_values(), one.max_ttl());
        (Behavior::new("*", one.target_origin_id(), cache), one.cache_policy_id())
    }));
    let mut read = Vec::new();
    for (mut behavior, policy) in behaviors {
        if let Some(policy) = policy {
            // A policy that may not be read is not compared.
            let policy = client.get_cache_policy().id(policy).send().await.ok();
            let policy = policy.as_ref().and_then(|answer| answer.cache_policy());
            behavior.set_policy(policy.and_then(|policy| policy.cache_policy_config()));
        }
        read.push(behavior);
    }
    read
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
                "; `invalidator iam-policy --for setup` prints the permissions"
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

#[cfg(test)]
fn origin(domain_name: &str, path: &str) -> Origin {
    let id = domain_name.split('.').next().unwrap_or_default().to_owned();
    Origin { id, domain_name: domain_name.to_owned(), path: path.to_owned() }
}

#[cfg(test)]
fn behavior(path_pattern: &str, origin: &str) -> Behavior {
    Behavior::new(path_pattern, origin, (None, None))
}

/// Two distributions with S3 origins and one without.
#[cfg(test)]
pub fn example_account() -> Vec<AccountDistribution> {
    vec![
        AccountDistribution {
            id: "E1EXAMPLE1WWW".to_owned(),
            aliases: vec!["www.example.com".to_owned(), "example.com".to_owned()],
            default_root_object: "index.html".to_owned(),
            origins: vec![
                origin("example-site.s3.eu-west-1.amazonaws.com", "/public"),
                origin("api.example.com", ""),
            ],
            behaviors: vec![behavior("/api/*", "api"), behavior("*", "example-site")],
            has_cache_tags: false,
        },
        AccountDistribution {
            id: "E2EXAMPLE2BLOG".to_owned(),
            aliases: Vec::new(),
            default_root_object: String::new(),
            origins: vec![
                origin("example-blog.s3-website-eu-west-1.amazonaws.com", ""),
                origin("example-site.s3.amazonaws.com", "/public"),
            ],
            behaviors: vec![behavior("/site/*", "example-site"), behavior("*", "example-blog")],
            has_cache_tags: true,
        },
        AccountDistribution {
            id: "E3EXAMPLE3API".to_owned(),
            origins: vec![origin("api.example.com", "")],
            ..AccountDistribution::default()
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_by_domain_name() {
        for (domain_name, bucket) in [
            ("example.s3.amazonaws.com", Some("example")),
            ("example.s3.eu-west-1.amazonaws.com", Some("example")),
            ("example.s3-eu-west-1.amazonaws.com", Some("example")),
            ("example.s3.dualstack.eu-west-1.amazonaws.com", Some("example")),
            ("example.s3-website-us-east-1.amazonaws.com", Some("example")),
            ("example.s3-website.eu-central-1.amazonaws.com", Some("example")),
            ("example.s3.cn-north-1.amazonaws.com.cn", Some("example")),
            ("www.example.com.s3.amazonaws.com", Some("www.example.com")),
            ("a.s3.b.s3.amazonaws.com", Some("a.s3.b")),
            ("abc.execute-api.eu-west-1.amazonaws.com", None),
            ("a.s3x.amazonaws.com", None),
            ("s3.amazonaws.com", None),
            ("example.com", None),
        ] {
            assert_eq!(origin(domain_name, "").bucket(), bucket, "{domain_name}");
        }
    }
}
