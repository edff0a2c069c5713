//! The JSON documents of `plan` and `run`. Scripts depend on the names.

use std::{collections::BTreeMap, sync::Arc};

use s3_cloudfront_invalidator::{
    cloudfront::{Outcome, Submission, SubmittedDistribution, SubmittedRequest},
    distribution::{Distribution, DistributionId},
    item::Item,
    plan::{Counts, DistributionPlan, Plan, UnaddressableChange},
    target::{Exclusion, ExclusionSource},
};
use serde::Serialize;

use super::{batches::Batches, cost::Cost, summary::PlanSummary};
use crate::output::print_json;

/// The plan of all payloads, with the outcome of each request if it was sent.
#[derive(Default, Serialize)]
pub struct PlanDocument {
    /// Distinct changes.
    pub changes: usize,
    pub ignored: usize,
    pub unmatched: usize,
    pub not_served: usize,
    pub fallback: usize,
    pub billed_paths: usize,
    pub distributions: Vec<DistributionDocument>,
}

#[derive(Serialize)]
pub struct DistributionDocument {
    #[serde(flatten)]
    pub id: DistributionId,
    pub targets: Vec<String>,
    pub billed_paths: usize,
    pub wildcards: usize,
    /// What wildcards must not cover, if it decides about the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<ExclusionDocument>,
    /// Objects that are purged although they did not change, with `--site`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchanged_purged: Option<usize>,
    /// The same for each wildcard.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unchanged_purged_by: BTreeMap<String, usize>,
    pub requests: Vec<RequestDocument>,
    pub unaddressable: Vec<UnaddressableDocument>,
}

/// An exclusion, and how many paths fewer would be billed without it.
#[derive(Serialize)]
pub struct ExclusionDocument {
    pub prefix: String,
    /// `protect`, `ignore` or `except`.
    pub source: &'static str,
    /// The rule of `ignore` and `except`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    pub cost_in_paths: i64,
}

/// One CreateInvalidation request. A request that was bisected, because
/// CloudFront refused an item, is one entry for each outcome.
#[derive(PartialEq, Eq, Serialize)]
pub struct RequestDocument {
    pub caller_reference: String,
    pub items: Vec<String>,
    /// Absent in a plan.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeDocument>,
}

#[derive(PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum OutcomeDocument {
    Accepted {
        invalidation_id: String,
        status: String,
        /// By an earlier invocation, so that nothing is billed.
        #[serde(skip)]
        is_remembered: bool,
    },
    NotAccepted {
        error: String,
    },
    DryRun {
        dry_run: bool,
    },
}

/// A change for which nothing can be sent.
#[derive(Serialize)]
pub struct UnaddressableDocument {
    pub bucket: String,
    pub key: String,
    pub reason: String,
}

impl PlanDocument {
    /// Describes a plan that is not sent.
    pub fn planned(plan: &Plan) -> Self {
        let distributions = plan.distributions.iter().map(|part| {
            let requests = part.requests.iter().map(|request| {
                let items = request.items.iter().map(|planned| &planned.item);
                RequestDocument::new(&request.caller_reference, items, None)
            });
            let (requests, wildcards) = (requests.collect(), part.wildcards());
            let DistributionPlan { distribution, targets, unaddressable, .. } = part;
            DistributionDocument::new(distribution, targets, wildcards, requests, unaddressable)
        });
        Self::of(plan.counts, distributions.collect())
    }

    /// Describes a plan and its outcomes.
    pub fn submitted(submission: &Submission) -> Self {
        let distributions = submission.distributions.iter().map(|part| {
            let requests = part.requests.iter().flat_map(by_outcome).collect();
            let items = part.items().map(|submitted| &submitted.planned.item);
            let wildcards = items.filter(|item| item.is_wildcard()).count();
            let SubmittedDistribution { distribution, targets, unaddressable, .. } = part;
            DistributionDocument::new(distribution, targets, wildcards, requests, unaddressable)
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

    /// Adds the document of another invocation.
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
            id: distribution.id.clone(),
            targets: targets.iter().map(ToString::to_string).collect(),
            billed_paths: requests
                .iter()
                .filter(|request| request.is_billed())
                .map(|r| r.items.len())
                .sum(),
            wildcards,
            exclusions: Vec::new(),
            unchanged_purged: None,
            unchanged_purged_by: BTreeMap::new(),
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

impl RequestDocument {
    fn new<'a>(
        caller_reference: &str,
        items: impl IntoIterator<Item = &'a Item>,
        outcome: Option<OutcomeDocument>,
    ) -> Self {
        let items = items.into_iter().map(ToString::to_string).collect();
        Self { caller_reference: caller_reference.to_owned(), items, outcome }
    }

    /// Whether CloudFront bills it. A plan counts as if it were sent.
    fn is_billed(&self) -> bool {
        self.outcome.as_ref().is_none_or(OutcomeDocument::is_new)
    }
}

/// Groups the items of one request by outcome, in order.
fn by_outcome(request: &SubmittedRequest) -> Vec<RequestDocument> {
    let mut groups: Vec<(OutcomeDocument, Vec<&Item>)> = Vec::new();
    for submitted in &request.items {
        let item = &submitted.planned.item;
        let outcome = OutcomeDocument::new(&submitted.outcome);
        match groups.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, items)) => items.push(item),
            None => groups.push((outcome, vec![item])),
        }
    }
    let group =
        |(outcome, items)| RequestDocument::new(&request.caller_reference, items, Some(outcome));
    groups.into_iter().map(group).collect()
}

