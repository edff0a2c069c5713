use super::*;
use crate::account::example_account;

#[test]
fn every_difference_is_found() {
    let text = "\
version: 1
targets:
  www: { distribution: E1EXAMPLE1WWW, origin_path: /public, default_root_object: null }
  blog: { distribution: E2EXAMPLE2BLOG, origin_path: /blog, default_root_object: null }
  gone: E9EXAMPLE9
  tenant: { tenant: dt_EXAMPLE }
  partner: { distribution: E8EXAMPLE8, role_arn: 'arn:aws:iam::444455556666:role/invalidator' }
rules:
  - { name: good, bucket: example-site, invalidate: [www, blog, gone, tenant, partner] }
  - { name: wrong, bucket: [example-blog, example-*], invalidate: www }
";
    let file = RulesFile::read("rules.yaml", text.as_bytes()).expect("rules");
    assert!(!file.findings.has_error(), "{}", file.findings);
    let Comparison { differences: found, notes } = compare(&file, &example_account());
    assert_eq!(notes.len(), 2, "{notes:?}");
    let expected = [
        "3: target `www`: `E1EXAMPLE1WWW` has another default root object; write `default_root_object: index.html`",
        "4: target `blog`: no S3 origin of `E2EXAMPLE2BLOG` has the origin path `/blog`; use `/` or `/public`",
        "5: target `gone`: the account has no distribution `E9EXAMPLE9`",
        "10: rule `wrong`: the bucket `example-blog` is not an origin of `E1EXAMPLE1WWW`",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        let found = format!("{}: {}", found.line, found.message);
        assert!(found.starts_with(expected), "{found}");
    }
}

/// A distribution with a bucket for `/media/*` and another for the rest.
#[test]
fn behaviors_are_compared() {
    let mut account = example_account();
    account.distributions[1].behaviors[0].query_strings = Some(true);
    account.distributions[1].behaviors[1].query_strings = Some(false);
    account.distributions[0].behaviors[1].caches = Some(false);
    let www = "www: { distribution: E1EXAMPLE1WWW, origin_path: /public }";
    for (target, rule, expected) in [
        (
            "blog: { distribution: E2EXAMPLE2BLOG, default_root_object: null }",
            "bucket: example-blog, invalidate: blog",
            &[][..],
        ),
        (
            "site: { distribution: E2EXAMPLE2BLOG, origin_path: /public, viewer_prefix: /site, query_strings: true }",
            "bucket: example-site, prefix: public/docs/, invalidate: { target: site, tags: t }",
            &[],
        ),
        (
            "site: { distribution: E2EXAMPLE2BLOG, origin_path: /public }",
            "bucket: example-site, prefix: public/docs/, invalidate: site",
            &[
                "contains query strings; write `query_strings: true`",
                "get the bucket at `/site/*`, not at `/docs/`",
            ],
        ),
        // The behavior `/site/*` does not matter to either of the next two.
        (
            "blog: { distribution: E2EXAMPLE2BLOG, default_root_object: null }",
            "bucket: example-blog, except: { prefix: site/ }, invalidate: blog",
            &[],
        ),
        (
            "site: { distribution: E2EXAMPLE2BLOG, origin_path: /public, query_strings: true }",
            "bucket: example-site, prefix: public/site/, invalidate: site",
            &[],
        ),
        (
            "blog: { distribution: E2EXAMPLE2BLOG, default_root_object: null, query_strings: true }",
            "bucket: example-blog, invalidate: blog",
            &["remove `query_strings: true`"],
        ),
        (
            www,
            "bucket: example-site, invalidate: { target: www, tags: t }",
            &["cache nothing", "has no `CacheTagConfig`"],
        ),
    ] {
        let text = format!("version: 1\ntargets:\n  {target}\nrules:\n  - {{ name: r, {rule} }}\n");
        let file = RulesFile::read("rules.yaml", text.as_bytes()).expect("rules");
        assert!(!file.findings.has_error(), "{}", file.findings);
        let found = compare(&file, &account).differences;
        assert_eq!(found.len(), expected.len(), "{text}{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.message.contains(expected), "{}", found.message);
        }
    }
}

/// Saved output is about one distribution, also of another account.
#[test]
fn a_part_of_the_account_is_compared() {
    let mut account = example_account();
    account.is_complete = false;
    account.distributions[0].behaviors[1].unread_policy = Some("reason".to_owned());
    let text = "\
version: 1
targets:
  www:
    distribution: E1EXAMPLE1WWW
    role_arn: 'arn:aws:iam::444455556666:role/invalidator'
  gone: E9EXAMPLE9
rules:
  - { name: r, bucket: example-site, invalidate: [www, gone] }
";
    let file = RulesFile::read("rules.yaml", text.as_bytes()).expect("rules");
    let Comparison { differences, notes } = compare(&file, &account);
    assert_eq!(differences.len(), 1, "{differences:#?}");
    assert!(differences[0].message.contains("has the origin path `/`; use `/public`"));
    let expected = [
        "the target `gone` is not compared: no `--distribution` names `E9EXAMPLE9`",
        "no target has the distribution `E2EXAMPLE2BLOG`",
        "no target has the distribution `E3EXAMPLE3API`",
    ];
    assert_eq!(notes, expected);
    let text = text.replace("E1EXAMPLE1WWW\n", "E1EXAMPLE1WWW\n    origin_path: /public\n");
    let file = RulesFile::read("rules.yaml", text.as_bytes()).expect("rules");
    let Comparison { differences, notes } = compare(&file, &account);
    assert!(differences.is_empty(), "{differences:#?}");
    let note = "the query strings of the behavior `*` of `E1EXAMPLE1WWW` are not compared: reason";
    assert_eq!(notes[0], note);
}
