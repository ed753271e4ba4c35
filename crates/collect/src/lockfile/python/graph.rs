//! Under which condition each package of a lockfile is installed, where the file keeps its markers on the edges: the
//! union, over the paths from what the project asks for, of the conjunctions along them.

use std::collections::{BTreeMap, VecDeque};

use parallax_model::platform::marker::alternatives::Alternatives;
use parallax_model::platform::marker::{Literal, Operator, Variable};
use parallax_model::platform::pep440::Comparison;

/// A package as the graph knows it.
#[derive(Debug, Default)]
pub(super) struct Entry<'t> {
    pub(super) name: String,
    pub(super) version: &'t str,
    pub(super) needs: Vec<Want<'t>>,
    /// What it needs besides, by the extra that was asked for.
    pub(super) extras: BTreeMap<String, Vec<Want<'t>>>,
}

/// That a package is needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Want<'t> {
    pub(super) name: String,
    /// The version, where the file tells which of several.
    pub(super) version: Option<&'t str>,
    pub(super) extras: Vec<String>,
    pub(super) when: When<'t>,
}

/// Under which condition something is needed.
#[derive(Debug, Clone, Default)]
pub(super) enum When<'t> {
    /// Always.
    #[default]
    Always,
    /// Under a marker.
    Marker(&'t str),
    /// Under what was made of several markers.
    Made(Alternatives),
}

/// What the project asks for, and for what.
#[derive(Debug)]
pub(super) struct Start<'t> {
    pub(super) want: Want<'t>,
    pub(super) purpose: Purpose,
}

/// What something is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The project itself.
    Main,
    /// One of its extras.
    Extra(String),
    /// Its development: installed unless left out.
    Group(String),
    /// Its development: installed when asked for.
    OptionalGroup(String),
}

impl Purpose {
    pub(super) fn is_dev(&self) -> bool {
        match self {
            Self::Main | Self::Extra(_) => false,
            Self::Group(_) | Self::OptionalGroup(_) => true,
        }
    }

    /// What must be asked for.
    pub(super) fn condition(&self) -> Alternatives {
        match self {
            Self::Main | Self::Group(_) => Alternatives::always(),
            Self::Extra(name) => Alternatives::of_literal(Literal::Variable(
                Variable::Extra,
                Operator::Compare(Comparison::Equal),
                name.clone(),
            )),
            Self::OptionalGroup(name) => Alternatives::of_literal(Literal::Text(
                name.clone(),
                Operator::In,
                Variable::DependencyGroups,
            )),
        }
    }
}

/// What the graph tells of a package.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) when: Alternatives,
    pub(super) direct: bool,
    pub(super) dev: bool,
    /// Only an extra asks for it.
    pub(super) optional: bool,
}

/// What of each entry is told by the edges.
pub(super) fn places(entries: &[Entry<'_>], starts: &[Start<'_>]) -> Vec<Place> {
    let mut graph = Graph::of(entries);
    let mut first: Vec<(Vec<usize>, usize, &Purpose)> = Vec::new();
    for Start { want, purpose } in starts {
        let own = graph.condition(&want.when);
        first.push((graph.targets(want), own, purpose));
    }
    let main = graph.marked(first.iter().filter(|(_, _, purpose)| **purpose == Purpose::Main));
    let not_dev = graph.marked(first.iter().filter(|(_, _, purpose)| !purpose.is_dev()));
    let mut places = vec![Place::default(); entries.len()];
    for (targets, _, _) in &first {
        for target in targets {
            if let Some(place) = places.get_mut(*target) {
                place.direct = true;
            }
        }
    }
    let whens = graph.conditions(&first);
    for (at, (place, when)) in places.iter_mut().zip(whens).enumerate() {
        let is_in = |set: &[bool]| set.get(at).copied().unwrap_or_default();
        place.when = when;
        place.dev = !is_in(&not_dev);
        place.optional = !is_in(&main) && is_in(&not_dev);
    }
    places
}

/// A node for each entry, then one for each extra of an entry.
struct Graph<'e, 't> {
    by_name: BTreeMap<&'e str, Vec<usize>>,
    versions: Vec<&'t str>,
    extras: BTreeMap<(usize, &'e str), usize>,
    edges: Vec<Vec<(usize, usize)>>,
    /// Each condition once; the first is always.
    conditions: Vec<Alternatives>,
    by_marker: BTreeMap<&'t str, usize>,
}

impl<'e, 't> Graph<'e, 't> {
    fn of(entries: &'e [Entry<'t>]) -> Self {
        let mut graph = Self {
            by_name: BTreeMap::new(),
            versions: entries.iter().map(|entry| entry.version).collect(),
            extras: BTreeMap::new(),
            edges: Vec::new(),
            conditions: vec![Alternatives::always()],
            by_marker: BTreeMap::new(),
        };
        let mut next = entries.len();
        for (at, entry) in entries.iter().enumerate() {
            let named = graph.by_name.entry(entry.name.as_str()).or_default();
            if named.len() < super::MAX_VERSIONS {
                named.push(at);
            }
            for extra in entry.extras.keys() {
                graph.extras.insert((at, extra.as_str()), next);
                next += 1;
            }
        }
        let all = entries.iter().map(|entry| &entry.needs);
        for needs in all.chain(entries.iter().flat_map(|entry| entry.extras.values())) {
            let mut edges = Vec::new();
            for want in needs {
                let condition = graph.condition(&want.when);
                edges.extend(graph.targets(want).into_iter().map(|target| (target, condition)));
            }
            graph.edges.push(edges);
        }
        graph
    }

