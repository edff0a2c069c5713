use s3_cloudfront_invalidator::rules::RulesFile;

use super::*;

fn shown(line: &str, column: usize, end_column: usize) -> (String, String) {
    let Excerpt { text, before, width } = Excerpt::new(line, Span { line: 1, column, end_column });
    (text, format!("{}{}", " ".repeat(before), "^".repeat(width)))
}

#[test]
fn the_caret_stands_under_the_value() {
    for (line, column, end, text, caret) in [
        ("a: bc", 4, 6, "a: bc", "   ^^"),
        ("a: bc", 1, 2, "a: bc", "^"),
        ("a:", 3, 3, "a:", "  ^"),
        // The parser's spans of quoted texts end too late.
        ("a: \"b\" # c", 4, 11, "a: \"b\" # c", "   ^^^"),
        ("a: ['b''c' , d] # 'e'", 5, 12, "a: ['b''c' , d] # 'e'", "    ^^^^^^"),
        ("a: \"b\\\"c\" # \"d\"", 4, 18, "a: \"b\\\"c\" # \"d\"", "   ^^^^^^"),
        ("a: &x 'b' # c", 4, 14, "a: &x 'b' # c", "   ^^^^^^"),
        ("a: ['b', c]", 4, 12, "a: ['b', c]", "   ^^^^^^^^"),
        ("a: bc   ", 4, usize::MAX, "a: bc", "   ^^"),
        ("\ta: b", 5, 6, "    a: b", "       ^"),
        ("日本: b", 5, 6, "日本: b", "      ^"),
        ("a: 日本", 4, 6, "a: 日本", "   ^^^^"),
        ("e\u{301}: b", 5, 6, "e\u{301}: b", "   ^"),
        ("a\u{1b}[2J: b", 8, 9, "a\\u{1b}[2J: b", "            ^"),
        ("\u{202e}a: b", 5, 6, "\\u{202e}a: b", "           ^"),
    ] {
        assert_eq!(shown(line, column, end), (text.to_owned(), caret.to_owned()), "{line:?}");
    }
}

#[test]
fn long_lines_are_cut_around_the_caret() {
    let line = format!("{}VALUE{}", "x".repeat(100_000), "y".repeat(100_000));
    let (text, caret) = shown(&line, 100_001, 100_006);
    assert!(text.chars().count() <= MAX_WIDTH + 2, "{text}");
    assert!(text.starts_with('…') && text.ends_with('…'));
    let under: String = text.chars().skip(caret.find('^').unwrap()).take(5).collect();
    assert_eq!(under, "VALUE");
    let (text, caret) = shown(&line, 1, usize::MAX);
    assert!(text.chars().count() <= MAX_WIDTH + 1 && caret.len() <= MAX_WIDTH + 1);
}

fn rendered() -> String {
    let yaml = "version: 1\ntargets: \"quotes \\e[31m and\\nbreaks\"\n";
    let mut findings = RulesFile::read("dir/rules.yaml", yaml.as_bytes()).expect("YAML").findings;
    let mut finding = findings.iter().next().expect("a finding").clone();
    finding.message = "quotes \u{1b}[31m and\nbreaks".to_owned();
    findings = Findings::new(findings.file());
    findings.push(finding.note("two\nlines").help("do it"));
    Rendered(&findings.finish(yaml)).to_string()
}

#[test]
fn a_finding_is_readable_without_its_file() {
    let expected = r#"
dir/rules.yaml:2:10: error[wrong-type]: quotes \u{1b}[31m and breaks
  |
2 | targets: "quotes \e[31m and\nbreaks"
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = note: two
    lines
  = help: do it
"#;
    let plain = anstream::adapter::strip_str(&rendered()).to_string();
    assert_eq!(plain, expected.trim_start());
    assert!(rendered().contains("\u{1b}[") && !rendered().contains("\u{1b}[31m and"));
}
