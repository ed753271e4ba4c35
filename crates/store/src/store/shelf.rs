//! Chunks as trees see them: by name and whole, over a backend that keeps them compressed and numbered.
//!
//! Every chunk that is read is held against its name. New chunks stay in memory until a recording writes them. What was
//! opened is held for whoever reads next: a chunk never changes, and its number is never used again, so that what is held
//! is right even where the backend has it no more. Whether it still has a chunk is asked of the backend.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parallax_model::Digest;

use crate::backend::{ChunkId, Packed, Reader};
use crate::pack::Packer;
use crate::tree::{ChunkFailure, Chunks, name_of};

/// Bytes of opened chunks that are held at most, by number and by name each.
const MOST_HELD: usize = 16 << 20;
/// More chunks than this in a row compressed against each other is damage.
const LONGEST_CHAIN: usize = 64;

/// A chunk that was opened.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) base: Option<ChunkId>,
    pub(crate) depth: u8,
}

/// Chunks that were opened, for every shelf of a store.
#[derive(Default)]
pub(crate) struct Cache(RefCell<Held>);

#[derive(Default)]
struct Held {
    opened: HashMap<ChunkId, Opened>,
    /// Only chunks that were held against their names.
    named: HashMap<Digest, Arc<[u8]>>,
    bytes: usize,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache")
    }
}

impl Cache {
    fn opened(&self, id: ChunkId) -> Option<Opened> {
        self.0.borrow().opened.get(&id).cloned()
    }

    fn named(&self, name: &Digest) -> Option<Arc<[u8]>> {
        self.0.borrow().named.get(name).cloned()
    }

    fn hold(&self, id: ChunkId, opened: &Opened) {
        let mut held = self.0.borrow_mut();
        if held.bytes > MOST_HELD {
            *held = Held::default();
        }
        held.bytes = held.bytes.saturating_add(opened.bytes.len());
        held.opened.insert(id, opened.clone());
    }

    fn name(&self, name: Digest, bytes: &Arc<[u8]>) {
        self.0.borrow_mut().named.insert(name, Arc::clone(bytes));
    }
}

/// The chunks of a backend, and those that a recording is about to add.
pub(crate) struct Shelf<'s> {
    reader: &'s dyn Reader,
    packer: &'s Packer,
    cache: &'s Cache,
    staged: HashMap<Digest, Arc<[u8]>>,
    /// What the backend said of which chunks it has.
    ids: RefCell<HashMap<Digest, Option<ChunkId>>>,
}

impl fmt::Debug for Shelf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("staged", &self.staged.len()).finish_non_exhaustive()
    }
}

impl<'s> Shelf<'s> {
    pub(crate) fn new(reader: &'s dyn Reader, packer: &'s Packer, cache: &'s Cache) -> Self {
        Self { reader, packer, cache, staged: HashMap::new(), ids: RefCell::default() }
    }

    /// Asks the backend anew which chunks it has: some may have been collected since.
    pub(crate) fn ask_again(&self) -> Result<(), ChunkFailure> {
        let names: Vec<Digest> = self.staged.keys().copied().collect();
        let found = self.reader.chunk_ids(&names)?;
        *self.ids.borrow_mut() = names.into_iter().zip(found).collect();
        Ok(())
    }

    /// A chunk that is new, or that was put although the backend has it.
    pub(crate) fn staged(&self, name: &Digest) -> Option<Arc<[u8]>> {
        self.staged.get(name).cloned()
    }

    /// The number of a chunk, if the backend has it.
    pub(crate) fn id(&self, name: &Digest) -> Result<Option<ChunkId>, ChunkFailure> {
        if let Some(id) = self.ids.borrow().get(name) {
            return Ok(*id);
        }
        let found = self.reader.chunk_ids(&[*name])?.into_iter().next().flatten();
        self.ids.borrow_mut().insert(*name, found);
        Ok(found)
    }

    /// A chunk by its number; not held against any name.
    pub(crate) fn open(&self, id: ChunkId) -> Result<Opened, ChunkFailure> {
        if let Some(opened) = self.cache.opened(id) {
            return Ok(opened);
        }
        let mut packed = HashMap::new();
        self.gather(&mut packed, vec![id])?;
        self.unpack(&packed, id)
    }

