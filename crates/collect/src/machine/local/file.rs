//! Files and folders of this machine. Never blocks on a pipe or a device: only regular files are opened.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Access, OFlags};
use sha2::{Digest, Sha256};

use super::super::{Candidate, Entry, EntryKind, FileContent, Find, Found, Keep, ProbeError};
use crate::machine::{MAX_FOLDERS, NOT_A_FILE, NOT_A_FOLDER, Rest, redacted_content, window};

/// A larger file is not hashed.
const MAX_HASHED: u64 = 4 << 30;

/// Lines are looked for in so much of a file.
const MAX_LOOKED_AT: usize = 256 << 20;

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
    content(&mut open(path)?, max_bytes, keep).map_err(|e| failure(&e))
}

/// The wanted part of a file's bytes, wherever they are read from.
pub(crate) fn content(from: &mut impl Read, max_bytes: usize, keep: &Keep) -> io::Result<FileContent> {
    let most = window(max_bytes);
    // One byte more tells that the file goes on.
    let limit = most.saturating_add(1);
    let (bytes, mut rest) = match keep {
        Keep::All => {
            let mut bytes = Vec::new();
            from.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
            (bytes, Rest::Nothing)
        }
        Keep::LinesStartingWith(starts) => lines(from, starts, limit)?,
    };
    if bytes.len() > most {
        rest = Rest::More;
    }
    Ok(redacted_content(&bytes, max_bytes, rest))
}

/// Lines that start with one of `starts`, up to `most` bytes; holds no more than that, one block, and
/// the beginning of one line.
fn lines(file: &mut impl Read, starts: &[String], most: usize) -> io::Result<(Vec<u8>, Rest)> {
    let longest = starts.iter().map(String::len).max().unwrap_or_default();
    let fits = |line: &[u8]| starts.iter().any(|start| line.starts_with(start.as_bytes()));
    let mut kept = Vec::new();
    // What there is of a line that a block's end cut before it could be told; then what was told of it.
    let mut begun: Vec<u8> = Vec::new();
    let mut told: Option<bool> = None;
    let mut looked_at = 0;
    let mut block = vec![0; 64 * 1024];
    while kept.len() < most {
        let count = file.read(&mut block)?;
        if count == 0 {
            if fits(&begun) {
                kept.append(&mut begun);
            }
            return Ok((kept, Rest::Nothing));
        }
        looked_at += count;
        if looked_at > MAX_LOOKED_AT {
            return Ok((kept, Rest::More));
        }
        let mut rest = block.get(..count).unwrap_or_default();
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (piece, after) = rest.split_at(end);
            rest = after;
            let ended = piece.ends_with(b"\n");
            match told {
                Some(true) => kept.extend_from_slice(piece),
                Some(false) => {}
                None if begun.is_empty() && (ended || piece.len() >= longest) => {
                    if fits(piece) {
                        kept.extend_from_slice(piece);
                    }
                    told = Some(fits(piece));
                }
                None => {
                    begun.extend_from_slice(piece);
                    if ended || begun.len() >= longest {
                        told = Some(fits(&begun));
                        if fits(&begun) {
                            kept.append(&mut begun);
                        }
                        begun.clear();
                    }
                }
            }
            if ended {
                told = None;
            }
        }
    }
    kept.truncate(most);
    Ok((kept, Rest::More))
}

