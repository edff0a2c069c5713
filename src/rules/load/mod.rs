//! From the bytes of a rules file to a [`RuleSet`].
//!
//! A value with an error is reported and left out, and the rest is read as if it
//! were not there, so that one mistake gives one finding. Reading stops when
//! there are as many findings as are reported.
//!
//! The function ignores `tests`. `invalidator check` reads and runs them.

mod condition_values;
mod rule_entries;
mod target_entries;

use super::{
    RuleSet,
    finding::{Code, Finding, Findings},
    mapping::{DEFAULTS, Expected, FILE, MappingReader},
    yaml::{Node, Shape, Span, YamlTree},
};
use crate::distribution::DistributionId;

pub use self::condition_values::{AccountId, RegionName};
use self::target_entries::{ResolvedSettings, TargetTable, read_settings, read_target};

/// The version of the file format.
const VERSION: u64 = 1;

/// The largest file, in bytes. 10,000 rules take less.
pub(super) const MAX_FILE_BYTES: usize = 8 << 20;

/// A rules file that has been read.
#[derive(Debug)]
pub struct RulesFile<'t> {
    pub text: &'t str,
    /// The values as written.
    pub tree: YamlTree<'t>,
    /// The rules and targets. With errors among the findings it is incomplete.
    pub rules: RuleSet,
    /// What is wrong with the file, apart from its `tests`.
    pub findings: Findings,
}

impl<'t> RulesFile<'t> {
    /// Reads a file; `name` is the file name that findings show. The error says
    /// why the file is not YAML.
    pub fn read(name: &str, bytes: &'t [u8]) -> Result<Self, Findings> {
        let refuse = |finding, text: &str| {
            let mut findings = Findings::new(name);
            findings.push(finding);
            findings.finish(text)
        };
        if bytes.len() > MAX_FILE_BYTES {
            let message = format!("the file has {} bytes; at most 8 MiB are allowed", bytes.len());
            let finding = Finding::at(Code::FileTooLarge, Span::character(1, 1), message);
            return Err(refuse(finding, ""));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let finding = not_utf8(bytes, error.valid_up_to());
            refuse(finding, &String::from_utf8_lossy(bytes))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let tree = YamlTree::parse(text).map_err(|finding| refuse(*finding, text))?;
        let mut findings = Findings::new(name);
        let rules = read_file(&tree, &mut findings);
        Ok(Self { text, tree, rules, findings })
    }
}

/// Returns a finding about the first byte after the valid ones.
fn not_utf8(bytes: &[u8], valid: usize) -> Finding {
    let (valid, rest) = bytes.split_at(valid);
    let valid = String::from_utf8_lossy(valid);
    let line = valid.matches('\n').count() + 1;
    let column = valid.chars().rev().take_while(|character| *character != '\n').count() + 1;
    let byte = rest.first().copied().unwrap_or_default();
    let message = format!("the byte 0x{byte:02X} is not UTF-8; save the file as UTF-8");
    Finding::at(Code::NotUtf8, Span::character(line, column), message)
}

fn read_file(tree: &YamlTree<'_>, findings: &mut Findings) -> RuleSet {
    let root = tree.root();
    tree.report_duplicates(findings);
    if root.shape() == Shape::Null {
        let finding = root.finding(Code::MissingField, "the file is empty");
        findings.push(finding.help(format!("a rules file starts with `version: {VERSION}`")));
        return RuleSet::empty();
    }
    let Some(mut fields) = MappingReader::new(root, &FILE, findings) else {
        return RuleSet::empty();
    };
    read_version(&mut fields);
    let mut defaults = ResolvedSettings::default();
    if let Some(node) = root.field("defaults")
        && let Some(mut fields) = MappingReader::new(node, &DEFAULTS, fields.findings)
    {
        defaults = read_settings(&mut fields, defaults);
    }
    let mut targets = TargetTable::new(defaults);
    if let Some(node) = root.field("targets") {
        read_targets(node, &mut targets, fields.findings);
        targets.share_protect();
    }
    let rules = root.field("rules");
    let rules = rules.map(|node| rule_entries::read_rules(node, &mut targets, fields.findings));
    // Bare distribution ids are targets, too.
    targets.share_protect();
    let (rules, targets) = (rules.unwrap_or_default(), targets.into_targets());
    RuleSet::new(rules, targets)
}

fn read_version(fields: &mut MappingReader<'_, '_>) {
    const MISSING: [&str; 2] = ["the file has no `version`", "start the file with `version: 1`"];
    let Some(version) = fields.read_required::<u64>("version", MISSING) else { return };
    if version != VERSION {
        let message = format!("version {version} of the file format is not supported");
        let finding = fields.node.value("version", 0).finding(Code::UnsupportedVersion, message);
        fields.findings.push(finding.help(format!("this program supports `version: {VERSION}`")));
    }
}

fn read_targets(node: Node<'_>, targets: &mut TargetTable, findings: &mut Findings) {
    match node.shape() {
        Shape::Mapping => {
            for (name, target) in node.fields() {
                if findings.is_full() {
                    break;
                }
                read_target(node, name, target, targets, findings);
            }
        }
        // All targets may be commented out.
        Shape::Null => {}
        _ => findings.push(Expected::other("a mapping of names to targets").wrong_type(node)),
    }
}

/// Returns the path of a URL with a scheme or with a host such as
/// `www.example.com`.
pub(super) fn url_path(text: &str) -> Option<&str> {
    let rest = match text.split_once("://") {
        Some((_, rest)) => rest,
        None if text.starts_with("www.") => text,
        None => return None,
    };
    Some(rest.find('/').map_or("/", |slash| &rest[slash..]))
}

/// Completes a finding about a name that is not a target.
pub fn unknown_target(finding: Finding, name: &str, targets: &[&str]) -> Finding {
    let message = format!("no target is named `{name}`");
    if name.starts_with('/') || name.contains("://") {
        let path = url_path(name).unwrap_or(name);
        let help = format!("a path belongs to a target: `{{ target: NAME, paths: '{path}' }}`");
        return Finding { message, ..finding.help(help) };
    }
    let help = if DistributionId::tenant(name).is_ok() {
        Some(format!("name the tenant under `targets`: `NAME: {{ tenant: {name} }}`"))
    } else if targets.is_empty() {
        Some("the file has no `targets`; add one, or write a distribution id".to_owned())
    } else {
        None
    };
    Finding { message, help, ..finding.unknown(name, targets.iter().copied()) }
}
