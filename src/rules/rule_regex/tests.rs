use proptest::prelude::*;
use regex::{Regex, RegexBuilder};

use super::*;

fn bound(pattern: &str) -> usize {
    size_bound(&regex_syntax::parse(pattern).expect(pattern))
}

/// Whether the regex crate compiles a pattern within a limit.
fn compiles_within(pattern: &str, limit: usize) -> bool {
    RegexBuilder::new(pattern).size_limit(limit).build().is_ok()
}

#[test]
fn accepts_what_the_regex_crate_accepts() {
    for (pattern, names) in [
        ("", &[][..]),
        ("a+", &[]),
        ("^public/(?P<lang>[a-z]{2})/", &["lang"]),
        ("(a)(?<b>b)(?:c)(?P<d>d)", &["b", "d"]),
        (r"\p{Greek}+\b", &[]),
        ("(?P<never>a){0}(?P<then>b)", &["then"]),
        ("(b)(a){0}", &[]),
        ("(?P<x>a)|(?P<y>b)", &["x", "y"]),
    ] {
        let read = RuleRegex::new(pattern).expect(pattern);
        assert!(read.compiled.get().is_none(), "{pattern}: compiled on first use");
        let compiled = Regex::new(pattern).expect(pattern);
        assert_eq!(read.capture_names().collect::<Vec<_>>(), names, "{pattern}");
        assert_eq!(
            compiled.capture_names().flatten().collect::<Vec<_>>(),
            names,
            "{pattern}: the regex crate agrees"
        );
        assert_eq!(read.groups().len() + 1, compiled.captures_len(), "{pattern}");
    }
}

#[test]
fn refuses_what_the_regex_crate_refuses() {
    for pattern in ["(", "[", "a{2,1}", "*", r"\p{Klingon}", r"(a)\1", "(?=a)", "(?P<a>)(?P<a>)"] {
        let own = RuleRegex::new(pattern).expect_err(pattern).to_string();
        let theirs = RegexBuilder::new(pattern).build().expect_err(pattern).to_string();
        assert_eq!(own, theirs);
    }
    let nested = "(".repeat(300) + &")".repeat(300);
    assert!(matches!(RuleRegex::new(&nested), Err(RegexError::Syntax(_))));
}

#[test]
fn syntax_errors_have_a_caret() {
    let error = RuleRegex::new("a(b").expect_err("unclosed").to_string();
    assert_eq!(error, "regex parse error:\n    a(b\n     ^\nerror: unclosed group");
}

#[test]
fn refuses_what_could_compile_too_big() {
    for (pattern, taken) in [
        (r"\w{1,64}", true),
        (r"[a-z]{1,1000}", true),
        (r"^(\w+)/(\w+)/(\w+)/(\w+)/(\w+)\.html$", true),
        (r"\w{1,100}", false),
        ("((a{1000}){1000}){1000}", false),
        (r"(\pL{99}){99}", false),
        ("(((a{65000}){65000}){65000}){65000}", false),
    ] {
        let read = RuleRegex::new(pattern);
        assert_eq!(read.is_ok(), taken, "{pattern}: bound {}", bound(pattern));
        if let Ok(read) = read {
            let _ = read.is_match("");
        }
    }
    assert_eq!(
        RuleRegex::new(&"a".repeat(MAX_PATTERN + 1)).err(),
        Some(RegexError::TooLong(MAX_PATTERN + 1))
    );
}

#[test]
fn size_bounds_are_bounds() {
    for pattern in [
        "",
        "a",
        "abcdef",
        "a|b|c",
        "abc|abd|b|bcd|xyz",
        "(a|b)*c",
        "(?:a?){20}",
        "(?:(a*)+?){7}",
        r"\w",
        r"\W",
        r"\w{5}",
        r"(?i)straße|\x{1F600}",
        r"\pL+\d+\s*",
        r"^[^/]+/[^/]+$",
        r"(?-u:\w{3}a)",
        ".",
        "(?s).{3,9}",
        r"\b\B(?m)^$",
        r"[\u{80}-\u{10FFFF}]",
        "(?P<a>(?P<b>(?P<c>x)))",
        "(?R)(?m)^a$",
    ] {
        assert!(compiles_within(pattern, bound(pattern)), "{pattern}: bound {}", bound(pattern));
    }
}

