//! Simulates 500 worlds, or the one of `--seed`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    simulation::command(&env::args().skip(1).collect::<Vec<_>>())
}
