//! A lockfile with what stands beside it: some formats are complete only together with another file.

use std::collections::BTreeMap;

use super::Malformed;

/// A lockfile's bytes, and those of other files of the project that were read.
#[derive(Debug, Clone, Copy)]
pub struct Files<'f> {
    path: &'f str,
    bytes: &'f [u8],
    others: &'f BTreeMap<String, Vec<u8>>,
}

impl<'f> Files<'f> {
    /// The file at `path` (relative to the project), and the others by their paths.
    #[must_use]
    pub fn new(path: &'f str, bytes: &'f [u8], others: &'f BTreeMap<String, Vec<u8>>) -> Self {
        Self { path, bytes, others }
    }

    /// The lockfile's path, relative to the project.
    #[must_use]
    pub fn path(&self) -> &'f str {
        self.path
    }

    /// The lockfile's bytes, without a byte order mark.
    #[must_use]
    pub fn bytes(&self) -> &'f [u8] {
        self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.bytes)
    }

    /// The lockfile's text.
    ///
    /// # Errors
    /// Where it is not UTF-8, with the place.
    pub fn text(&self) -> Result<&'f str, Malformed> {
        str::from_utf8(self.bytes()).map_err(|error| {
            let before = self.bytes().get(..error.valid_up_to()).unwrap_or_default();
            let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            let line = 1 + memchr::memchr_iter(b'\n', before).count();
            Malformed { line, column: before.len() - start + 1, what: "not UTF-8" }
        })
    }

    /// Another file, by its path relative to this one (`go.mod`, `../constraints.txt`); `None` where it was not read.
    #[must_use]
    pub fn beside(&self, relative: &str) -> Option<Self> {
        let mut segments: Vec<&str> = self.path.split('/').collect();
        segments.pop();
        for segment in relative.split('/') {
            match segment {
                "" | "." => {}
                ".." => {
                    segments.pop()?;
                }
                name => segments.push(name),
            }
        }
        let (path, bytes) = self.others.get_key_value(&segments.join("/"))?;
        Some(Self { path, bytes, others: self.others })
    }

    /// The other files in this one's folder and below, by their paths relative to it.
    pub fn under(&self) -> impl Iterator<Item = &'f str> {
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.others.keys().filter_map(move |path| match folder {
            "" => Some(path.as_str()),
            folder => path.strip_prefix(folder)?.strip_prefix('/'),
        })
    }
}
