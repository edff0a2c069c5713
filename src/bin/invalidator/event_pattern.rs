//! `invalidator event-pattern`

use crate::{Global, Verdict};

/// Prints the EventBridge event pattern that delivers what the rules act on.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anyhow::bail!("not built yet")
}
