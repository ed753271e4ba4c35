//! `mise.lock`. <https://mise.jdx.dev/dev-tools/mise-lock.html>
//!
//! Hashes are those of the archives of all platforms that were ever locked; the version is one for all.

use std::collections::BTreeSet;

use super::tree::{Source, Tree};
use super::{Files, Locked, Malformed, Origin, Package};

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::toml(files)?;
    let mut locked = Locked::default();
    for (name, tools) in source.root.get("tools").map(Tree::fields).unwrap_or_default() {
        // One version was a table before several could be.
        let entries = match tools.items() {
            [] => std::slice::from_ref(tools),
            several => several,
        };
        for entry in entries {
            match package(name, entry) {
                Some(package) => locked.packages.push(package),
                None => locked.unclear.push(source.unclear(entry, "a tool without a version")),
            }
        }
    }
    Ok(locked)
}

fn package(name: &str, entry: &Tree<'_>) -> Option<Package> {
    let backend = entry.said("backend").filter(|backend| !backend.starts_with("core:"));
    Some(Package {
        name: name.to_owned(),
        version: entry.said("version")?.to_owned(),
        integrity: hashes(entry).into_iter().collect(),
        origin: backend.map(Origin::registry),
        direct: Some(true),
        ..Package::default()
    })
}

/// Platforms stand in a table of their own, or each in one named `platforms.linux-x64`.
fn hashes(entry: &Tree<'_>) -> BTreeSet<String> {
    let own =
        entry.fields().iter().filter(|(name, _)| name.starts_with("platforms.")).map(|(_, table)| table);
    let grouped = entry.get("platforms").map(Tree::fields).unwrap_or_default().iter().map(|(_, table)| table);
    let of_platforms = own.chain(grouped).filter_map(|table| table.said("checksum"));
    let older = entry.get("checksums").map(Tree::fields).unwrap_or_default();
    of_platforms.chain(older.iter().filter_map(|(_, hash)| hash.text())).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::read;

    #[test]
    fn tools() {
        shown::check(
            shown::read(
                read,
                "[[tools.node]]\nversion = '22.1.0'\nbackend = 'core:node'\n[tools.node.\"platforms.linux-x64\"]\nchecksum = 'sha256:aa'\n[[tools.node]]\nversion = '20.0.0'\n[tools.node.platforms]\nlinux-arm64 = {checksum='sha256:bb'}\nmacos-arm64 = {checksum='sha256:0c'}\n[tools.rg]\nversion = '14.1.1'\nbackend = 'aqua:BurntSushi/ripgrep'\n[tools.rg.checksums]\n'rg.tar.gz' = 'blake3:dd'\n[tools.odd]\nx = 'y'\n",
            ),
            &[
                "node 22.1.0 [sha256:aa] direct",
                "node 20.0.0 [sha256:0c sha256:bb] direct",
                "rg 14.1.1 [blake3:dd] registry(aqua:BurntSushi/ripgrep) direct",
                "! 17:1: a tool without a version",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "tools = 3\n"), &[]);
        shown::check(shown::read(read, "[tools\n"), &["!! 1:7: not TOML"]);
    }
}
