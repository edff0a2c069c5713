//! Whether buckets send events to EventBridge, from saved output of `aws s3api
//! get-bucket-notification-configuration`.

use anyhow::Context;
use s3_cloudfront_invalidator::rules::{Action, RuleSet};
use serde::{Deserialize, de::IgnoredAny};

use super::{Comparison, Difference, NamedFile};
use crate::input;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NotificationConfiguration {
    /// `{}` if the bucket sends events.
    event_bridge_configuration: Option<IgnoredAny>,
}

/// Compares the rules with the notification configurations of buckets.
pub fn compare_notifications(rules: &RuleSet, files: &[NamedFile]) -> anyhow::Result<Comparison> {
    let mut comparison = Comparison::default();
    for NamedFile { name, file } in files {
        let bytes = input::read(file)?;
        // The AWS CLI prints nothing if there is no configuration.
        let saved = match bytes.trim_ascii() {
            [] => NotificationConfiguration::default(),
            bytes => serde_json::from_slice(bytes).with_context(|| {
                format!(
                    "`{}` is not the output of `aws s3api get-bucket-notification-configuration \
                     --bucket {name}`",
                    file.display()
                )
            })?,
        };
        let rule = rules.rules().iter().find(|rule| {
            let buckets = &rule.conditions.buckets;
            matches!(rule.action, Action::Invalidate { .. })
                && (buckets.is_empty() || buckets.iter().any(|bucket| bucket.matches(name)))
        });
        let Some(rule) = rule else {
            comparison.notes.push(format!("no rule invalidates for the bucket `{name}`"));
            continue;
        };
        if saved.event_bridge_configuration.is_none() {
            let message = format!(
                "rule `{}`: the bucket `{name}` sends no events to EventBridge; add \
                 `\"EventBridgeConfiguration\": {{}}` to its notification configuration",
                rule.name
            );
            comparison.differences.push(Difference { line: rule.line, message });
        }
    }
    Ok(comparison)
}
