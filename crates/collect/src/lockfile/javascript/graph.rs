//! What follows from who needs whom: on which platforms a package is installed, whether only development needs it,
//! whether an installation goes on without it. Knows no format.

use super::super::Package;

/// More alternatives of platforms than this for one package are not told apart.
const MOST_ALTERNATIVES: usize = 24;
/// Nor are alternatives of more clauses.
const MOST_CLAUSES: usize = 16;
/// More steps than this are not taken, of which each may keep one alternative; where that does not do, every condition
/// is a package's own.
const MOST_STEPS: usize = 200_000;

/// How a project asks for a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// It needs it.
    Needed,
    /// Its development needs it.
    Development,
    /// It can do without.
    Optional,
}

/// A package, its own condition, and what it needs.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// What was read of it.
    pub(super) package: Package,
    /// The platforms that it says it runs on, as clauses (`os=linux`), all of which must hold.
    pub(super) own: Vec<String>,
    /// What it needs, by place in the list.
    pub(super) needs: Vec<Need>,
}

/// What one package needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    /// Its place in the list.
    pub(super) to: usize,
    /// Whether it can do without.
    pub(super) optional: bool,
}

/// All packages, and what the project asks for.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// The packages.
    pub(super) nodes: Vec<Node>,
    /// What the project and its workspaces ask for.
    pub(super) asked: Vec<(usize, Ask)>,
}

impl Graph {
    /// Sets [`Package::direct`] by what is asked for.
    pub(super) fn tell_direct(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.package.direct = Some(false));
        for (to, _) in &self.asked {
            if let Some(node) = self.nodes.get_mut(*to) {
                node.package.direct = Some(true);
            }
        }
    }

    /// Sets [`Package::dev`]: what is reached only through what development asks for.
    pub(super) fn tell_dev(&mut self) {
        let from = |wanted: fn(Ask) -> bool| {
            self.asked.iter().filter(move |(_, ask)| wanted(*ask)).map(|(to, _)| *to)
        };
        let used = self.reached(from(|ask| ask != Ask::Development), |_| true);
        let developed = self.reached(from(|ask| ask == Ask::Development), |_| true);
        for ((node, used), developed) in self.nodes.iter_mut().zip(used).zip(developed) {
            node.package.dev = (used || developed).then_some(!used);
        }
    }

    /// Sets [`Package::optional`]: what is not reached without something optional.
    pub(super) fn tell_optional(&mut self) {
        let all = self.reached(self.asked.iter().map(|(to, _)| *to), |_| true);
        let asked = self.asked.iter().filter(|(_, ask)| *ask != Ask::Optional).map(|(to, _)| *to);
        let needed = self.reached(asked, |need| !need.optional);
        for ((node, all), needed) in self.nodes.iter_mut().zip(all).zip(needed) {
            node.package.optional = all && !needed;
        }
    }

    /// Sets [`Package::when`]: a package's own condition, and those of what leads to it.
    pub(super) fn tell_when(&mut self) {
        if self.nodes.iter().all(|node| node.own.is_empty()) {
            return;
        }
        let free = |at: usize| self.nodes.get(at).is_some_and(|node| node.own.is_empty());
        let roots = self.roots();
        let always = self.reached(roots.iter().copied().filter(|at| free(*at)), |need| free(need.to));
        let conditions = Conditions::of(self, roots, &always);
        for ((node, alternatives), always) in self.nodes.iter_mut().zip(conditions.0).zip(always) {
            node.package.when = if always { None } else { alternatives.text(&node.own) };
        }
    }

    /// Takes the packages out, with their edges by name and version.
    pub(super) fn into_packages(self) -> Vec<Package> {
        let known: Vec<super::super::Edge> = self
            .nodes
            .iter()
            .map(|node| super::super::Edge {
                name: node.package.name.clone(),
                version: Some(node.package.version.clone()).filter(|version| !version.is_empty()),
            })
            .collect();
        let finish = |node: Node| {
            let mut package = node.package;
            package.needs = node.needs.iter().filter_map(|need| known.get(need.to).cloned()).collect();
            package.needs.sort_unstable();
            package.needs.dedup();
            package
        };
        self.nodes.into_iter().map(finish).collect()
    }

    /// Where a walk begins: what is asked for, and what nothing that is asked for leads to.
    fn roots(&self) -> Vec<usize> {
        let mut roots: Vec<usize> = self.asked.iter().map(|(to, _)| *to).collect();
        let mut led_to = vec![false; self.nodes.len()];
        for need in self.nodes.iter().flat_map(|node| &node.needs) {
            if let Some(led_to) = led_to.get_mut(need.to) {
                *led_to = true;
            }
        }
        roots.extend(led_to.iter().enumerate().filter(|(_, led_to)| !**led_to).map(|(at, _)| at));
        let reached = self.reached(roots.iter().copied(), |_| true);
        roots.extend(reached.iter().enumerate().filter(|(_, reached)| !**reached).map(|(at, _)| at));
        roots
    }

    fn reached(&self, from: impl Iterator<Item = usize>, through: impl Fn(&Need) -> bool) -> Vec<bool> {
        let mut open: Vec<usize> = from.collect();
        let mut reached = vec![false; self.nodes.len()];
        while let Some(at) = open.pop() {
            match reached.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                Some(_) | None => continue,
            }
            let needs = self.nodes.get(at).map_or(&[][..], |node| &node.needs);
            open.extend(needs.iter().filter(|need| through(need)).map(|need| need.to));
        }
        reached
    }
}

