//! Environments at points of their timelines: recorded by `capture` and `check`, named as `ENV@POINT`, compared.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use parallax_model::{Fingerprint, Key, Resource, Snapshot, SnapshotHeader, Value};
use parallax_store::{Entry, Store};

use crate::support::{Ran, Staging, World};

/// 32 bytes, as `PARALLAX_KEY` holds them.
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn store_file(world: &World) -> PathBuf {
    world.shop().join(".parallax/store.db")
}

fn store(world: &World) -> Store {
    std::fs::create_dir_all(world.shop().join(".parallax")).unwrap();
    Store::open(&store_file(world).display().to_string()).unwrap()
}

fn entries(world: &World, environment: &str) -> Vec<Entry> {
    store(world).entries(environment, Timestamp::MIN, Timestamp::MAX).unwrap()
}

/// What the binary captures of an environment, as a snapshot.
fn captured(world: &World, environment: &str, variables: &[(&str, &str)]) -> Snapshot {
    let ran = world.parallax_with(&["capture", environment, "-o", "-"], variables).exits(0);
    Snapshot::read(ran.stdout.as_bytes()).unwrap()
}

/// The first digits of a hash.
fn first(hash: &str, digits: usize) -> &str {
    hash.get(..digits).unwrap()
}

fn hours_ago(hours: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(hours)
}

/// A snapshot as it would have been so many hours ago, with some attributes otherwise.
fn back(snapshot: &Snapshot, hours: i64, otherwise: &[(&str, &str, &str)]) -> Snapshot {
    let header = SnapshotHeader { captured_at: hours_ago(hours), ..snapshot.header().clone() };
    let mut resources = snapshot.resources().to_vec();
    for (key, path, value) in otherwise {
        let key = Key::parse(key).unwrap();
        match resources.iter_mut().find(|resource| resource.key == key) {
            Some(resource) => resource.attributes.set(*path, *value),
            None => {
                let kind = key.root().to_owned();
                resources.push(Resource::new(key, kind).with(path, *value));
            }
        }
    }
    Snapshot::new(header, resources)
}

/// Runs and gives everything that is said, steady: times that depend on the clock are replaced.
fn told(world: &World, arguments: &[&str]) -> String {
    let ran = world.parallax(arguments);
    let mut text = format!("$ parallax {}\n{}{}", arguments.join(" "), ran.stdout, ran.stderr);
    let recorded = if store_file(world).exists() { entries(world, "staging") } else { Vec::new() };
    for entry in recorded {
        let at = entry.captured_at.strftime("%Y-%m-%d %H:%M").to_string();
        text = text.replace(&at, "<time>");
    }
    let text = text.replace(&world.folder.path().display().to_string(), "<world>");
    // The sides' lines count what this machine has, as does the line that counts what is equal.
    let steady = |line: &str| match line.split_once(" attributes equal") {
        Some((_, rest)) => format!("            <n> attributes equal{rest}\n"),
        None => format!("{}\n", without_counts(line)),
    };
    // Nor is what a machine doesn't let anybody see: a container has control groups of its own.
    let own_gap = |line: &&str| !line.starts_with("  gap: host/cgroup");
    let text = text.replace("host         partial", "host         complete");
    let shown: String = text.lines().filter(own_gap).map(steady).map(|line| without_seconds(&line)).collect();
    format!("{shown}[exit {}]\n\n", ran.code.unwrap())
}

/// How many seconds a test took so far is nothing to compare, nor is what the clock says.
fn without_seconds(line: &str) -> String {
    if line.starts_with("hint: it is ") {
        return "hint: it is <time> now\n".to_owned();
    }
    match line.split_once(" s ago") {
        Some((before, rest)) => format!("{}<n> s ago{rest}", before.trim_end_matches(char::is_numeric)),
        None => line.to_owned(),
    }
}

fn without_counts(line: &str) -> String {
    let is_count = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let Some((before, after)) = line.split_once(" resources") else { return line.to_owned() };
    let (place, count) = before.rsplit_once(' ').unwrap_or(("", before));
    if !is_count(count) {
        return line.to_owned();
    }
    let after =
        after.split_once(" gap").map_or(after, |(before, _)| before.trim_end_matches(char::is_numeric));
    let after = after.split_whitespace().filter(|word| word.len() != 12).collect::<Vec<_>>().join(" ");
    format!("{} <n> resources {after}", place.split_whitespace().collect::<Vec<_>>().join(" "))
        .trim_end()
        .to_owned()
}

