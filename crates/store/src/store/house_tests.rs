//! Tests of keeping house: collecting, copying, salvage, and the graph of relations held against brute force.

#![expect(clippy::disallowed_methods, reason = "these tests damage files of their own")]
#![expect(clippy::print_stdout, reason = "how much is saved is a figure to look at")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parallax_model::{Key, Relation, RelationKind, Resource, Snapshot};
use proptest::prelude::*;

use super::tests::{Place, assert_whole, header, snapshot};
use super::*;

fn filled(place: &Place, environments: &[&str], entries: u64) -> Store {
    let store = place.open();
    for (at, environment) in (0..).zip(environments) {
        for n in 0..entries {
            let whole = snapshot(i64::try_from(n * 30).unwrap(), 300, 6, n * 7 + at);
            store.record(environment, &whole).unwrap();
        }
    }
    store
}

/// All that a store tells of an environment.
fn told(store: &Store, environment: &str) -> (Vec<Entry>, Vec<String>, Vec<crate::Change>) {
    let entries = store.entries(environment, Timestamp::MIN, Timestamp::MAX).unwrap();
    let hashes = entries.iter().map(|entry| store.read(entry).unwrap().hash().to_string()).collect();
    (entries, hashes, store.changes(&Query::of(environment)).unwrap())
}

fn first(store: &Store, environment: &str, number: u64) -> Entry {
    let entries = store.entries(environment, Timestamp::MIN, Timestamp::MAX).unwrap();
    entries.into_iter().find(|entry| entry.number == number).unwrap()
}

