//! What a project's manifests ask for, of the packages that a lockfile covers, and what the lockfile says it was made for.
//! One row per format that is read; a format without one tells nothing.
//!
//! Equal requests are equal texts. Whatever is not certain to be a range of a registry's versions (a path, a repository, a
//! workspace, an override, a condition) is left out on both sides: an alarm that is false is worse than none. Chooses no
//! versions.

mod cargo;
mod composer;
mod gem;

use std::collections::{BTreeMap, BTreeSet};

use super::{Files, Format, go, javascript, python};

/// Requests by the name of the package.
pub(crate) type Requests = BTreeMap<String, BTreeSet<String>>;

/// What the manifests of one lockfile say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    /// What is asked for now.
    pub(crate) asked: Requests,
    /// What was asked for when the lockfile was made; `None` where it does not tell.
    pub(crate) made_for: Option<Requests>,
    /// The names of the project's own packages.
    pub(crate) own: BTreeSet<String>,
    /// Names of which nothing certain can be said.
    pub(super) unsure: BTreeSet<String>,
}

type Reader = fn(&Files<'_>) -> Declared;

/// How each format's manifests are read, by its id.
const READERS: &[(&str, Reader)] = &[
    ("bun", javascript::declared::bun),
    ("bundler", gem::read),
    ("cargo", cargo::read),
    ("composer", composer::read),
    ("go-sum", go::declared),
    ("npm", javascript::declared::npm),
    ("pdm", python::declared::pdm),
    ("pipenv", python::declared::pipenv),
    ("pnpm", javascript::declared::pnpm),
    ("poetry", python::declared::poetry),
    ("uv", python::declared::uv),
    ("yarn", javascript::declared::yarn),
];

/// What the manifests say that a lockfile of this format covers.
pub(crate) fn declared(format: &Format, files: &Files<'_>) -> Declared {
    let reader = READERS.iter().find(|(id, _)| *id == format.id).map(|(_, reader)| reader);
    reader.map(|reader| reader(files).certain()).unwrap_or_default()
}

impl Declared {
    /// One of a lockfile that tells what it was made for.
    pub(super) fn with_lock() -> Self {
        Self { made_for: Some(Requests::new()), ..Self::default() }
    }

    /// Takes a request of a manifest.
    pub(super) fn ask(&mut self, name: &str, text: &str) {
        insert(&mut self.asked, name, text);
    }

    /// Takes a request that the lockfile was made for.
    pub(super) fn made(&mut self, name: &str, text: &str) {
        insert(self.made_for.get_or_insert_default(), name, text);
    }

    /// Takes a name of which nothing certain can be said.
    pub(super) fn doubt(&mut self, name: &str) {
        self.unsure.insert(name.to_owned());
    }

    /// Without the names that are the project's own or not certain.
    fn certain(mut self) -> Self {
        let certain = |name: &String| !self.own.contains(name) && !self.unsure.contains(name);
        self.asked.retain(|name, _| certain(name));
        if let Some(made_for) = &mut self.made_for {
            // What is asked for no more says nothing of what is.
            made_for.retain(|name, _| certain(name) && self.asked.contains_key(name));
        }
        self
    }
}

fn insert(requests: &mut Requests, name: &str, text: &str) {
    if !requests.contains_key(name) {
        requests.insert(name.to_owned(), BTreeSet::new());
    }
    if let Some(texts) = requests.get_mut(name) {
        texts.insert(text.to_owned());
    }
}

/// How tests write what is declared: `asked a ^1`, `made a ^1`, `own shop`.
#[cfg(test)]
pub(super) fn lines(format: &str, lock: &str, beside: &[(&str, &str)]) -> Vec<String> {
    let others = beside.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let format = super::FORMATS.iter().find(|known| known.id == format).unwrap();
    let found = declared(format, &Files::new(format.name, lock.as_bytes(), &others));
    let tell = |what: &str, requests: &Requests| {
        let line = |(name, texts): (&String, &BTreeSet<String>)| {
            format!("{what} {name} {}", texts.iter().cloned().collect::<Vec<_>>().join(" | "))
        };
        requests.iter().map(line).collect::<Vec<_>>()
    };
    let mut lines = tell("asked", &found.asked);
    lines.extend(found.made_for.iter().flat_map(|made| tell("made", made)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reader_is_of_a_known_format_and_bears_anything() {
        let inputs = [
            "",
            "{",
            "[",
            "\u{0}",
            "a:\n - b",
            "[[package]]\nname = 3",
            "\u{feff}{}",
            "# v1 x\n\"a@",
            "- - - -",
        ];
        let manifests =
            ["package.json", "Cargo.toml", "pyproject.toml", "Pipfile", "Gemfile", "composer.json", "go.mod"];
        for (id, _) in READERS {
            for lock in inputs {
                for text in inputs {
                    let beside: Vec<(&str, &str)> = manifests.iter().map(|name| (*name, text)).collect();
                    assert_eq!(lines(id, lock, &beside), Vec::<String>::new(), "{id} {lock:?} {text:?}");
                }
            }
        }
    }
}
