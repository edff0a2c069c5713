//! Drops what is sent anyway.
//!
//! - An item that several changes, rules or targets ask for is sent once.
//! - What a wildcard [covers](wildcard_covers) goes.
//! - Tags compare without regard to letter case, as CloudFront compares them;
//!   of several spellings the first in byte order is sent.

use std::cmp::Ordering;

use crate::item::{Item, wildcard_covers};

/// An item that one change asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub item: Item,
    /// The length of the item's bound, or [`UNBOUND`].
    pub bound: u32,
    /// The change's number.
    pub change: u32,
}

/// In place of the length of a bound: no wildcard may stand for the item.
pub(super) const UNBOUND: u32 = u32::MAX;

impl Asked {
    pub fn new(item: Item, bound: &str, change: u32) -> Self {
        let length = if item.stem().starts_with(bound) { bound.len() } else { usize::MAX };
        Self { item, bound: u32::try_from(length).unwrap_or(UNBOUND), change }
    }
}

/// An item and all who ask for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group<'a> {
    /// Never empty.
    pub asked: &'a [Asked],
    /// The length of the shortest bound.
    pub bound: u32,
}

impl<'a> Group<'a> {
    fn new(asked: &'a [Asked]) -> Self {
        let bound = asked.iter().map(|asked| asked.bound).min();
        Self { asked, bound: bound.unwrap_or(UNBOUND) }
    }

    pub fn item(&self) -> &'a Item {
        &self.asked[0].item
    }
}

/// Sorts what is asked for and groups what is the same: first the paths, by
/// their [stem](Item::stem) and wildcards before paths, then the tags.
pub(super) fn group(asked: &mut [Asked]) -> (Vec<Group<'_>>, Vec<Group<'_>>) {
    // Stable, because that one is fast on input that is sorted already, as key
    // lists are.
    asked.sort_by(|a, b| match (a.item.is_tag(), b.item.is_tag()) {
        (false, false) => path_order(&a.item, &b.item),
        (true, true) => tag_order(&a.item, &b.item).then_with(|| a.item.cmp(&b.item)),
        (a, b) => a.cmp(&b),
    });
    let (paths, tags) = asked.split_at(asked.partition_point(|asked| !asked.item.is_tag()));
    (
        paths.chunk_by(|a, b| a.item == b.item).map(Group::new).collect(),
        tags.chunk_by(|a, b| tag_order(&a.item, &b.item).is_eq()).map(Group::new).collect(),
    )
}

/// With the wildcard first, whatever it covers follows it without a gap.
fn path_order(a: &Item, b: &Item) -> Ordering {
    a.stem().cmp(b.stem()).then(b.is_wildcard().cmp(&a.is_wildcard()))
}

fn tag_order(a: &Item, b: &Item) -> Ordering {
    let lower_case = |byte: u8| byte.to_ascii_lowercase();
    a.as_str().bytes().map(lower_case).cmp(b.as_str().bytes().map(lower_case))
}

/// What is left of a list of paths.
#[derive(Debug, Default)]
pub(super) struct Cover {
    /// What is sent, in the order of the list.
    pub heads: Vec<Head>,
    /// For each group of the list, its place in `heads`.
    pub owners: Vec<u32>,
}

/// Something that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The item of the group with this number.
    Group(u32),
    /// The wildcard of the directory with this number.
    Directory(u32),
}

