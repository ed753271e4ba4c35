//! `parallax store`: what each verb tells, and what stores that can't be used are answered with.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use parallax_model::{Key, Resource, Snapshot, SnapshotHeader, Timestamp};
use parallax_store::Store;
use tempfile::TempDir;

use crate::support::Ran;

/// A project with a store.
struct Shop {
    folder: TempDir,
}

fn snapshot(hour: i64, seed: usize) -> Snapshot {
    let header = SnapshotHeader {
        environment: "staging".into(),
        captured_at: Timestamp::from_second(1_700_000_000 + hour * 3600).unwrap(),
        tool: "test".into(),
        key_id: None,
        sources: Vec::new(),
        gaps: Vec::new(),
    };
    let one = |n: usize| {
        let value = if n.is_multiple_of(20) { n + seed } else { n };
        Resource::new(Key::of(["env", &format!("V{n}")]), "env")
            .with("value", format!("{value}-{}", value * 7919))
    };
    Snapshot::new(header, (0..400).map(one).collect())
}

impl Shop {
    fn new(recordings: usize) -> Self {
        let shop = Self { folder: tempfile::tempdir_in("/tmp").unwrap() };
        std::fs::write(shop.path("parallax.yaml"), "version: 1\n").unwrap();
        let store = shop.open("");
        for n in 0..recordings {
            let recorded = store.record("staging", &snapshot(i64::try_from(n).unwrap() / 3, n)).unwrap();
            if n == 4 {
                store.mark_good(&recorded.entry, recorded.entry.captured_at).unwrap();
            }
        }
        store.record("production", &snapshot(5, 1)).unwrap();
        drop(store);
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path(".parallax/store.db")
    }

    fn open(&self, name: &str) -> Store {
        let path = if name.is_empty() { self.file() } else { self.path(name) };
        Store::open(&path.display().to_string()).unwrap()
    }

    fn sql(&self, statement: &str) {
        let connection = rusqlite::Connection::open(self.file()).unwrap();
        connection.execute_batch(statement).unwrap();
        connection.close().unwrap();
    }

