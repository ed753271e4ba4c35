//! What the readers share; real lockfiles, with their true counts and places of errors in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use parallax_model::platform::{Condition, Platform};

use super::*;
use crate::lockfile::tests::corpus;
use crate::lockfile::{Files, Locked, Package, by_path};

/// Compares what a reader gives with lines such as `a 1.0.0 sha512-a= direct dev optional if os=linux from git+url > b@2`.
pub(super) fn check(read: crate::lockfile::Reader, text: &str, expected: &[&str]) {
    check_beside(read, text, &BTreeMap::new(), expected);
}

/// The same, with other files of the project; the lockfile is in its own folder.
pub(super) fn check_beside(
    read: crate::lockfile::Reader,
    text: &str,
    others: &BTreeMap<String, Vec<u8>>,
    expected: &[&str],
) {
    let locked = read(&Files::new("x.lock", text.as_bytes(), others)).unwrap();
    let mut found: Vec<String> = locked.packages.iter().map(told).collect();
    found.sort();
    assert_eq!(found, expected, "{text}");
}

fn told(package: &Package) -> String {
    let hashes = package.integrity.join(" ");
    let mut out = format!("{} {} {hashes}", package.name, package.version).trim_end().to_owned();
    let flags = [
        (package.direct == Some(true), "direct"),
        (package.dev == Some(true), "dev"),
        (package.optional, "optional"),
    ];
    flags.iter().filter(|(is, _)| *is).for_each(|(_, flag)| out.extend([" ", flag]));
    package.when.iter().for_each(|when| out.extend([" if ", when]));
    match &package.origin {
        Some(Origin::Registry(url)) => out.extend([" from registry+", url]),
        Some(Origin::Git(url)) => out.extend([" from git ", url]),
        Some(Origin::Url(url)) => out.extend([" from ", url]),
        Some(Origin::Path(path)) => out.extend([" from path+", path]),
        None => {}
    }
    for edge in &package.needs {
        out.extend([" > ", &edge.name, "@", edge.version.as_deref().unwrap_or_default()]);
    }
    out
}

/// Reads a file of the corpus.
fn real(path: &str) -> Option<(Vec<u8>, Locked)> {
    let bytes = std::fs::read(corpus()?.join(path)).unwrap();
    let locked = by_path(path).unwrap().read.unwrap()(&Files::new(path, &bytes, &BTreeMap::new())).unwrap();
    Some((bytes, locked))
}

/// The real tools' own listings, `cases/<tool>/HOW.md` says how they came about.
const CASES: &[(&str, &str)] = &[
    ("bun", "bun.lock"),
    ("npm-v1", "package-lock.json"),
    ("npm-v3", "package-lock.json"),
    ("pnpm-7", "pnpm-lock.yaml"),
    ("pnpm-8", "pnpm-lock.yaml"),
    ("pnpm-9", "pnpm-lock.yaml"),
    ("yarn-berry", "yarn.lock"),
    ("yarn-classic", "yarn.lock"),
];

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lockfile/cases")
}

/// The manifests of the project that every case is of.
fn manifests() -> BTreeMap<String, Vec<u8>> {
    let read =
        |path: &str| (path.to_owned(), std::fs::read(cases().join("yarn-classic").join(path)).unwrap());
    ["package.json", "packages/web/package.json"].into_iter().map(read).collect()
}

fn case(tool: &str, file: &str) -> Locked {
    let bytes = std::fs::read(cases().join(tool).join(file)).unwrap();
    by_path(file).unwrap().read.unwrap()(&Files::new(file, &bytes, &manifests())).unwrap()
}

fn platform(text: &str) -> Platform {
    let mut parts = text.split('-').map(str::to_owned);
    let (os, cpu, libc) = (parts.next(), parts.next(), parts.next());
    let architecture = cpu.map(|cpu| match cpu.as_str() {
        "x64" => "x86_64".to_owned(),
        "ia32" => "i386".to_owned(),
        other => other.to_owned(),
    });
    Platform { os, architecture, libc, ..Platform::default() }
}

/// What is installed on a platform.
fn installed(locked: &Locked, platform: &Platform) -> Vec<Package> {
    let holds = |when: &String| Condition::new(when).holds(platform).unwrap_or_else(|| panic!("{when}"));
    locked.packages.iter().filter(|package| package.when.as_ref().is_none_or(holds)).cloned().collect()
}

#[test]
fn packages_are_those_that_the_tool_lists() {
    for (tool, file) in CASES {
        let locked = case(tool, file);
        assert_eq!(locked.unclear, [], "{tool}");
        let mut listings = 0;
        for entry in std::fs::read_dir(cases().join(tool)).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let Some(of) = name.strip_prefix("listed") else { continue };
            let packages = match of.strip_prefix('.') {
                Some(of) => installed(&locked, &platform(of)),
                None => locked.packages.clone(),
            };
            let expected = std::fs::read_to_string(entry.path()).unwrap();
            let expected: BTreeSet<(String, String)> = expected
                .lines()
                .map(|line| {
                    line.split_once(' ').map(|(name, version)| (name.to_owned(), version.to_owned())).unwrap()
                })
                .collect();
            let found = distinct(&Locked { packages, ..Locked::default() });
            let only = |a: &BTreeSet<(String, String)>, b: &BTreeSet<_>| {
                a.difference(b).cloned().collect::<Vec<_>>()
            };
            assert_eq!(
                (only(&found, &expected), only(&expected, &found)),
                (Vec::new(), Vec::new()),
                "{tool}/{name}"
            );
            listings += 1;
        }
        assert!(listings > 0, "{tool}");
    }
}

