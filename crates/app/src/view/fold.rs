//! The changes of one moment as few lines: a resource's lesser changes go with the one that says most, and many resources of one
//! sort are one line.

use parallax_engine::compare::show::visible;
use parallax_model::{Key, ontology};
use parallax_store::Change;

use super::change::own_name;
use super::{Sign, Told, change, evidence, telling};
use crate::usecase::change_kind;

/// So many resources of one sort have lines of their own; more are one line.
const OF_A_SORT: usize = 12;
/// So many packages have; they come in crowds, and their names say little.
const PACKAGES: usize = 3;
/// So many attributes of one resource have lines of their own.
const ATTRIBUTES: usize = 6;
/// How many are named where many are one line.
const NAMED: usize = 3;
/// How many different sayings of evidence one line has.
const SAYINGS: usize = 2;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The change, or what stands for several.
    pub told: Told,
    /// What evidence says, each once.
    pub evidence: Vec<String>,
    /// How many changes the line stands for.
    pub changes: usize,
}

/// The lines of one moment; its changes are in order of keys.
#[must_use]
pub fn items(changes: &[&Change]) -> Vec<Item> {
    let resources: Vec<&[&Change]> = changes.chunk_by(|a, b| a.key == b.key).collect();
    let mut out = Vec::new();
    for sort in resources.chunk_by(|a, b| same_sort(key_of(a), key_of(b))) {
        let most =
            if is_package(key_of(sort.first().copied().unwrap_or_default())) { PACKAGES } else { OF_A_SORT };
        if sort.len() > most {
            out.push(crowd(sort));
        } else {
            sort.iter().for_each(|resource| out.extend(of_resource(resource)));
        }
    }
    out
}

/// A change as a line of its own.
#[must_use]
pub fn item(of: &Change) -> Item {
    Item { told: change(of), evidence: sayings([of].into_iter()), changes: 1 }
}

fn key_of<'a>(resource: &[&'a Change]) -> Option<&'a Key> {
    resource.first().map(|change| &change.key)
}

fn is_package(key: Option<&Key>) -> bool {
    key.is_some_and(|key| matches!(key.root(), "dependency" | "package"))
}

/// What stands before the name: `dependency/npm`, `env`, `k8s/apps/Deployment/shop`.
fn folder(key: &Key) -> Vec<&str> {
    key.segments().take(ontology::segments_before_name(key)).collect()
}

fn same_sort(a: Option<&Key>, b: Option<&Key>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => folder(a) == folder(b),
        (None, _) | (_, None) => false,
    }
}

/// The lines of one resource. What says most of it (its version) speaks for the rest.
fn of_resource(changes: &[&Change]) -> Vec<Item> {
    let path = |change: &Change| change.what.attribute().map(|path| path.as_str().to_owned());
    let says_most = |change: &Change| {
        let row = change_kind(change).and_then(ontology::kind);
        telling(row).is_some_and(|most| path(change).as_deref() == Some(most))
    };
    let lead = changes.iter().copied().find(|change| says_most(change));
    let lines = match lead {
        Some(lead) => vec![lead],
        None if changes.len() > ATTRIBUTES => changes.iter().copied().take(NAMED).collect(),
        None => changes.to_vec(),
    };
    let others: Vec<String> = changes.iter().filter(|c| !lines.contains(c)).filter_map(|c| path(c)).collect();
    let mut items: Vec<Item> = lines.iter().map(|change| item(change)).collect();
    let Some(last) = items.last_mut().filter(|_| !others.is_empty()) else { return items };
    last.changes += changes.len() - lines.len();
    last.evidence = sayings(changes.iter().copied());
    // A package's hash changes with its version.
    if !is_package(key_of(changes)) {
        let named: Vec<String> =
            others.iter().take(NAMED).map(|path| format!("#{}", visible(path))).collect();
        let more = others.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        last.told.words.push_str(&format!(", also {}{more}", named.join(", ")));
    }
    items
}

/// One line for many resources of one sort.
fn crowd(resources: &[&[&Change]]) -> Item {
    let lines: Vec<(&Key, Told)> = resources
        .iter()
        .filter_map(|resource| Some((key_of(resource)?, of_resource(resource).into_iter().next()?.told)))
        .collect();
    let first = lines.first().map_or(Sign::Changed, |(_, told)| told.sign);
    let is_one = lines.iter().all(|(_, told)| told.sign == first);
    let named = lines.iter().take(NAMED).map(|(key, told)| {
        let mark = if is_one || told.sign == Sign::Changed {
            String::new()
        } else {
            format!("{} ", told.sign.mark())
        };
        format!("{mark}{} {}", visible(own_name(key)), told.words)
    });
    let key = lines.first().map(|(key, _)| *key);
    let noun = match key.map(Key::root) {
        Some("dependency" | "package") => "packages",
        Some("env") => "variables",
        Some(_) | None => "resources",
    };
    let words = format!(
        "{} {noun}: {} and {} more (--verbose)",
        lines.len(),
        named.collect::<Vec<_>>().join(", "),
        lines.len().saturating_sub(NAMED)
    );
    Item {
        told: Told {
            sign: if is_one { first } else { Sign::Changed },
            name: key.map(|key| visible(&folder(key).join("/"))).unwrap_or_default(),
            words,
        },
        evidence: sayings(resources.iter().flat_map(|resource| resource.iter().copied())),
        changes: resources.iter().map(|resource| resource.len()).sum(),
    }
}

