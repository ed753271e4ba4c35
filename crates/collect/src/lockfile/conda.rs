//! `conda-lock.yml`, version 1, and `pixi.lock`, versions 4 to 6.
//! <https://conda.github.io/conda-lock/output/>, <https://pixi.sh/latest/workspace/lockfile/>
//!
//! A package of one platform stands under its condition; what is the same on several stands once. Packages of `PyPI` have that as
//! their origin. What is direct is told of pixi's, by the manifest beside it. Which of pixi's environments has a package is not told apart.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{connect, edge};
use super::platform::{of_conda, united};
use super::tree::{Source, Tree, packages_of, said, yaml};
use super::{Edge, Files, Locked, Malformed, Origin, Package};
use crate::yaml::Node;

/// Channels that are conda's own, as URLs begin.
const DEFAULT: [&str; 4] = [
    "https://conda.anaconda.org/conda-forge/",
    "https://repo.anaconda.com/pkgs/",
    "https://conda.anaconda.org/anaconda/",
    "https://repo.prefix.dev/conda-forge/",
];
const PYPI: &str = "https://pypi.org/simple";

pub(super) fn conda_lock(files: &Files<'_>) -> Result<Locked, Malformed> {
    let root = yaml(files)?;
    let Some(list) = root.get("package") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `package`" });
    };
    let (packages, unclear) = packages_of(list, |_, node| entry(node));
    let mut packages = united(packages);
    connect(&mut packages);
    Ok(Locked { version: said(&root, "version").unwrap_or_default().to_owned(), packages, unclear })
}

fn entry(node: &Node) -> Option<Package> {
    let url = said(node, "url").unwrap_or_default();
    let origin = match said(node, "manager") {
        Some("pip") => Some(Origin::registry(PYPI)),
        Some(_) | None => channel(url),
    };
    let needs = node.get("dependencies").map(Node::fields).unwrap_or_default();
    Some(Package {
        name: said(node, "name")?.to_owned(),
        version: said(node, "version")?.to_owned(),
        integrity: node.get("hash").map(hashes).unwrap_or_default(),
        origin,
        dev: said(node, "category").map(|category| category != "main"),
        optional: said(node, "optional") == Some("true"),
        when: said(node, "platform").and_then(of_conda),
        needs: needs.iter().filter(|(name, _)| !name.starts_with("__")).map(|(name, _)| edge(name)).collect(),
        ..Package::default()
    })
}

fn hashes(node: &Node) -> Vec<String> {
    let all = ["md5", "sha256"].map(|kind| said(node, kind).map(|hash| format!("{kind}:{hash}")));
    all.into_iter().flatten().collect()
}

fn channel(url: &str) -> Option<Origin> {
    let default = url.is_empty() || DEFAULT.iter().any(|channel| url.starts_with(channel));
    // `https://host/channel/linux-64/name-1.0-0.conda`
    let channel = url.rsplitn(3, '/').nth(2).unwrap_or(url);
    (!default).then(|| Origin::registry(channel))
}

pub(super) fn pixi(files: &Files<'_>) -> Result<Locked, Malformed> {
    let root = yaml(files)?;
    let Some(list) = root.get("packages") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `packages`" });
    };
    let platforms = platforms(&root);
    let (packages, unclear) = packages_of(list, |_, node| pixi_entry(node, &platforms));
    // A folder of the project's own is installed from there and has no version.
    let mut packages = united(packages.into_iter().filter(|package| !package.version.is_empty()).collect());
    connect(&mut packages);
    if let Some(asked) = asked(files) {
        for package in &mut packages {
            package.direct = Some(asked.contains(&package.name.to_ascii_lowercase()));
        }
    }
    Ok(Locked { version: said(&root, "version").unwrap_or_default().to_owned(), packages, unclear })
}

/// The names that pixi's manifest asks for, for any feature or platform; `None` without one.
fn asked(files: &Files<'_>) -> Option<BTreeSet<String>> {
    let manifest = |name: &str| Source::toml(&files.beside(name)?).ok();
    let (own, project) = (manifest("pixi.toml"), manifest("pyproject.toml"));
    let within = || project.as_ref()?.root.get("tool")?.get("pixi");
    let root = own.as_ref().map(|own| &own.root).or_else(within)?;
    let features = root.get("feature").map(Tree::fields).unwrap_or_default().iter().map(|(_, table)| table);
    let tables: Vec<&Tree<'_>> = std::iter::once(root).chain(features).collect();
    let of_platforms =
        tables.iter().filter_map(|table| table.get("target")).flat_map(Tree::fields).map(|(_, table)| table);
    let lists = ["dependencies", "host-dependencies", "build-dependencies", "pypi-dependencies"];
    let all = tables.iter().copied().chain(of_platforms);
    let names = all.flat_map(|table| lists.map(|list| table.get(list))).flatten().flat_map(Tree::fields);
    Some(names.map(|(name, _)| name.to_ascii_lowercase()).collect())
}

