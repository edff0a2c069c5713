//! `invalidator explain`: how the rules decide a change, rule by rule.

mod explanation;
mod text;

use s3_cloudfront_invalidator::{
    event::{Change, Identity, Kind, Occurrence},
    plan::{Plan, Planner},
    rules::RuleSet,
};
use serde::Serialize;

use self::explanation::Explanation;
use crate::{
    Exit, Format, Global,
    input::{self, S3Uri},
    output::print_json,
    plan::document::PlanDocument,
};

/// Explains, rule by rule, what a change of an object invalidates.
///
/// Shows every rule in order with the first condition that is not satisfied,
/// then the items per target with the template that produced each, then the plan
/// for all these changes together.
#[derive(clap::Args)]
pub struct Args {
    /// Objects. The key is everything after the bucket's slash, not encoded.
    #[arg(required = true, value_name = "s3://BUCKET/KEY", value_parser = S3Uri::parse)]
    objects: Vec<S3Uri>,
    #[command(flatten)]
    event: EventArgs,
}

/// The event of the objects.
#[derive(clap::Args)]
struct EventArgs {
    /// The event, as in `events` of a rule.
    #[arg(long = "event", value_name = "EVENT", default_value = "created")]
    kind: Kind,
    /// Their size in bytes, for rules with min_size or max_size.
    #[arg(long, value_name = "BYTES")]
    size: Option<u64>,
    /// The AWS account of the buckets, for rules with account.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The region of the buckets, for rules with region.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

pub fn run(args: Args, global: &Global) -> anyhow::Result<Exit> {
    let rules = input::load_rules(global)?;
    let changes: Vec<Change> =
        args.objects.into_iter().map(|object| args.event.change(object)).collect();
    let (explanations, plan) = explain(&rules, &changes);
    match global.format {
        Format::Text => out!("{}", text::render(&explanations, &plan)),
        Format::Json => print_json(&ExplainDocument {
            changes: explanations,
            plan: PlanDocument::planned(&plan),
        })?,
    }
    Ok(Exit::Done)
}

/// Explains each change, and plans them all together.
fn explain<'a>(rules: &'a RuleSet, changes: &'a [Change]) -> (Vec<Explanation<'a>>, Plan) {
    let mut planner = Planner::new(rules.targets());
    let mut explanations = Vec::new();
    for change in changes {
        let (explanation, decision) = Explanation::new(rules, change);
        planner.add(change, 0, &decision);
        explanations.push(explanation);
    }
    (explanations, planner.finish())
}

/// The output of `--format json`.
#[derive(Serialize)]
struct ExplainDocument<'a> {
    changes: Vec<Explanation<'a>>,
    plan: PlanDocument,
}

