//! The mappings of rules.yaml, and how typed values are read from them.
//!
//! A value of the wrong type and an unknown field are reported and left out, so
//! that one file gives all of its findings at once.

use super::{
    finding::{Code, Finding, Findings},
    yaml::{Node, Shape},
};

/// A kind of mapping in rules.yaml.
#[derive(Debug)]
pub struct MappingKind {
    /// What messages call it.
    pub name: &'static str,
    /// What messages expect in its place.
    pub expected: Expected,
    /// Its fields, in groups that several kinds share.
    groups: &'static [&'static [&'static str]],
}

impl MappingKind {
    /// Returns the names of its fields.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.groups.iter().copied().flatten().copied()
    }
}

const SETTING_FIELDS: &[&str] = &[
    "role_arn",
    "external_id",
    "origin_path",
    "viewer_prefix",
    "default_root_object",
    "index_documents",
    "directory_redirects",
    "clean_urls",
    "query_strings",
    "plus",
    "collapse",
    "protect",
];

const CONDITION_FIELDS: &[&str] =
    &["bucket", "prefix", "suffix", "regex", "events", "account", "region", "min_size", "max_size"];

/// The whole file.
pub const FILE: MappingKind = MappingKind {
    name: "the file",
    expected: Expected::other("a mapping with `version`, `targets`, `rules`"),
    groups: &[&["version", "defaults", "targets", "rules", "tests"]],
};

/// `defaults`.
pub const DEFAULTS: MappingKind = MappingKind {
    name: "`defaults`",
    expected: Expected::other("a mapping of settings"),
    groups: &[SETTING_FIELDS],
};

/// A target in the long form.
pub const TARGET: MappingKind = MappingKind {
    name: "a target",
    expected: Expected::text("a distribution id, or a mapping with `distribution` or `tenant`"),
    groups: &[&["distribution", "tenant"], SETTING_FIELDS],
};

/// `collapse` of a target or of `defaults`.
pub const COLLAPSE: MappingKind = MappingKind {
    name: "`collapse`",
    expected: Expected { bool: true, ..Expected::other("false, or a mapping of settings") },
    groups: &[&["above", "weight", "min_depth", "max_wildcards"]],
};

/// An entry of `rules`.
pub const RULE: MappingKind = MappingKind {
    name: "a rule",
    expected: Expected::other("a rule: a mapping with `name`, conditions and `invalidate`"),
    groups: &[
        &["name", "except", "ignore", "allow_wildcards", "stop", "invalidate"],
        CONDITION_FIELDS,
    ],
};

/// A set of conditions in `except`.
pub const EXCEPT: MappingKind = MappingKind {
    name: "`except`",
    expected: Expected { list: true, ..Expected::other("a mapping of conditions") },
    groups: &[CONDITION_FIELDS],
};

/// An entry of `invalidate` in the long form.
pub const INVALIDATE: MappingKind = MappingKind {
    name: "an entry of `invalidate`",
    expected: Expected {
        list: true,
        ..Expected::text("a target's name, or a mapping with `target`")
    },
    groups: &[&["target", "paths", "tags"]],
};

/// An entry of `tests`.
pub const TEST: MappingKind = MappingKind {
    name: "a test",
    expected: Expected::other("a test: a mapping with `key` and `expect`"),
    groups: &[&["key", "event", "size", "account", "region", "expect"]],
};

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// The expectation in words.
    pub words: &'static str,
    pub text: bool,
    pub number: bool,
    pub bool: bool,
    pub null: bool,
    /// Whether a list of such values is accepted too.
    pub list: bool,
}

impl Expected {
    const NONE: Self =
        Self { words: "", text: false, number: false, bool: false, null: false, list: false };

    /// Expects a list or a mapping.
    pub const fn other(words: &'static str) -> Self {
        Self { words, ..Self::NONE }
    }

