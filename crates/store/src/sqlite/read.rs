//! What can be asked of the SQLite file.

use parallax_model::Digest;
use rusqlite::{Params, Row, params};

use super::{Sqlite, optional};
use crate::StoreError;
use crate::backend::{
    Block, BlockQuery, ChunkId, EntryRow, EnvironmentId, EvidenceRow, Packed, Reader, Sizes, Span,
};

const ENTRY: &str =
    "SELECT number, captured, snapshot, root, header, resources, attributes, good, pinned FROM entry";

impl Sqlite {
    fn rows<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let told = |e| self.told(e);
        let mut statement = self.connection.prepare_cached(sql).map_err(told)?;
        let rows = statement.query_map(parameters, read).map_err(told)?;
        rows.collect::<Result<_, _>>().map_err(told)
    }

    fn one<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let told = |e| self.told(e);
        let mut statement = self.connection.prepare_cached(sql).map_err(told)?;
        optional(statement.query_row(parameters, read)).map_err(told)
    }

    /// One row at most for each key, by a statement that is prepared once.
    fn each<K, P: Params, T>(
        &self,
        sql: &str,
        keys: &[K],
        parameters: impl Fn(&K) -> P,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let told = |e| self.told(e);
        let mut statement = self.connection.prepare_cached(sql).map_err(told)?;
        let find = |key| optional(statement.query_row(parameters(key), &read)).map_err(told);
        keys.iter().map(find).collect()
    }

    fn count(&self, sql: &str) -> Result<u64, StoreError> {
        Ok(self.one(sql, [], |row| row.get::<_, Option<u64>>(0))?.flatten().unwrap_or_default())
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<EntryRow> {
    Ok(EntryRow {
        number: row.get(0)?,
        captured: row.get(1)?,
        snapshot: row.get::<_, Option<[u8; 32]>>(2)?.map(Digest),
        root: Digest(row.get(3)?),
        header: Digest(row.get(4)?),
        resources: row.get(5)?,
        attributes: row.get(6)?,
        good: row.get(7)?,
        is_pinned: row.get(8)?,
    })
}

/// SQLite takes a negative limit for none.
fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(-1)
}

impl Reader for Sqlite {
    fn environment(&self, name: &str) -> Result<Option<EnvironmentId>, StoreError> {
        self.one("SELECT id FROM environment WHERE name = ?1", [name], |row| row.get(0))
    }

