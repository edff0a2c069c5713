//! The help that is shown with a finding, "did you mean …" above all.

use s3_cloudfront_invalidator::rules::{
    Code, Finding, Findings, UnknownWord,
    mapping::{COLLAPSE, FILE, INVALIDATE, RULE, TARGET, TEST},
};

use crate::output::quote_list;

/// How similar two words must be, from 0 to 1, for one to be a misspelling.
const SIMILAR: f64 = 0.8;

/// No name is longer, and the cost of comparing grows with the product of the lengths.
const MAX_WORD: usize = 100;

/// The most known words that are listed.
const MAX_KNOWN: usize = 20;

pub fn help(finding: &Finding, findings: &Findings) -> Option<String> {
    let Some(UnknownWord { word, known }) = &finding.unknown else {
        return match finding.code {
            Code::Syntax => missing_colon(finding, findings)
                .or_else(|| syntax_help(&finding.message).map(str::to_owned)),
            _ => finding.help.clone(),
        };
    };
    if let Some(known) = nearest(word, known) {
        return Some(format!("did you mean `{known}`?"));
    }
    if finding.help.is_some() {
        return finding.help.clone();
    }
    let what = match finding.code {
        Code::UnknownField => {
            let kinds = [INVALIDATE, RULE, TARGET, COLLAPSE, FILE, TEST];
            if let Some(kind) = kinds.iter().find(|kind| kind.fields().any(|field| field == word)) {
                return Some(format!("`{word}` is a field of {}", kind.name));
            }
            "fields"
        }
        Code::UnknownTarget => "targets",
        _ => "accepted values",
    };
    Some(format!("the {what} are {}", quote_list(known, "and", MAX_KNOWN)))
}

/// The known word that is most similar to `word`, if one is similar enough.
/// Letter case, `-`, `_` and spaces are ignored.
fn nearest<'k>(word: &str, known: &'k [String]) -> Option<&'k str> {
    let normal = |word: &str| word.replace(['-', '_', ' '], "").to_lowercase();
    let lengths = 1..=MAX_WORD;
    known
        .iter()
        .filter(|known| lengths.contains(&word.len()) && lengths.contains(&known.len()))
        .map(|known| (strsim::jaro_winkler(&normal(word), &normal(known)), &**known))
        .filter(|(similarity, _)| *similarity > SIMILAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

/// The line that causes the error if it has no colon, or no space after it. The
/// parser reports the first line after it that does not fit.
fn missing_colon(finding: &Finding, findings: &Findings) -> Option<String> {
    if !["no `:` after it", "mapping values are not allowed"]
        .iter()
        .any(|part| finding.message.contains(part))
    {
        return None;
    }
    let last = finding.span.line;
    let is_blank = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
    let before = (1..last).rev().find(|line| !is_blank(findings.line(*line)));
    [Some(last), before].into_iter().flatten().find_map(|number| {
        let line = findings.line(number).trim();
        let line = line.strip_prefix("- ").unwrap_or(line).trim_start();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let (name, rest) = line.split_at(line.find(|c| !is_name(c)).unwrap_or(line.len()));
        let value = rest.trim_start();
        match rest.chars().next() {
            _ if name.is_empty() => None,
            Some(':') if rest.len() > 1 && !rest[1..].starts_with(' ') => Some(format!(
                "line {number} has no space after the colon: write `{name}: {}`",
                &rest[1..]
            )),
            None => Some(format!("line {number} has no colon: write `{name}:`")),
            Some(' ') if !value.starts_with(['#', ':']) && !value.contains(": ") => {
                Some(format!("line {number} has no colon: write `{name}: {value}`"))
            }
            _ => None,
        }
    })
}

/// The most likely cause of an error of the YAML parser.
fn syntax_help(message: &str) -> Option<&'static str> {
    const HELP: [(&str, &str); 10] = [
        ("tab", "indent with spaces, not with tabs"),
        (
            "unknown escape character",
            "in double quotes a backslash starts an escape: write a regex in single quotes",
        ),
        (
            "mapping values are not allowed",
            "check the indentation; text that contains `: ` must be in quotes",
        ),
        ("anchor", "text that starts with `*` or `&` must be in quotes"),
        (
            "node content",
            "a bracket or comma too many; text that contains brackets or commas must be in quotes",
        ),
        ("end of stream", "a quote is opened but not closed"),
        (
            "unexpected character",
            "text that starts with a character such as `@`, `%` or `` ` `` must be in quotes",
        ),
        (
            "flow",
            "a bracket is opened but not closed; text that contains `#`, `,` or a bracket must be in quotes",
        ),
        ("expected", "check the indentation of this line and of the lines above"),
        ("name of a field", "text that starts with `{` or `[` must be in quotes"),
    ];
    HELP.iter().find(|(part, _)| message.contains(part)).map(|(_, help)| *help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_are_recognised() {
        let known =
            ["prefix", "suffix", "index_documents", "events", "max_size", "{path}", "{language}"];
        let known = known.map(str::to_owned);
        for (word, expected) in [
            ("prefx", Some("prefix")),
            ("Prefix", Some("prefix")),
            ("prefixes", Some("prefix")),
            ("indexDocuments", Some("index_documents")),
            ("index-document", Some("index_documents")),
            ("event", Some("events")),
            ("maxsize", Some("max_size")),
            ("{pth}", Some("{path}")),
            ("{Path}", Some("{path}")),
            ("{languge}", Some("{language}")),
            ("{lang}", Some("{language}")),
            ("bucket", None),
            ("priority", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
    }
}
