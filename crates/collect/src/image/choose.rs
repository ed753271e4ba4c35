//! From the document that a name stands for to the image for one platform: through an index, or nested ones, to the
//! manifest and its configuration. Fetches nothing itself.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::digest;
use super::{Config, Descriptor, ImageError, Index, Manifest, Platform, Reference, Resolved};

/// The most bytes of an index or manifest, as registries limit them.
pub(super) const MOST_MANIFEST: u64 = 4 << 20;
/// The most bytes of a configuration.
pub(super) const MOST_CONFIG: u64 = 8 << 20;
/// An index may name an index, but not without end.
const MOST_NESTED: usize = 4;

/// What is looked for, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The place, for messages.
    pub(super) place: &'a str,
    /// Which image.
    pub(super) reference: &'a Reference,
    /// For which platform.
    pub(super) platform: &'a Platform,
}

/// What sort of document a descriptor names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    /// An index or a manifest.
    Manifest,
    /// A configuration.
    Config,
}

impl Document {
    /// At most so many bytes.
    pub(super) const fn most(self) -> u64 {
        match self {
            Self::Manifest => MOST_MANIFEST,
            Self::Config => MOST_CONFIG,
        }
    }
}

/// Gives the bytes of a document by its descriptor.
pub(super) type Fetch<'a> = &'a mut dyn FnMut(&Descriptor, Document) -> Result<Vec<u8>, ImageError>;

/// What an index and a manifest are told apart by; some leave the media type out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline<'a> {
    #[serde(borrow)]
    manifests: Option<&'a RawValue>,
    #[serde(borrow)]
    config: Option<&'a RawValue>,
    #[serde(borrow)]
    fs_layers: Option<&'a RawValue>,
}

impl Wanted<'_> {
    /// A document that is not what it should be.
    pub(super) fn damaged(&self, what: &str, why: impl Into<String>) -> ImageError {
        ImageError::Damaged { place: self.place.to_owned(), what: what.to_owned(), why: why.into() }
    }

    /// The image, from the first document that its name stands for.
    pub(super) fn resolve(&self, first: &[u8], fetch: Fetch<'_>) -> Result<Resolved, ImageError> {
        let named = digest::of_bytes(first);
        let mut bytes = first.to_vec();
        let mut index = None;
        let mut platforms = Vec::new();
        let mut digest = named.clone();
        for _ in 0..MOST_NESTED {
            let outline: Outline<'_> =
                serde_json::from_slice(&bytes).map_err(|e| self.damaged(&digest, e.to_string()))?;
            if outline.manifests.is_none() {
                return self.image(&bytes, digest, (index, platforms), &outline, fetch);
            }
            let found: Index =
                serde_json::from_slice(&bytes).map_err(|e| self.damaged(&digest, e.to_string()))?;
            let chosen = self.choose(&found)?.clone();
            index.get_or_insert_with(|| named.clone());
            platforms
                .extend(found.manifests.iter().filter(|d| is_image(d)).filter_map(|d| d.platform.clone()));
            bytes = fetch(&chosen, Document::Manifest)?;
            digest = chosen.digest;
        }
        Err(self.damaged(&named, "it is an index of indexes without end"))
    }

    fn image(
        &self,
        bytes: &[u8],
        digest: String,
        (index, mut platforms): (Option<String>, Vec<Platform>),
        outline: &Outline<'_>,
        fetch: Fetch<'_>,
    ) -> Result<Resolved, ImageError> {
        if outline.fs_layers.is_some() {
            let why =
                "it is in the first schema, which has no configuration; push it again with a current engine";
            return Err(self.damaged(&digest, why));
        }
        if outline.config.is_none() {
            return Err(self.damaged(&digest, "it is neither an index nor a manifest"));
        }
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|e| self.damaged(&digest, e.to_string()))?;
        if !is_config(&manifest.config.media_type) {
            let why = format!("it is no image but `{}`", manifest.config.media_type);
            return Err(self.damaged(&digest, why));
        }
        let raw = fetch(&manifest.config, Document::Config)?;
        let config: Config =
            serde_json::from_slice(&raw).map_err(|e| self.damaged(&manifest.config.digest, e.to_string()))?;
        if platforms.is_empty() && !config.os.is_empty() {
            platforms.push(config.platform());
        }
        platforms.sort();
        platforms.dedup();
        Ok(Resolved { index, digest: Some(digest), platforms, manifest, config })
    }

    /// The entry of an index for the platform: the exact one, or the first that runs there.
    pub(super) fn choose<'i>(&self, index: &'i Index) -> Result<&'i Descriptor, ImageError> {
        let images: Vec<&Descriptor> = index.manifests.iter().filter(|d| is_image(d)).collect();
        let score = |d: &&&Descriptor| d.platform.as_ref().map_or(0, |there| fitness(there, self.platform));
        let best = images.iter().rev().max_by_key(score).filter(|d| score(d) > 0);
        // A layout may have one image and not say for which platform it is.
        let alone = || match images.as_slice() {
            [only] if only.platform.is_none() => Some(only),
            _ => None,
        };
        best.or_else(alone).copied().ok_or_else(|| {
            let there: Vec<String> =
                images.iter().filter_map(|d| d.platform.as_ref()).map(ToString::to_string).collect();
            ImageError::NoPlatform {
                reference: self.reference.to_string(),
                wanted: self.platform.to_string(),
                there: if there.is_empty() { "none that it names".to_owned() } else { there.join(", ") },
            }
        })
    }
}

