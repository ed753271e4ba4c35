//! npm's `package-lock.json` and `npm-shrinkwrap.json`, lockfile versions 1, 2 and 3: the resolved tree, and who needs
//! whom by node's own search through its folders. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::graph::{Ask, Graph, Need, Node};
use super::manifest::Manifest;
use super::{Budget, clauses, clean, hashes, resolved};
use crate::lockfile::json::{Entries, Text, Texts, malformed, within};
use crate::lockfile::{Files, Locked, Malformed, Origin, Package};

const SHAPE: &str = "not a lockfile of npm";

#[derive(Deserialize)]
struct Lockfile<'a> {
    #[serde(default, rename = "lockfileVersion")]
    version: Option<u64>,
    #[serde(borrow, default)]
    packages: Option<Entries<'a, Entry<'a>>>,
    /// Kept as text: version 2 repeats the tree here for old readers.
    #[serde(borrow, default)]
    dependencies: Option<&'a RawValue>,
}

/// An entry of versions 2 and 3, keyed by its place on the disk.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    resolved: Text<'a>,
    #[serde(borrow)]
    integrity: Text<'a>,
    link: Option<bool>,
    dev: Option<bool>,
    optional: Option<bool>,
    #[serde(borrow)]
    os: Texts<'a>,
    #[serde(borrow)]
    cpu: Texts<'a>,
    #[serde(borrow)]
    libc: Texts<'a>,
    #[serde(borrow)]
    dependencies: Texts<'a>,
    #[serde(borrow)]
    dev_dependencies: Texts<'a>,
    #[serde(borrow)]
    optional_dependencies: Texts<'a>,
    #[serde(borrow)]
    peer_dependencies: Texts<'a>,
}

/// An entry of version 1, keyed by its name.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Dependency<'a> {
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    resolved: Text<'a>,
    #[serde(borrow)]
    integrity: Text<'a>,
    dev: Option<bool>,
    optional: Option<bool>,
    #[serde(borrow)]
    requires: Texts<'a>,
    #[serde(borrow)]
    dependencies: Option<Entries<'a, Self>>,
}

/// Reads a lockfile.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let bytes = files.bytes();
    let lockfile: Lockfile<'_> = serde_json::from_slice(bytes).map_err(|error| malformed(&error, SHAPE))?;
    let version = lockfile.version.unwrap_or(1);
    let mut locked = Locked { version: version.max(1).to_string(), ..Locked::default() };
    match (version, lockfile.packages, lockfile.dependencies) {
        (2 | 3, Some(packages), _) => of_places(&packages, &mut locked),
        (0..=2, None, Some(raw)) => {
            let found: Entries<'_, Dependency<'_>> = serde_json::from_str(raw.get())
                .map_err(|error| within(bytes, raw, &malformed(&error, SHAPE)))?;
            of_tree(&found, files, &mut locked);
        }
        (0..=3, None, None) => {}
        _ => return Err(Malformed { line: 1, column: 1, what: "a lockfile version that is not known" }),
    }
    Ok(locked)
}

/// Versions 2 and 3.
fn of_places(entries: &Entries<'_, Entry<'_>>, locked: &mut Locked) {
    let mut tree = Tree::new();
    let mut graph = Graph::default();
    let mut own = Vec::new();
    for (place, entry) in &entries.0 {
        // The root and what stands outside `node_modules` (workspaces, local folders) are the project's own
        // source, which a lockfile does not fix; a link points to such an entry.
        let folder = place.rsplit_once("node_modules/").map(|(_, folder)| folder);
        match folder.filter(|folder| !folder.is_empty()) {
            Some(_) if entry.link == Some(true) => tree.add(place.as_ref(), Found::Own),
            Some(folder) => {
                tree.add(place.as_ref(), Found::Package(graph.nodes.len()));
                graph.nodes.push(entry.node(folder));
                own.push((place.as_ref(), entry, Some(graph.nodes.len() - 1)));
            }
            None => own.push((place.as_ref(), entry, None)),
        }
    }
    for (place, entry, at) in own {
        let lists = [
            (&entry.dependencies, Ask::Needed),
            (&entry.peer_dependencies, Ask::Needed),
            (&entry.dev_dependencies, Ask::Development),
            (&entry.optional_dependencies, Ask::Optional),
        ];
        for (names, ask) in lists {
            let found = names.0.iter().filter_map(|name| tree.search(place, name));
            match at.and_then(|at| graph.nodes.get_mut(at)) {
                // What a package needs in its own development is not installed.
                Some(_) if ask == Ask::Development => {}
                Some(node) => {
                    node.needs.extend(found.map(|to| Need { to, optional: ask == Ask::Optional }));
                }
                None => graph.asked.extend(found.map(|to| (to, ask))),
            }
        }
    }
    graph.tell_direct();
    graph.tell_when();
    locked.unclear.extend(tree.budget.told());
    locked.packages = graph.into_packages();
}

