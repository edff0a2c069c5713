//! Finds, among many literals, all that a text starts with, or all that it ends
//! with, in the time of one binary search.
//!
//! The literals are sorted. Let `p` be the last one that is not greater than
//! the text. Every literal the text starts with lies between itself and the
//! text, and whatever lies between a literal and a text that starts with it
//! starts with it, too: so it is `p` or a beginning of `p`. Each literal knows
//! the longest other one that it starts with, and that chain is walked.
//!
//! For endings, literals and text are read backwards.

use std::{cmp::Ordering, collections::BTreeMap, iter};

/// The end of a text that literals are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Literals the text starts with.
    Start,
    /// Literals the text ends with.
    Finish,
}

/// Values by the literal that a text must start, or end, with.
#[derive(Debug)]
pub(super) struct Affixes<V> {
    end: End,
    entries: Box<[Entry<V>]>,
}

#[derive(Debug)]
struct Entry<V> {
    /// In the order it is read.
    literal: Box<[u8]>,
    /// The longest other literal that this one starts with, as read.
    parent: Option<u32>,
    value: V,
}

impl<V> Affixes<V> {
    /// Sorts literals out. An empty literal is at the end of every text.
    pub fn new(end: End, values: BTreeMap<Vec<u8>, V>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        if end == End::Finish {
            for (literal, _) in &mut values {
                literal.reverse();
            }
            values.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        }
        let mut entries: Vec<Entry<V>> = Vec::with_capacity(values.len());
        // The literals that the last one starts with, and itself.
        let mut open: Vec<u32> = Vec::new();
        for (literal, value) in values {
            while let Some(&last) = open.last()
                && !literal.starts_with(&entries[last as usize].literal)
            {
                open.pop();
            }
            let parent = open.last().copied();
            open.push(u32::try_from(entries.len()).expect("rules.yaml has at most 8 MiB"));
            entries.push(Entry { literal: literal.into(), parent, value });
        }
        Self { end, entries: entries.into() }
    }

    /// The values of all literals that are at the text's end, longest first.
    pub fn matching(&self, text: &[u8]) -> impl Iterator<Item = &V> {
        let after = self.entries.partition_point(|entry| self.compare(entry, text).is_le());
        let last = after.checked_sub(1).map(|place| &self.entries[place]);
        let common = last.map_or(0, |entry| self.common(entry, text));
        iter::successors(last, |entry| entry.parent.map(|parent| &self.entries[parent as usize]))
            .filter(move |entry| entry.literal.len() <= common)
            .map(|entry| &entry.value)
    }

    fn compare(&self, entry: &Entry<V>, text: &[u8]) -> Ordering {
        match self.end {
            End::Start => (*entry.literal).cmp(text),
            End::Finish => entry.literal.iter().cmp(text.iter().rev()),
        }
    }

    /// How many bytes a literal and the text have in common.
    fn common(&self, entry: &Entry<V>, text: &[u8]) -> usize {
        let same = |(one, other): &(&u8, &u8)| one == other;
        match self.end {
            End::Start => iter::zip(&entry.literal, text).take_while(same).count(),
            End::Finish => iter::zip(&entry.literal, text.iter().rev()).take_while(same).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(literals: &[String], text: &str) -> Result<(), TestCaseError> {
        for end in [End::Start, End::Finish] {
            let values = literals.iter().map(|text| (text.clone().into_bytes(), text.clone()));
            let affixes = Affixes::new(end, values.collect());
            let mut wanted: Vec<_> = literals
                .iter()
                .filter(|literal| match end {
                    End::Start => text.starts_with(&***literal),
                    End::Finish => text.ends_with(&***literal),
                })
                .collect();
            wanted.sort_by_key(|literal| std::cmp::Reverse(literal.len()));
            wanted.dedup();
            prop_assert_eq!(affixes.matching(text.as_bytes()).collect::<Vec<_>>(), wanted);
        }
        Ok(())
    }

    #[test]
    fn chains() {
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
        fn finds_exactly_what_is_at_the_end(
            literals in prop::collection::vec("[ab/é]{0,4}", 0..12),
            text in "[ab/é]{0,6}",
        ) {
            check(&literals, &text)?;
        }
    }
}
