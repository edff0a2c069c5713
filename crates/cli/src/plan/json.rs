//! The plan as one JSON document, for scripts.

use std::io::{BufWriter, Write, stdout};

use s3_cloudfront_invalidator::plan::Cost;
use serde::Serialize;

use crate::document::Document;

use super::summary::Summary;

#[derive(Serialize)]
struct PlanDocument<'s> {
    #[serde(flatten)]
    plan: Document,
    cost: Costs,
    /// What could not be read, and so is not in the plan.
    unreadable: &'s [String],
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

pub fn print(summary: &Summary, unreadable: &[String]) -> anyhow::Result<()> {
    let mut plan = Document::planned(&summary.plan);
    for (document, figures) in plan.distributions.iter_mut().zip(&summary.figures) {
        document.unchanged_purged = figures.unchanged.as_ref().map(|unchanged| unchanged.purged);
    }
    let cost = &summary.cost;
    let cost = Costs {
        month_to_date: summary.month_to_date,
        plan: cost.plan.into(),
        path_per_file: cost.path_per_file.into(),
        everything: cost.everything.into(),
    };
    let document = PlanDocument { plan, cost, unreadable };
    // Straight to the output: a million items need no second copy, nor a search
    // for colours.
    let mut out = BufWriter::new(stdout().lock());
    serde_json::to_writer_pretty(&mut out, &document)?;
    writeln!(out)?;
    Ok(out.flush()?)
}
