//! Files by their names in a folder or in a tar archive of one: what an OCI layout and a file of `docker save` are made
//! of. An archive stays where it is, and is read at the place of each member.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compressed;
use super::tape::{MemberKind, Tape};

/// An archive has at most so many members.
const MOST_MEMBERS: usize = 100_000;
/// Links within an archive lead so far.
const MOST_LINKS: usize = 8;

/// A folder, or an archive of one.
#[derive(Debug)]
pub(super) struct Pack {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Tar { file: Arc<File>, members: BTreeMap<String, Found> },
}

/// What an archive has under a name.
#[derive(Debug)]
enum Found {
    File {
        offset: u64,
        size: u64,
    },
    /// An older `docker save` writes a layer that it has twice as a link.
    Link(String),
}

impl Pack {
    /// Opens a folder or an archive. One that is compressed is unpacked into a file without a name, in the first of the
    /// folders for temporary files that has room.
    #[expect(clippy::disallowed_methods, reason = "here an image is made real from a local file")]
    pub(super) fn open(path: &Path, temporary: &[&Path]) -> io::Result<Self> {
        if path.is_dir() {
            return Ok(Self { place: Place::Folder(path.to_path_buf()) });
        }
        let mut file = File::open(path)?;
        let mut head = [0; 4];
        let is_compressed = file.read_exact(&mut head).is_ok()
            && (head.starts_with(&[0x1f, 0x8b]) || head == [0x28, 0xb5, 0x2f, 0xfd]);
        file.seek(SeekFrom::Start(0))?;
        if is_compressed {
            file = unpacked(file, temporary)?;
        }
        let mut members = BTreeMap::new();
        let mut tape = Tape::new(io::BufReader::with_capacity(256 << 10, file.try_clone()?));
        while let Some(member) = tape.next()? {
            let name = member.path.trim_start_matches("./").trim_end_matches('/').to_owned();
            let found = match member.kind {
                MemberKind::File => Found::File { offset: member.offset, size: member.size },
                MemberKind::Link(target) => Found::Link(beside(&name, &target)),
                MemberKind::HardLink(target) => Found::Link(beside("", &target)),
                MemberKind::Sparse | MemberKind::Folder | MemberKind::Other => continue,
            };
            members.insert(name, found);
            if members.len() > MOST_MEMBERS {
                return Err(io::Error::new(compressed::TOO_MUCH, "it has too many members"));
            }
        }
        Ok(Self { place: Place::Tar { file: Arc::new(file), members } })
    }

    /// A file's bytes and how many they are; `NotFound` where there is none of that name.
    #[expect(clippy::disallowed_methods, reason = "here an image is made real from a local file")]
    pub(super) fn file(&self, name: &str) -> io::Result<(Box<dyn Read + Send>, u64)> {
        match &self.place {
            Place::Folder(folder) => {
                // What an image's own files name never leads out of the folder.
                if name.is_empty() || name.split('/').any(|s| matches!(s, "" | "." | "..")) {
                    return Err(ErrorKind::NotFound.into());
                }
                let path = folder.join(name);
                let found = std::fs::metadata(&path)?;
                if !found.is_file() {
                    return Err(ErrorKind::NotFound.into());
                }
                Ok((Box::new(File::open(path)?), found.len()))
            }
            Place::Tar { file, members } => {
                let mut name = name.to_owned();
                for _ in 0..MOST_LINKS {
                    match members.get(&name) {
                        Some(Found::File { offset, size }) => {
                            let slice = Slice { file: Arc::clone(file), at: *offset, left: *size };
                            return Ok((Box::new(slice), *size));
                        }
                        Some(Found::Link(target)) => name.clone_from(target),
                        None => break,
                    }
                }
                Err(ErrorKind::NotFound.into())
            }
        }
    }

    /// A small file, whole.
    pub(super) fn read(&self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        let (from, size) = self.file(name)?;
        if size > most {
            return Err(io::Error::new(compressed::TOO_MUCH, format!("it is larger than {} MB", most >> 20)));
        }
        let mut bytes = Vec::new();
        from.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn unpacked(file: File, temporary: &[&Path]) -> io::Result<File> {
    let mut from = compressed::open(Box::new(file), compressed::FREE)?;
    let room = temporary.iter().find_map(|folder| tempfile::tempfile_in(folder).ok());
    let mut to = room.ok_or_else(|| io::Error::other("no folder for temporary files can be written to"))?;
    let most = 32 << 30;
    if io::copy(&mut from.by_ref().take(most), &mut to)? == most {
        return Err(io::Error::new(
            compressed::TOO_MUCH,
            format!("it unpacks to more than {} GiB", most >> 30),
        ));
    }
    to.seek(SeekFrom::Start(0))?;
    Ok(to)
}

/// The name that a link within the archive leads to.
fn beside(name: &str, target: &str) -> String {
    let mut out: Vec<&str> = name.split('/').collect();
    out.pop();
    for segment in target.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                out.pop();
            }
            segment => out.push(segment),
        }
    }
    out.join("/")
}

/// A part of an archive.
struct Slice {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Slice {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let Some(into) = into.get_mut(..most).filter(|into| !into.is_empty()) else { return Ok(0) };
        let count = std::os::unix::fs::FileExt::read_at(self.file.as_ref(), into, self.at)?;
        if count == 0 {
            return Err(io::Error::new(ErrorKind::InvalidData, "the archive ends within a member"));
        }
        let counted = u64::try_from(count).unwrap_or_default();
        self.at += counted;
        self.left = self.left.saturating_sub(counted);
        Ok(count)
    }
}