/// How well a platform suits the wanted one: 0 where it does not run there.
fn fitness(there: &Platform, wanted: &Platform) -> u8 {
    if there.os != wanted.os || there.architecture != wanted.architecture {
        return 0;
    }
    let variant = |p: &Platform| match (p.architecture.as_str(), p.variant.as_str()) {
        ("arm64", "") => "v8".to_owned(),
        ("arm", "") => "v7".to_owned(),
        (_, variant) => variant.to_owned(),
    };
    let (there, wanted) = (variant(there), variant(wanted));
    if there == wanted {
        3
    } else if there.is_empty() || there < wanted {
        // An older variant runs on a newer processor.
        2
    } else {
        u8::from(wanted.is_empty())
    }
}

/// Whether an index's entry is an image, and not a note about one (a provenance, a signature).
fn is_image(descriptor: &Descriptor) -> bool {
    let about = descriptor.annotations.contains_key("vnd.docker.reference.type");
    let unknown = descriptor.platform.as_ref().is_some_and(|p| p.os == "unknown");
    !about && !unknown
}

/// Whether a media type is that of an image's configuration. Old tools leave it out.
fn is_config(media_type: &str) -> bool {
    let known = [
        "",
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
        "application/octet-stream",
    ];
    known.contains(&media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(entries: &[(&str, &str, &str)]) -> Index {
        let descriptor = |(os, architecture, variant): &(&str, &str, &str)| Descriptor {
            digest: format!("{os}/{architecture}/{variant}"),
            platform: Some(Platform {
                os: (*os).into(),
                architecture: (*architecture).into(),
                variant: (*variant).into(),
            }),
            ..Descriptor::default()
        };
        Index { manifests: entries.iter().map(descriptor).collect(), ..Index::default() }
    }

    #[track_caller]
    fn check(entries: &[(&str, &str, &str)], wanted: (&str, &str), expected: &str) {
        let reference = "app".parse().unwrap();
        let platform =
            Platform { os: "linux".into(), architecture: wanted.0.into(), variant: wanted.1.into() };
        let wanted = Wanted { place: "here", reference: &reference, platform: &platform };
        let got = wanted.choose(&index(entries)).map_or_else(|e| e.to_string(), |d| d.digest.clone());
        assert_eq!(got, expected);
    }

    #[test]
    fn the_platform_that_runs_there() {
        let usual = [
            ("linux", "amd64", ""),
            ("linux", "arm", "v5"),
            ("linux", "arm", "v7"),
            ("linux", "arm64", "v8"),
        ];
        check(&usual, ("amd64", ""), "linux/amd64/");
        check(&usual, ("arm64", ""), "linux/arm64/v8");
        check(&usual, ("arm", ""), "linux/arm/v7");
        check(&usual, ("arm", "v6"), "linux/arm/v5");
        check(
            &[("linux", "arm", "v7")],
            ("arm", "v6"),
            "`app` is not there for linux/arm/v6; it is for linux/arm/v7",
        );
        check(
            &[("windows", "amd64", "")],
            ("amd64", ""),
            "`app` is not there for linux/amd64; it is for windows/amd64",
        );
        check(
            &[("unknown", "unknown", "")],
            ("amd64", ""),
            "`app` is not there for linux/amd64; it is for none that it names",
        );
        check(&[("linux", "amd64", "v3"), ("linux", "amd64", "")], ("amd64", ""), "linux/amd64/");
        check(&[], ("amd64", ""), "`app` is not there for linux/amd64; it is for none that it names");
    }

    #[test]
    fn a_hundred_thousand_documents_are_read_or_refused() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap() % below
        };
        let config = br#"{"os": "linux", "architecture": "amd64", "config": {"Env": ["A=b"], "ExposedPorts": {"1/tcp": {}}}}"#;
        let manifest = br#"{"schemaVersion": 2, "config": {"digest": "c", "size": 9}, "layers": [{"digest": "l", "size": 1}]}"#;
        let index = br#"{"manifests": [{"digest": "m", "platform": {"os": "linux", "architecture": "amd64"}}], "annotations": {}}"#;
        let (reference, platform) = ("app".parse().unwrap(), Platform::of_machine("x86_64"));
        let wanted = Wanted { place: "here", reference: &reference, platform: &platform };
        let mut good = 0;
        for _ in 0..100_000 {
            let mut documents = [config.to_vec(), manifest.to_vec(), index.to_vec()];
            for _ in 0..=next(2) {
                let document = &mut documents[next(3)];
                let at = next(document.len().max(1));
                match next(3) {
                    0 if at < document.len() => document[at] = b"{}[]:,\"\\0a \xff\n"[next(13)],
                    1 => document.truncate(at),
                    _ => document.insert(at.min(document.len()), b'"'),
                }
            }
            let [config, manifest, index] = documents;
            let mut fetch = |descriptor: &Descriptor, document: Document| {
                Ok(match (document, descriptor.digest.as_str()) {
                    (Document::Config, _) => config.clone(),
                    (Document::Manifest, "m") => manifest.clone(),
                    // An index that names itself.
                    (Document::Manifest, _) => index.clone(),
                })
            };
            good += usize::from(wanted.resolve(&index, &mut fetch).is_ok());
        }
        assert!((1_000..99_000).contains(&good), "{good}");
    }
}