#[test]
fn a_copy_has_all_and_takes_only_what_is_new_when_done_again() {
    let (place, other) = (Place::new(), Place::new());
    let store = filled(&place, &["production", "staging"], 20);
    store.mark_good(&first(&store, "staging", 4), header(9, Vec::new()).captured_at).unwrap();
    store.pin(&first(&store, "staging", 5)).unwrap();
    let changes = store.changes(&Query::of("staging")).unwrap();
    store.add_evidence("staging", &changes[0], r#"{"who":"carol"}"#, None).unwrap();
    let copy = other.open();
    let mut steps = Vec::new();
    let copied = store.copy_to(&copy, &mut |done, of| steps.push((done, of))).unwrap();
    assert_eq!((copied.entries, copied.already, copied.evidence, &copied.problems), (40, 0, 1, &Vec::new()));
    assert_eq!((steps.len(), steps.last()), (80, Some(&(80, 80))));
    let same = |environment| assert_eq!(told(&store, environment), told(&copy, environment));
    ["production", "staging"].into_iter().for_each(same);
    assert_whole(&copy, 40);
    assert_eq!(store.stats().unwrap().chunks, copy.stats().unwrap().chunks);

    let again = store.copy_to(&copy, &mut |_, _| ()).unwrap();
    assert_eq!((again.entries, again.already, again.chunks, again.evidence, again.marks), (0, 40, 0, 0, 0));
    store.record("staging", &snapshot(700, 300, 3, 91)).unwrap();
    store.pin(&first(&store, "staging", 7)).unwrap();
    store.add_evidence("staging", &changes[0], r#"{"how":"kubectl"}"#, None).unwrap();
    let more = store.copy_to(&copy, &mut |_, _| ()).unwrap();
    assert_eq!((more.entries, more.evidence, more.marks), (1, 1, 1));
    same("staging");

    // And back, as an empty store knows nothing else.
    let third = Place::new();
    copy.copy_to(&third.open(), &mut |_, _| ()).unwrap();
    assert_eq!(told(&third.open(), "staging"), told(&store, "staging"));
    // What is recorded in the copy goes on from there.
    copy.record("staging", &snapshot(701, 300, 3, 92)).unwrap();
    assert_eq!(copy.copy_to(&store, &mut |_, _| ()).unwrap().entries, 1);
    same("staging");
}

#[test]
fn collected_entries_are_not_brought_again_and_their_changes_are_kept() {
    let (place, other) = (Place::new(), Place::new());
    let store = filled(&place, &["staging"], 50);
    let policy = Policy { all_days: 0, hourly_days: 0, daily_days: 0 };
    let now = header(300_000, Vec::new()).captured_at;
    let copy = other.open();
    assert_eq!(store.copy_to(&copy, &mut |_, _| ()).unwrap().entries, 50);
    let removed = copy.retain(policy, now).unwrap().entries;
    assert!(removed > 40 && copy.gc().unwrap().chunks > 0, "{removed}");
    let again = store.copy_to(&copy, &mut |_, _| ()).unwrap();
    assert_eq!((again.entries, again.already), (0, 50 - removed));
    // Something names one that the other has collected.
    store.pin(&first(&store, "staging", 3)).unwrap();
    assert_eq!(store.copy_to(&copy, &mut |_, _| ()).unwrap().entries, 1);
    assert_whole(&copy, 51 - removed);
    // A store that was collected goes into an empty one with all its changes.
    store.retain(policy, now).unwrap();
    store.gc().unwrap();
    let third = Place::new();
    store.copy_to(&third.open(), &mut |_, _| ()).unwrap();
    assert_eq!(told(&third.open(), "staging"), told(&store, "staging"));
    assert_eq!(third.open().verify().unwrap().problems, []);
    // Both have collected what they had in common; the changes tell that they are one.
    let (left, right) = (Place::new(), Place::new());
    let source = filled(&left, &["staging"], 30);
    let target = right.open();
    source.copy_to(&target, &mut |_, _| ()).unwrap();
    for n in 30..40 {
        source.record("staging", &snapshot(90_000 + n, 300, 6, n.unsigned_abs() * 7)).unwrap();
    }
    source.retain(policy, now).unwrap();
    assert!(source.copy_to(&target, &mut |_, _| ()).unwrap().entries > 0);
}

#[test]
fn another_history_is_refused_before_anything_is_copied() {
    let (place, other) = (Place::new(), Place::new());
    let store = filled(&place, &["aaa", "staging"], 5);
    let check = |make: &dyn Fn(&Store), expected: &str| {
        let other = Place::new();
        let copy = other.open();
        make(&copy);
        let before = copy.stats().unwrap();
        let error = store.copy_to(&copy, &mut |_, _| ()).unwrap_err();
        assert!(matches!(error, StoreError::OtherHistory { .. }), "{error:?}");
        assert!(error.to_string().contains("`staging`") && error.to_string().contains(expected), "{error}");
        assert_eq!(copy.stats().unwrap().entries, before.entries);
    };
    let record = |store: &Store, minute| {
        store.record("staging", &snapshot(minute, 30, 6, 9)).unwrap();
    };
    check(&|copy| record(copy, 3), "entry 1 is another one");
    check(&|copy| (0..6).for_each(|minute| record(copy, minute)), "its latest entry is 6, here it is 5");
    let copy = other.open();
    store.copy_to(&copy, &mut |_, _| ()).unwrap();
    record(&copy, 999);
    assert!(store.copy_to(&copy, &mut |_, _| ()).is_err(), "the copy went on by itself");
    record(&store, 998);
    assert!(store.copy_to(&copy, &mut |_, _| ()).is_err(), "both went on, each by itself");
    assert_whole(&copy, 11);
}

#[test]
fn what_would_be_collected_is_what_is_collected_and_the_file_shrinks() {
    let place = Place::new();
    let store = filled(&place, &["staging", "production"], 150);
    let policy = Policy { all_days: 1, hourly_days: 2, daily_days: 3 };
    let now = header(150 * 30, Vec::new()).captured_at;
    let due = store.due(policy, now).unwrap();
    let before = store.stats().unwrap();
    let expected = store.gc_without(&due).unwrap();
    assert_eq!(store.stats().unwrap(), before, "nothing was changed");
    let entries = store.retain(policy, now).unwrap().entries;
    let collected = store.gc().unwrap();
    assert_eq!(Collected { entries, ..collected }, expected);
    assert!(entries > 100 && collected.chunks > 100, "{expected:?}");
    store.shrink().unwrap();
    let after = store.stats().unwrap();
    assert_eq!(after.chunk_bytes + collected.bytes, before.chunk_bytes);
    assert!(after.bytes + collected.bytes <= before.bytes, "{before:?} {after:?}");
    let on_disk = std::fs::metadata(place.path()).unwrap().len();
    assert_eq!(on_disk, after.bytes);
    assert_eq!(store.gc().unwrap(), Collected::default());
    assert_eq!(store.verify().unwrap().problems, []);
}

#[test]
fn a_survey_counts_what_is_kept() {
    let place = Place::new();
    let store = filled(&place, &["staging"], 10);
    store.mark_good(&first(&store, "staging", 4), header(9, Vec::new()).captured_at).unwrap();
    let survey = store.survey().unwrap();
    assert_eq!(survey.about, crate::About { engine: "SQLite", schema: 1 });
    let [of] = survey.environments.as_slice() else { panic!("{survey:?}") };
    assert_eq!((of.entries, of.good, of.pinned), (10, 1, 0));
    assert_eq!(of.last_good.as_ref().map(|entry| entry.number), Some(4));
    let minute = |minute| header(minute, Vec::new()).captured_at;
    assert_eq!(of.between, Some((minute(0), minute(270))));
    // Each entry has some chunks, most of which the one before had.
    assert!(survey.named_chunks > survey.sizes.chunks, "{survey:?}");
    assert_eq!(Place::new().open().survey().unwrap().named_chunks, 0);
}

/// Writes a damaged file, salvages it, and holds all that was saved against what was recorded.
fn salvaged(damaged: &[u8], recorded: &BTreeMap<(String, u64), Digest>) -> Option<Salvaged> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("damaged.db"), folder.path().join("new.db"));
    std::fs::write(&from, damaged).unwrap();
    let saved = Store::salvage(&from, &to, &mut |_, _| ());
    assert!(std::fs::read(&from).unwrap() == damaged, "the damaged file was touched");
    let saved = match saved {
        Ok(saved) => saved,
        Err(StoreError::NotAStore { .. }) => return None,
        Err(error) => panic!("{error:?}"),
    };
    assert_eq!(saved.problems, []);
    let store = Store::open(&to.display().to_string()).unwrap();
    let mut found = 0;
    for environment in store.environments().unwrap() {
        for entry in store.entries(&environment, Timestamp::MIN, Timestamp::MAX).unwrap() {
            let hash = store.read(&entry).unwrap().hash();
            // Of a name that could be held against nothing, this is said.
            let is_unsure =
                |lost: &Problem| lost.environment.as_ref() == Some(&environment) && lost.entry.is_none();
            let is_named = !saved.lost.iter().any(is_unsure);
            let expected = recorded.get(&(environment.clone(), entry.number));
            assert!(expected == Some(&hash) || !is_named, "a wrong snapshot: {environment} {}", entry.number);
            assert!(is_named || recorded.values().any(|known| *known == hash));
            found += 1;
        }
        // The store goes on.
        store.record(&environment, &snapshot(9999, 20, 3, 3)).unwrap();
    }
    assert_eq!(found, saved.entries);
    Some(saved)
}

