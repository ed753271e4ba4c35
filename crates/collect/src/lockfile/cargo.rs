//! `Cargo.lock`, versions 1 to 4. <https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>
//!
//! Packages without a source are the project's own (its workspace, folders by path) and stand for nobody; what they need is
//! direct. What development alone needs is told where the manifests of all of them are there.
//! Read with the TOML parser that is here already, and not with the crate `cargo-lock`, which brings `url` and its tables.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::graph::tell_dev;
use super::origin::clean;
use super::tree::{Source, Tree};
use super::{Edge, Files, Locked, Malformed, Origin, Package};

/// The registry of crates.io, as Cargo writes it.
const DEFAULT: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

/// One `[[package]]`, borrowed.
struct Entry<'t> {
    name: &'t str,
    version: &'t str,
    source: Option<&'t str>,
    checksum: Option<&'t str>,
    needs: Vec<&'t str>,
}

impl Entry<'_> {
    /// The version that a package has here: a commit where it comes from git.
    fn resolved(&self) -> &str {
        let commit = self
            .source
            .filter(|source| source.starts_with("git+"))
            .and_then(|source| source.rsplit_once('#'))
            .map(|(_, commit)| commit);
        commit.filter(|commit| !commit.is_empty()).unwrap_or(self.version)
    }
}

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::toml(files)?;
    let checksums = old_checksums(&source.root);
    let mut unclear = Vec::new();
    let mut entries = Vec::new();
    let packages = source.root.get("package").map(Tree::items).unwrap_or_default();
    for tree in packages.iter().chain(source.root.get("root")) {
        match entry(tree, &checksums) {
            Some(entry) => entries.push(entry),
            None => unclear.push(source.unclear(tree, "a package without name or version")),
        }
    }
    let graph = Graph::of(&entries);
    for entry in entries.iter().filter(|entry| entry.needs.iter().any(|need| graph.target(need).is_none())) {
        unclear.push(source.unclear_field(entry.name, "a package that needs one that is not locked"));
    }
    let direct = graph.direct();
    let packages = graph.packages(&direct);
    let mut locked = Locked { version: version(&source.root), packages, unclear };
    if let Some(asked) = graph.asked(files) {
        tell_dev(&mut locked, &asked);
    }
    Ok(locked)
}

/// The first two versions write none; checksums beside the packages tell them apart.
fn version(root: &Tree<'_>) -> String {
    match root.get("version").and_then(Tree::text) {
        Some(version) => version.to_owned(),
        None if root.get("metadata").is_some() => "1".to_owned(),
        None => "2".to_owned(),
    }
}

/// Version 1 keeps checksums in a table: `"checksum NAME VERSION (SOURCE)" = "hash"`.
fn old_checksums<'t>(root: &'t Tree<'_>) -> BTreeMap<&'t str, &'t str> {
    let fields = root.get("metadata").map(Tree::fields).unwrap_or_default();
    let pair = |(name, hash): &'t (_, Tree<'_>)| {
        let name: &'t std::borrow::Cow<'_, str> = name;
        Some((name.strip_prefix("checksum ")?, hash.text()?))
    };
    fields.iter().filter_map(pair).collect()
}

fn entry<'t>(tree: &'t Tree<'_>, old: &BTreeMap<&'t str, &'t str>) -> Option<Entry<'t>> {
    let (name, version) = (tree.said("name")?, tree.said("version")?);
    let source = tree.said("source");
    let of_old = || {
        // Most files have none of these, and a text for each package is not free.
        let key = (!old.is_empty()).then(|| format!("{name} {version} ({})", source.unwrap_or_default()))?;
        old.get(key.as_str()).copied()
    };
    let checksum = tree.said("checksum").or_else(of_old).filter(|hash| *hash != "<none>");
    let needs = tree.get("dependencies").map(|list| list.texts().collect()).unwrap_or_default();
    Some(Entry { name, version, source, checksum, needs })
}

/// The entries, and where each stands by its name, and by that and the version; the first counts. Those of one name and
/// version stand by their source, too.
struct Graph<'e, 't> {
    entries: &'e [Entry<'t>],
    places: HashMap<(&'t str, &'t str, &'t str), usize>,
}

