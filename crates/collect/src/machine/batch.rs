//! Batches: what a collector may ask of a machine, and what it gets back. Carries nothing out.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use parallax_model::Fingerprint;

use super::ProbeError;
use crate::secret::Fingerprinter;

/// Probes to be carried out together. Each method adds one and returns the ticket for its reply.
///
/// A path is absolute, starts with `~/` (the account's home there), or is relative to where commands
/// start there.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    ops: Vec<Op>,
}

/// One probe.
#[derive(Debug, Clone)]
pub enum Op {
    /// What the kernel and the account say of themselves; [`SystemFacts`].
    System,
    /// The bytes of a file; [`FileContent`].
    Read {
        /// The file.
        path: String,
        /// At most so many bytes come back, counted after `keep`.
        max_bytes: usize,
        /// Which lines.
        keep: Keep,
    },
    /// The SHA-256 of a file's bytes as they are there, 64 hex digits; `String`.
    Sha256 {
        /// The file.
        path: String,
    },
    /// The names in a folder; `Vec<Entry>`, sorted by name.
    List {
        /// The folder.
        path: String,
        /// More than this many is [`ProbeError::TooLarge`].
        max_entries: usize,
    },
    /// Files below a folder by name; [`Found`].
    Find(Find),
    /// Every place where the search path has each command, in its order; `Vec<Candidate>`.
    Which {
        /// The commands' names; shell metacharacters never reach a shell.
        names: Vec<String>,
    },
    /// Runs a command; [`Output`].
    Run(Run),
    /// Environment variables, secrets masked on the spot; `Vec<Variable>`, sorted by name.
    Environment(Environment),
}

/// Which part of a file is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// All of it.
    All,
    /// The lines that start with one of these texts (plain ASCII, no quotes): what is needed of a large
    /// file, chosen before it travels.
    LinesStartingWith(Vec<String>),
}

impl Keep {
    /// The wanted part of a file's bytes.
    #[must_use]
    pub fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::All => bytes.to_vec(),
            Self::LinesStartingWith(starts) => bytes
                .split_inclusive(|b| *b == b'\n')
                .filter(|line| starts.iter().any(|start| line.starts_with(start.as_bytes())))
                .flatten()
                .copied()
                .collect(),
        }
    }
}

/// A search for regular files by name. Links are not followed; `.git` is never entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// Where to start.
    pub root: String,
    /// File names, exact or with `*` (`Dockerfile*`).
    pub names: Vec<String>,
    /// Names of folders that are not entered (`node_modules`).
    pub prune: Vec<String>,
    /// How many levels down; 1 is the folder itself.
    pub max_depth: usize,
    /// More than this many is [`ProbeError::TooLarge`]; so are more than 20,000 folders.
    pub max_entries: usize,
}

/// What a search found: paths relative to its root, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The files.
    pub paths: Vec<String>,
    /// The folders that could not be looked into.
    pub unreadable: Vec<String>,
}

impl Find {
    /// Whether a path relative to the root is looked for: its depth, its folders and its name.
    #[must_use]
    pub fn wants(&self, path: &str) -> bool {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.enters(folders) && self.names.iter().any(|pattern| name_fits(pattern, name))
    }

    /// Whether a folder, by its path relative to the root, is looked into.
    #[must_use]
    pub fn enters(&self, folder: &str) -> bool {
        let mut depth = 1;
        for folder in folder.split('/').filter(|f| !f.is_empty()) {
            depth += 1;
            if folder == ".git" || self.prune.iter().any(|p| p == folder) {
                return false;
            }
        }
        depth <= self.max_depth
    }
}

/// Whether a file name fits a name or a pattern with `*`, as the shell's `case` would say.
pub(crate) fn name_fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(last)
}

