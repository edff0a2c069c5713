//! `invalidator run`

use crate::{Global, Verdict};

/// Runs the whole function on payloads, against an embedded CloudFront simulator unless told otherwise.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anyhow::bail!("not built yet")
}
