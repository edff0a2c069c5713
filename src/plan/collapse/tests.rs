use std::{cmp::Reverse, collections::BTreeSet};

use proptest::prelude::*;

use super::{
    super::{cover::UNBOUND, floor::tests::floor},
    *,
};

const FREE: Collapse = Collapse { above: 0, weight: 1, min_depth: 1, max_wildcards: 10 };

/// Chooses for paths that may all be collapsed.
fn chosen<'a>(paths: &[&'a str], settings: Collapse) -> Vec<&'a str> {
    let mut leaves: Vec<Leaf<'a>> = paths.iter().map(|path| leaf(path, 1)).collect();
    leaves.sort_by_key(|leaf| leaf.path);
    choose(leaves.into_iter(), &settings)
}

/// An object's path.
fn leaf(text: &str, bound: usize) -> Leaf<'_> {
    let path = text.strip_suffix('*').unwrap_or(text);
    let is_index = path.ends_with("/index.html");
    Leaf { path, is_wildcard: path.len() < text.len(), is_index, bound, floor: 0 }
}

#[test]
fn the_example_of_the_documentation() {
    let paths = [
        "/docs/index.html",
        "/docs/a.html",
        "/docs/b.html",
        "/docs/c.html",
        "/docs/d.html",
        "/docs/faq/x.html",
        "/docs/faq/y.html",
        "/news/1.html",
        "/news/2.html",
    ];
    let settings = Collapse { above: 2, weight: 3, ..FREE };
    assert_eq!(chosen(&paths, settings), ["/docs/"]);
    let leaves: Vec<Leaf<'_>> = paths.iter().map(|path| leaf(path, 1)).collect();
    let oracle = Oracle { leaves: &leaves, excluded: &vec![Vec::new(); leaves.len()], settings };
    let sum = |chosen: &[&'static str]| oracle.rank(&chosen.iter().copied().collect()).1;
    assert_eq!(sum(&[]), 9);
    assert_eq!(sum(&["/docs/"]), 8);
    assert_eq!(sum(&["/docs/", "/news/"]), 12);
    assert_eq!(sum(&["/docs/faq/"]), 13);
}

#[test]
fn small_cases() {
    let none: &[&str] = &[];
    for (why, paths, settings, expected) in [
        ("four for three", &["/a/1", "/a/2", "/a/3"][..], FREE, &["/a/"][..]),
        ("two for two", &["/a/1", "/a/2"], FREE, none),
        ("one is no reason", &["/a/1"], Collapse { weight: 0, ..FREE }, none),
        ("never the whole site", &["/1", "/2", "/3", "/4"], FREE, none),
        ("unless asked", &["/1", "/2", "/3", "/4"], Collapse { min_depth: 0, ..FREE }, &["/"]),
        ("no deeper", &["/a/1", "/a/2", "/a/3"], Collapse { min_depth: 2, ..FREE }, none),
        (
            "deep enough",
            &["/a/b/1", "/a/b/2", "/a/b/3"],
            Collapse { min_depth: 2, ..FREE },
            &["/a/b/"],
        ),
        (
            "the closest directory that will do",
            &["/a/b/c/1", "/a/b/c/2", "/a/b/c/3"],
            FREE,
            &["/a/b/c/"],
        ),
        (
            "page folders below a rebuilt page",
            &["/a/index.html", "/a/x/index.html", "/a/y/index.html", "/a/z/index.html"],
            FREE,
            &["/a/"],
        ),
        ("the path of the directory stays", &["/a/", "/a/x/", "/a/y/", "/a/z/"], FREE, &["/a/"]),
        (
            "edits here and there prove nothing",
            &["/a/x/1", "/a/y/1", "/a/z/1", "/a/v/1"],
            FREE,
            none,
        ),
        (
            "unevidenced paths up to `above`",
            &["/a/1", "/a/2", "/a/3", "/a/4"],
            Collapse { above: 3, ..FREE },
            none,
        ),
        (
            "and more",
            &["/a/1", "/a/2", "/a/3", "/a/4", "/a/5", "/a/6"],
            Collapse { above: 3, ..FREE },
            &["/a/"],
        ),
        (
            "the best of too many",
            &["/a/1", "/a/2", "/a/3", "/b/1", "/b/2", "/b/3", "/b/4"],
            Collapse { max_wildcards: 1, ..FREE },
            &["/b/"],
        ),
        (
            "the first of equals",
            &["/b/1", "/b/2", "/b/3", "/a/1", "/a/2", "/a/3"],
            Collapse { max_wildcards: 1, ..FREE },
            &["/a/"],
        ),
        (
            "of equals the one that purges fewer directories",
            &["/a/1/1", "/a/2/1", "/b/1", "/b/2"],
            Collapse { max_wildcards: 1, weight: 0, ..FREE },
            &["/b/"],
        ),
        (
            "wildcards count",
            &["/a/1", "/a/2", "/a/3", "/b*"],
            Collapse { max_wildcards: 1, ..FREE },
            none,
        ),
        (
            "too many wildcards are merged, whatever it costs",
            &["/a/1/x*", "/a/2/x*", "/b/1*"],
            Collapse { max_wildcards: 2, weight: 100, ..FREE },
            &["/a/"],
        ),
        (
            "as few wildcards as can be",
            &["/1*", "/2*", "/a/1*", "/a/2*"],
            Collapse { max_wildcards: 1, weight: 100, ..FREE },
            &["/a/"],
        ),
        (
            "names that sort around the slash",
            &["/a!/1", "/a!/2", "/a!/3", "/a/1", "/a/2", "/a/3", "/a0"],
            FREE,
            &["/a!/", "/a/"],
        ),
        (
            "empty segments are segments",
            &["//1", "//2", "//3", "///1", "///2", "///3"],
            FREE,
            &["//"],
        ),
        ("nothing", none, FREE, none),
    ] {
        assert_eq!(chosen(paths, settings), expected, "{why}");
    }
}

#[test]
fn a_wildcard_stays_within_bounds() {
    let choose_bounded = |bounds: &[(&'static str, usize)]| {
        let leaves = bounds.iter().map(|(path, bound)| leaf(path, *bound));
        choose(leaves, &FREE)
    };
    let (wide, docs, none) = (1, "/docs/".len(), UNBOUND);
    assert_eq!(
        choose_bounded(&[("/docs/x/1", wide), ("/docs/x/2", wide), ("/docs/y/3", wide)]),
        Vec::<&str>::new(),
    );
    assert_eq!(
        choose_bounded(&[("/docs/1", docs), ("/docs/2", docs), ("/docs/3", docs)]),
        ["/docs/"]
    );
    // Bounded by `/docs/a`, which `/docs/*` does not start with.
    assert_eq!(
        choose_bounded(&[("/docs/a1", docs + 1), ("/docs/a2", docs + 1), ("/docs/a3", docs + 1)]),
        Vec::<&str>::new(),
    );
    // One is covered, but no reason: the other two pay for themselves only.
    assert_eq!(
        choose_bounded(&[("/docs/1", docs), ("/docs/2", docs), ("/docs/3", none)]),
        Vec::<&str>::new(),
    );
    let three = [("/docs/1", docs), ("/docs/2", docs), ("/docs/3", docs), ("/docs/4", none)];
    assert_eq!(choose_bounded(&three), ["/docs/"]);
}

#[test]
fn a_feed_or_a_path_of_a_template_proves_nothing() {
    let settings = Collapse { above: 2, weight: 1, ..FREE };
    for (page, expected) in [
        ("/a/index.html", &["/a/"][..]),
        ("/a/index.xml", &[]),
        ("/a/", &[]),
        ("/a/home.html", &[]),
    ] {
        let paths = [page, "/a/x/1", "/a/x/index.html", "/a/y/index.html"];
        assert_eq!(chosen(&paths, settings), expected, "{page}");
    }
    let mut written = leaf("/a/index.html", 1);
    written.is_index = false;
    let pages = ["/a/x/1", "/a/x/index.html", "/a/y/index.html"].map(|path| leaf(path, 1));
    let leaves = [written].into_iter().chain(pages);
    assert_eq!(choose(leaves, &settings), [""; 0]);
}

#[test]
fn a_wildcard_covers_nothing_excluded() {
    let prefixes = ["/docs/preview/".to_owned()];
    let choose_excluded = |paths: &[&'static str]| {
        let leaves =
            paths.iter().map(|path| Leaf { floor: floor(&prefixes, path), ..leaf(path, 1) });
        choose(leaves, &FREE)
    };
    assert_eq!(
        choose_excluded(&["/docs/1", "/docs/2", "/docs/3", "/docs/a/1", "/docs/a/2", "/docs/a/3"]),
        ["/docs/a/"],
    );
    // Whoever requests them: they are within what is excluded.
    assert_eq!(
        choose_excluded(&["/docs/preview/1", "/docs/preview/2", "/docs/preview/3"]),
        [""; 0],
    );
    // Too many wildcards are no reason either.
    assert_eq!(choose_excluded(&["/docs/1*", "/docs/2*", "/docs/3*"]), [""; 0]);
}

#[test]
fn a_deep_path_is_no_recursion() {
    let deep = format!("/{}", "a/".repeat(100_000));
    let paths = [format!("{deep}1"), format!("{deep}2"), format!("{deep}3")];
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(chosen(&paths, FREE), [deep]);
}

/// Tries every set of wildcards, by the definition in the module's
/// documentation.
struct Oracle<'a> {
    leaves: &'a [Leaf<'a>],
    /// For each leaf, the prefixes that a wildcard must not cover with it.
    excluded: &'a [Vec<String>],
    settings: Collapse,
}

