//! Distributions from saved output of `aws cloudfront get-distribution-config`.

use std::{path::PathBuf, str::FromStr};

use anyhow::Context;
use serde::{Deserialize, de::IgnoredAny};

use super::{AccountDistribution, Behavior, CachePolicy, Origin};
use crate::input;

/// An argument `NAME=FILE`: the output of the AWS CLI about a resource.
#[derive(Clone, Debug)]
pub struct NamedFile {
    pub name: String,
    pub file: PathBuf,
}

impl FromStr for NamedFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => {
                Ok(Self { name: name.to_owned(), file: file.into() })
            }
            _ => Err("expected a name and a file, as in E1EXAMPLE=config.json"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    distribution_config: SavedDistribution,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedDistribution {
    #[serde(default)]
    aliases: List<String>,
    #[serde(default)]
    default_root_object: String,
    origins: List<SavedOrigin>,
    default_cache_behavior: SavedBehavior,
    #[serde(default)]
    cache_behaviors: List<SavedBehavior>,
    cache_tag_config: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedOrigin {
    id: String,
    domain_name: String,
    #[serde(default)]
    origin_path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedBehavior {
    /// The default behavior has none.
    path_pattern: Option<String>,
    target_origin_id: String,
    cache_policy_id: Option<String>,
    forwarded_values: Option<ForwardedValues>,
    #[serde(rename = "MaxTTL")]
    max_ttl: Option<i64>,
    #[serde(default)]
    function_associations: List<IgnoredAny>,
    #[serde(default)]
    lambda_function_associations: List<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ForwardedValues {
    query_string: bool,
}

/// A list as CloudFront writes it. An empty one has no items.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

pub fn distributions(files: &[NamedFile]) -> anyhow::Result<Vec<AccountDistribution>> {
    let read = |NamedFile { name, file }: &NamedFile| {
        let saved = serde_json::from_slice(input::strip_bom(&input::read(file)?)).with_context(|| {
            format!(
                "`{}` is not the output of `aws cloudfront get-distribution-config --id {name}`",
                file.display()
            )
        })?;
        let Saved { distribution_config } = saved;
        Ok(distribution_config.distribution(name))
    };
    files.iter().map(read).collect()
}

impl SavedDistribution {
    fn distribution(self, id: &str) -> AccountDistribution {
        let origins = self.origins.items.into_iter();
        let behaviors = self.cache_behaviors.items.into_iter();
        AccountDistribution {
            id: id.to_owned(),
            aliases: self.aliases.items,
            default_root_object: self.default_root_object,
            origins: origins
                .map(|SavedOrigin { id, domain_name, origin_path }| Origin {
                    id,
                    domain_name,
                    path: origin_path,
                })
                .collect(),
            behaviors: behaviors
                .chain([self.default_cache_behavior])
                .map(SavedBehavior::behavior)
                .collect(),
            has_cache_tags: self.cache_tag_config.is_some(),
        }
    }
}

impl SavedBehavior {
    fn behavior(self) -> Behavior {
        let mut behavior = Behavior {
            path_pattern: self.path_pattern.unwrap_or_else(|| "*".to_owned()),
            origin_id: self.target_origin_id,
            query_strings: self.forwarded_values.map(|values| values.query_string),
            caches: self.max_ttl.map(|seconds| seconds > 0),
            has_edge_function: !self.function_associations.items.is_empty()
                || !self.lambda_function_associations.items.is_empty(),
            ..Behavior::default()
        };
        if let Some(id) = self.cache_policy_id.filter(|id| !id.is_empty()) {
            let reason = "it is not part of the saved output";
            behavior.set_policy(&id, CachePolicy::managed(&id).ok_or(reason.to_owned()));
        }
        behavior
    }
}
