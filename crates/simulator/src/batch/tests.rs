use proptest::prelude::*;
use quick_xml::escape::escape;

use super::*;

fn body(quantity: impl std::fmt::Display, items: &[impl AsRef<str>], reference: &str) -> String {
    let paths: String =
        items.iter().map(|item| format!("<Path>{}</Path>", escape(item.as_ref()))).collect();
    format!(
        "<InvalidationBatch><Paths><Quantity>{quantity}</Quantity><Items>{paths}</Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>"
    )
}

fn read(body: &str) -> Result<Batch, Refusal> {
    Batch::read(body.as_bytes(), |item| item == "/poison")
}

/// The code of the refusal and what it says, or `ok`.
fn verdict(body: &str) -> String {
    match read(body) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => format!("{} {}: {}", refusal.status, refusal.code, refusal.message),
    }
}

#[test]
fn items() {
    let long = |length: usize| format!("/{}", "a".repeat(length - 1));
    let tag = |length: usize| format!("#{}", "a".repeat(length));
    for (item, taken) in [
        ("/", true),
        ("/*", true),
        ("/a.html", true),
        ("/a*b", true),
        ("/a*b*", true),
        ("//a", true),
        ("/a%20b", true),
        ("/a%7Eb", true),
        ("/a.jpg?x=1&y=2", true),
        ("/-_.!'()*$&+,;:=@", true),
        (&long(4_000), true),
        ("#a", true),
        ("#A:b/c?d~e", true),
        ("#\"<>&", true),
        (&tag(256), true),
        ("", false),
        ("a.html", false),
        ("*", false),
        (" /a", false),
        ("/a b", false),
        ("/a\tb", false),
        ("/a\u{7f}b", false),
        ("/é", false),
        ("/한", false),
        ("/a~b", false),
        ("/a[b", false),
        ("/a]b", false),
        ("/a{b", false),
        ("/a}b", false),
        ("/a|b", false),
        ("/a\\b", false),
        ("/a^b", false),
        ("/a`b", false),
        ("/a<b", false),
        ("/a>b", false),
        ("/a\"b", false),
        ("/a#b", false),
        ("/a%", false),
        ("/a%2", false),
        ("/a%zz", false),
        ("/a%%20", false),
        (&long(4_001), false),
        ("#", false),
        ("#a b", false),
        ("#a,b", false),
        ("#é", false),
        (&tag(257), false),
        ("/poison", false),
    ] {
        let read = read(&body(1, &[item], "r"));
        match read {
            Ok(batch) => assert!(taken && batch.items == [item], "{item:?}"),
            Err(refusal) => {
                assert!(!taken, "{item:?}: {refusal:?}");
                assert_eq!(
                    (refusal.status, &*refusal.code, &*refusal.message),
                    (
                        400,
                        "InvalidArgument",
                        "Your request contains one or more invalid invalidation paths."
                    ),
                    "{item:?}"
                );
                let why = refusal.why.unwrap_or_default();
                assert!(why.starts_with(&format!("`{item}`: ")), "{item:?}: {why}");
            }
        }
    }
}

