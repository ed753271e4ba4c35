//! A content-addressed tree over a snapshot's resources, sorted by key (a prolly tree).
//!
//! Leaves hold resources, inner nodes hold links to chunks. A chunk is named by the BLAKE3 hash of its
//! canonical bytes, and where one chunk ends is decided by its content alone, so the same
//! resources give the same root whatever way they came, equal parts of two snapshots are one chunk,
//! and a comparison descends only where names differ. This module is pure over [`Chunks`]; it
//! neither compresses nor keeps anything.
//!
//! # Why not a library
//! `prolly-map` (0.7) and `prollytree` (0.4) have this structure. Neither names its on-disk format
//! stable yet (`prolly-map` went from 0.2 to 0.7 in months; `prollytree` brings a git and a SQL
//! engine by default), and a store must be read for years. Both map bytes to bytes: the
//! boundary rule below, counts in inner nodes, and a look at a resource without decoding its
//! neighbours would all have been built around them. What is left is less than this folder.
//!
//! # Where a chunk ends
//! After an entry whose key's hash falls under a threshold. For a leaf, the threshold grows with the
//! *size class* of the entry (its bytes rounded up to a power of two), so that leaves are about
//! 5 KB whether resources are packages of 60 bytes or objects of 6 KB; within a class a changed
//! value moves no boundary, since the value's content has no say: a change then costs its own leaf
//! and the path to the root. A rule over values (a rolling hash) would now and then
//! move a boundary with any edit; a rule over keys alone would make leaves of 100 KB out of large objects.
//! Keys made to never split are cut by size and by count; keys made to always split cannot make
//! the tree higher than it is long, as an inner node takes at least two links.

mod build;
mod bytes;
mod cursor;
mod diff;
mod entry;
mod resource;
mod scan;
mod stream;
#[cfg(test)]
mod tests;
mod update;

use std::error::Error;
use std::sync::Arc;

use parallax_model::{Digest, Key, Resource};
use thiserror::Error;

pub use build::build;
pub(crate) use bytes::{Input, put_bytes, put_number};
pub(crate) use cursor::chunk_for;
pub use cursor::get;
pub use diff::{Diff, Pair, diff};
pub(crate) use entry::{Level, links_of};
pub(crate) use resource::{decode as decode_resource, decode_value, encode as encode_resource, encode_value};
pub use scan::{Scan, scan, under};
pub use update::update;

/// What a place that keeps chunks may answer with when it fails.
pub type ChunkFailure = Box<dyn Error + Send + Sync>;

/// A place that keeps chunks by name.
pub trait Chunks {
    /// The bytes of a chunk, or `None` where there is no such chunk.
    ///
    /// # Errors
    /// Whatever kept the place from looking.
    fn get(&self, name: &Digest) -> Result<Option<Arc<[u8]>>, ChunkFailure>;

    /// The bytes of several chunks, in the order of their names; in one trip, where the place is far.
    ///
    /// # Errors
    /// Whatever kept the place from looking.
    fn get_all(&self, names: &[Digest]) -> Result<Vec<Option<Arc<[u8]>>>, ChunkFailure> {
        names.iter().map(|name| self.get(name)).collect()
    }

    /// Keeps a chunk. Putting the same chunk twice is the same as once.
    fn put(&mut self, name: Digest, bytes: Vec<u8>);
}

/// The top of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Root {
    /// The name of the topmost chunk.
    pub chunk: Digest,
    /// What stands in the tree.
    pub counts: Counts,
}

/// How much stands in a tree, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// How many resources.
    pub resources: u64,
    /// How many attributes, over all resources.
    pub attributes: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.resources = self.resources.saturating_add(other.resources);
        self.attributes = self.attributes.saturating_add(other.attributes);
    }
}

/// What is to become of one key.
pub type Edit = (Key, Option<Resource>);

/// Why a tree could not be read. The chunk is always named.
#[derive(Debug, Error)]
pub enum TreeError {
    /// The chunk is not there.
    #[error("chunk {chunk} is missing")]
    Missing {
        /// Its name.
        chunk: Digest,
    },
    /// The chunk's bytes are not what its name says, or cannot be understood.
    #[error("chunk {chunk} is damaged: {why}")]
    Damaged {
        /// Its name.
        chunk: Digest,
        /// What is wrong.
        why: &'static str,
    },
    /// The place that keeps chunks failed.
    #[error("chunk {chunk} could not be read")]
    Unreadable {
        /// Its name.
        chunk: Digest,
        /// What failed.
        source: ChunkFailure,
    },
}

/// What chunks are hashed with, so that no other hash of Parallax collides. A key and not a prefix, as a prefix would
/// move all bytes off the blocks that are hashed side by side.
const DOMAIN: &[u8; 32] = b"parallax.chunk/1 names of chunks";

/// The name of a chunk: its hash, under a domain of its own.
#[must_use]
pub fn name_of(bytes: &[u8]) -> Digest {
    Digest(*blake3::keyed_hash(DOMAIN, bytes).as_bytes())
}

fn load(chunks: &impl Chunks, name: &Digest) -> Result<Arc<[u8]>, TreeError> {
    match chunks.get(name) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(TreeError::Missing { chunk: *name }),
        Err(source) => Err(TreeError::Unreadable { chunk: *name, source }),
    }
}
