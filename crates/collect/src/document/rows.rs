//! Rows: the parts of a document that become resources, each with its span, digest and key's hash; and the
//! choice of how rows that are no Kubernetes objects are named. Does not look into rows.

use std::collections::HashMap;

use super::digest::{self, DigestKey, Hash};
use super::identity::Identity;
use super::natural::{Candidate, Choice, Fields, Pile};

/// One part of a document that becomes a resource. There may be millions, so it is kept small.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Equal for rows of equal meaning.
    pub(super) digest: u128,
    /// The hash of its key: from the start for a Kubernetes object, for others once rows are named.
    pub(super) identity: u128,
    pub(super) start: u32,
    pub(super) end: u32,
    /// How many attributes it has: fewer than it has bytes.
    pub(super) leaves: u32,
    /// 0, or which one of several rows with the same key this is, from 2.
    pub(super) twin: u32,
    pub(super) sort: Sort,
}

/// What names a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// It is a Kubernetes object.
    Object,
    /// It is named as one of its document's rows.
    Item,
}

/// Whether a document is one value, or a list or stream of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Single,
    Many,
}

/// How rows that are no Kubernetes objects are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// By a natural key.
    Key(usize, Candidate),
    /// By position in the document, from 0.
    Position,
}

/// All rows of one document.
#[derive(Debug)]
pub(super) struct Rows {
    form: Form,
    rows: Vec<Row>,
    pile: Pile,
    choice: Choice,
}

impl Rows {
    pub(super) fn new(form: Form) -> Self {
        Self { form, rows: Vec::new(), pile: Pile::default(), choice: Choice::ALL }
    }

    pub(super) fn as_slice(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn identity_hash(&self, text: &[u8], identity: &Identity, key: DigestKey) -> Option<u128> {
        identity.hash(text, key)
    }

    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Notes what may name the row that was just added, which is no Kubernetes object.
    pub(super) fn note_fields(&mut self, fields: Option<&Fields>, key: DigestKey) {
        let Some(fields) = fields else {
            self.choice = Choice::NONE;
            return;
        };
        let pile = &mut self.pile;
        self.choice = self.choice.filter(|number, candidate| {
            let hash = fields.row_hash(candidate, key);
            hash.inspect(|hash| pile.push(number, *hash)).is_some()
        });
    }

    /// Adds the rows of another value of the same stream.
    pub(super) fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.choice = self.choice.and(other.choice);
        self.pile.extend(other.pile);
    }

    /// What may name the rows: a natural key of all of them.
    fn natural(&self) -> Choice {
        self.choice.filter(|number, _| self.pile.is_unique(0, number))
    }

    /// How the rows of one or two documents are named: both alike.
    pub(super) fn naming(&self, other: Option<&Self>) -> Naming {
        let other_form = other.map_or(Form::Single, |other| other.form);
        if self.form == Form::Single && other_form == Form::Single {
            return Naming::Position;
        }
        let choice = other.map_or(Choice::ALL, Self::natural).and(self.natural());
        choice.first().map_or(Naming::Position, |(number, candidate)| Naming::Key(number, candidate))
    }

    /// Gives every row the hash of its key, each once.
    pub(super) fn name(&mut self, naming: Naming, key: DigestKey) {
        let pile = std::mem::take(&mut self.pile);
        let mut keys = match naming {
            Naming::Key(number, _) => Some(pile.of(0, number)),
            Naming::Position => None,
        };
        for (position, row) in self.rows.iter_mut().enumerate() {
            if row.sort == Sort::Item {
                let by_position = || numbered(key, 0, position as u64);
                row.identity = keys.as_mut().and_then(Iterator::next).unwrap_or_else(by_position);
            }
        }
        self.number_twins(key);
    }

    /// Tells rows with the same key apart by their order.
    fn number_twins(&mut self, key: DigestKey) {
        let mut identities: Vec<u128> = self.rows.iter().map(|row| row.identity).collect();
        identities.sort_unstable();
        let twice = identities.windows(2).filter(|pair| pair.first() == pair.last());
        let mut seen: HashMap<u128, u32> = twice.filter_map(|pair| Some((*pair.first()?, 0))).collect();
        if seen.is_empty() {
            return;
        }
        for row in &mut self.rows {
            let Some(count) = seen.get_mut(&row.identity) else { continue };
            *count += 1;
            if *count > 1 {
                row.twin = *count;
                row.identity = numbered(key, row.identity, u64::from(*count));
            }
        }
    }
}

fn numbered(key: DigestKey, identity: u128, number: u64) -> u128 {
    let mut hash = Hash::begin(key, digest::Sort::Ordered, 8, 16);
    hash.word(number);
    hash.wide(identity);
    hash.finish()
}
