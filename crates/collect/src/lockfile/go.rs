//! `go.sum`, with the `go.mod` beside it. <https://go.dev/ref/mod#go-sum-files>
//!
//! `go.sum` is no lock: it has the hashes of more versions than are built. From Go 1.17 on `go.mod` names every module that
//! the project's packages need, in the version that is selected, so its `require` lines are the packages here, after
//! `replace`. For an older `go.mod`, or none, a module counts in its greatest version whose contents have a hash: minimal
//! version selection takes the greatest that anything asks for, and fetches no other. No edges: those are in the modules.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Declared, Files, Locked, Malformed, Origin, Package};

/// The hashes of a module version.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hashes<'t> {
    contents: Vec<&'t str>,
    /// Whether there is a hash of its `go.mod`.
    manifest: bool,
}

type Sums<'t> = BTreeMap<(&'t str, &'t str), Hashes<'t>>;

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let (sums, unclear) = sums(files.text()?);
    let manifest = files.beside("go.mod").and_then(|file| file.text().ok()).map(Manifest::read);
    let packages = match manifest {
        Some(manifest) if manifest.complete => {
            manifest.requires.iter().filter_map(|require| manifest.package(require, &sums)).collect()
        }
        Some(manifest) => selected(&sums, &manifest),
        None => selected(&sums, &Manifest::default()),
    };
    Ok(Locked { version: String::new(), packages, unclear })
}

/// What `go.mod` asks for itself: a version there is the least that will do.
pub(super) fn declared(files: &Files<'_>) -> Declared {
    let mut declared = Declared::default();
    let Some(Ok(text)) = files.beside("go.mod").map(|file| file.text()) else { return declared };
    let manifest = Manifest::read(text);
    for (module, _) in manifest.replaces.keys() {
        declared.doubt(module);
    }
    let is_version = |version: &str| version.starts_with('v') && version.is_ascii() && version.len() < 100;
    for require in manifest.requires.iter().filter(|require| !require.indirect && is_version(require.version))
    {
        declared.ask(require.module, &format!(">={}", require.version));
    }
    declared
}

/// Reads the lines of `go.sum`: `module version hash` and `module version/go.mod hash`.
fn sums(text: &str) -> (Sums<'_>, Vec<Malformed>) {
    let mut sums = Sums::new();
    let mut unclear = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some(module), Some(version), Some(hash), None)
                if version.starts_with('v') && hash.contains(':') =>
            {
                match version.strip_suffix("/go.mod") {
                    Some(version) => sums.entry((module, version)).or_default().manifest = true,
                    None => sums.entry((module, version)).or_default().contents.push(hash),
                }
            }
            _ => unclear.push(Malformed {
                line: at + 1,
                column: 1,
                what: "not a module, a version and a hash",
            }),
        }
    }
    (sums, unclear)
}

struct Require<'t> {
    module: &'t str,
    version: &'t str,
    indirect: bool,
}

/// What a `go.mod` says of other modules.
#[derive(Default)]
struct Manifest<'t> {
    /// Whether it names all modules that are needed: from Go 1.17 on.
    complete: bool,
    requires: Vec<Require<'t>>,
    /// By module and version, empty for any; what stands instead: a module and version, or a folder without one.
    replaces: BTreeMap<(&'t str, &'t str), (&'t str, &'t str)>,
}

impl<'t> Manifest<'t> {
    fn read(text: &'t str) -> Self {
        let mut manifest = Self::default();
        let mut block = None;
        for line in text.lines() {
            let (line, comment) = line.split_once("//").unwrap_or((line, ""));
            let mut words: Vec<&str> =
                line.split_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
            match (block, words.as_slice()) {
                (_, []) => {}
                (Some(_), [")"]) => block = None,
                (None, [verb, "("]) => block = Some(*verb),
                (None, [verb, ..]) => {
                    let verb = *verb;
                    words.remove(0);
                    manifest.directive(verb, &words, comment);
                }
                (Some(verb), words) => manifest.directive(verb, words, comment),
            }
        }
        manifest
    }

    fn directive(&mut self, verb: &str, words: &[&'t str], comment: &str) {
        let replaced = match (verb, words) {
            ("go", [version]) => {
                self.complete = at_least_1_17(version);
                None
            }
            ("require", [module, version]) => {
                let indirect = comment.trim() == "indirect" || comment.trim().starts_with("indirect;");
                self.requires.push(Require { module, version, indirect });
                None
            }
            ("replace", [module, "=>", folder]) => Some(((*module, ""), (*folder, ""))),
            ("replace", [module, version, "=>", folder]) => Some(((*module, *version), (*folder, ""))),
            ("replace", [module, "=>", other, to]) => Some(((*module, ""), (*other, *to))),
            ("replace", [module, version, "=>", other, to]) => Some(((*module, *version), (*other, *to))),
            _ => None,
        };
        self.replaces.extend(replaced);
    }

    /// What is built for a required module; `None` for a folder of the project, or of the disk.
    fn package(&self, require: &Require<'t>, sums: &Sums<'_>) -> Option<Package> {
        let own = (require.module, require.version);
        let new = self.replaces.get(&own).or_else(|| self.replaces.get(&(require.module, "")));
        let (module, version) = *new.unwrap_or(&own);
        let mut package = package(module, version, sums);
        if module != require.module {
            // A fork goes by the name that it stands for; where it comes from is told.
            require.module.clone_into(&mut package.name);
            package.origin = Some(Origin::git(&format!("https://{module}")));
        }
        package.direct = Some(!require.indirect);
        (!version.is_empty()).then_some(package)
    }
}

fn package(module: &str, version: &str, sums: &Sums<'_>) -> Package {
    let contents = sums.get(&(module, version)).map(|hashes| hashes.contents.as_slice()).unwrap_or_default();
    let mut integrity: Vec<String> = contents.iter().map(|hash| (*hash).to_owned()).collect();
    integrity.sort();
    integrity.dedup();
    Package { name: module.to_owned(), version: version.to_owned(), integrity, ..Package::default() }
}

fn at_least_1_17(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(1), Some(minor)) => minor >= 17,
        (Some(major), _) => major > 1,
        (None, _) => false,
    }
}

