//! `invalidator schema`

use crate::{Global, Verdict};

/// Prints the JSON Schema of rules.yaml.
#[derive(Clone, Copy, clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anstream::print!("{}", s3_cloudfront_invalidator::rules::schema());
    Ok(Verdict::Done)
}
