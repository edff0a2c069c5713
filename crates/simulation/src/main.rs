//! Simulates worlds: `sim --seeds 10000`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    simulation::command(&env::args().skip(1).collect::<Vec<_>>())
}