/// A command to run, without a shell, without standard input, in the machine's own environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The program (a path, or a name that the search path finds) and its arguments.
    pub argv: Vec<String>,
    /// It is ended, with all that it started, after this.
    pub timeout: Duration,
    /// At most so many bytes of each output stream come back.
    pub max_bytes: usize,
    /// Files whose identity (path, size, mtime, inode) fixes the answer. Where this is not empty,
    /// a machine may answer from what it kept of an earlier run. Leave it empty for anything that changes
    /// by itself.
    pub depends_on: Vec<String>,
}

/// Which variables to observe and how to mask.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Only these, or all.
    pub names: Option<Vec<String>>,
    /// Decides what is secret and masks it where it is.
    pub fingerprinter: Arc<Fingerprinter>,
}

/// What the kernel and the account say of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemFacts {
    /// `uname -s`
    pub kernel_name: String,
    /// `uname -r`
    pub kernel_release: String,
    /// `uname -v`
    pub kernel_version: String,
    /// `uname -m`
    pub machine: String,
    /// `uname -n`
    pub node_name: String,
    /// Bytes in a memory page; 0 where unknown.
    pub page_size: u64,
    /// Processors online; 0 where unknown.
    pub processors: u64,
    /// The account's home folder.
    pub home: String,
    /// The folder where commands start, and relative paths with them.
    pub folder: String,
}

/// A file's bytes. Credentials within URLs (`//user:secret@`) were replaced by `//REDACTED@`, well-known tokens by
/// `REDACTED`, before they left their place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileContent {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the file went on past the limit.
    pub truncated: bool,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name; bytes that are no UTF-8 became U+FFFD.
    pub name: String,
    /// What it is; links are not followed.
    pub kind: EntryKind,
}

/// What a name in a folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// Anything else.
    Other,
}

/// One place where the search path has a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The command's name.
    pub name: String,
    /// Where the search path has it.
    pub path: String,
    /// The file behind it, links followed; equal to `path` where that could not be told.
    pub resolved: String,
    /// Size in bytes of the resolved file.
    pub size: u64,
    /// Modification time of the resolved file, seconds since 1970.
    pub mtime: i64,
    /// The resolved file's inode number.
    pub inode: u64,
    /// The first bytes of the resolved file, at most 64: an ELF header, or `#!`. Empty where unreadable.
    pub head: Vec<u8>,
}

/// What a command gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; 128 + n where signal n ended it; 141, as of one that writes where nobody reads, where it was
    /// ended because it said more than `max_bytes`.
    pub status: i32,
    /// Its standard output, bounded, without credentials of URLs and well-known tokens.
    pub stdout: Vec<u8>,
    /// Its standard error, likewise, and without newlines at its end and NULs; empty where it said too much.
    pub stderr: Vec<u8>,
}

/// One environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, masked if secret.
    pub value: VariableValue,
}

/// A variable's value, as it may leave its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableValue {
    /// Not secret; bytes that are no UTF-8 became U+FFFD.
    Plain(String),
    /// Secret by name or by shape.
    Secret(Fingerprint),
}

/// The claim on one reply of a batch; its type says what the reply holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket<T> {
    index: usize,
    of: PhantomData<T>,
}

impl<T> Clone for Ticket<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ticket<T> {}

/// What a probe gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// For [`Op::System`].
    System(SystemFacts),
    /// For [`Op::Read`].
    Content(FileContent),
    /// For [`Op::Sha256`].
    Digest(String),
    /// For [`Op::List`].
    Entries(Vec<Entry>),
    /// For [`Op::Find`].
    Found(Found),
    /// For [`Op::Which`].
    Candidates(Vec<Candidate>),
    /// For [`Op::Run`].
    Output(Output),
    /// For [`Op::Environment`].
    Variables(Vec<Variable>),
}

