//! Rules: names, conditions, and what they invalidate.

use std::collections::HashMap;

use crate::{
    distribution::DistributionId,
    event::Kind,
    rules::{
        Action, Invalidate, Rule, RuleRegex, TargetIndex, Template, TemplateError,
        file::{InvalidateForm, RawConditions, RawInvalidate, RawRule, Rules, Texts},
        finding::{Code, Finding},
        source::{At, Span},
        suggest,
        value::{Given, OneOrMany},
    },
};

use super::{Check, conditions::all_regexes_read, target::TargetTable};

/// What a rule without `events` matches.
const DEFAULT_EVENTS: &[Kind] = &[Kind::Created, Kind::Deleted];

impl Check<'_> {
    pub(super) fn rules(
        &mut self,
        at: At<'_>,
        given: &Given<Rules>,
        targets: &mut TargetTable,
    ) -> Vec<Rule> {
        let Some(rules) = self.value(at, given) else { return Vec::new() };
        let mut names = HashMap::new();
        self.items(at, &rules.0)
            .into_iter()
            .map_while(|(at, raw)| {
                if self.findings.is_full() {
                    return None;
                }
                let name = self.rule_name(at, raw, &mut names);
                Some(self.rule(at, name, raw, targets))
            })
            .collect()
    }

    fn rule_name<'r>(
        &mut self,
        at: At<'_>,
        raw: &'r RawRule,
        names: &mut HashMap<&'r str, Span>,
    ) -> String {
        let name_at = at.field("name");
        let name = self.required(name_at, &raw.name, || {
            Finding::new(Code::MissingField, at, "the rule has no `name`")
                .help("give it one: logs, metrics and explanations use it")
        });
        let Some(name) = name else { return String::new() };
        if name.trim().is_empty() {
            self.error(Code::EmptyValue, name_at, "the rule's name is empty");
        } else if let Some(first) = names.get(&**name) {
            let message = format!("a second rule named `{name}`");
            let first = format!("first at line {}, column {}", first.line, first.column);
            let finding = Finding::new(Code::DuplicateName, name_at, message).note(first);
            self.report(finding.help("give each rule its own name"));
        } else {
            names.insert(name, name_at.span());
        }
        name.clone()
    }

    fn rule(&mut self, at: At<'_>, name: String, raw: &RawRule, targets: &mut TargetTable) -> Rule {
        let ignore = self.value(at.field("ignore"), &raw.ignore).copied().unwrap_or(false);
        let stop = self.value(at.field("stop"), &raw.stop).copied().unwrap_or(false);
        let conditions = self.conditions(at, &raw.conditions, (!ignore).then_some(DEFAULT_EVENTS));
        let except = self
            .values(at.field("except"), &raw.except)
            .into_iter()
            .map(|(at, raw): (_, &RawConditions)| self.conditions(at, raw, None))
            .collect();
        let regexes =
            all_regexes_read(&raw.conditions, &conditions).then_some(&*conditions.regexes);
        let invalidate = self.invalidate(at.field("invalidate"), &raw.invalidate, regexes, targets);
        let nothing = matches!(raw.invalidate, Given::Absent);
        let conflict = |field: &str, message: &str| {
            Finding::on_field(Code::ConflictingFields, at, field, message)
        };
        if ignore && !nothing {
            let message = "a rule that ignores invalidates nothing";
            let finding = conflict("invalidate", message);
            self.report(finding.help("take out `ignore` or `invalidate`"));
        } else if ignore && stop {
            let finding = conflict("stop", "a rule that ignores always stops");
            self.report(finding.help("take out `stop`"));
        } else if !ignore && nothing {
            let message = "the rule says neither `invalidate` nor `ignore: true`";
            let finding = Finding::new(Code::MissingField, at, message);
            self.report(finding.help("name the targets: `invalidate: [TARGET]`"));
        }
        let action = match ignore {
            true => Action::Ignore,
            false => Action::Invalidate { targets: invalidate, stop },
        };
        Rule { name: name.into(), line: at.span().line, conditions, except, action }
    }

    /// The entries of `invalidate`. Without regexes (one of them is wrong)
    /// captures are not known, and templates not checked.
    fn invalidate(
        &mut self,
        at: At<'_>,
        given: &Given<OneOrMany<InvalidateForm>>,
        regexes: Option<&[RuleRegex]>,
        targets: &mut TargetTable,
    ) -> Vec<Invalidate> {
        let mut entries = Vec::new();
        for (at, form) in self.values(at, given) {
            let (target, paths, tags) = match form {
                InvalidateForm::Name(name) => {
                    (self.target_index(at, name, targets), vec![Template::default()], vec![])
                }
                InvalidateForm::Long(raw) => {
                    let target = self.entry_target(at, raw, targets);
                    let (paths, tags) = self.entry_templates(at, raw, regexes);
                    (target, paths, tags)
                }
            };
            entries.extend(target.map(|target| Invalidate { target, paths, tags }));
        }
        entries
    }

    fn entry_target(
        &mut self,
        at: At<'_>,
        raw: &RawInvalidate,
        targets: &mut TargetTable,
    ) -> Option<TargetIndex> {
        let name = self.required(at.field("target"), &raw.target, || {
            Finding::new(Code::MissingField, at, "the entry has no `target`")
                .help("say which target: `target: NAME`")
        })?;
        self.target_index(at.field("target"), name, targets)
    }

    fn entry_templates(
        &mut self,
        at: At<'_>,
        raw: &RawInvalidate,
        regexes: Option<&[RuleRegex]>,
    ) -> (Vec<Template>, Vec<Template>) {
        let (paths_at, tags_at) = (at.field("paths"), at.field("tags"));
        let paths = self.value(paths_at, &raw.paths);
        let tags = self.value(tags_at, &raw.tags);
        if paths.is_some_and(Texts::is_empty) && tags.is_none_or(Texts::is_empty) {
            let message = "no paths and no tags: the entry invalidates nothing";
            let finding = Finding::new(Code::EmptyList, paths_at, message);
            self.report(finding.help("leave `paths` out for the object's own path, or add `tags`"));
        }
        let path_texts = self.texts(paths_at, paths);
        let tag_texts = self.texts(tags_at, tags);
        let Some(regexes) = regexes else { return (Vec::new(), Vec::new()) };
        let default = matches!(raw.paths, Given::Absent).then(Template::default);
        let paths = path_texts
            .into_iter()
            .filter_map(|(at, text)| self.template(at, Template::path(text, regexes)));
        let paths = default.into_iter().chain(paths).collect();
        let tags = tag_texts
            .into_iter()
            .filter_map(|(at, text)| self.template(at, Template::tag(text, regexes)))
            .collect();
        (paths, tags)
    }

    fn template(
        &mut self,
        at: At<'_>,
        template: Result<Template, TemplateError>,
    ) -> Option<Template> {
        template
            .map_err(|TemplateError { problem, help }| {
                self.report(Finding::new(Code::BadTemplate, at, problem).help(help));
            })
            .ok()
    }

    fn target_index(
        &mut self,
        at: At<'_>,
        name: &str,
        targets: &mut TargetTable,
    ) -> Option<TargetIndex> {
        if let Some(index) = targets.get(name) {
            return index;
        }
        if let Ok(id) = DistributionId::distribution(name) {
            return Some(targets.add_bare(id));
        }
        self.report(unknown_target(at, name, targets));
        None
    }
}

/// A finding about a name that is no target.
pub(super) fn unknown_target(at: At<'_>, name: &str, targets: &TargetTable) -> Finding {
    let names = targets.names();
    let help = match suggest::nearest(name, names.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None if DistributionId::tenant(name).is_ok() => {
            format!("name the tenant under `targets`: `NAME: {{ tenant: {name} }}`")
        }
        None if names.is_empty() => {
            "the file has no `targets`; add one, or write a distribution's id".to_owned()
        }
        None => format!("the targets are {}", suggest::quote_list(&names)),
    };
    Finding::new(Code::UnknownTarget, at, format!("no target is named `{name}`")).help(help)
}
