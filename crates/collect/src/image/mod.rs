//! Container images: what a reference names, where images are kept, and an image's file system as a machine.
//!
//! A [`Reference`] is text as people write it. An [`ImageSource`] is a place that has images: a [`Registry`], an OCI
//! [`Layout`], an [`Archive`] that `docker save` wrote. [`observe`] sees in an image what collectors see on a host.
//! Nothing is ever started.

mod archive;
mod choose;
mod compressed;
mod describe;
mod digest;
mod layout;
mod manifest;
mod observe;
mod pack;
mod reference;
mod registry;
mod rootfs;
mod source;
mod tape;
#[cfg(test)]
mod tests;

pub use archive::Archive;
pub use layout::Layout;
pub use manifest::{Config, Descriptor, Index, Manifest, Platform, Process};
pub use observe::{Project, Wanted, observe};
pub use reference::{Reference, ReferenceError};
pub use registry::{Credentials, Registry};
pub use source::{ImageError, ImageSource, Resolved};
