//! Packages of all lockfiles of an ecosystem, joined by name into resources: `dependency/<ecosystem>/<name>`. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::platform::pep440;
use parallax_model::{Attribute, Attributes, Key, Relation, RelationKind, Resource, Value};

use super::report::masked;
use crate::installed;
use crate::lockfile::{Declared, Locked, Origin, Package, purl};
use crate::secret::{sha256_hex, without_credentials};

/// All packages that were read, by ecosystem and name.
#[derive(Default)]
pub(super) struct Dependencies<'p>(
    BTreeMap<&'static str, BTreeMap<String, Joined<'p>>>,
    /// The names of the project's own packages, by ecosystem.
    BTreeMap<&'static str, BTreeSet<String>>,
);

/// What the lockfiles say of one package, in all its versions.
#[derive(Default)]
struct Joined<'p> {
    versions: BTreeSet<String>,
    integrity: BTreeSet<String>,
    sources: BTreeSet<String>,
    direct: Told,
    dev: Told,
    optional: Told,
    conditions: BTreeSet<String>,
    unconditional: bool,
    needs: BTreeSet<String>,
    lockfiles: BTreeSet<&'p str>,
    installed: BTreeSet<String>,
    asked: BTreeSet<String>,
    made_for: BTreeSet<String>,
    /// Whether some lockfile does not tell what it was made for, so that its requests can't be compared as texts.
    untold: bool,
}

/// What was told of something that is or is not, of several instances.
#[derive(Default)]
struct Told {
    yes: bool,
    no: bool,
    unknown: bool,
}

impl Told {
    fn add(&mut self, is: Option<bool>) {
        match is {
            Some(true) => self.yes = true,
            Some(false) => self.no = true,
            None => self.unknown = true,
        }
    }

    /// Whether it is so of any instance.
    fn any(&self) -> Option<bool> {
        if self.yes || !self.unknown { Some(self.yes) } else { None }
    }

    /// Whether it is so of every instance.
    fn every(&self) -> Option<bool> {
        if self.no || !self.unknown { Some(!self.no) } else { None }
    }
}

/// How many distinct packages and versions a lockfile fixes.
pub(super) fn count(locked: &Locked) -> u64 {
    let mut distinct: Vec<(&str, &str)> =
        locked.packages.iter().map(|package| (package.name.as_str(), package.version.as_str())).collect();
    distinct.sort_unstable();
    distinct.dedup();
    u64::try_from(distinct.len()).unwrap_or(u64::MAX)
}

impl<'p> Dependencies<'p> {
    /// Takes what one lockfile fixes.
    pub(super) fn add(&mut self, path: &'p str, ecosystem: &'static str, locked: Locked) {
        let by_name = self.0.entry(ecosystem).or_default();
        // Most packages of a lockfile come from one place.
        let mut known: Option<(Origin, String)> = None;
        for mut package in locked.packages {
            let name = match without_credentials(&package.name) {
                std::borrow::Cow::Borrowed(_) => std::mem::take(&mut package.name),
                std::borrow::Cow::Owned(name) => name,
            };
            if name.is_empty() {
                continue;
            }
            let joined = by_name.entry(name).or_default();
            if let Some(origin) = package.origin.take() {
                let text = match known.take() {
                    Some((same, text)) if same == origin => text,
                    Some(_) | None => source(&origin),
                };
                if !joined.sources.contains(&text) {
                    joined.sources.insert(text.clone());
                }
                known = Some((origin, text));
            }
            joined.add(path, package);
        }
    }

    /// Takes what the manifests of one lockfile ask for.
    pub(super) fn declare(&mut self, ecosystem: &'static str, declared: Declared) {
        self.1.entry(ecosystem).or_default().extend(declared.own);
        let by_name = self.0.entry(ecosystem).or_default();
        let untold = declared.made_for.is_none();
        let mut made_for = declared.made_for.unwrap_or_default();
        for (name, texts) in declared.asked {
            let joined = by_name.entry(without_credentials(&name).into_owned()).or_default();
            joined.asked.extend(texts);
            joined.made_for.extend(made_for.remove(&name).unwrap_or_default());
            joined.untold |= untold;
        }
    }

