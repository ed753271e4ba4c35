//! Recording: tree, entry and changes of a snapshot, in one transaction.
//!
//! The tree is made and compressed before the transaction begins, against what was latest then. Where another recording came
//! between, the changes are derived again against that one, so no recording is lost and none blocks another for long.

use std::collections::{BTreeMap, HashMap};

use parallax_model::{Digest, Key, Resource, Snapshot, SnapshotHeader, Timestamp};

use super::place::check_name;
use super::shelf::Shelf;
use super::since::Since;
use super::verify::Blocks;
use super::{Entry, Store, entry_of, header, missing};
use crate::StoreError;
use crate::backend::{Block, ChunkId, EntryRow, EnvironmentId, Packed, Span, Writer};
use crate::change::{self, Change, Kept, What};
use crate::tree::{self, Chunks as _, Edit, Level, Root, TreeError};

/// Changes in a block: one block is read to show one change.
const BLOCK: usize = 32;
/// How many chunks may have to be read to read one.
const DEEPEST: u8 = 4;
/// New chunks of a level that are compressed against the first of them.
const NEIGHBOURS: usize = 512;

/// What a recording did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The entry that was added, or was there.
    pub entry: Entry,
    /// The entry that it was held against: the one before, by time of capture. `None` for the first, and for what was there.
    pub before: Option<Entry>,
    /// What changed since the entry before, by time of capture; nothing for the first, and nothing of what was never seen
    /// before.
    pub changes: Vec<Change>,
    /// How many chunks were not there before.
    pub new_chunks: usize,
}

/// A recording that is ready to be written, if nothing came between.
struct Prepared {
    /// The head that it follows.
    before: Option<u64>,
    chunks: Vec<New>,
    /// Chunks of the tree that were there already, and must be still.
    there: Vec<Digest>,
    changes: Vec<Kept>,
    /// When the entry that follows in time was captured, and what changed until then that is not told yet.
    later: Option<(i64, Vec<Kept>)>,
    preceding: Option<EntryRow>,
    row: EntryRow,
}

/// The entries before and after a recording, in time.
type Neighbours = (Option<EntryRow>, Option<EntryRow>);

/// What is to be done for a recording.
enum Preparation {
    New(Box<Prepared>),
    /// Nothing: it was recorded already.
    Known(EntryRow),
}

/// A new chunk, compressed.
struct New {
    name: Digest,
    base: Base,
    depth: u8,
    data: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Base {
    None,
    Kept(ChunkId),
    /// Another new one, by its place.
    New(usize),
}

impl Store {
    /// Records a snapshot of an environment, in the place of its timeline that its time of capture says.
    ///
    /// Its changes are those since the entry that was captured last before it, also where later ones were recorded already (an
    /// old snapshot file, a clock that is behind). What those tell stays true, as their intervals contain it; what is not
    /// told by them, a change back for one, is told of this entry, with their time. Recording the same snapshot again, with the same time of capture, gives the entry that is there.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was recorded.
    pub fn record(&self, environment: &str, snapshot: &Snapshot) -> Result<Recorded, StoreError> {
        check_name(environment)?;
        let mut shelf = self.shelf();
        let root = tree::build(&mut shelf, snapshot.resources());
        self.commit(environment, shelf, root, snapshot.header(), Some(snapshot.hash()), None)
    }

    /// Records what an environment looks like now, given how it differs from an entry: as [`Store::record`] of the
    /// whole would, in time that depends on what changed.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`] where the entry was collected.
    pub fn record_changed(
        &self,
        environment: &str,
        base: &Entry,
        changed: Vec<Resource>,
        removed: Vec<Key>,
        header: &SnapshotHeader,
    ) -> Result<Recorded, StoreError> {
        check_name(environment)?;
        let mut shelf = self.shelf();
        let gone = removed.into_iter().map(|key| (key, None));
        let edits = gone.chain(changed.into_iter().map(|resource| (resource.key.clone(), Some(resource))));
        let edits: Vec<Edit> = edits.collect();
        let root = self.viewing(|| Ok(tree::update(&mut shelf, &base.root(), edits.clone())?))?;
        self.commit(environment, shelf, root, header, None, Some(base))
    }

