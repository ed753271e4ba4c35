//! Attribute paths: where in a resource a value stands. Knows nothing of what paths mean.
//!
//! `spec.containers[app].ports["80"].name` is four kinds of segment: a field (`.name`), a field that needs
//! quotes (`."kubernetes.io/x"`), a list item by its natural key (`[app]`, quoted `["80"]` where the
//! bare text would read as an index) and a list item by position (`[0]`).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The path of an attribute within its resource, as text. Ordered byte by byte. Copies share one text, as thousands
/// of resources have the same paths.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributePath(Arc<str>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment<'a> {
    /// A field of an object.
    Field(Cow<'a, str>),
    /// A list item, addressed by its natural key.
    Item(Cow<'a, str>),
    /// A list item, addressed by its position, from 0.
    Index(usize),
}

impl AttributePath {
    /// A path as written by a person or a snapshot file. Any text is accepted: a path that was
    /// not built here still names itself.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The whole path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The steps of this path, first to last. A text that is not well formed yields what can be
    /// read of it; nothing panics.
    #[must_use]
    pub fn segments(&self) -> Vec<Segment<'_>> {
        split(&self.0)
    }
}

impl fmt::Debug for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttributePath({})", self.0)
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for AttributePath {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Splits path text into its segments; shared with selectors, whose patterns have the same shape.
pub(crate) fn split(text: &str) -> Vec<Segment<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (segment, left) = next_segment(rest);
        out.push(segment);
        rest = left;
    }
    out
}

fn next_segment(text: &str) -> (Segment<'_>, &str) {
    if let Some(inner) = text.strip_prefix('[') {
        if let Some(quoted) = inner.strip_prefix('"') {
            let (name, rest) = unquote(quoted);
            return (Segment::Item(name), after_dot(rest.strip_prefix(']').unwrap_or(rest)));
        }
        let (name, rest) = inner.split_once(']').unwrap_or((inner, ""));
        let segment = match name.parse() {
            Ok(index) => Segment::Index(index),
            Err(_) => Segment::Item(name.into()),
        };
        return (segment, after_dot(rest));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let (name, rest) = unquote(quoted);
        return (Segment::Field(name), after_dot(rest));
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (Segment::Field(name.into()), after_dot(rest))
}

fn after_dot(rest: &str) -> &str {
    rest.strip_prefix('.').unwrap_or(rest)
}

/// Reads up to the closing quote; `\"` and `\\` stand for themselves.
fn unquote(text: &str) -> (Cow<'_, str>, &str) {
    let mut owned = String::new();
    let mut rest = text;
    loop {
        let Some(at) = rest.find(['"', '\\']) else {
            owned.push_str(rest);
            return (owned.into(), "");
        };
        let (before, found) = rest.split_at(at);
        owned.push_str(before);
        let mut chars = found.chars();
        if chars.next() == Some('"') {
            return (owned.into(), chars.as_str());
        }
        if let Some(escaped) = chars.next() {
            owned.push(escaped);
        }
        rest = chars.as_str();
    }
}

/// Builds path text step by step, and steps back: one buffer serves a whole walk over a document.
#[derive(Debug, Clone, Default)]
pub struct PathBuilder {
    text: String,
}

impl PathBuilder {
    /// An empty path.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The length to hand to [`Self::truncate`] to come back to this place.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.text.len()
    }

    /// Steps back to a place that [`Self::mark`] gave.
    pub fn truncate(&mut self, mark: usize) {
        self.text.truncate(mark);
    }

    /// Steps into a field of an object.
    pub fn field(&mut self, name: &str) -> &mut Self {
        if !self.text.is_empty() {
            self.text.push('.');
        }
        if is_bare_field(name) {
            self.text.push_str(name);
        } else {
            self.push_quoted(name);
        }
        self
    }

    /// Steps into a list item by its natural key.
    pub fn item(&mut self, key: &str) -> &mut Self {
        self.text.push('[');
        if is_bare_item(key) {
            self.text.push_str(key);
        } else {
            self.push_quoted(key);
        }
        self.text.push(']');
        self
    }

    /// Steps into a list item by its position, from 0.
    pub fn index(&mut self, index: usize) -> &mut Self {
        self.text.push('[');
        self.text.push_str(&index.to_string());
        self.text.push(']');
        self
    }

    /// The path as it stands.
    #[must_use]
    pub fn path(&self) -> AttributePath {
        AttributePath(self.text.as_str().into())
    }

    fn push_quoted(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                self.text.push('\\');
            }
            self.text.push(c);
        }
        self.text.push('"');
    }
}

fn is_bare_field(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| matches!(c, '.' | '[' | ']' | '"' | '\\' | '#'))
}

fn is_bare_item(key: &str) -> bool {
    !key.is_empty()
        && key.parse::<usize>().is_err()
        && !key.chars().any(|c| matches!(c, '[' | ']' | '"' | '\\' | '#'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_people_write() {
        let path = AttributePath::new(r#"spec.containers[app].ports["80"]."a.b/c"[0]"#);
        let expected = [
            Segment::Field("spec".into()),
            Segment::Field("containers".into()),
            Segment::Item("app".into()),
            Segment::Field("ports".into()),
            Segment::Item("80".into()),
            Segment::Field("a.b/c".into()),
            Segment::Index(0),
        ];
        assert_eq!(path.segments(), expected);
    }

    proptest! {
        #[test]
        fn build_then_split_is_identity(steps in prop::collection::vec((0..3u8, ".*", 0..9usize), 0..6)) {
            let mut builder = PathBuilder::new();
            let mut expected = Vec::new();
            for (at, (sort, text, index)) in steps.iter().enumerate() {
                // A path starts with a field, as resources are objects.
                if *sort == 0 || at == 0 {
                    builder.field(text);
                    expected.push(Segment::Field(text.into()));
                } else if *sort == 1 {
                    builder.item(text);
                    expected.push(Segment::Item(text.into()));
                } else {
                    builder.index(*index);
                    expected.push(Segment::Index(*index));
                }
            }
            let path = builder.path();
            prop_assert_eq!(path.segments(), expected);
        }

        #[test]
        fn any_text_splits(text in ".*") {
            prop_assert!(AttributePath::new(&text).segments().len() <= text.len());
        }
    }
}