impl Entry<'_> {
    fn node(&self, folder: &str) -> Node {
        let name = self.name.said().unwrap_or(folder);
        let from = resolved(self.resolved.said().unwrap_or_default(), name);
        let version = from.version.unwrap_or_else(|| clean(self.version.said().unwrap_or_default()));
        Node {
            own: clauses([("os", self.os.list()), ("cpu", self.cpu.list()), ("libc", self.libc.list())]),
            package: Package {
                name: clean(name),
                version,
                integrity: hashes(&self.integrity.0),
                origin: from.origin,
                dev: Some(self.dev == Some(true)),
                optional: self.optional == Some(true),
                ..Package::default()
            },
            needs: Vec::new(),
        }
    }
}

/// Version 1: a tree of names.
fn of_tree(dependencies: &Entries<'_, Dependency<'_>>, files: &Files<'_>, locked: &mut Locked) {
    let mut tree = Tree::new();
    let mut graph = Graph::default();
    let mut requires = Vec::new();
    flatten("", dependencies, &mut |place, name, dependency| {
        let own = dependency.is_own();
        let at = Some(graph.nodes.len()).filter(|_| !own);
        tree.add(place.to_owned(), at.map_or(Found::Own, Found::Package));
        requires.push((place.to_owned(), at, dependency));
        if !own {
            graph.nodes.push(dependency.node(name));
        }
    });
    for (place, at, dependency) in requires {
        let found = dependency.requires.0.iter().filter_map(|name| tree.search(&place, name));
        match at.and_then(|at| graph.nodes.get_mut(at)) {
            Some(node) => node.needs.extend(found.map(|to| Need { to, optional: false })),
            None => graph.asked.extend(found.map(|to| (to, Ask::Needed))),
        }
    }
    if let Some(manifest) = Manifest::beside(files, "package.json") {
        let asked = manifest.asked().filter_map(|(name, _, ask)| Some((tree.search("", name)?, ask)));
        graph.asked.extend(asked);
        graph.tell_direct();
    }
    locked.unclear.extend(tree.budget.told());
    locked.packages = graph.into_packages();
}

fn flatten<'d, 'a>(
    place: &str,
    dependencies: &'d Entries<'a, Dependency<'a>>,
    each: &mut impl FnMut(&str, &str, &'d Dependency<'a>),
) {
    for (name, dependency) in &dependencies.0 {
        if name.is_empty() {
            continue;
        }
        let place = if place.is_empty() {
            format!("node_modules/{name}")
        } else {
            format!("{place}/node_modules/{name}")
        };
        each(&place, name, dependency);
        if let Some(inner) = &dependency.dependencies {
            flatten(&place, inner, each);
        }
    }
}

impl Dependency<'_> {
    /// A workspace or a local folder; a local archive is none.
    fn is_own(&self) -> bool {
        let archive = [".tgz", ".tar.gz", ".tar"].iter().any(|end| self.version.0.ends_with(end));
        self.version.0.starts_with("file:") && !archive
    }

    fn node(&self, name: &str) -> Node {
        let declared = self.version.said().unwrap_or_default();
        let alias = declared.strip_prefix("npm:").and_then(|real| real.rsplit_once('@'));
        let (name, version) = alias.filter(|(real, _)| !real.is_empty()).unwrap_or((name, declared));
        // Version 1 writes a URL, a path or a git repository in the place of the version.
        let elsewhere = resolved(version, name);
        let from = match (&elsewhere.origin, self.resolved.said()) {
            (None, Some(url)) => resolved(url, name),
            (Some(Origin::Registry(_) | Origin::Git(_) | Origin::Url(_) | Origin::Path(_)), _)
            | (None, None) => elsewhere,
        };
        let package = Package {
            name: clean(name),
            version: from.version.unwrap_or_else(|| clean(version)),
            integrity: hashes(&self.integrity.0),
            origin: from.origin,
            dev: Some(self.dev == Some(true)),
            optional: self.optional == Some(true),
            ..Package::default()
        };
        Node { package, ..Node::default() }
    }
}