impl<'e, 't> Graph<'e, 't> {
    fn of(entries: &'e [Entry<'t>]) -> Self {
        let mut places = HashMap::with_capacity(entries.len() * 2);
        for (at, entry) in entries.iter().enumerate() {
            places.entry((entry.name, "", "")).or_insert(at);
            let first = *places.entry((entry.name, entry.version, "")).or_insert(at);
            if first == at {
                continue;
            }
            for (at, entry) in entries.get(first).map(|entry| (first, entry)).into_iter().chain([(at, entry)])
            {
                let source = entry.source.unwrap_or_default();
                // Cargo leaves the commit out where a need names a git source.
                let short = source.rsplit_once('#').map_or(source, |(source, _)| source);
                for source in [source, short].into_iter().filter(|source| !source.is_empty()) {
                    places.entry((entry.name, entry.version, source)).or_insert(at);
                }
            }
        }
        Self { entries, places }
    }

    /// The entry that `name`, `name version` or `name version (source)` means.
    fn target(&self, need: &'t str) -> Option<usize> {
        let mut words = need.splitn(3, ' ');
        let (name, version) = (words.next()?, words.next().unwrap_or_default());
        let source = words.next().unwrap_or_default().trim_start_matches('(').trim_end_matches(')');
        let by_source = self.places.get(&(name, version, source));
        by_source.or_else(|| self.places.get(&(name, version, ""))).copied()
    }

    fn needed(&self, entry: &Entry<'t>) -> impl Iterator<Item = usize> {
        entry.needs.iter().filter_map(|need| self.target(need))
    }

    fn edge(&self, at: usize) -> Option<Edge> {
        let entry = self.entries.get(at).filter(|entry| entry.source.is_some())?;
        Some(Edge { name: entry.name.to_owned(), version: Some(entry.resolved().to_owned()) })
    }

    /// What the project's own packages need.
    fn direct(&self) -> HashSet<usize> {
        let own = self.entries.iter().filter(|entry| entry.source.is_none());
        own.flat_map(|entry| self.needed(entry)).collect()
    }

    fn packages(&self, direct: &HashSet<usize>) -> Vec<Package> {
        let entries = self.entries.iter().enumerate();
        entries
            .filter_map(|(at, entry)| {
                let mut needs: Vec<Edge> = self.needed(entry).filter_map(|to| self.edge(to)).collect();
                needs.sort();
                Some(Package {
                    name: entry.name.to_owned(),
                    version: entry.resolved().to_owned(),
                    integrity: entry.checksum.map(|hash| format!("sha256:{hash}")).into_iter().collect(),
                    origin: origin(entry.source?),
                    direct: Some(direct.contains(&at)),
                    needs,
                    ..Package::default()
                })
            })
            .collect()
    }

    /// What the project asks for, and whether only for development; `None` where a package's manifest is not there, or
    /// names something that the lock has in several versions.
    fn asked(&self, files: &Files<'_>) -> Option<Vec<(Edge, bool)>> {
        let manifests = Manifests::of(files);
        let mut seen = HashSet::with_capacity(self.entries.len());
        let several: HashSet<&str> =
            self.entries.iter().map(|entry| entry.name).filter(|name| !seen.insert(*name)).collect();
        let mut asked = Vec::new();
        for own in self.entries.iter().filter(|entry| entry.source.is_none()) {
            let needed = manifests.needed(own.name)?;
            for at in self.needed(own) {
                let Some(edge) = self.edge(at) else { continue };
                let runs = needed.contains(edge.name.as_str());
                // One name, several versions: the manifest alone does not tell which is for development.
                if !runs && several.contains(edge.name.as_str()) {
                    return None;
                }
                asked.push((edge, !runs));
            }
        }
        Some(asked)
    }
}

/// The manifests of the project's own packages.
struct Manifests<'f> {
    of_package: HashMap<String, Source<'f>>,
    /// The workspace's names for packages, where these differ.
    aliases: HashMap<String, String>,
}

