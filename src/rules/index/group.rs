//! Rules of one bucket, prefix and suffix, narrowed down by the literals that
//! their regexes require.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use once_cell::sync::OnceCell;

use crate::rules::{Rule, RuleRegex};

/// Testing this many rules one by one is as fast as a literal search.
const SMALL: usize = 4;

/// Rules with the same bucket, prefix and suffix.
#[derive(Debug, Default)]
pub(super) struct RuleGroup {
    rules: Vec<usize>,
    search: OnceCell<LiteralSearch>,
}

/// The rules of a group by the literals that their regexes require.
#[derive(Debug)]
struct LiteralSearch {
    /// Rules that require no literal.
    always: Vec<usize>,
    literals: AhoCorasick,
    /// The rules of each literal, in the order of the automaton's patterns.
    by_literal: Vec<Vec<usize>>,
}

impl RuleGroup {
    pub fn push(&mut self, rule: usize) {
        self.rules.push(rule);
    }

    /// Adds the rules that a key may match. `rules` are all rules of the index.
    pub fn candidates(&self, rules: &[Rule], key: &[u8], candidates: &mut Vec<usize>) {
        if self.rules.len() <= SMALL {
            candidates.extend(&self.rules);
        } else {
            let search = self.search.get_or_init(|| LiteralSearch::new(&self.rules, rules));
            search.candidates(key, candidates);
        }
    }
}

impl LiteralSearch {
    fn new(group: &[usize], rules: &[Rule]) -> Self {
        let mut always = Vec::new();
        let mut by_literal: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for &rule in group {
            let regexes = &rules[rule].conditions.regexes;
            let required = regexes.iter().map(RuleRegex::required_literals);
            match required.collect::<Option<Vec<_>>>() {
                Some(required) if !regexes.is_empty() => {
                    for literal in required.into_iter().flatten() {
                        by_literal.entry(literal).or_default().push(rule);
                    }
                }
                _ => always.push(rule),
            }
        }
        let literals = AhoCorasick::new(by_literal.keys());
        Self {
            always,
            literals: literals.expect("a rules file of 8 MiB is below the limit of 2 GiB"),
            by_literal: by_literal.into_values().collect(),
        }
    }

    fn candidates(&self, key: &[u8], candidates: &mut Vec<usize>) {
        candidates.extend(&self.always);
        let found = self.literals.find_overlapping_iter(key);
        let mut found: Vec<_> = found.map(|literal| literal.pattern().as_usize()).collect();
        found.sort_unstable();
        found.dedup();
        candidates.extend(found.into_iter().flat_map(|literal| &self.by_literal[literal]));
    }
}
