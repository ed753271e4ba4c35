//! `node_modules`, as npm, Yarn and Bun lay it out: a folder for each package, those that differ below folders of their own.
//! pnpm's is handed on to [`super::pnpm`].
//!
//! npm keeps a note of all places (`node_modules/.package-lock.json`): with it everything is asked for at once, and without
//! it level by level. Either way the versions are those of the packages' own `package.json`. Links are the project's own
//! workspaces and are not followed.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use parallax_model::GapKind;
use serde::Deserialize;

use super::pnpm::Pnpm;
use super::{Look, MAX_ENTRIES, MAX_PACKAGES, Tree};
use crate::lockfile::json::{Entries, Text, Texts};
use crate::machine::{Batch, Entry, EntryKind, FileContent, ProbeError, Replies, Ticket};

const FOLDER: &str = "node_modules";
const MAX_NOTE_BYTES: usize = 64 << 20;
/// A larger `package.json` is not read.
pub(super) const MAX_MANIFEST_BYTES: usize = 1 << 20;
/// So many packages are asked for at once.
pub(super) const AT_ONCE: usize = 8_000;

/// Begins to look at a folder's tree.
pub(super) fn look(root: &str) -> Box<dyn Look> {
    Box::new(Node { root: root.to_owned(), step: Step::Begin, tree: Tree::at(FOLDER), ..Node::default() })
}

#[derive(Default)]
struct Node {
    root: String,
    step: Step,
    tree: Tree,
    /// Whether npm's note was there: its lockfiles have the packages that others bring along.
    noted: bool,
    /// Whether there are links, which may be all that another layout shows.
    linked: bool,
    /// Packages and folders that were seen and wait to be looked at, relative to the root.
    packages: BTreeSet<String>,
    folders: BTreeSet<String>,
    seen: HashSet<String>,
}

#[derive(Default)]
enum Step {
    #[default]
    Begin,
    Begun {
        top: Ticket<Vec<Entry>>,
        store: Ticket<Vec<Entry>>,
        note: Ticket<FileContent>,
        lock: Ticket<FileContent>,
    },
    Walk(Vec<Asked>),
    Pnpm(Box<Pnpm>),
    Done,
}

enum Asked {
    Package { place: String, manifest: Ticket<FileContent>, inner: Ticket<Vec<Entry>> },
    Folder { place: String, entries: Ticket<Vec<Entry>> },
}

/// What a package says of itself.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Manifest<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) version: Text<'a>,
    #[serde(borrow)]
    bundle_dependencies: Bundled<'a>,
    #[serde(borrow)]
    bundled_dependencies: Bundled<'a>,
}

/// Names, or whether all are.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bundled<'a> {
    All(bool),
    Names(#[serde(borrow)] Texts<'a>),
}

impl Default for Bundled<'_> {
    fn default() -> Self {
        Self::All(false)
    }
}

impl Bundled<'_> {
    fn any(&self) -> bool {
        match self {
            Self::All(all) => *all,
            Self::Names(names) => !names.0.is_empty(),
        }
    }
}

/// npm's note of what it installed, and where.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Note<'a> {
    #[serde(borrow)]
    packages: Entries<'a, Noted>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Noted {
    link: Option<bool>,
}

impl Look for Node {
    fn ask(&mut self, batch: &mut Batch) {
        match &mut self.step {
            Step::Begin => {
                let at = |name: &str| format!("{}/{FOLDER}{name}", self.root);
                self.step = Step::Begun {
                    top: batch.list(at(""), MAX_ENTRIES),
                    store: batch.list(at("/.pnpm"), MAX_ENTRIES),
                    note: batch.read(at("/.package-lock.json"), MAX_NOTE_BYTES),
                    lock: batch.read(at("/.pnpm/lock.yaml"), MAX_NOTE_BYTES),
                };
            }
            Step::Walk(_) => self.ask_next(batch),
            Step::Pnpm(pnpm) => pnpm.ask(batch, &self.root),
            Step::Begun { .. } | Step::Done => {}
        }
    }

    fn take(&mut self, replies: &Replies) {
        match std::mem::take(&mut self.step) {
            Step::Begin | Step::Done => self.step = Step::Done,
            Step::Begun { top, store, note, lock } => match replies.get(store) {
                Ok(folders) => {
                    self.step = Step::Pnpm(Box::new(Pnpm::new(folders, replies.get(lock), &mut self.tree)));
                }
                Err(_) => self.begin(replies.get(top), replies.get(note)),
            },
            Step::Walk(asked) => {
                for asked in asked {
                    self.take_one(asked, replies);
                }
                self.step = Step::Walk(Vec::new());
            }
            Step::Pnpm(mut pnpm) => {
                pnpm.take(replies, &mut self.tree);
                self.step = Step::Pnpm(pnpm);
            }
        }
    }

    fn found(mut self: Box<Self>) -> Option<Tree> {
        if self.linked && self.tree.packages.is_empty() {
            let why = format!("{FOLDER}: holds links alone, as of a layout that is not read");
            self.tree.miss(None, GapKind::Unsupported, &why);
        }
        self.tree.told()
    }
}

