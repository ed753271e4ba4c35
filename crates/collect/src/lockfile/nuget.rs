//! `packages.lock.json` of `NuGet`, versions 1 and 2.
//! <https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#locking-dependencies>
//!
//! Packages are those of all target frameworks together; one that a runtime alone needs (`net8.0/linux-x64`) has its platform as
//! condition. Projects of the solution stand for nobody.

use super::graph::connect;
use super::platform::{of_runtime, united};
use super::tree::{Source, Tree};
use super::{Edge, Files, Locked, Malformed, Package};

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::json(files)?;
    let Some(targets) = source.root.get("dependencies") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `dependencies`" });
    };
    let mut locked = Locked {
        version: source.root.get("version").and_then(Tree::text).unwrap_or_default().to_owned(),
        ..Locked::default()
    };
    for (target, entries) in targets.fields() {
        let when = target.split_once('/').map(|(_, runtime)| of_runtime(runtime));
        let mut of_target = Vec::with_capacity(entries.fields().len());
        for (name, entry) in entries.fields() {
            if entry.said("type").is_some_and(|kind| kind.eq_ignore_ascii_case("project")) {
                continue;
            }
            match package(name, entry, when.as_deref()) {
                Some(package) => of_target.push(package),
                None => locked.unclear.push(source.unclear_field(name, "a package without a version")),
            }
        }
        within(&mut of_target, entries);
        locked.packages.extend(of_target);
    }
    locked.packages = united(locked.packages);
    connect(&mut locked.packages);
    Ok(locked)
}

fn package(name: &str, entry: &Tree<'_>, when: Option<&str>) -> Option<Package> {
    let needs = entry.get("dependencies").map(Tree::fields).unwrap_or_default();
    Some(Package {
        name: name.to_owned(),
        version: entry.said("resolved")?.to_owned(),
        integrity: entry.said("contentHash").map(|hash| format!("sha512:{hash}")).into_iter().collect(),
        direct: Some(entry.said("type") == Some("Direct")),
        when: when.map(str::to_owned),
        needs: needs.iter().map(|(name, _)| Edge { name: name.to_string(), version: None }).collect(),
        ..Package::default()
    })
}

/// Gives edges the version that the same framework resolves to, and the spelling of the package: names ignore case.
fn within(packages: &mut [Package], entries: &Tree<'_>) {
    let known: std::collections::HashMap<String, (String, String)> = entries
        .fields()
        .iter()
        .filter_map(|(name, entry)| {
            Some((name.to_lowercase(), (name.to_string(), entry.said("resolved")?.to_owned())))
        })
        .collect();
    for edge in packages.iter_mut().flat_map(|package| &mut package.needs) {
        if let Some((name, version)) = known.get(&edge.name.to_lowercase()) {
            edge.name.clone_from(name);
            edge.version = Some(version.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::read;

    #[test]
    fn packages_of_targets() {
        shown::check(
            shown::read(
                read,
                r#"{"version": 1, "dependencies": {
 "net8.0": {
  "A.B": {"type": "Direct", "requested": "[1.0.0, )", "resolved": "1.0.0", "contentHash": "aa==", "dependencies": {"c": "2.0.0", "Own": "1.0"}},
  "C": {"type": "Transitive", "resolved": "2.0.1", "contentHash": "cc=="},
  "own": {"type": "Project", "dependencies": {"C": "2.0.0"}},
  "X": {"type": "Transitive"}},
 "net48": {"C": {"type": "CentralTransitive", "resolved": "1.9.0"}},
 "net8.0/linux-musl-x64": {"C": {"type": "Transitive", "resolved": "2.0.1", "contentHash": "cc=="}, "R": {"type": "Transitive", "resolved": "1.0.0"}},
 "net8.0/win-x64": {"R": {"type": "Transitive", "resolved": "1.0.0"}}}}"#,
            ),
            &[
                "A.B 1.0.0 [sha512:aa==] direct -> C@2.0.1",
                "C 2.0.1 [sha512:cc==] indirect",
                "C 1.9.0 indirect",
                "R 1.0.0 indirect when(os=linux cpu=x64 libc=musl | os=win32 cpu=x64)",
                "! 6:4: a package without a version",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "{}"), &["!! 1:1: no field `dependencies`"]);
        shown::check(shown::read(read, r#"{"dependencies": [1]}"#), &[]);
    }
}
