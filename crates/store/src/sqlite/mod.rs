//! The embedded backend: one SQLite file, which several processes may read and write at once.
//!
//! Writers queue (`BEGIN IMMEDIATE`, with a wait), readers never wait (a write-ahead log). Every commit
//! is flushed to the disk before it is acknowledged.

#[cfg(test)]
mod disk_tests;
mod pages;
mod read;
mod salvage;
mod schema;
#[cfg(test)]
pub(crate) mod tests;
mod write;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, TransactionBehavior};

use crate::StoreError;
use crate::backend::{About, Backend, Job};

pub(crate) use salvage::Wreck;

/// How long SQLite itself waits for a lock, and how often it is asked again: a minute in all.
const WAIT: Duration = Duration::from_secs(5);
const TRIES: u32 = 12;
/// How long to pause where SQLite gives up at once.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a file that may only be read is tried.
const READ_TRIES: u32 = 5;
/// How many pages are given back at a time.
const PAGES_A_STEP: u32 = 256;

/// A store in a file.
pub(crate) struct Sqlite {
    connection: Connection,
    place: String,
    locking: Locking,
}

/// Whether what is read is kept from being written meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Locking {
    Locks,
    /// It may change under the reader's hands, who then finds what looks like damage.
    Without,
}

/// Whether others may have the store open at the same time.
#[derive(Clone, Copy)]
enum Sharing {
    Shared,
    Alone,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("place", &self.place).finish()
    }
}

