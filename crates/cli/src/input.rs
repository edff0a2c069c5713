//! Input of several subcommands: the rules and payload files.

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

/// Loads the rules that `--rules`, `RULES_PATH` or ./rules.yaml names, with
/// `DistributionId` as their fallback.
pub fn load_rules(global: &Global) -> anyhow::Result<RuleSet> {
    load_config(global).map(|config| config.rules)
}

/// Loads the function's configuration, the rules included.
pub fn load_config(global: &Global) -> anyhow::Result<Config> {
    let named = global.rules.as_ref().map(|file| file.display().to_string());
    let variable = |name: &str| match name {
        "RULES_PATH" => named.clone(),
        _ => env::var(name).ok(),
    };
    Config::load(variable, &[Path::new(RULES_FILE)]).map_err(|error| match error {
        ConfigError::Missing(_) => missing_rules(),
        ConfigError::Unreadable(name, reason) => {
            anyhow::anyhow!(
                "cannot read `{name}`: {reason}; name the rules file with `--rules FILE`"
            )
        }
        error => error.into(),
    })
}

/// The error if there is no ./rules.yaml and no other file is named.
pub fn missing_rules() -> anyhow::Error {
    anyhow::anyhow!(
        "no file `{RULES_FILE}` in this directory: name one with `--rules FILE`, or write a first \
         one with `invalidator init > {RULES_FILE}`"
    )
}

/// One payload of the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct PayloadFile {
    /// The file name (`-` for standard input), with `#1`, `#2` … if the file
    /// contains several payloads.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Reads payloads in argument order. `-` is standard input; a directory means
/// its `.json` and `.jsonl` files in name order. A file may contain several
/// JSON documents, each of which is a payload.
pub fn read_payloads(arguments: &[PathBuf]) -> anyhow::Result<Vec<PayloadFile>> {
    let mut payloads = Vec::new();
    for argument in arguments {
        let files =
            if argument.is_dir() { payload_files(argument)? } else { vec![argument.clone()] };
        for file in files {
            payloads.extend(split_documents(&file.display().to_string(), &read(&file)?));
        }
    }
    Ok(payloads)
}

/// Splits a file into its JSON documents. If one of them is not JSON, it and
/// the rest of the file become one payload, so that the error quotes it.
fn split_documents(name: &str, bytes: &[u8]) -> Vec<PayloadFile> {
    let bytes = strip_bom(bytes);
    let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    let mut found: Vec<&[u8]> = Vec::new();
    let mut end = 0;
    while let Some(document) = documents.next() {
        let Ok(document) = document else {
            found.push(bytes[end..].trim_ascii());
            break;
        };
        found.push(document.get().as_bytes());
        end = documents.byte_offset();
    }
    if found.is_empty() {
        found.push(&[]);
    }
    let is_single = found.len() == 1;
    let payload = |(bytes, number): (&[u8], usize)| PayloadFile {
        name: if is_single { name.to_owned() } else { format!("{name}#{number}") },
        bytes: bytes.to_vec(),
    };
    found.into_iter().zip(1..).map(payload).collect()
}

/// Reads a text file, or standard input for `-`.
pub fn read_text(file: &Path) -> anyhow::Result<String> {
    let mut bytes = read(file)?;
    let mark = bytes.len() - strip_bom(&bytes).len();
    bytes.drain(..mark);
    String::from_utf8(bytes).with_context(|| format!("`{}` is not UTF-8", file.display()))
}

/// Removes the byte order mark that some editors write at the start of a file.
pub fn strip_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Reads a file, or standard input for `-`.
pub fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))
}

fn payload_files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let name = directory.display();
    let cannot_read = || format!("cannot read `{name}`");
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(cannot_read)? {
        let file = entry.with_context(cannot_read)?.path();
        if file.is_file() && file.extension().is_some_and(|ext| ext == "json" || ext == "jsonl") {
            files.push(file);
        }
    }
    anyhow::ensure!(!files.is_empty(), "`{name}` contains no .json or .jsonl file");
    files.sort();
    Ok(files)
}

/// An object by its S3 URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Uri {
    pub bucket: String,
    pub key: String,
}

impl S3Uri {
    /// Parses `s3://BUCKET/KEY`. The key is everything after the bucket's slash.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or("expected s3://BUCKET/KEY, as in s3://example-site/docs/index.html")?;
        match rest.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            _ => Err("expected a bucket and a key, as in s3://example-site/docs/index.html".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_everything_after_the_first_slash() {
        for (text, bucket, key) in [
            ("s3://b/k", "b", "k"),
            ("s3://b//k/", "b", "/k/"),
            ("s3://b/a b%20+?#*~", "b", "a b%20+?#*~"),
            ("s3://b/s3://c/d", "b", "s3://c/d"),
        ] {
            let object = S3Uri { bucket: bucket.to_owned(), key: key.to_owned() };
            assert_eq!(S3Uri::parse(text), Ok(object), "{text}");
        }
        for text in ["", "k", "/b/k", "s3:/b/k", "S3://b/k", "s3://b", "s3://b/", "s3:///k"] {
            assert!(S3Uri::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_may_contain_several_documents() {
        let cases: [(&str, &[(&str, &str)]); 8] = [
            ("\u{feff}{}\n[1]\n", &[("f#1", "{}"), ("f#2", "[1]")]),
            ("{}", &[("f", "{}")]),
            ("\n{\n}\n", &[("f", "{\n}")]),
            ("{}\n[1]\n", &[("f#1", "{}"), ("f#2", "[1]")]),
            ("{} {}", &[("f#1", "{}"), ("f#2", "{}")]),
            ("", &[("f", "")]),
            ("hello", &[("f", "hello")]),
            ("{}\nhello\n{}", &[("f#1", "{}"), ("f#2", "hello\n{}")]),
        ];
        for (text, expected) in cases {
            let payloads = split_documents("f", text.as_bytes());
            let found: Vec<(&str, &str)> = payloads
                .iter()
                .map(|payload| (&*payload.name, str::from_utf8(&payload.bytes).expect("UTF-8")))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
