//! Logs and metrics.
//!
//! Every log line can be read alone and has the ids it names as fields. Keys are
//! escaped, so that no object name can forge a line. Environment variables and
//! credentials are never logged.

mod logs;
mod metrics;

pub use logs::{init, is_debug, log, metric_level};
pub use metrics::{TargetNames, metric_lines};
