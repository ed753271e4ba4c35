//! Tests of what may befall the file: killed writers, several writers, no space, no permission, other files, damage.
//!
//! Other processes are this test binary itself, which runs one test by name with its orders in a variable. No space is a limit on
//! the pages of the file, which fails a write as a full disk does (`SQLITE_FULL`).

#![expect(clippy::disallowed_methods, reason = "these tests make files and processes of their own")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use parallax_model::Timestamp;

use super::{Locking, Sharing, Sqlite};
use crate::store::tests::{Place, assert_whole, header, snapshot};
use crate::{Query, Store, StoreError, derive};

const ORDERS: &str = "PARALLAX_STORE_TEST_ORDERS";
const WORKER: &str = "sqlite::tests::a_worker_does_what_it_is_told";

fn worker(place: &str, orders: &str, binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args([WORKER, "--exact", "--nocapture"]).env(ORDERS, format!("{orders} {place}"));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn started(place: &str, orders: &str) -> Child {
    worker(place, orders, &std::env::current_exe().unwrap()).spawn().unwrap()
}

fn record(store: &Store, from: u64, count: u64, mut tell: impl FnMut(u64)) {
    for n in from..from + count {
        let minute = i64::try_from(n).unwrap();
        tell(store.record("staging", &snapshot(minute, 500, 4, n)).unwrap().entry.number);
    }
}

/// Without orders, this worker does a little of what it does for others, on a store of its own.
#[test]
fn a_worker_does_what_it_is_told() {
    let Ok(orders) = std::env::var(ORDERS) else {
        let place = Place::new();
        record(&place.open(), 0, 3, |_| ());
        return assert_whole(&place.open(), 3);
    };
    let (orders, place) = orders.split_once(' ').unwrap();
    let mut out = std::io::stdout();
    match orders.split_once(':') {
        Some((count, from)) => {
            record(&Store::open(place).unwrap(), from.parse().unwrap(), count.parse().unwrap(), |n| {
                writeln!(out, "\nrecorded {n}").unwrap();
                out.flush().unwrap();
            });
        }
        None => {
            let store = Store::open(place).unwrap();
            let entry = store.as_of("staging", Timestamp::MAX).unwrap().unwrap();
            let read = store.read(&entry).unwrap().hash();
            let refused = store.record("staging", &snapshot(9, 10, 1, 1)).unwrap_err();
            writeln!(out, "\nread {read}, then {refused}").unwrap();
        }
    }
}

fn numbers(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("recorded ")?.parse().ok())
}

#[test]
fn a_killed_writer_leaves_whole_recordings_only() {
    killed_writers_leave_whole_recordings_only(&Place::new(), 500);
}

pub(crate) fn killed_writers_leave_whole_recordings_only(place: &Place, most: usize) {
    let (mut acknowledged, mut killed, mut random) = (Vec::new(), 0, 0x9e37_79b9_u64);
    while acknowledged.len() < most {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = started(&place.path(), &format!("1000:{}", killed * 1000));
        let mut told = numbers(&mut child);
        acknowledged.extend(told.by_ref().take(1 + usize::try_from(random >> 60).unwrap() * 2));
        std::thread::sleep(std::time::Duration::from_micros(random >> 50));
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        acknowledged.extend(told);
        place.settle();
        let store = place.open();
        let entries = store.entries("staging", Timestamp::MIN, Timestamp::MAX).unwrap();
        // The one that was being acknowledged may be there, and is whole then.
        assert!((0..=killed).contains(&(entries.len() - acknowledged.len())), "{}", entries.len());
        let has = |n: &u64| entries.iter().any(|entry| entry.number == *n);
        assert!(acknowledged.iter().all(has), "an acknowledged recording is missing");
        let latest = u64::try_from(entries.len()).unwrap();
        assert!((1..=latest).all(|number| has(&number)), "a recording is there in part");
        // The next worker's captures come after this one.
        record(&store, u64::try_from(killed).unwrap() * 1000 - 1, 1, |number| assert_eq!(number, latest + 1));
        acknowledged.push(latest + 1);
    }
    assert!(killed > most / 50, "{killed}");
    let store = place.open();
    let mut entries = store.entries("staging", Timestamp::MIN, Timestamp::MAX).unwrap();
    assert_whole(&store, entries.len());
    entries.sort_by_key(|entry| entry.number);
    let changes = store.changes(&Query::of("staging")).unwrap();
    for pair in entries.windows(2) {
        let differing = store.diff(&pair[0], &pair[1]).unwrap();
        let pairs = differing.left.into_iter().zip(differing.right);
        let expected: usize = pairs.map(|(l, r)| derive((Some(l), Some(r))).len()).sum();
        let kept = changes.iter().filter(|change| change.entry == pair[1].number).count();
        assert_eq!(kept, expected, "entry {}", pair[1].number);
    }
}

