//! Logs and metrics.
//!
//! Every line reads alone and carries the ids it speaks of as fields. Keys are
//! escaped, so that no object name can forge a line. Nothing of the environment
//! or of credentials is ever logged.

mod logs;
mod metrics;

pub use logs::{init, report};
pub use metrics::metrics;
