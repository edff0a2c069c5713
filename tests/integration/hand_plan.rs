//! Plans without rules: requests of items, each with the deliveries that need it.

use std::time::Duration;

use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, Outcome, Submission, SubmittedDistribution, SubmittedItem},
    distribution::{Distribution, DistributionId, Role},
    event::{Delivery, Identity, Kind, Occurrence, Unreadable},
    item::{Item, address},
    plan::{DeliveredChange, DistributionPlan, Plan, PlannedItem, Request, caller_reference},
};
use tokio::time::Instant;

#[derive(Default)]
pub struct HandPlan {
    pub deliveries: Vec<Delivery>,
    requests: Vec<HandRequest>,
}

struct HandRequest {
    distribution: Distribution,
    /// Each with the deliveries that need it.
    items: Vec<(String, Vec<u32>)>,
}

impl HandPlan {
    /// A plan for a direct payload.
    pub fn direct() -> Self {
        Self { deliveries: vec![Delivery::default()], ..Self::default() }
    }

    /// A plan for the messages of a queue.
    pub fn queue(messages: &[&str]) -> Self {
        let message = |id: &&str| Delivery { id: Some((*id).to_owned()), ..Delivery::default() };
        Self { deliveries: messages.iter().map(message).collect(), ..Self::default() }
    }

    /// Makes a part of a delivery unreadable.
    pub fn unreadable(mut self, delivery: usize) -> Self {
        self.deliveries[delivery].unreadable.push(Unreadable::new("not JSON"));
        self
    }

    /// Adds a request of items that the first delivery needs.
    pub fn request<T: AsRef<str>>(self, id: &str, items: impl IntoIterator<Item = T>) -> Self {
        self.request_to(distribution(id), items)
    }

    /// The same for a distribution with a role.
    pub fn request_to<T: AsRef<str>>(
        self,
        distribution: Distribution,
        items: impl IntoIterator<Item = T>,
    ) -> Self {
        self.add(distribution, items.into_iter().map(|item| (item, vec![0])))
    }

    /// Adds a request of items, each with the deliveries that need it.
    pub fn request_for(self, id: &str, items: &[(&str, &[u32])]) -> Self {
        self.add(distribution(id), items.iter().map(|(item, needed)| (*item, needed.to_vec())))
    }

    /// Adds a request of items, one for each delivery.
    pub fn request_each<T: AsRef<str>>(self, id: &str, items: impl IntoIterator<Item = T>) -> Self {
        self.add(distribution(id), items.into_iter().zip(0..).map(|(item, at)| (item, vec![at])))
    }

    fn add<T: AsRef<str>>(
        mut self,
        distribution: Distribution,
        items: impl Iterator<Item = (T, Vec<u32>)>,
    ) -> Self {
        let items = items.map(|(item, deliveries)| (item.as_ref().to_owned(), deliveries));
        self.requests.push(HandRequest { distribution, items: items.collect() });
        self
    }

    pub fn build(&self) -> Plan {
        let mut plan = Plan::default();
        for HandRequest { distribution, items } in &self.requests {
            let mut planned = Vec::new();
            for (text, deliveries) in items {
                let mut changes = Vec::new();
                for &delivery in deliveries {
                    let id = self.deliveries[delivery as usize].id.as_deref().unwrap_or_default();
                    let occurrence = Occurrence::Delivery(id);
                    let identity =
                        Identity::new("bucket", text, Kind::Created, None, occurrence, None);
                    changes.push(u32::try_from(plan.changes.len()).unwrap());
                    plan.changes.push(DeliveredChange { delivery, identity });
                }
                planned.push(PlannedItem {
                    item: item(text),
                    changes: changes.into(),
                    replaces: 1,
                });
            }
            planned.sort_by(|a, b| a.item.cmp(&b.item));
            let changes = planned.iter().flat_map(|planned| &planned.changes);
            let caller_reference = caller_reference(
                &distribution.id,
                planned.iter().map(|planned| &planned.item),
                changes.map(|change| plan.changes[*change as usize].identity),
                None,
            );
            let request = Request { caller_reference, items: planned };
            match plan.distributions.iter_mut().find(|part| part.distribution == *distribution) {
                Some(part) => part.requests.push(request),
                None => plan.distributions.push(DistributionPlan {
                    distribution: distribution.clone(),
                    targets: vec!["www".into()],
                    requests: vec![request],
                    unaddressable: Vec::new(),
                }),
            }
        }
        plan
    }

    pub async fn submit(&self, cloudfront: &CloudFront) -> Submission {
        self.submit_within(cloudfront, Duration::from_secs(900)).await
    }

    /// Submits within a time, and checks that every planned item has an outcome
    /// by then.
    pub async fn submit_within(&self, cloudfront: &CloudFront, time: Duration) -> Submission {
        let deadline = Instant::now() + time;
        let submission = cloudfront.submit(self.build(), &self.deliveries, deadline).await;
        assert!(Instant::now() <= deadline, "submitting took longer than the deadline");
        let plan = self.build();
        let planned = plan.distributions.iter().flat_map(DistributionPlan::items);
        let submitted = submitted_items(&submission);
        assert!(planned.eq(submitted.map(|submitted| &submitted.planned)));
        submission
    }
}

pub fn distribution(id: &str) -> Distribution {
    let id = match id.starts_with("dt_") {
        true => DistributionId::tenant(id),
        false => DistributionId::distribution(id),
    };
    id.unwrap().into()
}

/// A distribution of another account.
pub fn with_role(id: &str, external_id: &str) -> Distribution {
    let role = Role { arn: ROLE.to_owned(), external_id: Some(external_id.to_owned()) };
    Distribution { role: Some(role), ..distribution(id) }
}

/// The role of [`with_role`].
pub const ROLE: &str = "arn:aws:iam::444455556666:role/invalidator";

/// An item from its text: `#tag`, `/dir/*` or a path.
fn item(text: &str) -> Item {
    match text.strip_prefix('#') {
        Some(tag) => Item::tag(tag).unwrap(),
        None => address(text, "/", "/", true).unwrap(),
    }
}

/// The submitted items of all distributions.
pub fn submitted_items(submission: &Submission) -> impl Iterator<Item = &SubmittedItem> {
    submission.distributions.iter().flat_map(SubmittedDistribution::items)
}

/// Every outcome as one word, in the plan's order: `accepted`, `unnamed` (by an
/// invalidation without an id), `remembered`, or the failure's code after
/// `refused:` or `retry:`.
pub fn words(submission: &Submission) -> Vec<String> {
    submitted_items(submission)
        .map(|submitted| match &submitted.outcome {
            Outcome::Accepted(invalidation) if invalidation.id.is_empty() => "unnamed".to_owned(),
            Outcome::Accepted(_) => "accepted".to_owned(),
            Outcome::Remembered(_) => "remembered".to_owned(),
            Outcome::DryRun => "dry-run".to_owned(),
            Outcome::Refused(failure) => format!("refused:{}", failure.code),
            Outcome::Retry(failure) => format!("retry:{}", failure.code),
        })
        .collect()
}

pub fn count(words: &[String], word: &str) -> usize {
    words.iter().filter(|w| *w == word).count()
}

/// The message of the failures, which must be the same for all items.
pub fn message(submission: &Submission) -> &str {
    let failures = submitted_items(submission).filter_map(|submitted| submitted.outcome.failure());
    let mut messages: Vec<&str> = failures.map(|failure| &*failure.message).collect();
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages[0]
}
