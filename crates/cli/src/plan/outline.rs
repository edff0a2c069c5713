//! The outline of a site: its directories as far as the batch shows them, how
//! many objects changed in each, and which are purged as a whole.

use std::collections::{BinaryHeap, HashMap, HashSet};

/// Directories and what changed in them.
#[derive(Debug)]
pub struct Outline {
    /// In byte order of their paths, so a directory follows the one above it.
    directories: Vec<Directory>,
}

/// One directory.
#[derive(Debug, Default)]
pub struct Directory {
    /// With slashes at both ends.
    pub path: String,
    /// How many changed objects are right in it.
    pub own: usize,
    /// How many changed objects are in it or below.
    pub total: usize,
    /// Whether one wildcard purges all of it.
    pub purged: bool,
    /// The places of the directories right below it.
    pub children: Vec<usize>,
}

/// How many changed objects are right in each directory.
pub type Counts = HashMap<String, usize>;

/// Adds one object to the counts, by its path.
pub fn count(counts: &mut Counts, path: &str) {
    let directory = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
    match counts.get_mut(directory) {
        Some(number) => *number += 1,
        None => {
            counts.insert(directory.to_owned(), 1);
        }
    }
}

impl Outline {
    /// The outline of `counts`, where the directories in `purged` are purged.
    pub fn new(counts: &Counts, purged: &HashSet<&str>) -> Self {
        let mut paths: Vec<(&str, usize)> =
            counts.iter().map(|(path, number)| (path.as_str(), *number)).collect();
        paths.extend(
            purged.iter().filter(|path| !counts.contains_key(**path)).map(|path| (*path, 0)),
        );
        paths.sort_unstable();
        let mut outline = Self { directories: Vec::new() };
        outline.open("/", purged);
        let mut open = vec![0];
        for (path, own) in paths {
            while let Some(&last) = open.last()
                && !path.starts_with(&outline.directories[last].path)
            {
                open.pop();
            }
            let parent = open.last().map_or(0, |&last| outline.directories[last].path.len());
            for (at, _) in path[parent..].match_indices('/') {
                let place = outline.open(&path[..=parent + at], purged);
                if let Some(&above) = open.last() {
                    outline.directories[above].children.push(place);
                }
                open.push(place);
            }
            for &place in &open {
                outline.directories[place].total += own;
            }
            if let Some(&last) = open.last() {
                outline.directories[last].own = own;
            }
        }
        outline
    }

    fn open(&mut self, path: &str, purged: &HashSet<&str>) -> usize {
        let purged = purged.contains(path);
        self.directories.push(Directory { path: path.to_owned(), purged, ..Directory::default() });
        self.directories.len() - 1
    }

    /// The directory with this place; `/` has place 0.
    pub fn directory(&self, place: usize) -> &Directory {
        &self.directories[place]
    }

    /// At most about `most` rows that show the most: directories with many
    /// changes are opened before those with few, and what is purged as a whole
    /// stays closed.
    pub fn rows(&self, most: usize) -> Vec<Row> {
        let mut opened: HashMap<usize, Vec<Row>> = HashMap::new();
        let mut count = 1;
        let mut largest: BinaryHeap<(usize, std::cmp::Reverse<usize>)> = BinaryHeap::new();
        largest.push((self.directories[0].total, std::cmp::Reverse(0)));
        while let Some((_, std::cmp::Reverse(place))) = largest.pop() {
            let children = self.children(place);
            if children.is_empty() || count + children.len() > most {
                continue;
            }
            count += children.len();
            largest.extend(children.iter().filter_map(|child| match child.content {
                Content::Directory(place) => {
                    Some((self.directories[place].total, std::cmp::Reverse(place)))
                }
                Content::Others { .. } => None,
            }));
            opened.insert(place, children);
        }
        let mut rows =
            vec![Row { depth: 0, label: "/".to_owned(), content: Content::Directory(0) }];
        self.lay_out(0, &opened, &mut rows);
        rows
    }