    /// Expects a kind of text.
    pub const fn text(words: &'static str) -> Self {
        Self { words, text: true, ..Self::NONE }
    }

    fn accepts(self, shape: Shape) -> bool {
        match shape {
            Shape::Null => self.null,
            Shape::Bool(_) => self.bool,
            Shape::Number(number) => self.number && number.is_some(),
            Shape::Text => self.text,
            Shape::List | Shape::Mapping => false,
        }
    }

    /// Returns a finding about a value of a wrong type.
    pub fn wrong_type(self, node: Node<'_>) -> Finding {
        let text = node.shown_text();
        let found = match node.shape() {
            Shape::Null => "nothing".to_owned(),
            Shape::Number(_) => format!("the number `{text}`"),
            Shape::Bool(_) | Shape::Text => format!("`{text}`"),
            Shape::List => "a list".to_owned(),
            Shape::Mapping => "a mapping".to_owned(),
        };
        let help = match node.shape() {
            Shape::Null => Some("add a value, or remove the field".to_owned()),
            Shape::Bool(_) | Shape::Number(_) if self.text => {
                Some(format!("write it in quotes: '{text}'"))
            }
            Shape::Mapping if self.text => {
                Some("text that contains `{` or `: ` must be in quotes".to_owned())
            }
            Shape::Text if self.bool => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some("write `true`, without quotes".to_owned()),
                "false" | "no" | "off" => Some("write `false`, without quotes".to_owned()),
                _ => None,
            },
            Shape::Text if self.number => number_help(text),
            _ => None,
        };
        let or_list = if self.list && !node.is_item() { " or a list" } else { "" };
        let message = format!("expected {}{or_list}, found {found}", self.words);
        Finding { help, ..node.finding(Code::WrongType, message) }
    }
}

fn number_help(text: &str) -> Option<String> {
    if text.parse::<u64>().is_ok() {
        return Some(format!("write `{text}`, without quotes"));
    }
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let bytes: u64 = match &*text[digits..].trim().to_ascii_lowercase() {
        "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    let bytes = text[..digits].parse::<u64>().ok()?.checked_mul(bytes)?;
    Some(format!("a size is a number of bytes: {bytes}"))
}

/// A type that is read from a single value.
pub trait FromYaml: Sized {
    const EXPECTED: Expected;

    /// Reads a value of a type that is accepted. `None` means that the value is
    /// invalid, which has been reported.
    fn from_yaml(node: Node<'_>, findings: &mut Findings) -> Option<Self>;
}

impl FromYaml for String {
    const EXPECTED: Expected = Expected::text("text");

    fn from_yaml(node: Node<'_>, _: &mut Findings) -> Option<Self> {
        Some(node.text().to_owned())
    }
}

impl FromYaml for Option<String> {
    const EXPECTED: Expected = Expected { null: true, ..Expected::text("text, or null") };

    fn from_yaml(node: Node<'_>, _: &mut Findings) -> Option<Self> {
        Some((node.shape() == Shape::Text).then(|| node.text().to_owned()))
    }
}

impl FromYaml for bool {
    const EXPECTED: Expected = Expected { bool: true, ..Expected::other("true or false") };

    fn from_yaml(node: Node<'_>, _: &mut Findings) -> Option<Self> {
        Some(node.shape() == Shape::Bool(true))
    }
}

impl FromYaml for u64 {
    const EXPECTED: Expected = Expected { number: true, ..Expected::other("a whole number") };

    fn from_yaml(node: Node<'_>, _: &mut Findings) -> Option<Self> {
        if let Shape::Number(number) = node.shape() { number } else { None }
    }
}

/// Reads a single value. `None` means that it is of a wrong type or invalid,
/// which has been reported.
pub fn read<T: FromYaml>(node: Node<'_>, findings: &mut Findings) -> Option<T> {
    read_expected(node, T::EXPECTED, findings)
}

fn read_expected<T: FromYaml>(
    node: Node<'_>,
    expected: Expected,
    findings: &mut Findings,
) -> Option<T> {
    if expected.accepts(node.shape()) {
        return T::from_yaml(node, findings);
    }
    findings.push(expected.wrong_type(node));
    None
}

/// Returns the items of a list, which may be null, as when all items are
/// commented out.
pub fn read_list<'t>(
    node: Node<'t>,
    expected: &'static str,
    findings: &mut Findings,
) -> Vec<Node<'t>> {
    match node.shape() {
        Shape::List => return node.values().collect(),
        Shape::Null => {}
        _ => findings.push(Expected::other(expected).wrong_type(node)),
    }
    Vec::new()
}

