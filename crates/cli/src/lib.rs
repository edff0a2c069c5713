//! The command-line program: checks and explains rules, plans, runs payloads
//! locally, and prints what is generated from rules and code.

mod account;
pub mod chaos;
mod check;
mod document;
mod event_pattern;
mod explain;
mod iam_policy;
mod init;
mod input;
mod plan;
mod run;
mod schema;
pub mod setup;
mod table;
mod words;

use std::{path::PathBuf, process::ExitCode};

use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser},
};
use s3_cloudfront_invalidator::config::ConfigError;

/// Turns S3 object events into CloudFront invalidations: the rules, checked,
/// explained and tried out.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every subcommand takes.
#[derive(clap::Args)]
struct Global {
    /// The rules file; ./rules.yaml when neither this nor RULES_PATH is given.
    #[arg(long, global = true, value_name = "FILE", env = "RULES_PATH", hide_env_values = true)]
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    rules: Option<PathBuf>,
    /// Text for people, or one JSON document for scripts.
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables and sentences.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Explain(explain::Args),
    Plan(plan::Args),
    Run(run::Args),
    Schema(schema::Args),
    EventPattern(event_pattern::Args),
    IamPolicy(iam_policy::Args),
    Init(init::Args),
}

/// How a command ended, as its exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It did what it was asked.
    Done,
    /// The answer is no: an error in the rules, a failed test, a refused
    /// payload, anything that was not accepted.
    Negative,
}

/// Runs the command line; returns its exit code.
pub fn main() -> ExitCode {
    let mut cli = Cli::parse();
    // An empty variable is an unset one, here as in the function.
    cli.global.rules.take_if(|file| file.as_os_str().is_empty());
    let global = &cli.global;
    let result = match cli.command {
        Command::Check(args) => check::run(args, global),
        Command::Explain(args) => explain::run(args, global),
        Command::Plan(args) => plan::run(args, global),
        Command::Run(args) => run::run(args, global),
        Command::Schema(args) => schema::run(args, global),
        Command::EventPattern(args) => event_pattern::run(&args, global),
        Command::IamPolicy(args) => iam_policy::run(&args, global),
        Command::Init(args) => init::run(args, global),
    };
    match result {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::Negative) => ExitCode::from(1),
        Err(error) => {
            let findings = match error.downcast_ref() {
                Some(ConfigError::Rules(findings)) => Some(findings),
                _ => None,
            };
            // Usage errors (2 is clap's own code too) and input that cannot be
            // read; errors in rules that were read are an answer.
            match findings {
                Some(findings) => anstream::eprintln!("{}", check::render::Rendered(findings)),
                None => anstream::eprintln!("error: {error:#}"),
            }
            ExitCode::from(if findings.is_some() { 1 } else { 2 })
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