impl<'f> Manifests<'f> {
    fn of(files: &Files<'f>) -> Self {
        let mut found = Self { of_package: HashMap::new(), aliases: HashMap::new() };
        let paths = files.under().filter(|path| path.rsplit('/').next() == Some("Cargo.toml"));
        for manifest in paths.filter_map(|path| Source::toml(&files.beside(path)?).ok()) {
            let shared = manifest.root.get("workspace").and_then(|workspace| workspace.get("dependencies"));
            for (alias, value) in shared.map(Tree::fields).unwrap_or_default() {
                if let Some(name) = value.said("package") {
                    found.aliases.insert(alias.to_string(), name.to_owned());
                }
            }
            let name =
                manifest.root.get("package").and_then(|package| package.said("name")).map(str::to_owned);
            if let Some(name) = name {
                found.of_package.insert(name, manifest);
            }
        }
        found
    }

    /// The names that a package asks for otherwise than for development, by the needed package's own name.
    fn needed(&self, package: &str) -> Option<HashSet<&str>> {
        let root = &self.of_package.get(package)?.root;
        let targets = root.get("target").map(Tree::fields).unwrap_or_default();
        let tables = std::iter::once(root).chain(targets.iter().map(|(_, table)| table));
        let lists = tables.flat_map(|table| {
            ["dependencies", "build-dependencies", "build_dependencies"].map(|name| table.get(name))
        });
        let mut names = HashSet::new();
        for (alias, value) in lists.flatten().flat_map(Tree::fields) {
            let shared = value.said("workspace").and_then(|_| self.aliases.get(&**alias)).map(String::as_str);
            names.insert(value.said("package").or(shared).unwrap_or(alias));
        }
        Some(names)
    }
}

