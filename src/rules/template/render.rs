//! Fills the placeholders of a template for a change.

use std::{cell::OnceCell, sync::Arc};

use crate::{
    event::Change,
    item::{self, Addressed, Item, PathSettings, Unaddressable, UrlPath, address},
    rules::{Captures, RuleMatch},
};

use super::{Field, Part, Template, TemplateKind};

/// A change that matched a rule, as one target serves it.
pub(in crate::rules) struct RenderContext<'a> {
    change: &'a Change,
    settings: &'a PathSettings,
    matched: RuleMatch<'a>,
    /// The key below the target's origin path.
    key: &'a str,
    path: OnceCell<UrlPath<'a>>,
    captures: OnceCell<Option<Captures<'a>>>,
    /// The bound that the rule's prefix gives the paths.
    bound: Arc<str>,
}

impl<'a> RenderContext<'a> {
    /// `bound` is that of the rule's prefix. `None` if the target does not serve
    /// the key.
    pub fn new(
        change: &'a Change,
        settings: &'a PathSettings,
        matched: RuleMatch<'a>,
        bound: impl FnOnce() -> Arc<str>,
    ) -> Option<Self> {
        Some(Self {
            change,
            settings,
            matched,
            key: settings.served_key(&change.key)?,
            path: OnceCell::new(),
            captures: OnceCell::new(),
            bound: bound(),
        })
    }

    fn path(&self) -> &UrlPath<'a> {
        self.path.get_or_init(|| self.settings.path_of(self.key))
    }

    fn captures(&self) -> Option<&Captures<'a>> {
        let captures = || self.matched.regex?.captures(&self.change.key);
        self.captures.get_or_init(captures).as_ref()
    }

    /// Returns the last segment of the key.
    fn file(&self) -> &str {
        item::last_segment(self.key)
    }

    fn stem_and_ext(&self) -> (&str, &str) {
        match self.file().rsplit_once('.') {
            Some((stem, ext)) if !stem.is_empty() => (stem, ext),
            _ => (self.file(), ""),
        }
    }
}

impl Template {
    /// Emits every item of the template; none if a capture did not participate
    /// in the match.
    pub(in crate::rules) fn render(
        &self,
        context: &RenderContext<'_>,
        mut emit: impl FnMut(Result<Addressed, Unaddressable>),
    ) {
        if self.is_object() {
            context.settings.items(context.path(), &context.bound).into_iter().for_each(emit);
        } else if let Some(text) = self.fill(context) {
            emit(match self.kind {
                TemplateKind::Path | TemplateKind::Wildcard => self.path_item(text, context),
                TemplateKind::Tag => Item::tag(&text).map(|item| Addressed {
                    item,
                    bound: "".into(),
                    is_index: false,
                }),
            });
        }
    }

    /// Replaces the placeholders.
    fn fill(&self, context: &RenderContext<'_>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.parts {
            let (text, is_final) = match part {
                Part::Literal(literal) => (&**literal, true),
                Part::Field(Field::Path) => (context.path().as_str(), true),
                Part::Field(Field::Dir) => (context.path().directory(), true),
                Part::Field(Field::Key) => (&*context.change.key, false),
                Part::Field(Field::File) => (context.file(), false),
                Part::Field(Field::Stem) => (context.stem_and_ext().0, false),
                Part::Field(Field::Ext) => (context.stem_and_ext().1, false),
                Part::Field(Field::Bucket) => (&*context.change.bucket, false),
                Part::Group(group) => (context.captures()?.get(*group)?, false),
                Part::Name(name) => (context.captures()?.name(name)?, false),
            };
            if is_final || self.kind == TemplateKind::Tag {
                filled.push_str(text);
            } else {
                filled += &item::encode(text);
            }
        }
        Some(filled)
    }

    fn path_item(
        &self,
        mut path: String,
        context: &RenderContext<'_>,
    ) -> Result<Addressed, Unaddressable> {
        if self.is_wildcard() {
            path.push('*');
        }
        // A rule purges a whole distribution only with a literal `/*`, not
        // because a key has no directory.
        if path == "/*" && !self.is_literal() {
            return Err(Unaddressable::WholeSite(context.path().as_str().to_owned()));
        }
        let directory = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
        let literal = self.literal_prefix();
        let bound = match literal.len() > context.bound.len() {
            true => literal.into(),
            false => context.bound.clone(),
        };
        let item = address(&path, directory, &bound, self.is_wildcard())?;
        Ok(Addressed { item: context.settings.permit(item)?, bound, is_index: false })
    }
}