#[test]
fn two_processes_record_at_once_and_nothing_is_lost() {
    two_processes_lose_nothing(&Place::new());
}

pub(crate) fn two_processes_lose_nothing(place: &Place) {
    let mut children = [started(&place.path(), "60:0"), started(&place.path(), "60:5000")];
    let told: Vec<Vec<u64>> = children.iter_mut().map(|child| numbers(child).collect()).collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let mut all = told.concat();
    assert_eq!(all.len(), 120);
    all.sort_unstable();
    assert_eq!(all, (1..=120).collect::<Vec<_>>());
    assert_whole(&place.open(), 120);
}

#[test]
fn a_full_disk_is_told_and_what_was_recorded_stays() {
    let place = Place::new();
    drop(place.open());
    let backend = Sqlite::open(Path::new(&place.path())).unwrap();
    backend.connection().execute_batch("PRAGMA max_page_count = 60").unwrap();
    let store = Store::over(Box::new(backend));
    let mut recorded = 0;
    let error = loop {
        match store.record("staging", &snapshot(recorded, 300, 300, recorded.unsigned_abs())) {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains(&place.path()) && recorded > 0, "{error}");
    assert_whole(&store, usize::try_from(recorded).unwrap());
    drop(store);
    let store = place.open();
    store.record("staging", &snapshot(99, 300, 300, 99)).unwrap();
    assert_whole(&store, usize::try_from(recorded).unwrap() + 1);
}

#[cfg(unix)]
#[test]
fn in_a_read_only_folder_is_read_and_not_written() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let place = path.display().to_string();
    let hash = {
        let store = Store::open(&place).unwrap();
        store.record("staging", &snapshot(0, 50, 0, 0)).unwrap().entry.snapshot.unwrap()
    };
    // Root may write anywhere, so that root's worker is somebody else, who can reach a copy of this binary.
    let binary = folder.path().join("worker");
    std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(&path, 0o444);
    mode(folder.path(), 0o555);
    let mut command = worker(&place, "read", &binary);
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        command.uid(65534);
    }
    let output = command.output().unwrap();
    mode(folder.path(), 0o755);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = format!("read {hash}, then `{place}`: the store or its folder may not be written");
    assert!(told.contains(&expected), "{told}");
}

#[cfg(unix)]
#[test]
fn a_log_that_cannot_be_read_is_told() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let place = Place::new();
    let store = place.open();
    record(&store, 0, 2, |_| ());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    for end in ["", "-wal"] {
        let copy = folder.path().join(format!("store.db{end}"));
        std::fs::copy(place.path() + end, &copy).unwrap();
        mode(&copy, 0o444);
    }
    let binary = folder.path().join("worker");
    std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    mode(folder.path(), 0o555);
    let mut command = worker(&path.display().to_string(), "read", &binary);
    command.stderr(Stdio::piped());
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        command.uid(65534);
    }
    let output = command.output().unwrap();
    mode(folder.path(), 0o755);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("is not in the file yet, and this account may not write"), "{told}");
}

#[track_caller]
fn refused(place: &Place, expected: &str) {
    let before = std::fs::read(place.path()).unwrap();
    let error = Store::open(&place.path()).unwrap_err().to_string();
    assert!(error.contains(expected) && error.contains(&place.path()), "{error}");
    assert_eq!(std::fs::read(place.path()).unwrap(), before, "the file was touched");
}

fn plain(place: &Place, sql: &str) {
    let connection = rusqlite::Connection::open(place.path()).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
}

