//! Building a tree from nothing, level by level.

use parallax_model::Resource;

use super::entry::{Cutter, Item, Level, Link, write};
use super::{Chunks, Root};

/// Builds the tree of these resources, which must rise by key (as a snapshot's do).
pub fn build<'r>(chunks: &mut impl Chunks, resources: impl IntoIterator<Item = &'r Resource>) -> Root {
    let mut leaves = Cutter::new(chunks, 0);
    for resource in resources {
        leaves.push(Item::of(resource));
    }
    let links = leaves.finish();
    top(chunks, links, 0)
}

/// Builds the levels above these links to chunks at `level`.
pub(crate) fn top(chunks: &mut impl Chunks, mut links: Vec<Link>, mut level: Level) -> Root {
    loop {
        if let [one] = links.as_slice() {
            return Root { chunk: one.chunk, counts: one.counts };
        }
        if links.is_empty() {
            let empty = write::<Item>(chunks, 0, &[]);
            return Root { chunk: empty.chunk, counts: empty.counts };
        }
        // Two links at least go into each node, so that 64 levels are out of reach.
        level = level.saturating_add(1);
        let mut nodes = Cutter::new(chunks, level);
        links.into_iter().for_each(|link| nodes.push(link));
        links = nodes.finish();
    }
}
