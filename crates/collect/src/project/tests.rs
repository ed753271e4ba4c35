//! Recorded cases, hostile projects, and random input for every reader.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use parallax_model::{Resource, Snapshot, SnapshotHeader, Timestamp};
use proptest::prelude::*;

use super::pin::{Declared, Read};
use super::*;
use crate::Variables;
use crate::machine::{Op, Recorded, Replies};
use crate::secret::Fingerprinter;

/// Compares pins with lines such as `node[engines.node] = 18 @3` and `ruby -> .ruby-version @1`.
pub(super) fn check_pins(found: Read, expected: &[&str]) {
    let line = |pin: &pin::Pin| {
        let field = if pin.field.is_empty() { String::new() } else { format!("[{}]", pin.field) };
        let declared = match &pin.declared {
            Declared::Version(version) => format!("= {version}"),
            Declared::SameAs(path) => format!("-> {path}"),
        };
        format!("{}{field} {declared} @{}", pin.tool, pin.line)
    };
    assert_eq!(found.unwrap().iter().map(line).collect::<Vec<_>>(), expected);
}

fn scope(project: Option<&str>) -> Scope {
    Scope {
        project: project.map(str::to_owned),
        variables: Variables::All,
        fingerprinter: Arc::new(Fingerprinter::ephemeral([7; 32])),
    }
}

fn collect_from(machine: &str, project: &str) -> Collected {
    let machine: Recorded = serde_json::from_str(machine).unwrap();
    collect(&machine, &scope(Some(project)))
}

/// The snapshot file that it makes; its header has the gaps.
fn lines(collected: Collected) -> String {
    let mut gaps = collected.gaps;
    gaps.sort();
    let header = SnapshotHeader {
        environment: "recorded".to_owned(),
        captured_at: Timestamp::UNIX_EPOCH,
        tool: "test".to_owned(),
        key_id: None,
        sources: Vec::new(),
        gaps,
    };
    let mut out = Vec::new();
    Snapshot::new(header, collected.resources).write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn case_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/project/cases")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(case_folder()).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn recorded_cases_give_their_goldens() {
    let cases = cases();
    assert!(cases.len() >= 4, "cases are missing");
    for case in cases {
        let machine = std::fs::read_to_string(case.join("machine.json")).unwrap();
        let collected = collect_from(&machine, "/srv/shop");
        for resource in &collected.resources {
            assert!(COLLECTOR.kinds.contains(&&*resource.kind), "{}", resource.key);
            for attribute in &resource.attributes {
                let row = parallax_model::ontology::attribute(&resource.kind, &attribute.path);
                assert!(row.is_some(), "{}#{} is not in the ontology", resource.key, attribute.path);
            }
        }
        let found = lines(collected);
        let golden = case.join("golden.jsonl");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &found).unwrap();
        }
        assert_eq!(found, std::fs::read_to_string(&golden).unwrap_or_default(), "{}", case.display());
        for canary in CANARIES {
            assert!(!found.contains(canary), "{canary} in {}", case.display());
        }
    }
    let planted = std::fs::read_to_string(case_folder().join("credentials/machine.json")).unwrap();
    assert!(CANARIES.iter().all(|canary| planted.contains(canary)));
}

/// Planted in the case `credentials`: in variables' files, in URLs, in `.npmrc`.
const CANARIES: [&str; 2] = ["hunter2", "_authToken"];

