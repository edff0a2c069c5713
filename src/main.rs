//! The Lambda bootstrap.

use std::{
    io::{Write, stdout},
    panic,
    process::ExitCode,
};

use s3_cloudfront_invalidator::{bootstrap, telemetry};
use tracing::error;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    // At a level, or Lambda may drop it.
    panic::set_hook(Box::new(|panic| error!("{panic}")));
    let function = match bootstrap::function().await {
        Ok(function) => function,
        Err(reason) => {
            // A rules file may have several errors.
            for line in reason.to_string().lines() {
                error!("cannot start: {line}");
            }
            return ExitCode::FAILURE;
        }
    };
    match bootstrap::serve(function, emit).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            error!("the Lambda runtime failed: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a line in one piece. A closed standard output does not fail the
/// invocation.
fn emit(line: &str) {
    let _ = stdout().write_all(format!("{line}\n").as_bytes());
}
