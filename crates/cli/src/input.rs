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
use serde_json::value::RawValue;

use crate::Global;

/// The rules that `--rules`, `RULES_PATH` or ./rules.yaml names, with
/// `DistributionId` as their fallback.
pub fn load_rules(global: &Global) -> Result<RuleSet, ConfigError> {
    load_config(global).map(|config| config.rules)
}

/// The same, with the rest of the function's configuration.
pub fn load_config(global: &Global) -> Result<Config, ConfigError> {
    let named = global.rules.as_ref().map(|file| file.display().to_string());
    let variable = |name: &str| match name {
        "RULES_PATH" => named.clone(),
        _ => env::var(name).ok(),
    };
    Config::load(variable, &[Path::new(RULES_FILE)])
}

/// One payload and where it came from.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload {
    /// The file, or `-` for standard input, with the payload's place in it when
    /// it holds several.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads payloads in the order given: `-` is standard input, and a directory
/// stands for its `.json` and `.jsonl` files in name order. A file may hold
/// several JSON documents, one after another.
pub fn read_payloads(arguments: &[PathBuf]) -> anyhow::Result<Vec<Payload>> {
    let mut payloads = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            let mut bytes = Vec::new();
            stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
            payloads.extend(documents("-", &bytes));
            continue;
        }
        let files = if argument.is_dir() { directory(argument)? } else { vec![argument.clone()] };
        for file in files {
            let name = file.display().to_string();
            let bytes = fs::read(&file).with_context(|| format!("cannot read {name}"))?;
            payloads.extend(documents(&name, &bytes));
        }
    }
    Ok(payloads)
}

/// The JSON documents of a file. From the first that is none, the rest is one
/// payload, which will be refused for what it is.
fn documents(name: &str, bytes: &[u8]) -> Vec<Payload> {
    let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut end = 0;
    while let Some(document) = documents.next() {
        match document {
            Ok(document) => found.push(document.get().as_bytes().to_vec()),
            Err(_) => {
                found.push(bytes[end..].trim_ascii().to_vec());
                break;
            }
        }
        end = documents.byte_offset();
    }
    if found.is_empty() {
        found.push(Vec::new());
    }
    let one = found.len() == 1;
    let named = |at: usize| if one { name.to_owned() } else { format!("{name}#{}", at + 1) };
    found.into_iter().enumerate().map(|(at, bytes)| Payload { name: named(at), bytes }).collect()
}

/// Reads a text file, or standard input for `-`.
pub fn read_text(file: &Path) -> anyhow::Result<String> {
    let name = file.display();
    let bytes = if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        bytes
    } else {
        fs::read(file).with_context(|| format!("cannot read {name}"))?
    };
    String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_hold_several_documents() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("{}", &[("f", "{}")]),
            ("\n{\n}\n", &[("f", "{\n}")]),
            ("{}\n[1]\n", &[("f#1", "{}"), ("f#2", "[1]")]),
            ("{} {}", &[("f#1", "{}"), ("f#2", "{}")]),
            ("", &[("f", "")]),
            ("hello", &[("f", "hello")]),
            ("{}\nhello\n{}", &[("f#1", "{}"), ("f#2", "hello\n{}")]),
        ];
        for (text, expected) in cases {
            let expected: Vec<Payload> = expected
                .iter()
                .map(|(name, text)| Payload {
                    name: (*name).to_owned(),
                    bytes: text.as_bytes().to_vec(),
                })
                .collect();
            assert_eq!(documents("f", text.as_bytes()), expected, "{text:?}");
        }
    }
}
