//! The entries of `targets`, and their settings.

use std::{
    collections::{BTreeSet, HashMap},
    ops::RangeInclusive,
    sync::Arc,
};

use percent_encoding::percent_decode_str;

use crate::{
    distribution::{Distribution, DistributionId, Role},
    item::{PathSettings, PlusSpelling, encode, plus_spellings},
    rules::{
        FALLBACK_TARGET,
        finding::{Code, Finding, Findings},
        mapping::{COLLAPSE, Expected, FromYaml, MappingReader, TARGET, read, read_texts},
        template::encode_url_text,
        yaml::{Node, Shape},
    },
    target::{Collapse, Excluded, Target, TargetIndex},
};

use super::condition_values::is_account;

/// The most wildcards of one distribution that CloudFront accepts in progress.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
const MAX_WILDCARDS: u64 = 15;

/// What STS accepts as an external id: the length in characters, and the
/// characters beside letters and digits.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const EXTERNAL_ID_LENGTH: RangeInclusive<usize> = 2..=1224;
const EXTERNAL_ID_MARKS: &[u8] = b"_+=,.@:/-";

/// The settings of a target with all defaults filled in.
#[derive(Clone, Debug)]
pub(super) struct ResolvedSettings {
    role_arn: Option<String>,
    external_id: Option<String>,
    paths: PathSettings,
    collapse: Option<Collapse>,
}

impl Default for ResolvedSettings {
    fn default() -> Self {
        let collapse = Some(Collapse::default());
        Self { role_arn: None, external_id: None, paths: PathSettings::default(), collapse }
    }
}

impl ResolvedSettings {
    fn target(self, name: &str, id: DistributionId) -> Target {
        let external_id = self.external_id;
        let role = self.role_arn.map(|arn| Role { arn, external_id });
        Target {
            name: name.into(),
            distribution: Distribution { id, role },
            paths: self.paths,
            collapse: self.collapse,
            excluded: Excluded::default(),
        }
    }
}

/// The targets of a file by name, followed by the bare distribution ids that
/// rules use.
pub(super) struct TargetTable {
    defaults: ResolvedSettings,
    targets: Vec<Target>,
    /// A target with an error has no index: using its name is not a second error.
    names: HashMap<Arc<str>, Option<TargetIndex>>,
}

impl TargetTable {
    pub fn new(defaults: ResolvedSettings) -> Self {
        Self { defaults, targets: Vec::new(), names: HashMap::new() }
    }

    pub fn into_targets(self) -> Vec<Target> {
        self.targets
    }

    pub fn target(&self, index: TargetIndex) -> &Target {
        &self.targets[index.0]
    }

    /// Returns the target of a name; the outer `None` is for unknown names.
    pub fn get(&self, name: &str) -> Option<Option<TargetIndex>> {
        self.names.get(name).copied()
    }

    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.names.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    /// Adds the target of a bare distribution id.
    pub fn add_bare(&mut self, id: DistributionId) -> TargetIndex {
        let name = id.as_str().to_owned();
        let target = self.defaults.clone().target(&name, id);
        self.add(target)
    }

    /// Gives all targets of a distribution what each of them protects.
    pub fn share_protect(&mut self) {
        let mut shared: HashMap<Distribution, BTreeSet<String>> = HashMap::new();
        for target in self.targets.iter().filter(|target| !target.paths.protect.is_empty()) {
            let prefixes = shared.entry(target.distribution.clone()).or_default();
            prefixes.extend(target.paths.protect.iter().cloned());
        }
        for target in &mut self.targets {
            let prefixes = shared.get(&target.distribution);
            target.paths.protect = prefixes.into_iter().flatten().cloned().collect();
        }
    }

    fn add(&mut self, target: Target) -> TargetIndex {
        let index = TargetIndex(self.targets.len());
        self.names.insert(target.name.clone(), Some(index));
        self.targets.push(target);
        index
    }
}

/// Adds an entry of `targets` to the table.
pub(super) fn read_target(
    targets: Node<'_>,
    name: &str,
    node: Node<'_>,
    table: &mut TargetTable,
    findings: &mut Findings,
) {
    if name == FALLBACK_TARGET {
        let message = format!("`{name}` is the name of the environment variable");
        let finding = targets.field_finding(Code::ReservedName, name, message);
        findings.push(finding.help("give the target another name"));
    } else if name.trim().is_empty() {
        let message = "the name of the target is empty";
        findings.push(targets.field_finding(Code::EmptyValue, name, message));
    }
    let mut settings = table.defaults.clone();
    let id = if node.shape() == Shape::Text {
        distribution_id(node, findings)
    } else if let Some(mut fields) = MappingReader::new(node, &TARGET, findings) {
        settings = read_settings(&mut fields, settings);
        if let Some(external_id) = node.field("external_id").filter(|id| id.shape() == Shape::Text)
            && settings.role_arn.is_none()
        {
            let message = "`external_id` has no effect without `role_arn`";
            fields.findings.push(external_id.finding(Code::MissingField, message));
        }
        long_target_id(&mut fields)
    } else {
        None
    };
    match id {
        // A second target of the same name is reported as a duplicate.
        Some(id) if table.get(name).is_none() => {
            table.add(settings.target(name, id));
        }
        _ => {
            table.names.entry(name.into()).or_insert(None);
        }
    }
}

