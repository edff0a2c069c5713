//! The CloudFront distributions of an AWS account, read from AWS or from saved output
//! of the AWS CLI.

mod aws;
mod behavior;
mod differences;
mod notification;
mod parameters;
mod saved;

pub use behavior::{Behavior, CachePolicy};
pub use differences::{Comparison, Difference, compare};
pub use notification::compare_notifications;
pub use parameters::compare_parameters;
pub use saved::NamedFile;

use std::{collections::BTreeSet, sync::Arc};

/// The distributions that rules are compared with.
#[derive(Debug)]
pub struct Account {
    pub distributions: Vec<AccountDistribution>,
    /// Whether these are all distributions of the account.
    pub is_complete: bool,
}

impl Account {
    /// Reads the files, which contain the output of `aws cloudfront
    /// get-distribution-config`; if there are none, all distributions with the
    /// credentials of the environment.
    pub fn read(files: &[NamedFile]) -> anyhow::Result<Self> {
        let is_complete = files.is_empty();
        let distributions =
            if is_complete { aws::distributions()? } else { saved::distributions(files)? };
        Ok(Self { distributions, is_complete })
    }
}

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

    /// Returns the behaviors that may get paths that start with `start`, but
    /// with none of `except`. The first behavior that matches a path gets it.
    pub fn reached(&self, start: &str, except: &[Arc<str>]) -> Vec<&Behavior> {
        let mut reached = Vec::new();
        for behavior in &self.behaviors {
            let is_excepted = except.iter().any(|except| behavior.is_below(except));
            if !is_excepted && behavior.may_match(start) {
                reached.push(behavior);
                if behavior.matches_all(start) {
                    break;
                }
            }
        }
        reached
    }
}

#[cfg(test)]
fn origin(domain_name: &str, path: &str) -> Origin {
    let id = domain_name.split('.').next().unwrap_or_default().to_owned();
    Origin { id, domain_name: domain_name.to_owned(), path: path.to_owned() }
}

#[cfg(test)]
fn behavior(path_pattern: &str, origin: &str) -> Behavior {
    Behavior {
        path_pattern: path_pattern.to_owned(),
        origin_id: origin.to_owned(),
        ..Behavior::default()
    }
}

/// Two distributions with S3 origins and one without.
#[cfg(test)]
pub fn example_account() -> Account {
    let distributions = vec![
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
    ];
    Account { distributions, is_complete: true }
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

    #[test]
    fn the_first_behavior_that_matches_gets_a_path() {
        let behaviors = ["/media/*.jpg", "/media/*", "*.css", "*"].map(|one| behavior(one, "o"));
        let distribution =
            AccountDistribution { behaviors: behaviors.into(), ..Default::default() };
        for (start, except, expected) in [
            ("/", &[][..], &["/media/*.jpg", "/media/*", "*.css", "*"][..]),
            ("/", &["/media/".into()], &["*.css", "*"]),
            ("/", &["/media/a/".into()], &["/media/*.jpg", "/media/*", "*.css", "*"]),
            ("/media/", &[], &["/media/*.jpg", "/media/*"]),
            ("/media/a/", &[], &["/media/*.jpg", "/media/*"]),
            ("/docs/", &[], &["*.css", "*"]),
        ] {
            let reached = distribution.reached(start, except);
            let reached: Vec<&str> = reached.iter().map(|one| &*one.path_pattern).collect();
            assert_eq!(reached, expected, "{start} {except:?}");
        }
    }
}
