//! The settings of a target that decide at which paths an object is served.

use std::{borrow::Cow, sync::Arc};

use smallvec::{SmallVec, smallvec};

use super::{Addressed, Item, Unaddressable, UrlPath, address, encode, path::last_segment};

/// How the keys of a bucket become the paths of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathSettings {
    /// As `/public`, or empty if the whole bucket is served.
    origin_path: String,
    /// As `/media`, or empty if viewers see the bucket at `/`.
    viewer_prefix: String,
    /// The object that is also served as `/`.
    pub default_root_object: Option<String>,
    /// File names that are also served as their directory: with `index.html`,
    /// `docs/index.html` is also `/docs/`.
    pub index_documents: Vec<String>,
    /// Whether the directory without its slash (`/docs`) is cached as well.
    pub directory_redirects: bool,
    /// Whether `/about.html` is also served as `/about`.
    pub clean_urls: bool,
    /// Whether the cache key includes query strings.
    pub query_strings: bool,
    /// Which spellings of `+` viewers use.
    pub plus: PlusSpelling,
    /// Encoded starts of URL paths, each with a leading slash, that no wildcard
    /// of the distribution may cover: those of all its targets.
    pub protect: Vec<String>,
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
            viewer_prefix: String::new(),
            default_root_object: Some("index.html".to_owned()),
            index_documents: Vec::new(),
            directory_redirects: false,
            clean_urls: false,
            query_strings: false,
            plus: PlusSpelling::default(),
            protect: Vec::new(),
        }
    }
}

impl PathSettings {
    /// Sets the origin path, given with or without slashes at either end.
    pub fn set_origin_path(&mut self, origin_path: &str) {
        self.origin_path = with_slash(origin_path);
    }

    /// Sets the viewer prefix, given with or without slashes at either end.
    /// Returns false if it is not a URL path without characters that must be
    /// encoded.
    pub fn set_viewer_prefix(&mut self, viewer_prefix: &str) -> bool {
        self.viewer_prefix = with_slash(viewer_prefix);
        encode(viewer_prefix) == viewer_prefix && !viewer_prefix.contains(['~', '*'])
    }

    /// Returns the viewer prefix (`/media`), or an empty text.
    pub fn viewer_prefix(&self) -> &str {
        &self.viewer_prefix
    }

    /// Returns the origin path as CloudFront writes it (`/public`), or an empty
    /// text.
    pub fn origin_path(&self) -> &str {
        &self.origin_path
    }

