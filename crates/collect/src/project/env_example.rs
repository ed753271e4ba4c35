//! `.env.example` and its kin: which variables an application expects. Tells names, places and the shape of the
//! sample, never the sample itself (people leave real secrets there), and never reads `.env`.

use std::ops::Range;

use thiserror::Error;

use crate::machine::{Batch, Machine, MachineError, ProbeError};

/// The names that are looked for, the first that exists counts.
const NAMES: &[&str] = &[".env.example", ".env.sample", ".env.template", ".env.dist"];
const MAX_BYTES: usize = 1 << 20;

/// A variable that an example file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleVariable {
    /// Its name.
    pub name: String,
    /// The line of its name, from 1.
    pub line: usize,
    /// Where its name stands in the text, in bytes.
    pub span: Range<usize>,
    /// What stands behind the `=`.
    pub sample: Sample,
}

/// The shape of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// Nothing: the variable is to be filled in.
    Empty,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A URL.
    Url,
    /// Any other text.
    Text,
}

impl ExampleVariable {
    /// Whether the file proposes a value.
    #[must_use]
    pub fn has_default(&self) -> bool {
        self.sample != Sample::Empty
    }
}

/// An example file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFile {
    /// Its name within the project.
    pub name: &'static str,
    /// What it names, in its order.
    pub variables: Vec<ExampleVariable>,
}

/// Why a project's example file could not be read.
#[derive(Debug, Error)]
pub enum ExampleError {
    /// The machine as a whole did not answer.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The file is there and can't be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: ProbeError,
    },
}

/// Reads a project's example file on a machine; `None` where it has none.
///
/// # Errors
/// [`ExampleError`] where the machine does not answer, or the file is there and can't be read.
pub fn read_env_example(machine: &dyn Machine, project: &str) -> Result<Option<ExampleFile>, ExampleError> {
    let mut batch = Batch::new();
    let path = |name: &str| format!("{}/{name}", project.trim_end_matches('/'));
    let tickets: Vec<_> = NAMES.iter().map(|name| (*name, batch.read(path(name), MAX_BYTES))).collect();
    let replies = machine.run(&batch)?;
    for (name, ticket) in tickets {
        match replies.get(ticket) {
            Ok(content) if content.truncated => {
                return Err(ExampleError::File { path: path(name), source: ProbeError::TooLarge(MAX_BYTES) });
            }
            Ok(content) => return Ok(Some(ExampleFile { name, variables: env_example(&content.text()) })),
            Err(ProbeError::NotFound) => {}
            Err(source) => return Err(ExampleError::File { path: path(name), source }),
        }
    }
    Ok(None)
}

/// The variables that an example file names. Each once, where it stands first; lines that assign nothing are
/// passed over.
#[must_use]
pub fn env_example(text: &str) -> Vec<ExampleVariable> {
    let mut seen = std::collections::HashSet::new();
    let variable = |found: Assignment<'_>| ExampleVariable {
        name: found.name.to_owned(),
        line: found.line,
        span: found.at..found.at + found.name.len(),
        sample: shape(&found.value),
    };
    assignments(text).into_iter().filter(|found| seen.insert(found.name)).map(variable).collect()
}

/// One assignment of an environment file. The value may be a secret: it is lent, and never shown.
pub struct EnvLine<'t> {
    /// The variable.
    pub name: &'t str,
    /// The line of its name, from 1.
    pub line: usize,
    value: String,
}

impl EnvLine<'_> {
    /// Lends the value to a check.
    pub fn judge<T>(&self, check: impl FnOnce(&str) -> T) -> T {
        check(&self.value)
    }
}

/// Without the value.
impl std::fmt::Debug for EnvLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.name)
    }
}

/// The assignments of an environment file (`.env`), in its order.
#[must_use]
pub fn env_lines(text: &str) -> Vec<EnvLine<'_>> {
    let all = assignments(text).into_iter();
    all.map(|found| EnvLine { name: found.name, line: found.line, value: found.value }).collect()
}

fn shape(value: &str) -> Sample {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let url = value.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    });
    match value {
        "" => Sample::Empty,
        "true" | "false" => Sample::Boolean,
        _ if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => Sample::Integer,
        _ if url => Sample::Url,
        _ => Sample::Text,
    }
}

/// `NAME=value` as it stands in a file.
struct Assignment<'t> {
    name: &'t str,
    at: usize,
    line: usize,
    value: String,
}

/// The grammar that dotenv's implementations share: an optional `export`, a name, `=`, and a value that is bare (to
/// the end of the line or ` #`), in `'` or backticks (literal), or in `"` (with backslash escapes). Quoted values may
/// span lines; a quote that is never closed is a character. `$` is a character: nothing is expanded.
fn assignments(text: &str) -> Vec<Assignment<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut line = 1;
    let mut unclosed = [false; 3];
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let (current, _) = rest.split_at(end);
        let mut used = end;
        if let Some((name, name_at, value_at)) = name(current) {
            let after = rest.get(value_at..).unwrap_or_default();
            let (value, length) = value(after, current.len() - value_at, &mut unclosed);
            used = used.max(value_at + length);
            // What follows a quoted value on its last line is a comment.
            used += rest.get(used..).filter(|_| used > end).map_or(0, to_next_line);
            found.push(Assignment { name, at: at + name_at, line, value });
        }
        line += rest.get(..used).unwrap_or_default().matches('\n').count();
        at += used;
    }
    found
}

