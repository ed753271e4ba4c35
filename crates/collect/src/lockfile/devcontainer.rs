//! `devcontainer-lock.json`: the features of a development container. <https://containers.dev/implementors/features/>

use std::collections::HashSet;

use super::origin::clean;
use super::tree::{Source, Tree};
use super::{Edge, Files, Locked, Malformed, Package};

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::json(files)?;
    let Some(list) = source.root.get("features") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `features`" });
    };
    let needed: HashSet<String> = list.fields().iter().flat_map(|(_, feature)| needs(feature)).collect();
    let mut locked = Locked::default();
    for (reference, feature) in list.fields() {
        match package(reference, feature) {
            // What another needs may be asked for, too.
            Some(package) => {
                let direct = (!needed.contains(&package.name)).then_some(true);
                locked.packages.push(Package { direct, ..package });
            }
            None => locked.unclear.push(source.unclear_field(reference, "a feature without a version")),
        }
    }
    super::graph::connect(&mut locked.packages);
    Ok(locked)
}

fn package(reference: &str, feature: &Tree<'_>) -> Option<Package> {
    let mut needs: Vec<Edge> = needs(feature).map(|name| Edge { name, version: None }).collect();
    needs.sort();
    Some(Package {
        name: name(reference),
        version: feature.said("version")?.to_owned(),
        integrity: feature.said("integrity").map(str::to_owned).into_iter().collect(),
        needs,
        ..Package::default()
    })
}

fn needs(feature: &Tree<'_>) -> impl Iterator<Item = String> {
    feature.get("dependsOn").map(Tree::items).unwrap_or_default().iter().filter_map(Tree::text).map(name)
}

/// A reference without its tag or digest: `ghcr.io/devcontainers/features/node:1`.
fn name(reference: &str) -> String {
    let reference = reference.split_once('@').map_or(reference, |(name, _)| name);
    clean(match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        Some(_) | None => reference,
    })
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::{name, read};

    #[test]
    fn features() {
        shown::check(
            shown::read(
                read,
                "{\"features\": {\n\"ghcr.io/a/node:1\": {\"version\": \"1.5.0\", \"resolved\": \"ghcr.io/a/node@sha256:aa\", \"integrity\": \"sha256:aa\", \"dependsOn\": [\"h.example:5000/b/base:2\"]},\n\"h.example:5000/b/base:2\": {\"version\": \"2.0.1\"},\n\"odd\": {\"x\": 1}}}",
            ),
            &[
                "ghcr.io/a/node 1.5.0 [sha256:aa] direct -> h.example:5000/b/base@2.0.1",
                "h.example:5000/b/base 2.0.1",
                "! 4:2: a feature without a version",
            ],
        );
        assert_eq!(name("h.example:5000/b@sha256:00"), "h.example:5000/b");
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "{}"), &["!! 1:1: no field `features`"]);
    }
}
