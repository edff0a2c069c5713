use proptest::prelude::*;

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
        let compiled = read.regex();
        assert_eq!(read.capture_names().collect::<Vec<_>>(), names, "{pattern}");
        assert_eq!(
            compiled.capture_names().flatten().collect::<Vec<_>>(),
            names,
            "{pattern}: the regex crate agrees"
        );
        assert_eq!(read.group_count() + 1, compiled.captures_len(), "{pattern}");
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
            assert!(read.compile().is_ok(), "{pattern}");
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

#[test]
fn required_literals_of_patterns() {
    for (pattern, expected) in [
        ("/tenant-1/", Some(&["/tenant-1/"][..])),
        (r"[0-9]+/(tenant-1)+/\d", Some(&["tenant-1"])),
        ("x(ab|cde)y", Some(&["ab", "cde"])),
        ("long(a|bc)", Some(&["long"])),
        ("a?b*", None),
        ("(ab|c*)", None),
        ("(?i)abc", None),
        ("", None),
    ] {
        let read = RuleRegex::new(pattern).expect(pattern);
        let text = |one: &[u8]| String::from_utf8(one.to_vec()).expect("UTF-8");
        let literals = read.required_literals();
        let literals = literals.map(|all| all.iter().map(|one| text(one)).collect::<Vec<_>>());
        let expected = expected.map(|all| all.iter().map(|&one| one.to_owned()).collect());
        assert_eq!(literals, expected, "{pattern}");
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
    fn matching_keys_contain_a_required_literal(pattern in pattern(), key in "[ab1/é😀k]{0,6}") {
        let read = RuleRegex::new(&pattern).expect("a pattern");
        if read.regex().is_match(&key) {
            let contains =
                |literal: &[u8]| key.as_bytes().windows(literal.len()).any(|part| part == literal);
            let literals = read.required_literals();
            prop_assert!(literals.is_none_or(|all| all.iter().any(|one| contains(one))));
        }
    }
}