fn to_next_line(rest: &str) -> usize {
    rest.find('\n').map_or(rest.len(), |end| end + 1)
}

/// The name on a line, where it begins, and where the value begins.
fn name(line: &str) -> Option<(&str, usize, usize)> {
    let mut start = line.len() - line.trim_start().len();
    if let Some(rest) = line.get(start..)?.strip_prefix("export").filter(|r| r.starts_with([' ', '\t'])) {
        start = line.len() - rest.trim_start().len();
    }
    let (before, _) = line.get(start..)?.split_once('=')?;
    let name = before.trim_end();
    let mut bytes = name.bytes();
    let first = bytes.next()?;
    let good = (first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    let equals = start + before.len() + 1;
    let value = line.get(equals..)?;
    let blank = value.len() - value.trim_start_matches([' ', '\t']).len();
    good.then_some((name, start, equals + blank))
}

/// A value and how many bytes it takes. `line` bytes are left on the line where it begins. `unclosed`
/// remembers which quotes are never closed from here on, so that a hostile file is not searched over and over.
fn value(text: &str, line: usize, unclosed: &mut [bool; 3]) -> (String, usize) {
    for (mark, never) in ['"', '\'', '`'].into_iter().zip(unclosed) {
        if let Some(inner) = text.strip_prefix(mark).filter(|_| !*never) {
            match quoted(inner, mark) {
                Some((value, length)) => return (value, length + 2),
                None => *never = true,
            }
        }
    }
    let bare = text.get(..line).unwrap_or(text);
    let comment = bare
        .char_indices()
        .zip(std::iter::once(' ').chain(bare.chars()))
        .find(|((_, c), before)| *c == '#' && before.is_whitespace())
        .map_or(bare.len(), |((at, _), _)| at);
    (bare.get(..comment).unwrap_or(bare).trim().to_owned(), 0)
}

fn quoted(text: &str, mark: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            c if c == mark => return Some((value, at)),
            '\\' if mark == '"' => match characters.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                escaped @ ('"' | '\\' | '$') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Recorded;

    fn check(text: &str, expected: &[(&str, usize, &str)]) {
        let found = assignments(text);
        let found: Vec<(&str, usize, &str)> =
            found.iter().map(|a| (a.name, a.line, a.value.as_str())).collect();
        assert_eq!(found, expected, "{text:?}");
        for a in assignments(text) {
            assert!(text.get(a.at..).is_some_and(|rest| rest.starts_with(a.name)));
        }
    }

    #[test]
    fn grammar() {
        check("A=1\n\n# B=2\nexport  C = x y # why\r\n", &[("A", 1, "1"), ("C", 4, "x y")]);
        check("P=pa$$word\nQ=\"a$A\"\nR='x#y'", &[("P", 1, "pa$$word"), ("Q", 2, "a$A"), ("R", 3, "x#y")]);
        check("K=\"-----\nB=1\n-----\" # key\nL=2", &[("K", 1, "-----\nB=1\n-----"), ("L", 4, "2")]);
        check("A=\"a\\n\\\"b\\\\\"\n", &[("A", 1, "a\n\"b\\")]);
        check("A='open\nB=2", &[("A", 1, "'open"), ("B", 2, "2")]);
        check("A=#c\nB=a#b\nC= \nD=`x'y`", &[("A", 1, ""), ("B", 2, "a#b"), ("C", 3, ""), ("D", 4, "x'y")]);
        check("=1\n1A=2\nexport=3\nA B=4\nü=5\nnothing\nA", &[("export", 3, "3")]);
        check("", &[]);
        check("\u{0}\n=\n\"", &[]);
    }

    #[test]
    fn samples_are_shapes() {
        let check = |value: &str, expected| {
            assert_eq!(env_example(&format!("A={value}"))[0].sample, expected, "{value}");
        };
        check("", Sample::Empty);
        check("3000", Sample::Integer);
        check("-", Sample::Text);
        check("true", Sample::Boolean);
        check("postgres://u:hunter2@h/x", Sample::Url);
        check("hunter2", Sample::Text);
        let found = env_example("A=\nA=1\nSECRET=hunter2");
        assert_eq!(found.len(), 2);
        assert!(!found[0].has_default() && found[1].has_default());
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn from_a_machine() {
        let machine: Recorded = serde_json::from_str(
            r#"{"files": {"/a/.env.sample": "A=1", "/a/.env": "B=1", "/b/.env.example": {"error": "permission"}, "/c/.env": "C=1"}}"#,
        )
        .unwrap();
        let found = read_env_example(&machine, "/a/").unwrap().unwrap();
        assert_eq!((found.name, found.variables[0].name.as_str()), (".env.sample", "A"));
        let error = read_env_example(&machine, "/b").unwrap_err().to_string();
        assert_eq!(error, "/b/.env.example: permission denied");
        assert_eq!(read_env_example(&machine, "/c").unwrap(), None);
    }
}
