//! What machines do with processes that will not end, tools that are missing, and accounts that may not.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::super::shell::{PlainShell, ShellMachine};
use super::super::*;
use super::{CANARY, run};
use crate::secret::Fingerprinter;

fn shell(words: &[&'static str], root: &Path, search_path: &str) -> ShellMachine<PlainShell> {
    let mut variables = vec![("PATH".into(), search_path.into()), ("API_TOKEN".into(), CANARY.into())];
    variables.push(("HOME".into(), root.into()));
    let shell = PlainShell { words: words.to_vec(), variables };
    ShellMachine::new(words.join(" "), shell, Duration::from_secs(30))
}

#[test]
fn kept_answers_start_no_process_and_damage_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let at = |name: &str| root.join(name);
    let count = || fs::read_to_string(at("count")).unwrap_or_default().len();
    let script = "#!/bin/sh\nprintf x >>\"$(dirname \"$0\")/count\"\necho version 1 $1\n";
    fs::write(at("tool"), script).unwrap();
    fs::set_permissions(at("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    let ask = |word: &str| {
        let tool = at("tool").display().to_string();
        let mut batch = Batch::new();
        let mut run = run(&[&tool, word], 9, 100);
        run.depends_on = vec![tool];
        let ticket = batch.run(run);
        let replies = Local::new(Some(at("cache"))).run(&batch).unwrap();
        replies.get(ticket).unwrap().stdout.clone()
    };
    assert_eq!((ask("a"), count()), (b"version 1 a\n".to_vec(), 1));
    assert_eq!((ask("a"), count()), (b"version 1 a\n".to_vec(), 1));
    fs::write(at("cache/commands.jsonl"), "{\n\0garbage\n{}\n").unwrap();
    assert_eq!((ask("a"), count()), (b"version 1 a\n".to_vec(), 2));
    fs::write(at("tool"), script.replace("version 1", "version 2")).unwrap();
    assert_eq!((ask("a"), count()), (b"version 2 a\n".to_vec(), 3));
    for _ in 0..2 {
        ask("ghp_012345678901234567890123");
        ask("PASSWORD=x");
    }
    assert_eq!(count(), 7, "what looks secret is asked again");
    let kept = fs::read_to_string(at("cache/commands.jsonl")).unwrap();
    assert!(!kept.contains("ghp_") && !kept.contains("PASSWORD"), "{kept}");
    std::thread::scope(|threads| {
        for word in ["b", "c", "d", "e", "f", "g"] {
            threads.spawn(move || ask(word));
        }
    });
    assert_eq!(ask("a"), b"version 2 a\n");
}

#[test]
fn an_answer_is_kept_for_the_search_path_that_it_came_of() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |search_path: &str| {
        let mut batch = Batch::new();
        let mut run = run(&["sh", "-c", "printf %s \"$PATH\""], 9, 100);
        run.depends_on = vec!["/bin/sh".to_owned()];
        let ticket = batch.run(run);
        let machine = Local::new(Some(folder.path().to_owned()));
        let machine = machine.with_variables(vec![("PATH".into(), search_path.into())]);
        String::from_utf8(machine.run(&batch).unwrap().get(ticket).unwrap().stdout.clone()).unwrap()
    };
    for search_path in ["/bin", "/usr/bin:/bin", "/bin"] {
        assert_eq!(ask(search_path), search_path);
    }
}

#[test]
fn a_process_that_escapes_costs_its_own_probe_only() {
    let folder = tempfile::tempdir().unwrap();
    for words in [&["dash"][..], &["busybox", "ash"]] {
        let machine = shell(words, folder.path(), "/usr/bin:/bin");
        let mut batch = Batch::new();
        let id = folder.path().join("id");
        let script = format!("setsid sleep 40 & echo $! >{}; sleep 0.3; echo left", id.display());
        let left = batch.run(run(&["sh", "-c", &script], 1, 100));
        let other = batch.run(run(&["echo", "other"], 9, 100));
        let began = Instant::now();
        let replies = machine.run(&batch).unwrap();
        let escaped = fs::read_to_string(id).unwrap().trim().parse().ok().and_then(Pid::from_raw);
        // It may have been found and ended.
        let _gone = kill_process(escaped.unwrap(), Signal::KILL);
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        // Its reader waits for what holds the pipe open until its time is up, and may lose what it has read.
        match replies.get(left) {
            Ok(output) => assert_eq!(output.stdout, b"left\n"),
            Err(error) => assert_eq!(error, ProbeError::TimedOut(Duration::from_secs(1))),
        }
        assert_eq!(replies.get(other).unwrap().stdout, b"other\n");
    }
}

