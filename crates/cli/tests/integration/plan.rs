//! `invalidator plan`, where the output is too long for a case in tests/cmd.

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const RULES: &str = "
version: 1
targets:
  www: { distribution: E1EXAMPLE1WWW, default_root_object: null }
rules:
  - { name: all, bucket: example-site, invalidate: www }
";

/// A directory with rules.yaml and the files given.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("rules.yaml"), RULES).unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

fn plan(directory: &TempDir, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_invalidator"))
        .args(["plan", "--bucket", "example-site", "--keys"])
        .args(arguments)
        .current_dir(directory)
        .env_remove("DistributionId")
        .env_remove("RULES_PATH")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

fn plan_document(directory: &TempDir, arguments: &[&str]) -> Value {
    let output = plan(directory, &[arguments, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `SECTION/TOPIC/page-N.html`: 600 pages in six topics of two sections, with
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

#[test]
fn a_deploy_becomes_a_wildcard_for_each_section() {
    let directory = directory(&[("keys.txt", &site())]);
    let plan = plan_document(&directory, &["keys.txt"]);
    let items: Vec<&Value> = plan["distributions"][0]["requests"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|request| request["items"].as_array().unwrap())
        .collect();
    assert_eq!(json!(items), json!(["/index.html", "/blog/*", "/docs/*"]));
    assert_eq!(plan["changes"], 603);
    assert_eq!(plan["billed_paths"], 3);
    assert_eq!(plan["cost"]["path_per_file"]["paths"], 603);
    assert!(plan["distributions"][0].get("unchanged_purged").is_none());
}

#[test]
fn a_site_is_measured_and_never_changes_the_plan() {
    let site = site();
    let docs: String = site
        .split_inclusive('\n')
        .filter(|line| line.starts_with("docs/") && !line.contains("index"))
        .take(250)
        .collect();
    let directory = directory(&[("keys.txt", &docs), ("site.txt", &site)]);
    let without = &plan_document(&directory, &["keys.txt"])["distributions"][0];
    let with = &plan_document(&directory, &["keys.txt", "--site", "site.txt"])["distributions"][0];
    assert_eq!(without["requests"][0]["items"][0], "/docs/*");
    assert_eq!(with["requests"], without["requests"]);
    // 47 pages and four index pages did not change.
    assert_eq!(with["unchanged_purged"], 47 + 4);
    let text = plan(&directory, &["keys.txt", "--site", "site.txt"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("  /docs/*  replaces 250 paths, purges 51 unchanged objects\nPurges 51 of 353 unchanged objects.\n"), "{text}");
}

#[test]
fn batches_are_beside_the_plan_of_one_drain() {
    let site = site();
    let directory =
        directory(&[("keys.txt", &site), ("site.txt", &format!("{site}docs/x.html\n"))]);
    let batched = |size: &str| {
        plan_document(&directory, &["keys.txt", "--site", "site.txt", "--batch", size])
    };
    let (small, large) = (batched("50"), batched("202"));
    assert_eq!(small["billed_paths"], 3);
    // Fifty changes are never collapsed.
    assert_eq!(small["batches"]["plans"].as_array().unwrap().len(), 13);
    assert_eq!(small["batches"]["cost"]["paths"], 603);
    assert_eq!(small["batches"]["unchanged_purged"], 0);
    // Two thirds of a section are a wildcard each time.
    let plans = large["batches"]["plans"].as_array().unwrap();
    let billed: Vec<&Value> = plans.iter().map(|plan| &plan["billed_paths"]).collect();
    let wildcards = &plans[0]["distributions"][0]["requests"][1]["items"];
    assert_eq!(*wildcards, json!(["/docs/a/*", "/docs/b/*"]));
    assert_eq!(json!(billed), json!([4, 6, 3]));
    for name in ["changes", "distributions", "cost"] {
        assert_eq!(small[name], large[name], "{name}");
    }
    let text = plan(&directory, &["keys.txt", "--site", "site.txt", "--batch", "50"]).stdout;
    let text = String::from_utf8(text).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "Batches of 50 changes",
        "invocations 1 13",
        "billed paths 3 603",
        "unchanged objects purged 1 0",
        "Invocations in batches: 1 50 billed paths 2 50 billed paths",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

/// A deploy of `docs/` beside previews that a rule ignores.
#[test]
fn an_exclusion_has_a_price() {
    const RULES: &str = "
version: 1
targets:
  www: E1EXAMPLE1WWW
rules:
  - { name: previews, prefix: docs/preview/, ignore: true ALLOW }
  - { name: pages, bucket: example-site, invalidate: www }
";
    let topics = (0..20).flat_map(|topic| {
        let pages = (0..20).map(move |page| format!("docs/topic-{topic}/page-{page}.html\n"));
        pages.chain([format!("docs/topic-{topic}/index.html\n")])
    });
    let docs: String = topics.chain(["docs/index.html\n".to_owned()]).collect();
    let previews: String = (0..300).map(|page| format!("docs/preview/{page}.html\n")).collect();
    let directory = directory(&[("keys.txt", &docs), ("site.txt", &(docs.clone() + &previews))]);
    let planned = |allow: &str| {
        fs::write(directory.path().join("rules.yaml"), RULES.replace("ALLOW", allow)).unwrap();
        plan_document(&directory, &["keys.txt", "--site", "site.txt"])["distributions"][0].take()
    };
    let excluded = planned("");
    assert_eq!(excluded["billed_paths"], 221);
    assert_eq!(excluded["unchanged_purged"], 0);
    assert_eq!(
        excluded["exclusions"],
        json!([{
            "prefix": "/docs/preview/", "source": "ignore", "rule": "previews", "cost_in_paths": 220
        }])
    );
    let text = plan(&directory, &["keys.txt"]).stdout;
    let text = String::from_utf8(text).unwrap();
    let line = "Excluded from wildcards, which costs 220 paths in all:\n  /docs/preview/  ignored by `previews`, costs 220 paths\n";
    assert!(text.contains(line), "{text}");

    let by_suffix = planned(", suffix: .html");
    assert_eq!(by_suffix["billed_paths"], 1);
    let text = plan(&directory, &["keys.txt"]).stdout;
    let text = String::from_utf8(text).unwrap();
    let note =
        "A wildcard also purges files that only a suffix or a regex leaves out: see `previews`.\n";
    assert!(text.contains(note), "{text}");

    let allowed = planned(", allow_wildcards: true");
    assert_eq!(allowed["billed_paths"], 1);
    assert_eq!(allowed["unchanged_purged_by"], json!({ "/docs/*": 300 }));
    assert!(allowed.get("exclusions").is_none());
}

#[test]
fn formats_of_the_aws_cli_give_the_same_plan() {
    let keys = ["a b.html", "docs/c.html"];
    let ls = keys.map(|key| format!("2026-01-31 13:45:00      10240 {key}\n")).concat();
    let sync = keys.map(|key| format!("upload: ./{key} to s3://example-site/{key}\n")).concat();
    let other = "upload: ./x to s3://other-site/x\n";
    let directory = directory(&[
        ("raw.txt", &format!("{}\n", keys.join("\n"))),
        ("ls.txt", &ls),
        ("sync.txt", &(sync + other)),
    ]);
    let plan = |format: &str| {
        plan_document(&directory, &[&format!("{format}.txt"), "--keys-format", format])
    };
    let raw = plan("raw");
    assert_eq!(raw["billed_paths"], 2);
    assert_eq!(plan("ls"), raw);
    assert_eq!(plan("sync"), raw);
}

#[test]
fn the_page_is_complete_and_safe() {
    let hostile = "docs/</code><script>alert(1)</script>.html\n\"onload=x/a.html\n~.html\n";
    let directory = directory(&[("keys.txt", &(site() + hostile)), ("site.txt", &site())]);
    plan(&directory, &["keys.txt", "--site", "site.txt", "--report", "plan.html"]);
    let page = fs::read_to_string(directory.path().join("plan.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(!page.contains("<script"), "a key became an element");
    assert!(!page.contains("\"onload="), "a key became an attribute");
    for reference in ["http:", "https:", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(reference), "the page has a reference: {reference}");
    }
    let wildcard = "<code class=\"wildcard\">/docs/*</code> <small>replaces 302 paths, purges 0 unchanged objects</small>";
    for text in ["<dt>Date</dt> <dd>20", "<dd>rules.yaml</dd>", "<dd>example-site</dd>", wildcard] {
        assert!(page.contains(text), "{text}");
    }
    for text in ["/docs/*", "replaces 302 paths", "Cannot be invalidated", "~.html", "0.000"] {
        assert!(page.contains(text), "{text}");
    }
    let bar = "<small>100 files</small><span class=\"bar wildcard\" style=\"width:16.5%\">";
    assert!(page.contains(bar), "{page}");
}

#[test]
fn the_page_lists_every_item() {
    let keys: String = (0..2_000).map(|page| format!("{page}/page.html\n")).collect();
    let directory = directory(&[("keys.txt", &keys)]);
    plan(&directory, &["keys.txt", "--report", "plan.html"]);
    let page = fs::read_to_string(directory.path().join("plan.html")).unwrap();
    for number in 0..2_000 {
        assert!(page.contains(&format!(">/{number}/page.html</code>")), "{number}");
    }
    assert!(page.contains("<details><summary>Paths and tags <small>2000</small></summary>"));
}
