//! Keys: a resource's identity, segments joined by `/`. Does not know what kinds of key exist.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// A resource's identity within an environment: non-empty segments joined by `/`, for example
/// `runtime/node` or `k8s/apps/Deployment/shop/checkout`.
///
/// Keys order byte by byte; that order is the order of a snapshot. A key holds no control
/// character and no `#` (which separates a key from an attribute path).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The text is empty, or holds an empty segment (`a//b`, `/a`, `a/`).
    #[error("key `{0}` has an empty segment")]
    EmptySegment(String),
    /// The text holds `#` or a control character.
    #[error("key `{text}` holds `{found}`, which a key may not contain (write it percent-encoded)")]
    Forbidden {
        /// The text that was given.
        text: String,
        /// The first character that is not allowed.
        found: char,
    },
}

impl Key {
    /// Reads a key as written by a person or a snapshot file.
    ///
    /// # Errors
    /// [`KeyError`] where a segment is empty or a character is not allowed.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.split('/').any(str::is_empty) {
            return Err(KeyError::EmptySegment(text.to_owned()));
        }
        match text.chars().find(|c| *c == '#' || c.is_control()) {
            Some(found) => Err(KeyError::Forbidden { text: text.to_owned(), found }),
            None => Ok(Self(text.into())),
        }
    }

    /// Builds a key from parts that were observed. Each part may hold `/` (a path keeps its
    /// segments); what a key may not contain is percent-encoded, empty segments become `_`, so this
    /// cannot fail and distinct non-empty parts stay distinct.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for segment in parts.into_iter().flat_map(|part| part.split('/')) {
            if !text.is_empty() {
                text.push('/');
            }
            push_encoded(&mut text, segment);
        }
        if text.is_empty() {
            text.push('_');
        }
        Self(text.into())
    }

    /// The whole key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, first to last.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The first segment, which says what sort of thing this is (`runtime`, `env`, `k8s` ...).
    #[must_use]
    pub fn root(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// Everything after the first segment (`@types/node` of `dependency/npm/@types/node` needs
    /// `after(2)`): what is left once `count` segments are skipped, or an empty text.
    #[must_use]
    pub fn after(&self, count: usize) -> &str {
        self.0.splitn(count + 1, '/').nth(count).unwrap_or_default()
    }
}

fn push_encoded(out: &mut String, segment: &str) {
    if segment.is_empty() {
        out.push('_');
    }
    for c in segment.chars() {
        if c == '#' || c == '%' || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        } else {
            out.push(c);
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_refuses() {
        for good in ["host/os", "env/A", "dependency/npm/@types/node", "file/a b/ü"] {
            assert_eq!(Key::parse(good).map(|k| k.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "/", "a//b", "/a", "a/", "a#b", "a\nb", "a/\u{7f}"] {
            assert!(Key::parse(bad).is_err(), "{bad:?} should be refused");
        }
    }

    #[test]
    fn built_keys_are_always_keys() {
        for parts in [&["env", "A#B"][..], &["", ""], &[], &["file", "/etc//x\n"], &["%"]] {
            let key = Key::of(parts.iter().copied());
            assert_eq!(Key::parse(key.as_str()), Ok(key));
        }
        assert_eq!(Key::of(["env", "A#B%"]).as_str(), "env/A%23B%25");
    }

    #[test]
    fn parts() {
        let key = Key::of(["dependency", "npm", "@types/node"]);
        assert_eq!(key.root(), "dependency");
        assert_eq!(key.after(2), "@types/node");
        assert_eq!(key.after(9), "");
    }
}
