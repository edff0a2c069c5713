//! Findings: what is wrong or suspicious in a rules file, and where.

use std::fmt::{self, Write};

use crate::escape::is_hidden;

use super::{
    secret::mask_secrets,
    yaml::{Span, lines},
};

/// The most findings reported for one file.
pub const MAX_FINDINGS: usize = 200;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// `check` fails. The function refuses the file, unless the error is in its `tests`.
    Error,
    /// The file loads, but probably does not do what was intended.
    Lint,
}

impl Severity {
    /// Returns the word that messages show.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Lint => "lint",
        }
    }
}

macro_rules! codes {
    ($($severity:ident { $($variant:ident $name:literal $description:literal)+ })+) => {
        /// The kind of a finding. Its name is public: scripts rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $description] $variant,)+)+
        }

        impl Code {
            /// Every code, errors first.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)+)+];

            /// Returns the name, such as `unknown-field`.
            pub fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)+)+ }
            }

            /// Returns the meaning in one sentence, as in docs/rules.md.
            pub fn description(self) -> &'static str {
                match self { $($(Self::$variant => $description,)+)+ }
            }

            /// Returns the severity of findings of this kind.
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
    Syntax "syntax" "The file is not valid YAML, or uses a YAML feature that rules files do not support."
    NestedTooDeeply "nested-too-deeply" "Lists and mappings are nested deeper than 64 levels."
    TooManyValues "too-many-values" "The file holds more than about a million values, counting every use of an alias."
    UnknownField "unknown-field" "A mapping has a field that does not exist."
    DuplicateField "duplicate-field" "A mapping has the same field twice."
    MissingField "missing-field" "A required field is missing."
    ConflictingFields "conflicting-fields" "Two fields contradict each other."
    WrongType "wrong-type" "A value has a type that its field does not accept."
    UnsupportedVersion "unsupported-version" "The file has a version that this program does not support."
    EmptyList "empty-list" "A list that must not be empty is empty."
    EmptyValue "empty-value" "A text that must not be empty is empty."
    DuplicateName "duplicate-name" "Two rules or two targets have the same name."
    ReservedName "reserved-name" "A target has a name that is reserved."
    UnknownTarget "unknown-target" "A rule or a test names a target that does not exist."
    UnknownValue "unknown-value" "A value is none of those that the field accepts."
    OutOfRange "out-of-range" "A number is too small or too large."
    ContradictorySizes "contradictory-sizes" "`min_size` is larger than `max_size`."
    BadBucket "bad-bucket" "A value is not a valid bucket name."
    BadAccount "bad-account" "A value is not a valid AWS account id."
    BadRegion "bad-region" "A value is not a valid AWS region name."
    BadDistributionId "bad-distribution-id" "A value is not a valid distribution id."
    BadTenantId "bad-tenant-id" "A value is not a valid distribution tenant id."
    BadRoleArn "bad-role-arn" "A value is not the ARN of an IAM role."
    BadExternalId "bad-external-id" "A value is not an external id that STS accepts."
    BadDocument "bad-document" "A value is not a valid document name."
    BadProtect "bad-protect" "A value of `protect` is not the start of a URL path."
    ProtectedPath "protected-path" "A wildcard of `paths` purges what its target protects."
    BadViewerPrefix "bad-viewer-prefix" "A value is not a URL path below which a bucket can be seen."
    BadRegex "bad-regex" "A regex does not compile."
    RegexesTooLarge "regexes-too-large" "The regexes of the file together may need more than 64 MB when compiled."
    BadTemplate "bad-template" "A template of `paths` or `tags` cannot produce an item."
    BadKey "bad-key" "A test's key is not of the form `s3://BUCKET/KEY`."
    FailedTest "failed-test" "The rules do not produce what a test of the file expects."
    }
    Lint {
    UnreachableRule "unreachable-rule" "No change can reach the rule."
    LateRule "late-rule" "A rule with `ignore` or `stop` comes after a rule that already invalidates its changes."
    ContradictoryConditions "contradictory-conditions" "No key satisfies two of the conditions."
    OutsideOriginPath "outside-origin-path" "The keys of the rule are outside the origin path of its target, so nothing is sent."
    OriginPathInPath "origin-path-in-path" "A template of `paths` contains the origin path of its target."
    UnusedTarget "unused-target" "No rule invalidates the target."
    DuplicateCondition "duplicate-condition" "A value of a condition is already covered by another one."
    DuplicateRule "duplicate-rule" "A rule repeats an earlier one under another name."
    NeedlessCondition "needless-condition" "Every change satisfies the condition."
    WideWildcard "wide-wildcard" "A wildcard of `paths` purges more than the rule's prefix."
    SizeOnDelete "size-on-delete" "A size condition applies to deletes, which have no size."
    LeadingSlash "leading-slash" "A prefix or a regex requires a slash at the start of the key, but S3 keys have none."
    LiteralAsterisk "literal-asterisk" "A prefix ends, or a suffix starts, with a `*`, which is not a wildcard there."
    IndexDocumentUnreachable "index-document-unreachable" "No rule of the target matches its index document."
    RegexIsPrefix "regex-is-prefix" "A regex only tests how the key starts."
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something wrong or suspicious in a rules file.
#[derive(Clone, Debug)]
pub struct Finding {
    pub code: Code,
    /// What is wrong, quoting the value.
    pub message: String,
    /// The path of the value, such as `rules[3].regex`; empty for the whole file.
    pub path: String,
    pub span: Span,
    /// Further information; each note may have several lines.
    pub notes: Vec<String>,
    /// How to fix it.
    pub help: Option<String>,
    /// For a word that is not known, the word and those that are.
    pub unknown: Option<UnknownWord>,
}

/// A word that is not known, for "did you mean".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    pub word: String,
    /// The words that are accepted in its place.
    pub known: Vec<String>,
}

