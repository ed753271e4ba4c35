//! Reading what was recorded: a whole snapshot, one resource, what differs between two entries.

#[cfg(test)]
mod tests;

use parallax_model::{Key, Resource, Snapshot, SnapshotHeader};

use super::record::{root_of, unreadable};
use super::shelf::Shelf;
use super::{Entry, Store, header, missing};
use crate::StoreError;
use crate::backend::{EntryRow, EnvironmentId};
use crate::tree::{self, Chunks as _, Counts};

/// What differs between two entries: ready to be compared, without what is equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The left entry's resources that the right one has not, or has otherwise; sorted by key.
    pub left: Vec<Resource>,
    /// The right entry's; sorted by key.
    pub right: Vec<Resource>,
    /// The resources that are the same in both, and their attributes.
    pub equal: Counts,
}

impl Store {
    /// The snapshot of an entry, as it was recorded: same header, same gaps, same content hash.
    ///
    /// # Errors
    /// [`StoreError`], which names the chunk that is missing or damaged.
    pub fn read(&self, entry: &Entry) -> Result<Snapshot, StoreError> {
        let (id, row, snapshot) = self.viewing(|| {
            let (id, row) = self.row(entry)?;
            let shelf = self.shelf();
            let header = self.header_of(&entry.environment, &row, &shelf)?;
            let resources = tree::scan(&shelf, &root_of(&row), "")?.collect::<Result<Vec<_>, _>>()?;
            Ok((id, row, Snapshot::new(header, resources)))
        })?;
        if row.snapshot.is_none() {
            let hash = snapshot.hash();
            let kept = self.backend.write(&mut |writer| match writer.entry(id, entry.number)? {
                Some(row) => writer.mark(id, &EntryRow { snapshot: Some(hash), ..row }),
                None => Ok(()),
            });
            match kept {
                // A store that may only be read tells its hashes without keeping them.
                Ok(()) | Err(StoreError::ReadOnly { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(snapshot)
    }

    /// An entry's header: sources, gaps, and with what it was captured.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn header(&self, entry: &Entry) -> Result<SnapshotHeader, StoreError> {
        let (_, row) = self.row(entry)?;
        self.header_of(&entry.environment, &row, &self.shelf())
    }

    /// One resource of an entry, without reading the others.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn resource(&self, entry: &Entry, key: &Key) -> Result<Option<Resource>, StoreError> {
        self.viewing(|| Ok(tree::get(&self.shelf(), &entry.root(), key)?))
    }

    /// An entry's resources whose keys start with these whole segments (`runtime`, `dependency/npm`).
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn under(&self, entry: &Entry, prefix: &str) -> Result<Vec<Resource>, StoreError> {
        self.viewing(|| {
            let shelf = self.shelf();
            Ok(tree::under(&shelf, &entry.root(), prefix)?.collect::<Result<_, _>>()?)
        })
    }

    /// What differs between two entries, of any environments, in time that depends on what does.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn diff(&self, left: &Entry, right: &Entry) -> Result<Differing, StoreError> {
        self.viewing(|| self.differing(left, right))
    }

    fn differing(&self, left: &Entry, right: &Entry) -> Result<Differing, StoreError> {
        let shelf = self.shelf();
        let mut walk = tree::diff(&shelf, &left.root(), &right.root())?;
        let mut out = Differing { left: Vec::new(), right: Vec::new(), equal: Counts::default() };
        for pair in walk.by_ref() {
            let (left, right) = pair?;
            out.left.extend(left);
            out.right.extend(right);
        }
        out.equal = walk.equal();
        Ok(out)
    }

    pub(super) fn row(&self, entry: &Entry) -> Result<(EnvironmentId, EntryRow), StoreError> {
        let id = self.known(&entry.environment)?;
        let row = self.backend.entry(id, entry.number)?.ok_or_else(|| missing(entry))?;
        Ok((id, row))
    }

    pub(super) fn header_of(
        &self,
        environment: &str,
        row: &EntryRow,
        shelf: &Shelf<'_>,
    ) -> Result<SnapshotHeader, StoreError> {
        let bytes = shelf.get(&row.header).map_err(|source| unreadable(row.header, source))?;
        let read = bytes.and_then(|bytes| header::decode(environment, row.captured, &bytes));
        read.ok_or_else(|| StoreError::Unreadable {
            environment: environment.to_owned(),
            number: row.number,
            what: "its header",
        })
    }
}
