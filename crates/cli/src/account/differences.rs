//! The differences between rules.yaml and the account, for `check --aws`.
//!
//! Targets with a role and tenants are not compared: other accounts and tenants
//! cannot be read with the same credentials.

use std::collections::BTreeSet;

use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    rules::{Action, BucketPattern, Rule, RuleSet},
    target::{Target, TargetIndex},
};

use super::AccountDistribution;

/// Returns a sentence for each difference.
pub fn differences(rules: &RuleSet, account: &[AccountDistribution]) -> Vec<String> {
    let mut found = Vec::new();
    for (target, index) in rules.targets().iter().zip(0..) {
        let DistributionId::Distribution(id) = &target.distribution.id else { continue };
        if target.distribution.role.is_some() {
            continue;
        }
        let Some(actual) = account.iter().find(|one| one.id == *id) else {
            let name = &target.name;
            found.push(format!("target `{name}`: the account has no distribution `{id}`"));
            continue;
        };
        let invalidates = |rule: &&Rule| match &rule.action {
            Action::Ignore { .. } => false,
            Action::Invalidate { targets, .. } => {
                targets.iter().any(|one| one.target == TargetIndex(index))
            }
        };
        let users = rules.rules().iter().filter(invalidates);
        compare(target, users, actual, &mut found);
    }
    found
}

/// Compares one target, and the rules that use it, with its distribution.
fn compare<'r>(
    Target { name, paths, .. }: &Target,
    users: impl Iterator<Item = &'r Rule>,
    actual: &AccountDistribution,
    found: &mut Vec<String>,
) {
    let id = &actual.id;
    if paths.default_root_object.as_deref().unwrap_or_default() != actual.default_root_object {
        let setting = match actual.default_root_object.as_str() {
            "" => "null",
            object => object,
        };
        found.push(format!(
            "target `{name}`: `{id}` has another default root object; write \
             `default_root_object: {setting}`"
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
        let paths: BTreeSet<&str> =
            buckets.iter().map(|(_, path)| path.trim_matches('/')).collect();
        let paths: Vec<String> = paths.iter().map(|path| format!("`/{path}`")).collect();
        found.push(format!(
            "target `{name}`: no S3 origin of `{id}` has the origin path `/{origin_path}`; {}",
            match &*paths {
                [] => "it has no S3 origin".to_owned(),
                paths => format!("use {}", paths.join(" or ")),
            }
        ));
        return;
    }
    for rule in users {
        for bucket in &rule.conditions.buckets {
            if let BucketPattern::Exact(bucket) = bucket
                && !at_path.contains(bucket.as_str())
            {
                found.push(format!(
                    "rule `{}`: the bucket `{bucket}` is not an origin of `{id}` (target \
                     `{name}`) with the origin path `/{origin_path}`",
                    rule.name
                ));
            }
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
        let rules = RuleSet::parse("rules.yaml", text.as_bytes()).expect("rules");
        let found = differences(&rules, &example_account());
        let expected = [
            "target `www`: `E1EXAMPLE1WWW` has another default root object; write `default_root_object: index.html`",
            "rule `wrong`: the bucket `example-blog` is not an origin of `E1EXAMPLE1WWW`",
            "target `blog`: no S3 origin of `E2EXAMPLE2BLOG` has the origin path `/blog`; use `/` or `/public`",
            "target `gone`: the account has no distribution `E9EXAMPLE9`",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
