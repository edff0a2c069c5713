use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// An RFC 3339 time in milliseconds since the Unix epoch. Whole milliseconds,
/// rounded down; `None` when it is no such time.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let nanoseconds = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
    i64::try_from(nanoseconds.div_euclid(1_000_000)).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn milliseconds() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.123Z", Some(123)),
            ("1969-12-31T23:59:59.9999Z", Some(-1)),
            ("2026-10-01T08:30:00.5Z", Some(1_790_843_400_500)),
            ("2026-10-01T10:30:00.5+02:00", Some(1_790_843_400_500)),
            ("2026-10-01 ten o'clock", None),
            ("1790843400", None),
            ("", None),
        ] {
            assert_eq!(super::milliseconds(text), expected, "{text}");
        }
    }
}
