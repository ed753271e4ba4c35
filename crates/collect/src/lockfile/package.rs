//! What a lockfile fixes: packages, and the edges between them.

/// What a lockfile fixes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locked {
    /// The format's own version, as the file tells it (`3`, `9.0`); empty where it tells none.
    pub version: String,
    /// The packages, in the order of the file. One package in several versions stands here several times; the
    /// project itself, its workspaces and local folders do not.
    pub packages: Vec<Package>,
    /// Entries that say nothing that can be understood, with where and why; the others are read nevertheless.
    pub unclear: Vec<super::Malformed>,
}

/// One version of one package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// The name as its registry knows it, normalised by the registry's own rule; never an alias.
    pub name: String,
    /// The resolved version; a commit for one from git, a path or URL for one from there.
    pub version: String,
    /// Content hashes in the ecosystem's own spelling (`sha512-..`, `sha256:..`), sorted.
    pub integrity: Vec<String>,
    /// Where it comes from; `None` is the ecosystem's own registry.
    pub origin: Option<Origin>,
    /// Whether the project asks for it itself; `None` where the format does not tell.
    pub direct: Option<bool>,
    /// Whether only development needs it; `None` where the format does not tell.
    pub dev: Option<bool>,
    /// Whether the installation goes on without it.
    pub optional: bool,
    /// Under which condition it is installed, in the syntax of [`parallax_model::platform::Condition`];
    /// `None` is always.
    pub when: Option<String>,
    /// What it needs.
    pub needs: Vec<Edge>,
}

/// What a package needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The name of the package that is needed, as [`Package::name`].
    pub name: String,
    /// The version that it resolves to, where the format tells.
    pub version: Option<String>,
}

/// Where a package comes from, when not from the ecosystem's own registry. Without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Another registry or proxy, by its URL.
    Registry(String),
    /// A git repository; the version is the commit.
    Git(String),
    /// A file by URL.
    Url(String),
    /// A file or folder on the disk.
    Path(String),
}

impl Package {
    /// Its package URL without qualifiers, as the purl specification spells it for that ecosystem.
    /// <https://github.com/package-url/purl-spec>
    #[must_use]
    pub fn purl(&self, ecosystem: &str) -> String {
        super::purl::of(ecosystem, &self.name, &self.version)
    }
}
