//! The words of Parallax as types: keys, values, resources, snapshots, gaps, and the ontology.
//!
//! Everything here is data and pure functions over data. This crate never does I/O, never asks the
//! clock and knows no async runtime, so that every other room may stand on it.

mod attribute;
mod code;
mod fingerprint;
mod gap;
mod key;
mod layer;
pub mod ontology;
mod path;
pub mod platform;
mod relation;
mod resource;
pub mod selector;
mod snapshot;
mod value;

pub use attribute::{Attribute, Attributes};
pub use code::Code;
pub use fingerprint::Fingerprint;
pub use gap::{Gap, GapKind};
pub use jiff::Timestamp;
pub use key::{Key, KeyError};
pub use layer::Layer;
pub use path::{AttributePath, PathBuilder, Segment};
pub use relation::{Relation, RelationKind};
pub use resource::Resource;
pub use snapshot::{Digest, Snapshot, SnapshotHeader, SnapshotReadError, SourceReport, SourceStatus};
pub use value::{Number, Value};