    fn commit(
        &self,
        environment: &str,
        mut shelf: Shelf<'_>,
        root: Root,
        header: &SnapshotHeader,
        snapshot: Option<Digest>,
        base: Option<&Entry>,
    ) -> Result<Recorded, StoreError> {
        let bytes = header::encode(environment, header);
        let name = tree::name_of(&bytes);
        shelf.put(name, bytes);
        let row = EntryRow {
            number: 0,
            captured: header.captured_at.as_microsecond(),
            snapshot,
            root: root.chunk,
            header: name,
            resources: root.counts.resources,
            attributes: root.counts.attributes,
            good: None,
            is_pinned: false,
        };
        loop {
            let ask = |source| unreadable(name, source);
            shelf.ask_again().map_err(ask)?;
            let prepared = match self.viewing(|| self.prepare(environment, &shelf, row.clone(), header))? {
                Preparation::New(prepared) => prepared,
                Preparation::Known(row) => {
                    let entry = entry_of(environment, &row);
                    return Ok(Recorded { entry, before: None, changes: Vec::new(), new_chunks: 0 });
                }
            };
            let mut written = None;
            self.backend.write(&mut |writer| {
                if let Some(base) = base {
                    still_there(writer, base)?;
                }
                let id = writer.add_environment(environment)?;
                written = None;
                let are_there = writer.chunk_ids(&prepared.there)?.iter().all(Option::is_some);
                if are_there && writer.move_head(id, prepared.before, prepared.row.number)? {
                    written = Some(self.write(writer, id, &prepared)?);
                }
                Ok(())
            })?;
            // Otherwise another recording came between, or a collection; so somebody always gets on.
            if let Some(new_chunks) = written {
                let entry = entry_of(environment, &prepared.row);
                let changes = told(&prepared.changes, entry.number, entry.captured_at);
                let before = prepared.preceding.as_ref().map(|row| entry_of(environment, row));
                return Ok(Recorded { entry, before, changes, new_chunks });
            }
        }
    }

    fn prepare(
        &self,
        environment: &str,
        shelf: &Shelf<'_>,
        mut row: EntryRow,
        header: &SnapshotHeader,
    ) -> Result<Preparation, StoreError> {
        let id = self.backend.environment(environment)?;
        let head = id.map(|id| self.backend.head(id)).transpose()?.flatten();
        let before = match (id, head) {
            (Some(id), Some(number)) => self.backend.entry(id, number)?,
            (Some(_) | None, _) => None,
        };
        row.number = head.map_or(1, |number| number.saturating_add(1));
        let (preceding, following) = match id {
            Some(id) => self.neighbours(id, &row)?,
            None => (None, None),
        };
        let changes = match (id, &preceding) {
            (_, Some(old)) if is_same(old, &row) => return Ok(Preparation::Known(old.clone())),
            (Some(id), Some(old)) => {
                Since { store: self, environment, id, shelf, row: &row, header }.changes(old)?
            }
            (Some(_) | None, _) => Vec::new(),
        };
        let later = match (id, following) {
            (Some(id), Some(next)) => {
                let header = self.header_of(environment, &next, shelf)?;
                let since = Since { store: self, environment, id, shelf, row: &next, header: &header };
                Some((next.captured, self.untold(since.changes(&row)?, environment, id, next.captured)?))
            }
            (Some(_) | None, _) => None,
        };
        // What is latest by number is never collected, so that new chunks may be compressed against its.
        let (chunks, there) = self.pack_all(shelf, &row, before.as_ref())?;
        let prepared = Prepared { before: head, chunks, there, changes, later, preceding, row };
        Ok(Preparation::New(Box::new(prepared)))
    }

    /// The entries between which a recording comes in time. Mostly it is the latest.
    fn neighbours(&self, id: EnvironmentId, row: &EntryRow) -> Result<Neighbours, StoreError> {
        let latest = self.backend.entries(id, Span { limit: 1, ..Span::ALL })?.pop();
        match (latest, row.captured.checked_add(1)) {
            (Some(latest), _) if latest.captured < row.captured => Ok((Some(latest), None)),
            (Some(latest), Some(since)) if latest.captured > row.captured => {
                let following = self.backend.entries(id, Span { since, ..Span::ALL })?.pop();
                Ok((self.preceding(id, row)?, following))
            }
            (Some(_), _) => Ok((self.preceding(id, row)?, None)),
            (None, _) => Ok((None, None)),
        }
    }

