//! What can be written to the database, within a transaction. What needs no answer is gathered, and goes in one trip
//! together with the commit.

use std::cell::RefCell;

use parallax_model::Digest;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::{Failure, Sent, Sort, random};
use super::read::{bytes_of, signed};
use super::statement::{self, Statement};
use super::{Phase, Postgres};
use crate::StoreError;
use crate::backend::{
    Block, BlockQuery, ChunkId, EntryRow, EnvironmentId, EvidenceRow, Packed, Reader, Sizes, Span, Writer,
};

/// Bytes of chunks that are gathered before they are sent.
const MOST_GATHERED: usize = 8 << 20;

/// By what a transaction is known again, when nobody heard whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) environment: EnvironmentId,
    pub(super) entry: i64,
    /// The number of the evidence, where it added that and no entry.
    pub(super) evidence: Option<i64>,
    pub(super) attempt: i64,
}

/// A transaction that is under way.
pub(super) struct Writing<'s> {
    postgres: &'s Postgres,
    gathered: RefCell<Gathered>,
    attempt: i64,
    mark: Option<Mark>,
    is_commit_sent: bool,
}

#[derive(Default)]
struct Gathered {
    chunks: Vec<(Digest, Option<Digest>, Packed)>,
    bytes: usize,
    entries: Vec<(EnvironmentId, EntryRow)>,
    blocks: Vec<(EnvironmentId, Block)>,
    /// Environment, key, entry, number of the block.
    keys: Vec<(EnvironmentId, i64, i64, i64)>,
}

impl<'s> Writing<'s> {
    pub(super) fn new(postgres: &'s Postgres) -> Self {
        Self { postgres, gathered: RefCell::default(), attempt: random(), mark: None, is_commit_sent: false }
    }

    /// What tells whether it was done, where a commit was sent and nobody knows.
    pub(super) fn unsure(&self) -> Option<Mark> {
        self.mark.filter(|_| self.is_commit_sent)
    }

    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        if self.postgres.is_spoilt.get() {
            // The database would answer a commit with no more than the word that it took all back.
            let failure = Failure::new(Sort::Other, "a statement failed, so nothing was committed");
            return Err(self.postgres.told(failure));
        }
        if matches!(self.postgres.phase.get(), Phase::Begun(_)) && self.gathered.borrow().is_empty() {
            return Ok(());
        }
        self.is_commit_sent = true;
        self.send(Some(statement::COMMIT))
    }

    /// Sends what was gathered, with the end of the transaction if it is that.
    fn send(&self, end: Option<&str>) -> Result<(), StoreError> {
        let gathered = self.gathered.take();
        gathered.send(self.postgres, self.attempt, end).map_err(|failure| self.postgres.told(failure))
    }

    /// What was written must be seen by what is asked.
    fn asking(&self) -> Result<&'s Postgres, StoreError> {
        if !self.gathered.borrow().is_empty() {
            self.send(None)?;
        }
        Ok(self.postgres)
    }

    fn ask(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        self.asking()?.ask(statement, parameters)
    }

    fn first(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<i64>, StoreError> {
        let rows = self.ask(statement, parameters)?;
        let number: Option<Option<i64>> = rows.first().map(|row| self.postgres.got(row, 0)).transpose()?;
        Ok(number.flatten())
    }
}

impl Gathered {
    fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.entries.is_empty() && self.blocks.is_empty() && self.keys.is_empty()
    }

    fn send(mut self, postgres: &Postgres, attempt: i64, end: Option<&str>) -> Result<(), Failure> {
        // In one order for all, so that two that add the same chunks don't wait for each other in a circle.
        self.chunks.sort_by_key(|(name, ..)| *name);
        self.chunks.dedup_by_key(|(name, ..)| *name);
        let chunks = ChunkColumns::of(&self.chunks);
        let entries: Vec<EntryColumns<'_>> = self.entries.iter().map(EntryColumns::of).collect();
        let blocks: Vec<BlockColumns<'_>> =
            self.blocks.chunk_by(|(left, _), (right, _)| left == right).map(BlockColumns::of).collect();
        let keys: Vec<KeyColumns> =
            self.keys.chunk_by(|left, right| left.0 == right.0).map(KeyColumns::of).collect();
        let mut sent = Vec::new();
        if !self.chunks.is_empty() {
            sent.push(Sent { statement: statement::ADD_CHUNKS, parameters: chunks.parameters() });
        }
        sent.extend(
            entries.iter().map(|entry| Sent {
                statement: statement::ADD_ENTRY,
                parameters: entry.parameters(&attempt),
            }),
        );
        sent.extend(
            blocks
                .iter()
                .map(|blocks| Sent { statement: statement::ADD_BLOCKS, parameters: blocks.parameters() }),
        );
        sent.extend(
            keys.iter().map(|keys| Sent { statement: statement::ADD_KEYS, parameters: keys.parameters() }),
        );
        postgres.trip(&sent, end).map(|_| ())
    }
}

struct ChunkColumns<'g> {
    names: Vec<&'g [u8]>,
    bases: Vec<Option<&'g [u8]>>,
    depths: Vec<i16>,
    data: Vec<&'g [u8]>,
}

