//! Changed files by directory.

use std::{cmp::Reverse, collections::BTreeMap};

/// The number of changes in each directory, by its URL path.
pub type DirectoryCounts = BTreeMap<String, usize>;

/// Counts a change by its URL path.
pub fn count_change(counts: &mut DirectoryCounts, path: &str) {
    let directory = path.rfind('/').map_or("/", |slash| &path[..=slash]);
    // Most changes are in known directories, whose names need no copy.
    match counts.get_mut(directory) {
        Some(count) => *count += 1,
        None => drop(counts.insert(directory.to_owned(), 1)),
    }
}

/// Sums up the counts for at most `max` directories: as deep as they fit, and
/// the largest if even those at the top do not. Returns them with the number
/// of other directories and their changes.
pub fn summarize(counts: &DirectoryCounts, max: usize) -> (Vec<(&str, usize)>, usize, usize) {
    let mut directories = at_depth(counts, 1);
    for depth in 2.. {
        let deeper = at_depth(counts, depth);
        if deeper.len() > max || deeper.keys().eq(directories.keys()) {
            break;
        }
        directories = deeper;
    }
    let mut largest: Vec<(&str, usize)> = directories.into_iter().collect();
    largest.sort_by_key(|&(_, changes)| Reverse(changes));
    let others = largest.split_off(largest.len().min(max));
    largest.sort_unstable();
    let changes = others.iter().map(|(_, changes)| changes).sum();
    (largest, others.len(), changes)
}

/// Sums up the counts for directories of at most `depth` path segments.
fn at_depth(counts: &DirectoryCounts, depth: usize) -> BTreeMap<&str, usize> {
    let mut sums = BTreeMap::new();
    for (path, changes) in counts {
        let end = path.match_indices('/').nth(depth).map_or(path.len(), |(at, _)| at + 1);
        *sums.entry(&path[..end]).or_default() += changes;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(paths: &[&str], max: usize) -> (Vec<String>, usize, usize) {
        let mut counts = DirectoryCounts::new();
        paths.iter().for_each(|path| count_change(&mut counts, path));
        let (directories, others, changes) = summarize(&counts, max);
        let shown = directories.iter().map(|(path, changes)| format!("{path} {changes}"));
        (shown.collect(), others, changes)
    }

    #[test]
    fn directories_are_as_deep_as_they_fit() {
        let paths = ["/x", "/a/1", "/a/2", "/a/b/c/3", "/a/b/d/4", "/e/f/5"];
        for (max, directories, others, changes) in [
            (9, &["/ 1", "/a/ 2", "/a/b/c/ 1", "/a/b/d/ 1", "/e/f/ 1"][..], 0, 0),
            (4, &["/ 1", "/a/ 2", "/a/b/ 2", "/e/f/ 1"], 0, 0),
            (3, &["/ 1", "/a/ 4", "/e/ 1"], 0, 0),
            (1, &["/a/ 4"], 2, 2),
        ] {
            let directories = directories.iter().map(ToString::to_string).collect();
            assert_eq!(summary(&paths, max), (directories, others, changes), "{max}");
        }
        assert_eq!(summary(&[], 9), (Vec::new(), 0, 0));
    }
}
