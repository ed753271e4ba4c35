//! The recorded machines under `cases`, and what the collector makes of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parallax_model::{Resource, Snapshot, SnapshotHeader, Timestamp, ontology};

use super::*;
use crate::Variables;
use crate::machine::Recorded;
use crate::secret::Fingerprinter;

mod files {
    use super::*;

    pub(super) fn cases() -> Vec<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runtime/cases");
        let mut cases: Vec<PathBuf> =
            std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
        cases.sort();
        cases
    }

    pub(super) fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    pub(super) fn update() -> bool {
        std::env::var_os("UPDATE_GOLDEN").is_some()
    }

    pub(super) fn write(path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
    }
}

fn scope(project: Option<&str>) -> Scope {
    Scope {
        project: project.map(str::to_owned),
        variables: Variables::All,
        fingerprinter: Arc::new(Fingerprinter::lasting(b"test")),
    }
}

fn observed(machine: &dyn Machine, project: Option<&str>) -> (Vec<Resource>, Vec<parallax_model::Gap>) {
    let collected = collect(machine, &scope(project));
    let header = SnapshotHeader {
        environment: "test".into(),
        captured_at: Timestamp::UNIX_EPOCH,
        tool: String::new(),
        key_id: None,
        sources: vec![],
        gaps: collected.gaps,
    };
    let snapshot = Snapshot::new(header, collected.resources);
    (snapshot.resources().to_vec(), snapshot.header().gaps.clone())
}

fn lines(resources: &[Resource], gaps: &[parallax_model::Gap]) -> String {
    let mut text = String::new();
    for gap in gaps {
        writeln!(text, "{}", serde_json::to_string(gap).unwrap()).unwrap();
    }
    for resource in resources {
        let attributes = serde_json::to_string(&resource.attributes).unwrap();
        writeln!(
            text,
            "{{\"key\":\"{}\",\"kind\":\"{}\",\"attributes\":{attributes}}}",
            resource.key, resource.kind
        )
        .unwrap();
    }
    text
}

/// Every case, its project being the folder where commands start.
fn all() -> Vec<(PathBuf, Vec<Resource>, Vec<parallax_model::Gap>)> {
    files::cases()
        .into_iter()
        .map(|case| {
            let text = files::read(&case.join("machine.json"));
            let machine: Recorded =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", case.display()));
            let (resources, gaps) = observed(&machine, None);
            (case, resources, gaps)
        })
        .collect()
}

#[test]
fn cases_give_what_their_goldens_say() {
    let mut wrong = Vec::new();
    for (case, resources, gaps) in all() {
        let golden = case.join("golden.jsonl");
        let text = lines(&resources, &gaps);
        if files::update() {
            files::write(&golden, &text);
        } else if files::read(&golden) != text {
            wrong.push(format!("{}:\n{text}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "not as recorded (UPDATE_GOLDEN=1 rewrites):\n{}", wrong.join("\n"));
}

#[test]
fn attributes_are_those_that_the_ontology_declares() {
    let row = ontology::kind("runtime").unwrap();
    let mut stated = BTreeSet::new();
    for (case, resources, _) in all() {
        for resource in resources {
            for attribute in &resource.attributes {
                let declared = ontology::attribute(&resource.kind, &attribute.path);
                let declared = declared
                    .unwrap_or_else(|| panic!("{}: {} is not declared", case.display(), attribute.path));
                stated.insert(declared.path);
            }
        }
    }
    let declared: BTreeSet<&str> = row.attributes.iter().map(|a| a.path).collect();
    assert_eq!(stated, declared);
}

#[test]
fn every_tool_of_the_table_is_in_a_case_with_a_version() {
    let seen: BTreeSet<String> = all()
        .into_iter()
        .flat_map(|(_, resources, _)| resources)
        .filter(|r| r.attributes.get("version").is_some())
        .map(|r| r.key.after(1).to_owned())
        .collect();
    let names: BTreeSet<String> = TOOLS.iter().map(|tool| tool.name.to_owned()).collect();
    assert_eq!(seen, names);
    assert!(names.len() >= 36, "{}", names.len());
    assert_eq!(names.len(), TOOLS.len(), "a name stands twice");
}

#[test]
fn a_gap_and_a_version_exclude_each_other() {
    for (case, resources, gaps) in all() {
        for resource in resources {
            let version = resource.attributes.get("version").is_some();
            let hidden = gaps.iter().any(|gap| gap.hides(&resource.key, None));
            assert!(version != hidden, "{}: {}", case.display(), resource.key);
        }
    }
}

/// A place that stops answering after some round trips.
#[derive(Debug)]
struct Dying {
    machine: Recorded,
    left: std::sync::Mutex<usize>,
}

impl Machine for Dying {
    fn place(&self) -> &'static str {
        "a place"
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        let mut left = self.left.lock().unwrap();
        match left.checked_sub(1) {
            Some(rest) => *left = rest,
            None => {
                return Err(MachineError::Unreachable { place: "a place".into(), why: "gone".into() });
            }
        }
        self.machine.run(batch)
    }
}

fn recorded(case: &str) -> Recorded {
    let case = files::cases().into_iter().find(|path| path.ends_with(case)).unwrap();
    serde_json::from_str(&files::read(&case.join("machine.json"))).unwrap()
}

#[test]
fn a_place_that_is_gone_is_a_gap_over_all() {
    for left in 0..2 {
        let (_, gaps) =
            observed(&Dying { machine: recorded("debian"), left: std::sync::Mutex::new(left) }, None);
        assert!(gaps.iter().any(|gap| &*gap.what == "runtime/**"), "after {left}: {gaps:?}");
    }
}

#[test]
fn round_trips_are_few() {
    let check = |case: &str, expected: usize| {
        let machine = Dying { machine: recorded(case), left: std::sync::Mutex::new(99) };
        observed(&machine, None);
        assert_eq!(99 - *machine.left.lock().unwrap(), expected, "{case}");
    };
    check("debian", 3);
    check("nvm", 2);
    check("alpine", 2);
}

#[test]
fn the_project_decides_what_managers_start() {
    let check = |project: &str, name: &str, expected: Option<&str>| {
        let (resources, _) = observed(&recorded("pyenv-rustup"), Some(project));
        let found = resources.iter().find(|r| r.key.after(1) == name).unwrap();
        let version = found.attributes.get("version").and_then(|v| v.as_text());
        assert_eq!(version, expected, "{project}");
    };
    check("/srv/none", "python", Some("3.11.7"));
    check("/srv/old/sub", "python", Some("3.9.18"));
    check("/srv/missing", "python", None);
    check("/srv/system", "python", Some("3.12.4"));
    check("/srv/ancient", "python", Some("2.7.18"));
    check("/srv/none", "rustc", Some("1.95.0"));
    check("/srv/old", "rustc", Some("1.80.1"));
    check("/srv/nightly", "rustc", Some("1.97.0-nightly"));
    check("/srv/missing", "cargo", None);
}

#[test]
fn yarn_starts_the_one_that_the_project_keeps() {
    let check = |project: &str, expected: Option<&str>| {
        let (resources, _) = observed(&recorded("npm-installed"), Some(project));
        let yarn = resources.iter().find(|r| r.key.after(1) == "yarn").unwrap();
        assert_eq!(yarn.attributes.get("version").and_then(|v| v.as_text()), expected, "{project}");
    };
    check("/srv/none", Some("4.1.0"));
    check("/srv/berry/packages/a", Some("3.6.4"));
    check("/srv/odd", None);
}