    /// Takes what is installed of an ecosystem, but for what the project is itself and what installers bring along; gives
    /// the hash of names and versions.
    pub(super) fn install(
        &mut self,
        ecosystem: &'static str,
        packages: BTreeSet<(String, String)>,
    ) -> String {
        let brought = installed::row(ecosystem).map(|row| row.brought).unwrap_or_default();
        let own = self.1.get(ecosystem);
        let by_name = self.0.entry(ecosystem).or_default();
        let mut lines = String::new();
        for (name, version) in packages {
            let is_locked = by_name.get(&name).is_some_and(|joined| !joined.lockfiles.is_empty());
            let is_own = own.is_some_and(|own| own.contains(&name));
            if !is_locked && (is_own || brought.contains(&name.as_str())) {
                continue;
            }
            lines.extend([name.as_str(), "@", &version, "\n"]);
            let name = without_credentials(&name).into_owned();
            by_name.entry(name).or_default().installed.insert(version);
        }
        sha256_hex(lines.as_bytes())
    }

    /// Turns them into resources.
    pub(super) fn into_resources(self) -> impl Iterator<Item = Resource> {
        self.0.into_iter().flat_map(|(ecosystem, by_name)| {
            by_name.into_iter().map(move |(name, joined)| joined.resource(ecosystem, &name))
        })
    }
}

impl<'p> Joined<'p> {
    fn add(&mut self, path: &'p str, package: Package) {
        if !package.version.is_empty() {
            self.versions.insert(package.version);
        }
        self.integrity.extend(package.integrity);
        self.direct.add(package.direct);
        self.dev.add(package.dev);
        self.optional.add(Some(package.optional));
        match package.when {
            Some(when) => self.conditions.extend(when.split(" | ").map(str::to_owned)),
            None => self.unconditional = true,
        }
        self.needs.extend(package.needs.into_iter().map(|edge| edge.name));
        self.lockfiles.insert(path);
    }

    fn resource(self, ecosystem: &str, name: &str) -> Resource {
        let key = Key::of(["dependency", ecosystem, name]);
        let relations = self.relations(ecosystem, &key);
        Resource { key, kind: "dependency".into(), attributes: self.attributes(ecosystem, name), relations }
    }

    fn attributes(self, ecosystem: &str, name: &str) -> Attributes {
        let mut list = Vec::with_capacity(8);
        let installed = self.installed(ecosystem);
        let mut add = |path: &str, value: Value| list.push(Attribute { path: path.into(), value });
        let joined = |texts: BTreeSet<String>| texts.into_iter().collect::<Vec<_>>().join(" ");
        if !self.integrity.is_empty() {
            add("integrity", joined(self.integrity).into());
        }
        match sorted(ecosystem, &self.versions).as_slice() {
            [] => {}
            [one] => add("version", masked(one).into()),
            several => {
                let masked: Vec<String> = several.iter().map(|version| masked(version)).collect();
                add("versions", masked.join(" ").into());
            }
        }
        if !installed.is_empty() {
            add("installed", installed.join(" ").into());
        }
        let texts = |texts: BTreeSet<String>| texts.into_iter().collect::<Vec<_>>().join(" | ");
        if !self.asked.is_empty() {
            add("declared", masked(&texts(self.asked)).into());
        }
        if !self.made_for.is_empty() && !self.untold {
            add("locked_for", masked(&texts(self.made_for)).into());
        }
        if !self.sources.is_empty() {
            add("source", joined(self.sources).into());
        }
        add("purl", purl(ecosystem, name, "").into());
        let is_locked = !self.lockfiles.is_empty();
        for (path, told) in [("direct", self.direct.any()), ("dev", self.dev.every())] {
            if let Some(told) = told.filter(|_| is_locked) {
                add(path, told.into());
            }
        }
        if is_locked && self.optional.every() == Some(true) {
            add("optional", true.into());
        }
        if !self.unconditional && !self.conditions.is_empty() {
            let conditions: Vec<String> = self.conditions.into_iter().collect();
            add("when", masked(&conditions.join(" | ")).into());
        }
        Attributes::from_unsorted(list)
    }

