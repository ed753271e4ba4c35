//! `composer.lock`, with the `composer.json` beside it. <https://getcomposer.org/doc/01-basic-usage.md>
//!
//! What the platform brings (`php`, `ext-json`) is no package. Packagist gives no hash of contents; the commit that an archive was made
//! of is what fixes them, and stands as `git:<commit>`.

use std::collections::{HashMap, HashSet};

use super::graph::{connect, edge};
use super::tree::{Source, Tree};
use super::{Edge, Files, Locked, Malformed, Origin, Package};

/// Where packages of the default registry are counted.
const DEFAULT: &str = "https://packagist.org/downloads";

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::json(files)?;
    let Some(list) = source.root.get("packages") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `packages`" });
    };
    let of_dev = source.root.get("packages-dev").map(Tree::items).unwrap_or_default();
    let asked = asked(files);
    let direct = |name: &str| asked.as_ref().map(|asked| asked.contains(name));
    let (mut packages, mut unclear) =
        source.packages(list.items(), |entry| package(entry, direct, Needed::ToRun));
    let (others, more) = source.packages(of_dev, |entry| package(entry, direct, Needed::ToDevelop));
    packages.extend(others);
    unclear.extend(more);
    let provided = provided(list.items().iter().chain(of_dev));
    for need in packages.iter_mut().flat_map(|package| &mut package.needs) {
        if let Some(provider) = provided.get(&need.name) {
            need.name.clone_from(provider);
        }
    }
    connect(&mut packages);
    Ok(Locked { version: String::new(), packages, unclear })
}

/// The list that a package stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    ToRun,
    ToDevelop,
}

/// The names that the project asks for; `None` without its manifest.
fn asked(files: &Files<'_>) -> Option<HashSet<String>> {
    let manifest = Source::json(&files.beside("composer.json")?).ok()?;
    let lists = ["require", "require-dev"].map(|name| manifest.root.get(name));
    let names = lists.into_iter().flatten().flat_map(Tree::fields);
    Some(names.map(|(name, _)| name.to_ascii_lowercase()).collect())
}

/// Names of which there is no package of its own: another provides or replaces it. The package itself wins, then the first.
fn provided<'t>(entries: impl Iterator<Item = &'t Tree<'t>>) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut own = HashSet::new();
    for entry in entries {
        let Some(name) = entry.said("name") else { continue };
        let provider = name.to_ascii_lowercase();
        for list in ["replace", "provide"] {
            for (other, _) in entry.get(list).map(Tree::fields).unwrap_or_default() {
                found.entry(other.to_ascii_lowercase()).or_insert_with(|| provider.clone());
            }
        }
        own.insert(provider);
    }
    found.retain(|name, _| !own.contains(name));
    found
}

fn package(entry: &Tree<'_>, direct: impl Fn(&str) -> Option<bool>, needed: Needed) -> Option<Package> {
    let name = entry.said("name")?.to_ascii_lowercase();
    let version = entry.said("version")?;
    let commit = ["source", "dist"].into_iter().find_map(|place| entry.get(place)?.said("reference"));
    let branch = version.starts_with("dev-") || version.ends_with("-dev");
    let hash = entry.get("dist").and_then(|dist| dist.said("shasum"));
    let mut integrity: Vec<String> = hash.map(|hash| format!("sha1:{hash}")).into_iter().collect();
    integrity.extend(commit.filter(|text| is_commit(text)).map(|commit| format!("git:{commit}")));
    integrity.sort();
    let needs = entry.get("require").map(Tree::fields).unwrap_or_default();
    let needs: Vec<Edge> = needs
        .iter()
        .filter(|(name, _)| name.contains('/'))
        .map(|(name, _)| edge(&name.to_ascii_lowercase()))
        .collect();
    Some(Package {
        direct: direct(&name),
        name,
        version: commit.filter(|_| branch).unwrap_or(version).to_owned(),
        integrity,
        origin: origin(entry),
        dev: Some(needed == Needed::ToDevelop),
        needs,
        ..Package::default()
    })
}

fn is_commit(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A registry says where its downloads are counted; without that a package comes from where it says.
fn origin(entry: &Tree<'_>) -> Option<Origin> {
    let place = |list: &str| Some((entry.get(list)?.said("type")?, entry.get(list)?.said("url")?));
    match (entry.said("notification-url"), place("dist"), place("source")) {
        (Some(url), ..) if url.trim_end_matches('/') == DEFAULT => None,
        (Some(url), ..) => Some(Origin::registry(url)),
        (None, Some(("path", path)), _) => Some(Origin::path(path)),
        (None, _, Some(("git" | "github" | "gitlab", url))) => Some(Origin::git(url)),
        (None, Some((_, url)), _) | (None, None, Some((_, url))) => Some(Origin::url(url)),
        (None, None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    const LOCK: &str = r#"{"content-hash": "x", "packages": [
 {"name": "Acme/Log", "version": "3.5.0", "source": {"type": "git", "url": "https://h.example/log.git", "reference": "0123456789012345678901234567890123456789"},
  "dist": {"type": "zip", "url": "https://h.example/log.zip", "shasum": "5ha"}, "require": {"php": ">=8.1", "ext-json": "*", "psr/log": "^2"},
  "provide": {"psr/log-implementation": "3.0.0"}, "notification-url": "https://packagist.org/downloads/"},
 {"name": "psr/log", "version": "2.0.0", "notification-url": "https://packages.example.org/n/"},
 {"name": "acme/vcs", "version": "dev-main", "source": {"type": "git", "url": "https://t:k@h.example/v.git", "reference": "89abcdef"}, "require": {"psr/log-implementation": "*"}},
 {"version": "1"}
], "packages-dev": [{"name": "acme/local", "version": "1.0.0", "dist": {"type": "path", "url": "../local", "reference": "0"}}]}"#;

    #[test]
    fn packages() {
        let manifest = r#"{"require": {"php": "*", "acme/LOG": "^3"}, "require-dev": {"acme/local": "*"}}"#;
        shown::check(
            shown::read_with(read, LOCK, &[("composer.json", manifest)]),
            &[
                "acme/log 3.5.0 [git:0123456789012345678901234567890123456789 sha1:5ha] direct run -> psr/log@2.0.0",
                "psr/log 2.0.0 registry(https://packages.example.org/n) indirect run",
                "acme/vcs 89abcdef git(https://h.example/v.git) indirect run -> acme/log@3.5.0",
                "acme/local 1.0.0 path(../local) direct dev",
                "! 7:4: a package without name or version",
            ],
        );
        let alone = shown::read(read, LOCK).unwrap();
        assert!(alone.packages.iter().all(|package| package.direct.is_none()));
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "{}"), &["!! 1:1: no field `packages`"]);
        shown::check(shown::read(read, r#"{"packages": {"a": 1}, "packages-dev": 3}"#), &[]);
        shown::check(
            shown::read(read, "{\"packages\": [\n{\"name\": \"a/b\", "),
            &["!! 2:16: ends too early"],
        );
    }

    #[test]
    fn a_real_file() {
        let Some(files) = shown::corpus("BookStackApp+BookStack") else { return };
        let locked = read(&Files::new("composer.lock", &files["composer.lock"], &files)).unwrap();
        assert_eq!((locked.packages.len(), locked.unclear.len()), (147, 0));
        assert_eq!(locked.packages.iter().filter(|package| package.dev == Some(true)).count(), 37);
        assert!(locked.packages.iter().any(|package| package.direct == Some(true)));
        assert!(locked.packages.iter().all(|package| package.origin.is_none()));
    }
}
