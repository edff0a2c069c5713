//! The changes of a plan, from payloads or a key list.

use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use s3_cloudfront_invalidator::event::{self, Change, Identity, Occurrence};

use crate::input;

use super::{keys::KeysFormat, summary::Draft};

/// From how many changes on a progress bar is worth its line.
const LONG: usize = 50_000;

/// Adds every change of the payloads, and gives what could not be read.
pub fn from_payloads(arguments: &[PathBuf], draft: &mut Draft<'_>) -> anyhow::Result<Vec<String>> {
    let mut unreadable = Vec::new();
    let mut delivery_number = 0;
    for file in input::read_payloads(arguments)? {
        let documents = input::documents(&file.bytes);
        let several = documents.len() > 1;
        for (document, number) in documents.into_iter().zip(1..) {
            let name = if several { format!("{}#{number}", file.name) } else { file.name.clone() };
            let payload = match event::read(document, &format!("plan-{name}")) {
                Ok(payload) => payload,
                Err(reason) => {
                    unreadable.push(format!("{name}: {reason}"));
                    continue;
                }
            };
            for delivery in payload.deliveries {
                let progress = progress(delivery.changes.len());
                for change in progress.wrap_iter(delivery.changes.iter()) {
                    draft.add(change, delivery_number);
                }
                unreadable.extend(delivery.unreadable.iter().map(|reason| match &delivery.id {
                    Some(id) => format!("{name}: message {id}: {reason}"),
                    None => format!("{name}: {reason}"),
                }));
                delivery_number += 1;
            }
        }
    }
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
    let progress = progress(objects.len());
    for object in progress.wrap_iter(objects.into_iter()) {
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
    Ok(())
}

/// A bar on standard error when there is much to do and someone to see it.
fn progress(changes: usize) -> ProgressBar {
    if changes < LONG {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} changes");
    let bar = ProgressBar::new(changes as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
