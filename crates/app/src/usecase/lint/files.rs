//! Which files are looked at: those that were named, and below folders those whose names are known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parallax_collect::lockfile;
use parallax_collect::machine::{Batch, Find, Local, Machine};
use parallax_collect::reference;

use super::Unread;
use crate::error::AppError;
use crate::usecase::Context;

/// More is not read of one file.
const MOST_BYTES: u64 = 1 << 20;
const MOST_LOCK_BYTES: u64 = 64 << 20;
/// How far down, and how many.
const MOST_DEPTH: usize = 12;
const MOST_FILES: usize = 20_000;
/// Whose lockfiles can be held against a registry.
const ECOSYSTEMS: [&str; 3] = ["npm", "pypi", "cargo"];

/// A file that was read.
pub(super) struct File {
    /// As the user would name it.
    pub(super) shown: String,
    /// Its whole path.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Whether it was named itself.
    pub(super) origin: Origin,
}

/// Why a file is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The user named it.
    Named,
    /// It was found below a folder.
    Found,
}

/// All that is looked at.
pub(super) struct Looked {
    pub(super) files: Vec<File>,
    pub(super) folders: Vec<Folder>,
    pub(super) unread: Vec<Unread>,
}

/// A folder that was named.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// What stands before the names of its files.
    pub(super) shown: String,
}

impl File {
    /// The text, where it is UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        str::from_utf8(&self.bytes).ok()
    }

    /// Whether it is a lockfile that a registry can be asked about.
    pub(super) fn is_lockfile(&self) -> bool {
        lockfile::by_path(&self.name).is_some_and(|format| ECOSYSTEMS.contains(&format.ecosystem))
    }
}

/// Finds and reads the files.
pub(super) fn look(paths: &[PathBuf], context: &Context) -> Result<Looked, AppError> {
    let mut all: BTreeMap<String, (PathBuf, Origin)> = BTreeMap::new();
    let mut looked = Looked { files: Vec::new(), folders: Vec::new(), unread: Vec::new() };
    let here = [context.config.folder.clone()];
    for path in if paths.is_empty() { &here } else { paths } {
        let full = context.folder.join(path);
        let metadata = full.metadata().map_err(|e| AppError::io("read", path.display(), &e))?;
        if metadata.is_dir() {
            let folder = Folder { shown: prefix(&full, &context.folder), path: full };
            below(&folder, &mut all, &mut looked.unread)?;
            looked.folders.push(folder);
        } else {
            all.insert(path.display().to_string(), (full, Origin::Named));
        }
    }
    for (shown, (full, origin)) in all {
        // The folders around it tell what it is (`.github/workflows/ci.yml`), wherever the user stands.
        let name = full.display().to_string();
        let most = if lockfile::by_path(&name).is_some() { MOST_LOCK_BYTES } else { MOST_BYTES };
        match read(&full, most) {
            Ok(bytes) => looked.files.push(File { shown, name, bytes, origin }),
            Err(why) if origin == Origin::Found => looked.unread.push(Unread { path: shown, why }),
            Err(why) => return Err(AppError::usage(format!("cannot read `{shown}`")).caused_by(why)),
        }
    }
    Ok(looked)
}

/// What stands before the names of a folder's files: nothing for the one that the user stands in.
fn prefix(folder: &Path, stands: &Path) -> String {
    let shown = folder.strip_prefix(stands).unwrap_or(folder).display().to_string();
    let shown = shown.trim_start_matches("./").trim_end_matches(['/', '.']).to_owned();
    if shown.is_empty() && folder.starts_with(stands) { shown } else { format!("{shown}/") }
}

fn below(
    folder: &Folder,
    all: &mut BTreeMap<String, (PathBuf, Origin)>,
    unread: &mut Vec<Unread>,
) -> Result<(), AppError> {
    let root = folder.path.display().to_string();
    let locks = lockfile::FORMATS.iter().filter(|format| ECOSYSTEMS.contains(&format.ecosystem));
    let examples = [".env.example", ".env.sample", ".env.template", ".env.dist"];
    let names = reference::NAMES.iter().copied().chain(locks.map(|format| format.name)).chain(examples);
    let mut batch = Batch::new();
    let ticket = batch.find(Find {
        root: root.clone(),
        names: names.map(str::to_owned).collect(),
        prune: reference::PRUNE.iter().map(ToString::to_string).collect(),
        max_depth: MOST_DEPTH,
        max_entries: MOST_FILES,
    });
    let failed = |why: String| AppError::unobserved(format!("cannot look into `{root}`")).caused_by(why);
    let replies = Local::new(None).run(&batch).map_err(|e| failed(e.to_string()))?;
    let found = replies.get(ticket).map_err(|e| failed(e.to_string()))?;
    for name in &found.paths {
        let full = folder.path.join(name);
        all.entry(format!("{}{name}", folder.shown)).or_insert((full, Origin::Found));
    }
    for path in &found.unreadable {
        let why = "this folder can't be looked into".to_owned();
        unread.push(Unread { path: format!("{}{path}", folder.shown), why });
    }
    Ok(())
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    if !file.metadata().map_err(|e| e.to_string())?.is_file() {
        return Err("not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        return Err(format!("it is larger than {} MiB", most >> 20));
    }
    Ok(bytes)
}
