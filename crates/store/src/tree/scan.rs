//! Resources of one tree in order of keys: all, or those of a region. Each level is fetched in one trip, or few.

use parallax_model::{Digest, Resource};

use super::entry::level_of;
use super::resource::Decoder;
use super::stream::{Open, Stream, settle};
use super::{Chunks, Root, TreeError};

/// Resources in order of keys. After an error the walk is over.
#[derive(Debug)]
pub struct Scan<'c, C> {
    chunks: &'c C,
    leaves: Stream,
    decoder: Decoder,
    region: Region,
}

/// Which keys are wanted: those that come from `from` on and start with `prefix`.
#[derive(Debug)]
struct Region {
    from: String,
    prefix: String,
}

impl Region {
    fn is_before(&self, key: &[u8]) -> bool {
        !self.from.is_empty() && key < self.from.as_bytes()
    }

    fn is_within(&self, key: &[u8]) -> bool {
        self.prefix.is_empty() || key.starts_with(self.prefix.as_bytes())
    }

    /// Whether neither this key nor any after it is wanted.
    fn is_past(&self, key: &[u8]) -> bool {
        !self.is_within(key) && key > self.prefix.as_bytes()
    }
}

/// All resources from a key on (from the first, where `from` is empty).
///
/// # Errors
/// [`TreeError`], naming the inner node that could not be read.
pub fn scan<'c, C: Chunks>(chunks: &'c C, root: &Root, from: &str) -> Result<Scan<'c, C>, TreeError> {
    within(chunks, root, Region { from: from.to_owned(), prefix: String::new() })
}

/// The resources whose keys start with these whole segments (`runtime`, `dependency/npm`).
///
/// # Errors
/// [`TreeError`], naming the inner node that could not be read.
pub fn under<'c, C: Chunks>(chunks: &'c C, root: &Root, prefix: &str) -> Result<Scan<'c, C>, TreeError> {
    let prefix = format!("{prefix}/");
    within(chunks, root, Region { from: prefix.clone(), prefix })
}

fn within<'c, C: Chunks>(chunks: &'c C, root: &Root, region: Region) -> Result<Scan<'c, C>, TreeError> {
    let mut names = vec![root.chunk];
    for level in (1..=level_of(chunks, &root.chunk)?).rev() {
        names = below(chunks, Stream::new(level, names), &region)?;
    }
    Ok(Scan { chunks, leaves: Stream::new(0, names), decoder: Decoder::default(), region })
}

/// The chunks one level below that may hold what is wanted.
fn below(chunks: &impl Chunks, mut nodes: Stream, region: &Region) -> Result<Vec<Digest>, TreeError> {
    let mut out = Vec::new();
    loop {
        settle(chunks, [&mut nodes])?;
        let Some(link) = nodes.current() else { return Ok(out) };
        if !region.is_before(link.key()) {
            out.push(link.link()?.0);
            if region.is_past(link.key()) {
                return Ok(out);
            }
        }
        nodes.advance()?;
    }
}

impl<C: Chunks> Scan<'_, C> {
    fn step(&mut self) -> Result<Option<Resource>, TreeError> {
        loop {
            settle(self.chunks, [&mut self.leaves])?;
            let Some(item) = self.leaves.current() else { return Ok(None) };
            if self.region.is_before(item.key()) {
                self.leaves.advance()?;
                continue;
            }
            if !self.region.is_within(item.key()) {
                return Ok(None);
            }
            let resource = decoded(&mut self.decoder, item)?;
            self.leaves.advance()?;
            return Ok(Some(resource));
        }
    }
}

/// The resource of a leaf's entry.
pub(crate) fn decoded(decoder: &mut Decoder, item: &Open) -> Result<Resource, TreeError> {
    let resource = std::str::from_utf8(item.key()).ok().and_then(|key| decoder.decode(key, item.body()));
    resource.ok_or_else(|| item.damaged("a resource in it is malformed"))
}

impl<C: Chunks> Iterator for Scan<'_, C> {
    type Item = Result<Resource, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.step();
        if found.as_ref().map_or(true, Option::is_none) {
            self.leaves.end();
        }
        found.transpose()
    }
}