    fn command(&self, binary: &Path) -> Command {
        let mut command = Command::new(binary);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn parallax(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_parallax")));
        Ran::of(command.args(arguments).output().unwrap())
    }

    fn json(&self, arguments: &[&str], code: i32) -> serde_json::Value {
        let ran = self.parallax(&[arguments, &["--format", "json"]].concat()).exits(code);
        let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect(&ran.stdout);
        assert_eq!((&told["schema"], &told["command"]), (&"parallax.store/1".into(), &arguments[1].into()));
        told
    }
}

#[test]
fn stats_say_what_is_kept() {
    let shop = Shop::new(30);
    shop.parallax(&["store", "stats"]).exits(0).says(&[
        ".parallax/store.db   SQLite, schema ",
        "equal parts are kept once: 31 recordings have ",
        "environment   recordings   first                  last                   good   pinned   last good\n",
        "production    1            2023-11-15T03:13:20Z   2023-11-15T03:13:20Z   0      0        never\n",
        "staging       30           2023-11-14T22:13:20Z   2023-11-15T07:13:20Z   1      0        2023-11-14T23:13:20Z\n",
    ]);
    let told = shop.json(&["store", "stats"], 0);
    assert_eq!((&told["recordings"], &told["backend"]), (&31.into(), &"SQLite".into()));
    assert_eq!(told["environments"][1]["last_good"]["entry"], 5);
    assert!(told["chunks"]["named"].as_u64() > told["chunks"]["count"].as_u64(), "{told}");
    let empty = shop.path("nothing.db").display().to_string();
    shop.parallax(&["store", "stats", "--store", &empty]).exits(2).says(&["there is no store at", "hint: "]);
    assert!(!shop.path("nothing.db").exists(), "to look makes nothing");
}

#[test]
fn verify_lists_what_is_damaged() {
    let shop = Shop::new(10);
    shop.parallax(&["store", "verify"]).exits(0).says(&["11 recordings, ", "all is whole\n"]);
    assert_eq!(shop.json(&["store", "verify"], 0)["whole"], true);
    shop.sql("UPDATE chunk SET data = x'00' WHERE id = 3");
    let damage = "✗ staging   entry 1   2023-11-14T22:13:20Z   chunk ";
    shop.parallax(&["store", "verify"]).exits(1).says(&[damage, "hint: `parallax store salvage"]);
    let told = shop.json(&["store", "verify"], 1);
    let first = &told["problems"][0];
    assert_eq!(first["captured_at"], "2023-11-15T03:13:20Z", "{told}");
    assert!(first["environment"] == "production" && first["entry"] == 1, "{told}");
}

#[test]
fn gc_tells_what_goes_and_frees_it() {
    let shop = Shop::new(60);
    let planned = shop.json(&["store", "gc", "--dry-run"], 0);
    let dry = shop.parallax(&["store", "gc", "--dry-run"]).exits(0);
    let dry = dry.says(&["staging       58           2023-11-14T22:13:20Z", "would go; nothing was changed"]);
    assert!(!dry.stdout.contains("production"), "its only one is its latest: {}", dry.stdout);
    let nothing = shop.json(&["store", "gc", "--keep-all"], 0);
    assert_eq!((&nothing["recordings"], &nothing["chunks"]), (&0.into(), &0.into()));
    let done = shop.json(&["store", "gc"], 0);
    for same in ["recordings", "chunks", "chunk_bytes", "collected", "retention"] {
        assert_eq!(done[same], planned[same], "{same}");
    }
    assert!(done["bytes"]["freed"].as_u64() > Some(10_000), "{done}");
    assert_eq!(std::fs::metadata(shop.file()).unwrap().len(), done["bytes"]["after"].as_u64().unwrap());
    shop.parallax(&["store", "gc"]).exits(0).says(&["0 recordings and 0 chunks (0 B) went"]);
    shop.parallax(&["store", "verify"]).exits(0);
    // The good one, the latest, and the last of the week.
    let left = shop.open("").entries("staging", Timestamp::MIN, Timestamp::MAX).unwrap();
    assert!(left.iter().any(|entry| entry.number == 5) && left.iter().any(|entry| entry.number == 60));
}

#[test]
fn copy_takes_all_over_once() {
    let shop = Shop::new(20);
    let first = shop.parallax(&["store", "copy", "copy.db"]).exits(0);
    first.says(&["copy.db: 21 recordings of 2 environments copied", "read back there: all is whole"]);
    let again = shop.json(&["store", "copy", "copy.db"], 0);
    assert_eq!(
        (&again["recordings"], &again["already"], &again["whole"]),
        (&0.into(), &21.into(), &true.into())
    );
    shop.parallax(&["store", "verify", "--store", "copy.db"]).exits(0);
    shop.open("copy.db").record("staging", &snapshot(99, 1)).unwrap();
    shop.parallax(&["store", "copy", "copy.db"]).exits(2).says(&[
        "`staging` with a history of its own: its latest entry is 21, here it is 20",
        "hint: copy into a store that has no such environment",
    ]);
}

#[test]
fn a_damaged_store_leads_to_its_salvage() {
    let shop = Shop::new(60);
    shop.parallax(&["store", "migrate"]).exits(0).says(&["SQLite: schema ", " is current"]);
    let whole = std::fs::read(shop.file()).unwrap();
    let cut = &whole[..whole.len() * 9 / 10];
    std::fs::write(shop.file(), cut).unwrap();
    for (verb, code) in [("stats", 2), ("verify", 1), ("gc", 2), ("migrate", 2)] {
        let hint = "hint: `parallax store salvage NEW_FILE` saves what is still whole";
        shop.parallax(&["store", verb]).exits(code).says(&["store.db`: the store is damaged", hint]);
        // What is to be salvaged is what was named.
        std::fs::copy(shop.file(), shop.path("other one.db")).unwrap();
        let named = "hint: `parallax store salvage NEW_FILE --store 'other one.db'` saves";
        shop.parallax(&["store", verb, "--store", "other one.db"]).exits(code).says(&[named]);
    }
    let ran = shop.parallax(&["store", "salvage", "new.db"]).exits(1);
    ran.says(&["saved into `new.db` (", "of the file cannot be read", "the damaged file was not touched"]);
    assert!(std::fs::read(shop.file()).unwrap() == cut);
    shop.parallax(&["store", "verify", "--store", "new.db"]).exits(0);
    shop.parallax(&["store", "salvage", "new.db"]).exits(2).says(&["new.db`", "it is there already"]);
    std::fs::write(shop.file(), whole).unwrap();
    let told = shop.json(&["store", "salvage", "all.db"], 0);
    assert_eq!((&told["recordings"], &told["lost"]), (&61.into(), &serde_json::json!([])));
    let ran = shop.parallax(&["store", "salvage", "x.db", "--store", "postgresql://ann:s3cret@db/x"]);
    let ran = ran.exits(2).says(&["`postgresql://db:5432/x` is no file"]);
    assert!(!format!("{ran:?}").contains("s3cret"), "{ran:?}");
}

/// What a store that can't be used is answered with: by every verb that opens it, without touching it.
#[track_caller]
fn check(make: impl Fn(&Shop), expected: &[&str]) {
    let shop = Shop::new(5);
    make(&shop);
    let before = std::fs::read(shop.file()).unwrap();
    let other = shop.path("other.db").display().to_string();
    for verb in [&["stats"][..], &["verify"], &["gc"], &["migrate"], &["copy", &other]] {
        let is_found = verb == ["verify"] && expected.iter().any(|told| told.contains("damaged"));
        let ran = shop.parallax(&[&["store"], verb].concat()).exits(if is_found { 1 } else { 2 });
        let ran = ran.says(expected).says(&["error: `", "hint: "]);
        assert!(ran.stderr.contains("store.db`: ") && ran.stdout.is_empty(), "{ran:?}");
    }
    assert_eq!(std::fs::read(shop.file()).unwrap(), before, "the file was touched");
}

#[test]
fn stores_that_can_not_be_used_are_told_and_left_alone() {
    let text = |shop: &Shop| std::fs::write(shop.file(), "what somebody wrote\n".repeat(300)).unwrap();
    check(text, &["this file is not a store of Parallax", "hint: the file was not touched"]);
    let elses = |shop: &Shop| {
        std::fs::remove_file(shop.file()).unwrap();
        shop.sql("CREATE TABLE somebody (elses INTEGER)");
    };
    check(elses, &["this file is not a store of Parallax"]);
    let newer = |shop: &Shop| shop.sql("UPDATE parallax_schema SET version = 99");
    check(newer, &["the store has schema 99, and this version knows schemas up to ", "update `parallax`"]);
    let cut = |keep: fn(usize) -> usize| {
        move |shop: &Shop| {
            let whole = std::fs::read(shop.file()).unwrap();
            std::fs::write(shop.file(), &whole[..keep(whole.len())]).unwrap();
        }
    };
    check(cut(|all| all / 2), &["the store is damaged", "hint: `parallax store salvage NEW_FILE`"]);
    check(cut(|_| 4096), &["the store is damaged"]);
    check(cut(|_| 50), &["the store is damaged"]);
}

#[test]
fn in_a_read_only_folder_is_read_and_not_written() {
    let shop = Shop::new(5);
    // Root may write anywhere; its run is somebody else's, who can reach a copy of the binary.
    let binary = shop.path("parallax");
    std::fs::copy(env!("CARGO_BIN_EXE_parallax"), &binary).unwrap();
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let folder = shop.path(".parallax");
    mode(&shop.file(), 0o444);
    mode(&folder, 0o555);
    mode(shop.folder.path(), 0o755);
    let is_root = rustix::process::getuid().is_root();
    let run = |arguments: &[&str]| {
        let mut command = shop.command(&binary);
        if is_root {
            command.uid(65534);
        }
        Ran::of(command.args(arguments).output().unwrap())
    };
    run(&["store", "stats"]).exits(0).says(&["staging       5 "]);
    run(&["store", "verify"]).exits(0).says(&["all is whole"]);
    let refused =
        ["store.db`: the store or its folder may not be written", "hint: ask for leave to write there"];
    shop.open("source.db").record("new", &snapshot(1, 1)).unwrap();
    mode(&shop.path("source.db"), 0o644);
    run(&["store", "copy", "--store", "source.db", ".parallax/store.db"]).exits(2).says(&refused);
    mode(&folder, 0o755);
}
