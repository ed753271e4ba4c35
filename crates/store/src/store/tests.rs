//! Tests of the store as its users see it, over every backend: identity, replay, history, gaps, keeping house.

use std::collections::BTreeMap;

use parallax_model::{AttributePath, Key};
use parallax_model::{Gap, GapKind, Relation, RelationKind, Resource, Snapshot, SnapshotHeader, Value};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use super::*;
use crate::change::What;

pub(crate) fn header(minute: i64, gaps: Vec<Gap>) -> SnapshotHeader {
    SnapshotHeader {
        environment: "staging".into(),
        captured_at: Timestamp::from_second(1_800_000_000 + minute * 60).unwrap(),
        tool: "test".into(),
        key_id: Some("00c0ffee".into()),
        sources: Vec::new(),
        gaps,
    }
}

fn key(number: u64) -> Key {
    Key::of(["env", &format!("V{number}")])
}

fn resource(number: u64, value: u64) -> Resource {
    let mut resource = Resource::new(key(number), "env").with("fixed", true);
    for field in 0..value % 4 {
        resource.attributes.set(format!("field{field}").as_str(), Value::integer(value + number));
    }
    if value.is_multiple_of(2) {
        resource.relate(Relation { kind: RelationKind::Calls, to: key(value) });
    }
    resource
}

/// A snapshot whose every resource follows from the seed; `changed` of them differ from those of another seed.
pub(crate) fn snapshot(minute: i64, count: u64, changed: u64, seed: u64) -> Snapshot {
    let value = |n: u64| if n % count.max(1) < changed { n + seed } else { n };
    Snapshot::new(header(minute, Vec::new()), (0..count).map(|n| resource(n, value(n))).collect())
}

fn of(minute: i64, values: &BTreeMap<u64, u64>, gaps: Vec<Gap>) -> Snapshot {
    Snapshot::new(header(minute, gaps), values.iter().map(|(n, v)| resource(*n, *v)).collect())
}

/// A store of a test's own.
pub(crate) struct Place {
    /// Held for as long as the file is used; none for a database.
    folder: Option<tempfile::TempDir>,
    place: String,
}

