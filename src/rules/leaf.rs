//! The rules in one place of the matcher's index.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use once_cell::sync::OnceCell;

use super::RuleIndex;

/// Up to this many texts, trying each rule is as fast as telling them apart.
const FEW: usize = 4;

/// The rules in one place of the matcher's index. Where there are many, those
/// whose regexes require some text are told apart by it.
#[derive(Debug, Default)]
pub(super) struct Leaf {
    /// Rules that require no text.
    any: Vec<RuleIndex>,
    /// Texts, and the rules whose keys hold this one or another of their texts.
    holding: BTreeMap<Box<[u8]>, Vec<RuleIndex>>,
    /// Built when first needed, as are the regexes that it may spare.
    finder: OnceCell<Option<Box<Finder>>>,
}

/// Finds all texts in one pass over a key.
#[derive(Debug)]
struct Finder {
    automaton: AhoCorasick,
    /// The rules of each of the automaton's patterns.
    rules: Vec<Vec<RuleIndex>>,
}

impl Leaf {
    /// Adds a rule whose keys all hold one of some texts.
    pub fn add(&mut self, rule: RuleIndex, holds: Option<&[&[u8]]>) {
        match holds {
            None => self.any.push(rule),
            Some(texts) => {
                for &text in texts {
                    self.holding.entry(text.into()).or_default().push(rule);
                }
            }
        }
    }

    /// Adds the rules that a key may match.
    pub fn candidates(&self, key: &[u8], found: &mut Vec<RuleIndex>) {
        found.extend(&self.any);
        match self.finder() {
            Some(finder) => finder.find(key, found),
            None => found.extend(self.holding.values().flatten()),
        }
    }

    /// `None` if there are few texts, or more than an automaton takes.
    fn finder(&self) -> Option<&Finder> {
        if self.holding.len() <= FEW {
            return None;
        }
        let build = || {
            let automaton = AhoCorasick::new(self.holding.keys()).ok()?;
            let rules = self.holding.values().cloned().collect();
            Some(Box::new(Finder { automaton, rules }))
        };
        self.finder.get_or_init(build).as_deref()
    }
}

impl Finder {
    fn find(&self, key: &[u8], found: &mut Vec<RuleIndex>) {
        let held = self.automaton.find_overlapping_iter(key);
        let mut patterns: Vec<_> = held.map(|text| text.pattern().as_usize()).collect();
        patterns.sort_unstable();
        patterns.dedup();
        found.extend(patterns.into_iter().flat_map(|pattern| &self.rules[pattern]));
    }
}
