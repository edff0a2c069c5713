//! The CloudFront client: against scripted responses on tokio's paused clock,
//! and against the simulator.

mod deadline;
mod failures;
mod memory;
mod order;
mod scripted;
mod simulated;
mod wire;
