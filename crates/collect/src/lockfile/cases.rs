//! What readers say beside what the real tools list: `cases/<case>/listed`, made as its `HOW.md` says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Files, Package, by_path, shown};

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lockfile/cases").join(case)
}

fn files_below(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files_below(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
}

/// What a package is in the list's words; as many of them as the list has.
fn words(package: &Package, count: usize) -> String {
    let told = |value: Option<bool>, yes, no| match value {
        Some(true) => yes,
        Some(false) => no,
        None => "untold",
    };
    let direct = told(package.direct, "direct", "indirect");
    let all = [&package.name, &package.version, direct, told(package.dev, "dev", "run")];
    all.get(..count).unwrap().join(" ")
}

/// The packages of a lockfile are those that the tool lists.
fn check(name: &str, files: &BTreeMap<String, Vec<u8>>, bytes: &[u8], listed: &str, columns: usize) {
    let read = by_path(name).unwrap().read.unwrap();
    let locked = read(&Files::new(name, bytes, files)).unwrap();
    assert!(locked.unclear.is_empty(), "{:?}", locked.unclear);
    let found: BTreeSet<String> = locked.packages.iter().map(|package| words(package, columns)).collect();
    let first = |line: &str| line.split(' ').take(columns).collect::<Vec<_>>().join(" ");
    let expected: BTreeSet<String> = listed.lines().map(first).collect();
    let (more, fewer): (Vec<_>, Vec<_>) =
        (found.difference(&expected).collect(), expected.difference(&found).collect());
    assert_eq!((more, fewer), (vec![], vec![]), "{name}: more, and fewer, than the tool lists");
}

fn check_case(name: &str, case: &str, columns: usize) {
    let mut files = BTreeMap::new();
    files_below(&folder(case), "", &mut files);
    let listed = String::from_utf8(files["listed"].clone()).unwrap();
    check(name, &files, &files["lockfile"], &listed, columns);
}

fn check_real(name: &str, project: &str, case: &str, columns: usize) {
    let Some(files) = shown::corpus(project) else { return };
    let listed = std::fs::read_to_string(folder(case).join("listed")).unwrap();
    check(name, &files, &files[name], &listed, columns);
}

#[test]
fn as_cargo_lists() {
    check_case("Cargo.lock", "cargo", 4);
}

#[test]
fn as_bundler_lists() {
    check_case("Gemfile.lock", "bundler", 3);
    check_real("Gemfile.lock", "huginn+huginn", "bundler-huginn", 3);
}

#[test]
fn as_composer_lists() {
    check_case("composer.lock", "composer", 4);
    check_real("composer.lock", "BookStackApp+BookStack", "composer-bookstack", 4);
}
