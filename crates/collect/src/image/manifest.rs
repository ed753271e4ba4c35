//! The documents of an image: index, manifest and configuration, in OCI's and Docker's spelling, which agree in what is read
//! here. <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// A content that is named by its digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Its digest, `sha256:..`.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    /// For which platform, in an index.
    pub platform: Option<Platform>,
    /// Notes; `vnd.docker.reference.type` marks an attestation, which is no image.
    pub annotations: BTreeMap<String, String>,
}

/// For which platform an image is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// `linux`, `windows`.
    pub os: String,
    /// Go's spelling: `amd64`, `arm64`, `386`.
    pub architecture: String,
    /// `v7`, `v8`.
    pub variant: String,
}

/// Several images under one name: one for each platform. (Docker: a manifest list.)
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Index {
    /// What it is.
    pub media_type: String,
    /// Its images.
    #[serde(deserialize_with = "or_default")]
    pub manifests: Vec<Descriptor>,
}

/// One image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// What it is.
    pub media_type: String,
    /// Its configuration.
    pub config: Descriptor,
    /// Its layers, the lowest first.
    #[serde(deserialize_with = "or_default")]
    pub layers: Vec<Descriptor>,
}

/// An image's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Config {
    /// `linux`
    pub os: String,
    /// Go's spelling.
    pub architecture: String,
    /// `v7`
    pub variant: String,
    /// When it was built, RFC 3339.
    pub created: Option<String>,
    /// How its process is started.
    #[serde(deserialize_with = "or_default")]
    pub config: Process,
}

/// How an image's process is started. `None` and empty are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Process {
    /// The user, a name or number, with a group after `:`.
    pub user: Option<String>,
    /// `NAME=value`, in order. May hold secrets: never kept unmasked.
    pub env: Option<Vec<String>>,
    /// The words before the command.
    pub entrypoint: Option<Vec<String>>,
    /// The command, or the entry point's arguments.
    pub cmd: Option<Vec<String>>,
    /// Where it starts.
    pub working_dir: Option<String>,
    /// Ports, as `8080/tcp`.
    pub exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    /// Folders that are meant to be mounted.
    pub volumes: Option<BTreeMap<String, serde_json::Value>>,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// The signal that stops it.
    pub stop_signal: Option<String>,
}

impl Config {
    /// For which platform the image is.
    #[must_use]
    pub fn platform(&self) -> Platform {
        Platform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
            variant: self.variant.clone(),
        }
    }
}

impl Platform {
    /// Linux on a processor, by the name that `uname -m` gives it.
    #[must_use]
    pub fn of_machine(machine: &str) -> Self {
        let (architecture, variant) = match machine {
            "x86_64" => ("amd64", ""),
            "aarch64" => ("arm64", ""),
            "i386" | "i486" | "i586" | "i686" | "x86" => ("386", ""),
            "armv5l" | "armv5tel" => ("arm", "v5"),
            "armv6l" => ("arm", "v6"),
            "armv7l" | "armv8l" | "arm" => ("arm", "v7"),
            "powerpc64" => ("ppc64", ""),
            other => (other, ""),
        };
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: variant.to_owned() }
    }

    /// What `uname -m` says on such a processor.
    #[must_use]
    pub fn machine(&self) -> &str {
        match (self.architecture.as_str(), self.variant.as_str()) {
            ("amd64", _) => "x86_64",
            ("arm64", _) => "aarch64",
            ("386", _) => "i686",
            ("arm", "v5") => "armv5l",
            ("arm", "v6") => "armv6l",
            ("arm", _) => "armv7l",
            (other, _) => other,
        }
    }

    /// Reads `os/architecture[/variant]`; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let mut next = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let (os, architecture) = (next()?, next()?);
        let variant = next();
        let ended = text.split('/').count() == if variant.is_some() { 3 } else { 2 };
        ended.then(|| Self { os, architecture, variant: variant.unwrap_or_default() })
    }
}

/// Go writes an empty list or object as `null`.
fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
