//! Yarn's `yarn.lock`, classic (version 1) and berry (2 and later). Pure. Classic does not say what the project itself
//! asks for, and neither says what is for development only: that is in the `package.json` beside it.

use std::collections::HashMap;

use super::graph::{Ask, Graph, Need, Node};
use super::manifest::Manifest;
use super::syml::{self, Entry};
use super::{clean, hashes, is_digits_of_hash, resolved, split_locator};
use crate::lockfile::{Files, Locked, Malformed, Package};

/// Reads a lockfile.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let entries = syml::parse(files.text()?)?;
    let metadata = entries.iter().find(|entry| entry.keys.iter().any(|key| key == "__metadata"));
    match metadata.map(|entry| entry.get("version").to_owned()) {
        None => Ok(classic(&entries, files)),
        Some(version) => Ok(berry(&entries, version, files)),
    }
}

/// Entries by the descriptors (`name@range`) that resolve to them.
#[derive(Default)]
struct Descriptors<'t> {
    exact: HashMap<&'t str, usize>,
    /// By name alone: the only entry, or that there are several.
    names: HashMap<&'t str, Option<usize>>,
}

impl<'t> Descriptors<'t> {
    fn add(&mut self, descriptor: &'t str, at: usize) {
        self.exact.insert(descriptor, at);
        let name = split_locator(descriptor).map_or(descriptor, |(name, _)| name);
        let only = self.names.entry(name).or_insert(Some(at));
        if *only != Some(at) {
            *only = None;
        }
    }

    /// What a range of a name resolves to; where an override (`resolutions`) stands between, the only entry of that
    /// name.
    fn find(&self, name: &str, range: &str) -> Option<usize> {
        let exact = |descriptor: String| self.exact.get(descriptor.as_str()).copied();
        exact(format!("{name}@{range}"))
            .or_else(|| exact(format!("{name}@npm:{range}")))
            .or_else(|| self.names.get(name).copied().flatten())
    }
}

/// An entry that says nothing that can be understood.
fn unclear(entry: &Entry<'_>) -> Malformed {
    Malformed { line: entry.line, column: 1, what: "an entry without a version" }
}

