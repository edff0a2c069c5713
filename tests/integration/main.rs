//! The integration tests: one binary, a module per subject.

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
