//! The request body of CreateInvalidation.

use serde::Deserialize;

use super::refusal::Refusal;

/// The most items of a request.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
const MAX_ITEMS: usize = 3_000;

/// The most characters of a path.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>
const MAX_PATH: usize = 4_000;

/// The most characters of a tag, without its `#`.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html>
const MAX_TAG: usize = 256;

/// The printable ASCII characters that RFC 1738 calls unsafe, except `%`.
/// <https://www.rfc-editor.org/rfc/rfc1738#section-2.2>
const UNSAFE: &str = "<>\"#{}|\\^~[]`";

/// A valid batch.
#[derive(Debug)]
pub(crate) struct ValidBatch {
    pub(crate) caller_reference: String,
    pub(crate) items: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InvalidationBatchXml {
    paths: PathsXml,
    caller_reference: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PathsXml {
    quantity: usize,
    #[serde(default)]
    items: ItemsXml,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ItemsXml {
    #[serde(default)]
    path: Vec<String>,
}

impl ValidBatch {
    pub(crate) fn parse(body: &str, poison: fn(&str) -> bool) -> Result<Self, Refusal> {
        if body.is_empty() {
            let message = "This operation requires a body. Ensure that the body is present and the Content-Type header is set.";
            return Err(Refusal::new(400, "MissingBody", message));
        }
        let batch: InvalidationBatchXml = quick_xml::de::from_str(body).map_err(|error| {
            let message = "The XML you provided was not well-formed or did not validate.";
            Refusal::new(400, "MalformedXML", message).because(error.to_string())
        })?;
        let (caller_reference, items) = (batch.caller_reference, batch.paths.items.path);
        if batch.paths.quantity != items.len() {
            let message = "The value of Quantity and the size of Items don't match.";
            return Err(Refusal::new(400, "InconsistentQuantities", message));
        }
        if items.len() > MAX_ITEMS {
            let message = "Invalidation batch specified is too large.";
            return Err(Refusal::new(413, "BatchTooLarge", message));
        }
        if items.is_empty() {
            return Err(Refusal::invalid_path("the batch has no paths".to_owned()));
        }
        if caller_reference.is_empty() {
            // The message is a guess.
            return Err(Refusal::invalid_argument(
                "Your request contains an empty caller reference.",
            ));
        }
        for item in &items {
            let result = if poison(item) { Err("it is poison") } else { check_item(item) };
            result.map_err(|why| Refusal::invalid_path(format!("`{item}`: {why}")))?;
        }
        Ok(Self { caller_reference, items })
    }
}

/// Checks that CloudFront accepts an item.
///
/// - A path starts with `/`, has at most 4,000 characters, and percent-encodes
///   the characters that RFC 1738 calls unsafe. It may contain `*` anywhere.
/// - A tag is `#` and 1 to 256 printable ASCII characters except the comma.
///
/// *Guess*: all unsafe characters are refused. Reports name the space, `[`,
/// `]`, `~` and non-ASCII characters. *Guess*: `%` must be followed by two hex
/// digits. `%7E` is accepted, although it has no effect.
fn check_item(item: &str) -> Result<(), &'static str> {
    if let Some(tag) = item.strip_prefix('#') {
        return match tag.chars().count() {
            0 => Err("the tag is empty"),
            length if length > MAX_TAG => Err("the tag is longer than 256 characters"),
            _ if tag.chars().all(|c| matches!(c, '!'..='~') && c != ',') => Ok(()),
            _ => Err("the tag has a character other than printable ASCII without space and comma"),
        };
    }
    if !item.starts_with('/') {
        return Err("the path does not start with `/`");
    }
    if item.chars().count() > MAX_PATH {
        return Err("the path is longer than 4,000 characters");
    }
    if !item.chars().all(|c| matches!(c, '!'..='~') && !UNSAFE.contains(c)) {
        return Err("the path has a character that must be percent-encoded");
    }
    let is_encoded = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    if !item.split('%').skip(1).all(is_encoded) {
        return Err("the path has a `%` without two hex digits");
    }
    Ok(())
}
