//! The items that the messages need, and those that were lost.

use std::{collections::HashMap, time::Duration};

use cloudfront_simulator::Recorded;
use s3_cloudfront_invalidator::{
    event::{MessageReader, Payload, PayloadSource},
    handler::plan,
    rules::RuleSet,
};

use crate::day::SentMessage;

/// An item to invalidate for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedItem {
    pub sent_at: Duration,
    /// The distribution or tenant.
    pub distribution: String,
    /// The path or tag.
    pub item: String,
}

/// Returns the items that each message by itself leads to. Unreadable messages
/// and unaddressable keys have none.
pub fn expected(rules: &RuleSet, messages: &[SentMessage]) -> Vec<ExpectedItem> {
    let mut expected = Vec::new();
    let mut reader = MessageReader::default();
    for message in messages {
        let delivery = reader.read("day", Some(&message.body));
        let payload = Payload { source: PayloadSource::Queue, deliveries: vec![delivery] };
        for part in plan(rules, &payload).distributions {
            for item in part.requests.into_iter().flat_map(|request| request.items) {
                expected.push(ExpectedItem {
                    sent_at: message.sent_at,
                    distribution: part.distribution.id.to_string(),
                    item: item.item.to_string(),
                });
            }
        }
    }
    expected
}

/// Returns the expected items that no invalidation covers, as the item itself
/// or as a wildcard, that was accepted after the message was sent. A message
/// sent at the time of acceptance counts as sent before.
pub fn lost(expected: &[ExpectedItem], accepted: &[Recorded]) -> Vec<ExpectedItem> {
    let mut latest: HashMap<(&str, &str), Duration> = HashMap::new();
    for invalidation in accepted {
        for item in &invalidation.items {
            let at = latest.entry((&invalidation.distribution, item)).or_default();
            *at = invalidation.accepted_at.max(*at);
        }
    }
    let is_covered = |expected: &ExpectedItem| {
        let is_accepted = |item: &str| {
            let at = latest.get(&(expected.distribution.as_str(), item));
            at.is_some_and(|at| *at >= expected.sent_at)
        };
        let item = &expected.item;
        let prefixes = item.char_indices().map(|(end, _)| &item[..end]);
        is_accepted(item)
            || !item.starts_with('#')
                && prefixes.into_iter().any(|prefix| is_accepted(&format!("{prefix}*")))
    };
    expected.iter().filter(|expected| !is_covered(expected)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_items() {
        for (accepted, at, item, is_lost) in [
            ("/a", 10, "/a", false),
            ("/a", 9, "/a", true),
            ("/b", 10, "/a", true),
            ("/docs/*", 10, "/docs/x/a", false),
            ("/docs/*", 10, "/docs", true),
            ("/d*", 11, "/docs", false),
            ("/docs/a*", 11, "/docs/*", true),
            ("/docs/*", 11, "/docs/a*", false),
            ("/*", 11, "#a", true),
            ("#a", 11, "#a", false),
        ] {
            let recorded = [Recorded {
                distribution: "E1EXAMPLE".to_owned(),
                id: "I1".to_owned(),
                caller_reference: "r".to_owned(),
                items: vec![accepted.to_owned()],
                accepted_at: Duration::from_secs(at),
                role: None,
            }];
            for (distribution, is_lost) in [("E1EXAMPLE", is_lost), ("E2EXAMPLE", true)] {
                let expected = ExpectedItem {
                    sent_at: Duration::from_secs(10),
                    distribution: distribution.to_owned(),
                    item: item.to_owned(),
                };
                let found = lost(&[expected], &recorded).len();
                assert_eq!(found, usize::from(is_lost), "{accepted} at {at}, {item}");
            }
        }
    }
}
