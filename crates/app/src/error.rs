//! One error type at the surface: its kind gives the exit code, its chain says what led to what, and its
//! hints say what to do.

use std::fmt::{self, Display};
use std::process::ExitCode;

/// What sort of failure; each has one exit code, and later one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Wrong usage, configuration or input: exit code 2.
    Usage,
    /// An environment could not be observed: exit code 3.
    Unobserved,
    /// Reading or writing a file of the user's failed (a full disk): exit code 2.
    Io,
    /// The store is damaged: exit code 2, or 1 where that was the question.
    Damaged,
    /// A recording was collected since it was looked up: exit code 2.
    Collected,
}

/// A failure, ready to be told.
#[derive(Debug)]
pub struct AppError {
    /// Its sort.
    pub kind: ErrorKind,
    /// What happened, lower case, names in backticks, the path always.
    pub message: String,
    /// What led to it, outermost first.
    pub chain: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl AppError {
    /// Wrong usage, configuration or input.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// An environment could not be observed.
    pub fn unobserved(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unobserved, message)
    }

    /// A file could not be read or written.
    pub fn io(doing: &str, path: impl Display, error: &std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("cannot {doing} `{path}`")).caused_by(error.to_string())
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), chain: Vec::new(), hints: Vec::new() }
    }

    /// Adds a cause beneath.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.chain.push(cause.into());
        self
    }

    /// Adds a hint, with a command to run where there is one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same as a warning: what failed was not what the user asked for.
    #[must_use]
    pub fn warning(&self) -> String {
        format!("warning: {}{}", self.message, Beneath(self))
    }

    /// The exit code of this sort of failure.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            ErrorKind::Usage | ErrorKind::Io | ErrorKind::Damaged | ErrorKind::Collected => 2,
            ErrorKind::Unobserved => 3,
        })
    }
}

/// `error:`, the chain beneath, then `hint:` lines.
impl Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}{}", self.message, Beneath(self))
    }
}

/// The lines beneath a message.
struct Beneath<'a>(&'a AppError);

impl Display for Beneath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for cause in &self.0.chain {
            write!(f, "\n  because: {}", cause.replace('\n', "\n    "))?;
        }
        for hint in &self.0.hints {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for AppError {}
