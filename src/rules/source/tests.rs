use super::*;

/// Each value of a file with the text its span covers.
fn texts(yaml: &str) -> Vec<(String, String)> {
    let source = Source::parse(yaml).unwrap();
    (0..source.nodes.len())
        .map(|node| {
            let at = source.value(node);
            let Span { line, column, end_column } = at.span();
            let line = source.line(line).chars();
            let covered = line.skip(column - 1).take(end_column.saturating_sub(column)).collect();
            (at.path(), covered)
        })
        .collect()
}

#[test]
fn values_know_where_they_stand() {
    for (yaml, path, covered) in [
        ("a: b", "a", "b"),
        ("a: 'b c'", "a", "'b c'"),
        ("a: \"b\" # c", "a", "\"b\""),
        ("a: ['b''c' , d] # 'e'", "a[0]", "'b''c'"),
        ("a: \"b\\\"c\" # \"d\"", "a", "\"b\\\"c\""),
        ("a:   b c   # d", "a", "b c"),
        ("a: [b, c]", "a", "[b, c]"),
        ("a: [b, c]", "a[1]", "c"),
        ("a: {b: c}", "a", "{b: c}"),
        ("a: {b: c}", "a.b", "c"),
        ("a:\n  - b\n  - c", "a[1]", "c"),
        ("a:\n  b: c\n  d: e", "a", "b"),
        ("a:\n- b: c\n  d: e", "a[0]", "b"),
        ("a:\n- b: c\n  d: e", "a[0].d", "e"),
        ("ä: ü", "ä", "ü"),
        ("a: |\n  b\n  c\n", "a", "b"),
        ("a: &x b\nc: *x", "a", "&x b"),
        ("a: &x 'b' # c", "a", "&x 'b'"),
        ("a: &x\n  'b' # c", "a", "&x"),
        ("a: [b,\n  c]", "a", "[b,"),
        ("a:", "a", ""),
        ("a: [b\r\n, c]\r\nd: e", "d", "e"),
        ("a: b\rc: d", "c", "d"),
    ] {
        let texts = texts(yaml);
        assert!(texts.contains(&(path.to_owned(), covered.to_owned())), "{yaml:?}: {texts:?}");
    }
}

#[test]
fn missing_values_stand_where_they_belong() {
    let source = Source::parse("a:\n  b: c\n").unwrap();
    let root = source.root();
    assert_eq!(root.field("a").field("b").text(), Some("c"));
    assert_eq!(root.field("a").field("x").text(), None);
    assert_eq!(root.field("a").field("x").field("y").index(3).span(), root.field("a").span());
    assert_eq!(root.field("a").field_name("b"), Span { line: 2, column: 3, end_column: 4 });
    assert!(!root.field("x").is_given());
    assert!(!Source::parse("").unwrap().root().field("a").is_given());
}

#[test]
fn an_alias_is_the_value_it_names() {
    let source = Source::parse("a: &x [b, c]\nd: *x\n").unwrap();
    let root = source.root();
    assert_eq!(root.field("d").index(1).text(), Some("c"));
    assert_eq!(root.field("d").path(), "a");
}

#[test]
fn fields_of_large_mappings_are_found() {
    let mut yaml: String = (0..100).map(|n| format!("k{n}: v{n}\n")).collect();
    yaml.push_str("k7: again\n");
    let source = Source::parse(&yaml).unwrap();
    assert_eq!(source.root().field("k42").text(), Some("v42"));
    assert_eq!(source.root().field("k42").span().line, 43);
    assert_eq!(source.root().field_name("k42").line, 43);
    assert_eq!(source.root().field("k42").path(), "k42");
    assert_eq!(source.root().field("k7").text(), Some("again"));
    assert!(!source.root().field("k100").is_given());
}

#[test]
fn duplicates_are_all_found() {
    let source = Source::parse("a: 1\nb: {c: 1, c: 2, c: 3}\na: 2\n").unwrap();
    let found: Vec<(&str, usize, usize)> = source
        .duplicates
        .iter()
        .map(|duplicate| (&*duplicate.name, duplicate.first.column, duplicate.again.column))
        .collect();
    assert_eq!(found, [("c", 5, 11), ("c", 5, 17), ("a", 1, 1)]);
}

fn broken(yaml: &str) -> (String, usize) {
    let (broken, span) = Source::parse(yaml).unwrap_err();
    (format!("{broken:?}"), span.line)
}

#[test]
fn what_would_take_too_much_is_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Source::parse(&nested(MAX_DEPTH)).is_ok());
    assert!(broken(&nested(MAX_DEPTH + 1)).0.starts_with("TooDeep"));
    // Not a bracket more is read than the limit says.
    assert!(broken(&"[".repeat(1 << 20)).0.starts_with("TooDeep"));
    assert!(broken(&"- ".repeat(1 << 10)).0.starts_with("TooDeep"));

    let mut laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for level in 1..10 {
        let previous = vec![format!("*a{}", level - 1); 8].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
    }
    let (kind, line) = broken(&laughs);
    assert!(kind.starts_with("TooManyValues"), "{kind}");
    assert!(line < 10, "{line}");

    // Few aliases of a long text.
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), ["*a"; 40].join(", "));
    assert!(broken(&long).0.starts_with("TooManyValues"));
    assert!(broken(&format!("[{}]", "a,".repeat(1 << 20))).0.starts_with("TooManyValues"));
}

#[test]
fn parts_of_yaml_without_meaning_are_refused() {
    for (yaml, kind, line) in [
        ("a: 1\n---\nb: 1\n", "Unsupported", 2),
        ("a: !x 1\n", "Unsupported", 1),
        ("a: !!str 1\n", "Unsupported", 1),
        ("a: &x {b: c}\nd:\n  <<: *x\n", "Unsupported", 3),
        ("a: 1\n[b]: c\n", "FieldName", 2),
        ("? {a: b}\n: c\n", "FieldName", 1),
        ("a: &x b\n*x : c\n", "FieldName", 2),
        ("a: &a [*a]", "Unsupported", 1),
        ("a: *x\n", "Syntax", 1),
        ("a: [\n", "Syntax", 2),
    ] {
        let (found, at) = broken(yaml);
        assert!(found.starts_with(kind), "{yaml:?}: {found}");
        assert_eq!(at, line, "{yaml:?}: {found}");
    }
    assert!(Source::parse("'<<': 1").is_ok());
}
