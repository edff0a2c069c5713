use std::{collections::HashMap, time::Duration};

use cloudfront_simulator::Recorded;
use s3_cloudfront_invalidator::{distribution::DistributionId, item::Item};

/// What a change asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The message that brought the change.
    pub message: String,
    /// When the change was sent, on the simulator's clock.
    pub sent_at: Duration,
    /// What is to be invalidated.
    pub distribution: DistributionId,
    /// What is to be invalidated there.
    pub item: Item,
}

/// The expected items that no invalidation covers which was accepted after the
/// change was sent: by itself, or by a wildcard. A message sent at the same
/// time as an invocation was sent before it.
pub fn lost<'a>(expected: &'a [Expected], accepted: &[Recorded]) -> Vec<&'a Expected> {
    let mut latest: HashMap<(&DistributionId, &str), Duration> = HashMap::new();
    for invalidation in accepted {
        for item in &invalidation.items {
            let at = latest.entry((&invalidation.distribution, item)).or_default();
            *at = invalidation.accepted_at.max(*at);
        }
    }
    let is_covered = |expected: &Expected| {
        let accepted_as = |text: &str| match latest.get(&(&expected.distribution, text)) {
            Some(at) => *at >= expected.sent_at,
            None => false,
        };
        let text = expected.item.as_str();
        let mut wildcards = (!expected.item.is_tag())
            .then(|| text.char_indices().map(|(end, _)| format!("{}*", &text[..end])))
            .into_iter()
            .flatten();
        accepted_as(text) || wildcards.any(|wildcard| accepted_as(&wildcard))
    };
    expected.iter().filter(|expected| !is_covered(expected)).collect()
}
