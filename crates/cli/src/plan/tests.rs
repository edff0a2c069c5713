//! The plan of the command line, compared with what the function sends and with
//! what the rules exclude.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use cloudfront_simulator::{Simulator, SimulatorOptions};
use proptest::prelude::*;
use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, CloudFrontOptions},
    distribution::Distribution,
    event::{self, Change},
    handler::Function,
    item::Item,
    plan::{DistributionPlan, Plan},
    rules::{RuleSet, Verdict},
};
use serde_json::json;
use tokio::time::Instant;

use super::summary::PlanDraft;

/// A rule for `www`, a target without an origin path.
#[derive(Clone, Debug)]
struct AnyRule {
    prefix: Option<&'static str>,
    suffix: Option<&'static str>,
    /// A prefix.
    except: Option<&'static str>,
    act: &'static str,
}

impl AnyRule {
    fn yaml(&self, number: usize) -> String {
        let mut rule = format!("  - {{ name: r{number}, {}", self.act);
        let prefix = self.prefix.map(|prefix| format!(", prefix: '{prefix}'"));
        let suffix = self.suffix.map(|suffix| format!(", suffix: '{suffix}'"));
        let except = self.except.map(|prefix| format!(", except: {{ prefix: '{prefix}' }}"));
        [prefix, suffix, except].into_iter().flatten().for_each(|field| rule += &field);
        rule + " }\n"
    }

    /// What it forbids for every wildcard.
    fn ignored(&self, viewer_prefix: &str) -> Option<String> {
        let is_bound = self.act == "ignore: true" && self.suffix.is_none() && self.except.is_none();
        is_bound
            .then_some(self.prefix?)
            .filter(|prefix| !prefix.is_empty())
            .map(|prefix| format!("{viewer_prefix}/{prefix}"))
    }
}

fn any_rule() -> impl Strategy<Value = AnyRule> {
    let prefix = || prop::sample::select(vec!["", "a/", "a/b/", "b/", "a", "c/a/"]);
    (
        prop::option::weighted(0.7, prefix()),
        prop::option::weighted(0.3, prop::sample::select(vec![".html", "1"])),
        prop::option::weighted(0.3, prefix()),
        prop::sample::select(vec![
            "invalidate: www",
            "invalidate: [www, feeds]",
            "invalidate: www, stop: true",
            "invalidate: { target: www, paths: ['{path}', '/{file}', '/b/list/*'] }",
            "ignore: true",
            "ignore: true, allow_wildcards: true",
        ]),
    )
        .prop_map(|(prefix, suffix, except, act)| AnyRule { prefix, suffix, except, act })
}

fn any_settings() -> impl Strategy<Value = String> {
    let collapse = prop_oneof![
        6 => (0..4, 1..3, 0..2, 1..5).prop_map(|(above, weight, depth, most)| format!(
            "collapse: {{ above: {above}, weight: {weight}, min_depth: {depth}, max_wildcards: {most} }}"
        )),
        1 => Just("collapse: false".to_owned()),
    ];
    (collapse, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(collapse, index, query, clean)| {
            let index = if index { "[index.html]" } else { "[]" };
            format!(
                "{collapse}, index_documents: {index}, query_strings: {query}, clean_urls: {clean}"
            )
        },
    )
}

fn any_viewer_prefix() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "/site"])
}

fn any_key() -> impl Strategy<Value = String> {
    "(a/|b/|c/){0,3}(index\\.html|index\\.xml|[1-9]\\.html|[1-9]|a\\+b|x~y)"
}

fn read_rules(rules: &[AnyRule], settings: &str, viewer_prefix: &str, protect: bool) -> String {
    let protect = if protect { format!(", protect: {viewer_prefix}/a/c/") } else { String::new() };
    let rules: String = rules.iter().zip(1..).map(|(rule, number)| rule.yaml(number)).collect();
    format!(
        "version: 1
targets:
  www: {{ distribution: E1EXAMPLE1WWW, viewer_prefix: '{viewer_prefix}', {settings}{protect} }}
  feeds: {{ distribution: E1EXAMPLE1WWW, origin_path: /a }}
rules:
{rules}"
    )
}

fn payload(keys: &[String]) -> Vec<u8> {
    let events = keys.iter().enumerate().map(|(number, key)| {
        json!({
            "id": number.to_string(),
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {
                "bucket": { "name": "example-site" },
                "object": { "key": key, "size": 1, "sequencer": format!("{number:016X}") },
            },
        })
    });
    serde_json::to_vec(&events.collect::<Vec<_>>()).unwrap()
}

