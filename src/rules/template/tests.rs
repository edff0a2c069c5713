use std::sync::Arc;

use crate::{
    event::{Change, Kind},
    item::{Addressed, PathSettings, Unaddressable},
    rules::{RuleMatch, RuleRegex},
};

use super::*;

/// A change of `key` in `example-site` that a rule with a prefix and regexes
/// matched.
#[derive(Default)]
struct Case<'a> {
    key: &'a str,
    prefix: &'a str,
    regexes: &'a [&'a str],
    settings: PathSettings,
}

impl Case<'_> {
    fn regexes(&self) -> Vec<RuleRegex> {
        self.regexes.iter().map(|pattern| RuleRegex::new(pattern).expect(pattern)).collect()
    }

    fn render(&self, template: &Template, regexes: &[RuleRegex]) -> Vec<MaybeItem> {
        let change = Change::listed("example-site", self.key, Kind::Created);
        let regex = regexes.iter().find(|regex| regex.is_match(self.key));
        let matched = RuleMatch { prefix: self.prefix, regex };
        let bound = || self.settings.bound(self.prefix);
        let context = RenderContext::new(&change, &self.settings, matched, bound).expect("served");
        let mut items = Vec::new();
        template.render(&context, |item| items.push(item));
        items
    }

    fn paths(&self, template: &str) -> Vec<MaybeItem> {
        let regexes = self.regexes();
        self.render(&Template::path(template, &regexes).expect(template), &regexes)
    }

    fn tags(&self, template: &str) -> Vec<MaybeItem> {
        let regexes = self.regexes();
        self.render(&Template::tag(template, &regexes).expect(template), &regexes)
    }
}

type MaybeItem = Result<Addressed, Unaddressable>;

/// The items as text, each unaddressable one as `!`.
fn texts(items: &[MaybeItem]) -> String {
    let text = |item: &MaybeItem| match item {
        Ok(addressed) => addressed.item.to_string(),
        Err(_) => "!".to_owned(),
    };
    items.iter().map(text).collect::<Vec<_>>().join(" ")
}

#[test]
fn placeholders() {
    let key = "public/docs/a b.tar.gz";
    let mut settings = PathSettings::default();
    settings.set_origin_path("/public");
    let case = Case { key, regexes: &["^(?P<top>[a-z]+)/(d)"], settings, ..Case::default() };
    for (template, path, tag) in [
        ("{path}", "/docs/a%20b.tar.gz", "#/docs/a%20b.tar.gz"),
        ("{dir}", "/docs/", "#/docs/"),
        ("/{key}", "/public/docs/a%20b.tar.gz", "!"),
        ("/{file}", "/a%20b.tar.gz", "!"),
        ("/{stem}", "/a%20b.tar", "!"),
        ("/{ext}", "/gz", "#/gz"),
        ("/{bucket}", "/example-site", "#/example-site"),
        ("/{top}-{1}-{2}", "/public-public-d", "#/public-public-d"),
        ("{dir}{stem}", "/docs/a%20b.tar", "!"),
        (
            "{path}{path}",
            "/docs/a%20b.tar.gz/docs/a%20b.tar.gz",
            "#/docs/a%20b.tar.gz/docs/a%20b.tar.gz",
        ),
    ] {
        assert_eq!(texts(&case.paths(template)), path, "{template} as a path");
        assert_eq!(texts(&case.tags(template)), tag, "{template} as a tag");
    }
}

#[test]
fn only_a_literal_wildcard_purges_the_whole_distribution() {
    for (template, key, items) in [
        ("{dir}*", "a.html", "!"),
        ("{path}*", "", "!"),
        ("{dir}*", "docs/a.html", "/docs/*"),
        ("/*", "a.html", "/*"),
    ] {
        assert_eq!(
            texts(&Case { key, ..Case::default() }.paths(template)),
            items,
            "{template} {key}"
        );
    }
}

