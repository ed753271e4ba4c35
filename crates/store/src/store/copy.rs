//! Copying a store's timelines into another, of whatever backend: entries with their trees, changes, evidence, marks and pins.
//!
//! Entries go over in order, each in one transaction with all that it needs. So a copy that was cut off goes on where it was, one
//! that is done again takes only what is new, and the other store is whole at every moment. Nothing is ever taken from either.

use std::collections::{HashMap, HashSet};

use parallax_model::Digest;

use super::Store;
use super::house::reach;
use super::record::unreadable;

use super::shelf::{Cache, Shelf};
use super::verify::{Blocks, Check, Problem, Tell};
use crate::StoreError;
use crate::backend::{Block, ChunkId, EntryRow, EnvironmentId, EvidenceRow, Packed, Span, Writer};
use crate::change;
use crate::tree::{Chunks as _, TreeError};

/// How many names are asked for at a time.
const BATCH: usize = 500;
/// How many entries, or how many chunks of them, go over in one transaction.
const ENTRIES: usize = 32;
const CHUNKS: usize = 2_000;
/// A chunk that would need more than this many others to be read is compressed by itself.
const DEEPEST: u8 = 12;

/// What a copy brought over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copied {
    /// How many environments there are.
    pub environments: usize,
    /// Entries that were brought over.
    pub entries: usize,
    /// Entries that were there already.
    pub already: usize,
    /// Chunks that were brought over.
    pub chunks: usize,
    /// Blocks of changes that were.
    pub blocks: usize,
    /// Evidence that was.
    pub evidence: usize,
    /// Entries that were there already, and are now marked or pinned as here.
    pub marks: usize,
    /// What was found wrong when it was read back there.
    pub problems: Vec<Problem>,
}

/// An entry with what goes over with it.
pub(super) struct Parcel {
    pub(super) row: EntryRow,
    /// The chunks that the other store may not have yet.
    pub(super) chunks: Vec<Digest>,
    pub(super) blocks: Vec<(Block, Vec<i64>)>,
    pub(super) evidence: Vec<EvidenceRow>,
}

/// The chunks that one transaction dealt with: number, depth, and whether they were there before.
type Placed = HashMap<Digest, (ChunkId, u8, Was)>;

/// Entries that go over in one transaction: a commit for each would take longer than all the rest.
pub(super) struct Load<'l> {
    environment: &'l str,
    /// The latest entry that the other has.
    head: Option<u64>,
    parcels: Vec<Parcel>,
    chunks: usize,
}

impl<'l> Load<'l> {
    pub(super) fn new(environment: &'l str, head: Option<u64>) -> Self {
        Self { environment, head, parcels: Vec::new(), chunks: 0 }
    }

    /// Takes an entry along, and delivers where that is enough; says how many chunks were new there.
    pub(super) fn add(&mut self, crossing: &Crossing<'_>, parcel: Parcel) -> Result<usize, StoreError> {
        self.chunks = self.chunks.saturating_add(parcel.chunks.len());
        self.parcels.push(parcel);
        let is_enough = self.parcels.len() >= ENTRIES || self.chunks >= CHUNKS;
        if is_enough { self.deliver(crossing) } else { Ok(0) }
    }

    /// Adds all entries to the other store; says how many chunks were new there.
    pub(super) fn deliver(&mut self, crossing: &Crossing<'_>) -> Result<usize, StoreError> {
        let (mut added, mut latest) = (0, self.head);
        if self.parcels.is_empty() {
            return Ok(0);
        }
        crossing.to.backend.write(&mut |writer| {
            let id = writer.add_environment(self.environment)?;
            let mut placed = Placed::new();
            latest = self.head;
            for parcel in &self.parcels {
                // An older one moves nothing; to say so keeps collectors out where several write at once.
                let number = latest.map_or(parcel.row.number, |latest| latest.max(parcel.row.number));
                if !writer.move_head(id, latest, number)? {
                    let why = "something was recorded there while it was copied".to_owned();
                    return Err(StoreError::OtherHistory { environment: self.environment.to_owned(), why });
                }
                latest = Some(number);
                crossing.hand_over(writer, id, parcel, &mut placed)?;
            }
            added = placed.values().filter(|(_, _, was)| matches!(was, Was::Added)).count();
            Ok(())
        })?;
        self.head = latest;
        self.parcels.clear();
        self.chunks = 0;
        Ok(added)
    }
}

impl Store {
    /// Copies all that the other store has not, and reads it back there.
    ///
    /// # Errors
    /// [`StoreError::OtherHistory`] before anything is copied, where the other has an environment of the same name with another
    /// history. After any other error the same call goes on where it ended.
    pub fn copy_to(&self, other: &Self, tell: &mut Tell<'_>) -> Result<Copied, StoreError> {
        self.copy_to_as(other, &str::to_owned, tell)
    }

