//! `invalidator schema`: the JSON Schema of rules.yaml, which is built in.

use crate::{Exit, Global};

/// Prints the JSON Schema of rules.yaml.
#[derive(Clone, Copy, clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Exit> {
    out!("{}", include_str!("../../../schemas/rules.schema.json"));
    Ok(Exit::Done)
}