impl Place {
    /// A file.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deeper/store.db").display().to_string();
        Self { folder: Some(folder), place }
    }

    /// A database of a real PostgreSQL.
    pub(crate) fn database() -> Self {
        Self { folder: None, place: crate::postgres::server::Server::shared().database() }
    }

    pub(crate) fn path(&self) -> String {
        self.place.clone()
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.place).unwrap()
    }

    /// How many random cases are worth their time: a database is made for each.
    fn cases(&self) -> u32 {
        if self.folder.is_some() { 40 } else { 12 }
    }

    /// Waits until the server has noticed that others who used it are gone.
    pub(crate) fn settle(&self) {
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                      AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        while self.folder.is_none() && crate::postgres::server::sql(&self.place, others) != ["0"] {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

/// Runs each of these over each backend.
macro_rules! over_each_backend {
    ($($name:ident)*) => {
        mod sqlite { $(#[test] fn $name() { super::$name(super::Place::new); })* }
        mod postgres { $(#[test] fn $name() { super::$name(super::Place::database); })* }
    };
}

over_each_backend! {
    what_is_recorded_reads_back_after_reopening_and_changes_replay
    handing_in_what_changed_is_recording_the_whole
    history_is_told_newest_first_and_takes_evidence
    what_cannot_be_seen_has_not_changed
    entries_of_any_environments_are_compared
    relations_are_asked_from_either_end
    retention_keeps_what_it_must_while_a_writer_writes
    what_takes_space_is_told
}

#[track_caller]
pub(crate) fn assert_whole(store: &Store, entries: usize) {
    let verified = store.verify().unwrap();
    assert_eq!((verified.problems, verified.entries), (Vec::new(), entries));
}

fn values() -> impl Strategy<Value = BTreeMap<u64, u64>> {
    prop::collection::btree_map(0..300_u64, 0..50_u64, 0..120)
}

fn what_is_recorded_reads_back_after_reopening_and_changes_replay(new: fn() -> Place) {
    let series = prop::collection::vec((values(), prop::option::of((".*", ".*"))), 1..6);
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(new().cases())
    });
    let done = runner.run(&(series, 0..2000_i32), |(series, nanoseconds)| {
        reads_back_and_replays(&new(), &series, nanoseconds)
    });
    done.unwrap();
}

/// Values at one time, and perhaps a gap.
type Step = (BTreeMap<u64, u64>, Option<(String, String)>);

fn reads_back_and_replays(place: &Place, series: &[Step], nanoseconds: i32) -> Result<(), TestCaseError> {
    let mut recorded: Vec<(Entry, Snapshot)> = Vec::new();
    let mut replayed: BTreeMap<Key, Resource> = BTreeMap::new();
    for (minute, (values, gap)) in (0..).zip(series) {
        // A gap that selects nothing hides nothing, and yet is part of the content.
        let gaps = gap.iter().map(|(_, why)| Gap::new("other/x", GapKind::Failed, why.as_str()));
        let mut whole = of(minute, values, gaps.collect());
        if nanoseconds > 1000 {
            let mut header = whole.header().clone();
            header.captured_at = Timestamp::new(header.captured_at.as_second(), nanoseconds).unwrap();
            whole = Snapshot::new(header, whole.resources().to_vec());
        }
        let store = place.open();
        let done = store.record("staging", &whole).unwrap();
        if minute == 0 {
            replayed = whole.resources().iter().map(|r| (r.key.clone(), r.clone())).collect();
        }
        for change in &done.changes {
            let before = replayed.remove(&change.key);
            replayed.extend(change.what.replay(before).map(|after| (change.key.clone(), after)));
        }
        prop_assert!(replayed.values().eq(whole.resources()), "as-of is replay");
        let mut kept = store.changes(&Query::of("staging")).unwrap();
        kept.retain(|change| change.entry == done.entry.number);
        prop_assert_eq!(&kept, &done.changes);
        recorded.push((done.entry, whole));
    }
    let store = place.open();
    for (entry, whole) in &recorded {
        let back = store.read(entry).unwrap();
        prop_assert_eq!(back.hash(), whole.hash());
        prop_assert_eq!(&back, whole);
        let as_of = store.as_of("staging", whole.header().captured_at).unwrap();
        prop_assert_eq!(as_of.as_ref(), Some(entry));
        let found = store.by_prefix("staging", whole.hash().to_string().get(..12).unwrap()).unwrap();
        prop_assert!(found.contains(entry));
    }
    assert_whole(&store, recorded.len());
    Ok(())
}

fn handing_in_what_changed_is_recording_the_whole(new: fn() -> Place) {
    let (place, other) = (new(), new());
    let (left, right) = (place.open(), other.open());
    let mut values: BTreeMap<u64, u64> = (0..2000).map(|n| (n, n)).collect();
    let mut base = left.record("staging", &of(0, &values, Vec::new())).unwrap().entry;
    right.record("staging", &of(0, &values, Vec::new())).unwrap();
    for minute in 1..12 {
        let changed: Vec<u64> =
            (0..5).map(|n| (n * 431 + 97 * u64::try_from(minute).unwrap()) % 2000).collect();
        values.extend(changed.iter().map(|n| (*n, n + 1000)));
        let gone = u64::try_from(minute).unwrap();
        values.remove(&gone);
        let resources = changed.iter().filter(|n| **n != gone).map(|n| resource(*n, n + 1000)).collect();
        let part =
            left.record_changed("staging", &base, resources, vec![key(gone)], &header(minute, Vec::new()));
        let part = part.unwrap();
        let whole = right.record("staging", &of(minute, &values, Vec::new())).unwrap();
        assert_eq!((part.entry.tree, &part.changes), (whole.entry.tree, &whole.changes));
        assert_eq!(part.entry.snapshot, None);
        assert!(part.new_chunks < 30, "{} new chunks", part.new_chunks);
        assert_eq!(Some(left.read(&part.entry).unwrap().hash()), whole.entry.snapshot);
        let known = left.as_of("staging", Timestamp::MAX).unwrap().unwrap();
        assert_eq!(known.snapshot, whole.entry.snapshot, "what was read is known from then on");
        base = part.entry;
    }
    assert_whole(&left, 12);
}

fn history_is_told_newest_first_and_takes_evidence(new: fn() -> Place) {
    let place = new();
    let store = place.open();
    for minute in 0..5 {
        let value = u64::try_from(minute).unwrap() * 4 + 1;
        store.record("staging", &of(minute, &BTreeMap::from([(1, value), (2, 7)]), Vec::new())).unwrap();
    }
    let query = Query { key: Some(key(1)), limit: 3, ..Query::of("staging") };
    let changes = store.changes(&query).unwrap();
    assert_eq!(changes.iter().map(|c| c.entry).collect::<Vec<_>>(), [5, 4, 3]);
    assert_eq!(changes[0].after, header(3, Vec::new()).captured_at);
    assert_eq!(changes[0].not_after, header(4, Vec::new()).captured_at);
    store.add_evidence("staging", &changes[1], r#"{"who":"carol"}"#, Some(changes[1].after)).unwrap();
    let changes = store.changes(&query).unwrap();
    assert_eq!(changes[1].evidence, [r#"{"who":"carol"}"#]);
    assert_eq!(changes[1].at, Some(changes[1].after));
    assert!(changes[0].evidence.is_empty());
    let count = |query: Query| store.changes(&query).unwrap().len();
    assert_eq!(count(Query { key: Some(key(2)), ..Query::of("staging") }), 0);
    assert_eq!(count(Query { since: header(3, Vec::new()).captured_at, ..Query::of("staging") }), 2);
    assert_eq!(count(Query { attribute: Some(AttributePath::new("fixed")), ..Query::of("staging") }), 0);
    let selector = parallax_model::selector::Selector::parse("env/*#field0").unwrap();
    assert_eq!(count(Query { selector: Some(selector), ..Query::of("staging") }), 4);
    assert_eq!(count(Query::of("nowhere")), 0);
}

fn what_cannot_be_seen_has_not_changed(new: fn() -> Place) {
    let place = new();
    let store = place.open();
    let hidden = || vec![Gap::new("env/V1", GapKind::Permission, "denied")];
    let both = |value| BTreeMap::from([(1, value), (2, 2)]);
    let only = BTreeMap::from([(2, 2)]);
    let record = |snapshot: &Snapshot| store.record("staging", snapshot).unwrap().changes;
    record(&of(0, &both(1), Vec::new()));
    assert_eq!(record(&of(1, &only, hidden())), []);
    assert_eq!(record(&of(2, &only, hidden())), []);
    assert_eq!(record(&of(3, &both(1), Vec::new())), [], "it is as it was when it was last seen");
    assert_eq!(record(&of(4, &only, hidden())), []);
    let changes = record(&of(5, &both(5), Vec::new()));
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(matches!(&changes[0].what, What::Attribute { before: Some(_), after: Some(_), .. }));
    assert_eq!(changes[0].after, header(3, Vec::new()).captured_at);
    assert_eq!(record(&of(6, &only, Vec::new())).len(), 1, "nothing hides it: it is gone");
}

fn entries_of_any_environments_are_compared(new: fn() -> Place) {
    let place = new();
    let store = place.open();
    let left = store.record("staging", &snapshot(0, 3000, 0, 0)).unwrap();
    let right = store.record("production", &snapshot(0, 3000, 7, 4)).unwrap();
    assert!(right.new_chunks < 12, "equal parts are kept once, {} are new", right.new_chunks);
    let differing = store.diff(&left.entry, &right.entry).unwrap();
    assert_eq!((differing.left.len(), differing.right.len()), (7, 7));
    assert_eq!(differing.equal.resources, 2993);
    assert_eq!(store.resource(&left.entry, &key(3)).unwrap(), Some(resource(3, 3)));
    assert_eq!(store.resource(&left.entry, &key(3000)).unwrap(), None);
    assert_eq!(store.under(&left.entry, "env").unwrap().len(), 3000);
    assert_eq!(store.environments().unwrap(), ["production", "staging"]);
}

fn relations_are_asked_from_either_end(new: fn() -> Place) {
    let place = new();
    let store = place.open();
    let chain = |n: u64, kind| {
        let mut resource = Resource::new(key(n), "env");
        resource.relate(Relation { kind, to: key((n + 1) % 4) });
        resource
    };
    let resources = (0..4).map(|n| chain(n, RelationKind::Calls)).chain([chain(1, RelationKind::Mounts)]);
    let whole = Snapshot::new(header(0, Vec::new()), resources.collect());
    let entry = store.record("staging", &whole).unwrap().entry;
    let graph = store.graph(&entry).unwrap();
    assert_eq!(graph.points_at(&key(1)).len(), 2);
    assert_eq!(graph.pointed_at_by(&key(0)), [Relation { kind: RelationKind::Calls, to: key(3) }]);
    let reached = |kinds: &[RelationKind], steps| {
        graph.reachable(&key(0), kinds, steps).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(reached(&[], 2), [(key(1), 1), (key(2), 2)]);
    assert_eq!(reached(&[], 99), [(key(1), 1), (key(2), 2), (key(3), 3)]);
    assert_eq!(reached(&[RelationKind::Mounts], 9), []);
}

fn retention_keeps_what_it_must_while_a_writer_writes(new: fn() -> Place) {
    let place = new();
    let store = place.open();
    let minute = |n: i64| n * 30;
    for n in 0..200 {
        store.record("staging", &snapshot(minute(n), 400, 3, n.unsigned_abs())).unwrap();
    }
    let all = store.entries("staging", Timestamp::MIN, Timestamp::MAX).unwrap();
    let (good, pinned) = (all[150].clone(), all[151].clone());
    store.mark_good(&good, good.captured_at).unwrap();
    store.pin(&pinned).unwrap();
    assert_eq!(store.last_good("staging").unwrap().map(|e| e.number), Some(good.number));
    let path = place.path();
    let writer = std::thread::spawn(move || {
        let store = Store::open(&path).unwrap();
        for n in 0..60 {
            // Some of what is recorded is in chunks that are being collected.
            store.record("production", &snapshot(minute(n), 400, 3, 150 - n.unsigned_abs())).unwrap();
        }
    });
    let now = header(minute(200), Vec::new()).captured_at;
    let policy = Policy { all_days: 1, hourly_days: 2, daily_days: 3 };
    let mut collected = Collected::default();
    while !writer.is_finished() {
        collected.entries += store.retain(policy, now).unwrap().entries;
        collected.chunks += store.gc().unwrap().chunks;
    }
    writer.join().unwrap();
    collected.entries += store.retain(policy, now).unwrap().entries;
    collected.chunks += store.gc().unwrap().chunks;
    assert!(collected.entries > 100 && collected.chunks > 100, "{collected:?}");
    let left = store.entries("staging", Timestamp::MIN, Timestamp::MAX).unwrap();
    let has = |number| left.iter().any(|entry| entry.number == number);
    assert!(has(good.number) && has(pinned.number) && has(200));
    assert!(left.len() < 100, "{}", left.len());
    let recent = all.iter().filter(|e| now.as_second() - e.captured_at.as_second() < 86_400);
    assert!(recent.clone().count() > 40 && recent.clone().all(|e| has(e.number)));
    assert!(store.verify().unwrap().problems.is_empty());
    assert_eq!(store.read(&good).unwrap().hash(), good.snapshot.unwrap());
    let changes = store.changes(&Query::of("staging")).unwrap();
    assert!(changes.iter().any(|change| !has(change.entry)), "changes outlive their entries");
}

fn what_takes_space_is_told(new: fn() -> Place) {
    let place = new();
    let store = place.open();
    assert_eq!((store.stats().unwrap().entries, store.stats().unwrap().chunks), (0, 0));
    store.record("staging", &snapshot(0, 300, 0, 0)).unwrap();
    let first = store.stats().unwrap();
    store.record("staging", &snapshot(1, 300, 9, 9)).unwrap();
    let second = store.stats().unwrap();
    assert_eq!((first.entries, second.entries, first.blocks, second.blocks), (1, 2, 0, 1));
    assert!(second.chunks > first.chunks && second.chunk_bytes > first.chunk_bytes && second.block_bytes > 0);
    assert!(second.bytes >= second.chunk_bytes + second.block_bytes);
}
