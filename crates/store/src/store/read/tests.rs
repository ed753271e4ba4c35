//! A thousand comparisons over SQLite, held against brute force; and what is read after others read before.

use std::collections::BTreeMap;

use parallax_model::{Key, Resource, Snapshot, Timestamp};

use crate::store::tests::{Place, header};
use crate::tree::Counts;
use crate::{Entry, Store};

/// Numbers that look random, the same ones each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn resource(number: u64, value: u64) -> Resource {
    let key = Key::of(["k8s", &format!("team-{}", number % 5), &format!("object-{number}")]);
    let fields = (0..number % 7).map(|field| (format!("spec.f{field}"), format!("{value}-{field}")));
    fields.fold(Resource::new(key, "object"), |resource, (path, text)| resource.with(&path, text))
}

/// Snapshots that each differ from the one before: much, little, or in a whole region.
fn recorded(store: &Store, count: i64) -> Vec<(Entry, Snapshot)> {
    let mut random = Random(7);
    let mut values: BTreeMap<u64, u64> = (0..600).map(|n| (n, 0)).collect();
    let one = |minute: i64| {
        match random.below(4) {
            0 => values.retain(|n, _| n % 97 != minute.unsigned_abs() % 97),
            1 => values.extend((0..random.below(300)).map(|n| (n * 3 + 1000, minute.unsigned_abs()))),
            2 => values.retain(|n, _| *n < 1000),
            _ => {}
        }
        for _ in 0..random.below(8) {
            values.insert(random.below(900), random.below(3));
        }
        let resources = values.iter().map(|(n, value)| resource(*n, *value)).collect();
        let whole = Snapshot::new(header(minute, Vec::new()), resources);
        (store.record("staging", &whole).unwrap().entry, whole)
    };
    (0..count).map(one).collect()
}

fn brute_force(left: &Snapshot, right: &Snapshot) -> (Vec<Resource>, Vec<Resource>, Counts) {
    let only = |this: &Snapshot, other: &Snapshot| {
        let differs = |resource: &&Resource| other.get(&resource.key) != Some(resource);
        this.resources().iter().filter(differs).cloned().collect::<Vec<_>>()
    };
    let equal = left.resources().iter().filter(|resource| right.get(&resource.key) == Some(resource));
    let attributes: usize = equal.clone().map(|resource| resource.attributes.len()).sum();
    let count = |n: usize| u64::try_from(n).unwrap();
    let equal = Counts { resources: count(equal.count()), attributes: count(attributes) };
    (only(left, right), only(right, left), equal)
}

#[test]
fn a_thousand_pairs_compare_as_by_brute_force_and_changes_replay() {
    let place = Place::new();
    let all = recorded(&place.open(), 46);
    let store = place.open();
    let mut pairs = 0;
    for (left, before) in &all {
        // Each row of pairs begins without anything at hand.
        let fresh = place.open();
        for (right, after) in all.iter().filter(|(right, _)| right.number > left.number) {
            let (left, right) = if pairs % 2 == 0 { (left, right) } else { (right, left) };
            let (before, after) = if pairs % 2 == 0 { (before, after) } else { (after, before) };
            let found = fresh.diff(left, right).unwrap();
            assert_eq!((found.left, found.right, found.equal), brute_force(before, after));
            pairs += 1;
        }
    }
    assert!(pairs > 1000, "{pairs}");
    let mut changes = store.changes(&crate::Query::of("staging")).unwrap();
    changes.sort_by_key(|change| change.entry);
    let mut replayed: BTreeMap<Key, Resource> = BTreeMap::new();
    replayed.extend(all[0].1.resources().iter().map(|r| (r.key.clone(), r.clone())));
    for (entry, whole) in &all {
        for change in changes.iter().filter(|change| change.entry == entry.number) {
            let before = replayed.remove(&change.key);
            replayed.extend(change.what.replay(before).map(|after| (change.key.clone(), after)));
        }
        assert!(replayed.values().eq(whole.resources()), "entry {}", entry.number);
        let as_of = store.as_of("staging", whole.header().captured_at).unwrap().unwrap();
        assert_eq!(store.read(&as_of).unwrap(), *whole);
    }
}

#[test]
fn what_is_at_hand_does_not_hide_what_was_collected() {
    let place = Place::new();
    let (store, other) = (place.open(), place.open());
    let all = recorded(&store, 6);
    for (entry, whole) in &all {
        assert_eq!(store.read(entry).unwrap(), *whole);
    }
    let policy = crate::Policy { all_days: 0, hourly_days: 0, daily_days: 0 };
    assert!(other.retain(policy, Timestamp::MAX).unwrap().entries > 0 && other.gc().unwrap().chunks > 0);
    // What this one still holds in memory is written anew, as the backend has it no more.
    let (_, whole) = &all[2];
    let later = Snapshot::new(header(99, Vec::new()), whole.resources().to_vec());
    let again = store.record("staging", &later).unwrap();
    assert!(again.new_chunks > 0);
    assert_eq!(place.open().read(&again.entry).unwrap(), later);
    assert!(place.open().verify().unwrap().problems.is_empty());
}
