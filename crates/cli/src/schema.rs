//! `invalidator schema`

use clap::ValueEnum;

use crate::{Exit, Global};

/// The payloads that the function understands.
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
    let Args { of } = args;
    match of {
        Of::Rules => anstream::print!("{}", s3_cloudfront_invalidator::rules::schema()),
        Of::Event => anstream::print!("{EVENT}"),
    }
    Ok(Exit::Done)
}
