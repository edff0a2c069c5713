use proptest::prelude::*;
use serde_yaml::Value as Reference;

use super::*;

/// Each value of a file with the text its span covers.
fn texts(yaml: &str) -> Vec<(String, String)> {
    let tree = YamlTree::parse(yaml).unwrap();
    (0..tree.nodes.len())
        .map(|index| {
            let node = Node { tree: &tree, index };
            let Span { line, column, end_column } = node.span();
            let line = lines(yaml).nth(line - 1).unwrap().chars();
            let covered = line.skip(column - 1).take(end_column.saturating_sub(column)).collect();
            (node.path(), covered)
        })
        .collect()
}

#[test]
fn values_have_places() {
    for (yaml, path, covered) in [
        ("a: b", "a", "b"),
        ("a: 'b c'", "a", "'b c'"),
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
fn values_are_found() {
    let tree = YamlTree::parse("a: &x [b, c]\nd: *x\ne: f\n").unwrap();
    let root = tree.root();
    assert_eq!(root.value("d", 1).text(), "c");
    assert_eq!(root.field("d").unwrap().path(), "a");
    assert_eq!(root.value("e", 0).text(), "f");
    assert_eq!(root.value("e", 1).path(), "");
    assert!(root.field("x").is_none());
    let finding = root.field_finding(Code::UnknownField, "e", "");
    assert_eq!((finding.span, &*finding.path), (Span::character(3, 1), "e"));
    assert_eq!(YamlTree::parse("").unwrap().root().shape(), Shape::Null);
}

#[test]
fn fields_of_large_mappings_are_found() {
    let mut yaml: String = (0..100).map(|n| format!("k{n}: v{n}\n")).collect();
    yaml.push_str("k7: again\n");
    let tree = YamlTree::parse(&yaml).unwrap();
    let root = tree.root();
    assert_eq!(root.field("k42").map(|node| (node.text(), node.span().line)), Some(("v42", 43)));
    assert_eq!(root.field_finding(Code::UnknownField, "k42", "").span.line, 43);
    assert_eq!(root.value("k42", 0).path(), "k42");
    assert_eq!(root.value("k7", 0).text(), "v7");
    assert!(root.field("k100").is_none());
}

#[test]
fn plain_scalars_follow_the_core_schema() {
    for (text, shape) in [
        ("", Shape::Null),
        ("~", Shape::Null),
        ("null", Shape::Null),
        ("'null'", Shape::Text),
        ("True", Shape::Bool(true)),
        ("yes", Shape::Text),
        ("0", Shape::Number(Some(0))),
        ("+12", Shape::Number(Some(12))),
        ("0x1F", Shape::Number(Some(31))),
        ("0o17", Shape::Number(Some(15))),
        ("0b11", Shape::Number(Some(3))),
        ("18446744073709551615", Shape::Number(Some(u64::MAX))),
        ("18446744073709551616", Shape::Number(None)),
        ("-1", Shape::Number(None)),
        ("1.5", Shape::Number(None)),
        (".5", Shape::Number(None)),
        ("1e3", Shape::Number(None)),
        (".inf", Shape::Number(None)),
        ("\"1\"", Shape::Text),
        ("012345678901", Shape::Text),
        ("0x+1", Shape::Text),
        ("1_000", Shape::Text),
        ("1e999", Shape::Text),
        ("inf", Shape::Text),
        ("+", Shape::Text),
        (".", Shape::Text),
        (".html", Shape::Text),
        ("2026-01-01", Shape::Text),
    ] {
        let yaml = format!("a: {text}");
        assert_eq!(YamlTree::parse(&yaml).unwrap().root().value("a", 0).shape(), shape, "{text}");
    }
}

#[test]
fn duplicates_are_all_found() {
    let text = "a: 1\nb: {c: 1, c: 2, c: 3}\na: 2\n";
    let mut findings = Findings::new("");
    YamlTree::parse(text).unwrap().report_duplicates(&mut findings);
    let findings = findings.finish(text);
    let found: Vec<_> = findings
        .iter()
        .map(|one| (&*one.path, one.span.line, one.span.column, &*one.notes[0]))
        .collect();
    let first = "first at line 2, column 5";
    assert_eq!(
        found,
        [("b.c", 2, 11, first), ("b.c", 2, 17, first), ("a", 3, 1, "first at line 1, column 1")]
    );
}

fn refused(yaml: &str) -> (Code, String, usize) {
    let finding = YamlTree::parse(yaml).unwrap_err();
    (finding.code, finding.message, finding.span.line)
}

#[test]
fn costly_files_are_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(YamlTree::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(refused(&nested(MAX_DEPTH + 1)).0, Code::NestedTooDeeply);
    // Not a bracket more is read than the limit says.
    assert_eq!(refused(&"[".repeat(1 << 20)).0, Code::NestedTooDeeply);
    assert_eq!(refused(&"- ".repeat(1 << 10)).0, Code::NestedTooDeeply);

    let mut laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for level in 1..10 {
        let previous = vec![format!("*a{}", level - 1); 8].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
    }
    let (code, message, line) = refused(&laughs);
    assert_eq!(code, Code::TooManyValues, "{message}");
    assert!(line < 10, "{line}");

    // Few aliases of a long text.
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), ["*a"; 40].join(", "));
    assert_eq!(refused(&long).0, Code::TooManyValues);
    assert_eq!(refused(&format!("[{}]", "a,".repeat(1 << 20))).0, Code::TooManyValues);
}

