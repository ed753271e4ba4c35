//! What `package.json` files ask for, and what the lockfiles of npm, Yarn, pnpm and Bun say they were made for.
//!
//! npm, pnpm and Bun record the requests of each workspace; Yarn has an entry for each range, whoever asks for it. Only
//! workspaces that the lockfile knows and whose manifest was read are looked at. An alias goes by the name of the real
//! package.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::bun::without_extras;
use super::manifest::Manifest;
use super::{split_locator, syml};
use crate::lockfile::json::Entries;
use crate::lockfile::{Declared, Files, Requests};
use crate::yaml::{self, Limit};

/// Longer ranges are not kept.
const MAX_RANGE: usize = 200;

/// A range of a registry's versions, with the name of the package that it is of; `None` of anything else.
fn range<'t>(name: &'t str, text: &'t str) -> Option<(&'t str, String)> {
    let text = text.trim();
    let (name, text) = match text.strip_prefix("npm:") {
        Some(inner) => split_locator(inner).unwrap_or((name, inner)),
        None => (name, text),
    };
    let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !matches!(c, ':' | '/' | '#' | '@' | ',');
    if text.is_empty() || text.len() > MAX_RANGE || !text.chars().all(plain) {
        return None;
    }
    Some((name, text.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// Which side of the comparison a manifest is: the project's own file, or what the lockfile has of it.
#[derive(Clone, Copy)]
enum Side {
    Now,
    Then,
}

impl Declared {
    fn take<'t>(&mut self, side: Side, asked: impl Iterator<Item = (&'t str, &'t str)>) {
        for (alias, text) in asked {
            match (range(alias, text), side) {
                (Some((name, text)), Side::Now) => self.ask(name, &text),
                (Some((name, text)), Side::Then) => self.made(name, &text),
                (None, _) => self.doubt(alias),
            }
        }
    }

    fn take_own(&mut self, manifest: &Manifest<'_>) {
        self.own.extend(manifest.name.said().map(str::to_owned));
    }
}

/// All that a manifest asks for, peers too.
fn all<'m>(manifest: &'m Manifest<'_>) -> impl Iterator<Item = (&'m str, &'m str)> {
    manifest.asked().map(|(name, text, _)| (name, text)).chain(manifest.peers())
}

fn path_of(folder: &str) -> String {
    if matches!(folder, "" | ".") { "package.json".to_owned() } else { format!("{folder}/package.json") }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Lockfile<'a> {
    #[serde(borrow)]
    packages: Option<Entries<'a, &'a RawValue>>,
    #[serde(borrow)]
    workspaces: Entries<'a, Manifest<'a>>,
}

/// npm's lockfiles; version 1 does not record the requests.
pub(in crate::lockfile) fn npm(files: &Files<'_>) -> Declared {
    let Ok(Lockfile { packages, .. }) = serde_json::from_slice::<Lockfile<'_>>(files.bytes()) else {
        return Declared::default();
    };
    let Some(places) = packages else {
        let mut declared = Declared::default();
        for manifest in &Manifest::all(files) {
            declared.take_own(manifest);
            declared.take(Side::Now, manifest.asked().map(|(name, text, _)| (name, text)));
        }
        return declared;
    };
    let mut declared = Declared::with_lock();
    let is_own = |place: &str| !place.split('/').any(|folder| folder == "node_modules");
    for (place, raw) in places.0.iter().filter(|(place, _)| is_own(place)) {
        let then = serde_json::from_str::<Manifest<'_>>(raw.get()).ok();
        let (Some(then), Some(now)) = (then, Manifest::beside(files, &path_of(place))) else { continue };
        declared.take_own(&then);
        declared.take_own(&now);
        declared.take(Side::Now, all(&now));
        declared.take(Side::Then, all(&then));
    }
    declared
}

/// Bun's text lockfile.
pub(in crate::lockfile) fn bun(files: &Files<'_>) -> Declared {
    let mut declared = Declared::with_lock();
    let json = without_extras(files.text().unwrap_or_default());
    let Ok(lockfile) = serde_json::from_str::<Lockfile<'_>>(&json) else { return declared };
    for (folder, then) in &lockfile.workspaces.0 {
        let Some(now) = Manifest::beside(files, &path_of(folder)) else { continue };
        declared.take_own(then);
        declared.take_own(&now);
        declared.take(Side::Now, all(&now));
        declared.take(Side::Then, all(then));
    }
    declared
}

