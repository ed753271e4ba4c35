//! The relations between an entry's resources, as a graph that is asked from either end.

use std::collections::BTreeMap;

use parallax_model::{Key, Relation, RelationKind};

use super::{Entry, Store};
use crate::StoreError;
use crate::tree;

/// All relations as of one entry. Making it reads every resource once; asking it reads nothing.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    out: BTreeMap<Key, Vec<Relation>>,
    back: BTreeMap<Key, Vec<Relation>>,
}

impl Graph {
    /// What a resource points at, by kind of relation.
    #[must_use]
    pub fn points_at(&self, key: &Key) -> &[Relation] {
        self.out.get(key).map_or(&[], Vec::as_slice)
    }

    /// What points at a resource: each relation, with the resource that it comes from in the place of `to`.
    /// The resource itself need not exist.
    #[must_use]
    pub fn pointed_at_by(&self, key: &Key) -> &[Relation] {
        self.back.get(key).map_or(&[], Vec::as_slice)
    }

    /// The resources that can be reached from one within so many steps over relations of these kinds (all, where
    /// none is named), and in how many steps at least. Ends on cycles; the one itself is not among them.
    #[must_use]
    pub fn reachable(&self, key: &Key, kinds: &[RelationKind], steps: usize) -> BTreeMap<Key, usize> {
        walk(key, kinds, steps, |key| self.points_at(key))
    }

    /// The resources from which one can be reached within so many steps over relations of these kinds (all, where none
    /// is named), and in how many steps at least. The one itself need not exist.
    #[must_use]
    pub fn reaching(&self, key: &Key, kinds: &[RelationKind], steps: usize) -> BTreeMap<Key, usize> {
        walk(key, kinds, steps, |key| self.pointed_at_by(key))
    }
}

/// Goes outwards in rings, one step at a time.
fn walk<'g>(
    from: &Key,
    kinds: &[RelationKind],
    steps: usize,
    next: impl Fn(&Key) -> &'g [Relation],
) -> BTreeMap<Key, usize> {
    let mut found: BTreeMap<Key, usize> = BTreeMap::new();
    let mut border = vec![from.clone()];
    for step in 1..=steps {
        let mut ring = Vec::new();
        for relation in border.iter().flat_map(&next) {
            let is_wanted = kinds.is_empty() || kinds.contains(&relation.kind);
            if is_wanted && relation.to != *from && !found.contains_key(&relation.to) {
                found.insert(relation.to.clone(), step);
                ring.push(relation.to.clone());
            }
        }
        if ring.is_empty() {
            break;
        }
        border = ring;
    }
    found
}

impl Store {
    /// The relations as of an entry.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn graph(&self, entry: &Entry) -> Result<Graph, StoreError> {
        self.viewing(|| self.gathered(entry))
    }

    fn gathered(&self, entry: &Entry) -> Result<Graph, StoreError> {
        let shelf = self.shelf();
        let mut graph = Graph::default();
        for resource in tree::scan(&shelf, &entry.root(), "")? {
            let resource = resource?;
            for relation in &resource.relations {
                let back = Relation { kind: relation.kind, to: resource.key.clone() };
                graph.back.entry(relation.to.clone()).or_default().push(back);
            }
            if !resource.relations.is_empty() {
                graph.out.insert(resource.key, resource.relations);
            }
        }
        graph.back.values_mut().for_each(|relations| relations.sort());
        Ok(graph)
    }
}
