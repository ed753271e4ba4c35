//! What the manifests of a `Cargo.lock` ask for: its folder's and those of its workspace's members.
//!
//! Cargo records no requests in its lockfile. `1.2` means `^1.2` and is written so.

use std::collections::BTreeSet;

use super::Declared;
use crate::lockfile::Files;
use crate::lockfile::tree::{Source, Tree};

const LISTS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Reads them.
pub(super) fn read(files: &Files<'_>) -> Declared {
    let mut declared = Declared::default();
    let Some(root) = files.beside("Cargo.toml").and_then(|file| Source::toml(&file).ok()) else {
        return declared;
    };
    declared.own = own(files);
    for place in ["patch", "replace"] {
        for (_, list) in root.root.get(place).map(Tree::fields).unwrap_or_default() {
            list.fields().iter().for_each(|(name, _)| declared.doubt(name));
        }
    }
    let shared = root.root.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let paths = files.under().filter(|path| *path == "Cargo.toml" || path.ends_with("/Cargo.toml"));
    for path in paths {
        let Some(manifest) = files.beside(path).and_then(|file| Source::toml(&file).ok()) else { continue };
        let name = manifest.root.get("package").and_then(|package| package.said("name"));
        if name.is_some_and(|name| declared.own.contains(name)) {
            member(&manifest.root, shared, &mut declared);
        }
    }
    declared
}

/// The names of the packages that a lockfile has without a source: the workspace's members, and folders by path.
fn own(files: &Files<'_>) -> BTreeSet<String> {
    let text = files.text().unwrap_or_default();
    let blocks = text.split("[[package]]").skip(1);
    let own = blocks.filter(|block| !block.lines().any(|line| line.starts_with("source = ")));
    own.filter_map(|block| {
        let name = block.lines().find_map(|line| line.strip_prefix("name = "))?;
        Some(name.trim().trim_matches('"').to_owned())
    })
    .collect()
}

fn member(manifest: &Tree<'_>, shared: Option<&Tree<'_>>, declared: &mut Declared) {
    let targets = manifest.get("target").map(Tree::fields).unwrap_or_default();
    for table in targets.iter().map(|(_, table)| table).chain([manifest]) {
        for (alias, request) in LISTS.iter().filter_map(|list| table.get(list)).flat_map(Tree::fields) {
            let of_workspace = request.said("workspace") == Some("true");
            let found =
                if of_workspace { shared.and_then(|shared| shared.get(alias)) } else { Some(request) };
            let Some(found) = found else {
                declared.doubt(alias);
                continue;
            };
            let name = found.said("package").unwrap_or(alias);
            let elsewhere =
                ["path", "git", "registry", "registry-index"].iter().any(|field| found.get(field).is_some());
            match found.text().or_else(|| found.said("version")).filter(|_| !elsewhere).and_then(canonical) {
                Some(text) => declared.ask(name, &text),
                None => declared.doubt(name),
            }
        }
    }
}

/// A requirement with its operators.
fn canonical(text: &str) -> Option<String> {
    let clauses = text.split(',').map(str::trim).filter(|clause| !clause.is_empty());
    let clause = |clause: &str| {
        let bare = clause.starts_with(|c: char| c.is_ascii_digit()) && !clause.contains('*');
        let text: String = clause.chars().filter(|c| !c.is_whitespace()).collect();
        if bare { format!("^{text}") } else { text }
    };
    let all: Vec<String> = clauses.map(clause).collect();
    let plain = all.iter().all(|clause| clause.is_ascii() && clause.len() < 100);
    (plain && !all.is_empty()).then(|| all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::lines;

    const LOCK: &str = "version = 4\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\"a\"]\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n[[package]]\nname = \"inner\"\nversion = \"0.1.0\"\n";

    #[test]
    fn requests_of_a_workspace() {
        let root = "[package]\nname = 'shop'\n[dependencies]\na = '1.2'\nb = { package = 'real', version = '>=1, <2' }\nl = { path = 'l', version = '1' }\ng = { git = 'https://h/g' }\ninner = '1'\n[target.'cfg(unix)'.dependencies]\nt = '=1.0.0'\n[workspace.dependencies]\nw = '1.*'\n[patch.crates-io]\np = { path = 'p' }\n";
        let member = "[package]\nname = 'inner'\n[dev-dependencies]\nw.workspace = true\na = '1'\np = '1'\nu.workspace = true\n";
        let other = "[package]\nname = 'other'\n[dependencies]\nz = '1'\n";
        assert_eq!(
            lines(
                "cargo",
                LOCK,
                &[("Cargo.toml", root), ("crates/inner/Cargo.toml", member), ("x/Cargo.toml", other)]
            ),
            ["asked a ^1 | ^1.2", "asked real >=1, <2", "asked t =1.0.0", "asked w 1.*"]
        );
        assert_eq!(lines("cargo", LOCK, &[]), Vec::<String>::new());
    }
}