fn recording() -> (Vec<u8>, BTreeMap<(String, u64), Digest>) {
    let place = Place::new();
    let store = filled(&place, &["production", "staging"], 40);
    let policy = Policy { all_days: 0, hourly_days: 1, daily_days: 1 };
    let mut recorded = BTreeMap::new();
    for environment in ["production", "staging"] {
        for entry in store.entries(environment, Timestamp::MIN, Timestamp::MAX).unwrap() {
            recorded.insert((environment.to_owned(), entry.number), entry.snapshot.unwrap());
        }
    }
    store.mark_good(&first(&store, "staging", 4), header(9, Vec::new()).captured_at).unwrap();
    let changes = store.changes(&Query::of("staging")).unwrap();
    store.add_evidence("staging", &changes[0], r#"{"who":"carol"}"#, None).unwrap();
    // Free pages, whose rows must not come back as others.
    store.retain(policy, header(90_000, Vec::new()).captured_at).unwrap();
    store.gc().unwrap();
    for n in 40..80_u64 {
        let whole = snapshot(i64::try_from(n * 30).unwrap(), 300, 6, n * 7);
        recorded.insert(("production".to_owned(), n + 1), whole.hash());
        store.record("production", &whole).unwrap();
    }
    drop(store);
    (std::fs::read(place.path()).unwrap(), recorded)
}

#[test]
fn a_whole_file_is_salvaged_whole() {
    let place = Place::new();
    let store = filled(&place, &["production", "staging"], 30);
    store.mark_good(&first(&store, "staging", 4), header(9, Vec::new()).captured_at).unwrap();
    let changes = store.changes(&Query::of("staging")).unwrap();
    store.add_evidence("staging", &changes[0], r#"{"who":"carol"}"#, None).unwrap();
    // The last of it is in the log only, as it is when a writer is killed.
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("damaged.db"), folder.path().join("new.db"));
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(name(Path::new(&place.path())), name(&from)).unwrap();
    }
    assert!(std::fs::metadata(format!("{}-wal", from.display())).unwrap().len() > 0);
    let saved = Store::salvage(&from, &to, &mut |_, _| ()).unwrap();
    assert_eq!((saved.entries, saved.lost_entries, &saved.lost), (60, 0, &Vec::new()));
    let new = Store::open(&to.display().to_string()).unwrap();
    for environment in ["production", "staging"] {
        assert_eq!(told(&new, environment), told(&store, environment));
    }
    let again = Store::salvage(&from, &to, &mut |_, _| ()).unwrap_err();
    assert!(again.to_string().contains("it is there already"), "{again}");
}

