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
///
/// The literals lie in one piece, so that a search among thousands of them
/// stays within the processor's cache.
#[derive(Debug)]
pub(super) struct Affixes<V> {
    end: End,
    /// All literals in their order, each in the order it is read.
    bytes: Box<[u8]>,
    entries: Box<[Entry]>,
    values: Box<[V]>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where the literal's bytes start and end.
    start: u32,
    end: u32,
    /// The place of the longest other literal that this one starts with, as
    /// read.
    parent: Option<u32>,
}

impl<V> Affixes<V> {
    /// Sorts literals out. An empty literal is at the end of every text.
    pub fn new(end: End, values: BTreeMap<Vec<u8>, V>) -> Self {
        let mut sorted: Vec<_> = values.into_iter().collect();
        if end == End::Finish {
            for (literal, _) in &mut sorted {
                literal.reverse();
            }
            sorted.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        }
        let mut bytes = Vec::new();
        let mut entries: Vec<Entry> = Vec::with_capacity(sorted.len());
        // The places of the literals that the last one starts with, and its own.
        let mut open: Vec<usize> = Vec::new();
        for (place, (literal, _)) in sorted.iter().enumerate() {
            while let Some(&last) = open.last()
                && !literal.starts_with(&sorted[last].0)
            {
                open.pop();
            }
            let parent = open.last().copied().map(narrow);
            open.push(place);
            let start = narrow(bytes.len());
            bytes.extend_from_slice(literal);
            entries.push(Entry { start, end: narrow(bytes.len()), parent });
        }
        let values = sorted.into_iter().map(|(_, value)| value).collect();
        Self { end, bytes: bytes.into(), entries: entries.into(), values }
    }

    /// The values of all literals that are at the text's end, longest first.
    pub fn matching(&self, text: &[u8]) -> impl Iterator<Item = &V> {
        let after = self.entries.partition_point(|entry| self.compare(entry, text).is_le());
        let last = after.checked_sub(1);
        let common = last.map_or(0, |place| self.common(&self.entries[place], text));
        iter::successors(last, |&place| self.entries[place].parent.map(|parent| parent as usize))
            .filter(move |&place| self.literal(&self.entries[place]).len() <= common)
            .map(|place| &self.values[place])
    }

    fn literal(&self, entry: &Entry) -> &[u8] {
        &self.bytes[entry.start as usize..entry.end as usize]
    }

    fn compare(&self, entry: &Entry, text: &[u8]) -> Ordering {
        let literal = self.literal(entry);
        match self.end {
            End::Start => literal.cmp(text),
            End::Finish => literal.iter().cmp(text.iter().rev()),
        }
    }

    /// How many bytes a literal and the text have in common.
    fn common(&self, entry: &Entry, text: &[u8]) -> usize {
        let literal = self.literal(entry);
        let same = |(one, other): &(&u8, &u8)| one == other;
        match self.end {
            End::Start => iter::zip(literal, text).take_while(same).count(),
            End::Finish => iter::zip(literal, text.iter().rev()).take_while(same).count(),
        }
    }
}

/// Places and lengths within a rules file, which has at most 8 MiB.
fn narrow(size: usize) -> u32 {
    u32::try_from(size).expect("rules.yaml has at most 8 MiB")
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
