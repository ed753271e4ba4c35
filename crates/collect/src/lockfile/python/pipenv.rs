//! `Pipfile.lock`. <https://pipenv.pypa.io/en/latest/pipfile.html>
//!
//! Each category is flat: no edges, and each package with its own marker. What Pipenv could not resolve it writes with
//! the version `*`; such a package is not locked.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::platform::marker::alternatives::Alternatives;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    alternatives, condition, condition_of, hash, integrity, manifest, normalised, origin, requirement,
};
use crate::lockfile::json::{self, Entries, Text, Texts};
use crate::lockfile::{Files, Locked, Malformed, Origin, Package};

/// What is installed in production.
const DEFAULT: &str = "default";

const NOT_A_LOCK: &str = "not a Pipfile.lock";

type Raw<'a> = Entries<'a, &'a RawValue>;

#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(rename = "pipfile-spec")]
    version: Option<u64>,
    #[serde(borrow, default)]
    sources: Vec<Source<'a>>,
}

#[derive(Deserialize)]
struct Source<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    url: Text<'a>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    version: Text<'a>,
    #[serde(borrow, default)]
    git: Text<'a>,
    #[serde(borrow, default, rename = "ref")]
    reference: Text<'a>,
    #[serde(borrow, default)]
    file: Text<'a>,
    #[serde(borrow, default)]
    path: Text<'a>,
    #[serde(borrow, default)]
    index: Text<'a>,
    #[serde(borrow, default)]
    markers: Text<'a>,
    #[serde(borrow, default)]
    hashes: Texts<'a>,
}

/// Reads it.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let text = files.text()?;
    let root: Raw<'_> = parse(text)?;
    let mut meta = Meta::default();
    let mut categories: Vec<(&str, Raw<'_>)> = Vec::new();
    for (name, raw) in &root.0 {
        let part = |error: serde_json::Error| within(text, raw, &error);
        if name == "_meta" {
            meta = serde_json::from_str(raw.get()).map_err(part)?;
        } else {
            categories.push((name, serde_json::from_str(raw.get()).map_err(part)?));
        }
    }
    // Production first, so that what both need is production's.
    categories.sort_by_key(|(name, _)| *name != DEFAULT);
    let mut reader = Reader {
        text,
        sources: meta.sources.iter().filter_map(|one| Some((one.name.said()?, one.url.said()?))).collect(),
        direct: manifest::beside(files, "Pipfile").as_ref().map(manifest::pipfile),
        by_version: BTreeMap::new(),
        locked: Locked::default(),
    };
    for (category, entries) in &categories {
        reader.category(category, entries);
    }
    let version = meta.version.map(|version| version.to_string()).unwrap_or_default();
    Ok(Locked { version, ..reader.locked })
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| json::malformed(&error, NOT_A_LOCK))
}

fn within(text: &str, raw: &RawValue, error: &serde_json::Error) -> Malformed {
    json::within(text.as_bytes(), raw, &json::malformed(error, NOT_A_LOCK))
}

struct Reader<'a> {
    text: &'a str,
    sources: BTreeMap<&'a str, &'a str>,
    direct: Option<BTreeSet<String>>,
    by_version: BTreeMap<(String, String), usize>,
    locked: Locked,
}

impl Reader<'_> {
    fn category(&mut self, category: &str, entries: &Raw<'_>) {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (name, raw) in &entries.0 {
            let unclear = |what| Malformed { what, ..json::place(self.text.as_bytes(), raw) };
            let fields: Fields<'_> = match serde_json::from_str(raw.get()) {
                Ok(fields) => fields,
                Err(error) => {
                    self.locked.unclear.push(within(self.text, raw, &error));
                    continue;
                }
            };
            let Some(name) = normalised(name) else {
                self.locked.unclear.push(unclear("a package without a name"));
                continue;
            };
            if !seen.insert(name.clone()) {
                self.locked.unclear.push(unclear("a package that was named before"));
            }
            if let Some(package) = self.package(name, &fields, category) {
                self.add(package);
            }
        }
    }

    fn add(&mut self, package: Package) {
        let key = (package.name.clone(), package.version.clone());
        let at = *self.by_version.entry(key).or_insert(self.locked.packages.len());
        match self.locked.packages.get_mut(at) {
            Some(known) => join(known, &package),
            None => self.locked.packages.push(package),
        }
    }

    /// What an entry locks; `None` where it locks nothing: a folder, or a version that was left open.
    fn package(&self, name: String, fields: &Fields<'_>, category: &str) -> Option<Package> {
        let (version, origin) = if let Some(url) = fields.git.said() {
            (fields.reference.said()?.to_owned(), Some(Origin::Git(origin::location(url))))
        } else if let Some(place) = fields.file.said().or_else(|| fields.path.said()) {
            let is_url = place.contains("://");
            let location = origin::location(place);
            let version = origin::of_file(&location).map(|(_, version)| version.to_owned());
            let version = version.or_else(|| is_url.then(|| location.clone()))?;
            (version, Some(if is_url { Origin::Url(location) } else { Origin::Path(location) }))
        } else {
            // Without a name it comes from the only one.
            let only = self.sources.values().next().filter(|_| self.sources.len() == 1);
            let registry = fields.index.said().and_then(|index| self.sources.get(index)).or(only);
            let version = requirement::pin(fields.version.said()?)?.to_owned();
            (version, registry.and_then(|url| origin::registry(url)))
        };
        Some(Package {
            integrity: integrity(fields.hashes.list().into_iter().filter_map(hash)),
            direct: self.direct.as_ref().map(|direct| direct.contains(&name)),
            name,
            version,
            origin,
            dev: Some(category != DEFAULT),
            optional: false,
            when: fields.markers.said().and_then(condition_of),
            needs: Vec::new(),
        })
    }
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
            "docs": {"e": {"version": "==3"}, "E": {"version": "==3"}}}"#;
        check(
            read,
            "Pipfile.lock",
            &[("Pipfile.lock", lock), ("Pipfile", "[packages]\nclick = '*'\n[docs]\ne = '*'\n")],
            &[
                "format 6",
                "click 8.1.7 direct sha256:01 sha256:02 sha256:03",
                "b 1.0 from registry https://index.example.org/simple",
                "wheel 1.2 from url https://host.example.org/wheel-1.2-py3-none-any.whl",
                "fork 0123abc from git https://host.example.org/fork.git",
                "c 2 dev",
                "e 3 direct dev",
                "unclear 12:143: not a Pipfile.lock",
                "unclear 13:52: a package that was named before",
            ],
        );
    }
}