fn classic(entries: &[Entry<'_>], files: &Files<'_>) -> Locked {
    let mut locked = Locked { version: "1".to_owned(), ..Locked::default() };
    let mut graph = Graph::default();
    let mut descriptors = Descriptors::default();
    let mut read = Vec::new();
    for entry in entries {
        let Some(node) = classic_node(entry) else {
            locked.unclear.push(unclear(entry));
            continue;
        };
        entry.keys.iter().for_each(|key| descriptors.add(key, graph.nodes.len()));
        graph.nodes.push(node);
        read.push(entry);
    }
    for (node, entry) in graph.nodes.iter_mut().zip(read) {
        for (field, optional) in [("dependencies", false), ("optionalDependencies", true)] {
            let found = entry.under(field).filter_map(|(name, range)| descriptors.find(name, range));
            node.needs.extend(found.map(|to| Need { to, optional }));
        }
    }
    let manifests = Manifest::all(files);
    if !manifests.is_empty() {
        let asked = manifests.iter().flat_map(Manifest::asked);
        graph.asked =
            asked.filter_map(|(name, range, ask)| Some((descriptors.find(name, range)?, ask))).collect();
        graph.tell_direct();
        graph.tell_dev();
        graph.tell_optional();
    }
    locked.packages = graph.into_packages();
    locked
}

fn classic_node(entry: &Entry<'_>) -> Option<Node> {
    let version = Some(entry.get("version")).filter(|version| !version.is_empty())?;
    let (name, range) = split_locator(entry.keys.first()?)?;
    let alias = range.strip_prefix("npm:").map(|real| split_locator(real).map_or(real, |(real, _)| real));
    let name = alias.unwrap_or(name);
    let url = entry.get("resolved");
    let from = resolved(if url.is_empty() { range } else { url }, name);
    let mut integrity = hashes(entry.get("integrity"));
    if integrity.is_empty() && from.version.is_none() {
        let sha1 = url.rsplit_once('#').map(|(_, hash)| hash).filter(|hash| is_digits_of_hash(hash));
        integrity.extend(sha1.map(|hash| format!("sha1:{hash}")));
    }
    let package = Package {
        name: clean(name),
        version: from.version.unwrap_or_else(|| clean(version)),
        integrity,
        origin: from.origin,
        ..Package::default()
    };
    Some(Node { package, ..Node::default() })
}

/// What an entry of berry is.
enum Read {
    Package(Node),
    /// The project's own source, by its folder.
    Own(String),
}

fn berry(entries: &[Entry<'_>], version: String, files: &Files<'_>) -> Locked {
    let mut locked = Locked { version, ..Locked::default() };
    let mut graph = Graph::default();
    let mut descriptors = Descriptors::default();
    let mut read = Vec::new();
    for entry in entries.iter().filter(|entry| entry.keys.iter().all(|key| key != "__metadata")) {
        match berry_entry(entry) {
            Some(Read::Package(node)) => {
                let keys = entry.keys.iter().flat_map(|key| key.split(", "));
                keys.for_each(|key| descriptors.add(key, graph.nodes.len()));
                graph.nodes.push(node);
                read.push((entry, None));
            }
            Some(Read::Own(folder)) => read.push((entry, Some(folder))),
            None => locked.unclear.push(unclear(entry)),
        }
    }
    let mut packages = 0..;
    let mut every_manifest = true;
    for (entry, own) in read {
        let found = entry
            .under("dependencies")
            .filter_map(|(name, range)| Some((name, descriptors.find(name, range)?)));
        let optional = entry.optional_under("dependenciesMeta");
        let Some(folder) = own else {
            if let Some(node) = packages.next().and_then(|at: usize| graph.nodes.get_mut(at)) {
                node.needs.extend(found.map(|(name, to)| Need { to, optional: optional.contains(name) }));
            }
            continue;
        };
        let manifest = Manifest::beside(files, &format!("{folder}/package.json"));
        every_manifest &= manifest.is_some();
        let developed = manifest.as_ref().map(Manifest::development).unwrap_or_default();
        graph.asked.extend(found.map(|(name, to)| {
            let ask = match (developed.contains(name), optional.contains(name)) {
                (true, _) => Ask::Development,
                (false, true) => Ask::Optional,
                (false, false) => Ask::Needed,
            };
            (to, ask)
        }));
    }
    graph.tell_direct();
    graph.tell_optional();
    graph.tell_when();
    if every_manifest {
        graph.tell_dev();
    }
    locked.packages = graph.into_packages();
    locked
}

fn berry_entry(entry: &Entry<'_>) -> Option<Read> {
    let (name, reference) = split_locator(entry.get("resolution"))?;
    let (protocol, rest) = reference.split_once(':')?;
    if matches!(protocol, "workspace" | "link" | "portal") {
        return Some(Read::Own(rest.split("::").next().unwrap_or_default().to_owned()));
    }
    let version = Some(entry.get("version")).filter(|version| !version.is_empty())?;
    let archive =
        rest.split_once("__archiveUrl=").map(|(_, url)| decoded(url.split('&').next().unwrap_or_default()));
    let from = match (protocol, &archive) {
        (_, Some(url)) => resolved(url, name),
        // A patch is the project's own, of a package that is one of the registry.
        ("npm" | "patch", None) => super::Resolved::default(),
        (_, None) => resolved(reference.split("::").next().unwrap_or_default(), name),
    };
    let checksum = entry.get("checksum");
    let known = is_digits_of_hash(checksum.rsplit('/').next().unwrap_or_default());
    let package = Package {
        name: clean(name),
        version: from.version.unwrap_or_else(|| clean(version)),
        integrity: Some(clean(checksum)).filter(|_| known).into_iter().collect(),
        origin: from.origin,
        ..Package::default()
    };
    Some(Read::Package(Node { package, own: conditions(entry.get("conditions")), needs: Vec::new() }))
}

/// Berry's conditions as clauses: `(os=linux | os=darwin) & cpu=x64` is `os=linux,darwin` and `cpu=x64`.
fn conditions(text: &str) -> Vec<String> {
    let mut clauses: Vec<(&str, Vec<String>)> = Vec::new();
    for part in text.split(" & ").map(|part| part.trim_matches(['(', ')', ' '])) {
        let mut of_part: Vec<(&str, Vec<String>)> = Vec::new();
        for token in part.split(" | ") {
            let (not, token) = token.strip_prefix('!').map_or(("", token), |token| ("!", token));
            let Some((field @ ("os" | "cpu" | "libc"), value)) = token.split_once('=') else { continue };
            if !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
                continue;
            }
            match of_part.iter_mut().find(|(known, _)| *known == field) {
                Some((_, values)) => values.push(format!("{not}{value}")),
                None => of_part.push((field, vec![format!("{not}{value}")])),
            }
        }
        clauses.append(&mut of_part);
    }
    clauses.into_iter().map(|(field, values)| format!("{field}={}", values.join(","))).collect()
}

/// A percent-encoded text; what is not of that form stays.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (byte, _) => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::{check, check_beside};
    use super::*;

    #[test]
    fn classic_entries() {
        let lock = r#"# yarn lockfile v1

"@s/a@^1", "@s/a@~1.0":
  version "1.0.0"
  resolved "https://npm.example.org/@s/a/-/a-1.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709"
  dependencies:
    b "^2"
    g "git+https://h/g.git"
    overridden "1"
  optionalDependencies:
    o "1"

b@^2:
  version "2.0.0"
  integrity sha512-YQ==

"alias@npm:@s/real@^3":
  version "3.0.0"

"g@git+https://h/g.git":
  version "1.0.0"
  resolved "git+https://u:hunter2@h/g.git#0a1b"

"f@file:./f":
  version "1.0.0"

o@1:
  version "1.0.0"

overridden@2:
  version "2.0.0"
"#;
        let expected = |flags: [&str; 3]| {
            let [a, real, o] = flags;
            [
                format!(
                    "@s/a 1.0.0 sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709{a} from registry+https://npm.example.org > b@2.0.0 > g@0a1b > o@1.0.0 > overridden@2.0.0"
                ),
                format!("@s/real 3.0.0{real}"),
                format!("b 2.0.0 sha512-YQ=={}", if a.is_empty() { "" } else { " dev" }),
                "f file:./f from path+file:./f".to_owned(),
                format!(
                    "g 0a1b{} from git git+https://REDACTED@h/g.git",
                    if a.is_empty() { "" } else { " dev" }
                ),
                format!("o 1.0.0{o}"),
                format!("overridden 2.0.0{}", if a.is_empty() { "" } else { " dev" }),
            ]
        };
        let alone = expected(["", "", ""]);
        check(read, lock, &alone.each_ref().map(String::as_str));
        let manifest = r#"{"dependencies": {"alias": "npm:@s/real@^3"}, "devDependencies": {"@s/a": "^1"}}"#;
        let others = BTreeMap::from([("package.json".to_owned(), manifest.as_bytes().to_vec())]);
        let beside = expected([" direct dev", " direct", " dev optional"]);
        check_beside(read, lock, &others, &beside.each_ref().map(String::as_str));
    }

    #[test]
    fn berry_entries() {
        let zeros = "0".repeat(128);
        let lock = format!(
            r#"__metadata:
  version: 8

"@s/a@npm:^1, @s/a@npm:~1.0":
  version: 1.0.0
  resolution: "@s/a@npm:1.0.0"
  dependencies:
    b: "npm:^2"
    o: "npm:^1"
  dependenciesMeta:
    o:
      optional: true
  checksum: 10c0/{zeros}

"b@npm:^2":
  version: 2.0.0
  resolution: "b@npm:2.0.0::__archiveUrl=https%3A%2F%2Fu%3Ahunter2%40npm.example.org%2Fb%2F-%2Fb-2.0.0.tgz"
  checksum: hunter2

"g@https://h/g.git":
  version: 1.0.0
  resolution: "g@https://h/g.git#commit=0a1b"

"o@npm:^1":
  version: 1.0.0
  resolution: "o@npm:1.0.0"
  conditions: (os=linux | os=darwin) & cpu=x64 & !libc=musl

"o@patch:o@npm%3A^1#~builtin<compat/o>":
  version: 1.0.0
  resolution: "o@patch:o@npm%3A1.0.0#~builtin<compat/o>::version=1.0.0"

"p@portal:../p::locator=shop%40workspace%3A.":
  version: 0.0.0-use.local
  resolution: "p@portal:../p::locator=shop%40workspace%3A."
  dependencies:
    b: ^2

"shop@workspace:.":
  version: 0.0.0-use.local
  resolution: "shop@workspace:."
  dependencies:
    "@s/a": "npm:^1"
    g: "https://h/g.git"
"#
        );
        check(
            read,
            &lock,
            &[
                &format!("@s/a 1.0.0 10c0/{zeros} direct > b@2.0.0 > o@1.0.0"),
                "b 2.0.0 direct from registry+https://REDACTED@npm.example.org",
                "g 0a1b direct from git https://h/g.git",
                "o 1.0.0",
                "o 1.0.0 optional if cpu=x64 libc=!musl os=linux,darwin",
            ],
        );
    }

    #[test]
    fn entries_that_say_nothing_are_named_by_their_line() {
        let check = |text: &str, expected: &[&str]| {
            let locked = read(&Files::new("yarn.lock", text.as_bytes(), &BTreeMap::new())).unwrap();
            let unclear: Vec<String> = locked.unclear.iter().map(ToString::to_string).collect();
            assert_eq!(unclear, expected, "{text}");
        };
        check("a@1:\n  version \"1\"\n\nb@1:\n", &["4:1: an entry without a version"]);
        check(
            "__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1\n",
            &["3:1: an entry without a version"],
        );
        check("a:\n  version \"1\"\n", &["1:1: an entry without a version"]);
        check("", &[]);
        let error =
            read(&Files::new("yarn.lock", b"a@1:\n  version \"\xff\"", &BTreeMap::new())).unwrap_err();
        assert_eq!(error.to_string(), "2:12: not UTF-8");
    }
}
