//! The items that other tools send for changed paths, written from their
//! documented behaviour.

use std::collections::{BTreeMap, BTreeSet};

/// A path for each file, as most tools do.
pub fn path_per_file(paths: &[String]) -> Vec<String> {
    paths.to_vec()
}

/// Always `/*`, as deploy scripts do.
pub fn everything(_: &[String]) -> Vec<String> {
    vec!["/*".to_owned()]
}

/// At most eight items, as [s3deploy]: for every depth from the deepest up,
/// paths below it are replaced with the wildcard of their directory at that
/// depth, until eight items or fewer remain; otherwise `/*`.
///
/// [s3deploy]: https://github.com/bep/s3deploy
pub fn more_than_eight(paths: &[String]) -> Vec<String> {
    const MOST: usize = 8;
    let mut items: BTreeSet<String> = paths.iter().cloned().collect();
    let deepest = items.iter().map(|item| depth(item)).max().unwrap_or(0);
    for level in (1..=deepest).rev() {
        if items.len() <= MOST {
            break;
        }
        items = items
            .into_iter()
            .map(|item| if depth(&item) > level { wildcard_at(&item, level) } else { item })
            .collect();
    }
    if items.len() <= MOST { items.into_iter().collect() } else { everything(paths) }
}

/// More than three files of a directory are replaced with its wildcard, ten
/// sibling wildcards or more with their parent's, never with `/*`, as
/// [atlantis-starter-03].
///
/// [atlantis-starter-03]: https://github.com/63Klabs/atlantis-starter-03
pub fn three_and_ten(paths: &[String]) -> Vec<String> {
    let mut by_directory: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for path in paths {
        by_directory.entry(directory(path)).or_default().push(path);
    }
    let mut wildcards: BTreeSet<String> = by_directory
        .iter()
        .filter(|(directory, files)| **directory != "/" && files.len() > 3)
        .map(|(directory, _)| (*directory).to_owned())
        .collect();
    loop {
        let mut siblings: BTreeMap<&str, usize> = BTreeMap::new();
        for wildcard in &wildcards {
            *siblings.entry(directory(&wildcard[..wildcard.len() - 1])).or_default() += 1;
        }
        let merged: Vec<String> = siblings
            .into_iter()
            .filter(|(parent, count)| *parent != "/" && *count >= 10)
            .map(|(parent, _)| parent.to_owned())
            .collect();
        if merged.is_empty() {
            break;
        }
        wildcards.retain(|wildcard| !merged.iter().any(|parent| wildcard.starts_with(parent)));
        wildcards.extend(merged);
    }
    let covered = |path: &str| wildcards.iter().any(|wildcard| path.starts_with(wildcard));
    let outermost = wildcards.iter().filter(|wildcard| {
        !wildcards.iter().any(|other| other != *wildcard && wildcard.starts_with(other))
    });
    let left = paths.iter().filter(|path| !covered(path)).cloned();
    left.chain(outermost.map(|wildcard| format!("{wildcard}*"))).collect()
}

fn depth(path: &str) -> usize {
    path.trim_end_matches('*').matches('/').count() - 1
}

fn directory(path: &str) -> &str {
    &path[..path.rfind('/').map_or(0, |slash| slash + 1)]
}

/// `/a/*` of `/a/b/c` at level 1.
fn wildcard_at(path: &str, level: usize) -> String {
    let slash = path.match_indices('/').nth(level).map_or(0, |(at, _)| at);
    format!("{}/*", &path[..slash])
}
