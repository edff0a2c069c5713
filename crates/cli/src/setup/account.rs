//! What an AWS account has, next to what rules.yaml says: a first rules file
//! for it, and the differences between the two.
//!
//! - A distribution counts with its origins that are S3 buckets, by the domain
//!   names that S3 gives them: `BUCKET.s3.REGION.amazonaws.com` and its kin,
//!   website endpoints included.
//! - [`first_rules`] makes a target for each such bucket and origin path of a
//!   distribution, and a rule for each bucket and path, which is as much as an
//!   account tells: which cache behaviour sends what to which origin is left to
//!   the reader.
//! - [`differences`] looks at targets without a role. What another account has,
//!   and tenants, cannot be seen from here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    rules::{Action, BucketPattern, Rule, Target, TargetIndex},
};

/// A distribution as CloudFront describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountDistribution {
    /// Its id.
    pub id: String,
    /// Its alternate domain names.
    pub aliases: Vec<String>,
    /// The object that `/` stands for; empty for none.
    pub default_root_object: String,
    /// Its origins.
    pub origins: Vec<Origin>,
}

/// Where a distribution gets its objects from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The domain name.
    pub domain_name: String,
    /// What is put in front of every path.
    pub path: String,
}

impl Origin {
    /// The bucket, if the origin is one.
    fn bucket(&self) -> Option<&str> {
        let host = self.domain_name.strip_suffix(".cn").unwrap_or(&self.domain_name);
        let host = host.strip_suffix(".amazonaws.com")?;
        // A bucket's name may have ".s3" in it; what S3 adds comes last.
        let (bucket, endpoint) = host.rsplit_once(".s3")?;
        let is_endpoint = endpoint.is_empty() || endpoint.starts_with(['.', '-']);
        (is_endpoint && !bucket.is_empty()).then_some(bucket)
    }

    /// Whether S3 serves it as a website, with index documents.
    fn is_website(&self) -> bool {
        self.domain_name.contains(".s3-website")
    }
}

impl AccountDistribution {
    /// The buckets and origin paths, each once.
    fn buckets(&self) -> BTreeSet<(&str, &str)> {
        self.origins
            .iter()
            .filter_map(|origin| Some((origin.bucket()?, origin.path.as_str())))
            .collect()
    }
}

/// The text of a rules file for the account's distributions.
pub fn first_rules(distributions: &[AccountDistribution]) -> String {
    let mut targets = String::new();
    let mut rules: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for distribution in distributions {
        let AccountDistribution { id, aliases, default_root_object, .. } = distribution;
        let buckets = distribution.buckets();
        if buckets.is_empty() {
            targets += &format!("  # {id} has no S3 bucket as an origin.\n");
        }
        for (bucket, path) in buckets {
            let name = unused_name(aliases.first().unwrap_or(id), &mut names);
            targets += &format!("  {}:\n    distribution: {id}\n", quoted(&name));
            if aliases.len() > 1 {
                targets += &format!("    # Also {}\n", aliases[1..].join(", "));
            }
            if !path.trim_matches('/').is_empty() {
                targets += &format!("    origin_path: {}\n", quoted(path));
            }
            match default_root_object.as_str() {
                "index.html" => {}
                "" => targets += "    default_root_object: null\n",
                other => targets += &format!("    default_root_object: {}\n", quoted(other)),
            }
            let website = |origin: &Origin| origin.is_website() && origin.bucket() == Some(bucket);
            if distribution.origins.iter().any(website) {
                targets += "    # A website endpoint serves this document for a directory.\n";
                targets += "    index_documents: [index.html]\n";
            }
            rules.entry((bucket, path)).or_default().push(name);
        }
    }
    let mut text = String::from(
        "# yaml-language-server: $schema=schemas/rules.schema.json\n#\n# A beginning: every S3 bucket \
         behind a distribution, and all its keys. Take out\n# what is not to be invalidated, and \
         narrow the rest with prefixes and suffixes.\nversion: 1\n",
    );
    if rules.is_empty() {
        text += "\n# No distribution has an S3 bucket as an origin.\ntargets: {}\nrules: []\n";
        return text;
    }
    text += &format!("\ntargets:\n{targets}\nrules:\n");
    for ((bucket, path), targets) in rules {
        let prefix = path.trim_matches('/');
        let (name, prefix) = match prefix {
            "" => (bucket.to_owned(), String::new()),
            prefix => (
                format!("{bucket}/{prefix}"),
                format!("    prefix: {}\n", quoted(&format!("{prefix}/"))),
            ),
        };
        let targets: Vec<String> = targets.iter().map(|name| quoted(name)).collect();
        text += &format!(
            "  - name: {}\n    bucket: {}\n{prefix}    invalidate: [{}]\n",
            quoted(&name),
            quoted(bucket),
            targets.join(", ")
        );
    }
    text
}

/// The name, with a number where several targets would have it.
fn unused_name(wanted: &str, names: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{wanted} {number}"));
    let mut candidates = std::iter::once(wanted.to_owned()).chain(numbered);
    candidates.find(|name| names.insert(name.clone())).unwrap_or_default()
}

/// A YAML string that is nothing but a string, plain where that is certain.
fn quoted(text: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-./".contains(&byte);
    let starts_plain = text.starts_with(|first: char| first.is_ascii_lowercase());
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text);
    if starts_plain && !word && text.bytes().all(plain) {
        text.to_owned()
    } else {
        json!(text).to_string()
    }
}

