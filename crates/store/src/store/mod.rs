//! The store: environments' timelines, recorded and read at any time. What a command needs of it starts here.
//!
//! Everything that is the same for every backend is in this folder: recording, reading, history, and keeping house.

mod copy;
mod header;
mod history;
mod house;
#[cfg(test)]
mod house_tests;
mod place;
mod read;
mod record;
mod relations;
mod salvage;
mod shelf;
mod since;
mod survey;
#[cfg(test)]
pub(crate) mod tests;
mod verify;

use std::path::Path;

use parallax_model::{Digest, Timestamp};

pub use copy::Copied;
pub use history::Query;
pub use house::{Collected, Policy};
pub use place::{is_file, is_url, shown};
pub use read::Differing;
pub use record::Recorded;
pub use relations::Graph;
pub use salvage::Salvaged;
pub use survey::{Standing, Survey};
pub use verify::{Problem, Tell, Verified};

use crate::StoreError;
use crate::backend::{Backend, EntryRow, EnvironmentId, Sizes, Span};
use crate::pack::Packer;
use crate::postgres::{Credentials, Postgres};
use crate::sqlite::Sqlite;
use crate::tree::{Counts, Root};
use place::Named;
use shelf::{Cache, Shelf};

/// A store that is open.
///
/// ```text
/// let store = Store::open(".parallax/store.db")?;
/// let recorded = store.record("staging", &snapshot)?;
/// let yesterday = store.as_of("staging", now - 1.day())?;
/// let (left, right) = (yesterday?, recorded.entry);
/// let differing = store.diff(&left, &right)?;     // ready for parallax_engine::compare
/// ```
///
/// Several processes may have one store open, and record at once. One `Store` is for one thread; open another
/// for another.
#[derive(Debug)]
pub struct Store {
    backend: Box<dyn Backend>,
    packer: Packer,
    cache: Cache,
}

/// One recording in a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The timeline's environment.
    pub environment: String,
    /// Its number in the timeline, from 1, in the order of recording; numbers are not used again.
    pub number: u64,
    /// When it was captured, to the microsecond.
    pub captured_at: Timestamp,
    /// The snapshot's content hash ([`parallax_model::Snapshot::hash`]). `None` where only changes were handed in and nobody
    /// has read the whole since; [`Store::read`] finds and keeps it.
    pub snapshot: Option<Digest>,
    /// The root of its tree. Equal resources have equal trees, in every environment.
    pub tree: Digest,
    /// How many resources and attributes it has.
    pub counts: Counts,
    /// When it was found good.
    pub good: Option<Timestamp>,
    /// Whether a decision names it.
    pub is_pinned: bool,
}

impl Entry {
    fn root(&self) -> Root {
        Root { chunk: self.tree, counts: self.counts }
    }
}

impl Store {
    /// Opens a store by the path of its file, which is made if it is not there (with its folder), or by a URL
    /// (`sqlite:PATH`, `postgresql://USER@HOST/DATABASE`).
    ///
    /// # Errors
    /// [`StoreError`], which names the place; a password in a URL is never told.
    pub fn open(place: &str) -> Result<Self, StoreError> {
        Self::open_with(place, &Credentials::default())
    }

    /// Opens a store; what the URL of a shared one does not say is taken from the credentials.
    ///
    /// # Errors
    /// [`StoreError`], as with [`Store::open`].
    pub fn open_with(place: &str, credentials: &Credentials) -> Result<Self, StoreError> {
        match Named::of(place)? {
            Named::Shared(url) => Ok(Self::over(Box::new(Postgres::open(url, credentials)?))),
            Named::File(path) => {
                make_folder(path)?;
                Ok(Self::over(Box::new(Sqlite::open(path)?)))
            }
        }
    }

    /// Opens a store for reading, without making one: `None` where there is no file yet, or an empty one.
    ///
    /// # Errors
    /// [`StoreError`], as with [`Store::open`].
    pub fn open_existing(place: &str, credentials: &Credentials) -> Result<Option<Self>, StoreError> {
        match Named::of(place)? {
            Named::Shared(_) => Self::open_with(place, credentials).map(Some),
            Named::File(path) => {
                Ok(Sqlite::open_existing(path)?.map(|backend| Self::over(Box::new(backend))))
            }
        }
    }

    /// Brings a store to the schema that this version works with. A shared store is opened by nobody with an earlier version
    /// after that; a file is brought there by opening it, too.
    ///
    /// # Errors
    /// [`StoreError`], as with [`Store::open`].
    pub fn migrate(place: &str, credentials: &Credentials) -> Result<Migrated, StoreError> {
        let (from, to) = match Named::of(place)? {
            Named::Shared(url) => Postgres::migrated(url, credentials)?,
            Named::File(path) => {
                make_folder(path)?;
                Sqlite::migrated(path)?
            }
        };
        Ok(Migrated { from, to })
    }

