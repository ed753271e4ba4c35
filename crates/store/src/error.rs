//! What can go wrong with a store, and what to do about it.

use std::error::Error;

use thiserror::Error as ThisError;

use crate::tree::TreeError;

/// Why a store could not do what was asked. Nothing that was recorded is lost by any of these.
#[derive(Debug, ThisError)]
pub enum StoreError {
    /// The disk, or the space that the store may take, is full.
    #[error("`{place}`: no space is left; nothing was recorded by this, what was recorded before stays")]
    Full {
        /// The store.
        place: String,
    },
    /// The store, or its folder, may only be read.
    #[error("`{place}`: the store or its folder may not be written")]
    ReadOnly {
        /// The store.
        place: String,
    },
    /// The store could not be opened or created.
    #[error("`{place}`: the store could not be opened: {why}")]
    Unreachable {
        /// The store.
        place: String,
        /// Why not.
        why: String,
    },
    /// The file holds something else.
    #[error("`{place}`: this file is not a store of Parallax")]
    NotAStore {
        /// The file.
        place: String,
    },
    /// The store was written by a later version.
    #[error(
        "`{place}`: the store has schema {found}, and this version knows schemas up to {known}: update `parallax`"
    )]
    Newer {
        /// The store.
        place: String,
        /// Its schema.
        found: i64,
        /// The latest schema that this version knows.
        known: i64,
    },
    /// The store is shared, and was written by an earlier version that others may still use.
    #[error(
        "`{place}`: the store has schema {found}, and this version works with schema {known}; update every `parallax` \
         that uses it, then run `parallax store migrate` once"
    )]
    Older {
        /// The store.
        place: String,
        /// Its schema.
        found: i64,
        /// The schema that this version works with.
        known: i64,
    },
    /// The connection was lost, and could not be made again.
    #[error(
        "`{place}`: the connection to the store was lost and could not be made again ({why}); what was being recorded is \
         there whole, or not at all"
    )]
    Cut {
        /// The store.
        place: String,
        /// What came of the last try.
        why: String,
    },
    /// The store's file is damaged.
    #[error("`{place}`: the store is damaged ({why}); it was not changed: restore a copy, or move it away")]
    Damaged {
        /// The store.
        place: String,
        /// What was found.
        why: String,
    },
    /// Others kept the store locked for longer than anybody should wait.
    #[error("`{place}`: another process has kept the store locked for a minute")]
    Busy {
        /// The store.
        place: String,
    },
    /// The backend failed in another way.
    #[error("`{place}`: the store failed")]
    Backend {
        /// The store.
        place: String,
        /// What failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A part of a tree could not be read.
    #[error(transparent)]
    Tree(TreeError),
    /// No snapshot of that environment was recorded.
    #[error("no snapshot of environment `{environment}` is recorded")]
    NoEnvironment {
        /// The name.
        environment: String,
    },
    /// There is no such entry, or it was collected.
    #[error("environment `{environment}` has no entry {number}; it may have been collected")]
    NoEntry {
        /// The environment.
        environment: String,
        /// The entry's number.
        number: u64,
    },
    /// A recording that is kept cannot be understood.
    #[error("environment `{environment}`, entry {number}: {what} cannot be read")]
    Unreadable {
        /// The environment.
        environment: String,
        /// The entry.
        number: u64,
        /// Its part.
        what: &'static str,
    },
    /// No backend serves this sort of URL.
    #[error("a URL of this sort names no store: `{url}`")]
    UnknownUrl {
        /// What was asked for.
        url: String,
    },
    /// The store that is copied into knows an environment of that name by another history.
    #[error(
        "the other store has an environment `{environment}` with a history of its own: {why}; nothing of it was copied"
    )]
    OtherHistory {
        /// The name.
        environment: String,
        /// What tells the two apart.
        why: String,
    },
}

/// What the backend itself failed of is told as that, not as a matter of the tree.
impl From<TreeError> for StoreError {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Unreadable { chunk, source } => match source.downcast::<Self>() {
                Ok(backend) => *backend,
                Err(source) => Self::Tree(TreeError::Unreadable { chunk, source }),
            },
            other @ (TreeError::Missing { .. } | TreeError::Damaged { .. }) => Self::Tree(other),
        }
    }
}