    /// The versions that are installed, each as it is locked where that is the same one in another spelling. A package from
    /// git or the disk is locked by a commit or a place, of which the installed one tells nothing: that it is there is all
    /// that counts.
    fn installed(&self, ecosystem: &str) -> Vec<String> {
        let elsewhere = self.sources.iter().any(|from| from.starts_with("git+") || from.starts_with("path+"));
        let is_locked = |version: &String| self.versions.contains(version);
        if elsewhere && !self.installed.is_empty() && !self.installed.iter().all(is_locked) {
            return sorted(ecosystem, &self.versions).into_iter().map(masked).collect();
        }
        let same = |version: &String| {
            let parsed = pep440::Version::parse(version).filter(|_| ecosystem == "pypi")?;
            self.versions
                .iter()
                .find(|locked| pep440::Version::parse(locked).as_ref() == Some(&parsed))
                .cloned()
        };
        let spelled: BTreeSet<String> =
            self.installed.iter().map(|version| same(version).unwrap_or_else(|| version.clone())).collect();
        sorted(ecosystem, &spelled).into_iter().map(masked).collect()
    }

    fn relations(&self, ecosystem: &str, own: &Key) -> Vec<Relation> {
        let needed = self.needs.iter().filter(|name| !name.is_empty()).map(|name| Relation {
            kind: RelationKind::DependsOn,
            to: Key::of(["dependency", ecosystem, &*without_credentials(name)]),
        });
        let declared = self
            .lockfiles
            .iter()
            .map(|path| Relation { kind: RelationKind::DeclaredIn, to: Key::of(["lockfile", path]) });
        // Another version of the same package is the same resource.
        let mut relations: Vec<Relation> =
            needed.filter(|relation| relation.to != *own).chain(declared).collect();
        relations.sort_unstable();
        relations.dedup();
        relations
    }
}

/// An origin as text without white space, as it is a member of a set.
fn source(origin: &Origin) -> String {
    let (scheme, place) = match origin {
        Origin::Registry(url) => ("registry+", url),
        Origin::Git(url) => ("git+", url),
        Origin::Url(url) => ("", url),
        Origin::Path(path) => ("path+", path),
    };
    let place = place.strip_prefix(scheme).unwrap_or(place);
    let text = masked(&format!("{scheme}{place}"));
    if text.contains(char::is_whitespace) {
        text.split_whitespace().collect::<Vec<_>>().join("%20")
    } else {
        text
    }
}

