//! Packages in three views: what manifests declare, what is locked, what is installed, and what another platform gets.

use std::path::Path;

use crate::support::{Staging, World};

/// Installs packages by hand, as `npm ci` would lay them out: `ms@2.1.3`.
fn install(shop: &Path, packages: &[&str]) {
    let mut note = serde_json::Map::new();
    for package in packages {
        let (name, version) = package.rsplit_once('@').unwrap();
        let folder = shop.join("node_modules").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let manifest = serde_json::json!({"name": name, "version": version, "main": "index.js"});
        std::fs::write(folder.join("package.json"), manifest.to_string()).unwrap();
        note.insert(format!("node_modules/{name}"), serde_json::json!({"version": version}));
    }
    let note = serde_json::json!({"name": "shop", "lockfileVersion": 3, "packages": note});
    std::fs::write(shop.join("node_modules/.package-lock.json"), note.to_string()).unwrap();
}

/// The report on packages, without what counts what this machine has.
fn report(world: &World, arguments: &[&str], code: i32) -> String {
    let only = ["--only", "lockfile/**", "--only", "dependency/**", "--color", "never", "--verbose"];
    let arguments: Vec<&str> = arguments.iter().copied().chain(only).collect();
    let ran = world.parallax(&arguments).exits(code);
    let (_, report) = ran.stdout.split_once("\n\n").unwrap();
    let report: String = report.lines().filter(|l| !l.contains(" equal")).map(|l| format!("{l}\n")).collect();
    report.replace(&world.folder.path().display().to_string(), "<world>")
}

#[test]
fn an_equal_lockfile_with_another_tree() {
    let world = World::new(Staging::same());
    install(&world.shop(), &["undici@5.26.4", "ms@2.1.3"]);
    install(&world.staging_shop(), &["undici@5.26.4", "ms@2.1.3"]);
    world.parallax(&["check", "staging", "--only", "lockfile/**", "--only", "dependency/**"]).exits(0);
    // Replaced by hand: npm's own note of the tree knows nothing of it.
    let manifest = world.staging_shop().join("node_modules/ms/package.json");
    std::fs::write(manifest, r#"{"name": "ms", "version": "2.1.2"}"#).unwrap();
    insta::assert_snapshot!(report(&world, &["check", "staging"], 1));
}

#[test]
fn a_side_without_a_tree_is_no_drift() {
    let world = World::new(Staging::same());
    install(&world.shop(), &["undici@5.26.4", "ms@2.1.3"]);
    world.parallax(&["check", "staging", "--only", "lockfile/**", "--only", "dependency/**"]).exits(0);
}

#[test]
fn a_lock_that_its_manifest_has_outgrown() {
    let world = World::new(Staging::same());
    let manifest =
        |ms: &str| format!(r#"{{"name": "shop", "dependencies": {{"undici": "^5", "ms": "{ms}"}}}}"#);
    for shop in [world.shop(), world.staging_shop()] {
        std::fs::write(shop.join("package.json"), manifest("2.1.3")).unwrap();
    }
    world.parallax(&["check", "staging", "--only", "lockfile/**", "--only", "dependency/**"]).exits(0);
    std::fs::write(world.shop().join("package.json"), manifest("^3.0.0")).unwrap();
    insta::assert_snapshot!(report(&world, &["check", "staging"], 1));
}

/// Writes a snapshot of a host of that platform with the packages of another.
fn recorded(world: &World, packages: &str, name: &str, (architecture, libc): (&str, &str)) {
    let host = serde_json::json!([
        {"key": "host/cpu", "kind": "cpu", "attributes": {"architecture": architecture}},
        {"key": "host/kernel", "kind": "kernel", "attributes": {"name": "Linux"}},
        {"key": "host/libc", "kind": "libc", "attributes": {"family": libc}},
    ]);
    let host = host.as_array().unwrap().iter().map(|line| format!("{line}\n"));
    let of_packages =
        |line: &&str| line.contains("\"key\":\"dependency/") || line.contains("\"key\":\"lockfile/");
    let packages: Vec<String> =
        packages.lines().skip(1).filter(of_packages).map(|line| format!("{line}\n")).collect();
    let (first, last): (Vec<String>, Vec<String>) =
        packages.into_iter().partition(|line| line.contains("\"key\":\"dependency/"));
    let lines: Vec<String> = first.into_iter().chain(host).chain(last).collect();
    // A snapshot is known by its first field.
    let header = format!(
        r#"{{"schema":"parallax.snapshot/1","environment":"{name}","captured_at":"2026-01-01T00:00:00Z","tool":"parallax","resources":{}}}"#,
        lines.len()
    );
    std::fs::write(world.shop().join(format!("{name}.snapshot")), format!("{header}\n{}", lines.concat()))
        .unwrap();
}

#[test]
fn one_lockfile_on_other_platforms() {
    let world = World::new(Staging::same());
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases/platforms");
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(cases.join(file), world.shop().join(file)).unwrap();
    }
    let packages = world.parallax(&["capture", "local", "-o", "-"]).exits(0).stdout;
    for (name, platform) in
        [("laptop", ("x86_64", "glibc")), ("graviton", ("arm64", "glibc")), ("alpine", ("x86_64", "musl"))]
    {
        recorded(&world, &packages, name, platform);
    }
    insta::assert_snapshot!("arm64", report(&world, &["check", "laptop.snapshot", "graviton.snapshot"], 0));
    insta::assert_snapshot!("musl", report(&world, &["check", "laptop.snapshot", "alpine.snapshot"], 0));
    report(&world, &["check", "laptop.snapshot", "laptop.snapshot"], 0);
}
