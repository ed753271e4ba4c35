//! Keeping house: what is kept for how long, and collecting what nothing needs. Several processes may do so at once.
//!
//! Writers go on meanwhile. What may go is found without a lock; each short transaction that removes something looks first at
//! what was recorded since.

use std::collections::{BTreeSet, HashMap, HashSet};

use parallax_model::{Digest, Timestamp};

use super::record::unreadable;
use super::shelf::{Cache, Shelf};
use super::{Entry, Store, entry_of};
use crate::StoreError;
use crate::backend::{ChunkId, EntryRow, EnvironmentId, Reader, Span, Writer};
use crate::pack::Packer;
use crate::tree::{self, Level};

/// How much is removed in one transaction.
const BATCH: usize = 500;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// How long entries are kept. After all of these, one a week is kept for ever. What was found good, what a
/// decision names and the latest entry are always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// For how many days every entry is kept.
    pub all_days: u32,
    /// For how many days the last entry of each hour is kept.
    pub hourly_days: u32,
    /// For how many days the last entry of each day is kept.
    pub daily_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { all_days: 7, hourly_days: 30, daily_days: 365 }
    }
}

impl Policy {
    /// The stretch of time of which an entry of that age is the last to be kept, or `None` where every one is kept.
    fn stretch(self, captured: i64, now: i64) -> Option<(i64, i64)> {
        let age = now.saturating_sub(captured);
        let within = |days: u32| age < i64::from(days).saturating_mul(DAY);
        let length = if within(self.all_days) {
            return None;
        } else if within(self.hourly_days) {
            HOUR
        } else if within(self.daily_days) {
            DAY
        } else {
            7 * DAY
        };
        Some((length, captured.div_euclid(length)))
    }
}

/// What was collected, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Entries that are no more.
    pub entries: usize,
    /// Chunks that are no more.
    pub chunks: usize,
    /// Bytes of those chunks, compressed.
    pub bytes: u64,
}

impl Store {
    /// The entries that the policy does not keep, by environment, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn due(&self, policy: Policy, now: Timestamp) -> Result<Vec<Entry>, StoreError> {
        self.viewing(|| {
            let mut due = Vec::new();
            for (id, name) in self.backend.environments()? {
                let head = self.backend.head(id)?;
                let mut kept = HashSet::new();
                let mut gone = Vec::new();
                for row in self.backend.entries(id, Span::ALL)? {
                    let stretch = policy.stretch(row.captured, now.as_microsecond());
                    let is_last = stretch.is_none_or(|stretch| kept.insert(stretch));
                    let is_named = row.good.is_some() || row.is_pinned;
                    if !is_last && !is_named && Some(row.number) != head {
                        gone.push(entry_of(&name, &row));
                    }
                }
                due.extend(gone.into_iter().rev());
            }
            Ok(due)
        })
    }

    /// Removes the entries that the policy does not keep. Their changes stay; their chunks go with [`Store::gc`].
    ///
    /// # Errors
    /// [`StoreError`]; what was removed until then stays removed.
    pub fn retain(&self, policy: Policy, now: Timestamp) -> Result<Collected, StoreError> {
        let mut collected = Collected::default();
        for of_one in self.due(policy, now)?.chunk_by(|a, b| a.environment == b.environment) {
            let Some(first) = of_one.first() else { continue };
            let id = self.known(&first.environment)?;
            for batch in of_one.chunks(BATCH) {
                let mut removed = 0;
                self.backend.write(&mut |writer| {
                    removed = remove_entries(writer, id, batch)?;
                    Ok(())
                })?;
                collected.entries += removed;
            }
        }
        Ok(collected)
    }

    /// Removes the chunks that no entry needs.
    ///
    /// # Errors
    /// [`StoreError`]; what was removed until then stays removed.
    pub fn gc(&self) -> Result<Collected, StoreError> {
        let (mut needed, gone) = self.viewing(|| self.unneeded(&BTreeSet::new()))?;
        let mut collected = Collected::default();
        for batch in gone.chunks(BATCH) {
            let mut removed = Collected::default();
            self.backend.write(&mut |writer| {
                writer.keep_recordings_out()?;
                needed.add_entries(&*writer, &self.packer, &BTreeSet::new())?;
                removed = remove_chunks(writer, &needed, batch)?;
                Ok(())
            })?;
            collected.chunks += removed.chunks;
            collected.bytes = collected.bytes.saturating_add(removed.bytes);
        }
        Ok(collected)
    }

    /// What [`Store::gc`] would remove, were these entries gone. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn gc_without(&self, entries: &[Entry]) -> Result<Collected, StoreError> {
        self.viewing(|| {
            let ids: HashMap<String, EnvironmentId> =
                self.backend.environments()?.into_iter().map(|(id, name)| (name, id)).collect();
            let place = |entry: &Entry| Some((*ids.get(&entry.environment)?, entry.number));
            let without = entries.iter().filter_map(place).collect();
            let (_, gone) = self.unneeded(&without)?;
            let mut collected = Collected { entries: entries.len(), chunks: gone.len(), bytes: 0 };
            for batch in gone.chunks(BATCH) {
                let ids: Vec<ChunkId> = batch.iter().map(|(id, _)| *id).collect();
                collected.bytes = collected.bytes.saturating_add(bytes_of(&*self.backend, &ids)?);
            }
            Ok(collected)
        })
    }

    /// Gives what was collected back to the file system, where the database does not do so by itself.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn shrink(&self) -> Result<(), StoreError> {
        self.backend.shrink()
    }

    /// What all entries need but these, and the chunks that none of those does.
    fn unneeded(
        &self,
        without: &BTreeSet<(EnvironmentId, u64)>,
    ) -> Result<(Needed, Vec<(ChunkId, Digest)>), StoreError> {
        let mut needed = Needed::default();
        needed.add_entries(&*self.backend, &self.packer, without)?;
        let all = self.backend.all_chunks()?;
        needed.are_bases_listed = true;
        let bases: HashMap<ChunkId, Option<ChunkId>> = all.iter().map(|(id, _, base)| (*id, *base)).collect();
        for (id, name, _) in &all {
            let mut at = needed.names.contains(name).then_some(*id);
            while let Some(id) = at.filter(|id| needed.ids.insert(*id)) {
                at = bases.get(&id).copied().flatten();
            }
        }
        let is_gone = |(id, ..): &(ChunkId, Digest, Option<ChunkId>)| !needed.ids.contains(id);
        let gone = all.into_iter().filter(is_gone).map(|(id, name, _)| (id, name)).collect();
        Ok((needed, gone))
    }
}

