//! `invalidator init`: a rules file for the distributions of the account.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::json;

use crate::{
    Exit, Global,
    account::{Account, AccountDistribution, Behavior, NamedFile, Origin},
};

/// Prints a first rules.yaml for the distributions of the AWS account.
///
/// Requires credentials in the environment, with the policy that `iam-policy
/// --for setup --account ID` prints. Changes nothing.
#[derive(clap::Args)]
pub struct Args {
    /// In place of the account, a distribution whose `aws cloudfront
    /// get-distribution-config` is in a file. Can be given several times.
    #[arg(long, value_name = "ID=FILE")]
    distribution: Vec<NamedFile>,
}

pub fn run(args: &Args, _global: &Global) -> anyhow::Result<Exit> {
    out!("{}", first_rules(&Account::read(&args.distribution)?.distributions));
    Ok(Exit::Done)
}

/// What cache behaviors of a distribution serve: keys of a bucket whose URL path
/// starts with a prefix, which is empty for the default behavior.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Served<'d> {
    prefix: &'d str,
    bucket: &'d str,
    origin_path: &'d str,
}

/// What one rule is about.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Keys<'d> {
    bucket: &'d str,
    prefix: String,
    /// The prefixes that other behaviors of the distributions serve.
    except: Vec<String>,
}

/// Returns a rules file with a target for each bucket, origin path and prefix
/// that the cache behaviors of a distribution serve, and a rule for each bucket
/// and prefix.
fn first_rules(distributions: &[AccountDistribution]) -> String {
    let mut targets = String::new();
    let mut rules: BTreeMap<Keys<'_>, Vec<String>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for distribution in distributions {
        let AccountDistribution { id, aliases, .. } = distribution;
        let served = served(distribution);
        if served.is_empty() {
            targets += &format!("  # {id} caches nothing from S3.\n");
        }
        for (Served { prefix, bucket, origin_path }, behaviors) in &served {
            let wanted = match prefix.trim_matches('/') {
                "" => aliases.first().unwrap_or(id).clone(),
                prefix => format!("{}/{prefix}", aliases.first().unwrap_or(id)),
            };
            let name = unused_name(&wanted, &mut names);
            targets += &format!("  {}:\n    distribution: {id}\n", quoted(&name));
            if aliases.len() > 1 {
                targets += &format!("    # Also {}\n", aliases[1..].join(", "));
            }
            let directory = match origin_path.trim_matches('/') {
                "" => String::new(),
                path => {
                    targets += &format!("    origin_path: {}\n", quoted(origin_path));
                    format!("{path}/")
                }
            };
            // Other prefixes belong to other targets.
            let mut except: Vec<&str> = served
                .iter()
                .filter(|(other, behaviors)| {
                    other.prefix.len() > prefix.len()
                        && other.prefix.starts_with(prefix)
                        && behaviors.iter().any(|one| one.is_prefix())
                })
                .map(|(other, _)| other.prefix)
                .collect();
            except.dedup_by(|longer, prefix| longer.starts_with(&**prefix));
            targets += &settings(distribution, prefix, behaviors, &except);
            let except = except.iter().map(|prefix| format!("{directory}{prefix}")).collect();
            let keys = Keys { bucket, prefix: format!("{directory}{prefix}"), except };
            rules.entry(keys).or_default().push(name);
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
    let mut names = BTreeSet::new();
    for (Keys { bucket, prefix, except }, targets) in rules {
        let name = format!("{bucket}/{prefix}");
        let name = unused_name(name.trim_end_matches('/'), &mut names);
        text += &format!("  - name: {}\n    bucket: {}\n", quoted(&name), quoted(bucket));
        if !prefix.is_empty() {
            text += &format!("    prefix: {}\n", quoted(&prefix));
        }
        if !except.is_empty() {
            text += &format!("    except: {{ prefix: [{}] }}\n", quoted_list(&except));
        }
        text += &format!("    invalidate: [{}]\n", quoted_list(&targets));
    }
    text
}

/// Returns what a distribution caches from S3, with the behaviors that do.
fn served(distribution: &AccountDistribution) -> BTreeMap<Served<'_>, Vec<&Behavior>> {
    let mut served: BTreeMap<Served<'_>, Vec<&Behavior>> = BTreeMap::new();
    for behavior in distribution.behaviors.iter().filter(|one| one.caches != Some(false)) {
        let origin = distribution.origins.iter().find(|origin| origin.id == behavior.origin_id);
        let Some((origin, bucket)) = origin.and_then(|one| Some((one, one.bucket()?))) else {
            continue;
        };
        let key = Served { prefix: behavior.prefix(), bucket, origin_path: &origin.path };
        served.entry(key).or_default().push(behavior);
    }
    served
}

