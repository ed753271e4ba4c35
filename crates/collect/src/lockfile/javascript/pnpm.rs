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
                    node.needs.push(Need { to, optional });
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::check;
    use super::*;

    #[test]
    fn version_9() {
        check(
            read,
            r"lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      '@s/a': {specifier: ^1, version: 1.0.0(react@18.3.1)}
      alias: {specifier: 'npm:real@2', version: real@2.0.0}
    optionalDependencies:
      l: {specifier: '1', version: 1.0.0}
  packages/web:
    devDependencies:
      g: {specifier: 'github:u/g', version: 'https://h/g/tar.gz/0a1b'}
      shop: {specifier: 'workspace:*', version: 'link:../..'}
packages:
  '@s/a@1.0.0':
    resolution: {integrity: sha512-YQ==}
  g@https://h/g/tar.gz/0a1b:
    resolution: {tarball: https://u:hunter2@h/g/tar.gz/0a1b}
    version: 3.0.0
  l@1.0.0:
    resolution: {integrity: sha512-YQ==, tarball: https://npm.example.org/l/-/l-1.0.0.tgz}
    os: [linux, '!win32']
    libc: glibc
  r@git+https://h/r.git#0a1b:
    resolution: {commit: 0a1b, repo: https://h/r.git, type: git}
  real@2.0.0:
    resolution: {integrity: sha512-YQ==}
  react@18.3.1: {}
snapshots:
  '@s/a@1.0.0(react@18.3.1)':
    dependencies: {react: 18.3.1}
  '@s/a@1.0.0':
    dependencies: {alias: real@2.0.0}
  l@1.0.0:
    dependencies: {r: 'git+https://h/r.git#0a1b'}
",
            &[
                "@s/a 1.0.0 sha512-YQ== direct > react@18.3.1 > real@2.0.0",
                "g 3.0.0 direct dev from https://REDACTED@h/g/tar.gz/0a1b",
                "l 1.0.0 sha512-YQ== direct optional if libc=glibc os=linux,!win32 from registry+https://npm.example.org > r@0a1b",
                "r 0a1b optional if libc=glibc os=linux,!win32 from git https://h/r.git",
                "react 18.3.1",
                "real 2.0.0 sha512-YQ== direct",
            ],
        );
    }

    #[test]
    fn versions_5_and_6() {
        let expected = [
            "@s/string_decoder 1.0.0 sha512-YQ== direct > react@18.3.1 > real@2.0.0",
            "g 0a1b direct dev from git https://h/g.git",
            "react 18.3.1 direct dev",
            "real 2.0.0 direct",
        ];
        check(
            read,
            r"lockfileVersion: 5.4
dependencies: {'@s/string_decoder': 1.0.0_react@18.3.1, alias: /real/2.0.0}
devDependencies: {g: git.example.org/u/g/0a1b, react: npm.example.org/react/18.3.1}
packages:
  /@s/string_decoder/1.0.0_react@18.3.1:
    resolution: {integrity: sha512-YQ==}
    dependencies: {react: npm.example.org/react/18.3.1, alias: /real/2.0.0}
  git.example.org/u/g/0a1b: {name: g, version: 3.0.0, resolution: {commit: 0a1b, repo: https://h/g.git}}
  npm.example.org/react/18.3.1: {}
  /real/2.0.0: {}
",
            &expected.map(|line| if line.starts_with("react") { "react 18.3.1 direct" } else { line }),
        );
        check(
            read,
            r"lockfileVersion: '6.0'
dependencies:
  '@s/string_decoder': {specifier: ^1, version: 1.0.0(react@18.3.1)}
  alias: {specifier: 'npm:real@2', version: /real@2.0.0}
devDependencies:
  g: {specifier: 'u/g', version: git.example.org/u/g/0a1b}
packages:
  /@s/string_decoder@1.0.0(react@18.3.1):
    resolution: {integrity: sha512-YQ==}
    dependencies: {react: 18.3.1, alias: /real@2.0.0}
  git.example.org/u/g/0a1b: {name: g, version: 3.0.0, resolution: {commit: 0a1b, repo: https://h/g.git}}
  /react@18.3.1: {}
  /real@2.0.0: {}
",
            &expected.map(|line| if line.starts_with("react") { "react 18.3.1" } else { line }),
        );
    }

    #[test]
    fn what_is_no_lockfile_is_named_by_its_place() {
        let check = |text: &str, expected: &str| {
            let found = read(&Files::new("pnpm-lock.yaml", text.as_bytes(), &BTreeMap::new()));
            let found =
                found.map(|locked| locked.unclear.iter().map(ToString::to_string).collect::<String>());
            assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected, "{text}");
        };
        check("", "1:1: a lockfile version that is not known");
        check("lockfileVersion: 10.0", "1:1: a lockfile version that is not known");
        check("lockfileVersion: '9.0'\npackages:\n  nothing: {}\n", "3:1: a package without name or version");
        check("lockfileVersion: 5.3\npackages:\n  nothing: {}\n", "3:1: a package without name or version");
        let mut bomb = "lockfileVersion: 9.0\na0: &a0 [x, x]\n".to_owned();
        for n in 1..40 {
            bomb.push_str(&format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1));
        }
        assert!(
            read(&Files::new("x", bomb.as_bytes(), &BTreeMap::new()))
                .is_err_and(|e| e.what == "more than a lockfile has")
        );
    }
}