impl OutcomeDocument {
    /// Whether CloudFront accepted it in this invocation.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::Accepted { is_remembered: false, .. })
    }

    fn new(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted(invalidation) | Outcome::Remembered(invalidation) => Self::Accepted {
                invalidation_id: invalidation.id.clone(),
                status: invalidation.status.clone(),
                is_remembered: matches!(outcome, Outcome::Remembered(_)),
            },
            Outcome::DryRun => Self::DryRun { dry_run: true },
            Outcome::Refused(failure) | Outcome::Retry(failure) => {
                Self::NotAccepted { error: failure.to_string() }
            }
        }
    }
}

/// The document of `plan --format json`.
#[derive(Serialize)]
struct PricedPlanDocument<'s> {
    #[serde(flatten)]
    plan: PlanDocument,
    cost: CostComparisonDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    batches: Option<BatchesDocument>,
    /// What could not be read and is not in the plan.
    unreadable: &'s [String],
}

#[derive(Serialize)]
struct CostComparisonDocument {
    month_to_date: u64,
    plan: CostDocument,
    path_per_file: CostDocument,
    everything: CostDocument,
}

/// The plans with `--batch`.
#[derive(Serialize)]
struct BatchesDocument {
    /// The changes of one invocation.
    size: usize,
    cost: CostDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    unchanged_purged: Option<usize>,
    plans: Vec<PlanDocument>,
}

impl From<&Batches> for BatchesDocument {
    fn from(batches: &Batches) -> Self {
        Self {
            size: batches.size,
            cost: batches.cost.into(),
            unchanged_purged: batches.unchanged_purged,
            plans: batches.plans.iter().map(PlanDocument::planned).collect(),
        }
    }
}

impl From<&(Exclusion, i64)> for ExclusionDocument {
    fn from((Exclusion { prefix, source }, cost): &(Exclusion, i64)) -> Self {
        let (source, rule) = match source {
            ExclusionSource::Protect => ("protect", None),
            ExclusionSource::Ignore(rule) => ("ignore", Some(rule)),
            ExclusionSource::Except(rule) => ("except", Some(rule)),
        };
        let rule = rule.map(ToString::to_string);
        Self { prefix: prefix.to_string(), source, rule, cost_in_paths: *cost }
    }
}

#[derive(Serialize)]
struct CostDocument {
    paths: u64,
    free_paths: u64,
    usd: f64,
}

impl From<Cost> for CostDocument {
    fn from(Cost { paths, free, price }: Cost) -> Self {
        Self { paths, free_paths: free, usd: price.thousandths() as f64 / 1_000.0 }
    }
}

/// Prints a plan that is not sent.
pub fn print(summary: &PlanSummary, unreadable: &[String]) -> anyhow::Result<()> {
    let mut plan = PlanDocument::planned(&summary.plan);
    for (document, (_, figures)) in plan.distributions.iter_mut().zip(summary.distributions()) {
        document.exclusions = figures.exclusions.each.iter().map(Into::into).collect();
        if let Some(unchanged) = &figures.unchanged {
            document.unchanged_purged = Some(unchanged.purged);
            document.unchanged_purged_by = unchanged.purged_by.iter().cloned().collect();
        }
    }
    let cost = CostComparisonDocument {
        month_to_date: summary.month_to_date,
        plan: summary.plan_cost.into(),
        path_per_file: summary.path_per_file.into(),
        everything: summary.everything.into(),
    };
    let batches = summary.batches.as_ref().map(Into::into);
    print_json(&PricedPlanDocument { plan, cost, batches, unreadable })
}
