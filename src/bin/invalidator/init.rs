//! `invalidator init`

use crate::{Global, Verdict};

/// Prints a first rules.yaml made from the account's distributions.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anyhow::bail!("not built yet")
}
