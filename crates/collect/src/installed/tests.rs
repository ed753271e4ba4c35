//! Trees of every ecosystem on recorded machines, and hostile ones.

use std::fmt::Write as _;

use super::*;
use crate::machine::{Machine, Recorded};

/// What is found at `/p` on a machine of these files (`path` = `text`), and after how many round trips.
fn look(ecosystem: &str, files: &[(&str, &str)], links: &[(&str, &str)]) -> String {
    let absolute = |list: &[(&str, &str)]| {
        let pairs = list.iter().map(|(path, text)| (format!("/p/{path}"), serde_json::json!(text)));
        pairs.collect::<serde_json::Map<_, _>>()
    };
    let machine = serde_json::json!({"files": absolute(files), "links": absolute(links)});
    let machine: Recorded = serde_json::from_value(machine).unwrap();
    tell(ecosystem, &machine)
}

fn tell(ecosystem: &str, machine: &dyn Machine) -> String {
    let mut look = (row(ecosystem).unwrap().look)("/p");
    let mut rounds = 0;
    loop {
        let mut batch = Batch::new();
        look.ask(&mut batch);
        if batch.is_empty() {
            break;
        }
        rounds += 1;
        look.take(&machine.run(&batch).unwrap());
    }
    let Some(tree) = look.found() else { return format!("nothing after {rounds}") };
    let mut out = format!("{} after {rounds}:", tree.folder);
    for (name, version) in &tree.packages {
        write!(out, " {name}@{version}").unwrap();
    }
    for unseen in &tree.unseen {
        write!(out, " !{} {:?} {}", unseen.package.as_deref().unwrap_or("*"), unseen.kind, unseen.why)
            .unwrap();
    }
    out
}

#[track_caller]
fn check(ecosystem: &str, files: &[(&str, &str)], expected: &str) {
    assert_eq!(look(ecosystem, files, &[]), expected);
}

fn manifest(name: &str, version: &str) -> String {
    format!(r#"{{"name": "{name}", "version": "{version}", "scripts": {{"version": "no"}}}}"#)
}

#[test]
fn no_tree_costs_no_round_trip_of_its_own() {
    for row in TREES {
        check(row.ecosystem, &[("README", "")], "nothing after 1");
    }
}

#[test]
fn node_modules_level_by_level() {
    let (a, b, inner, own) =
        (manifest("a", "1.0.0"), manifest("@s/b", "2.0.0"), manifest("a", "0.9.0"), manifest("own", "1.0.0"));
    let bundles = r#"{"name": "c", "version": "v3.0.0", "bundledDependencies": ["x"]}"#;
    let files = [
        ("node_modules/a/package.json", a.as_str()),
        ("node_modules/a/dist/package.json", "{\"type\": \"module\"}"),
        ("node_modules/@s/b/package.json", &b),
        ("node_modules/@s/b/node_modules/a/package.json", &inner),
        ("node_modules/.bin/a", "x"),
        ("node_modules/c/package.json", bundles),
        ("node_modules/c/node_modules/x/package.json", &inner),
        ("node_modules/folder/README", ""),
        ("packages/own/package.json", &own),
    ];
    let links = [("node_modules/own", "../packages/own")];
    assert_eq!(look("npm", &files, &links), "node_modules after 4: @s/b@2.0.0 a@0.9.0 a@1.0.0 c@3.0.0");
    let note = r#"{"packages": {"node_modules/a": {"version": "9.9.9"}, "node_modules/@s/b/node_modules/a": {},
        "node_modules/@s/b": {}, "node_modules/own": {"link": true}, "node_modules/gone": {}, "packages/own": {},
        "node_modules/../../etc": {}}}"#;
    let mut noted = files.to_vec();
    noted.push(("node_modules/.package-lock.json", note));
    // With npm's note all is asked for at once, what a package brought along is npm's, and only the disk's versions count.
    assert_eq!(look("npm", &noted, &links), "node_modules after 3: @s/b@2.0.0 a@0.9.0 a@1.0.0 c@3.0.0");
}

#[test]
fn node_modules_that_are_odd() {
    check("npm", &[("node_modules/.cache/x", "")], "nothing after 1");
    check("npm", &[("node_modules", "a file")], "nothing after 1");
    check(
        "npm",
        &[
            ("node_modules/a/package.json", "{\"name\": 3, \"version\": []}"),
            ("node_modules/b/package.json", "oops"),
        ],
        "node_modules after 2: !b NotParsed node_modules/b/package.json: not a package.json",
    );
    check(
        "npm",
        &[
            ("node_modules/a/package.json", "{\"version\": \"1.0.0 hunter2\"}"),
            ("node_modules/.package-lock.json", "{"),
        ],
        "nothing after 2",
    );
    let links = [("node_modules/a", ".store/a")];
    assert_eq!(
        look("npm", &[("node_modules/.store/a/package.json", "{}")], &links),
        "node_modules after 1: !* Unsupported node_modules: holds links alone, as of a layout that is not read"
    );
}

