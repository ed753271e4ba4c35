//! Selectors: globs over keys and attribute paths, `k8s/**/Deployment/*/checkout#spec.**.resources.**`.
//!
//! `*` stands for any run of characters within a segment, `**` as a whole segment for any number of
//! segments. Without `#`, a resource and all its attributes are selected. There is no
//! negation: later rules override earlier ones.

use std::fmt;

use thiserror::Error;

use crate::path::{Segment, split};
use crate::{AttributePath, Key};

/// A parsed selector.
#[derive(Clone, PartialEq, Eq)]
pub struct Selector {
    text: Box<str>,
    key: Vec<Pattern>,
    attribute: Option<Vec<Pattern>>,
}

/// Why a text is not a selector.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectorError {
    /// Nothing is selected by an empty text.
    #[error("an empty selector selects nothing (write `**` for everything)")]
    Empty,
    /// `a//b` can match no key.
    #[error("selector `{0}` has an empty segment, which no key has")]
    EmptySegment(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Pattern {
    /// `**`
    AnySegments,
    /// A segment, literally.
    Literal(Box<str>),
    /// A segment with `*` in it: what stands between the stars.
    Glob(Vec<Box<str>>),
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// [`SelectorError`] where the text can select nothing.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let (key, attribute) = match text.split_once('#') {
            Some((key, attribute)) => (key, Some(attribute)),
            None => (text, None),
        };
        if key.is_empty() {
            return Err(SelectorError::Empty);
        }
        if key.split('/').any(str::is_empty) {
            return Err(SelectorError::EmptySegment(text.to_owned()));
        }
        Ok(Self {
            text: text.into(),
            key: key.split('/').map(pattern).collect(),
            attribute: attribute.map(|a| split(a).iter().map(|s| pattern(&segment_text(s))).collect()),
        })
    }

    /// Whether this selects the attribute of that resource, or (with `None`) the resource as a whole.
    /// A selector that names attributes selects no whole resource, but for one: `#**`.
    #[must_use]
    pub fn selects(&self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        if !self.selects_key(key) {
            return false;
        }
        match (&self.attribute, attribute) {
            (None, _) => true,
            (Some(patterns), None) => patterns.iter().all(|p| *p == Pattern::AnySegments),
            (Some(patterns), Some(path)) => {
                let segments: Vec<String> = path.segments().iter().map(segment_text).collect();
                let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
                matches(patterns, &segments)
            }
        }
    }

    /// Whether this speaks of that resource, or of any part of it.
    #[must_use]
    pub fn selects_key(&self, key: &Key) -> bool {
        let segments: Vec<&str> = key.segments().collect();
        matches(&self.key, &segments)
    }

    /// Whether some key could be selected by both: used to tell whether a gap lies where a boundary speaks.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        overlap(&self.key, &other.key)
    }

    /// Whether one attribute, or one whole resource, could be selected by both.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.overlaps(other)
            && match (&self.attribute, &other.attribute) {
                (Some(a), Some(b)) => overlap(a, b),
                (None, _) | (_, None) => true,
            }
    }

    /// Whether this selects all that the other does. Where two globs make that hard to tell, the answer is no.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        covers(&self.key, &other.key)
            && match (&self.attribute, &other.attribute) {
                (None, _) => true,
                (Some(a), Some(b)) => covers(a, b),
                (Some(a), None) => a.iter().all(|p| *p == Pattern::AnySegments),
            }
    }

    /// Whether this selects attributes alone, and no resource as a whole.
    #[must_use]
    pub fn is_of_attributes(&self) -> bool {
        self.attribute.as_ref().is_some_and(|a| a.iter().any(|p| *p != Pattern::AnySegments))
    }

    /// The key, where only one is selected: no `*` stands in it.
    #[must_use]
    pub fn one_key(&self) -> Option<Key> {
        let literal = self.key.iter().all(|p| matches!(p, Pattern::Literal(_)));
        let key = self.text.split('#').next().filter(|_| literal)?;
        Key::parse(key).ok()
    }

    /// The selector as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selector({})", self.text)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn segment_text(segment: &Segment<'_>) -> String {
    match segment {
        Segment::Field(name) => name.clone().into_owned(),
        Segment::Item(key) => format!("[{key}]"),
        Segment::Index(index) => format!("[{index}]"),
    }
}

fn pattern(text: &str) -> Pattern {
    if text == "**" {
        Pattern::AnySegments
    } else if text.contains('*') {
        Pattern::Glob(text.split('*').map(Into::into).collect())
    } else {
        Pattern::Literal(text.into())
    }
}

