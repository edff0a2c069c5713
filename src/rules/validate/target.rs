//! Targets: ids, roles, and how keys become paths.

use std::{collections::HashMap, sync::Arc};

use crate::{
    distribution::{Distribution, DistributionId, Role},
    item::{PathSettings, PlusSpelling},
    rules::{
        FALLBACK_TARGET, Target, TargetIndex,
        file::{CollapseForm, LongTarget, RawCollapse, Settings, TargetForm},
        finding::{Code, Finding},
        source::At,
        suggest,
        value::{Given, OrNull},
    },
    target::Collapse,
};

use super::Check;

/// The most wildcards of a distribution that CloudFront works on at a time.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
const MAX_WILDCARDS: u64 = 15;

/// What STS takes as an external id: length in characters, and the marks beside
/// letters and digits.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const EXTERNAL_ID_LENGTH: std::ops::RangeInclusive<usize> = 2..=1224;
const EXTERNAL_ID_MARKS: &[u8] = b"_+=,.@:/-";

/// The settings of a target, complete.
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
        }
    }
}

/// The targets of a file by name: those it lists, and then the bare ids that
/// rules use.
pub(super) struct TargetTable {
    defaults: ResolvedSettings,
    targets: Vec<Target>,
    /// Names of targets with an error have no index: they are known, and what
    /// uses them is no further error.
    names: HashMap<Arc<str>, Option<TargetIndex>>,
}

impl TargetTable {
    pub fn new(defaults: ResolvedSettings) -> Self {
        Self { defaults, targets: Vec::new(), names: HashMap::new() }
    }

    pub fn into_targets(self) -> Vec<Target> {
        self.targets
    }

    /// The target of a name; the outer `None` is for unknown ones.
    pub fn get(&self, name: &str) -> Option<Option<TargetIndex>> {
        self.names.get(name).copied()
    }

    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.names.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    /// Adds the target that a bare distribution id stands for.
    pub fn add_bare(&mut self, id: DistributionId) -> TargetIndex {
        let name = id.as_str().to_owned();
        let target = self.defaults.clone().target(&name, id);
        self.add(target)
    }

    fn add(&mut self, target: Target) -> TargetIndex {
        let index = TargetIndex(self.targets.len());
        self.names.insert(target.name.clone(), Some(index));
        self.targets.push(target);
        index
    }
}