impl Sqlite {
    /// Opens a store, creating it and bringing it to the current schema if need be. Where it may only
    /// be read, it is opened for reading.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let place = path.display().to_string();
        check_sort(path)?;
        make_private(path);
        let writable = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        match Self::attempt(path.as_os_str(), writable, Sharing::Shared, &place) {
            // What is shared of the log needs a file, and there is no space for one; alone, one reads without.
            Err(StoreError::Full { .. }) => Self::attempt(path.as_os_str(), writable, Sharing::Alone, &place),
            Err(StoreError::ReadOnly { .. } | StoreError::Unreachable { .. }) if path.exists() => {
                Self::open_read_only(path, &place)
            }
            opened => opened,
        }
    }

    /// Opens a store, which brings it to the current schema; gives the versions before and after.
    pub(crate) fn migrated(path: &Path) -> Result<(i64, i64), StoreError> {
        check_sort(path)?;
        let found = if path.exists() {
            let place = path.display().to_string();
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags).map_err(|error| told(&place, error))?;
            Self { connection, place, locking: Locking::Locks }.version()?
        } else {
            0
        };
        Self::open(path).map(|_| (found, schema::known()))
    }

    /// Opens a store that is there; `None` where there is none: no file, or an empty one. Creates nothing.
    pub(crate) fn open_existing(path: &Path) -> Result<Option<Self>, StoreError> {
        check_sort(path)?;
        if is_blank(path) { Ok(None) } else { Self::open(path).map(Some) }
    }

    /// With its locks, if there is what they need. Without a log beside it the file is complete, and SQLite need not create
    /// anything to read it, so that only then it is read without locks.
    fn open_read_only(path: &Path, place: &str) -> Result<Self, StoreError> {
        let text = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let attempt = |how: &str| {
            let url = format!("file:{text}?{how}");
            Self::attempt(url.as_ref(), OpenFlags::SQLITE_OPEN_READ_ONLY, Sharing::Shared, place)
        };
        let mut why = String::new();
        // Who opens or closes the store meanwhile makes or removes what stands beside it.
        for _ in 0..READ_TRIES {
            match attempt("mode=ro") {
                Err(StoreError::ReadOnly { .. } | StoreError::Unreachable { .. }) => {}
                opened => return opened,
            }
            if !Path::new(&log).exists() {
                match attempt("immutable=1") {
                    Err(StoreError::Unreachable { why: told, .. }) => why = told,
                    opened => return opened,
                }
            }
            std::thread::sleep(PAUSE);
        }
        if why.is_empty() {
            why = format!(
                "the log beside it, `{}`, is not in the file yet, and this account may not write in the folder: \
                 open the store once as somebody who may",
                Path::new(&log).display()
            );
        }
        Err(StoreError::Unreachable { place: place.to_owned(), why })
    }

    fn attempt(
        path: &std::ffi::OsStr,
        flags: OpenFlags,
        sharing: Sharing,
        place: &str,
    ) -> Result<Self, StoreError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(Path::new(path), flags).map_err(|error| told(place, error))?;
        let is_immutable = path.to_string_lossy().ends_with("?immutable=1");
        let locking = if is_immutable { Locking::Without } else { Locking::Locks };
        let store = Self { connection, place: place.to_owned(), locking };
        store.connection.set_prepared_statement_cache_capacity(64);
        match sharing {
            Sharing::Shared => {}
            Sharing::Alone => {
                store
                    .connection
                    .execute_batch("PRAGMA locking_mode = EXCLUSIVE")
                    .map_err(|e| store.told(e))?;
            }
        }
        store.retried(|| store.set_up(flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE)))?;
        Ok(store)
    }

    fn set_up(&self, writable: bool) -> Result<(), StoreError> {
        let connection = &self.connection;
        connection.busy_timeout(WAIT).map_err(|e| self.told(e))?;
        connection.execute_batch("PRAGMA cache_size = -32768").map_err(|e| self.told(e))?;
        // Otherwise SQLite plans a query anew for each value that it is run with.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|e| self.told(e))?;
        let found = self.version()?;
        if found > schema::known() {
            return Err(StoreError::Newer { place: self.place.clone(), found, known: schema::known() });
        }
        if writable && !connection.is_readonly("main").map_err(|e| self.told(e))? {
            // Only a new file can be told so: then it can shrink step by step, without being written anew.
            connection
                .execute_batch(
                    "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
                )
                .map_err(|e| self.told(e))?;
        }
        if found < schema::known() { self.migrate() } else { Ok(()) }
    }

    /// The schema's version: 0 for a new file.
    fn version(&self) -> Result<i64, StoreError> {
        let count = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let told = |e| self.told(e);
        let tables = count("SELECT count(*) FROM sqlite_master").map_err(told)?;
        let ours =
            count("SELECT count(*) FROM sqlite_master WHERE name = 'parallax_schema'").map_err(told)?;
        match (tables, ours) {
            (0, _) => Ok(0),
            (_, 0) => Err(StoreError::NotAStore { place: self.place.clone() }),
            (_, _) => count("SELECT version FROM parallax_schema").map_err(told),
        }
    }

    fn migrate(&self) -> Result<(), StoreError> {
        let transaction =
            rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
                .map_err(|e| self.told(e))?;
        // Another process may have done it while this one waited.
        let from = self.version()?;
        let run = |sql: &str| transaction.execute_batch(sql).map_err(|e| self.told(e));
        if from == 0 {
            run(
                "CREATE TABLE parallax_schema (version INTEGER NOT NULL); INSERT INTO parallax_schema VALUES (0);",
            )?;
        }
        let done = usize::try_from(from).unwrap_or(usize::MAX);
        for step in schema::MIGRATIONS.iter().skip(done) {
            run(step)?;
        }
        run(&format!("UPDATE parallax_schema SET version = {}", schema::known()))?;
        transaction.commit().map_err(|e| self.told(e))
    }

    /// Does something again while others hold the lock.
    fn retried<T>(&self, mut work: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
        for _ in 1..TRIES {
            match work() {
                Err(StoreError::Busy { .. }) => std::thread::sleep(PAUSE),
                done => return done,
            }
        }
        work()
    }

    fn told(&self, error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt) if self.locking == Locking::Without => {
                let place = self.place.clone();
                let why = format!(
                    "{error}; another process may have written while it was read here, where it may not be locked: \
                     try again"
                );
                StoreError::Unreachable { place, why }
            }
            Some(_) | None => told(&self.place, error),
        }
    }

    fn in_transaction(&self, job: &mut Job<'_>) -> Result<(), StoreError> {
        let transaction =
            rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
                .map_err(|e| self.told(e))?;
        job(&mut write::Writing(self))?;
        transaction.commit().map_err(|e| self.told(e))
    }

    /// Gives some pages back; says whether there were any.
    fn give_back(&self) -> Result<bool, StoreError> {
        self.retried(|| {
            let told = |e| self.told(e);
            let count = || self.connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0));
            let before = count().map_err(told)?;
            let sql = format!("PRAGMA incremental_vacuum({PAGES_A_STEP})");
            // It does its work as its rows are asked for, although they hold nothing.
            let mut statement = self.connection.prepare(&sql).map_err(told)?;
            let mut rows = statement.query([]).map_err(told)?;
            while rows.next().map_err(told)?.is_some() {}
            drop(rows);
            Ok(count().map_err(told)? < before)
        })
    }

    #[cfg(test)]
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Backend for Sqlite {
    fn view(&self, job: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let transaction =
            rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)
                .map_err(|e| self.told(e))?;
        job()?;
        transaction.commit().map_err(|e| self.told(e))
    }

    fn write(&self, job: &mut Job<'_>) -> Result<(), StoreError> {
        self.retried(|| self.in_transaction(job))
    }

    fn about(&self) -> Result<About, StoreError> {
        Ok(About { engine: "SQLite", schema: self.version()? })
    }

    fn shrink(&self) -> Result<(), StoreError> {
        // Others write between two steps. A file that cannot shrink uses its free pages again.
        while self.give_back()? {}
        // What is left in the log goes when nobody reads it; if somebody does, it goes later.
        let run = || self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        match run().map_err(|e| self.told(e)) {
            Ok(()) | Err(StoreError::Busy { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What is no file is no store; to open a pipe would wait for ever.
#[expect(clippy::disallowed_methods, reason = "the store's own file is no part of any environment")]
fn check_sort(path: &Path) -> Result<(), StoreError> {
    let why = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => "it is a folder; name a file in it",
        Ok(found) if !found.is_file() => "it is no regular file",
        Ok(_) | Err(_) => return Ok(()),
    };
    Err(StoreError::Unreachable { place: path.display().to_string(), why: why.to_owned() })
}

/// Whether there is no file, or nothing in it.
#[expect(clippy::disallowed_methods, reason = "the store's own file is no part of any environment")]
fn is_blank(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(found) => found.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Makes a new file that only its owner may read; what SQLite puts beside it takes its mode from it. Where it cannot be
/// made, SQLite tells why.
#[cfg(unix)]
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    drop(std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path));
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}

/// One optional row as an optional value.
fn optional<T>(result: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    result.optional()
}

fn told(place: &str, error: rusqlite::Error) -> StoreError {
    let place = place.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { place },
        // A limit on files, or a quota: SQLite tells only of a write that failed.
        Some(ErrorCode::SystemIoFailure) if is_write(&error) => StoreError::Full { place },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly { place },
        Some(ErrorCode::CannotOpen) => StoreError::Unreachable { place, why: error.to_string() },
        Some(ErrorCode::NotADatabase) => StoreError::NotAStore { place },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { place, why: error.to_string() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { place },
        _ => StoreError::Backend { place, source: Box::new(error) },
    }
}

fn is_write(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE};
    let code = error.sqlite_error().map(|error| error.extended_code);
    code.is_some_and(|code| [SQLITE_IOERR_WRITE, SQLITE_IOERR_SHMSIZE].contains(&code))
}
