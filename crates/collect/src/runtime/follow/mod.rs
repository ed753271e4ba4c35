//! Commands that only stand in for another file (shims, proxies, stubs), and the file that a bare command
//! reaches through them from the project's folder. None of these is ever run where running it
//! could install something.

mod corepack;
mod family;
mod plugin;
mod rustup;
mod volta;
mod xcode;
mod yarn;

use std::sync::Arc;

use super::known::{Known, Pending};
use super::surroundings::Surroundings;
use super::told::{Links, Target, Told};
use crate::machine::Candidate;

/// Where a command leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Followed {
    /// It stands for itself.
    Itself,
    /// To a file that a manager chose.
    To {
        /// The file.
        target: Target,
        /// The manager.
        manager: &'static str,
    },
    /// To something that has no file yet, whose version is told.
    Version {
        /// The version and where it is told.
        told: Told,
        /// The manager.
        manager: &'static str,
    },
    /// To nothing: the command is not found, as its manager would say.
    Absent,
    /// Past itself, to the next candidate on the search path.
    Next,
    /// It has to be asked as it is, under these variables.
    Ask {
        /// The variables that keep it from installing anything.
        quiet: &'static [&'static str],
        /// The manager.
        manager: &'static str,
    },
    /// Nowhere that could be told.
    Nowhere {
        /// Why, in words.
        why: String,
        /// The manager.
        manager: &'static str,
    },
}

impl Followed {
    /// To a file that a manager chose by a path which may still be a link.
    fn within(path: String, manager: &'static str) -> Self {
        Self::To { target: Target { path, links: Links::Within }, manager }
    }
}

/// Follows a candidate. `rustup` holds the candidates of rustup's own command.
pub(super) fn follow(
    candidate: &Candidate,
    rustup: &[Candidate],
    world: &Surroundings,
    known: &mut Known,
) -> Result<Followed, Pending> {
    // Both are asked for before either is looked at, so that they share a round trip.
    let kept = if candidate.name == "yarn" { yarn::follow(world, known) } else { Ok(None) };
    let chosen = chosen(candidate, rustup, world, known);
    match kept? {
        Some(followed) => Ok(followed),
        None => chosen,
    }
}

/// What managers make of a candidate.
fn chosen(
    candidate: &Candidate,
    rustup: &[Candidate],
    world: &Surroundings,
    known: &mut Known,
) -> Result<Followed, Pending> {
    if let Some(shim) = family::recognise(candidate) {
        return shim.follow(&candidate.name, world, known);
    }
    if let Some(shim) = plugin::recognise(candidate) {
        return shim.follow(&candidate.name, world, known);
    }
    if rustup::is_proxy(candidate, rustup) {
        return rustup::follow(&candidate.name, world, known);
    }
    if volta::is_shim(candidate) {
        return volta::follow(candidate, world, known);
    }
    if corepack::is_shim(candidate) {
        return corepack::follow(&candidate.name, world, known);
    }
    if xcode::is_stub(candidate, world) {
        return xcode::follow(&candidate.name, known);
    }
    Ok(Followed::Itself)
}

/// The text of the nearest of several files, by name, from the project's folder upwards, and its path.
fn nearest(
    names: &[&str],
    world: &Surroundings,
    known: &mut Known,
    says: impl Fn(&str, &str) -> bool,
) -> Result<Option<(String, Arc<str>)>, Pending> {
    let mut texts = Vec::new();
    for folder in &world.folders {
        for name in names {
            let path = format!("{folder}/{name}");
            texts.push((known.text(&path, PIN_BYTES), path));
        }
    }
    for (text, path) in texts {
        if let Some(text) = text?.filter(|text| says(&path, text)) {
            return Ok(Some((path, text)));
        }
    }
    Ok(None)
}

/// Bytes of a file that pins a version. A `package.json` is among them.
const PIN_BYTES: usize = 1 << 20;

/// The folder of an installed version by the name that a pin gives: that very name, or the latest that it
/// is the beginning of (`3.11` is `3.11.7`).
fn installed<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let start = format!("{wanted}.");
    let numbers = |name: &str| -> Vec<u64> { name.split('.').map(|n| n.parse().unwrap_or(0)).collect() };
    let mut best: Option<&str> = None;
    for name in names {
        if name == wanted {
            return Some(name);
        }
        let plain = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if plain && name.starts_with(&start) && best.is_none_or(|b| numbers(name) > numbers(b)) {
            best = Some(name);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_versions() {
        let names = ["3.9.18", "3.11.7", "3.11.10", "3.11-dev", "myenv", "20"];
        let check = |wanted: &str, expected: Option<&str>| {
            assert_eq!(installed(wanted, names.into_iter()), expected, "{wanted}");
        };
        check("3.11.7", Some("3.11.7"));
        check("3.11", Some("3.11.10"));
        check("3", Some("3.11.10"));
        check("myenv", Some("myenv"));
        check("3.1", None);
        check("", None);
    }
}
