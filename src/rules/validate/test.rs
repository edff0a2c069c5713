//! The tests of a file.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    event::{Change, Identity, Kind, Occurrence},
    rules::{
        TargetIndex,
        file::{ExpectForm, RawTest, Tests, Texts},
        finding::{Code, Finding},
        source::At,
        suggest,
        testing::{Expected, TestCase},
        value::Given,
    },
};

use super::{Check, rule::unknown_target, target::TargetTable};

impl Check<'_> {
    pub(super) fn tests(
        &mut self,
        at: At<'_>,
        given: &Given<Tests>,
        targets: &TargetTable,
    ) -> Vec<TestCase> {
        let Some(tests) = self.value(at, given) else { return Vec::new() };
        let places = (0..tests.0.len()).filter(|index| matches!(tests.0[*index], Given::Value(_)));
        let places: Vec<usize> = places.collect();
        let tests: Vec<_> = self.items(at, &tests.0).into_iter().zip(places).collect();
        let mut cases = Vec::new();
        for ((at, raw), place) in tests {
            if self.findings.is_full() {
                break;
            }
            cases.extend(self.test(at, raw, targets, place));
        }
        cases
    }

    fn test(
        &mut self,
        at: At<'_>,
        raw: &RawTest,
        targets: &TargetTable,
        place: usize,
    ) -> Option<TestCase> {
        let change = self.test_change(at, raw);
        let expect_at = at.field("expect");
        let expect = self.required(expect_at, &raw.expect, || {
            Finding::new(Code::MissingField, at, "the test has no `expect`")
                .help("`expect` maps targets to items, or is `ignored` or `unmatched`")
        })?;
        let expected = match expect {
            ExpectForm::Word(word) => self.expected_word(expect_at, word)?,
            ExpectForm::Items(entries) => {
                let mut items = BTreeMap::new();
                for (name, given) in entries {
                    let (index, texts) = self.expected_items(expect_at, name, given, targets)?;
                    items.insert(index, texts);
                }
                Expected::Items(items)
            }
        };
        Some(TestCase { place, change: change?, expected })
    }

    fn test_change(&mut self, at: At<'_>, raw: &RawTest) -> Option<Change> {
        let key_at = at.field("key");
        let url = self.required(key_at, &raw.key, || {
            Finding::new(Code::MissingField, at, "the test has no `key`")
                .help("`key: s3://BUCKET/KEY` says which object changed")
        });
        let kind = match self.value(at.field("event"), &raw.event) {
            Some(name) => self.event(at.field("event"), name),
            None => Some(Kind::Created),
        };
        let size = self.value(at.field("size"), &raw.size).copied();
        let account = self
            .value(at.field("account"), &raw.account)
            .map(|account| self.account(at.field("account"), account));
        let region = self
            .value(at.field("region"), &raw.region)
            .map(|region| self.region(at.field("region"), &region.0));
        let url = url?;
        let parts = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let Some((bucket, key)) =
            parts.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        else {
            let message = format!("`{url}` is not `s3://BUCKET/KEY`");
            let bare = !url.contains(':') && !url.starts_with('/') && url.contains('/');
            let help = bare.then(|| format!("write `s3://{url}`"));
            self.report(Finding::new(Code::BadKey, key_at, message).help_if(help));
            return None;
        };
        let kind = kind?;
        Some(Change {
            bucket: bucket.into(),
            key: key.to_owned(),
            kind,
            time_ms: None,
            size,
            account: account.map(Arc::from),
            region: region.map(Arc::from),
            identity: Identity::new(bucket, key, kind, None, Occurrence::Only, None),
        })
    }

    fn expected_word(&mut self, at: At<'_>, word: &str) -> Option<Expected> {
        match word {
            "ignored" => Some(Expected::Ignored),
            "unmatched" => Some(Expected::Unmatched),
            other => {
                let message = format!("`{other}` is neither `ignored`, `unmatched` nor a mapping");
                let finding = Finding::new(Code::UnknownValue, at, message);
                self.report(finding.help(suggest::help(other, &["ignored", "unmatched"])));
                None
            }
        }
    }

    /// The items that a test expects of one target. `None` has been reported,
    /// here or where the target is.
    fn expected_items(
        &mut self,
        at: At<'_>,
        name: &str,
        given: &Given<Texts>,
        targets: &TargetTable,
    ) -> Option<(TargetIndex, Vec<String>)> {
        let items_at = at.field(name);
        let texts = self.value(items_at, given)?;
        let texts = self.texts(items_at, Some(texts)).into_iter().map(|(_, text)| text.clone());
        let texts = texts.collect();
        match targets.get(name) {
            Some(index) => Some((index?, texts)),
            None => {
                let mut finding = unknown_target(at, name, targets);
                let place = Finding::on_field(finding.code, at, name, finding.message);
                finding = place.help_if(finding.help);
                self.report(finding);
                None
            }
        }
    }
}
