//! Salvage: from a damaged file into a new store goes every entry that is still whole, with its changes and marks, and what is
//! lost is listed. Whole means that each chunk has the bytes of its name, and the snapshot its content hash.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use parallax_model::Digest;

use super::copy::{Crossing, Load, Parcel};
use super::shelf::{Cache, Shelf};
use super::verify::{Blocks, Check, Problem, Tell};
use super::{Store, header};
use crate::StoreError;
use crate::backend::{Block, ChunkId, EntryRow, EnvironmentId, EvidenceRow, Reader as _, Span};
use crate::change;
use crate::pack::Packer;
use crate::sqlite::Wreck;
use crate::tree::name_of;

/// What was saved, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Salvaged {
    /// Entries that are in the new store.
    pub entries: usize,
    /// Entries that are known to be lost.
    pub lost_entries: usize,
    /// Changes that are in the new store.
    pub changes: usize,
    /// Pages of the file that are gone or unreadable.
    pub lost_pages: usize,
    /// What is lost, by environment and number.
    pub lost: Vec<Problem>,
    /// What is wrong with the new store; nothing, unless the disk is at fault.
    pub problems: Vec<Problem>,
}

/// Changes and evidence that wait for the next entry that is whole.
#[derive(Default)]
struct Waiting {
    blocks: Vec<(Block, Vec<i64>)>,
    evidence: Vec<EvidenceRow>,
    changes: usize,
}

impl Store {
    /// Writes what is whole of a damaged SQLite file into a new one. The damaged file is only read.
    ///
    /// # Errors
    /// [`StoreError`] where the new file is there already or cannot be written, or nothing of the damaged one is a store's.
    pub fn salvage(damaged: &Path, new: &Path, tell: &mut Tell<'_>) -> Result<Salvaged, StoreError> {
        let place = new.display().to_string();
        if new.exists() {
            let why = "it is there already, and what is saved goes into a new file".to_owned();
            return Err(StoreError::Unreachable { place, why });
        }
        let mut wreck = Wreck::read(damaged)?;
        name_chunks(&mut wreck);
        let mut out = Salvaged { lost_pages: wreck.lost_pages, ..Salvaged::default() };
        out.lost = unsure(&wreck)?;
        let mut gone: BTreeMap<EnvironmentId, Gone> = BTreeMap::new();
        for (id, _) in wreck.environments()? {
            let known = Gone { entries: Vec::new(), blocks: wreck.lost_blocks(id).into_iter().collect() };
            gone.insert(id, known);
        }
        for (id, number, captured) in wreck.lost_entries() {
            gone.entry(id).or_default().entries.push((number, captured));
        }
        let from = Self::over(Box::new(wreck));
        let to = Self::open(&place)?;
        let cache = Cache::default();
        let (crossing, check) = (Crossing::new(&from, &to)?, Check::new(&from, &cache));
        let mut rescue = Rescue { crossing, check, from: &from, out: &mut out };
        let total = usize::try_from(from.backend.sizes()?.entries).unwrap_or(usize::MAX);
        let mut done = 0;
        for (id, name) in from.backend.environments()? {
            let gone = gone.remove(&id).unwrap_or_default();
            rescue.environment(id, &name, &gone, &mut || {
                done += 1;
                tell(done, total);
            })?;
        }
        let problems = rescue.check.done().problems;
        out.lost.extend(problems);
        out.lost.sort_by(|a, b| (&a.environment, a.entry).cmp(&(&b.environment, b.entry)));
        out.problems = to.verify()?.problems;
        Ok(out)
    }
}

/// What is known to be gone without a trace of what it was.
#[derive(Default)]
struct Gone {
    entries: Vec<(u64, Option<i64>)>,
    /// Entries of which changes are.
    blocks: Vec<u64>,
}

/// What is saved although nothing proves it: names and times, of which no hash speaks.
fn unsure(wreck: &Wreck) -> Result<Vec<Problem>, StoreError> {
    let mut out = Vec::new();
    for name in wreck.unsure_names() {
        let what = "its name stands in one place only, or in two that differ".to_owned();
        out.push(Problem { environment: Some(name), entry: None, captured_at: None, what });
    }
    let names: BTreeMap<EnvironmentId, String> = wreck.environments()?.into_iter().collect();
    for (id, number, captured) in wreck.unsure_times() {
        let name = names.get(&id).map_or("", String::as_str);
        out.push(Problem::at(
            name,
            number,
            captured,
            "its time is uncertain: an index has another".to_owned(),
        ));
    }
    Ok(out)
}

fn name_chunks(wreck: &mut Wreck) {
    let packer = Packer::new();
    let named: Vec<(ChunkId, Digest)> = {
        let cache = Cache::default();
        let shelf = Shelf::new(wreck, &packer, &cache);
        let name = |id: ChunkId| Some((id, name_of(&shelf.open(id).ok()?.bytes)));
        wreck.chunk_numbers().into_iter().filter_map(name).collect()
    };
    for (id, name) in named {
        wreck.name(id, name);
    }
}

