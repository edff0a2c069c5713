//! The JSON document of `plan` and `run`. Its names are part of the contract.

use std::sync::Arc;

use s3_cloudfront_invalidator::{
    cloudfront::{Outcome, Submission, SubmittedRequest},
    distribution::{Distribution, DistributionId},
    item::Item,
    plan::{Counts, Plan, UnaddressableChange},
};
use serde::Serialize;

/// What was planned for all payloads, and what became of it.
#[derive(Default, Serialize)]
pub struct Document {
    /// All distinct changes.
    pub changes: usize,
    /// Only an `ignore` rule matched.
    pub ignored: usize,
    /// No rule matched and no fallback took it.
    pub unmatched: usize,
    /// Matched, and no target serves the key.
    pub not_served: usize,
    /// No rule matched and `DistributionId` took it.
    pub fallback: usize,
    /// What CloudFront bills.
    pub billed_paths: usize,
    /// One entry for each distribution.
    pub distributions: Vec<DistributionDocument>,
}

/// One distribution or tenant.
#[derive(Serialize)]
pub struct DistributionDocument {
    #[serde(flatten)]
    pub id: Id,
    /// The targets that contributed.
    pub targets: Vec<String>,
    /// What CloudFront bills.
    pub billed_paths: usize,
    /// How many of these are wildcard paths.
    pub wildcards: usize,
    /// How many objects are purged that did not change, where the site is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchanged_purged: Option<usize>,
    /// What is sent.
    pub requests: Vec<RequestDocument>,
    /// What cannot be sent.
    pub unaddressable: Vec<UnaddressableDocument>,
}

/// `"distribution": "E…"` or `"tenant": "dt_…"`.
#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Id {
    Distribution(String),
    Tenant(String),
}

/// One CreateInvalidation. Where CloudFront made several of one, because it
/// refused an item, each is an entry.
#[derive(PartialEq, Eq, Serialize)]
pub struct RequestDocument {
    /// The caller reference of the plan.
    pub caller_reference: String,
    /// Paths, wildcard paths and tags.
    pub items: Vec<String>,
    /// What became of them; absent in a plan.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeDocument>,
}

/// What became of items.
#[derive(PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum OutcomeDocument {
    Accepted { invalidation_id: String, status: String },
    NotAccepted { error: String },
    DryRun { dry_run: bool },
}

/// A change that no item can be sent for.
#[derive(Serialize)]
pub struct UnaddressableDocument {
    pub bucket: String,
    pub key: String,
    pub reason: String,
}

impl Document {
    /// A plan that is not sent.
    pub fn planned(plan: &Plan) -> Self {
        let distributions = plan.distributions.iter().map(|part| {
            let requests = part.requests.iter().map(|request| {
                let items = request.items.iter().map(|planned| &planned.item);
                RequestDocument::new(&request.caller_reference, items, None)
            });
            let requests = requests.collect();
            DistributionDocument::new(
                &part.distribution,
                &part.targets,
                part.wildcards(),
                requests,
                &part.unaddressable,
            )
        });
        Self::of(plan.counts, distributions.collect())
    }

    /// What was planned, and what became of it.
    pub fn submitted(submission: &Submission) -> Self {
        let distributions = submission.distributions.iter().map(|part| {
            let wildcards =
                part.items().filter(|submitted| submitted.planned.item.is_wildcard()).count();
            DistributionDocument::new(
                &part.distribution,
                &part.targets,
                wildcards,
                part.requests.iter().flat_map(requests).collect(),
                &part.unaddressable,
            )
        });
        Self::of(submission.counts, distributions.collect())
    }

    fn of(counts: Counts, distributions: Vec<DistributionDocument>) -> Self {
        Self {
            changes: counts.changes,
            ignored: counts.ignored,
            unmatched: counts.unmatched,
            not_served: counts.not_served,
            fallback: counts.fallback,
            billed_paths: distributions.iter().map(|part| part.billed_paths).sum(),
            distributions,
        }
    }

    /// Adds another invocation's document.
    pub fn add(&mut self, other: Self) {
        self.changes += other.changes;
        self.ignored += other.ignored;
        self.unmatched += other.unmatched;
        self.not_served += other.not_served;
        self.fallback += other.fallback;
        self.billed_paths += other.billed_paths;
        for part in other.distributions {
            match self.distributions.iter_mut().find(|known| known.id == part.id) {
                Some(known) => known.add(part),
                None => self.distributions.push(part),
            }
        }
    }
}

impl DistributionDocument {
    fn new(
        distribution: &Distribution,
        targets: &[Arc<str>],
        wildcards: usize,
        requests: Vec<RequestDocument>,
        unaddressable: &[UnaddressableChange],
    ) -> Self {
        let unaddressable = unaddressable.iter().map(|change| UnaddressableDocument {
            bucket: change.bucket.to_string(),
            key: change.key.clone(),
            reason: change.reason.to_string(),
        });
        Self {
            id: Id::of(distribution),
            targets: targets.iter().map(ToString::to_string).collect(),
            billed_paths: requests
                .iter()
                .filter(|request| request.is_billed())
                .map(|r| r.items.len())
                .sum(),
            wildcards,
            unchanged_purged: None,
            requests,
            unaddressable: unaddressable.collect(),
        }
    }

    fn add(&mut self, other: Self) {
        for target in other.targets {
            if !self.targets.contains(&target) {
                self.targets.push(target);
            }
        }
        self.billed_paths += other.billed_paths;
        self.wildcards += other.wildcards;
        self.requests.extend(other.requests);
        self.unaddressable.extend(other.unaddressable);
    }
}

impl Id {
    /// The id of a distribution or tenant.
    pub fn of(distribution: &Distribution) -> Self {
        match &distribution.id {
            DistributionId::Distribution(id) => Self::Distribution(id.clone()),
            DistributionId::Tenant(id) => Self::Tenant(id.clone()),
        }
    }
}

impl RequestDocument {
    fn new<'a>(
        caller_reference: &str,
        items: impl IntoIterator<Item = &'a Item>,
        outcome: Option<OutcomeDocument>,
    ) -> Self {
        let items = items.into_iter().map(ToString::to_string).collect();
        Self { caller_reference: caller_reference.to_owned(), items, outcome }
    }

    /// Whether CloudFront bills it: a plan counts as if it were sent.
    fn is_billed(&self) -> bool {
        matches!(self.outcome, None | Some(OutcomeDocument::Accepted { .. }))
    }
}

/// The items of one request by what became of them, in order.
fn requests(request: &SubmittedRequest) -> Vec<RequestDocument> {
    let mut groups: Vec<(OutcomeDocument, Vec<&Item>)> = Vec::new();
    for submitted in &request.items {
        let item = &submitted.planned.item;
        let outcome = OutcomeDocument::new(&submitted.outcome);
        match groups.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, items)) => items.push(item),
            None => groups.push((outcome, vec![item])),
        }
    }
    groups
        .into_iter()
        .map(|(outcome, items)| {
            RequestDocument::new(&request.caller_reference, items, Some(outcome))
        })
        .collect()
}

impl OutcomeDocument {
    fn new(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted(invalidation) | Outcome::Remembered(invalidation) => Self::Accepted {
                invalidation_id: invalidation.id.clone(),
                status: invalidation.status.clone(),
            },
            Outcome::DryRun => Self::DryRun { dry_run: true },
            Outcome::Refused(failure) | Outcome::Retry(failure) => {
                Self::NotAccepted { error: failure.to_string() }
            }
        }
    }
}
