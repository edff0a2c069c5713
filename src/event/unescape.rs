/// Writes the string that a JSON string literal stands for over `text`, whose
/// memory is used again. `None` when it is no literal of a Unicode string.
///
/// The bodies of a queue's messages are most of a payload; unescaping them into
/// one buffer spares an allocation for each.
pub(super) fn unescape(literal: &str, text: &mut String) -> Option<()> {
    text.clear();
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1)?;
        rest = &rest[at + 2..];
        text.push(match escape {
            b'"' | b'\\' | b'/' => escape.into(),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => unicode(&mut rest)?,
            _ => return None,
        });
    }
    text.push_str(rest);
    Some(())
}

/// The character of `XXXX`, or of a surrogate pair `XXXX\uXXXX`.
fn unicode(rest: &mut &str) -> Option<char> {
    let first = unit(rest)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    *rest = rest.strip_prefix("\\u")?;
    let second = unit(rest)?;
    char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]).next()?.ok()
}

fn unit(rest: &mut &str) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    *rest = after;
    digits.bytes().try_fold(0, |unit, digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
}
