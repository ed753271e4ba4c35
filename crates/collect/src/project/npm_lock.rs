//! npm's `package-lock.json` and `npm-shrinkwrap.json`, lockfile versions 1, 2 and 3: the resolved tree, by package.
//! Pure. Does not say what npm would install on a platform: that is another view than what is locked.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::package_json::malformed;
use super::pin::{Malformed, without_credentials};

/// What a lockfile fixes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    /// The lockfile's own version, 1 to 3.
    pub(super) version: u64,
    /// By the name that the registry knows.
    pub(super) packages: BTreeMap<String, Locked>,
}

/// What is locked of one package.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Locked {
    /// Versions; a commit for one from git, a path for one from the disk.
    pub(super) versions: BTreeSet<String>,
    /// Content hashes.
    pub(super) integrity: BTreeSet<String>,
}

impl Tree {
    /// How many distinct packages and versions.
    pub(super) fn count(&self) -> usize {
        self.packages.values().map(|locked| locked.versions.len().max(1)).sum()
    }

    fn add(&mut self, name: &str, version: Option<Cow<'_, str>>, integrity: Option<&str>) {
        if name.is_empty() {
            return;
        }
        let name = without_credentials(name);
        let locked = match self.packages.get_mut(name.as_ref()) {
            Some(locked) => locked,
            None => self.packages.entry(name.into_owned()).or_default(),
        };
        let fresh = |v: &Cow<'_, str>| !v.is_empty() && !locked.versions.contains(v.as_ref());
        if let Some(version) = version.filter(fresh) {
            locked.versions.insert(version.into_owned());
        }
        for hash in integrity.unwrap_or_default().split_ascii_whitespace() {
            let hash = hash.split('?').next().unwrap_or_default();
            if is_hash(hash) && !locked.integrity.contains(hash) {
                locked.integrity.insert(hash.to_owned());
            }
        }
    }
}

/// Entries in the order of the file, borrowed from it: a map would hash and sort what is walked once.
struct Entries<'a, T>(Vec<(Cow<'a, str>, T)>);

#[derive(Deserialize)]
struct Lockfile<'a> {
    #[serde(default, rename = "lockfileVersion")]
    version: Option<u64>,
    #[serde(borrow, default)]
    packages: Option<Entries<'a, Package<'a>>>,
    /// Kept as text: version 2 repeats the tree here for old readers.
    #[serde(borrow, default)]
    dependencies: Option<&'a RawValue>,
}

/// An entry of versions 2 and 3, keyed by its place on the disk.
#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    version: Option<Text<'a>>,
    #[serde(borrow, default)]
    resolved: Option<Text<'a>>,
    #[serde(borrow, default)]
    integrity: Option<Text<'a>>,
    #[serde(default)]
    link: Option<bool>,
}

/// An entry of version 1, keyed by its name.
#[derive(Deserialize)]
struct Dependency<'a> {
    #[serde(borrow, default)]
    version: Option<Text<'a>>,
    #[serde(borrow, default)]
    integrity: Option<Text<'a>>,
    #[serde(borrow, default)]
    dependencies: Option<Entries<'a, Self>>,
}

/// A text, or anything else, which says nothing (`"resolved": false` of bundled packages).
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

/// Reads a lockfile's bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, Malformed> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let shape = "not a lockfile of npm";
    let lockfile: Lockfile<'_> = serde_json::from_slice(bytes).map_err(|error| malformed(&error, shape))?;
    let version = lockfile.version.unwrap_or(1);
    let mut tree = Tree { version, ..Tree::default() };
    match (version, lockfile.packages, lockfile.dependencies) {
        (2 | 3, Some(packages), _) => {
            packages.0.iter().for_each(|(at, package)| tree.add_package(at, package));
        }
        (0..=2, None, Some(raw)) => {
            let found: Entries<'_, Dependency<'_>> = serde_json::from_str(raw.get())
                .map_err(|error| within(bytes, raw, &malformed(&error, shape)))?;
            tree.add_dependencies(&found);
        }
        (0..=3, None, None) => {}
        _ => return Err(Malformed { line: 1, column: 1, what: "a lockfile version that is not known" }),
    }
    Ok(tree)
}

