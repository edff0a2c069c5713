//! The program `invalidator`.

use std::process::ExitCode;

fn main() -> ExitCode {
    invalidator::main()
}
