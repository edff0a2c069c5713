//! `invalidator schema`

use clap::ValueEnum;

use crate::{Exit, Global};

const RULES: &str = include_str!("../../../schemas/rules.schema.json");
const EVENT: &str = include_str!("../../../schemas/event.schema.json");

/// Prints the JSON Schema of rules.yaml, or of the payloads.
#[derive(Clone, Copy, clap::Args)]
pub struct Args {
    /// Of what.
    #[arg(value_enum, default_value_t)]
    of: Of,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Of {
    /// rules.yaml
    #[default]
    Rules,
    /// The payloads of the function.
    Event,
}

pub fn run(args: Args, _global: &Global) -> anyhow::Result<Exit> {
    let schema = match args.of {
        Of::Rules => RULES,
        Of::Event => EVENT,
    };
    anstream::print!("{schema}");
    Ok(Exit::Done)
}
