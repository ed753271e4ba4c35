//! `Package.resolved` of Swift, versions 1 to 3. <https://docs.swift.org/package-manager/>
//!
//! Packages are named by where they come from, as the package URL's specification has it; the commit that a tag stood for is
//! what fixes the contents, and stands as `git:<commit>`. No edges: the file has none. Pins to the disk stand for nobody.

use super::origin::clean;
use super::tree::{Source, Tree};
use super::{Files, Locked, Malformed, Origin, Package};

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::json(files)?;
    let root = &source.root;
    let Some(pins) = root.get("pins").or_else(|| root.get("object")?.get("pins")) else {
        return Err(Malformed { line: 1, column: 1, what: "no field `pins`" });
    };
    let elsewhere = pins.items().iter().filter(|pin| pin.said("kind") != Some("localSourceControl"));
    let mut locked = Locked {
        version: root.get("version").and_then(Tree::text).unwrap_or_default().to_owned(),
        ..Locked::default()
    };
    for pin in elsewhere {
        match package(pin) {
            Some(package) => locked.packages.push(package),
            None => locked.unclear.push(source.unclear(pin, "a package without name or version")),
        }
    }
    Ok(locked)
}

fn package(pin: &Tree<'_>) -> Option<Package> {
    let state = pin.get("state")?;
    let commit = state.said("revision");
    let version = state.said("version").or(commit)?.to_owned();
    let url = pin.said("location").or_else(|| pin.said("repositoryURL"));
    let (name, origin) = match (pin.said("kind"), url) {
        (Some("registry"), _) => (pin.said("identity")?.to_owned(), None),
        (_, Some(url)) => (name(url), Some(Origin::git(url))),
        (_, None) => return None,
    };
    let integrity = commit.map(|commit| format!("git:{commit}")).into_iter().collect();
    Some(Package { name, version, integrity, origin, ..Package::default() })
}

/// `github.com/apple/swift-nio` of any way to write its URL.
fn name(url: &str) -> String {
    let url = clean(url);
    let name = url.split_once("://").map_or(url.as_str(), |(_, name)| name);
    let name = name.strip_prefix("git@").unwrap_or(name);
    let name = name.strip_suffix(".git").unwrap_or(name);
    match name.split_once(':') {
        Some((host, path)) if !host.contains('/') => format!("{host}/{}", path.trim_start_matches('/')),
        Some(_) | None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::{name, read};

    #[test]
    fn versions() {
        shown::check(
            shown::read(
                read,
                r#"{"originHash": "x", "pins": [
{"identity": "a", "kind": "remoteSourceControl", "location": "https://u:p@github.com/acme/a.git", "state": {"revision": "0123", "version": "1.2.0"}},
{"identity": "b", "kind": "remoteSourceControl", "location": "git@h.example:acme/b", "state": {"branch": "main", "revision": "4567"}},
{"identity": "acme.c", "kind": "registry", "location": "", "state": {"version": "3.0.0"}},
{"identity": "l", "kind": "localSourceControl", "location": "/l", "state": {"revision": "1"}},
{"identity": "odd"}], "version": 3}"#,
            ),
            &[
                "github.com/acme/a 1.2.0 [git:0123] git(https://github.com/acme/a.git)",
                "h.example/acme/b 4567 [git:4567] git(git@h.example:acme/b)",
                "acme.c 3.0.0",
                "! 6:3: a package without name or version",
            ],
        );
        shown::check(
            shown::read(
                read,
                r#"{"object": {"pins": [{"package": "A", "repositoryURL": "https://github.com/acme/A.git", "state": {"branch": null, "revision": "0123", "version": "1.0.0"}}]}, "version": 1}"#,
            ),
            &["github.com/acme/A 1.0.0 [git:0123] git(https://github.com/acme/A.git)"],
        );
        assert_eq!(name("ssh://git@h.example:22/a.git"), "h.example/22/a");
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "{\"version\": 2}"), &["!! 1:1: no field `pins`"]);
    }
}