impl<'g> ChunkColumns<'g> {
    fn of(chunks: &'g [(Digest, Option<Digest>, Packed)]) -> Self {
        Self {
            names: chunks.iter().map(|(name, ..)| name.0.as_slice()).collect(),
            bases: chunks.iter().map(|(_, base, _)| base.as_ref().map(|base| base.0.as_slice())).collect(),
            depths: chunks.iter().map(|(.., packed)| i16::from(packed.depth)).collect(),
            data: chunks.iter().map(|(.., packed)| packed.data.as_slice()).collect(),
        }
    }

    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.names, &self.bases, &self.depths, &self.data]
    }
}

struct EntryColumns<'g> {
    environment: &'g EnvironmentId,
    number: i64,
    snapshot: Option<&'g [u8]>,
    root: &'g [u8],
    header: &'g [u8],
    counts: [i64; 2],
    row: &'g EntryRow,
}

impl<'g> EntryColumns<'g> {
    fn of((environment, row): &'g (EnvironmentId, EntryRow)) -> Self {
        Self {
            environment,
            number: signed(row.number),
            snapshot: row.snapshot.as_ref().map(|digest| digest.0.as_slice()),
            root: &row.root.0,
            header: &row.header.0,
            counts: [signed(row.resources), signed(row.attributes)],
            row,
        }
    }

    fn parameters<'p>(&'p self, attempt: &'p i64) -> Vec<&'p (dyn ToSql + Sync)> {
        let [resources, attributes] = &self.counts;
        vec![
            self.environment,
            &self.number,
            &self.row.captured,
            &self.snapshot,
            &self.root,
            &self.header,
            resources,
            attributes,
            &self.row.good,
            &self.row.is_pinned,
            attempt,
        ]
    }
}

struct BlockColumns<'g> {
    environment: EnvironmentId,
    entries: Vec<i64>,
    numbers: Vec<i64>,
    captured: Vec<i64>,
    data: Vec<&'g [u8]>,
}

impl<'g> BlockColumns<'g> {
    fn of(blocks: &'g [(EnvironmentId, Block)]) -> Self {
        Self {
            environment: blocks.first().map(|(environment, _)| *environment).unwrap_or_default(),
            entries: blocks.iter().map(|(_, block)| signed(block.entry)).collect(),
            numbers: blocks.iter().map(|(_, block)| signed(block.number)).collect(),
            captured: blocks.iter().map(|(_, block)| block.captured).collect(),
            data: blocks.iter().map(|(_, block)| block.data.as_slice()).collect(),
        }
    }

    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.environment, &self.entries, &self.numbers, &self.captured, &self.data]
    }
}

struct KeyColumns {
    environment: EnvironmentId,
    keys: Vec<i64>,
    entries: Vec<i64>,
    numbers: Vec<i64>,
}

impl KeyColumns {
    fn of(keys: &[(EnvironmentId, i64, i64, i64)]) -> Self {
        Self {
            environment: keys.first().map(|(environment, ..)| *environment).unwrap_or_default(),
            keys: keys.iter().map(|(_, key, ..)| *key).collect(),
            entries: keys.iter().map(|(_, _, entry, _)| *entry).collect(),
            numbers: keys.iter().map(|(.., number)| *number).collect(),
        }
    }

    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.environment, &self.keys, &self.entries, &self.numbers]
    }
}

