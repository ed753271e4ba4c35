//! Tests of the tree as a whole: properties over generated resources, hostile keys and sizes, damage.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use parallax_model::{Relation, RelationKind};
use proptest::prelude::*;

use super::*;

/// Chunks in memory, and how many trips to them fetched several.
#[derive(Debug, Default)]
struct Memory(HashMap<Digest, Arc<[u8]>>, Cell<usize>);

impl Chunks for Memory {
    fn get(&self, name: &Digest) -> Result<Option<Arc<[u8]>>, ChunkFailure> {
        Ok(self.0.get(name).cloned())
    }

    fn get_all(&self, names: &[Digest]) -> Result<Vec<Option<Arc<[u8]>>>, ChunkFailure> {
        self.1.set(self.1.get() + 1);
        names.iter().map(|name| self.get(name)).collect()
    }

    fn put(&mut self, name: Digest, bytes: Vec<u8>) {
        self.0.insert(name, bytes.into());
    }
}

type Resources = BTreeMap<Key, Resource>;

fn key(number: u64) -> Key {
    Key::of(["k8s", &format!("team-{}", number % 7), &format!("object-{number}")])
}

/// A resource whose size and values follow from its number and a seed.
fn resource(number: u64, seed: u64) -> Resource {
    let mut resource = Resource::new(key(number), "object");
    for field in 0..(number % 9) {
        let text = "x".repeat(usize::try_from((number * 31 + field * 7) % 90).unwrap());
        resource.attributes.set(format!("spec.f{field}").as_str(), format!("{seed}{text}"));
    }
    if number.is_multiple_of(3) {
        resource.relate(Relation { kind: RelationKind::Mounts, to: key(number + 1) });
    }
    resource
}

fn set(seed: u64, count: u64, stride: u64) -> Resources {
    (0..count).map(|n| resource(n * stride, seed)).map(|r| (r.key.clone(), r)).collect()
}

fn built(chunks: &mut Memory, resources: &Resources) -> Root {
    build(chunks, resources.values())
}

fn edit() -> impl Strategy<Value = (u64, Option<u64>)> {
    (0..2500_u64, prop::option::weighted(0.6, 0..5_u64))
}

fn apply(resources: &mut Resources, edits: &[(u64, Option<u64>)]) -> Vec<Edit> {
    for (number, seed) in edits {
        match seed {
            Some(seed) => drop(resources.insert(key(*number), resource(*number, *seed))),
            None => drop(resources.remove(&key(*number))),
        }
    }
    edits.iter().map(|(number, seed)| (key(*number), seed.map(|seed| resource(*number, seed)))).collect()
}

fn brute_force(left: &Resources, right: &Resources) -> (Vec<Pair>, Counts) {
    let mut keys: Vec<&Key> = left.keys().chain(right.keys()).collect();
    keys.sort();
    keys.dedup();
    let (mut pairs, mut equal) = (Vec::new(), Counts::default());
    for key in keys {
        let pair = (left.get(key).cloned(), right.get(key).cloned());
        match &pair {
            (Some(a), Some(b)) if a == b => {
                equal.add(Counts { resources: 1, attributes: u64::try_from(a.attributes.len()).unwrap() });
            }
            _ => pairs.push(pair),
        }
    }
    (pairs, equal)
}

