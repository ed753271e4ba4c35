//! `uv.lock`. <https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>
//!
//! The project and its workspace's members stand in it like packages and are what everything starts from. Markers stand
//! on the edges.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::DeValue;

use super::graph::{self, Entry, Place, Purpose, Start, Want, When};
use super::table::{self, Table};
use super::{Versions, condition, edge, hash, integrity, manifest, normalised, origin, sorted};
use crate::lockfile::{Files, Locked, Malformed, Origin, Package};

/// Reads it.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let text = files.text()?;
    let root = table::parse(text)?;
    let mut unclear = Vec::new();
    let all = entries(text, &root, &mut unclear);
    let (entries, tables): (Vec<Entry<'_>>, Vec<&Table<'_>>) = all.into_iter().unzip();
    let starts = starts(files, &root, &entries, &tables);
    let places = graph::places(&entries, &starts);
    let direct = direct(&entries, &tables, &starts);
    let versions = versions(&entries, &tables);
    let mut packages = Vec::new();
    for ((entry, table), place) in entries.iter().zip(&tables).zip(&places) {
        if !is_local(table) {
            packages.push(package(entry, table, place, direct.contains(&entry.name), &versions));
        }
    }
    let version = table::scalar(&root, "version").unwrap_or_default().to_owned();
    Ok(Locked { version, packages, unclear })
}

/// Everything that the file lists, the project too.
fn entries<'t>(
    text: &str,
    root: &'t Table<'_>,
    unclear: &mut Vec<Malformed>,
) -> Vec<(Entry<'t>, &'t Table<'t>)> {
    let mut entries = Vec::new();
    for item in table::list(root, "package") {
        let found = table::as_table(item.get_ref()).and_then(|table| {
            let name = table::text(table, "name").and_then(normalised)?;
            let version = table::text(table, "version").unwrap_or_default();
            (is_local(table) || !version.is_empty() || commit(table).is_some())
                .then_some((name, version, table))
        });
        let Some((name, version, table)) = found else {
            unclear.push(table::malformed(text, item.span().start, "a package without a name or version"));
            continue;
        };
        let needs = wants(table.get("dependencies"));
        let of_extra = |(extra, _): (&'t str, _)| {
            let inner = table::table(table, "optional-dependencies")?;
            Some((normalised(extra)?, wants(inner.get(extra))))
        };
        let extras = table::fields(table, "optional-dependencies").filter_map(of_extra).collect();
        entries.push((Entry { name, version, needs, extras }, table));
    }
    entries
}

fn wants<'t>(list: Option<&'t Spanned<DeValue<'_>>>) -> Vec<Want<'t>> {
    let tables = table::items(list.map(Spanned::get_ref)).filter_map(|item| table::as_table(item.get_ref()));
    tables.filter_map(want).collect()
}

fn want<'t>(table: &'t Table<'_>) -> Option<Want<'t>> {
    Some(Want {
        name: table::text(table, "name").and_then(normalised)?,
        version: table::text(table, "version"),
        extras: table::texts(table, "extra")
            .chain(table::texts(table, "extras"))
            .filter_map(normalised)
            .collect(),
        when: table::text(table, "marker").map_or(When::Always, When::Marker),
    })
}

/// What a table says of where its package comes from.
fn source<'t>(table: &'t Table<'_>, kind: &str) -> Option<&'t str> {
    table::text(table::table(table, "source")?, kind)
}

fn is_local(table: &Table<'_>) -> bool {
    ["editable", "virtual", "directory"].iter().any(|kind| source(table, kind).is_some())
}

fn commit<'t>(table: &'t Table<'_>) -> Option<&'t str> {
    source(table, "git")?.split_once('#').map(|(_, commit)| commit).filter(|commit| !commit.is_empty())
}

