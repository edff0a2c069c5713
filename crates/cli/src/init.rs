//! `invalidator init`

use crate::setup::account::first_rules;

use crate::{Global, Verdict, account};

/// Prints a first rules.yaml made from the account's distributions.
///
/// Asks AWS with the credentials of the environment, which need the policy that
/// `iam-policy --for setup` prints. Nothing is changed.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _global: &Global) -> anyhow::Result<Verdict> {
    anstream::print!("{}", first_rules(&account::distributions()?));
    Ok(Verdict::Done)
}