fn by_tree(chunks: &Memory, left: &Root, right: &Root) -> (Vec<Pair>, Counts) {
    let mut walk = diff(chunks, left, right).unwrap();
    let pairs = walk.by_ref().collect::<Result<_, _>>().unwrap();
    (pairs, walk.equal())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn a_diff_by_tree_is_a_diff_by_brute_force_and_an_update_is_a_build(
        count in prop_oneof![0..4_u64, 0..300_u64],
        edits in prop::collection::vec(edit(), 0..40),
        gone in prop_oneof![4 => Just(0_u64..0), 1 => (0..300_u64, 0..300_u64).prop_map(|(a, b)| a..b)],
    ) {
        let mut chunks = Memory::default();
        let left = set(1, count, 5);
        let base = built(&mut chunks, &left);
        let mut right = left.clone();
        let edits: Vec<_> = gone.map(|n| (n * 5, None)).chain(edits).collect();
        let edits = apply(&mut right, &edits);
        let scratch = built(&mut chunks, &right);
        let updated = update(&mut chunks, &base, edits).unwrap();
        prop_assert_eq!(updated, scratch);
        prop_assert_eq!(by_tree(&chunks, &base, &scratch), brute_force(&left, &right));
        let all: Vec<Resource> = scan(&chunks, &scratch, "").unwrap().map(Result::unwrap).collect();
        prop_assert!(all.iter().eq(right.values()));
    }

    #[test]
    fn any_bytes_are_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..120), level in 0..3_u8) {
        let mut chunks = Memory::default();
        for bytes in [bytes.clone(), [&[1, level][..], &bytes].concat()] {
            let root = Root { chunk: name_of(&bytes), counts: Counts::default() };
            chunks.put(root.chunk, bytes);
            let read: Result<Vec<Resource>, TreeError> =
                scan(&chunks, &root, "").and_then(Iterator::collect);
            prop_assert!(read.is_err() || read.is_ok_and(|r| r.len() < 60));
        }
    }
}

#[test]
fn a_tall_tree_updates_to_what_building_gives() {
    let mut chunks = Memory::default();
    let mut resources = set(1, 20_000, 1);
    let base = built(&mut chunks, &resources);
    assert!(entry::level_of(&chunks, &base.chunk).unwrap() >= 2);
    let numbers = (0..20_000).step_by(997);
    let edits: Vec<_> = numbers.map(|n| (n, (n % 2 == 0).then_some(n))).collect();
    let edits = apply(&mut resources, &edits);
    let before = chunks.0.len();
    let updated = update(&mut chunks, &base, edits).unwrap();
    assert!(chunks.0.len() - before < 70, "{} new chunks", chunks.0.len() - before);
    assert_eq!(updated, built(&mut chunks, &resources));
    let removals: Vec<Edit> = resources.keys().skip(3).map(|key| (key.clone(), None)).collect();
    let few: Resources = resources.into_iter().take(3).collect();
    assert_eq!(update(&mut chunks, &updated, removals).unwrap(), built(&mut chunks, &few));
}

#[test]
fn each_level_is_one_trip() {
    let mut chunks = Memory::default();
    let mut resources = set(1, 20_000, 1);
    let left = built(&mut chunks, &resources);
    apply(&mut resources, &(0..20_000).step_by(200).map(|n| (n, Some(7))).collect::<Vec<_>>());
    let right = built(&mut chunks, &resources);
    let levels = usize::from(entry::level_of(&chunks, &left.chunk).unwrap());
    let trips = |walk: &dyn Fn() -> usize| {
        chunks.1.set(0);
        (walk(), chunks.1.get())
    };
    // The roots together; then they are not cached here, and are fetched again as the first level.
    assert_eq!(trips(&|| diff(&chunks, &left, &right).unwrap().count()), (88, levels + 2));
    let leaves = chunks.0.values().filter(|bytes| bytes[1] == 0).count();
    let (found, trips) = trips(&|| scan(&chunks, &left, "").unwrap().count());
    assert!(found == 20_000 && trips <= levels + leaves / 512 + 1, "{trips} trips");
}

#[test]
fn one_key_and_a_region_are_found() {
    let mut chunks = Memory::default();
    let resources = set(1, 3000, 2);
    let root = built(&mut chunks, &resources);
    for number in [0, 1, 2, 2999, 5998, 6000] {
        assert_eq!(get(&chunks, &root, &key(number)).unwrap().as_ref(), resources.get(&key(number)));
    }
    let found: Vec<Resource> = under(&chunks, &root, "k8s/team-3").unwrap().map(Result::unwrap).collect();
    let expected = resources.values().filter(|r| r.key.as_str().starts_with("k8s/team-3/"));
    assert!(found.iter().eq(expected) && !found.is_empty());
    assert_eq!(under(&chunks, &root, "k8s/team-").unwrap().count(), 0);
    assert_eq!(under(&chunks, &root, "zebra").unwrap().count(), 0);
}

