//! `pdm.lock`. <https://pdm-project.org/latest/usage/lockfile/>
//!
//! Newer ones write each package's groups and its own marker; for others the edges are followed from the `pyproject.toml`
//! beside it. A package with extras stands there a second time, for what these need besides.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::platform::marker::alternatives::Alternatives;

use super::graph::{self, Entry, Purpose, Start, Want};
use super::table::{self, Table};
use super::{
    Versions, alternatives, condition, condition_of, edge, hash, integrity, manifest, normalised, origin,
    sorted,
};
use crate::lockfile::{Files, Locked, Malformed, Origin, Package};

/// What the project asks for itself.
const DEFAULT: &str = "default";

/// Reads it.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let text = files.text()?;
    let root = table::parse(text)?;
    let mut unclear = Vec::new();
    let (entries, tables) = entries(text, &root, &mut unclear);
    let manifest = manifest::beside(files, "pyproject.toml");
    let starts = manifest.as_ref().map(manifest::starts);
    let direct = starts.as_deref().map(manifest::names);
    let places = starts.as_deref().map(|starts| graph::places(&entries, starts));
    let mut versions = Versions::new();
    for (entry, table) in entries.iter().zip(&tables).filter(|(_, table)| !is_local(table)) {
        versions.entry(entry.name.clone()).or_default().push(version(entry, table).to_owned());
    }
    let mut packages = Vec::new();
    for (at, (entry, table)) in entries.iter().zip(&tables).enumerate() {
        if is_local(table) {
            continue;
        }
        let (when, dev, optional) = match told(table, starts.as_deref()) {
            Some(told) => told,
            None => match places.as_ref().and_then(|places| places.get(at)) {
                Some(place) => (condition(&place.when), Some(place.dev), place.optional),
                None => (condition(&Alternatives::unknown()), None, false),
            },
        };
        let needs = entry.needs.iter().chain(entry.extras.values().flatten());
        let needs = needs.filter(|want| want.name != entry.name);
        packages.push(Package {
            name: entry.name.clone(),
            version: version(entry, table).to_owned(),
            integrity: integrity(hashes(&root, table).into_iter()),
            origin: origin_of(table),
            direct: direct.as_ref().map(|direct| direct.contains(&entry.name)),
            dev,
            optional,
            when,
            needs: sorted(needs.filter_map(|want| edge(&want.name, None, &versions)).collect()),
        });
    }
    let version = table::table(&root, "metadata").and_then(|metadata| table::text(metadata, "lock_version"));
    Ok(Locked { version: version.unwrap_or_default().to_owned(), packages, unclear })
}

/// Each version once, with what its extras need.
fn entries<'t>(
    text: &str,
    root: &'t Table<'_>,
    unclear: &mut Vec<Malformed>,
) -> (Vec<Entry<'t>>, Vec<&'t Table<'t>>) {
    let (mut entries, mut tables): (Vec<Entry<'t>>, Vec<&'t Table<'t>>) = (Vec::new(), Vec::new());
    let mut by_version: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for item in table::list(root, "package") {
        let found = table::as_table(item.get_ref()).and_then(|table| {
            let version = table::text(table, "version").unwrap_or_default();
            let named = !version.is_empty() || is_local(table) || table::text(table, "revision").is_some();
            table::text(table, "name")
                .and_then(normalised)
                .filter(|_| named)
                .map(|name| (name, version, table))
        });
        let Some((name, version, table)) = found else {
            unclear.push(table::malformed(text, item.span().start, "a package without a name or version"));
            continue;
        };
        let needs: Vec<Want<'t>> = table::texts(table, "dependencies").filter_map(manifest::want).collect();
        let extras: Vec<String> = table::texts(table, "extras").filter_map(normalised).collect();
        let at = *by_version.entry((name.clone(), version)).or_insert(entries.len());
        if at == entries.len() {
            entries.push(Entry { name, version, ..Entry::default() });
            tables.push(table);
        }
        let (Some(entry), Some(known)) = (entries.get_mut(at), tables.get_mut(at)) else { continue };
        if extras.is_empty() {
            entry.needs = needs;
            *known = table;
        } else {
            for extra in extras {
                entry.extras.entry(extra).or_default().extend(needs.iter().cloned());
            }
        }
    }
    (entries, tables)
}

/// Condition, whether only development needs it, and whether only an extra does, as the package itself tells them.
fn told(table: &Table<'_>, starts: Option<&[Start<'_>]>) -> Option<(Option<String>, Option<bool>, bool)> {
    let groups: BTreeSet<&str> = table.get("groups").map(|_| table::texts(table, "groups").collect())?;
    let marker = table::text(table, "marker").or_else(|| table::text(table, "markers"));
    if groups.contains(DEFAULT) {
        return Some((marker.and_then(condition_of), Some(false), false));
    }
    let Some(starts) = starts else {
        // Extras and development groups look alike here.
        let when = marker.map_or_else(Alternatives::always, alternatives).and(&Alternatives::unknown());
        return Some((condition(&when), None, false));
    };
    let purposes: Vec<Purpose> = groups.iter().map(|group| purpose(group, starts)).collect();
    let mut asked_for = Alternatives::never();
    for purpose in &purposes {
        asked_for.join(&purpose.condition());
    }
    let dev = purposes.iter().all(Purpose::is_dev);
    let when = match marker {
        Some(marker) if asked_for.is_always() => condition_of(marker),
        _ => condition(&marker.map_or_else(Alternatives::always, alternatives).and(&asked_for)),
    };
    Some((when, Some(dev), !dev))
}