    /// Returns the key without the origin path; `None` if the target does not
    /// serve it.
    pub(crate) fn served_key<'k>(&self, key: &'k str) -> Option<&'k str> {
        match self.origin_path.strip_prefix('/') {
            None => Some(key),
            Some(directory) => key.strip_prefix(directory)?.strip_prefix('/'),
        }
    }

    /// Returns the URL path of a key; `None` if the target does not serve it.
    pub fn url_path<'k>(&self, key: &'k str) -> Option<UrlPath<'k>> {
        self.served_key(key).map(|key| self.path_of(key))
    }

    /// Returns the URL path of a key without its origin path.
    pub(crate) fn path_of<'k>(&self, served_key: &'k str) -> UrlPath<'k> {
        UrlPath::new(&self.viewer_prefix, served_key)
    }

    /// Returns the bound of a rule's `prefix`: without the origin path,
    /// encoded, below the viewer prefix. For a prefix that ends within the
    /// origin path, it is `/`, or `/media/`.
    pub fn bound(&self, prefix: &str) -> Arc<str> {
        self.path_of(self.served_key(prefix).unwrap_or_default()).as_str().into()
    }

    /// Refuses a wildcard that covers what is protected.
    pub(crate) fn permit(&self, item: Item) -> Result<Item, Unaddressable> {
        match self.protect.iter().find(|prefix| item.overlaps(prefix)) {
            None => Ok(item),
            Some(protected) => Err(Unaddressable::Protected {
                wildcard: item.to_string(),
                protected: protected.clone(),
            }),
        }
    }

    /// Returns whether an object of this path is the index page of its
    /// directory: an index document or the default root object, in any
    /// directory, and `index.html` if the target has neither.
    fn is_index(&self, path: &UrlPath<'_>) -> bool {
        let file = path.file();
        match &self.default_root_object {
            None if self.index_documents.is_empty() => file == "index.html",
            Some(root_object) if last_segment(root_object) == file => true,
            _ => self.index_documents.iter().any(|name| name == file),
        }
    }

    /// Returns the items of an object: for its path and for every other path it
    /// is served at, in each spelling of `+`, and with query strings if they
    /// are cached.
    pub fn items(
        &self,
        path: &UrlPath<'_>,
        bound: &Arc<str>,
    ) -> SmallVec<[Result<Addressed, Unaddressable>; 2]> {
        let mut items = SmallVec::new();
        for served in self.served_paths(path) {
            let is_index = served == path.as_str() && self.is_index(path);
            for plus in self.plus_spellings(served) {
                let directory = respell(path.directory(), plus);
                let bound = match respell(bound, plus) {
                    Cow::Borrowed(_) => bound.clone(),
                    Cow::Owned(respelled) => respelled.into(),
                };
                let item = address(&respell(served, plus), &directory, &bound, false);
                let item = item.and_then(|item| self.permit(item));
                let addressed = |item| Addressed { item, bound: bound.clone(), is_index };
                match item {
                    Ok(item) if self.query_strings && !item.is_wildcard() => {
                        let wildcard = Item::wildcard(item.as_str());
                        // For a directory, `X*` would purge everything below it.
                        let is_directory = served != path.as_str() || served.ends_with('/');
                        if is_directory || self.permit(wildcard.clone()).is_err() {
                            let wildcard = Item::wildcard(&format!("{item}?")).within_limit();
                            items.push(Ok(addressed(item)));
                            items.push(wildcard.map(addressed));
                        } else {
                            items.push(wildcard.within_limit().map(addressed));
                        }
                    }
                    item => items.push(item.map(addressed)),
                }
            }
        }
        items
    }

    fn served_paths<'p>(&self, path: &'p UrlPath<'_>) -> SmallVec<[&'p str; 4]> {
        let directory = path.directory();
        let mut paths = smallvec![path.as_str()];
        let is_index = self.index_documents.iter().any(|name| name == path.file());
        // CloudFront has one root object, for `/` and thus not below a prefix.
        let root_object =
            self.default_root_object.as_deref().filter(|_| self.viewer_prefix.is_empty());
        let is_root_object = root_object.is_some_and(|key| key == path.key());
        if self.clean_urls
            && !is_index
            && !is_root_object
            && let Some(stem) = path.as_str().strip_suffix(".html")
            && !stem.ends_with('/')
        {
            paths.push(stem);
        }
        if is_index {
            paths.push(directory);
            if self.directory_redirects && directory != "/" {
                paths.push(&directory[..directory.len() - 1]);
            }
        }
        if is_root_object && !paths.contains(&"/") {
            paths.push("/");
        }
        paths
    }

    fn plus_spellings(&self, path: &str) -> &'static [&'static str] {
        match self.plus {
            PlusSpelling::Both if path.contains('+') => &["+", "%2B"],
            PlusSpelling::Both | PlusSpelling::Raw => &["+"],
            PlusSpelling::Encoded => &["%2B"],
        }
    }
}

fn respell<'t>(text: &'t str, plus: &str) -> Cow<'t, str> {
    if plus != "+" && text.contains('+') { text.replace('+', plus).into() } else { text.into() }
}

/// Returns `/x/y` for `x/y` with any slashes at either end, and nothing for `/`.
fn with_slash(path: &str) -> String {
    match path.trim_matches('/') {
        "" => String::new(),
        name => format!("/{name}"),
    }
}