/// What evidence says of changes, each once.
fn sayings<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for text in changes.flat_map(|change| &change.evidence).filter_map(|text| evidence(text)) {
        if said.len() < SAYINGS && !said.contains(&text) {
            said.push(text);
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use parallax_model::{AttributePath, Resource, Timestamp};
    use parallax_store::What;

    use super::*;

    /// `key#path` changed from 1 to 2; `+key` and `-key` came and went.
    fn of(text: &str) -> Change {
        let at = Timestamp::UNIX_EPOCH;
        let (key, path) = text
            .trim_start_matches(['+', '-'])
            .split_once('#')
            .unwrap_or((text.trim_start_matches(['+', '-']), ""));
        let key = Key::parse(key).unwrap();
        let resource = Resource::new(key.clone(), "dependency").with("version", "2").with("integrity", "x");
        let what = match text.chars().next() {
            Some('+') => What::Appeared(resource),
            Some('-') => What::Vanished(resource),
            Some(_) | None => What::Attribute {
                path: AttributePath::new(path),
                before: Some("1".into()),
                after: Some("2".into()),
            },
        };
        let evidence = vec![r#"{"who": "carol"}"#.to_owned()];
        Change { entry: 2, key, what, after: at, not_after: at, at: None, evidence }
    }

    #[track_caller]
    fn check(changes: &[&str], expected: &[&str]) {
        let changes: Vec<Change> = changes.iter().map(|text| of(text)).collect();
        let refs: Vec<&Change> = changes.iter().collect();
        let items = items(&refs);
        assert_eq!(items.iter().map(|item| item.changes).sum::<usize>(), changes.len(), "{items:?}");
        assert!(items.iter().all(|item| item.evidence == ["by carol"]), "{items:?}");
        let lines: Vec<String> = items
            .iter()
            .map(|i| format!("{} {}  {}", i.told.sign.mark(), i.told.name, i.told.words))
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn few_have_lines_of_their_own() {
        check(&[], &[]);
        check(&["env/A#value", "env/B#value"], &["~ env/A#value  1 → 2", "~ env/B#value  1 → 2"]);
        check(
            &[
                "dependency/npm/a#integrity",
                "dependency/npm/a#version",
                "runtime/node#implementation",
                "runtime/node#version",
            ],
            &["~ dependency/npm/a#version  1 → 2", "~ runtime/node#version  1 → 2, also #implementation"],
        );
        check(&["x/y#a", "x/y#b"], &["~ x/y#a  1 → 2", "~ x/y#b  1 → 2"]);
    }

    #[test]
    fn crowds_are_one_line() {
        check(
            &[
                "+dependency/npm/@a/a",
                "-dependency/npm/b",
                "dependency/npm/c#version",
                "dependency/npm/d#integrity",
                "dependency/npm/d#version",
                "dependency/pip/a#version",
            ],
            &[
                "~ dependency/npm  4 packages: + @a/a 2, - b was 2, c 1 → 2 and 1 more (--verbose)",
                "~ dependency/pip/a#version  1 → 2",
            ],
        );
        check(
            &["+dependency/npm/a", "+dependency/npm/b", "+dependency/npm/c", "+dependency/npm/d"],
            &["+ dependency/npm  4 packages: a 2, b 2, c 2 and 1 more (--verbose)"],
        );
        let variables: Vec<String> = (10..30).map(|n| format!("env/V{n}#value")).collect();
        let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
        check(&variables, &["~ env  20 variables: V10 1 → 2, V11 1 → 2, V12 1 → 2 and 17 more (--verbose)"]);
        let attributes: Vec<String> = (10..30).map(|n| format!("document/a/b#f{n}")).collect();
        let attributes: Vec<&str> = attributes.iter().map(String::as_str).collect();
        check(
            &attributes,
            &[
                "~ document/a/b#f10  1 → 2",
                "~ document/a/b#f11  1 → 2",
                "~ document/a/b#f12  1 → 2, also #f13, #f14, #f15 and 14 more",
            ],
        );
    }
}
