//! The parts of a CloudFormation template that follow from the rules.
//!
//! A template marks the place of a part with two comments, and whatever stands
//! between them is replaced:
//!
//! ```yaml
//!       # BEGIN generated: rules-policies
//!       - PolicyName: rules …
//!       # END generated
//! ```
//!
//! | part | what stands there |
//! |---|---|
//! | `rules-policies` | entries of a role's `Policies`: one, or none |
//! | `rules-patterns` | entries of `Resources`: an event rule for every pattern |
//! | `rules-pattern-arns` | entries of a list: those event rules' ARNs |
//!
//! Generated values are JSON, which is YAML too, and leaves no doubt about what
//! is a string.

use serde_json::{Value, json};

/// A part of a template: its name, and its text without indentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    name: &'static str,
    text: String,
}

/// A template that cannot be filled.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// There is nothing to fill.
    #[error("the template has no line `# BEGIN generated: {0}`; take it from deploy/sam")]
    NoPart(String),
    /// A part does not end.
    #[error("line {0} begins a generated part, and no line `# END generated` follows")]
    NoEnd(usize),
}

/// The part `rules-policies`, from the statements that the rules need.
pub fn policies(statements: &[Value]) -> Part {
    let text = if statements.is_empty() {
        String::new()
    } else {
        let document = json!({"Version": "2012-10-17", "Statement": substituted(statements)});
        format!("- PolicyName: rules\n  PolicyDocument: {}\n", flow(&document, 4))
    };
    Part { name: "rules-policies", text }
}

/// What the template calls the things that the parts refer to.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The condition under which the event rules are made.
    pub condition: &'a str,
    /// The queue they send to.
    pub queue: &'a str,
    /// The queue for what that one does not take.
    pub dead_letters: &'a str,
}

impl Names<'static> {
    /// The names in deploy/sam/template.yaml.
    pub const SAM: Self =
        Self { condition: "PatternFromRules", queue: "Queue", dead_letters: "DeadLetterQueue" };
}

/// The parts `rules-patterns` and `rules-pattern-arns`.
pub fn patterns(patterns: &[Value], names: Names<'_>) -> [Part; 2] {
    let Names { condition, queue, dead_letters } = names;
    let mut rules = String::new();
    let mut arns = String::new();
    if patterns.is_empty() {
        arns.push_str("[]\n");
    }
    for (pattern, number) in patterns.iter().zip(1..) {
        rules += &format!(
            "RulesPattern{number}:\n  Type: AWS::Events::Rule\n  Condition: {condition}\n  \
             Properties:\n    Description: What rules.yaml acts on, part {number} of {count}\n    \
             EventPattern: {pattern}\n    Targets:\n      - Id: queue\n        \
             Arn: !GetAtt {queue}.Arn\n        DeadLetterConfig:\n          \
             Arn: !GetAtt {dead_letters}.Arn\n",
            count = patterns.len(),
            pattern = flow(pattern, 6),
        );
        arns += &format!("- !GetAtt RulesPattern{number}.Arn\n");
    }
    [Part { name: "rules-patterns", text: rules }, Part { name: "rules-pattern-arns", text: arns }]
}

/// `template` with the parts in their places. Parts that it has no place for
/// are left out, but one at least must fit.
pub fn fill(template: &str, parts: &[Part]) -> Result<String, InvalidTemplate> {
    let mut filled = String::with_capacity(template.len());
    let mut found = false;
    let mut lines = template.split_inclusive('\n').zip(1..);
    while let Some((line, number)) = lines.next() {
        filled += line;
        let begins = line.trim().strip_prefix("# BEGIN generated: ");
        let Some(part) = begins.and_then(|name| parts.iter().find(|part| part.name == name)) else {
            continue;
        };
        found = true;
        let indent = &line[..line.len() - line.trim_start().len()];
        filled.extend(part.text.lines().flat_map(|line| [indent, line, "\n"]));
        let end = lines
            .find(|(line, _)| line.trim() == "# END generated")
            .ok_or(InvalidTemplate::NoEnd(number))?;
        filled += end.0;
    }
    if found {
        Ok(filled)
    } else {
        let names: Vec<_> = parts.iter().map(|part| part.name).collect();
        Err(InvalidTemplate::NoPart(names.join("` or `# BEGIN generated: ")))
    }
}

/// Values in which CloudFormation puts its own values for `${…}`.
fn substituted(values: &[Value]) -> Vec<Value> {
    fn substitute(value: &Value) -> Value {
        match value {
            Value::String(text) if text.contains("${AWS::") => json!({ "Fn::Sub": text }),
            Value::Array(list) => list.iter().map(substitute).collect(),
            Value::Object(fields) => Value::Object(
                fields.iter().map(|(name, value)| (name.clone(), substitute(value))).collect(),
            ),
            other => other.clone(),
        }
    }
    values.iter().map(substitute).collect()
}

/// JSON whose further lines are indented as YAML wants them in a nested value.
fn flow(value: &Value, indent: usize) -> String {
    format!("{value:#}").replace('\n', &format!("\n{:indent$}", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<'_> =
        Names { condition: "FromRules", queue: "Queue", dead_letters: "DeadLetters" };

    const TEMPLATE: &str = "\
Resources:
  Role:
    Policies:
      # BEGIN generated: rules-policies
      - old
      # END generated
      - PolicyName: own
  # BEGIN generated: rules-patterns
  # END generated
  Queue: {}
";

    #[test]
    fn parts_take_their_places() {
        let arn = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/E1EXAMPLE";
        let statements = [json!({"Effect": "Allow", "Resource": [arn]})];
        let pattern = json!({"source": ["aws.s3"]});
        let mut parts = vec![policies(&statements)];
        parts.extend(patterns(std::slice::from_ref(&pattern), NAMES));

        let filled = fill(TEMPLATE, &parts).expect("a template");
        // CloudFormation's short forms are tags; they are of no interest here.
        let plain = filled.replace("!GetAtt ", "");
        let read: Value = serde_yaml::from_str(&plain).expect("YAML");
        let resources = &read["Resources"];
        assert_eq!(
            resources["Role"]["Policies"],
            json!([
                {"PolicyName": "rules", "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Resource": [{"Fn::Sub": arn}]}],
                }},
                {"PolicyName": "own"},
            ])
        );
        assert_eq!(resources["RulesPattern1"]["Properties"]["EventPattern"], pattern);
        assert_eq!(resources["RulesPattern1"]["Condition"], "FromRules");
        assert_eq!(resources["Queue"], json!({}));

        // Once more changes nothing, and what was generated goes.
        assert_eq!(fill(&filled, &parts).as_ref(), Ok(&filled));
        let mut nothing = vec![policies(&[])];
        nothing.extend(patterns(&[], NAMES));
        assert_eq!(fill(&filled, &nothing), Ok(TEMPLATE.replace("      - old\n", "")));
    }

    #[test]
    fn templates_without_a_place_are_refused() {
        let parts = [policies(&[])];
        let error = fill("Resources: {}\n", &parts).expect_err("no place");
        assert!(error.to_string().contains("`# BEGIN generated: rules-policies`"), "{error}");
        let unended = "a: 1\n# BEGIN generated: rules-policies\n";
        assert_eq!(fill(unended, &parts), Err(InvalidTemplate::NoEnd(2)));
    }
}
