//! Holds every machine to the same replies: this one natively, shells (dash, BusyBox, bash), and `ssh`.

mod bounds;
mod over_ssh;

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
    // Masked, these are shorter by more than the margin; of the second the window has half a credential.
    let shrinks = |length: usize| format!("a\n//u:{}@h\n{}", CANARY.repeat(length), "x\n".repeat(4000));
    fs::write(at("shrinks"), shrinks(1430)).unwrap();
    fs::write(at("half"), shrinks(3000)).unwrap();
    fs::write(at("key"), format!("-----BEGIN PRIVATE KEY-----\n{}\n", "hunter2canary\n".repeat(4000)))
        .unwrap();
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
    for name in ["shrinks", "half", "key"] {
        batch.read(at(name), 9000);
        batch.read(at(name), 100_000);
    }
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
    batch.run(run(&["sh", "-c", "printf 'a\\n//u:hunter2-canary@h\\n'; exec yes"], 9, 12));
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
    let shrinks = batch.read(at("shrinks"), 9000);
    let half = batch.read(at("half"), 9000);
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
    assert!(replies.get(shrinks).unwrap().truncated && replies.get(shrinks).unwrap().bytes.len() < 9000);
    assert_eq!(*replies.get(half).unwrap(), FileContent { bytes: b"a\n".to_vec(), truncated: true });
    assert_eq!(replies.get(fifo), Err(ProbeError::Failed(NOT_A_FILE.into())));
    assert!(replies.get(sha).unwrap().starts_with("e3b0c44298fc1c14"));
    let paths: Vec<&str> = replies.get(which).unwrap().iter().map(|c| c.path.as_str()).collect();
    assert_eq!(paths, [at("bin1/tool"), at("bin2/tool"), at("bin1/tool"), at("bin2/linked")]);
    assert_eq!(replies.get(which).unwrap()[3].resolved, at("bin1/tool"));
    assert_eq!(replies.get(hang), Err(ProbeError::TimedOut(Duration::from_secs(1))));
    let cut = Output { status: CUT, stdout: b"y\ny\ny".to_vec(), stderr: Vec::new() };
    assert_eq!(*replies.get(flood).unwrap(), cut);
    assert_eq!(replies.get(left).unwrap().stdout, b"done\n");
    assert_eq!(replies.get(find).unwrap().paths, ["a/b/c/package.json", "package.json"]);
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
