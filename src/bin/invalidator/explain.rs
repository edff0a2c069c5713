//! `invalidator explain`

use crate::{Global, Verdict};

/// Explains, rule by rule, what a change of an object leads to.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anyhow::bail!("not built yet")
}
