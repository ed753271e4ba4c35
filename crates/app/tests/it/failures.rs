//! What goes wrong costs what it must and no more, is told, and never passes.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{Staging, World};

fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A staging whose search path begins with a folder of scripts.
fn with_tools(tools: &[(&str, &str)]) -> World {
    let mut world = World::new(Staging::same());
    let bin = world.folder.path().join("staging/bin");
    std::fs::create_dir_all(&bin).unwrap();
    for (name, text) in tools {
        script(&bin.join(name), text);
    }
    let path = format!("{}:{}:/usr/bin:/bin", bin.display(), crate::support::node_bin("18190").display());
    let home = world.folder.path().join("staging/home").display().to_string();
    let variables = [
        ("PATH", path.as_str()),
        ("HOME", &home),
        ("LANG", "C.UTF-8"),
        ("LD_LIBRARY_PATH", "/usr/local/lib/node:/usr/lib/x"),
    ];
    world.restart_sshd(&variables);
    world
}

#[test]
fn a_dead_host_is_named() {
    let mut world = World::new(Staging::same());
    world.sshd.stop();
    let ran = world.parallax(&["check", "staging"]).exits(3).says(&["error:", "staging", "hint:"]);
    assert!(ran.stderr.contains("refused") || ran.stderr.contains("connect"), "{}", ran.stderr);
    assert!(ran.last_line().starts_with("PARITY_FAIL"), "{}", ran.stdout);
    let ran = world.parallax(&["check", "staging", "--format", "json"]).exits(3);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect(&ran.stdout);
    assert_eq!((&report["verdict"], &report["right"]["gaps"][0]["what"]), (&"fail".into(), &"**".into()));
    world.parallax(&["check", "staging", "--mode", "ci"]).exits(3).says(&["[ERROR] unobserved: "]);
    world.parallax(&["capture", "staging"]).exits(3).says(&["error:"]);
}

#[test]
fn a_refused_key_is_named() {
    let world = World::new(Staging::same());
    world.sshd.refuse_client();
    world.parallax(&["check", "staging"]).exits(3).says(&["error:", "staging", "ermission denied", "hint:"]);
}

#[test]
fn a_changed_host_key_is_never_worked_around() {
    let world = World::new(Staging::same());
    world.sshd.change_known_key();
    world.parallax(&["check", "staging"]).exits(3).says(&["error:", "staging", "host key", "hint:"]);
}