/// What the members ask for: all of them in a workspace, since each may be what is deployed.
fn starts<'t>(
    files: &Files<'_>,
    root: &'t Table<'_>,
    entries: &[Entry<'t>],
    tables: &[&'t Table<'t>],
) -> Vec<Start<'t>> {
    let manifest = table::table(root, "manifest");
    let members: BTreeSet<String> = manifest
        .into_iter()
        .flat_map(|manifest| table::texts(manifest, "members"))
        .filter_map(normalised)
        .collect();
    let default_groups = default_groups(files);
    let of_group = |group: &str| {
        let is_default = default_groups.as_ref().is_none_or(|groups| groups.contains(group));
        if is_default { Purpose::Group(group.to_owned()) } else { Purpose::OptionalGroup(group.to_owned()) }
    };
    let mut starts = Vec::new();
    for (entry, table) in entries.iter().zip(tables) {
        if !is_local(table) || (!members.is_empty() && !members.contains(&entry.name)) {
            continue;
        }
        let itself = |extras: Vec<String>| Want { name: entry.name.clone(), extras, ..Want::default() };
        starts.push(Start { want: itself(Vec::new()), purpose: Purpose::Main });
        for extra in entry.extras.keys() {
            starts.push(Start { want: itself(vec![extra.clone()]), purpose: Purpose::Extra(extra.clone()) });
        }
        for (group, list) in table::fields(table, "dev-dependencies") {
            let tables = table::items(Some(list)).filter_map(|item| table::as_table(item.get_ref()));
            starts.extend(tables.filter_map(want).map(|want| Start { want, purpose: of_group(group) }));
        }
    }
    if let Some(manifest) = manifest {
        starts.extend(
            wants(manifest.get("requirements"))
                .into_iter()
                .map(|want| Start { want, purpose: Purpose::Main }),
        );
        for (group, list) in table::fields(manifest, "dependency-groups") {
            let tables = table::items(Some(list)).filter_map(|item| table::as_table(item.get_ref()));
            starts.extend(tables.filter_map(want).map(|want| Start { want, purpose: of_group(group) }));
        }
    }
    starts
}

/// The groups that are installed unless left out; `None` is all of them.
fn default_groups(files: &Files<'_>) -> Option<BTreeSet<String>> {
    let root = manifest::beside(files, "pyproject.toml");
    let tool = root.as_ref().and_then(|root| table::table_at(root, &["tool", "uv"]));
    let Some(tool) = tool.filter(|tool| tool.contains_key("default-groups")) else {
        return Some(BTreeSet::from(["dev".to_owned()]));
    };
    if table::text(tool, "default-groups") == Some("all") {
        return None;
    }
    Some(table::texts(tool, "default-groups").map(str::to_owned).collect())
}

/// What the project and its members ask for themselves.
fn direct(entries: &[Entry<'_>], tables: &[&Table<'_>], starts: &[Start<'_>]) -> BTreeSet<String> {
    let local = entries.iter().zip(tables).filter(|(_, table)| is_local(table));
    let needs = local.flat_map(|(entry, _)| entry.needs.iter().chain(entry.extras.values().flatten()));
    needs.chain(starts.iter().map(|start| &start.want)).map(|want| want.name.clone()).collect()
}

fn versions(entries: &[Entry<'_>], tables: &[&Table<'_>]) -> Versions {
    let mut versions = Versions::new();
    for (entry, table) in entries.iter().zip(tables).filter(|(_, table)| !is_local(table)) {
        versions.entry(entry.name.clone()).or_default().push(version(entry, table).to_owned());
    }
    versions
}

fn version<'t>(entry: &Entry<'t>, table: &'t Table<'_>) -> &'t str {
    commit(table).unwrap_or(entry.version)
}

fn package(
    entry: &Entry<'_>,
    table: &Table<'_>,
    place: &Place,
    direct: bool,
    versions: &Versions,
) -> Package {
    let files = table::table(table, "sdist").into_iter().chain(table::tables(table, "wheels"));
    let needs = entry.needs.iter().chain(entry.extras.values().flatten());
    Package {
        name: entry.name.clone(),
        version: version(entry, table).to_owned(),
        integrity: integrity(files.filter_map(|file| table::text(file, "hash")).filter_map(hash)),
        origin: origin_of(table),
        direct: Some(direct),
        dev: Some(place.dev),
        optional: place.optional,
        when: condition(&place.when),
        needs: sorted(needs.filter_map(|want| edge(&want.name, want.version, versions)).collect()),
    }
}

