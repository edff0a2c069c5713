//! Chooses the directory wildcards that replace paths.
//!
//! # The optimum
//!
//! If more than [`above`](Collapse::above) paths, or more than
//! [`max_wildcards`](Collapse::max_wildcards) wildcards, remain after the cover,
//! the plan may send *directory wildcards* (`/docs/*`) instead. A set of
//! wildcards is valid if
//!
//! - no wildcard covers another,
//! - each has at least [`min_depth`](Collapse::min_depth) segments,
//! - none covers anything that is excluded for one of the items it covers: it is
//!   at least as long as their [floors](super::floor),
//! - each replaces at least two items. It may replace an item only if it starts
//!   with the item's bound.
//! - With the wildcards that rules requested and that it does not replace, there
//!   are at most `max_wildcards`. If bounds, floors and `min_depth` rule that
//!   out, there are as few as possible.
//!
//! The plan takes the valid set of the lowest cost, which is the sum of
//!
//! - 1 for each item that is sent,
//! - for each wildcard, [`weight`](Collapse::weight) for every directory it
//!   purges, itself included, whose index page is not in the batch (at least
//!   once),
//! - for each wildcard, 1 for every item below it *without evidence*, up to
//!   `above` items,
//! - for each wildcard, 1 for every item below it that it may not replace. It
//!   purges these items, so they are not sent, but they must not be a reason
//!   for the wildcard.
//!
//! Ties go to fewer wildcards, then to fewer directories purged, then to the
//! first set in byte order.
//!
//! An item has **evidence** if the index page of its directory is in the batch.
//! For an index page, it is that of the parent directory; the index page of the
//! wildcard's own directory needs none. The index page of `/docs/` is the path
//! of a changed object `/docs/index.html`
//! ([`is_index`](crate::item::Addressed::is_index)). A path that a template
//! wrote is none, even if it is the same.
//!
//! The reason for evidence: a batch does not list the objects that did not
//! change. A build that rewrites a directory also writes its index page, but
//! among hundreds of edits all over a site there is hardly an index page. A feed
//! (`index.xml`) or a listing that a rule invalidates for every post changes
//! with a single post. Sites without index pages are collapsed by number alone.
//!
//! # An example
//!
//! `above: 2`, `weight: 3`, all bounds `/`, and the changes
//!
//! ```text
//! /docs/index.html  /docs/a.html  /docs/b.html  /docs/c.html  /docs/d.html
//! /docs/faq/x.html  /docs/faq/y.html  /news/1.html  /news/2.html
//! ```
//!
//! | chosen | items | for directories | for items without evidence | cost |
//! |---|---|---|---|---|
//! | nothing | 9 | 0 | 0 | 9 |
//! | `/docs/*` | 3 | 3 × 1: `/docs/faq/` | 2: `x.html`, `y.html` | **8** |
//! | `/docs/*` `/news/*` | 2 | 3 × 1 + 3 × 1 | 2 + 2 | 12 |
//! | `/docs/faq/*` | 8 | 3 × 1 | 2 | 13 |
//!
//! # The algorithm
//!
//! Dynamic programming over the directory tree. All that the rest of the tree
//! needs to know of the choices in a subtree is how many wildcards they use and
//! what they cost. So each subtree keeps the [`ParetoFront`] of its choices, at
//! most `max_wildcards` + 1 of them. It is made of the fronts of the children,
//! by combining all pairs, and of one more choice: the directory's own wildcard,
//! which replaces all others below it. All parts of the cost and of the
//! tie-breaks are sums over subtrees, so by induction each front is exact, and
//! so is the one of the root.
//!
//! Paths come sorted, so a single pass with a stack of open directories visits
//! the tree in post-order. After sorting, time is linear in the number of paths.

use crate::{item::Item, target::Collapse};

use super::{
    cover::Candidate,
    floor::common_prefix,
    front::{Choice, ParetoFront, Price},
};

/// Returns the wildcards that replace candidates. `candidates` are covered;
/// tags among them are left out.
pub(super) fn wildcards<'c>(
    candidates: impl Iterator<Item = Leaf<'c>> + Clone,
    settings: &Collapse,
) -> Vec<Item> {
    let leaves = candidates.filter(|leaf| !leaf.is_tag());
    let paths = leaves.clone().count();
    let wildcards = leaves.clone().filter(|leaf| leaf.is_wildcard).count();
    if paths - wildcards <= settings.above && wildcards <= settings.max_wildcards {
        return Vec::new();
    }
    choose(leaves, settings).into_iter().map(Item::wildcard).collect()
}

/// A path or a wildcard path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf<'a> {
    /// The path, or the text of a wildcard in front of its `*`.
    pub path: &'a str,
    pub is_wildcard: bool,
    /// Whether it is the index page of its directory.
    pub is_index: bool,
    /// The least length of a wildcard that may cover it.
    pub floor: usize,
    /// The length of the bound, which `path` starts with, or
    /// [`UNBOUND`](super::cover::UNBOUND).
    pub bound: usize,
}

impl<'a> Leaf<'a> {
    pub fn of(candidate: &'a Candidate) -> Self {
        Self {
            path: candidate.planned.item.stem(),
            is_wildcard: candidate.planned.item.is_wildcard(),
            is_index: candidate.is_index,
            bound: candidate.bound,
            floor: candidate.floor,
        }
    }

    fn is_tag(&self) -> bool {
        self.path.starts_with('#')
    }
}

