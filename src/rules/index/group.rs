//! Rules of one bucket, prefix and suffix, narrowed down by the literals that
//! their regexes require.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use aho_corasick::AhoCorasick;
use once_cell::sync::OnceCell;
use smallvec::SmallVec;

use crate::rules::{
    Conditions, RuleRegex,
    rule_regex::{RequiredLiterals, shortest},
};

/// Testing this many rules one by one is as fast as a literal search.
const SMALL: usize = 4;

/// Rules with the same bucket, prefix and suffix.
#[derive(Debug)]
pub(super) struct RuleGroup {
    rules: Vec<usize>,
    search: OnceCell<Box<LiteralSearch>>,
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
    pub fn new(rules: impl Iterator<Item = usize>) -> Self {
        Self { rules: rules.collect(), search: OnceCell::new() }
    }

    /// Adds the rules that a key may match. `rules` are all rules of the index.
    pub fn candidates(
        &self,
        rules: &[impl AsRef<Conditions>],
        key: &[u8],
        candidates: &mut impl Extend<usize>,
    ) {
        if self.rules.len() <= SMALL {
            candidates.extend(self.rules.iter().copied());
        } else {
            let search =
                self.search.get_or_init(|| Box::new(LiteralSearch::new(&self.rules, rules)));
            search.candidates(key, candidates);
        }
    }
}

impl LiteralSearch {
    fn new(group: &[usize], rules: &[impl AsRef<Conditions>]) -> Self {
        let required = |rule: &usize| -> Vec<Vec<RequiredLiterals>> {
            let regexes = &rules[*rule].as_ref().regexes;
            regexes.iter().map(RuleRegex::required_literals).collect()
        };
        let required: Vec<_> = group.iter().map(required).collect();
        let mut frequency: HashMap<&[u8], usize> = HashMap::new();
        for literal in required.iter().flatten().flatten().flatten() {
            *frequency.entry(literal).or_default() += 1;
        }
        // A literal that other rules require, too, finds all of them. A longer one
        // is in fewer keys.
        let rarest = |sets: &'_ Vec<RequiredLiterals>| {
            let cost = |set: &&RequiredLiterals| {
                let uses: usize = set.iter().map(|literal| frequency[&**literal]).sum();
                (uses, Reverse(shortest(set)))
            };
            sets.iter().min_by_key(cost).cloned()
        };
        let mut always = Vec::new();
        let mut by_literal: BTreeMap<Box<[u8]>, Vec<usize>> = BTreeMap::new();
        for (&rule, regexes) in group.iter().zip(&required) {
            match regexes.iter().map(rarest).collect::<Option<Vec<_>>>() {
                Some(sets) if !sets.is_empty() => {
                    for literal in sets.into_iter().flatten() {
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

    fn candidates(&self, key: &[u8], candidates: &mut impl Extend<usize>) {
        candidates.extend(self.always.iter().copied());
        let found = self.literals.find_overlapping_iter(key);
        let mut found: SmallVec<[_; 8]> =
            found.map(|literal| literal.pattern().as_usize()).collect();
        found.sort_unstable();
        found.dedup();
        candidates.extend(found.iter().flat_map(|literal| &self.by_literal[*literal]).copied());
    }
}