/// What a compiled regex takes after a search, as it says.
fn used(regex: &RuleRegex) -> usize {
    let mut cache = regex.compiled().create_cache();
    for key in ["", "docs/2026/a_b-ä.html", &"x/".repeat(100)] {
        regex.compiled().search_with(&mut cache, &key.into());
    }
    regex.compiled().memory_usage() + cache.memory_usage()
}

#[test]
fn memory_is_an_upper_bound_of_what_is_used() {
    for pattern in [
        r"\.css$",
        r"^docs-7/(?P<lang>[a-z]{2})/",
        r"^blog/(?P<year>\d{4})/[^/]+\.html$",
        r"^(\w+)/(\w+)/(\w+)\.html$",
        r"(?i)\.(jpg|jpeg|png|gif|webp|avif)$",
        r"^[\w-]{1,60}/[\w-]+$",
        r"\w{1,64}",
        r"[a-z]{1,1000}",
        r".*a.*b.*c.*d.*",
    ] {
        let read = RuleRegex::new(pattern).expect(pattern);
        let (used, most) = (used(&read), read.memory());
        assert!(used <= most, "{pattern}: {used} > {most}");
    }
}

#[test]
fn required_literals_of_patterns() {
    for (pattern, expected) in [
        ("/tenant-1/", &[&["/tenant-1/"][..]][..]),
        (r"[0-9]+/(tenant-1)+/\d", &[&["/"], &["tenant-1"], &["/"]]),
        ("x(ab|cde)y", &[&["x"], &["ab", "cde"], &["y"]]),
        ("x(ab[0-9]c|def)", &[&["x"], &["ab", "def"]]),
        ("a?b*", &[]),
        ("(ab|c*)", &[]),
        ("(?i)abc", &[]),
        ("", &[]),
    ] {
        let read = RuleRegex::new(pattern).expect(pattern);
        let text = |one: &[u8]| String::from_utf8(one.to_vec()).expect("UTF-8");
        let sets = read.required_literals();
        let sets: Vec<Vec<String>> =
            sets.iter().map(|set| set.iter().map(|one| text(one)).collect()).collect();
        assert_eq!(sets, expected, "{pattern}");
    }
}

/// Patterns of every construct, nested.
fn pattern() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "b",
        "ab",
        "é",
        ".",
        "[a-c]",
        "[^a]",
        r"\d",
        r"\w",
        "^",
        "$",
        r"\b",
        "(?:)",
        "(?i:k)",
        r"\pL",
        r"(?s:.)",
        "[😀-😃a]",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("(?:{})", parts.join("|"))),
            inner.clone().prop_map(|part| format!("({part})")),
            (inner, prop::sample::select(vec!["*", "+", "?", "*?", "{2}", "{0,3}", "{2,}", "{0}"]))
                .prop_map(|(part, repeat)| format!("(?:{part}){repeat}")),
        ]
    })
}

proptest! {
    #[test]
    fn size_bounds_are_bounds_of_any_pattern(pattern in pattern()) {
        prop_assert!(compiles_within(&pattern, bound(&pattern)), "{} > {}", pattern, bound(&pattern));
    }

    #[test]
    fn memory_is_an_upper_bound_for_any_pattern(pattern in pattern()) {
        let read = RuleRegex::new(&pattern).expect("a pattern");
        prop_assert!(used(&read) <= read.memory(), "{} > {}", used(&read), read.memory());
    }

    #[test]
    fn captures_are_those_of_the_regex_crate(pattern in pattern(), key in "[ab1/é😀k]{0,6}") {
        let read = RuleRegex::new(&pattern).expect("a pattern");
        let captures = read.captures(&key);
        let expected = Regex::new(&pattern).expect("a pattern");
        let expected = expected.captures(&key);
        prop_assert_eq!(captures.is_some(), expected.is_some());
        for group in 0..=read.groups().len() {
            let text = captures.as_ref().and_then(|captures| captures.get(group));
            let expected = expected.as_ref().and_then(|captures| captures.get(group));
            prop_assert_eq!(text, expected.map(|text| text.as_str()));
        }
    }

    #[test]
    fn matching_keys_contain_a_required_literal(pattern in pattern(), key in "[ab1/é😀k]{0,6}") {
        let read = RuleRegex::new(&pattern).expect("a pattern");
        if read.is_match(&key) {
            let contains =
                |literal: &[u8]| key.as_bytes().windows(literal.len()).any(|part| part == literal);
            let sets = read.required_literals();
            prop_assert!(sets.iter().all(|set| set.iter().any(|one| contains(one))));
        }
    }
}
