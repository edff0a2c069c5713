//! Fills generated parts into the SAM templates.
//!
//! Two comments mark the place of a part. Everything between them is replaced:
//!
//! ```yaml
//!       # BEGIN generated: rules-policies
//!       - PolicyName: rules …
//!       # END generated
//! ```
//!
//! | part | content |
//! |---|---|
//! | `rules-policies` | entries of a role's `Policies`: one, or none |
//! | `rules-patterns` | entries of `Resources`: an EventBridge rule with its alarm for every pattern |
//!
//! Generated values are JSON, which is also YAML, so that nothing needs YAML's
//! quoting rules.

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A generated part, with its text not indented.
pub struct TemplatePart {
    name: &'static str,
    text: String,
}

/// The part `rules-policies`, for the statements that the rules need.
pub fn policies(statements: &[Value]) -> TemplatePart {
    let text = if statements.is_empty() {
        String::new()
    } else {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let document = flow(&document, 4).replace(r#""arn:${AWS::"#, r#"!Sub "arn:${AWS::"#);
        format!("- PolicyName: rules\n  PolicyDocument: {document}\n")
    };
    TemplatePart { name: "rules-policies", text }
}

/// The part `rules-patterns`.
pub fn event_rules(patterns: &[Value]) -> TemplatePart {
    let rules = patterns.iter().map(|pattern| {
        let id = event_rule_id(pattern, patterns.len());
        // The whole name may have 64 characters, and that of the stack 55.
        let name = if patterns.len() == 1 { "rules-1" } else { &id };
        EVENT_RULE.replace("NAME", name).replace("ID", &id).replace("PATTERN", &flow(pattern, 6))
    });
    TemplatePart { name: "rules-patterns", text: rules.collect() }
}

/// Returns what tells an EventBridge rule from the others. A single rule is
/// changed in place. One of several has another id when its pattern changes, so
/// that CloudFormation creates all new rules before it deletes an old one:
/// changed one by one, an alternative that moves to another rule would match
/// neither for a time.
fn event_rule_id(pattern: &Value, patterns: usize) -> String {
    if patterns == 1 {
        return "1".to_owned();
    }
    let hash = Sha256::digest(pattern.to_string());
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// An EventBridge rule and its alarm. The rule depends on the queue's policy:
/// EventBridge does not retry if it lacks a permission.
const EVENT_RULE: &str = "\
RulesPatternID:
  Type: AWS::Events::Rule
  Condition: PatternFromRules
  DependsOn: QueuePolicy
  Properties:
    Name: !Sub ${AWS::StackName}-NAME
    Description: What rules.yaml acts on
    EventBusName: !Ref EventBusName
    EventPattern: PATTERN
    Targets:
      - Id: queue
        Arn: !GetAtt Queue.Arn
        DeadLetterConfig:
          Arn: !GetAtt DeadLetterQueue.Arn
RulesUndeliveredAlarmID:
  Type: AWS::CloudWatch::Alarm
  Condition: PatternFromRules
  Properties:
    AlarmDescription: EventBridge could not deliver changes. See \"Undelivered\" in docs/operate.md.
    Metrics:
      - Id: failed
        ReturnData: false
        MetricStat:
          Metric:
            Namespace: AWS/Events
            MetricName: FailedInvocations
            Dimensions:
              - Name: RuleName
                Value: !Sub ${AWS::StackName}-NAME
          Stat: Sum
          Period: 300
      - Id: lost
        ReturnData: false
        MetricStat:
          Metric:
            Namespace: AWS/Events
            MetricName: InvocationsFailedToBeSentToDlq
            Dimensions:
              - Name: RuleName
                Value: !Sub ${AWS::StackName}-NAME
          Stat: Sum
          Period: 300
      - Id: all
        Expression: FILL(failed, 0) + FILL(lost, 0)
        Label: changes that EventBridge could not deliver
    EvaluationPeriods: 1
    ComparisonOperator: GreaterThanThreshold
    Threshold: 0
    TreatMissingData: notBreaching
    AlarmActions: !If [HasAlarmTopic, [!Ref AlarmTopic], !Ref AWS::NoValue]
";

/// Fills the parts into the templates that do not have them yet.
pub fn fill_templates(templates: &[PathBuf], parts: &[TemplatePart]) -> anyhow::Result<()> {
    for path in templates {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read `{name}`"))?;
        let filled = fill(&text, parts).with_context(|| name.to_string())?;
        if filled != text {
            fs::write(path, &filled).with_context(|| format!("cannot write `{name}`"))?;
        }
        let state = if filled == text { "unchanged" } else { "written" };
        errln!("{name}: {state}");
    }
    Ok(())
}

/// Returns the template with the parts filled in. At least one of the parts
/// must have a place.
fn fill(template: &str, parts: &[TemplatePart]) -> anyhow::Result<String> {
    let mut filled = String::with_capacity(template.len());
    let mut is_filled = false;
    let mut lines = template.split_inclusive('\n').zip(1..);
    while let Some((line, number)) = lines.next() {
        filled += line;
        let name = line.trim().strip_prefix("# BEGIN generated: ");
        let Some(part) = name.and_then(|name| parts.iter().find(|part| part.name == name)) else {
            continue;
        };
        is_filled = true;
        let indent = &line[..line.len() - line.trim_start().len()];
        filled.extend(part.text.lines().flat_map(|line| [indent, line, "\n"]));
        let Some((end, _)) = lines.find(|(line, _)| line.trim() == "# END generated") else {
            bail!("the generated part that begins in line {number} has no `# END generated`");
        };
        filled += end;
    }
    if !is_filled {
        let lines: Vec<String> =
            parts.iter().map(|part| format!("`# BEGIN generated: {}`", part.name)).collect();
        bail!("the template has no line {}; start from deploy/sam", lines.join(" or "));
    }
    Ok(filled)
}

/// JSON with its lines indented for a nested YAML value.
fn flow(value: &Value, indent: usize) -> String {
    format!("{value:#}").replace('\n', &format!("\n{:indent$}", ""))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use s3_cloudfront_invalidator::rules::RuleSet;

    use super::*;
    use crate::{
        event_pattern::{PatternOptions, event_patterns},
        iam_policy::{PolicyAccount, TenantArns, rules_statements},
    };

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
    fn parts_are_filled_in() {
        let arn = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/E1EXAMPLE";
        let policies_of = |statements: &[Value], patterns: &[Value]| {
            [policies(statements), event_rules(patterns)]
        };
        let pattern = json!({"source": ["aws.s3"]});
        let statements = [json!({"Effect": "Allow", "Resource": [arn]})];
        let parts = policies_of(&statements, std::slice::from_ref(&pattern));

        let filled = fill(TEMPLATE, &parts).expect("a template");
        assert!(filled.contains(&format!("!Sub \"{arn}\"")), "{filled}");
        let untagged = ["!GetAtt ", "!Sub ", "!Ref ", "!If "]
            .iter()
            .fold(filled.clone(), |text, tag| text.replace(tag, ""));
        let read: Value = serde_yaml::from_str(&untagged).expect("YAML");
        let resources = &read["Resources"];
        assert_eq!(
            resources["Role"]["Policies"],
            json!([
                {"PolicyName": "rules",
                 "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
                {"PolicyName": "own"},
            ])
        );
        let rule = &resources["RulesPattern1"];
        assert_eq!(rule["Properties"]["EventPattern"], pattern);
        assert_eq!(rule["DependsOn"], "QueuePolicy");
        assert_eq!(resources["Queue"], json!({}));

        assert_eq!(fill(&filled, &parts).expect("filled before"), filled);
        let emptied = fill(&filled, &policies_of(&[], &[])).expect("filled before");
        assert_eq!(emptied, TEMPLATE.replace("      - old\n", ""));
    }

    /// With the suffix `.avif`, `.json` moves from the first pattern to the second.
    #[test]
    fn the_rule_of_a_pattern_keeps_its_id_only_with_its_pattern() {
        let rules_of = |suffixes: &str| {
            let yaml = format!(
                "version: 1\nrules: [{{name: r, bucket: b, prefix: p/, suffix: [{suffixes}], invalidate: E1EXAMPLE}}]"
            );
            let rules = RuleSet::parse("rules.yaml", yaml.as_bytes()).expect("rules");
            let patterns = event_patterns(rules.rules(), &PatternOptions::default()).patterns;
            let filled = fill(TEMPLATE, &[event_rules(&patterns)]).expect("a template");
            let ids: BTreeMap<String, Value> = patterns
                .iter()
                .map(|pattern| (event_rule_id(pattern, patterns.len()), pattern.clone()))
                .collect();
            assert!(ids.keys().all(|id| filled.contains(&format!("  RulesPattern{id}:\n"))));
            ids
        };
        let before = rules_of(".css, .html, .js, .json, .txt, .xml");
        let after = rules_of(".avif, .css, .html, .js, .json, .txt, .xml");
        assert_eq!((before.len(), after.len()), (2, 2));
        assert!(
            before.iter().all(|(id, pattern)| after.get(id).is_none_or(|same| same == pattern))
        );
        assert!(before != after);
        assert!(rules_of(".css").keys().eq(["1"]));
    }

    #[test]
    fn templates_without_a_place_are_refused() {
        let error = |template| {
            let filled = fill(template, &[policies(&[])]);
            filled.expect_err("no place").to_string()
        };
        assert!(error("Resources: {}\n").contains("`# BEGIN generated: rules-policies`"));
        assert!(error("a: 1\n# BEGIN generated: rules-policies\n").contains("line 2"));
    }

    /// `deploy/generate` writes what this compares.
    #[test]
    fn the_templates_agree_with_rules_yaml() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let read = |file| fs::read_to_string(root.join(file)).expect(file);
        let rules = read("rules.yaml");
        let rules = RuleSet::parse("rules.yaml", rules.as_bytes()).expect("rules");
        let statements = rules_statements(rules.targets(), PolicyAccount::STACK, TenantArns::Exact);
        let patterns = event_patterns(rules.rules(), &PatternOptions::default()).patterns;
        let parts = [policies(&statements), event_rules(&patterns)];
        for file in ["deploy/sam/template.yaml", "deploy/sam/direct.yaml"] {
            let committed = read(file);
            let filled = fill(&committed, &parts).expect(file);
            assert!(filled == committed, "{file} does not match rules.yaml: run deploy/generate");
        }
    }
}