#[test]
fn files_stems_and_extensions() {
    for (key, file, stem, ext) in [
        ("a.html", "a.html", "a", "html"),
        ("docs/a", "a", "a", ""),
        ("docs/", "", "", ""),
        ("docs/.htaccess", ".htaccess", ".htaccess", ""),
        ("docs/a.", "a.", "a", ""),
        ("docs.d/a", "a", "a", ""),
        ("", "", "", ""),
        ("é.ä", "%C3%A9.%C3%A4", "%C3%A9", "%C3%A4"),
    ] {
        let items = Case { key, ..Case::default() }.paths("/{file}:{stem}:{ext}");
        assert_eq!(texts(&items), format!("/{file}:{stem}:{ext}"), "{key}");
    }
}

#[test]
fn literal_text_of_a_path_is_url_text() {
    for (template, path) in [
        ("/feed.xml", "/feed.xml"),
        ("/a b", "/a%20b"),
        ("/a%20b", "/a%20b"),
        ("/a%2fb%c3%A9", "/a%2fb%c3%A9"),
        ("/50%", "/50%25"),
        ("/5%0", "/5%250"),
        ("/%zz%", "/%25zz%25"),
        ("/é", "/%C3%A9"),
        ("/a?é=1", "/a?%C3%A9=1"),
        ("/a%20é", "/a%20%C3%A9"),
        ("{dir}é.html", "/%C3%A9.html"),
        ("/a?v=1&w=é?", "/a?v=1&w=%C3%A9?"),
        ("/a#b", "/a%23b"),
        ("/a+b,c;d@e:f$g&h=i!'()", "/a+b,c;d@e:f$g&h=i!'()"),
        ("//a/./..", "//a/./.."),
        ("/docs/*", "/docs/*"),
        ("/docs*", "/docs*"),
        ("/*", "/*"),
        ("/%7Ba%7D", "/%7Ba%7D"),
    ] {
        assert_eq!(
            texts(&Case { key: "k", ..Case::default() }.paths(template)),
            path,
            "{template}"
        );
    }
}

#[test]
fn text_of_keys_is_literal_in_paths() {
    let case = |key| Case { key, prefix: "p/", regexes: &["^p/(.*)$"], ..Case::default() };
    for (key, template, item) in [
        // A `*` inside a path is a literal character for CloudFront.
        ("p/a*b", "/p/{1}", "/p/a*b"),
        ("p/*", "/p/{1}/x", "/p/*/x"),
        // At the end it cannot be: only keys that the rule can match are purged.
        ("p/a*", "/p/{1}", "/p/a*"),
        ("p/*", "/p/{1}", "/p/*"),
        ("p/*", "/q/{1}", "!"),
        ("p/*", "/qq/{1}", "/qq/*"),
        ("p/*", "/{1}", "!"),
        ("p/x*", "/{1}", "!"),
        ("p/*", "{path}", "/p/*"),
        ("p/a*", "{path}*", "/p/a**"),
        // `~` cuts the path there.
        ("p/a~b", "/p/{1}.gz", "/p/a*"),
        ("p/~b", "/p/{1}", "/p/*"),
        ("p/~b/c", "/p/{1}", "!"),
        ("p/~b/", "/p/{1}*", "!"),
        ("p/a~b", "/p/{1}*", "/p/a*"),
        ("p/~", "/{1}", "!"),
        ("p/~", "/{1}*", "!"),
        // URL syntax is encoded.
        ("p/a?b", "/p/{1}", "/p/a%3Fb"),
        ("p/a#b", "/p/{1}", "/p/a%23b"),
        ("p/#t", "/{1}", "/%23t"),
        ("p/a b", "/p/{1}", "/p/a%20b"),
        ("p/100%", "/p/{1}", "/p/100%25"),
        ("p/%2A", "/p/{1}", "/p/%252A"),
        ("p/{1}", "/p/{1}", "/p/%7B1%7D"),
        ("p/a,b", "/p/{1}", "/p/a,b"),
        ("p/../x", "/p/{1}", "/p/../x"),
        ("p/\u{0}\t", "/p/{1}", "/p/%00%09"),
        ("p/\"<>\\^`|", "/p/{1}", "/p/%22%3C%3E%5C%5E%60%7C"),
    ] {
        assert_eq!(texts(&case(key).paths(template)), item, "{template} of {key}");
    }
}