/// Less is better.
type Rank<'a> = (usize, u64, usize, usize, Vec<&'a str>);

impl<'a> Oracle<'a> {
    fn directory(path: &'a str) -> &'a str {
        let mut end = path.len().max(2) - 1;
        while end > 1 && !path[..end].ends_with('/') {
            end -= 1;
        }
        &path[..end]
    }

    fn ancestors(path: &'a str) -> impl Iterator<Item = &'a str> {
        let directory = Self::directory(path);
        (1..=directory.len()).map(|end| &directory[..end]).filter(|text| text.ends_with('/'))
    }

    fn seen(&self) -> BTreeSet<&'a str> {
        self.leaves.iter().flat_map(|leaf| Self::ancestors(leaf.path)).collect()
    }

    fn below(&self, directory: &str) -> Vec<Leaf<'a>> {
        let below = |leaf: &&Leaf<'a>| Self::directory(leaf.path).starts_with(directory);
        self.leaves.iter().filter(below).copied().collect()
    }

    fn has_index(&self, directory: &str) -> bool {
        self.leaves.iter().any(|leaf| leaf.is_index && Self::directory(leaf.path) == directory)
    }

    fn has_evidence(&self, leaf: &Leaf<'a>, wildcard: &str) -> bool {
        let directory = Self::directory(leaf.path);
        if !leaf.is_index {
            return self.has_index(directory);
        }
        directory == wildcard || self.has_index(Self::directory(directory))
    }

