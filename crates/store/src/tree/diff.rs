//! What differs between two trees, descending only where their chunks' names differ.
//!
//! Both trees are walked level by level, from the top: of each level only those chunks are opened that the other tree has not,
//! and all of them are fetched together. A chunk that both have stands at the same last key in both, so that merging the
//! two levels by key finds every one of them.

use std::cmp::Ordering;

use parallax_model::{Digest, Resource};

use super::entry::{Level, level_of};
use super::resource::{Decoder, attribute_count};
use super::scan::decoded;
use super::stream::{Open, Stream, fetch, order, settle};
use super::{Chunks, Counts, Root, TreeError};

/// A key's resource on the left and on the right; at least one is there, and they are not equal.
pub type Pair = (Option<Resource>, Option<Resource>);

/// The differing resources of two trees, in order of keys. After an error the walk is over.
#[derive(Debug)]
pub struct Diff<'c, C> {
    chunks: &'c C,
    left: Stream,
    right: Stream,
    decoder: Decoder,
    equal: Counts,
}

/// Compares two trees that are kept in the same place.
///
/// # Errors
/// [`TreeError`], naming the inner node that could not be read.
pub fn diff<'c, C: Chunks>(chunks: &'c C, left: &Root, right: &Root) -> Result<Diff<'c, C>, TreeError> {
    let mut equal = Counts::default();
    let (mut sides, mut level) = if left.chunk == right.chunk {
        equal = left.counts;
        ([Vec::new(), Vec::new()], 0)
    } else {
        let roots = [left, right].map(|root| vec![root.chunk]);
        // Both at once: they are then at hand.
        fetch(chunks, vec![left.chunk, right.chunk])?;
        let levels = [level_of(chunks, &left.chunk)?, level_of(chunks, &right.chunk)?];
        (evened(chunks, roots, levels)?, levels.into_iter().min().unwrap_or_default())
    };
    while level > 0 {
        sides = below(chunks, sides, level, &mut equal)?;
        level -= 1;
    }
    let [left, right] = sides.map(|names| Stream::new(0, names));
    Ok(Diff { chunks, left, right, decoder: Decoder::default(), equal })
}

/// Opens the higher tree until both are at one level.
fn evened(
    chunks: &impl Chunks,
    roots: [Vec<Digest>; 2],
    [left, right]: [Level; 2],
) -> Result<[Vec<Digest>; 2], TreeError> {
    let [mut lefts, mut rights] = roots;
    for level in (right + 1..=left).rev() {
        [lefts, _] = below(chunks, [lefts, Vec::new()], level, &mut Counts::default())?;
    }
    for level in (left + 1..=right).rev() {
        [_, rights] = below(chunks, [Vec::new(), rights], level, &mut Counts::default())?;
    }
    Ok([lefts, rights])
}

/// Opens a level of both trees: the chunks below it that only one tree has. What both have is counted.
fn below(
    chunks: &impl Chunks,
    sides: [Vec<Digest>; 2],
    level: Level,
    equal: &mut Counts,
) -> Result<[Vec<Digest>; 2], TreeError> {
    let [mut left, mut right] = sides.map(|names| Stream::new(level, names));
    let mut out = [Vec::new(), Vec::new()];
    loop {
        settle(chunks, [&mut left, &mut right])?;
        let (mine, other) = (left.current(), right.current());
        let Some(order) = order(mine, other) else { return Ok(out) };
        let mine = mine.filter(|_| order.is_le()).map(Open::link).transpose()?;
        let other = other.filter(|_| order.is_ge()).map(Open::link).transpose()?;
        match (mine, other) {
            (Some((mine, counts)), Some((other, _))) if mine == other => equal.add(counts),
            (mine, other) => {
                out[0].extend(mine.map(|(chunk, _)| chunk));
                out[1].extend(other.map(|(chunk, _)| chunk));
            }
        }
        if order.is_le() {
            left.advance()?;
        }
        if order.is_ge() {
            right.advance()?;
        }
    }
}

impl<C: Chunks> Diff<'_, C> {
    /// How much was equal so far; once the walk is over, all resources that are equal in both.
    #[must_use]
    pub fn equal(&self) -> Counts {
        self.equal
    }

    /// Does steps until something differs.
    fn step(&mut self) -> Result<Option<Pair>, TreeError> {
        loop {
            settle(self.chunks, [&mut self.left, &mut self.right])?;
            let (left, right) = (self.left.current(), self.right.current());
            let Some(order) = order(left, right) else { return Ok(None) };
            let same = (left.zip(right)).filter(|(l, r)| order == Ordering::Equal && l.body() == r.body());
            let pair = if let Some((item, _)) = same {
                let attributes = attribute_count(item.body()).unwrap_or_default();
                self.equal.add(Counts { resources: 1, attributes });
                None
            } else {
                let left = left.filter(|_| order.is_le());
                let left = left.map(|item| decoded(&mut self.decoder, item)).transpose()?;
                let right = right.filter(|_| order.is_ge());
                Some((left, right.map(|item| decoded(&mut self.decoder, item)).transpose()?))
            };
            if order.is_le() {
                self.left.advance()?;
            }
            if order.is_ge() {
                self.right.advance()?;
            }
            if pair.is_some() {
                return Ok(pair);
            }
        }
    }
}

impl<C: Chunks> Iterator for Diff<'_, C> {
    type Item = Result<Pair, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.step();
        if found.is_err() {
            self.left.end();
            self.right.end();
        }
        found.transpose()
    }
}
