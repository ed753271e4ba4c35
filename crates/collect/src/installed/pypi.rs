//! The `site-packages` of a project's own environment, `.venv` or `venv`: one folder `<name>-<version>.dist-info` for each
//! package. A system's `site-packages` are not the project's.

use std::collections::BTreeSet;

use super::{Look, MAX_ENTRIES, Tree};
use crate::lockfile::pypi_name;
use crate::machine::{Batch, Entry, EntryKind, ProbeError, Replies, Ticket};

/// Where an environment may be, and where its packages are in it; the first that is there counts.
const ENVIRONMENTS: [&str; 2] = [".venv", "venv"];

/// Begins to look at a folder's tree.
pub(super) fn look(root: &str) -> Box<dyn Look> {
    Box::new(Pypi { root: root.to_owned(), step: Step::Begin, tree: Tree::default() })
}

struct Pypi {
    root: String,
    step: Step,
    tree: Tree,
}

type Listing = Ticket<Vec<Entry>>;

enum Step {
    Begin,
    /// The folders `lib`, which hold one per version of Python, and Windows' own place.
    Environments(Vec<(&'static str, Listing, Listing)>),
    Known(Vec<String>),
    Packages(Vec<(String, Listing)>),
    Done,
}

impl Look for Pypi {
    fn ask(&mut self, batch: &mut Batch) {
        match &mut self.step {
            Step::Begin => {
                let mut ask = |name: &'static str| {
                    let lib = batch.list(format!("{}/{name}/lib", self.root), MAX_ENTRIES);
                    let windows = batch.list(format!("{}/{name}/Lib/site-packages", self.root), MAX_ENTRIES);
                    (name, lib, windows)
                };
                self.step = Step::Environments(ENVIRONMENTS.map(&mut ask).into());
            }
            Step::Known(folders) => {
                let listing = |folder: String| {
                    let ticket = batch.list(format!("{}/{folder}", self.root), MAX_ENTRIES);
                    (folder, ticket)
                };
                self.step = Step::Packages(std::mem::take(folders).into_iter().map(listing).collect());
            }
            Step::Environments(_) | Step::Packages(_) | Step::Done => {}
        }
    }

    fn take(&mut self, replies: &Replies) {
        match std::mem::replace(&mut self.step, Step::Done) {
            Step::Environments(asked) => {
                for (name, lib, windows) in asked {
                    if self.environment(name, replies.get(lib), replies.get(windows)) {
                        return;
                    }
                }
            }
            Step::Packages(asked) => {
                for (folder, listing) in asked {
                    match replies.get(listing) {
                        Ok(entries) => self.packages(entries),
                        Err(error) => self.tree.failed(None, &folder, &error),
                    }
                }
            }
            Step::Begin | Step::Known(_) | Step::Done => {}
        }
    }

    fn found(self: Box<Self>) -> Option<Tree> {
        self.tree.told()
    }
}

impl Pypi {
    /// Whether this environment is there.
    fn environment(
        &mut self,
        name: &str,
        lib: Result<&Vec<Entry>, ProbeError>,
        windows: Result<&Vec<Entry>, ProbeError>,
    ) -> bool {
        match (lib, windows) {
            (Ok(entries), _) => {
                let is_python =
                    |entry: &&Entry| entry.name.starts_with("python") || entry.name.starts_with("pypy");
                let of = |entry: &Entry| format!("{name}/lib/{}/site-packages", entry.name);
                let folders: BTreeSet<String> = entries.iter().filter(is_python).map(of).collect();
                let Some(first) = folders.first() else { return false };
                self.tree.folder.clone_from(first);
                self.step = Step::Known(folders.into_iter().collect());
                true
            }
            (Err(_), Ok(entries)) => {
                self.tree.folder = format!("{name}/Lib/site-packages");
                self.packages(entries);
                true
            }
            (Err(ProbeError::NotFound), Err(_)) => false,
            (Err(error), Err(_)) => {
                self.tree.folder = format!("{name}/lib");
                self.tree.failed(None, &format!("{name}/lib"), &error);
                true
            }
        }
    }

    fn packages(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.kind == EntryKind::Folder) {
            // The name has no hyphen, and a version none but before a build, which is no part of it here.
            let told = entry.name.strip_suffix(".dist-info").and_then(|told| told.split_once('-'));
            if let Some((name, version)) = told.and_then(|(name, version)| Some((pypi_name(name)?, version)))
            {
                self.tree.add(&name, version);
            }
        }
    }
}