    fn lay_out(&self, place: usize, opened: &HashMap<usize, Vec<Row>>, rows: &mut Vec<Row>) {
        let depth = rows.last().map_or(0, |row| row.depth) + 1;
        for row in opened.get(&place).into_iter().flatten() {
            rows.push(Row { depth, ..row.clone() });
            if let Content::Directory(place) = row.content {
                self.lay_out(place, opened, rows);
            }
        }
    }

    /// What is shown when a directory is opened: the largest below it, and the
    /// rest in one row.
    fn children(&self, place: usize) -> Vec<Row> {
        const MOST: usize = 12;
        let directory = &self.directories[place];
        if directory.purged {
            return Vec::new();
        }
        let mut largest = directory.children.clone();
        largest.sort_by_key(|&child| std::cmp::Reverse(self.directories[child].total));
        let others = largest.split_off(largest.len().min(MOST));
        largest.sort_unstable();
        let mut rows: Vec<Row> = largest
            .into_iter()
            .map(|child| {
                let child = self.without_detour(child);
                let label = self.directories[child].path[directory.path.len()..].to_owned();
                Row { depth: 0, label, content: Content::Directory(child) }
            })
            .collect();
        if !others.is_empty() {
            let total = others.iter().map(|&other| self.directories[other].total).sum();
            let content = Content::Others { directories: others.len(), total };
            rows.push(Row { depth: 0, label: String::new(), content });
        }
        rows
    }

    /// Skips directories that hold nothing but one directory.
    fn without_detour(&self, mut place: usize) -> usize {
        loop {
            match &self.directories[place] {
                Directory { own: 0, purged: false, children, .. } if children.len() == 1 => {
                    place = children[0];
                }
                _ => return place,
            }
        }
    }
}

/// One line of an outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How deep it is indented.
    pub depth: usize,
    /// The path below the row it belongs to.
    pub label: String,
    /// What it is about.
    pub content: Content,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The directory with this place.
    Directory(usize),
    /// Directories that have no row of their own.
    Others {
        /// How many.
        directories: usize,
        /// How many objects changed in them.
        total: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(paths: &[&str], purged: &[&str], most: usize) -> Vec<String> {
        let mut counts = Counts::new();
        paths.iter().for_each(|path| count(&mut counts, path));
        let outline = Outline::new(&counts, &purged.iter().copied().collect());
        let rows = outline.rows(most).into_iter().map(|row| {
            let indent = "  ".repeat(row.depth);
            match row.content {
                Content::Directory(place) => {
                    let Directory { own, total, purged, .. } = outline.directory(place);
                    let star = if *purged { "*" } else { "" };
                    format!("{indent}{}{star} {own}/{total}", row.label)
                }
                Content::Others { directories, total } => {
                    format!("{indent}+{directories} {total}")
                }
            }
        });
        rows.collect()
    }

    #[test]
    fn rows_show_directories_and_counts() {
        let paths = ["/a/1", "/a/2", "/a/b/c/3", "/x", "/a!/1", "/d/e/f/1", "/d/e/g/1", "/p/q/1"];
        assert_eq!(
            shown(&paths, &["/p/"], 20),
            [
                "/ 1/8",
                "  a!/ 1/1",
                "  a/ 2/3",
                "    b/c/ 1/1",
                "  d/e/ 0/2",
                "    f/ 1/1",
                "    g/ 1/1",
                "  p/* 0/1",
            ]
        );
        assert_eq!(
            shown(&paths, &["/p/"], 6),
            ["/ 1/8", "  a!/ 1/1", "  a/ 2/3", "    b/c/ 1/1", "  d/e/ 0/2", "  p/* 0/1"]
        );
        assert_eq!(shown(&paths, &[], 1), ["/ 1/8"]);
        assert_eq!(shown(&[], &[], 10), ["/ 0/0"]);
    }

    #[test]
    fn many_siblings_share_a_row() {
        let paths: Vec<String> =
            (0..30).flat_map(|n| (0..=n).map(move |m| format!("/{n:02}/{m}"))).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let rows = shown(&paths, &[], 20);
        assert_eq!(rows.len(), 14);
        assert_eq!((&*rows[1], &*rows[13]), ("  18/ 19/19", "  +18 171"));
    }
}
