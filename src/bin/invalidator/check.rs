//! `invalidator check`

use crate::{Global, Verdict};

/// Checks the rules: errors, lints, and the tests in the file.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anyhow::bail!("not built yet")
}
