use std::{
    collections::BTreeMap,
    iter,
    ops::Bound::{Included, Unbounded},
};

/// Values by literals, for finding all literals that a text starts with.
#[derive(Debug)]
pub(super) struct AffixMap<V>(BTreeMap<Box<[u8]>, V>);

impl<V> Default for AffixMap<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<V: Default> AffixMap<V> {
    /// The value of a literal, inserted if necessary.
    pub fn entry(&mut self, literal: impl Iterator<Item = u8>) -> &mut V {
        self.0.entry(literal.collect()).or_default()
    }
}

impl<V> AffixMap<V> {
    /// The values of all literals that `text` starts with, longest first.
    ///
    /// Let `last` be the greatest literal that is not greater than the text.
    /// All literals between a prefix of the text and the text start with that
    /// prefix, so each prefix of the text is also one of `last`. It is `last`
    /// itself, or it lies within the bytes that `last` and the text share; then
    /// these bytes are searched in the same way.
    pub fn prefixes_of<'m>(&'m self, text: &'m [u8]) -> impl Iterator<Item = &'m V> {
        let mut rest = Some(text);
        iter::from_fn(move || {
            loop {
                let (last, value) =
                    self.0.range::<[u8], _>((Unbounded, Included(rest?))).next_back()?;
                let shared = iter::zip(last, rest?).take_while(|(a, b)| a == b).count();
                if shared == last.len() {
                    rest = shared.checked_sub(1).map(|shorter| &text[..shorter]);
                    return Some(value);
                }
                rest = Some(&text[..shared]);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(literals: &[String], text: &str) -> Result<(), TestCaseError> {
        let mut map = AffixMap::default();
        for literal in literals {
            *map.entry(literal.bytes()) = literal.clone();
        }
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