/// The place of an error within a part, told for the whole.
fn within(bytes: &[u8], raw: &RawValue, error: &Malformed) -> Malformed {
    let start = (raw.get().as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
    let before = bytes.get(..start).unwrap_or_default();
    let lines = memchr::memchr_iter(b'\n', before).count();
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let shift = if error.line == 1 { before.len() - line_start } else { 0 };
    Malformed { line: error.line + lines, column: error.column + shift, what: error.what }
}

impl Tree {
    fn add_package(&mut self, at: &str, package: &Package<'_>) {
        // The root and what stands outside `node_modules` (workspaces, local folders) are the project's own
        // source, which a lockfile does not fix; a link points to such an entry.
        let Some((_, folder)) = at.rsplit_once("node_modules/").filter(|_| package.link != Some(true)) else {
            return;
        };
        let name = text(package.name.as_ref()).unwrap_or(folder);
        let resolved = text(package.resolved.as_ref()).unwrap_or_default();
        let version = if is_git(resolved) || resolved.starts_with("file:") {
            Some(resolution(resolved))
        } else {
            text(package.version.as_ref()).map(resolution)
        };
        self.add(name, version, text(package.integrity.as_ref()));
    }

    fn add_dependencies(&mut self, dependencies: &Entries<'_, Dependency<'_>>) {
        for (name, dependency) in &dependencies.0 {
            let declared = text(dependency.version.as_ref());
            let alias = declared.and_then(|d| d.strip_prefix("npm:")?.rsplit_once('@'));
            let (name, version) = match alias.filter(|(real, _)| !real.is_empty()) {
                Some((real, version)) => (real, Some(version)),
                None => (name.as_ref(), declared),
            };
            self.add(name, version.map(resolution), text(dependency.integrity.as_ref()));
            if let Some(inner) = &dependency.dependencies {
                self.add_dependencies(inner);
            }
        }
    }
}

/// What a version text comes down to: the commit of a git URL, the path of a file, a version.
fn resolution(text: &str) -> Cow<'_, str> {
    match text.rsplit_once('#') {
        Some((url, commit)) if is_git(url) && !commit.is_empty() => without_credentials(commit),
        Some(_) | None => without_credentials(text),
    }
}

