//! The differences between rules.yaml and the account, for `check --aws`.
//!
//! Tenants are not compared, and targets with a role only with saved output: other
//! accounts cannot be read with the same credentials.

use std::{collections::BTreeSet, sync::Arc};

use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    rules::{Action, BucketPattern, Invalidate, Node, Rule, RulesFile},
    target::{Target, TargetIndex},
};
use serde::Serialize;

use super::{Account, AccountDistribution, Behavior, Origin};
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

impl Comparison {
    /// Adds another comparison, in the order of the lines.
    pub fn append(&mut self, mut other: Self) {
        self.differences.append(&mut other.differences);
        self.differences.sort_by_key(|one| one.line);
        self.notes.append(&mut other.notes);
    }

    fn differ(&mut self, line: usize, message: String) {
        self.differences.push(Difference { line, message });
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// Compares the targets of a file with the distributions of the account.
pub fn compare(file: &RulesFile<'_>, account: &Account) -> Comparison {
    let mut comparison = Comparison::default();
    let listed = file.tree.root().field("targets");
    let lines: Vec<usize> =
        listed.into_iter().flat_map(Node::fields).map(|(_, node)| node.span().line).collect();
    let mut ids = BTreeSet::new();
    for (target, index) in file.rules.targets().iter().zip(0..) {
        let name = &target.name;
        let DistributionId::Distribution(id) = &target.distribution.id else {
            comparison.note(format!("the target `{name}` is not compared: it is a tenant"));
            continue;
        };
        ids.insert(id.as_str());
        let actual = account.distributions.iter().find(|one| one.id == *id);
        if let Some(role) = &target.distribution.role
            && account.is_complete
        {
            let role = &role.arn;
            comparison.note(format!(
                "the target `{name}` is not compared: its distribution belongs to the account of \
                 `{role}`; save its configuration and name it with `--distribution {id}=FILE`"
            ));
            continue;
        }
        let line = lines.get(index).copied().unwrap_or(1);
        match actual {
            Some(actual) => {
                let rules = file.rules.rules().iter();
                let users = rules.filter_map(|rule| Some((rule, entry(rule, TargetIndex(index))?)));
                let users = users.collect();
                TargetComparison { target, line, users, actual, found: &mut comparison }.compare();
            }
            None if account.is_complete => comparison
                .differ(line, format!("target `{name}`: the account has no distribution `{id}`")),
            None => comparison.note(format!(
                "the target `{name}` is not compared: no `--distribution` names `{id}`"
            )),
        }
    }
    if !account.is_complete {
        for unused in account.distributions.iter().filter(|one| !ids.contains(&*one.id)) {
            comparison.note(format!("no target has the distribution `{}`", unused.id));
        }
    }
    comparison.append(Comparison::default());
    comparison
}

fn entry(rule: &Rule, target: TargetIndex) -> Option<&Invalidate> {
    match &rule.action {
        Action::Ignore { .. } => None,
        Action::Invalidate { targets, .. } => targets.iter().find(|one| one.target == target),
    }
}

/// One target, and the rules that use it, with its distribution.
struct TargetComparison<'a> {
    target: &'a Target,
    line: usize,
    users: Vec<(&'a Rule, &'a Invalidate)>,
    actual: &'a AccountDistribution,
    found: &'a mut Comparison,
}

impl<'a> TargetComparison<'a> {
    fn compare(mut self) {
        self.compare_tags();
        let Target { name, paths, .. } = self.target;
        let id = &self.actual.id;
        let origin_path = paths.origin_path().trim_matches('/');
        let is_at_path = |path: &str| path.trim_matches('/') == origin_path;
        let origins = self.actual.origins.iter().filter(|origin| is_at_path(&origin.path));
        let origins: Vec<_> = origins.filter(|origin| origin.bucket().is_some()).collect();
        if origins.is_empty() {
            let buckets = self.actual.buckets();
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
            return self.found.differ(self.line, message);
        }
        let behaviors = self.behaviors_of(&origins);
        if behaviors.is_empty() {
            let message = format!(
                "target `{name}`: no cache behavior of `{id}` uses an origin with the origin path `/{origin_path}`"
            );
            return self.found.differ(self.line, message);
        }
        let mut reached = Vec::new();
        for (rule, _) in std::mem::take(&mut self.users) {
            reached.extend(self.compare_rule(rule, &origins));
        }
        self.compare_behaviors(if reached.is_empty() { &behaviors } else { &reached });
    }

    fn behaviors_of(&self, origins: &[&Origin]) -> Vec<&'a Behavior> {
        let is_used = |one: &&Behavior| origins.iter().any(|origin| origin.id == one.origin_id);
        self.actual.behaviors.iter().filter(is_used).collect()
    }

    fn compare_tags(&mut self) {
        let tagged = self.users.iter().find(|(_, entry)| !entry.tags.is_empty());
        if let Some((rule, _)) = tagged.filter(|_| !self.actual.has_cache_tags) {
            let message = format!(
                "rule `{}`: `{}` has no `CacheTagConfig`, so its tags are billed but have no \
                 effect; configure the header of the tags, or remove `tags`",
                rule.name, self.actual.id
            );
            self.found.differ(rule.line, message);
        }
    }

