//! rules.yaml as it is written: what serde reads, before anything is checked.
//!
//! Each struct is a mapping of the file, and each doc comment is what an editor
//! shows for it: the JSON Schema is made from these types.

use schemars::JsonSchema;

use super::value::{Fields, Given, OneOrMany, OrNull, Read, fields};
use serde::de::{MapAccess, SeqAccess};

/// The one version of the file that is read.
pub(super) const VERSION: u64 = 1;

/// Which S3 object changes invalidate which CloudFront paths.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default, rename = "rules_file", deny_unknown_fields, extend("required" = ["version"]))]
pub(super) struct RulesFile {
    /// The version of the file format.
    #[schemars(extend("const" = 1))]
    pub version: Given<u64>,
    /// Settings for every target of the file, also for those of the short form
    /// and for bare distribution ids. A target's own setting wins.
    pub defaults: Given<Settings>,
    /// Distributions by a name that rules use.
    #[schemars(extend("examples" = [{ "www": "E1EXAMPLE1WWW" }]))]
    pub targets: Given<Targets>,
    /// Rules, read in order: every rule that matches contributes.
    pub rules: Given<Rules>,
    /// Tests of the rules, run by `invalidator check`.
    pub tests: Given<Tests>,
}

fields!(RulesFile { version, defaults, targets, rules, tests });

/// Targets in the order of the file, duplicates included.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets(pub Vec<(String, Given<TargetForm>)>);

/// Rules in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(pub Vec<Given<RawRule>>);

/// Tests in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Tests(pub Vec<Given<RawTest>>);

/// A distribution's id, or a mapping with more settings.
#[derive(Clone, Debug)]
pub(super) enum TargetForm {
    Short(String),
    Long(Box<LongTarget>),
}

/// A distribution or a distribution tenant, and how keys become its paths.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default, rename = "target", deny_unknown_fields, extend("oneOf" = [{ "required": ["distribution"] }, { "required": ["tenant"] }]))]
pub(super) struct LongTarget {
    /// The id of a distribution.
    #[schemars(extend("pattern" = "^E[0-9A-Z]{5,31}$", "examples" = ["E1EXAMPLE1WWW"]))]
    pub distribution: Given<String>,
    /// The id of a distribution tenant.
    #[schemars(extend("pattern" = "^dt_[0-9A-Za-z]+$", "examples" = ["dt_2EXAMPLE1abcd"]))]
    pub tenant: Given<String>,
    #[schemars(flatten)]
    pub settings: Settings,
}

fields!(LongTarget { distribution, tenant, ..settings: Settings });

/// How keys become paths, and which role invalidates them.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default, rename = "settings", deny_unknown_fields)]
pub(super) struct Settings {
    /// The ARN of a role to assume, for a distribution of another account; null
    /// for the function's own role.
    #[schemars(extend("pattern" = "^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$", "default" = null, "examples" = ["arn:aws:iam::444455556666:role/invalidator"]))]
    pub role_arn: Given<OrNull<String>>,
    /// What the role's trust policy asks callers to send.
    #[schemars(extend("minLength" = 2, "maxLength" = 1224, "default" = null))]
    pub external_id: Given<OrNull<String>>,
    /// The distribution's origin path. It is taken off keys; keys outside it are
    /// not served by the target.
    #[schemars(extend("default" = "", "examples" = ["/public"]))]
    pub origin_path: Given<String>,
    /// The object that viewers also see as `/`; null for none.
    #[schemars(extend("pattern" = "^[^/]", "default" = "index.html"))]
    pub default_root_object: Given<OrNull<String>>,
    /// File names whose directory shows them: with `index.html`,
    /// `docs/index.html` also invalidates `/docs/`.
    #[schemars(extend("default" = [], "examples" = [["index.html"]]))]
    pub index_documents: Given<FileNames>,
    /// Whether an index document also invalidates the directory without its
    /// slash: `/docs`.
    #[schemars(extend("default" = false))]
    pub directory_redirects: Given<bool>,
    /// Whether paths are cached with query strings, so that `/a.jpg` must be
    /// invalidated as `/a.jpg*`.
    #[schemars(extend("default" = false))]
    pub query_strings: Given<bool>,
    /// Which spellings of `+` in a key viewers use: `+` (raw), `%2B` (encoded)
    /// or both.
    #[schemars(extend("enum" = ["both", "raw", "encoded"], "default" = "both"))]
    pub plus: Given<String>,
    /// When and how far paths become wildcards; false for never.
    pub collapse: Given<CollapseForm>,
}

