//! The program `invalidator`: checks and explains rules, plans, runs payloads
//! locally, and generates what AWS needs from the rules.

#[macro_use]
mod output;

mod account;
mod check;
mod completions;
mod event_pattern;
mod explain;
mod iam_policy;
mod init;
mod input;
mod plan;
mod run;
mod sam_template;
mod schema;

use std::{path::PathBuf, process::ExitCode};

use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser},
};
use s3_cloudfront_invalidator::config::ConfigError;

/// Checks, explains and tests the rules that turn S3 object events into
/// CloudFront invalidations.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// The options of every subcommand.
#[derive(clap::Args)]
struct Global {
    /// Rules file [default: $RULES_PATH, else ./rules.yaml].
    #[arg(long, global = true, help_heading = "Global options", value_name = "FILE")]
    #[arg(env = "RULES_PATH", hide_env = true)]
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    rules: Option<PathBuf>,
    /// Output format.
    #[arg(long, global = true, help_heading = "Global options", value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables and sentences, for people.
    #[default]
    Text,
    /// One JSON document, for scripts.
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
    Completions(completions::Args),
}

/// How a command that ran ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Exit code 0.
    Done,
    /// Exit code 1: an error in the rules, a failed test, a refused payload,
    /// anything that was not accepted.
    Negative,
}

fn main() -> ExitCode {
    let mut cli = Cli::parse();
    // The function treats an empty variable as unset.
    cli.global.rules.take_if(|file| file.as_os_str().is_empty());
    let global = &cli.global;
    let result = match cli.command {
        Command::Check(args) => check::run(&args, global),
        Command::Explain(args) => explain::run(args, global),
        Command::Plan(args) => plan::run(args, global),
        Command::Run(args) => run::run(args, global),
        Command::Schema(args) => schema::run(args, global),
        Command::EventPattern(args) => event_pattern::run(&args, global),
        Command::IamPolicy(args) => iam_policy::run(&args, global),
        Command::Init(args) => init::run(&args, global),
        Command::Completions(args) => completions::run(args),
    };
    match result {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Negative) => ExitCode::from(1),
        Err(error) => match error.downcast_ref() {
            Some(ConfigError::Rules(findings)) => {
                errln!("{}", check::snippet::Rendered(findings));
                ExitCode::from(1)
            }
            // Wrong usage, or input that cannot be read. clap exits with 2, too.
            _ => {
                errln!("error: {error:#}");
                ExitCode::from(2)
            }
        },
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
