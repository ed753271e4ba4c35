//! Images in a registry, over the distribution API.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>
//!
//! Reads only. Nothing that could be a credential is in any error: what a registry says of a failure is told by its own
//! code and message, and an address without what is behind `?`.

mod certificates;
mod challenge;
mod connection;
mod credentials;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::io::Read;

pub use credentials::Credentials;
#[cfg(test)]
pub(super) use server::skopeo as skopeo_for_tests;

use self::connection::Connection;
use super::choose::{Document, Wanted};
use super::digest::{self, Verified};
use super::{Descriptor, ImageError, ImageSource, Platform, Reference, Resolved};

/// What is accepted as a manifest or an index.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// The largest layer that is fetched.
const MOST_LAYER: u64 = 16 << 30;

/// A registry, asked for the images of one repository.
pub struct Registry {
    connection: Connection,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("place", &self.connection.place).finish_non_exhaustive()
    }
}

impl Registry {
    /// The registry of a reference, with the account that the credentials have for it.
    ///
    /// # Errors
    /// Where the system's certificates can't be read, or a program that keeps credentials fails.
    pub fn of(reference: &Reference, credentials: &Credentials) -> Result<Self, ImageError> {
        Ok(Self { connection: Connection::new(reference, credentials)? })
    }

    /// The digest that a name stands for now, of the index where there is one: what a reference is pinned to.
    ///
    /// # Errors
    /// [`ImageError`]
    pub fn digest(&self, reference: &Reference) -> Result<String, ImageError> {
        Ok(digest::of_bytes(&self.first(reference)?))
    }

    fn first(&self, reference: &Reference) -> Result<Vec<u8>, ImageError> {
        let name = reference.name_of_manifest();
        let bytes = self.document(reference, name, Document::Manifest)?;
        match reference.digest() {
            Some(digest) if !digest::fits(&bytes, digest) => Err(self.damaged(digest)),
            Some(_) | None => Ok(bytes),
        }
    }

    fn document(&self, reference: &Reference, name: &str, document: Document) -> Result<Vec<u8>, ImageError> {
        let (folder, accept) = match document {
            Document::Manifest => ("manifests", MANIFESTS),
            Document::Config => ("blobs", "*/*"),
        };
        self.connection.bytes(reference, &format!("{folder}/{name}"), accept, document.most())
    }

    fn damaged(&self, digest: &str) -> ImageError {
        ImageError::Damaged {
            place: self.connection.place.clone(),
            what: digest.to_owned(),
            why: "its content is not what its digest says".to_owned(),
        }
    }
}

impl ImageSource for Registry {
    fn place(&self) -> &str {
        &self.connection.place
    }

    fn resolve(&self, reference: &Reference, platform: &Platform) -> Result<Resolved, ImageError> {
        let wanted = Wanted { place: self.place(), reference, platform };
        let first = self.first(reference)?;
        wanted.resolve(&first, &mut |descriptor, document| {
            let bytes = self.document(reference, &descriptor.digest, document)?;
            if digest::fits(&bytes, &descriptor.digest) {
                Ok(bytes)
            } else {
                Err(self.damaged(&descriptor.digest))
            }
        })
    }

    fn layer(&self, reference: &Reference, layer: &Descriptor) -> Result<Box<dyn Read + Send>, ImageError> {
        // A digest goes into an address: what is none does not.
        if layer.size > MOST_LAYER || !super::reference::is_digest(&layer.digest) {
            let why = if layer.size > MOST_LAYER { "it is larger than 16 GiB" } else { "its digest is none" };
            let (place, what) = (self.connection.place.clone(), layer.digest.clone());
            return Err(ImageError::TooLarge { place, what, why: why.to_owned() });
        }
        let from = self.connection.stream(reference, &format!("blobs/{}", layer.digest), layer.size)?;
        let from = Verified::new(from, &layer.digest, layer.size).map_err(|error| ImageError::Damaged {
            place: self.connection.place.clone(),
            what: layer.digest.clone(),
            why: error.to_string(),
        })?;
        Ok(Box::new(from))
    }
}