/// By a package's URL: the platforms that an environment has it on.
fn platforms(root: &Node) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let environments = root.get("environments").map(Node::fields).unwrap_or_default();
    let lists =
        environments.iter().filter_map(|(_, environment)| environment.get("packages")).flat_map(Node::fields);
    for (platform, list) in lists {
        for url in list.items().iter().filter_map(|item| said(item, "conda").or_else(|| said(item, "pypi"))) {
            found.entry(url).or_default().insert(platform);
        }
    }
    found
}

fn pixi_entry(node: &Node, platforms: &BTreeMap<&str, BTreeSet<&str>>) -> Option<Package> {
    let kind = said(node, "kind");
    let pypi = said(node, "pypi").or_else(|| said(node, "url").filter(|_| kind == Some("pypi")));
    let url = pypi.or_else(|| said(node, "conda")).or_else(|| said(node, "url"))?;
    let (name, version) = named(node, url, pypi.is_some())?;
    let on = platforms.get(url);
    // What stands in no environment's list is for its own platform, which the URL tells.
    let of_url = || url.rsplit('/').nth(1).and_then(of_conda).map(|when| vec![when]);
    let when: Option<Vec<String>> = match on {
        Some(on) => on.iter().map(|platform| of_conda(platform)).collect(),
        None => of_url().filter(|_| pypi.is_none()),
    };
    let when = when.map(|mut when| {
        when.sort();
        when.join(" | ")
    });
    Some(Package {
        name,
        version,
        integrity: hashes(node),
        origin: if pypi.is_some() { pypi_origin(url) } else { channel(url) },
        when,
        needs: needs(node, pypi.is_some()),
        ..Package::default()
    })
}

/// From version 5 on a conda package's name and version are those of its file: `name-1.0-build.conda`.
fn named(node: &Node, url: &str, pypi: bool) -> Option<(String, String)> {
    let file = || {
        let file = url.rsplit('/').next()?;
        let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2"))?;
        let mut parts = stem.rsplitn(3, '-');
        let (_, version, name) = (parts.next()?, parts.next()?, parts.next()?);
        Some((name.to_owned(), version.to_owned()))
    };
    match (said(node, "name"), said(node, "version")) {
        (Some(name), Some(version)) => Some((name.to_owned(), version.to_owned())),
        // The project's own folder, or one that is built from source.
        (Some(name), None) => Some((name.to_owned(), String::new())),
        (None, _) if !pypi && !url.contains("://") => Some((url.to_owned(), String::new())),
        (None, _) => file(),
    }
}

fn pypi_origin(url: &str) -> Option<Origin> {
    Some(if url.contains("files.pythonhosted.org") {
        Origin::registry(PYPI)
    } else if url.starts_with("git+") {
        Origin::git(url)
    } else if url.contains("://") {
        Origin::url(url)
    } else {
        Origin::path(url)
    })
}