/// A file's SHA-256, in hex.
pub(super) fn sha256(path: &Path) -> Result<String, ProbeError> {
    let mut file = open(path)?;
    let too_large = || ProbeError::TooLarge(usize::try_from(MAX_HASHED).unwrap_or(usize::MAX));
    if file.metadata().map_err(|e| failure(&e))?.size() > MAX_HASHED {
        return Err(too_large());
    }
    let mut hash = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    let mut left = MAX_HASHED;
    loop {
        let count = file.read(&mut block).map_err(|e| failure(&e))?;
        if count == 0 {
            return Ok(crate::secret::hex(&hash.finalize()));
        }
        hash.update(block.get(..count).unwrap_or_default());
        // It may grow while it is read.
        left = left.checked_sub(u64::try_from(count).unwrap_or(u64::MAX)).ok_or_else(too_large)?;
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

/// Files by name, and the folders that can't be looked into: a project often holds a few that belong to others
/// (a database's data).
pub(super) fn find(root: &Path, find: &Find) -> Result<Found, ProbeError> {
    if !root.metadata().map_err(|e| failure(&e))?.is_dir() {
        return Err(ProbeError::Failed(NOT_A_FOLDER.to_owned()));
    }
    root.read_dir().map_err(|e| failure(&e))?;
    let mut found = Found::default();
    let mut folders = vec![(String::new(), 1)];
    let mut seen = 1;
    while let Some((folder, depth)) = folders.pop() {
        let path = root.join(&folder);
        // Without the right to enter it, a folder's names lead nowhere.
        let entries = if may_execute(&path) { path.read_dir().ok() } else { None };
        let Some(entries) = entries else {
            found.unreadable.push(folder);
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(kind) = entry.file_type() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if kind.is_dir() && name != ".git" && !find.prune.contains(&name) {
                // As the far side counts: also those that are as deep as the search goes.
                seen += 1;
                if seen > MAX_FOLDERS {
                    return Err(ProbeError::TooLarge(MAX_FOLDERS));
                }
                if depth < find.max_depth {
                    folders.push((path, depth + 1));
                }
            } else if kind.is_file() && find.names.iter().any(|n| crate::machine::name_fits(n, &name)) {
                found.paths.push(path);
                if found.paths.len() > find.max_entries {
                    return Err(ProbeError::TooLarge(find.max_entries));
                }
            }
        }
    }
    found.paths.sort();
    found.unreadable.sort();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_chosen_wherever_blocks_end() {
        let check = |text: &str, starts: &[&str], most: usize, expected: &str, rest: Rest| {
            let starts: Vec<String> = starts.iter().map(ToString::to_string).collect();
            for step in [1, 2, 3, 7, 1000] {
                struct Slow<'a>(&'a [u8], usize);
                impl Read for Slow<'_> {
                    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
                        let most = self.1.min(block.len());
                        self.0.read(&mut block[..most])
                    }
                }
                let (kept, left) = lines(&mut Slow(text.as_bytes(), step), &starts, most).unwrap();
                assert_eq!((String::from_utf8(kept).unwrap().as_str(), left), (expected, rest), "{step}");
            }
        };
        check("", &["a"], 9, "", Rest::Nothing);
        check("a=1\nb=2\nab=3", &["a"], 99, "a=1\nab=3", Rest::Nothing);
        check("a=1\n\nb=2\na", &["ab", "b="], 99, "b=2\n", Rest::Nothing);
        check("ab", &["abc"], 99, "", Rest::Nothing);
        check("x\ny", &[""], 99, "x\ny", Rest::Nothing);
        check("x\ny", &[], 99, "", Rest::Nothing);
        check("a1\na2\na3\n", &["a"], 4, "a1\na", Rest::More);
    }

    #[test]
    fn a_sparse_file_is_not_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(sha256(&path), Err(ProbeError::TooLarge(4 << 30)));
        let (kept, rest) = lines(&mut io::repeat(b'x'), &["y".to_owned()], 9).unwrap();
        assert_eq!((kept.len(), rest), (0, Rest::More));
    }

    #[test]
    fn a_search_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        for a in 0..142 {
            for b in 0..141 {
                std::fs::create_dir_all(folder.path().join(format!("{a}/{b}"))).unwrap();
            }
        }
        let mut wanted = Find {
            root: String::new(),
            names: vec!["x".to_owned()],
            prune: Vec::new(),
            max_depth: 3,
            max_entries: 9,
        };
        assert_eq!(find(folder.path(), &wanted), Err(ProbeError::TooLarge(MAX_FOLDERS)));
        wanted.max_depth = 1;
        assert_eq!(find(folder.path(), &wanted), Ok(Found::default()));
    }
}
