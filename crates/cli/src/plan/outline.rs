//! The outline of a plan: the directories with changes, and how each is purged.

use std::{cmp::Reverse, collections::BTreeMap};

/// How many subdirectories of a directory have a row of their own.
const MAX_SUBDIRECTORIES: usize = 12;

/// A directory of URL paths and the changes in and below it.
#[derive(Debug, Default)]
pub struct Directory {
    /// Changes in the directory itself.
    own_changes: usize,
    /// Changes in and below the directory.
    pub changes: usize,
    /// One wildcard purges all of it.
    is_purged: bool,
    /// Subdirectories by name, each with its trailing slash.
    subdirectories: BTreeMap<String, Directory>,
}

/// One line of the outline.
#[derive(Debug)]
pub struct Row<'d> {
    pub depth: usize,
    /// The path below the row above, with a `*` if one wildcard purges it.
    pub name: String,
    pub changes: usize,
    pub purged_by: PurgedBy,
    /// The directory whose subdirectories may become rows.
    collapsed: Option<&'d Directory>,
}

/// How the changes of a row are purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgedBy {
    Wildcard,
    /// Wildcards purge a part of it.
    Both,
    Items,
}

impl Directory {
    /// Counts a change by its URL path.
    pub fn add_change(&mut self, path: &str) {
        let mut directory = self;
        directory.changes += 1;
        for name in directory_names(path) {
            directory = directory.subdirectory(name);
            directory.changes += 1;
        }
        directory.own_changes += 1;
    }

    /// Marks a directory as purged by one wildcard.
    pub fn mark_purged(&mut self, path: &str) {
        directory_names(path).fold(self, Self::subdirectory).is_purged = true;
    }

    fn subdirectory(&mut self, name: &str) -> &mut Self {
        // Most changes are in known directories, whose names need no copy.
        if !self.subdirectories.contains_key(name) {
            self.subdirectories.insert(name.to_owned(), Self::default());
        }
        self.subdirectories.get_mut(name).expect("inserted above")
    }

    /// Returns at most `max` rows. Directories with many changes are expanded
    /// before those with few; purged directories are not expanded.
    pub fn rows(&self, max: usize) -> Vec<Row<'_>> {
        let mut rows = vec![self.row(0, "/".to_owned())];
        loop {
            let collapsed = rows.iter().enumerate().filter(|(_, row)| row.collapsed.is_some());
            let largest = collapsed.max_by_key(|(at, row)| (row.changes, Reverse(*at)));
            let Some((at, _)) = largest else { return rows };
            let below = rows[at].expand();
            if rows.len() + below.len() <= max {
                rows.splice(at + 1..at + 1, below);
            }
        }
    }

    fn row(&self, depth: usize, mut name: String) -> Row<'_> {
        if self.is_purged {
            name.push('*');
        }
        let purged_by = match self {
            Self { is_purged: true, .. } => PurgedBy::Wildcard,
            _ if self.contains_purged() => PurgedBy::Both,
            _ => PurgedBy::Items,
        };
        Row { depth, name, changes: self.changes, purged_by, collapsed: Some(self) }
    }

    fn contains_purged(&self) -> bool {
        self.is_purged || self.subdirectories.values().any(Self::contains_purged)
    }
}

impl<'d> Row<'d> {
    /// Returns rows for the largest subdirectories, and one for all others.
    fn expand(&mut self) -> Vec<Row<'d>> {
        let Some(directory) = self.collapsed.take().filter(|directory| !directory.is_purged) else {
            return Vec::new();
        };
        let mut subdirectories: Vec<_> = directory.subdirectories.iter().collect();
        subdirectories.sort_by_key(|(_, subdirectory)| Reverse(subdirectory.changes));
        let others = subdirectories.split_off(subdirectories.len().min(MAX_SUBDIRECTORIES));
        subdirectories.sort_by_key(|(name, _)| *name);
        let depth = self.depth + 1;
        let mut rows: Vec<Row<'d>> = subdirectories
            .into_iter()
            .map(|(name, mut subdirectory)| {
                let mut name = name.clone();
                // A directory that contains nothing but another one needs no row.
                while let Directory { own_changes: 0, is_purged: false, subdirectories, .. } =
                    subdirectory
                    && subdirectories.len() == 1
                    && let Some((only, below)) = subdirectories.first_key_value()
                {
                    name.push_str(only);
                    subdirectory = below;
                }
                subdirectory.row(depth, name)
            })
            .collect();
        if !others.is_empty() {
            rows.push(Row {
                depth,
                name: crate::output::pluralize(others.len(), "more directory"),
                changes: others.iter().map(|(_, other)| other.changes).sum(),
                purged_by: PurgedBy::Items,
                collapsed: None,
            });
        }
        rows
    }
}

/// `docs/` and `a/` of `/docs/a/index.html`.
fn directory_names(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split_inclusive('/').filter(|name| name.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(paths: &[&str], purged: &[&str], max: usize) -> Vec<String> {
        let mut root = Directory::default();
        paths.iter().for_each(|path| root.add_change(path));
        purged.iter().for_each(|path| root.mark_purged(path));
        let row = |row: &Row<'_>| {
            format!("{}{} {} {:?}", "  ".repeat(row.depth), row.name, row.changes, row.purged_by)
        };
        root.rows(max).iter().map(row).collect()
    }

    #[test]
    fn rows_show_directories_and_changes() {
        let paths = ["/a/1", "/a/2", "/a/b/c/3", "/x", "/a!/1", "/d/e/f/1", "/d/e/g/1", "/p/q/1"];
        assert_eq!(
            rows(&paths, &["/p/"], 20),
            [
                "/ 8 Both",
                "  a!/ 1 Items",
                "  a/ 3 Items",
                "    b/c/ 1 Items",
                "  d/e/ 2 Items",
                "    f/ 1 Items",
                "    g/ 1 Items",
                "  p/* 1 Wildcard",
            ]
        );
        assert_eq!(rows(&paths, &["/p/"], 6)[2..4], ["  a/ 3 Items", "    b/c/ 1 Items"]);
        assert_eq!(rows(&paths, &["/p/"], 6).len(), 6);
        assert_eq!(rows(&paths, &[], 1), ["/ 8 Items"]);
        assert_eq!(rows(&[], &[], 10), ["/ 0 Items"]);
    }

    #[test]
    fn small_siblings_share_a_row() {
        let paths: Vec<String> =
            (0..30).flat_map(|n| (0..=n).map(move |m| format!("/{n:02}/{m}"))).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let rows = rows(&paths, &[], 20);
        assert_eq!(rows.len(), 14);
        assert_eq!((&*rows[1], &*rows[13]), ("  18/ 19 Items", "  18 more directories 171 Items"));
    }
}
