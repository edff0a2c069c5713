//! Chooses the wildcards that stand for paths.
//!
//! # What is chosen
//!
//! When more than [`above`](Collapse::above) paths, or more than
//! [`max_wildcards`](Collapse::max_wildcards) wildcards, are left after the
//! cover, the plan may put *directory wildcards* (`/docs/*`) in their place: at
//! most `max_wildcards` wildcards in all, none covering another, none with fewer
//! than [`min_depth`](Collapse::min_depth) segments, each standing for at least
//! two items. A wildcard stands for an item only if it starts with the item's
//! bound. Of all such sets the plan takes the one with the least sum of
//!
//! - 1 for each item that is sent,
//! - for each wildcard: [`weight`](Collapse::weight) for every directory it
//!   opens, itself included, whose index page is not in the batch (at least
//!   once), and
//! - for each wildcard: 1 for every *unproven* item it stands for, up to
//!   `above` of them.
//!
//! An item is **proven** if the index page of its directory is in the batch
//! too; for an index page, the one of the directory above (the wildcard's own
//! index page needs no proof). The index page of `/docs/` is `/docs/`
//! itself, or a file `/docs/index.…`.
//!
//! In a sentence: *a wildcard must replace more than `weight` paths for each
//! directory it opens without its index page, and beyond that more than `above`
//! paths of which nothing shows that their directory was rebuilt.* A batch does
//! not say which objects did not change, so something in it has to tell a
//! rebuilt directory from one where some pages were edited. Index pages do:
//! whoever rebuilds a directory writes its index page as well, and of five
//! hundred edits all over a site hardly any is one. Where a site has no index
//! pages, sheer number has to do.
//!
//! Ties go to fewer wildcards, then to fewer directories purged, then to the
//! first set in byte order. With a [census](super::Census) no guess is needed:
//! `weight` × the unchanged objects below the wildcard / 10 takes the place of
//! both charges.
//!
//! Items whose bound a wildcard does not start with are charged as if they were
//! still sent: they are no reason for it. If it is chosen for the sake of others
//! it purges them all the same, and they are not paid for twice.
//!
//! Wildcards that the rules ask for count towards `max_wildcards` and can be
//! stood for like paths. When bounds and `min_depth` leave no way down to
//! `max_wildcards`, the plan has as few wildcards as they allow.
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
//! | chosen | items | charge for directories | for unproven items | sum |
//! |---|---|---|---|---|
//! | nothing | 9 | 0 | 0 | 9 |
//! | `/docs/*` | 3 | 3 × 1: `/docs/faq/` | 2: `x.html`, `y.html` | **8** |
//! | `/docs/*` `/news/*` | 2 | 3 × 1 + 3 × 1 | 2 + 2 | 12 |
//! | `/docs/faq/*` | 8 | 3 × 1 | 2 | 13 |
//!
//! # Why it is the least sum
//!
//! Below one directory, what matters of a choice is how many wildcards it uses
//! and what it costs: which directories they are changes nothing elsewhere. So a
//! table of the best choice for each number of wildcards is enough. The table of
//! a directory is made of its children's, by trying every split of the number
//! among them, and of the one choice that replaces them all, the directory's own
//! wildcard. By induction every table is right, the root's too. Each of the sums
//! that the tie-breaks compare is a sum over the children as well, and byte
//! order is that of children laid one behind the other.
//!
//! Paths come sorted, so a directory's paths follow one another: one walk with a
//! stack of open directories sees all of them, and a table has at most
//! `max_wildcards` + 1 rows. Time grows with the number of paths, but for the
//! sorting.

use crate::target::Collapse;

use super::{
    census::Unchanged,
    table::{Choice, Table},
};

/// An item left after the cover.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf<'a> {
    /// The path, or what a wildcard has in front of its `*`.
    pub path: &'a str,
    /// Whether it is a wildcard.
    pub wildcard: bool,
    /// The length of its bound, which is the start of `path`; more than the
    /// path's length if no wildcard may stand for it.
    pub bound: usize,
}

/// Chooses directories, each given with its slash, in byte order. `leaves` are
/// sorted by path, and none covers another.
pub(super) fn choose<'a>(
    leaves: impl Iterator<Item = Leaf<'a>>,
    settings: &Collapse,
    unchanged: Option<Unchanged<'_>>,
) -> Vec<&'a str> {
    let mut walk = Walk::new(settings, unchanged);
    for leaf in leaves {
        walk.leaf(leaf);
    }
    walk.finish()
}

/// One path, in the unit of [`Choice::cost`].
const PATH: u64 = 10;

/// A directory that the walk is in.
#[derive(Default)]
struct Directory {
    /// How many bytes of the current path name it, its slash included.
    length: usize,
    number: u32,
    /// Whether its index page is in the batch.
    has_index: bool,
    /// Its own items, by what they are.
    index_pages: usize,
    others: usize,
    wildcards: usize,
    /// Index pages of the directories right below it.
    child_index_pages: usize,

    // The rest is about everything below it.
    items: usize,
    /// Items that this directory's wildcard may stand for and no wildcard
    /// above it.
    anchored: usize,
    /// Items that this directory's wildcard may not stand for.
    forbidden: usize,
    directories: usize,
    without_index: usize,
    unproven: usize,
    table: Table,
}