/// Returns the settings of a target that the behaviors determine.
fn settings(
    distribution: &AccountDistribution,
    prefix: &str,
    behaviors: &[&Behavior],
    except: &[&str],
) -> String {
    let mut text = String::new();
    let origin_ids: BTreeSet<&str> = behaviors.iter().map(|one| &*one.origin_id).collect();
    let root_object = match &*distribution.default_root_object {
        object if behaviors.iter().any(|one| one.path_pattern == "*") => object,
        _ => "",
    };
    match root_object {
        _ if !prefix.is_empty() => {}
        "index.html" => {}
        "" => text += "    default_root_object: null\n",
        other => text += &format!("    default_root_object: {}\n", quoted(other)),
    }
    let mut origins = distribution.origins.iter().filter(|one| origin_ids.contains(&*one.id));
    if origins.any(Origin::is_website) {
        text += "    # The website endpoint serves this document for a directory.\n";
        text += "    index_documents: [index.html]\n";
    }
    let except: Vec<Arc<str>> = except.iter().map(|prefix| format!("/{prefix}").into()).collect();
    let reached = distribution.reached(&format!("/{prefix}"), &except).into_iter();
    let mut reached = reached.filter(|one| origin_ids.contains(&*one.origin_id));
    if reached.any(|one| one.query_strings == Some(true)) {
        text += "    query_strings: true\n";
    }
    let directory = prefix.trim_matches('/');
    if !directory.is_empty() && behaviors.iter().any(|one| one.has_edge_function) {
        text += &format!(
            "    # If the edge function of `/{directory}` removes this from the path: set\n    \
             # viewer_prefix: /{directory}, and remove it from the prefix of the rule.\n"
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

fn quoted_list(texts: &[String]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use s3_cloudfront_invalidator::rules::{RuleSet, RulesFile};

    use super::*;
    use crate::account::{compare, example_account};

    /// The distribution `E2EXAMPLE2BLOG` has two buckets.
    #[test]
    fn first_rules_agree_with_the_account() {
        let mut account = example_account();
        let site = &mut account.distributions[1].behaviors[0];
        (site.query_strings, site.has_edge_function) = (Some(true), true);
        let text = first_rules(&account.distributions);
        let expected = "
targets:
  www.example.com:
    distribution: E1EXAMPLE1WWW
    # Also example.com
    origin_path: \"/public\"
  \"E2EXAMPLE2BLOG\":
    distribution: E2EXAMPLE2BLOG
    default_root_object: null
    # The website endpoint serves this document for a directory.
    index_documents: [index.html]
  \"E2EXAMPLE2BLOG/site\":
    distribution: E2EXAMPLE2BLOG
    origin_path: \"/public\"
    query_strings: true
    # If the edge function of `/site` removes this from the path: set
    # viewer_prefix: /site, and remove it from the prefix of the rule.
  # E3EXAMPLE3API caches nothing from S3.

rules:
  - name: example-blog
    bucket: example-blog
    except: { prefix: [site/] }
    invalidate: [\"E2EXAMPLE2BLOG\"]
  - name: example-site/public
    bucket: example-site
    prefix: public/
    invalidate: [www.example.com]
  - name: example-site/public/site
    bucket: example-site
    prefix: public/site/
    invalidate: [\"E2EXAMPLE2BLOG/site\"]
";
        assert_eq!(text.split_once("version: 1\n").map(|(_, rest)| rest), Some(expected));
        let file = RulesFile::read("rules.yaml", text.as_bytes()).expect("rules");
        assert!(!file.findings.has_error(), "{}", file.findings);
        let found = compare(&file, &account).differences;
        assert!(found.is_empty(), "{text}{found:#?}");
    }

    /// Rules of the same bucket and prefix, for distributions with other behaviors.
    #[test]
    fn names_are_unique() {
        let mut account = example_account();
        let mut other = example_account().distributions.remove(1);
        other.id = "E4EXAMPLE4".to_owned();
        other.behaviors[0].caches = Some(false);
        account.distributions.push(other);
        let text = first_rules(&account.distributions);
        let file = RulesFile::read("rules.yaml", text.as_bytes()).expect("rules");
        assert!(!file.findings.has_error(), "{}", file.findings);
        let names: Vec<&str> = file.rules.rules().iter().map(|rule| &*rule.name).collect();
        assert_eq!(
            names,
            ["example-blog", "example-blog 2", "example-site/public", "example-site/public/site"]
        );
        let found = compare(&file, &account).differences;
        assert!(found.is_empty(), "{text}{found:#?}");
    }

    #[test]
    fn an_account_without_s3_origins_has_no_rules() {
        let text = first_rules(&example_account().distributions[2..]);
        let rules = RuleSet::parse("rules.yaml", text.as_bytes()).expect("rules");
        assert!(rules.rules().is_empty());
    }
}
