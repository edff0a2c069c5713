//! `invalidator plan`

use crate::{Global, Verdict};

/// Plans invalidations for payloads or key lists, with their cost, and sends nothing.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anyhow::bail!("not built yet")
}
