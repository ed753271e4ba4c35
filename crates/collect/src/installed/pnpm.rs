//! `node_modules` as pnpm lays it out: every package once in `.pnpm/<name>@<version>/node_modules/<name>`, and links to
//! them. Which of these are in use is in its own copy of the lockfile, `.pnpm/lock.yaml`, as it keeps others for a while;
//! the versions are those of the packages' own `package.json`.

use std::collections::BTreeMap;

use parallax_model::GapKind;

use super::Tree;
use super::node::{AT_ONCE, MAX_MANIFEST_BYTES, take_manifest};
use crate::lockfile::{self, Files, Package};
use crate::machine::{Batch, Entry, FileContent, ProbeError, Replies, Ticket};

const LOCK: &str = "node_modules/.pnpm/lock.yaml";
/// pnpm cuts and hashes longer names of folders; so long a name and version are taken from its lockfile.
const LONG: usize = 60;

/// A look at pnpm's store within a project.
pub(super) struct Pnpm {
    waiting: Vec<String>,
    asked: Vec<(String, Ticket<FileContent>)>,
}

impl Pnpm {
    /// Begins with the names of the store's folders, and pnpm's own copy of the lockfile.
    pub(super) fn new(folders: &[Entry], lock: Result<&FileContent, ProbeError>, tree: &mut Tree) -> Self {
        let mut own = Self { waiting: Vec::new(), asked: Vec::new() };
        let packages = match lock {
            Ok(content) if content.truncated => Err((GapKind::TooLarge, "too large".to_owned())),
            Ok(content) => read(content).map_err(|why| (GapKind::NotParsed, why)),
            Err(error) => Err((error.gap_kind().unwrap_or(GapKind::Failed), error.to_string())),
        };
        match packages {
            Ok(packages) => own.look_for(&packages, folders, tree),
            Err((kind, why)) => tree.miss(None, kind, &format!("{LOCK}: {why}")),
        }
        own
    }

    fn look_for(&mut self, packages: &[Package], folders: &[Entry], tree: &mut Tree) {
        let folders: BTreeMap<&str, ()> = folders.iter().map(|folder| (folder.name.as_str(), ())).collect();
        for package in packages {
            let begins = format!("{}@{}", package.name.replace('/', "+"), package.version);
            let fits = |folder: &&str| {
                folder
                    .strip_prefix(begins.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '(']))
            };
            let from = folders.range(begins.as_str()..).map(|(folder, ())| *folder);
            let mut near = from.take_while(|folder| folder.starts_with(begins.as_str()));
            match near.find(fits) {
                Some(folder) if is_plain(&package.name) => {
                    self.waiting.push(format!("node_modules/.pnpm/{folder}/node_modules/{}", package.name));
                }
                Some(_) => {}
                // Of what is from elsewhere the folder's name tells no version.
                None if package.origin.is_some() || begins.len() > LONG => {
                    tree.add(&package.name, &package.version);
                }
                None => {}
            }
        }
    }

    /// Asks for the packages' own manifests.
    pub(super) fn ask(&mut self, batch: &mut Batch, root: &str) {
        let rest = self.waiting.len().saturating_sub(AT_ONCE);
        for place in self.waiting.split_off(rest) {
            let ticket = batch.read(format!("{root}/{place}/package.json"), MAX_MANIFEST_BYTES);
            self.asked.push((place, ticket));
        }
    }

    /// Takes the answers.
    pub(super) fn take(&mut self, replies: &Replies, tree: &mut Tree) {
        for (place, ticket) in std::mem::take(&mut self.asked) {
            // What it brings along is in no lockfile.
            let _bundles = take_manifest(&place, replies.get(ticket), tree);
        }
    }
}

fn read(content: &FileContent) -> Result<Vec<Package>, String> {
    let none = BTreeMap::new();
    let reader = lockfile::by_path("pnpm-lock.yaml").and_then(|format| format.read);
    let reader = reader.ok_or("no reader")?;
    let locked = reader(&Files::new(LOCK, &content.bytes, &none)).map_err(|error| error.to_string())?;
    Ok(locked.packages)
}

/// Whether a name that a file tells leads to no other folder.
fn is_plain(name: &str) -> bool {
    name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
