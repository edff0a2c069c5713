//! `invalidator iam-policy`

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::setup::{
    iam_policy::{self, Function, Place, Tenants},
    template,
};
use anyhow::{Context, bail};
use clap::ValueEnum;
use s3_cloudfront_invalidator::rules::Target;

use crate::{Global, Verdict, input};

/// Prints the least IAM policy for the rules, as JSON.
#[derive(clap::Args)]
pub struct Args {
    /// Whose policy.
    #[arg(long = "for", value_enum, default_value_t, value_name = "WHOM")]
    whom: Whom,
    /// The account that owns the distributions of targets without a role.
    #[arg(long, value_name = "ID", value_parser = account)]
    account: Option<String>,
    /// The account's partition: aws, aws-cn, aws-us-gov …
    #[arg(long, default_value = "aws")]
    partition: String,
    /// The region the function runs in; `*` for any.
    #[arg(long, default_value = "*")]
    region: String,
    /// The function's log group.
    #[arg(long, value_name = "NAME", default_value = "/aws/lambda/s3-cloudfront-invalidator")]
    log_group: String,
    /// The queue the function reads.
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// Allow all tenants of the account, by `*`: for accounts where AWS denies
    /// invalidations to a policy that names tenants.
    #[arg(long)]
    all_tenants: bool,
    /// The role of the rules that --for role or trust is about; needed when
    /// they name several.
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// The function's own role, which --for trust trusts.
    #[arg(long, value_name = "ARN", required_if_eq("whom", "trust"))]
    function_role: Option<String>,
    /// Write the permissions of the rules into this CloudFormation template instead.
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["account", "partition", "whom"])]
    into: Vec<PathBuf>,
}

/// Whose policy.
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

fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("expected the 12 digits of an account id".to_owned())
    }
}

pub fn run(args: &Args, global: &Global) -> anyhow::Result<Verdict> {
    let tenants = if args.all_tenants { Tenants::All } else { Tenants::Exact };
    let place = |account| Place { partition: &args.partition, account };
    let of_account = args.account.as_deref().map(place);
    let needs_account = matches!(args.whom, Whom::Function | Whom::Setup) && args.into.is_empty();
    if needs_account && of_account.is_none() {
        bail!("say with --account which account the policy is for, as in --account 111122223333");
    }
    let policy = match (args.whom, of_account) {
        // The only policy that does not depend on the rules.
        (Whom::Setup, Some(place)) => iam_policy::setup(place),
        _ => {
            let rules = input::load_rules(global)?;
            let targets = rules.targets();
            if !args.into.is_empty() {
                let statements = iam_policy::rules_statements(targets, Place::STACK, tenants);
                fill_templates(&args.into, &[template::policies(&statements)])?;
                return Ok(Verdict::Done);
            }
            match (args.whom, of_account) {
                (Whom::Role, _) => iam_policy::assumed_role(targets, role(args, targets)?, tenants),
                (Whom::Trust, _) => {
                    let function_role = args.function_role.as_deref().unwrap_or_default();
                    iam_policy::trust(targets, role(args, targets)?, function_role)
                }
                (Whom::Function | Whom::Setup, place) => place.map(|place| {
                    let function = Function {
                        region: &args.region,
                        log_group: &args.log_group,
                        queue: args.queue.as_deref(),
                    };
                    iam_policy::function(targets, place, tenants, function)
                }),
            }
            .context("no target of the rules has this role")?
        }
    };
    anstream::println!("{policy:#}");
    Ok(Verdict::Done)
}

/// The role that is asked for, or the only one.
fn role<'a>(args: &'a Args, targets: &'a [Target]) -> anyhow::Result<&'a str> {
    if let Some(role) = &args.role {
        return Ok(role);
    }
    let roles: BTreeSet<&str> = iam_policy::roles(targets).map(|role| role.arn.as_str()).collect();
    match *Vec::from_iter(roles) {
        [role] => Ok(role),
        [] => bail!("no target of the rules has a role_arn"),
        ref several => bail!("say which with --role: {}", several.join(", ")),
    }
}

/// Fills the parts into the templates, and leaves a template alone that has
/// them already.
pub fn fill_templates(templates: &[PathBuf], parts: &[template::Part]) -> anyhow::Result<()> {
    for path in templates {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let filled = template::fill(&text, parts).with_context(|| path.display().to_string())?;
        let state = if filled == text {
            "unchanged"
        } else {
            fs::write(path, &filled).with_context(|| format!("cannot write {}", path.display()))?;
            "written"
        };
        anstream::eprintln!("{}: {state}", path.display());
    }
    Ok(())
}
