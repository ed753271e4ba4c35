//! The documents of an image: index, manifest and configuration, in OCI's and Docker's spelling, which agree in what is read
//! here. <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

use std::collections::BTreeMap;

use serde::Deserialize;

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
