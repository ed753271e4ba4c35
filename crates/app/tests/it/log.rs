//! `parallax log` as people run it: the real binary on a store that was recorded through the library.

use std::path::Path;
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use parallax_model::{Fingerprint, Key, Resource, Snapshot, SnapshotHeader, Value};
use parallax_store::{Query, Store};

use crate::support::Ran;

/// What must reach no terminal: escapes, a bell, a change of direction, a line of its own.
const HOSTILE: &str = "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{202e}gpj\r\nPARITY_CHECK_PASSED";

fn parallax(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.current_dir(folder).env_clear().env("HOME", folder).env("TZ", "UTC").stdin(Stdio::null());
    Ran::of(command.args(arguments).envs(variables.iter().copied()).output().unwrap())
}

fn place(folder: &Path) -> String {
    folder.join(".parallax/store.db").display().to_string()
}

/// Records `hours` ago.
fn record(folder: &Path, environment: &str, hours: i64, resources: Vec<Resource>) {
    let header = SnapshotHeader {
        environment: environment.into(),
        captured_at: Timestamp::now() - SignedDuration::from_hours(hours),
        tool: "test".into(),
        key_id: None,
        sources: Vec::new(),
        gaps: Vec::new(),
    };
    Store::open(&place(folder)).unwrap().record(environment, &Snapshot::new(header, resources)).unwrap();
}

fn variable(name: &str, value: impl Into<Value>) -> Resource {
    Resource::new(Key::of(["env", name]), "env").with("value", value)
}

fn node(version: &str) -> Resource {
    Resource::new(Key::of(["runtime", "node"]), "runtime").with("version", version)
}

#[test]
fn a_timeline_from_nothing_to_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(
        folder.join("parallax.yaml"),
        "version: 1\nenvironments:\n  staging: {sources: [{host: local}]}\n",
    )
    .unwrap();
    let run = |arguments: &[&str]| parallax(folder, arguments, &[]);
    run(&["log"]).exits(0).says(&["staging   never recorded: parallax capture staging"]);
    run(&["log", "staging"])
        .exits(2)
        .says(&["`staging` was never recorded", "hint: record it now: parallax capture staging"]);
    run(&["log", "production"]).exits(2).says(&["no environment `production` is recorded"]);
    assert!(!Path::new(&place(folder)).exists(), "reading makes no store");

    record(folder, "staging", 50, vec![node("18.19.0"), variable("A", "1")]);
    run(&["log", "staging"]).exits(0).says(&["recorded once, 2 days ago; nothing to compare with yet"]);
    record(folder, "staging", 26, vec![node("18.19.0"), variable("A", "1")]);
    run(&["log", "staging"]).exits(0).says(&["no change in 2 recordings since "]);
    record(folder, "staging", 2, vec![node("18.20.1"), variable("A", "1"), variable("B", "2")]);
    let ran = run(&["log", "staging"]).exits(0).says(&[
        "2 changes in 3 recordings",
        "~ runtime/node#version  18.19.0 → 18.20.1",
        "+ env/B",
        "recorded",
        "now╵",
    ]);
    assert!(!ran.stdout.contains('\u{1b}'), "no colours where nobody looks: {}", ran.stdout);
    run(&["log", "staging", "node", "--since", "3h"])
        .exits(0)
        .says(&["1 change of runtime/node in 1 recording"]);
    run(&["log", "staging", "node#version", "--until", "1d"])
        .exits(0)
        .says(&["1 change of runtime/node#version"]);
    run(&["log", "staging", "node", "--since", "1h"]).exits(0).says(&["not recorded since", "is not known"]);
    run(&["log", "staging", "-n", "1"]).exits(0).says(&["… 1 more: --limit 0"]);
    run(&["log", "staging", "nod"]).exits(2).says(&["no key `nod`", "did you mean `runtime/node`?"]);
    run(&["log", "stagign"]).exits(2).says(&["did you mean `staging`?"]);
    run(&["log", "staging@2h"]).exits(2).says(&["parallax log staging --until 2h"]);
    run(&["log", "staging", "--since", "whenever"]).exits(2).says(&["`whenever` is not a point in time"]);
    run(&["log", "staging", "--since", "1h", "--until", "2h"]).exits(2).says(&["is later than"]);
    run(&["log"]).exits(0).says(&["staging   3 recordings since", "env/B 2 and 1 more"]);
}