/// Reads one text or a list of texts, which may be empty.
pub fn read_texts<'t>(node: Node<'t>, findings: &mut Findings) -> Vec<(Node<'t>, String)> {
    if !matches!(node.shape(), Shape::Text | Shape::List) {
        findings.push(Expected::text("text, or a list of texts").wrong_type(node));
        return Vec::new();
    }
    let texts = node.values();
    texts.filter_map(|node| Some((node, read(node, findings)?))).collect()
}

/// Reads the fields of a mapping.
pub struct MappingReader<'f, 't> {
    pub node: Node<'t>,
    pub findings: &'f mut Findings,
}

impl<'f, 't> MappingReader<'f, 't> {
    /// Starts to read a mapping. Unknown fields are reported; `None` means that
    /// the value is not a mapping, which has been reported.
    pub fn new(node: Node<'t>, kind: &MappingKind, findings: &'f mut Findings) -> Option<Self> {
        if node.shape() != Shape::Mapping {
            findings.push(kind.expected.wrong_type(node));
            return None;
        }
        for (name, _) in node.fields() {
            if findings.is_full() {
                break;
            }
            if !kind.fields().any(|field| field == name) {
                let message = format!("{} has no field `{name}`", kind.name);
                let finding = node.field_finding(Code::UnknownField, name, message);
                findings.push(finding.unknown(name, kind.fields()));
            }
        }
        Some(Self { node, findings })
    }

    /// Reads a field, if it is there.
    pub fn read<T: FromYaml>(&mut self, field: &str) -> Option<T> {
        read(self.node.field(field)?, self.findings)
    }

    /// Returns the value of a field that must be there. `missing` is the
    /// message and the help of the finding if it is not.
    pub fn required(&mut self, field: &str, missing: [&str; 2]) -> Option<Node<'t>> {
        let node = self.node.field(field);
        if node.is_none() {
            let [message, help] = missing;
            self.findings.push(self.node.finding(Code::MissingField, message).help(help));
        }
        node
    }

    /// Reads the value of a field that must be there.
    pub(super) fn read_required<T: FromYaml>(
        &mut self,
        field: &str,
        missing: [&str; 2],
    ) -> Option<T> {
        read(self.required(field, missing)?, self.findings)
    }

    /// Returns the values of a field that accepts one value or a list of at
    /// least one.
    pub fn nodes(&mut self, field: &str) -> impl Iterator<Item = Node<'t>> + use<'t> {
        let node = self.node.field(field);
        if let Some(node) = node.filter(|node| node.values().next().is_none()) {
            let finding = node.finding(Code::EmptyList, "the list is empty");
            self.findings.push(finding.help("remove the field, or add a value"));
        }
        node.into_iter().flat_map(Node::values)
    }

    /// Reads a field that accepts one value or a list of at least one.
    pub fn read_values<T: FromYaml>(&mut self, field: &str) -> Vec<T> {
        let expected = Expected { list: true, ..T::EXPECTED };
        let mut nodes = self.nodes(field).peekable();
        // Most fields have one value, and collecting would reserve four.
        let mut values = Vec::with_capacity(usize::from(nodes.peek().is_some()));
        values.extend(nodes.filter_map(|node| read_expected(node, expected, self.findings)));
        values
    }
}