    /// Reads these chunks and all that they are compressed against, each step of the chains in one trip.
    fn gather(
        &self,
        packed: &mut HashMap<ChunkId, Packed>,
        mut ids: Vec<ChunkId>,
    ) -> Result<(), ChunkFailure> {
        for _ in 0..LONGEST_CHAIN {
            ids.sort_unstable();
            ids.dedup();
            ids.retain(|id| !packed.contains_key(id) && self.cache.opened(*id).is_none());
            if ids.is_empty() {
                return Ok(());
            }
            let found = self.reader.packed(&ids)?;
            let mut bases = Vec::new();
            for (id, found) in ids.into_iter().zip(found) {
                let found = found.ok_or("a chunk that it is compressed against is missing")?;
                bases.extend(found.base);
                packed.insert(id, found);
            }
            ids = bases;
        }
        Err("chunks are compressed against each other without end".into())
    }

    /// Decompresses a chunk that was gathered, after those that it needs.
    fn unpack(&self, packed: &HashMap<ChunkId, Packed>, id: ChunkId) -> Result<Opened, ChunkFailure> {
        let mut chain = Vec::new();
        let mut at = Some(id);
        let mut below = None;
        while let Some(id) = at {
            below = self.cache.opened(id);
            if below.is_some() {
                break;
            }
            if chain.len() > LONGEST_CHAIN {
                return Err("chunks are compressed against each other without end".into());
            }
            let found = packed.get(&id).ok_or("a chunk that it is compressed against is missing")?;
            at = found.base;
            chain.push((id, found));
        }
        for (id, found) in chain.into_iter().rev() {
            let base = below.as_ref().map(|opened| Arc::clone(&opened.bytes));
            let bytes = self.packer.unpack(&found.data, base.as_deref().unwrap_or_default());
            let bytes = bytes.ok_or("its bytes do not decompress")?;
            let opened = Opened { bytes, base: found.base, depth: found.depth };
            self.cache.hold(id, &opened);
            below = Some(opened);
        }
        below.ok_or_else(|| "no chunk".into())
    }

    /// Chunks that are neither staged nor held, in one trip for all and one for each step of their chains.
    fn read(&self, names: &[Digest]) -> Result<Vec<Option<Arc<[u8]>>>, ChunkFailure> {
        let found = self.reader.named(names)?;
        let mut packed = HashMap::with_capacity(found.len());
        let mut ids = Vec::with_capacity(found.len());
        for (name, found) in names.iter().zip(found) {
            let id = found.as_ref().map(|(id, _)| *id);
            self.ids.borrow_mut().insert(*name, id);
            ids.push(id);
            packed.extend(found);
        }
        let bases = packed.values().filter_map(|packed| packed.base).collect();
        self.gather(&mut packed, bases)?;
        let mut out = Vec::with_capacity(names.len());
        for (name, id) in names.iter().zip(ids) {
            let opened = id.map(|id| self.unpack(&packed, id)).transpose()?;
            if let Some(opened) = &opened {
                if name_of(&opened.bytes) != *name {
                    return Err("its bytes are not what its name says".into());
                }
                self.cache.name(*name, &opened.bytes);
            }
            out.push(opened.map(|opened| opened.bytes));
        }
        Ok(out)
    }
}

impl Chunks for Shelf<'_> {
    fn get(&self, name: &Digest) -> Result<Option<Arc<[u8]>>, ChunkFailure> {
        Ok(self.get_all(&[*name])?.pop().flatten())
    }

    fn get_all(&self, names: &[Digest]) -> Result<Vec<Option<Arc<[u8]>>>, ChunkFailure> {
        let at_hand = |name: &Digest| self.staged(name).or_else(|| self.cache.named(name));
        let mut out: Vec<_> = names.iter().map(at_hand).collect();
        let missing: Vec<Digest> =
            names.iter().zip(&out).filter(|(_, found)| found.is_none()).map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            let slots = out.iter_mut().filter(|found| found.is_none());
            slots.zip(self.read(&missing)?).for_each(|(slot, found)| *slot = found);
        }
        Ok(out)
    }

    fn put(&mut self, name: Digest, bytes: Vec<u8>) {
        self.staged.insert(name, bytes.into());
    }
}