#[test]
fn colours_locales_and_zones() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    record(folder, "staging", 50, vec![variable("A", "1")]);
    record(folder, "staging", 2, vec![variable("A", "2")]);
    let log = |variables: &[(&str, &str)], more: &[&str]| {
        parallax(folder, &[&["log", "staging"], more].concat(), variables).exits(0).stdout
    };
    assert!(log(&[], &["--color", "always"]).contains("\u{1b}["));
    let ascii = log(&[("LC_ALL", "C")], &[]);
    assert!(ascii.is_ascii() && ascii.contains("1 -> 2"), "{ascii}");
    assert!(log(&[("LANG", "de_DE.ISO-8859-1")], &[]).is_ascii());
    assert!(log(&[("LANG", "de_DE.UTF-8")], &[]).contains("1 → 2"));
    assert!(log(&[("TZ", "XYZ-5:30")], &[]).contains("UTC+05:30"));
    let json = log(&[("TZ", "XYZ-5:30")], &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["schema"], &json["recordings"]), (&"parallax.log/1".into(), &2.into()));
    assert_eq!((&json["changes"][0]["left"], &json["changes"][0]["right"]), (&"1".into(), &"2".into()));
    assert!(json["changes"][0]["not_after"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn nothing_observed_acts_on_a_terminal_and_no_secret_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let secret = |mac: &str| {
        Value::Secret(Fingerprint::Keyed { key_id: "00c0ffee".into(), mac: mac.repeat(32).into() })
    };
    let name = "env\u{202e}\u{200b}";
    let strange =
        |value: &str| Resource::new(Key::of(["document", name, HOSTILE]), HOSTILE).with(HOSTILE, value);
    record(folder, "staging", 50, vec![strange("1"), variable("TOKEN", secret("a"))]);
    record(
        folder,
        "staging",
        2,
        vec![strange(HOSTILE), variable("TOKEN", secret("b")), variable("X", HOSTILE)],
    );
    record(folder, HOSTILE, 2, vec![]);
    let store = Store::open(&place(folder)).unwrap();
    let said = serde_json::json!({"who": HOSTILE, "how": {"method": HOSTILE}}).to_string();
    for change in store.changes(&Query::of("staging")).unwrap() {
        store.add_evidence("staging", &change, &said, None).unwrap();
        store.add_evidence("staging", &change, HOSTILE, None).unwrap();
    }
    for arguments in [
        &["log"][..],
        &["log", "staging"],
        &["log", "staging", "--verbose"],
        &["log", "staging", "--quiet"],
        &["log", "staging", "**"],
        &["log", HOSTILE],
        &["log", "staging", HOSTILE],
        &["log", HOSTILE, "x", "--since", HOSTILE],
        &["log", "staging", "--format", "json"],
    ] {
        let ran = parallax(folder, arguments, &[]);
        let all = ran.stdout + &ran.stderr;
        assert!(!all.contains(['\u{1b}', '\u{7}', '\r']), "{arguments:?}: {all:?}");
        assert!(!all.lines().any(|line| line.starts_with("PARITY")), "{arguments:?}: {all}");
        if !arguments.contains(&"json") {
            assert!(!all.contains(['\u{202e}', '\u{200b}']), "{arguments:?}: {all:?}");
            assert!(!all.contains("bbbbbbbb"), "{arguments:?}: {all}");
        }
    }
    parallax(folder, &["log", "staging", "TOKEN"], &[])
        .exits(0)
        .says(&["~ env/TOKEN#value  a secret changed"]);
}

#[test]
fn without_a_home_nothing_leads_to_what_fails() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in
        [&["log"][..], &["log", "local"], &["log", "x"], &["store", "stats"], &["store", "verify"]]
    {
        let ran = parallax(folder.path(), arguments, &[("HOME", "/nonexistent")]).exits(2);
        ran.says(&[
            "there is no place for a store: the account has no home",
            "hint: name one with --store FILE",
        ]);
    }
}

#[test]
fn local_goes_on_in_the_store_that_it_is_copied_to() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| parallax(folder.path(), arguments, &[]);
    assert!(run(&["capture"]).stdout.contains("first recording"));
    run(&["store", "copy", "copy.db"]).exits(0).says(&["all is whole"]);
    run(&["log", "local", "--store", "copy.db"]).exits(0).says(&["recorded once"]);
    run(&["store", "copy", "copy.db"]).exits(0);
    assert!(run(&["capture"]).stdout.contains("since"));
    run(&["store", "copy", "copy.db"]).exits(0);
    run(&["log", "local", "--store", "copy.db"]).exits(0).says(&["2 recordings"]);
}