#[test]
fn a_poor_machine_says_what_it_cannot() {
    // Nothing is there but what POSIX asks for, and less: no timeout, setsid, stat, or any SHA-256.
    let folder = tempfile::tempdir().unwrap();
    let tools = folder.path().join("tools");
    fs::create_dir(&tools).unwrap();
    for tool in ["sh", "dash", "head", "sed", "cat", "tr", "uname", "find", "sleep", "ls", "env"] {
        symlink(format!("/usr/bin/{tool}"), tools.join(tool)).unwrap();
    }
    let machine = shell(&["/usr/bin/dash"], folder.path(), tools.to_str().unwrap());
    let mut batch = Batch::new();
    let sha = batch.sha256("/proc/version");
    let which = batch.which(&["sed"]);
    let hang = batch.run(run(&["sleep", "60"], 1, 100));
    let echo = batch.run(run(&["sh", "-c", "echo fine; exit 4"], 5, 100));
    let fingerprinter = Arc::new(Fingerprinter::lasting(b"key"));
    let token = batch.environment(Environment { names: Some(vec!["API_TOKEN".into()]), fingerprinter });
    let system = batch.system();
    let replies = machine.run(&batch).unwrap();
    assert!(matches!(replies.get(sha), Err(ProbeError::Unsupported(_))));
    assert_eq!(replies.get(which).unwrap()[0].resolved, replies.get(which).unwrap()[0].path);
    assert_eq!(replies.get(hang), Err(ProbeError::TimedOut(Duration::from_secs(1))));
    let expected = Output { status: 4, stdout: b"fine\n".to_vec(), stderr: Vec::new() };
    assert_eq!(*replies.get(echo).unwrap(), expected);
    assert_eq!(
        replies.get(token).unwrap()[0].value,
        VariableValue::Secret(parallax_model::Fingerprint::Present)
    );
    assert!(replies.get(system).unwrap().page_size >= 4096);
}

#[test]
fn what_an_account_may_not_see_is_no_absence() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(root.join("closed")).unwrap();
    for (name, mode) in [("closed/in", 0o644), ("locked", 0o000), ("closed", 0o000)] {
        if name != "closed" {
            fs::write(root.join(name), "x").unwrap();
        }
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    symlink("closed/in", root.join("link")).unwrap();
    fs::write(root.join("locked-tool"), "").unwrap();
    // Nothing is closed to root, who becomes somebody else here.
    let other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let before: &[&str] = if rustix::process::geteuid().is_root() { &other } else { &[] };
    for words in [&["dash"][..], &["busybox", "ash"]] {
        let words = [before, words].concat();
        let machine = shell(&words, root, "/usr/bin:/bin");
        let at = |name: &str| format!("{}/{name}", root.display());
        let mut batch = Batch::new();
        for name in ["locked", "closed/in", "closed/absent", "closed/a/b", "link"] {
            batch.read(at(name), 10);
            batch.sha256(at(name));
        }
        batch.list(at("closed"), 9);
        batch.find(Find {
            root: at("closed"),
            names: vec!["*".into()],
            prune: Vec::new(),
            max_depth: 2,
            max_entries: 9,
        });
        batch.run(run(&[&at("locked-tool")], 5, 10));
        let replies =
            machine.run(&batch).expect("util-linux's setpriv, and the right to change accounts, are needed");
        for (reply, op) in replies.0.iter().zip(batch.ops()) {
            assert_eq!(*reply, Err(ProbeError::Permission), "{words:?}: {op:?}");
        }
        let mut batch = Batch::new();
        let absent = batch.read(at("absent/x"), 10);
        assert_eq!(machine.run(&batch).unwrap().get(absent), Err(ProbeError::NotFound));
    }
}

/// Whether a process is at work; one that was killed and not yet waited for is not.
fn is_alive(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

#[test]
fn what_a_command_started_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let search_path = "/usr/bin:/bin";
    let machines: [Box<dyn Machine>; 3] = [
        Box::new(Local::new(None)),
        Box::new(shell(&["dash"], root, search_path)),
        Box::new(shell(&["busybox", "ash"], root, search_path)),
    ];
    for machine in machines {
        let mut batch = Batch::new();
        let script = |name: &str, then: &str| {
            format!("trap '' TERM; sleep 62 & echo $! >{}/{name}; {then}", root.display())
        };
        let late = batch.run(run(&["sh", "-c", &script("late", "sleep 62")], 1, 100));
        let left = batch.run(run(&["sh", "-c", &script("left", "exit 0")], 9, 100));
        let flood = batch.run(run(&["sh", "-c", &script("flood", "exec yes")], 9, 100));
        let replies = machine.run(&batch).unwrap();
        assert_eq!(replies.get(late), Err(ProbeError::TimedOut(Duration::from_secs(1))));
        assert_eq!(replies.get(left).unwrap().status, 0);
        assert_eq!(replies.get(flood).unwrap().status, CUT);
        for name in ["late", "left", "flood"] {
            let id = fs::read_to_string(root.join(name)).unwrap();
            assert!(
                (0..200).any(|_| !is_alive(&id) || {
                    std::thread::sleep(Duration::from_millis(10));
                    false
                }),
                "{}: {name}",
                machine.place()
            );
        }
    }
}
