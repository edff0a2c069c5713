//! What is wrong with a rules file, or looks wrong: where, why, and what to do.

use std::fmt;

use super::{
    excerpt::Excerpt,
    source::{At, Source, Span},
};

/// The most findings of one file; then no more are looked for.
pub(super) const MAX_FINDINGS: usize = 200;

/// Whether the function starts with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It does not.
    Error,
    /// It does, but something is likely not as it was meant.
    Lint,
}

impl Severity {
    /// The word that findings show.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Lint => "lint",
        }
    }
}

macro_rules! codes {
    ($($severity:ident { $($variant:ident $name:literal $description:literal)+ })+) => {
        /// The kinds of findings. Their names are public: scripts rely on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $description] $variant,)+)+
        }

        impl Code {
            /// Every code, errors first.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)+)+];

            /// The name, as `unknown-field`.
            pub fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)+)+ }
            }

            /// What it means, in one sentence.
            pub fn description(self) -> &'static str {
                match self { $($(Self::$variant => $description,)+)+ }
            }

            /// Whether the function starts with such a file.
            pub fn severity(self) -> Severity {
                match self { $($(Self::$variant => Severity::$severity,)+)+ }
            }
        }
    };
}

codes! {
    Error {
    FileTooLarge "file-too-large" "The file is larger than 8 MiB."
    NotUtf8 "not-utf8" "The file is not UTF-8."
    Syntax "syntax" "The file is not YAML, or uses a part of YAML that has no meaning in a rules file."
    NestedTooDeeply "nested-too-deeply" "Lists and mappings nest deeper than 64 levels."
    TooManyValues "too-many-values" "The file holds more than a million values or so, each use of an alias counted."
    UnknownField "unknown-field" "A mapping has a field that does not exist."
    DuplicateField "duplicate-field" "A mapping has the same field twice."
    MissingField "missing-field" "A field that is needed is not there."
    ConflictingFields "conflicting-fields" "Two fields contradict each other."
    WrongType "wrong-type" "A value is of another type than the field takes."
    UnsupportedVersion "unsupported-version" "The file is of a version this program does not read."
    EmptyList "empty-list" "A list that must hold something is empty."
    EmptyValue "empty-value" "A text that must hold something is empty."
    DuplicateName "duplicate-name" "Two rules or two targets have the same name."
    ReservedName "reserved-name" "A target's name means something else already."
    UnknownTarget "unknown-target" "A rule or a test names a target that does not exist."
    UnknownValue "unknown-value" "A value is none of those the field takes."
    OutOfRange "out-of-range" "A number is too small or too large."
    ContradictorySizes "contradictory-sizes" "`min_size` is larger than `max_size`."
    BadBucket "bad-bucket" "A value is not the name of a bucket."
    BadAccount "bad-account" "A value is not the id of an AWS account."
    BadRegion "bad-region" "A value is not the name of an AWS region."
    BadDistributionId "bad-distribution-id" "A value is not the id of a distribution."
    BadTenantId "bad-tenant-id" "A value is not the id of a distribution tenant."
    BadRoleArn "bad-role-arn" "A value is not the ARN of an IAM role."
    BadExternalId "bad-external-id" "A value is not an external id that STS takes."
    BadDocument "bad-document" "A value is not a document's name."
    BadRegex "bad-regex" "A regex does not compile."
    BadTemplate "bad-template" "A template of `paths` or `tags` cannot make an item."
    BadKey "bad-key" "A test's key is not of the form `s3://BUCKET/KEY`."
    FailedTest "failed-test" "A test of the file expects something else than the rules do."
    }
    Lint {
    UnreachableRule "unreachable-rule" "No change can reach the rule."
    UnusedTarget "unused-target" "No rule invalidates the target."
    DuplicateCondition "duplicate-condition" "A value of a condition is already covered by another one."
    DuplicateRule "duplicate-rule" "A rule repeats an earlier one under another name."
    NeedlessCondition "needless-condition" "A condition that every change satisfies."
    WideWildcard "wide-wildcard" "A wildcard of `paths` purges more than the rule's prefix."
    SizeOnDelete "size-on-delete" "A size condition on deletes, which carry no size."
    LeadingSlash "leading-slash" "A prefix starts with a slash; S3 keys do not."
    LiteralAsterisk "literal-asterisk" "A prefix ends, or a suffix starts, with a `*`, which is no wildcard there."
    IndexDocumentUnreachable "index-document-unreachable" "No rule of the target lets its index document through."
    RegexIsPrefix "regex-is-prefix" "A regex that only says how the key starts."
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is wrong, or looks wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its kind.
    pub code: Code,
    /// What is wrong, quoting it.
    pub message: String,
    /// The way to the value: `rules[3].regex`.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// More that helps to understand it, each perhaps of several lines.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    pub(super) excerpt: Excerpt,
}

impl Finding {
    /// A finding about a value.
    pub(super) fn new(code: Code, at: At<'_>, message: impl Into<String>) -> Self {
        Self::placed(code, at.source, at.span(), at.path(), message.into())
    }

    /// A finding about the name of a field of `at`.
    pub(super) fn on_field(
        code: Code,
        at: At<'_>,
        field: &str,
        message: impl Into<String>,
    ) -> Self {
        let path = match at.path() {
            path if path.is_empty() => field.to_owned(),
            path => format!("{path}.{field}"),
        };
        Self::placed(code, at.source, at.field_name(field), path, message.into())
    }

    /// A finding at a place that may be no value.
    pub(super) fn placed(
        code: Code,
        source: &Source<'_>,
        span: Span,
        path: String,
        message: String,
    ) -> Self {
        let excerpt = Excerpt::new(source.line(span.line), span);
        let Span { line, column, .. } = span;
        Self { code, message, path, line, column, notes: Vec::new(), help: None, excerpt }
    }

    /// Says what to do.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Says what to do, if anything is known.
    pub(super) fn help_if(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    /// Says more.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// What was found in one file, in the order of its lines.
///
/// Displays as text for people, one block a finding:
///
/// ```text
/// rules.yaml:12:18: error[unknown-target]: no target is named `wwww`
///    |
/// 12 |     invalidate: [wwww, blog]
///    |                  ^^^^
///    = help: did you mean `www`?
/// ```
///
/// With `{:#}` the text is coloured by ANSI escapes.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    file: String,
    list: Vec<Finding>,
}

impl Findings {
    /// None yet, of a file shown under this name.
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    pub(super) fn push(&mut self, finding: Finding) {
        if !self.is_full() {
            self.list.push(finding);
        }
    }

    /// Puts them in the order of the file. Findings of one place keep theirs.
    pub(super) fn sort(&mut self) {
        self.list.sort_by_key(|finding| (finding.line, finding.column));
    }

    /// The name of the file, as given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// Whether there are as many as are kept, 200: no more were looked for.
    pub fn is_full(&self) -> bool {
        self.list.len() >= MAX_FINDINGS
    }

    /// How many of a severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.iter().filter(|finding| finding.code.severity() == severity).count()
    }

    /// Whether there is an error among them.
    pub fn has_error(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl std::error::Error for Findings {}

impl<'f> IntoIterator for &'f Findings {
    type Item = &'f Finding;
    type IntoIter = std::slice::Iter<'f, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
