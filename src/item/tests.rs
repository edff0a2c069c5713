use std::sync::Arc;

use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::*;

/// The item that is sent as `text`.
pub(crate) fn item(text: &str) -> Item {
    let item = match text.strip_prefix('#') {
        Some(tag) => Item::tag(tag),
        None => address(text, "/", "/", true),
    };
    item.unwrap()
}

/// The items of `key` as texts; an unaddressable one is `!` and its kind.
fn items(settings: &PathSettings, prefix: &str, key: &str) -> Vec<String> {
    let Some(path) = settings.url_path(key) else { return vec!["not served".to_owned()] };
    settings.items(&path, &settings.bound(prefix)).into_iter().map(text).collect()
}

fn text(item: Result<Addressed, Unaddressable>) -> String {
    match item {
        Ok(addressed) => addressed.item.to_string(),
        Err(Unaddressable::WholeSite(_)) => "!whole site".to_owned(),
        Err(Unaddressable::AboveDirectory { .. }) => "!above directory".to_owned(),
        Err(Unaddressable::OutsideBound { .. }) => "!outside bound".to_owned(),
        Err(Unaddressable::Protected { .. }) => "!protected".to_owned(),
        Err(Unaddressable::PathTooLong(_)) => "!too long".to_owned(),
        Err(other) => panic!("{other}"),
    }
}

fn settings(change: impl FnOnce(&mut PathSettings)) -> PathSettings {
    let mut settings = PathSettings::default();
    change(&mut settings);
    settings
}

/// One line a case: the key, and its items with default settings.
macro_rules! keys {
    ($($key:expr => [$($item:expr),*];)*) => {
        [$(($key, [$($item),*].as_slice())),*]
    };
}

