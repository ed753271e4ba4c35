//! What differs between two trees, descending only where their chunks' names differ.

use std::cmp::Ordering;

use parallax_model::{Digest, Resource};

use super::entry::Item;
use super::frontier::{Frontier, Next};
use super::{Chunks, Counts, Root, TreeError};

/// A key's resource on the left and on the right; at least one is there, and they are not equal.
pub type Pair = (Option<Resource>, Option<Resource>);

/// The differing resources of two trees, in order of keys. After an error the walk is over.
#[derive(Debug)]
pub struct Diff<'c, C> {
    chunks: &'c C,
    left: Frontier,
    right: Frontier,
    equal: Counts,
}

/// Compares two trees that are kept in the same place.
///
/// # Errors
/// [`TreeError`], naming the root that could not be read.
pub fn diff<'c, C: Chunks>(chunks: &'c C, left: &Root, right: &Root) -> Result<Diff<'c, C>, TreeError> {
    let (left, right) = (Frontier::new(chunks, left)?, Frontier::new(chunks, right)?);
    Ok(Diff { chunks, left, right, equal: Counts::default() })
}

/// What is to be done next.
enum Step {
    SkipBoth(Counts),
    OpenLeft,
    OpenRight,
    Compare(Ordering),
    End,
}

impl<C: Chunks> Diff<'_, C> {
    /// How much was equal so far; once the walk is over, all resources that are equal in both.
    #[must_use]
    pub fn equal(&self) -> Counts {
        self.equal
    }

    fn step(&self) -> Step {
        match (self.left.peek(), self.right.peek()) {
            (None, None) => Step::End,
            (
                Some(Next::Closed { chunk, level, counts }),
                Some(Next::Closed { chunk: other, level: far, .. }),
            ) => match level.cmp(far) {
                Ordering::Equal if chunk == other => Step::SkipBoth(*counts),
                Ordering::Equal | Ordering::Greater => Step::OpenLeft,
                Ordering::Less => Step::OpenRight,
            },
            (Some(Next::Closed { .. }), Some(Next::Open { .. }) | None) => Step::OpenLeft,
            (Some(Next::Open { .. }) | None, Some(Next::Closed { .. })) => Step::OpenRight,
            (Some(Next::Open { item, .. }), Some(Next::Open { item: other, .. })) => {
                Step::Compare(item.key.cmp(&other.key))
            }
            (Some(Next::Open { .. }), None) => Step::Compare(Ordering::Less),
            (None, Some(Next::Open { .. })) => Step::Compare(Ordering::Greater),
        }
    }

    /// Does steps until something differs.
    fn advance(&mut self) -> Result<Option<Pair>, TreeError> {
        loop {
            match self.step() {
                Step::End => return Ok(None),
                Step::SkipBoth(counts) => {
                    self.equal.add(counts);
                    self.left.pop();
                    self.right.pop();
                }
                Step::OpenLeft => self.left.open(self.chunks, "")?,
                Step::OpenRight => self.right.open(self.chunks, "")?,
                Step::Compare(Ordering::Less) => {
                    return Ok(Some((taken(&mut self.left)?, None)));
                }
                Step::Compare(Ordering::Greater) => {
                    return Ok(Some((None, taken(&mut self.right)?)));
                }
                Step::Compare(Ordering::Equal) => {
                    if let Some(pair) = self.same_key()? {
                        return Ok(Some(pair));
                    }
                }
            }
        }
    }

    fn same_key(&mut self) -> Result<Option<Pair>, TreeError> {
        let (left, right) = (open(&mut self.left), open(&mut self.right));
        let (Some((left, leaf)), Some((right, other))) = (left, right) else {
            return Ok(None);
        };
        if left.body == right.body {
            use super::entry::Entry as _;
            self.equal.add(left.counts());
            return Ok(None);
        }
        Ok(Some((Some(left.resource(leaf)?), Some(right.resource(other)?))))
    }
}

fn open(frontier: &mut Frontier) -> Option<(Item, Digest)> {
    match frontier.pop()? {
        Next::Open { item, leaf } => Some((item, leaf)),
        Next::Closed { .. } => None,
    }
}

fn taken(frontier: &mut Frontier) -> Result<Option<Resource>, TreeError> {
    open(frontier).map(|(item, leaf)| item.resource(leaf)).transpose()
}

impl<C: Chunks> Iterator for Diff<'_, C> {
    type Item = Result<Pair, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.advance();
        if found.is_err() {
            while self.left.pop().is_some() || self.right.pop().is_some() {}
        }
        found.transpose()
    }
}