impl UnknownWord {
    /// Pairs an unknown word with the known ones.
    pub fn new(word: &str, known: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { word: word.to_owned(), known: known.into_iter().map(Into::into).collect() }
    }
}

impl Finding {
    /// Returns a finding about a location that is not a value of the file.
    pub(super) fn at(code: Code, span: Span, message: impl Into<String>) -> Self {
        let (message, path) = (message.into(), String::new());
        Self { code, message, path, span, notes: Vec::new(), help: None, unknown: None }
    }

    /// Adds how to fix it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds the words that are known where `word` is not.
    #[must_use]
    pub fn unknown(self, word: &str, known: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { unknown: Some(UnknownWord::new(word, known)), ..self }
    }
}

/// The findings of one file. Displays as one line for each.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    file: String,
    text: String,
    list: Vec<Finding>,
}

impl Findings {
    /// Makes an empty list; `file` is the name that messages show.
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// Adds a finding, unless there are [`MAX_FINDINGS`] already.
    pub fn push(&mut self, finding: Finding) {
        if !self.is_full() {
            self.list.push(finding);
        }
    }

    /// Sorts the findings by location and keeps the file's text with them, so that
    /// their lines can be shown. Secrets are masked.
    #[must_use]
    pub fn finish(mut self, text: &str) -> Self {
        self.list.sort_by_key(|finding| (finding.span.line, finding.span.column));
        let text = if self.is_empty() { text.to_owned() } else { mask_secrets(text) };
        Self { text, ..self }
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns a line of the file, counted from 1.
    pub fn line(&self, line: usize) -> &str {
        lines(&self.text).nth(line.saturating_sub(1)).unwrap_or_default()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// Returns whether there may be more findings than the [`MAX_FINDINGS`]
    /// reported.
    pub fn is_full(&self) -> bool {
        self.list.len() >= MAX_FINDINGS
    }

    /// Returns the number of findings of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.iter().filter(|finding| finding.code.severity() == severity).count()
    }

    pub fn has_error(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Finding { code, message, span, .. }) in self.iter().enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            let message = printable(message).replace('\n', " ");
            let severity = code.severity().name();
            let Span { line, column, .. } = span;
            write!(f, "{}:{line}:{column}: {severity}[{code}]: {message}", self.file)?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

/// Returns a text that is safe to print, since messages quote the file: control
/// characters other than line breaks are escaped, and a long text is shortened.
pub fn printable(text: &str) -> String {
    const MAX_CHARACTERS: usize = 4_000;
    let mut printable = String::with_capacity(text.len().min(MAX_CHARACTERS));
    let mut characters = text.chars();
    for character in characters.by_ref().take(MAX_CHARACTERS) {
        match character {
            '\n' => printable.push('\n'),
            _ if is_hidden(character) => printable.extend(character.escape_default()),
            _ => printable.push(character),
        }
    }
    if characters.next().is_some() {
        printable.push('…');
    }
    printable
}