    fn charge(&self, wildcard: &str) -> u64 {
        let weight = u64::from(self.settings.weight);
        let opened = self.seen().into_iter().filter(|directory| directory.starts_with(wildcard));
        let without_index = opened.filter(|directory| !self.has_index(directory)).count();
        let below = self.below(wildcard);
        let unevidenced = below.iter().filter(|leaf| !self.has_evidence(leaf, wildcard)).count();
        let unevidenced = unevidenced.min(self.settings.above) as u64;
        weight * without_index.max(1) as u64 + unevidenced
    }

    fn is_allowed(&self, wildcard: &str) -> bool {
        let depth = wildcard.matches('/').count() - 1;
        let below = self.below(wildcard);
        let replaceable = below.iter().filter(|leaf| leaf.bound <= wildcard.len()).count();
        let overlaps =
            |prefix: &String| prefix.starts_with(wildcard) || wildcard.starts_with(prefix.as_str());
        let excludes = self.leaves.iter().zip(self.excluded).any(|(leaf, excluded)| {
            Self::directory(leaf.path).starts_with(wildcard) && excluded.iter().any(overlaps)
        });
        depth >= self.settings.min_depth && replaceable >= 2 && !excludes
    }

    fn rank(&self, chosen: &BTreeSet<&'a str>) -> Rank<'a> {
        let sent = |leaf: &&Leaf<'a>| {
            !chosen.iter().any(|wildcard| Self::directory(leaf.path).starts_with(wildcard))
        };
        let sent: Vec<&Leaf<'a>> = self.leaves.iter().filter(sent).collect();
        let mut cost = (sent.len() + chosen.len()) as u64;
        for wildcard in chosen {
            let below = self.below(wildcard);
            let forbidden = below.iter().filter(|leaf| leaf.bound > wildcard.len()).count();
            cost += forbidden as u64 + self.charge(wildcard);
        }
        let wildcards = sent.iter().filter(|leaf| leaf.is_wildcard).count() + chosen.len();
        let seen = self.seen();
        let purged = seen.iter().filter(|seen| chosen.iter().any(|d| seen.starts_with(d))).count();
        let above = wildcards.saturating_sub(self.settings.max_wildcards);
        (above, cost, wildcards, purged, chosen.iter().copied().collect())
    }

