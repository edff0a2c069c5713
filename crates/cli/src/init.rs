//! `invalidator init`: a rules file for the distributions of the account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::{
    Exit, Global,
    account::{self, AccountDistribution, Origin},
};

/// Prints a first rules.yaml for the distributions of the AWS account.
///
/// Requires credentials in the environment, with the policy that `iam-policy
/// --for setup` prints. Changes nothing.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Exit> {
    out!("{}", first_rules(&account::distributions()?));
    Ok(Exit::Done)
}

/// Returns a rules file with a target for each S3 bucket and origin path of a
/// distribution, and a rule for each bucket and origin path. Which cache
/// behavior uses which origin is left to the user.
fn first_rules(distributions: &[AccountDistribution]) -> String {
    let mut targets = String::new();
    let mut rules: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for distribution in distributions {
        let AccountDistribution { id, aliases, default_root_object, .. } = distribution;
        let buckets = distribution.buckets();
        if buckets.is_empty() {
            targets += &format!("  # {id} has no S3 origin.\n");
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
                targets += "    # The website endpoint serves this document for a directory.\n";
                targets += "    index_documents: [index.html]\n";
            }
            rules.entry((bucket, path)).or_default().push(name);
        }
    }
    let mut text = String::from(
        "# yaml-language-server: $schema=schemas/rules.schema.json\n#\n# All keys of every S3 bucket \
         that is an origin of a distribution. Remove what\n# need not be invalidated, and narrow \
         the rest with prefixes and suffixes.\nversion: 1\n",
    );
    if rules.is_empty() {
        text += "\n# No distribution has an S3 origin.\ntargets: {}\nrules: []\n";
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

/// Returns the name, with a number if another target has it.
fn unused_name(wanted: &str, names: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{wanted} {number}"));
    let mut candidates = std::iter::once(wanted.to_owned()).chain(numbered);
    candidates.find(|name| names.insert(name.clone())).unwrap_or_default()
}

/// Returns a YAML string, without quotes if it certainly needs none.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-./".contains(c);
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text);
    if text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_plain) && !is_word
    {
        text.to_owned()
    } else {
        json!(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use s3_cloudfront_invalidator::rules::{RuleSet, RulesFile};

    use super::*;
    use crate::account::{compare, example_account};

    #[test]
    fn first_rules_agree_with_the_account() {
        let text = first_rules(&example_account());
        let rules = RuleSet::parse("rules.yaml", text.as_bytes()).expect("rules");
        let names: Vec<&str> = rules.targets().iter().map(|target| &*target.name).collect();
        assert_eq!(names, ["www.example.com", "E2EXAMPLE2BLOG", "E2EXAMPLE2BLOG 2"]);
        let rule_names: Vec<&str> = rules.rules().iter().map(|rule| &*rule.name).collect();
        assert_eq!(rule_names, ["example-blog", "example-site/public"]);
        assert_eq!(rules.targets()[0].paths.origin_path(), "/public");
        assert_eq!(rules.targets()[1].paths.default_root_object, None);
        assert_eq!(rules.targets()[1].paths.index_documents, ["index.html"]);
        let file = RulesFile::read("rules.yaml", text.as_bytes()).expect("rules");
        let found = compare(&file, &example_account()).differences;
        assert!(found.is_empty(), "{text}{found:#?}");
    }

    #[test]
    fn an_account_without_s3_origins_has_no_rules() {
        let text = first_rules(&example_account()[2..]);
        let rules = RuleSet::parse("rules.yaml", text.as_bytes()).expect("rules");
        assert!(rules.rules().is_empty());
    }
}
