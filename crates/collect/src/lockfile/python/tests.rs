//! How a reader's answer is told in the tables of this folder, and what holds for all of its readers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parallax_model::platform::{Condition, Platform};

use crate::lockfile::{FORMATS, Files, Locked, Origin, Package, Reader};

/// A reader's answer as lines; the first of the files is the lockfile.
pub(super) fn check(read: Reader, path: &str, files: &[(&str, &str)], expected: &[&str]) {
    let others: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let locked = read(&Files::new(path, &others[path], &others)).unwrap();
    let mut found = vec![format!("format {}", locked.version)];
    found.extend(locked.packages.iter().map(told));
    found.extend(locked.unclear.iter().map(|place| format!("unclear {place}")));
    assert_eq!(found, expected);
}

fn told(package: &Package) -> String {
    let mut out = format!("{} {}", package.name, package.version);
    match &package.origin {
        None => {}
        Some(Origin::Registry(place)) => out += &format!(" from registry {place}"),
        Some(Origin::Git(place)) => out += &format!(" from git {place}"),
        Some(Origin::Url(place)) => out += &format!(" from url {place}"),
        Some(Origin::Path(place)) => out += &format!(" from path {place}"),
    }
    for (mark, value) in
        [("direct", package.direct), ("dev", package.dev), ("optional", Some(package.optional))]
    {
        match value {
            Some(true) => out += &format!(" {mark}"),
            Some(false) => {}
            None => out += &format!(" {mark}?"),
        }
    }
    if let Some(when) = &package.when {
        out += &format!(" when {when}");
    }
    for hash in &package.integrity {
        out += &format!(" {hash}");
    }
    for edge in &package.needs {
        out += &format!(" -> {}", edge.name);
        out += &edge.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    }
    out
}

/// A file of the corpus of real lockfiles, where it is there.
pub(super) fn corpus(path: &str) -> Option<String> {
    Some(std::fs::read_to_string(crate::lockfile::tests::corpus()?.join(path)).unwrap())
}

/// The files of a case by name, and the name of the lockfile among them.
fn case(name: &str) -> (BTreeMap<String, Vec<u8>>, String, Reader) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lockfile/cases").join(name);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        files.insert(path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap());
    }
    let formats = FORMATS.iter().filter(|format| format.ecosystem == "pypi");
    let (path, read) = formats
        .filter_map(|format| {
            Some((
                files.keys().find(|path| *path == format.name || crate::lockfile::fits(format.name, path))?,
                format.read?,
            ))
        })
        .next()
        .unwrap();
    let path = path.clone();
    (files, path, read)
}

fn read_case(name: &str) -> (BTreeMap<String, Vec<u8>>, Locked) {
    let (files, path, read) = case(name);
    let locked = read(&Files::new(&path, &files[&path], &files)).unwrap();
    (files, locked)
}

fn pairs(locked: &Locked) -> BTreeSet<(String, String)> {
    locked.packages.iter().map(|package| (package.name.clone(), package.version.clone())).collect()
}