/// The greatest version of each module whose contents have a hash.
fn selected(sums: &Sums<'_>, manifest: &Manifest<'_>) -> Vec<Package> {
    let mut greatest: BTreeMap<&str, &str> = BTreeMap::new();
    for ((module, version), hashes) in sums {
        if hashes.contents.is_empty() {
            continue;
        }
        let kept = greatest.entry(module).or_insert(version);
        if order(version, kept) == Ordering::Greater {
            *kept = version;
        }
    }
    let direct: BTreeMap<&str, bool> =
        manifest.requires.iter().map(|require| (require.module, !require.indirect)).collect();
    let told = |module: &str| (!direct.is_empty()).then(|| direct.get(module).copied().unwrap_or_default());
    let packages = greatest
        .into_iter()
        .map(|(module, version)| Package { direct: told(module), ..package(module, version, sums) });
    packages.collect()
}

/// Versions of Go are semantic ones with a `v`; others come before these.
fn order(a: &str, b: &str) -> Ordering {
    let parse = |text: &str| semver::Version::parse(text.trim_start_matches('v')).ok();
    parse(a).cmp(&parse(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    const SUM: &str = "a.example/a v1.0.0 h1:old=\na.example/a v1.0.0/go.mod h1:m=\na.example/a v1.10.0 h1:a10=\na.example/a v1.9.0 h1:a9=\nb.example/b v2.0.0+incompatible h1:b=\nc.example/c v0.0.0-20200101000000-abcdef/go.mod h1:c=\nf.example/fork v1.5.0 h1:f=\n";

    #[test]
    fn the_manifest_selects() {
        let manifest = "module x\n\ngo 1.22.0\nrequire a.example/a v1.9.0\nrequire (\n\tb.example/b v2.0.0+incompatible // indirect\n\td.example/d v1.0.0 // indirect; why\n\te.example/e v1.0.0 // indirectly\n\tl.example/l v1.0.0\n)\nreplace (\n\td.example/d => f.example/fork v1.5.0 // a fork\n\tl.example/l v1.0.0 => ../l\n)\nexclude a.example/a v1.10.0\n";
        shown::check(
            shown::read_with(read, SUM, &[("go.mod", manifest)]),
            &[
                "a.example/a v1.9.0 [h1:a9=] direct",
                "b.example/b v2.0.0+incompatible [h1:b=] indirect",
                "d.example/d v1.5.0 [h1:f=] git(https://f.example/fork) indirect",
                "e.example/e v1.0.0 direct",
            ],
        );
    }

    #[test]
    fn requests() {
        let manifest = "go 1.22\nrequire (\n\ta.example/a v1.9.0\n\tb.example/b v1.0.0 // indirect\n\tc.example/c v1.0.0\n)\nreplace c.example/c => ../c\n";
        assert_eq!(
            super::super::declared::lines("go-sum", SUM, &[("go.mod", manifest)]),
            ["asked a.example/a >=v1.9.0"]
        );
    }

    #[test]
    fn without_a_complete_manifest_the_greatest_counts() {
        shown::check(
            shown::read(read, SUM),
            &[
                "a.example/a v1.10.0 [h1:a10=]",
                "b.example/b v2.0.0+incompatible [h1:b=]",
                "f.example/fork v1.5.0 [h1:f=]",
            ],
        );
        shown::check(
            shown::read_with(read, SUM, &[("go.mod", "go 1.16\nrequire a.example/a v1.9.0\n")]),
            &[
                "a.example/a v1.10.0 [h1:a10=] direct",
                "b.example/b v2.0.0+incompatible [h1:b=] indirect",
                "f.example/fork v1.5.0 [h1:f=] indirect",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(
            shown::read(read, "a v1 h1:x\nb v1\n\n<<<<<<< HEAD\n"),
            &[
                "a v1 [h1:x]",
                "! 2:1: not a module, a version and a hash",
                "! 4:1: not a module, a version and a hash",
            ],
        );
        let check = |version: &str, expected: bool| assert_eq!(at_least_1_17(version), expected, "{version}");
        check("1.17", true);
        check("1.9", false);
        check("1.22.1", true);
        check("2.0", true);
        check("", false);
        check("x", false);
    }

    #[test]
    fn a_real_file() {
        let Some(files) = shown::corpus("helm+helm") else { return };
        let text = std::str::from_utf8(&files["go.sum"]).unwrap();
        let (sums, unclear) = sums(text);
        let zips = sums.values().filter(|hashes| !hashes.contents.is_empty()).count();
        assert_eq!((text.lines().count(), sums.len(), zips, unclear.len()), (530, 328, 202, 0));
        let locked = read(&Files::new("go.sum", &files["go.sum"], &files)).unwrap();
        let manifest = std::str::from_utf8(&files["go.mod"]).unwrap();
        let required = manifest.lines().filter(|line| line.starts_with('\t') && line.contains(" v")).count();
        assert_eq!(locked.packages.len(), required);
        assert!(locked.packages.iter().all(|package| !package.integrity.is_empty()));
    }
}