/// Clauses that must all hold, sorted.
type All = Vec<String>;

/// What leads to a package: one of these must hold. Too many are none that is told.
#[derive(Debug, Clone, Default)]
enum Alternatives {
    #[default]
    Never,
    Any(Vec<All>),
    TooMany,
}

impl Alternatives {
    /// Adds one; whether that changed anything.
    fn add(&mut self, all: All) -> bool {
        match self {
            Self::TooMany => false,
            Self::Never | Self::Any(_) if all.len() > MOST_CLAUSES => {
                *self = Self::TooMany;
                true
            }
            Self::Never => {
                *self = Self::Any(vec![all]);
                true
            }
            Self::Any(list) => {
                let within = |less: &All, more: &All| less.iter().all(|clause| more.contains(clause));
                if list.iter().any(|known| within(known, &all)) {
                    return false;
                }
                list.retain(|known| !within(&all, known));
                list.push(all);
                if list.len() > MOST_ALTERNATIVES {
                    *self = Self::TooMany;
                }
                true
            }
        }
    }

    fn text(self, own: &All) -> Option<String> {
        let mut list = match self {
            Self::Any(list) => list,
            Self::Never | Self::TooMany => vec![own.clone()],
        };
        list.sort_unstable();
        let texts: Vec<String> = list.iter().map(|all| all.join(" ")).collect();
        if texts.iter().any(String::is_empty) { None } else { Some(texts.join(" | ")) }
    }
}

struct Conditions(Vec<Alternatives>);

impl Conditions {
    fn of(graph: &Graph, roots: Vec<usize>, always: &[bool]) -> Self {
        let mut found = Self(vec![Alternatives::default(); graph.nodes.len()]);
        let mut open: Vec<usize> = Vec::new();
        let is_always = |at: usize| always.get(at).copied().unwrap_or(false);
        let unconditional = graph.nodes.iter().enumerate().filter(|(at, _)| is_always(*at));
        let led_to = unconditional.flat_map(|(_, node)| node.needs.iter().map(|need| need.to));
        for to in roots.into_iter().chain(led_to).filter(|to| !is_always(*to)) {
            if found.lead(graph, to, &[]) {
                open.push(to);
            }
        }
        let mut steps = 0;
        while let Some(at) = open.pop() {
            let Some(node) = graph.nodes.get(at) else { continue };
            let alternatives = match found.0.get(at) {
                Some(Alternatives::Any(list)) => list.clone(),
                Some(Alternatives::TooMany) => vec![node.own.clone()],
                Some(Alternatives::Never) | None => continue,
            };
            for need in node.needs.iter().filter(|need| !is_always(need.to)) {
                let mut changed = false;
                for all in &alternatives {
                    changed |= found.lead(graph, need.to, all);
                    steps += 1;
                }
                if changed {
                    open.push(need.to);
                }
            }
            if steps > MOST_STEPS {
                return Self(vec![Alternatives::TooMany; graph.nodes.len()]);
            }
        }
        found
    }

