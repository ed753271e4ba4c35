//! Tests of what is told as a change: never what an entry could not tell, never twice, never in the wrong interval.

use parallax_model::{
    Fingerprint, Gap, GapKind, Key, Resource, Snapshot, SnapshotHeader, SourceReport, SourceStatus,
    Timestamp, Value,
};

use crate::store::tests::{Place, assert_whole, header, snapshot};
use crate::{Change, Query, Store, What};

fn record(store: &Store, header: SnapshotHeader, resources: &[Resource]) -> Vec<String> {
    let done = store.record("staging", &Snapshot::new(header, resources.to_vec())).unwrap();
    assert!(done.changes.iter().all(|change| change.after <= change.not_after));
    done.changes.iter().map(told).collect()
}

/// A change in a line: which, what, and after which minute.
fn told(change: &Change) -> String {
    let text = |value: &Option<Value>| match value {
        Some(Value::Text(text)) => text.to_string(),
        Some(Value::Secret(Fingerprint::Keyed { mac, .. })) => mac.to_string(),
        Some(other) => other.sort().to_owned(),
        None => "nothing".to_owned(),
    };
    let what = match &change.what {
        What::Appeared(_) => "appeared".to_owned(),
        What::Vanished(_) => "vanished".to_owned(),
        What::Attribute { path, before, after } => format!("{path} {} to {}", text(before), text(after)),
        What::Shape { .. } => "shape".to_owned(),
    };
    let minute = (change.after.as_second() - 1_800_000_000) / 60;
    format!("{} {what} after {minute}", change.key)
}

fn plain(key: &str, value: &str) -> Resource {
    Resource::new(Key::parse(key).unwrap(), "pin").with("value", value)
}

fn secret(key: &str, fingerprint: &str) -> Resource {
    let value = Value::Secret(Fingerprint::parse(fingerprint).unwrap());
    Resource::new(Key::parse(key).unwrap(), "env").with("value", value)
}

fn keyed(key_id: &str, mac: char) -> String {
    format!("fingerprint:{key_id}:{}", mac.to_string().repeat(32))
}

#[test]
fn fingerprints_of_other_keys_say_nothing() {
    let place = Place::new();
    let store = place.open();
    let (one, two) = ("00000001", "00000002");
    let with = |minute: i64, key_id: Option<&str>, fingerprint: &str| {
        let header = SnapshotHeader { key_id: key_id.map(Into::into), ..header(minute, Vec::new()) };
        record(&store, header, &[secret("env/TOKEN", fingerprint)])
    };
    let none: [String; 0] = [];
    let (a, b) = ("a".repeat(32), "b".repeat(32));
    assert_eq!(with(0, Some(one), &keyed(one, 'a')), none);
    assert_eq!(with(1, Some(two), &keyed(two, 'f')), none, "another key");
    assert_eq!(with(2, Some(one), &keyed(one, 'a')), none, "as it was by that key");
    assert_eq!(with(3, None, "present"), none, "only presence");
    let rotated = format!("env/TOKEN value {a} to {b} after 2");
    assert_eq!(with(4, Some(one), &keyed(one, 'b')), [rotated], "held against the last of that key");
    assert_eq!(with(5, Some("00000003"), &keyed("00000003", 'c')), none, "a key that nobody had before");
    assert_eq!(with(6, None, "present"), none);
    assert_eq!(record(&store, header(7, Vec::new()), &[]), ["env/TOKEN vanished after 6"]);
    assert_eq!(with(8, None, "present"), ["env/TOKEN appeared after 7"], "presence is seen without a key");
    let bare = record(&store, header(9, Vec::new()), &[plain("env/TOKEN", "x")]);
    assert_eq!(bare, ["env/TOKEN shape after 8", "env/TOKEN value secret to x after 8"], "masked no more");
}

