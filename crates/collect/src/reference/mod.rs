//! References in a project's files to what is kept elsewhere: container images, actions of workflows, packages that a
//! requirement leaves open. One file per format, one row in [`FORMATS`].
//!
//! Readers are pure: text in, each reference out with its place. They resolve what the file itself tells (arguments with
//! defaults, a matrix), judge nothing, and ask nobody.

mod action;
mod compose;
mod devcontainer;
mod dockerfile;
mod gitlab;
mod kubernetes;
mod kustomize;
mod requirements;
#[cfg(test)]
mod tests;
mod workflow;

use std::ops::Range;

use crate::lockfile::{Malformed, fits};
use crate::project::files;
use crate::yaml::Node;

/// What a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A container image.
    Image,
    /// An action or reusable workflow: `owner/repository[/path]@revision`.
    Action,
    /// A Python package without its version.
    Requirement,
}

/// One reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it names.
    pub kind: Kind,
    /// The reference, with what the file itself resolves.
    pub text: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Where it is written.
    pub written: Written,
}

/// Where a reference is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// These bytes of the file are the reference.
    Here(Range<usize>),
    /// It is put together from several places; why it can't be replaced, and what to do instead.
    Apart(String),
}

/// A format of files that hold references.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its short name.
    pub id: &'static str,
    /// Whether a path is of this format, by its names.
    fits: fn(&str) -> bool,
    read: Reader,
}

/// How the references of a file are read.
type Reader = fn(&str) -> Result<Vec<Found>, Malformed>;

/// All formats; the first that fits a path counts. The last reads any YAML, and finds Kubernetes' objects in it.
pub const FORMATS: &[Format] = &[
    Format { id: "dockerfile", fits: |path| files::is_dockerfile(name(path)), read: dockerfile::read },
    Format { id: "workflow", fits: workflow::fits, read: workflow::read },
    Format { id: "action", fits: |path| is_yaml(path, &["action"]), read: action::read },
    Format { id: "gitlab", fits: |path| fits("*.gitlab-ci.yml", name(path)), read: gitlab::read },
    Format { id: "kustomize", fits: |path| is_yaml(path, &["kustomization"]), read: kustomize::read },
    Format {
        id: "compose",
        fits: |path| is_yaml(path, &["compose", "compose.*", "docker-compose*"]),
        read: compose::read,
    },
    Format { id: "devcontainer", fits: devcontainer::fits, read: devcontainer::read },
    Format {
        id: "requirements",
        fits: |path| fits("requirements*.txt", name(path)),
        read: requirements::read,
    },
    Format { id: "kubernetes", fits: |path| is_yaml(path, &["*"]), read: kubernetes::read },
];

/// The names that are looked for.
pub const NAMES: &[&str] = &[
    "*.Dockerfile",
    "*.dockerfile",
    "*.yaml",
    "*.yml",
    ".devcontainer.json",
    "Containerfile*",
    "Dockerfile*",
    "Kustomization",
    "devcontainer.json",
    "requirements*.txt",
];

/// Folders that are not looked into: what others wrote, what was built, what tests feed on.
pub const PRUNE: &[&str] = files::PRUNE;

/// The format of a path, by its names; `None` where it is none.
#[must_use]
pub fn by_path(path: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.fits)(path))
}

impl Format {
    /// Reads a file. Each place is told once.
    ///
    /// # Errors
    /// Where the file is not of this format, with the place.
    pub fn read(&self, text: &str) -> Result<Vec<Found>, Malformed> {
        let plain = text.strip_prefix('\u{feff}').unwrap_or(text);
        let before = text.len() - plain.len();
        let mut found = (self.read)(plain)?;
        for one in &mut found {
            if let Written::Here(range) = &mut one.written {
                *range = range.start + before..range.end + before;
            }
        }
        found.sort_by(|a, b| (a.line, a.column, &a.text).cmp(&(b.line, b.column, &b.text)));
        found.dedup();
        Ok(found)
    }
}

impl Found {
    /// A reference that stands in a text at these bytes.
    fn here(kind: Kind, whole: &str, range: Range<usize>) -> Self {
        let text = whole.get(range.clone()).unwrap_or_default().to_owned();
        let (line, column) = place(whole, range.start);
        Self { kind, text, line, column, written: Written::Here(range) }
    }

    /// A reference that is put together, told at a place.
    fn apart(kind: Kind, text: impl Into<String>, whole: &str, at: usize, why: impl Into<String>) -> Self {
        let (line, column) = place(whole, at);
        Self { kind, text: text.into(), line, column, written: Written::Apart(why.into()) }
    }

    /// A reference that a YAML scalar holds as it is.
    fn of_node(kind: Kind, whole: &str, node: &Node) -> Option<Self> {
        let text = named(node)?;
        Some(match node.verbatim(whole) {
            Some(range) => Self::here(kind, whole, range),
            None => Self::apart(kind, text, whole, node.start(), ESCAPED),
        })
    }
}

/// The text of a scalar that holds something; YAML's null reads as `~`.
fn named(node: &Node) -> Option<&str> {
    node.text().filter(|text| !matches!(*text, "" | "~"))
}

/// Why a scalar that is not written as it reads can't be replaced.
const ESCAPED: &str = "it is written with escapes or over several lines; write it on one";

/// Line and column in characters, from 1, of a place in bytes.
fn place(whole: &str, at: usize) -> (usize, usize) {
    let before = whole.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = 1 + memchr::memchr_iter(b'\n', before.as_bytes()).count();
    (line, 1 + before.get(start..).unwrap_or_default().chars().count())
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path is YAML whose name without the ending fits one of the patterns.
fn is_yaml(path: &str, patterns: &[&str]) -> bool {
    let name = name(path);
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    stem.is_some_and(|stem| patterns.iter().any(|pattern| fits(pattern, stem)))
        || (name == "Kustomization" && patterns.contains(&"kustomization"))
}