#[test]
fn a_changed_value_moves_no_boundary() {
    let mut chunks = Memory::default();
    let mut resources = set(1, 3000, 1);
    let root = built(&mut chunks, &resources);
    let leaves = |chunks: &Memory, root: &Root| -> Vec<String> {
        let mut place = Some(cursor::Place::seek(chunks, &root.chunk, 0, "").unwrap());
        let mut ends = Vec::new();
        while let Some(here) = place {
            ends.extend(here.last.as_ref().map(ToString::to_string));
            place = here.next(chunks).unwrap();
        }
        ends
    };
    let before = leaves(&chunks, &root);
    assert!(before.len() > 100, "{}", before.len());
    // Every value is another now, of the same length.
    resources = resources
        .keys()
        .map(|k| k.as_str().rsplit('-').next().unwrap().parse().unwrap())
        .map(|n| resource(n, 2))
        .map(|r| (r.key.clone(), r))
        .collect();
    let root = built(&mut chunks, &resources);
    assert_eq!(leaves(&chunks, &root), before);
}

#[test]
fn hostile_keys_and_sizes_stay_bounded() {
    let mut chunks = Memory::default();
    let huge = Resource::new(key(7), "k").with("value", "x".repeat(10_000_000));
    let mut resources = set(1, 100, 1);
    resources.insert(huge.key.clone(), huge.clone());
    let root = built(&mut chunks, &resources);
    assert_eq!(get(&chunks, &root, &key(7)).unwrap(), Some(huge));
    assert_eq!(chunks.0.values().filter(|c| c.len() > 64 * 1024).count(), 1);

    // Keys that never end a leaf, and keys that end every chunk of three levels.
    let found = |want: fn(&str) -> bool, count: usize| -> Resources {
        let keys = (0_u64..).map(|n| Key::of(["k", &format!("{n:08}")]));
        let keys = keys.filter(|k| want(k.as_str())).take(count);
        keys.map(|key| (key.clone(), Resource::new(key, "k"))).collect()
    };
    let never = found(|k| blake3::hash(k.as_bytes()).as_bytes()[3] > 127, 20_000);
    let mut chunks = Memory::default();
    let root = built(&mut chunks, &never);
    assert!(chunks.0.values().all(|c| c.len() < 64 * 1024), "a leaf grew without bound");
    assert_eq!(scan(&chunks, &root, "").unwrap().count(), 20_000);
    let always = found(
        |k| {
            let h = blake3::hash(k.as_bytes());
            h.as_bytes()[3] == 0 && h.as_bytes()[7] < 4
        },
        64,
    );
    let mut chunks = Memory::default();
    let root = built(&mut chunks, &always);
    assert!(entry::level_of(&chunks, &root.chunk).unwrap() <= 6);
    assert_eq!(scan(&chunks, &root, "").unwrap().count(), 64);
}

#[test]
fn damage_names_the_chunk() {
    let mut chunks = Memory::default();
    let root = built(&mut chunks, &set(1, 500, 1));
    let leaf = cursor::Place::seek(&chunks, &root.chunk, 0, key(8).as_str()).unwrap().chunk;
    let whole = chunks.0.remove(&leaf).unwrap();
    let missing = get(&chunks, &root, &key(8)).unwrap_err();
    assert!(matches!(missing, TreeError::Missing { chunk } if chunk == leaf), "{missing}");
    assert!(get(&chunks, &root, &key(9)).is_ok());
    for bytes in [&whole[..whole.len() - 1], &[], &[9, 9, 9]] {
        chunks.put(leaf, bytes.to_vec());
        let damaged = get(&chunks, &root, &key(8)).unwrap_err();
        assert!(matches!(damaged, TreeError::Damaged { chunk, .. } if chunk == leaf), "{damaged}");
    }
    let mut walk = scan(&chunks, &root, "").unwrap();
    assert!(walk.by_ref().any(|found| found.is_err()));
    assert!(walk.next().is_none());
}
