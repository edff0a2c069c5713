use std::sync::Arc;

use super::{Addressed, Item, MAX_PATH_LENGTH, Unaddressable, UrlPath, address};

/// How one target's viewers see the objects of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathSettings {
    /// The distribution's origin path, without slashes at either end; empty
    /// when the whole bucket is served.
    origin_path: String,
    /// The object that is also `/`, if any.
    pub default_root_object: Option<String>,
    /// File names whose directory shows them: `docs/index.html` is `/docs/`.
    pub index_documents: Vec<String>,
    /// Whether the directory without its slash (`/docs`) is cached as well.
    pub directory_redirects: bool,
    /// Whether paths are cached with query strings.
    pub query_strings: bool,
    /// Which spellings of `+` viewers use.
    pub plus: PlusSpelling,
}

/// Which spellings of a `+` in a key viewers use. They are two cache keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlusSpelling {
    /// `+` and `%2B`: two paths.
    #[default]
    Both,
    /// Only `+`.
    Raw,
    /// Only `%2B`.
    Encoded,
}

impl Default for PathSettings {
    fn default() -> Self {
        Self {
            origin_path: String::new(),
            default_root_object: Some("index.html".to_owned()),
            index_documents: Vec::new(),
            directory_redirects: false,
            query_strings: false,
            plus: PlusSpelling::default(),
        }
    }
}

impl PathSettings {
    /// Sets the origin path, with or without slashes at either end.
    pub fn set_origin_path(&mut self, origin_path: &str) {
        self.origin_path = origin_path.trim_matches('/').to_owned();
    }

    /// The origin path as CloudFront writes it (`/public`), or nothing.
    pub fn origin_path(&self) -> String {
        if self.origin_path.is_empty() { String::new() } else { format!("/{}", self.origin_path) }
    }

    /// The key below the origin path, or `None` when the target does not serve
    /// it.
    pub fn served_key<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.origin_path.is_empty() {
            return Some(key);
        }
        key.strip_prefix(&*self.origin_path)?.strip_prefix('/')
    }

    /// The URL path of a key, or `None` when the target does not serve it.
    pub fn url_path(&self, key: &str) -> Option<UrlPath> {
        self.served_key(key).map(UrlPath::new)
    }

    /// The bound that a rule's `prefix` gives the paths of this target: less
    /// the origin path, encoded, with a leading slash. A prefix that ends
    /// within the origin path bounds nothing.
    pub fn bound(&self, prefix: &str) -> Arc<str> {
        UrlPath::new(self.served_key(prefix).unwrap_or_default()).as_str().into()
    }

    /// Every item that an object's path stands for, in a fixed order: the path
    /// itself, its directory if it is an index document, `/` if it is the
    /// default root object; each in every spelling of `+` and, if asked, with
    /// every query string.
    pub fn items(&self, path: &UrlPath, bound: &Arc<str>) -> Vec<Result<Addressed, Unaddressable>> {
        let mut items = Vec::with_capacity(1);
        for view in self.views(path) {
            for plus in self.plus_spellings(view) {
                let respell = |text: &str| text.replace('+', plus);
                let directory = respell(path.directory());
                let bound = if bound.contains('+') { respell(bound).into() } else { bound.clone() };
                match address(&respell(view), &directory, &bound, false) {
                    Ok(item) => {
                        let is_directory = view != path.as_str() || view.ends_with('/');
                        items.extend(self.with_query_strings(item, is_directory, &bound));
                    }
                    Err(reason) => items.push(Err(reason)),
                }
            }
        }
        items
    }

    /// The paths under which viewers see the object at `path`.
    fn views<'p>(&self, path: &'p UrlPath) -> Vec<&'p str> {
        let (directory, file) = (path.directory(), path.file());
        let mut views = vec![path.as_str()];
        if self.index_documents.iter().any(|name| super::encode(name) == file) {
            views.push(directory);
            if self.directory_redirects && directory != "/" {
                views.push(&directory[..directory.len() - 1]);
            }
        }
        let is_root = self
            .default_root_object
            .as_deref()
            .is_some_and(|name| path.as_str() == UrlPath::new(name).as_str());
        if is_root && !views.contains(&"/") {
            views.push("/");
        }
        views
    }

    fn plus_spellings(&self, view: &str) -> &'static [&'static str] {
        match self.plus {
            PlusSpelling::Both if view.contains('+') => &["+", "%2B"],
            PlusSpelling::Both | PlusSpelling::Raw => &["+"],
            PlusSpelling::Encoded => &["%2B"],
        }
    }

    /// The item itself, or what covers its query strings too. The path of a
    /// directory, with its slash or without, keeps its own item: `X*` would
    /// purge everything below.
    fn with_query_strings(
        &self,
        item: Item,
        is_directory: bool,
        bound: &Arc<str>,
    ) -> Vec<Result<Addressed, Unaddressable>> {
        let addressed = |item| Ok(Addressed { item, bound: bound.clone() });
        if !self.query_strings || item.is_wildcard() {
            return vec![addressed(item)];
        }
        let wildcard = Item::wildcard(&format!("{item}{}", if is_directory { "?" } else { "" }));
        let wildcard = match wildcard.as_str().len() {
            length if length > MAX_PATH_LENGTH => Err(Unaddressable::PathTooLong(length)),
            _ => addressed(wildcard),
        };
        if is_directory { vec![addressed(item), wildcard] } else { vec![wildcard] }
    }
}
