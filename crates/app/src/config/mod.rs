//! The configuration, `parallax.yaml`: environments and their sources, boundaries, the environment schema.
//!
//! [`Config`] is what the rest of the app uses; what a person may write is in [`file`], and `read`
//! goes from one to the other with the line of every mistake.

mod file;
mod image;
mod read;

use std::path::PathBuf;

use parallax_collect::image::{Platform, Reference};
use parallax_engine::boundary::{Profile, Rule, VariableSchema};
use parallax_store::Policy;

pub use file::schema;
pub use read::{find, load, parse};

/// A configuration that was read, or the defaults where there is none.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file it came from.
    pub path: Option<PathBuf>,
    /// The folder that relative paths are relative to: the file's, or the current one.
    pub folder: PathBuf,
    /// The environments in the order of the file. `local` is always there.
    pub environments: Vec<Environment>,
    /// The project's own boundaries, in their order.
    pub boundaries: Vec<Rule>,
    /// The built-in rules beneath.
    pub profile: Profile,
    /// The environment schema, if one is written.
    pub env_schema: Vec<VariableSchema>,
    /// Which variables to observe; `None` is all.
    pub variables: Option<Vec<String>>,
    /// Where timelines are kept, as written: a file, relative to the folder, or a URL, which may hold a password.
    pub store: Option<String>,
    /// For how long recordings are kept.
    pub retention: Policy,
}

/// A named place where the software runs.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Where to look, in order.
    pub sources: Vec<Source>,
    /// The name of its timeline, where that is not its own: the address that it was made up from.
    pub recorded_as: Option<String>,
}

/// One way to observe part of an environment.
#[derive(Debug, Clone)]
pub enum Source {
    /// A machine, and a project folder on it.
    Host {
        /// Where.
        at: Host,
        /// The project's folder there.
        project: Option<String>,
    },
    /// A snapshot file.
    Snapshot(PathBuf),
    /// A JSON document.
    Documents(PathBuf),
    /// A container image.
    Image(Image),
}

/// A container image, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub at: ImageAt,
    /// For which platform; `None` is the other side's, or this machine's.
    pub platform: Option<Platform>,
    /// The project's folder in it; `None` is the one where its process starts.
    pub project: Option<String>,
}

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageAt {
    /// In the registry that the reference names.
    Registry(Reference),
    /// In an OCI layout, or a tar archive of one, under a tag.
    Layout(PathBuf, Option<String>),
    /// In a file of `docker save`, under a name.
    Archive(PathBuf, Option<Reference>),
}

/// A machine, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// `local` or `ssh://...`.
    pub place: String,
    /// Which shell's environment is observed.
    pub shell: Shell,
}

/// Which environment a machine is observed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shell {
    /// What a command gets that is started there: this process' environment, or what `ssh HOST COMMAND` gives.
    #[default]
    Plain,
    /// What a login shell gets after it has read its profile files; on this machine started from an
    /// empty environment, as `cron`, `su -` and a service manager start from.
    Login,
}

impl Config {
    /// The environment of that name. `local` is this machine and this folder unless configured otherwise.
    #[must_use]
    pub fn environment(&self, name: &str) -> Option<Environment> {
        let configured = self.environments.iter().find(|e| e.name == name).cloned();
        configured.or_else(|| (name == "local").then(|| self.local()))
    }

    fn local(&self) -> Environment {
        let at = Host { place: "local".to_owned(), shell: Shell::Plain };
        let project = Some(self.folder.display().to_string());
        Environment {
            name: "local".to_owned(),
            sources: vec![Source::Host { at, project }],
            recorded_as: None,
        }
    }

    /// The names of all environments, `local` first where it is not configured.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.environments.iter().map(|e| e.name.as_str()).collect();
        if !names.contains(&"local") {
            names.insert(0, "local");
        }
        names
    }
}