#[test]
fn tokens_in_the_place_of_versions_are_masked() {
    let token = format!("ghp_{}", "a1B2".repeat(9));
    let lock =
        format!(r#"{{"packages": {{"node_modules/a": {{"version": "{token}"}}}}, "lockfileVersion": 3}}"#);
    let machine = serde_json::json!({"files": {
        "/p/.nvmrc": token, "/p/package-lock.json": lock, "/p/mise.toml": format!("[tools]\nnode = '{token}'\n{token} = '1'"),
    }});
    let found = lines(collect_from(&machine.to_string(), "/p"));
    assert!(found.contains("pin/node") && found.contains("dependency/npm/a"));
    assert!(!found.contains("a1B2"), "{found}");
}

#[test]
fn what_could_not_be_seen_is_a_gap() {
    let check = |machine: &str, expected: &[&str]| {
        let gaps = collect_from(machine, "/p").gaps;
        let gaps: Vec<String> = gaps.iter().map(|g| format!("{} {:?} {}", g.what, g.kind, g.why)).collect();
        assert_eq!(gaps, expected, "{machine}");
    };
    check(
        "{}",
        &[
            "pin/** Failed /p: no such folder",
            "lockfile/** Failed /p: no such folder",
            "dependency/** Failed /p: no such folder",
        ],
    );
    check(r#"{"files": {"/p/README": ""}}"#, &[]);
    check(
        r#"{"files": {"/p/.nvmrc": {"error": "permission"}, "/p/a/.tool-versions": {"error": "permission"}}}"#,
        &[
            "pin/node Permission /p/.nvmrc: permission denied",
            "pin/*/a Permission /p/a/.tool-versions: permission denied",
        ],
    );
    check(
        r#"{"files": {"/p/package-lock.json": {"error": "permission"}, "/p/bun.lockb": "x"}}"#,
        &[
            "lockfile/package-lock.json Permission /p/package-lock.json: permission denied",
            "dependency/npm/** Permission /p/package-lock.json: permission denied",
        ],
    );
    check(
        r#"{"files": {"/p/web/yarn.lock": "a@1:\n  version \"1\"\nb@1:\n", "/p/yarn.lock": "x"}}"#,
        &[
            "dependency/npm/** NotParsed /p/yarn.lock:1:2: not a lockfile of Yarn",
            "dependency/npm/** NotParsed /p/web/yarn.lock:3:1: an entry without a version",
        ],
    );
    check(
        r#"{"files": {"/p/x": ""}, "links": {"/p/.nvmrc": "nowhere"}}"#,
        &["pin/node Failed /p/.nvmrc: listed, but not there to be read"],
    );
    check(
        r#"{"files": {"/p/.github/workflows/a.yml": "jobs: {a: {steps: [{uses: actions/setup-node@v4, with: {node-version-file: .nvmrc}}]}}"}}"#,
        &[
            "pin/node NotParsed /p/.github/workflows/a.yml:1: takes the version from `.nvmrc`, which names none",
        ],
    );
}

#[test]
fn more_than_is_read_is_a_gap() {
    let files = |count: usize| {
        let files: serde_json::Map<String, serde_json::Value> =
            (0..count).map(|n| (format!("/p/d{n}/.nvmrc"), "18".into())).collect();
        serde_json::json!({"files": files}).to_string()
    };
    let some = collect_from(&files(MAX_PIN_FILES + 2), "/p");
    assert_eq!(some.resources.len(), MAX_PIN_FILES);
    assert_eq!((&*some.gaps[0].what, some.gaps[0].kind), ("pin/**", GapKind::TooLarge));
    let many = collect_from(&files(4_001), "/p");
    assert_eq!(&*many.gaps[0].why, "/p: more than 4000 files to look at");
}

#[test]
fn more_versions_than_are_kept_is_a_gap() {
    let many = "FROM node:20\n".repeat(300);
    let machine = serde_json::json!({"files": {"/p/Dockerfile": many}}).to_string();
    let collected = collect_from(&machine, "/p");
    assert_eq!(collected.resources[0].attributes.len(), 2 * 256);
    assert_eq!(&*collected.gaps[0].why, "/p/Dockerfile: more than 256 versions in one file");
}

/// A recorded machine where some folders can't be read.
#[derive(Debug)]
struct Guarded {
    machine: Recorded,
    denied: fn(&Op) -> bool,
}

impl Machine for Guarded {
    fn place(&self) -> &'static str {
        "guarded"
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        let mut replies = self.machine.run(batch)?;
        for (op, reply) in batch.ops().iter().zip(&mut replies.0) {
            if (self.denied)(op) {
                *reply = Err(ProbeError::Permission);
            }
        }
        Ok(replies)
    }
}

fn collect_guarded(machine: &str, denied: fn(&Op) -> bool) -> Collected {
    let machine = Guarded { machine: serde_json::from_str(machine).unwrap(), denied };
    collect(&machine, &scope(Some("/p")))
}

#[test]
fn where_nothing_can_be_listed_names_are_asked_for() {
    let collected = collect_guarded(r#"{"files": {"/p/.nvmrc": "18", "/p/Cargo.lock": ""}}"#, |op| {
        matches!(op, Op::List { .. } | Op::Find(_))
    });
    let keys: Vec<&str> = collected.resources.iter().map(|r| r.key.as_str()).collect();
    assert_eq!(keys, ["lockfile/Cargo.lock", "pin/node"]);
    assert!(collected.gaps.iter().any(|g| &*g.what == "lockfile/**" && g.kind == GapKind::Permission));
}

