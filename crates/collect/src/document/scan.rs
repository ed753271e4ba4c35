//! Tokens of JSON text (RFC 8259): finds where each one ends and holds it to the grammar. Builds nothing,
//! allocates nothing, and knows no structure but the separators.

use std::borrow::Cow;

use super::digest::Sort;
use super::error::{Expected, Fault, Problem};

/// A leaf's token: the bytes of a string between its quotes, or of a number, checked; and what it is. One word, so
/// that it travels in registers. Stands for a container too, whose bytes are of no interest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token(u64);

/// How a string is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Its bytes are its text.
    Plain = 0,
    /// It holds escapes.
    Escaped = 1,
}

/// The longest token, in bytes: 27 bits of the word.
const TOKEN_LIMIT: usize = (1 << 27) - 1;

impl Token {
    /// A token of a text that is no longer than [`super::LENGTH_LIMIT`], itself no longer than [`TOKEN_LIMIT`].
    #[inline]
    const fn new(sort: Sort, start: usize, end: usize, spelling: Spelling) -> Self {
        Self((start as u64) << 32 | ((end - start) as u64) << 5 | (spelling as u64) << 4 | sort as u64)
    }

    /// What has no bytes of interest.
    pub(super) const fn of(sort: Sort) -> Self {
        Self::new(sort, 0, 0, Spelling::Plain)
    }

    #[inline]
    pub(super) const fn sort_bits(self) -> u64 {
        self.0 & 0xF
    }

    #[inline]
    pub(super) const fn is(self, sort: Sort) -> bool {
        self.sort_bits() == sort as u64
    }

    #[inline]
    pub(super) const fn is_container(self) -> bool {
        self.is(Sort::Object) || self.is(Sort::Ordered) || self.is(Sort::Keyed)
    }

    #[inline]
    pub(super) const fn is_plain(self) -> bool {
        self.0 >> 4 & 1 == Spelling::Plain as u64
    }

    #[inline]
    pub(super) const fn start(self) -> usize {
        (self.0 >> 32) as usize
    }

    #[inline]
    pub(super) const fn end(self) -> usize {
        self.start() + (self.0 >> 5) as usize % (TOKEN_LIMIT + 1)
    }

    /// The bytes as they are written.
    #[inline]
    pub(super) fn raw(self, text: &[u8]) -> &[u8] {
        text.get(self.start()..self.end()).unwrap_or_default()
    }
}

