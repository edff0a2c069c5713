//! The integration tests: one binary, a module per subject.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod chaos;
mod cli;
mod function;
mod hand_plan;
mod lambda;
mod payload;
mod plan;
mod rules_docs;
mod rules_schema;
mod setup;
mod submit;
