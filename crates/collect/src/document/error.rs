//! What can be wrong with a document, and where. Does not read documents.

use std::fmt;

use thiserror::Error;

/// Why a document could not be read. Nothing of the document's values is repeated in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{document}:{line}:{column}: {problem}")]
pub struct DocumentError {
    /// The document, as its reader called it (a path).
    pub document: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong at one place of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No value at all.
    Empty,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text ends within a value.
    Truncated,
    /// Something else was expected.
    Expected(&'static str),
    /// Nested deeper than [`super::DEPTH_LIMIT`].
    TooDeep,
    /// A raw control character within a string.
    ControlCharacter,
    /// A backslash that begins no escape.
    BadEscape,
    /// Half of a surrogate pair, which is no character.
    LoneSurrogate,
    /// A member name that stands twice in one object.
    DuplicateMember,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no JSON value: the document is empty"),
            Self::NotUtf8 => f.write_str("not UTF-8 text; convert it, for example with `iconv -t UTF-8`"),
            Self::Truncated => f.write_str("the document ends within a value: it was cut short"),
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::TooDeep => write!(f, "nested deeper than {} levels", super::DEPTH_LIMIT),
            Self::ControlCharacter => f.write_str("a raw control character in a string; write it as `\\u00..`"),
            Self::BadEscape => f.write_str("a backslash that begins no JSON escape"),
            Self::LoneSurrogate => f.write_str("half of a surrogate pair, which is no character"),
            Self::DuplicateMember => {
                f.write_str("this member's name stands twice in one object; readers disagree on which counts: remove one")
            }
        }
    }
}

/// A problem and its byte offset; lines are counted only when it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) problem: Problem,
}

impl Fault {
    /// A problem at a byte offset.
    pub(super) const fn at(offset: usize, problem: Problem) -> Self {
        Self { offset, problem }
    }

    /// The error that names the document, the line and the column.
    pub(super) fn in_document(self, document: &str, text: &[u8]) -> DocumentError {
        let before = text.get(..self.offset).unwrap_or(text);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let is_start = |byte: &&u8| **byte & 0xC0 != 0x80;
        DocumentError {
            document: document.to_owned(),
            line: 1 + memchr::memchr_iter(b'\n', before).count(),
            column: 1 + before.iter().skip(line_start).filter(is_start).count(),
            problem: self.problem,
        }
    }
}