/// Where rules.yaml and the account differ, a sentence each.
pub fn differences(
    targets: &[Target],
    rules: &[Rule],
    account: &[AccountDistribution],
) -> Vec<String> {
    let mut found = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        let Target { name, distribution, paths, .. } = target;
        let DistributionId::Distribution(id) = &distribution.id else { continue };
        if distribution.role.is_some() {
            continue;
        }
        let Some(actual) = account.iter().find(|one| one.id == *id) else {
            found.push(format!("target `{name}`: the account has no distribution `{id}`"));
            continue;
        };
        if paths.default_root_object.as_deref().unwrap_or_default() != actual.default_root_object {
            let setting = match actual.default_root_object.as_str() {
                "" => "null",
                object => object,
            };
            found.push(format!(
                "target `{name}`: the default root object of `{id}` is not as \
                 `default_root_object` has it; write `default_root_object: {setting}`"
            ));
        }
        let buckets = actual.buckets();
        let origin_path = paths.origin_path();
        let origin_path = origin_path.trim_matches('/');
        let at_path: BTreeSet<&str> = buckets
            .iter()
            .filter(|(_, path)| path.trim_matches('/') == origin_path)
            .map(|&(bucket, _)| bucket)
            .collect();
        if at_path.is_empty() {
            let paths: BTreeSet<&str> = buckets.iter().map(|&(_, path)| path).collect();
            let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
            found.push(format!(
                "target `{name}`: no S3 origin of `{id}` has the origin path `/{origin_path}`; \
                 there is {}",
                if paths.is_empty() { "no S3 origin".to_owned() } else { paths.join(", ") }
            ));
            continue;
        }
        for rule in rules.iter().filter(|rule| names(rule, TargetIndex(at))) {
            for bucket in &rule.conditions.buckets {
                if let BucketPattern::Exact(bucket) = bucket
                    && !at_path.contains(bucket.as_str())
                {
                    found.push(format!(
                        "rule `{}`: the bucket `{bucket}` is no origin of `{id}` (target \
                         `{name}`) with the origin path `/{origin_path}`",
                        rule.name
                    ));
                }
            }
        }
    }
    found
}

fn names(rule: &Rule, target: TargetIndex) -> bool {
    match &rule.action {
        Action::Ignore => false,
        Action::Invalidate { targets, .. } => targets.iter().any(|one| one.target == target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3_cloudfront_invalidator::rules::RuleSet;

    fn origin(domain_name: &str, path: &str) -> Origin {
        Origin { domain_name: domain_name.to_owned(), path: path.to_owned() }
    }

    fn account() -> Vec<AccountDistribution> {
        vec![
            AccountDistribution {
                id: "E1EXAMPLE1WWW".to_owned(),
                aliases: vec!["www.example.com".to_owned(), "example.com".to_owned()],
                default_root_object: "index.html".to_owned(),
                origins: vec![
                    origin("example-site.s3.eu-west-1.amazonaws.com", "/public"),
                    origin("api.example.com", ""),
                ],
            },
            AccountDistribution {
                id: "E2EXAMPLE2BLOG".to_owned(),
                aliases: Vec::new(),
                default_root_object: String::new(),
                origins: vec![
                    origin("example-blog.s3-website-eu-west-1.amazonaws.com", ""),
                    origin("example-site.s3.amazonaws.com", "/public"),
                ],
            },
            AccountDistribution {
                id: "E3EXAMPLE3API".to_owned(),
                origins: vec![origin("api.example.com", "")],
                ..AccountDistribution::default()
            },
        ]
    }

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
    fn first_rules_fit_the_account_they_are_made_from() {
        let text = first_rules(&account());
        let rules = RuleSet::parse("rules.yaml", text.as_bytes()).expect("rules");
        let names: Vec<&str> = rules.targets().iter().map(|target| &*target.name).collect();
        assert_eq!(names, ["www.example.com", "E2EXAMPLE2BLOG", "E2EXAMPLE2BLOG 2"]);
        let rule_names: Vec<&str> = rules.rules().iter().map(|rule| &*rule.name).collect();
        assert_eq!(rule_names, ["example-blog", "example-site/public"]);
        assert_eq!(rules.targets()[0].paths.origin_path(), "/public");
        assert_eq!(rules.targets()[1].paths.default_root_object, None);
        assert_eq!(rules.targets()[1].paths.index_documents, ["index.html"]);
        assert_eq!(
            differences(rules.targets(), rules.rules(), &account()),
            Vec::<String>::new(),
            "{text}"
        );
    }

    #[test]
    fn an_account_without_buckets_gives_rules_that_do_nothing() {
        let text = first_rules(&account()[2..]);
        let rules = RuleSet::parse("rules.yaml", text.as_bytes()).expect("rules");
        assert!(rules.rules().is_empty());
    }

    #[test]
    fn differences_are_named() {
        let text = "\
version: 1
targets:
  www: { distribution: E1EXAMPLE1WWW, origin_path: /public, default_root_object: null }
  blog: { distribution: E2EXAMPLE2BLOG, origin_path: /blog, default_root_object: null }
  gone: E9EXAMPLE9
  tenant: { tenant: dt_EXAMPLE }
  partner: { distribution: E8EXAMPLE8, role_arn: 'arn:aws:iam::444455556666:role/invalidator' }
rules:
  - { name: good, bucket: example-site, invalidate: [www, blog, gone, tenant, partner] }
  - { name: wrong, bucket: [example-blog, example-*], invalidate: www }
";
        let rules = RuleSet::parse("rules.yaml", text.as_bytes()).expect("rules");
        let found = differences(rules.targets(), rules.rules(), &account());
        let expected = [
            "target `www`: the default root object",
            "rule `wrong`: the bucket `example-blog` is no origin of `E1EXAMPLE1WWW`",
            "target `blog`: no S3 origin of `E2EXAMPLE2BLOG` has the origin path `/blog`; there is ``, `/public`",
            "target `gone`: the account has no distribution `E9EXAMPLE9`",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
