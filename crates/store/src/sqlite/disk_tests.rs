//! Tests of what may befall a store while house is kept, and of disks that are full for real: a small file system where this
//! account may mount one, and a limit on the size of files everywhere.
//!
//! Other processes are this test binary itself, which runs one test by name with its orders in a variable.

#![expect(clippy::disallowed_methods, reason = "these tests make files and processes of their own")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use parallax_model::Timestamp;

use crate::store::tests::{Place, assert_whole, header, snapshot};
use crate::{Policy, Query, Store, StoreError};

const ORDERS: &str = "PARALLAX_STORE_DISK_ORDERS";
const WORKER: &str = "sqlite::disk_tests::a_worker_keeps_house_as_it_is_told";
const BALLAST: usize = 1100 * 1024;

fn record(store: &Store, environment: &str, n: u64) -> Result<u64, StoreError> {
    let minute = i64::try_from(n).unwrap() * 30;
    Ok(store.record(environment, &snapshot(minute, 400, 9, n * 11))?.entry.number)
}

fn all(store: &Store, environment: &str) -> Vec<crate::Entry> {
    store.entries(environment, Timestamp::MIN, Timestamp::MAX).unwrap()
}

fn collect(store: &Store) {
    let policy = Policy { all_days: 0, hourly_days: 1, daily_days: 2 };
    store.retain(policy, header(90_000, Vec::new()).captured_at).unwrap();
    store.gc().unwrap();
    store.shrink().unwrap();
}

