//! What can be asked of the database. Each question is one trip, or one for many where there is much to be had.

use std::collections::{HashMap, HashSet};

use parallax_model::Digest;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::Sort;
use super::statement::{self, Statement};
use super::{Phase, Postgres};
use crate::StoreError;
use crate::backend::{
    Block, BlockQuery, ChunkId, EntryRow, EnvironmentId, EvidenceRow, Packed, Reader, Sizes, Span,
};

/// How many chunks are asked for at once, by name and whole.
const NAMES: usize = 5000;
const WHOLE: usize = 1000;
/// How many rows are listed at once.
const PAGE: i64 = 20_000;

impl Postgres {
    /// The rows of one statement. Outside of a transaction a cut connection is made again.
    pub(super) fn ask(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let mut tries = 1;
        loop {
            let failure = match self.rows_of(statement, parameters) {
                Ok(rows) => return Ok(rows),
                Err(failure) => failure,
            };
            let may_pass = matches!(failure.sort, Sort::Cut | Sort::Conflict);
            let error = self.told(failure);
            if !may_pass || self.phase.get() != Phase::Idle {
                return Err(error);
            }
            self.recover(error, tries)?;
            tries += 1;
        }
    }

    pub(super) fn entry_by(
        &self,
        statement: &Statement,
        environment: EnvironmentId,
        number: u64,
    ) -> Result<Option<EntryRow>, StoreError> {
        let rows = self.ask(statement, &[&environment, &signed(number)])?;
        rows.first().map(|row| self.entry_of(row)).transpose()
    }

    fn entry_of(&self, row: &Row) -> Result<EntryRow, StoreError> {
        let snapshot: Option<&[u8]> = self.got(row, 2)?;
        Ok(EntryRow {
            number: self.count(row, 0)?,
            captured: self.got(row, 1)?,
            snapshot: snapshot.map(|bytes| self.digest(bytes)).transpose()?,
            root: self.digest(self.got(row, 3)?)?,
            header: self.digest(self.got(row, 4)?)?,
            resources: self.count(row, 5)?,
            attributes: self.count(row, 6)?,
            good: self.got(row, 7)?,
            is_pinned: self.got(row, 8)?,
        })
    }

    /// A number that is not negative.
    fn count(&self, row: &Row, at: usize) -> Result<u64, StoreError> {
        let number: i64 = self.got(row, at)?;
        u64::try_from(number).map_err(|error| self.damaged(&format!("{number} is no count: {error}")))
    }

    fn digest(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = <[u8; 32]>::try_from(bytes);
        digest.map(Digest).map_err(|error| self.damaged(&format!("a digest is not 32 bytes long: {error}")))
    }

    fn damaged(&self, why: &str) -> StoreError {
        StoreError::Damaged { place: self.place.clone(), why: why.to_owned() }
    }

    fn whole(&self, names: &[Digest]) -> Result<HashMap<Digest, Packed>, StoreError> {
        let mut found = HashMap::with_capacity(names.len());
        for part in names.chunks(WHOLE) {
            for row in self.ask(&statement::CHUNKS, &[&bytes_of(part)])? {
                let name = self.digest(self.got(&row, 0)?)?;
                let base: Option<&[u8]> = self.got(&row, 1)?;
                let base = base.map(|base| self.digest(base)).transpose()?;
                let depth: i16 = self.got(&row, 2)?;
                let packed = Packed {
                    base: base.map(|base| self.names.borrow_mut().id(base)),
                    depth: u8::try_from(depth)
                        .map_err(|_ignored| self.damaged("the depth of a chunk is out of bounds"))?,
                    data: self.got(&row, 3)?,
                };
                found.insert(name, packed);
            }
        }
        Ok(found)
    }

    fn totals(&self, statement: &Statement) -> Result<(u64, u64), StoreError> {
        let rows = self.ask(statement, &[])?;
        let row = rows.first().ok_or_else(|| self.damaged("a count has no row"))?;
        let bytes = if row.len() > 1 { self.count(row, 1)? } else { 0 };
        Ok((self.count(row, 0)?, bytes))
    }
}

/// As the database has numbers. Those of entries stay far below the end.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn bytes_of(names: &[Digest]) -> Vec<&[u8]> {
    names.iter().map(|name| name.0.as_slice()).collect()
}

impl Reader for Postgres {
    fn environment(&self, name: &str) -> Result<Option<EnvironmentId>, StoreError> {
        let rows = self.ask(&statement::ENVIRONMENT, &[&name])?;
        rows.first().map(|row| self.got(row, 0)).transpose()
    }

    fn environments(&self) -> Result<Vec<(EnvironmentId, String)>, StoreError> {
        let rows = self.ask(&statement::ENVIRONMENTS, &[])?;
        let read = |row: &Row| -> Result<(EnvironmentId, String), StoreError> {
            Ok((self.got(row, 0)?, self.got(row, 1)?))
        };
        let mut all = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        // In an order that does not depend on the database's language.
        all.sort_by(|(_, left), (_, right)| left.cmp(right));
        Ok(all)
    }