#[test]
fn text_of_keys_is_unchanged_in_tags() {
    let long = format!("p/{}", "x".repeat(257));
    for (key, item) in [
        ("p/posts", "#t-posts"),
        ("p/", "#t-"),
        ("p/a*", "#t-a*"),
        ("p/~a", "#t-~a"),
        ("p/a#b", "#t-a#b"),
        ("p/100%", "#t-100%"),
        ("p/../x", "#t-../x"),
        ("p/a,b", "!"),
        ("p/a b", "!"),
        ("p/é", "!"),
        (&long, "!"),
    ] {
        let case = Case { key, regexes: &["^p/(.*)$"], ..Case::default() };
        assert_eq!(texts(&case.tags("t-{1}")), item, "{key}");
    }
}

#[test]
fn captures_that_did_not_participate_skip_the_item() {
    let regexes = &["^(?:(?P<a>a)|(?P<b>b))c"][..];
    for (key, template, item) in
        [("ac", "/{a}", "/a"), ("ac", "/{b}", ""), ("bc", "/{2}", "/b"), ("bc", "/x{1}y*", "")]
    {
        let case = Case { key, regexes, ..Case::default() };
        assert_eq!(texts(&case.paths(template)), item, "{template} of {key}");
        assert_eq!(texts(&case.tags(template)).is_empty(), item.is_empty(), "{template} of {key}");
    }
}

#[test]
fn the_first_matching_regex_provides_the_captures() {
    let regexes = &["^x(?P<n>.)", "(?P<m>.)(?P<n>.)$"][..];
    for (key, item) in [("xab", "/a"), ("yab", "/b")] {
        assert_eq!(texts(&Case { key, regexes, ..Case::default() }.paths("/{n}")), item, "{key}");
    }
}

#[test]
fn path_alone_makes_every_path_of_the_object() {
    let mut settings = PathSettings::default();
    settings.index_documents.push("index.html".to_owned());
    settings.query_strings = true;
    let case = Case { key: "d+/index.html", settings, ..Case::default() };
    assert_eq!(
        texts(&case.paths("{path}")),
        "/d+/index.html* /d%2B/index.html* /d+/ /d+/?* /d%2B/ /d%2B/?*"
    );
    assert_eq!(texts(&case.paths("{path}.gz")), "/d+/index.html.gz");
    assert_eq!(texts(&case.paths("/x{path}")), "/x/d+/index.html");
    assert_eq!(texts(&case.paths("{path}*")), "/d+/index.html*");
}

#[test]
fn bounds() {
    for (template, prefix, bound) in [
        ("{path}", "", "/"),
        ("{path}", "docs/", "/docs/"),
        ("{path}*", "docs/", "/docs/"),
        ("/feed.xml", "docs/", "/feed.xml"),
        ("/{file}", "docs/", "/docs/"),
        ("/docs/en/{file}", "docs/", "/docs/en/"),
        ("/docs/é/*", "docs/", "/docs/%C3%A9/"),
        ("/*", "", "/"),
    ] {
        let items = Case { key: "docs/a", prefix, ..Case::default() }.paths(template);
        let bounds: Vec<_> = items.into_iter().map(|item| item.expect(template).bound).collect();
        assert_eq!(bounds, [Arc::from(bound)], "{template} under {prefix}");
    }
}

#[test]
fn bounds_are_below_the_origin_path() {
    let mut settings = PathSettings::default();
    settings.set_origin_path("public");
    for (prefix, bound) in
        [("public/docs/", "/docs/"), ("public/", "/"), ("pub", "/"), ("public", "/"), ("", "/")]
    {
        let settings = settings.clone();
        let items = Case { key: "public/docs/a", prefix, settings, ..Case::default() };
        let items = items.paths("{path}");
        assert_eq!(*items[0].as_ref().expect("an item").bound, *bound, "{prefix}");
    }
}

