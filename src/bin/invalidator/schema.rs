//! `invalidator schema`

use clap::ValueEnum;

use crate::{Global, Verdict};

/// Prints the JSON Schema of rules.yaml.
#[derive(clap::Args)]
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
}

pub fn run(args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    match args.of {
        Of::Rules => anstream::print!("{}", s3_cloudfront_invalidator::rules::schema()),
    }
    Ok(Verdict::Done)
}
