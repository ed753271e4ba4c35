//! Trees of installed packages beside a lockfile (`node_modules`, a project's `site-packages`, vendored gems, ...), read as
//! files. One file per ecosystem, one row in [`TREES`].
//!
//! What the disk holds counts, not what an installer noted: its notes only say where to look, so that a package that
//! somebody replaced by hand is found. Packages that are shared by all projects of a machine (a system's Python, Go's module
//! cache, Cargo's registry) are no installation of a project and are not looked at. Judges nothing.

mod cargo;
mod composer;
mod gem;
mod go;
mod node;
mod pnpm;
mod pypi;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use parallax_model::GapKind;

use crate::machine::{Batch, ProbeError, Replies};

/// More round trips than this are not made for one project.
pub(crate) const MAX_ROUNDS: usize = 24;
/// More names than this in one folder are not listed.
const MAX_ENTRIES: usize = 20_000;
/// More packages than this of one tree are not read.
const MAX_PACKAGES: usize = 50_000;
/// More packages that could not be read than this are one gap.
const MAX_UNSEEN: usize = 20;

/// A tree that was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    /// Where it is, relative to the lockfile's folder.
    pub(crate) folder: String,
    /// Names, as their registry knows them, and versions.
    pub(crate) packages: BTreeSet<(String, String)>,
    /// What of it could not be read.
    pub(crate) unseen: Vec<Unseen>,
}

/// A part of a tree that could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unseen {
    /// The package, where only one is concerned.
    pub(crate) package: Option<String>,
    /// The sort of reason.
    pub(crate) kind: GapKind,
    /// The place, relative to the lockfile's folder, and why.
    pub(crate) why: String,
}

/// A look at one tree, in as many steps as it takes. All looks of a project share their round trips.
pub(crate) trait Look {
    /// Asks for what it needs next; for nothing where it is done.
    fn ask(&mut self, batch: &mut Batch);
    /// Takes the answers to what it asked for last.
    fn take(&mut self, replies: &Replies);
    /// What was found; `None` where there is no tree.
    fn found(self: Box<Self>) -> Option<Tree>;
}

/// How an ecosystem's trees are looked at: given the lockfile's folder, an absolute path.
pub(crate) struct Row {
    /// Whose packages they are.
    pub(crate) ecosystem: &'static str,
    /// Begins to look.
    pub(crate) look: fn(&str) -> Box<dyn Look>,
    /// Names that installers bring along themselves: where nothing locks them, they are left out.
    pub(crate) brought: &'static [&'static str],
}

/// All that are looked for.
pub(crate) const TREES: &[Row] = &[
    Row { ecosystem: "cargo", look: cargo::look, brought: &[] },
    Row { ecosystem: "composer", look: composer::look, brought: &[] },
    Row { ecosystem: "gem", look: gem::look, brought: &["bundler"] },
    Row { ecosystem: "go", look: go::look, brought: &[] },
    Row { ecosystem: "npm", look: node::look, brought: &[] },
    Row {
        ecosystem: "pypi",
        look: pypi::look,
        brought: &["distribute", "pip", "pkg-resources", "setuptools", "uv", "wheel"],
    },
];

/// The row of an ecosystem.
pub(crate) fn row(ecosystem: &str) -> Option<&'static Row> {
    TREES.iter().find(|row| row.ecosystem == ecosystem)
}

impl Tree {
    fn at(folder: &str) -> Self {
        Self { folder: folder.to_owned(), ..Self::default() }
    }

    /// Adds a package whose name and version are words.
    fn add(&mut self, name: &str, version: &str) {
        let is_word =
            |text: &str| !text.is_empty() && text.len() < 512 && !text.contains(char::is_whitespace);
        if is_word(name) && is_word(version) {
            self.packages.insert((name.to_owned(), version.to_owned()));
        }
    }

    /// Notes what could not be read; what is absent is nothing that could not be read.
    fn failed(&mut self, package: Option<&str>, place: &str, error: &ProbeError) {
        if let Some(kind) = error.gap_kind() {
            self.miss(package, kind, &format!("{place}: {error}"));
        }
    }

    fn miss(&mut self, package: Option<&str>, kind: GapKind, why: &str) {
        match self.unseen.len() {
            0..MAX_UNSEEN => {
                self.unseen.push(Unseen { package: package.map(str::to_owned), kind, why: why.to_owned() });
            }
            MAX_UNSEEN => {
                let why = format!("{}: and more that could not be read", self.folder);
                self.unseen.push(Unseen { package: None, kind, why });
            }
            _ => {}
        }
    }

    /// The tree, if there is anything to say of it.
    fn told(self) -> Option<Self> {
        (!self.packages.is_empty() || !self.unseen.is_empty()).then_some(self)
    }
}
