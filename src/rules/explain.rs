//! Why a change leads to the items it leads to.
//!
//! [`explain`] reads the rules one after another, as the definition says and
//! without the matcher's index, and keeps what it saw: for every rule whether
//! it matched, or the first condition that failed with the wanted and the
//! actual value, or that it was not read any more.

use crate::{
    event::Change,
    item::{Addressed, Unaddressable},
};

use super::{
    Action, BucketPattern, Condition, Conditions, PathTemplate, Rule, RuleIndex, RuleRegex,
    TagTemplate, Target, TargetIndex, Verdict,
    conditions::Match,
    contribution::{contribute, fall_back},
};

/// Why a change leads to the items it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What the rules say of the change.
    pub verdict: Verdict,
    /// One for each rule, in the order of the file.
    pub readings: Vec<Reading>,
    /// What the fallback had to do with it.
    pub fallback: Fallback,
    /// The targets that were asked, in the order in which they first were.
    pub targets: Vec<TargetItems>,
}

/// How one rule was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It matched.
    Matched {
        /// The regex that did, if the rule has any.
        regex: Option<String>,
        /// That regex's captures by name or number; `None` for one that took
        /// no part in the match.
        captures: Vec<(String, Option<String>)>,
    },
    /// A condition is not satisfied. Those after it were not tested.
    Failed(Mismatch),
    /// All conditions are satisfied, and so is an `except` set.
    Excepted {
        /// Which of the rule's sets, counted from 0.
        set: usize,
        /// The conditions of that set.
        conditions: Vec<Condition>,
    },
    /// An earlier rule matched that is the last one read.
    NotRead {
        /// That rule.
        after: RuleIndex,
    },
}

/// A condition that a change does not satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which condition.
    pub condition: Condition,
    /// Its values in rules.yaml, one of which it would take.
    pub wanted: Vec<String>,
    /// What the change has; `None` if it has no such thing.
    pub actual: Option<String>,
}

/// What the fallback (`DistributionId`) had to do with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// A rule spoke for the change.
    NotNeeded,
    /// No rule did, and there is no fallback.
    NotSet,
    /// No rule did, and the fallback takes created and deleted objects only.
    OtherEvent,
    /// No rule did, so the fallback took it.
    Taken,
}

/// What one target was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetItems {
    /// The target.
    pub target: TargetIndex,
    /// Whether the key is below the target's origin path. If not, no template
    /// makes anything.
    pub served: bool,
    /// What each template made, in the order of the file.
    pub made: Vec<Made>,
}

/// What one template of one rule made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The rule; `None` for the fallback.
    pub rule: Option<RuleIndex>,
    /// The template as rules.yaml has it.
    pub template: String,
    /// The items. Empty if the target does not serve the key, or if a capture
    /// took no part in the match.
    pub items: Vec<Result<Addressed, Unaddressable>>,
}

/// Explains what rules say of a change. `fallback` is the target that takes
/// what no rule speaks for.
pub fn explain(
    rules: &[Rule],
    targets: &[Target],
    fallback: Option<TargetIndex>,
    change: &Change,
) -> Explanation {
    let mut reader = Reader { targets, change, verdict: Verdict::Unmatched, asked: Vec::new() };
    let mut readings = Vec::with_capacity(rules.len());
    let mut last = None;
    for (index, rule) in rules.iter().enumerate() {
        let index = RuleIndex(index);
        readings.push(match last {
            Some(after) => Reading::NotRead { after },
            None => match read(rule, change) {
                Ok(matched) => {
                    if reader.follow(rule, index, matched) {
                        last = Some(index);
                    }
                    matched_by(matched, change)
                }
                Err(reading) => reading,
            },
        });
    }
    let fallback = reader.fall_back(fallback);
    Explanation { verdict: reader.verdict, readings, fallback, targets: reader.asked }
}

/// What was read so far.
struct Reader<'a> {
    targets: &'a [Target],
    change: &'a Change,
    verdict: Verdict,
    asked: Vec<TargetItems>,
}

