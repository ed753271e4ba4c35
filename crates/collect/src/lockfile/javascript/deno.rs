//! Deno's `deno.lock`, versions 2 to 5: packages of npm and of JSR, named as Deno names them (`npm:chalk`,
//! `jsr:@std/path`). Pure. Modules that are fetched by URL are no packages and are not read.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use super::graph::{Ask, Graph, Need, Node};
use super::{clauses, clean, hashes, is_digits_of_hash, resolved, split_locator};
use crate::lockfile::json::{Entries, Text, Texts, malformed};
use crate::lockfile::{Files, Locked, Malformed, Package};

const SHAPE: &str = "not a lockfile of Deno";

#[derive(Deserialize)]
struct Lockfile<'a> {
    #[serde(borrow, default)]
    version: Text<'a>,
    #[serde(borrow, default)]
    specifiers: Entries<'a, Text<'a>>,
    /// Version 3 has everything in here.
    #[serde(borrow, default)]
    packages: Option<Packages<'a>>,
    #[serde(borrow, default)]
    npm: Npm<'a>,
    #[serde(borrow, default)]
    jsr: Entries<'a, Entry<'a>>,
    #[serde(borrow, default)]
    workspace: Workspace<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Packages<'a> {
    #[serde(borrow)]
    specifiers: Entries<'a, Text<'a>>,
    #[serde(borrow)]
    npm: Entries<'a, Entry<'a>>,
    #[serde(borrow)]
    jsr: Entries<'a, Entry<'a>>,
}

/// Version 2 has specifiers and packages in here, later ones the packages themselves.
#[derive(Deserialize)]
#[serde(untagged)]
enum Npm<'a> {
    Within {
        #[serde(borrow)]
        specifiers: Entries<'a, Text<'a>>,
        #[serde(borrow)]
        packages: Entries<'a, Entry<'a>>,
    },
    Packages(#[serde(borrow)] Entries<'a, Entry<'a>>),
}

impl Default for Npm<'_> {
    fn default() -> Self {
        Self::Packages(Entries::default())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    integrity: Text<'a>,
    #[serde(borrow)]
    tarball: Text<'a>,
    #[serde(borrow)]
    dependencies: Needs<'a>,
    #[serde(borrow)]
    optional_dependencies: Needs<'a>,
    #[serde(borrow)]
    os: Texts<'a>,
    #[serde(borrow)]
    cpu: Texts<'a>,
}

/// Names with the key that they resolve to, or keys alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Needs<'a> {
    Named(#[serde(borrow)] Entries<'a, Text<'a>>),
    Keys(#[serde(borrow)] Texts<'a>),
}

impl Default for Needs<'_> {
    fn default() -> Self {
        Self::Keys(Texts::default())
    }
}

impl Needs<'_> {
    fn keys(&self) -> Vec<&str> {
        match self {
            Self::Named(entries) => entries.0.iter().map(|(_, key)| key.0.as_ref()).collect(),
            Self::Keys(keys) => keys.list(),
        }
    }
}

/// What the project's own configuration asks for.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Workspace<'a> {
    #[serde(borrow)]
    dependencies: Texts<'a>,
    #[serde(borrow)]
    package_json: Option<Box<Self>>,
    #[serde(borrow)]
    members: Option<Entries<'a, Self>>,
}

impl<'a> Workspace<'a> {
    fn asked<'s>(&'s self, found: &mut Vec<&'s Cow<'a, str>>) {
        found.extend(&self.dependencies.0);
        self.package_json.iter().for_each(|inner| inner.asked(found));
        self.members.iter().flat_map(|members| &members.0).for_each(|(_, inner)| inner.asked(found));
    }
}

