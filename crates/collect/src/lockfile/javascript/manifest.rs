//! `package.json`, as far as lockfiles need it: what a project asks for, and its workspaces.

use std::collections::HashSet;

use serde::Deserialize;

use super::graph::Ask;
use crate::lockfile::json::{Entries, Text, Texts};
use crate::lockfile::{Files, fits};

/// What a manifest asks for.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Manifest<'a> {
    #[serde(borrow)]
    dependencies: Option<Entries<'a, Text<'a>>>,
    #[serde(borrow)]
    dev_dependencies: Option<Entries<'a, Text<'a>>>,
    #[serde(borrow)]
    optional_dependencies: Option<Entries<'a, Text<'a>>>,
    #[serde(borrow)]
    peer_dependencies: Option<Entries<'a, Text<'a>>>,
    #[serde(borrow)]
    workspaces: Workspaces<'a>,
    /// Its name.
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    /// What it makes of other requests, by their places.
    #[serde(borrow)]
    pub(super) resolutions: Texts<'a>,
}

/// A list of patterns, or an object that has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Workspaces<'a> {
    Within {
        #[serde(borrow)]
        packages: Texts<'a>,
    },
    List(#[serde(borrow)] Texts<'a>),
}

impl Default for Workspaces<'_> {
    fn default() -> Self {
        Self::List(Texts::default())
    }
}

impl<'a> Manifest<'a> {
    /// The manifest at a path relative to the lockfile; `None` where there is none that can be read.
    pub(super) fn beside(files: &Files<'a>, path: &str) -> Option<Self> {
        serde_json::from_slice(files.beside(path)?.bytes()).ok()
    }

    /// The lockfile's own manifest and those of its workspaces that were read.
    pub(super) fn all(files: &Files<'a>) -> Vec<Self> {
        let Some(root) = Self::beside(files, "package.json") else { return Vec::new() };
        let (Workspaces::Within { packages: Texts(patterns) } | Workspaces::List(Texts(patterns))) =
            &root.workspaces;
        let wanted = |path: &str| {
            let folder = path.strip_suffix("/package.json");
            folder.is_some_and(|folder| patterns.iter().any(|pattern| selects(pattern, folder)))
        };
        let paths: Vec<&str> = if patterns.is_empty() {
            Vec::new()
        } else {
            files.under().filter(|path| wanted(path)).collect()
        };
        let inner: Vec<Self> = paths.iter().filter_map(|path| Self::beside(files, path)).collect();
        std::iter::once(root).chain(inner).collect()
    }

    /// The names that only development asks for.
    pub(super) fn development(&self) -> HashSet<&str> {
        let names = |wanted: bool| {
            let asked = self.asked().filter(move |(_, _, ask)| (*ask == Ask::Development) == wanted);
            asked.map(|(name, _, _)| name).collect::<HashSet<&str>>()
        };
        let used = names(false);
        names(true).into_iter().filter(|name| !used.contains(name)).collect()
    }

    /// Each name that it wants whoever uses it to have, with its range.
    pub(super) fn peers(&self) -> impl Iterator<Item = (&str, &str)> {
        let list = self.peer_dependencies.iter().flat_map(|list| &list.0);
        list.map(|(name, range)| (name.as_ref(), range.0.as_ref()))
    }

    /// Each name that is asked for, with its range and how.
    pub(super) fn asked(&self) -> impl Iterator<Item = (&str, &str, Ask)> {
        let lists = [
            (&self.dependencies, Ask::Needed),
            (&self.dev_dependencies, Ask::Development),
            (&self.optional_dependencies, Ask::Optional),
        ];
        let optional = self.optional_dependencies.iter().flat_map(|list| &list.0);
        let optional: HashSet<&str> = optional.map(|(name, _)| name.as_ref()).collect();
        lists
            .into_iter()
            .flat_map(|(list, ask)| {
                list.iter()
                    .flat_map(|list| &list.0)
                    .map(move |(name, range)| (name.as_ref(), range.0.as_ref(), ask))
            })
            // What stands in both lists is optional.
            .filter(move |(name, _, ask)| *ask != Ask::Needed || !optional.contains(name))
    }
}

/// Whether a workspace pattern (`packages/*`, `apps/**`, `docs`) selects a folder.
fn selects(pattern: &str, folder: &str) -> bool {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    let segments = |text| str::split(text, '/').filter(|part| !part.is_empty());
    let (mut patterns, mut folders) = (segments(pattern), segments(folder));
    loop {
        match (patterns.next(), folders.next()) {
            (Some("**"), found) => return found.is_some(),
            (Some(pattern), Some(folder)) if fits(pattern, folder) => {}
            (None, None) => return true,
            (Some(_), _) | (None, Some(_)) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn patterns_select_folders() {
        let check = |pattern: &str, folder: &str, expected: bool| {
            assert_eq!(selects(pattern, folder), expected, "{pattern} {folder}");
        };
        check("packages/*", "packages/web", true);
        check("./packages/*/", "packages/web", true);
        check("packages/*", "packages/web/inner", false);
        check("packages/**", "packages/web/inner", true);
        check("packages/**", "packages", false);
        check("docs", "docs", true);
        check("docs", "doc", false);
        check("", "a", false);
    }

    #[test]
    fn what_is_asked_for() {
        let files: BTreeMap<String, Vec<u8>> = [
            ("app/package.json", r#"{"dependencies": {"a": "^1", "o": "1"}, "optionalDependencies": {"o": "1"}, "workspaces": {"packages": ["w/*"]}}"#),
            ("app/w/x/package.json", r#"{"devDependencies": {"b": "*"}}"#),
            ("app/w/y/package.json", "hunter2"),
            ("other/w/z/package.json", r#"{"dependencies": {"c": "1"}}"#),
        ]
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .collect();
        let manifests = Manifest::all(&Files::new("app/yarn.lock", b"", &files));
        let found: Vec<_> = manifests.iter().flat_map(Manifest::asked).collect();
        assert_eq!(
            found,
            [("a", "^1", Ask::Needed), ("o", "1", Ask::Optional), ("b", "*", Ask::Development)]
        );
        assert!(Manifest::all(&Files::new("yarn.lock", b"", &files)).is_empty());
    }
}
