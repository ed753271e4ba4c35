//! The bytes of an image's files, in one file that has no name: whatever ends this process ends the file.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    /// The file's size.
    pub(crate) size: u64,
    /// Where its bytes begin.
    pub(super) offset: u64,
    /// How many of them are kept: all, or those at its beginning.
    pub(super) kept: u64,
}

impl Content {
    /// Whether all of it is here.
    pub(crate) const fn is_whole(&self) -> bool {
        self.kept == self.size
    }
}

/// Bytes that were set aside.
#[derive(Debug)]
pub(crate) struct Spool {
    file: BufWriter<File>,
    len: u64,
}

impl Spool {
    /// A new one in the first of the folders that has room for files.
    pub(crate) fn new(folders: &[&Path]) -> io::Result<Self> {
        let mut last = io::Error::other("no folder for temporary files is named");
        for folder in folders {
            match tempfile::tempfile_in(folder) {
                Ok(file) => return Ok(Self { file: BufWriter::with_capacity(256 << 10, file), len: 0 }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// How many bytes there are.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Sets aside the beginning of a file, at most so many bytes of it.
    pub(super) fn keep(&mut self, from: &mut impl Read, size: u64, most: u64) -> io::Result<Content> {
        let offset = self.len;
        let kept = io::copy(&mut from.take(most.min(size)), &mut self.file)?;
        self.len += kept;
        Ok(Content { size, offset, kept })
    }

    /// Makes all of it readable.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// The bytes of a file that are here.
    pub(crate) fn read(&self, content: Content) -> Kept<'_> {
        Kept { file: self.file.get_ref(), at: content.offset, left: content.kept }
    }
}

/// The bytes of one file.
#[derive(Debug)]
pub(crate) struct Kept<'s> {
    file: &'s File,
    at: u64,
    left: u64,
}

impl Read for Kept<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let Some(into) = into.get_mut(..most).filter(|into| !into.is_empty()) else { return Ok(0) };
        let count = self.file.read_at(into, self.at)?;
        let counted = u64::try_from(count).unwrap_or_default();
        self.at += counted;
        self.left -= counted;
        Ok(count)
    }
}