impl EventArgs {
    fn change(&self, object: S3Uri) -> Change {
        let S3Uri { bucket, key } = object;
        let kind = self.kind;
        Change {
            identity: Identity::new(&bucket, &key, kind, None, Occurrence::Only, None),
            bucket: bucket.into(),
            key,
            kind,
            time_ms: None,
            size: self.size,
            account: self.account.as_deref().map(Into::into),
            region: self.region.as_deref().map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use s3_cloudfront_invalidator::{distribution::DistributionId, rules::Condition};

    use super::{
        explanation::{FallbackUse, RuleResult},
        *,
    };

    fn rules(yaml: &str) -> RuleSet {
        let yaml = format!("version: 1\n{yaml}");
        RuleSet::parse("rules.yaml", yaml.as_bytes()).expect("sound rules")
    }

    fn change(object: &str) -> Change {
        let event = EventArgs { kind: Kind::Created, size: None, account: None, region: None };
        event.change(S3Uri::parse(object).expect(object))
    }

    /// The text for one object without colour, with a fallback.
    fn text(yaml: &str, object: &str) -> String {
        let fallback = DistributionId::distribution("E9EXAMPLE9").expect("an id");
        let rules = rules(yaml).with_fallback(fallback);
        let changes = [change(object)];
        let (explanations, plan) = explain(&rules, &changes);
        anstream::adapter::strip_str(&text::render(&explanations, &plan)).to_string()
    }

    #[test]
    fn the_fallback_is_shown_as_a_target() {
        assert_eq!(
            text("", "s3://b/a+b.html"),
            "s3://b/a+b.html (created): unmatched, goes to DistributionId\n\
             \n  DistributionId (E9EXAMPLE9)\
             \n    /a+b.html    DistributionId: {path}\
             \n    /a%2Bb.html  DistributionId: {path}\n\
             \nplan: 2 billed paths\
             \n  E9EXAMPLE9 (DistributionId)\
             \n    /a%2Bb.html\
             \n    /a+b.html\n"
        );
    }

    #[test]
    fn hidden_characters_of_keys_are_escaped() {
        let yaml = "rules: [{name: r, regex: '(.*)', invalidate: E1EXAMPLE}]";
        let text = text(yaml, "s3://b/\u{1b}[31mred\r\u{9b}m\u{202e}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
        assert!(text.contains(r"s3://b/\u{1b}[31mred\r\u{9b}m\u{202e} (created)"), "{text}");
    }

    #[test]
    fn the_first_condition_that_fails_is_named() {
        let rules = rules(
            "rules: [{name: r, ignore: true, bucket: [b, x-*], prefix: [p/, q/], suffix: .html,
              regex: '[0-9]', events: [created, deleted], account: '111122223333',
              region: eu-west-1, min_size: 10, max_size: 20}]",
        );
        let good = Change {
            account: Some("111122223333".into()),
            region: Some("eu-west-1".into()),
            size: Some(10),
            ..change("s3://b/p/1.html")
        };
        assert!(matches!(results(&rules, &good)[..], [RuleResult::Matched { .. }]));
        type Case = (fn(&mut Change), Condition, &'static [&'static str], Option<&'static str>);
        let cases: [Case; 11] = [
            (|c| c.bucket = "c".into(), Condition::Bucket, &["b", "x-*"], Some("c")),
            (|c| c.key = "1.html".into(), Condition::Prefix, &["p/", "q/"], Some("1.html")),
            (|c| c.key = "p/1".into(), Condition::Suffix, &[".html"], Some("p/1")),
            (
                |c| c.kind = Kind::Restored,
                Condition::Events,
                &["created", "deleted"],
                Some("restored"),
            ),
            (|c| c.account = None, Condition::Account, &["111122223333"], None),
            (|c| c.account = Some("4".into()), Condition::Account, &["111122223333"], Some("4")),
            (|c| c.region = Some("x".into()), Condition::Region, &["eu-west-1"], Some("x")),
            (|c| c.size = None, Condition::MinSize, &["10"], None),
            (|c| c.size = Some(9), Condition::MinSize, &["10"], Some("9")),
            (|c| c.size = Some(21), Condition::MaxSize, &["20"], Some("21")),
            (|c| c.key = "p/a.html".into(), Condition::Regex, &["[0-9]"], Some("p/a.html")),
        ];
        for (edit, condition, wanted, actual) in cases {
            let mut change = good.clone();
            edit(&mut change);
            let wanted = wanted.iter().map(|&text| text.to_owned()).collect();
            let failed =
                RuleResult::Failed { condition, wanted, actual: actual.map(str::to_owned) };
            assert_eq!(results(&rules, &change), [failed]);
        }
    }

    #[test]
    fn except_sets_are_numbered() {
        let rules = rules(
            "rules: [{name: r, ignore: true, except: [{prefix: x/}, {suffix: a, prefix: d/}]}]",
        );
        let conditions = vec![Condition::Prefix, Condition::Suffix];
        let excepted = RuleResult::Excepted { except: 1, conditions, sets: 2 };
        assert_eq!(results(&rules, &change("s3://b/d/a")), [excepted]);
    }

    #[test]
    fn entries_for_the_same_target_are_kept_apart() {
        let rules = rules(
            "targets: {www: E1EXAMPLE}
rules: [{name: r, invalidate: [{target: www, paths: /a}, {target: www, paths: /b}]}]",
        );
        let change = change("s3://b/k");
        let (explanation, _) = Explanation::new(&rules, &change);
        let made: Vec<_> = explanation.targets[0].made.iter().map(|made| &made.items).collect();
        assert_eq!(made, [&["/a"], &["/b"]]);
    }

    #[test]
    fn the_use_of_the_fallback_is_explained() {
        let id = DistributionId::distribution("E9EXAMPLE9").expect("an id");
        let without = || rules("rules: [{name: r, prefix: tmp/, ignore: true}]");
        let with = without().with_fallback(id);
        for (rules, kind, key, expected) in [
            (&with, Kind::Created, "a", FallbackUse::Taken),
            (&with, Kind::Deleted, "a", FallbackUse::Taken),
            (&with, Kind::TagsChanged, "a", FallbackUse::OtherEvent),
            (&with, Kind::Created, "tmp/a", FallbackUse::NotNeeded),
            (&without(), Kind::Created, "a", FallbackUse::NotSet),
        ] {
            let change = Change { kind, ..change(&format!("s3://b/{key}")) };
            let (explanation, decision) = Explanation::new(rules, &change);
            assert_eq!(explanation.fallback, expected, "{kind} {key}");
            assert_eq!(decision, rules.route(&change), "{kind} {key}");
        }
    }

    fn results<'a>(rules: &'a RuleSet, change: &'a Change) -> Vec<RuleResult<'a>> {
        Explanation::new(rules, change).0.rules.into_iter().map(|rule| rule.result).collect()
    }
}
