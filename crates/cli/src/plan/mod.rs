//! `invalidator plan`: what would be sent, and what it costs.

mod batches;
mod blocks;
mod changes;
mod cost;
mod directories;
pub mod document;
mod html;
mod keys;
mod site_inventory;
mod summary;
#[cfg(test)]
mod tests;
mod text;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use s3_cloudfront_invalidator::config::RULES_FILE;
use time::OffsetDateTime;

use crate::{Exit, Format, Global, input};
use keys::KeysFormat;
use summary::PlanDraft;

/// Plans the invalidations of payloads or of a key list, with their cost.
/// Nothing is sent.
///
/// All payloads produce one plan, as if the function had received them in one
/// batch.
#[derive(clap::Args)]
pub struct Args {
    /// JSON or JSONL files, directories of such files, or - for standard input.
    #[arg(value_name = "PAYLOAD", required_unless_present = "keys", conflicts_with = "keys")]
    payloads: Vec<PathBuf>,
    /// Bucket of the keys, or of the site.
    #[arg(long, value_name = "BUCKET")]
    bucket: Option<String>,
    /// List of changed keys, or - for standard input: one key per line, or the output of
    /// `aws s3 ls --recursive`, `aws s3 sync`, `cp`, `mv` or `rm`.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Format of the key list [default: found from its lines].
    #[arg(long, value_enum, requires = "keys")]
    keys_format: Option<KeysFormat>,
    /// All keys of the site, one per line or as `aws s3 ls --recursive` prints
    /// them, to count the unchanged objects that the plan purges.
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// Also plan this many changes at a time, in their order, as a function
    /// that does not read the whole queue would.
    #[arg(long, value_name = "CHANGES", value_parser = clap::value_parser!(u32).range(1..))]
    batch: Option<u32>,
    /// Paths that the account has already invalidated this month, for the cost.
    #[arg(long, value_name = "PATHS", default_value_t)]
    month_to_date: u64,
    /// Also write the plan as an HTML page.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub fn run(args: Args, global: &Global) -> anyhow::Result<Exit> {
    let Args { payloads, bucket, keys, keys_format, site, batch, month_to_date, report } = args;
    let rules = input::load_rules(global)?;
    let mut draft = PlanDraft::new(&rules, site.is_some(), batch.map(|size| size as usize));
    let bucket = bucket.as_deref();
    let unreadable = match keys {
        Some(file) => {
            changes::from_keys(&file, keys_format, bucket, &mut draft)?;
            Vec::new()
        }
        None => changes::from_payloads(&payloads, &mut draft)?,
    };
    if let Some(file) = site {
        draft.measure_site(&input::read_text(&file)?, bucket)?;
    }
    let summary = draft.finish(month_to_date);
    if let Some(file) = report {
        let rules_file = global.rules.as_deref().unwrap_or(Path::new(RULES_FILE));
        fs::write(&file, html::page(&summary, rules_file, OffsetDateTime::now_utc()))
            .with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    match global.format {
        Format::Text => text::print(&summary),
        Format::Json => document::print(&summary, &unreadable)?,
    }
    if let Some(warning) = summary.warning() {
        errln!("warning: {warning}");
    }
    for reason in &unreadable {
        errln!("error: {reason}");
    }
    Ok(if unreadable.is_empty() { Exit::Done } else { Exit::Negative })
}
