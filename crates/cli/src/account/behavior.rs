//! The cache behaviors of a distribution: which paths come from which origin, and
//! how they are cached.

#[derive(Debug, Default)]
pub struct Behavior {
    /// As `/media/*`; `*` for the default behavior.
    pub path_pattern: String,
    pub origin_id: String,
    /// Whether the cache key contains query strings; `None` if it is not known.
    pub query_strings: Option<bool>,
    /// Whether anything is cached; `None` if it is not known.
    pub caches: Option<bool>,
    /// Why the two above are not known.
    pub unread_policy: Option<String>,
    /// Whether a function may change the path before the origin gets it.
    pub has_edge_function: bool,
}

/// What a cache policy determines.
#[derive(Clone, Copy, Debug)]
pub struct CachePolicy {
    pub query_strings: bool,
    pub caches: bool,
}

impl CachePolicy {
    /// Returns a policy that AWS manages, which is the same in every account.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>
    pub fn managed(id: &str) -> Option<Self> {
        let (query_strings, caches) = match id {
            // CachingDisabled
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => (false, false),
            // CachingOptimized, CachingOptimizedForUncompressedObjects, UseOriginCacheControlHeaders
            "658327ea-f89d-4fab-a63d-7e88639e58f6"
            | "b2884449-e4de-46a7-ac36-70bc7f1ddd6d"
            | "83da9c7e-98b4-4e11-a168-04f0df8e2c65" => (false, true),
            // UseOriginCacheControlHeaders-QueryStrings
            "4cc15a8a-d715-48a4-82b8-cc0b614638fe" => (true, true),
            _ => return None,
        };
        Some(Self { query_strings, caches })
    }
}

impl Behavior {
    /// Sets what the behavior's cache policy determines, or why it is not known.
    pub fn set_policy(&mut self, id: &str, policy: Result<CachePolicy, String>) {
        self.query_strings = policy.as_ref().ok().map(|policy| policy.query_strings);
        self.caches = policy.as_ref().ok().map(|policy| policy.caches);
        self.unread_policy =
            policy.err().map(|reason| format!("cannot read the cache policy `{id}`: {reason}"));
    }

    /// What every path that matches starts with, without the first slash: `media/`.
    pub fn prefix(&self) -> &str {
        let pattern = self.path_pattern.trim_start_matches('/');
        pattern.split(['*', '?']).next().unwrap_or_default()
    }

    /// Whether the path pattern is a prefix and `*`.
    pub fn is_prefix(&self) -> bool {
        let pattern = self.path_pattern.trim_start_matches('/');
        pattern.strip_suffix('*') == Some(self.prefix())
    }

    /// Whether a path that starts with `start` may match the path pattern.
    pub fn may_match(&self, start: &str) -> bool {
        let start = start.trim_start_matches('/');
        start.starts_with(self.prefix()) || self.prefix().starts_with(start)
    }

    /// Whether every path that starts with `start` matches the path pattern.
    pub fn matches_all(&self, start: &str) -> bool {
        self.is_prefix() && start.trim_start_matches('/').starts_with(self.prefix())
    }

    /// Whether every path that matches starts with `start`.
    pub fn is_below(&self, start: &str) -> bool {
        self.prefix().starts_with(start.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use crate::account::behavior;

    #[test]
    fn path_patterns() {
        for (pattern, start, may_match, matches_all) in [
            ("*", "/", true, true),
            ("*", "/docs/", true, true),
            ("/media/*", "/media/a", true, true),
            ("media/*", "/media/a", true, true),
            ("/media/*", "/", true, false),
            ("/media/*", "/docs/", false, false),
            ("/media/*/a", "/media/", true, false),
            ("*.jpg", "/docs/", true, false),
            ("/a?c/*", "/abc/", true, false),
            ("/index.html", "/index.html", true, false),
            ("/index.html", "/docs/", false, false),
        ] {
            let behavior = behavior(pattern, "");
            assert_eq!(behavior.may_match(start), may_match, "{pattern} {start}");
            assert_eq!(behavior.matches_all(start), matches_all, "{pattern} {start}");
        }
    }
}
