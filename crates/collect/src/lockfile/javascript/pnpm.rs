//! pnpm's `pnpm-lock.yaml`, lockfile versions 5 to 9. Pure. A package that stands there several times because its peers
//! differ is one package here.

use std::collections::HashMap;

use super::graph::{Ask, Graph, Need, Node};
use super::{Resolved, clauses, clean, hashes, resolved, split_locator};
use crate::lockfile::{Files, Locked, Malformed, Origin, Package};
use crate::yaml::{self, Content, Limit};

/// How a version of the format spells packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// `/name/1.0.0_peer@2.0.0`
    Slashes,
    /// `/name@1.0.0(peer@2.0.0)`, `name@1.0.0(peer@2.0.0)`
    At,
}

/// Reads a lockfile.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let root = yaml::parse_within(files.text()?, Limit::LOCKED)?;
    let version = root.get("lockfileVersion").and_then(yaml::Node::text).unwrap_or_default();
    let spelling = match version.split(['.', '-']).next().unwrap_or_default() {
        "5" => Spelling::Slashes,
        "6" | "7" | "8" | "9" => Spelling::At,
        _ => return Err(Malformed { line: 1, column: 1, what: "a lockfile version that is not known" }),
    };
    let mut reading =
        Reading { spelling, graph: Graph::default(), places: HashMap::new(), unclear: Vec::new() };
    let fields = |name: &str| root.get(name).map_or(&[][..], yaml::Node::fields);
    for (key, node) in fields("packages") {
        reading.package(key, node);
    }
    // Before version 9 a package's own entry has what it needs.
    for (key, node) in fields("packages").iter().chain(fields("snapshots")) {
        reading.needs(key, node);
    }
    match root.get("importers") {
        Some(importers) => importers.fields().iter().for_each(|(_, importer)| reading.asked(importer)),
        None => reading.asked(&root),
    }
    let mut graph = reading.graph;
    graph.tell_direct();
    graph.tell_dev();
    graph.tell_optional();
    graph.tell_when();
    Ok(Locked { version: clean(version), packages: graph.into_packages(), unclear: reading.unclear })
}

struct Reading {
    spelling: Spelling,
    graph: Graph,
    /// Packages by their keys without peers.
    places: HashMap<String, usize>,
    unclear: Vec<Malformed>,
}

impl Reading {
    fn package(&mut self, key: &str, node: &yaml::Node) {
        let bare = self.bare(key);
        if self.places.contains_key(bare) {
            return;
        }
        let text = |name: &str| node.get(name).and_then(yaml::Node::text).filter(|text| !text.is_empty());
        let Some((name, reference)) = self.parts(bare, text("name")) else {
            self.unclear.push(Malformed {
                line: node.line,
                column: 1,
                what: "a package without name or version",
            });
            return;
        };
        let of_resolution = |name: &str| node.get("resolution")?.get(name)?.text();
        let from = origin(&of_resolution, reference, name);
        let list = |name: &str| node.get(name).map(texts).unwrap_or_default();
        let version = from.version.unwrap_or_else(|| clean(text("version").unwrap_or(reference)));
        let package = Package {
            name: clean(name),
            version,
            integrity: hashes(of_resolution("integrity").unwrap_or_default()),
            origin: from.origin,
            ..Package::default()
        };
        let own = clauses([("os", list("os")), ("cpu", list("cpu")), ("libc", list("libc"))]);
        self.places.insert(bare.to_owned(), self.graph.nodes.len());
        self.graph.nodes.push(Node { package, own, needs: Vec::new() });
    }

    fn needs(&mut self, key: &str, node: &yaml::Node) {
        let Some(at) = self.places.get(self.bare(key)).copied() else { return };
        for (field, optional) in [("dependencies", false), ("optionalDependencies", true)] {
            for (name, to) in node.get(field).map_or(&[][..], yaml::Node::fields) {
                let to = to.text().and_then(|reference| self.find(name, reference));
                if let (Some(to), Some(node)) = (to, self.graph.nodes.get_mut(at)) {
                    let need = Need { to, optional };
                    if !node.needs.contains(&need) {
                        node.needs.push(need);
                    }
                }
            }
        }
    }

