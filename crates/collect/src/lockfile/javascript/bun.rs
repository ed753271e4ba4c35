//! Bun's text lockfile, `bun.lock`: JSON with comments and trailing commas. Pure. The older binary form is not read.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::graph::{Ask, Graph, Need, Node};
use super::{Budget, clauses, clean, hashes, resolved, split_locator};
use crate::lockfile::json::{Entries, Text, Texts, malformed, place, within};
use crate::lockfile::{Files, Locked, Malformed, Origin, Package};

const SHAPE: &str = "not a lockfile of Bun";

#[derive(Deserialize)]
struct Lockfile<'a> {
    #[serde(default, rename = "lockfileVersion")]
    version: Option<u64>,
    #[serde(borrow, default)]
    workspaces: Entries<'a, Info<'a>>,
    #[serde(borrow, default)]
    packages: Entries<'a, &'a RawValue>,
}

/// What a package or a workspace says of itself.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Info<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    dependencies: Texts<'a>,
    #[serde(borrow)]
    dev_dependencies: Texts<'a>,
    #[serde(borrow)]
    optional_dependencies: Texts<'a>,
    #[serde(borrow)]
    peer_dependencies: Texts<'a>,
    #[serde(borrow)]
    os: Texts<'a>,
    #[serde(borrow)]
    cpu: Texts<'a>,
    #[serde(borrow)]
    libc: Texts<'a>,
}

/// Reads a lockfile.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let json = without_extras(files.text()?);
    let bytes = json.as_bytes();
    let lockfile: Lockfile<'_> = serde_json::from_slice(bytes).map_err(|error| malformed(&error, SHAPE))?;
    let mut locked =
        Locked { version: lockfile.version.map(|v| v.to_string()).unwrap_or_default(), ..Locked::default() };
    let mut graph = Graph::default();
    let mut places = Places { by_key: HashMap::new(), budget: Budget::new() };
    let mut infos = Vec::new();
    for (key, raw) in &lockfile.packages.0 {
        let parts: Vec<&RawValue> =
            serde_json::from_str(raw.get()).map_err(|error| within(bytes, raw, &malformed(&error, SHAPE)))?;
        match package(&parts) {
            Ok(Some((node, info))) => {
                places.by_key.insert(key, graph.nodes.len());
                graph.nodes.push(node);
                infos.push((key.as_ref(), info));
            }
            Ok(None) => {}
            Err(what) => locked.unclear.push(Malformed { what, ..place(bytes, raw) }),
        }
    }
    for (node, (key, info)) in graph.nodes.iter_mut().zip(&infos) {
        let lists = [
            (&info.dependencies, false),
            (&info.peer_dependencies, false),
            (&info.optional_dependencies, true),
        ];
        for (names, optional) in lists {
            let found = names.0.iter().filter_map(|name| places.search(key, name));
            node.needs.extend(found.map(|to| Need { to, optional }));
        }
    }
    for (_, workspace) in &lockfile.workspaces.0 {
        graph.asked.extend(workspace.asked(&places));
    }
    graph.tell_direct();
    graph.tell_dev();
    graph.tell_optional();
    graph.tell_when();
    locked.unclear.extend(places.budget.told());
    locked.packages = graph.into_packages();
    Ok(locked)
}

impl Info<'_> {
    /// What a workspace asks for.
    fn asked(&self, places: &Places<'_>) -> Vec<(usize, Ask)> {
        let lists = [
            (&self.dependencies, Ask::Needed),
            (&self.peer_dependencies, Ask::Needed),
            (&self.dev_dependencies, Ask::Development),
            (&self.optional_dependencies, Ask::Optional),
        ];
        let found = |name: &str, ask| places.search(&self.name.0, name).map(|to| (to, ask));
        lists.iter().flat_map(|(names, ask)| names.0.iter().filter_map(|name| found(name, *ask))).collect()
    }
}

/// An entry: the name with its version, and what follows it: a registry, what the package says of itself, a hash. `None`
/// where it is the project's own source.
fn package<'a>(parts: &[&'a RawValue]) -> Result<Option<(Node, Info<'a>)>, &'static str> {
    let text = |at: usize| {
        let text = parts.get(at).and_then(|raw| serde_json::from_str::<Text<'_>>(raw.get()).ok());
        text.unwrap_or_default().0
    };
    let identity = text(0);
    let (name, reference) = split_locator(&identity).ok_or("a package without name or version")?;
    if ["workspace:", "root:", "link:"].iter().any(|own| reference.starts_with(own)) {
        return Ok(None);
    }
    let info = parts.iter().find(|raw| raw.get().starts_with('{'));
    let info: Info<'_> = info.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let last = text(parts.len().saturating_sub(1));
    Ok(Some((node(name, reference, &text(1), &last, &info), info)))
}

fn node(name: &str, reference: &str, registry: &str, last: &str, info: &Info<'_>) -> Node {
    let mut from = resolved(reference, name);
    if from.origin.is_none() && registry.contains("://") {
        // The registry's URL, or that of the file there.
        from = resolved(registry, name);
        if let Some(Origin::Url(base)) = &from.origin
            && !base.ends_with(".tgz")
        {
            from.origin = Some(Origin::Registry(base.trim_end_matches('/').to_owned()));
        }
    }
    let package = Package {
        name: clean(name),
        version: from.version.unwrap_or_else(|| clean(reference)),
        integrity: hashes(last),
        origin: from.origin,
        ..Package::default()
    };
    let own = clauses([("os", info.os.list()), ("cpu", info.cpu.list()), ("libc", info.libc.list())]);
    Node { package, own, needs: Vec::new() }
}

/// Packages by their keys: `a/b` is the `b` within `a`.
struct Places<'k> {
    by_key: HashMap<&'k str, usize>,
    budget: Budget,
}

impl Places<'_> {
    /// The package that a name means to the one with a key.
    fn search(&self, from: &str, name: &str) -> Option<usize> {
        let mut folder = from;
        let mut key = String::with_capacity(from.len() + name.len() + 1);
        while !folder.is_empty() {
            key.clear();
            key.extend([folder, "/", name]);
            self.budget.spend(key.len())?;
            if let Some(at) = self.by_key.get(key.as_str()) {
                return Some(*at);
            }
            let outer = folder.rsplit_once('/').map_or("", |(outer, _)| outer);
            // A scope is no package.
            let scope = outer.rsplit('/').next().is_some_and(|last| last.starts_with('@'));
            folder = if scope { outer.rsplit_once('/').map_or("", |(outer, _)| outer) } else { outer };
        }
        self.by_key.get(name).copied()
    }
}