impl Check<'_> {
    /// Adds an entry of `targets` to the table.
    pub(super) fn target(
        &mut self,
        targets: At<'_>,
        name: &str,
        form: &Given<TargetForm>,
        table: &mut TargetTable,
    ) {
        let at = targets.field(name);
        let id = self.target_id(at, form);
        let settings = match form {
            Given::Value(TargetForm::Long(long)) => {
                self.settings(at, &long.settings, Some(&table.defaults))
            }
            _ => table.defaults.clone(),
        };
        self.target_name(targets, name);
        if let Given::Value(TargetForm::Long(long)) = form {
            let external_id = matches!(long.settings.external_id, Given::Value(OrNull::On(_)));
            if external_id && settings.role_arn.is_none() {
                let message = "`external_id` without `role_arn`: there is no role to send it for";
                let at = at.field("external_id");
                self.report(Finding::new(Code::MissingField, at, message));
            }
        }
        match id {
            // The first of two targets with one name stands: the second is an
            // error of its own.
            Some(id) if table.get(name).is_none() => {
                table.add(settings.target(name, id));
            }
            _ => {
                table.names.entry(name.into()).or_insert(None);
            }
        }
    }

    fn target_name(&mut self, targets: At<'_>, name: &str) {
        if name == FALLBACK_TARGET {
            let message = format!("`{name}` is the environment variable's name");
            let finding = Finding::on_field(Code::ReservedName, targets, name, message);
            self.report(finding.help("give the target another name"));
        }
        if name.trim().is_empty() {
            let message = "a target's name is empty";
            self.report(Finding::on_field(Code::EmptyValue, targets, name, message));
        }
    }

    fn target_id(&mut self, at: At<'_>, form: &Given<TargetForm>) -> Option<DistributionId> {
        let LongTarget { distribution, tenant, .. } = match self.value(at, form)? {
            TargetForm::Short(id) => return self.distribution_id(at, id),
            TargetForm::Long(long) => &**long,
        };
        if !matches!(distribution, Given::Absent) && !matches!(tenant, Given::Absent) {
            let message = "a target has a `distribution` or a `tenant`, not both";
            self.report(Finding::on_field(Code::ConflictingFields, at, "tenant", message));
            return None;
        }
        if matches!(tenant, Given::Absent) {
            let id = self.required(at.field("distribution"), distribution, || {
                let message = "the target has no `distribution`";
                Finding::new(Code::MissingField, at, message)
                    .help("add `distribution: E…`, or `tenant: dt_…` for a distribution tenant")
            })?;
            return self.distribution_id(at.field("distribution"), id);
        }
        let at = at.field("tenant");
        let id = self.value(at, tenant)?;
        let id = DistributionId::tenant(id);
        id.map_err(|error| self.error(Code::BadTenantId, at, error.to_string())).ok()
    }

    pub(super) fn distribution_id(&mut self, at: At<'_>, text: &str) -> Option<DistributionId> {
        DistributionId::distribution(text)
            .map_err(|error| {
                let help = if DistributionId::tenant(text).is_ok() {
                    Some(format!("a tenant takes the long form: `{{ tenant: {text} }}`"))
                } else if text.starts_with("arn:") {
                    text.rsplit('/').next().map(|id| format!("of the ARN, only the id: `{id}`"))
                } else if text.contains(".cloudfront.net") {
                    Some("not the domain name: the id is on the distribution's page, and starts with `E`".to_owned())
                } else {
                    None
                };
                let finding = Finding::new(Code::BadDistributionId, at, error.to_string());
                self.report(finding.help_if(help));
            })
            .ok()
    }

    /// Settings on top of those they inherit.
    pub(super) fn settings(
        &mut self,
        at: At<'_>,
        raw: &Settings,
        inherited: Option<&ResolvedSettings>,
    ) -> ResolvedSettings {
        let mut settings = inherited.cloned().unwrap_or_default();
        match self.value(at.field("role_arn"), &raw.role_arn) {
            Some(OrNull::On(arn)) => {
                self.role_arn(at.field("role_arn"), arn);
                settings.role_arn = Some(arn.clone());
            }
            Some(OrNull::Off) => settings.role_arn = None,
            None => {}
        }
        match self.value(at.field("external_id"), &raw.external_id) {
            Some(OrNull::On(id)) => {
                self.external_id(at.field("external_id"), id);
                settings.external_id = Some(id.clone());
            }
            Some(OrNull::Off) => settings.external_id = None,
            None => {}
        }
        self.path_settings(at, raw, &mut settings.paths);
        let base = settings.collapse.unwrap_or_default();
        match self.value(at.field("collapse"), &raw.collapse) {
            Some(CollapseForm::Flag(on)) => settings.collapse = on.then_some(base),
            Some(CollapseForm::Settings(raw)) => {
                settings.collapse = Some(self.collapse(at.field("collapse"), raw, base));
            }
            None => {}
        }
        settings
    }

    fn path_settings(&mut self, at: At<'_>, raw: &Settings, paths: &mut PathSettings) {
        if let Some(origin_path) = self.value(at.field("origin_path"), &raw.origin_path) {
            paths.set_origin_path(origin_path);
        }
        let root_at = at.field("default_root_object");
        match self.value(root_at, &raw.default_root_object) {
            Some(OrNull::On(name)) => {
                if name.is_empty() || name.starts_with('/') {
                    let message = format!("`{name}` is not the name of an object");
                    let finding = Finding::new(Code::BadDocument, root_at, message);
                    self.report(finding.help(match name.trim_start_matches('/') {
                        "" => "null is for no default root object".to_owned(),
                        name => format!("write `{name}`, as CloudFront has it"),
                    }));
                }
                paths.default_root_object = Some(name.clone());
            }
            Some(OrNull::Off) => paths.default_root_object = None,
            None => {}
        }
        let documents_at = at.field("index_documents");
        let documents = self.value(documents_at, &raw.index_documents).map(|names| &names.0);
        if documents.is_some() {
            paths.index_documents.clear();
        }
        for (at, name) in self.texts(documents_at, documents) {
            if name.is_empty() || name.contains('/') {
                let message = format!("`{name}` is not the name of a file");
                let finding = Finding::new(Code::BadDocument, at, message);
                self.report(finding.help("an index document is a bare name, as `index.html`"));
            }
            paths.index_documents.push(name.clone());
        }
        if let Some(on) = self.value(at.field("directory_redirects"), &raw.directory_redirects) {
            paths.directory_redirects = *on;
        }
        if let Some(on) = self.value(at.field("query_strings"), &raw.query_strings) {
            paths.query_strings = *on;
        }
        if let Some(word) = self.value(at.field("plus"), &raw.plus) {
            match &**word {
                "both" => paths.plus = PlusSpelling::Both,
                "raw" => paths.plus = PlusSpelling::Raw,
                "encoded" => paths.plus = PlusSpelling::Encoded,
                other => {
                    let message = format!("`{other}` is no spelling of `+`");
                    let finding = Finding::new(Code::UnknownValue, at.field("plus"), message);
                    self.report(finding.help(suggest::help(other, &["both", "raw", "encoded"])));
                }
            }
        }
    }

    fn collapse(&mut self, at: At<'_>, raw: &RawCollapse, base: Collapse) -> Collapse {
        let mut number = |name: &str, given, range: std::ops::RangeInclusive<u64>, default: u64| {
            let at = at.field(name);
            let Some(number) = self.value(at, given) else { return default };
            if !range.contains(number) {
                let (low, high) = range.into_inner();
                let message = match high {
                    u64::MAX => format!("`{name}` is at least {low}"),
                    high => format!("`{name}` is from {low} to {high}"),
                };
                let finding = Finding::new(Code::OutOfRange, at, message);
                let never = name == "max_wildcards" && *number == 0;
                self.report(finding.help_if(
                    never.then(|| "for no wildcards at all write `collapse: false`".to_owned()),
                ));
                return default;
            }
            *number
        };
        let above = number("above", &raw.above, 0..=u64::MAX, base.above as u64);
        let weight = number("weight", &raw.weight, 1..=u32::MAX.into(), base.weight.into());
        let min_depth = number("min_depth", &raw.min_depth, 0..=u64::MAX, base.min_depth as u64);
        let max_wildcards = number(
            "max_wildcards",
            &raw.max_wildcards,
            1..=MAX_WILDCARDS,
            base.max_wildcards as u64,
        );
        Collapse {
            above: above.try_into().unwrap_or(usize::MAX),
            weight: weight.try_into().unwrap_or(u32::MAX),
            min_depth: min_depth.try_into().unwrap_or(usize::MAX),
            max_wildcards: max_wildcards.try_into().unwrap_or(usize::MAX),
        }
    }

    fn role_arn(&mut self, at: At<'_>, arn: &str) {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let good = match *parts {
            ["arn", partition, "iam", "", account, resource] => {
                let name = resource.strip_prefix("role/").unwrap_or_default();
                let mark = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@/-".contains(&byte);
                partition.starts_with("aws")
                    && super::conditions::is_account(account)
                    && !name.is_empty()
                    && name.bytes().all(mark)
            }
            _ => false,
        };
        if !good {
            let message = format!("`{arn}` is not the ARN of a role");
            let finding = Finding::new(Code::BadRoleArn, at, message);
            self.report(finding.help("expected `arn:aws:iam::ACCOUNT:role/NAME`"));
        }
    }

    fn external_id(&mut self, at: At<'_>, id: &str) {
        let mark = |byte: u8| byte.is_ascii_alphanumeric() || EXTERNAL_ID_MARKS.contains(&byte);
        if !EXTERNAL_ID_LENGTH.contains(&id.len()) || !id.bytes().all(mark) {
            let message = format!("`{id}` is not an external id");
            let finding = Finding::new(Code::BadExternalId, at, message);
            self.report(finding.help("STS takes 2 to 1,224 letters, digits and `_+=,.@:/-`"));
        }
    }
}
