//! Packages within one environment, in their three views: what manifests declare, what is locked, what is installed. One
//! finding for each lockfile and sort; the packages are in its details.
//!
//! - *Outgrown*: a manifest asks for what the lockfile does not hold, so that the next install changes the lockfile, or fails.
//! - *Installed otherwise*: what is on the disk is not what is locked.
//!
//! Nothing is said of packages that a gap hides, that only development needs and that are absent (an installation for
//! production), or that the environment's platform does not get.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::platform::{Condition, Platform};
use parallax_model::{AttributePath, Code, Key, RelationKind, Resource, Snapshot, Value};

use super::constraint::Constraint;
use crate::compare::show::{short_text, visible};
use crate::compare::{ecosystem, name, text};
use crate::normalise::Version;

/// How many packages a message names, and how many the details do.
const NAMED: usize = 3;
const DETAILED: usize = 20;

/// What is wrong between two views.
pub(super) struct Parted {
    pub(super) key: Key,
    pub(super) attribute: AttributePath,
    pub(super) code: Code,
    /// The packages in words: what the finding is made of.
    pub(super) value: Value,
    pub(super) message: String,
    pub(super) details: Vec<String>,
}

/// What is wrong between the views of one environment, by lockfile.
pub(super) fn parted(snapshot: &Snapshot) -> Vec<Parted> {
    let mut lockfiles: BTreeMap<&str, &Resource> = BTreeMap::new();
    for lockfile in snapshot.under("lockfile").filter(|file| file.attributes.get("packages").is_some()) {
        // The one beside a tree speaks for all.
        let best = lockfiles.entry(text(lockfile, "ecosystem")).or_insert(lockfile);
        if !has_tree(best) && has_tree(lockfile) {
            *best = lockfile;
        }
    }
    let platform = Platform::of(snapshot);
    lockfiles
        .into_iter()
        .flat_map(|(of, lockfile)| Views { snapshot, platform: &platform, of, lockfile }.parted())
        .collect()
}

fn has_tree(lockfile: &Resource) -> bool {
    lockfile.attributes.get("installed").is_some()
}

struct Views<'a> {
    snapshot: &'a Snapshot,
    platform: &'a Platform,
    /// The ecosystem.
    of: &'a str,
    lockfile: &'a Resource,
}

