//! Templates of `paths:` and `tags:`.

/// A template of `paths:`.
#[derive(Debug)]
pub struct PathTemplate {}

/// A template of `tags:`.
#[derive(Debug)]
pub struct TagTemplate {}