#[test]
fn a_command_that_never_returns_costs_itself_only() {
    let world = with_tools(&[("node", "sleep 1000 & sleep 1000")]);
    let ran = world.parallax(&["check", "staging", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect(&ran.stdout);
    let gaps = report["right"]["gaps"].to_string();
    assert!(gaps.contains("runtime/node") && gaps.contains("no answer"), "{gaps}");
    assert!(report["right"]["resources"].as_u64().unwrap() > 20, "the rest was seen");
    // The laptop's Node.js has nothing to be compared with: neither equal nor different.
    assert_eq!(ran.code, Some(3), "{}", ran.stdout);
}

#[test]
fn endless_output_is_cut() {
    let world = with_tools(&[("ruby", "exec head -c 1000000000 /dev/zero")]);
    let ran = world.parallax(&["capture", "staging", "-o", "-"]);
    assert!(ran.stdout.len() < 2_000_000, "{}", ran.stdout.len());
    let header: serde_json::Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert!(header["gaps"].to_string().contains("runtime/ruby"), "{header}");
}

#[test]
fn invalid_utf8_is_kept_in_bounds() {
    let world = with_tools(&[("perl", "printf '\\377\\376 \\033[31m garbage\\n'")]);
    let bytes = std::ffi::OsStr::from_bytes(b"a\xff\x1b[31mb");
    let mut command = world.command();
    command.env("ODD", bytes).args(["check", "staging", "--verbose", "--color", "always"]);
    let ran = crate::support::Ran::of(command.output().unwrap());
    assert!(!ran.stdout.contains("\u{1b}[31mb"), "no escape of the variable reaches the terminal");
    assert!(!ran.stdout.contains("\u{1b}[31m garbage"), "nor of the tool: {}", ran.stdout);
    assert!(ran.stdout.contains("ODD"), "{}", ran.stdout);
}

use std::os::unix::ffi::OsStrExt;

#[test]
fn a_full_disk_is_told_and_what_was_there_stays() {
    let world = World::new(Staging::same());
    world.parallax(&["capture", "local", "-o", "/dev/full"]).exits(2).says(&[
        "error:",
        "/dev/full",
        "No space left",
    ]);
    world.parallax(&["check", "local", "-o", "missing/folder/report.txt"]).exits(2).says(&["missing/folder"]);
}

/// Runs a capture into a file that is there already, after a shell has made space scarce.
fn into_scarce_space(world: &World, wrapper: &[&str], scarce: &str) -> Option<crate::support::Ran> {
    let folder = world.shop().join("out");
    std::fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "cd out && {{ {scarce}; }} && echo before > kept.snapshot || exit 77
         cd .. && \"$0\" capture local -o out/kept.snapshot; code=$?
         cat out/kept.snapshot; echo \"files: $(ls -A out)\"; exit $code"
    );
    let mut command = world.command();
    let binary = command.get_program().to_owned();
    let mut shell: Vec<std::ffi::OsString> = wrapper.iter().map(Into::into).collect();
    shell.extend(["sh".into(), "-c".into(), script.into(), binary]);
    let path =
        command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value).unwrap().to_owned();
    let mut wrapped = std::process::Command::new(&shell[0]);
    wrapped.args(&shell[1..]).current_dir(world.shop()).env_clear().env("PATH", path);
    wrapped.envs(command.env_remove("PATH").get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = crate::support::Ran::of(wrapped.output().ok()?);
    // The wrapper itself may not be allowed here.
    ran.stdout.contains("files: ").then_some(ran)
}

#[test]
fn a_file_outlives_a_disk_that_is_full_for_its_successor() {
    let world = World::new(Staging::same());
    let kept = ["error:", "out/kept.snapshot", "what was there before still is"];
    let limited = into_scarce_space(&world, &[], "trap '' XFSZ; ulimit -f 2").unwrap().exits(2).says(&kept);
    assert_eq!(limited.stdout, "before\nfiles: kept.snapshot\n", "{}", limited.stderr);
    let mount = "mount -t tmpfs -o size=8k tmpfs . && cd ../out";
    // Root may mount; others may where namespaces are theirs to make.
    let full = [["unshare", "-m"], ["unshare", "-Urm"]];
    match full.iter().find_map(|wrapper| into_scarce_space(&world, wrapper, mount)) {
        Some(full) => {
            let full = full.exits(2).says(&kept).says(&["No space left"]);
            assert_eq!(full.stdout, "before\nfiles: kept.snapshot\n", "{}", full.stderr);
        }
        // Not through the macro, whose words nobody sees when the test passes.
        None => writeln!(std::io::stderr(), "NOT TESTED HERE: this account may not mount a file system, so that no disk was full; files were limited instead").unwrap(),
    }
}

#[test]
fn an_unreadable_lockfile_is_a_gap_and_no_pass() {
    let world = World::new(Staging::same());
    let lock = world.staging_shop().join("package-lock.json");
    std::fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink("/proc/1/mem", &lock).unwrap();
    let ran = world.parallax(&["check", "staging"]).exits(3).says(&["package-lock.json", "unobserved"]);
    assert!(ran.last_line().starts_with("PARITY_FAIL"), "{}", ran.stdout);
}

#[test]
fn a_malformed_lockfile_names_its_line() {
    let world = World::new(Staging::same());
    std::fs::write(world.staging_shop().join("package-lock.json"), "{\n \"lockfileVersion\": 3,\n oops\n")
        .unwrap();
    let ran = world.parallax(&["check", "staging", "--verbose"]).says(&["package-lock.json"]);
    assert!(!ran.stdout.contains("PASSED"), "{}", ran.stdout);
    assert!(ran.stdout.contains(":3"), "{}", ran.stdout);
}

#[test]
fn a_missing_project_folder_is_no_pass() {
    let world = World::new(Staging::same());
    std::fs::remove_dir_all(world.staging_shop()).unwrap();
    let ran = world.parallax(&["check", "staging"]).exits(3).says(&["staging/shop"]);
    assert!(ran.last_line().starts_with("PARITY_FAIL"), "{}", ran.stdout);
}

#[test]
fn wrong_words_are_answered() {
    let world = World::new(Staging::same());
    world.parallax(&["check", "stagign"]).exits(2).says(&["did you mean `staging`?"]);
    world.parallax(&["check", "/no/such/file"]).exits(2).says(&["neither an environment nor a file"]);
    world.parallax(&["check", "--only", "a//b", "staging"]).exits(2).says(&["empty segment"]);
    world.parallax(&["chekc"]).exits(2).says(&["check"]);
    world.parallax(&[]).exits(2);
    std::fs::write(world.shop().join("bad.json"), "{\"a\": \n tru}").unwrap();
    world.parallax(&["diff", "bad.json", "bad.json"]).exits(2).says(&["bad.json", ":2"]);
    std::fs::write(world.shop().join("cut.snapshot"), "{\"schema\":\"parallax.snapshot/1\",\"environment\":\"e\",\"captured_at\":\"2026-01-01T00:00:00Z\",\"resources\":4}\n").unwrap();
    world.parallax(&["check", "cut.snapshot"]).exits(2).says(&["cut.snapshot", "cut short"]);
    world.write_config("boundarys: []\n");
    world
        .parallax(&["check", "staging"])
        .exits(2)
        .says(&["parallax.yaml:5: unknown field `boundarys`", "did you mean `boundaries`?"]);
}

#[test]
fn a_mistyped_selector_opens_no_gate() {
    let world = World::new(Staging::drifted());
    world
        .parallax(&["check", "staging", "--only", "lokfile/**"])
        .exits(2)
        .says(&["selects nothing", "lockfile"]);
    world.write_config("boundaries:\n  - {select: 'enw/X', must: equal}\n");
    world
        .parallax(&["check", "staging", "--quiet"])
        .exits(1)
        .says(&["parallax.yaml:6", "`enw/X` selects nothing"]);
    world.write_config("boundaries:\n  - {select: 'env/X', must: equal, between: [local, prod]}\n");
    world.parallax(&["check", "staging"]).exits(2).says(&["parallax.yaml:6", "`prod`"]);
}

#[test]
fn what_can_not_be_compared_is_refused() {
    let world = World::new(Staging::same());
    std::fs::write(world.shop().join("a.json"), "{}").unwrap();
    world.parallax(&["diff", "a.json"]).exits(2).says(&["name two documents"]);
    world.parallax(&["diff", "-", "-"]).exits(2).says(&["one side, not both"]);
    world.parallax(&["capture", "local", "staging", "--format", "json"]).exits(2).says(&["one by one"]);
}