/// Records until there is no space, and looks at what is there then; says how many recordings there are.
fn fill(store: &Store) -> usize {
    let (mut n, mut recorded) = (0, all(store, "staging").len());
    let error = loop {
        // Everything changes, so that it takes space.
        let whole = snapshot(n, 600, 600, 7919 * n.unsigned_abs());
        match store.record("staging", &whole) {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
        n += 1;
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("no space is left"), "{error}");
    assert_whole(store, recorded);
    assert!(recorded > 1, "{recorded}");
    recorded
}

/// Without orders, this worker does a little of what it does for others, on a store of its own.
#[test]
fn a_worker_keeps_house_as_it_is_told() {
    let Ok(orders) = std::env::var(ORDERS) else {
        let place = Place::new();
        record(&place.open(), "staging", 0).unwrap();
        collect(&place.open());
        return assert_whole(&place.open(), 1);
    };
    let mut orders = orders.split('\n');
    let (what, place) = (orders.next().unwrap(), orders.next().unwrap());
    let store = Store::open(place).unwrap();
    let mut out = std::io::stdout();
    let mut say = |text: &str| {
        writeln!(out, "\n{text}").unwrap();
        out.flush().unwrap();
    };
    say("begun");
    match what {
        "collect" => collect(&store),
        "copy" => {
            let other = Store::open(orders.next().unwrap()).unwrap();
            store.copy_to(&other, &mut |_, _| ()).unwrap();
        }
        "fill" => say(&format!("whole {}", fill(&store))),
        "fill and empty" => {
            let ballast = Path::new(place).with_file_name("ballast");
            std::fs::write(&ballast, vec![1; BALLAST]).unwrap();
            let recorded = fill(&store);
            drop(store);
            // Closing has moved what it could out of the log, and the disk is fuller than before.
            assert_whole(&Store::open(place).unwrap(), recorded);
            std::fs::remove_file(ballast).unwrap();
            record(&Store::open(place).unwrap(), "staging", 5000).unwrap();
            assert_whole(&Store::open(place).unwrap(), recorded + 1);
            say(&format!("whole {recorded}"));
        }
        other => panic!("{other}"),
    }
    say("done");
}

fn told(orders: &[&str], mut command: Command) -> Command {
    let binary = std::env::current_exe().unwrap();
    command.arg(binary).args([WORKER, "--exact", "--nocapture"]).env(ORDERS, orders.join("\n"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn started(orders: &[&str]) -> Child {
    told(orders, Command::new("env")).spawn().unwrap()
}

/// Kills a worker some time after it began; says whether it was done before.
fn killed(orders: &[&str], after: Duration) -> bool {
    let mut child = started(orders);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "begun"), "{:?}", child.wait_with_output());
    std::thread::sleep(after);
    child.kill().unwrap();
    let is_done = lines.any(|line| line == "done");
    child.wait().unwrap();
    is_done
}

/// Times at random moments of a work, which takes longer where the machine is slow.
fn moments() -> impl Iterator<Item = Duration> {
    let mut random = 0x51ed_270b_u64;
    (0..).map(move |round: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_micros((random >> 33) % (1000 + round * 2500))
    })
}

#[test]
fn a_killed_collector_leaves_a_whole_store() {
    let place = Place::new();
    let store = place.open();
    let (mut n, mut kills) = (0, 0);
    for after in moments() {
        for _ in 0..15 {
            record(&store, "staging", n).unwrap();
            n += 1;
        }
        let kept = all(&store, "staging").into_iter().next().unwrap();
        store.mark_good(&kept, kept.captured_at).unwrap();
        let is_done = killed(&["collect", &place.path()], after);
        let verified = place.open().verify().unwrap();
        assert_eq!(verified.problems, []);
        assert!(store.read(&kept).is_ok());
        kills += usize::from(!is_done);
        if is_done && kills >= 8 {
            break;
        }
    }
    collect(&store);
    assert_eq!(store.gc_without(&[]).unwrap(), crate::Collected::default());
    let good = all(&store, "staging").iter().filter(|entry| entry.good.is_some()).count();
    assert!(good > kills, "what is good is never collected");
    assert_eq!(store.changes(&Query::of("staging")).unwrap().iter().map(|c| c.entry).max(), Some(n));
}

#[test]
fn a_killed_copy_leaves_a_whole_store_and_goes_on_where_it_was() {
    let (place, other) = (Place::new(), Place::new());
    let store = place.open();
    for n in 0..40 {
        record(&store, "staging", n).unwrap();
        record(&store, "production", n).unwrap();
    }
    let copy = other.open();
    let (mut kills, mut before) = (0, 0);
    for after in moments() {
        let is_done = killed(&["copy", &place.path(), &other.path()], after);
        let verified = copy.verify().unwrap();
        assert_eq!(verified.problems, []);
        assert!(verified.entries >= before, "a copy took something away");
        before = verified.entries;
        kills += usize::from(!is_done);
        if is_done {
            break;
        }
    }
    assert!(kills > 3, "{kills}");
    for environment in ["staging", "production"] {
        assert_eq!(all(&store, environment), all(&copy, environment));
        let changes = |store: &Store| store.changes(&Query::of(environment)).unwrap();
        assert_eq!(changes(&store), changes(&copy));
    }
}

#[test]
fn several_collect_at_once_while_another_records() {
    let place = Place::new();
    let store = place.open();
    for n in 0..80 {
        record(&store, "staging", n).unwrap();
    }
    let mut workers: Vec<Child> = (0..3).map(|_| started(&["collect", &place.path()])).collect();
    for n in 0..20 {
        // What is recorded is in chunks that are being collected.
        record(&store, "production", n).unwrap();
    }
    for worker in workers.drain(..) {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(store.verify().unwrap().problems, []);
    collect(&store);
    assert!(all(&store, "staging").len() < 10 && !all(&store, "production").is_empty());
    assert_eq!(store.verify().unwrap().problems, []);
}

/// How many recordings a worker had when it was done.
fn whole(output: &Output) -> Option<usize> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find_map(|line| line.strip_prefix("whole ")?.parse().ok())
}

#[test]
fn a_limit_on_the_size_of_files_is_told_and_what_was_recorded_stays() {
    let place = Place::new();
    record(&place.open(), "staging", 0).unwrap();
    let mut shell = Command::new("sh");
    // Units of 512 bytes; the signal would end the process before it could tell.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\""]);
    let output = told(&["fill", &place.path()], shell).output().unwrap();
    let told =
        || String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let recorded = whole(&output).unwrap_or_else(|| panic!("{}", told()));
    let store = place.open();
    assert_whole(&store, recorded);
    record(&store, "staging", 5000).unwrap();
    assert_whole(&store, recorded + 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_file_system_is_told_and_what_was_recorded_stays() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store.db").display().to_string();
    let mount = "mount -t tmpfs -o size=2m tmpfs \"$PLACE\" || exit 77; exec \"$0\" \"$@\"";
    // Root may mount; others may where namespaces are theirs to make.
    for flags in ["-m", "-Urm"] {
        let mut unshare = Command::new("unshare");
        unshare.args([flags, "sh", "-c", mount]).env("PLACE", folder.path());
        let Ok(output) = told(&["fill and empty", &place], unshare).output() else { continue };
        let told = String::from_utf8_lossy(&output.stdout);
        if told.contains("\nbegun") {
            assert!(output.status.success() && whole(&output).is_some(), "{told}");
            assert!(!Path::new(&place).exists(), "it was recorded elsewhere");
            return;
        }
    }
    // Not through the macro, whose words nobody sees when the test passes.
    writeln!(std::io::stderr(), "NOT TESTED HERE: this account may not mount a file system, so that no disk was full; files were limited instead").unwrap();
}
