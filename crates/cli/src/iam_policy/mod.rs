//! `invalidator iam-policy`: the permissions that the rules need.

mod policies;

pub use policies::{PolicyAccount, TenantArns, rules_statements};

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;
use s3_cloudfront_invalidator::target::Target;

use crate::{
    Exit, Global, input,
    sam_template::{self, fill_templates},
};
use policies::FunctionResources;

/// Prints the least-privilege IAM policy for the rules, as JSON.
#[derive(clap::Args)]
pub struct Args {
    /// Who gets the policy.
    #[arg(long = "for", value_enum, default_value_t, value_name = "WHOM")]
    whom: Whom,
    /// Account that owns the distributions of targets without role_arn.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    account: Option<String>,
    /// Partition of the account, such as aws or aws-cn.
    #[arg(long, default_value = "aws", value_parser = partition)]
    partition: String,
    /// Region of the function; `*` for all.
    #[arg(long, default_value = "*")]
    region: String,
    /// Log group of the function.
    #[arg(long, value_name = "NAME", default_value = "/aws/lambda/s3-cloudfront-invalidator")]
    log_group: String,
    /// Queue that triggers the function.
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// Allow all distribution tenants of the account with `*`, if AWS denies
    /// invalidations to a policy with tenant ARNs.
    #[arg(long)]
    all_tenants: bool,
    /// Role for `--for role` and `--for trust`; required if the rules name
    /// several.
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// Role of the function, for `--for trust`.
    #[arg(long, value_name = "ARN", required_if_eq("whom", "trust"))]
    function_role: Option<String>,
    /// Write the permissions for the rules into this SAM template instead.
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["account", "partition", "whom"])]
    into: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Whom {
    /// The function: invalidations, roles to assume, logs, the queue.
    #[default]
    Function,
    /// A role_arn of the rules, in its own account: invalidations.
    Role,
    /// The trust policy of such a role.
    Trust,
    /// A person who runs `init` and `check --aws`: reading distributions.
    Setup,
}

fn account_id(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("expected an account ID of 12 digits".to_owned())
    }
}

fn partition(text: &str) -> Result<String, String> {
    match text {
        "aws-us-gov" => Err("GovCloud has no CloudFront".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

pub fn run(args: &Args, global: &Global) -> anyhow::Result<Exit> {
    let tenants = if args.all_tenants { TenantArns::Any } else { TenantArns::Exact };
    let account = || match &args.account {
        Some(account) => Ok(PolicyAccount { partition: &args.partition, account }),
        None => bail!("--account is missing, as in --account 111122223333"),
    };
    // The only policy that does not depend on the rules.
    if args.whom == Whom::Setup {
        outln!("{:#}", policies::setup(account()?));
        return Ok(Exit::Done);
    }
    let rules = input::load_rules(global)?;
    let targets = rules.targets();
    if !args.into.is_empty() {
        let statements = rules_statements(targets, PolicyAccount::STACK, tenants);
        fill_templates(&args.into, &[sam_template::policies(&statements)])?;
        return Ok(Exit::Done);
    }
    let policy = match args.whom {
        Whom::Role => {
            let role = role(args, targets)?;
            policies::role(targets, role, tenants).with_context(|| unknown_role(role))?
        }
        Whom::Trust => {
            let function_role = args.function_role.as_deref().unwrap_or_default();
            let role = role(args, targets)?;
            policies::trust(targets, role, function_role).with_context(|| unknown_role(role))?
        }
        Whom::Function | Whom::Setup => {
            let resources = FunctionResources {
                region: &args.region,
                log_group: &args.log_group,
                queue: args.queue.as_deref(),
            };
            policies::function(targets, account()?, tenants, resources)
        }
    };
    outln!("{policy:#}");
    Ok(Exit::Done)
}

fn unknown_role(arn: &str) -> String {
    format!("no target has the role `{arn}`; name the `role_arn` of a target with --role")
}

/// Returns the role of `--role`, or the only one of the rules.
fn role<'a>(args: &'a Args, targets: &'a [Target]) -> anyhow::Result<&'a str> {
    if let Some(role) = &args.role {
        return Ok(role);
    }
    let roles: BTreeSet<&str> = policies::roles(targets).map(|role| role.arn.as_str()).collect();
    match *Vec::from_iter(roles) {
        [role] => Ok(role),
        [] => bail!("no target has a role; add `role_arn` to a target"),
        ref several => bail!("select a role with --role: {}", several.join(", ")),
    }
}
