//! Finding one key, or one chunk, from the root down.

use parallax_model::{Digest, Key, Resource};

use super::entry::{Item, Level, Link, level_of, read};
use super::{Chunks, Root, TreeError};

/// One chunk at some level, on the way to a key.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The links on the way from the root, each with those after it.
    path: Vec<(Level, std::vec::IntoIter<Link>)>,
    pub(crate) chunk: Digest,
    /// The last key beneath the chunk, or `None` for the root itself.
    pub(crate) last: Option<Box<str>>,
}

impl Place {
    /// The chunk at `level` that holds `key`, or would; the last one where the key is beyond all.
    pub(crate) fn seek(
        chunks: &impl Chunks,
        root: &Digest,
        level: Level,
        key: &str,
    ) -> Result<Self, TreeError> {
        let mut place = Self { path: Vec::new(), chunk: *root, last: None };
        let mut at = level_of(chunks, root)?;
        while at > level {
            let mut links = read::<Link>(chunks, &place.chunk, at)?;
            let index = links.partition_point(|link| &*link.last < key).min(links.len().saturating_sub(1));
            let mut rest = links.split_off(index).into_iter();
            let Some(link) = rest.next() else {
                return Err(TreeError::Damaged { chunk: place.chunk, why: "an inner node without links" });
            };
            at -= 1;
            place.enter(at, rest, link);
        }
        Ok(place)
    }

    fn enter(&mut self, level: Level, rest: std::vec::IntoIter<Link>, link: Link) {
        self.path.push((level, rest));
        self.chunk = link.chunk;
        self.last = Some(link.last);
    }

    /// Whether no chunk of this level follows.
    pub(crate) fn is_final(&self) -> bool {
        self.path.iter().all(|(_, rest)| rest.as_slice().is_empty())
    }

    /// The next chunk of the same level, or `None` at the end.
    pub(crate) fn next(mut self, chunks: &impl Chunks) -> Result<Option<Self>, TreeError> {
        let Some(level) = self.path.last().map(|(level, _)| *level) else {
            return Ok(None);
        };
        while let Some((mut at, mut rest)) = self.path.pop() {
            let Some(link) = rest.next() else { continue };
            self.enter(at, rest, link);
            while at > level {
                let mut links = read::<Link>(chunks, &self.chunk, at)?.into_iter();
                let Some(link) = links.next() else {
                    return Err(TreeError::Damaged { chunk: self.chunk, why: "an inner node without links" });
                };
                at -= 1;
                self.enter(at, links, link);
            }
            return Ok(Some(self));
        }
        Ok(None)
    }
}

/// The resource with that key, by reading one chunk a level.
///
/// # Errors
/// [`TreeError`], naming the chunk that could not be read.
pub fn get(chunks: &impl Chunks, root: &Root, key: &Key) -> Result<Option<Resource>, TreeError> {
    let place = Place::seek(chunks, &root.chunk, 0, key.as_str())?;
    let items = read::<Item>(chunks, &place.chunk, 0)?;
    let found = items.binary_search_by(|item| (*item.key).cmp(key.as_str())).ok();
    found.and_then(|at| items.get(at)).map(|item| item.resource(place.chunk)).transpose()
}

/// The chunk of a tree that stands where `like` would: same level, same last key's place. It is
/// what a new chunk most resembles.
pub(crate) fn chunk_for(
    chunks: &impl Chunks,
    root: &Root,
    like: &Digest,
) -> Result<Option<Digest>, TreeError> {
    let level = level_of(chunks, like)?;
    if level > level_of(chunks, &root.chunk)? {
        return Ok(None);
    }
    let first = match level {
        0 => read::<Item>(chunks, like, 0)?.into_iter().next().map(|item| item.key),
        _ => read::<Link>(chunks, like, level)?.into_iter().next().map(|link| link.last),
    };
    let Some(first) = first else { return Ok(None) };
    Place::seek(chunks, &root.chunk, level, &first).map(|place| Some(place.chunk))
}
