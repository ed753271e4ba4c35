//! The main job: a laptop and staging, told apart or found equal, over a real ssh.

use crate::support::{Staging, World};

#[test]
fn equal_sides_pass() {
    let world = World::new(Staging::same());
    let ran = world.parallax(&["check", "staging"]).exits(0).says(&[
        "✓",
        "node 18.19.0",
        "kernel",
        "x86_64",
        "package-lock.json",
    ]);
    assert_eq!(ran.last_line(), "PARITY_CHECK_PASSED", "{}", ran.stdout);
    assert!(!ran.stdout.contains('✗'), "{}", ran.stdout);
}

#[test]
fn drift_is_found_and_named() {
    let world = World::new(Staging::drifted());
    let ran = world.parallax(&["check", "staging"]).exits(1).says(&[
        "node 18.19.0 here, 18.20.1 in staging",
        "runtime_mismatch",
        "laptop/bin/node here",
        "staging/node/node in staging",
        "env_drift",
        "/opt/staging/lib",
        "lockfile_outdated",
        "undici 5.26.4 → 5.28.4",
    ]);
    assert!(ran.last_line().starts_with("PARITY_FAIL"), "{}", ran.stdout);
}

#[test]
fn the_log_of_a_pipeline_can_be_searched() {
    let world = World::new(Staging::drifted());
    let ran = world.parallax(&["check", "staging", "--mode", "ci"]).exits(1);
    for code in ["runtime_mismatch", "env_drift", "lockfile_outdated"] {
        let line = ran.stdout.lines().find(|l| l.contains(&format!("[ERROR] {code}: "))).expect(&ran.stdout);
        let (time, _) = line.split_once(' ').unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{line}");
    }
    assert!(ran.last_line().starts_with("PARITY_FAIL"));
}

#[test]
fn scripts_get_one_object() {
    let world = World::new(Staging::drifted());
    let ran = world.parallax(&["check", "staging", "--format", "json"]).exits(1);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["schema"], "parallax.report/1");
    assert_eq!(report["verdict"], "fail");
    let list = report["divergences"].as_array().unwrap();
    let node = list.iter().find(|d| d["key"] == "runtime/node" && d["attribute"] == "version").unwrap();
    assert_eq!((&node["left"], &node["right"]), (&"18.19.0".into(), &"18.20.1".into()));
    assert_eq!(
        (&node["code"], &node["verdict"], &node["change"]),
        (&"runtime_mismatch".into(), &"violation".into(), &"changed".into())
    );
    assert_eq!(node["id"].as_str().unwrap().len(), 8);
    let counted = list.iter().filter(|d| d["verdict"] == "violation" && d["part_of"].is_null()).count();
    assert_eq!(report["summary"]["violations"], counted);
}

#[test]
fn the_same_drift_keeps_its_id() {
    let world = World::new(Staging::drifted());
    let ids = || {
        let ran = world.parallax(&["check", "staging", "--format", "json"]).exits(1);
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let list = report["divergences"].as_array().unwrap();
        list.iter()
            .map(|d| (d["key"].to_string(), d["attribute"].to_string(), d["id"].to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(), ids());
}

#[test]
fn boundaries_allow_and_the_last_one_decides() {
    let world = World::new(Staging::drifted());
    world.write_config(
        "boundaries:\n  - {select: '**', may: differ, because: we are experimenting}\n  - {select: 'runtime/node#version', must: equal, because: prod runs it}\n",
    );
    let ran = world.parallax(&["check", "staging"]).exits(1).says(&["prod runs it", "parallax.yaml:6"]);
    assert_eq!(ran.stdout.matches('✗').count(), 1, "{}", ran.stdout);
    world.parallax(&["check", "staging", "--ignore", "runtime/node"]).exits(0);
    world.parallax(&["check", "staging", "--only", "env/*"]).exits(0);
}

#[test]
fn a_snapshot_stands_for_its_environment() {
    let world = World::new(Staging::drifted());
    world.parallax(&["capture", "staging", "-o", "staging.snapshot"]).exits(0).says(&["complete"]);
    let live = world.parallax(&["check", "staging"]).exits(1);
    let kept = world.parallax(&["check", "staging.snapshot"]).exits(1);
    let marks = |text: &str| text.lines().filter(|l| l.contains('✗')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(marks(&live.stdout), marks(&kept.stdout));
    // Reading it back and writing it again gives the same hash.
    let again = world.parallax(&["capture", "staging.snapshot", "-o", "-"]).exits(0);
    assert_eq!(again.stdout, std::fs::read_to_string(world.shop().join("staging.snapshot")).unwrap());
}

#[test]
fn an_environment_compared_with_itself_has_parity() {
    let world = World::new(Staging::same());
    // What this very machine can't see of itself, such as control groups in a chroot, is no matter of this test.
    world
        .parallax(&["check", "local", "local", "--strict", "--ignore", "host/cgroup"])
        .exits(0)
        .says(&["PARITY_CHECK_PASSED"]);
    world.parallax(&["diff", "staging", "staging"]).exits(0).says(&["no difference"]);
}