/// pnpm's lockfile. What it makes of manifests itself (overrides, peers, a `.pnpmfile.cjs`) is recorded in their place.
pub(in crate::lockfile) fn pnpm(files: &Files<'_>) -> Declared {
    let mut declared = Declared::with_lock();
    let text = files.text().unwrap_or_default();
    // The packages are most of it, and say nothing of requests.
    let head = text.split("\npackages:").next().unwrap_or_default();
    let Ok(root) = yaml::parse_within(head, Limit::LOCKED) else { return declared };
    if ["pnpmfileChecksum", "packageExtensionsChecksum"].iter().any(|field| root.get(field).is_some()) {
        return declared;
    }
    for (name, _) in root.get("overrides").map_or(&[][..], yaml::Node::fields) {
        declared.doubt(overridden(name));
    }
    let alone = [(".".to_owned(), root.clone())];
    let importers = root.get("importers").map_or(&alone[..], yaml::Node::fields);
    for (folder, importer) in importers {
        let Some(now) = Manifest::beside(files, &path_of(folder)) else { continue };
        declared.take_own(&now);
        now.peers().for_each(|(name, _)| declared.doubt(name));
        declared.take(Side::Now, now.asked().map(|(name, text, _)| (name, text)));
        let listed = ["dependencies", "devDependencies", "optionalDependencies"].into_iter();
        let listed = listed.filter_map(|list| importer.get(list)).flat_map(yaml::Node::fields);
        let listed = listed.filter_map(|(name, asked)| Some((name, asked.get("specifier")?)));
        let older = importer.get("specifiers").map_or(&[][..], yaml::Node::fields).iter();
        let then = listed.chain(older.map(|(name, text)| (name, text)));
        declared.take(Side::Then, then.filter_map(|(name, text)| Some((name.as_str(), text.text()?))));
    }
    declared
}

/// Yarn's lockfiles, classic and berry.
pub(in crate::lockfile) fn yarn(files: &Files<'_>) -> Declared {
    let mut declared = Declared::with_lock();
    let manifests = Manifest::all(files);
    let entries = syml::parse(files.text().unwrap_or_default());
    let (Ok(entries), false) = (entries, manifests.is_empty()) else { return declared };
    let mut ranges = Requests::new();
    for descriptor in entries.iter().flat_map(|entry| &entry.keys).flat_map(|keys| keys.split(", ")) {
        let Some((alias, text)) = split_locator(descriptor) else { continue };
        if let Some((name, text)) = range(alias, text) {
            ranges.entry(name.to_owned()).or_default().insert(text);
        }
    }
    for manifest in &manifests {
        declared.take_own(manifest);
        manifest.resolutions.list().into_iter().for_each(|place| declared.doubt(overridden(place)));
        declared.take(Side::Now, manifest.asked().map(|(name, text, _)| (name, text)));
    }
    declared.made_for = Some(made_for(&declared.asked, &ranges));
    declared
}

/// Of each name that is asked for the ranges that have an entry; where one has none, all that have.
fn made_for(asked: &Requests, ranges: &Requests) -> Requests {
    let of = |(name, texts): (&String, &BTreeSet<String>)| {
        let known = ranges.get(name)?;
        let found = if texts.is_subset(known) { texts } else { known };
        Some((name.clone(), found.clone()))
    };
    asked.iter().filter_map(of).collect()
}

