//! What chunks hold: resources in leaves, links in inner nodes; their canonical bytes, and where a chunk ends.

use parallax_model::{Digest, Resource};

use super::bytes::{Input, put_after, put_bytes, put_length, put_number};
use super::{Chunks, Counts, TreeError, load, resource};

/// How far above the leaves, which are at 0.
pub(crate) type Level = u8;

/// The version of the canonical bytes. Another version is another first byte, and so another name.
pub(crate) const FORMAT: u8 = 1;
/// A leaf's or inner node's bytes at which it is cut whatever its keys are.
const MOST_BYTES: usize = 32 * 1024;
/// Entries at which a chunk is cut whatever its keys are.
const MOST_ENTRIES: usize = 1024;
/// A leaf ends after an entry of `size` bytes with a probability of `size` in this many.
const LEAF_BYTES_BITS: u32 = 13;
/// An inner node ends after one link in this many.
const FAN_OUT_BITS: u32 = 5;

/// One resource in a leaf, not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) key: Box<str>,
    pub(crate) body: Vec<u8>,
}

/// An inner node's link to a chunk one level below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The last key beneath it.
    pub(crate) last: Box<str>,
    pub(crate) chunk: Digest,
    pub(crate) counts: Counts,
}

/// What is common to both, so that building and updating are written once.
pub(crate) trait Entry: Sized + Clone {
    /// How few entries a chunk may be cut at.
    const LEAST: usize;
    fn key(&self) -> &str;
    fn bytes(&self) -> usize;
    fn counts(&self) -> Counts;
    /// Whether a chunk may end after this entry, by its key's hash.
    fn ends(&self, level: Level) -> bool;
    fn encode(&self, before: &str, out: &mut Vec<u8>);
    fn decode(key: Box<str>, input: &mut Input<'_>) -> Option<Self>;
}

impl Item {
    pub(crate) fn of(resource: &Resource) -> Self {
        Self { key: resource.key.as_str().into(), body: resource::encode(resource) }
    }

    pub(crate) fn resource(&self, chunk: Digest) -> Result<Resource, TreeError> {
        let why = "a resource in it is malformed";
        resource::decode(&self.key, &self.body).ok_or(TreeError::Damaged { chunk, why })
    }
}

/// Four bytes of the key's hash, others for each level, so that levels split independently.
fn spot(key: &str, level: Level) -> u32 {
    let hash = blake3::hash(key.as_bytes());
    let from = usize::from(level % 8) * 4;
    let part = hash.as_bytes().get(from..from + 4).and_then(|part| part.try_into().ok());
    part.map_or(0, u32::from_le_bytes)
}

impl Entry for Item {
    const LEAST: usize = 1;

    fn key(&self) -> &str {
        &self.key
    }

    fn bytes(&self) -> usize {
        self.key.len() + self.body.len()
    }

    fn counts(&self) -> Counts {
        Counts { resources: 1, attributes: resource::attribute_count(&self.body).unwrap_or_default() }
    }

    fn ends(&self, level: Level) -> bool {
        let class = u64::try_from(self.bytes().next_power_of_two()).unwrap_or(u64::MAX);
        u64::from(spot(&self.key, level)) < class.saturating_mul(1 << (32 - LEAF_BYTES_BITS))
    }

    fn encode(&self, before: &str, out: &mut Vec<u8>) {
        put_after(out, before, &self.key);
        put_bytes(out, &self.body);
    }

    fn decode(key: Box<str>, input: &mut Input<'_>) -> Option<Self> {
        Some(Self { key, body: input.bytes()?.to_vec() })
    }
}

impl Entry for Link {
    const LEAST: usize = 2;

    fn key(&self) -> &str {
        &self.last
    }

    fn bytes(&self) -> usize {
        self.last.len() + 40
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn ends(&self, level: Level) -> bool {
        spot(&self.last, level) < 1 << (32 - FAN_OUT_BITS)
    }

    fn encode(&self, before: &str, out: &mut Vec<u8>) {
        put_after(out, before, &self.last);
        out.extend_from_slice(&self.chunk.0);
        put_number(out, self.counts.resources);
        put_number(out, self.counts.attributes);
    }

    fn decode(last: Box<str>, input: &mut Input<'_>) -> Option<Self> {
        let chunk = Digest(input.digest()?);
        let counts = Counts { resources: input.number()?, attributes: input.number()? };
        Some(Self { last, chunk, counts })
    }
}

/// Gathers entries and cuts them into chunks.
pub(crate) struct Cutter<'c, E, C> {
    level: Level,
    held: Vec<E>,
    bytes: usize,
    chunks: &'c mut C,
    links: Vec<Link>,
}

impl<'c, E: Entry, C: Chunks> Cutter<'c, E, C> {
    pub(crate) fn new(chunks: &'c mut C, level: Level) -> Self {
        Self { level, held: Vec::new(), bytes: 0, chunks, links: Vec::new() }
    }