    /// The same, where environments may have other names in the other store. No two may get the same name.
    ///
    /// # Errors
    /// As with [`Store::copy_to`].
    pub fn copy_to_as(
        &self,
        other: &Self,
        called_there: &dyn Fn(&str) -> String,
        tell: &mut Tell<'_>,
    ) -> Result<Copied, StoreError> {
        self.viewing(|| {
            let crossing = Crossing::new(self, other)?;
            let mut plans = Vec::new();
            for (id, name) in self.backend.environments()? {
                plans.push(crossing.plan(id, called_there(&name))?);
            }
            let total = plans.iter().map(|plan| plan.rows.len()).sum::<usize>().saturating_mul(2);
            let mut copied = Copied { environments: plans.len(), ..Copied::default() };
            let mut done = 0;
            for plan in &plans {
                copied.already += plan.already.len();
                crossing.bring(plan, &mut copied, &mut || {
                    done += 1;
                    tell(done, total);
                })?;
                crossing.refresh(plan, &mut copied)?;
            }
            let cache = Cache::default();
            let mut check = Check::new(other, &cache);
            for plan in &plans {
                crossing.look_back(plan, &mut check, &mut copied, &mut || {
                    done += 1;
                    tell(done, total);
                })?;
            }
            copied.problems.extend(check.done().problems);
            Ok(copied)
        })
    }
}

/// What is to be done for one environment.
struct Plan {
    id: EnvironmentId,
    /// What it is called in the other store.
    name: String,
    /// The latest entry that the other has.
    head: Option<u64>,
    /// The entries to bring, in order.
    rows: Vec<EntryRow>,
    /// Entries of both: as here, and as there.
    already: Vec<(EntryRow, EntryRow)>,
    /// When entries with changes were captured.
    changed: Vec<(u64, i64)>,
}

/// Two stores, and what was learnt of the chunks of the first.
pub(super) struct Crossing<'c> {
    from: &'c Store,
    to: &'c Store,
    shelf: Shelf<'c>,
    names: HashMap<ChunkId, Digest>,
    ids: HashMap<Digest, ChunkId>,
}

impl<'c> Crossing<'c> {
    pub(super) fn new(from: &'c Store, to: &'c Store) -> Result<Self, StoreError> {
        let all = from.backend.all_chunks()?;
        let names = all.iter().map(|(id, name, _)| (*id, *name)).collect();
        let ids = all.iter().map(|(id, name, _)| (*name, *id)).collect();
        Ok(Self { from, to, shelf: from.shelf(), names, ids })
    }

    fn plan(&self, id: EnvironmentId, name: String) -> Result<Plan, StoreError> {
        let mut rows = self.from.backend.entries(id, Span::ALL)?;
        rows.sort_by_key(|row| row.number);
        let there = self.to.backend.environment(&name)?;
        let mut theirs: HashMap<u64, EntryRow> = HashMap::new();
        let mut head = None;
        if let Some(there) = there {
            let all = self.to.backend.entries(there, Span::ALL)?;
            theirs = all.into_iter().map(|row| (row.number, row)).collect();
            head = self.to.backend.head(there)?;
        }
        if let (Some(there), Some(head)) = (there, head) {
            self.hold_against(id, &name, &rows, there, &theirs, head)?;
        }
        let mut already = Vec::new();
        let mut bring = Vec::new();
        for row in rows {
            let is_new = head.is_none_or(|head| row.number > head);
            match theirs.remove(&row.number) {
                Some(other) => already.push((row, other)),
                // What the other has collected stays so, unless something names it.
                None if is_new || row.good.is_some() || row.is_pinned => bring.push(row),
                None => {}
            }
        }
        let mut changed = Vec::new();
        let mut blocks = Blocks::of(&*self.from.backend, id, Span::ALL, None);
        while let Some(block) = blocks.next()? {
            changed.push((block.entry, block.captured));
        }
        changed.dedup_by_key(|(entry, _)| *entry);
        changed.reverse();
        Ok(Plan { id, name, head, rows: bring, already, changed })
    }

