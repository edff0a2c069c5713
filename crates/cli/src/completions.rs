//! `invalidator completions`: the completion script of a shell.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{Cli, Exit};

/// Prints the completion script of a shell.
///
/// For bash: `source <(invalidator completions bash)`, in ~/.bashrc.
#[derive(Clone, Copy, clap::Args)]
pub struct Args {
    shell: Shell,
}

pub fn run(args: Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "invalidator", &mut script);
    out!("{}", String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
