//! The integration tests: one binary, a module per subject.

mod chaos;
mod hand_plan;
mod submit;
