//! Drops items that another item makes unnecessary.
//!
//! - Equal items are sent once.
//! - An item that a wildcard [covers](Item::covers) is not sent.
//! - Tags are compared without regard to letter case, as CloudFront does. Of
//!   several spellings, the first in byte order is sent.

use std::{cmp::Ordering, sync::Arc};

use smallvec::smallvec;

use crate::item::{Addressed, Item};

use super::{ChangeList, PlannedItem};

/// An item that may be sent.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub planned: PlannedItem,
    /// The length of the item's bound; [`UNBOUND`] if no wildcard may replace
    /// the item.
    pub bound: usize,
    /// The least length of a wildcard that may cover the item; see the module
    /// `floor`.
    pub floor: usize,
    /// The rule that made the item, if its exclusions matter.
    pub rule: Option<Arc<str>>,
    /// See [`Addressed::is_index`].
    pub is_index: bool,
}

/// Longer than any path.
pub(super) const UNBOUND: usize = usize::MAX;

impl Candidate {
    /// Makes the candidate of one change. Its floor is not known yet.
    pub fn new(
        Addressed { item, bound, is_index }: &Addressed,
        rule: Option<Arc<str>>,
        change: u32,
    ) -> Self {
        let bound = if item.stem().starts_with(&**bound) { bound.len() } else { UNBOUND };
        let planned = PlannedItem { item: item.clone(), changes: smallvec![change], replaces: 1 };
        Self { planned, bound, floor: 0, rule, is_index: *is_index }
    }

    /// Returns whether another candidate differs only in its changes.
    pub fn merges(&self, other: &Self) -> bool {
        self.planned.item == other.planned.item
            && (self.bound, self.is_index) == (other.bound, other.is_index)
            && self.rule == other.rule
    }

    /// Makes the candidate of a wildcard that the plan chose; no rule requested
    /// it.
    pub fn chosen(wildcard: Item) -> Self {
        let planned = PlannedItem { item: wildcard, changes: ChangeList::new(), replaces: 0 };
        Self { planned, bound: UNBOUND, floor: 0, rule: None, is_index: false }
    }
}

/// Returns the items that remain: tags first, then paths by their
/// [stem](Item::stem).
pub(super) fn cover(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    // The stable sort is fast on sorted input, which key lists are.
    candidates.sort_by(|a, b| order(&a.planned.item, &b.planned.item));
    candidates.dedup_by(|next, kept| {
        let covered = kept.planned.item.covers(&next.planned.item);
        if kept.planned.item.folded() == next.planned.item.folded() {
            kept.bound = next.bound.min(kept.bound);
            kept.is_index |= next.is_index;
            kept.planned.replaces = kept.planned.replaces.max(next.planned.replaces);
        } else if covered {
            kept.planned.replaces += next.planned.replaces;
        }
        if covered {
            kept.floor = next.floor.max(kept.floor);
            kept.planned.changes.append(&mut next.planned.changes);
        }
        covered
    });
    candidates
}

/// Puts all items that a wildcard covers right behind it.
pub(super) fn order(a: &Item, b: &Item) -> Ordering {
    match (a.is_tag(), b.is_tag()) {
        (true, true) => a.folded().cmp(&b.folded()).then_with(|| a.cmp(b)),
        (false, false) => a.stem().cmp(b.stem()).then_with(|| {
            let paths_first = a.is_wildcard().cmp(&b.is_wildcard());
            // `/d/*` does not cover `/d/`.
            let is_directory = a.stem().ends_with('/') && a.stem() != "/";
            if is_directory { paths_first } else { paths_first.reverse() }
        }),
        (a_is_tag, b_is_tag) => b_is_tag.cmp(&a_is_tag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::tests::item;

    /// What remains of `texts` and the wildcards of `directories`, each with
    /// the number of items it replaces.
    fn remaining(texts: &[&str], directories: &[&str]) -> Vec<String> {
        let candidates = texts.iter().map(|text| {
            let addressed = Addressed { item: item(text), bound: "/".into(), is_index: false };
            Candidate::new(&addressed, None, 0)
        });
        let chosen = directories.iter().map(|prefix| Candidate::chosen(Item::wildcard(prefix)));
        let remaining = cover(candidates.chain(chosen).collect()).into_iter();
        remaining.map(|c| format!("{} {}", c.planned.item, c.planned.replaces)).collect()
    }

    #[test]
    fn what_remains() {
        for (texts, directories, expected) in [
            (&["/a", "/a", "/b"][..], &[][..], &["/a 1", "/b 1"][..]),
            (&["/a*", "/a", "/ab", "/a/b", "/b"], &[], &["/a* 4", "/b 1"]),
            // `!` sorts before `*`, `/` after it.
            (&["/a*", "/a!", "/a/*", "/a/x*"], &[], &["/a* 4"]),
            (&["/d/*", "/d/", "/d/a", "/d"], &[], &["/d 1", "/d/ 1", "/d/* 2"]),
            (&["/d/*", "/d/", "/d/", "/d/a"], &[], &["/d/ 1", "/d/* 2"]),
            (&["/d/*", "/d/", "/*"], &[], &["/* 3"]),
            (&["/*", "/"], &[], &["/* 2"]),
            (&["/d*", "/d/"], &[], &["/d* 2"]),
            (&["/d/*", "/d/e/", "/d/?*"], &[], &["/d/* 3"]),
            (&["/d/", "/d/a", "/d/b/c", "/e"], &["/d/"], &["/d/ 1", "/d/* 2", "/e 1"]),
            (&["/a/1", "/b/1", "/c"], &["/a/", "/b/"], &["/a/* 1", "/b/* 1", "/c 1"]),
            (&["/a/*", "/b/1"], &["/a/"], &["/a/* 1", "/b/1 1"]),
            (&["/A", "/a"], &[], &["/A 1", "/a 1"]),
            (&["#b", "#B", "#a", "/x"], &[], &["#a 1", "#B 1", "/x 1"]),
            // A wildcard never covers a tag.
            (&["#a", "/*"], &[], &["#a 1", "/* 1"]),
            (&[], &[], &[]),
        ] {
            assert_eq!(remaining(texts, directories), expected, "{texts:?} {directories:?}");
        }
    }

    #[test]
    fn a_bound_that_does_not_start_the_path_forbids_every_wildcard() {
        for (text, bound, expected) in [
            ("/docs/a", "/docs/", "/docs/".len()),
            ("/feed.xml", "/docs/", UNBOUND),
            ("/docs/a*", "/docs/a*", UNBOUND),
        ] {
            let addressed = Addressed { item: item(text), bound: bound.into(), is_index: false };
            let candidate = Candidate::new(&addressed, None, 0);
            assert_eq!(candidate.bound, expected, "{text} {bound}");
        }
    }
}