/// What a folder within `node_modules` is.
#[derive(Debug, Clone, Copy)]
enum Found {
    Package(usize),
    /// A link to the project's own source.
    Own,
}

/// Folders by path, searched as node does.
struct Tree<'p> {
    folders: HashMap<Cow<'p, str>, Found>,
    budget: Budget,
}

impl<'p> Tree<'p> {
    fn new() -> Self {
        Self { folders: HashMap::new(), budget: Budget::new() }
    }

    fn add(&mut self, place: impl Into<Cow<'p, str>>, found: Found) {
        self.folders.insert(place.into(), found);
    }

    /// The package that a name means in a folder: in its own `node_modules`, or in that of the nearest folder around.
    fn search(&self, from: &str, name: &str) -> Option<usize> {
        let mut folder = from;
        let mut place = String::with_capacity(from.len() + name.len() + 14);
        loop {
            place.clear();
            if !folder.is_empty() {
                place.push_str(folder);
                place.push('/');
            }
            place.push_str("node_modules/");
            place.push_str(name);
            self.budget.spend(place.len())?;
            match self.folders.get(place.as_str()) {
                Some(Found::Package(at)) => return Some(*at),
                Some(Found::Own) => return None,
                None if folder.is_empty() => return None,
                None => folder = around(folder),
            }
        }
    }
}