#[test]
fn tools_agree_on_what_is_direct_and_what_is_for_development() {
    // The same project: what one format tells by itself, another's reader works out.
    let told = |tool: &str, file: &str| -> Vec<(String, Option<bool>, Option<bool>)> {
        let mut packages: BTreeMap<String, (bool, bool)> = BTreeMap::new();
        for package in case(tool, file).packages {
            // Yarn's own patches stand beside what they patch.
            let flags = packages.entry(package.name).or_insert((false, true));
            *flags = (flags.0 | (package.direct == Some(true)), flags.1 & (package.dev == Some(true)));
        }
        let wanted =
            ["express", "chokidar", "lodash", "debug", "ms", "react", "fsevents", "readdirp", "tslib"];
        wanted
            .iter()
            .map(|name| {
                let (direct, dev) = packages.get(*name).copied().unzip();
                ((*name).to_owned(), direct, dev)
            })
            .collect()
    };
    let expected = told("npm-v3", "package-lock.json");
    assert_eq!(expected[0], ("express".to_owned(), Some(true), Some(false)));
    assert_eq!(expected[1], ("chokidar".to_owned(), Some(true), Some(true)));
    assert_eq!(expected[7], ("readdirp".to_owned(), Some(false), Some(true)));
    for (tool, file) in CASES {
        assert_eq!(told(tool, file), expected, "{tool}");
    }
}

fn distinct(locked: &Locked) -> BTreeSet<(String, String)> {
    locked.packages.iter().map(|p| (p.name.clone(), p.version.clone())).collect()
}

#[test]
fn npm_has_its_true_counts() {
    let Some((bytes, locked)) = real("facebook+create-react-app/package-lock.json") else { return };
    let entries =
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["packages"].as_object().unwrap().len();
    assert_eq!((entries, distinct(&locked).len()), (2_590, 2_103));
    // npm counts the project itself.
    assert_eq!(1 + installed(&locked, &platform("linux-x64-glibc")).len(), 2_565);
    let read = by_path("package-lock.json").unwrap().read.unwrap();
    for cut in (1..40).map(|n| n * bytes.len() / 41) {
        let error = read(&Files::new("package-lock.json", &bytes[..cut], &BTreeMap::new())).unwrap_err();
        let lines = bytes[..cut].iter().filter(|b| **b == b'\n').count() + 1;
        assert_eq!((error.line, error.what), (lines, "ends too early"), "cut at {cut}");
    }
}

#[test]
fn yarn_and_pnpm_have_their_true_counts() {
    let Some((_, locked)) = real("webpack+webpack/yarn.lock") else { return };
    // Aliases have entries of their own.
    assert_eq!((distinct(&locked).len(), locked.packages.len()), (1_393, 1_397));
    let Some((_, locked)) = real("vitejs+vite/pnpm-lock.yaml") else { return };
    assert_eq!((distinct(&locked).len(), locked.packages.len()), (1_405, 1_405));
}

#[test]
fn what_stands_twice_breaks_nothing() {
    let check = |name: &str, text: &str, expected: &[&str]| {
        check(by_path(name).unwrap().read.unwrap(), text, expected);
    };
    check("yarn.lock", "a@1:\n  version \"1\"\na@1:\n  version \"2\"\n  version \"3\"\n", &["a 1", "a 2"]);
    check(
        "pnpm-lock.yaml",
        "lockfileVersion: 9.0\npackages:\n  a@1: {}\n  a@1: {os: [x]}\npackages:\n  b@1: {}\n",
        &["a 1"],
    );
    check("bun.lock", r#"{"packages": {"a": ["a@1"], "a": ["a@2"]}}"#, &["a 1", "a 2"]);
    check("deno.lock", r#"{"version": "5", "npm": {"a@1": {}, "a@1": {}}}"#, &["npm:a 1", "npm:a 1"]);
}

#[test]
fn what_resolved_texts_say() {
    let check = |text: &str, name: &str, origin: Option<Origin>, version: Option<&str>| {
        let expected = Resolved { origin, version: version.map(str::to_owned) };
        assert_eq!(resolved(text, name), expected, "{text}");
    };
    let registry = |url: &str| Some(Origin::Registry(url.to_owned()));
    for own in OWN_REGISTRIES {
        check(&format!("https://{own}/@s/a/-/a-1.0.0.tgz"), "@s/a", None, None);
        check(&format!("https://{own}/@s%2fa/-/a-1.0.0.tgz#0e0c"), "@s/a", None, None);
    }
    check(
        "https://u:p@npm.example.org/x/a/-/a-1.tgz",
        "a",
        registry("https://REDACTED@npm.example.org/x"),
        None,
    );
    check("https://h/@s/real/-/real-1.tgz", "alias", registry("https://h"), None);
    let url = Origin::Url("https://h/a.tgz".to_owned());
    check("https://h/a.tgz?token=hunter2", "a", Some(url), None);
    let git = |url: &str| Some(Origin::Git(url.to_owned()));
    check("git+ssh://git@h/r.git#abc", "a", git("git+ssh://REDACTED@h/r.git"), Some("abc"));
    check("https://h/r.git#commit=abc", "a", git("https://h/r.git"), Some("abc"));
    check("github:u/r", "a", git("github:u/r"), None);
    check("file:../f.tgz", "a", Some(Origin::Path("file:../f.tgz".to_owned())), Some("file:../f.tgz"));
    check("1.0.0", "a", None, None);
    check("", "a", None, None);
}

#[test]
fn hashes_and_nothing_else() {
    assert_eq!(hashes("sha512-b== sha1-a=?hunter2 hunter2 -x sha1-a="), ["sha1-a=", "sha512-b=="]);
}

#[test]
fn lists_become_clauses() {
    let found = clauses([("os", vec!["linux", "!win32"]), ("cpu", vec!["any"]), ("libc", vec!["", "a b"])]);
    assert_eq!(found, ["os=linux,!win32"]);
}
