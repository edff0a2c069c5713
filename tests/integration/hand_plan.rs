//! Plans made by hand: what each delivery asks for, without rules.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_cloudfront::config::retry::RetryConfig;
use cloudfront_simulator::Simulator;
use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, Outcome, Settings, Submission},
    distribution::{Distribution, DistributionId},
    event::{Delivery, Identity, Kind, Occurrence},
    item::{Item, address},
    plan::{DeliveredChange, DistributionPlan, Plan, PlannedItem, Request, caller_reference},
};
use tokio::time::Instant;

/// Items of a request and its wildcards, as the planner splits them.
const REQUEST: (usize, usize) = (1_000, 15);

#[derive(Default)]
pub struct HandPlan {
    deliveries: Vec<Delivery>,
    changes: Vec<DeliveredChange>,
    items: BTreeMap<Distribution, BTreeMap<Item, Vec<u32>>>,
}

impl HandPlan {
    /// One direct payload that asks for these items.
    pub fn direct(id: &str, items: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut plan = Self::default();
        plan.delivery(None);
        for text in items {
            plan.ask(distribution(id), item(text.as_ref()));
        }
        plan
    }

    pub fn delivery(&mut self, id: Option<&str>) {
        self.deliveries.push(Delivery { id: id.map(str::to_owned), ..Delivery::default() });
    }

    /// The last delivery asks for an item, once.
    pub fn ask(&mut self, distribution: Distribution, item: Item) {
        let delivery = self.deliveries.len() - 1;
        let name = self.deliveries[delivery].id.as_deref().unwrap_or_default();
        let occurrence = Occurrence::Delivery(name);
        let identity =
            Identity::new("bucket", item.as_str(), Kind::Created, None, occurrence, None);
        let change = u32::try_from(self.changes.len()).unwrap();
        self.changes.push(DeliveredChange { delivery: u32::try_from(delivery).unwrap(), identity });
        self.items.entry(distribution).or_default().entry(item).or_default().push(change);
    }

    pub fn finish(self) -> (Plan, Vec<Delivery>) {
        let Self { deliveries, changes: delivered, items } = self;
        let identity = |change: &u32| delivered[*change as usize].identity;
        let distributions = items.into_iter().map(|(distribution, items)| {
            let mut requests: Vec<Vec<PlannedItem>> = vec![vec![]];
            let mut wildcards = 0;
            for (item, changes) in items {
                wildcards += usize::from(item.is_wildcard());
                if requests[requests.len() - 1].len() == REQUEST.0 || wildcards > REQUEST.1 {
                    requests.push(vec![]);
                    wildcards = usize::from(item.is_wildcard());
                }
                let last = requests.len() - 1;
                requests[last].push(PlannedItem { item, changes, replaces: 1 });
            }
            let requests = requests.into_iter().map(|items| Request {
                caller_reference: caller_reference(
                    &distribution.id,
                    items.iter().map(|item| &item.item),
                    items.iter().flat_map(|item| &item.changes).map(identity),
                    None,
                ),
                items,
            });
            let requests = requests.collect();
            DistributionPlan { distribution, targets: vec![], requests, unaddressable: vec![] }
        });
        let distributions = distributions.collect();
        (Plan { distributions, changes: delivered, ..Plan::default() }, deliveries)
    }

    pub async fn submit(self, cloudfront: &CloudFront) -> Submission {
        let (plan, deliveries) = self.finish();
        let deadline = Instant::now() + Duration::from_secs(60);
        cloudfront.submit(&plan, &deliveries, deadline).await
    }
}

/// A CloudFront in front of the simulator, with the default attempts and
/// without waiting between them.
pub fn cloudfront(simulator: &Simulator) -> CloudFront {
    let retry = RetryConfig::standard().with_max_attempts(10).with_initial_backoff(Duration::ZERO);
    let settings = Settings { retry: Some(retry), ..Settings::default() };
    CloudFront::new(&simulator.sdk_config(), settings)
}

pub fn distribution(id: &str) -> Distribution {
    let id = match id.starts_with("dt_") {
        true => DistributionId::tenant(id),
        false => DistributionId::distribution(id),
    };
    id.unwrap().into()
}

/// An item as it is written: `#tag`, `/dir/*` or a path.
pub fn item(text: &str) -> Item {
    match text.strip_prefix('#') {
        Some(tag) => Item::tag(tag).unwrap(),
        None => address(text, "/", "/", true).unwrap(),
    }
}

/// Every outcome as one word, in the plan's order: `accepted`, `remembered`,
/// or the failure's code behind `refused:` or `retry:`.
pub fn words(submission: &Submission) -> Vec<String> {
    let outcomes = submission.distributions.iter().flat_map(|d| d.outcomes.iter().flatten());
    outcomes
        .map(|outcome| match outcome {
            Outcome::Accepted(_) => "accepted".to_owned(),
            Outcome::Remembered(_) => "remembered".to_owned(),
            Outcome::DryRun => "dry-run".to_owned(),
            Outcome::Refused(failure) => format!("refused:{}", failure.code),
            Outcome::Retry(failure) => format!("retry:{}", failure.code),
        })
        .collect()
}
