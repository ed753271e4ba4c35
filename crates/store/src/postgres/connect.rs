//! The connection: made, used one trip at a time, and made again after it was cut. Knows statements, not what they mean.

use std::error::Error as StdError;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use futures_util::future::{join_all, join3};
use tokio::time::{sleep, timeout};
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Config, Row};

use super::statement::{self, Statement};
use super::tls;
use super::url::{Address, Mode};
use super::{Phase, Postgres, schema};
use crate::StoreError;

/// How long a lost connection is tried to be made again.
const PATIENCE: Duration = Duration::from_secs(30);
/// No trip takes longer; a wait for a lock is ended by the server before that.
const LONGEST_TRIP: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
thread_local! {
    /// How many trips this thread made.
    pub(super) static TRIPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    /// How many commits were found done, of which nobody had heard.
    pub(super) static FOUND_DONE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Why a trip failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) sort: Sort,
    why: String,
    code: Option<String>,
    source: Option<tokio_postgres::Error>,
}

/// What sort of failure it was, which says what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// The connection is gone.
    Cut,
    /// The server could not put this transaction in order with others: it asks to do it again.
    Conflict,
    /// A lock was not had in time.
    Busy,
    /// No space is left.
    Full,
    /// The role, or the server, may not write.
    ReadOnly,
    /// The role lacks a right, or may not connect.
    Denied,
    /// The schema is not this program's.
    Version(i64),
    /// Something else.
    Other,
}

impl Failure {
    fn of(error: tokio_postgres::Error) -> Self {
        let code = error.code().map(|code| code.code().to_owned());
        let sort = match code.as_deref() {
            Some("40001" | "40P01" | "CR000") => Sort::Conflict,
            Some("55P03") => Sort::Busy,
            Some("53100") => Sort::Full,
            Some("25006") => Sort::ReadOnly,
            Some("42501" | "28000" | "28P01") => Sort::Denied,
            // Shut down, crashed, starting up, idle for too long, ended, an outcome that the server does not know.
            Some("57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "40003" | "53300") => Sort::Cut,
            Some(code) if code.starts_with("08") => Sort::Cut,
            Some(_) => Sort::Other,
            None if error.is_closed() || is_io(&error) => Sort::Cut,
            None => Sort::Other,
        };
        let mut why = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            why = format!("{why}: {error}");
            cause = error.source();
        }
        Self { sort, why, code, source: Some(error) }
    }

    pub(super) fn new(sort: Sort, why: &str) -> Self {
        Self { sort, why: why.to_owned(), code: None, source: None }
    }

    /// Whether the table that was asked for is not there.
    pub(super) fn is_missing_table(&self) -> bool {
        matches!(self.code.as_deref(), Some("42P01" | "3F000"))
    }

    /// Whether another process made the same table at the same time.
    pub(super) fn is_race(&self) -> bool {
        self.sort == Sort::Conflict
            || matches!(self.code.as_deref(), Some("23505" | "42P06" | "42P07" | "XX000"))
    }
}

/// Whether an input or output failed beneath; a URL or TLS that is refused does not mend itself.
fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return error.kind() != std::io::ErrorKind::InvalidData
                && error.kind() != std::io::ErrorKind::InvalidInput;
        }
        cause = error.source();
    }
    false
}

/// A statement with its parameters, on its way.
pub(super) struct Sent<'p> {
    pub(super) statement: Statement,
    pub(super) parameters: Vec<&'p (dyn ToSql + Sync)>,
}

/// A number that no other process comes up with: from the system's randomness, by way of the keys of hash maps.
pub(super) fn random() -> i64 {
    RandomState::new().build_hasher().finish().cast_signed()
}

impl Postgres {
    /// Connects, without waiting for a server that is not there.
    pub(super) fn connect(&self) -> Result<(), StoreError> {
        let client = self.runtime.block_on(self.dial()).map_err(|failure| self.unreachable(&failure.why))?;
        *self.client.borrow_mut() = Some(client);
        Ok(())
    }

