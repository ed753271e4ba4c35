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
    /// Longer than [`super::LENGTH_LIMIT`].
    TooLong,
    /// A text longer than 128 MiB.
    LongText,
    /// The text ends within a value.
    Truncated,
    /// Something else was expected.
    Expected(Expected),
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

/// What JSON's grammar allows at a place where something else stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any value.
    Value,
    /// The name of a member.
    Name,
    /// The colon after it.
    Colon,
    /// Another member, or the object's end.
    MemberOrEnd,
    /// Another item, or the list's end.
    ItemOrEnd,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "a JSON value",
            Self::Name => "a member's name in double quotes",
            Self::Colon => "`:` after a member's name",
            Self::MemberOrEnd => "`,` or `}` after a member",
            Self::ItemOrEnd => "`,` or `]` after an item",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no JSON value: the document is empty"),
            Self::NotUtf8 => f.write_str("not UTF-8 text; convert it, for example with `iconv -t UTF-8`"),
            Self::TooLong => write!(f, "longer than {} bytes", super::LENGTH_LIMIT),
            Self::LongText => f.write_str("a text of more than 128 MiB"),
            Self::Truncated => f.write_str("the document ends within a value: it was cut short"),
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::TooDeep => write!(f, "nested deeper than {} levels", super::DEPTH_LIMIT),
            Self::ControlCharacter => {
                f.write_str("a raw control character in a string; write it as `\\u00..`")
            }
            Self::BadEscape => f.write_str("a backslash that begins no JSON escape"),
            Self::LoneSurrogate => f.write_str("half of a surrogate pair, which is no character"),
            Self::DuplicateMember => f.write_str(
                "this member's name stands twice in one object; readers disagree on which counts: remove one",
            ),
        }
    }
}

/// Every problem; a [`Fault`] holds a number of this table.
const PROBLEMS: [Problem; 15] = [
    Problem::Empty,
    Problem::TooLong,
    Problem::NotUtf8,
    Problem::Truncated,
    Problem::Expected(Expected::Value),
    Problem::Expected(Expected::Name),
    Problem::Expected(Expected::Colon),
    Problem::Expected(Expected::MemberOrEnd),
    Problem::Expected(Expected::ItemOrEnd),
    Problem::TooDeep,
    Problem::ControlCharacter,
    Problem::BadEscape,
    Problem::LoneSurrogate,
    Problem::DuplicateMember,
    Problem::LongText,
];

/// A problem and its byte offset; lines are counted only when it is told. One word, so that results travel in
/// registers: this saves a tenth of the time of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault(u64);

impl Fault {
    /// A problem at a byte offset.
    #[cold]
    pub(super) fn at(offset: usize, problem: Problem) -> Self {
        let number = PROBLEMS.iter().position(|other| *other == problem).unwrap_or_default();
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Self(u64::from(offset) << 8 | number as u64)
    }

    /// The error that names the document, the line and the column.
    pub(super) fn in_document(self, document: &str, text: &[u8]) -> DocumentError {
        let offset = usize::try_from(self.0 >> 8).unwrap_or(usize::MAX);
        let problem = usize::try_from(self.0 & 0xFF).ok().and_then(|number| PROBLEMS.get(number));
        let before = text.get(..offset).unwrap_or(text);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let is_start = |byte: &&u8| **byte & 0xC0 != 0x80;
        DocumentError {
            document: document.to_owned(),
            line: 1 + memchr::memchr_iter(b'\n', before).count(),
            column: 1 + before.iter().skip(line_start).filter(is_start).count(),
            problem: problem.copied().unwrap_or(Problem::Truncated),
        }
    }
}
