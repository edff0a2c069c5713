//! Sets of conditions and their values.

use crate::{
    event::Kind,
    rules::{
        BucketPattern, Conditions, RegexError, RuleRegex,
        finding::{Code, Finding, Findings},
        mapping::{Expected, FromYaml, MappingReader},
        yaml::Node,
    },
};

/// Returns whether a text is an AWS account id.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads the conditions among the fields of a mapping. `default_events` applies
/// if there is no `events`.
pub(super) fn read_conditions(
    fields: &mut MappingReader<'_, '_>,
    default_events: Option<&[Kind]>,
) -> Conditions {
    let texts = |values: Vec<AccountId>| values.into_iter().map(|AccountId(id)| id).collect();
    let regions = |values: Vec<RegionName>| values.into_iter().map(|RegionName(id)| id).collect();
    let conditions = Conditions {
        buckets: fields.read_values("bucket"),
        prefixes: fields.read_values("prefix"),
        suffixes: fields.read_values("suffix"),
        regexes: fields.read_values("regex"),
        events: match fields.node.field("events") {
            Some(_) => Some(fields.read_values("events")),
            None => default_events.map(<[Kind]>::to_vec),
        },
        accounts: texts(fields.read_values("account")),
        regions: regions(fields.read_values("region")),
        min_size: fields.read("min_size"),
        max_size: fields.read("max_size"),
        ..Conditions::default()
    };
    if let (Some(min), Some(max)) = (conditions.min_size, conditions.max_size)
        && min > max
    {
        let message = format!("`min_size` {min} is larger than `max_size` {max}");
        let node = fields.node.value("max_size", 0);
        fields.findings.push(node.finding(Code::ContradictorySizes, message));
    }
    conditions
}

impl FromYaml for BucketPattern {
    const EXPECTED: Expected = Expected::text("the name of a bucket");

    fn from_yaml(node: Node<'_>, findings: &mut Findings) -> Option<Self> {
        let text = node.text();
        let (name, is_prefix) = match text.strip_suffix('*') {
            Some(name) => (name, true),
            None => (text, false),
        };
        // Old buckets have upper-case letters and underscores, and up to 255 characters.
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if !text.is_empty() && name.len() <= 255 && name.bytes().all(is_valid) {
            let pattern = if is_prefix { Self::Prefix } else { Self::Exact };
            return Some(pattern(name.to_owned()));
        }
        let help = if let Some(rest) = text.strip_prefix("s3://") {
            let name = rest.split('/').next().unwrap_or_default();
            Some(format!("write only the name: `{name}`"))
        } else if let Some(rest) = text.strip_prefix("arn:") {
            let name = rest.rsplit(':').next().unwrap_or_default();
            Some(format!("write only the name from the ARN: `{name}`"))
        } else if text.contains('/') {
            Some("the part after the slash belongs to the key: use `prefix`".to_owned())
        } else {
            name.contains('*').then(|| "a `*` is allowed only at the end".to_owned())
        };
        let finding = node.finding(Code::BadBucket, format!("`{text}` is not a bucket name"));
        findings.push(Finding { help, ..finding });
        None
    }
}

impl FromYaml for RuleRegex {
    const EXPECTED: Expected = Expected::text("text");

    fn from_yaml(node: Node<'_>, findings: &mut Findings) -> Option<Self> {
        Self::new(node.text()).map_err(|error| findings.push(bad_regex(node, &error))).ok()
    }
}

/// Returns a finding about a regex that does not compile, with the marker of
/// the regex crate under the location.
fn bad_regex(node: Node<'_>, error: &RegexError) -> Finding {
    let text = error.to_string();
    let Some(reason) = text.lines().rev().find_map(|line| line.strip_prefix("error: ")) else {
        return node.finding(Code::BadRegex, text);
    };
    let finding = node.finding(Code::BadRegex, format!("the regex is invalid: {reason}"));
    let finding = finding.note(text.trim_end());
    if reason.contains("look-around") {
        return finding.help("use `except` for what must not match");
    }
    // A file pattern, as of a shell.
    match node.text().trim_start_matches('*') {
        rest if rest.len() == node.text().len() => finding,
        "" => finding.help("remove `regex` to match every key"),
        rest => finding.help(format!("a regex is not a file pattern: write `suffix: '{rest}'`")),
    }
}

impl FromYaml for Kind {
    const EXPECTED: Expected = Expected::text("the name of an event");

    fn from_yaml(node: Node<'_>, findings: &mut Findings) -> Option<Self> {
        let name = node.text();
        if let Ok(kind) = name.parse() {
            return Some(kind);
        }
        let finding = node.finding(Code::UnknownValue, format!("there is no event `{name}`"));
        findings.push(match aws_event(name) {
            Some(kind) => finding.help(format!("did you mean `{kind}`?")),
            None => finding.unknown(name, Self::ALL.map(Self::name)),
        });
        None
    }
}

/// Returns the kind for one of AWS's names of events.
fn aws_event(name: &str) -> Option<Kind> {
    const NAMES: [(&str, Kind); 16] = [
        ("objectcreated", Kind::Created),
        ("create", Kind::Created),
        ("put", Kind::Created),
        ("update", Kind::Created),
        ("objectremoved", Kind::Deleted),
        ("objectdeleted", Kind::Deleted),
        ("remove", Kind::Deleted),
        ("delete", Kind::Deleted),
        ("objectrestorecompleted", Kind::Restored),
        ("objectrestore:completed", Kind::Restored),
        ("objectrestoreexpired", Kind::RestoreExpired),
        ("objectacl", Kind::AclUpdated),
        ("objecttag", Kind::TagsChanged),
        ("objectstorageclasschanged", Kind::StorageClassChanged),
        ("objectaccesstierchanged", Kind::AccessTierChanged),
        ("objectannotation", Kind::AnnotationsChanged),
    ];
    let name = name.to_lowercase().replace(['_', '-', ' '], "");
    let name = name.trim_start_matches("s3:");
    NAMES.iter().find(|(start, _)| name.starts_with(start)).map(|(_, kind)| *kind)
}

#[derive(Debug)]
pub struct AccountId(pub String);

impl FromYaml for AccountId {
    // An id without a leading zero is a number in YAML.
    const EXPECTED: Expected = Expected { number: true, ..Expected::text("the id of an account") };

    fn from_yaml(node: Node<'_>, findings: &mut Findings) -> Option<Self> {
        let id = node.text();
        if is_account(id) {
            return Some(Self(id.to_owned()));
        }
        let finding = node.finding(Code::BadAccount, format!("`{id}` is not an account id"));
        findings.push(match id.replace(['-', ' '], "") {
            digits if is_account(&digits) => {
                finding.help(format!("write it without dashes: '{digits}'"))
            }
            _ => finding.help("an account id has twelve digits"),
        });
        None
    }
}

#[derive(Debug)]
pub struct RegionName(pub String);

impl FromYaml for RegionName {
    const EXPECTED: Expected = Expected::text("the name of a region");

    fn from_yaml(node: Node<'_>, findings: &mut Findings) -> Option<Self> {
        let name = node.text();
        let is_valid =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.contains('-') && name.bytes().all(is_valid) {
            return Some(Self(name.to_owned()));
        }
        let finding = node.finding(Code::BadRegion, format!("`{name}` is not a region name"));
        findings.push(finding.help("a region looks like `eu-central-1`"));
        None
    }
}