/// Walks over JSON text, which must be UTF-8.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a [u8], at: usize) -> Self {
        Self { text, at }
    }

    pub(super) const fn text(&self) -> &'a [u8] {
        self.text
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Skips white space; the byte that follows is not consumed. `None` at the end.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
            while load(self.text, self.at) == Some(SPACES) {
                self.at += 8;
            }
        }
    }

    /// As [`Self::peek`], where the end is an error.
    #[inline]
    pub(super) fn peek_some(&mut self) -> Result<u8, Fault> {
        self.peek().ok_or_else(|| self.fault(Problem::Truncated))
    }

    /// Between two values of a stream: `01` and `truefalse` are no two values.
    pub(super) fn end_of_value(&self) -> Result<(), Fault> {
        let ends_bare =
            self.at.checked_sub(1).and_then(|at| self.text.get(at)).is_some_and(u8::is_ascii_alphanumeric);
        match self.text.get(self.at) {
            Some(next) if ends_bare && !matches!(next, b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'[' | b'{') => {
                Err(self.fault(Problem::Expected(Expected::Value)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Steps over the byte that was peeked at.
    #[inline]
    pub(super) const fn step(&mut self) {
        self.at += 1;
    }

    /// Consumes `byte` after white space, or says what was expected.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8, what: Expected) -> Result<(), Fault> {
        if self.peek_some()? == byte {
            self.step();
            return Ok(());
        }
        Err(self.fault(Problem::Expected(what)))
    }

    #[cold]
    pub(super) fn fault(&self, problem: Problem) -> Fault {
        Fault::at(self.at, problem)
    }

    /// A string, from its opening quote.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Token, Fault> {
        self.expect(b'"', Expected::Name)?;
        let start = self.at;
        let mut spelling = Spelling::Plain;
        loop {
            self.skip_plain();
            match self.text.get(self.at) {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return self.token(Sort::Text, start, end, spelling);
                }
                Some(b'\\') => {
                    spelling = Spelling::Escaped;
                    self.escape()?;
                }
                Some(_) => return Err(self.fault(Problem::ControlCharacter)),
                None => return Err(self.fault(Problem::Truncated)),
            }
        }
    }

    #[inline]
    fn token(&self, sort: Sort, start: usize, end: usize, spelling: Spelling) -> Result<Token, Fault> {
        if end - start > TOKEN_LIMIT {
            return Err(Fault::at(start, Problem::LongText));
        }
        Ok(Token::new(sort, start, end, spelling))
    }

    /// Steps to the next quote, backslash or control character, eight bytes at a time.
    #[inline]
    fn skip_plain(&mut self) {
        while let Some(word) = load(self.text, self.at) {
            let stop = stops(word);
            if stop != 0 {
                self.at += (stop.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while self.text.get(self.at).is_some_and(|b| *b >= b' ' && !matches!(b, b'"' | b'\\')) {
            self.at += 1;
        }
    }

    /// Checks and steps over one escape, both halves of a surrogate pair together.
    fn escape(&mut self) -> Result<(), Fault> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let unit = self.unit()?;
                let pair = match unit {
                    0xD800..=0xDBFF => self.text.get(self.at + 6..self.at + 8) == Some(b"\\u"),
                    0xDC00..=0xDFFF => return Err(self.fault(Problem::LoneSurrogate)),
                    _ => {
                        self.at += 6;
                        return Ok(());
                    }
                };
                let high = self.at;
                self.at += 6;
                let rest = self.text.get(self.at..).unwrap_or_default();
                if rest.len() < 2 && b"\\u".starts_with(rest) {
                    return Err(Fault::at(self.text.len(), Problem::Truncated));
                }
                if !pair || !(0xDC00..=0xDFFF).contains(&self.unit()?) {
                    return Err(Fault::at(high, Problem::LoneSurrogate));
                }
                self.at += 6;
            }
            Some(_) => return Err(self.fault(Problem::BadEscape)),
            None => return Err(self.fault(Problem::Truncated)),
        }
        Ok(())
    }

    /// The four hex digits of the `\u` escape that begins here.
    fn unit(&self) -> Result<u32, Fault> {
        let digits = self.text.get(self.at + 2..self.at + 6).ok_or(self.fault(Problem::Truncated))?;
        hex(digits).ok_or(self.fault(Problem::BadEscape))
    }

    /// A number, as its span.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.text.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.token(Sort::Number, start, self.at, Spelling::Plain)
    }

    /// One digit or more.
    #[inline]
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        match self.at == start {
            false => Ok(()),
            true if self.at >= self.text.len() => Err(self.fault(Problem::Truncated)),
            true => Err(self.fault(Problem::Expected(Expected::Value))),
        }
    }

    /// `null`, `true` or `false`.
    #[inline]
    pub(super) fn literal(&mut self) -> Result<Token, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, sort) in [(&b"null"[..], Sort::Null), (b"false", Sort::False), (b"true", Sort::True)] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(Token::of(sort));
            }
            if !rest.is_empty() && word.starts_with(rest) {
                return Err(Fault::at(self.text.len(), Problem::Truncated));
            }
        }
        Err(self.fault(Problem::Expected(Expected::Value)))
    }
}

/// The characters of a string token.
pub(super) fn resolve(text: &[u8], token: Token) -> Cow<'_, str> {
    let raw = token.raw(text);
    // The whole document was checked to be UTF-8, so nothing is lost.
    if token.is_plain() { String::from_utf8_lossy(raw) } else { Cow::Owned(unescape(raw)) }
}

/// Resolves the escapes of a string that a [`Scanner`] accepted.
fn unescape(raw: &[u8]) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (character, used) = unescape_one(escape);
        let mut bytes = [0; 4];
        out.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        rest = escape.get(used..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    String::from_utf8_lossy(&out).into_owned()
}

/// The character of the escape at the start, and how many bytes it took.
fn unescape_one(escape: &[u8]) -> (char, usize) {
    let simple = match escape.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let unit = |at: usize| escape.get(at + 2..at + 6).and_then(hex).unwrap_or(0xFFFD);
            let high = unit(0);
            if !(0xD800..=0xDBFF).contains(&high) {
                return (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 6);
            }
            let code = 0x1_0000 + ((high - 0xD800) << 10) + (unit(6) & 0x3FF);
            return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
        }
        Some(other) => char::from(*other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (simple, 2)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES * 0x80;
const SPACES: u64 = ONES * 0x20;

/// Eight bytes as a little-endian word, if there are as many.
#[inline]
pub(super) fn load(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// The high bit of each byte that is a quote, a backslash or below space. Exact up to and including the lowest one
/// that is set, as borrows only travel upward.
#[inline]
const fn stops(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let zero = (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash);
    (zero | (word.wrapping_sub(SPACES) & !word)) & HIGHS
}