/// What a group is for: those of the manifest's extras by their name, every other one for development.
fn purpose(group: &str, starts: &[Start<'_>]) -> Purpose {
    let name = normalised(group).unwrap_or_default();
    let extra = Purpose::Extra(name);
    if starts.iter().any(|start| start.purpose == extra) { extra } else { Purpose::Group(group.to_owned()) }
}

fn is_local(table: &Table<'_>) -> bool {
    let path = table::text(table, "path");
    table::is_true(table, "editable") || path.is_some_and(|path| origin::of_file(path).is_none())
}

fn version<'t>(entry: &Entry<'t>, table: &'t Table<'_>) -> &'t str {
    table::text(table, "revision").filter(|_| table.contains_key("git")).unwrap_or(entry.version)
}

/// Beside the package, or for the older format in a table of their own under `name version`.
fn hashes(root: &Table<'_>, table: &Table<'_>) -> Vec<String> {
    let version = table::text(table, "version").unwrap_or_default();
    let key = format!("{} {version}", table::text(table, "name").unwrap_or_default());
    let apart = table::table_at(root, &["metadata", "files"]);
    let apart = apart.into_iter().flat_map(|files| table::tables(files, &key));
    let files = table::tables(table, "files").chain(apart);
    files.filter_map(|file| table::text(file, "hash")).filter_map(hash).collect()
}

fn origin_of(table: &Table<'_>) -> Option<Origin> {
    let at = |field| table::text(table, field).map(origin::location);
    at("git").map(Origin::Git).or_else(|| at("url").map(Origin::Url)).or_else(|| at("path").map(Origin::Path))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    const LOCK: &str = r#"
        [metadata]
        groups = ["default", "dev", "fast"]
        strategy = ["inherit_metadata"]
        lock_version = "4.5.0"
        [[package]]
        name = "requests"
        version = "2.34.2"
        groups = ["default"]
        dependencies = ["idna<4,>=2.5", "colorama; sys_platform == \"win32\""]
        files = [{file = "requests.whl", hash = "sha256:01"}]
        [[package]]
        name = "requests"
        version = "2.34.2"
        extras = ["socks"]
        groups = ["default"]
        dependencies = ["PySocks!=1.5.7,>=1.5.6", "requests==2.34.2"]
        [[package]]
        name = "PySocks"
        version = "1.7.1"
        groups = ["default"]
        [[package]]
        name = "idna"
        version = "3.20"
        groups = ["default", "dev"]
        marker = "python_version >= \"3.9\""
        [[package]]
        name = "colorama"
        version = "0.4.6"
        groups = ["dev"]
        marker = "sys_platform == \"win32\""
        [[package]]
        name = "uvloop"
        version = "0.23.0"
        groups = ["fast"]
        marker = "sys_platform != \"win32\""
        [[package]]
        name = "own"
        version = "0.1"
        path = "./own"
        groups = ["default"]
        [[package]]
        name = "fork"
        version = "1.0"
        git = "https://user:hunter2@host.example.org/fork.git"
        revision = "0123abc"
        groups = ["default"]
    "#;

    #[test]
    fn with_groups_and_markers() {
        let manifest = "[project]\ndependencies = ['requests[socks]', 'fork @ git+https://x']\n[project.optional-dependencies]\nfast = ['uvloop']\n[dependency-groups]\ndev = ['colorama']\n";
        check(
            read,
            "pdm.lock",
            &[("pdm.lock", LOCK), ("pyproject.toml", manifest)],
            &[
                "format 4.5.0",
                "requests 2.34.2 direct sha256:01 -> colorama 0.4.6 -> idna 3.20 -> pysocks 1.7.1",
                "pysocks 1.7.1",
                "idna 3.20 when python: python_version >= '3.9'",
                "colorama 0.4.6 direct dev when python: sys_platform == 'win32'",
                "uvloop 0.23.0 direct optional when python: sys_platform != 'win32' and extra == 'fast'",
                "fork 0123abc from git https://host.example.org/fork.git direct",
            ],
        );
    }

    #[test]
    fn alone() {
        check(
            read,
            "pdm.lock",
            &[(
                "pdm.lock",
                "metadata.lock_version = '3.1'\nmetadata.files = {'A 1' = [{hash = 'sha256:00'}]}\npackage = [{name = 'A', version = '1'}, {name = 'b', version = '2', groups = ['x'], marker = \"os_name == 'nt'\"}, 3]",
            )],
            &[
                "format 3.1",
                "a 1 direct? dev? when python: ? sha256:00",
                "b 2 direct? dev? when python: os_name == 'nt' and ?",
                "unclear 3:114: a package without a name or version",
            ],
        );
    }
}
