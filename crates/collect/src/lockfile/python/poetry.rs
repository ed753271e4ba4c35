//! `poetry.lock`. <https://python-poetry.org/docs/basic-usage/#installing-with-poetrylock>
//!
//! Since its second major version Poetry writes each package's groups and its condition for each of them. Before, the
//! edges must be followed from the `pyproject.toml` beside it; without that, nothing is known of when a package is
//! installed.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::platform::marker::Variable;
use parallax_model::platform::marker::alternatives::Alternatives;
use toml::Spanned;
use toml::de::DeValue;

use super::graph::{self, Entry, Place, Purpose, Want, When};
use super::table::{self, Table};
use super::{
    Versions, alternatives, condition, condition_of, edge, hash, integrity, manifest, normalised, origin,
    requirement, sorted,
};
use crate::lockfile::{Files, Locked, Malformed, Origin, Package};

/// Reads it.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let text = files.text()?;
    let root = table::parse(text)?;
    let mut unclear = Vec::new();
    let all = entries(text, &root, &mut unclear);
    let manifest = manifest::beside(files, "pyproject.toml");
    let starts = manifest.as_ref().map(manifest::starts);
    let direct = starts.as_deref().map(manifest::names);
    let (entries, tables): (Vec<Entry<'_>>, Vec<&Table<'_>>) = all.into_iter().unzip();
    let places = starts.as_deref().map(|starts| graph::places(&entries, starts));
    let versions = versions(&entries, &tables);
    let metadata = table::table(&root, "metadata");
    let mut packages = Vec::new();
    for (at, (entry, table)) in entries.iter().zip(&tables).enumerate() {
        if is_local(table) {
            continue;
        }
        let place = places.as_ref().and_then(|places| places.get(at));
        let (when, dev) = told(table, manifest.as_ref()).unwrap_or_else(|| by_graph(table, place));
        let needs = entry.needs.iter().chain(entry.extras.values().flatten());
        packages.push(Package {
            name: entry.name.clone(),
            version: version(entry, table).to_owned(),
            integrity: integrity(hashes(table, metadata).into_iter()),
            origin: origin_of(table),
            direct: direct.as_ref().map(|direct| direct.contains(&entry.name)),
            dev,
            optional: table::is_true(table, "optional"),
            when,
            needs: sorted(needs.filter_map(|want| edge(&want.name, None, &versions)).collect()),
        });
    }
    let version = metadata.and_then(|metadata| table::text(metadata, "lock-version")).unwrap_or_default();
    Ok(Locked { version: version.to_owned(), packages, unclear })
}

fn entries<'t>(
    text: &str,
    root: &'t Table<'_>,
    unclear: &mut Vec<Malformed>,
) -> Vec<(Entry<'t>, &'t Table<'t>)> {
    let mut entries = Vec::new();
    for item in table::list(root, "package") {
        let found = table::as_table(item.get_ref()).and_then(|table| {
            Some((table::text(table, "name").and_then(normalised)?, table::text(table, "version")?, table))
        });
        let Some((name, version, table)) = found else {
            unclear.push(table::malformed(text, item.span().start, "a package without a name or version"));
            continue;
        };
        let mut entry = Entry { name, version, ..Entry::default() };
        for (name, value) in table::fields(table, "dependencies") {
            need(&mut entry, table, name, value);
        }
        entries.push((entry, table));
    }
    entries
}

/// What a package needs: always, or for those of its extras that name it.
fn need<'t>(entry: &mut Entry<'t>, package: &'t Table<'_>, name: &'t str, value: &'t DeValue<'_>) {
    let Some(name) = normalised(name) else { return };
    let several = table::items(Some(value)).filter_map(|item| table::as_table(item.get_ref()));
    let tables: Vec<&Table<'_>> = several.chain(table::as_table(value)).collect();
    if tables.is_empty() {
        entry.needs.push(Want { name, ..Want::default() });
        return;
    }
    for table in tables {
        let marker = table::text(table, "markers");
        let extras = table::texts(table, "extras").filter_map(normalised).collect();
        let want = Want { name: name.clone(), version: None, extras, when: When::Always };
        if !table::is_true(table, "optional") {
            let when = marker.map_or(When::Always, When::Marker);
            entry.needs.push(Want { when, ..want });
            continue;
        }
        let when = marker.map_or_else(Alternatives::always, alternatives);
        for extra in extras_with(package, &want.name) {
            let when = When::Made(when.given(Variable::Extra, extra));
            let Some(extra) = normalised(extra) else { continue };
            entry.extras.entry(extra).or_default().push(Want { when, ..want.clone() });
        }
    }
}

