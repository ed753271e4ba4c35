//! Edges between locked packages: to which versions names resolve, and what only development reaches. Pure.

use std::collections::{HashMap, HashSet};

use super::{Edge, Locked, Package};

/// Where each name stands among packages, in their order.
pub(super) fn by_name(packages: &[Package]) -> HashMap<&str, Vec<usize>> {
    let mut found: HashMap<&str, Vec<usize>> = HashMap::with_capacity(packages.len());
    for (at, package) in packages.iter().enumerate() {
        found.entry(&package.name).or_default().push(at);
    }
    found
}

/// Gives each edge its version where the name stands with one version only, and takes out those to names that are not
/// locked: what the platform itself brings (`php`, `R`, `bundler`).
pub(super) fn connect(packages: &mut [Package]) {
    let versions: HashMap<String, Option<String>> = by_name(packages)
        .into_iter()
        .map(|(name, found)| {
            let mut versions =
                found.iter().filter_map(|at| packages.get(*at)).map(|package| &package.version);
            let first = versions.next();
            let one = first.filter(|first| versions.all(|version| version == *first));
            (name.to_owned(), one.cloned())
        })
        .collect();
    for package in packages {
        package.needs.retain_mut(|edge| match versions.get(&edge.name) {
            Some(one) => {
                if edge.version.is_none() {
                    edge.version.clone_from(one);
                }
                true
            }
            None => false,
        });
        package.needs.sort();
        package.needs.dedup();
    }
}

/// Says of each package whether only development needs it: it is not reached from what is needed otherwise. `asked` are
/// the direct packages with whether they are for development.
pub(super) fn tell_dev(locked: &mut Locked, asked: &[(Edge, bool)]) {
    let needed = reached(&locked.packages, asked.iter().filter(|(_, dev)| !dev).map(|(edge, _)| edge));
    for (at, package) in locked.packages.iter_mut().enumerate() {
        package.dev = Some(!needed.contains(&at));
    }
}

fn reached<'e>(packages: &'e [Package], from: impl Iterator<Item = &'e Edge>) -> HashSet<usize> {
    let names = by_name(packages);
    let targets = |edge: &Edge| -> Vec<usize> {
        let all = names.get(edge.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let fits = |at: &usize| {
            packages
                .get(*at)
                .is_some_and(|p| edge.version.as_ref().is_none_or(|version| *version == p.version))
        };
        all.iter().copied().filter(fits).collect()
    };
    let mut seen = HashSet::new();
    let mut left: Vec<usize> = from.flat_map(targets).collect();
    while let Some(at) = left.pop() {
        if seen.insert(at) {
            let needs = packages.get(at).map(|package| package.needs.as_slice()).unwrap_or_default();
            left.extend(needs.iter().flat_map(targets));
        }
    }
    seen
}

/// An edge to a name, whose version is found by [`connect`].
pub(super) fn edge(name: &str) -> Edge {
    Edge { name: name.to_owned(), version: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, needs: &[&str]) -> Package {
        let needs = needs.iter().map(|name| edge(name)).collect();
        Package { name: name.to_owned(), version: version.to_owned(), needs, ..Package::default() }
    }

    #[test]
    fn names_become_versions() {
        let mut packages = vec![
            package("a", "1", &["b", "c", "b", "php"]),
            package("b", "2", &["a"]),
            package("c", "1", &[]),
        ];
        packages.push(package("c", "2", &[]));
        connect(&mut packages);
        let told: Vec<_> =
            packages[0].needs.iter().map(|e| (e.name.as_str(), e.version.as_deref())).collect();
        assert_eq!(told, [("b", Some("2")), ("c", None)]);
    }

    #[test]
    fn only_development_reaches_the_rest() {
        let packages = vec![
            package("a", "1", &["b"]),
            package("b", "1", &["a"]),
            package("t", "1", &["b", "u"]),
            package("u", "1", &[]),
        ];
        let mut locked = Locked { packages, ..Locked::default() };
        tell_dev(&mut locked, &[(edge("a"), false), (edge("t"), true)]);
        let dev: Vec<_> = locked.packages.iter().map(|p| p.dev).collect();
        assert_eq!(dev, [Some(false), Some(false), Some(true), Some(true)]);
    }
}
