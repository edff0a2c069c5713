//! Turns S3 object events into CloudFront invalidations.
//!
//! Data flows in one direction, through one module after another:
//!
//! ```text
//! payload → event → rules → plan → cloudfront → response
//! ```
//!
//! - [`event`] reads a payload into deliveries of changes.
//! - [`rules`] decides which items of which targets a change invalidates.
//! - [`item`] makes the items: URL paths, wildcards and tags.
//! - [`plan`] merges them per distribution into the fewest billed paths.
//! - [`cloudfront`] submits the plan and returns every item with its outcome.
//! - [`response`] turns outcomes into the answer to the caller.
//! - [`handler`] connects these; the Lambda function and the command line
//!   program both call it.
//!
//! Around them: [`config`] (environment and rules file), [`bootstrap`] (the
//! Lambda Runtime API), [`telemetry`] (logs and metrics) and [`escape`] (text
//! that is printed).
//!
//! `event`, `rules`, `item` and `plan` are pure: no clock, no I/O, no
//! environment, no AWS SDK. See `ARCHITECTURE.md` for the map and its invariants.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod bootstrap;
pub mod cloudfront;
pub mod config;
pub mod distribution;
pub mod escape;
pub mod event;
pub mod handler;
pub mod https;
pub mod item;
pub mod plan;
pub mod queue;
pub mod response;
pub mod rules;
pub mod target;
pub mod telemetry;