fields!(Settings {
    role_arn,
    external_id,
    origin_path,
    default_root_object,
    index_documents,
    directory_redirects,
    query_strings,
    plus,
    collapse
});

/// Whether and how paths become wildcards.
#[derive(Clone, Debug)]
pub(super) enum CollapseForm {
    Flag(bool),
    Settings(RawCollapse),
}

/// When and how far paths become wildcards.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default, rename = "collapse", deny_unknown_fields)]
pub(super) struct RawCollapse {
    /// Up to this many paths are never collapsed; nor are up to this many into
    /// one wildcard when no index page changed with them.
    #[schemars(extend("default" = 100))]
    pub above: Given<u64>,
    /// How many paths a wildcard must save for each directory it opens whose
    /// index page did not change.
    #[schemars(extend("minimum" = 1, "maximum" = u32::MAX, "default" = 3))]
    pub weight: Given<u64>,
    /// The fewest path segments of a wildcard: `/a/*` has one.
    #[schemars(extend("default" = 1))]
    pub min_depth: Given<u64>,
    /// The most wildcards for one distribution. CloudFront takes 15 at a time.
    #[schemars(extend("minimum" = 1, "maximum" = 15, "default" = 10))]
    pub max_wildcards: Given<u64>,
}

fields!(RawCollapse { above, weight, min_depth, max_wildcards });

/// Conditions, and what a change that meets all of them invalidates.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(
    default, rename = "rule", deny_unknown_fields,
    extend("required" = ["name"], "anyOf" = [
        { "required": ["invalidate"] },
        { "required": ["ignore"], "properties": { "ignore": { "const": true } } },
    ])
)]
pub(super) struct RawRule {
    /// A name that no other rule has.
    #[schemars(extend("minLength" = 1))]
    pub name: Given<String>,
    #[schemars(flatten)]
    pub conditions: RawConditions,
    /// A change that meets all conditions of one of these sets does not match.
    pub except: Given<OneOrMany<RawConditions>>,
    /// True: a match invalidates nothing and ends the reading of rules. What
    /// earlier rules asked for stays.
    #[schemars(extend("default" = false))]
    pub ignore: Given<bool>,
    /// True: a match ends the reading of rules.
    #[schemars(extend("default" = false))]
    pub stop: Given<bool>,
    /// What a match invalidates: names of targets, bare distribution ids, or
    /// mappings that also say which paths and tags.
    #[schemars(extend("examples" = ["www", ["www", "E1EXAMPLE1WWW"]]))]
    pub invalidate: Given<OneOrMany<InvalidateForm>>,
}

fields!(RawRule { name, except, ignore, stop, invalidate, ..conditions: RawConditions });

/// Conditions. All of them must be met; of the values of one condition, one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(default, rename = "conditions", deny_unknown_fields)]
pub(super) struct RawConditions {
    /// The bucket's name, or how it starts: `site-*`.
    #[schemars(extend("examples" = ["example-site", "example-*"]))]
    pub bucket: Given<OneOrMany<BucketName>>,
    /// How the key starts.
    #[schemars(extend("examples" = ["public/", ["public/", "docs/"]]))]
    pub prefix: Given<OneOrMany<String>>,
    /// How the key ends.
    #[schemars(extend("examples" = [".html", [".html", ".json"]]))]
    pub suffix: Given<OneOrMany<String>>,
    /// A regular expression that matches somewhere in the key. Its captures can
    /// be used in `paths` and `tags`.
    #[schemars(extend("examples" = ["^posts/(?P<lang>[a-z]{2})/"]))]
    pub regex: Given<OneOrMany<String>>,
    /// What happened to the object. By default created and deleted; for rules
    /// with `ignore` and for `except`, anything.
    pub events: Given<OneOrMany<EventName>>,
    /// The id of the account that owns the bucket.
    pub account: Given<OneOrMany<AccountId>>,
    /// The bucket's region.
    #[schemars(extend("examples" = ["eu-central-1"]))]
    pub region: Given<OneOrMany<RegionName>>,
    /// The object has at least this many bytes.
    pub min_size: Given<u64>,
    /// The object has at most this many bytes.
    pub max_size: Given<u64>,
}

