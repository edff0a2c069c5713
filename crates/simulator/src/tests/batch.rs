//! Items and bodies that CloudFront refuses.

use quick_xml::escape::escape;

use crate::{batch::ValidBatch, refusal::Refusal};

fn body(quantity: usize, items: &[impl AsRef<str>], reference: &str) -> String {
    let paths: String =
        items.iter().map(|item| format!("<Path>{}</Path>", escape(item.as_ref()))).collect();
    format!(
        "<InvalidationBatch><Paths><Quantity>{quantity}</Quantity><Items>{paths}</Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>"
    )
}

fn parse(body: &str) -> Result<ValidBatch, Refusal> {
    ValidBatch::parse(body, |item| item == "/poison")
}

#[test]
fn items() {
    let long = |length: usize| format!("/{}", "a".repeat(length - 1));
    let tag = |length: usize| format!("#{}", "a".repeat(length));
    let valid = [
        "/",
        "/*",
        "/a.html",
        "/a*b",
        "/a*b*",
        "//a",
        "/a%20b",
        "/a%7Eb",
        "/a.jpg?x=1&y=2",
        "/-_.!'()*$&+,;:=@",
        &long(4_000),
        "#a",
        "#A:b/c?d~e",
        "#\"<>&",
        &tag(256),
    ];
    for item in valid {
        assert_eq!(parse(&body(1, &[item], "r")).unwrap().items, [item]);
    }
    let invalid = [
        "",
        "a.html",
        "*",
        " /a",
        "/a ",
        "/a b",
        "/a\tb",
        "/a\u{7f}b",
        "/é",
        "/한",
        "/a~b",
        "/a[b",
        "/a]b",
        "/a{b",
        "/a}b",
        "/a|b",
        "/a\\b",
        "/a^b",
        "/a`b",
        "/a<b",
        "/a>b",
        "/a\"b",
        "/a#b",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%%20",
        &long(4_001),
        "#",
        "#a b",
        "#a,b",
        "#é",
        &tag(257),
        "/poison",
    ];
    for item in invalid {
        let refusal = parse(&body(1, &[item], "r")).expect_err(item);
        assert_eq!((refusal.status, refusal.code), (400, "InvalidArgument"), "{item}");
        assert_eq!(
            refusal.message,
            "Your request contains one or more invalid invalidation paths."
        );
        let why = refusal.why.unwrap();
        assert!(why.starts_with(&format!("`{item}`: ")), "{why}");
    }
}

#[test]
fn bodies() {
    for (body, expected) in [
        (body(2, &["/a", "/a"], "r"), "ok"),
        (body(3_000, &vec!["/a"; 3_000], "r"), "ok"),
        (body(3_001, &vec!["/a"; 3_001], "r"), "BatchTooLarge"),
        (body(2, &["/a"], "r"), "InconsistentQuantities"),
        (body(0, &[""; 0], "r"), "InvalidArgument"),
        (body(1, &["/a"], ""), "InvalidArgument"),
        (body(1, &["/a"], "r").replace("CallerReference", "Reference"), "MalformedXML"),
        (body(1, &["/a"], "r").replace("Quantity", "Number"), "MalformedXML"),
        ("<InvalidationBatch><Paths>".to_owned(), "MalformedXML"),
        ("garbage".to_owned(), "MalformedXML"),
        (String::new(), "MissingBody"),
    ] {
        let code = parse(&body).map_or_else(|refusal| refusal.code, |_| "ok");
        assert_eq!(code, expected, "{body:.120}");
    }
    let batch = parse(&body(1, &["#&<>"], "a&amp;&#98;")).unwrap();
    assert_eq!((&*batch.caller_reference, &*batch.items[0]), ("a&b", "#&<>"));
}
