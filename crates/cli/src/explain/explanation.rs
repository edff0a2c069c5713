//! Observes the rules as they decide a change.

use s3_cloudfront_invalidator::{
    distribution::DistributionId,
    event::Change,
    rules::{
        Action, BucketPattern, Condition, Conditions, Contribution, Decision, Mismatch, Rule,
        RuleMatch, RuleObserver, RuleRegex, RuleSet, Verdict,
    },
    target::{Target, TargetIndex},
};
use serde::Serialize;

/// How the rules decide a change, as `--format json` prints it.
#[derive(Serialize)]
pub struct Explanation<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<&'a str>,
    pub verdict: Verdict,
    pub fallback: FallbackUse,
    /// One for each rule, in the order of the file.
    pub rules: Vec<RuleExplanation<'a>>,
    /// In the order in which they were first used.
    pub targets: Vec<TargetItems<'a>>,
}

/// Whether the fallback (`DistributionId`) was used.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FallbackUse {
    /// A rule matched.
    NotNeeded,
    NotSet,
    /// The fallback handles created and deleted objects only.
    OtherEvent,
    Taken,
}

#[derive(Serialize)]
pub struct RuleExplanation<'a> {
    #[serde(rename = "rule")]
    pub name: &'a str,
    pub line: usize,
    #[serde(flatten)]
    pub result: RuleResult<'a>,
}

/// What a rule makes of a change.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum RuleResult<'a> {
    Matched {
        ignore: bool,
        stop: bool,
        regex: Option<&'a str>,
        captures: Vec<Capture<'a>>,
    },
    /// The first condition that is not satisfied, its values in rules.yaml and
    /// the value of the change, if known.
    Failed {
        condition: Condition,
        wanted: Vec<String>,
        actual: Option<String>,
    },
    Excepted {
        /// The index of the set that is satisfied.
        except: usize,
        conditions: Vec<Condition>,
        #[serde(skip)]
        sets: usize,
    },
    /// An earlier rule was the last one evaluated.
    NotRead {
        after: &'a str,
    },
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Capture<'a> {
    /// The name or number.
    pub name: String,
    /// `None` if it did not participate in the match.
    pub text: Option<&'a str>,
}

#[derive(Serialize)]
pub struct TargetItems<'a> {
    #[serde(rename = "target")]
    pub name: &'a str,
    #[serde(flatten)]
    pub id: &'a DistributionId,
    /// Whether the key is below the origin path.
    pub served: bool,
    pub made: Vec<TemplateItems<'a>>,
    #[serde(skip)]
    pub target: &'a Target,
}

/// The result of one template of one rule; without items if the target does not
/// serve the key, or if a capture did not participate in the match.
#[derive(Serialize)]
pub struct TemplateItems<'a> {
    /// `None` for the fallback.
    pub rule: Option<&'a str>,
    pub template: &'a str,
    pub items: Vec<String>,
    /// Reasons.
    pub unaddressable: Vec<String>,
}

impl<'a> Explanation<'a> {
    /// Decides a change, and explains the decision.
    pub fn new(rules: &'a RuleSet, change: &'a Change) -> (Self, Decision) {
        let mut explainer =
            Explainer { set: rules, change, rules: Vec::new(), last: "", targets: Vec::new() };
        let decision = rules.observe(change, &mut explainer);
        let Explainer { rules: mut explained_rules, last, targets, .. } = explainer;
        let rest = &rules.rules()[explained_rules.len()..];
        explained_rules
            .extend(rest.iter().map(|rule| explained(rule, RuleResult::NotRead { after: last })));
        let fallback = match (decision.verdict, rules.fallback()) {
            (Verdict::Matched | Verdict::Ignored, _) => FallbackUse::NotNeeded,
            (Verdict::Unmatched, None) => FallbackUse::NotSet,
            (Verdict::Unmatched, _) if change.kind.changes_content() => FallbackUse::Taken,
            (Verdict::Unmatched, _) => FallbackUse::OtherEvent,
        };
        let explanation = Self {
            bucket: &change.bucket,
            key: &change.key,
            event: change.kind.name(),
            size: change.size,
            account: change.account.as_deref(),
            region: change.region.as_deref(),
            verdict: decision.verdict,
            fallback,
            rules: explained_rules,
            targets,
        };
        (explanation, decision)
    }
}