#[test]
fn the_store_of_pnpm() {
    let lock = "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-x}\n  '@s/b@2.0.0':\n    resolution: {integrity: sha512-x}\n  gone@1.0.0:\n    resolution: {integrity: sha512-x}\n";
    let (edited, b, old) = (manifest("a", "1.0.1"), manifest("@s/b", "2.0.0"), manifest("a", "0.1.0"));
    let files = [
        ("node_modules/.pnpm/lock.yaml", lock),
        ("node_modules/.pnpm/a@1.0.0/node_modules/a/package.json", edited.as_str()),
        ("node_modules/.pnpm/a@0.1.0/node_modules/a/package.json", &old),
        ("node_modules/.pnpm/@s+b@2.0.0_a@1.0.0/node_modules/@s/b/package.json", &b),
    ];
    check("npm", &files, "node_modules after 2: @s/b@2.0.0 a@1.0.1");
    check(
        "npm",
        files.get(1..).unwrap(),
        "node_modules after 1: !* Failed node_modules/.pnpm/lock.yaml: not found",
    );
}

#[test]
fn other_ecosystems() {
    check(
        "pypi",
        &[
            (".venv/lib/python3.11/site-packages/Flask_Login-0.6.3.dist-info/METADATA", ""),
            (".venv/lib/python3.11/site-packages/flask/__init__.py", ""),
            (".venv/lib/python3.11/site-packages/odd.dist-info/METADATA", ""),
            ("venv/lib/python3.9/site-packages/old-1.dist-info/METADATA", ""),
        ],
        ".venv/lib/python3.11/site-packages after 2: flask-login@0.6.3",
    );
    check(
        "pypi",
        &[("venv/Lib/site-packages/a-1.0.dist-info/METADATA", "")],
        "venv/Lib/site-packages after 1: a@1.0",
    );
    check("pypi", &[("venv/lib/README", "")], "nothing after 1");
    check(
        "gem",
        &[
            ("vendor/bundle/ruby/3.2.0/specifications/rack-3.0.8.gemspec", ""),
            ("vendor/bundle/ruby/3.2.0/specifications/nokogiri-1.15.4-x86_64-linux.gemspec", ""),
            ("vendor/bundle/ruby/3.2.0/gems/rack-3.0.8/x", ""),
        ],
        "vendor/bundle after 2: nokogiri@1.15.4 rack@3.0.8",
    );
    let installed = r#"{"packages": [{"name": "Psr/Log", "version": "3.0.0", "source": null},
        {"name": "a/b", "version": "dev-main", "source": {"reference": "c0ffee"}}], "dev": true}"#;
    check(
        "composer",
        &[("vendor/composer/installed.json", installed)],
        "vendor after 1: a/b@c0ffee psr/log@3.0.0",
    );
    check(
        "composer",
        &[("vendor/composer/installed.json", r#"[{"name": "a/b", "version": "1"}]"#)],
        "vendor after 1: a/b@1",
    );
    check(
        "composer",
        &[("vendor/composer/installed.json", "{")],
        "vendor after 1: !* NotParsed vendor/composer/installed.json: not Composer's list",
    );
    let modules = "# a.example/a v1.0.0\n## explicit; go 1.17\na.example/a/inner\n# b v2 => ../b\n";
    check("go", &[("vendor/modules.txt", modules)], "vendor after 1: a.example/a@v1.0.0");
    check("go", &[("vendor/modules.txt", "# a.example/a v1.0.0\n")], "nothing after 1");
    let manifest = "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[lib]\nname = \"b\"\n";
    check(
        "cargo",
        &[
            ("vendor/a-1.0.0/Cargo.toml", manifest),
            ("vendor/a-1.0.0/.cargo-checksum.json", "{}"),
            ("vendor/psr/Cargo.toml", manifest),
        ],
        "vendor after 2: a@1.0.0",
    );
}

#[test]
fn what_may_not_be_read_is_told() {
    let machine = r#"{"files": {"/p/node_modules/a/package.json": {"error": "permission"},
        "/p/node_modules/b/package.json": "{\"name\": \"b\", \"version\": \"1.0.0\"}"}}"#;
    let machine: Recorded = serde_json::from_str(machine).unwrap();
    assert_eq!(
        tell("npm", &machine),
        "node_modules after 2: b@1.0.0 !a Permission node_modules/a/package.json: permission denied"
    );
}
