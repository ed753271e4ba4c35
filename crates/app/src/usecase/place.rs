//! Where timelines are kept, when nobody says so: in the project, or else with the user's own state.

use std::path::PathBuf;

use crate::config::Config;

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// As somebody named it: a file or a URL. A URL may hold a password; it is never shown.
    Named(String),
    /// The file of a project, in its `.parallax` folder, which keeps itself out of git.
    Project(PathBuf),
    /// The file of the user, for what is observed outside of any project.
    User(PathBuf),
    /// The account has no home, and there is no project.
    Nowhere,
}

/// The store's file.
const FILE: &str = "store.db";

impl StorePlace {
    /// The place where nobody names one: `store:` of the configuration, the project's own folder, the user's.
    pub fn of(config: &Config, state: Option<PathBuf>) -> Self {
        let own = config.folder.join(".parallax");
        if config.path.is_some() || own.is_dir() {
            return Self::Project(own.join(FILE));
        }
        state.map_or(Self::Nowhere, |folder| Self::User(folder.join(FILE)))
    }
}
