//! Whether a deployment delivers what the rules act on, from the parameters of its
//! template.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use s3_cloudfront_invalidator::{
    event::Kind,
    rules::{Action, BucketPattern, Rule, RuleSet},
};
use serde::Deserialize;
use toml_edit::{DocumentMut, Item};

use super::{Comparison, Difference};
use crate::{event_pattern::kind_detail_types, input};

/// The default of `DetailTypes` in the templates.
const DETAIL_TYPES: &str = "Object Created,Object Deleted";

/// The values of parameters by their names.
type Parameters = BTreeMap<String, String>;

/// Compares the rules with parameters, each `NAME=VALUE` or the name of a file.
pub fn compare_parameters(rules: &RuleSet, arguments: &[String]) -> anyhow::Result<Comparison> {
    let mut comparison = Comparison::default();
    let mut parameters = Parameters::new();
    for argument in arguments {
        match argument.split_once('=') {
            Some(_) => parameters.extend(assignment(argument)),
            None => parameters.extend(saved(argument)?),
        }
    }
    if parameters.is_empty() {
        return Ok(comparison);
    }
    if parameters.get("Pattern").is_some_and(|pattern| pattern == "rules") {
        comparison.notes.push(
            "`Buckets` and `DetailTypes` are not compared: with `Pattern=rules`, the template \
             delivers what rules.yaml acted on when `deploy/generate` last ran"
                .to_owned(),
        );
        return Ok(comparison);
    }
    let rules: Vec<&Rule> = rules
        .rules()
        .iter()
        .filter(|rule| matches!(rule.action, Action::Invalidate { .. }))
        .collect();
    let fallback = parameters.get("DistributionId").is_some_and(|id| !id.is_empty());
    match parameters.get("Buckets") {
        Some(buckets) => compare_buckets(&rules, &list(buckets), fallback, &mut comparison),
        None => {
            comparison.notes.push("the buckets are not compared: no parameter `Buckets`".into());
        }
    }
    let detail_types = parameters.get("DetailTypes").map_or(DETAIL_TYPES, String::as_str);
    compare_detail_types(&rules, &list(detail_types), &mut comparison);
    comparison.append(Comparison::default());
    Ok(comparison)
}

/// `fallback` says whether changes that no rule matches are invalidated, too.
fn compare_buckets(
    rules: &[&Rule],
    delivered: &[&str],
    fallback: bool,
    comparison: &mut Comparison,
) {
    for rule in rules {
        let buckets = &rule.conditions.buckets;
        let is_delivered = |bucket: &BucketPattern| delivered.iter().any(|one| bucket.matches(one));
        let never = !buckets.iter().any(is_delivered);
        for bucket in buckets.iter().filter(|bucket| !is_delivered(bucket)) {
            let problem = match bucket {
                BucketPattern::Exact(name) => {
                    format!("the parameter `Buckets` does not contain `{name}`; add it")
                }
                BucketPattern::Prefix(_) => format!(
                    "no bucket of the parameter `Buckets` matches `{bucket}`; add those that do"
                ),
            };
            comparison.differences.push(difference(rule, never, &problem));
        }
    }
    let is_needed = |name: &str| {
        let mut conditions = rules.iter().map(|rule| &rule.conditions.buckets);
        fallback
            || conditions.any(|buckets| {
                buckets.is_empty() || buckets.iter().any(|bucket| bucket.matches(name))
            })
    };
    for name in delivered.iter().filter(|name| !is_needed(name)) {
        comparison.notes.push(format!(
            "no rule invalidates for the bucket `{name}` of the parameter `Buckets`"
        ));
    }
}

fn compare_detail_types(rules: &[&Rule], delivered: &[&str], comparison: &mut Comparison) {
    for rule in rules {
        let kinds = rule.conditions.events.as_deref().unwrap_or(&Kind::ALL);
        let needed: BTreeSet<&str> =
            kinds.iter().flat_map(|&kind| kind_detail_types(kind)).copied().collect();
        let missing: Vec<&str> =
            needed.iter().filter(|one| !delivered.contains(one)).copied().collect();
        if !missing.is_empty() {
            let problem = format!(
                "the parameter `DetailTypes` lacks event types of the rule; add `{}`",
                missing.join(",")
            );
            comparison.differences.push(difference(rule, missing.len() == needed.len(), &problem));
        }
    }
}