    /// Takes the next entry, in order of keys. Whether to cut is decided without looking ahead, so
    /// that an edit can only matter to the chunk that it falls in, and to those after it.
    pub(crate) fn push(&mut self, entry: E) {
        self.bytes = self.bytes.saturating_add(entry.bytes());
        let is_full = self.bytes >= MOST_BYTES || self.held.len() + 1 >= MOST_ENTRIES;
        let ends = is_full || entry.ends(self.level);
        self.held.push(entry);
        if ends && self.held.len() >= E::LEAST {
            self.cut();
        }
    }

    /// Goes on where [`Self::pause`] left off.
    pub(crate) fn resume(chunks: &'c mut C, level: Level, held: Vec<E>) -> Self {
        let bytes = held.iter().map(E::bytes).fold(0, usize::saturating_add);
        Self { level, held, bytes, chunks, links: Vec::new() }
    }

    /// The links to the chunks that were cut, and what no chunk holds yet.
    pub(crate) fn pause(self) -> (Vec<Link>, Vec<E>) {
        (self.links, self.held)
    }

    /// Ends the last chunk, and gives the links to all.
    pub(crate) fn finish(mut self) -> Vec<Link> {
        if !self.held.is_empty() {
            self.cut();
        }
        self.links
    }

    fn cut(&mut self) {
        let link = write(self.chunks, self.level, &self.held);
        self.links.push(link);
        self.held.clear();
        self.bytes = 0;
    }
}

/// Puts one chunk and gives the link to it.
pub(crate) fn write<E: Entry>(chunks: &mut impl Chunks, level: Level, entries: &[E]) -> Link {
    let mut out = vec![FORMAT, level];
    put_length(&mut out, entries.len());
    let (mut before, mut counts) = ("", Counts::default());
    for entry in entries {
        entry.encode(before, &mut out);
        counts.add(entry.counts());
        before = entry.key();
    }
    let chunk = super::name_of(&out);
    chunks.put(chunk, out);
    Link { last: before.into(), chunk, counts }
}

/// A chunk's level.
pub(crate) fn level_of(chunks: &impl Chunks, name: &Digest) -> Result<Level, TreeError> {
    let bytes = load(chunks, name)?;
    match bytes.as_ref() {
        [FORMAT, level, ..] => Ok(*level),
        _ => Err(TreeError::Damaged { chunk: *name, why: "it is of another format" }),
    }
}

/// The entries of a chunk, which must be at that level.
pub(crate) fn read<E: Entry>(chunks: &impl Chunks, name: &Digest, level: Level) -> Result<Vec<E>, TreeError> {
    let bytes = load(chunks, name)?;
    let damaged = |why| TreeError::Damaged { chunk: *name, why };
    match bytes.as_ref() {
        [FORMAT, found, rest @ ..] if *found == level => {
            parse(rest).ok_or_else(|| damaged("its entries are malformed"))
        }
        [FORMAT, ..] => Err(damaged("it is at another level than its parent says")),
        _ => Err(damaged("it is of another format")),
    }
}

fn parse<E: Entry>(bytes: &[u8]) -> Option<Vec<E>> {
    let mut input = Input(bytes);
    let count = input.length()?;
    let mut entries: Vec<E> = Vec::with_capacity(count.min(bytes.len() / 3));
    let mut key = Vec::new();
    for _ in 0..count {
        let key: Box<str> = input.after(&mut key)?.into();
        if entries.last().is_some_and(|before| before.key() >= &*key) {
            return None;
        }
        entries.push(E::decode(key, &mut input)?);
    }
    input.is_empty().then_some(entries)
}

/// The chunks that a chunk names: none for a leaf.
pub(crate) fn links_of(chunks: &impl Chunks, name: &Digest) -> Result<Vec<(Digest, Level)>, TreeError> {
    let level = level_of(chunks, name)?;
    let Some(below) = level.checked_sub(1) else {
        return Ok(Vec::new());
    };
    let links = read::<Link>(chunks, name, level)?;
    Ok(links.into_iter().map(|link| (link.chunk, below)).collect())
}
