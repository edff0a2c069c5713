//! Turns S3 object events into CloudFront invalidations.
//!
//! The crate is one straight line, and each stop is a module:
//!
//! ```text
//! payload → event → rules → plan → cloudfront → response
//! ```
//!
//! - [`event`] reads a payload into deliveries of changes.
//! - [`rules`] says which items of which targets a change asks for, and why.
//! - [`item`] makes the items: URL paths, wildcards and tags.
//! - [`plan`] merges them per distribution into the fewest billed paths.
//! - [`cloudfront`] submits the plan and gives an outcome for every item.
//! - [`response`] turns outcomes into the answer the caller understands.
//! - [`handler`] is the line itself; the Lambda function and the command-line
//!   program both call it.
//!
//! Around the line: [`config`] (environment and rules file), [`bootstrap`] (the
//! Lambda Runtime API), [`telemetry`] (logs and metrics), [`setup`] (event
//! pattern and IAM policy), [`simulator`] (a CloudFront in the process) and
//! [`chaos`] (a queue on a bad day).
//!
//! Everything up to and including [`plan`] is pure: no clock, no I/O, no AWS
//! type. See `ARCHITECTURE.md` for the map and its invariants.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod bootstrap;
pub mod cloudfront;
pub mod config;
pub mod distribution;
pub mod event;
pub mod handler;
pub mod item;
pub mod plan;
pub mod response;
pub mod rules;
pub mod target;
pub mod telemetry;