fn project(minute: i64, status: Option<SourceStatus>) -> SnapshotHeader {
    let report = |source: &str, status| SourceReport {
        source: source.into(),
        place: "this machine".into(),
        status,
        why: None,
    };
    let host = report("host", SourceStatus::Complete);
    let sources = [host].into_iter().chain(status.map(|status| report("project", status))).collect();
    SnapshotHeader { sources, ..header(minute, Vec::new()) }
}

#[test]
fn a_source_that_did_not_look_has_seen_nothing_vanish() {
    let host = || plain("host/os", "debian");
    let pins = |value: &str| [host(), plain("pin/go", "1.22"), plain("pin/node", value)];
    let none: [String; 0] = [];
    for blind in [Some(SourceStatus::Skipped), Some(SourceStatus::Failed), None] {
        let place = Place::new();
        let store = place.open();
        let ran = |minute| project(minute, Some(SourceStatus::Complete));
        record(&store, ran(0), &pins("18"));
        assert_eq!(record(&store, project(1, blind), &[host()]), none, "{blind:?}");
        assert_eq!(record(&store, project(2, blind), &[host()]), none, "{blind:?}");
        assert_eq!(record(&store, ran(3), &pins("18")), none, "all is as it was");
        record(&store, project(4, blind), &[host()]);
        let moved = "pin/node value 18 to 20 after 3";
        assert_eq!(record(&store, ran(5), &pins("20")), [moved], "{blind:?}");
        record(&store, project(6, blind), &[host()]);
        let left = [host(), plain("pin/node", "20"), plain("pin/rust", "1.89")];
        let expected = ["pin/go vanished after 5", "pin/rust appeared after 5"];
        assert_eq!(record(&store, ran(7), &left), expected, "what vanished and came unseen: {blind:?}");
        let expected = ["pin/node vanished after 7", "pin/rust vanished after 7"];
        assert_eq!(record(&store, ran(8), &[host()]), expected, "somebody looked");
        assert_whole(&store, 9);
    }
}

#[test]
fn what_a_gap_hid_is_told_when_it_is_gone() {
    let place = Place::new();
    let store = place.open();
    let gap = |minute, what: &str| header(minute, vec![Gap::new(what, GapKind::Permission, "denied")]);
    let none: [String; 0] = [];
    let (a, b) = (plain("env/A", "1"), plain("env/B", "1"));
    record(&store, header(0, Vec::new()), &[a.clone(), b.clone()]);
    assert_eq!(record(&store, gap(1, "env/B"), std::slice::from_ref(&a)), none);
    assert_eq!(record(&store, gap(2, "env/*"), &[]), none);
    assert_eq!(record(&store, header(3, Vec::new()), std::slice::from_ref(&a)), ["env/B vanished after 0"]);
    assert_eq!(record(&store, gap(4, "no//selector"), &[]), none, "it could hide anything");
    let cut = Resource::new(a.key.clone(), "pin");
    assert_eq!(record(&store, gap(5, "env/A#value"), &[cut]), none);
    assert_eq!(record(&store, header(6, Vec::new()), &[plain("env/A", "2")]), ["env/A value 1 to 2 after 3"]);
}

#[test]
fn what_was_never_seen_did_not_appear() {
    let place = Place::new();
    let store = place.open();
    let none: [String; 0] = [];
    // Each header is another.
    for minute in 0..80 {
        let why = format!("denied {minute}");
        let header = header(minute, vec![Gap::new("pin/**", GapKind::Permission, why)]);
        assert_eq!(record(&store, header, &[plain("host/os", "debian")]), none);
    }
    let all = [plain("host/os", "debian"), plain("pin/node", "18")];
    assert_eq!(record(&store, header(80, Vec::new()), &all), none, "seen for the first time");
    assert_eq!(record(&store, header(81, Vec::new()), &all[..1]), ["pin/node vanished after 80"]);
}

