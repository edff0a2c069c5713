//! `invalidator iam-policy`

use crate::{Global, Verdict};

/// Prints the IAM policy the function needs for the rules.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anyhow::bail!("not built yet")
}
