//! Walking a tree in order of keys, opening a chunk only when what is in it is asked for.

use parallax_model::{Digest, Resource};

use super::entry::{Item, Level, Link, level_of, read};
use super::{Chunks, Counts, Root, TreeError};

/// What comes next in a walk.
#[derive(Debug, Clone)]
pub(crate) enum Next {
    /// A chunk that was not opened.
    Closed { chunk: Digest, level: Level, counts: Counts },
    /// A resource, and the leaf that it stands in.
    Open { item: Item, leaf: Digest },
}

/// What is left of a walk, the next on top.
#[derive(Debug)]
pub(crate) struct Frontier(Vec<Next>);

impl Frontier {
    pub(crate) fn new(chunks: &impl Chunks, root: &Root) -> Result<Self, TreeError> {
        let level = level_of(chunks, &root.chunk)?;
        Ok(Self(vec![Next::Closed { chunk: root.chunk, level, counts: root.counts }]))
    }

    pub(crate) fn peek(&self) -> Option<&Next> {
        self.0.last()
    }

    pub(crate) fn pop(&mut self) -> Option<Next> {
        self.0.pop()
    }

    /// Opens the chunk on top, leaving out what lies before a key.
    pub(crate) fn open(&mut self, chunks: &impl Chunks, from: &str) -> Result<(), TreeError> {
        let Some(Next::Closed { chunk, level, .. }) = self.0.last() else {
            return Ok(());
        };
        let (chunk, level) = (*chunk, *level);
        match level.checked_sub(1) {
            None => {
                let items = read::<Item>(chunks, &chunk, level)?;
                self.0.pop();
                let wanted = items.into_iter().filter(|item| &*item.key >= from);
                self.0.extend(wanted.rev().map(|item| Next::Open { item, leaf: chunk }));
            }
            Some(below) => {
                let links = read::<Link>(chunks, &chunk, level)?;
                self.0.pop();
                let wanted = links.into_iter().filter(|link| &*link.last >= from);
                let closed =
                    |link: Link| Next::Closed { chunk: link.chunk, level: below, counts: link.counts };
                self.0.extend(wanted.rev().map(closed));
            }
        }
        Ok(())
    }
}

/// Resources in order of keys. After an error the walk is over.
#[derive(Debug)]
pub struct Scan<'c, C> {
    chunks: &'c C,
    frontier: Frontier,
    from: String,
    prefix: String,
}

/// All resources from a key on (from the first, where `from` is empty).
///
/// # Errors
/// [`TreeError`], naming the root where it could not be read.
pub fn scan<'c, C: Chunks>(chunks: &'c C, root: &Root, from: &str) -> Result<Scan<'c, C>, TreeError> {
    let frontier = Frontier::new(chunks, root)?;
    Ok(Scan { chunks, frontier, from: from.to_owned(), prefix: String::new() })
}

/// The resources whose keys start with these whole segments (`runtime`, `dependency/npm`).
///
/// # Errors
/// [`TreeError`], naming the root where it could not be read.
pub fn under<'c, C: Chunks>(chunks: &'c C, root: &Root, prefix: &str) -> Result<Scan<'c, C>, TreeError> {
    let prefix = format!("{prefix}/");
    Ok(Scan { prefix: prefix.clone(), ..scan(chunks, root, &prefix)? })
}

impl<C: Chunks> Iterator for Scan<'_, C> {
    type Item = Result<Resource, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.frontier.peek()? {
                Next::Closed { .. } => {
                    if let Err(error) = self.frontier.open(self.chunks, &self.from) {
                        self.frontier.0.clear();
                        return Some(Err(error));
                    }
                }
                Next::Open { item, leaf } => {
                    if !item.key.starts_with(&self.prefix) {
                        return None;
                    }
                    let resource = item.resource(*leaf);
                    self.frontier.pop();
                    return Some(resource);
                }
            }
        }
    }
}
