//! The shared backend: PostgreSQL, and the distributed databases that speak its protocol.
//!
//! Recordings of one environment queue at its row of `environment`; those of different environments go on side by side. What
//! collects chunks locks all these rows for a moment, so that it never takes what a recording has just found to be there.
//! A connection that is cut is made again, and what was under way is done again from the start; where it was cut while a commit
//! was under way, the store is asked first whether that was done.
//!
//! `tokio-postgres` is used on a small runtime of the connection's own, beneath an interface that blocks: so several
//! statements go in one trip, which the blocking `postgres` crate (the same client beneath) does not do. With rustls, ring and the
//! system's root certificates this adds 30 processor seconds to a cold build of this crate alone.

mod connect;
#[cfg(test)]
mod cut_tests;
#[cfg(test)]
mod lint;
mod names;
#[cfg(test)]
pub(crate) mod proxy;
mod read;
mod schema;
#[cfg(test)]
pub(crate) mod server;
mod statement;
#[cfg(test)]
mod tests;
mod tls;
mod url;
mod write;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Client;

use crate::StoreError;
use crate::backend::{About, Backend, Job};
use connect::{Failure, Sort};
use names::Names;
use url::Address;
pub use url::Credentials;
pub(crate) use url::shown;
use write::{Mark, Writing};

/// How often one piece of work is begun again before it is given up.
const TRIES: u32 = 60;

/// A store in a database.
pub(crate) struct Postgres {
    address: Address,
    place: String,
    runtime: Runtime,
    client: RefCell<Option<Client>>,
    steps: &'static [&'static [&'static str]],
    phase: Cell<Phase>,
    /// Why the last statement that failed may be tried again.
    trouble: Cell<Option<Sort>>,
    is_writing: Cell<bool>,
    /// Something failed within the transaction, which can come to nothing now.
    is_spoilt: Cell<bool>,
    names: RefCell<Names>,
    patience: Cell<Duration>,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No transaction.
    Idle,
    /// A transaction that begins with the next statement, by this one.
    Begun(&'static str),
    /// A transaction.
    Open,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Postgres {
    /// Opens the store in a database, which is set up if there is none yet.
    pub(crate) fn open(url: &str, credentials: &Credentials) -> Result<Self, StoreError> {
        let store = Self::dialled(url, credentials, schema::MIGRATIONS)?;
        store.set_up()?;
        Ok(store)
    }

    /// Brings the store in a database to the schema of this program; gives the versions before and after.
    pub(crate) fn migrated(url: &str, credentials: &Credentials) -> Result<(i64, i64), StoreError> {
        let store = Self::dialled(url, credentials, schema::MIGRATIONS)?;
        Ok((store.migrate()?, schema::known(store.steps)))
    }

    fn dialled(
        url: &str,
        credentials: &Credentials,
        steps: &'static [&'static [&'static str]],
    ) -> Result<Self, StoreError> {
        let address = Address::read(url, credentials)?;
        let place = address.place();
        let failed = |error| StoreError::Backend { place: place.clone(), source: Box::new(error) };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let store = Self {
            address,
            place,
            runtime,
            client: RefCell::new(None),
            steps,
            phase: Cell::new(Phase::Idle),
            trouble: Cell::new(None),
            is_writing: Cell::new(false),
            is_spoilt: Cell::new(false),
            names: RefCell::default(),
            patience: Cell::new(connect::patience()),
        };
        store.connect()?;
        Ok(store)
    }

    /// Ends a transaction that came to nothing.
    fn abandon(&self) {
        if self.phase.replace(Phase::Idle) == Phase::Open && self.run_plain(statement::ROLLBACK).is_err() {
            // Whatever the server thinks of it, a new connection has no transaction.
            *self.client.borrow_mut() = None;
        }
    }

    /// What is to be done before work is begun again, after it failed; the error, where it should not be.
    fn recover(&self, error: StoreError, tries: u32) -> Result<Sort, StoreError> {
        let trouble = self.trouble.take();
        self.abandon();
        match trouble {
            Some(sort) if tries < TRIES => {
                if self.client.borrow().is_none() {
                    self.regain()?;
                }
                self.pause(tries);
                Ok(sort)
            }
            Some(_) | None => Err(error),
        }
    }

    /// Whether a transaction whose commit was not acknowledged was done. Waits until the server has ended it.
    fn was_done(&self, mark: Mark) -> Result<bool, StoreError> {
        let mut tries = 1;
        loop {
            self.phase.set(Phase::Begun(statement::BEGIN));
            let found = self.attempt_of(mark).map_err(|failure| self.told(failure));
            match found {
                Ok(attempt) => {
                    #[cfg(test)]
                    connect::FOUND_DONE
                        .set(connect::FOUND_DONE.get() + u64::from(attempt == Some(mark.attempt)));
                    self.abandon();
                    return Ok(attempt == Some(mark.attempt));
                }
                Err(error) => self.recover(error, tries)?,
            };
            tries += 1;
        }
    }

    fn attempt_of(&self, mark: Mark) -> Result<Option<i64>, Failure> {
        // A commit under way holds one of these rows: that of the environment, or of the store where it made one.
        self.rows_of(&statement::LOCK_STORE, &[])?;
        self.rows_of(&statement::LOCK_ENVIRONMENT, &[&mark.environment])?;
        let rows = match mark.evidence {
            None => self.rows_of(&statement::ATTEMPT, &[&mark.environment, &mark.entry])?,
            Some(number) => {
                self.rows_of(&statement::ATTEMPT_OF_EVIDENCE, &[&mark.environment, &mark.entry, &number])?
            }
        };
        Ok(rows.first().and_then(|row| row.try_get(0).ok()))
    }

    fn attempt_writing(&self, job: &mut Job<'_>) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            self.phase.set(Phase::Begun(statement::BEGIN));
            self.is_spoilt.set(false);
            let mut writing = Writing::new(self);
            let done = job(&mut writing).and_then(|()| writing.commit());
            let Err(error) = done else { return Ok(()) };
            let sort = self.recover(error, tries)?;
            if let (Sort::Cut, Some(mark)) = (sort, writing.unsure())
                && self.was_done(mark)?
            {
                return Ok(());
            }
            tries += 1;
        }
    }
}

impl Backend for Postgres {
    fn about(&self) -> Result<About, StoreError> {
        Ok(About { engine: "PostgreSQL", schema: schema::known(self.steps) })
    }

    fn view(&self, job: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            self.phase.set(Phase::Begun(statement::BEGIN_VIEW));
            match job() {
                Ok(()) => {
                    self.trouble.set(None);
                    self.abandon();
                    return Ok(());
                }
                Err(error) => self.recover(error, tries)?,
            };
            tries += 1;
        }
    }

    fn write(&self, job: &mut Job<'_>) -> Result<(), StoreError> {
        self.trouble.set(None);
        self.is_writing.set(true);
        let done = self.attempt_writing(job);
        self.is_writing.set(false);
        self.trouble.set(None);
        self.phase.set(Phase::Idle);
        done
    }
}