fn changes(payload: &[u8]) -> Vec<Change> {
    let deliveries = event::read(payload, "request-1").unwrap().deliveries;
    deliveries.into_iter().flat_map(|delivery| delivery.changes).collect()
}

fn planned(rules: &RuleSet, payload: &[u8]) -> Plan {
    let mut draft = PlanDraft::new(rules, false, None);
    changes(payload).iter().for_each(|change| draft.add(change, 0));
    draft.finish(0).plan
}

/// The items that CloudFront accepts from the function.
fn sent(rules: RuleSet, payload: &[u8]) -> BTreeSet<(Distribution, Item)> {
    let simulator = Simulator::new(SimulatorOptions::default());
    let cloudfront = CloudFront::new(&simulator.sdk_config(), CloudFrontOptions::default());
    let function = Function::new(rules, cloudfront);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    let report = runtime.block_on(async {
        let deadline = Instant::now() + Duration::from_secs(900);
        function.handle(payload, "request-1", deadline).await.unwrap()
    });
    assert_eq!(report.submission.failed_deliveries(), 0);
    let parts = report.submission.distributions.iter().flat_map(|part| {
        part.items().map(|item| (part.distribution.clone(), item.planned.item.clone()))
    });
    parts.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_plan_is_what_the_function_sends(
        rules in prop::collection::vec(any_rule(), 0..5),
        settings in any_settings(),
        viewer in any_viewer_prefix(),
        protect in any::<bool>(),
        keys in prop::collection::vec(any_key(), 0..40),
    ) {
        let yaml = read_rules(&rules, &settings, viewer, protect);
        let parse = || RuleSet::parse("rules.yaml", yaml.as_bytes()).unwrap();
        let payload = payload(&keys);
        let plan = planned(&parse(), &payload);
        let planned: BTreeSet<(Distribution, Item)> = plan
            .distributions
            .iter()
            .flat_map(|part| part.items().map(|one| (part.distribution.clone(), one.item.clone())))
            .collect();
        prop_assert_eq!(planned, sent(parse(), &payload), "{}", yaml);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// By the definition in docs/rules.md, with text of URL paths alone.
    #[test]
    fn no_chosen_wildcard_covers_what_is_excluded(
        rules in prop::collection::vec(any_rule(), 1..5),
        settings in any_settings(),
        viewer in any_viewer_prefix(),
        protect in any::<bool>(),
        keys in prop::collection::vec(any_key(), 0..60),
    ) {
        let yaml = read_rules(&rules, &settings, viewer, protect);
        let set = RuleSet::parse("rules.yaml", yaml.as_bytes()).unwrap();
        let payload = payload(&keys);
        let mut requested = BTreeSet::new();
        let mut of_rule: HashMap<String, Vec<Item>> = HashMap::new();
        for change in changes(&payload) {
            let decision = set.route(&change);
            prop_assert!(decision.verdict == Verdict::Matched || decision.contributions.is_empty());
            for made in decision.contributions {
                let Ok(addressed) = made.item else { continue };
                let rule = made.rule.unwrap().to_string();
                requested.insert(addressed.item.clone());
                of_rule.entry(rule).or_default().push(addressed.item);
            }
        }
        let reaches_www = rules.iter().any(|rule| rule.act.contains("www"));
        let plan = planned(&set, &payload);
        let items = plan.distributions.iter().flat_map(DistributionPlan::items);
        let wildcards = items.map(|one| &one.item).filter(|item| item.is_wildcard());
        for chosen in wildcards.filter(|item| !requested.contains(*item)) {
            prop_assert!(reaches_www);
            for ignored in rules.iter().filter_map(|rule| rule.ignored(viewer)) {
                prop_assert!(!chosen.overlaps(&ignored), "{chosen} covers {ignored}:\n{yaml}");
            }
            let protected = format!("{viewer}/a/c/");
            prop_assert!(!protect || !chosen.overlaps(&protected), "{chosen}:\n{yaml}");
            for (rule, number) in rules.iter().zip(1..) {
                let Some(except) = rule.except.filter(|except| !except.is_empty()) else { continue };
                let items = of_rule.get(&format!("r{number}")).into_iter().flatten();
                let stands_for = items.into_iter().any(|item| chosen.covers(item));
                let except = format!("{viewer}/{except}");
                prop_assert!(
                    !stands_for || !chosen.overlaps(&except),
                    "{chosen} covers {except}:\n{yaml}"
                );
            }
        }
    }
}