fn origin(source: &str) -> Option<Origin> {
    if DEFAULT.contains(&source) {
        return None;
    }
    Some(match source.split_once('+') {
        Some(("git", url)) => Origin::git(url),
        Some(("registry" | "sparse", url)) => Origin::registry(url),
        Some(("path" | "directory" | "local-registry", path)) => Origin::path(path),
        Some(_) | None => Origin::Url(clean(source)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::read;

    const HEAD: &str = "version = 3\n[[package]]\nname = 'own'\nversion = '0.1.0'\ndependencies = [\n 'a',\n 'b 1.0.0',\n 't',\n]\n";
    const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn package(name: &str, version: &str, source: &str, rest: &str) -> String {
        format!("[[package]]\nname = '{name}'\nversion = '{version}'\nsource = '{source}'\n{rest}\n")
    }

    fn lock() -> String {
        [
            HEAD.to_owned(),
            package("a", "1.2.0", INDEX, "checksum = 'aa'\ndependencies = ['b 2.0.0', 'own']"),
            package("b", "1.0.0", INDEX, "checksum = 'b1'"),
            package("b", "2.0.0", "sparse+https://user:pw@crates.example.org/index/", "checksum = 'b2'"),
            package(
                "t",
                "0.3.0",
                "git+https://git.example.org/t?branch=main#0123abc",
                "dependencies = ['a']",
            ),
        ]
        .concat()
    }

    #[test]
    fn packages_edges_and_sources() {
        shown::check(
            shown::read(read, &lock()),
            &[
                "a 1.2.0 [sha256:aa] direct -> b@2.0.0",
                "b 1.0.0 [sha256:b1] direct",
                "b 2.0.0 [sha256:b2] registry(https://crates.example.org/index) indirect",
                "t 0123abc git(https://git.example.org/t) direct -> a@1.2.0",
            ],
        );
        assert_eq!(shown::read(read, &lock()).unwrap().version, "3");
    }

    #[test]
    fn one_version_from_two_sources() {
        let text = [
            HEAD.replace(" 't',\n", " 'b 1.0.0 (git+https://h.example/b)',\n"),
            package("a", "1.0.0", INDEX, &format!("dependencies = ['b 1.0.0 ({INDEX})']")),
            package("b", "1.0.0", "git+https://h.example/b#c0ffee", ""),
            package("b", "1.0.0", INDEX, ""),
        ];
        shown::check(
            shown::read(read, &text.concat()),
            &["a 1.0.0 direct -> b@1.0.0", "b c0ffee git(https://h.example/b) direct", "b 1.0.0 indirect"],
        );
    }

    #[test]
    fn development_by_manifests() {
        let manifest = "[package]\nname='own'\n[dependencies]\nbee={package='b',version='1'}\n[dev-dependencies]\nt={git='x'}\na='1'\n";
        let dev = |manifest: &str| -> Vec<Option<bool>> {
            let locked = shown::read_with(read, &lock(), &[("Cargo.toml", manifest)]).unwrap();
            locked.packages.iter().map(|package| package.dev).collect()
        };
        assert_eq!(dev(manifest), [Some(true), Some(false), Some(true), Some(true)]);
        let target =
            "[package]\nname='own'\n[dependencies]\nb='1'\n[target.'cfg(unix)'.dependencies]\na='1'\n";
        assert_eq!(dev(target), [Some(false), Some(false), Some(false), Some(true)]);
        // `b` stands twice and is not asked for by name: nothing is said.
        assert_eq!(dev("[package]\nname='own'\n[dependencies]\na='1'\n"), [None; 4]);
        assert_eq!(dev("[workspace]\nmembers=['x']\n"), [None; 4]);
        assert_eq!(dev("oops"), [None; 4]);
        let member = "[package]\nname='own'\n[dependencies]\nbee={workspace=true}\n[dev-dependencies]\nt.workspace=true\n";
        let root = "[workspace.dependencies]\nbee={package='b',version='1'}\n";
        let beside = [("Cargo.toml", root), ("crates/own/Cargo.toml", member)];
        let locked = shown::read_with(read, &lock(), &beside).unwrap();
        let dev: Vec<_> = locked.packages.iter().map(|package| package.dev).collect();
        assert_eq!(dev, [Some(true), Some(false), Some(true), Some(true)]);
    }

    #[test]
    fn older_versions() {
        let one = format!(
            "[root]\nname='own'\nversion='1.0.0'\ndependencies=['a 1.0.0 ({INDEX})', 'g 0.1.0 (git+https://h.example/g)']\n{}{}[metadata]\n'checksum a 1.0.0 ({INDEX})' = 'aa'\n'checksum g 0.1.0 (git+https://h.example/g#c0ffee)' = '<none>'\n",
            package("a", "1.0.0", INDEX, ""),
            package("g", "0.1.0", "git+https://h.example/g#c0ffee", ""),
        );
        shown::check(
            shown::read(read, &one),
            &["a 1.0.0 [sha256:aa] direct", "g c0ffee git(https://h.example/g) direct"],
        );
        assert_eq!(shown::read(read, &one).unwrap().version, "1");
        assert_eq!(shown::read(read, "").unwrap().version, "2");
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(
            shown::read(read, "[[package]]\nname = 'x'\n[[package]]\nversion = '1'\n"),
            &["! 2:1: a package without name or version", "! 4:1: a package without name or version"],
        );
        shown::check(
            shown::read(read, "[[package]]\nname = 'x'\nversion = '1'\ndependencies = ['y']\n"),
            &["! 2:9: a package that needs one that is not locked"],
        );
        shown::check(shown::read(read, "package = 3\n"), &[]);
        shown::check(shown::read(read, "[[package]\nname = 'x'"), &["!! 1:11: not TOML"]);
    }

    #[test]
    fn a_real_file() {
        let Some(files) = shown::corpus("jdx+mise") else { return };
        let lock = super::Files::new("Cargo.lock", &files["Cargo.lock"], &files);
        let source = super::Source::toml(&lock).unwrap();
        let none = std::collections::BTreeMap::new();
        let list = source.root.get("package").unwrap().items();
        let entries: Vec<_> = list.iter().filter_map(|tree| super::entry(tree, &none)).collect();
        let graph = super::Graph::of(&entries);
        let edges: usize = entries.iter().map(|entry| graph.needed(entry).count()).sum();
        assert_eq!((entries.len(), edges), (1077, 4226));
        let locked = read(&lock).unwrap();
        let own = entries.iter().filter(|entry| entry.source.is_none()).count();
        assert_eq!((locked.packages.len(), locked.unclear.len()), (1077 - own, 0));
    }
}
