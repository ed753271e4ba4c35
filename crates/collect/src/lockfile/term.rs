//! Terms of Elixir and Erlang, as far as lockfiles hold them: atoms, texts, numbers, lists, tuples and maps. Bounded in depth,
//! evaluates nothing.

use super::Malformed;
use crate::project::pin::Lines;

/// Terms within terms beyond this are refused.
const MOST_DEPTH: usize = 64;

/// A term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Term {
    /// `:hex`, `true`, `pkg`, or a number.
    Atom(String),
    /// `"text"` or `<<"text">>`.
    Text(String),
    /// `[..]`.
    List(Vec<Self>),
    /// `{..}`, and each `key: value` or `key => value`; with where it begins.
    Tuple(usize, Vec<Self>),
    /// `%{..}` or `#{..}`: a list of pairs.
    Map(Vec<Self>),
}

impl Term {
    /// The text of an atom or a text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Atom(text) | Self::Text(text) => Some(text),
            Self::List(_) | Self::Tuple(..) | Self::Map(_) => None,
        }
    }

    /// What it is made of; nothing for what is not made of terms.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) | Self::Tuple(_, items) | Self::Map(items) => items,
            Self::Atom(_) | Self::Text(_) => &[],
        }
    }

    /// The value of a pair, by its name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.items().iter().find_map(|pair| match pair.items() {
            [key, value] if key.text() == Some(name) => Some(value),
            _ => None,
        })
    }
}

/// Reads terms one after another: `,` and `.` between them are passed over.
pub(super) struct Terms<'t> {
    text: &'t str,
    at: usize,
    lines: Lines,
}

impl<'t> Terms<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, at: 0, lines: Lines::of(text) }
    }

    /// The next term of the file; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Term>, Malformed> {
        self.blank();
        while self.take(".") {
            self.blank();
        }
        if self.rest().is_empty() {
            return Ok(None);
        }
        Ok(Some(self.term(0)?))
    }

    /// What can't be understood, with its place.
    pub(super) fn unclear(&self, term: &Term, what: &'static str) -> Malformed {
        match term {
            Term::Tuple(at, _) => self.lines.malformed(*at, what),
            Term::Atom(_) | Term::Text(_) | Term::List(_) | Term::Map(_) => self.lines.malformed(0, what),
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// White space, commas and comments.
    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',').len();
            // `%{` is a map of Elixir, `#{` of Erlang; alone they begin comments of the other.
            let rest = self.rest();
            let comment = rest.starts_with(['#', '%']) && !rest.starts_with("%{") && !rest.starts_with("#{");
            if !comment {
                return;
            }
            self.at += memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        }
    }

    fn malformed(&self, what: &'static str) -> Malformed {
        self.lines.malformed(self.at, what)
    }

    fn term(&mut self, depth: usize) -> Result<Term, Malformed> {
        if depth > MOST_DEPTH {
            return Err(self.malformed("terms too deep within terms"));
        }
        if self.take("%{") || self.take("#{") {
            return Ok(Term::Map(self.until("}", depth)?));
        }
        if self.take("<<") {
            let mut parts = self.until(">>", depth)?;
            return match (parts.pop(), parts.is_empty()) {
                (Some(Term::Text(text)), true) => Ok(Term::Text(text)),
                (None, _) => Ok(Term::Text(String::new())),
                (Some(_), _) => Err(self.malformed("bytes that are no text")),
            };
        }
        if self.take("{") {
            let at = self.at - 1;
            return Ok(Term::Tuple(at, self.until("}", depth)?));
        }
        if self.take("[") {
            return Ok(Term::List(self.until("]", depth)?));
        }
        self.scalar()
    }

    fn scalar(&mut self) -> Result<Term, Malformed> {
        if self.take("\"") {
            return Ok(Term::Text(self.quoted('"')?));
        }
        if self.take("'") {
            return Ok(Term::Atom(self.quoted('\'')?));
        }
        if self.take(":") && self.take("\"") {
            return Ok(Term::Atom(self.quoted('"')?));
        }
        let rest = self.rest();
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '?' | '!' | '-' | '/' | '+');
        let decimal = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest.find(|c: char| !(word(c) || decimal && c == '.')).unwrap_or(rest.len());
        let (name, _) = rest.split_at_checked(end).unwrap_or_default();
        if name.is_empty() {
            return Err(self.malformed("not a term"));
        }
        self.at += name.len();
        Ok(Term::Atom(name.to_owned()))
    }

    /// Terms up to a closing sign; `key: value` and `key => value` become pairs.
    fn until(&mut self, close: &str, depth: usize) -> Result<Vec<Term>, Malformed> {
        let mut items = Vec::new();
        loop {
            self.blank();
            if self.take(close) {
                return Ok(items);
            }
            if self.rest().is_empty() {
                return Err(self.malformed("ends too early"));
            }
            let at = self.at;
            let first = self.term(depth + 1)?;
            let keyword = self.rest().starts_with(": ") || self.rest().starts_with(":\n");
            if keyword {
                self.at += 1;
            } else {
                self.blank();
            }
            if keyword || self.take("=>") {
                self.blank();
                let value = self.term(depth + 1)?;
                items.push(Term::Tuple(at, vec![first, value]));
            } else {
                items.push(first);
            }
        }
    }

    /// What stands before the closing quote, which is passed over. Escapes become what they escape.
    fn quoted(&mut self, quote: char) -> Result<String, Malformed> {
        let mut out = String::new();
        let mut signs = self.rest().char_indices();
        while let Some((at, sign)) = signs.next() {
            match sign {
                '\\' => out.extend(signs.next().map(|(_, escaped)| escaped)),
                sign if sign == quote => {
                    self.at += at + sign.len_utf8();
                    return Ok(out);
                }
                sign => out.push(sign),
            }
        }
        Err(self.malformed("a text that does not end"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<String, String> {
        let mut terms = Terms::of(text);
        let mut out = String::new();
        while let Some(term) = terms.next().map_err(|error| error.to_string())? {
            out.push_str(&format!("{} ", show(&term)));
        }
        Ok(out.trim_end().to_owned())
    }

    fn show(term: &Term) -> String {
        let list = |items: &[Term]| items.iter().map(show).collect::<Vec<_>>().join(" ");
        match term {
            Term::Atom(text) => text.clone(),
            Term::Text(text) => format!("{text:?}"),
            Term::List(items) => format!("[{}]", list(items)),
            Term::Tuple(_, items) => format!("({})", list(items)),
            Term::Map(items) => format!("%({})", list(items)),
        }
    }

    #[test]
    fn terms() {
        let check = |text: &str, expected: &str| assert_eq!(all(text).as_deref(), Ok(expected), "{text}");
        check("", "");
        check("{:a, \"b\\\"c\", [d: 1.5, \"e\": nil]}", "(a \"b\\\"c\" [(d 1.5) (\"e\" nil)])");
        check("%{\n  \"x\" => :\"y z\",\n}", "%((\"x\" y z))");
        check("{<<\"k\">>,{pkg,<<>>},0}.\n% why\n[].\n", "(\"k\" (pkg \"\") 0) []");
    }

    #[test]
    fn what_is_wrong() {
        let check =
            |text: &str, expected: &str| assert_eq!(all(text), Err(expected.to_owned()), "{text:.30}");
        check("{a,\n [b", "2:4: ends too early");
        check("{\"a", "1:3: a text that does not end");
        check("}", "1:1: not a term");
        check("<<1,2>>", "1:8: bytes that are no text");
        check(&"[".repeat(100_000), "1:66: terms too deep within terms");
    }
}
