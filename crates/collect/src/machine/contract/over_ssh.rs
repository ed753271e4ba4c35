//! What becomes of hosts that refuse, change, vanish or never answer.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::sshd::Sshd;
use super::super::*;
use crate::secret::Fingerprinter;

fn system_of(machine: &dyn Machine) -> Result<String, MachineError> {
    let mut batch = Batch::new();
    let ticket = batch.system();
    machine.run(&batch).map(|replies| replies.get(ticket).unwrap().kernel_name.clone())
}

#[test]
fn failures_of_ssh_are_told_apart() {
    let sshd = Sshd::start("");
    let patience = Duration::from_secs(20);
    assert_eq!(system_of(&sshd.machine(patience)), Ok("Linux".to_owned()));

    sshd.other_key("stranger");
    sshd.client_config("stranger");
    let refused = system_of(&sshd.machine(patience)).unwrap_err();
    assert!(
        matches!(&refused, MachineError::Refused { why, .. } if why.contains("Permission denied")),
        "{refused}"
    );

    sshd.client_config("key");
    sshd.trust(&sshd.path("stranger.pub"));
    let changed = system_of(&sshd.machine(patience)).unwrap_err();
    assert!(matches!(changed, MachineError::HostKey { .. }), "{changed}");
    fs::write(sshd.path("known_hosts"), "").unwrap();
    let unknown = system_of(&sshd.machine(patience)).unwrap_err();
    assert!(matches!(unknown, MachineError::HostKey { .. }), "{unknown}");
    sshd.trust(&sshd.path("host_key.pub"));

    let machine = sshd.machine(patience);
    assert!(system_of(&machine).is_ok());
    sshd.cut_connections();
    let cut = system_of(&machine).unwrap_err();
    assert!(matches!(cut, MachineError::Unreachable { .. }), "{cut}");
    assert_eq!(system_of(&machine), Err(cut), "what is over stays over");

    let Ok(Place::Ssh(place)) = "ssh://127.0.0.1:1".parse() else { panic!("it is a place") };
    let options = SshOptions { patience, ..SshOptions::default() };
    let machine = Ssh::new(&place, options.with_arguments(&sshd.arguments()));
    let dead = system_of(&machine).unwrap_err();
    assert!(matches!(dead, MachineError::Unreachable { .. }), "{dead}");
}

#[test]
fn a_far_side_that_never_answers_costs_bounded_time() {
    let check = |force: &str, expected: fn(&MachineError) -> bool| {
        let sshd = Sshd::start(&format!("ForceCommand {force}"));
        let began = Instant::now();
        let error = system_of(&sshd.machine(Duration::from_secs(2))).unwrap_err();
        assert!(expected(&error), "{force}: {error}");
        assert!(began.elapsed() < Duration::from_secs(8), "{force}: {:?}", began.elapsed());
    };
    check("sleep 1000", |e| matches!(e, MachineError::TimedOut { .. }));
    check(
        "echo this account is closed >&2; exit 1",
        |e| matches!(e, MachineError::Garbled { why, .. } if why.contains("this account is closed")),
    );
    check("yes", |e| matches!(e, MachineError::Garbled { .. } | MachineError::TimedOut { .. }));
}

#[test]
fn a_login_shell_reads_its_profile() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".profile"), "echo motd; PROFILE_SAYS=hello; export PROFILE_SAYS\n").unwrap();
    let sshd = Sshd::start(&format!("SetEnv HOME={} SHELL=/bin/dash", home.path().display()));
    for (login, expected) in [(Login::Command, 0), (Login::Shell, 1)] {
        let Ok(Place::Ssh(place)) = "ssh://staging".parse() else { panic!("it is a place") };
        let options = SshOptions { login, ..SshOptions::default() }.with_arguments(&sshd.arguments());
        let mut batch = Batch::new();
        let fingerprinter = Arc::new(Fingerprinter::lasting(b"key"));
        let ticket =
            batch.environment(Environment { names: Some(vec!["PROFILE_SAYS".into()]), fingerprinter });
        let replies = Ssh::new(&place, options).run(&batch).unwrap();
        assert_eq!(replies.get(ticket).unwrap().len(), expected, "{login:?}");
    }
}
