//! `invalidator plan`, where its output is too long for a case in tests/cmd.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

/// A rule for the whole bucket, as the predecessor had it, and one target of
/// the same distribution that serves a folder.
const RULES: &str = "
version: 1
targets:
  www: { distribution: E1EXAMPLE1WWW, default_root_object: null }
rules:
  - { name: all, bucket: example-site, invalidate: www }
";

/// A folder with rules.yaml and the files given.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("rules.yaml"), RULES).unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn plan(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_invalidator"))
        .arg("plan")
        .args(arguments)
        .current_dir(folder)
        .env_remove("DistributionId")
        .env_remove("RULES_PATH")
        .output()
        .unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = plan(folder, &[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `section/topic/page.html`, 600 of them in six topics of two sections, with
/// their index pages.
fn site() -> String {
    let topics = ["docs/a", "docs/b", "docs/c", "blog/a", "blog/b", "blog/c"];
    let pages = topics.iter().flat_map(|topic| {
        let pages = (1..100).map(move |page| format!("{topic}/page-{page}.html\n"));
        pages.chain([format!("{topic}/index.html\n")])
    });
    let sections = ["docs/index.html\n", "blog/index.html\n", "index.html\n"].map(str::to_owned);
    pages.chain(sections).collect()
}

/// The lines of a key list that start with `prefix`.
fn below(list: &str, prefix: &str) -> String {
    list.split_inclusive('\n').filter(|line| line.starts_with(prefix)).collect()
}

const KEYS: [&str; 4] = ["--bucket", "example-site", "--keys", "keys.txt"];

#[test]
fn a_deploy_becomes_a_wildcard_for_each_section() {
    let folder = folder(&[("keys.txt", &site())]);
    let plan = json(folder.path(), &KEYS);
    let requests = &plan["distributions"][0]["requests"];
    assert_eq!(requests[0]["items"], serde_json::json!(["/index.html"]));
    assert_eq!(requests[1]["items"], serde_json::json!(["/blog/*", "/docs/*"]));
    assert_eq!(requests.as_array().unwrap().len(), 2);
    assert_eq!(plan["changes"], 603);
    assert_eq!(plan["billed_paths"], 3);
    assert_eq!(plan["cost"]["path_per_file"]["paths"], 603);
    assert!(plan["distributions"][0].get("unchanged_purged").is_none());
}

#[test]
fn a_site_is_measured_and_never_changes_the_plan() {
    let site = site();
    let docs: String = below(&site, "docs/")
        .split_inclusive('\n')
        .filter(|line| !line.contains("index"))
        .take(250)
        .collect();
    let folder = folder(&[("keys.txt", &docs), ("site.txt", &site)]);
    let without = json(folder.path(), &KEYS);
    let with = json(folder.path(), &[&KEYS[..], &["--site", "site.txt"]].concat());
    assert_eq!(without["distributions"][0]["requests"][0]["items"][0], "/docs/*");
    assert_eq!(with["distributions"][0]["requests"], without["distributions"][0]["requests"]);
    // 47 pages and four index pages did not change.
    assert_eq!(with["distributions"][0]["unchanged_purged"], 47 + 4);
    let text = plan(folder.path(), &[&KEYS[..], &["--site", "site.txt"]].concat());
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("It purges 51 of 353 unchanged objects.\n  /docs/* purges 51\n"),
        "{text}"
    );
}

#[test]
fn formats_of_the_aws_cli_give_the_same_plan() {
    let keys = ["a b.html", "docs/c.html"];
    let ls = keys.map(|key| format!("2026-01-31 13:45:00      10240 {key}\n")).concat();
    let sync = keys.map(|key| format!("upload: ./{key} to s3://example-site/{key}\n")).concat();
    let other = "upload: ./x to s3://other-site/x\n";
    let folder = folder(&[
        ("raw.txt", &format!("{}\n", keys.join("\n"))),
        ("ls.txt", &ls),
        ("sync.txt", &(sync + other)),
    ]);
    let plan = |format: &str| {
        let file = format!("{format}.txt");
        let arguments = ["--bucket", "example-site", "--keys", &file, "--keys-format", format];
        json(folder.path(), &arguments)
    };
    let raw = plan("raw");
    assert_eq!(raw["billed_paths"], 2);
    assert_eq!(plan("ls"), raw);
    assert_eq!(plan("sync"), raw);
}

#[test]
fn the_page_is_whole_and_harmless() {
    let hostile = "docs/</code><script>alert(1)</script>.html\n\"onload=x/a.html\n~.html\n";
    let folder = folder(&[("keys.txt", &(site() + hostile)), ("site.txt", &site())]);
    let arguments = [&KEYS[..], &["--site", "site.txt", "--report", "plan.html"]].concat();
    let output = plan(folder.path(), &arguments);
    assert!(output.status.success(), "{output:?}");
    let page = fs::read_to_string(folder.path().join("plan.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(!page.contains("<script"), "a key became an element");
    assert!(!page.contains("\"onload="), "a key left its attribute");
    for reference in ["http:", "https:", "src=", "url(", "@import"] {
        assert!(!page.contains(reference), "the page fetches: {reference}");
    }
    for text in ["/docs/*", "for 302 paths", "Nothing can be sent for 1 change", "~.html", "$0.000"]
    {
        assert!(page.contains(text), "{text}");
    }
    // Every link of the picture leads somewhere.
    for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{link}\"")), "{link}");
    }
}
