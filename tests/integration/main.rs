//! The integration tests: one binary, a module per subject.

mod cli;
mod rules_docs;
mod rules_schema;