    /// Notes that a package is needed under a condition; whether that is new.
    fn lead(&mut self, graph: &Graph, to: usize, under: &[String]) -> bool {
        let (Some(node), Some(alternatives)) = (graph.nodes.get(to), self.0.get_mut(to)) else {
            return false;
        };
        let mut all: All = under.iter().chain(&node.own).cloned().collect();
        all.sort_unstable();
        all.dedup();
        alternatives.add(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packages as `name[own clauses] > needed ?optional`, and what is asked for; gives what is told of each.
    fn check(packages: &[&str], asked: &[(usize, Ask)], expected: &[&str]) {
        let name = |line: &str| line.split(['[', ' ']).next().unwrap_or_default().to_owned();
        let names: Vec<String> = packages.iter().map(|line| name(line)).collect();
        let node = |line: &&str| {
            let own =
                line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(own, _)| own);
            let needs =
                line.split_once(" > ").map_or("", |(_, needs)| needs).split_whitespace().map(|need| Need {
                    to: names.iter().position(|name| name == need.trim_start_matches('?')).unwrap(),
                    optional: need.starts_with('?'),
                });
            Node {
                package: Package { name: name(line), ..Package::default() },
                own: own.split_whitespace().map(str::to_owned).collect(),
                needs: needs.collect(),
            }
        };
        let mut graph = Graph { nodes: packages.iter().map(node).collect(), asked: asked.to_vec() };
        graph.tell_direct();
        graph.tell_dev();
        graph.tell_optional();
        graph.tell_when();
        let told = |package: Package| {
            let flags = [
                (package.direct == Some(true), "direct"),
                (package.dev == Some(true), "dev"),
                (package.dev.is_none(), "loose"),
                (package.optional, "optional"),
            ];
            let flags: Vec<&str> = flags.iter().filter(|(is, _)| *is).map(|(_, flag)| *flag).collect();
            let when = package.when.map(|when| format!(" if {when}")).unwrap_or_default();
            format!("{} {}{when}", package.name, flags.join(" ")).trim_end().to_owned()
        };
        let found: Vec<String> = graph.into_packages().into_iter().map(told).collect();
        assert_eq!(found, expected, "{packages:?}");
    }

    #[test]
    fn flags_follow_the_edges() {
        check(
            &["a > b", "b > c", "c > b", "d > ?c ?e", "e", "x > y", "y > x"],
            &[(0, Ask::Development), (3, Ask::Needed)],
            &["a direct dev", "b", "c", "d direct", "e optional", "x loose", "y loose"],
        );
        check(&["a", "b"], &[(0, Ask::Optional), (0, Ask::Development)], &["a direct", "b loose"]);
    }

    #[test]
    fn conditions_are_inherited() {
        check(
            &["a > ?l ?m b", "l[os=linux cpu=x64] > s t", "m[os=darwin] > s", "s", "t > u", "u > t", "b"],
            &[(0, Ask::Needed)],
            &[
                "a direct",
                "l optional if cpu=x64 os=linux",
                "m optional if os=darwin",
                "s optional if cpu=x64 os=linux | os=darwin",
                "t optional if cpu=x64 os=linux",
                "u optional if cpu=x64 os=linux",
                "b",
            ],
        );
        check(&["l[os=linux] > a", "a"], &[(1, Ask::Needed)], &["l loose if os=linux", "a direct"]);
        check(&["x[os=linux] > y", "y > x"], &[], &["x loose if os=linux", "y loose"]);
    }

    #[test]
    fn too_many_alternatives_are_not_told_apart() {
        let mut graph = Graph::default();
        for n in 0..60 {
            let needs = vec![Need { to: 60, optional: false }];
            graph.nodes.push(Node { own: vec![format!("os=o{n}")], needs, ..Node::default() });
        }
        graph.nodes.push(Node::default());
        // A long chain, and what is at its end.
        for n in 0..200 {
            let needs = vec![Need { to: 62 + n, optional: false }];
            graph.nodes.push(Node { own: vec![format!("os=p{n}")], needs, ..Node::default() });
        }
        graph.nodes.push(Node::default());
        graph.tell_when();
        assert_eq!(graph.nodes[62].package.when.as_deref(), Some("os=p0 os=p1"));
        assert!(graph.nodes[200].package.when.as_ref().is_some_and(|when| when.ends_with("os=p139")));
        let longest = graph.nodes.iter().filter_map(|node| node.package.when.as_ref()).map(String::len).max();
        assert!(longest < Some(8 * MOST_CLAUSES), "{longest:?}");
        assert_eq!(graph.nodes[3].package.when.as_deref(), Some("os=o3"));
        assert_eq!(graph.nodes[60].package.when, None);
    }
}
