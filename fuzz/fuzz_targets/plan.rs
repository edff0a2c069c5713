//! Any rules and any payload, parted by a NUL → plan: never a panic, only
//! requests that CloudFront takes, and the same plan twice.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    event,
    handler::plan,
    plan::{ITEMS_PER_REQUEST, MAX_WILDCARDS_PER_REQUEST},
    rules::RuleSet,
};

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == 0) else { return };
    let Ok(rules) = RuleSet::parse("rules.yaml", &input[..end]) else { return };
    let Ok(fallback) = DistributionId::distribution("E9FALLBACK") else { return };
    let rules = rules.with_fallback(fallback);
    let Ok(payload) = event::read(&input[end + 1..], "request-1") else { return };
    let (first, second) = (plan(&rules, &payload), plan(&rules, &payload));
    let references = |plan: &s3_cloudfront_invalidator::plan::Plan| -> Vec<String> {
        let requests = plan.distributions.iter().flat_map(|part| &part.requests);
        requests.map(|request| request.caller_reference.clone()).collect()
    };
    assert_eq!(references(&first), references(&second));
    for part in &first.distributions {
        let mut seen = HashSet::new();
        for request in &part.requests {
            assert!((1..=ITEMS_PER_REQUEST).contains(&request.items.len()));
            let wildcards = request.items.iter().filter(|planned| planned.item.is_wildcard());
            assert!(wildcards.count() <= MAX_WILDCARDS_PER_REQUEST);
            for planned in &request.items {
                let text = planned.item.as_str();
                assert!(text.starts_with(['/', '#']) && text.is_ascii(), "{text}");
                assert!(!text.contains(['~', ' ']) || planned.item.is_tag(), "{text}");
                assert!(seen.insert(text.to_owned()), "{text} twice");
                assert!(!planned.changes.is_empty(), "{text} for nobody");
            }
        }
    }
});
