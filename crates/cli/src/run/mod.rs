//! `invalidator run`: the handler of the Lambda function, on this machine.

mod chaos;
mod invocation;
mod messages;

use std::{env, path::PathBuf, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig};
use cloudfront_simulator::{RoleGrant, Simulator, SimulatorOptions, SqsQueue};
use s3_cloudfront_invalidator::{
    cloudfront::{CloudFront, CloudFrontOptions},
    config::check_sdk_variables,
    handler::Function,
    https,
    queue::Queue,
    rules::RuleSet,
};
use simulation::{DayOptions, Reader};
use tokio::time::Instant;

use crate::{
    Exit, Format, Global,
    input::{self, PayloadFile},
};
use invocation::Invocation;
use messages::Changes;

/// The time limit of each payload: the function's timeout in the SAM template.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Runs the function on payloads.
///
/// Each payload is one invocation: rules, plan and CreateInvalidation, as in
/// Lambda. By default, requests are sent to a simulator in this process, which
/// has all distributions of the rules and needs no credentials.
#[derive(clap::Args)]
pub struct Args {
    /// JSON or JSONL files, directories of such files, or - for standard input.
    #[arg(required = true, value_name = "PAYLOAD")]
    payloads: Vec<PathBuf>,
    /// Send requests to this endpoint, with credentials from the environment.
    #[arg(long, value_name = "URL", conflicts_with = "aws")]
    endpoint_url: Option<String>,
    /// Send requests to AWS. Invalidations may cost money.
    #[arg(long)]
    aws: bool,
    /// Put the created and deleted objects of the payloads into a queue, and drain
    /// it: one plan for all payloads.
    #[arg(long, conflicts_with_all = ["aws", "endpoint_url"])]
    drain: bool,
    /// Send the created and deleted objects of the payloads through a queue while
    /// requests are throttled, fail and are cut off, and processes are killed,
    /// with this random seed. Compares losses and billed paths with an
    /// undisturbed run.
    #[arg(long, value_name = "SEED", conflicts_with_all = ["aws", "endpoint_url", "drain"])]
    chaos: Option<u64>,
    /// Print every change, however many there are.
    #[arg(long, conflicts_with = "chaos")]
    verbose: bool,
    /// Number of changes for --chaos; those of the payloads are repeated.
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "chaos")]
    changes: usize,
    /// Who reads the queue of --chaos, as the parameter `Mode` of the template.
    #[arg(long, value_enum, default_value = "drain", requires = "chaos")]
    mode: Mode,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Mode {
    /// The function, once a minute.
    Drain,
    /// Lambda, in batches of 100 messages.
    Pollers,
}

pub fn run(args: Args, global: &Global) -> anyhow::Result<Exit> {
    let Args { payloads, endpoint_url, aws, drain, verbose, chaos, changes, mode } = args;
    let config = input::load_config(global)?;
    let payloads = input::read_payloads(&payloads)?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all();
    if let Some(seed) = chaos {
        let cloudfront = options(&config.rules);
        let sent = Changes::read(&payloads)?;
        let reader = match mode {
            Mode::Drain => Reader::DRAIN,
            Mode::Pollers => Reader::POLLERS,
        };
        let options = DayOptions { seed, reader, ..DayOptions::default() };
        let comparison = chaos::compare(&sent, changes, options, global, cloudfront);
        return runtime.start_paused(true).build()?.block_on(comparison);
    }
    // A drain waits until the queue is quiet: not longer than needed.
    runtime.start_paused(drain).build()?.block_on(async {
        let sdk = connect(endpoint_url, aws, &config.rules).await?;
        let settings =
            CloudFrontOptions { dry_run: config.dry_run, ..CloudFrontOptions::default() };
        let cloudfront = CloudFront::new(&sdk, settings);
        let mut function =
            Function { keep_decisions: true, ..Function::new(config.rules, cloudfront) };
        let mut is_complete = true;
        let payloads = if drain {
            let sent = Changes::read(&payloads)?;
            is_complete = sent.is_complete;
            let queue = sent.queue();
            function.queue = Some(Queue::new(&queue.sdk_config(), SqsQueue::URL));
            vec![PayloadFile { name: "drain".to_owned(), bytes: br#"{"drain": {}}"#.to_vec() }]
        } else {
            payloads
        };
        let mut invocations = Vec::new();
        for payload in payloads {
            let request_id = format!("local-{}", invocations.len() + 1);
            let deadline = Instant::now() + TIMEOUT;
            let result = function.handle(&payload.bytes, &request_id, deadline).await;
            invocations.push(Invocation { payload: payload.name, result });
        }
        match global.format {
            Format::Text => invocation::print_text(&invocations, verbose),
            Format::Json => invocation::print_document(&invocations)?,
        }
        let done = is_complete && invocations.iter().all(Invocation::is_done);
        Ok(if done { Exit::Done } else { Exit::Negative })
    })
}

/// The configuration of the SDK for the CloudFront that the arguments name.
async fn connect(
    endpoint_url: Option<String>,
    aws: bool,
    rules: &RuleSet,
) -> anyhow::Result<SdkConfig> {
    check_sdk_variables(|name| env::var(name).ok())?;
    let defaults =
        aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(https::client());
    Ok(match endpoint_url {
        Some(url) => defaults.endpoint_url(url).load().await,
        None if aws => defaults.load().await,
        None => Simulator::new(options(rules)).sdk_config(),
    })
}

/// A CloudFront that has the distributions of the rules and grants their roles.
fn options(rules: &RuleSet) -> SimulatorOptions {
    let distributions = || rules.targets().iter().map(|target| &target.distribution);
    let roles = distributions().filter_map(|distribution| {
        let role = distribution.role.clone()?;
        Some(RoleGrant {
            arn: role.arn,
            external_id: role.external_id,
            distributions: [distribution.id.to_string()].into(),
        })
    });
    SimulatorOptions {
        known: Some(distributions().map(|distribution| distribution.id.to_string()).collect()),
        roles: roles.collect(),
        ..SimulatorOptions::default()
    }
}
