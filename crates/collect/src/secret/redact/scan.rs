//! A look along bytes from left to right, which measures runs without looking at any byte again and again. Knows
//! nothing of secrets.

use memchr::memmem;

use super::MASK;

/// Bytes, and what was found out about them already. Questions about stops come in rising order.
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    /// From where a stop was looked for last, and where it is.
    stop: Option<(usize, usize)>,
    /// The last mark before an end: the end, and where the mark begins.
    last: Option<(usize, Option<usize>)>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, stop: None, last: None }
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The bytes between, as far as they are there.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.bytes.get(from..to.min(self.bytes.len())).unwrap_or_default()
    }

    /// Where a run ends. For runs that what starts a rule ends, too.
    pub(super) fn skip(&self, from: usize, holds: impl Fn(u8) -> bool) -> usize {
        from + run(self.slice(from, usize::MAX), holds)
    }

    /// Where the next stop is, or the end; one sort of stop only for each `Scan`, asked for from rising positions.
    pub(super) fn stop(&mut self, from: usize, stops: impl Fn(u8) -> bool) -> usize {
        if let Some((asked, at)) = self.stop
            && (asked..=at).contains(&from)
        {
            return at;
        }
        let at = self.skip(from, |b| !stops(b));
        self.stop = Some((from, at));
        at
    }

    /// The end of the last mark that lies between; one mark only for each `Scan`.
    pub(super) fn last(&mut self, mark: &[u8], from: usize, end: usize) -> Option<usize> {
        let begins = match self.last {
            Some((known, begins)) if known == end => begins,
            Some(_) | None => memmem::rfind(self.slice(from, end), mark).map(|at| from + at),
        };
        self.last = Some((end, begins));
        begins.filter(|begins| *begins >= from).map(|begins| begins + mark.len())
    }

    /// Whether `http` or `https` and then `mark` stand before a position.
    pub(super) fn follows_scheme(&self, at: usize, mark: &[u8]) -> bool {
        let before = |text: &[u8], at: usize| {
            let from = at.checked_sub(text.len())?;
            self.slice(from, at).eq_ignore_ascii_case(text).then_some(from)
        };
        let Some(end) = before(mark, at) else { return false };
        before(b"http", before(b"s", end).unwrap_or(end)).is_some()
    }

    /// Replaces, behind each `start` (of either case), what `rule` finds from there by `mask`.
    pub(super) fn replaced(
        mut self,
        start: &[u8],
        rule: impl Fn(&mut Self, usize) -> Option<usize>,
        mask: &[u8],
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len());
        let (mut done, mut at) = (0, 0);
        let first = start.first().copied().unwrap_or_default();
        while let Some(found) = memchr::memchr(first, self.slice(at, usize::MAX)) {
            let behind = at + found + start.len();
            at += found + 1;
            if !self.slice(at - 1, behind).eq_ignore_ascii_case(start) {
                continue;
            }
            if let Some(end) = rule(&mut self, behind) {
                out.extend_from_slice(self.slice(done, behind));
                out.extend_from_slice(mask);
                done = end;
                at = end;
            }
        }
        out.extend_from_slice(self.slice(done, usize::MAX));
        out
    }

    /// Replaces a prefix at the start of a word, and what `rule` finds behind it, by the mask.
    pub(super) fn replaced_words(
        mut self,
        prefix: &[u8],
        mut rule: impl FnMut(&mut Self, usize) -> Option<usize>,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len());
        let (mut done, mut at) = (0, 0);
        while let Some(found) = memmem::find(self.slice(at, usize::MAX), prefix) {
            let start = at + found;
            at = start + 1;
            let before = start.checked_sub(1).and_then(|i| self.byte(i));
            if before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
                continue;
            }
            if let Some(end) = rule(&mut self, start + prefix.len()) {
                out.extend_from_slice(self.slice(done, start));
                out.extend_from_slice(MASK);
                done = end;
                at = end;
            }
        }
        out.extend_from_slice(self.slice(done, usize::MAX));
        out
    }
}

pub(super) fn is_quote_or_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r' | b'"' | b'\'' | b'<' | b'>' | b'`')
}

/// How many bytes at the beginning hold.
pub(super) fn run(bytes: &[u8], holds: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|b| holds(**b)).count()
}
