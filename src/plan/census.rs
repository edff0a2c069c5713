//! The known site: which objects a wildcard would purge without need.

use std::collections::BTreeMap;

use crate::distribution::Distribution;

/// The unchanged objects of a site, by distribution, as their viewers see them.
///
/// A batch tells nothing of the objects that did not change, so without a
/// census the plan has to guess at them.
#[derive(Debug, Default)]
pub struct Census {
    unchanged: BTreeMap<Distribution, Vec<String>>,
}

impl Census {
    /// A census from the URL paths of the objects that did not change, one for
    /// each object. Distributions it does not name stay unknown.
    pub fn new(paths: impl IntoIterator<Item = (Distribution, Vec<String>)>) -> Self {
        let mut unchanged: BTreeMap<Distribution, Vec<String>> = BTreeMap::new();
        for (distribution, paths) in paths {
            unchanged.entry(distribution).or_default().extend(paths);
        }
        unchanged.values_mut().for_each(|paths| paths.sort_unstable());
        Self { unchanged }
    }

    /// What is known of one distribution.
    pub fn of(&self, distribution: &Distribution) -> Option<Unchanged<'_>> {
        self.unchanged.get(distribution).map(|paths| Unchanged { paths })
    }
}

/// The unchanged objects of one distribution.
#[derive(Clone, Copy, Debug)]
pub struct Unchanged<'a> {
    /// Sorted.
    paths: &'a [String],
}

impl Unchanged<'_> {
    /// How many unchanged objects have a path that starts with `prefix`.
    pub fn below(&self, prefix: &str) -> usize {
        let start = self.paths.partition_point(|path| path.as_str() < prefix);
        self.paths[start..].partition_point(|path| path.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::DistributionId;

    #[test]
    fn counts_what_starts_with_the_prefix() {
        let id = |text| Distribution::from(DistributionId::distribution(text).unwrap());
        let paths = ["/a/2", "/a.html", "/a/1", "/b/", "/a/", "/a/1/x"].map(str::to_owned);
        let census = Census::new([(id("E1EXAMPLE"), paths.into())]);
        assert!(census.of(&id("E2EXAMPLE")).is_none());
        let unchanged = census.of(&id("E1EXAMPLE")).unwrap();
        for (prefix, count) in [("/", 6), ("/a", 5), ("/a/", 4), ("/a/1", 2), ("/c/", 0), ("", 6)] {
            assert_eq!(unchanged.below(prefix), count, "{prefix}");
        }
    }
}
