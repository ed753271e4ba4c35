//! A machine behind a POSIX shell: one connection for its life, one script over standard input for each batch.
//! How the shell is started (`ssh`, a container's tool, a plain `sh`) is the [`Shell`]'s to say.

mod connection;
mod frames;
mod replies;
mod script;

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Batch, MAX_FOLDERS, Machine, MachineError, Op, Replies, Rest, window};
use connection::Connection;
use frames::Frame;

/// What the far shell runs: it reads a script's length and the script, and carries it out, until there is
/// none. That is all that stands in an argument; scripts travel over standard input.
pub(super) const LOADER: &str =
    r#"while IFS= read -r _p_z && [ "$_p_z" ]; do eval "$(head -c "$_p_z")"; done"#;

/// How a shell is started, and what its end means.
pub(super) trait Shell: Send + Sync + fmt::Debug {
    /// The process that becomes a shell which runs [`LOADER`].
    fn start(&self) -> Command;

    /// What it means that the process could not be started or has ended.
    fn ended(&self, place: &str, ended: &Ended) -> MachineError;
}

/// A shell on this machine, for tests.
#[cfg(test)]
#[derive(Debug)]
pub(super) struct PlainShell {
    pub(super) words: Vec<&'static str>,
    pub(super) variables: Vec<(std::ffi::OsString, std::ffi::OsString)>,
}

#[cfg(test)]
impl Shell for PlainShell {
    fn start(&self) -> Command {
        let (program, words) = self.words.split_first().expect("a shell");
        let mut command = Command::new(program);
        command.args(words).args(["-c", LOADER]);
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn ended(&self, place: &str, ended: &Ended) -> MachineError {
        MachineError::Garbled { place: place.to_owned(), why: format!("{ended:?}") }
    }
}

/// The end of a shell.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code, if it was started and did exit.
    pub(super) status: Option<i32>,
    /// What it said on standard error: bounded, printable, without secrets.
    pub(super) said: String,
    /// Whether a batch had been answered before.
    pub(super) spoke: bool,
}

/// A machine behind a shell.
#[derive(Debug)]
pub(super) struct ShellMachine<S> {
    place: String,
    shell: S,
    /// How long a batch may take besides its commands.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Idle,
    Open(Box<Connection>),
    Over(MachineError),
}

impl<S: Shell> ShellMachine<S> {
    pub(super) fn new(place: String, shell: S, patience: Duration) -> Self {
        Self { place, shell, patience, state: Mutex::new(State::Idle) }
    }

    fn open(&self) -> Result<Connection, MachineError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| self.garbled(format!("no random numbers: {error}")))?;
        Connection::open(self.shell.start(), crate::secret::hex(&random)).map_err(|error| {
            let said = format!("{:?} could not be started: {error}", self.shell.start().get_program());
            self.shell.ended(&self.place, &Ended { status: None, said, spoke: false })
        })
    }

    fn garbled(&self, why: String) -> MachineError {
        MachineError::Garbled { place: self.place.clone(), why }
    }

    fn round_trip(&self, connection: &mut Connection, batch: &Batch) -> Result<Replies, MachineError> {
        let (body, time) = script::batch(batch, connection.nonce());
        let mut script = String::new();
        if !connection.spoke() {
            script.push_str(&script::preamble(connection.nonce()));
        }
        script.push_str(&body);
        let bytes = self.ask(connection, &script, self.patience + time, most_bytes(batch))?;
        let mut own: Vec<Vec<&Frame<'_>>> = vec![Vec::new(); batch.ops().len()];
        let frames = frames::parse(&bytes, connection.nonce());
        for frame in &frames {
            if let Some(own) = own.get_mut(frame.probe) {
                own.push(frame);
            }
        }
        let probes = || batch.ops().iter().enumerate().zip(&own);
        let doubtful: Vec<(usize, &Op)> =
            probes().filter(|((_, op), own)| replies::is_doubtful(op, own)).map(|(probe, _)| probe).collect();
        let went_on = self.which_went_on(connection, &doubtful)?;
        let reply = |((index, op), own): ((usize, &Op), &Vec<&Frame<'_>>)| {
            let rest = if went_on.contains(&index) { Rest::More } else { Rest::Nothing };
            replies::reply(op, own, rest)
        };
        Ok(Replies(probes().map(reply).collect()))
    }

    /// Which of these files go on behind their windows: one more round trip, where there are any.
    fn which_went_on(
        &self,
        connection: &mut Connection,
        doubtful: &[(usize, &Op)],
    ) -> Result<BTreeSet<usize>, MachineError> {
        if doubtful.is_empty() {
            return Ok(BTreeSet::new());
        }
        let script = script::more(doubtful, connection.nonce());
        let bytes = self.ask(connection, &script, self.patience, 1 << 20)?;
        let frames = frames::parse(&bytes, connection.nonce());
        // One that could not be looked at again counts as one that goes on.
        let ended = |probe: usize| frames.iter().any(|f| f.probe == probe && f.body.trim_ascii() == b"0");
        Ok(doubtful.iter().map(|(index, _)| *index).filter(|index| !ended(*index)).collect())
    }

    fn ask(
        &self,
        connection: &mut Connection,
        script: &str,
        after: Duration,
        most: usize,
    ) -> Result<Vec<u8>, MachineError> {
        connection.ask(script, after, most).map_err(|failure| match failure {
            connection::Failure::Late => MachineError::TimedOut { place: self.place.clone(), after },
            connection::Failure::TooMuch => self.garbled("it is larger than was asked for".to_owned()),
            connection::Failure::Ended(ended) => self.shell.ended(&self.place, &ended),
        })
    }
}

impl<S: Shell> Machine for ShellMachine<S> {
    fn place(&self) -> &str {
        &self.place
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        if batch.is_empty() {
            return Ok(Replies::default());
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match std::mem::replace(&mut *state, State::Idle) {
            State::Idle => self.open().map(Box::new),
            State::Open(connection) => Ok(connection),
            State::Over(error) => Err(error),
        };
        let outcome = opened.and_then(|mut connection| {
            let replies = self.round_trip(&mut connection, batch)?;
            Ok((connection, replies))
        });
        match outcome {
            Ok((connection, replies)) => {
                *state = State::Open(connection);
                Ok(replies)
            }
            Err(error) => {
                *state = State::Over(error.clone());
                Err(error)
            }
        }
    }
}

/// More than this is no answer to the batch.
fn most_bytes(batch: &Batch) -> usize {
    let most = |op: &Op| match op {
        Op::Read { max_bytes, .. } => window(*max_bytes).saturating_mul(2),
        Op::Run(run) => run.max_bytes.saturating_mul(4),
        Op::List { max_entries, .. } => max_entries.saturating_mul(400),
        Op::Find(find) => find.max_entries.saturating_add(MAX_FOLDERS).saturating_mul(4200),
        Op::System | Op::Sha256 { .. } | Op::Which { .. } | Op::Environment(_) => 0,
    };
    batch.ops().iter().map(most).fold(16 << 20, usize::saturating_add)
}
