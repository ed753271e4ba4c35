//! Timelines: what every environment looked like at any time, and what changed in between.
//!
//! Start at [`Store`]. A snapshot is a content-addressed [`tree`]; a timeline is a row of entries that name trees, and a table of
//! [`Change`]s between them. One database keeps both: SQLite in a file, PostgreSQL by its URL, or another that does what [`backend`] asks. This
//! crate keeps and gives back; it interprets nothing, prints nothing, and asks no clock.

pub mod backend;
mod change;
mod error;
mod pack;
mod postgres;
mod sqlite;
mod store;
pub mod tree;

pub use backend::{About, Sizes};
pub use change::{Change, Shape, What, derive};
pub use error::StoreError;
pub use postgres::Credentials;
pub use store::{
    Collected, Copied, Differing, Entry, Graph, Migrated, Policy, Problem, Query, Recorded, Salvaged,
    Standing, Store, Survey, Tell, Verified, is_file, is_url, shown,
};
