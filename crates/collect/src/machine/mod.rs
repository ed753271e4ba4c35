//! Machines: places that can run commands and read files.
//!
//! A collector hands a machine one [`Batch`] of probes and gets the replies back together, so that a remote
//! batch is one round trip. Every probe is bounded in time and in bytes, and one that fails costs itself only.

mod batch;
mod combined;
#[cfg(test)]
mod contract;
mod error;
#[expect(clippy::disallowed_methods, reason = "here a machine is made real")]
mod local;
#[expect(clippy::disallowed_methods, reason = "here a machine is made real")]
mod login;
mod place;
mod recorded;
mod shell;
#[expect(clippy::disallowed_methods, reason = "here a machine is made real")]
mod ssh;
#[cfg(test)]
mod sshd;

pub(crate) use batch::name_fits;
pub use batch::{
    Batch, Candidate, Entry, EntryKind, Environment, FileContent, Find, Found, FromReply, Keep, Op, Output,
    Replies, Reply, Run, SystemFacts, Ticket, Variable, VariableValue,
};
pub(crate) use combined::{Combined, Seat};
pub use error::{MachineError, ProbeError};
pub use local::Local;
pub(crate) use local::content;
pub use login::{Account, LocalLogin};
pub use place::{Place, PlaceError, SshPlace};
pub use recorded::{Recorded, RecordedCommand, RecordedFile, RecordedSystem};
pub use ssh::{Login, Ssh, SshOptions};

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

/// What a probe of a file says of anything that is no regular file, and one of a folder of what is none.
pub(crate) const NOT_A_FILE: &str = "not a regular file";
pub(crate) const NOT_A_FOLDER: &str = "not a folder";

/// The status of a command that was ended because it said more than its limit: that of one that writes where
/// nobody reads (128 + SIGPIPE).
pub(crate) const CUT: i32 = 141;

/// A search that has more folders to look into ends.
pub(crate) const MAX_FOLDERS: usize = 20_000;

/// How many raw bytes are looked at for `max_bytes` of content: some more, so that a credential that
/// stands across the limit is seen whole and masked.
pub(crate) fn window(max_bytes: usize) -> usize {
    max_bytes.saturating_add(16 * 1024)
}

/// What followed the bytes that were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    Nothing,
    More,
}

/// The content of a file from the raw bytes of its [`window`], and what is known of the rest of the file.
pub(crate) fn redacted_content(raw: &[u8], max_bytes: usize, rest: Rest) -> FileContent {
    let bytes = crate::secret::redact(raw);
    match rest {
        Rest::More => FileContent { bytes: beginning(bytes, max_bytes), truncated: true },
        Rest::Nothing => {
            let truncated = bytes.len() > max_bytes;
            FileContent { bytes: bytes.into_iter().take(max_bytes).collect(), truncated }
        }
    }
}

/// The beginning of bytes that were cut before they were redacted: at most so many, and no part of the last word,
/// which may be half a credential that nothing could recognise.
pub(crate) fn beginning(mut redacted: Vec<u8>, most: usize) -> Vec<u8> {
    let ends_word = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`');
    let whole_words = redacted.iter().rposition(ends_word).map_or(0, |at| at + 1);
    redacted.truncate(most.min(whole_words));
    redacted
}

/// Standard error as it is kept: without NULs and without newlines at its end, which a shell's variable
/// can't hold.
pub(crate) fn stderr_kept(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().rposition(|b| *b != b'\n' && *b != 0).map_or(0, |at| at + 1);
    bytes.iter().take(end).copied().filter(|b| *b != 0).collect()
}

/// How many numbers a list of ranges names (`0-3,6` names five).
pub(crate) fn count_of_ranges(text: &str) -> Option<u64> {
    text.trim().split(',').try_fold(0_u64, |sum, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let count = last.parse::<u64>().ok()?.checked_sub(first.parse().ok()?)?.checked_add(1)?;
        sum.checked_add(count)
    })
}
