//! `flake.lock` of Nix, versions 5 to 7, and `devbox.lock`.
//! <https://nix.dev/manual/nix/latest/command-ref/new-cli/nix3-flake.html#lock-files>, <https://www.jetify.com/docs/devbox/>
//!
//! The inputs of a flake are named by what they point to (`github:NixOS/nixpkgs`) and not by the node's name, which the file makes up
//! (`nixpkgs_2`). What is built for a system from one of devbox' packages is not told apart: its version and commit are one for all.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::origin::clean;
use super::tree::{Source, Tree};
use super::{Edge, Files, Locked, Malformed, Origin, Package};

/// Inputs that follow one another by more steps than this follow a circle.
const MOST_STEPS: usize = 64;

pub(super) fn flake(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::json(files)?;
    let Some(list) = source.root.get("nodes") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `nodes`" });
    };
    let root = source.root.said("root").unwrap_or("root");
    let inputs = Inputs::of(list, root);
    let mut known: BTreeMap<&str, Package> = BTreeMap::new();
    let mut locked = Locked {
        version: source.root.get("version").and_then(Tree::text).unwrap_or_default().to_owned(),
        ..Locked::default()
    };
    for (name, node) in list.fields().iter().filter(|(name, _)| name != root) {
        // A path within the project has nothing that is locked.
        let Some(of) = node.get("locked") else { continue };
        match input(of) {
            Some(package) => drop(known.insert(name, package)),
            None => locked.unclear.push(source.unclear_field(name, "an input without a commit or hash")),
        }
    }
    let direct: HashSet<&str> = inputs.of_node(root).collect();
    for (name, _) in list.fields() {
        let Some(package) = known.get(&**name) else { continue };
        let edge = |to: &str| {
            let to = known.get(to)?;
            Some(Edge { name: to.name.clone(), version: Some(to.version.clone()) })
        };
        let mut needs: Vec<Edge> = inputs.of_node(name).filter_map(edge).collect();
        needs.sort();
        needs.dedup();
        let direct = Some(direct.contains(&**name));
        locked.packages.push(Package { direct, needs, ..package.clone() });
    }
    Ok(locked)
}

/// What each node has as inputs, by the node's and the input's name.
struct Inputs<'t> {
    root: &'t str,
    by_node: HashMap<&'t str, &'t Tree<'t>>,
    by_name: HashMap<(&'t str, &'t str), &'t Tree<'t>>,
}

impl<'t> Inputs<'t> {
    fn of(list: &'t Tree<'t>, root: &'t str) -> Self {
        let lists = list.fields().iter().filter_map(|(node, tree)| Some((&**node, tree.get("inputs")?)));
        let by_node: HashMap<&str, &Tree<'_>> = lists.collect();
        let named = |(node, inputs): (&&'t str, &&'t Tree<'t>)| {
            let node = *node;
            inputs.fields().iter().map(move |(name, to)| ((node, &**name), to))
        };
        let by_name = by_node.iter().flat_map(named).collect();
        Self { root, by_node, by_name }
    }

    /// The nodes that one has as inputs.
    fn of_node(&self, node: &str) -> impl Iterator<Item = &'t str> {
        let fields = self.by_node.get(node).map(|inputs| inputs.fields()).unwrap_or_default();
        fields.iter().filter_map(|(_, to)| self.resolved(to, &mut MOST_STEPS.clone()))
    }

    /// A text is a node; a list is a way from the root (`follows`), each step of which may follow another.
    fn resolved(&self, to: &'t Tree<'t>, left: &mut usize) -> Option<&'t str> {
        if let Some(name) = to.text() {
            return Some(name);
        }
        let mut at = self.root;
        for step in to.texts() {
            *left = left.checked_sub(1)?;
            at = self.resolved(self.by_name.get(&(at, step))?, left)?;
        }
        (!to.items().is_empty()).then_some(at)
    }
}

fn input(of: &Tree<'_>) -> Option<Package> {
    let said = |name: &str| of.said(name);
    let hash = said("narHash");
    let (name, origin) =
        match (said("type")?, said("owner"), said("repo"), said("url").or_else(|| said("path"))) {
            (kind @ ("github" | "gitlab" | "sourcehut"), Some(owner), Some(repository), _) => {
                let host = said("host").map(|host| format!("?host={}", clean(host))).unwrap_or_default();
                let name = format!("{kind}:{owner}/{repository}{host}");
                (name.clone(), Origin::Git(name))
            }
            ("git" | "hg", _, _, Some(url)) => (clean(url), Origin::git(url)),
            ("path", _, _, Some(path)) => (clean(path), Origin::path(path)),
            (_, _, _, Some(url)) => (clean(url), Origin::url(url)),
            (_, _, _, None) => return None,
        };
    Some(Package {
        name,
        version: said("rev").or(hash)?.to_owned(),
        integrity: hash.map(str::to_owned).into_iter().collect(),
        origin: Some(origin),
        ..Package::default()
    })
}