    /// Compares a rule with the origins of the target's origin path. Returns the
    /// behaviors that serve what the rule is about.
    fn compare_rule(&mut self, rule: &Rule, origins: &[&Origin]) -> Vec<&'a Behavior> {
        let Target { name, paths, .. } = self.target;
        let id = &self.actual.id;
        let bounds = |prefixes: &[String]| -> Vec<Arc<str>> {
            prefixes.iter().map(|prefix| paths.bound(prefix)).collect()
        };
        let buckets = &rule.conditions.buckets;
        for bucket in buckets {
            if let BucketPattern::Exact(bucket) = bucket
                && !origins.iter().any(|origin| origin.bucket() == Some(bucket))
            {
                let message = format!(
                    "rule `{}`: the bucket `{bucket}` is not an origin of `{id}` (target `{name}`) \
                     with the origin path `/{}`",
                    rule.name,
                    paths.origin_path().trim_matches('/')
                );
                self.found.differ(rule.line, message);
            }
        }
        let is_of_rule = |origin: &&&Origin| {
            let name = origin.bucket().unwrap_or_default();
            buckets.is_empty() || buckets.iter().any(|bucket| bucket.matches(name))
        };
        let origins: Vec<&Origin> = origins.iter().filter(is_of_rule).copied().collect();
        let behaviors = self.behaviors_of(&origins);
        let mut starts = bounds(&rule.conditions.prefixes);
        if starts.is_empty() {
            starts.push(paths.bound(""));
        }
        let all = paths.bound("");
        let except = rule.except.iter().filter(|set| set.names_keys() && set.buckets.is_empty());
        let mut except: Vec<Arc<str>> = except.flat_map(|set| bounds(&set.prefixes)).collect();
        // Of another origin path.
        except.retain(|one| *one != all);
        let mut reached: Vec<&Behavior> =
            starts.iter().flat_map(|start| self.actual.reached(start, &except)).collect();
        reached.retain(|one| behaviors.iter().any(|behavior| std::ptr::eq(*behavior, *one)));
        if reached.is_empty() && !behaviors.is_empty() {
            let message = format!(
                "rule `{}`: viewers of `{id}` get the bucket at {}, not at `{}` (target \
                 `{name}`); if an edge function rewrites paths, set `viewer_prefix`",
                rule.name,
                patterns(&behaviors),
                starts[0]
            );
            self.found.differ(rule.line, message);
        }
        reached
    }

    /// Compares the settings of the target with the behaviors that serve it.
    fn compare_behaviors(self, behaviors: &[&Behavior]) {
        let Self { target: Target { name, paths, .. }, line, actual, found, .. } = self;
        let id = &actual.id;
        // `/` comes from the origin of the default behavior.
        let has_root = behaviors.iter().any(|one| one.path_pattern == "*");
        let root_object = paths.default_root_object.as_deref().unwrap_or_default();
        if has_root && paths.viewer_prefix().is_empty() && root_object != actual.default_root_object
        {
            let setting = match actual.default_root_object.as_str() {
                "" => "null",
                object => object,
            };
            let message = format!(
                "target `{name}`: `{id}` has another default root object; write `default_root_object: {setting}`"
            );
            found.differ(line, message);
        }
        let with_query_strings = behaviors.iter().find(|one| one.query_strings == Some(true));
        let has_none = behaviors.iter().all(|one| one.query_strings == Some(false));
        if let Some(one) = with_query_strings.filter(|_| !paths.query_strings) {
            let message = format!(
                "target `{name}`: the cache key of the behavior `{}` of `{id}` contains query \
                 strings; write `query_strings: true`",
                one.path_pattern
            );
            found.differ(line, message);
        } else if has_none && paths.query_strings {
            let message = format!(
                "target `{name}`: no cache key of `{id}` contains query strings; remove \
                 `query_strings: true`, which purges more than the object"
            );
            found.differ(line, message);
        }
        if behaviors.iter().all(|one| one.caches == Some(false)) {
            let message = format!(
                "target `{name}`: the behaviors {} of `{id}` cache nothing, so nothing needs an invalidation",
                patterns(behaviors)
            );
            found.differ(line, message);
        }
        for (one, reason) in
            behaviors.iter().filter_map(|one| Some((one, one.unread_policy.as_ref()?)))
        {
            found.note(format!(
                "the query strings of the behavior `{}` of `{id}` are not compared: {reason}",
                one.path_pattern
            ));
        }
    }
}

fn patterns(behaviors: &[&Behavior]) -> String {
    let patterns: BTreeSet<&str> = behaviors.iter().map(|one| &*one.path_pattern).collect();
    let patterns: Vec<&str> = patterns.into_iter().collect();
    quote_list(&patterns, "and", MAX_PATTERNS)
}

#[cfg(test)]
mod tests;