/// The extras of a package that ask for a name.
fn extras_with<'t>(package: &'t Table<'_>, name: &str) -> impl Iterator<Item = &'t str> {
    table::fields(package, "extras").filter_map(move |(extra, list)| {
        let mut texts = table::items(Some(list)).filter_map(|item| table::as_text(item.get_ref()));
        // `trio (>=0.32.0)`, which is a requirement too.
        texts.any(|text| requirement::parse(text).is_some_and(|found| found.name == name)).then_some(extra)
    })
}

/// Condition and whether only development needs it, as the package itself tells them; `None` where it does not.
fn told(table: &Table<'_>, manifest: Option<&Table<'_>>) -> Option<(Option<String>, Option<bool>)> {
    let groups: BTreeSet<&str> = table.get("groups").map(|_| table::texts(table, "groups").collect())?;
    let is_dev = !groups.contains("main");
    let is_asked_for = |group: &str| {
        group != "main" && manifest.is_some_and(|manifest| manifest::is_optional_group(manifest, group))
    };
    let markers = table.get("markers").map(Spanned::get_ref);
    if let Some(marker) = markers.and_then(table::as_text)
        && !groups.iter().any(|group| is_asked_for(group))
    {
        return Some((condition_of(marker), Some(is_dev)));
    }
    let mut when = Alternatives::never();
    for group in &groups {
        let by_group = markers.and_then(table::as_table).map(|by_group| table::text(by_group, group));
        let marker = by_group.unwrap_or_else(|| markers.and_then(table::as_text));
        let asked_for = if is_asked_for(group) {
            Purpose::OptionalGroup((*group).to_owned()).condition()
        } else {
            Alternatives::always()
        };
        when.join(&marker.map_or_else(Alternatives::always, alternatives).and(&asked_for));
    }
    Some((condition(&when), Some(is_dev)))
}

fn by_graph(table: &Table<'_>, place: Option<&Place>) -> (Option<String>, Option<bool>) {
    let dev = table::text(table, "category").map(|category| category == "dev");
    match place {
        Some(place) => (condition(&place.when), Some(dev.unwrap_or(place.dev))),
        None => (condition(&Alternatives::unknown()), dev),
    }
}

fn source<'t>(table: &'t Table<'_>, field: &str) -> Option<&'t str> {
    table::text(table::table(table, "source")?, field)
}

fn is_local(table: &Table<'_>) -> bool {
    source(table, "type") == Some("directory")
}

fn version<'t>(entry: &Entry<'t>, table: &'t Table<'_>) -> &'t str {
    let commit = source(table, "resolved_reference").filter(|_| source(table, "type") == Some("git"));
    commit.unwrap_or(entry.version)
}

fn versions(entries: &[Entry<'_>], tables: &[&Table<'_>]) -> Versions {
    let mut versions = BTreeMap::new();
    for (entry, table) in entries.iter().zip(tables).filter(|(_, table)| !is_local(table)) {
        let list: &mut Vec<String> = versions.entry(entry.name.clone()).or_default();
        list.push(version(entry, table).to_owned());
    }
    versions
}

/// Beside the package, or for the older format in a table of their own.
fn hashes(table: &Table<'_>, metadata: Option<&Table<'_>>) -> Vec<String> {
    let name = table::text(table, "name").unwrap_or_default();
    let apart = metadata.and_then(|metadata| table::table(metadata, "files"));
    let apart = apart.into_iter().flat_map(|files| table::tables(files, name));
    let files = table::tables(table, "files").chain(apart);
    files.filter_map(|file| table::text(file, "hash")).filter_map(hash).collect()
}

fn origin_of(table: &Table<'_>) -> Option<Origin> {
    let url = source(table, "url")?;
    match source(table, "type")? {
        "git" => Some(Origin::Git(origin::location(url))),
        "url" => Some(Origin::Url(origin::location(url))),
        "file" => Some(Origin::Path(origin::location(url))),
        _ => origin::registry(url),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::corpus;
    use super::*;

    #[test]
    fn a_real_one() {
        let Some(text) = corpus("python-poetry+poetry/poetry.lock") else { return };
        let root = table::parse(&text).unwrap();
        let all = entries(&text, &root, &mut Vec::new());
        assert_eq!(all.len(), 78);
        let edges = |(_, table): &(Entry<'_>, &Table<'_>)| table::fields(table, "dependencies").count();
        assert_eq!(all.iter().map(edges).sum::<usize>(), 87);
    }
}
