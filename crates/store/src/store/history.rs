//! What changed, when, and what is known of it: the table of changes, which is read without opening a tree.

use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Key, Timestamp};

use super::record::told_one;
use super::{Store, header};
use crate::StoreError;
use crate::backend::{Block, BlockQuery, EnvironmentId, EvidenceRow, Span};
use crate::change::{self, Change, Kept};

/// How many blocks of changes are read at a time.
const PAGE: usize = 64;

/// Which changes are wanted. Start from [`Query::of`] and set what is to be narrowed.
#[derive(Debug, Clone)]
pub struct Query {
    /// The environment.
    pub environment: String,
    /// Only changes of this resource; looked up by an index.
    pub key: Option<Key>,
    /// Only changes that this selects.
    pub selector: Option<Selector>,
    /// Only changes that concern this attribute: its own, and those of its whole resource.
    pub attribute: Option<AttributePath>,
    /// Only changes first observed at or after this time.
    pub since: Timestamp,
    /// Only changes first observed at or before this time.
    pub until: Timestamp,
    /// How many at most.
    pub limit: usize,
}

impl Query {
    /// All changes of an environment.
    #[must_use]
    pub fn of(environment: &str) -> Self {
        Self {
            environment: environment.to_owned(),
            key: None,
            selector: None,
            attribute: None,
            since: Timestamp::MIN,
            until: Timestamp::MAX,
            limit: usize::MAX,
        }
    }

    fn wants(&self, kept: &Kept) -> bool {
        let attribute = kept.what.attribute();
        let path = attribute.or(self.attribute.as_ref());
        self.key.as_ref().is_none_or(|key| *key == kept.key)
            && self.attribute.as_ref().is_none_or(|wanted| attribute.is_none_or(|path| path == wanted))
            && self.selector.as_ref().is_none_or(|s| match path {
                Some(path) => s.selects(&kept.key, Some(path)),
                None => s.selects_key(&kept.key),
            })
    }
}

impl Store {
    /// Changes, newest first by time and then by entry; where the limit cuts into an entry's, its first keys stay. Those of one entry in order of keys. None where the environment was never recorded.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn changes(&self, query: &Query) -> Result<Vec<Change>, StoreError> {
        self.viewing(|| self.found(query))
    }

    fn found(&self, query: &Query) -> Result<Vec<Change>, StoreError> {
        let Some(id) = self.backend.environment(&query.environment)? else {
            return Ok(Vec::new());
        };
        let span = Span {
            since: query.since.as_microsecond(),
            until: query.until.as_microsecond(),
            limit: query.limit.min(PAGE),
        };
        let mut page = BlockQuery { key: query.key.as_ref().map(change::key_number), span, before: None };
        let mut out = Vec::new();
        let mut cut = None;
        if query.limit == 0 {
            return Ok(Vec::new());
        }
        'pages: loop {
            let blocks = self.backend.blocks(id, page)?;
            let Some(last) = blocks.last() else { break };
            page.before = Some((last.entry, last.number));
            page.span.limit = PAGE;
            for block in &blocks {
                // An entry's first keys come last, so that the entry that goes beyond the limit is read to its end.
                if cut.is_some_and(|entry| entry != block.entry) {
                    break 'pages;
                }
                let mut kept = self.opened(&query.environment, block)?;
                kept.retain(|kept| query.wants(kept));
                // Blocks come backwards, and so must what is in them until all is turned below.
                out.extend(kept.into_iter().rev().map(|k| (k, block.entry, block.captured)));
                cut = (out.len() >= query.limit).then_some(block.entry);
            }
        }
        let told = |(kept, entry, at)| told_one(kept, entry, header::time(at));
        let mut changes: Vec<Change> = out.into_iter().rev().map(told).collect();
        changes.sort_by_key(|change| std::cmp::Reverse((change.not_after, change.entry)));
        changes.truncate(query.limit);
        self.join_evidence(id, &mut changes)?;
        Ok(changes)
    }

    /// Adds what became known of a change: JSON, and when exactly it happened where that is told.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn add_evidence(
        &self,
        environment: &str,
        change: &Change,
        evidence: &str,
        at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let id = self.known(environment)?;
        let row = EvidenceRow {
            entry: change.entry,
            key: change.key.as_str().to_owned(),
            attribute: change.what.attribute().map(|path| path.as_str().to_owned()),
            at: at.map(Timestamp::as_microsecond),
            text: evidence.to_owned(),
        };
        self.backend.write(&mut |writer| writer.add_evidence(id, &row))
    }

    pub(super) fn opened(&self, environment: &str, block: &Block) -> Result<Vec<Kept>, StoreError> {
        let bytes = self.packer.unpack(&block.data, &[]);
        bytes.and_then(|bytes| change::decode(&bytes)).ok_or_else(|| StoreError::Unreadable {
            environment: environment.to_owned(),
            number: block.entry,
            what: "a block of its changes",
        })
    }

    fn join_evidence(&self, environment: EnvironmentId, changes: &mut [Change]) -> Result<(), StoreError> {
        for of_entry in changes.chunk_by_mut(|a, b| a.entry == b.entry) {
            let Some(entry) = of_entry.first().map(|change| change.entry) else { continue };
            for row in self.backend.evidence(environment, entry)? {
                let about = |change: &&mut Change| {
                    change.key.as_str() == row.key
                        && change.what.attribute().map(AttributePath::as_str) == row.attribute.as_deref()
                };
                for change in of_entry.iter_mut().filter(about) {
                    change.at = row.at.map(header::time).or(change.at);
                    change.evidence.push(row.text.clone());
                }
            }
        }
        Ok(())
    }
}