fn origin_of(table: &Table<'_>) -> Option<Origin> {
    let at = |kind| source(table, kind);
    at("git")
        .map(|url| Origin::Git(origin::location(url)))
        .or_else(|| at("url").map(|url| Origin::Url(origin::location(url))))
        .or_else(|| at("path").map(|path| Origin::Path(path.to_owned())))
        .or_else(|| at("registry").and_then(origin::registry))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::{check, corpus};
    use super::*;

    #[test]
    fn a_real_one() {
        let Some(text) = corpus("cartography-cncf+cartography/uv.lock") else { return };
        let root = table::parse(&text).unwrap();
        let all = entries(&text, &root, &mut Vec::new());
        // With the project itself, and without what extras and groups ask for.
        assert_eq!(all.len(), 235);
        assert_eq!(all.iter().map(|(entry, _)| entry.needs.len()).sum::<usize>(), 550);
        let others = BTreeMap::new();
        let locked = read(&Files::new("uv.lock", text.as_bytes(), &others)).unwrap();
        assert_eq!(locked.packages.len(), 234);
        // The conditions that uv itself exports; what only a group or extra asks for it leaves out.
        let asked_for = |when: &str| when.contains("dependency_groups") || when.contains("extra ==");
        let told = |package: &Package| Some(format!("{} {}", package.name, package.when.as_ref()?));
        let told: Vec<String> =
            locked.packages.iter().filter_map(told).filter(|told| !asked_for(told)).collect();
        let expected = [
            "cffi python: platform_python_implementation != 'PyPy'",
            "pycparser python: implementation_name != 'PyPy' and platform_python_implementation != 'PyPy'",
            "pywin32 python: sys_platform == 'win32'",
            "tomli python: python_full_version <= '3.11'",
        ];
        assert_eq!(told, expected);
        let always = locked.packages.iter().filter(|package| package.when.is_none()).count();
        assert_eq!(always, 200);
    }

    #[test]
    fn sources() {
        let text = r#"
            version = 1
            revision = 3
            [[package]]
            name = "shop"
            source = { virtual = "." }
            dependencies = [{ name = "a" }, { name = "B_c" }, { name = "d" }, { name = "e" }, { name = "f" }]
            [[package]]
            name = "a"
            version = "1"
            source = { git = "https://user:hunter2@host.example.org/a?rev=main#0123abc" }
            [[package]]
            name = "b-c"
            version = "2"
            source = { url = "https://host.example.org/b_c-2.tar.gz" }
            sdist = { hash = "sha256:00" }
            [[package]]
            name = "d"
            version = "3"
            source = { path = "dist/d-3-py3-none-any.whl" }
            wheels = [{ filename = "d-3-py3-none-any.whl", hash = "sha256:22" }, { hash = "sha256:11" }]
            [[package]]
            name = "e"
            version = "4"
            source = { registry = "https://index.example.org/simple" }
            dependencies = [{ name = "a", marker = "os_name == 'nt'" }]
            [[package]]
            name = "f"
            version = "5"
            source = { directory = "libraries/f" }
            dependencies = [{ name = "g" }]
            [[package]]
            name = "g"
            version = "6"
            source = { registry = "https://pypi.org/simple" }
            [[package]]
            name = "nothing"
        "#;
        check(
            read,
            "uv.lock",
            &[("uv.lock", text)],
            &[
                "format 1",
                "a 0123abc from git https://host.example.org/a direct",
                "b-c 2 from url https://host.example.org/b_c-2.tar.gz direct sha256:00",
                "d 3 from path dist/d-3-py3-none-any.whl direct sha256:11 sha256:22",
                "e 4 from registry https://index.example.org/simple direct -> a 0123abc",
                "g 6 direct",
                "unclear 36:13: a package without a name or version",
            ],
        );
    }
}
