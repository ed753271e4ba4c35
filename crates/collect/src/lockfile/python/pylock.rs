//! `pylock.toml`, of whichever tool. <https://packaging.python.org/en/latest/specifications/pylock-toml/>

use parallax_model::platform::marker::alternatives::Alternatives;

use super::table::{self, Table};
use super::{
    Versions, alternatives, condition, condition_of, edge, hash_of, integrity, manifest, normalised, origin,
    sorted,
};
use crate::lockfile::{Edge, Files, Locked, Malformed, Origin, Package};

/// Reads it.
pub(in crate::lockfile) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let text = files.text()?;
    let root = table::parse(text)?;
    let manifest = manifest::beside(files, "pyproject.toml");
    let direct = manifest.as_ref().map(|manifest| manifest::names(&manifest::starts(manifest)));
    let default_groups: Vec<&str> = table::texts(&root, "default-groups").collect();
    let mut unclear = Vec::new();
    let mut found: Vec<(Package, &Table<'_>)> = Vec::new();
    for item in table::list(&root, "packages") {
        let package = table::as_table(item.get_ref())
            .and_then(|table| Some((table::text(table, "name").and_then(normalised)?, table)));
        let Some((name, table)) = package else {
            unclear.push(table::malformed(text, item.span().start, "a package without a name"));
            continue;
        };
        if table.contains_key("directory") {
            continue;
        }
        let Some((version, origin)) = source(table) else {
            unclear.push(table::malformed(text, item.span().start, "a package without a version or source"));
            continue;
        };
        let when = table::text(table, "marker").and_then(|marker| when(marker, &default_groups));
        let package = Package {
            direct: direct.as_ref().map(|direct| direct.contains(&name)),
            name,
            version,
            integrity: integrity(hashes(table)),
            origin,
            when,
            ..Package::default()
        };
        found.push((package, table));
    }
    let mut versions = Versions::new();
    for (package, _) in &found {
        versions.entry(package.name.clone()).or_default().push(package.version.clone());
    }
    let packages =
        found.into_iter().map(|(package, table)| Package { needs: needs(table, &versions), ..package });
    let version = table::scalar(&root, "lock-version").unwrap_or_default().to_owned();
    Ok(Locked { version, packages: packages.collect(), unclear })
}

/// Version and origin of a package that is no folder.
fn source(table: &Table<'_>) -> Option<(String, Option<Origin>)> {
    let at = |inner: &str, field: &str| table::text(table::table(table, inner)?, field);
    let version = table::text(table, "version").map(str::to_owned);
    if let Some(commit) = at("vcs", "commit-id") {
        let place = at("vcs", "url").or_else(|| at("vcs", "path")).unwrap_or_default();
        return Some((commit.to_owned(), Some(Origin::Git(origin::location(place)))));
    }
    if table.contains_key("archive") {
        let url = at("archive", "url").map(origin::location);
        let path = at("archive", "path").map(origin::location);
        let place = url.clone().or_else(|| path.clone())?;
        let named = || origin::of_file(&place).map(|(_, version)| version.to_owned());
        let version = version.or_else(named).unwrap_or_else(|| place.clone());
        return Some((version, url.map(Origin::Url).or(path.map(Origin::Path))));
    }
    Some((version?, table::text(table, "index").and_then(origin::registry)))
}

/// A marker in which the groups that are installed unless left out have been asked for.
fn when(marker: &str, default_groups: &[&str]) -> Option<String> {
    if default_groups.is_empty() {
        return condition_of(marker);
    }
    let given = |when: Alternatives, group: &&str| when.given_group(group);
    condition(&default_groups.iter().fold(alternatives(marker), given))
}

fn hashes(table: &Table<'_>) -> impl Iterator<Item = String> {
    let single = ["sdist", "archive"].into_iter().filter_map(|field| table::table(table, field));
    let files = single.chain(table::tables(table, "wheels"));
    let hashes = files.flat_map(|file| table::fields(file, "hashes"));
    hashes.filter_map(|(algorithm, digest)| hash_of(algorithm, table::as_text(digest)?))
}

fn needs(table: &Table<'_>, versions: &Versions) -> Vec<Edge> {
    let tables = table::tables(table, "dependencies");
    let needed = tables.filter_map(|need| {
        edge(&table::text(need, "name").and_then(normalised)?, table::text(need, "version"), versions)
    });
    sorted(needed.collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn sources_and_groups() {
        let lock = r#"
            lock-version = "1.0"
            extras = ["fast"]
            dependency-groups = ["dev", "doc"]
            default-groups = ["dev"]
            [[packages]]
            name = "A"
            version = "1.0"
            marker = "'dev' in dependency_groups and os_name == 'nt'"
            index = "https://pypi.org/simple/"
            dependencies = [{name = "b"}, {name = "missing"}]
            sdist = {hashes = {sha256 = "02", md5 = "03"}}
            wheels = [{hashes = {sha256 = "01"}}]
            [[packages]]
            name = "b"
            marker = "'doc' in dependency_groups or 'fast' in extras"
            vcs = {type = "git", url = "https://u:p@host.example.org/b", commit-id = "0123abc"}
            [[packages]]
            name = "c"
            archive = {url = "https://host.example.org/c-2.0.tar.gz", hashes = {sha512 = "04"}}
            [[packages]]
            name = "d"
            directory = {path = "."}
            [[packages]]
            name = "e"
            [[packages]]
            version = "1"
        "#;
        check(
            read,
            "pylock.toml",
            &[("pylock.toml", lock)],
            &[
                "format 1.0",
                "a 1.0 direct? dev? when python: os_name == 'nt' md5:03 sha256:01 sha256:02 -> b 0123abc",
                "b 0123abc from git https://host.example.org/b direct? dev? when python: 'doc' in dependency_groups or 'fast' in extras",
                "c 2.0 from url https://host.example.org/c-2.0.tar.gz direct? dev? sha512:04",
                "unclear 24:13: a package without a version or source",
                "unclear 26:13: a package without a name",
            ],
        );
    }
}