#[test]
fn other_files_and_later_stores_are_refused_untouched() {
    let place = Place::new();
    std::fs::create_dir_all(Path::new(&place.path()).parent().unwrap()).unwrap();
    std::fs::write(place.path(), "not a store, but a text that somebody wants to keep ".repeat(100)).unwrap();
    refused(&place, "not a store");
    std::fs::remove_file(place.path()).unwrap();
    plain(&place, "CREATE TABLE somebody (elses INTEGER)");
    refused(&place, "not a store");
    std::fs::remove_file(place.path()).unwrap();
    drop(place.open());
    plain(&place, "UPDATE parallax_schema SET version = 99");
    refused(&place, "has schema 99, and this version knows schemas up to 1");
    let error = Store::open("mysql://somewhere/x").unwrap_err();
    assert!(matches!(error, StoreError::UnknownUrl { .. }), "{error}");
}

#[test]
fn a_truncated_file_is_told() {
    let place = Place::new();
    record(&place.open(), 0, 5, |_| ());
    let whole = std::fs::read(place.path()).unwrap();
    for keep in [whole.len() / 2, 5000, 100, 10] {
        std::fs::write(place.path(), &whole[..keep]).unwrap();
        let error = Store::open(&place.path()).unwrap_err();
        let is_clear = matches!(error, StoreError::Damaged { .. } | StoreError::NotAStore { .. });
        assert!(is_clear, "cut at {keep}: {error:?}");
    }
    std::fs::write(place.path(), &whole).unwrap();
    assert_whole(&place.open(), 5);
}

#[test]
fn damage_in_a_chunk_is_named_and_the_rest_stays_readable() {
    let place = Place::new();
    let store = place.open();
    store.record("staging", &snapshot(0, 500, 0, 0)).unwrap();
    store.record("production", &snapshot(0, 20, 20, 7)).unwrap();
    plain(&place, "UPDATE chunk SET data = x'00' WHERE id = 3");
    let problems = place.open().verify().unwrap().problems;
    assert!(problems.iter().any(|problem| problem.to_string().contains("entry 1: chunk ")), "{problems:?}");
    let store = place.open();
    let entry = store.as_of("production", header(0, Vec::new()).captured_at).unwrap().unwrap();
    assert!(store.read(&entry).is_ok());
    plain(&place, "DELETE FROM chunk WHERE id = 3");
    assert!(!place.open().verify().unwrap().problems.is_empty());
}

#[cfg(unix)]
#[test]
fn a_new_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let store = place.open();
    record(&store, 0, 1, |_| ());
    for end in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(place.path() + end).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{end}");
    }
}

#[test]
fn to_look_makes_no_store() {
    let place = Place::new();
    let look = || Store::open_existing(&place.path(), &crate::Credentials::default());
    assert!(look().unwrap().is_none());
    let path = Path::new(&place.path()).to_owned();
    assert!(!path.parent().unwrap().exists(), "a folder was made");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "").unwrap();
    assert!(look().unwrap().is_none());
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0, "an empty file became a store");
    record(&place.open(), 0, 1, |_| ());
    assert_whole(&look().unwrap().unwrap(), 1);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let credentials = crate::Credentials::default();
    for (path, expected) in [
        (folder.path(), "it is a folder; name a file in it"),
        (Path::new("/dev/null"), "no regular file"),
        (&*pipe, "no regular file"),
    ] {
        let place = path.display().to_string();
        let errors = [
            Store::open(&place).unwrap_err(),
            Store::open_existing(&place, &credentials).unwrap_err(),
            Store::migrate(&place, &credentials).unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}

#[test]
fn a_reader_without_locks_never_takes_a_writer_for_damage() {
    let place = Place::new();
    record(&place.open(), 0, 20, |_| ());
    // With its log it is read by its locks.
    let writer = place.open();
    record(&writer, 100, 1, |_| ());
    let path = place.path();
    assert!(Sqlite::open_read_only(Path::new(&path), &path).unwrap().locking == Locking::Locks);
    drop(writer);
    let url = format!("file:{path}?immutable=1");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let reader = Sqlite::attempt(url.as_ref(), flags, Sharing::Shared, &path).unwrap();
    // What it reads is torn, as if somebody had written half of it.
    let whole = std::fs::read(&path).unwrap();
    let torn: Vec<u8> = whole.iter().enumerate().map(|(at, b)| if at < 4096 { *b } else { 0xff }).collect();
    std::fs::write(&path, torn).unwrap();
    let error = Store::over(Box::new(reader)).stats().unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("try again"), "{error}");
}
