//! The plan as one JSON document, for scripts.

use s3_cloudfront_invalidator::{distribution::DistributionId, plan::Cost};
use serde::Serialize;

use super::summary::{Planned, Summary};

#[derive(Serialize)]
struct Document<'s> {
    changes: usize,
    ignored: usize,
    unmatched: usize,
    not_served: usize,
    /// Changes that no rule speaks for and `DistributionId` takes.
    fallback: usize,
    billed_paths: usize,
    distributions: Vec<Entry<'s>>,
    cost: Costs,
    unreadable: &'s [String],
}

#[derive(Serialize)]
struct Entry<'s> {
    #[serde(flatten)]
    id: Id<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<&'s str>,
    targets: Vec<&'s str>,
    /// Changes that ask for anything here.
    changes: usize,
    billed_paths: usize,
    wildcards: usize,
    /// Only with a known site.
    #[serde(skip_serializing_if = "Option::is_none")]
    unchanged_purged: Option<usize>,
    requests: Vec<Request<'s>>,
    unaddressable: Vec<Unaddressable<'s>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Id<'s> {
    Distribution(&'s str),
    Tenant(&'s str),
}

#[derive(Serialize)]
struct Request<'s> {
    caller_reference: &'s str,
    items: Vec<&'s str>,
}

#[derive(Serialize)]
struct Unaddressable<'s> {
    bucket: &'s str,
    key: &'s str,
    reason: String,
}

#[derive(Serialize)]
struct Costs {
    month_to_date: u64,
    plan: Price,
    path_per_file: Price,
    everything: Price,
}

#[derive(Serialize)]
struct Price {
    paths: u64,
    free_paths: u64,
    usd: f64,
}

impl From<Cost> for Price {
    fn from(cost: Cost) -> Self {
        let thousandths = cost.price.thousandths();
        Self { paths: cost.paths, free_paths: cost.free, usd: thousandths as f64 / 1_000.0 }
    }
}

impl<'s> Entry<'s> {
    fn of(planned: &'s Planned) -> Self {
        let plan = &planned.plan;
        let request = |request: &'s s3_cloudfront_invalidator::plan::Request| Request {
            caller_reference: &request.caller_reference,
            items: request.items.iter().map(|planned| planned.item.as_str()).collect(),
        };
        Self {
            id: match &plan.distribution.id {
                DistributionId::Distribution(id) => Id::Distribution(id),
                DistributionId::Tenant(id) => Id::Tenant(id),
            },
            role_arn: plan.distribution.role.as_ref().map(|role| &*role.arn),
            targets: plan.targets.iter().map(|name| &**name).collect(),
            changes: planned.changes,
            billed_paths: plan.billed_paths(),
            wildcards: plan.wildcards(),
            unchanged_purged: planned.unchanged.map(|unchanged| unchanged.purged),
            requests: plan.requests.iter().map(request).collect(),
            unaddressable: plan
                .unaddressable
                .iter()
                .map(|change| Unaddressable {
                    bucket: &change.bucket,
                    key: &change.key,
                    reason: change.reason.to_string(),
                })
                .collect(),
        }
    }
}

pub fn print(summary: &Summary, unreadable: &[String]) -> anyhow::Result<()> {
    let Summary { counts, distributions, cost, month_to_date } = summary;
    let document = Document {
        changes: counts.changes,
        ignored: counts.ignored,
        unmatched: counts.unmatched,
        not_served: counts.not_served,
        fallback: counts.fallback,
        billed_paths: distributions.iter().map(|planned| planned.plan.billed_paths()).sum(),
        distributions: distributions.iter().map(Entry::of).collect(),
        cost: Costs {
            month_to_date: *month_to_date,
            plan: cost.plan.into(),
            path_per_file: cost.path_per_file.into(),
            everything: cost.everything.into(),
        },
        unreadable,
    };
    anstream::println!("{}", serde_json::to_string_pretty(&document)?);
    Ok(())
}