    fn condition(&mut self, when: &When<'t>) -> usize {
        let made = match when {
            When::Always => return 0,
            When::Marker(marker) => {
                if let Some(known) = self.by_marker.get(marker) {
                    return *known;
                }
                self.by_marker.insert(marker, self.conditions.len());
                super::alternatives(marker)
            }
            When::Made(made) => made.clone(),
        };
        self.conditions.push(made);
        self.conditions.len() - 1
    }

    fn targets(&self, want: &Want<'_>) -> Vec<usize> {
        let named = self.by_name.get(want.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let fits = |at: &&usize| {
            want.version.is_none_or(|version| self.versions.get(**at).is_some_and(|known| *known == version))
        };
        let mut targets: Vec<usize> = named.iter().filter(fits).copied().collect();
        if targets.is_empty() {
            targets.extend(named);
        }
        let extra = |at: &usize| {
            let found = want.extras.iter().filter_map(|extra| self.extras.get(&(*at, extra.as_str())));
            found.copied().collect::<Vec<_>>()
        };
        let extras: Vec<usize> = targets.iter().flat_map(extra).collect();
        targets.extend(extras);
        targets
    }

    /// What can be reached, whatever the conditions.
    fn marked<'f>(&self, starts: impl Iterator<Item = &'f (Vec<usize>, usize, &'f Purpose)>) -> Vec<bool> {
        let mut marked = vec![false; self.edges.len()];
        let mut open: Vec<usize> = starts.flat_map(|(targets, _, _)| targets).copied().collect();
        while let Some(at) = open.pop() {
            match marked.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            open.extend(self.edges.get(at).into_iter().flatten().map(|(target, _)| *target));
        }
        marked
    }

    /// The condition of each node. Each step widens a node's condition, so that cycles come to an end; a file that was
    /// made to need more steps than any real one gets `?` for the rest.
    fn conditions(&self, starts: &[(Vec<usize>, usize, &Purpose)]) -> Vec<Alternatives> {
        let edges: usize = self.edges.iter().map(Vec::len).sum();
        let mut budget = 64 * (edges + starts.len()) + 1024;
        let mut found = vec![Alternatives::never(); self.edges.len()];
        let mut open: VecDeque<usize> = VecDeque::new();
        let always = Alternatives::always();
        for (targets, own, purpose) in starts {
            let when = purpose.condition().and(self.conditions.get(*own).unwrap_or(&always));
            for target in targets {
                if found.get_mut(*target).is_some_and(|known| known.join(&when)) {
                    // What is always there goes first: it settles the most.
                    if when.is_always() { open.push_front(*target) } else { open.push_back(*target) }
                }
            }
        }
        while let Some(at) = open.pop_front() {
            let (Some(edges), Some(here)) = (self.edges.get(at), found.get(at).cloned()) else { continue };
            for (target, own) in edges {
                let own = self.conditions.get(*own).unwrap_or(&always);
                let Some(known) = found.get_mut(*target).filter(|known| !known.is_always()) else { continue };
                budget = budget.saturating_sub(1);
                if budget == 0 {
                    return self.given_up(found);
                }
                let when = if own.is_always() { here.clone() } else { here.and(own) };
                if known.join(&when) {
                    if known.is_always() { open.push_front(*target) } else { open.push_back(*target) }
                }
            }
        }
        found
    }

    fn given_up(&self, mut found: Vec<Alternatives>) -> Vec<Alternatives> {
        for when in &mut found {
            when.join(&Alternatives::unknown());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want<'t>(text: &'t str) -> Want<'t> {
        let found = super::super::requirement::parse(text).unwrap();
        let when = found.marker.map_or(When::Always, When::Marker);
        Want {
            version: super::super::requirement::pin(found.versions),
            name: found.name,
            extras: found.extras,
            when,
        }
    }

    /// `a 1: b, c; os_name == 'nt'` for entries, `a[x]: d` for what an extra needs besides.
    fn told(entries: &[&'static str], starts: &[&'static str]) -> Vec<String> {
        let mut all: Vec<Entry<'_>> = Vec::new();
        for line in entries {
            let (head, needs) = line.split_once(':').unwrap();
            let needs: Vec<Want<'_>> =
                needs.split(',').filter(|need| !need.trim().is_empty()).map(want).collect();
            if let Some((name, extra)) = head.split_once('[') {
                let name = name.split(' ').next().unwrap();
                let entry = all.iter_mut().find(|entry| entry.name == name).unwrap();
                entry.extras.insert(extra.trim_end_matches(']').to_owned(), needs);
            } else {
                let (name, version) = head.split_once(' ').unwrap_or((head, "1"));
                all.push(Entry { name: name.to_owned(), version, needs, extras: BTreeMap::new() });
            }
        }
        let start = |text: &&'static str| {
            let (purpose, text) = text.split_once("> ").unwrap_or(("", text));
            let purpose = match purpose.split_at(purpose.len().min(1)) {
                ("+", name) => Purpose::Extra(name.to_owned()),
                ("=", name) => Purpose::Group(name.to_owned()),
                ("~", name) => Purpose::OptionalGroup(name.to_owned()),
                _ => Purpose::Main,
            };
            Start { want: want(text), purpose }
        };
        let starts: Vec<Start<'_>> = starts.iter().map(start).collect();
        let tell = |(entry, place): (&Entry<'_>, Place)| {
            let marks = [(place.direct, " direct"), (place.dev, " dev"), (place.optional, " optional")];
            let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, text)| *text).collect();
            format!("{}{marks} {}", entry.name, super::super::condition(&place.when).unwrap_or_default())
        };
        all.iter().zip(places(&all, &starts)).map(tell).collect()
    }

    fn check(entries: &[&'static str], starts: &[&'static str], expected: &[&str]) {
        let found: Vec<String> =
            told(entries, starts).iter().map(|line| line.trim_end().to_owned()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn over_all_paths() {
        check(
            &["a: b; os_name == 'nt'", "b: c; python_version < '3.9'", "c:"],
            &["a"],
            &[
                "a direct",
                "b python: os_name == 'nt'",
                "c python: os_name == 'nt' and python_version < '3.9'",
            ],
        );
        check(
            &["a: c; os_name == 'nt'", "b: c; os_name != 'nt'", "c:"],
            &["a", "b"],
            &["a direct", "b direct", "c"],
        );
        check(
            &["a: c; os_name == 'nt'", "b: c", "c:"],
            &["a", "b; sys_platform == 'linux'"],
            &[
                "a direct",
                "b direct python: sys_platform == 'linux'",
                "c python: os_name == 'nt' or sys_platform == 'linux'",
            ],
        );
        check(&["a: b", "b: a; os_name == 'nt'", "c:"], &["a"], &["a direct", "b", "c dev python: ?"]);
    }

    #[test]
    fn extras_groups_and_versions() {
        check(
            &["a:", "a[x]: b", "b:", "c:", "d:"],
            &["a[x]; os_name == 'nt'", "+fast> c", "~doc> d", "=dev> c", "=dev> d; os_name == 'posix'"],
            &[
                "a direct python: os_name == 'nt'",
                "b python: os_name == 'nt'",
                "c direct optional",
                "d direct dev python: os_name == 'posix' or 'doc' in dependency_groups",
            ],
        );
        check(
            &["a 1:", "a 2:", "a[x]: b", "b:"],
            &["a==1; python_version < '3.9'", "a==2; python_version >= '3.9'"],
            &[
                "a direct python: python_version < '3.9'",
                "a direct python: python_version >= '3.9'",
                "b dev python: ?",
            ],
        );
    }

    #[test]
    fn many_versions_cost_what_the_file_has() {
        let want = Want { name: "a".to_owned(), ..Want::default() };
        let entry = || Entry { name: "a".to_owned(), needs: vec![want.clone(); 8], ..Entry::default() };
        let entries: Vec<Entry<'_>> = std::iter::repeat_with(entry).take(2_000).collect();
        let graph = Graph::of(&entries);
        assert_eq!(graph.edges.iter().map(Vec::len).sum::<usize>(), 2_000 * 8 * super::super::MAX_VERSIONS);
        let places = places(&entries, &[Start { want, purpose: Purpose::Main }]);
        assert_eq!(places.iter().filter(|place| place.when.is_always()).count(), super::super::MAX_VERSIONS);
    }

    #[test]
    fn a_tangle_comes_to_an_end() {
        let names: Vec<String> = (0..60).map(|n| format!("p{n}")).collect();
        let markers: Vec<String> = (0..60).map(|n| format!("extra == '{n}'")).collect();
        let mut entries = Vec::new();
        for name in &names {
            let needs = names.iter().zip(&markers).map(|(name, marker)| Want {
                name: name.clone(),
                when: When::Marker(marker),
                ..Want::default()
            });
            entries.push(Entry { name: name.clone(), needs: needs.collect(), ..Entry::default() });
        }
        let start = Start { want: entries[0].needs[1].clone(), purpose: Purpose::Main };
        let places = places(&entries, &[start]);
        assert!(places.iter().all(|place| !place.when.is_never() && !place.when.is_always()));
    }
}
