//! What several subcommands read: the rules, and payload files.

use std::{
    env, fs,
    io::{Read, stdin},
    path::{Path, PathBuf},
};

use anyhow::Context;
use s3_cloudfront_invalidator::{
    config::{Config, ConfigError, RULES_FILE},
    rules::RuleSet,
};

use crate::Global;

/// The rules that `--rules`, `RULES_PATH` or ./rules.yaml names, with
/// `DistributionId` as their fallback.
pub fn load_rules(global: &Global) -> Result<RuleSet, ConfigError> {
    let named = global.rules.as_ref().map(|file| file.display().to_string());
    let variable = |name: &str| match name {
        "RULES_PATH" => named.clone(),
        _ => env::var(name).ok(),
    };
    Config::load(variable, Path::new(RULES_FILE)).map(|config| config.rules)
}

/// One payload and where it came from.
pub struct PayloadFile {
    /// The file, or `-` for standard input.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads payload files in the order given: `-` is standard input, and a
/// directory stands for its `.json` and `.jsonl` files in name order.
pub fn read_payloads(arguments: &[PathBuf]) -> anyhow::Result<Vec<PayloadFile>> {
    let mut payloads = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            let mut bytes = Vec::new();
            stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
            payloads.push(PayloadFile { name: "-".to_owned(), bytes });
            continue;
        }
        let files = if argument.is_dir() { directory(argument)? } else { vec![argument.clone()] };
        for file in files {
            let name = file.display().to_string();
            let bytes = fs::read(&file).with_context(|| format!("cannot read {name}"))?;
            payloads.push(PayloadFile { name, bytes });
        }
    }
    Ok(payloads)
}

fn directory(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let name = directory.display();
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {name}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.with_context(|| format!("cannot read {name}"))?.path();
        if file.is_file() && file.extension().is_some_and(|ext| ext == "json" || ext == "jsonl") {
            files.push(file);
        }
    }
    anyhow::ensure!(!files.is_empty(), "{name} has no .json or .jsonl file");
    files.sort();
    Ok(files)
}
