//! An OCI image layout, as a folder or a tar archive of one: what `skopeo`, `buildah`, `podman save --format oci-archive`
//! and `docker buildx build --output type=oci` write.
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::choose::{Document, Wanted};
use super::compressed::TOO_MUCH;
use super::digest::{self, Verified};
use super::pack::Pack;
use super::{Descriptor, ImageError, ImageSource, Index, Platform, Reference, Resolved};

const INDEX: &str = "index.json";
/// The name that a build gave, and the whole one that containerd notes.
const REFERENCE: &str = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// An OCI layout.
#[derive(Debug)]
pub struct Layout {
    place: String,
    pack: Pack,
    index: Index,
    raw: Vec<u8>,
}

impl Layout {
    /// Opens the folder or archive at a path; `place` is what people call it.
    ///
    /// # Errors
    /// [`ImageError`]
    pub fn open(path: &Path, place: &str, temporary: &[&Path]) -> Result<Self, ImageError> {
        Self::of_pack(Pack::open(path, temporary).map_err(|e| failure(place, place, &e))?, place)
    }

    pub(super) fn of_pack(pack: Pack, place: &str) -> Result<Self, ImageError> {
        let none = || ImageError::Damaged {
            place: place.to_owned(),
            what: INDEX.to_owned(),
            why: "it is not there, so this is no OCI layout".to_owned(),
        };
        let raw = pack.read(INDEX, Document::Manifest.most()).map_err(|error| {
            if error.kind() == ErrorKind::NotFound { none() } else { failure(place, INDEX, &error) }
        })?;
        let index = serde_json::from_slice(&raw).map_err(|e| ImageError::Damaged {
            place: place.to_owned(),
            what: INDEX.to_owned(),
            why: e.to_string(),
        })?;
        Ok(Self { place: place.to_owned(), pack, index, raw })
    }

    /// The whole names (`registry.example.org/app:1`) that the layout notes of its images.
    #[must_use]
    pub fn names(&self) -> Vec<Reference> {
        let notes = self
            .index
            .manifests
            .iter()
            .flat_map(|d| [CONTAINERD_NAME, REFERENCE].map(|n| d.annotations.get(n)));
        // A bare word is a tag, not a name.
        notes
            .flatten()
            .filter(|name| name.contains([':', '/']))
            .filter_map(|name| name.parse().ok())
            .collect()
    }

    fn document(&self, descriptor: &Descriptor, document: Document) -> Result<Vec<u8>, ImageError> {
        let name = path_of(&descriptor.digest);
        let bytes = self.pack.read(&name, document.most()).map_err(|e| failure(&self.place, &name, &e))?;
        if digest::fits(&bytes, &descriptor.digest) {
            return Ok(bytes);
        }
        Err(ImageError::Damaged {
            place: self.place.clone(),
            what: descriptor.digest.clone(),
            why: "its content is not what its digest says".to_owned(),
        })
    }

    /// The entries that a reference names: all of them where it has no tag.
    fn named(&self, reference: &Reference) -> Vec<&Descriptor> {
        let noted = |d: &&Descriptor| {
            let names = [REFERENCE, CONTAINERD_NAME].map(|name| d.annotations.get(name));
            names.into_iter().flatten().any(|name| {
                Some(name.as_str()) == reference.tag()
                    || name
                        .parse::<Reference>()
                        .is_ok_and(|r| r.repository() == reference.repository() && r.tag() == reference.tag())
            })
        };
        let is_wanted = |d: &&Descriptor| match (reference.digest(), reference.tag()) {
            (Some(digest), _) => d.digest == digest,
            (None, Some(_)) => noted(d),
            (None, None) => true,
        };
        self.index.manifests.iter().filter(is_wanted).collect()
    }

    fn not_found(&self, reference: &Reference) -> ImageError {
        let tags: Vec<&str> = self
            .index
            .manifests
            .iter()
            .filter_map(|d| d.annotations.get(REFERENCE))
            .map(String::as_str)
            .collect();
        let wanted = reference.tag().or(reference.digest()).unwrap_or_default();
        let reference = if tags.is_empty() {
            wanted.to_owned()
        } else {
            format!("{wanted}` (it has `{}`)", tags.join("`, `"))
        };
        ImageError::NotFound {
            place: self.place.clone(),
            reference: reference.trim_end_matches("`)").to_owned(),
        }
    }
}

impl ImageSource for Layout {
    fn place(&self) -> &str {
        &self.place
    }

    fn resolve(&self, reference: &Reference, platform: &Platform) -> Result<Resolved, ImageError> {
        let wanted = Wanted { place: &self.place, reference, platform };
        let mut fetch = |descriptor: &Descriptor, document| self.document(descriptor, document);
        match self.named(reference).as_slice() {
            [] => Err(self.not_found(reference)),
            [only] => {
                let first = self.document(only, Document::Manifest)?;
                wanted.resolve(&first, &mut fetch)
            }
            // Without a tag, a layout of one image for several platforms is an index itself, which no registry knows.
            several if reference.tag().is_none() && several.iter().all(|d| d.platform.is_some()) => {
                let resolved = wanted.resolve(&self.raw, &mut fetch)?;
                Ok(Resolved { index: None, ..resolved })
            }
            _ => Err(self.not_found(reference)),
        }
    }

    fn layer(&self, _reference: &Reference, layer: &Descriptor) -> Result<Box<dyn Read + Send>, ImageError> {
        let name = path_of(&layer.digest);
        let failed = |e: io::Error| failure(&self.place, &name, &e);
        let (from, size) = self.pack.file(&name).map_err(failed)?;
        Ok(Box::new(Verified::new(from, &layer.digest, size).map_err(failed)?))
    }
}

fn path_of(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

/// A file of the layout that could not be read.
pub(super) fn failure(place: &str, what: &str, error: &io::Error) -> ImageError {
    let is_whole = place == what;
    let (place, what) = (place.to_owned(), what.to_owned());
    let kind = error.kind();
    if kind == ErrorKind::NotFound && is_whole {
        ImageError::Io { path: place, why: "there is no such file".to_owned() }
    } else if kind == ErrorKind::NotFound {
        ImageError::Damaged { place, what, why: "it is not there".to_owned() }
    } else if kind == TOO_MUCH {
        ImageError::TooLarge { place, what, why: error.to_string() }
    } else if matches!(kind, ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof) {
        ImageError::Damaged { place, what, why: error.to_string() }
    } else if is_whole {
        ImageError::Io { path: place, why: error.to_string() }
    } else {
        ImageError::Io { path: format!("{place}: {what}"), why: error.to_string() }
    }
}