/// The folder around one that may have a `node_modules`.
fn around(folder: &str) -> &str {
    match folder.rfind("node_modules/") {
        Some(0) => "",
        Some(at) => folder.get(..at - 1).unwrap_or_default(),
        None => folder.rsplit_once('/').map_or("", |(outer, _)| outer),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read_alone(bytes: &[u8]) -> Result<Locked, Malformed> {
        read(&Files::new("package-lock.json", bytes, &BTreeMap::new()))
    }

    fn check(json: &str, expected: &[&str]) {
        super::super::tests::check(read, json, expected);
    }

    #[test]
    fn versions_2_and_3() {
        check(
            r#"{"lockfileVersion": 3, "packages": {
                "": {"name": "shop", "version": "1.0.0"},
                "node_modules/a": {"version": "10.0.0", "integrity": "sha512-b== sha1-a="},
                "node_modules/b/node_modules/a": {"version": "9.1.0", "inBundle": true},
                "node_modules/alias": {"name": "@s/real", "version": "2.0.0"},
                "node_modules/@s/x": {"version": "1.0.0", "resolved": false},
                "node_modules/ws": {"resolved": "packages/ws", "link": true},
                "packages/ws": {"version": "0.1.0"},
                "node_modules/g": {"version": "1.2.3", "resolved": "git+https://u:hunter2@h/r.git#abc123"},
                "node_modules/f": {"version": "1.0.0", "resolved": "file:../f.tgz"},
                "node_modules/t": {"version": "https://h/t.tgz?token=hunter2", "integrity": "hunter2 sha1-x?token=hunter2"}},
              "dependencies": {"ignored": {"version": "1.0.0"}}}"#,
            &[
                "@s/real 2.0.0",
                "@s/x 1.0.0",
                "a 10.0.0 sha1-a= sha512-b==",
                "a 9.1.0",
                "f file:../f.tgz from path+file:../f.tgz",
                "g abc123 from git git+https://REDACTED@h/r.git",
                "t https://h/t.tgz sha1-x",
            ],
        );
    }

    #[test]
    fn edges_are_found_as_node_finds_them() {
        check(
            r#"{"lockfileVersion": 3, "packages": {
                "": {"dependencies": {"a": "*"}, "devDependencies": {"d": "*"}, "optionalDependencies": {"o": "*"}},
                "packages/ws": {"dependencies": {"b": "*"}},
                "packages/ws/node_modules/b": {"version": "3.0.0", "dependencies": {"a": "*"}},
                "node_modules/ws": {"resolved": "packages/ws", "link": true},
                "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "*", "ws": "*", "none": "*"}, "devDependencies": {"d": "*"}},
                "node_modules/a/node_modules/@s/c": {"version": "1.0.0", "peerDependencies": {"b": "*"}},
                "node_modules/a/node_modules/b": {"version": "2.0.0", "dependencies": {"@s/c": "*"}},
                "node_modules/b": {"version": "1.0.0"},
                "node_modules/d": {"version": "1.0.0", "dev": true, "dependencies": {"b": "*"}},
                "node_modules/o": {"version": "1.0.0", "optional": true, "os": ["darwin", "!x y"], "cpu": "x64", "dependencies": {"p": "*"}},
                "node_modules/p": {"version": "1.0.0", "optional": true}}}"#,
            &[
                "@s/c 1.0.0 > b@2.0.0",
                "a 1.0.0 direct > b@2.0.0",
                "b 1.0.0",
                "b 2.0.0 > @s/c@1.0.0",
                "b 3.0.0 direct > a@1.0.0",
                "d 1.0.0 direct dev > b@1.0.0",
                "o 1.0.0 direct optional if cpu=x64 os=darwin > p@1.0.0",
                "p 1.0.0 optional if cpu=x64 os=darwin",
            ],
        );
    }

    #[test]
    fn version_1() {
        check(
            r#"{"name": "x", "lockfileVersion": 1, "dependencies": {
                "a": {"version": "1.0.0", "integrity": "sha1-a=", "bundled": true, "requires": {"b": "^1"},
                      "dependencies": {"b": {"version": "1.0.0-rc.1"}, "c": {"version": "npm:@s/real@3.0.0"}}},
                "b": {"version": "1.0.0"},
                "g": {"version": "github:u/r#abc", "from": "github:u/r"},
                "f": {"version": "file:f.tgz"}, "l": {"version": "file:lib", "requires": {"b": "1"}}}}"#,
            &[
                "@s/real 3.0.0",
                "a 1.0.0 sha1-a= > b@1.0.0-rc.1",
                "b 1.0.0",
                "b 1.0.0-rc.1",
                "f file:f.tgz from path+file:f.tgz",
                "g abc from git github:u/r",
            ],
        );
        check(r#"{"dependencies": {"a": {"version": "1.0.0"}}}"#, &["a 1.0.0"]);
        check(r#"{"lockfileVersion": 3}"#, &[]);
    }

    #[test]
    fn what_is_no_lockfile_is_named_by_its_place() {
        let check = |bytes: &[u8], expected: (usize, usize, &str)| {
            let error = read_alone(bytes).unwrap_err();
            assert_eq!((error.line, error.column, error.what), expected, "{}", bytes.escape_ascii());
        };
        check(b"", (1, 1, "ends too early"));
        check(b"{\n\"packages\": {", (2, 13, "ends too early"));
        check(b"{\n  <<<<<<< HEAD", (2, 3, "not JSON"));
        check(b"[\"hunter2\"]", (1, 10, "not a lockfile of npm"));
        check(b"{\"packages\": {\"\xff\": {}}}", (1, 16, "not JSON"));
        check(b"{\"lockfileVersion\": 4, \"packages\": {}}", (1, 1, "a lockfile version that is not known"));
        check(b"{\n \"dependencies\":\n {\"a\": 3}}", (3, 8, "not a lockfile of npm"));
    }

    #[test]
    fn hostile() {
        let deep = |open: &str, inner: &str| format!("{open}{}", inner.repeat(100_000));
        for text in [
            deep("", "["),
            deep("{\"packages\": ", "["),
            deep("{\"dependencies\": ", "{\"dependencies\": "),
            deep("{\"dependencies\": ", "{\"a\": {\"dependencies\": "),
        ] {
            assert!(read_alone(text.as_bytes()).is_err(), "{}", text.chars().take(40).collect::<String>());
        }
        check(
            r#"{"lockfileVersion": 3, "packages": {"node_modules/": {}, "node_modules/a": {"version": "1"}, "node_modules/a": {"version": "2"}}}"#,
            &["a 1", "a 2"],
        );
        // A folder within folders, of which each would be searched for each of many names.
        let inner = "node_modules/a/".repeat(20_000);
        let names = (0..20_000).map(|n| format!("\"b{n}\": 1")).collect::<Vec<_>>().join(",");
        let text = format!(
            r#"{{"lockfileVersion": 3, "packages": {{"{inner}node_modules/c": {{"dependencies": {{{names}}}}}}}}}"#
        );
        let locked = read_alone(text.as_bytes()).unwrap();
        assert_eq!((locked.packages.len(), locked.unclear.len()), (1, 1));
        let twice = read_alone(br#"{"lockfileVersion": 3, "lockfileVersion": 3}"#).unwrap_err();
        assert_eq!((twice.line, twice.what), (1, "not a lockfile of npm"));
    }
}
