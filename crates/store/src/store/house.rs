//! Keeping house: what is kept for how long, collecting what nothing needs, and checking that all is whole.
//!
//! Writers go on meanwhile. What may go is found without a lock; each short transaction that removes something looks first at
//! what was recorded since.

use std::collections::{BTreeSet, HashMap, HashSet};

use parallax_model::{Digest, Timestamp};

use super::record::unreadable;
use super::shelf::Shelf;
use super::{Store, entry_of};
use crate::StoreError;
use crate::backend::{BlockQuery, ChunkId, EntryRow, EnvironmentId, Reader, Span, Writer};
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

/// What was collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Entries that are no more.
    pub entries: usize,
    /// Chunks that are no more.
    pub chunks: usize,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Entries that were read whole.
    pub entries: usize,
    /// Chunks that were held against their names.
    pub chunks: usize,
    /// What is wrong; nothing, where the store is whole.
    pub problems: Vec<String>,
}

impl Store {
    /// Removes the entries that the policy does not keep. Their changes stay; their chunks go with [`Store::gc`].
    ///
    /// # Errors
    /// [`StoreError`]; what was removed until then stays removed.
    pub fn retain(&self, policy: Policy, now: Timestamp) -> Result<Collected, StoreError> {
        let mut collected = Collected::default();
        for (id, _) in self.backend.environments()? {
            let head = self.backend.head(id)?;
            let mut kept = HashSet::new();
            let mut gone = Vec::new();
            for row in self.backend.entries(id, Span::ALL)? {
                let stretch = policy.stretch(row.captured, now.as_microsecond());
                let is_last = stretch.is_none_or(|stretch| kept.insert(stretch));
                if !is_last && Some(row.number) != head {
                    gone.push(row.number);
                }
            }
            for batch in gone.chunks(BATCH) {
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
        let mut needed = Needed::default();
        needed.add_entries(&*self.backend, &self.packer)?;
        // Listed only now, so that the list holds all that those entries need.
        let all = self.backend.all_chunks()?;
        needed.are_bases_listed = true;
        let bases: HashMap<ChunkId, Option<ChunkId>> = all.iter().map(|(id, _, base)| (*id, *base)).collect();
        for (id, name, _) in &all {
            let mut at = needed.names.contains(name).then_some(*id);
            while let Some(id) = at.filter(|id| needed.ids.insert(*id)) {
                at = bases.get(&id).copied().flatten();
            }
        }
        let gone: Vec<(ChunkId, Digest)> = all
            .iter()
            .filter(|(id, ..)| !needed.ids.contains(id))
            .map(|(id, name, _)| (*id, *name))
            .collect();
        let mut chunks = 0;
        for batch in gone.chunks(BATCH) {
            let mut removed = 0;
            self.backend.write(&mut |writer| {
                writer.keep_recordings_out()?;
                needed.add_entries(&*writer, &self.packer)?;
                let mut batch = batch.to_vec();
                batch.retain(|(id, name)| !needed.ids.contains(id) && !needed.names.contains(name));
                removed = batch.len();
                writer.remove_chunks(&batch)
            })?;
            chunks += removed;
        }
        Ok(Collected { entries: 0, chunks })
    }

    /// Reads everything and holds it against its names, counts and hashes.
    ///
    /// # Errors
    /// [`StoreError`] only where the store cannot be read at all; what is wrong with parts of it is in the answer.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let mut out = Verified { problems: self.backend.integrity()?, ..Verified::default() };
        let shelf = self.shelf();
        let mut seen = HashSet::new();
        for (id, name) in self.backend.environments()? {
            let rows = self.backend.entries(id, Span::ALL)?;
            let head = self.backend.head(id)?;
            if head.is_some_and(|head| rows.iter().all(|row| row.number != head)) {
                out.problems.push(format!("environment `{name}`: its latest entry is missing"));
            }
            for row in rows {
                out.entries += 1;
                if let Err(error) = self.verify_entry(&name, &row, &shelf, &mut seen) {
                    out.problems.push(format!("environment `{name}`, entry {}: {error}", row.number));
                }
            }
            let page = BlockQuery { key: None, span: Span::ALL, before: None };
            for block in self.backend.blocks(id, page)? {
                if let Err(error) = self.opened(&name, &block) {
                    out.problems.push(error.to_string());
                }
            }
        }
        out.chunks = seen.len();
        Ok(out)
    }

    fn verify_entry(
        &self,
        environment: &str,
        row: &EntryRow,
        shelf: &Shelf<'_>,
        seen: &mut HashSet<Digest>,
    ) -> Result<(), StoreError> {
        self.header_of(environment, row, shelf)?;
        if !seen.insert(row.root) {
            return Ok(());
        }
        reach(shelf, row.root, &mut |name| {
            seen.insert(name);
        })?;
        let snapshot = self.read(&entry_of(environment, row))?;
        let attributes: usize = snapshot.resources().iter().map(|r| r.attributes.len()).sum();
        let counted = (snapshot.resources().len(), attributes);
        let said = (usize::try_from(row.resources), usize::try_from(row.attributes));
        let unreadable =
            |what| StoreError::Unreadable { environment: environment.to_owned(), number: row.number, what };
        if said != (Ok(counted.0), Ok(counted.1)) {
            return Err(unreadable("its tree (it holds another number of resources than was recorded)"));
        }
        match row.snapshot {
            Some(hash) if hash != snapshot.hash() => Err(unreadable("its content (the hash is another)")),
            Some(_) | None => Ok(()),
        }
    }
}

fn remove_entries(
    writer: &mut dyn Writer,
    environment: EnvironmentId,
    numbers: &[u64],
) -> Result<usize, StoreError> {
    let mut removed = 0;
    for number in numbers {
        // It may have been found good since the list was made.
        let row = writer.entry(environment, *number)?;
        if row.is_some_and(|row| row.good.is_none() && !row.is_pinned) {
            writer.remove_entry(environment, *number)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Names a chunk and all beneath it; leaves are named without being opened.
fn reach(shelf: &Shelf<'_>, root: Digest, found: &mut dyn FnMut(Digest)) -> Result<(), StoreError> {
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
    /// Adds what the entries need that were not looked at yet.
    fn add_entries(&mut self, reader: &dyn Reader, packer: &Packer) -> Result<(), StoreError> {
        let shelf = Shelf::new(reader, packer);
        for (id, _) in reader.environments()? {
            for row in reader.entries(id, Span::ALL)? {
                if self.entries.insert((id, row.number)) {
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