#[test]
fn unsupported_yaml_is_refused() {
    for (yaml, message, line) in [
        ("a: 1\n---\nb: 1\n", "a second document", 2),
        ("a: !x 1\n", "tags", 1),
        ("a: !!str 1\n", "tags", 1),
        ("a: &x {b: c}\nd:\n  <<: *x\n", "merge keys", 3),
        ("a: 1\n[b]: c\n", "the name of a field", 2),
        ("? {a: b}\n: c\n", "the name of a field", 1),
        ("a: &x b\n*x : c\n", "the name of a field", 2),
        ("a: &a [*a]", "an alias is inside", 1),
        ("a: *x\n", "while parsing node", 1),
        ("a: [\n", "while parsing", 2),
    ] {
        let (code, found, at) = refused(yaml);
        assert_eq!((code, at), (Code::Syntax, line), "{yaml:?}: {found}");
        assert!(found.starts_with(message), "{yaml:?}: {found}");
    }
    assert!(YamlTree::parse("'<<': 1").is_ok());
}

/// Whether a node has the value that serde_yaml reads.
fn agrees(node: Node<'_>, reference: &Reference) -> bool {
    match (node.shape(), reference) {
        (Shape::Null, Reference::Null) => true,
        (Shape::Bool(value), Reference::Bool(reference)) => value == *reference,
        (Shape::Number(value), Reference::Number(reference)) => value == reference.as_u64(),
        (Shape::Text, Reference::String(reference)) => node.text() == reference,
        (Shape::List, Reference::Sequence(reference)) => {
            node.values().count() == reference.len()
                && iter::zip(node.values(), reference).all(|(node, r)| agrees(node, r))
        }
        (Shape::Mapping, Reference::Mapping(reference)) => {
            // Field names are text here, whatever they would be as values.
            node.fields().count() == reference.len()
                && iter::zip(node.fields(), reference.values())
                    .all(|((_, node), r)| agrees(node, r))
        }
        _ => false,
    }
}

fn values() -> impl Strategy<Value = Reference> {
    let scalar = prop_oneof![
        Just(Reference::Null),
        any::<bool>().prop_map(Reference::from),
        any::<u64>().prop_map(Reference::from),
        any::<i64>().prop_map(Reference::from),
        "[ -~é\\n]{0,8}".prop_map(Reference::from),
        "(no|~|null|True|0x1|-1|1e3|[.]5|: |#a|- b|\\*x|&y|!z|%|@|`)".prop_map(Reference::from),
    ];
    scalar.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Reference::Sequence),
            proptest::collection::btree_map("[a-z ]{1,4}", inner, 0..5).prop_map(|map| {
                Reference::Mapping(map.into_iter().map(|(k, v)| (k.into(), v)).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn written_values_are_read_as_serde_yaml_reads_them(value in values()) {
        let text = serde_yaml::to_string(&value).unwrap();
        let tree = YamlTree::parse(&text).map_err(|finding| TestCaseError::fail(finding.message))?;
        prop_assert!(agrees(tree.root(), &value), "{text}");
    }
}
