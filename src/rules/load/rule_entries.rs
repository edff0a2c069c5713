//! The entries of `rules`.

use std::collections::HashMap;

use crate::{
    distribution::DistributionId,
    event::Kind,
    item::PathSettings,
    rules::{
        Action, Conditions, Invalidate, Rule, RuleRegex, Template, TemplateError,
        finding::{Code, Finding, Findings},
        mapping::{EXCEPT, INVALIDATE, MappingReader, RULE, read, read_list, read_texts},
        rule_regex::{MAX_PROGRAMS, SMALLER_REGEX},
        yaml::{Node, Shape, Span},
    },
    target::TargetIndex,
};

use super::{condition_values::read_conditions, target_entries::TargetTable, unknown_target};

/// The events of a rule without `events`.
const DEFAULT_EVENTS: &[Kind] = &[Kind::Created, Kind::Deleted];

pub(super) fn read_rules(
    rules: Node<'_>,
    targets: &mut TargetTable,
    findings: &mut Findings,
) -> Vec<Rule> {
    let mut names = HashMap::new();
    let mut list = Vec::new();
    let mut programs = 0;
    for node in read_list(rules, "a list of rules", findings) {
        if findings.is_full() {
            break;
        }
        if let Some(mut fields) = MappingReader::new(node, &RULE, findings) {
            let rule = read_rule(&mut fields, &mut names, targets);
            let before = programs;
            programs += rule.regexes().map(RuleRegex::program_bytes).sum::<usize>();
            if before <= MAX_PROGRAMS && programs > MAX_PROGRAMS {
                findings.push(too_large(node));
            }
            list.push(rule);
        }
    }
    list
}

/// Returns a finding about the rule whose regexes exceed the limit of the file.
fn too_large(rule: Node<'_>) -> Finding {
    let message = format!(
        "with this rule, the regexes of the file may need more than {} MB when compiled",
        MAX_PROGRAMS >> 20
    );
    let field = ["regex", "except"].into_iter().find_map(|field| rule.field(field));
    field.unwrap_or(rule).finding(Code::RegexesTooLarge, message).help(SMALLER_REGEX)
}

fn read_rule<'t>(
    fields: &mut MappingReader<'_, 't>,
    names: &mut HashMap<&'t str, Span>,
    targets: &mut TargetTable,
) -> Rule {
    let node = fields.node;
    let name = read_name(fields, names);
    let ignore = fields.read("ignore").unwrap_or(false);
    let allow_wildcards = fields.read("allow_wildcards").unwrap_or(false);
    let stop = fields.read("stop").unwrap_or(false);
    let conditions = read_conditions(fields, (!ignore).then_some(DEFAULT_EVENTS));
    let sets = fields.nodes("except").filter_map(|node| {
        let set = MappingReader::new(node, &EXCEPT, fields.findings);
        set.map(|mut fields| read_conditions(&mut fields, None))
    });
    let except = sets.collect();
    let invalidates = read_invalidates(fields, &conditions, targets);
    let conflict = |field, message| node.field_finding(Code::ConflictingFields, field, message);
    let finding = match (ignore, node.field("invalidate").is_some()) {
        (true, true) => Some(
            conflict("invalidate", "a rule with `ignore: true` cannot invalidate anything")
                .help("remove `ignore` or `invalidate`"),
        ),
        (true, false) if stop => {
            Some(conflict("stop", "a rule with `ignore: true` always stops").help("remove `stop`"))
        }
        (false, true) if allow_wildcards => {
            let message = "`allow_wildcards` has no effect without `ignore: true`";
            Some(conflict("allow_wildcards", message).help("remove `allow_wildcards`"))
        }
        (false, false) => Some(
            node.finding(
                Code::MissingField,
                "the rule has neither `invalidate` nor `ignore: true`",
            )
            .help("name the targets: `invalidate: [TARGET]`"),
        ),
        _ => None,
    };
    finding.into_iter().for_each(|finding| fields.findings.push(finding));
    let action = match ignore {
        true => Action::Ignore { allow_wildcards },
        false => Action::Invalidate { targets: invalidates, stop },
    };
    Rule { name: name.into(), line: node.span().line, conditions, except, action }
}

fn read_name<'t>(fields: &mut MappingReader<'_, 't>, names: &mut HashMap<&'t str, Span>) -> String {
    const MISSING: [&str; 2] =
        ["the rule has no `name`", "add a name: logs, metrics and `explain` show it"];
    let Some(node) = fields.required("name", MISSING) else { return String::new() };
    let Some(name) = read::<String>(node, fields.findings) else { return String::new() };
    if name.trim().is_empty() {
        fields.findings.push(node.finding(Code::EmptyValue, "the name of the rule is empty"));
    } else if let Some(first) = names.get(&*name) {
        let finding = node.finding(Code::DuplicateName, format!("a second rule is named `{name}`"));
        let first = format!("first at line {}, column {}", first.line, first.column);
        fields.findings.push(finding.note(first).help("give each rule its own name"));
    } else {
        names.insert(node.text(), node.span());
    }
    name
}