#[test]
fn a_folder_that_can_not_be_read_is_a_gap() {
    let denied = r#"{"error": "permission"}"#;
    let collected = collect_from(
        &format!(
            r#"{{"files": {{"/p/.nvmrc": "18", "/p/data/": {denied}, "/p/vendor/": {denied}, "/p/api/.nvmrc": "18",
                "/p/api/var/lib/": {denied}, "/p/a/b/c/d/": {denied}}}}}"#
        ),
        "/p",
    );
    let gaps: Vec<String> = collected.gaps.iter().map(|g| format!("{}: {}", g.what, g.why)).collect();
    assert_eq!(
        gaps,
        [
            "pin/*/api/var/lib/**: /p/api/var/lib: permission denied",
            "lockfile/api/var/lib/**: /p/api/var/lib: permission denied",
            "pin/*/data/**: /p/data: permission denied",
            "lockfile/data/**: /p/data: permission denied",
            "dependency/**: /p/api/var/lib: permission denied"
        ]
    );
    assert_eq!(collected.resources.len(), 2);
    assert!(collected.gaps[2].hides(&Key::of(["pin", "node", "data"]), None));
}

#[test]
fn without_a_project_it_is_skipped() {
    let collected = collect(&Recorded::default(), &scope(None));
    assert_eq!(collected.skipped.as_deref(), Some("no project folder"));
}

/// Real lockfiles and manifests, where they are there.
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("PARALLAX_CORPUS").map_or(beside, PathBuf::from).join("lockfiles");
    if folder.is_dir() {
        return Some(folder);
    }
    let told = format!("SKIPPED: {} is not there; set PARALLAX_CORPUS\n", folder.display());
    std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).unwrap();
    None
}

type AnyReader = fn(&str);

const READERS: &[(&str, AnyReader)] = &[
    ("dockerfile", |text| drop(dockerfile::read(text))),
    ("env_example", |text| drop(env_example(text))),
    ("gemfile", |text| drop(gemfile::read(text))),
    ("gitlab", |text| drop(gitlab::read(text))),
    ("go_mod", |text| drop(go_mod::read(text))),
    ("image", |text| drop(image::versions(text))),
    ("mise", |text| drop(toml_file::mise(text))),
    ("package_json", |text| drop(package_json::read(text))),
    ("pin", |text| drop(pin::without_credentials(text))),
    ("pipfile", |text| drop(toml_file::pipfile(text))),
    ("pyproject", |text| drop(toml_file::pyproject(text))),
    ("runtime_txt", |text| drop(version_file::runtime_txt(text))),
    ("rust_toolchain", |text| drop(toml_file::rust_toolchain(text))),
    ("sdkmanrc", |text| drop(version_file::sdkmanrc(text))),
    ("single", |text| drop(version_file::single("python", text))),
    ("tool_versions", |text| drop(version_file::tool_versions(text))),
    ("workflow", |text| drop(workflow::read(text))),
    ("wrapper", |text| drop(wrapper::read(text))),
];