    fn environments(&self) -> Result<Vec<(EnvironmentId, String)>, StoreError> {
        self.rows("SELECT id, name FROM environment ORDER BY name", [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn head(&self, environment: EnvironmentId) -> Result<Option<u64>, StoreError> {
        let head = |row: &Row<'_>| row.get::<_, Option<u64>>(0);
        Ok(self.one("SELECT head FROM environment WHERE id = ?1", [environment], head)?.flatten())
    }

    fn entry(&self, environment: EnvironmentId, number: u64) -> Result<Option<EntryRow>, StoreError> {
        let sql = format!("{ENTRY} WHERE environment = ?1 AND number = ?2");
        self.one(&sql, params![environment, number], entry)
    }

    fn entries(&self, environment: EnvironmentId, span: Span) -> Result<Vec<EntryRow>, StoreError> {
        let sql = format!(
            "{ENTRY} WHERE environment = ?1 AND captured BETWEEN ?2 AND ?3 \
             ORDER BY captured DESC, number DESC LIMIT ?4"
        );
        self.rows(&sql, params![environment, span.since, span.until, limit(span.limit)], entry)
    }

    fn chunk_ids(&self, names: &[Digest]) -> Result<Vec<Option<ChunkId>>, StoreError> {
        let sql = "SELECT id FROM chunk_name WHERE name = ?1";
        self.each(sql, names, |name| [name.0], |row| row.get(0))
    }

    fn named(&self, names: &[Digest]) -> Result<Vec<Option<(ChunkId, Packed)>>, StoreError> {
        let read = |row: &Row<'_>| {
            let packed = Packed { base: row.get(1)?, depth: row.get(2)?, data: row.get(3)? };
            Ok((row.get(0)?, packed))
        };
        let sql = "SELECT n.id, c.base, c.depth, c.data FROM chunk_name n CROSS JOIN chunk c ON c.id = n.id \
                   WHERE n.name = ?1";
        self.each(sql, names, |name| [name.0], read)
    }

    fn packed(&self, ids: &[ChunkId]) -> Result<Vec<Option<Packed>>, StoreError> {
        let read = |row: &Row<'_>| Ok(Packed { base: row.get(0)?, depth: row.get(1)?, data: row.get(2)? });
        self.each("SELECT base, depth, data FROM chunk WHERE id = ?1", ids, |id| [*id], read)
    }

    fn all_chunks(&self) -> Result<Vec<(ChunkId, Digest, Option<ChunkId>)>, StoreError> {
        let sql = "SELECT n.id, n.name, c.base FROM chunk_name n JOIN chunk c ON c.id = n.id ORDER BY n.id";
        self.rows(sql, [], |row| Ok((row.get(0)?, Digest(row.get(1)?), row.get(2)?)))
    }

    fn blocks(&self, environment: EnvironmentId, query: BlockQuery) -> Result<Vec<Block>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(Block { entry: row.get(0)?, number: row.get(1)?, captured: row.get(2)?, data: row.get(3)? })
        };
        let (entry, number) = query.before.unwrap_or((i64::MAX.cast_unsigned(), 0));
        let Span { since, until, .. } = query.span;
        let limit = limit(query.span.limit);
        let tail = "b.captured BETWEEN ?2 AND ?3 AND (b.entry, b.number) < (?4, ?5) \
                    ORDER BY b.entry DESC, b.number DESC LIMIT ?6";
        let what = "SELECT b.entry, b.number, b.captured, b.data FROM";
        match query.key {
            None => {
                let sql = format!("{what} change_block b WHERE b.environment = ?1 AND {tail}");
                self.rows(&sql, params![environment, since, until, entry, number, limit], read)
            }
            Some(key) => {
                let sql = format!(
                    "{what} changed_key k CROSS JOIN change_block b ON b.environment = k.environment \
                     AND b.entry = k.entry AND b.number = k.number \
                     WHERE k.environment = ?1 AND k.key = ?7 AND {}",
                    tail.replace("b.entry", "k.entry").replace("b.number", "k.number")
                );
                self.rows(&sql, params![environment, since, until, entry, number, limit, key], read)
            }
        }
    }

    fn evidence(&self, environment: EnvironmentId, entry: u64) -> Result<Vec<EvidenceRow>, StoreError> {
        let sql = "SELECT key, attribute, at, text FROM evidence \
                   WHERE environment = ?1 AND entry = ?2 ORDER BY number";
        self.rows(sql, params![environment, entry], |row| {
            Ok(EvidenceRow {
                entry,
                key: row.get(0)?,
                attribute: row.get(1)?,
                at: row.get(2)?,
                text: row.get(3)?,
            })
        })
    }

    fn sizes(&self) -> Result<Sizes, StoreError> {
        let pages = self.count("PRAGMA page_count")?;
        Ok(Sizes {
            bytes: pages.saturating_mul(self.count("PRAGMA page_size")?),
            chunks: self.count("SELECT count(*) FROM chunk")?,
            chunk_bytes: self.count("SELECT sum(length(data)) FROM chunk")?,
            entries: self.count("SELECT count(*) FROM entry")?,
            blocks: self.count("SELECT count(*) FROM change_block")?,
            block_bytes: self.count("SELECT sum(length(data)) FROM change_block")?,
        })
    }

    fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let found: Vec<String> = self.rows("PRAGMA integrity_check", [], |row| row.get(0))?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }
}