#[test]
fn an_environment_is_compared_with_what_it_was() {
    let world = World::new(Staging::same().with("MODE", "fast"));
    let now = captured(&world, "staging", &[]);
    let store = store(&world);
    let library = ("env/LD_LIBRARY_PATH", "value", "/opt/old:/usr/lib/x");
    store.record("staging", &back(&now, 75, &[("runtime/node", "version", "18.17.1"), library])).unwrap();
    let yesterday = back(&now, 30, &[("env/MODE", "value", "slow")]);
    store.record("staging", &yesterday).unwrap();
    let recorded = store.record("staging", &back(&now, 2, &[])).unwrap();
    store.mark_good(&recorded.entry, recorded.entry.captured_at).unwrap();
    let mut all = String::new();
    for arguments in [
        &["diff", "staging@3d", "staging@1h"][..],
        &["diff", "staging@1d", "staging"],
        &["diff", "staging@2h", "staging"],
        &["check", "staging@3d", "--only", "runtime/node", "--only", "env/LD_LIBRARY_PATH"],
        &["check", "staging@1h", "staging", "--quiet"],
        &["diff", "staging@good", "staging@1d", "--format", "text"],
        &["capture", "staging"],
    ] {
        all.push_str(&told(&world, arguments));
    }
    insta::assert_snapshot!(all);
    // By content, by time of the zone and by absolute time, all the same entry.
    let hash = yesterday.hash().to_string();
    let at = (yesterday.header().captured_at + SignedDuration::from_secs(1)).to_string();
    for point in [first(&hash, 8), first(&hash.to_uppercase(), 20), &at, "29h"] {
        let ran = world.parallax(&["diff", &format!("staging@{point}"), "staging", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&ran.exits(0).stdout).unwrap();
        assert_eq!(report["left"]["snapshot"], hash, "{point}");
        assert_eq!((&report["left"]["live"], &report["right"]["live"]), (&false.into(), &true.into()));
        assert_eq!(report["left"]["captured_at"], yesterday.header().captured_at.to_string());
    }
}

#[test]
fn a_point_that_names_nothing_is_answered() {
    let world = World::new(Staging::same());
    let mut all = told(&world, &["diff", "staging@2h", "staging"]);
    assert!(!world.shop().join(".parallax").exists(), "looking makes nothing");
    let now = captured(&world, "staging", &[]);
    let store = store(&world);
    store.record("staging", &back(&now, 50, &[("env/A", "value", "1")])).unwrap();
    store.record("gone", &back(&now, 50, &[])).unwrap();
    store.record("ssh://ann@web/srv/shop", &back(&now, 50, &[])).unwrap();
    for arguments in [
        &["diff", "staging@1w", "staging"][..],
        &["diff", "staging@good", "staging"],
        &["diff", "staging@beef0", "staging"],
        &["diff", "staging@2x", "staging"],
        &["diff", "staging@", "staging"],
        &["diff", "staging@declared", "staging"],
        &["diff", "staging@2999-01-01", "staging"],
        &["diff", "stagign@2h", "staging"],
        &["diff", "nowhere@2h", "staging"],
        &["diff", "me@host", "staging"],
        &["diff", "ssh://ann@web@2h", "staging"],
        &["diff", "ssh://ann@web/srv/shop@2x", "staging"],
        &["capture", "staging@2h"],
        &["capture", "package-lock.json"],
    ] {
        let text = told(&world, arguments);
        assert!(text.contains("[exit 2]"), "{text}");
        all.push_str(&text);
    }
    // The digits of hashes are what they are; here they only say that these are there.
    let hash = entries(&world, "staging")[0].snapshot.unwrap().to_string();
    insta::assert_snapshot!(all.replace(first(&hash, 12), "<hash>"));
    // What was recorded needs no configuration any more.
    world.parallax(&["diff", "gone@2h", "staging@2h"]).exits(0).says(&["A is set in staging, not in gone"]);
    world.parallax(&["diff", "ssh://ann@web/srv/shop@2h", "gone@1d"]).exits(0).says(&["no difference"]);
}

#[test]
fn one_beginning_of_two_hashes_is_refused() {
    let world = World::new(Staging::same());
    let now = captured(&world, "staging", &[]);
    let store = store(&world);
    // Among so many, two begin with the same 4 digits.
    let mut met = std::collections::BTreeMap::new();
    let shared = (0..2000).find_map(|n: i32| {
        let snapshot = back(&now, 5, &[("env/N", "value", &n.to_string())]);
        let hash = snapshot.hash().to_string();
        let other = met.insert(first(&hash, 4).to_owned(), snapshot.clone())?;
        store.record("staging", &other).unwrap();
        store.record("staging", &snapshot).unwrap();
        Some((hash, other.hash().to_string()))
    });
    let (one, other) = shared.expect("a birthday");
    let point = format!("staging@{}", first(&one, 4));
    world.parallax(&["diff", &point, "staging"]).exits(2).says(&[
        "2 snapshots of `staging` begin with",
        first(&one, 12),
        first(&other, 12),
    ]);
    // The same content twice is one.
    store.record("staging", &back(&store.read(&entries(&world, "staging")[0]).unwrap(), 1, &[])).unwrap();
    world.parallax(&["diff", &format!("staging@{one}"), "staging"]).exits(0);
}

/// The same with a secret, of which only the presence is known, where no variables are.
fn with_secret(snapshot: &Snapshot) -> Snapshot {
    let secret = Value::Secret(Fingerprint::Present);
    let resource = Resource::new(Key::parse("host/vault").unwrap(), "host").with("token", secret);
    let resources = snapshot.resources().iter().cloned().chain([resource]).collect();
    Snapshot::new(snapshot.header().clone(), resources)
}

#[test]
fn what_differs_alone_gives_the_report_of_the_wholes() {
    let world = World::new(Staging::drifted().with("API_TOKEN", "c4n4ry").with("MODE", "fast"));
    for variables in [&[("PARALLAX_KEY", KEY)][..], &[]] {
        drop(std::fs::remove_file(store_file(&world)));
        let [mut here, mut there] = ["local", "staging"].map(|name| captured(&world, name, variables));
        if variables.is_empty() {
            [here, there] = [here, there].map(|side| with_secret(&side));
        }
        let store = store(&world);
        store.record("local", &back(&here, 9, &[("runtime/node", "version", "18.17.1")])).unwrap();
        store.record("local", &here).unwrap();
        store.record("staging", &back(&there, 9, &[("env/MODE", "value", "slow")])).unwrap();
        store.record("staging", &there).unwrap();
        for (left, right) in
            [("local@5h", "staging@5h"), ("local@0s", "staging@5h"), ("staging@5h", "staging@0s")]
        {
            let report = |more: &[&str]| -> serde_json::Value {
                let arguments = [&["diff", left, right, "--format", "json"], more].concat();
                let mut report: serde_json::Value =
                    serde_json::from_str(&world.parallax_with(&arguments, variables).exits(0).stdout)
                        .unwrap();
                // How long ago the entry was captured depends on when this is asked.
                report["left"]["place"].take();
                report["right"]["place"].take();
                report
            };
            // A selector makes both sides be read whole.
            let (differing, whole) = (report(&[]), report(&["--only", "**"]));
            assert_eq!(differing, whole);
            assert!(whole["summary"]["equal"].as_u64().unwrap() > 50, "{whole}");
            assert!(!whole["divergences"].as_array().unwrap().is_empty(), "{whole}");
        }
    }
}

#[test]
fn a_check_records_and_a_whole_pass_is_good() {
    let world = World::new(Staging::same());
    let count = || ["local", "staging"].map(|name| entries(&world, name).len());
    let good = || ["local", "staging"].map(|name| store(&world).last_good(name).unwrap().is_some());
    // Looking is not recording.
    world.parallax(&["diff", "staging"]).exits(0);
    world.parallax(&["check", "staging", "--no-record"]).exits(0);
    world.parallax(&["capture", "staging", "--format", "json"]).exits(0);
    assert!(!world.shop().join(".parallax").exists());
    // A partial pass is no all-clear.
    world.parallax(&["check", "staging", "--only", "runtime/node"]).exits(0);
    world.parallax(&["check", "staging", "--ignore", "env/X"]).exits(0);
    assert_eq!((count(), good()), ([2, 2], [false, false]));
    let ignored = std::fs::read_to_string(world.shop().join(".parallax/.gitignore")).unwrap();
    assert!(ignored.contains("!decisions.yaml") && !world.shop().join(".parallax/key").exists());
    // The side with a project would seem to lose it.
    let ran = world.parallax(&["check", "ssh://staging", "--verbose"]).exits(0);
    assert!(ran.stderr.contains("local was not recorded"), "{}", ran.stderr);
    assert_eq!((count(), entries(&world, "ssh://staging").len(), good()), ([2, 2], 1, [false, false]));
    // A failure is recorded, and is not good.
    std::fs::write(world.shop().join("package-lock.json"), crate::support::lockfile("5.0.0")).unwrap();
    world.parallax(&["check", "staging"]).exits(1);
    assert_eq!((count(), good()), ([3, 3], [false, false]));
    std::fs::write(world.shop().join("package-lock.json"), crate::support::lockfile("5.26.4")).unwrap();
    let ran = world.parallax(&["check", "staging"]).exits(0);
    assert_eq!((ran.stderr.as_str(), count(), good()), ("", [4, 4], [true, true]));
    world.parallax(&["check", "local@good", "staging@good"]).exits(0).says(&["recorded "]);
}

#[test]
fn a_recording_that_passes_is_good() {
    let world = World::new(Staging::same());
    let now = captured(&world, "staging", &[]);
    store(&world).record("staging", &back(&now, 5, &[])).unwrap();
    world.parallax(&["check", "staging@1h"]).exits(0);
    let entries = entries(&world, "staging");
    assert!(matches!(entries.as_slice(), [entry] if entry.good.is_some()), "{entries:?}");
}

#[test]
fn capture_says_what_changed_since() {
    let mut world = World::new(Staging::same());
    let since =
        |ran: &Ran| ran.stdout.lines().last().unwrap().replace(char::is_numeric, "").trim().to_owned();
    let first = world.parallax(&["capture", "staging", "local"]).exits(0);
    assert_eq!(first.stdout.matches("first recording").count(), 2, "{}", first.stdout);
    assert_eq!(since(&world.parallax(&["capture", "staging"]).exits(0)), "unchanged since  s ago");
    let home = world.folder.path().join("staging/home").display().to_string();
    let path = format!("{}/staging/node:/usr/bin:/bin", world.folder.path().display());
    world.restart_sshd(&[("MODE", "slow"), ("HOME", &home), ("PATH", &path), ("LANG", "C.UTF-8")]);
    let ran = world.parallax(&["capture", "staging"]).exits(0);
    assert_eq!(since(&ran), "changes since  s ago: parallax log staging");
    // Nobody there: nothing is recorded of it, and the other is.
    world.sshd.stop();
    let ran = world.parallax(&["capture", "staging", "local"]).exits(3).says(&["error: `staging`"]);
    assert_eq!(since(&ran), "unchanged since  s ago");
    assert_eq!(["local", "staging"].map(|name| entries(&world, name).len()), [2, 3]);
    world.parallax(&["check", "staging"]).exits(3);
    assert_eq!(["local", "staging"].map(|name| entries(&world, name).len()), [3, 3]);
    // What it was is still there to be compared with.
    world.parallax(&["check", "staging@0s", "--only", "runtime/node"]).exits(0);
}

#[test]
fn a_key_that_is_new_changes_no_secret() {
    let world = World::new(Staging::same().with("API_TOKEN", "c4n4ry"));
    world.parallax(&["capture", "staging"]).exits(0).says(&["first recording"]);
    let keyed = |key: &str| world.parallax_with(&["capture", "staging"], &[("PARALLAX_KEY", key)]).exits(0);
    keyed(KEY).says(&["no change seen since"]);
    keyed(KEY).says(&["unchanged since"]);
    keyed(&KEY.replace('0', "9")).says(&["no change seen since"]);
}

#[test]
fn a_snapshot_file_is_recorded_as_of_its_time() {
    let world = World::new(Staging::same());
    let now = captured(&world, "staging", &[]);
    let mut bytes = Vec::new();
    back(&now, 30, &[]).write(&mut bytes).unwrap();
    std::fs::write(world.shop().join("kept.snapshot"), bytes).unwrap();
    let config = "version: 1\nenvironments: {kept: {sources: [{snapshot: kept.snapshot}]}}\n";
    std::fs::write(world.shop().join("parallax.yaml"), config).unwrap();
    world.parallax(&["check", "kept"]);
    assert!(entries(&world, "kept").is_empty(), "a check records what it observed, not what it read");
    world.parallax(&["capture", "kept"]).exits(0).says(&["first recording"]);
    world.parallax(&["capture", "kept"]).exits(0).says(&["recorded before"]);
    world.parallax(&["diff", "kept@1d", "kept"]).exits(0).says(&["no difference", "30 h ago"]);
    assert_eq!(entries(&world, "kept").len(), 1);
}

#[test]
fn a_host_is_recorded_under_its_address() {
    let world = World::new(Staging::same());
    let address = format!("ssh://staging{}", world.staging_shop().display());
    world.parallax(&["capture", &address]).exits(0).says(&["first recording"]);
    let account =
        String::from_utf8(std::process::Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let with_account = format!("ssh://{}@staging", account.trim());
    world.parallax(&["capture", &with_account, "ssh://staging"]).exits(0);
    for at in [address, with_account, "ssh://staging".to_owned()] {
        assert_eq!(entries(&world, &at).len(), 1, "{at}");
        world.parallax(&["diff", &format!("{at}@0s"), &at]).exits(0).says(&["recorded ", "no difference"]);
    }
}

#[test]
fn outside_of_a_project_each_folder_has_its_own_local() {
    let world = World::new(Staging::same());
    let [one, other] = ["laptop/one", "laptop/other"].map(|name| world.folder.path().join(name));
    let run = |folder: &PathBuf, arguments: &[&str]| {
        std::fs::create_dir_all(folder.join(".git")).unwrap();
        Ran::of(world.command().current_dir(folder).args(arguments).output().unwrap())
    };
    run(&one, &["capture"]).exits(0).says(&["first recording"]);
    run(&other, &["capture"]).exits(0).says(&["first recording"]);
    run(&one, &["diff", "local@0s", "local"]).exits(0).says(&["no difference"]);
    assert!(world.folder.path().join("laptop/home/.local/state/parallax/store.db").is_file());
    assert!(!one.join(".parallax").exists());
}

#[test]
fn the_store_is_where_it_is_named() {
    let world = World::new(Staging::same());
    world.write_config("store: ../kept/timelines.db\n");
    let named = world.folder.path().join("laptop/kept/timelines.db");
    world.parallax(&["check", "staging"]).exits(0);
    assert!(named.is_file() && !world.shop().join(".parallax").exists());
    let variable = [("PARALLAX_STORE", "variable.db")];
    world.parallax_with(&["capture", "--store", "flag.db"], &variable).exits(0).says(&["first recording"]);
    world.parallax_with(&["capture"], &variable).exits(0).says(&["first recording"]);
    world.parallax(&["capture"]).exits(0).says(&["unchanged since"]);
    assert!(["flag.db", "variable.db"].iter().all(|name| world.shop().join(name).is_file()));
}

/// What can't be recorded is told, and leaves verdict and exit code as they are.
#[track_caller]
fn check_unrecorded(world: &World, more: &[&str], expected: &[&str]) {
    let arguments = [&["check", "staging"], more].concat();
    let ran = world.parallax(&arguments).exits(0).says(&["PARITY_CHECK_PASSED"]);
    assert!(ran.stderr.starts_with("warning: this run was not recorded: "), "{}", ran.stderr);
    ran.says(expected);
    let arguments = [&["capture"], more].concat();
    world.parallax(&arguments).exits(2).says(&["error: "]).says(expected);
}

#[test]
fn what_can_not_be_recorded_changes_no_verdict() {
    let world = World::new(Staging::same());
    let other = world.shop().join("other.db");
    std::fs::write(&other, "this is somebody's diary\n".repeat(100)).unwrap();
    check_unrecorded(&world, &["--store", "other.db"], &["other.db", "not a store"]);
    assert!(std::fs::read_to_string(&other).unwrap().starts_with("this is somebody's diary"));
    check_unrecorded(&world, &["--store", "/proc/nothing/store.db"], &["/proc/nothing/store.db"]);
    check_unrecorded(&world, &["--store", "unknown://me:c4n4ry@db/x"], &["unknown"]);
    let ran = world.parallax(&["check", "staging", "--store", "unknown://me:c4n4ry@db/x"]);
    assert!(!ran.stderr.contains("c4n4ry"), "{}", ran.stderr);
    world.parallax(&["capture", "--store", "cut.db"]).exits(0);
    let cut = std::fs::read(world.shop().join("cut.db")).unwrap();
    std::fs::write(world.shop().join("cut.db"), cut.get(..20_000).unwrap()).unwrap();
    check_unrecorded(&world, &["--store", "cut.db"], &["cut.db", "the store is damaged"]);
    std::fs::write(world.shop().join(".parallax"), "a file in place of the folder").unwrap();
    // The key would be in that folder; without one to look for, the folder is what fails.
    let ran = world.parallax_with(&["check", "staging"], &[("PARALLAX_KEY", KEY)]).exits(0);
    assert!(
        ran.stderr.starts_with("warning: this run was not recorded: cannot make the folder"),
        "{}",
        ran.stderr
    );
}

#[test]
fn without_a_home_there_is_nowhere_to_record_and_that_is_no_failure() {
    let world = World::new(Staging::same());
    let folder = world.folder.path().join("laptop/bare");
    std::fs::create_dir_all(folder.join(".git")).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = world.command();
        Ran::of(command.current_dir(&folder).env("HOME", "/nonexistent").args(arguments).output().unwrap())
    };
    assert_eq!(run(&["check", "local", "--ignore", "host/cgroup"]).exits(0).stderr, "");
    run(&["check", "local", "--verbose", "--ignore", "host/cgroup"])
        .exits(0)
        .says(&["note: nothing was recorded"]);
    run(&["capture", "local"]).exits(2).says(&["no place for a store", "--store FILE"]);
    run(&["diff", "local@2h", "local"]).exits(2).says(&["nothing of `local` is recorded"]);
}

#[test]
fn what_equals_itself_is_not_good() {
    let world = World::new(Staging::same());
    let now = captured(&world, "staging", &[]);
    store(&world).record("staging", &back(&now, 5, &[])).unwrap();
    let told = "nothing was marked as good: both sides are of one timeline";
    world.parallax(&["check", "staging@0s", "staging@0s", "--verbose"]).exits(0).says(&[told]);
    assert!(entries(&world, "staging").iter().all(|entry| entry.good.is_none()));
}

#[test]
fn a_secret_without_a_key_is_not_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let run = |password: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.current_dir(folder.path()).env_clear().env("HOME", folder.path());
        Ran::of(command.env("DB_PASSWORD", password).args(["capture", "local"]).output().unwrap())
    };
    run("a").says(&["first recording"]);
    let ran = run("b").says(&["no change seen since"]);
    assert!(!ran.stdout.contains("unchanged"), "{}", ran.stdout);
}

#[test]
fn an_edit_of_the_configuration_changes_no_environment() {
    let folder = tempfile::tempdir().unwrap();
    let run = |names: &str, arguments: &[&str]| {
        let text = format!("version: 1\nvariables: [{names}]\n");
        std::fs::write(folder.path().join("parallax.yaml"), text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.current_dir(folder.path()).env_clear().env("HOME", folder.path());
        Ran::of(command.env("AA", "1").env("BB", "2").args(arguments).output().unwrap())
    };
    for (names, told) in
        [("AA, BB", "first"), ("AA", "no change seen since"), ("AA, BB", "no change seen since")]
    {
        run(names, &["capture", "local"]).says(&[told]);
    }
    let told = run("AA", &["log", "local", "env/*"]).exits(0).stdout;
    assert!(told.contains("no change of env/* in 3 recordings"), "{told}");
    run("AA", &["check", "local@0s", "local"]).exits(0);
}