/// Greedy matching with one point of return, as for `*` within text: linear but for the segments
/// that each `**` may have to give back.
fn matches(patterns: &[Pattern], segments: &[&str]) -> bool {
    let (mut p, mut s) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (patterns.get(p), segments.get(s)) {
            (None, None) => return true,
            (Some(Pattern::AnySegments), _) => {
                retry = Some((p, s));
                p += 1;
                continue;
            }
            (Some(pattern), Some(segment)) if matches_segment(pattern, segment) => {
                p += 1;
                s += 1;
                continue;
            }
            (Some(_), _) | (None, Some(_)) => {}
        }
        match retry {
            Some((at, from)) if from < segments.len() => {
                retry = Some((at, from + 1));
                p = at + 1;
                s = from + 1;
            }
            Some(_) | None => return false,
        }
    }
}

fn matches_segment(pattern: &Pattern, segment: &str) -> bool {
    match pattern {
        Pattern::AnySegments => true,
        Pattern::Literal(text) => **text == *segment,
        Pattern::Glob(parts) => matches_glob(parts, segment),
    }
}

fn matches_glob(parts: &[Box<str>], segment: &str) -> bool {
    let [first, middle @ .., last] = parts else { return false };
    let Some(mut rest) = segment.strip_prefix(&**first).and_then(|r| r.strip_suffix(&**last)) else {
        return false;
    };
    for part in middle {
        let Some((_, after)) = rest.split_once(&**part) else { return false };
        rest = after;
    }
    true
}

/// Whether some list of segments fits both. Each pair of places is looked at once, from the ends to the
/// beginnings, so that many `**` on both sides cost no more than few.
fn overlap(a: &[Pattern], b: &[Pattern]) -> bool {
    from_the_end(a, b, |x, y, later| match (x, y) {
        (None, None) => true,
        (Some(Pattern::AnySegments), _) if later.skip_left => true,
        (_, Some(Pattern::AnySegments)) if later.skip_right => true,
        // A `**` also swallows a segment that only it, or the other's `**`, stands for.
        (Some(Pattern::AnySegments), Some(_)) => later.skip_right,
        (Some(_), Some(Pattern::AnySegments)) => later.skip_left,
        (Some(x), Some(y)) => later.skip_both && overlap_segment(x, y),
        (None, Some(_)) | (Some(_), None) => false,
    })
}

/// Whether all that fits `b` fits `a`. Errs towards no.
fn covers(a: &[Pattern], b: &[Pattern]) -> bool {
    from_the_end(a, b, |x, y, later| match (x, y) {
        (None, None) => true,
        (Some(Pattern::AnySegments), None) => later.skip_left,
        (Some(Pattern::AnySegments), Some(_)) => later.skip_left || later.skip_right,
        (Some(x), Some(y)) => later.skip_both && covers_segment(x, y),
        (None, Some(_)) | (Some(_), None) => false,
    })
}

/// What holds of two lists after one more pattern of either, or of both.
struct Later {
    skip_left: bool,
    skip_right: bool,
    skip_both: bool,
}

/// Asks `step` at each pair of places, last to first; it is handed the answers for the places after.
fn from_the_end(
    a: &[Pattern],
    b: &[Pattern],
    step: impl Fn(Option<&Pattern>, Option<&Pattern>, Later) -> bool,
) -> bool {
    // The answers for the place in `a` after this one, by the place in `b`.
    let mut below = vec![false; b.len() + 1];
    for i in (0..=a.len()).rev() {
        let mut row = vec![false; b.len() + 1];
        let (mut right, mut diagonal) = (false, false);
        for (j, slot) in row.iter_mut().enumerate().rev() {
            let down = below.get(j).copied().unwrap_or_default();
            *slot =
                step(a.get(i), b.get(j), Later { skip_left: down, skip_right: right, skip_both: diagonal });
            (right, diagonal) = (*slot, down);
        }
        below = row;
    }
    below.first().copied().unwrap_or_default()
}

fn covers_segment(a: &Pattern, b: &Pattern) -> bool {
    match (a, b) {
        (Pattern::AnySegments, _) => true,
        (_, Pattern::AnySegments) => false,
        (_, Pattern::Literal(text)) => matches_segment(a, text),
        (Pattern::Glob(parts), Pattern::Glob(_)) => parts.iter().all(|p| p.is_empty()) || a == b,
        (Pattern::Literal(_), Pattern::Glob(_)) => false,
    }
}