#[test]
fn bodies() {
    const NULL: &str = "failed to satisfy constraint: Member must not be null";
    for (body, expected) in [
        (body(1, &["/a"], "r"), "ok"),
        (body(2, &["/a", "/a"], "r"), "ok"),
        (body(" 1\n", &["/a"], "r"), "ok"),
        (String::new(), "400 MissingBody"),
        ("garbage".to_owned(), "400 MalformedXML: 1 validation error detected: Value null at 'invalidationBatch'"),
        ("{\"Paths\":1}".to_owned(), "400 MalformedXML"),
        ("<InvalidationBatch>".to_owned(), "400 MalformedInput: The body is not well-formed XML"),
        ("<InvalidationBatch></Paths>".to_owned(), "400 MalformedInput: The body is not well-formed XML"),
        ("<a>&nbsp;</a>".to_owned(), "400 MalformedInput: The body is not well-formed XML: unknown entity `&nbsp;`"),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_owned(), "400 MalformedInput: The body is not well-formed XML: a document type"),
        ("<Paths/>".to_owned(), "400 MalformedXML"),
        ("<InvalidationBatch/>".to_owned(), "400 MalformedXML: 1 validation error detected: Value null at 'invalidationBatch.paths'"),
        ("<InvalidationBatch><Paths/></InvalidationBatch>".to_owned(), "400 MalformedXML: 1 validation error detected: Value null at 'invalidationBatch.paths.quantity'"),
        ("<InvalidationBatch><Paths><Quantity>0</Quantity></Paths></InvalidationBatch>".to_owned(), "400 MalformedXML: 1 validation error detected: Value null at 'invalidationBatch.callerReference'"),
        ("<InvalidationBatch><Paths><Quantity>0</Quantity></Paths><CallerReference>r</CallerReference></InvalidationBatch>".to_owned(), "400 InvalidArgument: Your request contains one or more invalid"),
        (body(0, &[""; 0], "r"), "400 MalformedInput: Unexpected list element termination"),
        (body("one", &["/a"], "r"), "400 MalformedInput: The quantity `one`"),
        (body("", &["/a"], "r"), "400 MalformedInput: The quantity ``"),
        (body(2, &["/a"], "r"), "400 InconsistentQuantities"),
        (body(-1, &["/a"], "r"), "400 InconsistentQuantities"),
        (body(3_001, &vec!["/a"; 3_001], "r"), "413 BatchTooLarge"),
        (body(3_000, &vec!["/a"; 3_000], "r"), "ok"),
        (body(1, &["/a"], ""), "400 InvalidArgument: Your request contains an empty caller reference"),
    ] {
        let verdict = verdict(&body);
        let shown: String = body.chars().take(120).collect();
        assert!(verdict.starts_with(expected), "{shown}: {verdict}");
        if expected.contains("Value null") {
            assert!(verdict.ends_with(NULL), "{verdict}");
        }
    }
    assert_eq!(Batch::read(b"\xff", |_| false).unwrap_err().code, "MalformedInput");
}

#[test]
fn xml_is_read_as_xml() {
    let body = "<?xml version=\"1.0\"?><!-- a --><c:InvalidationBatch xmlns:c=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">
        <c:CallerReference>a&amp;&#98;<![CDATA[&c]]></c:CallerReference>
        <Unknown><Path>/no</Path></Unknown>
        <c:Paths><c:Items><c:Path>/a&#x26;b</c:Path><c:Path>#&lt;t&gt;</c:Path></c:Items><c:Quantity>2</c:Quantity></c:Paths>
        </c:InvalidationBatch>";
    let batch = read(body).unwrap();
    assert_eq!(batch.caller_reference, "a&b&c");
    assert_eq!(batch.items, ["/a&b", "#<t>"]);
}

proptest! {
    #[test]
    fn what_is_taken_comes_out_as_it_went_in(items in prop::collection::vec("[/#][!-~]{0,20}", 1..5)) {
        if let Ok(batch) = read(&body(items.len(), &items, "r")) {
            prop_assert_eq!(batch.items, items);
        }
    }

    #[test]
    fn no_raw_byte_outside_printable_ascii_is_taken(item in "[/#]\\PC{1,20}") {
        let taken = read(&body(1, &[&item], "r")).is_ok();
        prop_assert!(!taken || item.bytes().all(|byte| byte.is_ascii_graphic()), "{}", item);
    }

    #[test]
    fn garbage_is_refused_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Batch::read(&body, |_| false).is_err());
    }

    #[test]
    fn broken_markup_is_refused_without_a_panic(body in "(<[/!?]?|InvalidationBatch|Paths|Items|Path|>|/>|&|;|#x|\\[CDATA\\[|\\]\\]|a){0,40}") {
        prop_assert!(read(&body).is_err());
    }
}
