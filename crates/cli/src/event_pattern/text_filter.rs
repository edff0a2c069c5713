//! Filters for a bucket name or a key, with the operators of EventBridge.

use serde_json::{Value, json};

use s3_cloudfront_invalidator::rules::BucketPattern;

/// A filter for bucket names or keys, as one entry of a pattern's array.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TextFilter {
    Any,
    Exact(String),
    Prefix(String),
    Suffix(String),
    /// A prefix and a suffix that do not overlap, as in EventBridge's
    /// `wildcard`.
    Between(String, String),
}

impl TextFilter {
    pub(super) fn bucket(pattern: &BucketPattern) -> Self {
        match pattern {
            BucketPattern::Exact(name) => Self::Exact(name.clone()),
            BucketPattern::Prefix(prefix) if prefix.is_empty() => Self::Any,
            BucketPattern::Prefix(prefix) => Self::Prefix(prefix.clone()),
        }
    }

    /// Returns filters for the keys that start with one of `prefixes` and end
    /// with one of `suffixes`.
    pub(super) fn keys(prefixes: &[String], suffixes: &[String]) -> Vec<Self> {
        let mut keys = Vec::new();
        for prefix in prefixes {
            for suffix in suffixes {
                match (prefix.is_empty(), suffix.is_empty()) {
                    (true, true) => keys.push(Self::Any),
                    (false, true) => keys.push(Self::Prefix(prefix.clone())),
                    (true, false) => keys.push(Self::Suffix(suffix.clone())),
                    (false, false) => {
                        keys.push(Self::Between(prefix.clone(), suffix.clone()));
                        keys.extend(overlaps(prefix, suffix).map(Self::Exact));
                    }
                }
            }
        }
        keys
    }

    /// Returns whether `self` matches every text that `other` matches.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Exact(a), Self::Exact(b)) => a == b,
            (Self::Prefix(p), Self::Exact(t) | Self::Prefix(t) | Self::Between(t, _)) => {
                t.starts_with(p)
            }
            (Self::Suffix(s), Self::Exact(t) | Self::Suffix(t) | Self::Between(_, t)) => {
                t.ends_with(s)
            }
            (Self::Between(p, s), Self::Exact(t)) => {
                t.len() >= p.len() + s.len() && t.starts_with(p) && t.ends_with(s)
            }
            (Self::Between(p, s), Self::Between(q, t)) => q.starts_with(p) && t.ends_with(s),
            _ => false,
        }
    }

    /// Returns `false` only if no text matches both.
    pub(super) fn may_overlap(&self, other: &Self) -> bool {
        if let (Self::Exact(_), _) | (_, Self::Exact(_)) = (self, other) {
            return self.covers(other) || other.covers(self);
        }
        let (p, s) = self.ends();
        let (q, t) = other.ends();
        (p.starts_with(q) || q.starts_with(p)) && (s.ends_with(t) || t.ends_with(s))
    }

    /// Returns the prefix and the suffix of all matching texts.
    fn ends(&self) -> (&str, &str) {
        match self {
            Self::Any => ("", ""),
            Self::Exact(text) => (text, text),
            Self::Prefix(prefix) => (prefix, ""),
            Self::Suffix(suffix) => ("", suffix),
            Self::Between(prefix, suffix) => (prefix, suffix),
        }
    }

    pub(super) fn is_wildcard(&self) -> bool {
        matches!(self, Self::Between(..))
    }

    /// Returns the entry of a pattern's array; [`TextFilter::Any`] has none.
    pub(super) fn entry(&self) -> Option<Value> {
        match self {
            Self::Any => None,
            Self::Exact(text) => Some(json!(text)),
            Self::Prefix(prefix) => Some(json!({ "prefix": prefix })),
            Self::Suffix(suffix) => Some(json!({ "suffix": suffix })),
            Self::Between(prefix, suffix) => {
                Some(json!({ "wildcard": format!("{}*{}", escape(prefix), escape(suffix)) }))
            }
        }
    }
}

/// Returns the texts in which `prefix` and `suffix` overlap: `img/` and
/// `/index.html` overlap in `img/index.html`, which `img/*/index.html` does not
/// match.
fn overlaps(prefix: &str, suffix: &str) -> impl Iterator<Item = String> {
    (1..=prefix.len().min(suffix.len()))
        .filter(|&shared| suffix.is_char_boundary(shared) && prefix.ends_with(&suffix[..shared]))
        .map(move |shared| format!("{prefix}{}", &suffix[shared..]))
}

fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('*', r"\*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_prefix_and_suffix() {
        let cases: [(&str, &str, &[&str]); 7] = [
            ("img/", "/index.html", &["img/index.html"]),
            ("img/", ".jpg", &[]),
            ("a", "a", &["a"]),
            ("aa", "aa", &["aaa", "aa"]),
            ("abab", "abab", &["ababab", "abab"]),
            ("docs/index.html", ".html", &["docs/index.html"]),
            ("xé", "éy", &["xéy"]),
        ];
        for (prefix, suffix, expected) in cases {
            assert_eq!(
                overlaps(prefix, suffix).collect::<Vec<_>>(),
                expected,
                "{prefix}, {suffix}"
            );
        }
    }

    #[test]
    fn wildcards_are_escaped() {
        let entry = TextFilter::Between(r"a*\".to_owned(), "*.b".to_owned()).entry();
        assert_eq!(entry, Some(json!({"wildcard": r"a\*\\*\*.b"})));
    }
}
