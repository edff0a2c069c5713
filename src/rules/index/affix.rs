//! A map of literals that finds all prefixes of a text.

use std::iter;

/// Values by literals, for finding all literals that a text starts with in the
/// time of one binary search.
#[derive(Debug)]
pub(in crate::rules) struct AffixMap<V> {
    /// In the order of their literals.
    entries: Box<[Entry<V>]>,
}

#[derive(Debug)]
struct Entry<V> {
    literal: Box<[u8]>,
    /// The entry of the longest other literal that this one starts with.
    parent: Option<usize>,
    value: V,
}

impl<V> AffixMap<V> {
    /// Makes the map of distinct literals in byte order.
    pub fn new(values: impl IntoIterator<Item = (Box<[u8]>, V)>) -> Self {
        let mut entries: Vec<Entry<V>> = Vec::new();
        for (literal, value) in values {
            let last = entries.len().checked_sub(1);
            let parent =
                chain(&entries, last).find(|&index| literal.starts_with(&entries[index].literal));
            entries.push(Entry { literal, parent, value });
        }
        Self { entries: entries.into() }
    }

    /// Returns the values of all literals that `text` starts with, longest
    /// first.
    ///
    /// Let `last` be the greatest literal that is not greater than the text.
    /// All literals between a prefix of the text and the text start with that
    /// prefix, so each prefix of the text is `last` or one of its parents.
    pub fn prefixes_of(&self, text: &[u8]) -> impl Iterator<Item = &V> {
        let after = self.entries.partition_point(|entry| &*entry.literal <= text);
        let last = after.checked_sub(1);
        let shared = last.map_or(0, |last| {
            iter::zip(&self.entries[last].literal, text).take_while(|(a, b)| a == b).count()
        });
        chain(&self.entries, last)
            .map(|index| &self.entries[index])
            .skip_while(move |entry| entry.literal.len() > shared)
            .map(|entry| &entry.value)
    }
}

/// Returns an entry, its parent, the parent of that, and so on.
fn chain<V>(entries: &[Entry<V>], first: Option<usize>) -> impl Iterator<Item = usize> {
    iter::successors(first, |&index| entries[index].parent)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn check(literals: &[String], text: &str) -> Result<(), TestCaseError> {
        let values = literals.iter().map(|text| (text.as_bytes().into(), text.clone()));
        let map = AffixMap::new(values.collect::<BTreeMap<_, _>>());
        let mut expected: Vec<_> =
            literals.iter().filter(|literal| text.starts_with(&***literal)).collect();
        expected.sort_by_key(|literal| std::cmp::Reverse(literal.len()));
        expected.dedup();
        prop_assert_eq!(map.prefixes_of(text.as_bytes()).collect::<Vec<_>>(), expected);
        Ok(())
    }

    #[test]
    fn nested_prefixes() {
        let all = ["", "a", "aa", "aab", "ab", "b", "ba/é", "é"].map(str::to_owned);
        for text in ["", "a", "aa", "aaa", "aac", "aab", "aabb", "abab", "c", "ba/é", "éba", "é"]
        {
            check(&all, text).expect(text);
            check(&all[1..], text).expect(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]
        #[test]
        fn finds_exactly_the_prefixes(
            literals in prop::collection::vec("[ab/é]{0,4}", 0..12),
            text in "[ab/é]{0,6}",
        ) {
            check(&literals, &text)?;
        }
    }
}
