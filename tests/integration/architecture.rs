//! The invariants of ARCHITECTURE.md about modules, read from the sources.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Which modules a module may use. Data flows from the first to the last.
const MAY_USE: [(&str, &[&str]); 17] = [
    ("escape", &[]),
    ("distribution", &[]),
    ("event", &[]),
    ("item", &[]),
    ("target", &["distribution", "item"]),
    ("rules", &["distribution", "escape", "event", "item", "target"]),
    ("plan", &["distribution", "event", "item", "target", "rules"]),
    ("cloudfront", &["distribution", "event", "item", "plan"]),
    ("queue", &["event"]),
    ("response", &["cloudfront", "event", "item", "queue"]),
    (
        "handler",
        &["cloudfront", "distribution", "event", "item", "plan", "queue", "response", "rules"],
    ),
    (
        "telemetry",
        &[
            "cloudfront",
            "distribution",
            "escape",
            "event",
            "handler",
            "plan",
            "queue",
            "response",
            "target",
        ],
    ),
    ("config", &["distribution", "rules"]),
    ("https", &[]),
    ("bootstrap", &["cloudfront", "config", "handler", "https", "queue", "response", "telemetry"]),
    ("lib", &[]),
    ("main", &[]),
];

/// The modules without clock, I/O, environment and AWS SDK.
const PURE: [&str; 7] = ["distribution", "escape", "event", "item", "target", "rules", "plan"];

/// Crates and types that a pure module must not name.
const IMPURE: [&str; 5] = ["aws_config", "aws_sdk", "tokio", "SystemTime", "Instant"];

/// Modules of std that a pure module must not use. Macros such as `env!` are not among them.
const IMPURE_STD: [&str; 5] = ["env", "fs", "io", "net", "process"];

#[test]
fn modules_use_only_what_comes_before_them() {
    for (module, code) in sources() {
        let (_, allowed) = MAY_USE.iter().find(|(name, _)| *name == module).unwrap_or_else(|| {
            panic!("add the module {module} to MAY_USE, and to ARCHITECTURE.md")
        });
        let used = used_modules(&code, "crate::");
        let forbidden: Vec<_> =
            used.iter().filter(|used| **used != module && !allowed.contains(&&***used)).collect();
        assert!(forbidden.is_empty(), "{module} must not use {forbidden:?}");
    }
}

#[test]
fn everything_up_to_the_plan_is_pure() {
    for (module, code) in sources().into_iter().filter(|(name, _)| PURE.contains(&&**name)) {
        for word in IMPURE {
            assert!(!code.contains(word), "{module} must not use {word}");
        }
        let used = used_modules(&code, "std::");
        for name in IMPURE_STD {
            assert!(!used.contains(name), "{module} must not use std::{name}");
        }
    }
}

/// The code of each top-level module of the library, without comments and tests.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut left: Vec<PathBuf> = vec![root.clone()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.iter().all(|part| part != "tests" && part != "tests.rs") {
            let module = path.strip_prefix(&root).unwrap().iter().next().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = code.lines().map(|line| line.split("//").next().unwrap_or_default());
            let module = module.to_str().unwrap().trim_end_matches(".rs").to_owned();
            sources.push((module, code.collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(sources.len() > 20, "{sources:?}");
    sources
}

/// The modules after `root`, alone or in braces.
fn used_modules(code: &str, root: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut used = BTreeSet::new();
    for path in code.split(root).skip(1) {
        let Some(list) = path.strip_prefix('{') else {
            used.insert(name(path));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, c) in list.char_indices() {
            if start && depth == 0 && !c.is_whitespace() {
                used.insert(name(&list[at..]));
                start = false;
            }
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' => start = depth == 0,
                _ => {}
            }
        }
    }
    used.remove("");
    used
}

#[test]
fn modules_are_found_alone_and_in_braces() {
    let code = "use std::{collections::{env, BTreeMap}, fs::File, io};\nlet x = std::net::f();";
    let used = used_modules(code, "std::");
    assert!(used.iter().eq(["collections", "fs", "io", "net"]), "{used:?}");
}
