//! The changes of a plan, from payloads or a key list.

use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use s3_cloudfront_invalidator::event::{self, Change, Identity, Occurrence};

use crate::input;

use super::{keys::KeysFormat, summary::Draft};

/// From how many bytes of input on a progress bar is worth its line.
const LONG: usize = 8 << 20;

/// Adds every change of the payloads, and gives what could not be read.
pub fn from_payloads(arguments: &[PathBuf], draft: &mut Draft<'_>) -> anyhow::Result<Vec<String>> {
    let mut unreadable = Vec::new();
    let mut place = 0;
    let payloads = input::read_payloads(arguments)?;
    let progress = progress(payloads.iter().map(|payload| payload.bytes.len()).sum());
    for input::Payload { name, bytes } in payloads {
        let deliveries = match event::read(&bytes, &format!("plan-{name}")) {
            Ok(payload) => payload.deliveries,
            Err(reason) => {
                unreadable.push(format!("{name}: {reason}"));
                Vec::new()
            }
        };
        let share = bytes.len() / deliveries.len().max(1);
        for delivery in deliveries {
            for change in &delivery.changes {
                draft.add(change, place);
            }
            unreadable.extend(delivery.unreadable.iter().map(|reason| match &delivery.id {
                Some(id) => format!("{name}: message {id}: {reason}"),
                None => format!("{name}: {reason}"),
            }));
            place += 1;
            progress.inc(share as u64);
        }
    }
    progress.finish_and_clear();
    Ok(unreadable)
}

/// Adds every change of a key list. Of a list that names buckets, only those of
/// `bucket` if one is given.
pub fn from_keys(
    file: &Path,
    format: KeysFormat,
    bucket: Option<&str>,
    draft: &mut Draft<'_>,
) -> anyhow::Result<()> {
    let text = input::read_text(file)?;
    let objects = format.read(&file.display().to_string(), &text)?;
    let progress = progress(text.len());
    let share = text.len() / objects.len().max(1);
    for object in objects {
        progress.inc(share as u64);
        let other = object.bucket.is_some_and(|named| bucket.is_some_and(|wanted| wanted != named));
        if other {
            continue;
        }
        let bucket = object.bucket.or(bucket).context("--keys needs --bucket")?;
        let (key, kind) = (object.key, object.kind);
        let change = Change {
            bucket: draft.bucket(bucket),
            key: key.to_owned(),
            kind,
            time_ms: None,
            size: object.size,
            account: None,
            region: None,
            identity: Identity::new(bucket, key, kind, None, Occurrence::Only, None),
        };
        draft.add(&change, 0);
    }
    progress.finish_and_clear();
    Ok(())
}

/// A bar on standard error, when there is much to read and someone to see it.
fn progress(bytes: usize) -> ProgressBar {
    if bytes < LONG {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes as u64);
    match ProgressStyle::with_template("planning {bar:40} {percent}% of {total_bytes}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