#[test]
fn keys_with_default_settings() {
    for (key, expected) in keys! {
        // Plain keys.
        "a" => ["/a"];
        "a.html" => ["/a.html"];
        "a/b/c.html" => ["/a/b/c.html"];
        "A/B.HTML" => ["/A/B.HTML"];
        "0123456789" => ["/0123456789"];
        "-_.!'()" => ["/-_.!'()"];
        "$&,;:=@" => ["/$&,;:=@"];
        "a*b.txt" => ["/a*b.txt"];
        "*a" => ["/*a"];
        ".htaccess" => ["/.htaccess"];
        ".well-known/security.txt" => ["/.well-known/security.txt"];
        // Slashes and dots are kept.
        "/a" => ["//a"];
        "//a" => ["///a"];
        "a//b" => ["/a//b"];
        "a/" => ["/a/"];
        "a/b/" => ["/a/b/"];
        "/" => ["//"];
        "./a" => ["/./a"];
        "../a" => ["/../a"];
        "a/../b" => ["/a/../b"];
        "a/./b" => ["/a/./b"];
        // The default root object, and what only looks like it.
        "index.html" => ["/index.html", "/"];
        "docs/index.html" => ["/docs/index.html"];
        "Index.html" => ["/Index.html"];
        "index.htm" => ["/index.htm"];
        "myindex.html" => ["/myindex.html"];
        "/index.html" => ["//index.html"];
        // RFC 1738's unsafe characters.
        " " => ["/%20"];
        "my file.html" => ["/my%20file.html"];
        "a\"b" => ["/a%22b"];
        "a#b" => ["/a%23b"];
        "#tag" => ["/%23tag"];
        "a%b" => ["/a%25b"];
        "a%20b" => ["/a%2520b"];
        "100%" => ["/100%25"];
        "a<b>" => ["/a%3Cb%3E"];
        "a[1].txt" => ["/a%5B1%5D.txt"];
        "a\\b" => ["/a%5Cb"];
        "a^b" => ["/a%5Eb"];
        "a`b" => ["/a%60b"];
        "a{b}" => ["/a%7Bb%7D"];
        "a|b" => ["/a%7Cb"];
        "a?b" => ["/a%3Fb"];
        "a?x=1&y=2" => ["/a%3Fx=1&y=2"];
        "a\tb" => ["/a%09b"];
        "a\nb" => ["/a%0Ab"];
        "a\rb" => ["/a%0Db"];
        "a\0b" => ["/a%00b"];
        "a\u{1}b" => ["/a%01b"];
        "a\u{7f}b" => ["/a%7Fb"];
        "<script>alert('x')</script>" => ["/%3Cscript%3Ealert('x')%3C/script%3E"];
        // Beyond ASCII: the key's own bytes, never another normal form.
        "é" => ["/%C3%A9"];
        "e\u{301}" => ["/e%CC%81"];
        "한글.html" => ["/%ED%95%9C%EA%B8%80.html"];
        "日本語/ページ.html" => ["/%E6%97%A5%E6%9C%AC%E8%AA%9E/%E3%83%9A%E3%83%BC%E3%82%B8.html"];
        "😀.png" => ["/%F0%9F%98%80.png"];
        "\u{80}" => ["/%C2%80"];
        "\u{a0}" => ["/%C2%A0"];
        "ÿ" => ["/%C3%BF"];
        "\u{feff}a" => ["/%EF%BB%BFa"];
        "\u{10ffff}" => ["/%F4%8F%BF%BF"];
        "عربي" => ["/%D8%B9%D8%B1%D8%A8%D9%8A"];
        // `+` is two cache keys.
        "a+b" => ["/a+b", "/a%2Bb"];
        "+" => ["/+", "/%2B"];
        "a+b+c.html" => ["/a+b+c.html", "/a%2Bb%2Bc.html"];
        "c++/index.html" => ["/c++/index.html", "/c%2B%2B/index.html"];
        "한글 + 공백.html" => ["/%ED%95%9C%EA%B8%80%20+%20%EA%B3%B5%EB%B0%B1.html", "/%ED%95%9C%EA%B8%80%20%2B%20%EA%B3%B5%EB%B0%B1.html"];
        "a%2Bb" => ["/a%252Bb"];
        // `~` cannot be invalidated.
        "a~b" => ["/a*"];
        "a~" => ["/a*"];
        "~a" => ["!whole site"];
        "~" => ["!whole site"];
        "dir/~a" => ["/dir/*"];
        "dir/a~b~c.html" => ["/dir/a*"];
        "di~r/a" => ["!above directory"];
        "~dir/a" => ["!whole site"];
        "a/b~/c" => ["!above directory"];
        "a/b/c~/" => ["!above directory"];
        "/~a" => ["//*"];
        "a%7Eb" => ["/a%257Eb"];
        "a b~c" => ["/a%20b*"];
        "a+b~c" => ["/a+b*", "/a%2Bb*"];
        "dir+/~a" => ["/dir+/*", "/dir%2B/*"];
        // A final `*` can only be sent as a wildcard.
        "a*" => ["/a*"];
        "*" => ["!whole site"];
        "a**" => ["/a**"];
        "dir/*" => ["/dir/*"];
        "dir*/a" => ["/dir*/a"];
        "dir/*/" => ["/dir/*/"];
        "a~b*" => ["/a*"];
        "a+*" => ["/a+*", "/a%2B*"];
    } {
        assert_eq!(items(&PathSettings::default(), "", key), expected, "{key:?}");
    }
}

