//! `invalidator schema`

use crate::{Global, Verdict};

/// Prints the JSON Schema of rules.yaml.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anyhow::bail!("not built yet")
}
