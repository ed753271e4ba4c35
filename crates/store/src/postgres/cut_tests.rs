//! Tests of cut connections: at every message and in the middle of answers, backends that are ended, a server that goes away. What
//! was acknowledged is there, once; what was not is not.

use std::sync::atomic::{AtomicBool, Ordering};

use parallax_model::{Key, Timestamp};

use super::proxy::{Cut, Proxy};
use super::server::{Server, sql};
use super::*;
use crate::store::tests::{assert_whole, header, snapshot};
use crate::{Policy, Query, Store};

struct Cutting {
    url: String,
    proxy: Proxy,
    store: Store,
}

impl Cutting {
    fn new() -> Self {
        let server = Server::shared();
        let url = server.database();
        let proxy = Proxy::start(server.port);
        let through = url.replace(&format!(":{}/", server.port), &format!(":{}/", proxy.port));
        let store = Store::open(&format!("{through}?sslmode=disable")).unwrap();
        Self { url, proxy, store }
    }

    /// Does that work with the connection cut at every point, until it needs no more; counts how often it was done.
    /// A cut before a message is one after the message before it.
    fn at_every_point(&self, mut work: impl FnMut(&Store, i64)) -> i64 {
        let mut done = 0;
        for (step, cut) in [(1, Cut::After as fn(i64) -> Cut), (7, Cut::Within), (331, Cut::Answer)] {
            let mut last = Cut::Never;
            for at in (0..100_000).step_by(step) {
                done += 1;
                last = cut(at);
                self.proxy.arm(last);
                work(&self.store, done);
                if !self.proxy.is_cut() {
                    break;
                }
            }
            assert!(done > 10 && !self.proxy.is_cut(), "{last:?} after {done}");
        }
        self.proxy.arm(Cut::Never);
        done
    }

    /// Looks at the store past the proxy.
    fn assert_whole(&self, entries: i64) {
        assert_whole(&Store::open(&self.url).unwrap(), usize::try_from(entries).unwrap());
    }
}

#[test]
fn a_recording_that_is_cut_anywhere_is_there_once() {
    let cutting = Cutting::new();
    let done = cutting.at_every_point(|store, n| {
        let recorded = store.record("staging", &snapshot(n, 60, 4, n.unsigned_abs())).unwrap();
        assert_eq!(i64::try_from(recorded.entry.number), Ok(n), "recorded twice, or another was lost");
        let mut kept = store.changes(&Query { limit: 100, ..Query::of("staging") }).unwrap();
        kept.retain(|change| change.entry == recorded.entry.number);
        assert_eq!(kept, recorded.changes);
    });
    assert!(connect::FOUND_DONE.get() > 0, "no cut came after a commit");
    cutting.assert_whole(done);
}

#[test]
fn a_first_recording_that_is_cut_anywhere_is_there_once() {
    let cutting = Cutting::new();
    let done = cutting.at_every_point(|store, n| {
        let name = format!("environment {n}");
        let recorded = store.record(&name, &snapshot(0, 60, 4, n.unsigned_abs())).unwrap();
        assert_eq!(recorded.entry.number, 1);
        assert_eq!(store.entries(&name, Timestamp::MIN, Timestamp::MAX).unwrap(), [recorded.entry]);
    });
    assert_eq!(i64::try_from(cutting.store.environments().unwrap().len()), Ok(done));
    cutting.assert_whole(done);
}

#[test]
fn changes_that_are_handed_in_and_cut_anywhere_are_there_once() {
    let cutting = Cutting::new();
    let mut base = cutting.store.record("staging", &snapshot(0, 60, 0, 0)).unwrap().entry;
    let done = cutting.at_every_point(|store, n| {
        let header = header(n, Vec::new());
        let changed = snapshot(n, 1, 1, n.unsigned_abs()).resources().to_vec();
        let gone = vec![Key::parse(&format!("env/V{}", n % 60)).unwrap()];
        let recorded = store.record_changed("staging", &base, changed, gone, &header).unwrap();
        assert_eq!(i64::try_from(recorded.entry.number), Ok(n + 1));
        base = recorded.entry;
    });
    cutting.assert_whole(done + 1);
}

