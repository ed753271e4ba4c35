//! `Podfile.lock`. <https://guides.cocoapods.org/using/using-cocoapods.html#what-is-podfilelock>
//!
//! The parts of a pod (`A/Core`) are one package with it. Targets are in the Podfile, which is a program, so nothing is said of
//! development.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::graph::{connect, edge};
use super::tree::{said, yaml};
use super::{Files, Locked, Malformed, Origin, Package};
use crate::yaml::Node;

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let root = yaml(files)?;
    let Some(pods) = root.get("PODS") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `PODS`" });
    };
    let version = said(&root, "COCOAPODS").unwrap_or_default().to_owned();
    let mut unclear = Vec::new();
    let mut found: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for pod in pods.items() {
        // A pod with needs is a map of one field, any other a text.
        let (title, needs) = match pod.fields() {
            [(title, needs)] => (Some(title.as_str()), needs.items()),
            _ => (pod.text(), &[][..]),
        };
        let Some((name, version)) = title.and_then(name_and_version) else {
            unclear.push(Malformed { line: pod.line.max(1), column: 1, what: "not a pod and its version" });
            continue;
        };
        let (_, edges) = found.entry(name).or_insert((version, BTreeSet::new()));
        edges.extend(needs.iter().filter_map(|need| Some(pod_of(need.text()?))).filter(|need| *need != name));
    }
    let asked = root.get("DEPENDENCIES").map(Node::items).unwrap_or_default();
    let asked: HashSet<&str> = asked.iter().filter_map(|need| Some(pod_of(need.text()?))).collect();
    let places = Places::of(&root);
    let mut packages: Vec<Package> = found
        .into_iter()
        .map(|(name, (version, needs))| {
            let (commit, origin) = places.elsewhere(name);
            let hash = places.sums.get(name).and_then(|node| node.text());
            Package {
                name: name.to_owned(),
                version: commit.unwrap_or(version).to_owned(),
                integrity: hash.map(|hash| format!("podspec-sha1:{hash}")).into_iter().collect(),
                origin,
                direct: Some(asked.contains(name)),
                needs: needs.into_iter().map(edge).collect(),
                ..Package::default()
            }
        })
        .collect();
    connect(&mut packages);
    Ok(Locked { version, packages, unclear })
}

/// `Name/Part (1.2.3)`.
fn name_and_version(title: &str) -> Option<(&str, &str)> {
    let (name, version) = title.split_once(" (")?;
    Some((pod_of(name), version.strip_suffix(')').filter(|version| !version.is_empty())?))
}

/// `Name` of `Name/Part (~> 1.0)` and of ``Name (from `../x`)``.
fn pod_of(need: &str) -> &str {
    need.split([' ', '/']).next().unwrap_or_default()
}

/// What the file says of pods by their names.
struct Places<'n> {
    sums: HashMap<&'n str, &'n Node>,
    external: HashMap<&'n str, &'n Node>,
    checked_out: HashMap<&'n str, &'n Node>,
    /// The repository of specifications, when not the default one.
    repositories: HashMap<&'n str, &'n str>,
}

impl<'n> Places<'n> {
    fn of(root: &'n Node) -> Self {
        let table = |name: &str| -> HashMap<&'n str, &'n Node> {
            let fields = root.get(name).map(Node::fields).unwrap_or_default();
            fields.iter().map(|(name, node)| (name.as_str(), node)).collect()
        };
        let mut repositories = HashMap::new();
        for (url, list) in root.get("SPEC REPOS").map(Node::fields).unwrap_or_default() {
            if url != "trunk" && !url.ends_with("/CocoaPods/Specs.git") {
                let pods = list.items().iter().filter_map(Node::text);
                repositories.extend(pods.map(|pod| (pod_of(pod), url.as_str())));
            }
        }
        Self {
            sums: table("SPEC CHECKSUMS"),
            external: table("EXTERNAL SOURCES"),
            checked_out: table("CHECKOUT OPTIONS"),
            repositories,
        }
    }

    /// The commit of a pod that is checked out, and where it comes from when not from the default specifications.
    fn elsewhere(&self, name: &str) -> (Option<&'n str>, Option<Origin>) {
        let (external, checked_out) = (self.external.get(name), self.checked_out.get(name));
        let of_external = |field: &str| said(external?, field);
        let of_checked_out = |field: &str| said(checked_out?, field);
        let git = of_checked_out(":git").or_else(|| of_external(":git"));
        let origin = match (git, of_external(":path"), of_external(":podspec")) {
            (Some(url), ..) => Some(Origin::git(url)),
            (None, Some(path), _) => Some(Origin::path(path)),
            (None, None, Some(url)) => Some(Origin::url(url)),
            (None, None, None) => self.repositories.get(name).map(|url| Origin::registry(url)),
        };
        (of_checked_out(":commit"), origin)
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::read;

    #[test]
    fn pods() {
        shown::check(
            shown::read(
                read,
                "PODS:\n  - A (4.0.1):\n    - A/Core (= 4.0.1)\n    - B\n  - A/Core (4.0.1)\n  - B/Part (1.0)\n  - G (2.0)\n  - L (0.1)\n  - odd\n\nDEPENDENCIES:\n  - A (~> 4.0)\n  - G (from `https://h.example/g.git`, branch `main`)\n  - L (from `../L`)\n\nSPEC REPOS:\n  trunk:\n    - A\n  https://specs.example.org/s.git:\n    - B\n\nEXTERNAL SOURCES:\n  G:\n    :branch: main\n    :git: https://h.example/g.git\n  L:\n    :path: \"../L\"\n\nCHECKOUT OPTIONS:\n  G:\n    :commit: 0123abc\n    :git: https://h.example/g.git\n\nSPEC CHECKSUMS:\n  A: 7864\n\nPODFILE CHECKSUM: f0\n\nCOCOAPODS: 1.12.0\n",
            ),
            &[
                "A 4.0.1 [podspec-sha1:7864] direct -> B@1.0",
                "B 1.0 registry(https://specs.example.org/s.git) indirect",
                "G 0123abc git(https://h.example/g.git) direct",
                "L 0.1 path(../L) direct",
                "! 9:1: not a pod and its version",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "DEPENDENCIES: []\n"), &["!! 1:1: no field `PODS`"]);
    }
}
