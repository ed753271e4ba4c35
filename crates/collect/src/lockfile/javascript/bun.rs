//! Bun's text lockfile, `bun.lock`: JSON with comments and trailing commas. Pure. The older binary form is not read.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::graph::{Ask, Graph, Need, Node};
use super::{clauses, clean, hashes, resolved, split_locator};
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
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut infos = Vec::new();
    for (key, raw) in &lockfile.packages.0 {
        let parts: Vec<&RawValue> =
            serde_json::from_str(raw.get()).map_err(|error| within(bytes, raw, &malformed(&error, SHAPE)))?;
        let text = |at: usize| parts.get(at).and_then(|raw| serde_json::from_str::<Text<'_>>(raw.get()).ok());
        let info = parts.iter().find(|raw| raw.get().starts_with('{'));
        let info: Info<'_> = info.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        let Some(identity) = text(0) else {
            locked.unclear.push(Malformed { what: "a package without name or version", ..place(bytes, raw) });
            continue;
        };
        let Some((name, reference)) = split_locator(&identity.0) else {
            locked.unclear.push(Malformed { what: "a package without name or version", ..place(bytes, raw) });
            continue;
        };
        if ["workspace:", "root:", "link:"].iter().any(|own| reference.starts_with(own)) {
            continue;
        }
        places.insert(key, graph.nodes.len());
        let last = text(parts.len().saturating_sub(1)).unwrap_or_default();
        graph.nodes.push(node(
            name,
            reference,
            text(1).and_then(|text| text.said().map(str::to_owned)),
            &last.0,
            &info,
        ));
        infos.push((key.as_ref(), info));
    }
    for (node, (key, info)) in graph.nodes.iter_mut().zip(&infos) {
        let lists = [
            (&info.dependencies, false),
            (&info.peer_dependencies, false),
            (&info.optional_dependencies, true),
        ];
        for (names, optional) in lists {
            let found = names.0.iter().filter_map(|name| search(&places, key, name));
            node.needs.extend(found.map(|to| Need { to, optional }));
        }
    }
    for (_, workspace) in &lockfile.workspaces.0 {
        let lists = [
            (&workspace.dependencies, Ask::Needed),
            (&workspace.peer_dependencies, Ask::Needed),
            (&workspace.dev_dependencies, Ask::Development),
            (&workspace.optional_dependencies, Ask::Optional),
        ];
        for (names, ask) in lists {
            let found = names.0.iter().filter_map(|name| search(&places, &workspace.name.0, name));
            graph.asked.extend(found.map(|to| (to, ask)));
        }
    }
    graph.tell_direct();
    graph.tell_dev();
    graph.tell_optional();
    graph.tell_when();
    locked.packages = graph.into_packages();
    Ok(locked)
}

fn node(name: &str, reference: &str, registry: Option<String>, last: &str, info: &Info<'_>) -> Node {
    let mut from = resolved(reference, name);
    if from.origin.is_none()
        && let Some(url) = registry.filter(|text| text.contains("://"))
    {
        // The registry's URL, or that of the file there.
        from = resolved(&url, name);
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

/// The package that a name means to the one with a key: `a/b` is the `b` within `a`.
fn search(places: &HashMap<&str, usize>, from: &str, name: &str) -> Option<usize> {
    let mut folder = from;
    let mut key = String::with_capacity(from.len() + name.len() + 1);
    while !folder.is_empty() {
        key.clear();
        key.extend([folder, "/", name]);
        if let Some(at) = places.get(key.as_str()) {
            return Some(*at);
        }
        let outer = folder.rsplit_once('/').map_or("", |(outer, _)| outer);
        // A scope is no package.
        let scope = outer.rsplit('/').next().is_some_and(|last| last.starts_with('@'));
        folder = if scope { outer.rsplit_once('/').map_or("", |(outer, _)| outer) } else { outer };
    }
    places.get(name).copied()
}

/// JSON of the same length, without comments and trailing commas, so that places stay.
fn without_extras(text: &str) -> Cow<'_, str> {
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
