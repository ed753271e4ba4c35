//! Folds packages under their lockfile: where a lockfile differs, the packages of its ecosystem that differ
//! are parts of that one divergence, whose message names them.
//!
//! A package's key does not say which lockfile it is from. Where several lockfiles of an ecosystem differ, the
//! packages go to the first whose format is read (it counts its packages), or else to the first.

use std::collections::BTreeMap;

use parallax_model::{AttributePath, Key, Resource, Snapshot, Value};

use super::describe::{Places, name};
use super::show::{short, short_pair};
use super::{Change, Difference, DivergenceId};

/// How many packages the message names, and how many the details do.
const NAMED: usize = 3;
const DETAILED: usize = 20;

pub(super) fn fold(differences: &mut [Difference], left: &Snapshot, right: &Snapshot) {
    let places = Places::of(left, right);
    for ((ecosystem, view), parent) in parents(differences, left, right) {
        let moved = take_parts(differences, (&ecosystem, view), &parent, &places);
        let total = total(&ecosystem, differences, &parent, left, right);
        if let Some(parent) = differences.iter_mut().find(|d| d.id == parent && &*d.kind == "lockfile") {
            tell(parent, view, &moved, total);
        }
    }
}

/// What a part of a lockfile's divergence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum View {
    /// What is locked. It is first, so that it takes what is declared, too.
    Locked,
    /// What is installed.
    Installed,
}

impl View {
    /// The view that a lockfile's own attribute stands for; `None` of one that stands for none.
    fn of_lockfile(attribute: Option<&AttributePath>) -> Option<Self> {
        match attribute.map(AttributePath::as_str) {
            Some("installed") => Some(Self::Installed),
            Some("selected") => None,
            Some(_) | None => Some(Self::Locked),
        }
    }

    fn takes(self, attribute: Option<&AttributePath>) -> bool {
        (attribute.map(AttributePath::as_str) == Some("installed")) == (self == Self::Installed)
    }
}

/// The lockfile divergence of each ecosystem and view.
fn parents(
    differences: &[Difference],
    left: &Snapshot,
    right: &Snapshot,
) -> BTreeMap<(String, View), DivergenceId> {
    let mut found: BTreeMap<(String, View), (bool, DivergenceId)> = BTreeMap::new();
    for difference in differences.iter().filter(|d| &*d.kind == "lockfile") {
        let Some(view) = View::of_lockfile(difference.attribute.as_ref()) else { continue };
        let resources = [left.get(&difference.key), right.get(&difference.key)];
        let Some(ecosystem) = resources.iter().flatten().find_map(|r| ecosystem(r)) else { continue };
        let counted = resources.iter().flatten().any(|r| r.attributes.get("packages").is_some());
        let place = (ecosystem.to_owned(), view);
        let better = found.get(&place).is_none_or(|(was_counted, _)| counted && !was_counted);
        if better {
            found.insert(place, (counted, difference.id.clone()));
        }
    }
    found.into_iter().map(|(place, (_, id))| (place, id)).collect()
}

fn ecosystem(lockfile: &Resource) -> Option<&str> {
    lockfile.attributes.get("ecosystem").and_then(Value::as_text)
}

fn is_package_of(key: &Key, ecosystem: &str) -> bool {
    key.root() == "dependency" && key.segments().nth(1) == Some(ecosystem)
}

/// Marks the packages as parts; gives what happened to each, once per package.
fn take_parts(
    differences: &mut [Difference],
    (ecosystem, view): (&str, View),
    parent: &DivergenceId,
    places: &Places,
) -> Vec<String> {
    let mut moved: BTreeMap<Key, String> = BTreeMap::new();
    let is_part = |d: &&mut Difference| is_package_of(&d.key, ecosystem) && view.takes(d.attribute.as_ref());
    for part in differences.iter_mut().filter(is_part) {
        part.part_of = Some(parent.clone());
        let attribute = part.attribute.as_ref().map_or("", |a| a.as_str());
        let words = words(part, attribute, places);
        // A package's version says more than its content hash, or what asked for it.
        if !matches!(attribute, "integrity" | "declared" | "source") || !moved.contains_key(&part.key) {
            moved.insert(part.key.clone(), words);
        }
    }
    moved.into_values().collect()
}

fn words(part: &Difference, attribute: &str, places: &Places) -> String {
    let name = name(&part.kind, &part.key);
    match (part.change, &part.left, &part.right) {
        (Change::Changed, _, _) if attribute == "integrity" => format!("{name} with other content"),
        (Change::Changed, Some(left), Some(right)) => {
            let (l, r) = short_pair(left, right);
            format!("{name} {l} → {r}")
        }
        (Change::Changed, _, _) => name,
        (Change::OnlyLeft, Some(value), _) => {
            format!("{name} {attribute} {} only {}", short(value), places.left)
        }
        (Change::OnlyRight, _, Some(value)) => {
            format!("{name} {attribute} {} only {}", short(value), places.right)
        }
        (Change::OnlyLeft, None, _) => format!("{name} only {}", places.left),
        (Change::OnlyRight, _, None) => format!("{name} only {}", places.right),
    }
}

/// How many packages there are: what the lockfile counts, or else what was observed.
fn total(
    ecosystem: &str,
    differences: &[Difference],
    parent: &DivergenceId,
    left: &Snapshot,
    right: &Snapshot,
) -> Option<String> {
    let key = &differences.iter().find(|d| d.id == *parent && &*d.kind == "lockfile")?.key;
    let counted = |snapshot: &Snapshot| match snapshot.get(key)?.attributes.get("packages")? {
        Value::Number(n) => n.as_str().parse::<usize>().ok(),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::Secret(_) => None,
    };
    let prefix = format!("dependency/{ecosystem}");
    let seen = |snapshot: &Snapshot| Some(snapshot.under(&prefix).count()).filter(|n| *n > 0);
    let larger = counted(left).max(counted(right)).or_else(|| seen(left).max(seen(right)))?;
    Some(larger.to_string())
}

fn tell(parent: &mut Difference, view: View, moved: &[String], total: Option<String>) {
    let file = match view {
        View::Locked => name(&parent.kind, &parent.key),
        View::Installed => format!("what is installed of {}", name(&parent.kind, &parent.key)),
    };
    if parent.change == Change::Changed {
        parent.message = match (moved, total) {
            ([], None) => format!("{file} differs"),
            ([], Some(_)) => format!("{file} differs, but in no package"),
            (moved, total) => {
                let of = total.map(|t| format!(" of {t}")).unwrap_or_default();
                let packages = if moved.len() == 1 && of.is_empty() { "package" } else { "packages" };
                let more = if moved.len() > NAMED { ", ..." } else { "" };
                let named = moved.get(..NAMED).unwrap_or(moved).join(", ");
                format!("{file} differs in {}{of} {packages}: {named}{more}", moved.len())
            }
        };
    }
    parent.details = moved.iter().take(DETAILED).cloned().collect();
    if let Some(more) = moved.len().checked_sub(DETAILED).filter(|more| *more > 0) {
        parent.details.push(format!("and {more} more"));
    }
}