struct Rescue<'r> {
    from: &'r Store,
    crossing: Crossing<'r>,
    /// Gathers what is wrong with what is there.
    check: Check<'r>,
    out: &'r mut Salvaged,
}

impl Rescue<'_> {
    fn environment(
        &mut self,
        id: EnvironmentId,
        name: &str,
        gone: &Gone,
        tell: &mut dyn FnMut(),
    ) -> Result<(), StoreError> {
        let lost = |entry, captured: Option<i64>, what: &str| {
            let (environment, captured_at) = (Some(name.to_owned()), captured.map(header::time));
            Problem { environment, entry: Some(entry), captured_at, what: what.to_owned() }
        };
        let mut rows = self.from.backend.entries(id, Span::ALL)?;
        rows.sort_by_key(|row| row.number);
        let changed = self.changed(id)?;
        let mut changed = changed.iter().peekable();
        let (mut before, mut load, mut waiting) = (HashSet::new(), Load::new(name, None), Waiting::default());
        for row in rows {
            while let Some((entry, captured)) = changed.next_if(|(entry, _)| **entry < row.number) {
                self.wait(id, name, (*entry, *captured), None, &mut waiting)?;
            }
            let resources = self.check.entry(name, &row);
            if let Some((entry, _)) = changed.next_if(|(entry, _)| **entry == row.number) {
                self.wait(id, name, (*entry, row.captured), resources.as_deref(), &mut waiting)?;
            }
            match resources {
                None => self.out.lost_entries += 1,
                Some(_) => self.save(&mut load, &row, &mut before, std::mem::take(&mut waiting))?,
            }
            tell();
        }
        load.deliver(&self.crossing)?;
        // A number is used again after the latest entry that is left, so that nothing may be kept of later ones.
        let mut unkept: Vec<(u64, Option<i64>)> =
            waiting.blocks.iter().map(|(block, _)| (block.entry, Some(block.captured))).collect();
        unkept.extend(changed.map(|(entry, captured)| (*entry, Some(*captured))));
        unkept.extend(gone.blocks.iter().map(|entry| (*entry, None)));
        unkept.sort_unstable();
        unkept.dedup_by_key(|(entry, _)| *entry);
        let what = "changes of it are lost";
        self.out.lost.extend(unkept.into_iter().map(|(entry, captured)| lost(entry, captured, what)));
        self.out.lost_entries += gone.entries.len();
        let what = "it is lost with its row";
        self.out.lost.extend(gone.entries.iter().map(|(entry, captured)| lost(*entry, *captured, what)));
        Ok(())
    }

    /// Entries with changes, and when they were captured.
    fn changed(&self, id: EnvironmentId) -> Result<BTreeMap<u64, i64>, StoreError> {
        let mut blocks = Blocks::of(&*self.from.backend, id, Span::ALL, None);
        let mut changed = BTreeMap::new();
        while let Some(block) = blocks.next()? {
            // The first block, which comes last, has the entry's own time, if the entry changed anything.
            changed.insert(block.entry, block.captured);
        }
        Ok(changed)
    }

    /// Takes an entry's changes that are true, and its evidence.
    fn wait(
        &mut self,
        id: EnvironmentId,
        name: &str,
        (entry, captured): (u64, i64),
        resources: Option<&[parallax_model::Resource]>,
        waiting: &mut Waiting,
    ) -> Result<(), StoreError> {
        let mut blocks = Blocks::of(&*self.from.backend, id, Span::ALL, Some(entry.saturating_add(1)));
        while let Some(block) = blocks.next()?.filter(|block| block.entry == entry) {
            // Others tell what changed from the entry to the one that followed it.
            let after = resources.filter(|_| block.captured == captured);
            if let Some(changes) = self.check.block(name, &block, after) {
                waiting.changes += changes.len();
                let keys = changes.iter().map(|kept| change::key_number(&kept.key)).collect();
                waiting.blocks.push((block, keys));
            }
        }
        waiting.evidence.extend(self.from.backend.evidence(id, entry)?);
        Ok(())
    }

    fn save(
        &mut self,
        load: &mut Load<'_>,
        row: &EntryRow,
        before: &mut HashSet<Digest>,
        waiting: Waiting,
    ) -> Result<(), StoreError> {
        let all = self.crossing.chunks_of(row)?;
        let chunks = self.crossing.in_order(&all, before);
        let Waiting { blocks, evidence, changes } = waiting;
        load.add(&self.crossing, Parcel { row: row.clone(), chunks, blocks, evidence })?;
        self.out.entries += 1;
        self.out.changes += changes;
        *before = all;
        Ok(())
    }
}
