//! `conan.lock`, versions 0.4 (a graph, of Conan 1) and 0.5 (lists, of Conan 2).
//! <https://docs.conan.io/2/tutorial/versioning/lockfiles.html>
//!
//! The recipe's revision is what fixes it, and stands as `revision:<hash>`. Tools of the build are not for development: what is
//! built depends on them.

use std::collections::{BTreeMap, BTreeSet};

use super::platform::united;
use super::tree::{Source, Tree};
use super::{Edge, Files, Locked, Malformed, Package};

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::json(files)?;
    let version = source.root.get("version").and_then(Tree::text).unwrap_or_default().to_owned();
    let mut locked = match source.root.get("graph_lock").and_then(|graph| graph.get("nodes")) {
        Some(nodes) => graph(&source, nodes),
        None => lists(&source),
    };
    locked.version = version;
    Ok(locked)
}

fn lists(source: &Source<'_>) -> Locked {
    let lists = ["requires", "build_requires", "python_requires", "config_requires"];
    let entries = lists.into_iter().filter_map(|list| source.root.get(list)).flat_map(Tree::items);
    let mut locked = Locked::default();
    for entry in entries {
        match entry.text().and_then(package) {
            Some(package) => locked.packages.push(package),
            None => locked.unclear.push(source.unclear(entry, "a package without name or version")),
        }
    }
    locked.packages = united(locked.packages);
    locked
}

fn graph(source: &Source<'_>, nodes: &Tree<'_>) -> Locked {
    let mut locked = Locked::default();
    // The project itself has a path, and often no reference.
    let (own, others): (Vec<_>, Vec<_>) = nodes
        .fields()
        .iter()
        .partition(|(_, node)| node.said("path").is_some() || node.said("ref").is_none());
    let of_node: BTreeMap<&str, Option<Package>> =
        others.iter().map(|(id, node)| (&**id, node.said("ref").and_then(package))).collect();
    let needs = |node: &Tree<'_>| -> BTreeSet<String> {
        let lists = ["requires", "build_requires"].into_iter().filter_map(|list| node.get(list));
        lists.flat_map(Tree::texts).map(str::to_owned).collect()
    };
    let direct: BTreeSet<String> = own.iter().flat_map(|(_, node)| needs(node)).collect();
    for (id, node) in others {
        let Some(mut package) = of_node.get(&**id).cloned().flatten() else {
            locked.unclear.push(source.unclear_field(id, "a package without name or version"));
            continue;
        };
        package.direct = (!own.is_empty()).then(|| direct.contains(&**id));
        let targets = needs(node);
        let targets = targets.iter().filter_map(|id| of_node.get(id.as_str())?.as_ref());
        package.needs =
            targets.map(|to| Edge { name: to.name.clone(), version: Some(to.version.clone()) }).collect();
        package.needs.sort();
        locked.packages.push(package);
    }
    locked.packages = united(locked.packages);
    locked
}

/// `name/version@user/channel#revision:package%time`.
fn package(reference: &str) -> Option<Package> {
    let reference = reference.split('%').next()?;
    let (reference, revision) = reference.split_once('#').unwrap_or((reference, ""));
    let revision =
        revision.split([':', '#']).next().filter(|revision| !revision.is_empty() && *revision != "0");
    let (reference, user) = reference.split_once('@').unwrap_or((reference, ""));
    let (name, version) = reference.split_once('/')?;
    let user = user.split('/').next().filter(|user| !user.is_empty() && *user != "_");
    let own = !name.is_empty() && !version.is_empty() && !name.contains(char::is_whitespace);
    own.then(|| Package {
        name: user.map_or_else(|| name.to_owned(), |user| format!("{user}/{name}")),
        version: version.to_owned(),
        integrity: revision.map(|hash| format!("revision:{hash}")).into_iter().collect(),
        ..Package::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::read;

    #[test]
    fn versions() {
        shown::check(
            shown::read(
                read,
                "{\"version\": \"0.5\", \"requires\": [\"zlib/1.2.13#97d5%1675278126.0\", \"fmt/10.0@acme/stable\",\n \"odd\"], \"build_requires\": [\"cmake/3.25#0f\", \"zlib/1.2.13#97d5\"], \"python_requires\": []}",
            ),
            &[
                "zlib 1.2.13 [revision:97d5]",
                "acme/fmt 10.0",
                "cmake 3.25 [revision:0f]",
                "! 2:3: a package without name or version",
            ],
        );
        shown::check(
            shown::read(
                read,
                r#"{"graph_lock": {"nodes": {
"0": {"path": "conanfile.txt", "requires": ["1"], "build_requires": ["3"]},
"1": {"ref": "poco/1.12#aa", "requires": ["2", "9"], "package_id": "x"},
"2": {"ref": "zlib/1.2.11#0"}, "3": {"ref": "cmake/3.25#0f:77#1"}, "4": {"ref": "odd"}}}, "version": "0.4"}"#,
            ),
            &[
                "poco 1.12 [revision:aa] direct -> zlib@1.2.11",
                "zlib 1.2.11 indirect",
                "cmake 3.25 [revision:0f] direct",
                "! 4:69: a package without name or version",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "{\"version\": \"0.5\"}"), &[]);
    }
}