struct Explainer<'a> {
    set: &'a RuleSet,
    change: &'a Change,
    /// The rules evaluated so far.
    rules: Vec<RuleExplanation<'a>>,
    /// The name of the last rule that matched.
    last: &'a str,
    targets: Vec<TargetItems<'a>>,
}

impl<'a> RuleObserver<'a> for Explainer<'a> {
    fn matched(&mut self, rule: &'a Rule, RuleMatch { regex, .. }: RuleMatch<'a>) {
        let mut captures = Vec::new();
        if let Some(regex) = regex
            && let Some(texts) = regex.captures(&self.change.key)
        {
            captures.extend((1..).zip(regex.groups()).map(|(number, name)| Capture {
                name: name.as_deref().map_or_else(|| number.to_string(), str::to_owned),
                text: texts.get(number),
            }));
        }
        self.last = &rule.name;
        self.rules.push(explained(
            rule,
            RuleResult::Matched {
                ignore: matches!(rule.action, Action::Ignore { .. }),
                stop: matches!(rule.action, Action::Invalidate { stop: true, .. }),
                regex: regex.map(RuleRegex::pattern),
                captures,
            },
        ));
    }

    fn mismatched(&mut self, rule: &'a Rule, mismatch: Mismatch) {
        let mismatch = match mismatch {
            Mismatch::Condition(condition) => RuleResult::Failed {
                condition,
                wanted: values(&rule.conditions, condition),
                actual: actual(self.change, condition),
            },
            Mismatch::Except(except) => {
                let given = |&one: &Condition| !values(&rule.except[except], one).is_empty();
                let conditions = Condition::ALL.into_iter().filter(given).collect();
                RuleResult::Excepted { except, conditions, sets: rule.except.len() }
            }
        };
        self.rules.push(explained(rule, mismatch));
    }

    fn rendered(
        &mut self,
        rule: Option<&'a Rule>,
        target: TargetIndex,
        template: &'a str,
        contributions: &[Contribution],
    ) {
        let items = contributions.iter().filter_map(|one| one.item.as_ref().ok());
        let reasons = contributions.iter().filter_map(|one| one.item.as_ref().err());
        let made = TemplateItems {
            rule: rule.map(|rule| &*rule.name),
            template,
            items: items.map(|addressed| addressed.item.to_string()).collect(),
            unaddressable: reasons.map(ToString::to_string).collect(),
        };
        let target = self.set.target(target);
        match self.targets.iter_mut().find(|items| items.name == &*target.name) {
            Some(items) => items.made.push(made),
            None => self.targets.push(TargetItems {
                name: &target.name,
                id: &target.distribution.id,
                served: target.paths.url_path(&self.change.key).is_some(),
                made: vec![made],
                target,
            }),
        }
    }
}

fn explained<'a>(rule: &'a Rule, result: RuleResult<'a>) -> RuleExplanation<'a> {
    RuleExplanation { name: &rule.name, line: rule.line, result }
}

/// The value that a condition is compared with.
fn actual(change: &Change, condition: Condition) -> Option<String> {
    match condition {
        Condition::Bucket => Some(change.bucket.to_string()),
        Condition::Prefix | Condition::Suffix | Condition::Regex => Some(change.key.clone()),
        Condition::Events => Some(change.kind.to_string()),
        Condition::Account => change.account.as_deref().map(str::to_owned),
        Condition::Region => change.region.as_deref().map(str::to_owned),
        Condition::MinSize | Condition::MaxSize => change.size.map(|size| size.to_string()),
    }
}

/// The values of a condition in rules.yaml.
fn values(conditions: &Conditions, condition: Condition) -> Vec<String> {
    match condition {
        Condition::Bucket => conditions.buckets.iter().map(BucketPattern::to_string).collect(),
        Condition::Prefix => conditions.prefixes.clone(),
        Condition::Suffix => conditions.suffixes.clone(),
        Condition::Regex => {
            conditions.regexes.iter().map(|regex| regex.pattern().to_owned()).collect()
        }
        Condition::Events => conditions.events.iter().flatten().map(ToString::to_string).collect(),
        Condition::Account => conditions.accounts.clone(),
        Condition::Region => conditions.regions.clone(),
        Condition::MinSize => conditions.min_size.iter().map(ToString::to_string).collect(),
        Condition::MaxSize => conditions.max_size.iter().map(ToString::to_string).collect(),
    }
}
