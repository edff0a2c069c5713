//! The body of a CreateInvalidation: read, then judged.

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesRef, Event},
};

use super::refusal::Refusal;

/// The most items a request may have.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
const MAX_ITEMS: usize = 3_000;

/// The longest path, in characters.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>
const MAX_PATH: usize = 4_000;

/// The longest tag, in characters, without its `#`.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html>
const MAX_TAG: usize = 256;

/// What RFC 1738 calls unsafe, beside control characters, space, `%` and all
/// that is not ASCII.
/// <https://www.rfc-editor.org/rfc/rfc1738#section-2.2>
const UNSAFE: &str = "<>\"#{}|\\^~[]`";

/// A batch that CloudFront takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) caller_reference: String,
    pub(super) items: Vec<String>,
}

/// What the elements of the body say, each `None` when it is not there.
#[derive(Debug, Default)]
struct Raw {
    has_root: bool,
    has_paths: bool,
    quantity: Option<String>,
    items: Option<Vec<String>>,
    caller_reference: Option<String>,
}

impl Batch {
    /// Reads a body, or says what CloudFront answers.
    pub(super) fn read(body: &[u8], poison: fn(&str) -> bool) -> Result<Self, Refusal> {
        if body.is_empty() {
            let message = "This operation requires a body. Ensure that the body is present and the Content-Type header is set.";
            return Err(Refusal::new(400, "MissingBody", message));
        }
        let text = std::str::from_utf8(body)
            .map_err(|_| Refusal::malformed_input("The body is not UTF-8."))?;
        let raw = Raw::parse(text)?;
        raw.validate(poison)
    }
}

impl Raw {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let malformed = |error: &dyn std::fmt::Display| {
            Refusal::malformed_input(format!("The body is not well-formed XML: {error}"))
        };
        let mut raw = Self::default();
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        // The names of the open elements, and the text of the innermost.
        let mut open: Vec<String> = Vec::new();
        let mut content = String::new();
        loop {
            match reader.read_event().map_err(|error| malformed(&error))? {
                Event::Start(start) => {
                    open.push(start.local_name().into_inner().to_owned());
                    content.clear();
                    raw.enter(&open);
                }
                Event::End(_) => {
                    raw.leave(&open, &mut content)?;
                    open.pop();
                }
                Event::Text(text) => content.push_str(&text.xml10_content()),
                Event::CData(text) => content.push_str(&text.xml_content(XmlVersion::Implicit1_0)),
                Event::GeneralRef(reference) => match resolve(&reference) {
                    Some(text) => content.push_str(&text),
                    None => return Err(malformed(&format!("unknown entity `&{};`", &*reference))),
                },
                // An entity of its own could only do harm.
                Event::DocType(_) => return Err(malformed(&"a document type is not allowed")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
                Event::Eof if open.is_empty() => return Ok(raw),
                Event::Eof => return Err(malformed(&"the body ends within an element")),
            }
        }
    }

    fn enter(&mut self, open: &[String]) {
        match names(open).as_slice() {
            ["InvalidationBatch"] => self.has_root = true,
            ["InvalidationBatch", "Paths"] => self.has_paths = true,
            ["InvalidationBatch", "Paths", "Items"] => self.items = Some(Vec::new()),
            _ => {}
        }
    }

    fn leave(&mut self, open: &[String], content: &mut String) -> Result<(), Refusal> {
        match names(open).as_slice() {
            ["InvalidationBatch", "CallerReference"] => {
                self.caller_reference = Some(std::mem::take(content));
            }
            ["InvalidationBatch", "Paths", "Quantity"] => {
                self.quantity = Some(std::mem::take(content));
            }
            ["InvalidationBatch", "Paths", "Items", "Path"] => {
                self.items.get_or_insert_default().push(std::mem::take(content));
            }
            // https://github.com/aws/aws-sdk-ruby/issues/1954
            ["InvalidationBatch", "Paths", "Items"]
                if self.items.as_ref().is_some_and(Vec::is_empty) =>
            {
                return Err(Refusal::malformed_input("Unexpected list element termination"));
            }
            _ => {}
        }
        Ok(())
    }

    fn validate(self, poison: fn(&str) -> bool) -> Result<Batch, Refusal> {
        if !self.has_root {
            return Err(Refusal::missing_member("invalidationBatch"));
        }
        if !self.has_paths {
            return Err(Refusal::missing_member("invalidationBatch.paths"));
        }
        let quantity = self
            .quantity
            .ok_or_else(|| Refusal::missing_member("invalidationBatch.paths.quantity"))?;
        let quantity: i64 = quantity.trim().parse().map_err(|_| {
            Refusal::malformed_input(format!("The quantity `{quantity}` is not a number."))
        })?;
        let caller_reference = self
            .caller_reference
            .ok_or_else(|| Refusal::missing_member("invalidationBatch.callerReference"))?;
        let items = self.items.unwrap_or_default();
        if usize::try_from(quantity) != Ok(items.len()) {
            let message = "The value of Quantity and the size of Items don't match.";
            return Err(Refusal::new(400, "InconsistentQuantities", message)
                .because(format!("Quantity is {quantity}, Items has {}", items.len())));
        }
        if items.len() > MAX_ITEMS {
            let message = "Invalidation batch specified is too large.";
            return Err(Refusal::new(413, "BatchTooLarge", message)
                .because(format!("{} items, at most {MAX_ITEMS} are taken", items.len())));
        }
        if items.is_empty() {
            return Err(Refusal::invalid_path("the batch has no paths".to_owned()));
        }
        if caller_reference.is_empty() {
            // Guess: only that it is refused is sure.
            return Err(Refusal::invalid_argument(
                "Your request contains an empty caller reference.",
            ));
        }
        for item in &items {
            let verdict = if poison(item) { Err("it is poison") } else { check_item(item) };
            verdict.map_err(|why| Refusal::invalid_path(format!("`{item}`: {why}")))?;
        }
        Ok(Batch { caller_reference, items })
    }
}

fn names(open: &[String]) -> Vec<&str> {
    open.iter().map(String::as_str).collect()
}

/// The text of `&amp;` or `&#38;`.
fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character.to_string()),
        Ok(None) => resolve_xml_entity(reference).map(str::to_owned),
        Err(_) => None,
    }
}

/// Whether CloudFront takes an item.
///
/// - A path starts with `/`, has at most 4,000 characters, and none of those
///   RFC 1738 calls unsafe, unless encoded. A `*` may stand anywhere; where it
///   is not the last character it means itself.
/// - A tag is `#` and 1 to 256 printable ASCII characters but the comma.
///
/// Which unsafe characters are refused is known of some only (space, `[`,
/// `]`, `~`, non-ASCII); that it is all of them is a *guess*, and so is that a
/// `%` needs two hex digits. `%7E` is taken, though it has no effect.
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
        return Err("the path does not start with a slash");
    }
    if item.chars().count() > MAX_PATH {
        return Err("the path is longer than 4,000 characters");
    }
    if !item.chars().all(|c| matches!(c, '!'..='~') && !UNSAFE.contains(c)) {
        return Err("the path has a character that must be encoded");
    }
    let encoded = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    if !item.split('%').skip(1).all(encoded) {
        return Err("the path has a `%` without two hex digits");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