    /// Connects again, and waits for a server that is being started.
    pub(super) fn regain(&self) -> Result<(), StoreError> {
        self.phase.set(Phase::Idle);
        let mut why = String::new();
        let dialled = async {
            let mut pause = FIRST_PAUSE;
            loop {
                match self.dial().await {
                    Ok(client) => return Some(client),
                    Err(failure) if failure.sort == Sort::Cut => why = failure.why,
                    Err(failure) => {
                        why = failure.why;
                        return None;
                    }
                }
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        let limit = self.patience.get();
        let client = self.runtime.block_on(async { timeout(limit, dialled).await }).ok().flatten();
        let is_there = client.is_some();
        *self.client.borrow_mut() = client;
        if is_there { Ok(()) } else { Err(StoreError::Cut { place: self.place.clone(), why }) }
    }

    async fn dial(&self) -> Result<Client, Failure> {
        let connector = tls::connector(self.address.mode, &self.address.roots)
            .map_err(|why| Failure::new(Sort::Denied, &why))?;
        let (client, connection) = config(&self.address).connect(connector).await.map_err(Failure::of)?;
        // It runs whenever a trip does, and ends with the client.
        drop(self.runtime.spawn(connection));
        for setting in statement::SETTINGS {
            match client.batch_execute(setting).await.map_err(Failure::of) {
                Err(failure) if failure.sort == Sort::Cut => return Err(failure),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(client)
    }

    /// One statement, in one trip. The first one of a transaction takes the beginning along, and looks whether the schema
    /// is still that of this program.
    pub(super) fn rows_of(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let sent = Sent { statement: statement.clone(), parameters: parameters.to_vec() };
        let mut answers = self.trip(&[sent], None)?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Several statements and the end of the transaction, in one trip. Gives the rows of each.
    pub(super) fn trip(&self, sent: &[Sent<'_>], end: Option<&str>) -> Result<Vec<Vec<Row>>, Failure> {
        let begin = match self.phase.get() {
            Phase::Idle | Phase::Open => None,
            Phase::Begun(sql) => {
                // From here on the server may have begun it, whatever is heard of that.
                self.phase.set(Phase::Open);
                Some(sql)
            }
        };
        let answers = self.on(async |client| {
            let first = async {
                let Some(sql) = begin else { return Ok(None) };
                let version = Sent { statement: statement::STORE, parameters: Vec::new() };
                let (begun, version, ()) =
                    join3(client.batch_execute(sql), query(client, &version), std::future::ready(())).await;
                begun.and(version).map(Some)
            };
            let all = join_all(sent.iter().map(|sent| query(client, sent)));
            let last = async {
                match end {
                    Some(sql) => client.batch_execute(sql).await,
                    None => Ok(()),
                }
            };
            let (first, all, last) = join3(first, all, last).await;
            let version = first?;
            let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
            last.map(|()| (version, all))
        });
        let (version, all) = answers?;
        if end.is_some() {
            self.phase.set(Phase::Idle);
        }
        if let Some(rows) = version {
            let known = schema::known(self.steps);
            let found = rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or(known);
            if found != known {
                return Err(Failure::new(Sort::Version(found), "the schema was changed"));
            }
        }
        Ok(all)
    }

    /// A statement without parameters or rows, in one trip; begins nothing by itself.
    pub(super) fn run_plain(&self, sql: &str) -> Result<(), Failure> {
        self.on(async |client| client.batch_execute(sql).await)
    }

    fn on<T>(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Failure> {
        #[cfg(test)]
        TRIPS.set(TRIPS.get() + 1);
        let mut slot = self.client.borrow_mut();
        let client = slot.as_ref().ok_or_else(|| Failure::new(Sort::Cut, "the connection was lost"))?;
        let done = self.runtime.block_on(async { timeout(LONGEST_TRIP, work(client)).await });
        let done = match done {
            Ok(done) => done.map_err(Failure::of),
            Err(_) => Err(Failure::new(Sort::Cut, "the server did not answer for two minutes")),
        };
        if done.as_ref().is_err_and(|failure| failure.sort == Sort::Cut) {
            *slot = None;
        }
        done
    }

    /// A failure as the interface has it. Where it asks for another try, that is remembered.
    pub(super) fn told(&self, failure: Failure) -> StoreError {
        let place = self.place.clone();
        if matches!(failure.sort, Sort::Cut | Sort::Conflict) {
            self.trouble.set(Some(failure.sort));
        }
        if self.phase.get() != Phase::Idle {
            self.is_spoilt.set(true);
        }
        match failure.sort {
            Sort::Cut => StoreError::Cut { place, why: failure.why },
            Sort::Conflict | Sort::Busy => StoreError::Busy { place },
            Sort::Full => StoreError::Full { place },
            Sort::ReadOnly => StoreError::ReadOnly { place },
            Sort::Denied if self.is_writing.get() => StoreError::ReadOnly { place },
            Sort::Denied => StoreError::Unreachable { place, why: failure.why },
            Sort::Version(found) => {
                let known = schema::known(self.steps);
                self.fits(found, known).err().unwrap_or(StoreError::Newer { place, found, known })
            }
            Sort::Other => match failure.source {
                Some(source) => StoreError::Backend { place, source: Box::new(source) },
                None => StoreError::Backend { place, source: failure.why.into() },
            },
        }
    }

    /// A pause before another try, longer with each, and not the same for two processes.
    pub(super) fn pause(&self, tries: u32) {
        let most = 20_u64.saturating_mul(u64::from(tries)).min(1000);
        std::thread::sleep(Duration::from_millis(random().unsigned_abs() % most + 1));
    }

    pub(super) fn unreachable(&self, why: &str) -> StoreError {
        StoreError::Unreachable { place: self.place.clone(), why: why.to_owned() }
    }

    /// A field of a row.
    pub(super) fn got<'r, T: FromSql<'r>>(&self, row: &'r Row, at: usize) -> Result<T, StoreError> {
        row.try_get(at)
            .map_err(|error| StoreError::Backend { place: self.place.clone(), source: Box::new(error) })
    }
}

async fn query(client: &Client, sent: &Sent<'_>) -> Result<Vec<Row>, tokio_postgres::Error> {
    let types = sent.statement.types.iter().cloned();
    let typed: Vec<(&(dyn ToSql + Sync), Type)> = sent.parameters.iter().copied().zip(types).collect();
    client.query_typed(sent.statement.sql, &typed).await
}

/// How long to wait for a lost server where nobody says otherwise.
pub(super) fn patience() -> Duration {
    PATIENCE
}

fn config(address: &Address) -> Config {
    let mut config = Config::new();
    for (host, port) in &address.hosts {
        config.host(host).port(*port);
    }
    if let Some(user) = &address.user {
        config.user(user);
    }
    if let Some(password) = &address.password {
        config.password(password.reveal());
    }
    if let Some(database) = &address.database {
        config.dbname(database);
    }
    if let Some(options) = &address.options {
        config.options(options);
    }
    config.ssl_mode(match address.mode {
        Mode::Disable => SslMode::Disable,
        Mode::Prefer => SslMode::Prefer,
        Mode::Require | Mode::VerifyChain | Mode::VerifyFull => SslMode::Require,
    });
    config.application_name(&address.application);
    config.connect_timeout(Duration::from_secs(address.timeout));
    config.keepalives_idle(Duration::from_secs(15)).keepalives_interval(Duration::from_secs(5));
    config.keepalives_retries(3).tcp_user_timeout(Duration::from_secs(30));
    config
}