fn read_invalidates(
    fields: &mut MappingReader<'_, '_>,
    conditions: &Conditions,
    targets: &mut TargetTable,
) -> Vec<Invalidate> {
    // With an invalid regex the captures are not known, and templates are not checked.
    let regexes = fields.node.field("regex").map_or(0, |node| node.values().count());
    let regexes = (regexes == conditions.regexes.len()).then_some(&*conditions.regexes);
    let mut entries = Vec::with_capacity(1);
    for node in fields.nodes("invalidate") {
        if node.shape() == Shape::Text {
            let target = target_index(node, targets, fields.findings);
            let (paths, tags) = (vec![Template::default()], Vec::new());
            entries.extend(target.map(|target| Invalidate::new(target, paths, tags)));
        } else if let Some(mut fields) = MappingReader::new(node, &INVALIDATE, fields.findings) {
            entries.extend(read_invalidate(&mut fields, regexes, targets));
        }
    }
    entries
}

fn read_invalidate(
    fields: &mut MappingReader<'_, '_>,
    regexes: Option<&[RuleRegex]>,
    targets: &mut TargetTable,
) -> Option<Invalidate> {
    const MISSING: [&str; 2] = ["the entry has no `target`", "name the target: `target: NAME`"];
    let target = fields.required("target", MISSING).and_then(|node| {
        read::<String>(node, fields.findings)?;
        target_index(node, targets, fields.findings)
    });
    let (paths_node, tags_node) = (fields.node.field("paths"), fields.node.field("tags"));
    let is_empty = |node: Node<'_>| node.values().next().is_none();
    if let Some(paths) = paths_node.filter(|node| is_empty(*node))
        && tags_node.is_none_or(is_empty)
    {
        let message = "the entry has no paths and no tags, so it invalidates nothing";
        let help = "remove `paths` to invalidate the object's own path, or add `tags`";
        fields.findings.push(paths.finding(Code::EmptyList, message).help(help));
    }
    let mut texts =
        |node: Option<_>| node.map_or_else(Vec::new, |node| read_texts(node, fields.findings));
    let (path_texts, tag_texts) = (texts(paths_node), texts(tags_node));
    let regexes = regexes?;
    let mut paths = read_templates(path_texts, regexes, Template::path, fields.findings);
    if paths_node.is_none() {
        paths.push(Template::default());
    }
    let tags = read_templates(tag_texts, regexes, Template::tag, fields.findings);
    let target = target?;
    if let Some(node) = paths_node {
        refuse_protected(node, &paths, &targets.target(target).paths, fields.findings);
    }
    Some(Invalidate::new(target, paths, tags))
}

/// Reports wildcards that purge what the target protects, whatever the change.
fn refuse_protected(
    node: Node<'_>,
    paths: &[Template],
    settings: &PathSettings,
    findings: &mut Findings,
) {
    for path in paths.iter().filter(|path| path.is_wildcard()) {
        let start = path.literal_prefix();
        let is_purged = |prefix: &&String| {
            start.starts_with(&***prefix) || path.is_literal() && prefix.starts_with(start)
        };
        let Some(protected) = settings.protect.iter().find(is_purged) else { continue };
        let message =
            format!("`{path}` purges paths below `{protected}`, which the target protects");
        let written = node.values().find(|node| node.text() == path.text());
        let finding = written.unwrap_or(node).finding(Code::ProtectedPath, message);
        findings
            .push(finding.help("write a narrower wildcard, or remove the prefix from `protect`"));
    }
}

fn read_templates(
    texts: Vec<(Node<'_>, String)>,
    regexes: &[RuleRegex],
    parse: fn(&str, &[RuleRegex]) -> Result<Template, TemplateError>,
    findings: &mut Findings,
) -> Vec<Template> {
    let mut templates = Vec::new();
    for (node, text) in texts {
        match parse(&text, regexes) {
            Ok(template) => templates.push(template),
            Err(TemplateError { problem, help, unknown }) => {
                let finding = node.finding(Code::BadTemplate, problem);
                findings.push(Finding { unknown, ..finding.help(help) });
            }
        }
    }
    templates
}

fn target_index(
    node: Node<'_>,
    targets: &mut TargetTable,
    findings: &mut Findings,
) -> Option<TargetIndex> {
    let name = node.text();
    if let Some(index) = targets.get(name) {
        return index;
    }
    if let Ok(id) = DistributionId::distribution(name) {
        return Some(targets.add_bare(id));
    }
    findings.push(unknown_target(node.finding(Code::UnknownTarget, ""), name, &targets.names()));
    None
}
