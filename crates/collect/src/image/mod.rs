//! Container images: what a reference names, where images are kept, and an image's file system as a machine.
//!
//! A [`Reference`] is text as people write it. An [`ImageSource`] is a place that has images: a registry, an OCI layout, an
//! archive that `docker save` wrote, an engine's socket. Nothing is ever started.

mod manifest;
mod reference;
mod source;

pub use manifest::{Config, Descriptor, Index, Manifest, Platform, Process};
pub use reference::{Reference, ReferenceError};
pub use source::{ImageError, ImageSource, Resolved};
