//! Chunks as trees see them: by name and whole, over a backend that keeps them compressed and numbered.
//!
//! Every chunk that is read is held against its name. New chunks stay in memory until a recording writes them.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use parallax_model::Digest;

use crate::StoreError;
use crate::backend::{ChunkId, Reader};
use crate::pack::Packer;
use crate::tree::{ChunkFailure, Chunks, name_of};

/// Bytes of opened chunks that are held at most.
const MOST_HELD: usize = 64 << 20;
/// More chunks than this in a row compressed against each other is damage.
const LONGEST_CHAIN: usize = 64;

/// A chunk that was opened.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) base: Option<ChunkId>,
    pub(crate) depth: u8,
}

#[derive(Default)]
struct Held {
    ids: HashMap<Digest, ChunkId>,
    /// New chunks that the backend was asked for and has not.
    absent: HashSet<Digest>,
    opened: HashMap<ChunkId, Opened>,
    bytes: usize,
}

/// The chunks of a backend, and those that a recording is about to add.
pub(crate) struct Shelf<'s> {
    reader: &'s dyn Reader,
    packer: &'s Packer,
    staged: HashMap<Digest, Arc<[u8]>>,
    held: RefCell<Held>,
}

impl fmt::Debug for Shelf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("staged", &self.staged.len()).finish_non_exhaustive()
    }
}

impl<'s> Shelf<'s> {
    pub(crate) fn new(reader: &'s dyn Reader, packer: &'s Packer) -> Self {
        Self { reader, packer, staged: HashMap::new(), held: RefCell::default() }
    }

    /// Forgets what it knows of the backend, which may have been collected since.
    pub(crate) fn forget(&self) {
        *self.held.borrow_mut() = Held::default();
    }

    /// A chunk that is new, or that was put although the backend has it.
    pub(crate) fn staged(&self, name: &Digest) -> Option<Arc<[u8]>> {
        self.staged.get(name).cloned()
    }

    /// Asks the backend for all chunks at once that were put, so that [`Shelf::id`] knows which of them it has.
    pub(crate) fn look_up_staged(&self) -> Result<(), StoreError> {
        let names: Vec<Digest> = self.staged.keys().copied().collect();
        let found = self.reader.chunk_ids(&names)?;
        let mut held = self.held.borrow_mut();
        for (name, id) in names.into_iter().zip(found) {
            match id {
                Some(id) => drop(held.ids.insert(name, id)),
                None => drop(held.absent.insert(name)),
            }
        }
        Ok(())
    }

    /// The number of a chunk that the backend has.
    pub(crate) fn id(&self, name: &Digest) -> Result<Option<ChunkId>, ChunkFailure> {
        if let Some(id) = self.held.borrow().ids.get(name) {
            return Ok(Some(*id));
        }
        if self.held.borrow().absent.contains(name) {
            return Ok(None);
        }
        let found = self.reader.chunk_ids(&[*name])?.into_iter().next().flatten();
        if let Some(id) = found {
            self.held.borrow_mut().ids.insert(*name, id);
        }
        Ok(found)
    }

    /// A chunk by its number; not held against any name.
    pub(crate) fn open(&self, id: ChunkId) -> Result<Opened, ChunkFailure> {
        let mut chain = Vec::new();
        let mut at = Some(id);
        let mut below = None;
        while let Some(id) = at {
            if let Some(opened) = self.held.borrow().opened.get(&id) {
                below = Some(opened.clone());
                break;
            }
            if chain.len() > LONGEST_CHAIN {
                return Err("chunks are compressed against each other without end".into());
            }
            let packed = self.reader.packed(&[id])?.into_iter().next().flatten();
            let packed = packed.ok_or("a chunk that it is compressed against is missing")?;
            at = packed.base;
            chain.push((id, packed));
        }
        for (id, packed) in chain.into_iter().rev() {
            let base = below.as_ref().map(|opened| Arc::clone(&opened.bytes));
            let bytes = self.packer.unpack(&packed.data, base.as_deref().unwrap_or_default());
            let bytes: Arc<[u8]> = bytes.ok_or("its bytes do not decompress")?.into();
            let opened = Opened { bytes, base: packed.base, depth: packed.depth };
            self.hold(id, &opened);
            below = Some(opened);
        }
        below.ok_or_else(|| "no chunk".into())
    }

    fn hold(&self, id: ChunkId, opened: &Opened) {
        let mut held = self.held.borrow_mut();
        if held.bytes > MOST_HELD {
            held.opened.clear();
            held.bytes = 0;
        }
        held.bytes = held.bytes.saturating_add(opened.bytes.len());
        held.opened.insert(id, opened.clone());
    }
}

impl Chunks for Shelf<'_> {
    fn get(&self, name: &Digest) -> Result<Option<Arc<[u8]>>, ChunkFailure> {
        if let Some(bytes) = self.staged.get(name) {
            return Ok(Some(Arc::clone(bytes)));
        }
        let was_known = self.held.borrow().ids.contains_key(name);
        let Some(id) = self.id(name)? else {
            return Ok(None);
        };
        let bytes = self.open(id)?.bytes;
        if !was_known && name_of(&bytes) != *name {
            self.held.borrow_mut().ids.remove(name);
            return Err("its bytes are not what its name says".into());
        }
        Ok(Some(bytes))
    }

    fn put(&mut self, name: Digest, bytes: Vec<u8>) {
        self.staged.insert(name, bytes.into());
    }
}