/// However long a gap was, and whatever it was told to be of.
#[test]
fn a_change_behind_a_long_gap_is_told() {
    for (count, is_alike) in [(80, false), (1100, true)] {
        let place = Place::new();
        let store = place.open();
        let none: [String; 0] = [];
        assert_eq!(record(&store, header(0, Vec::new()), &[plain("pin/node", "18")]), none);
        for minute in 1..=count {
            let why = if is_alike { "denied".to_owned() } else { format!("denied {minute}") };
            let header = header(minute, vec![Gap::new("pin/**", GapKind::Permission, why)]);
            assert_eq!(record(&store, header, &[]), none);
        }
        let now = record(&store, header(count + 1, Vec::new()), &[plain("pin/node", "20")]);
        assert_eq!(now, ["pin/node value 18 to 20 after 0"], "{count}");
    }
}

#[test]
fn an_older_snapshot_takes_its_place_in_time() {
    let place = Place::new();
    let store = place.open();
    let at = |minute, value: &str| record(&store, header(minute, Vec::new()), &[plain("pin/node", value)]);
    let none: [String; 0] = [];
    assert_eq!(at(10, "18"), none);
    assert_eq!(at(30, "20"), ["pin/node value 18 to 20 after 10"]);
    assert_eq!(at(20, "19"), ["pin/node value 18 to 19 after 10"], "since what came before it in time");
    assert_eq!(at(5, "17"), none, "nothing came before it");
    assert_eq!(at(40, "20"), none, "what is latest in time is what counts");
    assert_eq!(at(35, "20"), none);
    let minute = |minute| header(minute, Vec::new()).captured_at;
    for (asked, expected) in
        [(4, None), (5, Some(4)), (15, Some(1)), (25, Some(3)), (30, Some(2)), (99, Some(5))]
    {
        let found = store.as_of("staging", minute(asked)).unwrap().map(|entry| entry.number);
        assert_eq!(found, expected, "as of minute {asked}");
    }
    let told: Vec<String> = store.changes(&Query::of("staging")).unwrap().iter().map(told).collect();
    let expected = [
        "pin/node value 19 to 20 after 20",
        "pin/node value 18 to 20 after 10",
        "pin/node value 18 to 19 after 10",
        "pin/node value 17 to 18 after 5",
    ];
    assert_eq!(told, expected);
    assert_whole(&store, 6);
    let other = Place::new();
    assert_eq!(store.copy_to(&other.open(), &mut |_, _| ()).unwrap().problems, []);
    let changes = |store: &Store| store.changes(&Query::of("staging")).unwrap();
    assert_eq!(changes(&other.open()), changes(&store));
}

#[test]
fn a_change_back_is_told_of_what_is_recorded_late() {
    let place = Place::new();
    let store = place.open();
    let at = |minute, value: &str| {
        let whole = Snapshot::new(header(minute, Vec::new()), vec![plain("pin/node", value)]);
        store.record("staging", &whole).unwrap()
    };
    at(10, "1");
    at(30, "1");
    let done = at(20, "2");
    assert_eq!(done.before.map(|entry| entry.number), Some(1), "what it was held against");
    let changes = store.changes(&Query::of("staging")).unwrap();
    let lines: Vec<String> = changes.iter().map(told).collect();
    assert_eq!(lines, ["pin/node value 2 to 1 after 20", "pin/node value 1 to 2 after 10"]);
    assert_eq!(changes[0].not_after, header(30, Vec::new()).captured_at);
    let first = Query { limit: 1, ..Query::of("staging") };
    assert_eq!(store.changes(&first).unwrap(), changes[..1]);
    assert_whole(&store, 3);
}

