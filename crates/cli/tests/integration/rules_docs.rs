//! docs/rules.md: `check` accepts every rules file in it, and every code of a
//! finding has its heading.

use std::{fs, process::Command};

use s3_cloudfront_invalidator::rules::Code;
use serde_json::Value;

/// A block of YAML in the documentation.
struct Block {
    /// `docs/rules.md:LINE`
    name: String,
    /// The heading it stands under.
    heading: String,
    /// What follows `yaml` on its first line.
    info: String,
    text: String,
}

fn document() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md"))
        .expect("docs/rules.md")
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut heading, mut open) = (String::new(), false);
    for (index, line) in document().lines().enumerate() {
        match line.strip_prefix("```") {
            Some("") if open => open = false,
            Some(info) if !open => {
                open = true;
                blocks.push(Block {
                    name: format!("docs/rules.md:{}", index + 1),
                    heading: heading.clone(),
                    info: info.to_owned(),
                    text: String::new(),
                });
            }
            _ if open => {
                if let Some(block) = blocks.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            _ => {
                if line.starts_with('#') {
                    heading = line.trim_start_matches('#').trim().trim_matches('`').to_owned();
                }
            }
        }
    }
    assert!(!open, "a block of docs/rules.md is not closed");
    blocks.retain(|block| block.info.starts_with("yaml"));
    blocks
}

/// The rules files without errors. A block without `version` continues a file
/// that has it.
pub fn valid_files() -> Vec<(String, String)> {
    let valid = blocks().into_iter().filter(|block| block.info == "yaml");
    valid.map(|block| (block.name, complete(&block.text))).collect()
}

fn complete(text: &str) -> String {
    if text.contains("version:") { text.to_owned() } else { format!("version: 1\n{text}") }
}

pub fn check(text: &str) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rules.yaml");
    fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_invalidator"));
    command.args(["check", "--format", "json"]).arg(file).env_remove("DistributionId");
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}

#[test]
fn examples_are_clean_and_their_tests_pass() {
    let files = valid_files();
    assert!(files.len() > 30, "found {} examples only", files.len());
    for (name, text) in files {
        let report = check(&text);
        assert_eq!(report["findings"], Value::Array(Vec::new()), "{name}\n{text}");
    }
}

#[test]
fn every_recipe_has_tests() {
    let document = document();
    let (before, cookbook) = document.split_once("\n## Cookbook\n").unwrap();
    let first_line = before.lines().count();
    let recipes = cookbook.lines().filter(|line| line.starts_with("### ")).count();
    let mut with_tests = 0;
    for block in blocks() {
        let line: usize = block.name.rsplit(':').next().unwrap().parse().unwrap();
        if line > first_line && block.info == "yaml" {
            let report = check(&complete(&block.text));
            assert!(report["tests"]["passed"].as_u64() > Some(0), "{}", block.name);
            with_tests += 1;
        }
    }
    assert!(with_tests >= recipes, "{with_tests} of {recipes} recipes");
}

/// A block `yaml error` or `yaml lint` stands under the heading of the code it
/// gives, and gives no other.
#[test]
fn every_code_has_its_heading_and_shows_itself() {
    let blocks = blocks();
    for code in Code::ALL {
        let shown =
            blocks.iter().find(|block| block.heading == code.name() && block.info != "yaml");
        if let Some(block) = shown {
            let report = check(&complete(&block.text));
            let findings = report["findings"].as_array().unwrap();
            let is_shown = !findings.is_empty()
                && findings.iter().all(|finding| finding["code"] == code.name());
            assert!(is_shown, "{} {report:#}", block.name);
            assert_eq!(block.info, format!("yaml {}", code.severity().name()), "{}", block.name);
        } else {
            // These take a file that no page can hold.
            assert!(
                matches!(
                    code,
                    Code::FileTooLarge
                        | Code::NotUtf8
                        | Code::NestedTooDeeply
                        | Code::TooManyValues
                ),
                "no example of {code}"
            );
        }
        let section = format!("\n### `{code}`\n\n{}\n", code.description());
        assert!(document().contains(&section), "no heading with the description of {code}");
    }
}