struct Walk<'a, 's> {
    settings: &'s Collapse,
    unchanged: Option<Unchanged<'s>>,
    /// The directories of `path`, outermost first.
    open: Vec<Directory>,
    path: &'a str,
    /// All directories so far, by number.
    names: Vec<&'a str>,
    /// The last path that ended in a slash: the index page of that directory.
    slash_path: &'a str,
}

impl<'a, 's> Walk<'a, 's> {
    fn new(settings: &'s Collapse, unchanged: Option<Unchanged<'s>>) -> Self {
        let mut walk = Self {
            settings,
            unchanged,
            open: Vec::new(),
            path: "/",
            names: Vec::new(),
            slash_path: "",
        };
        walk.open_directory("/", 1);
        walk
    }

    fn leaf(&mut self, leaf: Leaf<'a>) {
        let Leaf { path, wildcard, bound } = leaf;
        let length = directory_length(path);
        let common = common_prefix(self.path, path).min(length);
        while self.open.last().is_some_and(|directory| directory.length > common) {
            self.close_directory();
        }
        let open = self.open.last().map_or(0, |directory| directory.length);
        for (at, _) in path[open..length].match_indices('/') {
            self.open_directory(path, open + at + 1);
        }
        self.path = path;

        let anchor = self.open.partition_point(|directory| directory.length < bound);
        match self.open.get_mut(anchor) {
            Some(directory) => directory.anchored += 1,
            None => self.innermost().forbidden += 1,
        }
        let name = &path[length..];
        let directory = self.innermost();
        directory.items += 1;
        directory.wildcards += usize::from(wildcard);
        // `?` is the rest of the path `/docs/` with any query string.
        if name.is_empty() || name.starts_with("index.") || name == "?" {
            directory.index_pages += 1;
            directory.has_index = true;
        } else {
            directory.others += 1;
        }
        if name.ends_with('/') {
            self.slash_path = path;
        }
    }

    fn innermost(&mut self) -> &mut Directory {
        self.open.last_mut().expect("the root stays open")
    }

    fn open_directory(&mut self, path: &'a str, length: usize) {
        let name = &path[..length];
        let number = u32::try_from(self.names.len()).expect("fewer than 2^32 directories");
        self.names.push(name);
        self.open.push(Directory {
            length,
            number,
            has_index: name == self.slash_path,
            directories: 1,
            ..Directory::default()
        });
    }

    /// Works out the innermost directory and adds it to the one above.
    fn close_directory(&mut self) {
        let depth = self.open.len() - 1;
        let Some(mut directory) = self.open.pop() else { return };
        let most = self.settings.max_wildcards;
        if !directory.has_index {
            directory.without_index += 1;
            directory.unproven += directory.others + directory.child_index_pages;
        }
        let own = directory.index_pages + directory.others;
        directory.table.add_items(own as u64 * PATH, directory.wildcards, most);
        if depth >= self.settings.min_depth && directory.items - directory.forbidden >= 2 {
            let choice = Choice {
                wildcards: 1,
                cost: (1 + directory.forbidden as u64) * PATH + self.charge(&directory),
                directories: directory.directories,
                chosen: vec![directory.number],
            };
            directory.table.offer(choice, most);
        }
        match self.open.last_mut() {
            None => self.open.push(directory),
            Some(parent) => parent.take(&directory, most),
        }
    }

    /// What a wildcard for the directory costs beside the item itself.
    fn charge(&self, directory: &Directory) -> u64 {
        let weight = u64::from(self.settings.weight);
        match self.unchanged {
            // A tenth of a path for each unchanged object is one unit.
            Some(unchanged) => {
                weight * unchanged.below(self.names[directory.number as usize]) as u64
            }
            None => {
                let directories = directory.without_index.max(1) as u64;
                let unproven = directory.unproven.min(self.settings.above) as u64;
                (weight * directories + unproven) * PATH
            }
        }
    }

    fn finish(mut self) -> Vec<&'a str> {
        while self.open.len() > 1 {
            self.close_directory();
        }
        self.close_directory();
        let root = self.open.pop().unwrap_or_default();
        let best = root.table.into_best();
        best.chosen.iter().map(|&number| self.names[number as usize]).collect()
    }
}

impl Directory {
    /// Adds a directory right below this one, all of it known.
    fn take(&mut self, child: &Self, most: usize) {
        self.child_index_pages += child.index_pages;
        self.items += child.items;
        self.forbidden += child.forbidden + child.anchored;
        self.directories += child.directories;
        self.without_index += child.without_index;
        self.unproven += child.unproven;
        self.table.join(&child.table, most);
    }
}

/// How many bytes of a path name its directory, the slash included. The path
/// `/docs/` is in `/`: the wildcard `/docs/*` is not regarded as covering it.
fn directory_length(path: &str) -> usize {
    let name = path.strip_suffix('/').unwrap_or(path);
    name.rfind('/').map_or(1, |slash| slash + 1)
}

/// How many bytes two texts have in common at their start.
fn common_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests;