impl Reader<'_> {
    /// Does what a rule that matched asks for. Returns whether it is the last.
    fn follow(&mut self, rule: &Rule, index: RuleIndex, matched: Match<'_>) -> bool {
        let Action::Invalidate { targets, stop } = &rule.action else {
            if self.verdict == Verdict::Unmatched {
                self.verdict = Verdict::Ignored;
            }
            return true;
        };
        self.verdict = Verdict::Matched;
        for invalidate in targets {
            let mut contributions = Vec::new();
            contribute(invalidate, index, matched, self.targets, self.change, &mut contributions);
            let paths = invalidate.paths.iter().map(PathTemplate::text);
            let tags = invalidate.tags.iter().map(TagTemplate::text);
            for (place, template) in paths.chain(tags).enumerate() {
                let made = contributions.iter().filter(|one| one.template == place);
                let items = made.map(|one| one.item.clone()).collect();
                let template = template.to_owned();
                self.ask(invalidate.target, Made { rule: Some(index), template, items });
            }
        }
        *stop
    }

    fn fall_back(&mut self, fallback: Option<TargetIndex>) -> Fallback {
        if self.verdict != Verdict::Unmatched {
            return Fallback::NotNeeded;
        }
        let Some(target) = fallback else { return Fallback::NotSet };
        if !self.change.kind.changes_content() {
            return Fallback::OtherEvent;
        }
        let items = fall_back(target, self.targets, self.change);
        let items = items.into_iter().map(|one| one.item).collect();
        self.ask(target, Made { rule: None, template: "{path}".to_owned(), items });
        Fallback::Taken
    }

    fn ask(&mut self, target: TargetIndex, made: Made) {
        match self.asked.iter_mut().find(|asked| asked.target == target) {
            Some(asked) => asked.made.push(made),
            None => {
                let settings = &self.targets[target.0].paths;
                let served = settings.served_key(&self.change.key).is_some();
                self.asked.push(TargetItems { target, served, made: vec![made] });
            }
        }
    }
}

/// How a change satisfies a rule, or why it does not match.
fn read<'r>(rule: &'r Rule, change: &Change) -> Result<Match<'r>, Reading> {
    let matched = rule.conditions.satisfied(change).map_err(|condition| {
        Reading::Failed(Mismatch {
            condition,
            wanted: rule.conditions.values(condition),
            actual: condition.actual(change),
        })
    })?;
    match rule.except.iter().position(|set| set.satisfied(change).is_ok()) {
        Some(set) => Err(Reading::Excepted { set, conditions: rule.except[set].named() }),
        None => Ok(matched),
    }
}

fn matched_by(matched: Match<'_>, change: &Change) -> Reading {
    let captures = |regex: &RuleRegex| {
        let captures = regex.regex().captures(&change.key)?;
        let name = |(number, name): (usize, Option<&str>)| {
            name.map_or_else(|| number.to_string(), str::to_owned)
        };
        let names = regex.regex().capture_names().enumerate().map(name);
        let texts = captures.iter().map(|text| text.map(|text| text.as_str().to_owned()));
        Some(names.zip(texts).skip(1).collect())
    };
    Reading::Matched {
        regex: matched.regex.map(|regex| regex.pattern().to_owned()),
        captures: matched.regex.and_then(captures).unwrap_or_default(),
    }
}

impl Condition {
    /// What the change has that the condition looks at.
    fn actual(self, change: &Change) -> Option<String> {
        match self {
            Self::Bucket => Some(change.bucket.to_string()),
            Self::Prefix | Self::Suffix | Self::Regex => Some(change.key.clone()),
            Self::Events => Some(change.kind.to_string()),
            Self::Account => change.account.as_deref().map(str::to_owned),
            Self::Region => change.region.as_deref().map(str::to_owned),
            Self::MinSize | Self::MaxSize => change.size.map(|size| size.to_string()),
        }
    }
}

impl Conditions {
    /// The values of one condition, as rules.yaml has them.
    fn values(&self, condition: Condition) -> Vec<String> {
        match condition {
            Condition::Bucket => self.buckets.iter().map(BucketPattern::to_string).collect(),
            Condition::Prefix => self.prefixes.clone(),
            Condition::Suffix => self.suffixes.clone(),
            Condition::Regex => {
                self.regexes.iter().map(|regex| regex.pattern().to_owned()).collect()
            }
            Condition::Events => self.events.iter().flatten().map(ToString::to_string).collect(),
            Condition::Account => self.accounts.clone(),
            Condition::Region => self.regions.clone(),
            Condition::MinSize => self.min_size.iter().map(ToString::to_string).collect(),
            Condition::MaxSize => self.max_size.iter().map(ToString::to_string).collect(),
        }
    }

    /// The conditions that are there.
    fn named(&self) -> Vec<Condition> {
        Condition::ALL.into_iter().filter(|&one| !self.values(one).is_empty()).collect()
    }
}

#[cfg(test)]
mod tests;