#[test]
fn of_a_truncated_file_what_is_whole_is_saved_and_nothing_is_made_up() {
    let (whole, recorded) = recording();
    let all = salvaged(&whole, &recorded).unwrap();
    assert_eq!((all.lost_entries, all.lost_pages, &all.lost), (0, 0, &Vec::new()));
    let (mut share, mut before) = (Vec::new(), 0);
    for part in 0..=20 {
        // Some cuts are within a page.
        let keep = whole.len() * part / 20;
        let saved = salvaged(&whole[..keep], &recorded).map_or(0, |saved| saved.entries);
        assert!(saved + 3 >= before, "{saved} of a longer file, {before} of a shorter one");
        before = before.max(saved);
        share.push(saved * 100 / all.entries);
    }
    println!("saved of a file cut after each twentieth, in percent: {share:?}");
    assert_eq!(share.last(), Some(&100));
    assert!(share[18] >= 25, "{share:?}");
}

#[test]
fn of_a_file_with_zeroed_pages_what_is_whole_is_saved_and_what_is_not_is_listed() {
    let (whole, recorded) = recording();
    let all = salvaged(&whole, &recorded).unwrap().entries;
    let (mut random, mut shares) = (77_u64, Vec::new());
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    for pages in [1, 1, 1, 2, 2, 4, 4, 8, 8, 16, 32, 64] {
        let mut damaged = whole.clone();
        for _ in 0..pages {
            let at = next(whole.len() / 4096) * 4096;
            damaged[at..at + 4096].fill(0);
        }
        let Some(saved) = salvaged(&damaged, &recorded) else { continue };
        assert!(saved.lost_pages > 0 && saved.entries <= all, "{saved:?}");
        shares.push((pages, saved.entries * 100 / all));
    }
    println!("saved of {} pages with so many zeroed, in percent: {shares:?}", whole.len() / 4096);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_damage_makes_a_wrong_snapshot_or_a_panic(
        spots in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 1..2000_usize), 1..20),
        keep in 0.2..1.2_f64,
    ) {
        thread_local! {
            static RECORDING: (Vec<u8>, BTreeMap<(String, u64), Digest>) = recording();
        }
        RECORDING.with(|(whole, recorded)| {
            let mut damaged = whole.clone();
            for (at, byte, length) in &spots {
                let at = at.index(damaged.len());
                let end = (at + length).min(damaged.len());
                damaged[at..end].fill(*byte);
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
                reason = "a share of a small file")]
            damaged.truncate((whole.len() as f64 * keep) as usize);
            let _saved = salvaged(&damaged, recorded);
        });
    }

    #[test]
    fn the_graph_is_what_brute_force_finds(
        edges in prop::collection::btree_set((0..12_u8, 0..14_u8, 0..3_usize), 0..40),
        from in 0..14_u8,
        wanted in prop::collection::btree_set(0..3_usize, 0..3),
        steps in 0..6_usize,
    ) {
        const KINDS: [RelationKind; 3] = [RelationKind::Calls, RelationKind::Mounts, RelationKind::DependsOn];
        let key = |n: u8| Key::of(["env", &format!("V{n}")]);
        // Targets 12 and 13 do not exist; an edge may lead to where it comes from.
        let mut resources: Vec<Resource> = (0..12).map(|n| Resource::new(key(n), "env")).collect();
        for (at, to, kind) in &edges {
            resources[usize::from(*at)].relate(Relation { kind: KINDS[*kind], to: key(*to) });
        }
        let place = Place::new();
        let store = place.open();
        let entry = store.record("staging", &Snapshot::new(header(0, Vec::new()), resources)).unwrap().entry;
        let graph = store.graph(&entry).unwrap();
        let related = |kind: usize, to: u8| Relation { kind: KINDS[kind], to: key(to) };
        let out: BTreeSet<Relation> =
            edges.iter().filter(|edge| edge.0 == from).map(|edge| related(edge.2, edge.1)).collect();
        let back: BTreeSet<Relation> =
            edges.iter().filter(|edge| edge.1 == from).map(|edge| related(edge.2, edge.0)).collect();
        prop_assert_eq!(graph.points_at(&key(from)).iter().cloned().collect::<BTreeSet<_>>(), out);
        prop_assert_eq!(graph.pointed_at_by(&key(from)).iter().cloned().collect::<BTreeSet<_>>(), back);
        // The fewest steps between each two, by relaxing every edge as often as there are resources.
        let kinds: Vec<RelationKind> = wanted.iter().map(|at| KINDS[*at]).collect();
        let distances = |turn: &dyn Fn(u8, u8) -> (u8, u8)| {
            let mut least = BTreeMap::from([(from, 0_usize)]);
            for _ in 0..14 {
                for (at, to, kind) in &edges {
                    let (at, to) = turn(*at, *to);
                    if let Some(known) = least.get(&at).copied().filter(|_| wanted.is_empty() || wanted.contains(kind)) {
                        let new = least.get(&to).map_or(known + 1, |old| (*old).min(known + 1));
                        least.insert(to, new);
                    }
                }
            }
            let within = least.into_iter().filter(|(n, far)| *n != from && *far <= steps);
            within.map(|(n, far)| (key(n), far)).collect::<BTreeMap<_, _>>()
        };
        prop_assert_eq!(graph.reachable(&key(from), &kinds, steps), distances(&|at, to| (at, to)));
        prop_assert_eq!(graph.reaching(&key(from), &kinds, steps), distances(&|at, to| (to, at)));
    }
}

#[test]
fn what_no_hash_proves_is_told() {
    let place = Place::new();
    drop(filled(&place, &["staging"], 3));
    let salvage = |damage: &str| {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("damaged.db"), folder.path().join("new.db"));
        std::fs::copy(place.path(), &from).unwrap();
        let mut bytes = std::fs::read(&from).unwrap();
        let (page, at) = match damage {
            "name" => (1, b"staging".as_slice()),
            // The captured time of the third entry, as the table has it.
            _ => (2, &1_800_003_600_000_000_i64.to_be_bytes()[1..]),
        };
        let found =
            (page * 4096..bytes.len() - at.len()).find(|spot| bytes[*spot..].starts_with(at)).unwrap();
        bytes[found + at.len() - 1] ^= 1;
        std::fs::write(&from, bytes).unwrap();
        let saved = Store::salvage(&from, &to, &mut |_, _| ()).unwrap();
        saved.lost.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let name = "environment `unnamed-1`: its name stands in one place only, or in two that differ";
    assert_eq!(salvage("name"), [name]);
    let time = "environment `staging`, entry 3: its time is uncertain: an index has another";
    assert_eq!(salvage("time"), [time]);
}
