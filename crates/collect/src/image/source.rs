//! Places that have images.

use std::fmt;
use std::io::Read;

use thiserror::Error;

use super::{Config, Manifest, Platform, Reference};

/// A place that has images. What it gives is held against its digest before it is used.
pub trait ImageSource: fmt::Debug + Send + Sync {
    /// What people call it: `registry.example.org`, `./layout`, `image.tar`.
    fn place(&self) -> &str;

    /// The image that a reference names there, for a platform where the name stands for several.
    ///
    /// # Errors
    /// [`ImageError`]
    fn resolve(&self, reference: &Reference, platform: &Platform) -> Result<Resolved, ImageError>;

    /// A content by its digest, as it is kept (a layer may be compressed).
    ///
    /// # Errors
    /// [`ImageError`]
    fn blob(&self, reference: &Reference, digest: &str) -> Result<Box<dyn Read + Send>, ImageError>;
}

/// An image that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The digest of the index, where the name stands for several platforms. It changes when a platform is added.
    pub index: Option<String>,
    /// The digest of the manifest for the platform that was asked for. It changes when what runs does.
    pub digest: String,
    /// Every platform that the name has.
    pub platforms: Vec<Platform>,
    /// The manifest.
    pub manifest: Manifest,
    /// The configuration.
    pub config: Config,
}

/// Why an image could not be had.
#[derive(Debug, Error)]
pub enum ImageError {
    /// There is no such image, or no such tag.
    #[error("{place} has no image `{reference}`")]
    NotFound {
        /// The place.
        place: String,
        /// What was asked for.
        reference: String,
    },
    /// There is one, for other platforms.
    #[error("`{reference}` is not there for {wanted}; it is for {there}")]
    NoPlatform {
        /// What was asked for.
        reference: String,
        /// For which platform.
        wanted: String,
        /// For which platforms it is.
        there: String,
    },
    /// The place wants other credentials, or the account may not.
    #[error("{place} refuses `{reference}`: {why}")]
    Refused {
        /// The place.
        place: String,
        /// What was asked for.
        reference: String,
        /// What it says.
        why: String,
    },
    /// The place could not be reached, or stopped answering.
    #[error("{place} could not be reached: {why}")]
    Unreachable {
        /// The place.
        place: String,
        /// Why.
        why: String,
    },
    /// What it gave is not what it should be.
    #[error("{place}: `{what}` is damaged: {why}")]
    Damaged {
        /// The place.
        place: String,
        /// Which content.
        what: String,
        /// What is wrong.
        why: String,
    },
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}
