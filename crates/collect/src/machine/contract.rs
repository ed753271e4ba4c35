//! Holds every machine to the same replies: this one natively, shells (dash, BusyBox, bash), and `ssh`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shell::{PlainShell, ShellMachine};
use super::sshd::Sshd;
use super::*;
use crate::secret::Fingerprinter;

const CANARY: &str = "hunter2-canary";

/// Files of every awkward sort.
fn prepare(root: &Path) {
    let at = |name: &str| root.join(name);
    fs::write(at("plain"), "a=1\nb=2\nab=3").unwrap();
    fs::write(at("it's \"odd\" $(touch x) `x`\n-é*"), "odd\n").unwrap();
    fs::write(at("-leading"), "dash\n").unwrap();
    fs::write(at("empty"), "").unwrap();
    fs::write(at("nul"), b"a\0b\n\0\0c\n//u:hunter2-canary@h\0\xff\xfe").unwrap();
    fs::write(at("urls"), format!("//u:{CANARY}@h x\nghp_{}\nend", "a1".repeat(20))).unwrap();
    let big: Vec<u8> =
        (0..2_000_000_u32).map(|i| u8::try_from(i.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    fs::write(at("big"), big).unwrap();
    fs::write(at("long"), "x".repeat(300_000) + "\nb=long\n").unwrap();
    fs::write(at("locked"), "no").unwrap();
    fs::set_permissions(at("locked"), fs::Permissions::from_mode(0o000)).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    symlink("plain", at("link")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    for folder in ["tree/.git", "tree/node_modules/x", "tree/a/b/c", "bin1", "bin2", "tree/od d\nname"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for file in [
        "tree/package.json",
        "tree/.git/package.json",
        "tree/node_modules/x/package.json",
        "tree/a/b/c/package.json",
    ] {
        fs::write(at(file), "{}").unwrap();
    }
    for file in ["tree/a/Dockerfile.[dev]", "tree/a/Dockerfile", "tree/.hidden", "tree/od d\nname/Dockerfile"]
    {
        fs::write(at(file), "x").unwrap();
    }
    for (file, text) in
        [("bin1/tool", "#!/bin/sh\necho one\n"), ("bin2/tool", "\x7fELF\0\0\n"), ("bin2/other", "")]
    {
        fs::write(at(file), text).unwrap();
        fs::set_permissions(at(file), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(at("bin1/not"), "").unwrap();
    symlink("../bin1/tool", at("bin2/linked")).unwrap();
}

fn search_path(root: &Path) -> String {
    format!("{0}/bin1::{0}/bin2:{0}/bin1:/nowhere:/usr/bin:/bin", root.display())
}

fn variables(root: &Path) -> Vec<(OsString, OsString)> {
    let mut all: Vec<(OsString, OsString)> = [
        ("PATH", search_path(root).as_str()),
        ("HOME", root.to_str().unwrap()),
        ("PLAIN", "a b  c"),
        ("EMPTY", ""),
        ("LINES_OF", "one\nFAKE=1\nIFS=x\n\nend\n"),
        ("QUOTED", "it's \"$(touch x)\" `id` \\ *"),
        ("API_TOKEN", "hunter2-canary"),
        ("SECRET_LINES", "hunter2-canary\nTOKEN_B=hunter2-canary\n"),
        ("DATABASE_URL", "postgres://u:hunter2-canary@db/x"),
        ("NOTE", "see https://u:hunter2-canary@h and //h"),
        ("dotted.name", "x\ny"),
        ("dotted.token", "hunter2-canary\nz"),
        ("PEM", "-----BEGIN PRIVATE KEY-----\nhunter2-canary"),
        ("n", "1"),
        ("IFS", "x"),
        ("LC_ALL", "C"),
        ("UMLAUT", "\u{e4}\u{20ac}\u{1f600}"),
    ]
    .iter()
    .map(|(name, value)| (OsString::from(name), OsString::from(value)))
    .collect();
    all.push(("BYTES".into(), OsString::from_vec((0x80..=0xff).collect())));
    all
}

fn run(words: &[&str], timeout: u64, max_bytes: usize) -> Run {
    Run {
        argv: words.iter().map(ToString::to_string).collect(),
        timeout: Duration::from_secs(timeout),
        max_bytes,
        depends_on: Vec::new(),
    }
}

/// A batch with every sort of probe, good and bad.
fn batch(root: &Path, home: bool) -> Batch {
    let mut batch = Batch::new();
    batch.system();
    ask_of_files(&mut batch, root);
    ask_of_folders(&mut batch, root);
    ask_commands(&mut batch);
    if home {
        batch.read("~/plain", 100);
        let fingerprinter = Arc::new(Fingerprinter::lasting(b"key"));
        batch.environment(Environment { names: None, fingerprinter: Arc::clone(&fingerprinter) });
        let names = Some(vec!["PLAIN".to_owned(), "ABSENT".to_owned(), "API_TOKEN".to_owned()]);
        batch.environment(Environment { names, fingerprinter });
    }
    batch
}

fn ask_of_files(batch: &mut Batch, root: &Path) {
    let at = |name: &str| format!("{}/{name}", root.display());
    for name in [
        "plain",
        "it's \"odd\" $(touch x) `x`\n-é*",
        "-leading",
        "empty",
        "nul",
        "urls",
        "locked",
        "dangling",
        "link",
        "fifo",
        "missing",
        "plain/below",
        "tree",
        "nul\0byte",
    ] {
        batch.read(at(name), 1000);
        batch.sha256(at(name));
    }
    batch.read("/dev/zero", 10);
    batch.read("/proc/version", 4096);
    batch.read("", 10);
    batch.read(at("plain"), 5);
    batch.read(at("plain"), 11);
    batch.read(at("urls"), 8);
    batch.read(at("big"), 3_000_000);
    batch.read(at("big"), 1_000_000);
    batch.sha256(at("big"));
    batch.read_lines(at("long"), 100, &["b", "a.", "y"]);
    batch.read_lines(at("plain"), 100, &["a", "ab"]);
    batch.read_lines(at("plain"), 100, &["zz"]);
}

fn ask_of_folders(batch: &mut Batch, root: &Path) {
    let at = |name: &str| format!("{}/{name}", root.display());
    for name in ["tree", "bin2", "plain", "missing"] {
        batch.list(at(name), 100);
    }
    batch.list(at("tree"), 2);
    for (names, max_depth, max_entries) in [
        (vec!["package.json", "Dockerfile*"], 9, 50),
        (vec!["package.json"], 1, 50),
        (vec!["*"], 9, 2),
        (vec!["*.[dev]"], 9, 9),
    ] {
        let names = names.into_iter().map(str::to_owned).collect();
        let prune = vec!["node_modules".to_owned()];
        batch.find(Find { root: at("tree"), names, prune, max_depth, max_entries });
    }
    batch.which(&["tool", "other", "linked", "not", "absent", "../tool", "$(x)", "sh"]);
}

fn ask_commands(batch: &mut Batch) {
    for words in [
        &["sh", "-c", "printf 'out\\0put\\n\\n'; printf 'err\\n' >&2; exit 3"][..],
        &["tool"],
        &["absent"],
        &["-x"],
        &["/nowhere/x"],
        &["sh", "-c", "kill -9 $$"],
        &["printf", "%s", "'\"$(x)`\n"],
        &["sh", "-c", "printf '\\377\\200'; echo https://u:hunter2-canary@h"],
        &["cat"],
        &["sh", "-c", "echo quick; sleep 30 & exit 0"],
    ] {
        batch.run(run(words, 9, 4000));
    }
    batch.run(run(&["sleep", "60"], 1, 100));
    batch.run(run(&["yes"], 9, 5000));
    batch.run(run(&["head", "-c", "1000000000", "/dev/zero"], 9, 70_000));
    batch.run(run(&["sh", "-c", "trap '' TERM HUP INT; sleep 61 & sleep 61; sleep 61"], 1, 100));
}

/// The replies, and that they came in bounded time.
fn ask(machine: &dyn Machine, batch: &Batch) -> Vec<Result<Reply, ProbeError>> {
    let began = Instant::now();
    let mut replies = machine.run(batch).unwrap().0;
    assert!(began.elapsed() < Duration::from_secs(30), "{} took {:?}", machine.place(), began.elapsed());
    if let Some(Ok(Reply::System(facts))) = replies.first_mut() {
        assert!(facts.page_size >= 4096 && facts.processors > 0 && !facts.machine.is_empty(), "{facts:?}");
        // Where commands start differs by nature.
        facts.home.clear();
        facts.folder.clear();
    }
    assert!(!format!("{replies:?}").contains(CANARY));
    replies
}

fn check(machine: &dyn Machine, root: &Path, home: bool) {
    let batch = batch(root, home);
    let local = ask(&Local::new(None).with_variables(variables(root)), &batch);
    let got = ask(machine, &batch);
    for (index, op) in batch.ops().iter().enumerate() {
        assert_eq!(got[index], local[index], "{}: {op:?}", machine.place());
    }
    // What one connection answers once it answers twice.
    let mut again = Batch::new();
    let ticket = again.read(format!("{}/plain", root.display()), 100);
    assert_eq!(machine.run(&again).unwrap().get(ticket).unwrap().text(), "a=1\nb=2\nab=3");
    assert!(!root.join("x").exists() && !Path::new("x").exists(), "something was executed");
}

fn check_shell(words: &[&'static str]) {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let shell = PlainShell { words: words.to_vec(), variables: variables(folder.path()) };
    let machine = ShellMachine::new(words.join(" "), shell, Duration::from_secs(60));
    check(&machine, folder.path(), true);
}

#[test]
fn this_machine_answers_as_expected() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    prepare(root);
    let machine = Local::new(None).with_variables(variables(root));
    let at = |name: &str| format!("{}/{name}", root.display());
    let mut batch = Batch::new();
    let urls = batch.read(at("urls"), 1000);
    let cut = batch.read(at("urls"), 8);
    let fifo = batch.read(at("fifo"), 10);
    let sha = batch.sha256(at("empty"));
    let which = batch.which(&["tool", "linked"]);
    let hang = batch.run(run(&["sh", "-c", "sleep 60 & sleep 60"], 1, 10));
    let flood = batch.run(run(&["yes"], 9, 5));
    let left = batch.run(run(&["sh", "-c", "setsid sleep 3 & echo done"], 9, 50));
    let find = batch.find(Find {
        root: at("tree"),
        names: vec!["package.json".into()],
        prune: vec!["node_modules".into()],
        max_depth: 9,
        max_entries: 9,
    });
    let began = Instant::now();
    let replies = machine.run(&batch).unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(replies.get(urls).unwrap().text(), "//REDACTED@h x\nREDACTED\nend");
    assert_eq!(*replies.get(cut).unwrap(), FileContent { bytes: b"//REDACT".to_vec(), truncated: true });
    assert_eq!(replies.get(fifo), Err(ProbeError::Failed(NOT_A_FILE.into())));
    assert!(replies.get(sha).unwrap().starts_with("e3b0c44298fc1c14"));
    let paths: Vec<&str> = replies.get(which).unwrap().iter().map(|c| c.path.as_str()).collect();
    assert_eq!(paths, [at("bin1/tool"), at("bin2/tool"), at("bin1/tool"), at("bin2/linked")]);
    assert_eq!(replies.get(which).unwrap()[3].resolved, at("bin1/tool"));
    assert_eq!(replies.get(hang), Err(ProbeError::TimedOut(Duration::from_secs(1))));
    let cut = Output { status: CUT, stdout: b"y\ny\ny".to_vec(), stderr: Vec::new() };
    assert_eq!(*replies.get(flood).unwrap(), cut);
    assert_eq!(replies.get(left).unwrap().stdout, b"done\n");
    assert_eq!(replies.get(find).unwrap(), &["a/b/c/package.json", "package.json"]);
}

#[test]
fn dash_answers_as_this_machine_does() {
    check_shell(&["dash"]);
}

#[test]
fn busybox_answers_as_this_machine_does() {
    check_shell(&["busybox", "ash"]);
}

#[test]
fn bash_answers_as_this_machine_does() {
    check_shell(&["bash"]);
}

#[test]
fn ssh_answers_as_this_machine_does() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let sshd = Sshd::start(&format!(
        "SetEnv PATH={} API_TOKEN={CANARY}\nForceCommand printf 'welcome\\nnoise'; eval \"$SSH_ORIGINAL_COMMAND\"",
        search_path(folder.path())
    ));
    let machine = sshd.machine(Duration::from_secs(60));
    check(&machine, folder.path(), false);
    let mut batch = Batch::new();
    let fingerprinter = Arc::new(Fingerprinter::lasting(b"key"));
    let names = Some(vec!["API_TOKEN".to_owned(), "USER".to_owned()]);
    let ticket = batch.environment(Environment { names, fingerprinter: Arc::clone(&fingerprinter) });
    let replies = machine.run(&batch).unwrap();
    let mask = fingerprinter.fingerprint(&crate::secret::RawSecret::new(CANARY));
    assert_eq!(replies.get(ticket).unwrap()[0].value, VariableValue::Secret(mask));
    assert_eq!(replies.get(ticket).unwrap()[1].name, "USER");
}

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

fn shell(words: &[&'static str], root: &Path, search_path: &str) -> ShellMachine<PlainShell> {
    let mut variables = vec![("PATH".into(), search_path.into()), ("API_TOKEN".into(), CANARY.into())];
    variables.push(("HOME".into(), root.into()));
    let shell = PlainShell { words: words.to_vec(), variables };
    ShellMachine::new(words.join(" "), shell, Duration::from_secs(30))
}

#[test]
fn a_process_that_escapes_costs_its_own_probe_only() {
    let folder = tempfile::tempdir().unwrap();
    for words in [&["dash"][..], &["busybox", "ash"]] {
        let machine = shell(words, folder.path(), "/usr/bin:/bin");
        let mut batch = Batch::new();
        let left = batch.run(run(&["sh", "-c", "setsid sleep 40 & sleep 0.3; echo left"], 1, 100));
        let other = batch.run(run(&["echo", "other"], 9, 100));
        let began = Instant::now();
        let replies = machine.run(&batch).unwrap();
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
    for (name, mode) in [("closed/in", 0o644), ("locked", 0o600), ("closed", 0o700)] {
        if name != "closed" {
            fs::write(root.join(name), "x").unwrap();
        }
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    symlink("closed/in", root.join("link")).unwrap();
    fs::write(root.join("locked-tool"), "").unwrap();
    for words in [
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "dash"][..],
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "busybox", "ash"],
    ] {
        let machine = shell(words, root, "/usr/bin:/bin");
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
