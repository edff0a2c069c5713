//! What AWS needs to know, made from the rules: the event pattern, the IAM
//! policy, and the parts of the deployment template that follow from them; and
//! the other way round, a first rules file made from an AWS account.
//!
//! Everything here is a pure function on rules, targets and descriptions of
//! distributions. Only the command-line program reads files and calls AWS.

pub mod account;
mod evaluate;
pub mod event_pattern;
pub mod iam_policy;
pub mod template;

pub use evaluate::{UnsupportedPattern, matches};
