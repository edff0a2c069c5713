//! `invalidator event-pattern`

use std::{
    fs,
    io::{Read, stdin},
    path::PathBuf,
};

use crate::setup::{
    event_pattern::{EventPatterns, Limits, Options, event_patterns},
    matches, template,
};
use anyhow::{Context, bail};
use s3_cloudfront_invalidator::rules::BucketPattern;
use serde_json::{Value, json};

use crate::{Format, Global, Verdict, iam_policy::fill_templates, input};

/// Prints the EventBridge event patterns that deliver what the rules act on.
///
/// One pattern where it fits, else several that never match the same event,
/// each for an event rule of its own. With --format json, a list in any case.
#[derive(clap::Args)]
pub struct Args {
    /// Deliver every creation and deletion in the buckets, as if DistributionId
    /// were set: it takes what no rule matches.
    #[arg(long)]
    fallback: bool,
    /// A further bucket whose changes DistributionId takes; may end in `*`.
    #[arg(long, value_name = "NAME", requires = "fallback")]
    bucket: Vec<String>,
    /// Print this pattern alone, counted from 1, on one line.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["into", "test"])]
    part: Option<usize>,
    /// Write the event rules into this CloudFormation template instead.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "test")]
    into: Vec<PathBuf>,
    /// Say of the EventBridge events in this file (JSON, any number of them;
    /// `-` for standard input) whether the patterns deliver them.
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// The most characters in a pattern.
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().characters)]
    max_characters: usize,
    /// The most wildcards in a pattern.
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().wildcards)]
    max_wildcards: usize,
    /// The most patterns.
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().patterns,
        value_parser = at_least_one)]
    max_patterns: usize,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

pub fn run(args: &Args, global: &Global) -> anyhow::Result<Verdict> {
    let rules = input::load_rules(global)?;
    let options = Options {
        fallback: args.fallback || rules.fallback().is_some(),
        fallback_buckets: args.bucket.iter().map(|name| bucket_pattern(name)).collect(),
        limits: Limits {
            characters: args.max_characters,
            wildcards: args.max_wildcards,
            patterns: args.max_patterns,
        },
    };
    let made = event_patterns(rules.rules(), &options);
    explain(&made, options.limits);

    if let Some(file) = &args.test {
        return test(&made.patterns, file, global.format);
    }
    if !args.into.is_empty() {
        let parts = template::patterns(&made.patterns, template::Names::SAM);
        fill_templates(&args.into, &parts)?;
    } else if let Some(part) = args.part {
        let Some(pattern) = part.checked_sub(1).and_then(|at| made.patterns.get(at)) else {
            bail!("there is no pattern {part}: the rules make {}", made.patterns.len());
        };
        anstream::println!("{pattern}");
    } else if global.format == Format::Json {
        anstream::println!("{:#}", json!(made.patterns));
    } else {
        let patterns: Vec<String> =
            made.patterns.iter().map(|pattern| format!("{pattern:#}\n")).collect();
        anstream::print!("{}", patterns.join("\n"));
    }
    Ok(if made.patterns.is_empty() { Verdict::Negative } else { Verdict::Done })
}

fn bucket_pattern(name: &str) -> BucketPattern {
    match name.strip_suffix('*') {
        Some(prefix) => BucketPattern::Prefix(prefix.to_owned()),
        None => BucketPattern::Exact(name.to_owned()),
    }
}

/// What the patterns alone do not tell.
fn explain(made: &EventPatterns, limits: Limits) {
    let Limits { characters, wildcards, patterns } = limits;
    if made.patterns.is_empty() {
        anstream::eprintln!("note: the rules invalidate nothing, so that no event is needed");
    }
    if made.patterns.len() > 1 {
        let count = made.patterns.len();
        anstream::eprintln!("note: {count} patterns, each for an event rule of its own");
    }
    if made.widened {
        anstream::eprintln!(
            "note: more is delivered than the rules act on, which costs money and does no harm: \
             they do not fit into {patterns} patterns of {characters} characters and {wildcards} \
             wildcards"
        );
    }
    if made.every_bucket {
        anstream::eprintln!(
            "note: the changes of every bucket are delivered; a rule without `bucket` acts on them"
        );
    }
}

fn test(patterns: &[Value], file: &PathBuf, format: Format) -> anyhow::Result<Verdict> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    let mut results = Vec::new();
    for event in serde_json::Deserializer::from_str(&text).into_iter() {
        let event: Value = event.with_context(|| format!("{} is not JSON", file.display()))?;
        let mut delivered = false;
        for pattern in patterns {
            delivered |= matches(pattern, &event)?;
        }
        results.push((event, delivered));
    }
    let field = |event: &Value, pointer| event.pointer(pointer).cloned().unwrap_or_default();
    if format == Format::Json {
        let results: Vec<Value> = results
            .iter()
            .map(|(event, delivered)| {
                json!({
                    "detail_type": field(event, "/detail-type"),
                    "bucket": field(event, "/detail/bucket/name"),
                    "key": field(event, "/detail/object/key"),
                    "delivered": delivered,
                })
            })
            .collect();
        anstream::println!("{:#}", json!(results));
    } else {
        for (event, delivered) in &results {
            let text = |pointer| field(event, pointer).as_str().unwrap_or("?").to_owned();
            anstream::println!(
                "{:<13} {}: s3://{}/{}",
                if *delivered { "delivered" } else { "not delivered" },
                text("/detail-type"),
                text("/detail/bucket/name"),
                text("/detail/object/key").escape_debug(),
            );
        }
    }
    Ok(Verdict::Done)
}
