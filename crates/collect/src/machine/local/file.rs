//! Files and folders of this machine. Never blocks on a pipe or a device: only regular files are opened.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Access, OFlags};
use sha2::{Digest, Sha256};

use super::super::{Candidate, Entry, EntryKind, FileContent, Find, Keep, ProbeError};
use crate::machine::{NOT_A_FILE, NOT_A_FOLDER, redacted_content, window};

/// What an error of the file system means for a probe.
pub(super) fn failure(error: &io::Error) -> ProbeError {
    // A path with a NUL in it is InvalidInput: there is no such file anywhere.
    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidInput) {
        ProbeError::NotFound
    } else if error.kind() == ErrorKind::PermissionDenied {
        ProbeError::Permission
    } else if error.kind() == ErrorKind::WouldBlock {
        // `/proc/kmsg` calls itself a regular file.
        ProbeError::Failed(NOT_A_FILE.to_owned())
    } else {
        ProbeError::Failed(error.to_string())
    }
}

fn open(path: &Path) -> Result<File, ProbeError> {
    let is_file =
        |found: &Metadata| found.is_file().then_some(()).ok_or(ProbeError::Failed(NOT_A_FILE.to_owned()));
    // Asked before opening, as opening a device can do things.
    is_file(&path.metadata().map_err(|e| failure(&e))?)?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let flags = i32::try_from(flags).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|e| failure(&e))?;
    is_file(&file.metadata().map_err(|e| failure(&e))?)?;
    Ok(file)
}

/// The wanted part of a file.
pub(super) fn read(path: &Path, max_bytes: usize, keep: &Keep) -> Result<FileContent, ProbeError> {
    let mut file = open(path)?;
    let most = window(max_bytes);
    let bytes = match keep {
        Keep::All => {
            let mut bytes = Vec::new();
            let limit = u64::try_from(most).unwrap_or(u64::MAX);
            file.take(limit).read_to_end(&mut bytes).map_err(|e| failure(&e))?;
            bytes
        }
        Keep::LinesStartingWith(starts) => lines(&mut file, starts, most).map_err(|e| failure(&e))?,
    };
    Ok(redacted_content(&bytes, max_bytes))
}

/// Lines that start with one of `starts`, up to `most` bytes; holds no more than that and one block.
fn lines(file: &mut File, starts: &[String], most: usize) -> io::Result<Vec<u8>> {
    enum Line {
        /// Not yet told: what there is of it.
        Open(Vec<u8>),
        Wanted,
        Unwanted,
    }
    let longest = starts.iter().map(String::len).max().unwrap_or_default();
    let fits = |line: &[u8]| starts.iter().any(|start| line.starts_with(start.as_bytes()));
    let mut kept = Vec::new();
    let mut line = Line::Open(Vec::new());
    let mut block = vec![0; 64 * 1024];
    while kept.len() < most {
        let count = file.read(&mut block)?;
        let ended = count == 0;
        for piece in block.get(..count).unwrap_or_default().split_inclusive(|b| *b == b'\n') {
            if let Line::Open(begun) = &mut line {
                begun.extend_from_slice(piece);
                if begun.len() >= longest || piece.ends_with(b"\n") {
                    let wanted = fits(begun);
                    if wanted {
                        kept.append(begun);
                    }
                    line = if wanted { Line::Wanted } else { Line::Unwanted };
                }
            } else if matches!(line, Line::Wanted) {
                kept.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                line = Line::Open(Vec::new());
            }
        }
        if ended {
            if let Line::Open(begun) = &line
                && !begun.is_empty()
                && fits(begun)
            {
                kept.extend_from_slice(begun);
            }
            break;
        }
    }
    kept.truncate(most);
    Ok(kept)
}

/// A file's SHA-256, in hex.
pub(super) fn sha256(path: &Path) -> Result<String, ProbeError> {
    let mut file = open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut block).map_err(|e| failure(&e))?;
        if count == 0 {
            return Ok(crate::secret::hex(&hash.finalize()));
        }
        hash.update(block.get(..count).unwrap_or_default());
    }
}

/// The names in a folder.
pub(super) fn list(path: &Path, max_entries: usize) -> Result<Vec<Entry>, ProbeError> {
    if !path.metadata().map_err(|e| failure(&e))?.is_dir() {
        return Err(ProbeError::Failed(NOT_A_FOLDER.to_owned()));
    }
    let mut entries = Vec::new();
    for entry in path.read_dir().map_err(|e| failure(&e))? {
        let entry = entry.map_err(|e| failure(&e))?;
        let kind = match entry.file_type().map_err(|e| failure(&e))? {
            t if t.is_symlink() => EntryKind::Link,
            t if t.is_dir() => EntryKind::Folder,
            t if t.is_file() => EntryKind::File,
            _ => EntryKind::Other,
        };
        entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), kind });
        if entries.len() > max_entries {
            return Err(ProbeError::TooLarge(max_entries));
        }
    }
    entries.sort();
    Ok(entries)
}

/// Files by name. Folders that can't be read are passed over: a project often holds a few that belong to others
/// (a database's data).
pub(super) fn find(root: &Path, find: &Find) -> Result<Vec<String>, ProbeError> {
    if !root.metadata().map_err(|e| failure(&e))?.is_dir() {
        return Err(ProbeError::Failed(NOT_A_FOLDER.to_owned()));
    }
    root.read_dir().map_err(|e| failure(&e))?;
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), 1)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = root.join(&folder).read_dir() else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(kind) = entry.file_type() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if kind.is_dir() {
                if depth < find.max_depth && name != ".git" && !find.prune.contains(&name) {
                    folders.push((path, depth + 1));
                }
            } else if kind.is_file() && find.names.iter().any(|n| crate::machine::name_fits(n, &name)) {
                found.push(path);
                if found.len() > find.max_entries {
                    return Err(ProbeError::TooLarge(find.max_entries));
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether this account may execute a file.
pub(super) fn may_execute(path: &Path) -> bool {
    rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// A command's file, if the path is one.
pub(super) fn candidate(name: &str, path: &Path) -> Option<Candidate> {
    let found = path.metadata().ok().filter(Metadata::is_file)?;
    if !may_execute(path) {
        return None;
    }
    let mut head = Vec::new();
    if let Ok(file) = open(path) {
        // What can't be read has no head.
        let _bytes = file.take(64).read_to_end(&mut head);
    }
    let resolved = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Some(Candidate {
        name: name.to_owned(),
        path: path.to_string_lossy().into_owned(),
        resolved: resolved.to_string_lossy().into_owned(),
        size: found.size(),
        mtime: found.mtime(),
        inode: found.ino(),
        head,
    })
}
