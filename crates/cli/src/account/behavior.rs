//! The cache behaviors of a distribution: which paths come from which origin, and
//! how they are cached.

use aws_sdk_cloudfront::types::{
    CachePolicyConfig, CachePolicyQueryStringBehavior, ForwardedValues,
};

#[derive(Debug)]
pub struct Behavior {
    /// As `/media/*`; `*` for the default behavior.
    pub path_pattern: String,
    pub origin_id: String,
    /// Whether the cache key contains query strings; `None` if it is not known.
    pub query_strings: Option<bool>,
    /// Whether anything is cached; `None` if it is not known.
    pub caches: Option<bool>,
}

impl Behavior {
    /// Makes a behavior with its settings from before cache policies.
    pub fn new(
        path_pattern: &str,
        origin_id: &str,
        (forwarded, max_ttl): (Option<&ForwardedValues>, Option<i64>),
    ) -> Self {
        Self {
            path_pattern: path_pattern.to_owned(),
            origin_id: origin_id.to_owned(),
            query_strings: forwarded.map(ForwardedValues::query_string),
            caches: max_ttl.map(|seconds| seconds > 0),
        }
    }

    /// Sets what the behavior's cache policy determines.
    pub fn set_policy(&mut self, policy: Option<&CachePolicyConfig>) {
        self.caches = policy.and_then(CachePolicyConfig::max_ttl).map(|seconds| seconds > 0);
        let key =
            policy.and_then(|policy| policy.parameters_in_cache_key_and_forwarded_to_origin());
        let config = key.and_then(|key| key.query_strings_config());
        self.query_strings = config
            .map(|config| *config.query_string_behavior() != CachePolicyQueryStringBehavior::None);
    }

    /// Whether a path that starts with `start` may match the path pattern.
    pub fn may_match(&self, start: &str) -> bool {
        let pattern = format!("/{}", self.path_pattern.trim_start_matches('/'));
        let literal = pattern.split(['*', '?']).next().unwrap_or_default();
        start.starts_with(literal) || literal.starts_with(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_patterns() {
        for (pattern, start, expected) in [
            ("*", "/", true),
            ("*", "/docs/", true),
            ("/media/*", "/media/a", true),
            ("media/*", "/media/a", true),
            ("/media/*", "/", true),
            ("/media/*", "/docs/", false),
            ("*.jpg", "/docs/", true),
            ("/a?c/*", "/abc/", true),
            ("/index.html", "/docs/", false),
        ] {
            let behavior = Behavior::new(pattern, "", (None, None));
            assert_eq!(behavior.may_match(start), expected, "{pattern} {start}");
        }
    }
}