fn long_target_id(fields: &mut MappingReader<'_, '_>) -> Option<DistributionId> {
    const MISSING: [&str; 2] = [
        "the target has no `distribution`",
        "add `distribution: E…`, or `tenant: dt_…` for a distribution tenant",
    ];
    let node = fields.node;
    let Some(tenant_node) = node.field("tenant") else {
        let id = fields.required("distribution", MISSING)?;
        read::<String>(id, fields.findings)?;
        return distribution_id(id, fields.findings);
    };
    if node.field("distribution").is_some() {
        let message = "a target has either `distribution` or `tenant`, not both";
        fields.findings.push(node.field_finding(Code::ConflictingFields, "tenant", message));
        return None;
    }
    match DistributionId::tenant(&fields.read::<String>("tenant")?) {
        Ok(id) => Some(id),
        Err(error) => {
            fields.findings.push(tenant_node.finding(Code::BadTenantId, error.to_string()));
            None
        }
    }
}

fn distribution_id(node: Node<'_>, findings: &mut Findings) -> Option<DistributionId> {
    let text = node.text();
    let error = match DistributionId::distribution(text) {
        Ok(id) => return Some(id),
        Err(error) => error,
    };
    let help = if DistributionId::tenant(text).is_ok() {
        Some(format!("a tenant needs the long form: `{{ tenant: {text} }}`"))
    } else if text.starts_with("arn:") {
        text.rsplit('/').next().map(|id| format!("write only the id from the ARN: `{id}`"))
    } else if text.contains(".cloudfront.net") {
        Some(
            "this is the domain name; the id is on the distribution's page and starts with `E`"
                .to_owned(),
        )
    } else {
        None
    };
    findings.push(Finding { help, ..node.finding(Code::BadDistributionId, error.to_string()) });
    None
}

/// Reads settings on top of those that they override.
pub(super) fn read_settings(
    fields: &mut MappingReader<'_, '_>,
    mut settings: ResolvedSettings,
) -> ResolvedSettings {
    let node = fields.node;
    if let Some(arn) = fields.read::<Option<String>>("role_arn") {
        if let Some(arn) = arn.as_deref().filter(|arn| !is_role_arn(arn)) {
            let (message, help) = if arn.starts_with("arn:aws-us-gov:") {
                let message = format!("`{arn}` is in GovCloud, which has no CloudFront");
                (message, "name the role of the account that owns the distribution")
            } else {
                let message = format!("`{arn}` is not the ARN of a role");
                (message, "expected `arn:aws:iam::ACCOUNT:role/NAME`")
            };
            let finding = node.value("role_arn", 0).finding(Code::BadRoleArn, message);
            fields.findings.push(finding.help(help));
        }
        settings.role_arn = arn;
    }
    if let Some(id) = fields.read::<Option<String>>("external_id") {
        if id.as_deref().is_some_and(|id| !is_external_id(id)) {
            let message = "the value, which is a secret, is not an external id";
            let help = "STS accepts 2 to 1,224 letters, digits and `_+=,.@:/-`";
            let finding = node.value("external_id", 0).finding(Code::BadExternalId, message);
            fields.findings.push(finding.help(help));
        }
        settings.external_id = id;
    }
    read_path_settings(fields, &mut settings.paths);
    if let Some(collapse) = node.field("collapse") {
        let base = settings.collapse.unwrap_or_default();
        settings.collapse = match collapse.shape() {
            Shape::Bool(on) => on.then_some(base),
            _ => MappingReader::new(collapse, &COLLAPSE, fields.findings)
                .map(|mut fields| read_collapse(&mut fields, base)),
        };
    }
    settings
}