/// Pieces that the formats are made of: random text alone would hardly pass the first token.
const PIECES: &[&str] = &[
    "FROM ",
    "node:",
    "20",
    "$A",
    "${A:-",
    "}",
    "ARG A=",
    " AS x",
    "\n",
    "\n  ",
    "\t",
    " ",
    "jobs:",
    "a:",
    "steps:",
    "- ",
    "uses: ",
    "actions/setup-node@v4",
    "with:",
    "node-version: ",
    "${{ matrix.a }}",
    "strategy:",
    "matrix:",
    "&a ",
    "*a",
    "<<: ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    "'",
    "`",
    "\\",
    "#",
    "=",
    "[tools]",
    "[[a]]",
    "go 1.2",
    "toolchain ",
    "ruby ",
    "file: ",
    "export A=",
    "\"packages\":",
    "\"node_modules/a\":",
    "\"version\":",
    "\"engines\":",
    "\"dependencies\":",
    "null",
    "true",
    "1e9",
    "https://u:p@h/?t=",
    "@",
    "//",
    "\u{feff}",
    "\u{0}",
    "é",
    "\u{10ffff}",
    "<<EOF\n",
    "EOF",
    "image: ",
    "|",
    ">",
    "---",
    "!!x ",
    "? ",
    ": ",
    "\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_input_never_panics(picks in proptest::collection::vec(any::<u16>(), 0..24)) {
        // One in eight is any character instead of a piece.
        let text: String = picks
            .iter()
            .map(|pick| match pick % 8 {
                0 => char::from_u32(u32::from(*pick)).map(String::from).unwrap_or_default(),
                _ => PIECES[usize::from(*pick / 8) % PIECES.len()].to_owned(),
            })
            .collect();
        for (_, read) in READERS {
            read(&text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_never_panic(at in any::<prop::sample::Index>(), cut in 0_usize..40, put in 0..PIECES.len(), which in any::<prop::sample::Index>()) {
        let mut bytes = which.get(SAMPLES.as_slice()).clone().into_bytes();
        let start = at.index(bytes.len().max(1)).min(bytes.len());
        let end = (start + cut).min(bytes.len());
        bytes.splice(start..end, PIECES[put].bytes());
        let text = String::from_utf8_lossy(&bytes);
        for (_, read) in READERS {
            read(&text);
        }
    }
}

/// The files of the recorded cases, and real ones where they are there.
static SAMPLES: LazyLock<Vec<String>> = LazyLock::new(samples);

fn samples() -> Vec<String> {
    let mut texts = Vec::new();
    for case in cases() {
        let machine: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(case.join("machine.json")).unwrap()).unwrap();
        let files = machine["files"].as_object().unwrap();
        texts.extend(files.values().filter_map(|f| f.as_str()).map(str::to_owned));
    }
    let folders = corpus().into_iter().flat_map(|corpus| std::fs::read_dir(corpus).unwrap());
    for folder in folders.map(|folder| folder.unwrap().path()).filter(|folder| folder.is_dir()) {
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            let small = file.metadata().is_ok_and(|meta| meta.is_file() && meta.len() < 1 << 15);
            texts.extend(std::fs::read_to_string(&file).ok().filter(|_| small));
        }
    }
    texts
}

#[test]
fn packages_in_three_views() {
    let lock = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "^1.0.0"}}, "node_modules/a": {"version": "1.0.0"}}}"#;
    let manifest = r#"{"dependencies": {"a": "^1.1.0"}}"#;
    let installed = r#"{"name": "a", "version": "1.0.1"}"#;
    let collected = |unreadable: bool| {
        let tree = if unreadable {
            serde_json::json!({"error": "permission"})
        } else {
            serde_json::json!(installed)
        };
        let machine = serde_json::json!({"files": {"/p/web/package-lock.json": lock, "/p/web/package.json": manifest,
            "/p/web/node_modules/a/package.json": tree, "/p/package-lock.json": lock}});
        collect_from(&machine.to_string(), "/p")
    };
    let seen = collected(false);
    let text = |key: &str, path: &str| {
        let resource = seen.resources.iter().find(|resource| &*resource.key.to_string() == key).unwrap();
        resource.attributes.get(path).and_then(parallax_model::Value::as_text).unwrap_or_default()
    };
    let package =
        ["declared", "locked_for", "version", "installed"].map(|path| text("dependency/npm/a", path));
    assert_eq!(package, ["^1.1.0", "^1.0.0", "1.0.0", "1.0.1"]);
    let lockfiles: Vec<&Resource> =
        seen.resources.iter().filter(|resource| &*resource.kind == "lockfile").collect();
    let trees: Vec<_> = lockfiles.iter().map(|lockfile| lockfile.attributes.get("tree").is_some()).collect();
    assert_eq!(trees.iter().filter(|is| **is).count(), 1, "only one folder has a tree");
    assert!(seen.gaps.is_empty(), "{:?}", seen.gaps);
    let gaps: Vec<String> =
        collected(true).gaps.iter().map(|gap| format!("{} {}", gap.what, gap.why)).collect();
    let why = "/p/web/node_modules/a/package.json: permission denied";
    assert_eq!(
        gaps,
        [
            format!("{}#installed {why}", Key::of(["lockfile", "web/package-lock.json"])),
            format!("dependency/npm/a#installed {why}"),
        ]
    );
}