fn bytes_of(reader: &dyn Reader, chunks: &[ChunkId]) -> Result<u64, StoreError> {
    let packed = reader.packed(chunks)?.into_iter().flatten();
    Ok(packed.map(|packed| u64::try_from(packed.data.len()).unwrap_or(u64::MAX)).fold(0, u64::saturating_add))
}

fn remove_entries(
    writer: &mut dyn Writer,
    environment: EnvironmentId,
    entries: &[Entry],
) -> Result<usize, StoreError> {
    let mut removed = 0;
    for entry in entries {
        // It may have been found good, or collected by another, since the list was made.
        let row = writer.entry(environment, entry.number)?;
        if row.is_some_and(|row| row.good.is_none() && !row.is_pinned) {
            writer.remove_entry(environment, entry.number)?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn remove_chunks(
    writer: &mut dyn Writer,
    needed: &Needed,
    batch: &[(ChunkId, Digest)],
) -> Result<Collected, StoreError> {
    let names: Vec<Digest> = batch.iter().map(|(_, name)| *name).collect();
    // Another may have collected it since, and a recording may have added it again under another number.
    let there = writer.chunk_ids(&names)?;
    let is_needed = |id: &ChunkId, name: &Digest| needed.ids.contains(id) || needed.names.contains(name);
    let pairs =
        batch.iter().zip(there).filter(|((id, name), there)| *there == Some(*id) && !is_needed(id, name));
    let gone: Vec<(ChunkId, Digest)> = pairs.map(|(pair, _)| *pair).collect();
    let ids: Vec<ChunkId> = gone.iter().map(|(id, _)| *id).collect();
    let bytes = bytes_of(&*writer, &ids)?;
    writer.remove_chunks(&gone)?;
    Ok(Collected { entries: 0, chunks: gone.len(), bytes })
}

/// Names a chunk and all beneath it; leaves are named without being opened.
pub(super) fn reach(
    shelf: &Shelf<'_>,
    root: Digest,
    found: &mut dyn FnMut(Digest),
) -> Result<(), StoreError> {
    let mut left: Vec<(Digest, Option<Level>)> = vec![(root, None)];
    while let Some((name, level)) = left.pop() {
        found(name);
        if level != Some(0) {
            left.extend(tree::links_of(shelf, &name)?.into_iter().map(|(name, level)| (name, Some(level))));
        }
    }
    Ok(())
}

/// What entries need. Grows as entries are added; never shrinks.
#[derive(Default)]
struct Needed {
    entries: BTreeSet<(EnvironmentId, u64)>,
    names: HashSet<Digest>,
    ids: HashSet<ChunkId>,
    /// Whether what the first entries need is known by number; what later ones need is looked up.
    are_bases_listed: bool,
}

impl Needed {
    /// Adds what the entries need that were not looked at yet, but for these.
    fn add_entries(
        &mut self,
        reader: &dyn Reader,
        packer: &Packer,
        without: &BTreeSet<(EnvironmentId, u64)>,
    ) -> Result<(), StoreError> {
        let cache = Cache::default();
        let shelf = Shelf::new(reader, packer, &cache);
        for (id, _) in reader.environments()? {
            for row in reader.entries(id, Span::ALL)? {
                let place = (id, row.number);
                if !without.contains(&place) && self.entries.insert(place) {
                    self.add(&shelf, &row)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, shelf: &Shelf<'_>, row: &EntryRow) -> Result<(), StoreError> {
        let mut new = vec![row.header];
        let names = &mut self.names;
        names.insert(row.header);
        let mut left: Vec<(Digest, Option<Level>)> = vec![(row.root, None)];
        while let Some((name, level)) = left.pop() {
            if !names.insert(name) {
                continue;
            }
            new.push(name);
            if level != Some(0) {
                let links = tree::links_of(shelf, &name)?;
                left.extend(links.into_iter().map(|(name, level)| (name, Some(level))));
            }
        }
        for name in new.into_iter().filter(|_| self.are_bases_listed) {
            let fail = |source| unreadable(name, source);
            let mut at = shelf.id(&name).map_err(fail)?;
            while let Some(id) = at.filter(|id| self.ids.insert(*id)) {
                at = shelf.open(id).map_err(fail)?.base;
            }
        }
        Ok(())
    }
}