/// What the real tool lists, `name==version` a line, perhaps with a marker.
fn listed(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Vec<(String, String, Option<String>)> {
    let text = std::str::from_utf8(&files[name]).unwrap();
    let line = |line: &str| {
        let found = super::requirement::parse(line)?;
        let version = super::requirement::pin(found.versions)?.to_owned();
        Some((found.name, version, found.marker.map(str::to_owned)))
    };
    text.lines().filter_map(line).collect()
}

const CASES: [&str; 7] = ["pip", "pip-freeze", "pipenv", "poetry", "poetry-1", "uv", "pylock"];

#[test]
fn names_and_versions_are_those_that_the_tool_lists() {
    for name in CASES {
        let (files, locked) = read_case(name);
        let expected: BTreeSet<(String, String)> =
            listed(&files, "listed").into_iter().map(|(name, version, _)| (name, version)).collect();
        assert!(expected.len() > 8, "{name}");
        assert_eq!(pairs(&locked), expected, "{name}");
        assert!(locked.unclear.is_empty(), "{name}");
    }
}

fn platform(os: &str, architecture: &str, libc: Option<&str>, python: &str) -> Platform {
    Platform {
        os: Some(os.to_owned()),
        architecture: Some(architecture.to_owned()),
        libc: libc.map(str::to_owned),
        python: Some(python.to_owned()),
        python_implementation: Some("cpython".to_owned()),
    }
}

/// Platforms that differ in what the cases' markers ask.
fn platforms() -> Vec<Platform> {
    let places = [
        ("linux", "x86_64", Some("glibc")),
        ("linux", "arm64", Some("musl")),
        ("linux", "armv7", Some("glibc")),
        ("win32", "x86_64", None),
        ("win32", "arm64", None),
        ("darwin", "arm64", None),
    ];
    let pythons = ["3.9.18", "3.10.2", "3.11.7", "3.12.0", "3.14.1"];
    let all =
        places.iter().flat_map(|(os, cpu, libc)| pythons.iter().map(move |python| (os, cpu, libc, python)));
    all.map(|(os, cpu, libc, python)| platform(os, cpu, *libc, python)).collect()
}

/// Whether a package is installed where certain extras and groups are asked for.
fn installed(when: Option<&str>, asked_for: &[&str], platform: &Platform) -> bool {
    let Some(when) = when else { return true };
    let mut when = when.to_owned();
    for (name, is) in [("fast", "=="), ("bar", "=="), ("doc", "==")] {
        let is = if asked_for.contains(&name) { "!=" } else { is };
        for literal in [format!("extra == '{name}'"), format!("'{name}' in dependency_groups")] {
            when = when.replace(&literal, &format!("os_name {is} 'none'"));
        }
    }
    Condition::new(&when).holds(platform).unwrap_or_else(|| panic!("{when}"))
}

/// The tool's own markers, worked out by the tool, say the same on every platform.
fn check_conditions(name: &str, export: &str, asked_for: &[&str], oldest: &str) {
    let (files, locked) = read_case(name);
    let listed = listed(&files, export);
    for platform in platforms().iter().filter(|platform| {
        let minor = |python: &str| python.split('.').nth(1).unwrap().parse::<u32>().unwrap();
        minor(platform.python.as_ref().unwrap()) >= minor(oldest)
    }) {
        let expected: BTreeSet<(String, String)> = listed
            .iter()
            .filter(|(_, _, marker)| {
                let marker = marker.as_ref().map(|marker| format!("python: {marker}"));
                installed(marker.as_deref(), asked_for, platform)
            })
            .map(|(name, version, _)| (name.clone(), version.clone()))
            .collect();
        let found: BTreeSet<(String, String)> = locked
            .packages
            .iter()
            .filter(|package| installed(package.when.as_deref(), asked_for, platform))
            .map(|package| (package.name.clone(), package.version.clone()))
            .collect();
        assert_eq!(found, expected, "{name} {export} on {platform:?}");
    }
}

#[test]
fn conditions_are_those_that_the_tool_works_out() {
    check_conditions("uv", "listed", &["fast", "doc"], "3.9");
    check_conditions("uv", "listed-by-default", &[], "3.9");
    check_conditions("poetry", "listed-with-markers", &["fast", "doc"], "3.10");
    check_conditions("poetry-1", "listed-with-markers", &["bar", "doc"], "3.9");
    check_conditions("pylock", "listed", &[], "3.9");
}

#[test]
fn what_is_installed_elsewhere() {
    let (_, locked) = read_case("uv");
    let on = |platform: &Platform| -> BTreeSet<String> {
        let holds = |package: &&Package| installed(package.when.as_deref(), &["fast"], platform);
        locked.packages.iter().filter(holds).map(|package| package.name.clone()).collect()
    };
    let check = |platform: &Platform, there: &[&str], not_there: &[&str]| {
        let found = on(platform);
        assert!(there.iter().all(|name| found.contains(*name)), "{there:?} on {platform:?}");
        assert!(!not_there.iter().any(|name| found.contains(*name)), "{not_there:?} on {platform:?}");
    };
    let glibc = platform("linux", "x86_64", Some("glibc"), "3.12.1");
    let musl = platform("linux", "arm64", Some("musl"), "3.12.1");
    let windows = platform("win32", "x86_64", None, "3.12.1");
    check(
        &glibc,
        &["greenlet", "uvloop", "requests"],
        &["colorama", "pywin32", "winloop", "importlib-metadata"],
    );
    check(&musl, &["greenlet", "uvloop"], &["colorama", "pywin32", "winloop"]);
    check(&windows, &["greenlet", "colorama", "winloop"], &["uvloop", "pywin32"]);
    check(&platform("win32", "x86_64", None, "3.9.1"), &["pywin32", "zipp", "tomli"], &["uvloop"]);
    // Its own architecture is no reason to leave it out of a Mac's; that the lock names none for it is.
    check(&platform("darwin", "arm64", None, "3.12.1"), &["uvloop"], &["greenlet", "colorama"]);
    assert_eq!(on(&glibc), on(&musl));
    // Where nothing is known, it is not said that all is there.
    let colorama = locked.packages.iter().find(|package| package.name == "colorama").unwrap();
    let when = Condition::new(colorama.when.as_ref().unwrap());
    assert_eq!(when.holds(&Platform::default()), None);
}

#[test]
fn direct_and_dev() {
    for name in ["uv", "poetry", "poetry-1", "pipenv"] {
        let (_, locked) = read_case(name);
        let check = |package: &str, direct: bool, dev: bool| {
            let found = locked.packages.iter().find(|found| found.name == package).unwrap();
            assert_eq!((found.direct, found.dev), (Some(direct), Some(dev)), "{package} of {name}");
        };
        check("click", true, false);
        check("requests", true, false);
        check("idna", false, false);
        check("pysocks", false, false);
        check("pytest", true, true);
        check("pluggy", false, true);
    }
}

#[test]
fn edges_and_hashes() {
    for name in ["uv", "poetry", "poetry-1", "pip"] {
        let (_, locked) = read_case(name);
        let find = |name: &str| locked.packages.iter().rfind(|found| found.name == name).unwrap();
        let needs: BTreeSet<&str> = find("requests").needs.iter().map(|edge| edge.name.as_str()).collect();
        let expected = BTreeSet::from(["certifi", "charset-normalizer", "idna", "pysocks", "urllib3"]);
        assert_eq!(needs, expected, "{name}");
        let known = pairs(&locked);
        for package in &locked.packages {
            assert!(package.integrity.len() >= 2, "{} of {name}", package.name);
            assert!(package.integrity.is_sorted() && package.needs.is_sorted());
            for edge in &package.needs {
                let version = edge.version.clone();
                assert!(
                    version.is_none_or(|version| known.contains(&(edge.name.clone(), version))),
                    "{edge:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_malformed_is_told_with_its_place() {
    let deep = |open: &str, count: usize| open.repeat(count);
    let huge = format!("a = \"{}", "x".repeat(1 << 20));
    let deep_toml = format!("package = {}", deep("[", 100_000));
    let deep_json = format!("{{\"default\": {{\"a\": {}", deep("[", 100_000));
    let check = |id: &str, bytes: &[u8], expected: Option<&str>| {
        let others = BTreeMap::new();
        for format in FORMATS.iter().filter(|format| format.id == id) {
            let found = format.read.unwrap()(&Files::new(format.name, bytes, &others));
            let found =
                found.map(|locked| assert_eq!(locked.packages, [])).map_err(|error| error.to_string());
            assert_eq!(found.err().as_deref(), expected, "{id}");
        }
    };
    for id in ["poetry", "pdm", "uv", "pylock"] {
        check(id, b"", None);
        check(id, b"\xef\xbb\xbfa = 1\n", None);
        check(id, b"a = 1\n\xff\xfe", Some("2:1: not UTF-8"));
        check(id, b"a = 1\n[[package]\n", Some("2:11: not TOML"));
        check(id, b"a = 1\na = 2\n", Some("2:1: not TOML"));
        check(id, huge.as_bytes(), Some(&format!("1:{}: not TOML", huge.len() + 1)));
        check(id, deep_toml.as_bytes(), Some("1:91: not TOML"));
        check(id, b"package = 1\npackages = 'x'\n", None);
    }
    check("pipenv", b"", Some("1:1: ends too early"));
    check("pipenv", b"[]", Some("1:1: not a Pipfile.lock"));
    check("pipenv", b"{\"default\": 1}", Some("1:13: not a Pipfile.lock"));
    check("pipenv", b"{\n\"_meta\": {\"sources\": 1}}", Some("2:22: not a Pipfile.lock"));
    check("pipenv", b"{\"default\": {\n\"a\": {\"version\": \"==1\"", Some("2:22: ends too early"));
    check("pipenv", b"{\"default\": {}, \"default\": {}}", None);
    check("pipenv", b"\xff", Some("1:1: not UTF-8"));
    check("pipenv", deep_json.as_bytes(), Some(&format!("1:{}: ends too early", deep_json.len())));
    check("requirements", b"", None);
    check("requirements", b"\xff", Some("1:1: not UTF-8"));
    check("requirements", b"\\\n\\\n\\", None);
    check("requirements", &b"\\\n".repeat(100_000), None);
    check("requirements", &[0xff, 0xfe, 0x00, 0xd8], Some("1:1: not UTF-16"));
    check("requirements", "a, ".repeat(1 << 18).as_bytes(), None);
}

#[test]
fn a_marker_too_long_to_be_made_short() {
    let marker = |count: usize| {
        let parts: Vec<String> = (0..count).map(|n| format!("platform_release == '{n}'")).collect();
        parts.join(" or ")
    };
    let check = |text: &str, expected: &str| {
        assert_eq!(super::condition_of(text), Some(format!("python: {expected}")));
    };
    check(&marker(20), &marker(20));
    let first = super::condition_of(&marker(1000)).unwrap();
    assert!(first.ends_with(" or ?") && first.len() < 1000, "{first}");
    check("nonsense", "?");
    assert_eq!(super::condition_of("os_name == 'nt' or os_name != 'nt'"), None);
}

#[test]
fn one_entry_that_is_wrong_does_not_hide_the_others() {
    let check = |id: &str, text: &str, expected: &str| {
        let others = BTreeMap::new();
        for format in FORMATS.iter().filter(|format| format.id == id) {
            let locked = format.read.unwrap()(&Files::new(format.name, text.as_bytes(), &others)).unwrap();
            assert_eq!(locked.packages.len(), 1, "{id}");
            assert_eq!(
                locked.unclear.iter().map(ToString::to_string).collect::<Vec<_>>(),
                [expected],
                "{id}"
            );
        }
    };
    let text = "[[package]]\nname = 'a'\nversion = '1'\n[[package]]\nname = 'ü'\nversion = '1'\n";
    for id in ["poetry", "pdm", "uv"] {
        check(id, text, "4:1: a package without a name or version");
    }
    check("pylock", &text.replace("package", "packages"), "4:1: a package without a name");
    check("requirements", "a==1\nb c\n", "2:1: not a requirement");
}