#[test]
fn keys_with_settings() {
    let public = |s: &mut PathSettings| s.set_origin_path("/public");
    let deep = |s: &mut PathSettings| s.set_origin_path("a/b/");
    let index = |s: &mut PathSettings| {
        s.index_documents = vec!["index.html".into(), "home page.htm".into()];
    };
    let redirects = |s: &mut PathSettings| {
        s.index_documents = vec!["index.html".into()];
        s.directory_redirects = true;
    };
    let query = |s: &mut PathSettings| s.query_strings = true;
    let query_index = |s: &mut PathSettings| {
        s.query_strings = true;
        s.index_documents = vec!["index.html".into()];
    };
    let query_redirects = |s: &mut PathSettings| {
        s.query_strings = true;
        s.directory_redirects = true;
        s.index_documents = vec!["index.html".into()];
    };
    let no_root = |s: &mut PathSettings| s.default_root_object = None;
    let home = |s: &mut PathSettings| s.default_root_object = Some("home/start page.html".into());
    let raw = |s: &mut PathSettings| s.plus = PlusSpelling::Raw;
    let encoded = |s: &mut PathSettings| s.plus = PlusSpelling::Encoded;
    type Change = fn(&mut PathSettings);
    let cases: &[(Change, &str, &str, &[&str])] = &[
        (public, "", "public/a.html", &["/a.html"]),
        (public, "", "public/index.html", &["/index.html", "/"]),
        (public, "", "public//a", &["//a"]),
        (public, "", "public/", &["/"]),
        (public, "", "public", &["not served"]),
        (public, "", "publicity/a", &["not served"]),
        (public, "", "/public/a", &["not served"]),
        (public, "", "other/public/a", &["not served"]),
        (public, "", "public/~a", &["!whole site"]),
        (deep, "", "a/b/c", &["/c"]),
        (deep, "", "a/bc", &["not served"]),
        (index, "", "docs/index.html", &["/docs/index.html", "/docs/"]),
        (index, "", "docs/myindex.html", &["/docs/myindex.html"]),
        (index, "", "index.html", &["/index.html", "/"]),
        (index, "", "a/home page.htm", &["/a/home%20page.htm", "/a/"]),
        (
            index,
            "",
            "a+b/index.html",
            &["/a+b/index.html", "/a%2Bb/index.html", "/a+b/", "/a%2Bb/"],
        ),
        (index, "", "a~b/index.html", &["!above directory", "!above directory"]),
        (redirects, "", "docs/index.html", &["/docs/index.html", "/docs/", "/docs"]),
        (redirects, "", "a/b/index.html", &["/a/b/index.html", "/a/b/", "/a/b"]),
        (redirects, "", "index.html", &["/index.html", "/"]),
        (
            redirects,
            "",
            "a~/index.html",
            &["!above directory", "!above directory", "!above directory"],
        ),
        (query, "", "a.jpg", &["/a.jpg*"]),
        (query, "", "a/", &["/a/", "/a/?*"]),
        (query, "", "index.html", &["/index.html*", "/", "/?*"]),
        (query, "", "a~b", &["/a*"]),
        (query, "", "a+b", &["/a+b*", "/a%2Bb*"]),
        (query_index, "", "d/index.html", &["/d/index.html*", "/d/", "/d/?*"]),
        (query_redirects, "", "d/index.html", &["/d/index.html*", "/d/", "/d/?*", "/d", "/d?*"]),
        (no_root, "", "index.html", &["/index.html"]),
        (home, "", "home/start page.html", &["/home/start%20page.html", "/"]),
        (home, "", "index.html", &["/index.html"]),
        (raw, "", "a+b", &["/a+b"]),
        (encoded, "", "a+b", &["/a%2Bb"]),
        (encoded, "", "ab", &["/ab"]),
        // A widened item starts with the bound that the rule's prefix gives.
        (public, "public/img/", "public/img/a~b", &["/img/a*"]),
        (public, "public/img/a~", "public/img/a~b", &["!outside bound"]),
        (public, "public/img/ab", "public/img/ab*", &["/img/ab*"]),
        (public, "pub", "public/a~b", &["/a*"]),
        (index, "a/b", "a/b~c", &["/a/b*"]),
        (index, "a/bc", "a/bc~d", &["/a/bc*"]),
        (index, "a+/", "a+/b~", &["/a+/b*", "/a%2B/b*"]),
    ];
    for (change, prefix, key, expected) in cases {
        assert_eq!(items(&settings(*change), prefix, key), *expected, "{prefix:?} {key:?}");
    }
}

#[test]
fn bounds_are_below_the_origin_path() {
    let public = settings(|s| s.set_origin_path("/public"));
    for (prefix, bound) in [
        ("", "/"),
        ("pub", "/"),
        ("public", "/"),
        ("public/", "/"),
        ("public/img/", "/img/"),
        ("public/my im", "/my%20im"),
        ("other/", "/"),
    ] {
        assert_eq!(&*public.bound(prefix), bound, "{prefix:?}");
    }
    assert_eq!(&*PathSettings::default().bound("img/"), "/img/");
}

#[test]
fn origin_paths_are_normalised() {
    for (given, shown) in [("", ""), ("/", ""), ("/x", "/x"), ("x/y", "/x/y"), ("//x/y//", "/x/y")]
    {
        assert_eq!(settings(|s| s.set_origin_path(given)).origin_path(), shown, "{given:?}");
    }
}