pub(super) fn devbox(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::json(files)?;
    let Some(list) = source.root.get("packages") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `packages`" });
    };
    let mut locked = Locked {
        version: source.root.said("lockfile_version").unwrap_or_default().to_owned(),
        ..Locked::default()
    };
    for (name, entry) in list.fields() {
        match tool(name, entry) {
            Some(package) => locked.packages.push(package),
            None => locked.unclear.push(source.unclear_field(name, "a package that is not resolved")),
        }
    }
    Ok(locked)
}

/// `go@1.21`, resolved to `github:NixOS/nixpkgs/<commit>#go`; a flake's reference has no version of its own.
fn tool(name: &str, entry: &Tree<'_>) -> Option<Package> {
    let resolved = entry.said("resolved")?;
    let (flake, _) = resolved.split_once('#').unwrap_or((resolved, ""));
    let commit = flake.rsplit('/').next().filter(|part| part.len() == 40);
    let (flake, commit) = match commit {
        Some(commit) => (flake.strip_suffix(commit).unwrap_or(flake).trim_end_matches('/'), Some(commit)),
        None => (flake, None),
    };
    let own = entry.said("version");
    let name = match name.rsplit_once('@') {
        Some((name, _)) if own.is_some() && !name.is_empty() => name,
        Some(_) | None => name,
    };
    let default = flake.eq_ignore_ascii_case("github:NixOS/nixpkgs");
    Some(Package {
        name: clean(name),
        version: own.or(commit)?.to_owned(),
        integrity: commit.map(|commit| format!("git:{commit}")).into_iter().collect(),
        origin: (!default).then(|| Origin::git(flake)),
        direct: Some(true),
        ..Package::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    #[test]
    fn inputs_of_a_flake() {
        shown::check(
            shown::read(
                flake,
                r#"{"nodes": {
"utils": {"inputs": {"nixpkgs": ["nixpkgs"], "x": ["home", "pkgs"]}, "locked": {"lastModified": 1, "narHash": "sha256-uu", "owner": "numtide", "repo": "flake-utils", "rev": "0123", "type": "github"}},
"nixpkgs": {"locked": {"narHash": "sha256-nn", "owner": "NixOS", "repo": "nixpkgs", "rev": "4567", "type": "github"}},
"home": {"inputs": {"pkgs": "nixpkgs_2", "loop": ["home", "loop"]}, "locked": {"narHash": "sha256-hh", "type": "tarball", "url": "https://u:p@h.example/home.tar.gz?x=1"}},
"nixpkgs_2": {"locked": {"narHash": "sha256-n2", "rev": "89ab", "type": "git", "url": "https://h.example/n.git"}},
"own": {"original": {"path": "./own", "type": "path"}},
"odd": {"locked": {"type": "github"}},
"root": {"inputs": {"utils": "utils", "nixpkgs": "nixpkgs", "home": "home"}}}, "root": "root", "version": 7}"#,
            ),
            &[
                "github:numtide/flake-utils 0123 [sha256-uu] git(github:numtide/flake-utils) direct -> github:NixOS/nixpkgs@4567 https://h.example/n.git@89ab",
                "github:NixOS/nixpkgs 4567 [sha256-nn] git(github:NixOS/nixpkgs) direct",
                "https://h.example/home.tar.gz sha256-hh [sha256-hh] url(https://h.example/home.tar.gz) direct -> https://h.example/n.git@89ab",
                "https://h.example/n.git 89ab [sha256-n2] git(https://h.example/n.git) indirect",
                "! 7:2: an input without a commit or hash",
            ],
        );
    }

    #[test]
    fn packages_of_devbox() {
        shown::check(
            shown::read(
                devbox,
                r#"{"lockfile_version": "1", "packages": {
"go@1.21": {"last_modified": "x", "resolved": "github:NixOS/nixpkgs/75a52265bda7fd25e06e3a67dee3f0354e73243c#go_1_21", "source": "devbox-search", "version": "1.21.4", "systems": {}},
"github:acme/flake#tool": {"resolved": "github:acme/flake/85a52265bda7fd25e06e3a67dee3f0354e73243c#tool"},
"odd@latest": {}}}"#,
            ),
            &[
                "go 1.21.4 [git:75a52265bda7fd25e06e3a67dee3f0354e73243c] direct",
                "github:acme/flake#tool 85a52265bda7fd25e06e3a67dee3f0354e73243c [git:85a52265bda7fd25e06e3a67dee3f0354e73243c] git(github:acme/flake) direct",
                "! 4:2: a package that is not resolved",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(flake);
        shown::hostile(devbox);
        shown::check(shown::read(flake, "{}"), &["!! 1:1: no field `nodes`"]);
        shown::check(shown::read(devbox, "{}"), &["!! 1:1: no field `packages`"]);
        // Ways that follow one another many times over.
        let steps = vec!["\"a\""; 40].join(",");
        let text = format!(
            "{{\"nodes\": {{\"root\": {{\"inputs\": {{\"a\": [{steps}]}}}}, \"b\": {{\"locked\": {{\"type\": \"x\", \"url\": \"u\", \"rev\": \"1\"}}}}}}}}"
        );
        shown::check(shown::read(flake, &text), &["u 1 url(u) indirect"]);
    }
}
