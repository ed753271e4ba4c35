//! What is known of a machine so far, and what is still wanted: resolvers ask here, and what was not known yet
//! goes into the next round trip. Asks nothing on its own and interprets nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::machine::{
    Batch, Entry, FileContent, Machine, MachineError, Output, ProbeError, Replies, Run, Ticket,
};

/// Time that a command may take to tell its version.
const RUN_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of each of its outputs that are read.
const RUN_BYTES: usize = 16 * 1024;
/// Bytes of a file that tell its architecture.
const HEAD_BYTES: usize = 64;
/// Names that a folder may hold; a `site-packages` or a `bin` is far below.
const LIST_ENTRIES: usize = 20_000;

/// The answer is not here yet; the question is in the next round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pending;

/// A question, and the order in which questions are put.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Read { path: String, max_bytes: usize, starts: Vec<String> },
    List { path: String },
    Run { argv: Vec<String>, depends_on: Vec<String> },
}

/// An answer.
#[derive(Debug)]
enum Answer {
    Content(Option<Content>),
    Entries(Result<Vec<Entry>, ProbeError>),
    Output(Result<Output, ProbeError>),
}

/// A file's content. Many resolvers look at the same one, so that it is made text once.
#[derive(Debug)]
struct Content {
    head: Vec<u8>,
    /// `None` where it is longer than was asked for.
    text: Option<Arc<str>>,
}

enum Claim {
    Content(Ticket<FileContent>),
    Entries(Ticket<Vec<Entry>>),
    Output(Ticket<Output>),
}

/// The answers so far; a question with no answer is wanted.
#[derive(Debug, Default)]
pub(super) struct Known {
    answers: BTreeMap<Question, Option<Answer>>,
}

impl Known {
    /// A file's text, up to `max_bytes`; `None` where it is absent, unreadable, or longer.
    pub(super) fn text(&mut self, path: &str, max_bytes: usize) -> Result<Option<Arc<str>>, Pending> {
        self.lines(path, max_bytes, &[])
    }

    /// The lines of a file that start with one of `starts` (all lines if none is given), as [`Self::text`].
    pub(super) fn lines(
        &mut self,
        path: &str,
        max_bytes: usize,
        starts: &[&str],
    ) -> Result<Option<Arc<str>>, Pending> {
        Ok(self.content(path, max_bytes, starts)?.and_then(|content| content.text.clone()))
    }

    /// The first bytes of a file; `None` where it is absent or unreadable.
    pub(super) fn head(&mut self, path: &str) -> Result<Option<Vec<u8>>, Pending> {
        Ok(self.content(path, HEAD_BYTES, &[])?.map(|content| content.head.clone()))
    }

    fn content(
        &mut self,
        path: &str,
        max_bytes: usize,
        starts: &[&str],
    ) -> Result<Option<&Content>, Pending> {
        let starts = starts.iter().map(ToString::to_string).collect();
        match self.ask(Question::Read { path: path.to_owned(), max_bytes, starts })? {
            Answer::Content(content) => Ok(content.as_ref()),
            Answer::Entries(_) | Answer::Output(_) => Ok(None),
        }
    }

    /// The names in a folder; `None` where it is absent or unreadable.
    pub(super) fn list(&mut self, path: &str) -> Result<Option<&[Entry]>, Pending> {
        match self.ask(Question::List { path: path.to_owned() })? {
            Answer::Entries(Ok(entries)) => Ok(Some(entries)),
            Answer::Entries(Err(_)) | Answer::Content(_) | Answer::Output(_) => Ok(None),
        }
    }

    /// The names in a folder, as [`Self::list`]; none where it is absent or unreadable.
    pub(super) fn names(&mut self, path: &str) -> Result<Vec<String>, Pending> {
        let entries = self.list(path)?.unwrap_or_default();
        Ok(entries.iter().map(|entry| entry.name.clone()).collect())
    }

    /// What a command prints. Where `depends_on` is not empty, these files fix the answer.
    pub(super) fn run(
        &mut self,
        argv: Vec<String>,
        depends_on: Vec<String>,
    ) -> Result<Result<&Output, ProbeError>, Pending> {
        match self.ask(Question::Run { argv, depends_on })? {
            Answer::Output(Ok(output)) => Ok(Ok(output)),
            Answer::Output(Err(error)) => Ok(Err(error.clone())),
            Answer::Content(_) | Answer::Entries(_) => Ok(Err(ProbeError::NotFound)),
        }
    }

    fn ask(&mut self, question: Question) -> Result<&Answer, Pending> {
        self.answers.entry(question).or_insert(None).as_ref().ok_or(Pending)
    }

    /// Puts all wanted questions to the machine, in one round trip. `false` where there were none.
    pub(super) fn fetch(&mut self, machine: &dyn Machine) -> Result<bool, MachineError> {
        let mut batch = Batch::new();
        let wanted: Vec<(Question, Claim)> = self
            .answers
            .iter()
            .filter(|(_, answer)| answer.is_none())
            .map(|(question, _)| (question.clone(), question.put(&mut batch)))
            .collect();
        if wanted.is_empty() {
            return Ok(false);
        }
        let replies = machine.run(&batch)?;
        for (question, claim) in wanted {
            self.answers.insert(question, Some(claim.take(&replies)));
        }
        Ok(true)
    }
}

impl Question {
    fn put(&self, batch: &mut Batch) -> Claim {
        match self {
            Self::Read { path, max_bytes, starts } if starts.is_empty() => {
                Claim::Content(batch.read(path.as_str(), *max_bytes))
            }
            Self::Read { path, max_bytes, starts } => {
                let starts: Vec<&str> = starts.iter().map(String::as_str).collect();
                Claim::Content(batch.read_lines(path.as_str(), *max_bytes, &starts))
            }
            Self::List { path } => Claim::Entries(batch.list(path.as_str(), LIST_ENTRIES)),
            Self::Run { argv, depends_on } => Claim::Output(batch.run(Run {
                argv: argv.clone(),
                timeout: RUN_TIMEOUT,
                max_bytes: RUN_BYTES,
                depends_on: depends_on.clone(),
            })),
        }
    }
}

impl Claim {
    fn take(self, replies: &Replies) -> Answer {
        match self {
            Self::Content(ticket) => Answer::Content(replies.get(ticket).ok().map(|content| Content {
                head: content.bytes.iter().take(HEAD_BYTES).copied().collect(),
                text: (!content.truncated).then(|| content.text().into()),
            })),
            Self::Entries(ticket) => Answer::Entries(replies.get(ticket).cloned()),
            Self::Output(ticket) => Answer::Output(replies.get(ticket).cloned()),
        }
    }
}
