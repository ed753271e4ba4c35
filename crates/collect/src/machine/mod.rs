//! Machines: places that can run commands and read files.
//!
//! A collector hands a machine one [`Batch`] of probes and gets the replies back together, so that a remote
//! batch is one round trip. Every probe is bounded in time and in bytes, and one that fails costs itself only.

mod batch;
mod combined;
mod error;
mod recorded;

pub(crate) use batch::name_fits;
pub use batch::{
    Batch, Candidate, Entry, EntryKind, Environment, FileContent, Find, FromReply, Keep, Op, Output, Replies,
    Reply, Run, SystemFacts, Ticket, Variable, VariableValue,
};
pub(crate) use combined::Combined;
pub use error::{MachineError, ProbeError};
pub use recorded::{Recorded, RecordedCommand, RecordedFile, RecordedSystem};

/// A place that can run commands and read files: this machine, one over `ssh`, a recording.
pub trait Machine: Send + Sync + std::fmt::Debug {
    /// What people call it: `this machine`, `ssh://staging`.
    fn place(&self) -> &str;

    /// Carries out a batch, in one round trip where it is remote.
    ///
    /// # Errors
    /// Only where the place as a whole could not be reached or stopped answering; a probe that
    /// failed is in the replies.
    fn run(&self, batch: &Batch) -> Result<Replies, MachineError>;
}
