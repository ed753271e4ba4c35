//! The entries of one level, over as many chunks as there are, read where they lie: nothing is decoded or copied that is
//! only passed by. Chunks are fetched ahead, many in one trip, as a trip may be one to another machine.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use parallax_model::Digest;

use super::bytes::Input;
use super::entry::{FORMAT, Level};
use super::{Chunks, Counts, TreeError, load};

/// How many chunks are fetched ahead for each side of a walk: a few megabytes.
const AHEAD: usize = 512;

/// A chunk that was not opened.
pub(crate) type Fetched = (Digest, Arc<[u8]>);

/// One chunk, at one of its entries.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) chunk: Digest,
    level: Level,
    bytes: Arc<[u8]>,
    /// Where the next entry begins, and how many are left.
    at: usize,
    left: usize,
    key: Vec<u8>,
    /// What the entry holds besides its key.
    body: Range<usize>,
}

impl Open {
    /// Opens a chunk before its first entry.
    fn new(chunk: Digest, level: Level, bytes: Arc<[u8]>) -> Result<Self, TreeError> {
        let damaged = |why| TreeError::Damaged { chunk, why };
        let mut input = match bytes.as_ref() {
            [FORMAT, found, rest @ ..] if *found == level => Input(rest),
            [FORMAT, ..] => return Err(damaged("it is at another level than its parent says")),
            _ => return Err(damaged("it is of another format")),
        };
        let left = input.length().ok_or_else(|| damaged("its entries are malformed"))?;
        let at = bytes.len() - input.0.len();
        Ok(Self { chunk, level, bytes, at, left, key: Vec::new(), body: 0..0 })
    }

    /// Goes to the next entry; says whether there is one.
    fn advance(&mut self) -> Result<bool, TreeError> {
        if self.left == 0 && self.at == self.bytes.len() {
            return Ok(false);
        }
        let is_read = self.left > 0 && self.parse().is_some();
        if is_read { Ok(true) } else { Err(self.damaged("its entries are malformed")) }
    }

    fn parse(&mut self) -> Option<()> {
        let mut input = Input(self.bytes.get(self.at..)?);
        let shared = input.length()?;
        let rest = input.bytes()?;
        // Keys rise, each once.
        if rest <= self.key.get(shared..)? {
            return None;
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(rest);
        let length = self.bytes.len();
        let body = match self.level {
            0 => {
                let body = input.bytes()?.len();
                let end = length - input.0.len();
                end - body..end
            }
            _ => {
                let start = length - input.0.len();
                read_link(&mut input)?;
                start..length - input.0.len()
            }
        };
        self.at = body.end;
        self.body = body;
        self.left -= 1;
        Some(())
    }

    /// The key of the resource, or the last one beneath the link.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The resource as bytes, or the link.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(self.body.clone()).unwrap_or_default()
    }

    /// What an inner node's entry points at.
    pub(crate) fn link(&self) -> Result<(Digest, Counts), TreeError> {
        read_link(&mut Input(self.body())).ok_or_else(|| self.damaged("its entries are malformed"))
    }

    pub(crate) fn damaged(&self, why: &'static str) -> TreeError {
        TreeError::Damaged { chunk: self.chunk, why }
    }
}

fn read_link(input: &mut Input<'_>) -> Option<(Digest, Counts)> {
    let chunk = Digest(input.digest()?);
    Some((chunk, Counts { resources: input.number()?, attributes: input.number()? }))
}

/// The entries of some chunks of one level, in order of keys.
#[derive(Debug)]
pub(crate) struct Stream {
    level: Level,
    /// Names of chunks that were not fetched, then chunks that were not opened; the next is at the end.
    closed: Vec<Digest>,
    fetched: Vec<Fetched>,
    open: Option<Open>,
}

impl Stream {
    pub(crate) fn new(level: Level, mut chunks: Vec<Digest>) -> Self {
        chunks.reverse();
        Self { level, closed: chunks, fetched: Vec::new(), open: None }
    }

    /// Where the stream stands; `None` at its end, or before [`settle`].
    pub(crate) fn current(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// Leaves the current entry.
    pub(crate) fn advance(&mut self) -> Result<(), TreeError> {
        loop {
            if let Some(open) = &mut self.open
                && open.advance()?
            {
                return Ok(());
            }
            self.open = None;
            let Some((chunk, bytes)) = self.fetched.pop() else { return Ok(()) };
            self.open = Some(Open::new(chunk, self.level, bytes)?);
        }
    }

    /// Forgets what is left.
    pub(crate) fn end(&mut self) {
        self.closed.clear();
        self.fetched.clear();
        self.open = None;
    }

    fn is_starved(&self) -> bool {
        self.open.is_none() && !self.closed.is_empty()
    }

    /// The names of the chunks to fetch next.
    fn wanted(&mut self) -> Vec<Digest> {
        let room = AHEAD.saturating_sub(self.fetched.len());
        let mut wanted = self.closed.split_off(self.closed.len().saturating_sub(room));
        wanted.reverse();
        wanted
    }

    fn take(&mut self, mut chunks: Vec<Fetched>) -> Result<(), TreeError> {
        chunks.reverse();
        chunks.append(&mut self.fetched);
        self.fetched = chunks;
        if self.open.is_none() { self.advance() } else { Ok(()) }
    }
}

/// Brings streams to an entry, or to their end. Where one ran out of what was fetched, all fetch what comes next, in one trip.
pub(crate) fn settle<const N: usize>(
    chunks: &impl Chunks,
    mut streams: [&mut Stream; N],
) -> Result<(), TreeError> {
    while streams.iter().any(|stream| stream.is_starved()) {
        let wanted: Vec<Vec<Digest>> = streams.iter_mut().map(|stream| stream.wanted()).collect();
        let mut all = fetch(chunks, wanted.concat())?.into_iter();
        for (stream, wanted) in streams.iter_mut().zip(wanted) {
            stream.take(all.by_ref().take(wanted.len()).collect())?;
        }
    }
    Ok(())
}

/// Chunks by name, in one trip.
pub(crate) fn fetch(chunks: &impl Chunks, names: Vec<Digest>) -> Result<Vec<Fetched>, TreeError> {
    if let Ok(found) = chunks.get_all(&names)
        && let Some(all) = found.into_iter().collect::<Option<Vec<_>>>()
    {
        return Ok(names.into_iter().zip(all).collect());
    }
    // One of them is the trouble: asked one by one, they say which.
    names.into_iter().map(|name| Ok((name, load(chunks, &name)?))).collect()
}

/// Which of two entries comes first.
pub(crate) fn order(left: Option<&Open>, right: Option<&Open>) -> Option<Ordering> {
    match (left, right) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(left), Some(right)) => Some(left.key().cmp(right.key())),
    }
}
