//! "did you mean …": the known word that an unknown one resembles.

/// The known word nearest to `word`, if one is near enough to be a slip of the
/// keyboard or of memory.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Distances grow with the product of the lengths, and no name is this long.
    if word.len() > 100 {
        return None;
    }
    let allowed = 1 + word.chars().count() / 4;
    known
        .into_iter()
        .filter(|known| known.len() <= 100)
        .map(|known| (distance(word, known), known))
        .filter(|(distance, known)| *distance <= allowed && *distance < known.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many slips lie between two words. Letter case, and the choice between
/// `-`, `_` and nothing, count as none.
fn distance(one: &str, other: &str) -> usize {
    let plain = |word: &str| word.replace(['-', '_', ' '], "").to_lowercase();
    strsim::osa_distance(&plain(one), &plain(other))
}

/// The help that names the nearest known word, or else all of them.
pub(super) fn help(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("known: {}", quote_list(known)),
    }
}

/// "`a`, `b` and `c`"; of many words, the first.
pub(super) fn quote_list(words: &[&str]) -> String {
    const SHOWN: usize = 20;
    let mut quoted: Vec<String> =
        words.iter().take(SHOWN).map(|word| format!("`{word}`")).collect();
    if words.len() > SHOWN {
        quoted.push(format!("{} more", words.len() - SHOWN));
    }
    match quoted.pop() {
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} and {last}", quoted.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        const KNOWN: [&str; 5] = ["prefix", "suffix", "index_documents", "events", "max_size"];
        for (word, expected) in [
            ("prefx", Some("prefix")),
            ("Prefix", Some("prefix")),
            ("prefixes", Some("prefix")),
            ("indexDocuments", Some("index_documents")),
            ("index-document", Some("index_documents")),
            ("event", Some("events")),
            ("maxsize", Some("max_size")),
            ("bucket", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, KNOWN), expected, "{word}");
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(quote_list(&[]), "");
        assert_eq!(quote_list(&["a"]), "`a`");
        assert_eq!(quote_list(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert!(quote_list(&["a"; 30]).ends_with("`a` and 10 more"));
    }
}
