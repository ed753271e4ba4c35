//! What can be written to the SQLite file, within a transaction that is already begun.

use parallax_model::Digest;
use rusqlite::{Params, params};

use super::Sqlite;
use crate::StoreError;
use crate::backend::{
    Block, BlockQuery, ChunkId, EntryRow, EnvironmentId, EvidenceRow, Packed, Reader, Sizes, Span, Writer,
};

/// A transaction that is under way.
pub(super) struct Writing<'s>(pub(super) &'s Sqlite);

impl Writing<'_> {
    fn run(&self, sql: &str, parameters: impl Params) -> Result<usize, StoreError> {
        let told = |e| self.0.told(e);
        let mut statement = self.0.connection.prepare_cached(sql).map_err(told)?;
        statement.execute(parameters).map_err(told)
    }
}

impl Writer for Writing<'_> {
    fn add_environment(&mut self, name: &str) -> Result<EnvironmentId, StoreError> {
        if let Some(id) = self.0.environment(name)? {
            return Ok(id);
        }
        self.run("INSERT INTO environment (name) VALUES (?1)", [name])?;
        Ok(self.0.connection.last_insert_rowid())
    }

    fn add_chunk(&mut self, name: &Digest, packed: &Packed) -> Result<ChunkId, StoreError> {
        let sql = "INSERT INTO chunk (base, depth, data) VALUES (?1, ?2, ?3)";
        self.run(sql, params![packed.base, packed.depth, packed.data])?;
        let id = self.0.connection.last_insert_rowid();
        self.run("INSERT INTO chunk_name (name, id) VALUES (?1, ?2)", params![&name.0[..], id])?;
        Ok(id)
    }

    fn add_entry(&mut self, environment: EnvironmentId, row: &EntryRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO entry (environment, number, captured, snapshot, root, header, resources, \
                   attributes, good, pinned) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let snapshot = row.snapshot.as_ref().map(|digest| &digest.0[..]);
        let (root, header) = (&row.root.0[..], &row.header.0[..]);
        let EntryRow { number, captured, resources, attributes, good, is_pinned, .. } = row;
        self.run(
            sql,
            params![
                environment,
                number,
                captured,
                snapshot,
                root,
                header,
                resources,
                attributes,
                good,
                is_pinned
            ],
        )?;
        Ok(())
    }

    fn move_head(
        &mut self,
        environment: EnvironmentId,
        from: Option<u64>,
        to: u64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE environment SET head = ?3 WHERE id = ?1 AND head IS ?2";
        Ok(self.run(sql, params![environment, from, to])? == 1)
    }

    fn add_block(
        &mut self,
        environment: EnvironmentId,
        block: &Block,
        keys: &[i64],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO change_block (environment, entry, number, captured, data) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        self.run(sql, params![environment, block.entry, block.number, block.captured, block.data])?;
        let sql =
            "INSERT OR IGNORE INTO changed_key (environment, key, entry, number) VALUES (?1, ?2, ?3, ?4)";
        for key in keys {
            self.run(sql, params![environment, key, block.entry, block.number])?;
        }
        Ok(())
    }

    fn add_evidence(&mut self, environment: EnvironmentId, row: &EvidenceRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO evidence (environment, entry, number, key, attribute, at, text) SELECT ?1, ?2, \
                   1 + coalesce(max(number), 0), ?3, ?4, ?5, ?6 FROM evidence \
                   WHERE environment = ?1 AND entry = ?2";
        let EvidenceRow { entry, key, attribute, at, text } = row;
        self.run(sql, params![environment, entry, key, attribute, at, text])?;
        Ok(())
    }

    fn mark(&mut self, environment: EnvironmentId, row: &EntryRow) -> Result<(), StoreError> {
        let sql =
            "UPDATE entry SET snapshot = ?3, good = ?4, pinned = ?5 WHERE environment = ?1 AND number = ?2";
        let snapshot = row.snapshot.as_ref().map(|digest| &digest.0[..]);
        self.run(sql, params![environment, row.number, snapshot, row.good, row.is_pinned])?;
        Ok(())
    }

    fn remove_entry(&mut self, environment: EnvironmentId, number: u64) -> Result<(), StoreError> {
        self.run("DELETE FROM entry WHERE environment = ?1 AND number = ?2", params![environment, number])?;
        Ok(())
    }

    fn remove_chunks(&mut self, ids: &[(ChunkId, Digest)]) -> Result<(), StoreError> {
        for (id, name) in ids {
            self.run("DELETE FROM chunk WHERE id = ?1", [id])?;
            self.run("DELETE FROM chunk_name WHERE name = ?1", [&name.0[..]])?;
        }
        Ok(())
    }
}

/// Within the transaction, what was written is seen.
impl Reader for Writing<'_> {
    fn environment(&self, name: &str) -> Result<Option<EnvironmentId>, StoreError> {
        self.0.environment(name)
    }

    fn environments(&self) -> Result<Vec<(EnvironmentId, String)>, StoreError> {
        self.0.environments()
    }

    fn head(&self, environment: EnvironmentId) -> Result<Option<u64>, StoreError> {
        self.0.head(environment)
    }

    fn entry(&self, environment: EnvironmentId, number: u64) -> Result<Option<EntryRow>, StoreError> {
        self.0.entry(environment, number)
    }

    fn entries(&self, environment: EnvironmentId, span: Span) -> Result<Vec<EntryRow>, StoreError> {
        self.0.entries(environment, span)
    }

    fn chunk_ids(&self, names: &[Digest]) -> Result<Vec<Option<ChunkId>>, StoreError> {
        self.0.chunk_ids(names)
    }

    fn named(&self, names: &[Digest]) -> Result<Vec<Option<(ChunkId, Packed)>>, StoreError> {
        self.0.named(names)
    }

    fn packed(&self, ids: &[ChunkId]) -> Result<Vec<Option<Packed>>, StoreError> {
        self.0.packed(ids)
    }

    fn all_chunks(&self) -> Result<Vec<(ChunkId, Digest, Option<ChunkId>)>, StoreError> {
        self.0.all_chunks()
    }

    fn blocks(&self, environment: EnvironmentId, query: BlockQuery) -> Result<Vec<Block>, StoreError> {
        self.0.blocks(environment, query)
    }

    fn evidence(&self, environment: EnvironmentId, entry: u64) -> Result<Vec<EvidenceRow>, StoreError> {
        self.0.evidence(environment, entry)
    }

    fn sizes(&self) -> Result<Sizes, StoreError> {
        self.0.sizes()
    }

    fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.0.integrity()
    }
}
