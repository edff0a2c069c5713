use std::{cell::OnceCell, sync::Arc};

use crate::{
    event::Change,
    item::{self, Addressed, Item, PathSettings, Unaddressable, UrlPath, address},
    rules::RuleRegex,
};

use super::{Field, Part, PathTemplate, TagTemplate, literal_start};

/// A change that matched a rule, as one target serves it: what a template's
/// placeholders are filled from.
pub struct Subject<'a> {
    change: &'a Change,
    settings: &'a PathSettings,
    /// The key below the target's origin path.
    key: &'a str,
    /// The regex that matched, if the rule has any.
    regex: Option<&'a RuleRegex>,
    captures: OnceCell<Option<regex::Captures<'a>>>,
    path: OnceCell<UrlPath>,
    /// The text a wildcard must start with, as far as the rule's prefix says.
    bound: Arc<str>,
}

impl<'a> Subject<'a> {
    /// `None` if the target does not serve the key. `prefix` is the shortest
    /// prefix of the rule that matched, `regex` the one that matched.
    pub fn new(
        change: &'a Change,
        settings: &'a PathSettings,
        prefix: &str,
        regex: Option<&'a RuleRegex>,
    ) -> Option<Self> {
        Some(Self {
            change,
            settings,
            key: settings.served_key(&change.key)?,
            regex,
            captures: OnceCell::new(),
            path: OnceCell::new(),
            bound: settings.bound(prefix),
        })
    }

    fn path(&self) -> &UrlPath {
        self.path.get_or_init(|| UrlPath::new(self.key))
    }

    fn captures(&self) -> Option<&regex::Captures<'a>> {
        let captures = || self.regex?.regex().captures(&self.change.key);
        self.captures.get_or_init(captures).as_ref()
    }

    /// The key's last segment.
    fn file(&self) -> &str {
        self.key.rsplit_once('/').map_or(self.key, |(_, file)| file)
    }

    /// The file's stem and extension.
    fn stem_and_ext(&self) -> (&str, &str) {
        match self.file().rsplit_once('.') {
            Some((stem, ext)) if !stem.is_empty() => (stem, ext),
            _ => (self.file(), ""),
        }
    }

    /// Fills a template's parts in, key text through `text`. `None` if a
    /// capture took no part in the match.
    fn fill(&self, parts: &[Part], text: impl Fn(&mut String, &str)) -> Option<String> {
        let mut filled = String::new();
        for part in parts {
            match part {
                Part::Literal(literal) => filled.push_str(literal),
                Part::Field(Field::Path) => filled.push_str(self.path().as_str()),
                Part::Field(Field::Dir) => filled.push_str(self.path().directory()),
                Part::Field(Field::Key) => text(&mut filled, &self.change.key),
                Part::Field(Field::File) => text(&mut filled, self.file()),
                Part::Field(Field::Stem) => text(&mut filled, self.stem_and_ext().0),
                Part::Field(Field::Ext) => text(&mut filled, self.stem_and_ext().1),
                Part::Field(Field::Bucket) => text(&mut filled, &self.change.bucket),
                Part::Group(group) => text(&mut filled, self.captures()?.get(*group)?.as_str()),
                Part::Name(name) => text(&mut filled, self.captures()?.name(name)?.as_str()),
            }
        }
        Some(filled)
    }
}

impl PathTemplate {
    /// Hands over every item the template stands for; none if a capture took
    /// no part in the match.
    pub(in crate::rules) fn render(
        &self,
        subject: &Subject<'_>,
        mut emit: impl FnMut(Result<Addressed, Unaddressable>),
    ) {
        if self.is_object() {
            subject.settings.items(subject.path(), &subject.bound).into_iter().for_each(emit);
            return;
        }
        let encode = |filled: &mut String, text: &str| filled.push_str(&item::encode(text));
        let Some(mut path) = subject.fill(&self.parts, encode) else { return };
        if self.wildcard {
            path.push('*');
        }
        if path == "/*" && !self.parts.iter().all(|part| matches!(part, Part::Literal(_))) {
            // A whole distribution is purged where a rule says `/*`, and not
            // because a key lies at the top.
            emit(Err(Unaddressable::WholeSite(subject.path().as_str().to_owned())));
            return;
        }
        let directory = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
        let literal = literal_start(&self.parts);
        let bound = if literal.len() > subject.bound.len() {
            Arc::from(literal)
        } else {
            subject.bound.clone()
        };
        let item = address(&path, directory, &bound, self.wildcard);
        emit(item.map(|item| Addressed { item, bound }));
    }
}

impl TagTemplate {
    /// Hands over the tag; nothing if a capture took no part in the match.
    pub(in crate::rules) fn render(
        &self,
        subject: &Subject<'_>,
        emit: impl FnOnce(Result<Addressed, Unaddressable>),
    ) {
        let Some(tag) = subject.fill(&self.parts, String::push_str) else {
            return;
        };
        emit(Item::tag(&tag).map(|item| Addressed { item, bound: Arc::from("") }));
    }
}
