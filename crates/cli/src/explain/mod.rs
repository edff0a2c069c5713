//! `invalidator explain`: rule by rule, why a change leads to its items.

mod json;
mod text;

use std::io::{self, Write};

use s3_cloudfront_invalidator::{
    event::{Change, Identity, Kind, Occurrence},
    plan::{Plan, PlanOptions, Planner},
    rules::{Explanation, RuleSet, explain},
};

use crate::{Exit, Format, Global, input};

/// Explains, rule by rule, what a change of an object leads to.
///
/// Every rule is shown in order with the first condition that failed, then the
/// items per target with the template that made each, then what is sent when
/// all these changes arrive together.
#[derive(clap::Args)]
pub struct Args {
    /// Objects. What follows the bucket's slash is the key as S3 has it, not encoded.
    #[arg(required = true, value_name = "s3://BUCKET/KEY", value_parser = Object::read)]
    objects: Vec<Object>,
    #[command(flatten)]
    event: Event,
}

/// What happened to the objects.
#[derive(clap::Args)]
struct Event {
    /// What happened to them, as `events` in the rules names it.
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
    let explained: Vec<Explained> = args
        .objects
        .into_iter()
        .map(|object| Explained::new(&rules, args.event.of(object)))
        .collect();
    let plan = plan(&rules, &explained);
    let output = match global.format {
        Format::Text => text::render(&rules, &explained, &plan),
        Format::Json => json::render(&rules, &explained, &plan)?,
    };
    match anstream::stdout().lock().write_all(output.as_bytes()) {
        // Who reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    Ok(Exit::Done)
}

/// A change and why it leads to what.
struct Explained {
    change: Change,
    explanation: Explanation,
}

impl Explained {
    fn new(rules: &RuleSet, change: Change) -> Self {
        let explanation = explain(rules.rules(), rules.targets(), rules.fallback(), &change);
        Self { change, explanation }
    }
}

/// What is sent when all changes arrive together.
fn plan(rules: &RuleSet, explained: &[Explained]) -> Plan {
    let mut planner = Planner::new(rules.targets(), PlanOptions::default());
    for Explained { change, .. } in explained {
        planner.add(change, 0, &rules.route(change));
    }
    planner.finish()
}

impl Event {
    fn of(&self, object: Object) -> Change {
        let Object { bucket, key } = object;
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

/// An object by its S3 URI.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Object {
    bucket: String,
    key: String,
}

impl Object {
    fn read(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or("expected s3://BUCKET/KEY, as in s3://example-site/docs/index.html")?;
        match rest.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            _ => Err("expected a bucket and a key, as in s3://example-site/docs/index.html".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use s3_cloudfront_invalidator::distribution::DistributionId;

    use super::*;

    #[test]
    fn keys_are_everything_after_the_first_slash() {
        for (text, bucket, key) in [
            ("s3://b/k", "b", "k"),
            ("s3://b//k/", "b", "/k/"),
            ("s3://b/a b%20+?#*~", "b", "a b%20+?#*~"),
            ("s3://b/s3://c/d", "b", "s3://c/d"),
        ] {
            let object = Object { bucket: bucket.to_owned(), key: key.to_owned() };
            assert_eq!(Object::read(text), Ok(object), "{text}");
        }
        for text in ["", "k", "/b/k", "s3:/b/k", "S3://b/k", "s3://b", "s3://b/", "s3:///k"] {
            assert!(Object::read(text).is_err(), "{text}");
        }
    }

    /// What the command prints for one object, without colour, when the
    /// fallback is set.
    fn text(yaml: &str, object: &str) -> String {
        let fallback = DistributionId::distribution("E9EXAMPLE9").expect("an id");
        let rules = RuleSet::parse("rules.yaml", yaml.as_bytes()).expect("sound rules");
        let rules = rules.with_fallback(fallback);
        let event = Event { kind: Kind::Created, size: None, account: None, region: None };
        let explained = [Explained::new(&rules, event.of(Object::read(object).expect(object)))];
        let text = text::render(&rules, &explained, &plan(&rules, &explained));
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn the_fallback_is_shown_like_a_target() {
        assert_eq!(
            text("version: 1", "s3://b/a+b.html"),
            "s3://b/a+b.html (created): unmatched, goes to DistributionId\n\
             \n  DistributionId (E9EXAMPLE9)\
             \n    /a+b.html    no rule: {path}\
             \n    /a%2Bb.html  no rule: {path}\n\
             \nplan: 2 billed paths\
             \n  E9EXAMPLE9 (DistributionId)\
             \n    /a%2Bb.html\
             \n    /a+b.html\n"
        );
    }

    #[test]
    fn keys_do_not_steer_the_terminal() {
        let yaml = "version: 1\nrules: [{name: r, regex: '(.*)', invalidate: E1EXAMPLE}]";
        let text = text(yaml, "s3://b/\u{1b}[31mred\r\u{9b}m");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
        assert!(text.contains(r"s3://b/\u{1b}[31mred\r\u{9b}m (created)"), "{text}");
    }
}
