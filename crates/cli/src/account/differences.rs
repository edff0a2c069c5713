//! The differences between rules.yaml and the account, for `check --aws`.
//!
//! Targets with a role and tenants are not compared: other accounts and tenants
//! cannot be read with the same credentials.

use std::collections::BTreeSet;

use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    rules::{Action, BucketPattern, Invalidate, Node, Rule, RulesFile},
    target::{Target, TargetIndex},
};
use serde::Serialize;

use super::{AccountDistribution, Behavior};
use crate::output::quote_list;

/// The most path patterns that a message names.
const MAX_PATTERNS: usize = 5;

/// The result of comparing rules.yaml with the account.
#[derive(Debug, Default)]
pub struct Comparison {
    pub differences: Vec<Difference>,
    /// The targets that were not compared, and why.
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Difference {
    /// The line of the target or rule; of a bare distribution id, 1.
    pub line: usize,
    pub message: String,
}

/// Compares the targets of a file with the distributions of the account.
pub fn compare(file: &RulesFile<'_>, account: &[AccountDistribution]) -> Comparison {
    let mut comparison = Comparison::default();
    let listed = file.tree.root().field("targets");
    let lines: Vec<usize> =
        listed.into_iter().flat_map(Node::fields).map(|(_, node)| node.span().line).collect();
    for (target, index) in file.rules.targets().iter().zip(0..) {
        let name = &target.name;
        let DistributionId::Distribution(id) = &target.distribution.id else {
            comparison.notes.push(format!("the target `{name}` is not compared: it is a tenant"));
            continue;
        };
        if let Some(role) = &target.distribution.role {
            let role = &role.arn;
            comparison.notes.push(format!(
                "the target `{name}` is not compared: its distribution belongs to the account of `{role}`"
            ));
            continue;
        }
        let line = lines.get(index).copied().unwrap_or(1);
        let mut found = Vec::new();
        match account.iter().find(|one| one.id == *id) {
            Some(actual) => {
                let users = file.rules.rules().iter();
                let users = users.filter_map(|rule| Some((rule, entry(rule, TargetIndex(index))?)));
                compare_target(target, line, users.collect(), actual, &mut found);
            }
            None => {
                let message = format!("target `{name}`: the account has no distribution `{id}`");
                found.push(Difference { line, message });
            }
        }
        comparison.differences.append(&mut found);
    }
    comparison
}

fn entry(rule: &Rule, target: TargetIndex) -> Option<&Invalidate> {
    match &rule.action {
        Action::Ignore { .. } => None,
        Action::Invalidate { targets, .. } => targets.iter().find(|one| one.target == target),
    }
}

/// Compares one target, and the rules that use it, with its distribution.
fn compare_target(
    Target { name, paths, .. }: &Target,
    line: usize,
    users: Vec<(&Rule, &Invalidate)>,
    actual: &AccountDistribution,
    found: &mut Vec<Difference>,
) {
    let id = &actual.id;
    let mut differs = |line, message| found.push(Difference { line, message });
    if !actual.has_cache_tags
        && let Some((rule, _)) = users.iter().find(|(_, entry)| !entry.tags.is_empty())
    {
        let message = format!(
            "rule `{}`: `{id}` has no `CacheTagConfig`, so its tags are billed but have no effect; \
             configure the header of the tags, or remove `tags`",
            rule.name
        );
        differs(rule.line, message);
    }
    let origin_path = paths.origin_path().trim_matches('/');
    let is_at_path = |path: &str| path.trim_matches('/') == origin_path;
    let origins = actual.origins.iter().filter(|origin| is_at_path(&origin.path));
    let origins: Vec<_> = origins.filter(|origin| origin.bucket().is_some()).collect();
    if origins.is_empty() {
        let buckets = actual.buckets();
        let paths: BTreeSet<&str> =
            buckets.iter().map(|(_, path)| path.trim_matches('/')).collect();
        let paths: Vec<String> = paths.iter().map(|path| format!("/{path}")).collect();
        let message = format!(
            "target `{name}`: no S3 origin of `{id}` has the origin path `/{origin_path}`; {}",
            match &*paths {
                [] => "it has no S3 origin".to_owned(),
                paths => format!("use {}", quote_list(paths, "or", MAX_PATTERNS)),
            }
        );
        differs(line, message);
        return;
    }
    let behaviors = actual.behaviors.iter();
    let behaviors = behaviors.filter(|one| origins.iter().any(|origin| origin.id == one.origin_id));
    let behaviors: Vec<&Behavior> = behaviors.collect();
    let patterns: Vec<&str> = behaviors.iter().map(|one| &*one.path_pattern).collect();
    let patterns = quote_list(&patterns, "and", MAX_PATTERNS);
    if behaviors.is_empty() {
        let message = format!(
            "target `{name}`: no cache behavior of `{id}` uses an origin with the origin path `/{origin_path}`"
        );
        differs(line, message);
        return;
    }
    // `/` comes from the origin of the default behavior.
    let has_root = behaviors.iter().any(|one| one.path_pattern == "*");
    let root_object = paths.default_root_object.as_deref().unwrap_or_default();
    if has_root && paths.viewer_prefix().is_empty() && root_object != actual.default_root_object {
        let setting = match actual.default_root_object.as_str() {
            "" => "null",
            object => object,
        };
        let message = format!(
            "target `{name}`: `{id}` has another default root object; write `default_root_object: {setting}`"
        );
        differs(line, message);
    }
    let with_query_strings = behaviors.iter().find(|one| one.query_strings == Some(true));
    let has_none = behaviors.iter().all(|one| one.query_strings == Some(false));
    if let Some(one) = with_query_strings.filter(|_| !paths.query_strings) {
        let message = format!(
            "target `{name}`: the cache key of the behavior `{}` of `{id}` contains query \
             strings; write `query_strings: true`",
            one.path_pattern
        );
        differs(line, message);
    } else if has_none && paths.query_strings {
        let message = format!(
            "target `{name}`: no cache key of `{id}` contains query strings; remove \
             `query_strings: true`, which purges more than the object"
        );
        differs(line, message);
    }
    if behaviors.iter().all(|one| one.caches == Some(false)) {
        let message = format!(
            "target `{name}`: the behaviors {patterns} of `{id}` cache nothing, so nothing needs an invalidation"
        );
        differs(line, message);
    }
    let buckets: Vec<&str> = origins.iter().filter_map(|origin| origin.bucket()).collect();
    for (rule, _) in users {
        for bucket in &rule.conditions.buckets {
            if let BucketPattern::Exact(bucket) = bucket
                && !buckets.contains(&bucket.as_str())
            {
                let message = format!(
                    "rule `{}`: the bucket `{bucket}` is not an origin of `{id}` (target \
                     `{name}`) with the origin path `/{origin_path}`",
                    rule.name
                );
                differs(rule.line, message);
            }
        }
        let mut starts: Vec<_> =
            rule.conditions.prefixes.iter().map(|prefix| paths.bound(prefix)).collect();
        if starts.is_empty() {
            starts.push(paths.bound(""));
        }
        if !starts.iter().any(|start| behaviors.iter().any(|one| one.may_match(start))) {
            let message = format!(
                "rule `{}`: viewers of `{id}` get the bucket at {patterns}, not at `{}` (target \
                 `{name}`); if an edge function rewrites paths, set `viewer_prefix`",
                rule.name, starts[0]
            );
            differs(rule.line, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::example_account;

    #[test]
    fn every_difference_is_found() {
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
        let file = RulesFile::read("rules.yaml", text.as_bytes()).expect("rules");
        assert!(!file.findings.has_error(), "{}", file.findings);
        let Comparison { differences: found, notes } = compare(&file, &example_account());
        assert_eq!(notes.len(), 2, "{notes:?}");
        let expected = [
            "3: target `www`: `E1EXAMPLE1WWW` has another default root object; write `default_root_object: index.html`",
            "10: rule `wrong`: the bucket `example-blog` is not an origin of `E1EXAMPLE1WWW`",
            "4: target `blog`: no S3 origin of `E2EXAMPLE2BLOG` has the origin path `/blog`; use `/` or `/public`",
            "5: target `gone`: the account has no distribution `E9EXAMPLE9`",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            let found = format!("{}: {}", found.line, found.message);
            assert!(found.starts_with(expected), "{found}");
        }
    }

    /// A distribution with a bucket for `/media/*` and another for the rest.
    #[test]
    fn behaviors_are_compared() {
        let mut account = example_account();
        account[1].behaviors[0].query_strings = Some(true);
        account[1].behaviors[1].query_strings = Some(false);
        account[0].behaviors[1].caches = Some(false);
        let www = "www: { distribution: E1EXAMPLE1WWW, origin_path: /public }";
        for (target, rule, expected) in [
            (
                "blog: { distribution: E2EXAMPLE2BLOG, default_root_object: null }",
                "bucket: example-blog, invalidate: blog",
                &[][..],
            ),
            (
                "site: { distribution: E2EXAMPLE2BLOG, origin_path: /public, viewer_prefix: /site, query_strings: true }",
                "bucket: example-site, prefix: public/docs/, invalidate: { target: site, tags: t }",
                &[],
            ),
            (
                "site: { distribution: E2EXAMPLE2BLOG, origin_path: /public }",
                "bucket: example-site, prefix: public/docs/, invalidate: site",
                &[
                    "contains query strings; write `query_strings: true`",
                    "get the bucket at `/site/*`, not at `/docs/`",
                ],
            ),
            (
                "blog: { distribution: E2EXAMPLE2BLOG, default_root_object: null, query_strings: true }",
                "bucket: example-blog, invalidate: blog",
                &["remove `query_strings: true`"],
            ),
            (
                www,
                "bucket: example-site, invalidate: { target: www, tags: t }",
                &["has no `CacheTagConfig`", "cache nothing"],
            ),
        ] {
            let text =
                format!("version: 1\ntargets:\n  {target}\nrules:\n  - {{ name: r, {rule} }}\n");
            let file = RulesFile::read("rules.yaml", text.as_bytes()).expect("rules");
            assert!(!file.findings.has_error(), "{}", file.findings);
            let found = compare(&file, &account).differences;
            assert_eq!(found.len(), expected.len(), "{text}{found:#?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.message.contains(expected), "{}", found.message);
            }
        }
    }
}