impl Writer for Writing<'_> {
    fn keep_recordings_out(&mut self) -> Result<(), StoreError> {
        self.ask(&statement::LOCK_STORE, &[])?;
        self.ask(&statement::LOCK_ENVIRONMENTS, &[]).map(|_| ())
    }

    /// Locks the environment until the end of the transaction.
    fn add_environment(&mut self, name: &str) -> Result<EnvironmentId, StoreError> {
        if let Some(id) = self.first(&statement::LOCK_NAME, &[&name])? {
            return Ok(id);
        }
        // This locks the store, so that nobody else makes one at the same time; but somebody may just have.
        let next = self.first(&statement::NEXT_ENVIRONMENT, &[])?;
        if let Some(id) = self.first(&statement::LOCK_NAME, &[&name])? {
            return Ok(id);
        }
        let missing = || self.postgres.told(Failure::new(Sort::Other, "the row of the store is missing"));
        let id = next.ok_or_else(missing)?;
        self.ask(&statement::ADD_ENVIRONMENT, &[&id, &name])?;
        Ok(id)
    }

    fn add_chunk(&mut self, name: &Digest, packed: &Packed) -> Result<ChunkId, StoreError> {
        let mut names = self.postgres.names.borrow_mut();
        let base = packed.base.and_then(|base| names.name(base));
        let id = names.id(*name);
        drop(names);
        let is_much = {
            let mut gathered = self.gathered.borrow_mut();
            gathered.bytes = gathered.bytes.saturating_add(packed.data.len());
            gathered.chunks.push((*name, base, packed.clone()));
            gathered.bytes > MOST_GATHERED
        };
        if is_much {
            self.send(None)?;
        }
        Ok(id)
    }

    fn add_entry(&mut self, environment: EnvironmentId, row: &EntryRow) -> Result<(), StoreError> {
        self.gathered.borrow_mut().entries.push((environment, row.clone()));
        let entry = signed(row.number);
        self.mark = Some(Mark { environment, entry, evidence: None, attempt: self.attempt });
        Ok(())
    }

    fn move_head(
        &mut self,
        environment: EnvironmentId,
        from: Option<u64>,
        to: u64,
    ) -> Result<bool, StoreError> {
        let moved = self.ask(&statement::MOVE_HEAD, &[&environment, &from.map(signed), &signed(to)])?;
        Ok(moved.len() == 1)
    }

    fn add_block(
        &mut self,
        environment: EnvironmentId,
        block: &Block,
        keys: &[i64],
    ) -> Result<(), StoreError> {
        let mut gathered = self.gathered.borrow_mut();
        gathered.blocks.push((environment, block.clone()));
        let (entry, number) = (signed(block.entry), signed(block.number));
        gathered.keys.extend(keys.iter().map(|key| (environment, *key, entry, number)));
        Ok(())
    }

    fn add_evidence(&mut self, environment: EnvironmentId, row: &EvidenceRow) -> Result<(), StoreError> {
        self.ask(&statement::LOCK_ENVIRONMENT, &[&environment])?;
        let entry = signed(row.entry);
        let last = self.first(&statement::LAST_EVIDENCE, &[&environment, &entry])?;
        let number = last.unwrap_or_default().saturating_add(1);
        let attempt = self.attempt;
        let EvidenceRow { key, attribute, at, text, .. } = row;
        let parameters: [&(dyn ToSql + Sync); 8] =
            [&environment, &entry, &number, key, attribute, at, text, &attempt];
        self.ask(&statement::ADD_EVIDENCE, &parameters)?;
        self.mark = Some(Mark { environment, entry, evidence: Some(number), attempt });
        Ok(())
    }

    fn mark(&mut self, environment: EnvironmentId, row: &EntryRow) -> Result<(), StoreError> {
        let snapshot = row.snapshot.as_ref().map(|digest| digest.0.as_slice());
        let number = signed(row.number);
        self.ask(&statement::MARK, &[&environment, &number, &snapshot, &row.good, &row.is_pinned]).map(|_| ())
    }

    fn remove_entry(&mut self, environment: EnvironmentId, number: u64) -> Result<(), StoreError> {
        self.ask(&statement::REMOVE_ENTRY, &[&environment, &signed(number)]).map(|_| ())
    }

    fn remove_chunks(&mut self, chunks: &[(ChunkId, Digest)]) -> Result<(), StoreError> {
        let names: Vec<Digest> = chunks.iter().map(|(_, name)| *name).collect();
        self.ask(&statement::REMOVE_CHUNKS, &[&bytes_of(&names)]).map(|_| ())
    }
}

/// Within the transaction, what was written is seen.
impl Reader for Writing<'_> {
    fn environment(&self, name: &str) -> Result<Option<EnvironmentId>, StoreError> {
        self.asking()?.environment(name)
    }

    fn environments(&self) -> Result<Vec<(EnvironmentId, String)>, StoreError> {
        self.asking()?.environments()
    }

    fn head(&self, environment: EnvironmentId) -> Result<Option<u64>, StoreError> {
        self.asking()?.head(environment)
    }

    /// Locked until the end, so that what is done on the ground of what it says is true of it still.
    fn entry(&self, environment: EnvironmentId, number: u64) -> Result<Option<EntryRow>, StoreError> {
        self.asking()?.entry_by(&statement::LOCK_ENTRY, environment, number)
    }

    fn entries(&self, environment: EnvironmentId, span: Span) -> Result<Vec<EntryRow>, StoreError> {
        self.asking()?.entries(environment, span)
    }

    fn chunk_ids(&self, names: &[Digest]) -> Result<Vec<Option<ChunkId>>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        self.asking()?.chunk_ids(names)
    }

    fn named(&self, names: &[Digest]) -> Result<Vec<Option<(ChunkId, Packed)>>, StoreError> {
        self.asking()?.named(names)
    }

    fn packed(&self, ids: &[ChunkId]) -> Result<Vec<Option<Packed>>, StoreError> {
        self.asking()?.packed(ids)
    }

    fn all_chunks(&self) -> Result<Vec<(ChunkId, Digest, Option<ChunkId>)>, StoreError> {
        self.asking()?.all_chunks()
    }

    fn blocks(&self, environment: EnvironmentId, query: BlockQuery) -> Result<Vec<Block>, StoreError> {
        self.asking()?.blocks(environment, query)
    }

    fn evidence(&self, environment: EnvironmentId, entry: u64) -> Result<Vec<EvidenceRow>, StoreError> {
        self.asking()?.evidence(environment, entry)
    }

    fn sizes(&self) -> Result<Sizes, StoreError> {
        self.asking()?.sizes()
    }

    fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.asking()?.integrity()
    }
}
