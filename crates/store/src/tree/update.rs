//! A tree made from another by changing some keys; the same tree as one built from nothing.
//!
//! At each level only the chunks are opened that an edit falls in, and those after them until a chunk ends
//! where one ended before: from there on nothing can differ, as where a chunk ends depends on what stands in it.

use std::collections::BTreeMap;

use parallax_model::Digest;

use super::build::top;
use super::cursor::Place;
use super::entry::{Cutter, Entry, Item, Level, Link, level_of, read};
use super::{Chunks, Edit, Root, TreeError};

/// What is to become of keys at one level.
type Edits<E> = BTreeMap<Box<str>, Option<E>>;

/// The tree of `base` with these keys set or removed. Of two edits of a key the later wins; removing what is
/// not there does nothing.
///
/// # Errors
/// [`TreeError`], naming the chunk of `base` that could not be read.
pub fn update(
    chunks: &mut impl Chunks,
    base: &Root,
    edits: impl IntoIterator<Item = Edit>,
) -> Result<Root, TreeError> {
    let item = |(key, resource): Edit| (key.as_str().into(), resource.as_ref().map(Item::of));
    let edits: Edits<Item> = edits.into_iter().map(item).collect();
    if edits.is_empty() {
        return Ok(*base);
    }
    let height = level_of(chunks, &base.chunk)?;
    let mut links = pass(chunks, &base.chunk, 0, edits)?;
    for level in 1..=height {
        links = pass(chunks, &base.chunk, level, links)?;
    }
    let root = top(chunks, links.into_values().flatten().collect(), height);
    collapse(chunks, root)
}

/// Applies edits to one level and gives what they mean for the level above.
fn pass<E: Entry>(
    chunks: &mut impl Chunks,
    root: &Digest,
    level: Level,
    mut edits: Edits<E>,
) -> Result<Edits<Link>, TreeError> {
    let mut above = Edits::new();
    while let Some((key, _)) = edits.first_key_value() {
        let mut place = Some(Place::seek(chunks, root, level, key)?);
        let mut cutter = Chunked::new(level);
        while let Some(here) = place.take() {
            if let Some(last) = &here.last {
                above.insert(last.clone(), None);
            }
            let old = read::<E>(chunks, &here.chunk, level)?;
            let until = if here.is_final() { None } else { here.last.clone() };
            cutter.run(chunks, merge(old, take_until(&mut edits, until.as_deref())));
            if !cutter.is_at_boundary() {
                place = here.next(chunks)?;
            }
        }
        let links = cutter.finish(chunks);
        above.extend(links.into_iter().map(|link| (link.last.clone(), Some(link))));
    }
    Ok(above)
}

/// A cutter that lends the chunks out between runs, as reading and writing go to the same place.
struct Chunked<E> {
    level: Level,
    held: Vec<E>,
    links: Vec<Link>,
}

impl<E: Entry> Chunked<E> {
    fn new(level: Level) -> Self {
        Self { level, held: Vec::new(), links: Vec::new() }
    }

    fn run(&mut self, chunks: &mut impl Chunks, entries: impl Iterator<Item = E>) {
        let mut cutter = Cutter::resume(chunks, self.level, std::mem::take(&mut self.held));
        entries.for_each(|entry| cutter.push(entry));
        let (links, held) = cutter.pause();
        self.links.extend(links);
        self.held = held;
    }

    fn is_at_boundary(&self) -> bool {
        self.held.is_empty()
    }

    fn finish(self, chunks: &mut impl Chunks) -> Vec<Link> {
        let mut links = self.links;
        links.extend(Cutter::resume(chunks, self.level, self.held).finish());
        links
    }
}

/// The edits up to a key, or all.
fn take_until<E>(edits: &mut Edits<E>, last: Option<&str>) -> Edits<E> {
    let Some(last) = last else { return std::mem::take(edits) };
    let mut taken = Edits::new();
    while let Some(first) = edits.first_entry().filter(|first| &**first.key() <= last) {
        let (key, edit) = first.remove_entry();
        taken.insert(key, edit);
    }
    taken
}

fn merge<E: Entry>(old: Vec<E>, edits: Edits<E>) -> impl Iterator<Item = E> {
    let mut kept: Edits<E> = old.into_iter().map(|entry| (entry.key().into(), Some(entry))).collect();
    kept.extend(edits);
    kept.into_values().flatten()
}

/// What was taken away may leave nodes of one link at the top; a tree from nothing has none.
fn collapse(chunks: &impl Chunks, mut root: Root) -> Result<Root, TreeError> {
    loop {
        let level = level_of(chunks, &root.chunk)?;
        if level == 0 {
            return Ok(root);
        }
        match read::<Link>(chunks, &root.chunk, level)?.as_slice() {
            [only] => root.chunk = only.chunk,
            _ => return Ok(root),
        }
    }
}
