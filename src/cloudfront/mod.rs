//! Submits a plan to CloudFront and gives an outcome for every item.

mod outcome;

pub use outcome::{DistributionSubmission, Failure, Invalidation, Outcome, Submission};
