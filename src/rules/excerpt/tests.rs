use super::*;
use crate::rules::{Code, source::Source};

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

fn findings(text: &str) -> Findings {
    let source = Source::without_tree(text);
    let span = Span { line: 2, column: 4, end_column: 5 };
    let message = "quotes \u{1b}[31m and\nbreaks".to_owned();
    let finding = Finding::placed(Code::WrongType, &source, span, String::new(), message);
    let mut findings = Findings::new("dir/rules.yaml");
    findings.push(finding.note("two\nlines").help("do it"));
    findings
}

#[test]
fn a_finding_reads_alone() {
    let expected = "\
dir/rules.yaml:2:4: error[wrong-type]: quotes \\u{1b}[31m and breaks
  |
2 | b: c
  |    ^
  = note: two
    lines
  = help: do it
";
    assert_eq!(findings("a: 1\nb: c\n").to_string(), expected);
}

#[test]
fn colour_changes_nothing_else() {
    let findings = findings("a: 1\nb: c\n");
    let coloured = format!("{findings:#}");
    assert!(coloured.contains("\u{1b}["));
    let plain = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(plain, findings.to_string());
}
