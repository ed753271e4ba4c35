//! A file of `docker save`: of all its forms. Since Docker 25 it is an OCI layout as well, and is read as one; before, a
//! list names each image's configuration and layers, and there is no manifest whose digest could be told.
//! <https://github.com/moby/docker-image-spec/blob/main/v1.3.md>

use std::io::{ErrorKind, Read};
use std::path::Path;

use serde::Deserialize;

use super::choose::Document;
use super::digest::{self, Verified};
use super::layout::{Layout, failure};
use super::pack::Pack;
use super::{Config, Descriptor, ImageError, ImageSource, Manifest, Platform, Reference, Resolved};

const LIST: &str = "manifest.json";

/// A file that `docker save` wrote.
#[derive(Debug)]
pub struct Archive {
    place: String,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Layout(Layout),
    List { pack: Pack, images: Vec<Listed> },
}

/// One image of the list.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

impl Archive {
    /// Opens the file at a path; `place` is what people call it.
    ///
    /// # Errors
    /// [`ImageError`]
    pub fn open(path: &Path, place: &str, temporary: &[&Path]) -> Result<Self, ImageError> {
        let pack = Pack::open(path, temporary).map_err(|e| failure(place, place, &e))?;
        let form = if pack.file("oci-layout").is_ok() && pack.file("index.json").is_ok() {
            Form::Layout(Layout::of_pack(pack, place)?)
        } else {
            let damaged =
                |why: String| ImageError::Damaged { place: place.to_owned(), what: LIST.to_owned(), why };
            let list = pack.read(LIST, Document::Manifest.most()).map_err(|error| {
                if error.kind() == ErrorKind::NotFound {
                    damaged("it is not there, so `docker save` did not write this file".to_owned())
                } else {
                    failure(place, LIST, &error)
                }
            })?;
            let images = serde_json::from_slice(&list).map_err(|e| damaged(e.to_string()))?;
            Form::List { pack, images }
        };
        Ok(Self { place: place.to_owned(), form })
    }

    /// The names under which the images were saved.
    #[must_use]
    pub fn names(&self) -> Vec<Reference> {
        match &self.form {
            Form::Layout(layout) => layout.names(),
            Form::List { images, .. } => images
                .iter()
                .flat_map(|image| image.repo_tags.iter().flatten())
                .filter_map(|tag| tag.parse().ok())
                .collect(),
        }
    }

    fn listed<'i>(&self, images: &'i [Listed], reference: &Reference) -> Result<&'i Listed, ImageError> {
        let fits = |tag: &String| {
            tag.parse::<Reference>().is_ok_and(|r| {
                (r.registry(), r.repository()) == (reference.registry(), reference.repository())
                    && (reference.tag().is_none() || r.tag() == reference.tag())
            })
        };
        match images {
            [only] if reference.tag().is_none() || only.repo_tags.iter().flatten().next().is_none() => {
                Ok(only)
            }
            all => all.iter().find(|image| image.repo_tags.iter().flatten().any(fits)).ok_or_else(|| {
                ImageError::NotFound { place: self.place.clone(), reference: reference.to_string() }
            }),
        }
    }
}

impl ImageSource for Archive {
    fn place(&self) -> &str {
        &self.place
    }

    fn resolve(&self, reference: &Reference, platform: &Platform) -> Result<Resolved, ImageError> {
        let (pack, images) = match &self.form {
            Form::Layout(layout) => return layout.resolve(reference, platform),
            Form::List { pack, images } => (pack, images),
        };
        let listed = self.listed(images, reference)?;
        let failed = |what: &str, e: &std::io::Error| failure(&self.place, what, e);
        let raw =
            pack.read(&listed.config, Document::Config.most()).map_err(|e| failed(&listed.config, &e))?;
        let config: Config = serde_json::from_slice(&raw).map_err(|e| ImageError::Damaged {
            place: self.place.clone(),
            what: listed.config.clone(),
            why: e.to_string(),
        })?;
        let descriptor = |digest: String, size: u64| Descriptor { digest, size, ..Descriptor::default() };
        let size = u64::try_from(raw.len()).unwrap_or(u64::MAX);
        // Layers have no digest of their own in this form: they go by their place in the archive.
        let layers = listed.layers.iter().flatten().map(|name| descriptor(name.clone(), 0)).collect();
        let manifest =
            Manifest { config: descriptor(digest::of_bytes(&raw), size), layers, ..Manifest::default() };
        Ok(Resolved { index: None, digest: None, platforms: vec![config.platform()], manifest, config })
    }

    fn layer(&self, reference: &Reference, layer: &Descriptor) -> Result<Box<dyn Read + Send>, ImageError> {
        let pack = match &self.form {
            Form::Layout(layout) => return layout.layer(reference, layer),
            Form::List { pack, .. } => pack,
        };
        let failed = |e: std::io::Error| failure(&self.place, &layer.digest, &e);
        let (from, size) = pack.file(&layer.digest).map_err(failed)?;
        // Podman names them by what they contain.
        match layer.digest.strip_prefix("blobs/sha256/").or(layer.digest.strip_suffix(".tar")) {
            Some(hex) if super::reference::is_digest(&format!("sha256:{hex}")) => {
                Ok(Box::new(Verified::new(from, &format!("sha256:{hex}"), size).map_err(failed)?))
            }
            Some(_) | None => Ok(from),
        }
    }
}
