//! Rules that forget the origin path of their target: keys contain it, the
//! paths that viewers request do not.

use s3_cloudfront_invalidator::{
    item::PathSettings,
    rules::{Code, Conditions, Findings, Invalidate, Node, RuleSet, Template},
    target::Target,
};

use crate::event_pattern::literals;

/// Reports prefixes and regexes whose keys no target of the rule serves, and
/// targets that serve none of the rule's keys.
pub fn lint_keys(
    node: Node<'_>,
    conditions: &Conditions,
    entries: &[Invalidate],
    rules: &RuleSet,
    findings: &mut Findings,
) {
    let prefixes = conditions.prefixes.iter().map(|prefix| Some(vec![prefix.clone()]));
    let regexes = conditions.regexes.iter().map(|regex| literals::prefixes(regex.pattern()));
    for (field, starts) in [("prefix", prefixes.collect::<Vec<_>>()), ("regex", regexes.collect())]
    {
        // Values with a leading slash are reported as such.
        let has_slash = |starts: &Option<Vec<String>>| {
            starts.as_ref().is_some_and(|starts| starts.iter().any(|start| start.starts_with('/')))
        };
        if starts.is_empty() || starts.iter().any(has_slash) {
            continue;
        }
        let target = |entry: &Invalidate| rules.target(entry.target);
        let mut is_reported = false;
        for (index, starts) in starts.iter().enumerate() {
            if entries.is_empty()
                || entries.iter().any(|entry| may_serve(&target(entry).paths, starts))
            {
                continue;
            }
            is_reported = true;
            let node = node.value(field, index);
            let (text, Target { name, paths, .. }) = (node.text(), target(&entries[0]));
            let origin_path = paths.origin_path();
            let message = match entries {
                [_] => format!(
                    "the target `{name}` serves no key of `{text}`: its origin path is `{origin_path}`"
                ),
                _ => format!(
                    "no target of the rule serves a key of `{text}`, because of their origin paths"
                ),
            };
            let finding = node.finding(Code::OutsideOriginPath, message);
            findings.push(match (field, entries) {
                ("prefix", [_]) => finding.help(format!(
                    "conditions are about keys, which contain the origin path: write `{}/{text}`",
                    origin_path.trim_start_matches('/')
                )),
                _ => finding.help("conditions are about keys, which contain the origin path"),
            });
        }
        if is_reported {
            return;
        }
        for (index, entry) in entries.iter().enumerate() {
            let Target { name, paths, .. } = target(entry);
            if !starts.iter().any(|starts| may_serve(paths, starts)) {
                let message = format!(
                    "the target `{name}` serves no key of the rule: its origin path is `{}`",
                    paths.origin_path()
                );
                let finding =
                    node.value("invalidate", index).finding(Code::OutsideOriginPath, message);
                findings.push(
                    finding.help("remove the target from this rule, or correct its `origin_path`"),
                );
            }
        }
    }
}

/// Whether the target may serve a key that starts with one of the literals;
/// `None` is for any start.
fn may_serve(paths: &PathSettings, starts: &Option<Vec<String>>) -> bool {
    let origin_path = format!("{}/", paths.origin_path());
    let origin_path = origin_path.trim_start_matches('/');
    starts.as_ref().is_none_or(|starts| {
        starts
            .iter()
            .any(|start| start.starts_with(origin_path) || origin_path.starts_with(&**start))
    })
}

/// Reports a path that starts with the origin path.
pub fn lint_path(node: Node<'_>, path: &Template, target: &Target, findings: &mut Findings) {
    let (text, origin_path) = (path.text(), target.paths.origin_path());
    let viewer_prefix = target.paths.viewer_prefix();
    if origin_path.is_empty() || viewer_prefix.starts_with(origin_path) {
        return;
    }
    let rest = text.strip_prefix(origin_path).filter(|rest| rest.starts_with('/'));
    let (message, better) = if let Some(rest) = rest {
        let message = format!(
            "`{text}` contains the origin path `{origin_path}`, which viewers do not request"
        );
        (message, format!("{viewer_prefix}{rest}"))
    } else if let Some(rest) = text.strip_prefix("/{key}") {
        let message = format!(
            "`{{key}}` contains the origin path `{origin_path}`, which viewers do not request"
        );
        (message, format!("{{path}}{rest}"))
    } else {
        return;
    };
    let finding = node.finding(Code::OriginPathInPath, message);
    findings.push(finding.help(format!("write `{better}`")));
}
