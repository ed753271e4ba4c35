//! What a person may write in `parallax.yaml`. Shapes only; meaning is made in `read`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// The whole file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "parallax.yaml", description = "What Parallax compares, and what must match.")]
pub(super) struct File {
    /// The version of this format: 1.
    #[schemars(with = "u32", range(min = 1, max = 1))]
    pub(super) version: Spanned<u32>,
    /// The environments by name. `local` (this machine, this folder) is there without being written.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, EnvironmentFile>")]
    pub(super) environments: BTreeMap<String, Spanned<EnvironmentFile>>,
    /// What must match and what may differ. The last rule that selects a divergence decides.
    #[serde(default)]
    #[schemars(with = "Vec<BoundaryFile>")]
    pub(super) boundaries: Vec<Spanned<BoundaryFile>>,
    /// The built-in rules beneath yours.
    #[serde(default)]
    pub(super) profile: ProfileFile,
    /// What the variables of every environment must look like.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, VariableFile>")]
    pub(super) env_schema: BTreeMap<String, Spanned<VariableFile>>,
    /// Only these environment variables are observed; all, where this is not written.
    #[serde(default)]
    pub(super) variables: Option<Vec<String>>,
    /// Where timelines are kept: a file, relative to this file's folder, or a URL. By default .parallax/store.db.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) store: Option<Spanned<String>>,
    /// For how long recordings are kept: each one, then the last of each hour, then the last of each day, and
    /// after that one a week. What was found good stays.
    #[serde(default)]
    #[schemars(with = "Option<RetentionFile>")]
    pub(super) retention: Option<Spanned<RetentionFile>>,
}

/// For how many days from now recordings are kept. What is not written is 7, 30 and 365, or what fits the others.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetentionFile {
    /// Each one.
    #[serde(default, deserialize_with = "days")]
    pub(super) all_days: Option<u32>,
    /// The last one of each hour.
    #[serde(default, deserialize_with = "days")]
    pub(super) hourly_days: Option<u32>,
    /// The last one of each day.
    #[serde(default, deserialize_with = "days")]
    pub(super) daily_days: Option<u32>,
}

fn days<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let told = |_| D::Error::custom("here one may write whole days, 0 or more");
    Option::<u32>::deserialize(from).map_err(told)
}

/// An environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvironmentFile {
    /// Where to look, in order.
    #[schemars(with = "Vec<SourceFile>")]
    pub(super) sources: Vec<Spanned<SourceFile>>,
}

/// A source: `host` and `project` together, or one of the others.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceFile {
    /// A machine: `local`, `ssh://[user@]host[:port]`, or the long form.
    pub(super) host: Option<HostFile>,
    /// The project's folder on that machine.
    pub(super) project: Option<String>,
    /// A snapshot file.
    pub(super) snapshot: Option<PathFile>,
    /// A JSON document.
    pub(super) documents: Option<PathFile>,
    /// A container image: `name:tag`, `name@sha256:..`, `oci:FOLDER`, `docker-archive:FILE`, or the long form.
    pub(super) image: Option<ImageFile>,
}

/// A container image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "an image is written as its reference, or as {reference: .., platform: linux/arm64}"
)]
pub(super) enum ImageFile {
    /// Its reference.
    Short(String),
    /// With options.
    Long(ImageLong),
}

/// A container image with options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageLong {
    /// Its reference.
    pub(super) reference: String,
    /// For which platform, as `linux/arm64`; otherwise that of the other side.
    pub(super) platform: Option<String>,
}

/// A file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a file is written as its path, or as {path: FILE}")]
pub(super) enum PathFile {
    /// Its path.
    Short(String),
    /// The long form.
    Long(PathLong),
}

/// A file, in the long form.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PathLong {
    /// Its path, relative to this file's folder.
    pub(super) path: String,
}

impl PathFile {
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Short(path) => path,
            Self::Long(long) => &long.path,
        }
    }
}

/// A machine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a host is `local`, `ssh://[user@]host[:port]`, or {at: .., shell: plain | login}"
)]
pub(super) enum HostFile {
    /// `local` or `ssh://...`
    Short(String),
    /// With options.
    Long(HostLong),
}

/// A machine with options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HostLong {
    /// `local` or `ssh://...`
    pub(super) at: String,
    /// Which shell's environment is observed.
    #[serde(default)]
    pub(super) shell: ShellFile,
}

/// Which environment of a machine.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ShellFile {
    /// What a command gets that is started there.
    #[default]
    Plain,
    /// What a login shell gets.
    Login,
}

/// A boundary.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BoundaryFile {
    /// Which attributes: a glob over `key#attribute`, `*` within a segment, `**` across segments.
    #[schemars(with = "String")]
    pub(super) select: Spanned<String>,
    /// What must hold.
    #[schemars(with = "Option<MustFile>")]
    pub(super) must: Option<Spanned<MustFile>>,
    /// `differ`: what is selected may differ.
    pub(super) may: Option<MayFile>,
    /// Only between these two environments.
    #[schemars(with = "Option<[String; 2]>")]
    pub(super) between: Option<Spanned<Vec<String>>>,
    /// Why; shown with every divergence that this decides.
    pub(super) because: Option<String>,
    /// How much a violation weighs.
    pub(super) severity: Option<SeverityFile>,
}

/// What must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MustFile {
    /// Equal by meaning.
    Equal,
    /// Compatible by semantic versioning.
    Compatible,
    /// There on both sides.
    Present,
    /// One exact thing on both sides.
    Pinned,
    /// Numbers within so much of each other: `2%`.
    Within(String),
    /// One of these on both sides.
    OneOf(Vec<String>),
    /// A regular expression that both sides match from start to end.
    Matches(String),
}

/// What may be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MayFile {
    /// It may differ.
    Differ,
}

/// How much a violation weighs.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SeverityFile {
    /// For information.
    Info,
    /// Shown; fails only with `--strict`.
    Warning,
    /// Fails.
    Error,
}

/// The built-in rules beneath the project's own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ProfileFile {
    /// What commonly breaks software must match.
    #[default]
    Recommended,
    /// Everything must be equal.
    Strict,
    /// No built-in rule.
    None,
}

/// What a variable must look like.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VariableFile {
    /// The shape of its value.
    #[serde(rename = "type")]
    pub(super) kind: Option<VariableType>,
    /// Whether it must be there.
    #[serde(default)]
    pub(super) required: bool,
    /// The values that it may have.
    pub(super) one_of: Option<Vec<String>>,
    /// A regular expression that it matches from start to end.
    #[schemars(with = "Option<String>")]
    pub(super) matches: Option<Spanned<String>>,
}

/// The shape of a variable's value.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum VariableType {
    /// Text that is not empty.
    String,
    /// An absolute URL.
    Url,
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// `true` or `false`, `1` or `0`, `yes` or `no`, `on` or `off`.
    Boolean,
    /// A port, 1 to 65535.
    Port,
    /// An e-mail address.
    Email,
}

/// The JSON Schema of the file.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(File)
}