/// JSON of the same length, without comments and trailing commas, so that places stay.
pub(super) fn without_extras(text: &str) -> Cow<'_, str> {
    let mut out = text.as_bytes().to_vec();
    let bytes = text.as_bytes();
    let (mut at, mut comma) = (0, None);
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        match (byte, next) {
            (b'"', _) => {
                comma = None;
                at = end_of_text(bytes, at);
                continue;
            }
            (b'/', Some(b'/')) => {
                let rest = bytes.get(at..).unwrap_or_default();
                let end = memchr::memchr(b'\n', rest).map_or(bytes.len(), |length| at + length);
                blank(&mut out, at, end);
                at = end;
                continue;
            }
            (b'/', Some(b'*')) => {
                let rest = bytes.get(at + 2..).unwrap_or_default();
                let end = memchr::memmem::find(rest, b"*/").map_or(bytes.len(), |length| at + 2 + length + 2);
                blank(&mut out, at, end);
                at = end;
                continue;
            }
            (b',', _) => comma = Some(at),
            (b'}' | b']', _) => {
                if let Some(comma) = comma.take() {
                    blank(&mut out, comma, comma + 1);
                }
            }
            (b' ' | b'\t' | b'\r' | b'\n', _) => {}
            _ => comma = None,
        }
        at += 1;
    }
    // Only whole characters were replaced, by spaces.
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The place behind a text that begins here.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn blank(out: &mut [u8], from: usize, to: usize) {
    let part = out.get_mut(from..to).unwrap_or_default();
    part.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::check;
    use super::*;

    #[test]
    fn entries_of_every_sort() {
        check(
            read,
            r#"{
  "lockfileVersion": 1, // one
  "workspaces": {
    "": {"name": "shop", "dependencies": {"a": "1", "x": "1"}, "devDependencies": {"d": "1"}, "optionalDependencies": {"o": "1"}},
    "packages/web": {"name": "@shop/web", "dependencies": {"b": "1"}},
  },
  "packages": {
    "a": ["a@1.0.0", "", {"dependencies": {"b": "2"}}],
    "a/b": ["b@2.0.0", "https://npm.example.org/", {}, "sha512-YQ=="],
    "@shop/web": ["@shop/web@workspace:packages/web"],
    "@shop/web/b": ["@s/b@1.0.0", "https://npm.example.org/x/@s/b/-/b-1.0.0.tgz", {"peerDependencies": {"a": "*"}}],
    "d": ["d@github:u/d#0a1b", {}, "u-d-0a1b"],
    "o": ["o@1.0.0", "", {"os": "darwin", "cpu": ["x64", "arm64"], "dependencies": {"p": "1"}}, "hunter2"],
    "p": ["p@file:../p,/*x*/.tgz", {}, /* no, [hash] */],
  },
}"#,
            &[
                "@s/b 1.0.0 direct from registry+https://npm.example.org/x > a@1.0.0",
                "a 1.0.0 direct > b@2.0.0",
                "b 2.0.0 sha512-YQ== from registry+https://npm.example.org",
                "d 0a1b direct dev from git github:u/d",
                "o 1.0.0 direct optional if cpu=x64,arm64 os=darwin > p@file:../p,/*x*/.tgz",
                "p file:../p,/*x*/.tgz optional if cpu=x64,arm64 os=darwin from path+file:../p,/*x*/.tgz",
            ],
        );
    }

    #[test]
    fn what_is_no_lockfile_is_named_by_its_place() {
        let check = |text: &str, expected: &str| {
            let found = read(&Files::new("bun.lock", text.as_bytes(), &BTreeMap::new()));
            let found =
                found.map(|locked| locked.unclear.iter().map(ToString::to_string).collect::<String>());
            assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected, "{text}");
        };
        check("", "1:1: ends too early");
        check("{\n// x", "2:4: ends too early");
        check("{\"packages\": {\n \"a\": {}}}", "2:7: not a lockfile of Bun");
        check("{\"packages\": {\n \"a\": [3],\n}}", "2:7: a package without name or version");
        check("{\"packages\": {\n \"a\": [\"a@1\",, ],\n}}", "2:16: not JSON");
        let deep = "[".repeat(100_000);
        assert!(read(&Files::new("bun.lock", deep.as_bytes(), &BTreeMap::new())).is_err());
    }
}
