//! How long a wildcard must be so that it covers nothing that is excluded.
//!
//! A wildcard that replaces a path starts like the path. So it covers something
//! below an excluded prefix if and only if it is no longer than what the path and
//! the prefix have in common, or the path itself starts with the prefix. This
//! turns exclusions into one number for each path: its floor.

use std::collections::HashMap;

use crate::target::{Exclusion, Target};

use super::cover::UNBOUND;

/// The exclusions of one distribution.
#[derive(Debug, Default)]
pub(super) struct Floors<'t> {
    always: Prefixes<'t>,
    /// For the items of one rule.
    by_rule: HashMap<&'t str, Prefixes<'t>>,
}

impl<'t> Floors<'t> {
    /// Collects the exclusions of the targets of a distribution, apart from
    /// those that `keeps` refuses.
    pub fn new(
        targets: impl IntoIterator<Item = &'t Target>,
        keeps: impl Fn(&Exclusion) -> bool,
    ) -> Self {
        let mut floors = Self::default();
        for target in targets {
            let prefixes = |exclusions: &'t [Exclusion]| {
                exclusions.iter().filter(|one| keeps(one)).map(|one| &*one.prefix)
            };
            floors.always.0.extend(prefixes(&target.excluded.always));
            for (rule, exclusions) in &target.excluded.by_rule {
                floors.by_rule.entry(rule).or_default().0.extend(prefixes(exclusions));
            }
        }
        floors.always.sort();
        floors.by_rule.values_mut().for_each(Prefixes::sort);
        floors
    }

    /// Returns the least length, in front of its `*`, of a wildcard that may
    /// replace an item of a rule; [`UNBOUND`] if none may.
    pub fn floor(&self, stem: &str, rule: Option<&str>) -> usize {
        let of_rule = rule.and_then(|rule| self.by_rule.get(rule));
        self.always.floor(stem).max(of_rule.map_or(0, |prefixes| prefixes.floor(stem)))
    }
}

/// Sorted prefixes, none of which starts with another.
#[derive(Debug, Default)]
struct Prefixes<'t>(Vec<&'t str>);

impl Prefixes<'_> {
    fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.dedup_by(|next, kept| next.starts_with(*kept));
    }

    fn floor(&self, path: &str) -> usize {
        let next = self.0.partition_point(|prefix| *prefix <= path);
        if next > 0 && path.starts_with(self.0[next - 1]) {
            return UNBOUND;
        }
        // In byte order, no prefix has more in common with the path than its neighbours.
        let neighbours = &self.0[next.saturating_sub(1)..self.0.len().min(next + 1)];
        let common = neighbours.iter().map(|prefix| common_prefix(prefix, path) + 1);
        common.max().unwrap_or(0)
    }
}

/// Returns the number of bytes that two texts have in common at their start.
pub(super) fn common_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The floor of a path under these prefixes.
    pub fn floor(prefixes: &[String], path: &str) -> usize {
        let mut prefixes = Prefixes(prefixes.iter().map(String::as_str).collect());
        prefixes.sort();
        prefixes.floor(path)
    }

    #[test]
    fn a_wildcard_from_the_floor_on_covers_nothing_excluded() {
        for (prefixes, path, expected) in [
            (&[][..], "/docs/a", 0),
            (&["/docs/preview/"], "/docs/a", "/docs/".len() + 1),
            (&["/docs/preview/"], "/docs/pre", "/docs/pre".len() + 1),
            (&["/docs/preview/"], "/shop/a", "/".len() + 1),
            (&["/docs/preview/"], "/docs/preview/a", UNBOUND),
            (&["/docs"], "/docs/a", UNBOUND),
            (&["/docs/", "/docs/a/", "/docs/b/"], "/docs/c", UNBOUND),
            (&["/a/", "/docs/x", "/z/"], "/docs/y/1", "/docs/".len() + 1),
        ] {
            let prefixes: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
            assert_eq!(floor(&prefixes, path), expected, "{path} {prefixes:?}");
        }
    }

    proptest! {
        #[test]
        fn the_floor_is_the_shortest_wildcard_that_overlaps_no_prefix(
            prefixes in prop::collection::vec("/[ab/]{0,4}", 0..6),
            path in "/[ab/]{0,6}",
        ) {
            let floor = floor(&prefixes, &path);
            for length in 1..=path.len() {
                let wildcard = &path[..length];
                let overlaps = prefixes
                    .iter()
                    .any(|prefix| prefix.starts_with(wildcard) || wildcard.starts_with(&**prefix));
                prop_assert_eq!(length < floor, overlaps, "{} {:?}", wildcard, prefixes);
            }
        }
    }
}
