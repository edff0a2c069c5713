//! The integration tests: one binary, a module per subject.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod cli;
mod deployment_docs;
mod output;
mod plan;
mod rules_docs;
mod rules_schema;
