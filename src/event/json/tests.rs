use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Whether the cursor takes the text for JSON.
fn accepts(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.skip().and_then(|_| cursor.end()).is_ok()
}

/// Reads a string in both ways, which must agree.
fn string(literal: &str) -> Result<Option<String>, Malformed> {
    let borrowed = Cursor::new(literal).text()?.map(Cow::into_owned);
    let mut buffer = "of earlier use".to_owned();
    let is_text = Cursor::new(literal).text_into(&mut buffer)?;
    assert_eq!(borrowed, (is_text && !buffer.is_empty()).then_some(buffer), "{literal}");
    Ok(borrowed)
}

/// A tree of what the cursor reads, to hold against serde_json's.
fn tree(cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
    match cursor.peek() {
        Some(b'{') => {
            let mut members = serde_json::Map::new();
            cursor.object(|name, cursor| {
                members.insert(name.to_owned(), tree(cursor)?);
                Ok(())
            })?;
            Ok(Value::Object(members))
        }
        Some(b'[') => {
            let mut elements = Vec::new();
            cursor.array(|cursor| {
                elements.push(tree(cursor)?);
                Ok(())
            })?;
            Ok(Value::Array(elements))
        }
        Some(b'"') => Ok(Value::String(cursor.text()?.unwrap_or_default().into_owned())),
        _ => Ok(serde_json::from_str(cursor.skip()?).unwrap()),
    }
}

#[test]
fn numbers_and_words() {
    for good in [
        "0",
        "-0",
        "7",
        "10",
        "-12.50",
        "0.0",
        "1e5",
        "1E+05",
        "1.0e-7",
        "1e999",
        "true",
        "false",
        "null",
        " \t\r\n1 \n",
    ] {
        assert!(accepts(good), "{good}");
    }
    for bad in [
        "",
        " ",
        "-",
        "01",
        "+1",
        ".5",
        "1.",
        "1.e5",
        "1e",
        "1e+",
        "0x1",
        "1 2",
        "NaN",
        "Infinity",
        "tru",
        "True",
        "nul",
        "trueish",
        "\u{a0}1",
        "\u{feff}1",
        "1,",
    ] {
        assert!(!accepts(bad), "{bad}");
    }
}

#[test]
fn arrays_and_objects() {
    for good in ["[]", "[ ]", "{}", "{ }", "[1,2]", r#"{"a":1,"a":[{}]}"#, r#" [ { "" : "" } ] "#] {
        assert!(accepts(good), "{good}");
    }
    for bad in [
        "[",
        "]",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "[}",
        "{]",
        "[1}",
        "{\"a\":1]",
        "[]]",
        "{}{}",
    ] {
        assert!(!accepts(bad), "{bad}");
    }
}

#[test]
fn strings() {
    for (literal, expected) in [
        (r#""""#, None),
        (r#""plain""#, Some("plain")),
        (r#""longer than eight bytes at once""#, Some("longer than eight bytes at once")),
        (r#""한국 🍋""#, Some("한국 🍋")),
        (r#""\"\\\/\b\f\n\r\t""#, Some("\"\\/\u{8}\u{c}\n\r\t")),
        (r#""a\u0020b\u00e9\uD83C\udf4b.""#, Some("a bé🍋.")),
        (r#""\u0000""#, Some("\0")),
        (r#""\\u0041""#, Some("\\u0041")),
        // A lone surrogate is no Unicode.
        (r#""\ud83c""#, None),
        (r#""\ud83c and more""#, None),
        (r#""\ud83cA""#, None),
        (r#""\ud83c\ud83c""#, None),
        (r#""\udf4b\ud83c""#, None),
        // Neither are these strings.
        ("17", None),
        ("null", None),
        (r#"["a"]"#, None),
        (r#"{"a": "b"}"#, None),
    ] {
        assert_eq!(string(literal).unwrap().as_deref(), expected, "{literal}");
    }
    for bad in [
        r#"""#,
        r#""open"#,
        r#""\"#,
        r#""\""#,
        r#""\x""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\u+123""#,
        r#""\ud83c\u12""#,
        "\"a\nb\"",
        "\"a\0b\"",
        "\"a control later \u{1f}\"",
    ] {
        assert!(string(bad).is_err(), "{bad}");
        assert!(!accepts(bad), "{bad}");
    }
}

#[test]
fn odd_members_are_skipped_and_the_last_of_a_name_counts() {
    let mut cursor = Cursor::new(r#"{"a": 1, "b": [2], "\ud800": 3, "\u0061": "last"} "#);
    let mut a = None;
    let is_object = cursor.object(|name, cursor| {
        let text = cursor.text()?;
        if name == "a" {
            a = text;
        }
        Ok(())
    });
    assert_eq!((is_object, a.as_deref()), (Ok(true), Some("last")));
    assert_eq!(cursor.end(), Ok(()));
    assert_eq!(Cursor::new("[1]").object(|_, _| unreachable!()), Ok(false));
    assert_eq!(Cursor::new("{}").array(|_| unreachable!()), Ok(false));
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(accepts(&nested(MAX_DEPTH)));
    assert!(!accepts(&nested(MAX_DEPTH + 1)));
    assert!(!accepts(&"[".repeat(1_000_000)));
    assert!(!accepts(&"{\"a\":".repeat(1_000_000)));
}

#[test]
fn errors_name_the_byte() {
    let error = Cursor::new(r#"{"a": 1 "b": 2}"#).skip().unwrap_err();
    assert_eq!(error.to_string(), "expected `,` or `}` at byte 8");
}

/// Any JSON, few enough levels deep.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        any::<String>().prop_map(Value::from),
        "[a\"\\\\/\n\u{7f}한🍋]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[ab\"\\\\]{0,3}", inner, 0..6)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_serde_json_writes(value in json(), pretty: bool) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        let mut cursor = Cursor::new(&text);
        prop_assert_eq!(tree(&mut cursor), Ok(value));
        prop_assert_eq!(cursor.end(), Ok(()));
    }

    /// JSON with a piece changed is JSON for both or for neither.
    #[test]
    fn accepts_what_serde_json_accepts(
        value in json(),
        at in any::<prop::sample::Index>(),
        length in 0..4_usize,
        piece in r#"[\[\]{}:,"\\/ \n0-9.eE+\-tfnul\x00]{0,4}"#,
    ) {
        let mut text = value.to_string();
        let start = text.floor_char_boundary(at.index(text.len() + 1));
        let end = text.floor_char_boundary(start + length).max(start);
        text.replace_range(start..end, &piece);
        // Unlike RawValue and Value, this neither bounds numbers nor refuses
        // lone surrogates: a text is JSON or it is not.
        let oracle = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(accepts(&text), oracle, "{}", text);
    }

    #[test]
    fn escapes_are_read_as_serde_json_does(
        body in r#"([a"]|\\[\\"/bfnrtuxd]|\\u[dD][89abcd][0-9a-f]{2}|\\u00[0-9a-f]{2}){0,6}"#,
    ) {
        let literal = format!("\"{body}\"");
        let oracle = serde_json::from_str::<String>(&literal).ok().filter(|text| !text.is_empty());
        let text = string(&literal).ok().flatten();
        // What stands after the literal is another matter.
        let whole = accepts(&literal);
        prop_assert_eq!(text.filter(|_| whole), oracle);
    }
}
