//! The integration tests: one binary, a module per subject.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod architecture;
mod cloudfront;
mod function;
mod hand_plan;
mod lambda;
mod payload;
