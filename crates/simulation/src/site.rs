//! Random rules, with an interpretation of their own.
//!
//! [`Site::document`] is the rules file that the function loads. What the rules
//! mean is written down here once more, from docs/rules.md, in the simplest way,
//! so that a bug of the function cannot hide.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Distributions, targets and rules for objects of a few buckets.
#[derive(Clone, Debug)]
pub struct Site {
    pub targets: Vec<Target>,
    pub rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
pub struct Target {
    pub distribution: String,
    /// Without slashes at its ends; empty if there is none.
    pub origin_path: &'static str,
    /// With a slash at its start; empty if there is none.
    pub viewer_prefix: &'static str,
    pub has_root_object: bool,
    pub has_index_documents: bool,
    pub clean_urls: bool,
    pub query_strings: bool,
    /// The path that no wildcard may cover.
    pub protect: Option<&'static str>,
    /// More paths than this may be collapsed; `None` if none may.
    pub collapse_above: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub bucket: Option<&'static str>,
    /// All keys if there is none.
    pub prefixes: Vec<String>,
    pub suffix: Option<&'static str>,
    pub except: Option<String>,
    pub stop: bool,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    Ignore {
        allow_wildcards: bool,
    },
    Invalidate {
        /// Indexes of targets.
        targets: Vec<usize>,
        /// A path that is invalidated beside the object's own.
        also: Option<&'static str>,
    },
}

/// What a change of an object requires of one target.
#[derive(Clone, Debug)]
pub struct Need<'s> {
    pub target: &'s Target,
    pub rule: &'s Rule,
    /// What viewers request to get the object, with the path of the URL first.
    pub urls: Vec<String>,
    pub also: Option<&'static str>,
}

pub const BUCKETS: [&str; 2] = ["site", "media"];
pub const SECTIONS: [&str; 4] = ["docs", "blog", "img", "preview"];
pub const DENIED: &str = "E9DENIED";

/// Characters that are the same in keys and in URLs.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_');