#[test]
fn path_errors() {
    let cases = [
        ("", "does not start with `/`; write `{path}` for the path of the object"),
        ("feed.xml", "the path `feed.xml` does not start with `/`; write `/feed.xml`"),
        ("{key}", "the path `{key}` does not start with `/`; write `/{key}`"),
        ("*", "does not start with `/`"),
        ("#posts", "a cache tag belongs under `tags`: `posts`"),
        ("/a*b", "the `*` in `/a*b` is not at the end"),
        ("/*{1}", "is not at the end"),
        ("/a**", "is not at the end"),
        ("/~bob/", "contains `~`, which CloudFront cannot invalidate"),
        ("/%7ebob/", "contains `%7E`"),
        ("/a%2ab", "contains `%2A`"),
        ("/{", "unbalanced `{` in `/{`; braces enclose a placeholder"),
        ("/{a{1}}", "unbalanced `{`"),
        ("/}", "unbalanced `}`"),
        ("/{{path}}", "unbalanced `{`"),
        ("/{}", "unknown placeholder `{}`"),
        ("/{pth}", "unknown placeholder `{pth}` in `/{pth}`"),
        ("/{pth}", "; the placeholders are {path} {key} {dir} {file} {stem} {ext} {bucket} and"),
        ("/{Path}", "unknown placeholder `{Path}`"),
        ("/{ path }", "unknown placeholder `{ path }`"),
        ("/{0}", "captures are numbered from 1"),
        ("/{2}", "the regex `^(?P<language>..)/` has no capture `{2}`; every regex of the rule"),
        ("/{99999999999999999999999}", "unknown placeholder"),
    ];
    let regexes = [RuleRegex::new("^(?P<language>..)/").expect("a regex")];
    for (template, text) in cases {
        let error = Template::path(template, &regexes).expect_err(template).to_string();
        assert!(error.contains(text), "{template}: {error}");
    }
    let long = format!("/{}", "a".repeat(4_000));
    assert!(Template::path(&long, &[]).is_err());
    assert!(Template::path(&long[1..], &[]).is_err());
    assert!(Template::path(&long[..4_000], &[]).is_ok());
}

#[test]
fn tag_errors() {
    for (template, text) in [
        ("", "the tag is empty"),
        ("#posts", "the tag `#posts` starts with `#`; write `posts`"),
        ("a b", "the tag `a b` contains ` `; a tag is printable ASCII without spaces and commas"),
        ("a,b", "contains `,`"),
        ("é", "contains `é`"),
        ("a\n", "the tag `a\\n` contains `\\n`"),
        ("{lang}", "unknown placeholder `{lang}`"),
        ("{1}", "`{1}` is a capture, but the rule has no `regex`"),
        ("a}", "unbalanced `}`"),
    ] {
        let error = Template::tag(template, &[]).expect_err(template).to_string();
        assert!(error.contains(text), "{template}: {error}");
    }
    assert!(Template::tag(&"a".repeat(257), &[]).is_err());
    assert!(Template::tag(&"a".repeat(256), &[]).is_ok());
}

#[test]
fn every_regex_must_define_every_capture() {
    let all = ["(?P<a>.)(?P<b>.)", "(?P<b>.)"].map(|regex| RuleRegex::new(regex).expect(regex));
    for (template, lacks) in [("/{a}", true), ("/{b}", false), ("/{1}", false), ("/{2}", true)] {
        let parsed = Template::path(template, &all);
        let error = parsed.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(parsed.is_err(), lacks, "{template}");
        assert_eq!(error.contains("the regex `(?P<b>.)` has no capture"), lacks, "{error}");
    }
}

#[test]
fn captures_must_not_shadow_placeholders() {
    let regexes = [RuleRegex::new("(?P<path>.)").expect("a regex")];
    let error = Template::path("{path}", &regexes).expect_err("both").to_string();
    assert!(error.contains("rename the capture"), "{error}");
    assert!(Template::path("/{file}", &regexes).is_ok());
}