/// The replies to a batch, one for each probe, in its order.
#[derive(Debug, Clone, Default)]
pub struct Replies(pub Vec<Result<Reply, ProbeError>>);

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds any probe; the typed methods are better where they fit.
    pub fn push<T>(&mut self, op: Op) -> Ticket<T> {
        self.ops.push(op);
        Ticket { index: self.ops.len() - 1, of: PhantomData }
    }

    /// Asks what kernel and account say of themselves.
    pub fn system(&mut self) -> Ticket<SystemFacts> {
        self.push(Op::System)
    }

    /// Asks for a whole file, up to `max_bytes`.
    pub fn read(&mut self, path: impl Into<String>, max_bytes: usize) -> Ticket<FileContent> {
        self.push(Op::Read { path: path.into(), max_bytes, keep: Keep::All })
    }

    /// Asks for the lines of a file that start with one of `starts`.
    pub fn read_lines(
        &mut self,
        path: impl Into<String>,
        max_bytes: usize,
        starts: &[&str],
    ) -> Ticket<FileContent> {
        let keep = Keep::LinesStartingWith(starts.iter().map(ToString::to_string).collect());
        self.push(Op::Read { path: path.into(), max_bytes, keep })
    }

    /// Asks for a file's SHA-256.
    pub fn sha256(&mut self, path: impl Into<String>) -> Ticket<String> {
        self.push(Op::Sha256 { path: path.into() })
    }

    /// Asks for the names in a folder.
    pub fn list(&mut self, path: impl Into<String>, max_entries: usize) -> Ticket<Vec<Entry>> {
        self.push(Op::List { path: path.into(), max_entries })
    }

    /// Looks for files by name.
    pub fn find(&mut self, find: Find) -> Ticket<Found> {
        self.push(Op::Find(find))
    }

    /// Asks where the search path has these commands.
    pub fn which(&mut self, names: &[&str]) -> Ticket<Vec<Candidate>> {
        self.push(Op::Which { names: names.iter().map(ToString::to_string).collect() })
    }

    /// Runs a command.
    pub fn run(&mut self, run: Run) -> Ticket<Output> {
        self.push(Op::Run(run))
    }

    /// Asks for environment variables.
    pub fn environment(&mut self, environment: Environment) -> Ticket<Vec<Variable>> {
        self.push(Op::Environment(environment))
    }

    /// The probes, in order.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Appends another batch's probes; its tickets then claim from the replies of
    /// [`Replies::split_off`] at the length that this had before.
    pub fn append(&mut self, other: &Self) {
        self.ops.extend(other.ops.iter().cloned());
    }
}

impl Replies {
    /// The reply that a ticket claims.
    ///
    /// # Errors
    /// The probe's own error; [`ProbeError::Failed`] where the ticket is of another batch.
    pub fn get<T: FromReply>(&self, ticket: Ticket<T>) -> Result<&T, ProbeError> {
        match self.0.get(ticket.index) {
            Some(Ok(reply)) => T::from_reply(reply)
                .ok_or_else(|| ProbeError::Failed("the reply is of another sort than was asked".to_owned())),
            Some(Err(error)) => Err(error.clone()),
            None => Err(ProbeError::Failed("there was no reply".to_owned())),
        }
    }

    /// Takes the replies from `at` on, for a batch that was appended there.
    pub fn split_off(&mut self, at: usize) -> Self {
        Self(self.0.split_off(at.min(self.0.len())))
    }
}

/// What a ticket can claim.
pub trait FromReply: Sized {
    /// The inner value, if the reply is of this sort.
    fn from_reply(reply: &Reply) -> Option<&Self>;
}

macro_rules! from_reply {
    ($($type:ty, $variant:ident;)*) => {$(
        impl FromReply for $type {
            fn from_reply(reply: &Reply) -> Option<&Self> {
                if let Reply::$variant(inner) = reply { Some(inner) } else { None }
            }
        }
    )*};
}

from_reply! {
    SystemFacts, System;
    FileContent, Content;
    String, Digest;
    Vec<Entry>, Entries;
    Found, Found;
    Vec<Candidate>, Candidates;
    Output, Output;
    Vec<Variable>, Variables;
}

impl FileContent {
    /// The content as text; bytes that are no UTF-8 become U+FFFD. A byte order mark is dropped.
    #[must_use]
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
    }
}