#[test]
fn a_limit_leaves_the_first_keys() {
    let place = Place::new();
    let store = place.open();
    let all = |value: &str| (10..99).map(|n| plain(&format!("pin/{n}"), value)).collect::<Vec<_>>();
    record(&store, header(0, Vec::new()), &all("1"));
    record(&store, header(1, Vec::new()), &all("2"));
    for limit in [0, 1, 40, 89, 100] {
        let changes = store.changes(&Query { limit, ..Query::of("staging") }).unwrap();
        let keys: Vec<String> = changes.iter().map(|change| change.key.to_string()).collect();
        let expected: Vec<String> = (10..99).take(limit).map(|n| format!("pin/{n}")).collect();
        assert_eq!(keys, expected);
    }
}

#[test]
fn recording_the_same_again_is_no_second_entry() {
    let place = Place::new();
    let store = place.open();
    let (first, second) = (snapshot(0, 300, 0, 0), snapshot(1, 300, 5, 9));
    let recorded = [&first, &second].map(|whole| store.record("staging", whole).unwrap());
    for (whole, known) in [&first, &second, &first].into_iter().zip([0, 1, 0]) {
        let again = store.record("staging", whole).unwrap();
        assert_eq!(
            (again.entry, again.changes, again.new_chunks),
            (recorded[known].entry.clone(), Vec::new(), 0)
        );
    }
    let entries = |store: &Store| store.entries("staging", Timestamp::MIN, Timestamp::MAX).unwrap().len();
    assert_eq!(entries(&store), 2);
    // At the same time, and yet something else; then the same at another time.
    assert_eq!(store.record("staging", &snapshot(1, 300, 5, 10)).unwrap().entry.number, 3);
    assert_eq!(store.record("staging", &snapshot(2, 300, 5, 10)).unwrap().changes, []);
    assert_eq!(entries(&store), 4);
    assert_whole(&store, 4);
}

#[test]
fn what_was_not_asked_for_neither_vanished_nor_appeared() {
    let place = Place::new();
    let store = place.open();
    let asked = |minute, names: Option<&[&str]>| {
        let mut header = header(minute, Vec::new());
        let report = |status| SourceReport {
            source: "environment".into(),
            place: "this machine".into(),
            status,
            why: None,
        };
        header.sources.push(report(SourceStatus::Complete));
        if let Some(names) = names {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            header.sources.push(SourceReport::asked_only_for("environment", "this machine", &names));
        }
        header
    };
    let env = |values: &[(&str, &str)]| -> Vec<Resource> {
        values.iter().map(|(name, value)| plain(&format!("env/{name}"), value)).collect()
    };
    let none: [String; 0] = [];
    let both: Option<&[&str]> = Some(&["A", "B"]);
    let one: Option<&[&str]> = Some(&["A"]);
    assert_eq!(record(&store, asked(0, both), &env(&[("A", "1"), ("B", "1")])), none);
    assert_eq!(record(&store, asked(1, one), &env(&[("A", "1")])), none, "B is not asked for");
    assert_eq!(record(&store, asked(2, one), &env(&[("A", "2")])), ["env/A value 1 to 2 after 1"]);
    assert_eq!(record(&store, asked(3, one), &[]), ["env/A vanished after 2"], "what is asked for is seen");
    assert_eq!(record(&store, asked(4, one), &env(&[("A", "2")])), ["env/A appeared after 3"]);
    let back = env(&[("A", "2"), ("B", "2")]);
    assert_eq!(record(&store, asked(5, both), &back), ["env/B value 1 to 2 after 0"], "asked for again");
    assert_eq!(record(&store, asked(6, both), &env(&[("A", "2")])), ["env/B vanished after 5"]);
    let all = env(&[("A", "2"), ("C", "1")]);
    assert_eq!(record(&store, asked(7, None), &all), none, "C may have been there");
    assert_eq!(record(&store, asked(8, one), &env(&[("A", "2")])), none);
    assert_eq!(record(&store, asked(9, None), &env(&[("A", "2")])), ["env/C vanished after 7"]);
    assert_eq!(record(&store, asked(10, Some(&[])), &[]), none, "nothing is asked for");
    assert_whole(&store, 11);
}