/// Reads a lockfile.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let lockfile: Lockfile<'_> =
        serde_json::from_slice(files.bytes()).map_err(|error| malformed(&error, SHAPE))?;
    if !matches!(lockfile.version.0.as_ref(), "2" | "3" | "4" | "5") {
        return Err(Malformed { line: 1, column: 1, what: "a lockfile version that is not known" });
    }
    let (within_npm, npm) = match lockfile.npm {
        Npm::Within { specifiers, packages } => (specifiers, packages),
        Npm::Packages(packages) => (Entries::default(), packages),
    };
    let within = lockfile.packages.unwrap_or_default();
    let mut reading = Reading::default();
    let npm = npm.0.iter().chain(&within.npm.0).map(|(key, entry)| ("npm", key.as_ref(), entry));
    let jsr = lockfile.jsr.0.iter().chain(&within.jsr.0).map(|(key, entry)| ("jsr", key.as_ref(), entry));
    let entries: Vec<(&str, &str, &Entry<'_>)> = npm.chain(jsr).collect();
    for (registry, key, entry) in &entries {
        reading.package(registry, key, entry);
    }
    let specifiers =
        [&lockfile.specifiers, &within.specifiers, &within_npm].into_iter().flat_map(|list| &list.0);
    for (specifier, to) in specifiers {
        reading.specifier(specifier, &to.0);
    }
    for (at, (registry, _, entry)) in entries.iter().enumerate() {
        reading.needs(at, registry, &entry.dependencies, false);
        reading.needs(at, registry, &entry.optional_dependencies, true);
    }
    let mut asked = Vec::new();
    lockfile.workspace.asked(&mut asked);
    let asked: Vec<usize> = asked.iter().filter_map(|specifier| reading.find("npm", specifier)).collect();
    let mut graph = reading.graph;
    if !asked.is_empty() {
        graph.asked.extend(asked.into_iter().map(|to| (to, Ask::Needed)));
        graph.tell_direct();
        graph.tell_optional();
    }
    graph.tell_when();
    Ok(Locked { version: clean(&lockfile.version.0), packages: graph.into_packages(), unclear: Vec::new() })
}

#[derive(Default)]
struct Reading {
    graph: Graph,
    /// By `npm:chalk@5.3.0`, and by `npm:chalk` where there is only one.
    places: HashMap<String, usize>,
}

impl Reading {
    fn package(&mut self, registry: &str, key: &str, entry: &Entry<'_>) {
        let (name, version) = split_locator(key).unwrap_or((key, ""));
        let version = version.split('_').next().unwrap_or_default();
        let integrity = &entry.integrity.0;
        let integrity = match registry {
            // JSR's are SHA-256 in hexadecimal digits.
            "jsr" if is_digits_of_hash(integrity) => vec![format!("sha256:{integrity}")],
            _ => hashes(integrity),
        };
        let package = Package {
            name: format!("{registry}:{}", clean(name)),
            version: clean(version),
            integrity,
            origin: resolved(entry.tarball.said().unwrap_or_default(), name).origin,
            ..Package::default()
        };
        let at = self.graph.nodes.len();
        self.places.insert(format!("{registry}:{key}"), at);
        self.places.insert(package.name.clone(), at);
        let own = clauses([("os", entry.os.list()), ("cpu", entry.cpu.list())]);
        self.graph.nodes.push(Node { package, own, needs: Vec::new() });
    }

    /// Notes what a specifier (`npm:chalk@5`) resolves to: a key with its registry, without it, or a version.
    fn specifier(&mut self, specifier: &str, to: &str) {
        let (registry, wanted) = specifier.split_once(':').unwrap_or(("npm", specifier));
        let name = split_locator(wanted).map_or(wanted, |(name, _)| name);
        let candidates = [to.to_owned(), format!("{registry}:{to}"), format!("{registry}:{name}@{to}")];
        if let Some(at) = candidates.iter().find_map(|key| self.places.get(key).copied()) {
            self.places.insert(format!("{registry}:{wanted}"), at);
        }
    }