    fn best(&self) -> Vec<&'a str> {
        let candidates: Vec<&str> =
            self.seen().into_iter().filter(|directory| self.is_allowed(directory)).collect();
        let sets = (0_u32..1 << candidates.len()).map(|set| {
            let chosen = candidates.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0);
            chosen.map(|(_, directory)| *directory).collect::<BTreeSet<&str>>()
        });
        let is_valid = |set: &BTreeSet<&str>| {
            set.iter().all(|a| set.iter().all(|b| a == b || !b.starts_with(*a)))
        };
        sets.filter(is_valid)
            .map(|set| self.rank(&set))
            .min()
            .map(|rank| rank.4)
            .unwrap_or_default()
    }
}

/// A path of a small site, perhaps a wildcard.
#[derive(Clone, Debug)]
struct AnyLeaf {
    text: String,
    bound: Option<usize>,
    is_index: bool,
    /// Whether the rule's exclusions apply.
    is_of_rule: bool,
}

fn any_prefix() -> impl Strategy<Value = String> {
    "/(a|b|a!)?/?(a|b|[1-4])?/?"
}

fn any_leaf() -> impl Strategy<Value = AnyLeaf> {
    let segment = prop_oneof![
        4 => Just("a"), 4 => Just("b"), 1 => Just("a!"), 1 => Just("b0"), 1 => Just(""),
    ];
    let file = prop_oneof![
        5 => "[1-4]", 3 => Just("index.html".to_owned()), 1 => Just(String::new()),
        1 => "[1-4][*]", 1 => Just("*".to_owned()), 1 => Just("?*".to_owned()),
    ];
    let bound = prop_oneof![6 => Just(Some(1)), 3 => (0_usize..9).prop_map(Some), 1 => Just(None)];
    let flags = (any::<bool>(), prop::bool::weighted(0.3));
    (prop::collection::vec(segment, 0..4), file, bound, flags).prop_map(
        |(directories, file, bound, (is_of_rule, is_index))| {
            let mut text = String::from("/");
            directories.iter().for_each(|segment| {
                text.push_str(segment);
                text.push('/');
            });
            let is_index = is_index || file == "index.html";
            AnyLeaf { text: text + &file, bound, is_index, is_of_rule }
        },
    )
}

fn settings() -> impl Strategy<Value = Collapse> {
    (0_usize..6, 0_u32..4, 0_usize..3, 0_usize..5).prop_map(
        |(above, weight, min_depth, max_wildcards)| Collapse {
            above,
            weight,
            min_depth,
            max_wildcards,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_set_of_wildcards_is_better(
        mut items in prop::collection::vec(any_leaf(), 0..24),
        always in prop::collection::vec(any_prefix(), 0..3),
        of_rule in prop::collection::vec(any_prefix(), 0..3),
        settings in settings(),
    ) {
        items.sort_by_key(|leaf| {
            let text = leaf.text.clone();
            (text.trim_end_matches('*').to_owned(), Reverse(text.ends_with('*')), leaf.bound)
        });
        items.dedup_by_key(|leaf| leaf.text.clone());
        // What the cover leaves, by trying every pair.
        let covers = |a: &str, b: &str| a != b && a.strip_suffix('*').is_some_and(|prefix| {
            b.starts_with(prefix) && (b != prefix || !prefix.ends_with('/') || prefix == "/")
        });
        let remaining: Vec<&AnyLeaf> = items
            .iter()
            .filter(|one| !items.iter().any(|other| covers(&other.text, &one.text)))
            .collect();
        let of_leaf = |one: &&AnyLeaf| match one.is_of_rule {
            true => [&always[..], &of_rule].concat(),
            false => always.clone(),
        };
        let excluded: Vec<Vec<String>> = remaining.iter().map(of_leaf).collect();
        let leaves: Vec<Leaf<'_>> = remaining
            .iter()
            .zip(&excluded)
            .map(|(one, excluded)| {
                let leaf = leaf(&one.text, one.bound.unwrap_or(UNBOUND));
                Leaf { is_index: one.is_index, floor: floor(excluded, leaf.path), ..leaf }
            })
            .collect();

        let oracle = Oracle { leaves: &leaves, excluded: &excluded, settings };
        let chosen = choose(leaves.iter().copied(), &settings);
        let best = oracle.best();
        prop_assert_eq!(
            oracle.rank(&chosen.iter().copied().collect()),
            oracle.rank(&best.iter().copied().collect())
        );
        prop_assert_eq!(chosen, best);
    }
}