/// Lets the wildcards among `groups`, and one for each of `directories`, cover
/// what they can. Both lists are sorted; no directory is below another.
pub(super) fn cover(groups: &[Group<'_>], directories: &[&str]) -> Cover {
    let mut cover = Cover::default();
    let mut directories = (0..).zip(directories).peekable();
    // The outermost wildcard so far. All it covers comes before anything else.
    let mut outermost: Option<(&str, u32)> = None;
    for (number, group) in (0..).zip(groups) {
        let item = group.item();
        let (stem, wildcard) = (item.stem(), item.is_wildcard());
        while let Some((directory, prefix)) = directories.next_if(|(_, prefix)| **prefix <= stem) {
            if outermost.is_none_or(|(outer, _)| !wildcard_covers(outer, prefix, true)) {
                outermost = Some((prefix, place(&mut cover.heads, Head::Directory(directory))));
            }
        }
        let owner = match outermost {
            Some((prefix, owner)) if wildcard_covers(prefix, stem, wildcard) => owner,
            _ => {
                let owner = place(&mut cover.heads, Head::Group(number));
                if wildcard {
                    outermost = Some((stem, owner));
                }
                owner
            }
        };
        cover.owners.push(owner);
    }
    cover
}

fn place(heads: &mut Vec<Head>, head: Head) -> u32 {
    heads.push(head);
    u32::try_from(heads.len() - 1).expect("fewer than 2^32 items")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items that are left of `texts`, with what each stands for.
    fn left(texts: &[&str], directories: &[&str]) -> Vec<String> {
        let mut asked: Vec<Asked> = (0..)
            .zip(texts)
            .map(|(change, text)| {
                let item = match (text.strip_prefix('#'), text.strip_suffix('*')) {
                    (Some(tag), _) => Item::tag(tag).unwrap(),
                    (None, Some(prefix)) => Item::wildcard(prefix),
                    (None, None) => crate::item::address(text, "/", "/", false).unwrap(),
                };
                Asked::new(item, "/", change)
            })
            .collect();
        let (paths, tags) = group(&mut asked);
        let cover = cover(&paths, directories);
        let mut left: Vec<String> = (0..)
            .zip(&cover.heads)
            .map(|(head, kind)| {
                let text = match kind {
                    Head::Group(group) => paths[*group as usize].item().to_string(),
                    Head::Directory(number) => format!("+{}*", directories[*number as usize]),
                };
                let owned = cover.owners.iter().filter(|owner| **owner == head).count();
                format!("{text} {owned}")
            })
            .collect();
        left.extend(tags.iter().map(|tag| format!("{} {}", tag.item(), tag.asked.len())));
        left
    }

    #[test]
    fn what_is_left() {
        for (texts, directories, expected) in [
            (&["/a", "/a", "/b"][..], &[][..], &["/a 1", "/b 1"][..]),
            (&["/a*", "/a", "/ab", "/a/b", "/b"], &[], &["/a* 4", "/b 1"]),
            // `!` sorts before `*`, `/` after it.
            (&["/a*", "/a!", "/a/*", "/a/x*"], &[], &["/a* 4"]),
            (&["/d/*", "/d/", "/d/a", "/d"], &[], &["/d 1", "/d/* 2", "/d/ 1"]),
            (&["/d/*", "/d/", "/*"], &[], &["/* 3"]),
            (&["/*", "/"], &[], &["/* 2"]),
            (&["/d*", "/d/"], &[], &["/d* 2"]),
            (&["/d/*", "/d/e/", "/d/?*"], &[], &["/d/* 3"]),
            (&["/d/", "/d/a", "/d/b/c", "/e"], &["/d/"], &["+/d/* 2", "/d/ 1", "/e 1"]),
            (&["/a/1", "/b/1", "/c"], &["/a/", "/b/"], &["+/a/* 1", "+/b/* 1", "/c 1"]),
            (&["/a/*", "/b/1"], &["/a/"], &["+/a/* 1", "/b/1 1"]),
            (&["/A", "/a"], &[], &["/A 1", "/a 1"]),
            (&["#b", "#B", "#a", "/x"], &[], &["/x 1", "#a 1", "#B 2"]),
            // A wildcard never covers a tag.
            (&["#a", "/*"], &[], &["/* 1", "#a 1"]),
            (&[], &[], &[]),
        ] {
            assert_eq!(left(texts, directories), expected, "{texts:?} {directories:?}");
        }
    }

    #[test]
    fn a_bound_that_does_not_start_the_path_forbids_every_wildcard() {
        let path = |text| crate::item::address(text, "/", "/", false).unwrap();
        assert_eq!(Asked::new(path("/docs/a"), "/docs/", 0).bound, 6);
        assert_eq!(Asked::new(path("/feed.xml"), "/docs/", 0).bound, UNBOUND);
        assert_eq!(Asked::new(Item::wildcard("/docs/a"), "/docs/a*", 0).bound, UNBOUND);
    }
}
