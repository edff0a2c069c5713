//! `invalidator plan`: what would be sent, why it is the least, and its cost.

mod changes;
mod html;
mod json;
mod keys;
mod outline;
mod picture;
mod site;
mod summary;
mod text;

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};

use crate::{Format, Global, Verdict, input};
use keys::KeysFormat;
use summary::Draft;

/// Plans invalidations for payloads or key lists, with their cost, and sends
/// nothing.
///
/// All payloads together make one plan, as if one batch had brought them.
#[derive(clap::Args)]
pub struct Args {
    /// JSON or JSONL files, directories of such files, or - for standard input.
    #[arg(value_name = "PAYLOAD", required_unless_present = "keys", conflicts_with = "keys")]
    payloads: Vec<PathBuf>,
    /// The bucket of the keys, or of the site.
    #[arg(long, value_name = "BUCKET")]
    bucket: Option<String>,
    /// A list of keys, one a line, or - for standard input: each was created.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// How the lines of the list read: just keys, or as the AWS CLI prints them.
    #[arg(long, value_enum, requires = "keys")]
    keys_format: Option<KeysFormat>,
    /// All keys of the site, one a line or as `aws s3 ls --recursive` prints
    /// them, to count the unchanged objects that the plan purges.
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// How many paths the account has invalidated this month, for the cost.
    #[arg(long, value_name = "PATHS", default_value_t)]
    month_to_date: u64,
    /// Write the plan as a page for the browser as well.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub fn run(args: Args, global: &Global) -> anyhow::Result<Verdict> {
    let Args { payloads, bucket, keys, keys_format, site, month_to_date, report } = args;
    let format = keys_format.unwrap_or_default();
    if keys.is_some() && bucket.is_none() && format != KeysFormat::Sync {
        bail!("--keys needs --bucket: the list does not name one");
    }
    let rules = input::load_rules(global)?;
    let mut draft = Draft::new(&rules, month_to_date, site.is_some());
    let bucket = bucket.as_deref();
    let unreadable = match keys {
        Some(file) => {
            changes::from_keys(&file, format, bucket, &mut draft)?;
            Vec::new()
        }
        None => changes::from_payloads(&payloads, &mut draft)?,
    };
    if let Some(file) = site {
        draft.measure_site(&input::read_text(&file)?, bucket)?;
    }
    let summary = draft.finish();
    if let Some(file) = report {
        fs::write(&file, html::page(&summary))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    match global.format {
        Format::Text => text::print(&summary),
        Format::Json => json::print(&summary, &unreadable)?,
    }
    for reason in &unreadable {
        anstream::eprintln!("error: {reason}");
    }
    Ok(if unreadable.is_empty() { Verdict::Done } else { Verdict::Negative })
}
