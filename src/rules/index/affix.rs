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

    /// Returns the values of all literals that a text starts with, longest
    /// first. `text` returns the byte at a position, or `None` at the end.
    ///
    /// Let `last` be the greatest literal that is not greater than the text.
    /// All literals between a prefix of the text and the text start with that
    /// prefix, so each prefix of the text is `last` or one of its parents.
    pub fn prefixes_of(&self, text: impl Fn(usize) -> Option<u8>) -> impl Iterator<Item = &V> {
        let (mut low, mut high) = (0, self.entries.len());
        // How many bytes the text shares with the literals before and behind. All
        // between them share the smaller number with it.
        let (mut shared_low, mut shared_high) = (0, 0);
        while low < high {
            let middle = usize::midpoint(low, high);
            let literal = &self.entries[middle].literal;
            let mut shared = shared_low.min(shared_high);
            while shared < literal.len() && text(shared) == Some(literal[shared]) {
                shared += 1;
            }
            if literal.get(shared).copied() <= text(shared) {
                (low, shared_low) = (middle + 1, shared);
            } else {
                (high, shared_high) = (middle, shared);
            }
        }
        chain(&self.entries, low.checked_sub(1))
            .map(|index| &self.entries[index])
            .skip_while(move |entry| entry.literal.len() > shared_low)
            .map(|entry| &entry.value)
    }
}

/// Returns an entry, its parent, the parent of that, and so on.
fn chain<V>(entries: &[Entry<V>], first: Option<usize>) -> impl Iterator<Item = usize> {
    iter::successors(first, |&index| entries[index].parent)
}

/// Returns the byte of a text at a position.
pub(in crate::rules) fn forwards(text: &[u8]) -> impl Fn(usize) -> Option<u8> {
    |at| text.get(at).copied()
}

/// Returns the byte of a text at a position from its end.
pub(in crate::rules) fn backwards(text: &[u8]) -> impl Fn(usize) -> Option<u8> {
    |at| text.get(text.len().checked_sub(at + 1)?).copied()
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
        prop_assert_eq!(map.prefixes_of(forwards(text.as_bytes())).collect::<Vec<_>>(), expected);
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