impl Site {
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        let targets: Vec<Target> = (0..rng.usize(1..=4)).map(|_| Target::random(rng)).collect();
        let rules = (0..rng.usize(1..=6)).map(|_| Rule::random(rng, targets.len())).collect();
        Self { targets, rules }
    }

    /// Returns rules.yaml. JSON is YAML, too.
    pub fn document(&self) -> String {
        let name = |target: &usize| format!("t{target}");
        let targets = self.targets.iter().enumerate();
        let targets: serde_json::Map<String, Value> =
            targets.map(|(n, target)| (name(&n), target.document())).collect();
        let rules = self.rules.iter().enumerate().map(|(n, rule)| {
            let Rule { bucket, prefixes, suffix, except, stop, action } = rule;
            let mut document = json!({ "name": format!("r{n}") });
            let fields = [
                ("bucket", bucket.map(Value::from)),
                ("prefix", (!prefixes.is_empty()).then(|| prefixes.clone().into())),
                ("suffix", suffix.map(Value::from)),
                ("except", except.as_ref().map(|prefix| json!({ "prefix": prefix }))),
                ("stop", stop.then(|| true.into())),
            ];
            for (field, value) in fields.into_iter().filter_map(|(name, one)| Some((name, one?))) {
                document[field] = value;
            }
            match action {
                Action::Ignore { allow_wildcards } => {
                    document["ignore"] = true.into();
                    if *allow_wildcards {
                        document["allow_wildcards"] = true.into();
                    }
                }
                Action::Invalidate { targets, also } => {
                    let targets = targets.iter().map(|target| {
                        let paths: Vec<&str> = ["{path}"].into_iter().chain(*also).collect();
                        json!({ "target": name(target), "paths": paths })
                    });
                    document["invalidate"] = targets.collect();
                }
            }
            document
        });
        json!({ "version": 1, "targets": targets, "rules": rules.collect::<Vec<_>>() }).to_string()
    }

    /// Returns what a change of an object requires.
    pub fn needs(&self, bucket: &str, key: &str) -> Vec<Need<'_>> {
        let mut needs = Vec::new();
        for rule in &self.rules {
            if !rule.matches(bucket, key) {
                continue;
            }
            match &rule.action {
                Action::Ignore { .. } => break,
                Action::Invalidate { targets, also } => {
                    for target in targets.iter().map(|target| &self.targets[*target]) {
                        if let Some(urls) = target.urls(key) {
                            needs.push(Need { target, rule, urls, also: *also });
                        }
                    }
                }
            }
            if rule.stop {
                break;
            }
        }
        needs
    }

    /// Returns the starts of URL paths that no wildcard that the plan chooses for
    /// the paths of `rule` at `target` may reach into.
    pub fn excluded(&self, target: &Target, rule: &Rule) -> BTreeSet<String> {
        let of_bucket = |bucket: Option<&str>| {
            let reaches = |one: &&Rule| match &one.action {
                Action::Invalidate { targets, .. } => {
                    targets.iter().any(|index| std::ptr::eq(&self.targets[*index], target))
                        && (bucket.is_none() || one.bucket.is_none() || one.bucket == bucket)
                }
                Action::Ignore { .. } => false,
            };
            self.rules.iter().any(|one| reaches(&one))
        };
        let ignored = self.rules.iter().filter(|one| {
            matches!(one.action, Action::Ignore { allow_wildcards: false })
                && one.suffix.is_none()
                && one.except.is_none()
                && of_bucket(one.bucket)
        });
        let ignored = ignored.flat_map(|one| &one.prefixes).map(String::as_str);
        let starts =
            ignored.chain(rule.except.as_deref()).filter_map(|prefix| target.start(prefix));
        let protected = self.targets.iter().filter(|one| one.distribution == target.distribution);
        let protected = protected.filter_map(|one| one.protect).map(str::to_owned);
        starts.chain(protected).collect()
    }
}

impl Target {
    fn random(rng: &mut fastrand::Rng) -> Self {
        let distribution = match rng.u32(0..20) {
            0..3 => DENIED.to_owned(),
            n => format!("E{}EXAMPLE", n % 3 + 1),
        };
        let viewer_prefix = if rng.u32(0..5) == 0 { "/media" } else { "" };
        Self {
            distribution,
            origin_path: if rng.u32(0..3) == 0 { "public" } else { "" },
            viewer_prefix,
            has_root_object: rng.bool() && viewer_prefix.is_empty(),
            has_index_documents: rng.bool(),
            clean_urls: rng.u32(0..4) == 0,
            query_strings: rng.u32(0..4) == 0,
            protect: (rng.u32(0..5) == 0).then_some("/docs/a"),
            collapse_above: match rng.u32(0..4) {
                0 => None,
                1 => Some(100),
                _ => Some(rng.usize(1..30)),
            },
        }
    }

    fn document(&self) -> Value {
        let mut document = json!({
            "distribution": self.distribution,
            "default_root_object": self.has_root_object.then_some("index.html"),
            "collapse": match self.collapse_above {
                Some(above) => json!({ "above": above }),
                None => json!(false),
            },
        });
        let fields: [(&str, Option<Value>); 6] = [
            ("origin_path", some(self.origin_path)),
            ("viewer_prefix", some(self.viewer_prefix)),
            ("index_documents", self.has_index_documents.then(|| "index.html".into())),
            ("clean_urls", self.clean_urls.then(|| true.into())),
            ("query_strings", self.query_strings.then(|| true.into())),
            ("protect", self.protect.map(Value::from)),
        ];
        for (field, value) in fields.into_iter().filter_map(|(name, one)| Some((name, one?))) {
            document[field] = value;
        }
        document
    }