    fn needs(&mut self, at: usize, registry: &str, needs: &Needs<'_>, optional: bool) {
        let found: Vec<usize> = needs.keys().into_iter().filter_map(|key| self.find(registry, key)).collect();
        if let Some(node) = self.graph.nodes.get_mut(at) {
            node.needs.extend(found.into_iter().map(|to| Need { to, optional }));
        }
    }

    fn find(&self, registry: &str, key: &str) -> Option<usize> {
        let named = ["npm:", "jsr:"].iter().any(|registry| key.starts_with(registry));
        let key = if named { Cow::Borrowed(key) } else { Cow::Owned(format!("{registry}:{key}")) };
        self.places.get(key.as_ref()).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::check;
    use super::*;

    #[test]
    fn versions_2_to_5() {
        let zeros = "0".repeat(64);
        check(
            read,
            r#"{"version": "2", "remote": {"https://h/mod.ts": "e3b0"}, "npm": {"specifiers": {"chalk@5": "chalk@5.3.0"},
                "packages": {"chalk@5.3.0": {"integrity": "sha512-YQ==", "dependencies": {"x": "b@1.0.0"}}, "b@1.0.0": {"dependencies": {}}}}}"#,
            &["npm:b 1.0.0", "npm:chalk 5.3.0 sha512-YQ== > npm:b@1.0.0"],
        );
        check(
            read,
            &format!(
                r#"{{"version": "3", "packages": {{"specifiers": {{"npm:chalk@5": "npm:chalk@5.3.0"}},
                "jsr": {{"@std/path@1.0.8": {{"integrity": "{zeros}"}}}},
                "npm": {{"a@1.0.0": {{"dependencies": {{"chalk": "chalk@5.3.0"}}}}, "chalk@5.3.0": {{}}}}}},
                "workspace": {{"dependencies": ["npm:chalk@5"]}}}}"#
            ),
            &[
                &format!("jsr:@std/path 1.0.8 sha256:{zeros}"),
                "npm:a 1.0.0 > npm:chalk@5.3.0",
                "npm:chalk 5.3.0 direct",
            ],
        );
        check(
            read,
            r#"{"version": "5", "specifiers": {"jsr:@std/i@1": "1.0.5", "npm:e@0.21": "0.21.5_chalk@5.3.0"},
                "jsr": {"@std/i@1.0.5": {}, "@std/path@1.0.8": {"dependencies": ["jsr:@std/i@1"]}},
                "npm": {"chalk@5.3.0": {}, "@e/l@0.21.5": {"os": ["linux"], "cpu": ["x64"]},
                "e@0.21.5_chalk@5.3.0": {"tarball": "https://npm.example.org/e/-/e-0.21.5.tgz",
                "dependencies": ["chalk"], "optionalDependencies": ["@e/l"]}},
                "workspace": {"members": {"web": {"packageJson": {"dependencies": ["npm:e@0.21"]}}}}}"#,
            &[
                "jsr:@std/i 1.0.5",
                "jsr:@std/path 1.0.8 > jsr:@std/i@1.0.5",
                "npm:@e/l 0.21.5 optional if cpu=x64 os=linux",
                "npm:chalk 5.3.0",
                "npm:e 0.21.5 direct from registry+https://npm.example.org > npm:@e/l@0.21.5 > npm:chalk@5.3.0",
            ],
        );
    }

    #[test]
    fn what_is_no_lockfile_is_named_by_its_place() {
        let check = |text: &str, expected: &str| {
            let error = read(&Files::new("deno.lock", text.as_bytes(), &BTreeMap::new())).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
        };
        check("", "1:1: ends too early");
        check("{}", "1:1: a lockfile version that is not known");
        check(r#"{"version": "6"}"#, "1:1: a lockfile version that is not known");
        check("{\n\"npm\": 3}", "2:9: not a lockfile of Deno");
        check("{\n\"npm\": x", "2:8: not JSON");
        let deep = format!("{{\"npm\": {}", "[".repeat(100_000));
        assert!(read(&Files::new("deno.lock", deep.as_bytes(), &BTreeMap::new())).is_err());
    }
}