impl Node {
    fn begin(&mut self, top: Result<&Vec<Entry>, ProbeError>, note: Result<&FileContent, ProbeError>) {
        match top {
            Ok(entries) => self.enter(FOLDER, entries),
            Err(error) => {
                self.tree.failed(None, FOLDER, &error);
                self.step = Step::Done;
                return;
            }
        }
        // A note that can't be read costs round trips, nothing else.
        let note = note.ok().filter(|note| !note.truncated);
        if let Some(note) = note.and_then(|note| serde_json::from_slice::<Note<'_>>(&note.bytes).ok()) {
            self.noted = true;
            let places = note.packages.0.iter().filter(|(_, noted)| noted.link != Some(true));
            for (place, _) in places.filter(|(place, _)| is_place(place)) {
                self.wait(place);
            }
        }
        self.step = Step::Walk(Vec::new());
    }

    /// Takes note of what a `node_modules` folder, or one of a scope, holds.
    fn enter(&mut self, folder: &str, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| !entry.name.starts_with('.')) {
            let place = format!("{folder}/{}", entry.name);
            match entry.kind {
                EntryKind::Folder if entry.name.starts_with('@') => {
                    if self.seen.insert(place.clone()) {
                        self.folders.insert(place);
                    }
                }
                EntryKind::Folder => self.wait(&place),
                EntryKind::Link => self.linked = true,
                EntryKind::File | EntryKind::Other => {}
            }
        }
    }

    fn wait(&mut self, place: &str) {
        if self.seen.len() < MAX_PACKAGES {
            if self.seen.insert(place.to_owned()) {
                self.packages.insert(place.to_owned());
            }
        } else if self.seen.len() == MAX_PACKAGES {
            self.seen.insert(place.to_owned());
            let why = format!("{FOLDER}: more than {MAX_PACKAGES} packages");
            self.tree.miss(None, GapKind::TooLarge, &why);
        }
    }

    fn ask_next(&mut self, batch: &mut Batch) {
        let mut asked = Vec::new();
        while let Some(place) = self.folders.pop_first() {
            let entries = batch.list(format!("{}/{place}", self.root), MAX_ENTRIES);
            asked.push(Asked::Folder { place, entries });
        }
        while asked.len() < AT_ONCE {
            let Some(place) = self.packages.pop_first() else { break };
            let at = format!("{}/{place}", self.root);
            let manifest = batch.read(format!("{at}/package.json"), MAX_MANIFEST_BYTES);
            let inner = batch.list(format!("{at}/{FOLDER}"), MAX_ENTRIES);
            asked.push(Asked::Package { place, manifest, inner });
        }
        self.step = Step::Walk(asked);
    }

    fn take_one(&mut self, asked: Asked, replies: &Replies) {
        let (place, manifest, inner) = match asked {
            Asked::Package { place, manifest, inner } => (place, manifest, inner),
            Asked::Folder { place, entries } => {
                match replies.get(entries) {
                    Ok(entries) => self.enter(&place, entries),
                    Err(error) => self.tree.failed(None, &place, &error),
                }
                return;
            }
        };
        // A folder without a manifest is no package, and what is in it is nobody's.
        let Some(bundles) = take_manifest(&place, replies.get(manifest), &mut self.tree) else { return };
        // What a package brought along is in no lockfile but npm's.
        if bundles && !self.noted {
            return;
        }
        let inner_folder = format!("{place}/{FOLDER}");
        match replies.get(inner) {
            Ok(entries) => self.enter(&inner_folder, entries),
            Err(error) => self.tree.failed(None, &inner_folder, &error),
        }
    }
}

/// Adds the package at a place; gives whether it brings others along, and nothing where there is none.
pub(super) fn take_manifest(
    place: &str,
    manifest: Result<&FileContent, ProbeError>,
    tree: &mut Tree,
) -> Option<bool> {
    let by_place = place.rsplit_once("node_modules/").map_or(place, |(_, name)| name);
    let file = || format!("{place}/package.json");
    let content = match manifest {
        Ok(content) if content.truncated => Err(ProbeError::TooLarge(MAX_MANIFEST_BYTES)),
        other => other,
    };
    let content = match content {
        Ok(content) => content,
        Err(error) => {
            tree.failed(Some(by_place), &file(), &error);
            return None;
        }
    };
    let bytes = content.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content.bytes);
    let Ok(manifest) = serde_json::from_slice::<Manifest<'_>>(bytes) else {
        tree.miss(Some(by_place), GapKind::NotParsed, &format!("{}: not a package.json", file()));
        return None;
    };
    let version = manifest.version.said().unwrap_or_default();
    let version = version.trim_start_matches(['v', '=', ' ']).trim_end();
    let name: Cow<'_, str> = manifest.name.said().map_or(by_place.into(), Into::into);
    tree.add(&name, version);
    Some(manifest.bundle_dependencies.any() || manifest.bundled_dependencies.any())
}

/// Whether a place of npm's note is one within `node_modules`, so that nothing else is read by what a file says.
fn is_place(place: &str) -> bool {
    let inner = place.strip_prefix("node_modules/");
    inner.is_some_and(|inner| inner.split('/').all(|part| !matches!(part, "" | "." | "..")))
}