    /// Makes sure that what the other knows of an environment is the beginning of what is known here.
    fn hold_against(
        &self,
        id: EnvironmentId,
        name: &str,
        rows: &[EntryRow],
        there: EnvironmentId,
        theirs: &HashMap<u64, EntryRow>,
        head: u64,
    ) -> Result<(), StoreError> {
        let other = |why: String| StoreError::OtherHistory { environment: name.to_owned(), why };
        let ours = self.from.backend.head(id)?;
        if ours.is_none_or(|ours| head > ours) {
            return Err(other(format!("its latest entry is {head}, here it is {}", ours.unwrap_or(0))));
        }
        let mut common = 0_usize;
        for (row, known) in rows.iter().filter_map(|row| Some((row, theirs.get(&row.number)?))) {
            if core(row) != core(known) {
                return Err(other(format!("entry {} is another one", row.number)));
            }
            common += 1;
        }
        if common == 0 {
            // All that both had may have been collected; changes never are.
            let last = |store: &'c Store, id| {
                Blocks::of(&*store.backend, id, Span::ALL, Some(head.saturating_add(1))).next()
            };
            let (here, there) = (last(self.from, id)?, last(self.to, there)?);
            if here.is_none() || here != there {
                return Err(other("no entry is in both".to_owned()));
            }
        }
        Ok(())
    }

    fn bring(&self, plan: &Plan, copied: &mut Copied, tell: &mut dyn FnMut()) -> Result<(), StoreError> {
        let (mut before, mut last) = (HashSet::new(), plan.head);
        let mut load = Load::new(&plan.name, plan.head);
        for row in &plan.rows {
            let is_new = last.is_none_or(|last| row.number > last);
            let all = self.chunks_of(row)?;
            let chunks = self.in_order(&all, &before);
            let (mut blocks, mut evidence) = (Vec::new(), Vec::new());
            let since = last.unwrap_or(0);
            let wanted = |entry: u64| is_new && entry > since && entry <= row.number;
            for (entry, _) in plan.changed.iter().filter(|(entry, _)| wanted(*entry)) {
                blocks.extend(self.blocks_of(&plan.name, plan.id, *entry)?);
                evidence.extend(self.from.backend.evidence(plan.id, *entry)?);
            }
            copied.entries += 1;
            copied.blocks += blocks.len();
            copied.evidence += evidence.len();
            copied.chunks += load.add(self, Parcel { row: row.clone(), chunks, blocks, evidence })?;
            if is_new {
                last = Some(row.number);
                // The latest entry there is never collected, so what it has need not be looked for again.
                before = all;
            }
            tell();
        }
        copied.chunks += load.deliver(self)?;
        Ok(())
    }

    /// Those of all that are not among these, in the order in which they lie here, which is that of keys.
    pub(super) fn in_order(&self, all: &HashSet<Digest>, without: &HashSet<Digest>) -> Vec<Digest> {
        let mut chunks: Vec<Digest> = all.difference(without).copied().collect();
        chunks.sort_by_key(|name| self.ids.get(name).copied());
        chunks
    }

    /// The chunks of an entry: its header, its tree.
    pub(super) fn chunks_of(&self, row: &EntryRow) -> Result<HashSet<Digest>, StoreError> {
        let mut all = HashSet::from([row.header]);
        reach(&self.shelf, row.root, &mut |name| {
            all.insert(name);
        })?;
        Ok(all)
    }

    fn blocks_of(
        &self,
        name: &str,
        id: EnvironmentId,
        entry: u64,
    ) -> Result<Vec<(Block, Vec<i64>)>, StoreError> {
        let mut blocks = Blocks::of(&*self.from.backend, id, Span::ALL, Some(entry.saturating_add(1)));
        let mut out = Vec::new();
        while let Some(block) = blocks.next()?.filter(|block| block.entry == entry) {
            let changes = self.from.opened(name, &block)?;
            let keys = changes.iter().map(|kept| change::key_number(&kept.key)).collect();
            out.push((block, keys));
        }
        out.reverse();
        Ok(out)
    }

    /// Adds an entry to the other store with all that comes with it.
    fn hand_over(
        &self,
        writer: &mut dyn Writer,
        id: EnvironmentId,
        parcel: &Parcel,
        placed: &mut Placed,
    ) -> Result<(), StoreError> {
        for names in parcel.chunks.chunks(BATCH) {
            for (name, there) in names.iter().zip(writer.chunk_ids(names)?) {
                if there.is_none() {
                    self.place(writer, *name, placed)?;
                }
            }
        }
        writer.add_entry(id, &parcel.row)?;
        parcel.blocks.iter().try_for_each(|(block, keys)| writer.add_block(id, block, keys))?;
        parcel.evidence.iter().try_for_each(|row| writer.add_evidence(id, row))
    }

    /// Makes sure that a chunk is there, and those that it is compressed against.
    fn place(
        &self,
        writer: &mut dyn Writer,
        name: Digest,
        placed: &mut Placed,
    ) -> Result<(ChunkId, u8), StoreError> {
        if let Some((id, depth, _)) = placed.get(&name) {
            return Ok((*id, *depth));
        }
        if let Some((id, packed)) = writer.named(&[name])?.into_iter().next().flatten() {
            placed.insert(name, (id, packed.depth, Was::There));
            return Ok((id, packed.depth));
        }
        let missing = || StoreError::from(TreeError::Missing { chunk: name });
        let fail = |source| unreadable(name, source);
        let bytes = self.shelf.get(&name).map_err(fail)?.ok_or_else(missing)?;
        let known = self.from.backend.named(&[name])?.into_iter().next().flatten();
        let (_, packed) = known.ok_or_else(missing)?;
        let base = packed.base.and_then(|base| self.names.get(&base)).copied();
        let below = base.map(|base| self.place(writer, base, placed)).transpose()?;
        let packed = match below.filter(|(_, depth)| *depth < DEEPEST) {
            Some((id, depth)) => Packed { base: Some(id), depth: depth + 1, ..packed },
            None if packed.base.is_none() => Packed { depth: 0, ..packed },
            None => Packed { base: None, depth: 0, data: self.from.packer.pack(&bytes, &[]) },
        };
        let id = writer.add_chunk(&name, &packed)?;
        placed.insert(name, (id, packed.depth, Was::Added));
        Ok((id, packed.depth))
    }

    /// Brings over what became known since of entries that the other has.
    fn refresh(&self, plan: &Plan, copied: &mut Copied) -> Result<(), StoreError> {
        for (here, there) in &plan.already {
            let mut now = there.clone();
            now.snapshot = there.snapshot.or(here.snapshot);
            now.good = there.good.or(here.good);
            now.is_pinned |= here.is_pinned;
            if now != *there {
                self.to.backend.write(&mut |writer| {
                    let id = writer.add_environment(&plan.name)?;
                    if writer.entry(id, now.number)?.is_some() { writer.mark(id, &now) } else { Ok(()) }
                })?;
                copied.marks += 1;
            }
        }
        let Some((head, there)) = plan.head.zip(self.to.backend.environment(&plan.name)?) else {
            return Ok(());
        };
        for (entry, _) in plan.changed.iter().filter(|(entry, _)| *entry <= head) {
            let here = self.from.backend.evidence(plan.id, *entry)?;
            let mut added = 0;
            if !here.is_empty() && here != self.to.backend.evidence(there, *entry)? {
                self.to.backend.write(&mut |writer| {
                    let known = writer.evidence(there, *entry)?;
                    let new: Vec<&EvidenceRow> = here.iter().filter(|row| !known.contains(row)).collect();
                    added = new.len();
                    new.into_iter().try_for_each(|row| writer.add_evidence(there, row))
                })?;
            }
            copied.evidence += added;
        }
        Ok(())
    }

    /// Reads what was brought over as the other store has it.
    fn look_back(
        &self,
        plan: &Plan,
        check: &mut Check<'_>,
        copied: &mut Copied,
        tell: &mut dyn FnMut(),
    ) -> Result<(), StoreError> {
        let Some(there) = self.to.backend.environment(&plan.name)? else {
            return Ok(());
        };
        for row in &plan.rows {
            let mut wrong = |what: &str| {
                copied.problems.push(Problem::of(&plan.name, row, what.to_owned()));
            };
            match self.to.backend.entry(there, row.number)? {
                Some(found) if core(&found) == core(row) => {
                    let resources = check.entry(&plan.name, &found);
                    let span = Span { since: row.captured, until: row.captured, ..Span::ALL };
                    let before = Some(row.number.saturating_add(1));
                    let mut here = Blocks::of(&*self.from.backend, plan.id, span, before);
                    let mut copies = Blocks::of(&*self.to.backend, there, span, before);
                    while let Some(block) = here.next()?.filter(|block| block.entry == row.number) {
                        match copies.next()? {
                            Some(copy) if copy == block => {
                                check.block(&plan.name, &copy, resources.as_deref());
                            }
                            Some(_) | None => wrong("its changes are not as they were"),
                        }
                    }
                }
                Some(_) => wrong("it is not as it was"),
                // Retention may be at work there.
                None if row.good.is_none() && !row.is_pinned => {}
                None => wrong("it is missing"),
            }
            tell();
        }
        Ok(())
    }
}

/// What makes an entry this one and no other.
fn core(row: &EntryRow) -> (i64, Digest, Digest) {
    (row.captured, row.root, row.header)
}

/// Whether a chunk was there before.
#[derive(Clone, Copy)]
enum Was {
    There,
    Added,
}
