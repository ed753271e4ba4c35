//! The tables in SQLite, their versions, and the way from one version to the next. Plain SQL: no triggers, no extensions.
//!
//! A chunk's name stands in an index of its own, so that chunks lie in the order in which they were written: a snapshot is
//! written and read in one sweep, and the index, which is all that random names touch, stays small.

/// What leads from version N to N + 1, at place N.
pub(super) const MIGRATIONS: [&str; 1] = ["
CREATE TABLE environment (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, head INTEGER);
CREATE TABLE entry (
    environment INTEGER NOT NULL, number INTEGER NOT NULL, captured INTEGER NOT NULL,
    snapshot BLOB, root BLOB NOT NULL, header BLOB NOT NULL,
    resources INTEGER NOT NULL, attributes INTEGER NOT NULL, good INTEGER, pinned INTEGER NOT NULL,
    PRIMARY KEY (environment, number)) WITHOUT ROWID;
CREATE INDEX entry_captured ON entry (environment, captured);
CREATE TABLE change_block (
    environment INTEGER NOT NULL, entry INTEGER NOT NULL, number INTEGER NOT NULL,
    captured INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX change_block_place ON change_block (environment, entry, number);
CREATE TABLE changed_key (
    environment INTEGER NOT NULL, key INTEGER NOT NULL, entry INTEGER NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (environment, key, entry, number)) WITHOUT ROWID;
CREATE TABLE evidence (
    environment INTEGER NOT NULL, entry INTEGER NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL,
    attribute TEXT, at INTEGER, text TEXT NOT NULL,
    PRIMARY KEY (environment, entry, number)) WITHOUT ROWID;
CREATE TABLE chunk (id INTEGER PRIMARY KEY AUTOINCREMENT, base INTEGER, depth INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE chunk_name (name BLOB PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
"];

/// The version that this program writes.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}