fields!(RawConditions {
    bucket,
    prefix,
    suffix,
    regex,
    events,
    account,
    region,
    min_size,
    max_size
});

/// What happened to an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EventName(pub String);

/// The name of a bucket, or how it starts and a `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BucketName(pub String);

/// The name of an AWS region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RegionName(pub String);

/// The id of an AWS account, also as a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AccountId(pub String);

/// A target's name or a distribution's id; or a mapping with paths and tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum InvalidateForm {
    Name(String),
    Long(RawInvalidate),
}

/// What is invalidated in one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(default, rename = "invalidate", deny_unknown_fields, extend("required" = ["target"]))]
pub(super) struct RawInvalidate {
    /// A target's name, or a distribution's id.
    #[schemars(extend("minLength" = 1))]
    pub target: Given<String>,
    /// Paths to invalidate. Placeholders: {path} (the object's own path), {key},
    /// {dir}, {file}, {stem}, {ext}, {bucket}, and the captures of the regex as
    /// {1} or {name}. An empty list invalidates tags only.
    #[schemars(extend("default" = ["{path}"], "examples" = [["{path}", "/{lang}/feed.xml"]]))]
    pub paths: Given<Texts>,
    /// Cache tags to invalidate, without `#`. They take the same placeholders.
    #[schemars(extend("default" = [], "examples" = [["posts-{lang}"]]))]
    pub tags: Given<Texts>,
}

fields!(RawInvalidate { target, paths, tags });

/// Names of files without a directory: one or a list, which may be empty.
#[derive(Clone, Debug)]
pub(super) struct FileNames(pub Texts);

/// One text or a list of them, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Texts(pub OneOrMany<String>);

impl Texts {
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, OneOrMany::Many(texts) if texts.is_empty())
    }
}

/// A test: what the rules make of one change.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default, rename = "test", deny_unknown_fields, extend("required" = ["key", "expect"]))]
pub(super) struct RawTest {
    /// The bucket and the key, as they are: `s3://BUCKET/KEY`.
    #[schemars(extend("pattern" = "^s3://[^/]+/", "examples" = ["s3://example-site/docs/a.html"]))]
    pub key: Given<String>,
    /// What happened to the object.
    pub event: Given<EventName>,
    /// The object's size in bytes. Without it, size conditions fail.
    pub size: Given<u64>,
    /// The id of the account that owns the bucket.
    pub account: Given<AccountId>,
    /// The bucket's region.
    pub region: Given<RegionName>,
    /// What the rules make of it.
    pub expect: Given<ExpectForm>,
}

fields!(RawTest { key, event, size, account, region, expect });

/// What the rules make of a change: a word, or the items by target.
#[derive(Clone, Debug)]
pub(super) enum ExpectForm {
    Word(String),
    Items(Vec<(String, Given<Texts>)>),
}

/// Reads a mapping with names of the user's choice.
fn entries<'de, T, A>(mut map: A) -> Result<Vec<(String, Given<T>)>, A::Error>
where
    T: Read,
    A: MapAccess<'de>,
{
    let mut entries = Vec::new();
    while let Some(entry) = map.next_entry()? {
        entries.push(entry);
    }
    Ok(entries)
}

macro_rules! read_mapping {
    ($($type:ident $words:literal)+) => {
        $(impl Read for $type {
            const EXPECTED: &'static str = $words;
            const MAPPING: bool = true;

            fn mapping<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                Self::read(map).map(Some)
            }
        })+
    };
}