/// `python >=3.9,<3.10.0a0` and `numpy<2,>=1 ; extra == 'x'`: the name stands first.
fn needs(node: &Node, pypi: bool) -> Vec<Edge> {
    let list = if pypi { "requires_dist" } else { "depends" };
    let texts = node.get(list).map(Node::items).unwrap_or_default().iter().filter_map(Node::text);
    let name = |text: &str| {
        let end =
            text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(text.len());
        text.get(..end).unwrap_or_default().to_owned()
    };
    // An extra is needed only where it is asked for.
    let always = texts.filter(|text| !text.contains("extra =="));
    let mut names: Vec<String> = always.map(name).filter(|name| !name.starts_with("__")).collect();
    names.sort();
    names.dedup();
    names.iter().map(|name| edge(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    #[test]
    fn packages_of_platforms() {
        shown::check(
            shown::read(
                conda_lock,
                "version: 1\nmetadata:\n  platforms: [linux-64, osx-arm64]\npackage:\n- name: ca\n  version: '2023.1'\n  manager: conda\n  platform: linux-64\n  dependencies: {__glibc: '>=2.17', zlib: '>=1'}\n  url: https://conda.anaconda.org/conda-forge/linux-64/ca-2023.1-0.conda\n  hash: {md5: aa, sha256: bb}\n  category: main\n  optional: false\n- name: ca\n  version: '2023.1'\n  manager: conda\n  platform: osx-arm64\n  dependencies: {}\n  url: https://conda.anaconda.org/conda-forge/osx-arm64/ca-2023.1-0.conda\n  hash: {md5: cc}\n  category: dev\n  optional: true\n- name: zlib\n  version: 1.2.13\n  manager: conda\n  platform: linux-64\n  url: https://u:p@conda.example.org/t/acme/linux-64/zlib-1.2.13-0.conda\n- name: r\n  version: 2.31.0\n  manager: pip\n  platform: linux-64\n  category: dev\n  optional: true\n- name: odd\n",
            ),
            &[
                "ca 2023.1 [md5:aa md5:cc sha256:bb] run when(os=darwin cpu=arm64 | os=linux cpu=x64) -> zlib@1.2.13",
                "zlib 1.2.13 registry(https://conda.example.org/t/acme) when(os=linux cpu=x64)",
                "r 2.31.0 registry(https://pypi.org/simple) dev optional when(os=linux cpu=x64)",
                "! 34:1: a package without name or version",
            ],
        );
    }

    #[test]
    fn packages_of_pixi() {
        let urls = "environments:\n  default:\n    packages:\n      linux-64:\n      - conda: https://conda.anaconda.org/conda-forge/linux-64/py-3.12.1-h1_0.conda\n      - conda: https://conda.anaconda.org/conda-forge/noarch/tz-2024-0.conda\n      - pypi: https://files.pythonhosted.org/packages/a/x-1.0.whl\n      osx-arm64:\n      - conda: https://conda.anaconda.org/conda-forge/noarch/tz-2024-0.conda\n";
        let six = format!(
            "version: 6\n{urls}packages:\n- conda: https://conda.anaconda.org/conda-forge/linux-64/py-3.12.1-h1_0.conda\n  sha256: aa\n  md5: bb\n  depends:\n  - __glibc >=2.17\n  - tz >=2024\n- conda: https://conda.anaconda.org/conda-forge/noarch/tz-2024-0.conda\n  sha256: cc\n- pypi: https://files.pythonhosted.org/packages/a/x-1.0.whl\n  name: x\n  version: '1.0'\n  requires_dist:\n  - tz>=1 ; python_version < '3'\n  - py ; extra == 'y'\n- pypi: ./own\n  name: own\n- sha256: x\n"
        );
        let expected = [
            "py 3.12.1 [md5:bb sha256:aa] when(os=linux cpu=x64) -> tz@2024",
            "tz 2024 [sha256:cc] when(os=darwin cpu=arm64 | os=linux cpu=x64)",
            "x 1.0 registry(https://pypi.org/simple) when(os=linux cpu=x64) -> tz@2024",
            "! 28:1: a package without name or version",
        ];
        shown::check(shown::read(pixi, &six), &expected);
        let direct = |name: &str, manifest: &str| -> Vec<Option<bool>> {
            let locked = shown::read_with(pixi, &six, &[(name, manifest)]).unwrap();
            locked.packages.iter().map(|package| package.direct).collect()
        };
        let manifest = "[dependencies]\npy='*'\n[feature.test.target.linux-64.pypi-dependencies]\nX='*'\n";
        assert_eq!(direct("pixi.toml", manifest), [Some(true), Some(false), Some(true)]);
        assert_eq!(
            direct("pyproject.toml", "[tool.pixi.dependencies]\ntz='*'\n"),
            [Some(false), Some(true), Some(false)]
        );
        assert_eq!(direct("pyproject.toml", "[project]\nname='x'\n"), [None; 3]);
        let four = "version: 4\npackages:\n- kind: conda\n  name: py\n  version: 3.12.1\n  url: https://conda.anaconda.org/conda-forge/win-64/py-3.12.1-0.conda\n  subdir: win-64\n";
        shown::check(shown::read(pixi, four), &["py 3.12.1 when(os=win32 cpu=x64)"]);
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(conda_lock);
        shown::hostile(pixi);
        shown::check(shown::read(conda_lock, "version: 1\n"), &["!! 1:1: no field `package`"]);
        shown::check(shown::read(pixi, "version: 1\n"), &["!! 1:1: no field `packages`"]);
    }
}