fn overlap_segment(a: &Pattern, b: &Pattern) -> bool {
    match (a, b) {
        (Pattern::Literal(text), other) | (other, Pattern::Literal(text)) => matches_segment(other, text),
        // Two globs: taken as overlapping, which errs towards saying that a gap matters.
        (Pattern::Glob(_) | Pattern::AnySegments, Pattern::Glob(_) | Pattern::AnySegments) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(selector: &str, target: &str, expected: bool) {
        let (key, attribute) = match target.split_once('#') {
            Some((k, a)) => (k, Some(AttributePath::new(a))),
            None => (target, None),
        };
        let got = Selector::parse(selector).unwrap().selects(&Key::parse(key).unwrap(), attribute.as_ref());
        assert_eq!(got, expected, "`{selector}` on `{target}`");
    }

    #[test]
    fn table() {
        check("runtime/*#version", "runtime/node#version", true);
        check("runtime/*#version", "runtime/node#path", false);
        check("runtime/*#version", "runtime/node", false);
        check("runtime/*", "runtime/node", true);
        check("runtime/*", "runtime/node#version", true);
        check("runtime/*", "runtime/node/x", false);
        check("dependency/npm/**", "dependency/npm/@types/node#version", true);
        check("dependency/npm/**", "dependency/npm", true);
        check("**", "a/b/c#d", true);
        check("**/x", "a/x/b/x", true);
        check("**/x", "a/x/b", false);
        check("env/AWS_*", "env/AWS_REGION#value", true);
        check("env/*_URL", "env/DATABASE_URL#value", true);
        check("env/*_URL", "env/URL", false);
        check("env/a*a", "env/a", false);
        check(
            "k8s/**/Deployment/*/checkout#spec.**.resources.**",
            "k8s/apps/Deployment/shop/checkout#spec.template.spec.containers[app].resources.limits.cpu",
            true,
        );
        check("k8s/**#spec.containers[*].image", "k8s/core/Pod/a/b#spec.containers[app.v1].image", true);
        check("k8s/**#spec.containers[app].image", "k8s/core/Pod/a/b#spec.containers[web].image", false);
        check("k8s/**#metadata.annotations.\"a.b/c\"", "k8s/x#metadata.annotations.\"a.b/c\"", true);
        check("a#**", "a", true);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(100_000))]
        #[test]
        fn any_text_is_a_selector_or_refused(text in "[a*/#.\\[\\]\"\\\\é]{0,12}", key in "[a/é]{0,6}") {
            if let Ok(selector) = Selector::parse(&text) {
                let path = AttributePath::new(&key);
                let key = Key::of([key.as_str()]);
                proptest::prop_assert!(!selector.selects(&key, Some(&path)) || selector.selects_key(&key));
                proptest::prop_assert!(selector.overlaps(&selector) && selector.as_str() == text);
            }
        }
    }

    #[test]
    fn refuses() {
        for bad in ["", "#x", "a//b", "/a"] {
            assert!(Selector::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn overlaps_table() {
        for (a, b, expected) in [
            ("runtime/*", "runtime/node", true),
            ("runtime/**", "**", true),
            ("env/*", "runtime/node", false),
            ("package/apt/**", "package/**/x", true),
            ("a/**/c", "a/b", false),
            ("a/**/c", "a/b/c", true),
            ("a/b", "a/b/c", false),
        ] {
            let (x, y) = (Selector::parse(a).unwrap(), Selector::parse(b).unwrap());
            assert_eq!(x.overlaps(&y), expected, "{a} {b}");
            assert_eq!(y.overlaps(&x), expected, "{b} {a}");
        }
    }

    #[test]
    fn many_stars_on_both_sides_are_no_more_work() {
        let many = |last: &str| Selector::parse(&format!("{}{last}", "**/a/".repeat(40))).unwrap();
        assert!(!many("b").overlaps(&many("c")));
        assert!(many("b").overlaps(&many("b")));
        assert!(!many("b").covers(&many("c")));
    }

    #[test]
    fn covers_and_meets_table() {
        for (a, b, covers, meets) in [
            ("**", "runtime/**", true, true),
            ("runtime/**", "**", false, true),
            ("runtime/**", "runtime/*#path", true, true),
            ("runtime/*#path", "runtime/node", false, true),
            ("runtime/*#path", "runtime/node#path", true, true),
            ("runtime/*#path", "runtime/node#version", false, false),
            ("runtime/*#**", "runtime/node", true, true),
            ("runtime/*", "runtime/n*", true, true),
            ("runtime/n*", "runtime/*", false, true),
            ("runtime/n*", "runtime/node", true, true),
            ("runtime/node", "runtime/n*", false, true),
            ("runtime/*", "runtime/**", false, true),
            ("a/**/c", "a/**/b/c", true, true),
            ("a/**/b/**", "a/**", false, true),
            ("env/**", "runtime/**", false, false),
        ] {
            let (x, y) = (Selector::parse(a).unwrap(), Selector::parse(b).unwrap());
            assert_eq!((x.covers(&y), x.meets(&y), y.meets(&x)), (covers, meets, meets), "{a} {b}");
            assert!(x.covers(&x) && x.meets(&x), "{a}");
        }
    }
}