    /// Returns what viewers request to get the object of a key, if the target
    /// serves it.
    fn urls(&self, key: &str) -> Option<Vec<String>> {
        let rest = match self.origin_path {
            "" => key,
            path => key.strip_prefix(path)?.strip_prefix('/')?,
        };
        let path = format!("{}/{rest}", self.viewer_prefix);
        let (directory, file) = path.rsplit_once('/')?;
        let is_root = self.has_root_object && rest == "index.html";
        let mut paths = vec![path.clone()];
        if is_root || self.has_index_documents && file == "index.html" {
            paths.push(format!("{directory}/"));
        } else if self.clean_urls && file.len() > ".html".len() {
            paths.extend(path.strip_suffix(".html").map(str::to_owned));
        }
        let mut urls: Vec<String> =
            paths.iter().map(|path| utf8_percent_encode(path, ENCODED).to_string()).collect();
        if self.query_strings {
            urls.extend(urls.clone().into_iter().map(|url| url + "?v=1"));
        }
        Some(urls)
    }

    /// Returns the start of the URL paths of the keys with a prefix, if that does
    /// not make it all of them.
    pub fn start(&self, prefix: &str) -> Option<String> {
        let rest = match self.origin_path {
            "" => prefix,
            path => prefix.strip_prefix(path)?.strip_prefix('/')?,
        };
        let start = format!("{}/{}", self.viewer_prefix, utf8_percent_encode(rest, ENCODED));
        (!rest.is_empty()).then_some(start)
    }
}

fn some(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| text.into())
}

impl Rule {
    fn random(rng: &mut fastrand::Rng, targets: usize) -> Self {
        let section = |rng: &mut fastrand::Rng| {
            let origin = if rng.u32(0..3) == 0 { "public/" } else { "" };
            let section = rng.choice(SECTIONS).unwrap_or_default();
            let below = if rng.u32(0..3) == 0 { "a/" } else { "" };
            format!("{origin}{section}/{below}")
        };
        let is_ignore = rng.u32(0..4) == 0;
        let mut prefixes = Vec::new();
        if is_ignore || rng.bool() {
            let section = section(rng);
            match rng.u32(0..4) {
                0 => prefixes.extend(["a/", "b/", "c/"].map(|name| format!("{section}{name}"))),
                _ => prefixes.push(section),
            }
        }
        let except = (!is_ignore && rng.u32(0..4) == 0).then(|| match prefixes.first() {
            Some(prefix) => format!("{prefix}b/"),
            None => section(rng),
        });
        let action = if is_ignore {
            Action::Ignore { allow_wildcards: rng.u32(0..4) == 0 }
        } else {
            let first = rng.usize(0..targets);
            let second = rng.usize(0..targets);
            Action::Invalidate {
                targets: if first == second { vec![first] } else { vec![first, second] },
                also: (rng.u32(0..6) == 0).then_some("/feed.xml"),
            }
        };
        Self {
            bucket: rng.bool().then(|| rng.choice(BUCKETS)).flatten(),
            prefixes,
            suffix: (rng.u32(0..4) == 0).then_some(".html"),
            except,
            stop: !is_ignore && rng.u32(0..6) == 0,
            action,
        }
    }

    /// Returns the prefix of a key.
    pub fn prefix_of(&self, key: &str) -> Option<&str> {
        self.prefixes.iter().map(String::as_str).find(|prefix| key.starts_with(prefix))
    }

    fn matches(&self, bucket: &str, key: &str) -> bool {
        self.bucket.is_none_or(|one| one == bucket)
            && (self.prefixes.is_empty() || self.prefix_of(key).is_some())
            && self.suffix.is_none_or(|suffix| key.ends_with(suffix))
            && !self.except.as_ref().is_some_and(|prefix| key.starts_with(prefix))
    }
}

/// Returns whether an invalidation of `item` purges what is cached for `url`.
pub fn covers(item: &str, url: &str) -> bool {
    match item.strip_suffix('*') {
        Some(start) => url.starts_with(start),
        None => item == url,
    }
}
