//! Reads the changes of a plan, from payloads or from a key list.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use s3_cloudfront_invalidator::event::{self, Change, Identity, Occurrence};

use crate::input::{self, PayloadFile};

use super::{keys::KeysFormat, summary::PlanDraft};

/// Adds every change of the payloads. Returns what could not be read.
pub fn from_payloads(
    arguments: &[PathBuf],
    draft: &mut PlanDraft<'_>,
) -> anyhow::Result<Vec<String>> {
    let mut unreadable = Vec::new();
    let mut index = 0;
    for PayloadFile { name, bytes } in input::read_payloads(arguments)? {
        let payload = match event::read(&bytes, &format!("plan-{name}")) {
            Ok(payload) => payload,
            Err(reason) => {
                unreadable.push(format!("{name}: {reason}"));
                continue;
            }
        };
        if let Some(warning) = payload.foreign_warning() {
            errln!("warning: {name}: {warning}");
        }
        for delivery in payload.deliveries {
            for change in &delivery.changes {
                draft.add(change, index);
            }
            unreadable.extend(delivery.unreadable.iter().map(|reason| match &delivery.id {
                Some(id) => format!("{name}: message {id}: {reason}"),
                None => format!("{name}: {reason}"),
            }));
            index += 1;
        }
    }
    Ok(unreadable)
}

/// Adds every change of a key list. If the list names buckets and `bucket` is
/// set, changes of other buckets are left out.
pub fn from_keys(
    file: &Path,
    format: Option<KeysFormat>,
    bucket: Option<&str>,
    draft: &mut PlanDraft<'_>,
) -> anyhow::Result<()> {
    let text = input::read_text(file)?;
    let format = format.unwrap_or_else(|| {
        let found = KeysFormat::of(&text);
        if let Some(warning) = found.warning(&text) {
            errln!("warning: {warning}");
        }
        found
    });
    if bucket.is_none() && format != KeysFormat::Sync {
        bail!("--keys needs --bucket, because the list does not name the bucket");
    }
    for object in format.read(&file.display().to_string(), &text)? {
        if object.bucket.is_some() && bucket.is_some() && object.bucket != bucket {
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