/// Versions in their order: npm's from the lowest by SemVer, then what is none; others by text.
fn sorted<'v>(ecosystem: &str, versions: &'v BTreeSet<String>) -> Vec<&'v str> {
    let mut list: Vec<&str> = versions.iter().map(String::as_str).collect();
    if list.len() > 1 && ecosystem == "npm" {
        list.sort_by_cached_key(|text| {
            let version = semver::Version::parse(text).ok();
            (version.is_none(), version, (*text).to_owned())
        });
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::Edge;

    fn package(version: &str) -> Package {
        Package { name: "a".to_owned(), version: version.to_owned(), ..Package::default() }
    }

    fn check(packages: Vec<Package>, expected: &str) {
        let mut dependencies = Dependencies::default();
        dependencies.add("x.lock", "npm", Locked { packages, ..Locked::default() });
        let told = |resource: &Resource| {
            let attributes = resource.attributes.iter().filter(|a| a.path.as_str() != "purl").map(|a| {
                let value = serde_json::to_string(&a.value).unwrap();
                format!("{}={}", a.path, value.trim_matches('"'))
            });
            let relations = resource.relations.iter().map(|r| format!("> {}", r.to));
            attributes.chain(relations).collect::<Vec<_>>().join(", ")
        };
        let found: Vec<String> = dependencies.into_resources().map(|resource| told(&resource)).collect();
        assert_eq!(found.join("; "), expected);
    }

    #[test]
    fn instances_are_joined() {
        check(
            vec![package("10.0.0"), package("9.1.0"), package("9.1.0-rc.1"), package("abc")],
            "versions=9.1.0-rc.1 9.1.0 10.0.0 abc, > lockfile/x.lock",
        );
        let when = |text: &str| Some(text.to_owned());
        check(
            vec![
                Package {
                    when: when("os=linux | os=aix"),
                    optional: true,
                    dev: Some(true),
                    ..package("1.0.0")
                },
                Package { when: when("os=darwin"), optional: true, dev: Some(true), ..package("1.0.0") },
            ],
            "dev=true, optional=true, version=1.0.0, when=os=aix | os=darwin | os=linux, > lockfile/x.lock",
        );
        check(
            vec![
                Package {
                    when: when("os=linux"),
                    optional: true,
                    dev: Some(true),
                    direct: Some(true),
                    ..package("1.0.0")
                },
                Package { dev: Some(false), direct: None, ..package("") },
            ],
            "dev=false, direct=true, version=1.0.0, > lockfile/x.lock",
        );
        check(vec![Package::default()], "");
    }

    #[test]
    fn sources_and_edges() {
        let edge = |name: &str| Edge { name: name.to_owned(), version: None };
        let from = |origin: Origin| Package { origin: Some(origin), ..package("1.0.0") };
        check(
            vec![
                Package {
                    needs: vec![edge("b"), edge("a"), edge("")],
                    ..from(Origin::Git("git+https://u:hunter2@h/r".to_owned()))
                },
                from(Origin::Path("../a b".to_owned())),
                from(Origin::Registry("https://h".to_owned())),
                from(Origin::Url("https://h/a.tgz?token=hunter2".to_owned())),
            ],
            "source=git+https://REDACTED@h/r https://h/a.tgz path+../a%20b registry+https://h, version=1.0.0, > dependency/npm/b, > lockfile/x.lock",
        );
    }

    #[test]
    fn what_is_installed_is_spelled_as_it_is_locked() {
        let check =
            |ecosystem: &'static str, locked: Package, installed: &[(&str, &str)], expected: &[&str]| {
                let mut dependencies = Dependencies::default();
                dependencies.add("x.lock", ecosystem, Locked { packages: vec![locked], ..Locked::default() });
                let mut declared = Declared::default();
                declared.own.insert("shop".to_owned());
                dependencies.declare(ecosystem, declared);
                let tree =
                    installed.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned()));
                dependencies.install(ecosystem, tree.collect());
                let told = |resource: Resource| {
                    let installed = resource.attributes.get("installed").and_then(Value::as_text)?;
                    let locked = if resource.attributes.get("direct").is_some() { "" } else { " alone" };
                    Some(format!("{} {installed}{locked}", resource.key.after(2)))
                };
                let found: Vec<String> = dependencies.into_resources().filter_map(told).collect();
                assert_eq!(found, expected);
            };
        let direct = |package: Package| Package { direct: Some(true), ..package };
        check("npm", direct(package("1.0")), &[("a", "1.0.0"), ("b", "2")], &["a 1.0.0", "b 2 alone"]);
        let tree = [("a", "1.0.0"), ("pip", "24.0"), ("shop", "0.1.0")];
        check("pypi", direct(package("1.0")), &tree, &["a 1.0"]);
        let git = Package { origin: Some(Origin::Git("https://h/a".to_owned())), ..package("c0ffee") };
        check("npm", direct(git), &[("a", "1.0.0")], &["a c0ffee"]);
    }
}
