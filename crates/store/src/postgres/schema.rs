//! The tables in PostgreSQL, their versions, and the way from one version to the next.
//!
//! They stand in a schema of their own, `parallax`: nothing of anybody else's can clash with them, rights are granted and
//! backups taken of them as a whole, and no search path leads elsewhere. The primary key of every table but that of chunks is
//! led by the environment. The row of `store`, which is of no environment, is numbered 0.
//!
//! A chunk names the one that it was compressed against by name, not by number: so a chunk is found on the one node that
//! holds its name, and no sequence is needed.

use super::Postgres;
use super::connect::Failure;
use super::statement::{self, Statement};
use crate::StoreError;

/// What leads from version N to N + 1, at place N. Each statement can be run twice, as not every engine takes back what
/// a transaction did to the schema.
pub(super) const MIGRATIONS: &[&[&str]] = &[&[
    "CREATE TABLE IF NOT EXISTS parallax.store (environment BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, \
     environments BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS parallax.environment (environment BIGINT NOT NULL PRIMARY KEY, \
     name TEXT NOT NULL UNIQUE, head BIGINT)",
    "CREATE TABLE IF NOT EXISTS parallax.entry (environment BIGINT NOT NULL, number BIGINT NOT NULL, \
     captured BIGINT NOT NULL, snapshot BYTEA, root BYTEA NOT NULL, header BYTEA NOT NULL, resources BIGINT NOT NULL, \
     attributes BIGINT NOT NULL, good BIGINT, pinned BOOLEAN NOT NULL, attempt BIGINT NOT NULL, \
     PRIMARY KEY (environment, number))",
    "CREATE INDEX IF NOT EXISTS entry_captured ON parallax.entry (environment, captured, number)",
    "CREATE TABLE IF NOT EXISTS parallax.change_block (environment BIGINT NOT NULL, entry BIGINT NOT NULL, \
     number BIGINT NOT NULL, captured BIGINT NOT NULL, data BYTEA NOT NULL, PRIMARY KEY (environment, entry, number))",
    "CREATE TABLE IF NOT EXISTS parallax.changed_key (environment BIGINT NOT NULL, key BIGINT NOT NULL, \
     entry BIGINT NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (environment, key, entry, number))",
    "CREATE TABLE IF NOT EXISTS parallax.evidence (environment BIGINT NOT NULL, entry BIGINT NOT NULL, \
     number BIGINT NOT NULL, key TEXT NOT NULL, attribute TEXT, at BIGINT, text TEXT NOT NULL, attempt BIGINT NOT NULL, \
     PRIMARY KEY (environment, entry, number))",
    "CREATE TABLE IF NOT EXISTS parallax.chunk (name BYTEA NOT NULL PRIMARY KEY, base BYTEA, depth SMALLINT NOT NULL, \
     data BYTEA NOT NULL)",
]];

/// Where the tables are put. Run only where it is missing, as the right to make schemas is asked for even where it is there.
pub(super) const CREATE_SCHEMA: &str = "CREATE SCHEMA IF NOT EXISTS parallax";

/// How often setting up is tried again, where another process did the same at the same moment.
const TRIES: u32 = 10;

/// The version that these steps lead to.
pub(super) fn known(steps: &[&[&str]]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

impl Postgres {
    /// Sets up an empty database, and refuses one of another version.
    pub(super) fn set_up(&self) -> Result<(), StoreError> {
        let known = known(self.steps);
        match self.version()? {
            None => self.retried_set_up().map(|_| ()),
            Some(found) => self.fits(found, known),
        }
    }

    /// Whether that version can be worked with.
    pub(super) fn fits(&self, found: i64, known: i64) -> Result<(), StoreError> {
        let place = self.place.clone();
        match found.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(StoreError::Older { place, found, known }),
            std::cmp::Ordering::Greater => Err(StoreError::Newer { place, found, known }),
        }
    }

    /// Brings the store to the version that this program knows; gives the version that it had.
    pub(super) fn migrate(&self) -> Result<i64, StoreError> {
        let known = known(self.steps);
        match self.version()? {
            Some(found) if found > known => self.fits(found, known).map(|()| found),
            Some(_) | None => self.retried_set_up(),
        }
    }

    /// The version of the schema; nothing where there is none yet.
    fn version(&self) -> Result<Option<i64>, StoreError> {
        self.found().map_err(|failure| self.told(failure))
    }

    fn found(&self) -> Result<Option<i64>, Failure> {
        match self.rows_of(&statement::STORE, &[]) {
            Ok(rows) => Ok(rows.first().and_then(|row| row.try_get(0).ok())),
            Err(failure) if failure.is_missing_table() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn retried_set_up(&self) -> Result<i64, StoreError> {
        for _ in 1..TRIES {
            match self.advance() {
                Err(failure) if failure.is_race() => self.pause(1),
                done => return done.map_err(|failure| self.told(failure)),
            }
        }
        self.advance().map_err(|failure| self.told(failure))
    }

    fn advance(&self) -> Result<i64, Failure> {
        let found = self.found()?;
        if found.is_none() && self.number(&statement::HAS_SCHEMA)? == 0 {
            self.run_plain(CREATE_SCHEMA)?;
        }
        self.run_plain(statement::BEGIN)?;
        let done = self.advance_within(found);
        let end = if done.is_ok() { statement::COMMIT } else { statement::ROLLBACK };
        match (done, self.run_plain(end)) {
            (Ok(from), Ok(())) => Ok(from),
            (Err(failure), _) | (Ok(_), Err(failure)) => Err(failure),
        }
    }

    fn advance_within(&self, found: Option<i64>) -> Result<i64, Failure> {
        if found.is_none() {
            self.steps.iter().take(1).copied().flatten().try_for_each(|sql| self.run_plain(sql))?;
            self.rows_of(&statement::FIRST_STORE, &[&1_i64])?;
        }
        // Another process may have come first; from here on none does.
        let now = self.number(&statement::LOCK_STORE)?;
        let done = usize::try_from(now).unwrap_or_default();
        self.steps.iter().skip(done).copied().flatten().try_for_each(|sql| self.run_plain(sql))?;
        if now < known(self.steps) {
            self.rows_of(&statement::SET_VERSION, &[&known(self.steps)])?;
        }
        Ok(found.map_or(0, |_| now))
    }

    fn number(&self, statement: &Statement) -> Result<i64, Failure> {
        let rows = self.rows_of(statement, &[])?;
        Ok(rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default())
    }
}
