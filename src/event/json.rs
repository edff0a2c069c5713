//! A cursor over a JSON text, for reading a few members of large documents.
//!
//! A queue's payload has up to 6 MB, of which a tenth matters. Building a tree
//! of it, or even typed structures of its parts, takes several times as long as
//! walking over it once; this walks. It accepts exactly the texts that are JSON
//! (RFC 8259) with at most [`MAX_DEPTH`] levels, as `serde_json` does, which the
//! tests take as their oracle.
//!
//! - Nothing is an error but a text that is no JSON. A member of another type
//!   than was asked for is skipped; of two members of one name, the last counts.
//! - Strings are borrowed unless they hold escapes.
//! - A string that is not Unicode (a lone surrogate) is like no string.

use std::borrow::Cow;

/// How many arrays and objects may be inside each other. The cursor recurses,
/// and no real payload has more than ten.
const MAX_DEPTH: usize = 128;

/// A place in a JSON text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}")]
pub(super) struct Malformed {
    expected: &'static str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor before the first value of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// Reads an object, giving each member's name and the cursor before its
    /// value, which `member` must read or skip. `false` for a value of another
    /// type, which is skipped.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&str, &mut Self) -> Result<(), Malformed>,
    ) -> Result<bool, Malformed> {
        if self.peek() != Some(b'{') {
            self.skip()?;
            return Ok(false);
        }
        self.enter()?;
        if self.peek() == Some(b'}') {
            return self.leave();
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a member's name"));
            }
            let name = self.string()?;
            if self.peek() != Some(b':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            match name.decode() {
                Some(name) => member(&name, self)?,
                None => self.skip().map(drop)?,
            }
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => return self.leave(),
                _ => return Err(self.expected("`,` or `}`")),
            }
        }
    }

    /// Reads an array, with the cursor before each element, which `element`
    /// must read or skip. `false` for a value of another type, which is skipped.
    pub(super) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<bool, Malformed> {
        if self.peek() != Some(b'[') {
            self.skip()?;
            return Ok(false);
        }
        self.enter()?;
        if self.peek() == Some(b']') {
            return self.leave();
        }
        loop {
            element(self)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => return self.leave(),
                _ => return Err(self.expected("`,` or `]`")),
            }
        }
    }

    /// Reads a string that is not empty; `None` for all else, which is skipped.
    pub(super) fn text(&mut self) -> Result<Option<Cow<'a, str>>, Malformed> {
        if self.peek() != Some(b'"') {
            self.skip()?;
            return Ok(None);
        }
        let text = self.string()?.decode();
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// Reads a string over `text`, whose memory is used again. `false` for all
    /// else, which is skipped.
    pub(super) fn text_into(&mut self, text: &mut String) -> Result<bool, Malformed> {
        text.clear();
        if self.peek() != Some(b'"') {
            self.skip()?;
            return Ok(false);
        }
        self.at += 1;
        let mut start = self.at;
        let mut is_unicode = true;
        loop {
            self.at = plain_end(self.text.as_bytes(), self.at);
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => text.push_str(&self.text[start..self.at]),
                _ => return Err(self.expected("the end of a string")),
            }
            // Most escapes are one character that stands for itself: it begins
            // the next run.
            if let Some(b'"' | b'\\' | b'/') = self.text.as_bytes().get(self.at + 1) {
                start = self.at + 1;
                self.at += 2;
            } else {
                match self.escape()? {
                    Some(c) => text.push(c),
                    None => is_unicode = false,
                }
                start = self.at;
            }
        }
        text.push_str(&self.text[start..self.at]);
        self.at += 1;
        Ok(is_unicode)
    }

    /// Skips a value of any type and returns its text.
    pub(super) fn skip(&mut self) -> Result<&'a str, Malformed> {
        let start = self.place();
        match self.byte() {
            Some(b'"') => self.string().map(drop)?,
            Some(b'{') => self.object(|_, cursor| cursor.skip().map(drop)).map(drop)?,
            Some(b'[') => self.array(|cursor| cursor.skip().map(drop)).map(drop)?,
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            _ => self.number()?,
        }
        Ok(self.since(start))
    }

    /// Checks that only white space is left.
    pub(super) fn end(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            Some(_) => Err(self.expected("nothing more")),
            None => Ok(()),
        }
    }

    /// Whether an array comes next.
    pub(super) fn is_array(&mut self) -> bool {
        self.peek() == Some(b'[')
    }

    /// Whether an object comes next.
    pub(super) fn is_object(&mut self) -> bool {
        self.peek() == Some(b'{')
    }

    /// The place the cursor is at.
    pub(super) fn place(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// The text from an earlier place to here.
    pub(super) fn since(&self, place: usize) -> &'a str {
        &self.text[place..self.at]
    }

    /// The next byte that is not white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte,
            }
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn enter(&mut self) -> Result<(), Malformed> {
        if self.depth == MAX_DEPTH {
            return Err(self.expected("less nesting"));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last word of an object or an array")]
    fn leave(&mut self) -> Result<bool, Malformed> {
        self.depth -= 1;
        self.at += 1;
        Ok(true)
    }

    /// Reads the string whose opening quote is next.
    #[inline]
    fn string(&mut self) -> Result<Literal<'a>, Malformed> {
        let start = self.at + 1;
        let mut escaped = false;
        self.at = start;
        loop {
            self.at = plain_end(self.text.as_bytes(), self.at);
            match self.byte() {
                Some(b'"') => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Literal { raw, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.expected("the end of a string")),
            }
        }
    }

    /// Reads the escape whose backslash is next. `None` for a surrogate that has
    /// no other half.
    #[inline]
    fn escape(&mut self) -> Result<Option<char>, Malformed> {
        let c = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.expected("an escape")),
        };
        self.at += 2;
        Ok(Some(c))
    }

    /// Reads `\uXXXX`, and the second half of a surrogate pair with it.
    fn unicode(&mut self) -> Result<Option<char>, Malformed> {
        let first = self.unit().ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.at += 6;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first.into()));
        }
        let Some(second @ 0xdc00..0xe000) = self.unit() else { return Ok(None) };
        self.at += 6;
        Ok(char::decode_utf16([first, second]).next().and_then(Result::ok))
    }

    /// The UTF-16 unit of the `\uXXXX` that is next.
    fn unit(&self) -> Option<u16> {
        let digits = self.text.as_bytes().get(self.at..self.at + 6)?.strip_prefix(b"\\u")?;
        digits
            .iter()
            .try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
            .and_then(|unit| u16::try_from(unit).ok())
    }

    fn word(&mut self, word: &'static str) -> Result<(), Malformed> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        self.take(b"-");
        if !self.take(b"0") && self.digits() == 0 {
            return Err(Malformed { expected: "a value", at: start });
        }
        if self.take(b".") && self.digits() == 0 {
            return Err(self.expected("a digit"));
        }
        if self.take(b"eE") {
            self.take(b"+-");
            if self.digits() == 0 {
                return Err(self.expected("a digit"));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn take(&mut self, any: &[u8]) -> bool {
        let taken = self.text.as_bytes().get(self.at).is_some_and(|byte| any.contains(byte));
        self.at += usize::from(taken);
        taken
    }

    fn expected(&self, expected: &'static str) -> Malformed {
        Malformed { expected, at: self.at }
    }
}

/// Where the run of string characters from `at` ends: at a quote, a backslash,
/// a control character or the end of the text.
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // Eight bytes at once. The first byte that is zero gets its high bit set,
    // and none before it; those after it do not matter.
    // <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>
    fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word
    }
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*eight);
        let quotes = zeros(word ^ (ONES * u64::from(b'"')));
        let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let ends = (quotes | backslashes | controls) & (ONES << 7);
        if ends != 0 {
            return at + (ends.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

/// A string as the text spells it, without its quotes.
#[derive(Clone, Copy)]
struct Literal<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Literal<'a> {
    /// The string, if it is one of Unicode.
    #[inline]
    fn decode(self) -> Option<Cow<'a, str>> {
        if self.escaped { self.unescape().map(Cow::Owned) } else { Some(Cow::Borrowed(self.raw)) }
    }

    fn unescape(self) -> Option<String> {
        let mut text = String::with_capacity(self.raw.len());
        let mut cursor = Cursor::new(self.raw);
        while let Some(length) = self.raw[cursor.at..].find('\\') {
            text.push_str(&self.raw[cursor.at..cursor.at + length]);
            cursor.at += length;
            text.push(cursor.escape().ok()??);
        }
        text.push_str(&self.raw[cursor.at..]);
        Some(text)
    }
}

#[cfg(test)]
mod tests;