fn is_git(url: &str) -> bool {
    ["git+", "git:", "git@", "github:", "gitlab:", "bitbucket:", "gist:"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
        || url.split(['#', '?']).next().unwrap_or_default().ends_with(".git")
}

/// `sha512-<base64>`, and nothing else that may stand in its place.
fn is_hash(text: &str) -> bool {
    text.split_once('-').is_some_and(|(algorithm, digest)| {
        (algorithm.starts_with("sha") || algorithm == "md5")
            && algorithm.bytes().all(|b| b.is_ascii_alphanumeric())
            && digest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    })
}

fn text<'t>(found: Option<&'t Text<'_>>) -> Option<&'t str> {
    found.map(|text| text.0.as_ref()).filter(|text| !text.is_empty())
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Entries<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<'a, T>(PhantomData<(&'a (), T)>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<'a, T> {
    type Value = Entries<'a, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packages by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(64));
        while let Some((Text(name), value)) = map.next_entry()? {
            entries.push((name, value));
        }
        Ok(Entries(entries))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

struct TextVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text<'a>, E> {
        Ok(Text::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text<'a>, E> {
        Ok(Text::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text<'a>, E> {
        Ok(Text::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text<'a>, E> {
        Ok(Text::default())
    }

    fn visit_unit<E>(self) -> Result<Text<'a>, E> {
        Ok(Text::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Text<'a>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

/// Versions from the lowest: those of SemVer first, then what is none, by text.
pub(super) fn sorted(versions: &BTreeSet<String>) -> Vec<&str> {
    let mut list: Vec<&str> = versions.iter().map(String::as_str).collect();
    if list.len() > 1 {
        list.sort_by_cached_key(|text| {
            let version = semver::Version::parse(text).ok();
            (version.is_none(), version, (*text).to_owned())
        });
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &[&str]) {
        let tree = read(json.as_bytes()).unwrap();
        let found: Vec<String> = tree
            .packages
            .iter()
            .map(|(name, locked)| {
                let hashes: Vec<&str> = locked.integrity.iter().map(String::as_str).collect();
                let text = format!("{name} {} {}", sorted(&locked.versions).join(" "), hashes.join(" "));
                text.trim_end().to_owned()
            })
            .collect();
        assert_eq!(found, expected, "{json}");
    }

    #[test]
    fn versions_2_and_3() {
        check(
            r#"{"lockfileVersion": 3, "packages": {
                "": {"name": "shop", "version": "1.0.0"},
                "node_modules/a": {"version": "10.0.0", "integrity": "sha512-b== sha1-a="},
                "node_modules/b/node_modules/a": {"version": "9.1.0", "inBundle": true},
                "node_modules/alias": {"name": "@s/real", "version": "2.0.0"},
                "node_modules/@s/x": {"version": "1.0.0", "resolved": false},
                "node_modules/ws": {"resolved": "packages/ws", "link": true},
                "packages/ws": {"version": "0.1.0"},
                "node_modules/g": {"version": "1.2.3", "resolved": "git+https://u:hunter2@h/r.git#abc123"},
                "node_modules/f": {"version": "1.0.0", "resolved": "file:../f.tgz"},
                "node_modules/t": {"version": "https://h/t.tgz?token=hunter2", "integrity": "hunter2 sha1-x?token=hunter2"}},
              "dependencies": {"ignored": {"version": "1.0.0"}}}"#,
            &[
                "@s/real 2.0.0",
                "@s/x 1.0.0",
                "a 9.1.0 10.0.0 sha1-a= sha512-b==",
                "f file:../f.tgz",
                "g abc123",
                "t https://h/t.tgz sha1-x",
            ],
        );
    }

    #[test]
    fn version_1() {
        check(
            r#"{"name": "x", "lockfileVersion": 1, "dependencies": {
                "a": {"version": "1.0.0", "integrity": "sha1-a=", "bundled": true, "requires": {"b": "^1"},
                      "dependencies": {"b": {"version": "1.0.0-rc.1"}, "c": {"version": "npm:@s/real@3.0.0"}}},
                "b": {"version": "1.0.0"},
                "g": {"version": "github:u/r#abc", "from": "github:u/r"},
                "f": {"version": "file:lib"}}}"#,
            &["@s/real 3.0.0", "a 1.0.0 sha1-a=", "b 1.0.0-rc.1 1.0.0", "f file:lib", "g abc"],
        );
        check(r#"{"dependencies": {"a": {"version": "1.0.0"}}}"#, &["a 1.0.0"]);
        check(r#"{"lockfileVersion": 3}"#, &[]);
    }

    #[test]
    fn what_is_no_lockfile_is_named_by_its_place() {
        let check = |bytes: &[u8], expected: (usize, usize, &str)| {
            let error = read(bytes).unwrap_err();
            assert_eq!((error.line, error.column, error.what), expected, "{}", bytes.escape_ascii());
        };
        check(b"", (1, 1, "ends too early"));
        check(b"{\n\"packages\": {", (2, 13, "ends too early"));
        check(b"{\n  <<<<<<< HEAD", (2, 3, "not JSON"));
        check(b"[\"hunter2\"]", (1, 10, "not a lockfile of npm"));
        check(b"{\"packages\": {\"\xff\": {}}}", (1, 16, "not JSON"));
        check(b"{\"lockfileVersion\": 4, \"packages\": {}}", (1, 1, "a lockfile version that is not known"));
        check(b"{\n \"dependencies\":\n {\"a\": 3}}", (3, 8, "not a lockfile of npm"));
    }
}