/// The name at the end of an override's place: `parent>name@1`, `parent/name`, `**/@scope/name`.
fn overridden(place: &str) -> &str {
    let last = place.rsplit('>').next().unwrap_or(place).trim();
    let own = last.rfind('/').map_or(0, |slash| slash + 1);
    // A scope belongs to the name.
    let before = last.get(..own.saturating_sub(1)).unwrap_or_default();
    let scope = before.rfind('/').map_or(0, |slash| slash + 1);
    let start = if before.get(scope..).is_some_and(|scope| scope.starts_with('@')) { scope } else { own };
    let end = last.get(own..).and_then(|name| name.find('@')).map_or(last.len(), |at| own + at);
    last.get(start..end).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::declared::lines;

    #[test]
    fn ranges_and_what_is_none() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let found = range("a", text);
            assert_eq!(found.as_ref().map(|(name, text)| (*name, text.as_str())), expected, "{text}");
        };
        check("^1.0.0", Some(("a", "^1.0.0")));
        check(" >=1  <2 ", Some(("a", ">=1 <2")));
        check("npm:^1", Some(("a", "^1")));
        check("npm:@s/b@^1", Some(("@s/b", "^1")));
        for none in [
            "",
            "workspace:*",
            "file:../a",
            "github:u/a",
            "u/a",
            "https://h/a.tgz",
            "catalog:",
            "patch:a@npm%3A1#x",
        ] {
            check(none, None);
        }
    }

    #[test]
    fn places_of_overrides() {
        let check = |place: &str, expected: &str| assert_eq!(overridden(place), expected, "{place}");
        check("a", "a");
        check("@s/a", "@s/a");
        check("**/a", "a");
        check("b/@s/a", "@s/a");
        check("b>a@^1", "a");
        check("@s/a@npm:^1", "@s/a");
    }

    const NOW: &str = r#"{"name": "shop", "dependencies": {"a": "^2.0.0", "al": "npm:real@^1", "own": "*", "g": "github:u/g"},
        "devDependencies": {"d": "1.x"}, "peerDependencies": {"p": ">=1"}, "workspaces": ["w/*"]}"#;
    const MEMBER: &str = r#"{"name": "own", "dependencies": {"a": "^1.0.0"}}"#;

    #[test]
    fn of_npm() {
        let lock = r#"{"lockfileVersion": 3, "packages": {"": {"name": "shop", "dependencies": {"a": "^1.0.0", "al": "npm:real@^1",
            "own": "*", "g": "github:u/g", "gone": "1"}, "devDependencies": {"d": "1.x"}, "peerDependencies": {"p": ">=1"}},
            "w/own": {"name": "own", "dependencies": {"a": "^1.0.0"}}, "w/unread": {"dependencies": {"u": "1"}},
            "node_modules/a": {"version": "1.0.0", "dependencies": {"x": "1"}}, "node_modules/own": {"link": true}}}"#;
        let beside = [("package.json", NOW), ("w/own/package.json", MEMBER), ("other/package.json", MEMBER)];
        let expected = [
            "asked a ^1.0.0 | ^2.0.0",
            "asked d 1.x",
            "asked p >=1",
            "asked real ^1",
            "made a ^1.0.0",
            "made d 1.x",
            "made p >=1",
            "made real ^1",
        ];
        assert_eq!(lines("npm", lock, &beside), expected);
        assert_eq!(lines("npm", lock, &[]), Vec::<String>::new());
        let first = r#"{"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0"}}}"#;
        assert_eq!(
            lines("npm", first, &[("package.json", NOW)]),
            ["asked a ^2.0.0", "asked d 1.x", "asked own *", "asked real ^1"]
        );
    }

    #[test]
    fn of_bun() {
        let lock = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "shop", "dependencies": {"a": "^1.0.0",},},},"packages": {"a": ["a@1.0.0"],},}"#;
        let now = r#"{"name": "shop", "dependencies": {"a": "^2.0.0"}}"#;
        assert_eq!(lines("bun", lock, &[("package.json", now)]), ["asked a ^2.0.0", "made a ^1.0.0"]);
    }

    #[test]
    fn of_pnpm() {
        let lock = "lockfileVersion: '9.0'\noverrides:\n  b>d@1: 2.0.0\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.0\n      al:\n        specifier: npm:real@^1\n        version: real@1.0.0\n  w/own:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.0\npackages:\n  a@1.0.0: {}\n";
        let beside = [("package.json", NOW), ("w/own/package.json", MEMBER)];
        let expected = ["asked a ^1.0.0 | ^2.0.0", "asked real ^1", "made a ^1.0.0", "made real ^1"];
        assert_eq!(lines("pnpm", lock, &beside), expected);
        let older = "lockfileVersion: 5.4\nspecifiers:\n  a: ^1.0.0\ndependencies:\n  a: 1.0.0\npackages:\n";
        assert_eq!(lines("pnpm", older, &[("package.json", MEMBER)]), ["asked a ^1.0.0", "made a ^1.0.0"]);
        let changed = format!("pnpmfileChecksum: x\n{older}");
        assert_eq!(lines("pnpm", &changed, &[("package.json", MEMBER)]), Vec::<String>::new());
    }

    #[test]
    fn of_yarn() {
        let classic = "# yarn lockfile v1\n\na@^1.0.0, a@^1.1.0:\n  version \"1.1.0\"\n\n\"al@npm:real@^1\":\n  version \"1.0.0\"\n\nd@1.x:\n  version \"1.0.0\"\n";
        let beside = [("package.json", NOW), ("w/own/package.json", MEMBER)];
        let expected = [
            "asked a ^1.0.0 | ^2.0.0",
            "asked d 1.x",
            "asked real ^1",
            "made a ^1.0.0 | ^1.1.0",
            "made d 1.x",
            "made real ^1",
        ];
        assert_eq!(lines("yarn", classic, &beside), expected);
        let berry = "__metadata:\n  version: 8\n\n\"a@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n";
        assert_eq!(lines("yarn", berry, &[("package.json", MEMBER)]), ["asked a ^1.0.0", "made a ^1.0.0"]);
        let resolved = r#"{"dependencies": {"a": "^2.0.0"}, "resolutions": {"**/a": "1.0.0"}}"#;
        assert_eq!(lines("yarn", berry, &[("package.json", resolved)]), Vec::<String>::new());
    }
}
