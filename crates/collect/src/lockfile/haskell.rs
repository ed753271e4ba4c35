//! `cabal.project.freeze` and `stack.yaml.lock`. <https://cabal.readthedocs.io/en/stable/cabal-project-description-file.html>,
//! <https://docs.haskellstack.org/en/stable/topics/lock_files/>
//!
//! Stack locks its snapshot, which fixes all packages that it has, and the extra ones by themselves; the snapshot stands as
//! `stackage-snapshot`, as what it fixes is not in the file. Cabal's flags are no versions.

use super::tree::{packages_of, said, yaml};
use super::{Files, Locked, Malformed, Origin, Package};
use crate::yaml::Node;

pub(super) fn cabal(files: &Files<'_>) -> Result<Locked, Malformed> {
    let mut locked = Locked::default();
    let mut within = false;
    for (at, line) in files.text()?.lines().enumerate() {
        let line = line.split_once("--").map_or(line, |(line, _)| line);
        let list = match line.strip_prefix("constraints:") {
            Some(list) => {
                within = true;
                list
            }
            // A field begins at the margin; what is indented goes on with the last.
            None if line.starts_with([' ', '\t']) => line,
            None => {
                within = line.trim().is_empty() && within;
                continue;
            }
        };
        if !within {
            continue;
        }
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match constraint(entry) {
                Constraint::Version(package) => locked.packages.push(package),
                Constraint::Flags => {}
                Constraint::Unclear => locked.unclear.push(Malformed {
                    line: at + 1,
                    column: 1,
                    what: "neither a version nor flags of a package",
                }),
            }
        }
    }
    Ok(locked)
}

enum Constraint {
    Version(Package),
    Flags,
    Unclear,
}

/// `any.aeson ==2.1.2.1` or `aeson -cffi +ordered-keymap`.
fn constraint(entry: &str) -> Constraint {
    let Some((name, rest)) = entry.split_once([' ', '\t']) else { return Constraint::Unclear };
    let name = name.strip_prefix("any.").unwrap_or(name);
    match (rest.trim().strip_prefix("=="), rest.trim_start().starts_with(['+', '-'])) {
        (Some(version), _) => Constraint::Version(Package {
            name: name.to_owned(),
            version: version.trim().to_owned(),
            ..Package::default()
        }),
        (None, true) => Constraint::Flags,
        (None, false) if rest.trim() == "installed" => Constraint::Flags,
        (None, false) => Constraint::Unclear,
    }
}

pub(super) fn stack(files: &Files<'_>) -> Result<Locked, Malformed> {
    let root = yaml(files)?;
    if root.get("packages").is_none() && root.get("snapshots").is_none() {
        return Err(Malformed { line: 1, column: 1, what: "neither `packages` nor `snapshots`" });
    }
    let mut locked = Locked::default();
    for (list, package) in [("snapshots", snapshot as fn(&Node) -> Option<Package>), ("packages", extra)] {
        let Some(list) = root.get(list) else { continue };
        let (packages, unclear) = packages_of(list, |_, node| package(node.get("completed")?));
        locked.packages.extend(packages);
        locked.unclear.extend(unclear);
    }
    Ok(locked)
}

/// `https://host/stackage-snapshots/lts/21/25.yaml` is `lts-21.25`.
fn snapshot(completed: &Node) -> Option<Package> {
    let (hash, url) = (said(completed, "sha256")?, said(completed, "url"));
    let of_url = |url: &str| {
        let (_, rest) = url.split_once("/lts/").map(|(_, rest)| ("", rest))?;
        Some(format!("lts-{}", rest.strip_suffix(".yaml")?.replace('/', ".")))
    };
    let nightly = |url: &str| {
        let (_, rest) = url.split_once("/nightly/")?;
        Some(format!("nightly-{}", rest.strip_suffix(".yaml")?.replace('/', "-")))
    };
    let version = url.and_then(|url| of_url(url).or_else(|| nightly(url)));
    let origin = match (&version, url) {
        (None, Some(url)) => Some(Origin::url(url)),
        (Some(_), _) | (None, None) => None,
    };
    Some(Package {
        name: "stackage-snapshot".to_owned(),
        version: version.unwrap_or_else(|| hash.to_owned()),
        integrity: vec![format!("sha256:{hash}")],
        origin,
        direct: Some(true),
        ..Package::default()
    })
}

fn extra(completed: &Node) -> Option<Package> {
    if let Some(text) = said(completed, "hackage") {
        // `name-1.2.3@sha256:hash,size`
        let (named, hash) = text.split_once('@').unwrap_or((text, ""));
        let (name, version) = named.rsplit_once('-')?;
        let hash = hash.split(',').next().filter(|hash| !hash.is_empty());
        return Some(Package {
            name: name.to_owned(),
            version: version.to_owned(),
            integrity: hash.map(str::to_owned).into_iter().collect(),
            direct: Some(true),
            ..Package::default()
        });
    }
    let commit = said(completed, "commit");
    let place = said(completed, "git").or_else(|| said(completed, "url"));
    let tree = completed.get("pantry-tree").and_then(|tree| said(tree, "sha256"));
    Some(Package {
        name: said(completed, "name")?.to_owned(),
        version: commit.or_else(|| said(completed, "version"))?.to_owned(),
        integrity: tree.map(|hash| format!("sha256:{hash}")).into_iter().collect(),
        origin: place.map(|url| if commit.is_some() { Origin::git(url) } else { Origin::url(url) }),
        direct: Some(true),
        ..Package::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    #[test]
    fn constraints() {
        shown::check(
            shown::read(
                cabal,
                "active-repositories: hackage.haskell.org:merge\nconstraints: any.aeson ==2.1.2.1,\n             aeson -cffi +ordered-keymap,\n             any.base ==4.18.2.1, -- why\n             odd\nindex-state: hackage.haskell.org 2024-01-01T00:00:00Z\n  any.x ==1\n",
            ),
            &["aeson 2.1.2.1", "base 4.18.2.1", "! 5:1: neither a version nor flags of a package"],
        );
        shown::hostile(cabal);
    }

    #[test]
    fn extra_packages_and_snapshots() {
        shown::check(
            shown::read(
                stack,
                "packages:\n- completed:\n    hackage: acme-missiles-0.3@sha256:2ba6,613\n    pantry-tree: {sha256: 614b, size: 226}\n  original:\n    hackage: acme-missiles-0.3\n- completed:\n    commit: 0123abc\n    git: https://t:k@h.example/x.git\n    name: x\n    version: '1.0'\n    pantry-tree: {sha256: 99, size: 1}\n- original: {}\nsnapshots:\n- completed:\n    sha256: a81f\n    size: 640086\n    url: https://h.example/stackage-snapshots/lts/21/25.yaml\n  original: lts-21.25\n- completed: {sha256: bb, url: 'https://h.example/own.yaml'}\n",
            ),
            &[
                "stackage-snapshot lts-21.25 [sha256:a81f] direct",
                "stackage-snapshot bb [sha256:bb] url(https://h.example/own.yaml) direct",
                "acme-missiles 0.3 [sha256:2ba6] direct",
                "x 0123abc [sha256:99] git(https://h.example/x.git) direct",
                "! 13:1: a package without name or version",
            ],
        );
        shown::hostile(stack);
        shown::check(shown::read(stack, "x: 1\n"), &["!! 1:1: neither `packages` nor `snapshots`"]);
    }
}