    /// Those of the changes until a time that no entry tells to have been seen then.
    fn untold(
        &self,
        mut changes: Vec<Kept>,
        environment: &str,
        id: EnvironmentId,
        captured: i64,
    ) -> Result<Vec<Kept>, StoreError> {
        let span = Span { since: captured, until: captured, ..Span::ALL };
        let mut blocks = Blocks::of(&*self.backend, id, span, None);
        let mut told: BTreeMap<Key, Vec<What>> = BTreeMap::new();
        while let Some(block) = blocks.next()? {
            for kept in self.opened(environment, &block)? {
                told.entry(kept.key).or_default().push(kept.what);
            }
        }
        changes.retain(|kept| told.get(&kept.key).is_none_or(|told| !told.contains(&kept.what)));
        Ok(changes)
    }

    /// The entry that a recording follows in time: the last one captured until then, or the same recording.
    fn preceding(&self, id: EnvironmentId, row: &EntryRow) -> Result<Option<EntryRow>, StoreError> {
        let span = Span { until: row.captured, limit: 1, ..Span::ALL };
        let Some(latest) = self.backend.entries(id, span)?.pop() else { return Ok(None) };
        if latest.captured != row.captured {
            return Ok(Some(latest));
        }
        let span = Span { since: row.captured, until: row.captured, limit: usize::MAX };
        let same = self.backend.entries(id, span)?.into_iter().find(|other| is_same(other, row));
        Ok(Some(same.unwrap_or(latest)))
    }

    /// All new chunks of a tree and its header, compressed, each after those that it needs; and those
    /// that are there already.
    fn pack_all(
        &self,
        shelf: &Shelf<'_>,
        row: &EntryRow,
        old: Option<&EntryRow>,
    ) -> Result<(Vec<New>, Vec<Digest>), StoreError> {
        let mut out =
            Packing { store: self, shelf, new: Vec::new(), there: Vec::new(), anchors: HashMap::new() };
        out.take(row.header, u8::MAX, || Ok(old.map(|old| old.header)))?;
        out.walk(row.root, old.map(root_of).as_ref())?;
        Ok((out.new, out.there))
    }

    fn write(
        &self,
        writer: &mut dyn Writer,
        environment: EnvironmentId,
        prepared: &Prepared,
    ) -> Result<usize, StoreError> {
        let mut ids = Vec::with_capacity(prepared.chunks.len());
        let mut added = 0;
        let names: Vec<Digest> = prepared.chunks.iter().map(|new| new.name).collect();
        let found = writer.chunk_ids(&names)?;
        for (new, there) in prepared.chunks.iter().zip(found) {
            let base = match new.base {
                Base::None => None,
                Base::Kept(id) => Some(id),
                Base::New(at) => ids.get(at).copied(),
            };
            ids.push(match there {
                Some(id) => id,
                None => {
                    added += 1;
                    writer.add_chunk(&new.name, &Packed { base, depth: new.depth, data: new.data.clone() })?
                }
            });
        }
        writer.add_entry(environment, &prepared.row)?;
        let own = prepared.changes.chunks(BLOCK).map(|changes| (prepared.row.captured, changes));
        let later = prepared.later.iter();
        let later = later.flat_map(|(captured, all)| all.chunks(BLOCK).map(|changes| (*captured, changes)));
        for (number, (captured, changes)) in (0..).zip(own.chain(later)) {
            let data = self.packer.pack(&change::encode(changes), &[]);
            let keys: Vec<i64> = changes.iter().map(|kept| change::key_number(&kept.key)).collect();
            let entry = prepared.row.number;
            writer.add_block(environment, &Block { entry, number, captured, data }, &keys)?;
        }
        Ok(added)
    }
}

/// Chunks being compressed.
struct Packing<'p, 's> {
    store: &'p Store,
    shelf: &'p Shelf<'s>,
    new: Vec<New>,
    there: Vec<Digest>,
    /// For each level, the new chunk that its neighbours are compressed against, and how many were.
    anchors: HashMap<Level, (usize, usize)>,
}

impl Packing<'_, '_> {
    /// Takes a chunk and all beneath it, in order of keys. What was not put for this recording is part of the
    /// entry that it is based on.
    fn walk(&mut self, name: Digest, old: Option<&Root>) -> Result<(), StoreError> {
        if self.shelf.staged(&name).is_none() {
            return Ok(());
        }
        let links = tree::links_of(self.shelf, &name)?;
        let level = links.first().map_or(0, |(_, below)| below.saturating_add(1));
        let shelf = self.shelf;
        self.take(name, level, || {
            let like = old.map(|root| tree::chunk_for(shelf, root, &name)).transpose()?;
            Ok(like.flatten())
        })?;
        links.into_iter().try_for_each(|(below, _)| self.walk(below, old))
    }

