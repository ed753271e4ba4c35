//! Numbers for the names of chunks, good for as long as a store is open: the database itself knows chunks by name only.

use std::collections::HashMap;

use parallax_model::Digest;

use crate::backend::ChunkId;

/// Names that were seen, numbered in the order in which they were.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_name: HashMap<Digest, ChunkId>,
    by_id: Vec<Digest>,
}

impl Names {
    /// The number of a name.
    pub(super) fn id(&mut self, name: Digest) -> ChunkId {
        let next = i64::try_from(self.by_id.len()).unwrap_or(i64::MAX);
        let id = *self.by_name.entry(name).or_insert(next);
        if id == next {
            self.by_id.push(name);
        }
        id
    }

    /// The name that has this number, if it was given to one.
    pub(super) fn name(&self, id: ChunkId) -> Option<Digest> {
        self.by_id.get(usize::try_from(id).ok()?).copied()
    }
}
