//! Sets of conditions.

use crate::{
    event::Kind,
    rules::{
        BucketPattern, Conditions, RegexError, RuleRegex,
        file::{AccountId, EventName, RawConditions},
        finding::{Code, Finding},
        source::At,
        suggest,
        value::{Given, OneOrMany},
    },
};

use super::Check;

/// Whether a text is the id of an AWS account.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Check<'_> {
    /// A set of conditions; `default_events` is what no `events` means.
    pub(super) fn conditions(
        &mut self,
        at: At<'_>,
        raw: &RawConditions,
        default_events: Option<&[Kind]>,
    ) -> Conditions {
        let buckets = self.values(at.field("bucket"), &raw.bucket);
        let prefixes = self.values(at.field("prefix"), &raw.prefix);
        let suffixes = self.values(at.field("suffix"), &raw.suffix);
        let regexes = self.values(at.field("regex"), &raw.regex);
        let accounts = self.values(at.field("account"), &raw.account);
        let regions = self.values(at.field("region"), &raw.region);
        let events = self.values(at.field("events"), &raw.events);
        let events = match raw.events {
            Given::Absent => default_events.map(<[Kind]>::to_vec),
            _ => Some(events.iter().filter_map(|(at, name)| self.event(*at, name)).collect()),
        };
        let conditions = Conditions {
            buckets: buckets.iter().filter_map(|(at, name)| self.bucket(*at, &name.0)).collect(),
            prefixes: prefixes.iter().map(|(_, prefix)| (*prefix).clone()).collect(),
            suffixes: suffixes.iter().map(|(_, suffix)| (*suffix).clone()).collect(),
            regexes: regexes.iter().filter_map(|(at, text)| self.regex(*at, text)).collect(),
            events,
            accounts: accounts.iter().map(|(at, account)| self.account(*at, account)).collect(),
            regions: regions.iter().map(|(at, region)| self.region(*at, &region.0)).collect(),
            min_size: self.value(at.field("min_size"), &raw.min_size).copied(),
            max_size: self.value(at.field("max_size"), &raw.max_size).copied(),
        };
        if let (Some(min), Some(max)) = (conditions.min_size, conditions.max_size)
            && min > max
        {
            let message = format!("`min_size` {min} is more than `max_size` {max}");
            self.error(Code::ContradictorySizes, at.field("max_size"), message);
        }
        conditions
    }

    fn bucket(&mut self, at: At<'_>, text: &str) -> Option<BucketPattern> {
        let (name, prefix) = match text.strip_suffix('*') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let help = if let Some(rest) = text.strip_prefix("s3://") {
            Some(format!("the bare name: `{}`", rest.split('/').next().unwrap_or_default()))
        } else if let Some(rest) = text.strip_prefix("arn:") {
            Some(format!(
                "of the ARN, only the name: `{}`",
                rest.rsplit(':').next().unwrap_or_default()
            ))
        } else if text.contains('/') {
            Some("what follows a slash is part of the key: use `prefix`".to_owned())
        } else if name.contains('*') {
            Some("a `*` may stand at the end only".to_owned())
        } else {
            None
        };
        // Old buckets have upper-case letters and underscores, and are up to 255
        // characters long.
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
        let mark = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if text.is_empty() || name.len() > 255 || !name.bytes().all(mark) {
            let finding =
                Finding::new(Code::BadBucket, at, format!("`{text}` is not a bucket's name"));
            self.report(finding.help_if(help));
            return None;
        }
        Some(if prefix {
            BucketPattern::Prefix(name.into())
        } else {
            BucketPattern::Exact(name.into())
        })
    }

    fn regex(&mut self, at: At<'_>, pattern: &str) -> Option<RuleRegex> {
        match RuleRegex::new(pattern) {
            Ok(regex) => Some(regex),
            Err(error) => {
                self.report(regex_finding(at, &error));
                None
            }
        }
    }

    pub(super) fn event(&mut self, at: At<'_>, name: &EventName) -> Option<Kind> {
        let EventName(name) = name;
        if let Ok(kind) = name.parse() {
            return Some(kind);
        }
        let names = Kind::ALL.map(Kind::name);
        let message = format!("there is no event `{name}`");
        let help = match aws_event(name) {
            Some(kind) => format!("did you mean `{kind}`?"),
            None => suggest::help(name, &names),
        };
        self.report(Finding::new(Code::UnknownValue, at, message).help(help));
        None
    }

    pub(super) fn account(&mut self, at: At<'_>, id: &AccountId) -> String {
        // The text as it stands, also of what YAML reads as a number.
        let id = at.text().unwrap_or(&id.0);
        if !is_account(id) {
            let finding =
                Finding::new(Code::BadAccount, at, format!("`{id}` is not the id of an account"));
            let help = match id.replace(['-', ' '], "") {
                digits if is_account(&digits) => format!("without dashes: '{digits}'"),
                _ => "an account's id has twelve digits".to_owned(),
            };
            self.report(finding.help(help));
        }
        id.to_owned()
    }

    pub(super) fn region(&mut self, at: At<'_>, name: &str) -> String {
        let mark = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !name.contains('-') || !name.bytes().all(mark) {
            let message = format!("`{name}` is not the name of a region");
            let finding = Finding::new(Code::BadRegion, at, message);
            self.report(finding.help("a region is written as `eu-central-1`"));
        }
        name.to_owned()
    }
}

/// A finding about a regex, with the pointer of the regex crate.
pub(in crate::rules) fn regex_finding(at: At<'_>, error: &RegexError) -> Finding {
    let text = error.to_string();
    let reason = text.lines().rev().find_map(|line| line.strip_prefix("error: "));
    match reason {
        Some(reason) => {
            Finding::new(Code::BadRegex, at, format!("the regex cannot be read: {reason}"))
                .note(text.trim_end())
                .help_if(
                    reason
                        .contains("look-around")
                        .then(|| "say what must not match under `except`".to_owned()),
                )
        }
        None => Finding::new(Code::BadRegex, at, text),
    }
}

/// The kind that a name of AWS's for an event stands for.
fn aws_event(name: &str) -> Option<Kind> {
    let name = name.to_lowercase().replace(['_', '-', ' '], "");
    let name = name.trim_start_matches("s3:").trim_end_matches(":*");
    [
        ("objectcreated", Kind::Created),
        ("create", Kind::Created),
        ("put", Kind::Created),
        ("update", Kind::Created),
        ("objectremoved", Kind::Deleted),
        ("objectdeleted", Kind::Deleted),
        ("remove", Kind::Deleted),
        ("delete", Kind::Deleted),
        ("objectrestorecompleted", Kind::Restored),
        ("objectrestore:completed", Kind::Restored),
        ("objectrestoreexpired", Kind::RestoreExpired),
        ("objectacl", Kind::AclUpdated),
        ("objecttag", Kind::TagsChanged),
        ("objectstorageclasschanged", Kind::StorageClassChanged),
        ("objectaccesstierchanged", Kind::AccessTierChanged),
        ("objectannotation", Kind::AnnotationsChanged),
    ]
    .into_iter()
    .find(|(start, _)| name.starts_with(start))
    .map(|(_, kind)| kind)
}

/// Whether every value of a field could be used, so that what depends on them
/// can be checked.
pub(super) fn all_regexes_read(raw: &RawConditions, conditions: &Conditions) -> bool {
    let given = match &raw.regex {
        Given::Absent => 0,
        Given::Value(OneOrMany::One(_)) => 1,
        Given::Value(OneOrMany::Many(list)) => list.len(),
        Given::Wrong(_) => return false,
    };
    given == conditions.regexes.len()
}