#[test]
fn evidence_marks_and_collection_that_are_cut_anywhere_are_done_once() {
    let cutting = Cutting::new();
    let store = &cutting.store;
    store.record("staging", &snapshot(0, 60, 0, 0)).unwrap();
    let entry = store.record("staging", &snapshot(1, 60, 4, 3)).unwrap().entry;
    let query = Query::of("staging");
    let change = store.changes(&query).unwrap().remove(0);
    let done = cutting.at_every_point(|store, n| {
        store.add_evidence("staging", &change, &format!("{{\"n\":{n}}}"), None).unwrap();
    });
    let all: Vec<String> = (1..=done).map(|n| format!("{{\"n\":{n}}}")).collect();
    assert_eq!(store.changes(&query).unwrap()[0].evidence, all);

    cutting.at_every_point(|store, n| store.mark_good(&entry, header(n, Vec::new()).captured_at).unwrap());
    let mut minute = 10;
    cutting.at_every_point(|store, n| {
        for _ in 0..2 {
            minute += 1;
            store.record("staging", &snapshot(minute, 60, 4, n.unsigned_abs() + 7)).unwrap();
        }
        let policy = Policy { all_days: 0, hourly_days: 0, daily_days: 0 };
        store.retain(policy, header(60 * 24 * 30, Vec::new()).captured_at).unwrap();
        store.gc().unwrap();
    });
    // The latest, the one that was found good, and perhaps the last of a week.
    let left = store.entries("staging", Timestamp::MIN, Timestamp::MAX).unwrap();
    assert!(left.len() <= 3 && left.iter().any(|left| left.number == entry.number), "{left:?}");
    assert!(store.stats().unwrap().chunks < 40, "{:?}", store.stats());
    cutting.assert_whole(i64::try_from(left.len()).unwrap());
}

#[test]
fn reading_goes_on_after_a_cut() {
    let cutting = Cutting::new();
    let entry = cutting.store.record("staging", &snapshot(0, 500, 4, 1)).unwrap().entry;
    cutting.at_every_point(|store, _| {
        assert_eq!(Some(store.read(&entry).unwrap().hash()), entry.snapshot);
    });
}

#[test]
fn recordings_go_on_while_connections_are_ended() {
    let url = Server::shared().database();
    let store = Store::open(&url).unwrap();
    let is_done = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        let ending = scope.spawn(|| {
            let mut ended = 0;
            // An end even where the recording fails.
            for _ in 0..500 {
                if is_done.load(Ordering::SeqCst) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(connect::random().unsigned_abs() % 120));
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";
                ended += sql(&url, end).len();
            }
            ended
        });
        for n in 1..=120 {
            let recorded = store.record("staging", &snapshot(n, 300, 4, n.unsigned_abs())).unwrap();
            assert_eq!(i64::try_from(recorded.entry.number), Ok(n));
        }
        is_done.store(true, Ordering::SeqCst);
        ending.join().unwrap()
    });
    assert!(ended > 3, "{ended}");
    assert_whole(&Store::open(&url).unwrap(), 120);
}

#[test]
fn recordings_go_on_after_the_server_was_stopped_and_started() {
    let server = Server::start(&[("fsync", "on")]);
    let url = server.database();
    let store = Store::open(&url).unwrap();
    let is_done = AtomicBool::new(false);
    let mut last = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..4 {
                std::thread::sleep(Duration::from_millis(300 + connect::random().unsigned_abs() % 300));
                server.stop();
                server.start_again();
            }
            is_done.store(true, Ordering::SeqCst);
        });
        while !is_done.load(Ordering::SeqCst) {
            last += 1;
            let recorded = store.record("staging", &snapshot(last, 300, 4, last.unsigned_abs())).unwrap();
            assert_eq!(i64::try_from(recorded.entry.number), Ok(last));
        }
    });
    assert!(last > 4, "{last}");
    assert_whole(&Store::open(&url).unwrap(), usize::try_from(last).unwrap());
}

#[test]
fn a_server_that_stays_away_is_told_and_nothing_is_lost() {
    let server = Server::start(&[]);
    let url = server.database();
    let backend = Postgres::open(&url, &Credentials::default()).unwrap();
    backend.patience.set(Duration::from_millis(300));
    let store = Store::over(Box::new(backend));
    store.record("staging", &snapshot(0, 60, 4, 1)).unwrap();
    server.stop();
    for _ in 0..2 {
        let error = store.record("staging", &snapshot(1, 60, 4, 2)).unwrap_err();
        assert!(matches!(error, StoreError::Cut { .. }), "{error:?}");
        assert!(error.to_string().contains("refused") && error.to_string().contains(&url), "{error}");
    }
    let error = Store::open(&url).unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    server.start_again();
    assert_eq!(store.record("staging", &snapshot(1, 60, 4, 2)).unwrap().entry.number, 2);
    assert_whole(&store, 2);
}

#[test]
fn a_lock_that_is_held_too_long_is_told() {
    let url = Server::shared().database();
    let store = Store::open(&url).unwrap();
    store.record("staging", &snapshot(0, 60, 4, 1)).unwrap();
    let holder = Postgres::open(&url, &Credentials::default()).unwrap();
    holder.run_plain("BEGIN").unwrap();
    holder.run_plain("SELECT environment FROM parallax.environment FOR UPDATE").unwrap();
    let impatient = Postgres::open(&url, &Credentials::default()).unwrap();
    impatient.run_plain("SET lock_timeout = '50ms'").unwrap();
    let impatient = Store::over(Box::new(impatient));
    let error = impatient.record("staging", &snapshot(1, 60, 4, 2)).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    holder.run_plain("ROLLBACK").unwrap();
    assert_eq!(impatient.record("staging", &snapshot(1, 60, 4, 2)).unwrap().entry.number, 2);
    assert_whole(&store, 2);
}