    /// A store over any backend.
    #[must_use]
    pub fn over(backend: Box<dyn Backend>) -> Self {
        Self { backend, packer: Packer::new(), cache: Cache::default() }
    }

    /// The names of all environments that were recorded.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn environments(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.backend.environments()?.into_iter().map(|(_, name)| name).collect())
    }

    /// The entries that were captured between two times, both included, newest first. None, where the environment
    /// was never recorded.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn entries(
        &self,
        environment: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        let span = Span { since: since.as_microsecond(), until: until.as_microsecond(), limit: usize::MAX };
        self.in_span(environment, span)
    }

    /// The environment as it was at a time: the last entry captured until then.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn as_of(&self, environment: &str, time: Timestamp) -> Result<Option<Entry>, StoreError> {
        let span = Span { until: time.as_microsecond(), limit: 1, ..Span::ALL };
        Ok(self.in_span(environment, span)?.pop())
    }

    /// The entries whose content hash (or tree) begins with these hexadecimal digits, newest first. Entries with the same
    /// content are all given.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn by_prefix(&self, environment: &str, digits: &str) -> Result<Vec<Entry>, StoreError> {
        let digits = digits.to_ascii_lowercase();
        let begins = |digest: &Digest| digest.to_string().starts_with(&digits);
        let mut found = self.in_span(environment, Span::ALL)?;
        found.retain(|entry| entry.snapshot.as_ref().is_some_and(begins) || begins(&entry.tree));
        Ok(found)
    }

    /// The last entry (by capture) that was found good.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn last_good(&self, environment: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.in_span(environment, Span::ALL)?.into_iter().find(|entry| entry.good.is_some()))
    }

    /// Marks an entry as good, found so at that time. It will never be collected.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`] where it was collected meanwhile.
    pub fn mark_good(&self, entry: &Entry, time: Timestamp) -> Result<(), StoreError> {
        self.alter(entry, |row| row.good = Some(time.as_microsecond()))
    }

    /// Keeps an entry, which a decision names, from ever being collected.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`] where it was collected meanwhile.
    pub fn pin(&self, entry: &Entry) -> Result<(), StoreError> {
        self.alter(entry, |row| row.is_pinned = true)
    }

    /// Lets an entry be collected again when no decision names it any more.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`] where there is no such entry.
    pub fn unpin(&self, entry: &Entry) -> Result<(), StoreError> {
        self.alter(entry, |row| row.is_pinned = false)
    }

    /// What takes space.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn stats(&self) -> Result<Sizes, StoreError> {
        self.backend.sizes()
    }

    fn alter(&self, entry: &Entry, change: impl Fn(&mut EntryRow)) -> Result<(), StoreError> {
        let id = self.known(&entry.environment)?;
        self.backend.write(&mut |writer| {
            let mut row = writer.entry(id, entry.number)?.ok_or_else(|| missing(entry))?;
            change(&mut row);
            writer.mark(id, &row)
        })
    }

    fn in_span(&self, environment: &str, span: Span) -> Result<Vec<Entry>, StoreError> {
        let Some(id) = self.backend.environment(environment)? else {
            return Ok(Vec::new());
        };
        let rows = self.backend.entries(id, span)?;
        Ok(rows.into_iter().map(|row| entry_of(environment, &row)).collect())
    }

    fn known(&self, environment: &str) -> Result<EnvironmentId, StoreError> {
        let none = || StoreError::NoEnvironment { environment: environment.to_owned() };
        self.backend.environment(environment)?.ok_or_else(none)
    }

    /// Reads, all on the store as it is now.
    fn viewing<T>(&self, mut work: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut done = None;
        self.backend.view(&mut || {
            done = Some(work()?);
            Ok(())
        })?;
        done.ok_or_else(|| StoreError::Backend {
            place: "the store".to_owned(),
            source: "the backend did not read".into(),
        })
    }

    fn shelf(&self) -> Shelf<'_> {
        // A box of a trait object lends itself as the trait that stands above.
        Shelf::new(&*self.backend, &self.packer, &self.cache)
    }
}

fn entry_of(environment: &str, row: &EntryRow) -> Entry {
    Entry {
        environment: environment.to_owned(),
        number: row.number,
        captured_at: header::time(row.captured),
        snapshot: row.snapshot,
        tree: row.root,
        counts: Counts { resources: row.resources, attributes: row.attributes },
        good: row.good.map(header::time),
        is_pinned: row.is_pinned,
    }
}

fn missing(entry: &Entry) -> StoreError {
    StoreError::NoEntry { environment: entry.environment.clone(), number: entry.number }
}

/// The schemas between which a store was brought; the same, where nothing was to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The schema that it had; 0 where there was no store.
    pub from: i64,
    /// The schema that it has.
    pub to: i64,
}

#[expect(clippy::disallowed_methods, reason = "the store's own folder is no part of any environment")]
fn make_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| StoreError::Unreachable {
        place: path.display().to_string(),
        why: format!("its folder cannot be made: {error}"),
    })
}
