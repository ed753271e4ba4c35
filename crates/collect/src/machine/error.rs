//! What can go wrong with a machine as a whole, and with one probe.

use std::time::Duration;

use parallax_model::GapKind;
use thiserror::Error;

/// A place as a whole could not be observed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MachineError {
    /// It could not be reached.
    #[error("{place}: cannot connect: {why}")]
    Unreachable {
        /// The place.
        place: String,
        /// What the system's `ssh` said, bounded and free of control characters.
        why: String,
    },
    /// It was reached and refused the account.
    #[error("{place}: refused: {why}")]
    Refused {
        /// The place.
        place: String,
        /// What the system's `ssh` said.
        why: String,
    },
    /// Its host key is unknown or has changed. Never worked around.
    #[error("{place}: host key not accepted: {why}")]
    HostKey {
        /// The place.
        place: String,
        /// What the system's `ssh` said.
        why: String,
    },
    /// It stopped answering within the time that a batch may take.
    #[error("{place}: no answer within {} s", .after.as_secs())]
    TimedOut {
        /// The place.
        place: String,
        /// How long was waited.
        after: Duration,
    },
    /// It answered with something else than the protocol.
    #[error("{place}: the answer could not be read: {why}")]
    Garbled {
        /// The place.
        place: String,
        /// What was wrong.
        why: String,
    },
}

impl MachineError {
    /// The sort of gap that this leaves over everything that the place would have shown.
    #[must_use]
    pub fn gap_kind(&self) -> GapKind {
        match self {
            Self::Unreachable { .. } | Self::HostKey { .. } => GapKind::Unreachable,
            Self::Refused { .. } => GapKind::Permission,
            Self::TimedOut { .. } => GapKind::TimedOut,
            Self::Garbled { .. } => GapKind::NotParsed,
        }
    }
}

/// One probe failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProbeError {
    /// There is no such file or command.
    #[error("not found")]
    NotFound,
    /// The account may not.
    #[error("permission denied")]
    Permission,
    /// It took longer than its limit.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It was larger than its limit, in bytes.
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    /// The means to carry it out are missing there.
    #[error("cannot be observed there: {0}")]
    Unsupported(String),
    /// It failed in another way.
    #[error("{0}")]
    Failed(String),
}

impl ProbeError {
    /// The sort of gap that this leaves; `None` for what was looked for and is absent.
    #[must_use]
    pub fn gap_kind(&self) -> Option<GapKind> {
        match self {
            Self::NotFound => None,
            Self::Permission => Some(GapKind::Permission),
            Self::TimedOut(_) => Some(GapKind::TimedOut),
            Self::TooLarge(_) => Some(GapKind::TooLarge),
            Self::Unsupported(_) => Some(GapKind::Unsupported),
            Self::Failed(_) => Some(GapKind::Failed),
        }
    }
}
