//! The regex condition: compiled when first needed.

use once_cell::sync::OnceCell;
use regex::Regex;

/// A regex of rules.yaml. Its syntax was checked when the file was read; it is
/// compiled when a key first passes the rule's cheaper conditions, since
/// compiling is the largest part of a cold start with many rules.
#[derive(Debug)]
pub struct RuleRegex {
    pattern: String,
    compiled: OnceCell<Regex>,
}
