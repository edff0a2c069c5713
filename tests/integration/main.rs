//! The integration tests: one binary, a module per subject.

mod chaos;
mod function;
mod hand_plan;
mod lambda;
mod submit;