impl Views<'_> {
    fn parted(&self) -> Vec<Parted> {
        let hidden = |package: &&Resource| {
            let gaps = &self.snapshot.header().gaps;
            !gaps.iter().any(|gap| gap.hides(&package.key, None))
        };
        let packages =
            || self.snapshot.under("dependency").filter(|p| ecosystem(&p.key) == self.of).filter(hidden);
        let file = name(&self.lockfile.kind, &self.lockfile.key);
        let outgrown: Vec<String> = packages().filter_map(|package| self.outgrown(package)).collect();
        let mut out = Vec::new();
        if !outgrown.is_empty() {
            let message = format!("{file} has been outgrown: {}", told(&outgrown));
            out.push(self.finding(("declared", Code::LockfileOutdated), message, outgrown));
        }
        let tree = text(self.lockfile, "tree");
        if has_tree(self.lockfile) {
            let otherwise: Vec<String> = packages().filter_map(|package| self.otherwise(package)).collect();
            if !otherwise.is_empty() {
                let tree = if tree.is_empty() { "what is installed".to_owned() } else { short_text(tree) };
                let message = format!("{tree} is not what {file} locks: {}", told(&otherwise));
                out.push(self.finding(("installed", Code::DependencyDrift), message, otherwise));
            }
        }
        out
    }

    fn finding(&self, (attribute, code): (&str, Code), message: String, mut details: Vec<String>) -> Parted {
        let value = Value::from(details.join("; "));
        let more = details.len().saturating_sub(DETAILED);
        details.truncate(DETAILED);
        if more > 0 {
            details.push(format!("and {more} more"));
        }
        Parted {
            key: self.lockfile.key.clone(),
            attribute: AttributePath::new(attribute),
            code,
            value,
            message,
            details,
        }
    }

    /// What a manifest asks for that is not locked so.
    fn outgrown(&self, package: &Resource) -> Option<String> {
        let declared = text(package, "declared");
        if declared.is_empty() {
            return None;
        }
        let shown = name(&package.kind, &package.key);
        let locked = versions(package);
        let (asked, made_for) = (visible(declared), text(package, "locked_for"));
        if !made_for.is_empty() {
            let same = made_for == declared;
            return (!same).then(|| format!("{shown} {asked} is asked for, {} was", visible(made_for)));
        }
        if locked.is_empty() {
            return Some(format!("{shown} {asked} is asked for, and none is locked"));
        }
        // Several requirements may be met by several versions; that one is met by none is certain.
        let unmet = declared.split(" | ").find(|one| {
            let constraint = Constraint::read(one, "");
            let admits =
                |version: &&str| Version::parse(version).and_then(|version| constraint.admits(&version));
            locked.iter().all(|version| admits(version) == Some(false))
        })?;
        let locked: Vec<&str> = locked.into_iter().collect();
        Some(format!("{shown} {} is asked for, {} is locked", visible(unmet), visible(&locked.join(" "))))
    }

    /// What is installed that is not locked so, or the other way around.
    fn otherwise(&self, package: &Resource) -> Option<String> {
        let shown = name(&package.kind, &package.key);
        let locked = versions(package);
        let installed: BTreeSet<&str> = text(package, "installed").split_whitespace().collect();
        let list = |set: &BTreeSet<&str>| visible(&set.iter().copied().collect::<Vec<_>>().join(" "));
        if installed.is_empty() {
            let lacks = !locked.is_empty() && self.is_due(package);
            return lacks.then(|| format!("{shown} {} is not installed", list(&locked)));
        }
        let foreign: BTreeSet<&str> = installed.difference(&locked).copied().collect();
        match (foreign.is_empty(), locked.is_empty()) {
            (true, _) => None,
            // Requirements need not name what is needed by what they name.
            (false, true) if text(self.lockfile, "format").starts_with("requirements") => None,
            (false, true) => Some(format!("{shown} {} is installed, none is locked", list(&foreign))),
            (false, false) => Some(format!("{shown} {} instead of {}", list(&foreign), list(&locked))),
        }
    }

    /// Whether an installation without this package lacks something.
    fn is_due(&self, package: &Resource) -> bool {
        let is = |path: &str| matches!(package.attributes.get(path), Some(Value::Bool(true)));
        let condition = package.attributes.get("when").and_then(Value::as_text).map(Condition::new);
        let gets = condition.is_none_or(|condition| condition.holds(self.platform) == Some(true));
        // What comes from git or a folder is not always where the rest is.
        let elsewhere = text(package, "source")
            .split(' ')
            .any(|from| from.starts_with("git+") || from.starts_with("path+"));
        let mut lockfiles =
            package.relations.iter().filter(|relation| relation.kind == RelationKind::DeclaredIn);
        let beside_a_tree = package.relations.is_empty()
            || lockfiles.any(|relation| self.snapshot.get(&relation.to).is_some_and(has_tree));
        gets && beside_a_tree && !elsewhere && !is("dev") && !is("optional")
    }
}

fn versions(package: &Resource) -> BTreeSet<&str> {
    text(package, "version").split_whitespace().chain(text(package, "versions").split_whitespace()).collect()
}