fn read_path_settings(fields: &mut MappingReader<'_, '_>, paths: &mut PathSettings) {
    let node = fields.node;
    if let Some(origin_path) = fields.read::<String>("origin_path") {
        paths.set_origin_path(&origin_path);
    }
    if let Some(prefix) = fields.read::<String>("viewer_prefix")
        && !paths.set_viewer_prefix(&prefix)
    {
        let message = format!("`{prefix}` is not a URL path without special characters");
        let finding = node.value("viewer_prefix", 0).finding(Code::BadViewerPrefix, message);
        fields.findings.push(finding.help(match prefix.strip_suffix("/*") {
            Some(prefix) => format!("write `{prefix}`"),
            None => {
                "write the path below which viewers see the bucket, such as `/media`".to_owned()
            }
        }));
    }
    if let Some(root_object) = fields.read::<Option<String>>("default_root_object") {
        if let Some(name) =
            root_object.as_deref().filter(|name| name.is_empty() || name.starts_with('/'))
        {
            let message = format!("`{name}` is not an object name");
            let finding = node.value("default_root_object", 0).finding(Code::BadDocument, message);
            fields.findings.push(finding.help(match name.trim_start_matches('/') {
                "" => "write null for no default root object".to_owned(),
                name => format!("write `{name}`, as in CloudFront"),
            }));
        }
        paths.default_root_object = root_object;
    }
    if let Some(documents) = node.field("index_documents") {
        let documents = read_texts(documents, fields.findings);
        for (node, name) in &documents {
            if name.is_empty() || name.contains('/') {
                let finding =
                    node.finding(Code::BadDocument, format!("`{name}` is not a file name"));
                fields.findings.push(
                    finding.help("an index document is a bare file name, such as `index.html`"),
                );
            }
        }
        paths.index_documents = documents.into_iter().map(|(_, name)| name).collect();
    }
    if let Some(on) = fields.read("directory_redirects") {
        paths.directory_redirects = on;
    }
    if let Some(on) = fields.read("clean_urls") {
        paths.clean_urls = on;
    }
    if let Some(on) = fields.read("query_strings") {
        paths.query_strings = on;
    }
    if let Some(plus) = fields.read("plus") {
        paths.plus = plus;
    }
    if let Some(protect) = node.field("protect") {
        let prefixes = read_texts(protect, fields.findings).into_iter();
        paths.protect = prefixes
            .filter_map(|(node, prefix)| read_protected(node, &prefix, fields.findings))
            .flat_map(plus_spellings)
            .collect();
    }
}

fn read_protected(node: Node<'_>, prefix: &str, findings: &mut Findings) -> Option<String> {
    let help = match prefix.trim_end_matches('*') {
        "" | "/" => "for no wildcards at all, write `collapse: false`".to_owned(),
        start if start.len() < prefix.len() => {
            format!("write `{start}`, which stands for all paths that start with it")
        }
        start if !start.starts_with('/') => format!("a URL path starts with a slash: `/{start}`"),
        start => return Some(spell_as_paths(start)),
    };
    let message = format!("`{prefix}` is not the start of a URL path below the root");
    findings.push(node.finding(Code::BadProtect, message).help(help));
    None
}

/// Spells URL text as the paths of keys are: with upper-case escapes, and only of
/// what must be escaped.
fn spell_as_paths(url: &str) -> String {
    let spell = |part| match percent_decode_str(part).decode_utf8() {
        Ok(text) => encode(&text),
        Err(_) => encode_url_text(part),
    };
    url.split('?').map(spell).collect::<Vec<_>>().join("?")
}

impl FromYaml for PlusSpelling {
    const EXPECTED: Expected = Expected::text("text");

    fn from_yaml(node: Node<'_>, findings: &mut Findings) -> Option<Self> {
        match node.text() {
            "both" => Some(Self::Both),
            "raw" => Some(Self::Raw),
            "encoded" => Some(Self::Encoded),
            other => {
                let message = format!("`{other}` is not a spelling of `+`");
                let finding = node.finding(Code::UnknownValue, message);
                findings.push(finding.unknown(other, ["both", "raw", "encoded"]));
                None
            }
        }
    }
}

fn read_collapse(fields: &mut MappingReader<'_, '_>, base: Collapse) -> Collapse {
    let mut number = |name: &str, range: RangeInclusive<u64>, default: usize| {
        let Some(number) = fields.read::<u64>(name) else { return default };
        if range.contains(&number) {
            return number.try_into().unwrap_or(usize::MAX);
        }
        let message = match range.into_inner() {
            (low, u64::MAX) => format!("`{name}` must be at least {low}"),
            (low, high) => format!("`{name}` must be from {low} to {high}"),
        };
        let mut finding = fields.node.value(name, 0).finding(Code::OutOfRange, message);
        if name == "max_wildcards" && number == 0 {
            finding = finding.help("write `collapse: false` for no wildcards at all");
        }
        fields.findings.push(finding);
        default
    };
    Collapse {
        above: number("above", 0..=u64::MAX, base.above),
        weight: number("weight", 1..=u32::MAX.into(), base.weight as usize) as u32,
        min_depth: number("min_depth", 0..=u64::MAX, base.min_depth),
        max_wildcards: number("max_wildcards", 1..=MAX_WILDCARDS, base.max_wildcards),
    }
}

fn is_role_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = *parts else { return false };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@/-".contains(&byte);
    partition.starts_with("aws")
        && partition != "aws-us-gov"
        && is_account(account)
        && !name.is_empty()
        && name.bytes().all(is_valid)
}

fn is_external_id(id: &str) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || EXTERNAL_ID_MARKS.contains(&byte);
    EXTERNAL_ID_LENGTH.contains(&id.len()) && id.bytes().all(is_valid)
}
