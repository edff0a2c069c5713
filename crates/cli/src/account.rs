//! The distributions of the AWS account that the environment gives credentials
//! for.

use crate::setup::account::{AccountDistribution, Origin};
use anyhow::Context;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudfront::{
    Client,
    types::{Aliases, DistributionList, Origins},
};
use s3_cloudfront_invalidator::config::check_sdk_variables;

/// CloudFront is signed for this region from anywhere.
/// <https://docs.aws.amazon.com/general/latest/gr/cf_region.html>
const REGION: Region = Region::from_static("us-east-1");

/// All distributions, in CloudFront's order.
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
        let page = page.map_err(sdk_error).context("cannot list the distributions")?;
        let list = page.distribution_list();
        for summary in list.map(DistributionList::items).unwrap_or_default() {
            // The list leaves out the default root object.
            let id = summary.id();
            let config = client.get_distribution_config().id(id).send().await;
            let config = config.map_err(sdk_error).with_context(|| format!("cannot read {id}"))?;
            let config = config.distribution_config();
            distributions.push(AccountDistribution {
                id: id.to_owned(),
                aliases: summary.aliases().map(Aliases::items).unwrap_or_default().to_vec(),
                default_root_object: config
                    .and_then(|config| config.default_root_object())
                    .unwrap_or_default()
                    .to_owned(),
                origins: summary
                    .origins()
                    .map(Origins::items)
                    .unwrap_or_default()
                    .iter()
                    .map(|origin| Origin {
                        domain_name: origin.domain_name().to_owned(),
                        path: origin.origin_path().unwrap_or_default().to_owned(),
                    })
                    .collect(),
            });
        }
    }
    Ok(distributions)
}

/// The SDK's own text names the kind of error alone; the causes say the rest.
fn sdk_error(error: impl std::error::Error + Send + Sync + 'static) -> anyhow::Error {
    anyhow::anyhow!("{}", aws_sdk_cloudfront::error::DisplayErrorContext(error))
}
