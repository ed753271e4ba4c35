//! Tidiness as a test: what the compiler can't hold.

use std::path::{Path, PathBuf};

use crate::support::root;

/// Lines of code that a file may have before its tests.
const MOST_LINES: usize = 500;
/// Lines that a file of tests may have.
const MOST_TEST_LINES: usize = 800;
/// Files that may be longer: uniform tables.
const TABLES: &[&str] = &[];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("cases") {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(&root().join("crates"), &mut found);
    sources(&root().join("benches"), &mut found);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    found.into_iter().map(read).collect()
}

#[test]
fn files_say_what_they_are_for_and_stay_small() {
    for (name, text) in all_sources() {
        assert!(text.starts_with("//!"), "{name} does not begin with what it is for");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().lines().count();
        let most = if name.ends_with("tests.rs") { MOST_TEST_LINES } else { MOST_LINES };
        assert!(code <= most || TABLES.contains(&name.as_str()), "{name} has {code} lines of code");
    }
}

#[test]
fn no_test_is_skipped_and_no_lint_bare() {
    let (ignore, allow) = (concat!("#[ign", "ore"), concat!("#[al", "low("));
    for (name, text) in all_sources() {
        assert!(!text.contains(ignore), "{name} skips a test");
        assert!(!text.contains(allow), "{name}: say #[expect(.., reason = ..)]");
    }
}

#[test]
fn rooms_know_only_the_rooms_that_they_may() {
    let may: [(&str, &[&str]); 5] = [
        ("model", &[]),
        ("collect", &["model"]),
        ("engine", &["model"]),
        ("store", &["model"]),
        ("app", &["model", "collect", "engine", "store", "act"]),
    ];
    for (room, allowed) in may {
        let manifest = std::fs::read_to_string(root().join("crates").join(room).join("Cargo.toml")).unwrap();
        let (_, dependencies) = manifest.split_once("[dependencies]").unwrap();
        for line in dependencies.lines() {
            if let Some(other) = line.strip_prefix("parallax-").and_then(|l| l.split(['.', ' ', '=']).next())
            {
                assert!(allowed.contains(&other), "{room} may not know {other}");
            }
        }
    }
}

#[test]
fn the_model_and_the_engine_do_no_input_or_output() {
    for (name, text) in all_sources() {
        if !name.starts_with("crates/model/src") && !name.starts_with("crates/engine/src") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        for forbidden in [
            "std::fs",
            "std::process",
            "std::env",
            "std::net",
            "std::thread",
            "SystemTime",
            "Instant::now",
            "Timestamp::now",
            "tokio",
            "println!",
        ] {
            assert!(!code.contains(forbidden), "{name} names {forbidden}");
        }
    }
}

#[test]
fn every_collector_folder_is_on_the_list() {
    let folder = root().join("crates/collect/src");
    let list = std::fs::read_to_string(folder.join("lib.rs")).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap().flatten().filter(|e| e.path().is_dir()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let module = std::fs::read_to_string(entry.path().join("mod.rs")).unwrap_or_default();
        if module.contains("const COLLECTOR: Collector") {
            assert!(list.contains(&format!("&{name}::COLLECTOR")), "{name} is not on the list of collectors");
        }
    }
}