    fn head(&self, environment: EnvironmentId) -> Result<Option<u64>, StoreError> {
        let rows = self.ask(&statement::HEAD, &[&environment])?;
        let head: Option<Option<i64>> = rows.first().map(|row| self.got(row, 0)).transpose()?;
        Ok(head.flatten().and_then(|head| u64::try_from(head).ok()))
    }

    fn entry(&self, environment: EnvironmentId, number: u64) -> Result<Option<EntryRow>, StoreError> {
        self.entry_by(&statement::ENTRY, environment, number)
    }

    fn entries(&self, environment: EnvironmentId, span: Span) -> Result<Vec<EntryRow>, StoreError> {
        let limit = i64::try_from(span.limit).unwrap_or(i64::MAX);
        let rows = self.ask(&statement::ENTRIES, &[&environment, &span.since, &span.until, &limit])?;
        rows.iter().map(|row| self.entry_of(row)).collect()
    }

    fn chunk_ids(&self, names: &[Digest]) -> Result<Vec<Option<ChunkId>>, StoreError> {
        let mut found = HashSet::with_capacity(names.len());
        for part in names.chunks(NAMES) {
            for row in self.ask(&statement::CHUNKS_THERE, &[&bytes_of(part)])? {
                found.insert(self.digest(self.got(&row, 0)?)?);
            }
        }
        let mut known = self.names.borrow_mut();
        Ok(names.iter().map(|name| found.contains(name).then(|| known.id(*name))).collect())
    }

    fn named(&self, names: &[Digest]) -> Result<Vec<Option<(ChunkId, Packed)>>, StoreError> {
        let mut found = self.whole(names)?;
        let mut known = self.names.borrow_mut();
        Ok(names.iter().map(|name| found.remove(name).map(|packed| (known.id(*name), packed))).collect())
    }

    fn packed(&self, ids: &[ChunkId]) -> Result<Vec<Option<Packed>>, StoreError> {
        let names: Vec<Option<Digest>> = ids.iter().map(|id| self.names.borrow().name(*id)).collect();
        let asked: Vec<Digest> = names.iter().flatten().copied().collect();
        let mut found = self.whole(&asked)?;
        Ok(names.into_iter().map(|name| found.remove(&name?)).collect())
    }

    fn all_chunks(&self) -> Result<Vec<(ChunkId, Digest, Option<ChunkId>)>, StoreError> {
        let mut out = Vec::new();
        let mut last: Vec<u8> = Vec::new();
        loop {
            let rows = self.ask(&statement::CHUNKS_AFTER, &[&last, &PAGE])?;
            for row in &rows {
                let name = self.digest(self.got(row, 0)?)?;
                let base: Option<&[u8]> = self.got(row, 1)?;
                let base = base.map(|base| self.digest(base)).transpose()?;
                let mut known = self.names.borrow_mut();
                out.push((known.id(name), name, base.map(|base| known.id(base))));
            }
            match out.last() {
                Some((_, name, _)) if !rows.is_empty() => last = name.0.to_vec(),
                Some(_) | None => return Ok(out),
            }
        }
    }

    fn blocks(&self, environment: EnvironmentId, query: BlockQuery) -> Result<Vec<Block>, StoreError> {
        let (entry, number) = query.before.unwrap_or((u64::MAX, 0));
        let (entry, number) = (signed(entry), signed(number));
        let Span { since, until, limit } = query.span;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut parameters: Vec<&(dyn ToSql + Sync)> =
            vec![&environment, &since, &until, &entry, &number, &limit];
        let rows = match &query.key {
            None => self.ask(&statement::BLOCKS, &parameters)?,
            Some(key) => {
                parameters.push(key);
                self.ask(&statement::BLOCKS_OF_KEY, &parameters)?
            }
        };
        let block = |row: &Row| {
            Ok(Block {
                entry: self.count(row, 0)?,
                number: self.count(row, 1)?,
                captured: self.got(row, 2)?,
                data: self.got(row, 3)?,
            })
        };
        rows.iter().map(block).collect()
    }

    fn evidence(&self, environment: EnvironmentId, entry: u64) -> Result<Vec<EvidenceRow>, StoreError> {
        let rows = self.ask(&statement::EVIDENCE, &[&environment, &signed(entry)])?;
        let read = |row: &Row| {
            Ok(EvidenceRow {
                entry,
                key: self.got(row, 0)?,
                attribute: self.got(row, 1)?,
                at: self.got(row, 2)?,
                text: self.got(row, 3)?,
            })
        };
        rows.iter().map(read).collect()
    }

    fn sizes(&self) -> Result<Sizes, StoreError> {
        let (chunks, chunk_bytes) = self.totals(&statement::CHUNK_SIZES)?;
        let (blocks, block_bytes) = self.totals(&statement::BLOCK_SIZES)?;
        let (entries, _) = self.totals(&statement::COUNT_ENTRIES)?;
        let least = chunk_bytes.saturating_add(block_bytes);
        // Within a transaction a question that this engine does not understand would end it.
        let told = match self.phase.get() {
            Phase::Idle => self.totals(&statement::TABLE_SIZES).map_or(0, |(bytes, _)| bytes),
            Phase::Begun(_) | Phase::Open => 0,
        };
        Ok(Sizes { bytes: told.max(least), chunks, chunk_bytes, entries, blocks, block_bytes })
    }

    /// The server looks after its own files.
    fn integrity(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}