/// Chooses directories, returned with their final slash and in byte order.
/// `leaves` are sorted by path, and none covers another.
fn choose<'a>(leaves: impl Iterator<Item = Leaf<'a>>, settings: &Collapse) -> Vec<&'a str> {
    let mut walk = Walk { settings, open: Vec::new(), path: "/", names: Vec::new() };
    walk.open_directory("/", 1);
    for leaf in leaves {
        walk.visit(leaf);
    }
    let root = walk.close_all();
    let chosen = root.front.into_best().chosen;
    chosen.into_iter().map(|index| walk.names[index as usize]).collect()
}

/// A directory with items of the batch.
#[derive(Default)]
struct Directory {
    /// The length of its name, which is a prefix of the current path and ends
    /// in a slash.
    length: usize,
    /// Its index in [`Walk::names`].
    index: u32,

    // Its own items, subdirectories left out.
    /// If there is one, the directory has evidence.
    index_pages: usize,
    others: usize,
    wildcards: usize,
    /// The index pages of its direct subdirectories.
    child_index_pages: usize,

    // The subtree.
    items: usize,
    /// Items that the wildcard of this directory may replace, and that of no
    /// directory further up.
    outermost_for: usize,
    /// Items that the wildcard of this directory may not replace.
    forbidden: usize,
    /// The greatest floor of an item.
    floor: usize,
    directories: usize,
    without_index: usize,
    without_evidence: usize,
    front: ParetoFront,
}

struct Walk<'a, 's> {
    settings: &'s Collapse,
    /// The directories of `path` from the root down.
    open: Vec<Directory>,
    path: &'a str,
    /// The names of all directories so far, in byte order.
    names: Vec<&'a str>,
}

impl<'a> Walk<'a, '_> {
    fn visit(&mut self, Leaf { path, is_wildcard, is_index, bound, floor }: Leaf<'a>) {
        let length = directory_length(path);
        let common = common_prefix(self.path, path).min(length);
        while self.innermost().length > common {
            self.close_innermost();
        }
        let open = self.innermost().length;
        for (slash, _) in path[open..length].match_indices('/') {
            self.open_directory(path, open + slash + 1);
        }
        self.path = path;

        let outermost = self.open.partition_point(|directory| directory.length < bound);
        match self.open.get_mut(outermost) {
            Some(directory) => directory.outermost_for += 1,
            None => self.innermost().forbidden += 1,
        }
        let directory = self.innermost();
        directory.items += 1;
        directory.wildcards += usize::from(is_wildcard);
        directory.index_pages += usize::from(is_index);
        directory.others += usize::from(!is_index);
        directory.floor = directory.floor.max(floor);
    }

    fn innermost(&mut self) -> &mut Directory {
        self.open.last_mut().expect("the root is open")
    }

    fn open_directory(&mut self, path: &'a str, length: usize) {
        let name = &path[..length];
        let index = u32::try_from(self.names.len()).expect("fewer than 2^32 directories");
        self.names.push(name);
        self.open.push(Directory { length, index, directories: 1, ..<_>::default() });
    }

    /// Adds the innermost directory to its parent.
    fn close_innermost(&mut self) {
        let depth = self.open.len() - 1;
        let mut directory = self.open.pop().expect("a directory is open");
        let settings = self.settings;
        directory.complete(depth, settings);
        self.innermost().add_child(&directory, settings.max_wildcards);
    }

    fn close_all(&mut self) -> Directory {
        while self.open.len() > 1 {
            self.close_innermost();
        }
        let mut root = std::mem::take(self.innermost());
        root.complete(0, self.settings);
        root
    }
}

impl Directory {
    /// Completes the figures and the front after the last item.
    fn complete(&mut self, depth: usize, settings: &Collapse) {
        if self.index_pages == 0 {
            self.without_index += 1;
            self.without_evidence += self.others + self.child_index_pages;
        }
        let own = (self.index_pages + self.others) as u64;
        self.front.add_items(own, self.wildcards, settings.max_wildcards);
        let is_valid = depth >= settings.min_depth
            && self.length >= self.floor
            && self.items - self.forbidden >= 2;
        if is_valid {
            let for_directories = u64::from(settings.weight) * self.without_index.max(1) as u64;
            let for_items = self.without_evidence.min(settings.above) + self.forbidden;
            let cost = 1 + for_directories + for_items as u64;
            let price = Price { cost, purged_directories: self.directories };
            let choice = Choice { wildcards: 1, price, chosen: vec![self.index] };
            self.front.add_choice(choice, settings.max_wildcards);
        }
    }

    /// Adds a direct subdirectory, which is complete.
    fn add_child(&mut self, child: &Self, max_wildcards: usize) {
        self.child_index_pages += child.index_pages;
        self.items += child.items;
        self.floor = self.floor.max(child.floor);
        self.forbidden += child.forbidden + child.outermost_for;
        self.directories += child.directories;
        self.without_index += child.without_index;
        self.without_evidence += child.without_evidence;
        self.front.join(&child.front, max_wildcards);
    }
}

/// Returns the length of a path's directory with its slash. The path `/docs/`
/// is in `/`, because the wildcard `/docs/*` is not regarded as covering it.
fn directory_length(path: &str) -> usize {
    let name = path.strip_suffix('/').unwrap_or(path);
    name.rfind('/').map_or(1, |slash| slash + 1)
}

#[cfg(test)]
mod tests;