    /// Takes what the project or a workspace asks for.
    fn asked(&mut self, importer: &yaml::Node) {
        let lists = [
            ("dependencies", Ask::Needed),
            ("devDependencies", Ask::Development),
            ("optionalDependencies", Ask::Optional),
        ];
        for (field, ask) in lists {
            for (name, asked) in importer.get(field).map_or(&[][..], yaml::Node::fields) {
                let reference = asked.get("version").unwrap_or(asked).text();
                let to = reference.and_then(|reference| self.find(name, reference));
                self.graph.asked.extend(to.map(|to| (to, ask)));
            }
        }
    }

    /// The package that a reference of a name means: a version, or the key of an alias or of what is from elsewhere.
    fn find(&self, name: &str, reference: &str) -> Option<usize> {
        let bare = self.bare(reference);
        let known = |key: &str| self.places.get(key).copied();
        let of_registry = match self.spelling {
            Spelling::Slashes => known(&format!("/{name}/{bare}")),
            Spelling::At => known(&format!("{name}@{bare}")).or_else(|| known(&format!("/{name}@{bare}"))),
        };
        of_registry.or_else(|| known(bare))
    }

    /// A key or reference without what tells of peers and patches.
    fn bare<'k>(&self, key: &'k str) -> &'k str {
        match self.spelling {
            Spelling::At => key.find('(').and_then(|at| key.get(..at)).unwrap_or(key),
            Spelling::Slashes => {
                let last = key.rfind('/').map_or(0, |at| at + 1);
                let version = key.get(last..).unwrap_or_default();
                let end = if key.contains(':') { None } else { version.find('_').map(|at| last + at) };
                end.and_then(|end| key.get(..end)).unwrap_or(key)
            }
        }
    }

    /// The name and the version of a key; what is not from a registry has its name in a field before version 9.
    fn parts<'k>(&self, key: &'k str, name: Option<&'k str>) -> Option<(&'k str, &'k str)> {
        if let Some(name) = name {
            return Some((
                name,
                key.strip_prefix(name).and_then(|rest| rest.strip_prefix('@')).unwrap_or(key),
            ));
        }
        let key = key.strip_prefix('/').unwrap_or(key);
        match self.spelling {
            Spelling::At => split_locator(key),
            Spelling::Slashes => {
                let (name, version) = key.rsplit_once('/')?;
                // Another registry's host may stand in front of the name.
                let (outer, last) = name.rsplit_once('/').unwrap_or(("", name));
                let scope = outer.rsplit('/').next().filter(|scope| scope.starts_with('@'));
                let start =
                    scope.map_or(name.len() - last.len(), |scope| name.len() - last.len() - scope.len() - 1);
                Some((name.get(start..)?, version)).filter(|(_, version)| !version.is_empty())
            }
        }
    }
}

/// Where a package comes from, by its `resolution`, or by the reference in its key.
fn origin<'n>(of_resolution: &impl Fn(&str) -> Option<&'n str>, reference: &str, name: &str) -> Resolved {
    if let (Some(repository), Some(commit)) = (of_resolution("repo"), of_resolution("commit")) {
        return Resolved { origin: Some(Origin::Git(clean(repository))), version: Some(clean(commit)) };
    }
    if let Some(folder) = of_resolution("directory") {
        let path = format!("file:{}", clean(folder));
        return Resolved { origin: Some(Origin::Path(path.clone())), version: Some(path) };
    }
    resolved(of_resolution("tarball").unwrap_or(reference), name)
}

/// The texts of a list, or a text alone.
fn texts(node: &yaml::Node) -> Vec<&str> {
    match &node.content {
        Content::Text(text) => vec![text],
        Content::List(items) => items.iter().filter_map(yaml::Node::text).collect(),
        Content::Nothing | Content::Map(_) => Vec::new(),
    }
}