#[test]
fn long_paths_are_unaddressable() {
    let key = "é".repeat(667);
    assert_eq!(items(&PathSettings::default(), "", &key), ["!too long"]);
    let key = "a".repeat(3_999);
    assert_eq!(items(&PathSettings::default(), "", &key), [format!("/{key}")]);
    assert_eq!(items(&settings(|s| s.query_strings = true), "", &key), ["!too long"]);
}

#[test]
fn a_requested_wildcard_may_be_the_whole_site() {
    assert_eq!(address("/*", "/", "/", true).unwrap().as_str(), "/*");
    assert_eq!(
        address("/a~b/*", "/a~b/", "/", true).map(|i| i.to_string()).map_err(|e| e.to_string()),
        Err("`/a~b/*` can only be invalidated as `/a*`, which reaches above its directory; \
             rename the object, or invalidate a wider wildcard by hand"
            .to_owned())
    );
}

#[test]
fn tags() {
    assert_eq!(Item::tag("posts-en").unwrap().as_str(), "#posts-en");
    assert_eq!(Item::tag("#!~").unwrap().as_str(), "##!~");
    assert!(Item::tag(&"t".repeat(256)).is_ok());
    assert_eq!(Item::tag(&"t".repeat(257)), Err(Unaddressable::TagTooLong(257)));
    for bad in ["", "a b", "a,b", "é", "a\n"] {
        assert_eq!(Item::tag(bad), Err(Unaddressable::TagCharacter(bad.to_owned())));
    }
    let tag = Item::tag("a*").unwrap();
    assert!(tag.is_tag() && !tag.is_wildcard());
}

#[test]
fn what_an_item_covers() {
    for (wide, other, covers) in [
        ("/a", "/a", true),
        ("/a", "/A", false),
        ("/a", "/ab", false),
        ("/a*", "/a", true),
        ("/a*", "/ab/c", true),
        ("/a*", "/a/*", true),
        ("/a*", "/b", false),
        ("/a/*", "/a*", false),
        ("/a/*", "/a", false),
        ("/a/*", "/a/", false),
        ("/a/*", "/a/*", true),
        ("/a/*", "/a/b/", true),
        ("/a*", "/a/", true),
        ("/*", "/", true),
        ("/*", "#a", false),
        ("#Posts", "#posts", true),
        ("#posts*", "#posts-en", false),
    ] {
        assert_eq!(item(wide).covers(&item(other)), covers, "{wide} {other}");
    }
}

/// Keys with many special characters.
fn hostile_key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab/~*+%?# .é한]{1,12}",
        "\\PC{1,24}",
        any::<String>().prop_filter("a key is not empty", |key| !key.is_empty()),
    ]
}

fn any_settings() -> impl Strategy<Value = PathSettings> {
    (any::<(bool, bool, bool, bool)>(), 0..3_u8).prop_map(
        |((origin, index, redirects, query), plus)| {
            settings(|s| {
                if origin {
                    s.set_origin_path("/a");
                }
                if index {
                    s.index_documents = vec!["b".into(), "index.html".into()];
                }
                s.directory_redirects = redirects;
                s.query_strings = query;
                s.plus = [PlusSpelling::Both, PlusSpelling::Raw, PlusSpelling::Encoded]
                    [usize::from(plus)];
            })
        },
    )
}