fn told(packages: &[String]) -> String {
    let named = packages.get(..NAMED).unwrap_or(packages).join(", ");
    let more = packages.len().saturating_sub(NAMED);
    if more > 0 { format!("{named}, and {more} more") } else { named }
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::super::tests::{judged, lines, resources, snapshot};

    const LOCK: &str = "lockfile/package-lock.json ecosystem=npm format=npm-v3 packages=2 sha256=x";

    #[track_caller]
    fn check(lock: &str, packages: &str, expected: &str) {
        let side =
            |environment: &str| snapshot(environment, resources(&format!("{LOCK}{lock}\n{packages}")), &[]);
        let judgement = judged(&side("local"), &side("staging"), &Rules::default());
        let messages = judgement.divergences.iter().filter(|d| d.within.as_deref() == Some("local"));
        let found: Vec<String> =
            messages.map(|d| format!("{}: {}", d.difference.code, d.difference.message)).collect();
        assert_eq!(found.join("\n"), expected, "{packages}");
    }

    #[test]
    fn a_lockfile_that_its_manifest_has_outgrown() {
        let package = |rest: &str| format!("dependency/npm/ms {rest}");
        let outgrown =
            |what: &str| format!("lockfile_outdated: package-lock.json has been outgrown: ms {what} here");
        check("", &package("version=2.1.3 declared=^2.0.0"), "");
        check(
            "",
            &package("version=2.1.3 declared=^3.0.0"),
            &outgrown("^3.0.0 is asked for, 2.1.3 is locked"),
        );
        check("", &package("declared=^3.0.0"), &outgrown("^3.0.0 is asked for, and none is locked"));
        check("", &package("version=2.1.3 declared=^2.0.0 locked_for=^2.0.0"), "");
        check(
            "",
            &package("version=2.1.3 declared=^2.1.0 locked_for=^2.0.0"),
            &outgrown("^2.1.0 is asked for, ^2.0.0 was"),
        );
        check("", &package("version=2.1.3 declared=github:someone/ms"), "");
        check("", &package("versions=2.1.3~1.0.0 declared=^2.0.0~|~^1.0.0"), "");
    }

    #[test]
    fn what_is_installed_is_not_what_is_locked() {
        let tree = " installed=h tree=node_modules";
        let package = |rest: &str| format!("dependency/npm/ms {rest}");
        let other = |what: &str| {
            format!("dependency_drift: node_modules is not what package-lock.json locks: ms {what} here")
        };
        check(tree, &package("version=2.1.3 installed=2.1.3"), "");
        check(tree, &package("version=2.1.3 installed=2.1.2"), &other("2.1.2 instead of 2.1.3"));
        check(tree, &package("version=2.1.3"), &other("2.1.3 is not installed"));
        check("", &package("version=2.1.3"), "");
        check(tree, &package("installed=2.1.2"), &other("2.1.2 is installed, none is locked"));
        check(tree, &package("versions=2.1.3~1.0.0 installed=2.1.3"), "");
    }

    #[test]
    fn equal_lockfiles_with_other_trees() {
        let side = |environment: &str, hash: &str, installed: &str| {
            let text =
                format!("{LOCK} installed={hash}\ndependency/npm/ms version=2.1.3 installed={installed}");
            snapshot(environment, resources(&text), &[])
        };
        let judgement =
            judged(&side("local", "a", "2.1.3"), &side("staging", "b", "2.1.2"), &Rules::default());
        assert_eq!(
            lines(&judgement),
            "violation dependency_drift dependency/npm/ms#installed folded\n\
             violation dependency_drift lockfile/package-lock.json#installed\n\
             violation dependency_drift lockfile/package-lock.json#installed"
        );
        let whole = judgement.divergences.iter().find(|d| d.within.is_none() && !d.folded).unwrap();
        assert_eq!(
            whole.difference.message,
            "what is installed of package-lock.json differs in 1 of 1 packages: ms 2.1.3 → 2.1.2"
        );
        // Where one side has no tree, nothing is said of what is installed.
        let bare = snapshot("staging", resources(&format!("{LOCK}\ndependency/npm/ms version=2.1.3")), &[]);
        let judgement = judged(&side("local", "a", "2.1.3"), &bare, &Rules::default());
        assert_eq!(lines(&judgement), "");
        assert_eq!(judgement.suppressed.iter().filter(|s| s.owner == "not_installed").count(), 2);
    }
}