read_mapping! {
    RulesFile "a mapping with `version`, `targets`, `rules`"
    Settings "a mapping of settings"
    RawRule "a rule: a mapping with `name`, conditions and `invalidate`"
    RawConditions "a mapping of conditions"
    RawTest "a test: a mapping with `key` and `expect`"
}

/// The lists and mappings at the top may be left without a value, as when all
/// of their entries are commented out.
macro_rules! read_list {
    ($($type:ident $words:literal)+) => {
        $(impl Read for $type {
            const EXPECTED: &'static str = $words;
            const LIST: bool = true;

            fn null() -> Option<Self> {
                Some(Self::default())
            }

            fn list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
                Ok(Vec::list(list)?.map(Self))
            }
        })+
    };
}

read_list! {
    Rules "a list of rules"
    Tests "a list of tests"
}

impl Read for Targets {
    const EXPECTED: &'static str = "a mapping of names to targets";
    const MAPPING: bool = true;

    fn null() -> Option<Self> {
        Some(Self::default())
    }

    fn mapping<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        entries(map).map(|targets| Some(Self(targets)))
    }
}

impl Read for TargetForm {
    const EXPECTED: &'static str =
        "a distribution id, or a mapping with `distribution` or `tenant`";
    const MAPPING: bool = true;

    fn text(value: &str) -> Option<Self> {
        Some(Self::Short(value.to_owned()))
    }

    fn mapping<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        LongTarget::read(map).map(|target| Some(Self::Long(Box::new(target))))
    }
}

impl Read for CollapseForm {
    const EXPECTED: &'static str = "false, or a mapping of settings";
    const MAPPING: bool = true;

    fn bool(value: bool) -> Option<Self> {
        Some(Self::Flag(value))
    }

    fn mapping<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        RawCollapse::read(map).map(|settings| Some(Self::Settings(settings)))
    }
}

macro_rules! read_text {
    ($($type:ident $words:literal)+) => {
        $(impl Read for $type {
            const EXPECTED: &'static str = $words;

            fn text(value: &str) -> Option<Self> {
                Some(Self(value.to_owned()))
            }
        })+
    };
}

read_text! {
    EventName "the name of an event"
    BucketName "the name of a bucket"
    RegionName "the name of a region"
}

impl Read for AccountId {
    const EXPECTED: &'static str = "the id of an account";

    fn text(value: &str) -> Option<Self> {
        Some(Self(value.to_owned()))
    }

    // Twelve digits without a leading zero; with one they read as text.
    fn number(value: u64) -> Option<Self> {
        Some(Self(value.to_string()))
    }
}

impl Read for InvalidateForm {
    const EXPECTED: &'static str = "a target's name, or a mapping with `target`";
    const MAPPING: bool = true;

    fn text(value: &str) -> Option<Self> {
        Some(Self::Name(value.to_owned()))
    }

    fn mapping<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        RawInvalidate::read(map).map(|invalidate| Some(Self::Long(invalidate)))
    }
}

impl Read for Texts {
    const EXPECTED: &'static str = "text, or a list of texts";
    const LIST: bool = true;

    fn text(value: &str) -> Option<Self> {
        OneOrMany::text(value).map(Self)
    }

    fn list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(OneOrMany::list(list)?.map(Self))
    }
}

impl Read for FileNames {
    const EXPECTED: &'static str = Texts::EXPECTED;
    const LIST: bool = true;

    fn text(value: &str) -> Option<Self> {
        Texts::text(value).map(Self)
    }

    fn list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(Texts::list(list)?.map(Self))
    }
}

impl Read for ExpectForm {
    const EXPECTED: &'static str = "`ignored`, `unmatched`, or a mapping of targets to items";
    const MAPPING: bool = true;

    fn text(value: &str) -> Option<Self> {
        Some(Self::Word(value.to_owned()))
    }

    fn mapping<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        entries(map).map(|items| Some(Self::Items(items)))
    }
}