fn difference(rule: &Rule, never: bool, problem: &str) -> Difference {
    let effect = if never { "never sees an event" } else { "does not see every event" };
    Difference { line: rule.line, message: format!("rule `{}` {effect}: {problem}", rule.name) }
}

/// The values of a `CommaDelimitedList`, whose spaces CloudFormation removes.
fn list(values: &str) -> Vec<&str> {
    values.split(',').map(str::trim).filter(|value| !value.is_empty()).collect()
}

/// Splits `NAME=VALUE`.
fn assignment(text: &str) -> Option<(String, String)> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Reads the parameters in a file.
fn saved(file: &str) -> anyhow::Result<Parameters> {
    let text = input::read_text(file.as_ref())?;
    if file.ends_with(".toml") {
        samconfig(&text).with_context(|| format!("cannot read the parameters in `{file}`"))
    } else {
        json(&text).with_context(|| {
            format!(
                "`{file}` is neither samconfig.toml nor the output of `aws cloudformation \
                 describe-stacks --stack-name NAME`"
            )
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stacks {
    stacks: [Stack; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stack {
    parameters: Vec<SavedParameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedParameter {
    parameter_key: String,
    parameter_value: String,
}

fn json(text: &str) -> serde_json::Result<Parameters> {
    let Stacks { stacks: [Stack { parameters }] } = serde_json::from_str(text)?;
    Ok(parameters.into_iter().map(|one| (one.parameter_key, one.parameter_value)).collect())
}

/// Reads `parameter_overrides` of the environment `default`, which `sam deploy
/// --guided` writes as words in quotes.
fn samconfig(text: &str) -> anyhow::Result<Parameters> {
    let document: DocumentMut = text.parse()?;
    let overrides = ["default", "deploy", "parameters", "parameter_overrides"]
        .into_iter()
        .try_fold(document.as_item(), |item, name| item.get(name));
    let words = match overrides {
        Some(Item::Value(value)) => match (value.as_str(), value.as_array()) {
            (Some(text), _) => shlex::split(text),
            (_, Some(words)) => words.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
            _ => None,
        },
        _ => None,
    };
    let Some(words) = words else {
        bail!("no `parameter_overrides` that is text or a list in `[default.deploy.parameters]`");
    };
    Ok(words.iter().filter_map(|word| assignment(word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_samconfig() {
        let guided =
            r#""Buckets=\"a,b\" DetailTypes=\"Object Created, Object Deleted\" Mode=\"drain\"""#;
        let list = r#"["Buckets=a,b", "DetailTypes=Object Created, Object Deleted", "Mode=drain"]"#;
        for overrides in [guided, list] {
            let text = format!(
                "version = 0.1\n[default.deploy.parameters]\nparameter_overrides = {overrides}\n"
            );
            let read = samconfig(&text).expect("parameters");
            assert_eq!(read["Buckets"], "a,b");
            assert_eq!(super::list(&read["DetailTypes"]), ["Object Created", "Object Deleted"]);
            assert_eq!(read.len(), 3);
        }
        for text in ["a = ", "", "[default.deploy.parameters]\nparameter_overrides = 1\n"] {
            samconfig(text).expect_err(text);
        }
    }

    /// The templates' default is the one that is assumed here.
    #[test]
    fn default_detail_types() {
        for file in ["template.yaml", "direct.yaml", "forward.yaml"] {
            let path = format!("{}/../../deploy/sam/{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).expect(file);
            let expected = format!(
                "DetailTypes:\n    Type: CommaDelimitedList\n    Default: {DETAIL_TYPES}\n"
            );
            assert!(text.contains(&expected), "{file}");
        }
    }
}
