//! The three views of packages across two environments: whose installed packages are compared at all, and what each
//! platform gets of what is locked.
//!
//! A side without a tree of installed packages (a laptop before the first install, a host that runs an image) says nothing
//! of what is installed: what the other side has there is set aside. What is installed and locked *within* one side is
//! held together by `boundary::views`.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::platform::{Condition, Platform};
use parallax_model::{AttributePath, Code, Key, Resource, Snapshot, Value};

use super::describe::{Places, name};
use super::identity::LastingKeys;
use super::show::visible;
use super::{Change, Difference};

/// How many packages a message names, and how many the details do.
const NAMED: usize = 3;
const DETAILED: usize = 20;

/// Who owns what only a side with a tree of installed packages can show.
pub(super) const NOT_INSTALLED: &str = "not_installed";

/// The ecosystems of which each side has a tree of installed packages.
#[derive(Debug, Default)]
pub(super) struct Trees<'a> {
    left: BTreeSet<&'a str>,
    right: BTreeSet<&'a str>,
}

impl<'a> Trees<'a> {
    pub(super) fn of(left: &'a Snapshot, right: &'a Snapshot) -> Self {
        Self { left: installed(left), right: installed(right) }
    }

    /// Whether an attribute that only one side has is there because the other has no such tree.
    pub(super) fn explain(&self, kind: &str, resource: &Resource, path: &str, change: Change) -> bool {
        let ecosystem = match (kind, path) {
            ("lockfile", "installed") => text(resource, "ecosystem"),
            ("dependency", "installed") => ecosystem(&resource.key),
            _ => return false,
        };
        let other = match change {
            Change::OnlyLeft => &self.right,
            Change::OnlyRight => &self.left,
            Change::Changed => return false,
        };
        !other.contains(ecosystem)
    }

    /// Whether a resource that only one side has is nothing but an installed package.
    pub(super) fn explain_whole(&self, resource: &Resource, change: Change) -> bool {
        let only_installed = resource.attributes.get("installed").is_some()
            && ["version", "versions", "declared"].iter().all(|path| resource.attributes.get(path).is_none());
        only_installed && self.explain(&resource.kind, resource, "installed", change)
    }
}

fn installed(snapshot: &Snapshot) -> BTreeSet<&str> {
    let lockfiles = snapshot.under("lockfile").filter(|r| r.attributes.get("installed").is_some());
    lockfiles.map(|lockfile| text(lockfile, "ecosystem")).collect()
}

pub(crate) fn text<'r>(resource: &'r Resource, path: &str) -> &'r str {
    resource.attributes.get(path).and_then(Value::as_text).unwrap_or_default()
}

pub(crate) fn ecosystem(key: &Key) -> &str {
    key.segments().nth(1).unwrap_or_default()
}

/// Where the sides' platforms differ: what only one of them gets of the packages that both have locked. One
/// difference for each ecosystem, on its first lockfile.
pub(super) fn selected(left: &Snapshot, right: &Snapshot) -> Vec<Difference> {
    let platforms = (Platform::of(left), Platform::of(right));
    if platforms.0 == platforms.1 {
        return Vec::new();
    }
    let mut found: BTreeMap<&str, (Vec<&Resource>, Vec<&Resource>)> = BTreeMap::new();
    for package in left.under("dependency") {
        let Some(other) = right.get(&package.key) else { continue };
        let conditions = (condition(package), condition(other));
        if conditions == (None, None) {
            continue;
        }
        let holds =
            |condition: Option<Condition>, platform| condition.map_or(Some(true), |c| c.holds(platform));
        match (holds(conditions.0, &platforms.0), holds(conditions.1, &platforms.1)) {
            (Some(true), Some(false)) => found.entry(ecosystem(&package.key)).or_default().0.push(package),
            (Some(false), Some(true)) => found.entry(ecosystem(&package.key)).or_default().1.push(other),
            (Some(_), Some(_)) | (None, _) | (_, None) => {}
        }
    }
    let keys = LastingKeys::of(left, right);
    let places = Places::of(left, right);
    let mut out = Vec::new();
    for (ecosystem, (here, there)) in found {
        let common =
            |file: &&Resource| text(file, "ecosystem") == ecosystem && right.get(&file.key).is_some();
        if let Some(lockfile) = left.under("lockfile").find(common) {
            out.push(difference(lockfile, (&here, &there), keys, &places));
        }
    }
    out
}

fn condition(package: &Resource) -> Option<Condition> {
    package.attributes.get("when").and_then(Value::as_text).map(Condition::new)
}

fn difference(
    lockfile: &Resource,
    (here, there): (&[&Resource], &[&Resource]),
    keys: LastingKeys<'_>,
    places: &Places,
) -> Difference {
    let path = AttributePath::new("selected");
    let value = |list: &[&Resource]| {
        let names: Vec<&str> = list.iter().map(|package| package.key.after(2)).collect();
        Value::from(names.join(" "))
    };
    let (left, right) = (value(here), value(there));
    let file = name(&lockfile.kind, &lockfile.key);
    let sides = [(here, &places.left), (there, &places.right)];
    let side = |(list, place): &(&[&Resource], &String)| match list.len() {
        0 => None,
        count => Some(format!("{count} only {place} ({})", named(list))),
    };
    let told: Vec<String> = sides.iter().filter_map(side).collect();
    let details = sides.iter().flat_map(|(list, place)| {
        let lines = list.iter().take(DETAILED).map(move |package| {
            format!("{} only {place}: {}", name(&package.kind, &package.key), visible(text(package, "when")))
        });
        let more = list.len().checked_sub(DETAILED).filter(|more| *more > 0);
        lines.chain(more.map(|more| format!("and {more} more")))
    });
    Difference {
        id: keys.id(&lockfile.key, Some(&path), Some(&left).into(), Some(&right).into()),
        key: lockfile.key.clone(),
        kind: lockfile.kind.clone(),
        layer: super::layer(&lockfile.kind),
        code: Code::DependencyDrift,
        change: Change::Changed,
        normalised: (None, None),
        rules: vec!["condition"],
        not_comparable: None,
        message: format!("{file} gives each platform packages of its own: {}", told.join(", ")),
        details: details.collect(),
        part_of: None,
        attribute: Some(path),
        left: Some(left),
        right: Some(right),
    }
}

fn named(list: &[&Resource]) -> String {
    let names: Vec<String> =
        list.iter().take(NAMED).map(|package| name(&package.kind, &package.key)).collect();
    let more = if list.len() > NAMED { ", ..." } else { "" };
    format!("{}{more}", names.join(", "))
}
