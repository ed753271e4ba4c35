//! Where timelines are kept: as somebody names it, in the project, or else with the user's own state.

use std::path::{Path, PathBuf};

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
    /// The place where no flag or variable names one: `store:` of the configuration, the project's own folder, the
    /// user's.
    pub fn of(config: &Config, state: Option<PathBuf>) -> Self {
        if let Some(place) = &config.store {
            return Self::Named(beside(place, &config.folder));
        }
        let own = config.folder.join(".parallax");
        if config.path.is_some() || own.is_dir() {
            return Self::Project(own.join(FILE));
        }
        state.map_or(Self::Nowhere, |folder| Self::User(folder.join(FILE)))
    }

    /// The store's file, unless it is a server's or nowhere.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Named(place) => parallax_store::is_file(place),
            Self::Project(path) | Self::User(path) => Some(path),
            Self::Nowhere => None,
        }
    }
}

/// A file as the configuration names it is relative to that file's folder; a URL is as it is, and so is what names no store.
fn beside(place: &str, folder: &Path) -> String {
    match parallax_store::is_file(place) {
        Some(path) => folder.join(path).display().to_string(),
        None => place.to_owned(),
    }
}

impl StorePlace {
    /// Whether others may record there from other machines: it is no file.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Named(place) if parallax_store::is_url(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(store: Option<&str>, path: Option<&str>, state: Option<&str>, expected: &StorePlace) {
        let config = Config {
            path: path.map(PathBuf::from),
            folder: "/srv/shop".into(),
            store: store.map(str::to_owned),
            ..Config::default()
        };
        assert_eq!(&StorePlace::of(&config, state.map(PathBuf::from)), expected);
    }

    #[test]
    fn the_nearest_place_that_is_named_wins() {
        let named = |place: &str| StorePlace::Named(place.to_owned());
        let state = Some("/home/ann/.local/state/parallax");
        let yaml = Some("/srv/shop/parallax.yaml");
        check(None, yaml, state, &StorePlace::Project("/srv/shop/.parallax/store.db".into()));
        check(None, None, state, &StorePlace::User("/home/ann/.local/state/parallax/store.db".into()));
        check(None, None, None, &StorePlace::Nowhere);
        check(Some("a/b.db"), yaml, state, &named("/srv/shop/a/b.db"));
        check(Some("/a/b.db"), yaml, state, &named("/a/b.db"));
        check(Some("sqlite:b.db"), yaml, state, &named("/srv/shop/b.db"));
        check(Some("postgresql://db/parallax"), yaml, state, &named("postgresql://db/parallax"));
    }

    #[test]
    fn a_file_is_known_by_its_name() {
        let file = |place: &str| StorePlace::Named(place.to_owned()).file().map(Path::to_path_buf);
        assert_eq!(file("a.db"), Some("a.db".into()));
        assert_eq!(file("sqlite:a.db"), Some("a.db".into()));
        assert_eq!(file("postgresql://db/x"), None);
        assert_eq!(StorePlace::Nowhere.file(), None);
    }
}