    fn take(
        &mut self,
        name: Digest,
        level: Level,
        like: impl FnOnce() -> Result<Option<Digest>, StoreError>,
    ) -> Result<(), StoreError> {
        if self.shelf.id(&name).map_err(|source| unreadable(name, source))?.is_some() {
            self.there.push(name);
            return Ok(());
        }
        let like = like()?;
        self.add(name, level, like)
    }

    fn add(&mut self, name: Digest, level: Level, like: Option<Digest>) -> Result<(), StoreError> {
        let Some(bytes) = self.shelf.staged(&name) else {
            return Ok(());
        };
        let (base, against, depth) = self.base(level, like)?;
        let new = match self.store.packer.pack_best(&bytes, &against) {
            Ok(data) => New { name, base, depth, data },
            Err(data) => New { name, base: Base::None, depth: 0, data },
        };
        if matches!(new.base, Base::None) {
            self.anchors.insert(level, (self.new.len(), 0));
        }
        self.new.push(new);
        Ok(())
    }

    /// What to compress a chunk against: what it replaces, or else a neighbour.
    fn base(&mut self, level: Level, like: Option<Digest>) -> Result<(Base, Vec<u8>, u8), StoreError> {
        if let Some(name) = like {
            let fail = |source| unreadable(name, source);
            if let Some(mut id) = self.shelf.id(&name).map_err(fail)? {
                let mut opened = self.shelf.open(id).map_err(fail)?;
                if opened.depth >= DEEPEST {
                    // The chain branches near its start instead of growing.
                    while let Some(base) = opened.base.filter(|_| opened.depth > 1) {
                        id = base;
                        opened = self.shelf.open(id).map_err(fail)?;
                    }
                }
                return Ok((Base::Kept(id), opened.bytes.to_vec(), opened.depth.saturating_add(1)));
            }
        }
        let Some((at, used)) = self.anchors.get_mut(&level).filter(|(_, used)| *used < NEIGHBOURS) else {
            return Ok((Base::None, Vec::new(), 0));
        };
        *used += 1;
        let at = *at;
        let anchor = self.new.get(at).and_then(|new| self.shelf.staged(&new.name));
        Ok((Base::New(at), anchor.map(|bytes| bytes.to_vec()).unwrap_or_default(), 1))
    }
}

pub(super) fn root_of(row: &EntryRow) -> Root {
    Root { chunk: row.root, counts: tree::Counts { resources: row.resources, attributes: row.attributes } }
}

pub(super) fn unreadable(chunk: Digest, source: tree::ChunkFailure) -> StoreError {
    TreeError::Unreadable { chunk, source }.into()
}

/// Whether two rows are of one snapshot: same capture, same content.
fn is_same(old: &EntryRow, new: &EntryRow) -> bool {
    let is_known = old.snapshot.is_some() && old.snapshot == new.snapshot;
    old.captured == new.captured && (is_known || (old.root == new.root && old.header == new.header))
}

fn still_there(writer: &dyn Writer, base: &Entry) -> Result<(), StoreError> {
    let id = writer.environment(&base.environment)?.ok_or_else(|| missing(base))?;
    let row = writer.entry(id, base.number)?.filter(|row| row.root == base.tree);
    row.map(|_| ()).ok_or_else(|| missing(base))
}

fn told(kept: &[Kept], entry: u64, not_after: Timestamp) -> Vec<Change> {
    kept.iter().map(|kept| told_one(kept.clone(), entry, not_after)).collect()
}

/// A change as the interface has it. A clock that went backwards does not turn the interval around.
pub(super) fn told_one(kept: Kept, entry: u64, not_after: Timestamp) -> Change {
    let after = header::time(kept.after);
    Change {
        entry,
        key: kept.key,
        what: kept.what,
        after: after.min(not_after),
        not_after: not_after.max(after),
        at: None,
        evidence: Vec::new(),
    }
}
