//! What people see, to the letter: a report that changes is a change that somebody reads.

use crate::support::{Staging, World};

/// The parts of a report that differ from machine to machine.
fn steady(world: &World, text: &str) -> String {
    text.replace(&world.folder.path().display().to_string(), "<world>")
}

#[test]
fn the_report_of_a_drift() {
    let world = World::new(Staging::drifted().with("DATABASE_URL", "postgres://shop:hunter2hunter2@db/shop"));
    world.write_config(
        "boundaries:\n  - {select: env/DATABASE_URL, may: differ, because: each has its own database}\n",
    );
    let only =
        ["--only", "runtime/node", "--only", "pin/**", "--only", "lockfile/**", "--only", "dependency/**"];
    let more = ["--only", "env/LD_LIBRARY_PATH", "--only", "env/DATABASE_URL", "--color", "never"];
    let arguments: Vec<&str> = ["check", "staging"].into_iter().chain(only).chain(more).collect();
    let ran =
        world.parallax_with(&arguments, &[("DATABASE_URL", "postgres://dev:dev@localhost/shop")]).exits(1);
    // The first lines count what this machine has.
    let (_, report) = ran.stdout.split_once("\n\n").unwrap();
    let report: String = report.lines().filter(|l| !l.contains(" equal")).map(|l| format!("{l}\n")).collect();
    insta::assert_snapshot!(steady(&world, &report));
}

#[test]
fn the_report_of_parity() {
    let world = World::new(Staging::same());
    let ran = world
        .parallax(&[
            "check",
            "staging",
            "--only",
            "runtime/node",
            "--only",
            "lockfile/**",
            "--color",
            "never",
        ])
        .exits(0);
    let (_, report) = ran.stdout.split_once("\n\n").unwrap();
    let report: String = report.lines().filter(|l| !l.contains(" equal")).map(|l| format!("{l}\n")).collect();
    insta::assert_snapshot!(steady(&world, &report));
}

#[test]
fn the_command_line() {
    let world = World::new(Staging::same());
    let mut all = String::new();
    for arguments in [
        &["--help"][..],
        &["check", "--help"],
        &["diff", "--help"],
        &["capture", "--help"],
        &["exec", "--help"],
        &["init", "--help"],
        &["lint", "--help"],
    ] {
        all.push_str(&format!(
            "$ parallax {}\n{}\n",
            arguments.join(" "),
            world.parallax(arguments).exits(0).stdout
        ));
    }
    insta::assert_snapshot!(all);
}
