//! Python's lockfiles: pip's requirements, and those of Pipenv, Poetry, PDM, uv and PEP 751.
//!
//! They tell more than names and versions: under which markers a package is installed. Where a format keeps its markers
//! on the edges, [`graph`] works out each package's own condition. What is chosen among the files of one version (which
//! wheel) is not told: all their hashes stand together.

pub(super) mod declared;
mod graph;
mod manifest;
mod origin;
mod pdm;
mod pipenv;
mod poetry;
mod pylock;
mod requirement;
mod requirements;
mod table;
#[cfg(test)]
mod tests;
mod uv;

use std::collections::BTreeMap;

use parallax_model::platform::marker::{Marker, alternatives::Alternatives};

use super::Edge;

pub(super) use pdm::read as pdm;
pub(super) use pipenv::read as pipenv;
pub(super) use poetry::read as poetry;
pub(super) use pylock::read as pylock;
pub(crate) use requirements::open_lines;
pub(super) use requirements::read as requirements;
pub(super) use uv::read as uv;

/// More versions of one package than this are not linked to what needs it, so that a file that was made to have very many
/// costs no more than its size. Real ones have a handful.
const MAX_VERSIONS: usize = 64;

/// A name as the registry compares it; `None` where it cannot be one.
/// <https://packaging.python.org/en/latest/specifications/name-normalization/>
pub(crate) fn normalised(name: &str) -> Option<String> {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !ends(name.chars().next()) || !ends(name.chars().next_back()) {
        return None;
    }
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            _ => return None,
        }
    }
    Some(out)
}

/// A hash as it is written beside a package, `sha256:<hex>`; nothing else passes.
fn hash(text: &str) -> Option<String> {
    let (algorithm, digest) = text.split_once(':')?;
    hash_of(algorithm, digest)
}

fn hash_of(algorithm: &str, digest: &str) -> Option<String> {
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain(algorithm) && plain(digest)).then(|| format!("{algorithm}:{digest}"))
}

/// The hashes of all files of a version.
fn integrity(hashes: impl Iterator<Item = String>) -> Vec<String> {
    sorted(hashes.collect())
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

/// A condition in the text form of [`parallax_model::platform::Condition`]; `None` is always.
fn condition(when: &Alternatives) -> Option<String> {
    when.marker().map(|marker| format!("python: {marker}"))
}

/// A marker longer than this is not kept as it was written.
const MAX_MARKER: usize = 4096;

/// The condition that a marker is by itself: with too many alternatives to be made short, it is kept as it was written.
fn condition_of(text: &str) -> Option<String> {
    let Ok(marker) = Marker::parse(text) else { return condition(&Alternatives::unknown()) };
    let when = Alternatives::of(&marker);
    if when.is_open() && text.len() <= MAX_MARKER {
        Some(format!("python: {marker}"))
    } else {
        condition(&when)
    }
}

/// What a marker says; one that is not understood says nothing that is known.
fn alternatives(text: &str) -> Alternatives {
    Marker::parse(text).map_or_else(|_| Alternatives::unknown(), |marker| Alternatives::of(&marker))
}

/// The versions of each name that a lockfile has.
type Versions = BTreeMap<String, Vec<String>>;

/// An edge to what is locked: with the version where there is only one, none where the package is not locked.
fn edge(name: &str, version: Option<&str>, versions: &Versions) -> Option<Edge> {
    let locked = versions.get(name)?;
    let only = match locked.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    Some(Edge { name: name.to_owned(), version: version.or(only).map(str::to_owned) })
}
