//! `pubspec.lock` of Dart and Flutter. <https://dart.dev/tools/pub/glossary#lockfile>
//!
//! No edges: the file has none. What the SDK brings and folders of the project's own stand with their origin.

use super::tree::{packages_of, said, yaml};
use super::{Files, Locked, Malformed, Origin, Package};
use crate::yaml::Node;

/// The default registry, by its name now and before.
const DEFAULT: [&str; 2] = ["https://pub.dev", "https://pub.dartlang.org"];

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let root = yaml(files)?;
    let Some(list) = root.get("packages") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `packages`" });
    };
    let (packages, unclear) = packages_of(list, package);
    Ok(Locked { version: String::new(), packages, unclear })
}

fn package(name: &str, node: &Node) -> Option<Package> {
    let description = node.get("description")?;
    let place = |field: &str| said(description, field).unwrap_or_default();
    let (version, origin) = match said(node, "source")? {
        "hosted" => {
            let url = place("url").trim_end_matches('/');
            let other = !url.is_empty() && !DEFAULT.contains(&url);
            (said(node, "version")?, other.then(|| Origin::registry(url)))
        }
        "git" => (said(description, "resolved-ref")?, Some(Origin::git(place("url")))),
        "path" => (said(node, "version")?, Some(Origin::path(place("path")))),
        other => (said(node, "version")?, Some(Origin::registry(other))),
    };
    let (direct, dev) = match said(node, "dependency") {
        Some("direct main") => (Some(true), Some(false)),
        Some("direct dev") => (Some(true), Some(true)),
        Some("transitive") => (Some(false), None),
        Some("direct overridden") => (Some(true), None),
        Some(_) | None => (None, None),
    };
    let integrity = said(description, "sha256").map(|hash| format!("sha256:{hash}")).into_iter().collect();
    let (name, version) = (name.to_owned(), version.to_owned());
    Some(Package { name, version, integrity, origin, direct, dev, ..Package::default() })
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::read;

    #[test]
    fn packages() {
        shown::check(
            shown::read(
                read,
                "packages:\n  async:\n    dependency: transitive\n    description:\n      name: async\n      sha256: \"9471\"\n      url: \"https://pub.dev\"\n    source: hosted\n    version: \"2.11.0\"\n  lints:\n    dependency: \"direct dev\"\n    description: {name: lints, url: \"https://pub.example.org/\"}\n    source: hosted\n    version: \"3.0.0\"\n  g:\n    dependency: \"direct main\"\n    description: {path: \".\", ref: main, resolved-ref: \"0123abc\", url: \"https://h.example/g.git\"}\n    source: git\n    version: \"1.0.0\"\n  flutter:\n    dependency: \"direct main\"\n    description: flutter\n    source: sdk\n    version: \"0.0.0\"\n  own:\n    dependency: \"direct overridden\"\n    description: {path: \"../own\", relative: true}\n    source: path\n    version: \"0.1.0\"\n  odd:\n    version: \"1\"\nsdks:\n  dart: \">=3.0.0 <4.0.0\"\n",
            ),
            &[
                "async 2.11.0 [sha256:9471] indirect",
                "lints 3.0.0 registry(https://pub.example.org) direct dev",
                "g 0123abc git(https://h.example/g.git) direct run",
                "flutter 0.0.0 registry(sdk) direct run",
                "own 0.1.0 path(../own) direct",
                "! 31:1: a package without name or version",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "sdks:\n  dart: x\n"), &["!! 1:1: no field `packages`"]);
        shown::check(shown::read(read, "packages: {a: [}\n"), &["!! 1:15: not YAML"]);
    }
}
