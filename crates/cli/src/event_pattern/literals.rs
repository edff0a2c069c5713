//! The literal text that a regex requires at the start or end of a key.

use regex_syntax::hir::{
    Look,
    literal::{ExtractKind, Extractor, Literal},
};

/// The most literals that are extracted from one pattern.
const MAX_LITERALS: usize = 32;

/// Literals of which every matching key starts with one. `None` if the pattern
/// is not anchored at the start, or does not start with literals.
pub fn prefixes(pattern: &str) -> Option<Vec<String>> {
    extract(pattern, Look::Start, ExtractKind::Prefix)
}

/// The same for the end of a key.
pub fn suffixes(pattern: &str) -> Option<Vec<String>> {
    extract(pattern, Look::End, ExtractKind::Suffix)
}

fn extract(pattern: &str, anchor: Look, kind: ExtractKind) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let anchors = match anchor {
        Look::Start => hir.properties().look_set_prefix(),
        _ => hir.properties().look_set_suffix(),
    };
    if !anchors.contains(anchor) {
        return None;
    }
    let sequence = Extractor::new().kind(kind).limit_total(MAX_LITERALS).extract(&hir);
    // A literal may be cut within a character, which leaves no text.
    let text = |literal: &Literal| String::from_utf8(literal.as_bytes().to_vec()).ok();
    let literals = sequence.literals()?.iter().map(text).collect::<Option<Vec<_>>>()?;
    (!literals.iter().any(String::is_empty)).then_some(literals)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use s3_cloudfront_invalidator::rules::RuleRegex;

    use super::*;

    #[test]
    fn anchored_literals() {
        for (pattern, starts, ends) in [
            ("^public/", Some(&["public/"][..]), None),
            (r"\.html$", None, Some(&[".html"][..])),
            (r"^a/.*\.(js|css)$", Some(&["a/"]), Some(&[".js", ".css"])),
            ("^(?:a|b)c", Some(&["ac", "bc"]), None),
            ("^a|b", None, None),
            ("(?m)^a$", None, None),
            ("public/", None, None),
            ("^.a", None, None),
            ("^", None, None),
            ("^[a-z]+$", None, None),
        ] {
            let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(prefixes(pattern), starts.map(owned), "{pattern}");
            assert_eq!(suffixes(pattern), ends.map(owned), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn matching_keys_have_the_literals(
            pattern in r"\^?([ab]|é|\[ab\]|a\?|b\+|\(a\|é\)|\(\?:ab\|b\)\{2\}|\.\*){0,5}\$?",
            key in "[ab/é]{0,6}",
        ) {
            let regex = RuleRegex::new(&pattern).expect("a pattern");
            if regex.is_match(&key) {
                let starts = |all: Vec<String>| all.iter().any(|one| key.starts_with(&**one));
                prop_assert!(prefixes(&pattern).is_none_or(starts));
                let ends = |all: Vec<String>| all.iter().any(|one| key.ends_with(&**one));
                prop_assert!(suffixes(&pattern).is_none_or(ends));
            }
        }
    }
}
