//! `invalidator check`: errors and lints of a rules file, and its tests.

mod file_tests;
mod lint;
mod report;
pub mod snippet;
mod suggest;

use std::path::{Path, PathBuf};

use s3_cloudfront_invalidator::{
    config::RULES_FILE,
    distribution::DistributionId,
    rules::{FALLBACK_TARGET, RulesFile},
};

use self::report::CheckReport;
use crate::{
    Exit, Format, Global,
    account::{Account, Comparison, NamedFile, compare, compare_notifications, compare_parameters},
    input::{self, missing_rules},
    output::print_json,
};

/// Checks the rules: errors, lints, and the tests in the file.
#[derive(clap::Args)]
pub struct Args {
    /// The rules file, in place of --rules and RULES_PATH; - for standard input.
    #[arg(value_name = "RULES")]
    file: Option<PathBuf>,
    /// Also compare the targets with the distributions of the AWS account that
    /// the environment gives credentials for.
    #[arg(long, conflicts_with = "distribution")]
    aws: bool,
    /// Also compare with a distribution whose `aws cloudfront
    /// get-distribution-config` is in a file. Can be given several times.
    #[arg(long, value_name = "ID=FILE")]
    distribution: Vec<NamedFile>,
    /// Also check that a bucket whose `aws s3api
    /// get-bucket-notification-configuration` is in a file sends events to
    /// EventBridge. Can be given several times.
    #[arg(long, value_name = "BUCKET=FILE")]
    notification: Vec<NamedFile>,
    /// Also check that these parameters of the deployment deliver what the
    /// rules act on: `Buckets=A,B`, `DetailTypes=...`, or a file, which is
    /// samconfig.toml or the output of `aws cloudformation describe-stacks`.
    /// Can be given several times.
    #[arg(long, value_name = "NAME=VALUE|FILE")]
    parameters: Vec<String>,
}

pub fn run(args: &Args, global: &Global) -> anyhow::Result<Exit> {
    let path = args.file.clone().or_else(|| global.rules.clone());
    let path = match path {
        Some(path) => path,
        None if !Path::new(RULES_FILE).exists() => return Err(missing_rules()),
        None => PathBuf::from(RULES_FILE),
    };
    let bytes = input::read(&path)?;
    let name = match path.display().to_string() {
        name if name == "-" => "<stdin>".to_owned(),
        name => name,
    };
    let report = CheckReport::new(&name, &bytes, fallback().as_ref());
    // The account is not compared with rules that do not load.
    let file = RulesFile::read(&name, &bytes).ok().filter(|file| !file.findings.has_error());
    let comparison = file.map(|file| compare_account(args, &file)).transpose()?.flatten();
    for note in comparison.iter().flat_map(|comparison| &comparison.notes) {
        errln!("note: {note}");
    }
    let differences = comparison.map(|comparison| comparison.differences);
    match global.format {
        Format::Text => out!("{}", report.text(differences.as_deref())),
        Format::Json => print_json(&report.document(differences.as_deref()))?,
    }
    let passed = !report.findings.has_error() && differences.is_none_or(|list| list.is_empty());
    Ok(if passed { Exit::Done } else { Exit::Negative })
}

/// Compares with what the arguments name; `None` if they name nothing.
fn compare_account(args: &Args, file: &RulesFile<'_>) -> anyhow::Result<Option<Comparison>> {
    let has_account = args.aws || !args.distribution.is_empty();
    if !has_account && args.notification.is_empty() && args.parameters.is_empty() {
        return Ok(None);
    }
    let mut comparison = compare_notifications(&file.rules, &args.notification)?;
    comparison.append(compare_parameters(&file.rules, &args.parameters)?);
    if has_account {
        comparison.append(compare(file, &Account::read(&args.distribution)?));
    }
    Ok(Some(comparison))
}

/// The distribution of unmatched changes, whose target is in use even if no rule
/// names it. An invalid id is ignored here: it is not a property of the file.
fn fallback() -> Option<DistributionId> {
    let id = std::env::var(FALLBACK_TARGET).ok()?;
    DistributionId::distribution(&id).or_else(|_| DistributionId::tenant(&id)).ok()
}
