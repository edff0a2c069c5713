//! `invalidator event-pattern`: filters for EventBridge that match what the rules
//! match.

mod complexity;
mod delivery;
mod evaluate;
mod fit;
mod json;
pub mod literals;
mod patterns;
mod row;
mod text_filter;

pub use patterns::{EventPatterns, PatternLimits, PatternOptions, event_patterns};
pub use row::kind_detail_types;

use std::path::PathBuf;

use crate::{
    Exit, Format, Global, input,
    output::{pluralize, print_json},
    sam_template::{self, fill_templates},
};
use anyhow::bail;
use s3_cloudfront_invalidator::rules::BucketPattern;

/// Prints the EventBridge event patterns that deliver what the rules act on.
///
/// Usually one pattern is enough. Otherwise there are several, which never
/// match the same event; create an EventBridge rule for each. With
/// --format json, the output is always a list.
#[derive(clap::Args)]
pub struct Args {
    /// Deliver all creations and deletions in the buckets of the rules, as if
    /// DistributionId were set.
    #[arg(long)]
    fallback: bool,
    /// Another bucket for DistributionId; may end in `*`.
    #[arg(long, value_name = "NAME", requires = "fallback")]
    bucket: Vec<String>,
    /// Print only this pattern, counted from 1, on one line.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["into", "test"])]
    part: Option<usize>,
    /// Write the EventBridge rules into this SAM template instead.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "test")]
    into: Vec<PathBuf>,
    /// Show which changes of these payloads the patterns deliver (JSON or JSONL, a
    /// directory, or - for standard input). The exit code is 1 if one is not delivered.
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Maximum number of characters of a pattern.
    #[arg(long, value_name = "NUMBER", default_value_t = PatternLimits::default().characters)]
    max_characters: usize,
}

pub fn run(args: &Args, global: &Global) -> anyhow::Result<Exit> {
    let rules = input::load_rules(global)?;
    let options = PatternOptions {
        fallback: args.fallback || rules.fallback().is_some(),
        fallback_buckets: args.bucket.iter().map(|name| bucket_pattern(name)).collect(),
        limits: PatternLimits { characters: args.max_characters, ..PatternLimits::default() },
    };
    let made = event_patterns(rules.rules(), &options);
    print_notes(&made, options.limits);
    let patterns = &made.patterns;
    if let Some(file) = &args.test {
        return delivery::test(patterns, file, global.format);
    }
    if !args.into.is_empty() {
        fill_templates(&args.into, &[sam_template::event_rules(patterns)])?;
        return Ok(Exit::Done);
    } else if let Some(part) = args.part {
        let Some(pattern) = part.checked_sub(1).and_then(|index| patterns.get(index)) else {
            bail!("no pattern {part}: the rules need {}", pluralize(patterns.len(), "pattern"));
        };
        outln!("{pattern}");
    } else if global.format == Format::Json {
        print_json(patterns)?;
    } else {
        let patterns: Vec<String> =
            patterns.iter().map(|pattern| format!("{pattern:#}\n")).collect();
        out!("{}", patterns.join("\n"));
    }
    Ok(if patterns.is_empty() { Exit::Negative } else { Exit::Done })
}

fn bucket_pattern(name: &str) -> BucketPattern {
    match name.strip_suffix('*') {
        Some(prefix) => BucketPattern::Prefix(prefix.to_owned()),
        None => BucketPattern::Exact(name.to_owned()),
    }
}

/// Prints what the patterns do not show.
fn print_notes(made: &EventPatterns, limits: PatternLimits) {
    let PatternLimits { characters, complexity, patterns } = limits;
    let count = made.patterns.len();
    if count == 0 {
        errln!("note: no pattern is needed, because the rules invalidate nothing");
    }
    if count > 1 {
        errln!("note: {count} patterns; create an EventBridge rule for each");
    }
    if made.widened {
        errln!(
            "note: the patterns deliver more events than the rules act on, which costs a little \
             and is otherwise harmless: the rules do not fit into {patterns} patterns of \
             {characters} characters and complexity {complexity}"
        );
    }
    if made.every_bucket {
        errln!(
            "note: events of all buckets are delivered, because a rule has no `bucket` condition"
        );
    }
}

#[cfg(test)]
mod tests;