/// Whether CloudFront accepts this byte raw in a path.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-_.!'()*$&+,;:=@%?".contains(&byte)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_path_decodes_to_its_key(key in hostile_key()) {
        let path = UrlPath::new("", &key);
        let decoded: Vec<u8> = percent_decode_str(&path.as_str()[1..]).collect();
        prop_assert_eq!(decoded, key.as_bytes());
    }

    #[test]
    fn items_contain_only_bytes_that_cloudfront_accepts(settings in any_settings(), key in hostile_key()) {
        let Some(path) = settings.url_path(&key) else { return Ok(()) };
        for item in settings.items(&path, &settings.bound("")).into_iter().flatten() {
            let text = item.item.as_str();
            prop_assert!(text.starts_with('/'));
            prop_assert!(text.bytes().all(is_allowed), "{}", text);
            prop_assert!(text != "/*");
            prop_assert!(text.len() <= MAX_PATH_LENGTH);
            let decodes = text.as_bytes().iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
                text.as_bytes()[at + 1..].iter().take(2).filter(|hex| hex.is_ascii_digit() || (b'A'..=b'F').contains(hex)).count() == 2
            });
            prop_assert!(decodes, "{}", text);
            let query = text.find('?').map_or("", |at| &text[at..]);
            prop_assert!(query.is_empty() || settings.query_strings && query == "?*", "{}", text);
        }
    }

    /// A wildcard made from a key starts with the bound and with the key's
    /// directory.
    #[test]
    fn wildcards_from_keys_are_no_wider_than_allowed(
        settings in any_settings(), key in hostile_key(), cut in 0..12_usize,
    ) {
        let Some(path) = settings.url_path(&key) else { return Ok(()) };
        let prefix: String = key.chars().take(cut).collect();
        let bound: Arc<str> = settings.bound(&prefix);
        let spelled = |text: &str| [text.to_owned(), text.replace('+', "%2B")];
        for addressed in settings.items(&path, &bound).into_iter().flatten() {
            let Some(wildcard) = addressed.item.wildcard_prefix() else { continue };
            let directories = spelled(path.directory());
            let views = spelled(path.directory().trim_end_matches('/'));
            let query = views.iter().chain(&directories).any(|view| wildcard == format!("{view}?"));
            prop_assert!(query || directories.iter().any(|d| wildcard.starts_with(&**d)), "{} for {}", wildcard, path.as_str());
            prop_assert!(query || wildcard.starts_with(&*addressed.bound), "{} outside {}", wildcard, addressed.bound);
            let widened = path.as_str().contains('~') || path.as_str().ends_with('*');
            prop_assert!(widened || settings.query_strings, "{} for {}", wildcard, path.as_str());
        }
    }
}

#[test]
fn no_wildcard_covers_what_is_protected() {
    let settings = settings(|settings| {
        settings.query_strings = true;
        settings.protect = vec!["/preview/".to_owned(), "/x/pre".to_owned()];
    });
    for (key, expected) in keys! {
        "a" => ["/a*"];
        // `/pre*` covers `/preview/`.
        "pre" => ["/pre", "/pre?*"];
        "preview/a" => ["/preview/a", "/preview/a?*"];
        "x/a" => ["/x/a*"];
        "x/pr" => ["/x/pr", "/x/pr?*"];
        "x/prefix" => ["/x/prefix", "/x/prefix?*"];
        "x/pr~a" => ["!protected"];
        "x/q~a" => ["/x/q*"];
        "preview/~a" => ["!protected"];
    } {
        assert_eq!(items(&settings, "", key), expected, "{key}");
    }
}

#[test]
fn what_is_protected_is_a_path_of_viewers() {
    let protected = |change: fn(&mut PathSettings)| {
        settings(|settings| {
            settings.query_strings = true;
            settings.protect = vec!["/media/preview/".to_owned()];
            change(settings);
        })
    };
    let below = protected(|settings| assert!(settings.set_viewer_prefix("/media")));
    let clean = protected(|settings| settings.clean_urls = true);
    for (settings, key, expected) in [
        (&below, "pre", &["/media/pre", "/media/pre?*"][..]),
        (&below, "preview/~a", &["!protected"]),
        (&below, "media/preview/~a", &["/media/media/preview/*"]),
        (&clean, "media/pre.html", &["/media/pre.html*", "/media/pre", "/media/pre?*"]),
        (
            &clean,
            "media/preview.html",
            &["/media/preview.html*", "/media/preview", "/media/preview?*"],
        ),
        (
            &clean,
            "media/preview/a.html",
            &[
                "/media/preview/a.html",
                "/media/preview/a.html?*",
                "/media/preview/a",
                "/media/preview/a?*",
            ],
        ),
    ] {
        assert_eq!(items(settings, "", key), expected, "{key}");
    }
}

