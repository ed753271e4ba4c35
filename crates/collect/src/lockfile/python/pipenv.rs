//! `Pipfile.lock`. <https://pipenv.pypa.io/en/latest/pipfile.html>
//!
//! Each category is flat: no edges, and each package with its own marker. What Pipenv could not resolve it writes with
//! the version `*`; such a package is not locked.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::platform::marker::alternatives::Alternatives;
use serde::Deserialize;
use serde_json::Value;

use super::{
    alternatives, condition, condition_of, hash, integrity, manifest, normalised, origin, requirement,
};
use crate::lockfile::{Files, Locked, Malformed, Origin, Package};

/// What is installed in production.
const DEFAULT: &str = "default";

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "_meta", default)]
    meta: Meta,
    #[serde(flatten)]
    categories: BTreeMap<String, BTreeMap<String, Value>>,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(rename = "pipfile-spec")]
    version: Option<u64>,
    #[serde(default)]
    sources: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    name: String,
    url: String,
}

/// Reads it.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let lock: Lock = serde_json::from_str(files.text()?).map_err(|error| Malformed {
        line: error.line().max(1),
        column: error.column().max(1),
        what: "not a Pipfile.lock",
    })?;
    let direct = manifest::beside(files, "Pipfile").as_ref().map(manifest::pipfile);
    let sources: BTreeMap<&str, &str> =
        lock.meta.sources.iter().map(|source| (source.name.as_str(), source.url.as_str())).collect();
    let mut packages: Vec<Package> = Vec::new();
    let mut unclear = Vec::new();
    let mut by_version: BTreeMap<(String, String), usize> = BTreeMap::new();
    // Production first, so that what both need is production's.
    let default = lock.categories.get_key_value(DEFAULT);
    let others = lock.categories.iter().filter(|(category, _)| *category != DEFAULT);
    for (category, entries) in default.into_iter().chain(others) {
        for (name, entry) in entries {
            let Some(name) = normalised(name).filter(|_| entry.is_object()) else {
                unclear.push(Malformed { line: 1, column: 1, what: "a package without a name or fields" });
                continue;
            };
            let Some(found) = package(name, entry, category, &sources, direct.as_ref()) else { continue };
            match by_version.get(&(found.name.clone(), found.version.clone())) {
                Some(at) => packages.get_mut(*at).into_iter().for_each(|known| join(known, &found)),
                None => {
                    by_version.insert((found.name.clone(), found.version.clone()), packages.len());
                    packages.push(found);
                }
            }
        }
    }
    let version = lock.meta.version.map(|version| version.to_string()).unwrap_or_default();
    Ok(Locked { version, packages, unclear })
}

/// What an entry locks; `None` where it locks nothing: a folder, or a version that was left open.
fn package(
    name: String,
    entry: &Value,
    category: &str,
    sources: &BTreeMap<&str, &str>,
    direct: Option<&BTreeSet<String>>,
) -> Option<Package> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str);
    let (version, origin) = if let Some(url) = text("git") {
        (text("ref")?.to_owned(), Some(Origin::Git(origin::location(url))))
    } else if let Some(place) = text("file").or_else(|| text("path")) {
        let is_url = place.contains("://");
        let location = origin::location(place);
        let version = origin::of_file(&location).map(|(_, version)| version.to_owned());
        let version = version.or_else(|| is_url.then(|| location.clone()))?;
        (version, Some(if is_url { Origin::Url(location) } else { Origin::Path(location) }))
    } else {
        let registry = text("index").and_then(|index| sources.get(index)).or_else(|| {
            // Without a name it comes from the first one.
            sources.values().next().filter(|_| sources.len() == 1)
        });
        (requirement::pin(text("version")?)?.to_owned(), registry.and_then(|url| origin::registry(url)))
    };
    let hashes = entry.get("hashes").and_then(Value::as_array).into_iter().flatten();
    Some(Package {
        integrity: integrity(hashes.filter_map(Value::as_str).filter_map(hash)),
        direct: direct.map(|direct| direct.contains(&name)),
        name,
        version,
        origin,
        dev: Some(category != DEFAULT),
        optional: false,
        when: text("markers").and_then(condition_of),
        needs: Vec::new(),
    })
}

/// The same version in another category.
fn join(known: &mut Package, other: &Package) {
    known.integrity.extend(other.integrity.iter().cloned());
    known.integrity = integrity(known.integrity.drain(..));
    let of = |when: Option<&String>| {
        let marker = when.and_then(|when| when.strip_prefix("python: "));
        marker.map_or_else(Alternatives::always, alternatives)
    };
    let mut when = of(known.when.as_ref());
    when.join(&of(other.when.as_ref()));
    known.when = condition(&when);
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn categories_and_sources() {
        let lock = r#"{
            "_meta": {"pipfile-spec": 6, "sources": [
                {"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true},
                {"name": "own", "url": "https://user:hunter2@index.example.org/simple", "verify_ssl": true}]},
            "default": {
                "Click": {"hashes": ["sha256:02", "sha256:01"], "index": "pypi", "version": "==8.1.7", "markers": "os_name == 'nt'"},
                "b": {"version": "==1.0", "index": "own"},
                "open": {"version": "*"},
                "folder": {"path": ".", "editable": true},
                "wheel": {"file": "https://u:p@host.example.org/wheel-1.2-py3-none-any.whl"},
                "fork": {"git": "https://host.example.org/fork.git", "ref": "0123abc"}},
            "develop": {"click": {"version": "==8.1.7", "hashes": ["sha256:03"], "markers": "os_name != 'nt'"}, "c": {"version": "==2"}, "d": 3},
            "docs": {"e": {"version": "==3"}}}"#;
        check(
            read,
            "Pipfile.lock",
            &[("Pipfile.lock", lock), ("Pipfile", "[packages]\nclick = '*'\n[docs]\ne = '*'\n")],
            &[
                "format 6",
                "click 8.1.7 direct sha256:01 sha256:02 sha256:03",
                "b 1.0 from registry https://index.example.org/simple",
                "fork 0123abc from git https://host.example.org/fork.git",
                "wheel 1.2 from url https://host.example.org/wheel-1.2-py3-none-any.whl",
                "c 2 dev",
                "e 3 direct dev",
                "unclear 1:1: a package without a name or fields",
            ],
        );
    }
}
