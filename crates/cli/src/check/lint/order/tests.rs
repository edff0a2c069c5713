//! Which rules are called late, and with which key as the proof.

use s3_cloudfront_invalidator::rules::Code;

use crate::check::report::CheckReport;

/// The messages about late rules, for a file with these rules.
fn late(rules: &[&str]) -> Vec<String> {
    let mut yaml =
        "version: 1\ntargets: { www: { distribution: E1EXAMPLE, origin_path: /p } }\nrules:\n"
            .to_owned();
    for (index, rule) in rules.iter().enumerate() {
        yaml.push_str(&format!("- {{name: r{index}, {rule}}}\n"));
    }
    let report = CheckReport::new("rules.yaml", yaml.as_bytes(), None);
    assert!(!report.findings.has_error(), "{}", report.findings);
    let late = report.findings.iter().filter(|finding| finding.code == Code::LateRule);
    late.map(|finding| finding.message.clone()).collect()
}

#[test]
fn late_rules_are_found_with_an_example() {
    const ALL: &str = "invalidate: E1EXAMPLE";
    const HTML: &str = "suffix: .html, invalidate: E1EXAMPLE";
    for (rules, key) in [
        // The late rule ignores a part of what the earlier one invalidates.
        (&[ALL, "prefix: drafts/, ignore: true"][..], Some("drafts/a")),
        (&[HTML, "prefix: drafts/, ignore: true"], Some("drafts/a.html")),
        (&["prefix: a/, invalidate: E1EXAMPLE", "prefix: a/b/, ignore: true"], Some("a/b/a")),
        (&[ALL, r"regex: '\.[0-9a-f]{8}\.js$', ignore: true"], Some("a.aaaaaaaa.js")),
        (&["regex: '^b/', invalidate: E1EXAMPLE", "suffix: .map, ignore: true"], Some("b/.map")),
        (
            &["bucket: s-*, invalidate: E1EXAMPLE", "bucket: s-1, suffix: .map, ignore: true"],
            Some("a.map"),
        ),
        (&["prefix: p/, invalidate: www", "suffix: .map, ignore: true"], Some("p/a.map")),
        (&["events: deleted, invalidate: E1EXAMPLE", "suffix: .map, ignore: true"], Some("a.map")),
        (&["min_size: 9, invalidate: E1EXAMPLE", "suffix: .map, ignore: true"], Some("a.map")),
        (&[ALL, "prefix: shop/, invalidate: E2EXAMPLE, stop: true"], Some("shop/a")),
        // The earlier rule is the special case.
        (&["prefix: index.html, invalidate: E1EXAMPLE", "ignore: true"], None),
        (&["suffix: /.deployed, invalidate: E1EXAMPLE", "ignore: true"], None),
        // They have no key in common, or an `except` keeps them apart.
        (&["prefix: a/, invalidate: E1EXAMPLE", "prefix: b/, ignore: true"], None),
        (&["suffix: .css, invalidate: E1EXAMPLE", "suffix: .map, ignore: true"], None),
        (&["bucket: one, invalidate: E1EXAMPLE", "bucket: two, prefix: a/, ignore: true"], None),
        (
            &[
                "suffix: .html, except: {prefix: drafts/}, invalidate: E1EXAMPLE",
                "prefix: drafts/, ignore: true",
            ],
            None,
        ),
        (&["prefix: q/, invalidate: www", "suffix: .map, ignore: true"], None),
        // In the right order.
        (&["prefix: drafts/, ignore: true", HTML], None),
        // `stop` is for the later rule.
        (&[ALL, "prefix: shop/, invalidate: E2EXAMPLE, stop: true", HTML], Some("shop/a")),
        (&[ALL, "prefix: shop/, invalidate: E2EXAMPLE, stop: true", "invalidate: E3EXAMPLE"], None),
        (&[HTML, "prefix: shop/, invalidate: E2EXAMPLE, stop: true"], None),
    ] {
        let found = late(rules);
        let keys: Vec<&str> = found.iter().filter_map(|text| text.split('`').nth(3)).collect();
        assert_eq!(keys, Vec::from_iter(key), "{rules:?} {found:?}");
    }
}