#[test]
fn only_the_object_itself_is_the_index_page() {
    let names = |documents: &[&str], root: Option<&str>, key: &str| -> Vec<String> {
        let settings = settings(|settings| {
            settings.index_documents = documents.iter().map(ToString::to_string).collect();
            settings.default_root_object = root.map(str::to_owned);
        });
        let path = settings.url_path(key).unwrap();
        let items = settings.items(&path, &settings.bound("")).into_iter().map(Result::unwrap);
        items.filter(|made| made.is_index).map(|made| made.item.to_string()).collect()
    };
    let index = Some("index.html");
    for (documents, root, key, expected) in [
        (&[][..], index, "docs/index.html", &["/docs/index.html"][..]),
        (&[], index, "index.html", &["/index.html"]),
        (&["index.html"], index, "docs/index.html", &["/docs/index.html"]),
        (&["index.htm"], None, "docs/index.htm", &["/docs/index.htm"]),
        (&["index.htm"], None, "docs/index.html", &[]),
        (&["a b"], None, "docs/a b", &["/docs/a%20b"]),
        (&[], Some("home.html"), "docs/home.html", &["/docs/home.html"]),
        (&[], Some("home.html"), "docs/index.html", &[]),
        (&[], None, "docs/index.html", &["/docs/index.html"]),
        (&[], index, "docs/index.xml", &[]),
        (&[], index, "docs/", &[]),
    ] {
        assert_eq!(names(documents, root, key), expected, "{documents:?} {root:?} {key}");
    }
}

#[test]
fn clean_urls() {
    let clean = |change: fn(&mut PathSettings)| {
        settings(|settings| {
            settings.clean_urls = true;
            change(settings);
        })
    };
    let plain = clean(|_| {});
    let index = clean(|settings| settings.index_documents = vec!["index.html".to_owned()]);
    let queries = clean(|settings| settings.query_strings = true);
    for (settings, key, expected) in [
        (&plain, "about.html", &["/about.html", "/about"][..]),
        (&plain, "docs/a b.html", &["/docs/a%20b.html", "/docs/a%20b"]),
        (&plain, "c+.html", &["/c+.html", "/c%2B.html", "/c+", "/c%2B"]),
        (&plain, "a.htm", &["/a.htm"]),
        (&plain, "docs/.html", &["/docs/.html"]),
        (&plain, "index.html", &["/index.html", "/"]),
        (&plain, "docs/index.html", &["/docs/index.html", "/docs/index"]),
        (&index, "docs/index.html", &["/docs/index.html", "/docs/"]),
        (&index, "docs/about.html", &["/docs/about.html", "/docs/about"]),
        (&queries, "about.html", &["/about.html*", "/about", "/about?*"]),
        // The widened path covers the other one.
        (&plain, "docs/a~b.html", &["/docs/a*", "/docs/a*"]),
    ] {
        assert_eq!(items(settings, "", key), expected, "{key}");
    }
}

#[test]
fn viewer_prefix() {
    let below = |change: fn(&mut PathSettings)| {
        settings(|settings| {
            assert!(settings.set_viewer_prefix("/media/"));
            change(settings);
        })
    };
    let plain = below(|_| {});
    let origin = below(|settings| settings.set_origin_path("/live"));
    let index = below(|settings| {
        settings.index_documents = vec!["index.html".to_owned()];
        settings.directory_redirects = true;
        settings.clean_urls = true;
    });
    for (settings, prefix, key, expected) in [
        (&plain, "", "a.jpg", &["/media/a.jpg"][..]),
        (&plain, "", "index.html", &["/media/index.html"]),
        (&plain, "", "~a", &["/media/*"]),
        (&plain, "img/", "img/~a", &["/media/img/*"]),
        (&plain, "img/b", "img/~b", &["!outside bound"]),
        (&origin, "", "live/a.jpg", &["/media/a.jpg"]),
        (&origin, "", "a.jpg", &["not served"]),
        (&index, "", "index.html", &["/media/index.html", "/media/", "/media"]),
        (&index, "", "a.html", &["/media/a.html", "/media/a"]),
    ] {
        assert_eq!(items(settings, prefix, key), expected, "{key}");
    }
    assert_eq!(&*plain.bound(""), "/media/");
    assert_eq!(&*plain.bound("img/"), "/media/img/");
    assert_eq!(&*origin.bound("li"), "/media/");
    for bad in ["/media/*", "/a b", "/~me", "/é", "/a%20b", "/a?b"] {
        assert!(!PathSettings::default().set_viewer_prefix(bad), "{bad}");
    }
}
