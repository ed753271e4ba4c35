//! What changed since the entry before, told so that every change is true.
//!
//! A difference between two entries is no change where one of them could not tell: where a gap hides the thing, where the source
//! that looks at it failed or was left out, and where a secret's fingerprint was made with another key. Such things are
//! held against the last entry that could tell. What no entry could tell before is seen for the first time, which
//! is no change either, as with the first entry of a timeline.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use parallax_model::{AttributePath, Key, SnapshotHeader, SourceReport, Value};

use super::Store;
use super::record::root_of;
use super::shelf::Shelf;
use crate::StoreError;
use crate::backend::{EntryRow, EnvironmentId, Span};
use crate::change::{self, Blindness, Kept, What};
use crate::tree;

/// How many entries are asked for at a time on the way back to one that could tell.
const PAGE: usize = 1024;

/// A recording that is held against entries before it.
pub(super) struct Since<'a, 's> {
    pub(super) store: &'a Store,
    pub(super) environment: &'a str,
    pub(super) id: EnvironmentId,
    pub(super) shelf: &'a Shelf<'s>,
    pub(super) row: &'a EntryRow,
    pub(super) header: &'a SnapshotHeader,
}

/// A secret that the entry before has with another key, as it is now.
type Masked = (Key, AttributePath, Value);

impl Since<'_, '_> {
    /// The changes since an entry, in order of keys.
    pub(super) fn changes(&self, old: &EntryRow) -> Result<Vec<Kept>, StoreError> {
        let old_header = self.store.header_of(self.environment, old, self.shelf)?;
        let seen = self.blindness(self.row, self.header, &old_header)?;
        let was_seen = self.blindness(old, &old_header, self.header)?;
        let (mut out, mut masked) = (Vec::new(), Vec::new());
        for (key, what) in self.differences(old)? {
            let part = what.attribute();
            let is_hidden =
                (what.is_lost() && seen.hides(&key, part)) || (what.is_found() && was_seen.hides(&key, part));
            if !is_hidden {
                sort_out(key, what, old, &mut out, &mut masked);
            }
        }
        let uncovered = was_seen.without(&seen);
        if !uncovered.is_empty() {
            self.add_uncovered(old, uncovered, &seen, &mut out, &mut masked)?;
        }
        if self.header.key_id.is_some() && !masked.is_empty() {
            self.add_masked(old, &masked, &mut out)?;
        }
        out.sort_by(|a, b| (&a.key, a.what.attribute()).cmp(&(&b.key, b.what.attribute())));
        Ok(out)
    }

    fn differences(&self, from: &EntryRow) -> Result<Vec<(Key, What)>, StoreError> {
        let mut out = Vec::new();
        for pair in tree::diff(self.shelf, &root_of(from), &root_of(self.row))? {
            let pair = pair?;
            let Some(key) = pair.1.as_ref().or(pair.0.as_ref()).map(|resource| resource.key.clone()) else {
                continue;
            };
            out.extend(change::derive(pair).into_iter().map(|what| (key.clone(), what)));
        }
        Ok(out)
    }

    /// What an entry could not see: its gaps, and the regions of sources that did not look. Where resources of a region
    /// are there, somebody looked.
    fn blindness(
        &self,
        row: &EntryRow,
        header: &SnapshotHeader,
        other: &SnapshotHeader,
    ) -> Result<Blindness, StoreError> {
        let mut blind = Blindness::of(&header.gaps);
        blind.add_left_out(header);
        for region in change::unseen(header, other) {
            let prefix = region.strip_suffix("/**").unwrap_or(region);
            if tree::under(self.shelf, &root_of(row), prefix)?.next().transpose()?.is_none() {
                blind.add(region);
            }
        }
        Ok(blind)
    }

    /// What is to be seen again, held against the last entry in which it was. What `old` has was seen in it.
    fn add_uncovered(
        &self,
        old: &EntryRow,
        mut left: Blindness,
        seen: &Blindness,
        out: &mut Vec<Kept>,
        masked: &mut Vec<Masked>,
    ) -> Result<(), StoreError> {
        let mut done = Blindness::default();
        self.look_back(old, |row, header| {
            let found = left.take_apart_from(&self.blindness(row, header, self.header)?);
            if !found.is_empty() {
                for (key, what) in self.differences(row)? {
                    let part = what.attribute();
                    let is_asked = found.hides(&key, part) && !done.hides(&key, part);
                    let is_hidden = what.is_lost() && seen.hides(&key, part);
                    if is_asked && !is_hidden && !self.has(old, &key, part)? {
                        sort_out(key, what, row, out, masked);
                    }
                }
                done.join(found);
            }
            Ok(if left.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    }

    /// Secrets whose fingerprints are of another key than those before, held against the last entry of the same key.
    fn add_masked(&self, old: &EntryRow, masked: &[Masked], out: &mut Vec<Kept>) -> Result<(), StoreError> {
        self.look_back(old, |row, header| {
            if header.key_id != self.header.key_id {
                return Ok(ControlFlow::Continue(()));
            }
            for (key, path, now) in masked {
                let then = tree::get(self.shelf, &root_of(row), key)?;
                let then = then.and_then(|then| then.attributes.get(path.as_str()).cloned());
                if let (Some(Value::Secret(before)), Value::Secret(after)) = (&then, now)
                    && before.same_secret(after) == Some(false)
                {
                    let what = What::Attribute {
                        path: path.clone(),
                        before: then.clone(),
                        after: Some(now.clone()),
                    };
                    out.push(Kept { key: key.clone(), what, after: row.captured });
                }
            }
            Ok(ControlFlow::Break(()))
        })
    }

    fn has(&self, row: &EntryRow, key: &Key, part: Option<&AttributePath>) -> Result<bool, StoreError> {
        let resource = tree::get(self.shelf, &root_of(row), key)?;
        Ok(resource
            .is_some_and(|resource| part.is_none_or(|path| resource.attributes.get(path.as_str()).is_some())))
    }

    /// Goes from entry to entry, backwards from the one before `from`, once for each header: entries of one header
    /// saw the same. It goes as far back as is needed, to the first entry if need be.
    fn look_back(
        &self,
        from: &EntryRow,
        mut look: impl FnMut(&EntryRow, &SnapshotHeader) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut looked_at = HashSet::new();
        let mut seen = HashSet::new();
        let mut end = (from.captured, from.number);
        loop {
            let rows = self.page_before(end)?;
            let Some(last) = rows.last() else { return Ok(()) };
            end = (last.captured, last.number);
            for row in rows {
                if !looked_at.insert(row.header) {
                    continue;
                }
                let header = self.store.header_of(self.environment, &row, self.shelf)?;
                if seen.insert(outlook(&header)) && look(&row, &header)?.is_break() {
                    return Ok(());
                }
            }
        }
    }

    /// Entries before one, newest first; none only where there are none.
    fn page_before(&self, (captured, number): (i64, u64)) -> Result<Vec<EntryRow>, StoreError> {
        let is_before = |row: &EntryRow| (row.captured, row.number) < (captured, number);
        let span = Span { since: captured, until: captured, limit: usize::MAX };
        let mut rows = self.store.backend.entries(self.id, span)?;
        rows.retain(is_before);
        if let (true, Some(until)) = (rows.is_empty(), captured.checked_sub(1)) {
            rows = self.store.backend.entries(self.id, Span { until, limit: PAGE, ..Span::ALL })?;
        }
        Ok(rows)
    }
}

/// What of a header says what was seen: the key of its fingerprints, what its gaps hide, how its sources ended. Why they did
/// differs often, and shows nothing more.
fn outlook(header: &SnapshotHeader) -> (Option<String>, BTreeSet<String>, BTreeSet<String>) {
    let gaps = header.gaps.iter().map(|gap| gap.what.to_string()).collect();
    let report = |report: &SourceReport| {
        let asked: Option<Vec<&str>> = report.only_names().map(Iterator::collect);
        format!("{} {:?} {asked:?}", report.source, report.status)
    };
    (header.key_id.clone(), gaps, header.sources.iter().map(report).collect())
}

/// A difference to an entry: a change, or fingerprints that say nothing of each other.
fn sort_out(key: Key, what: What, since: &EntryRow, out: &mut Vec<Kept>, masked: &mut Vec<Masked>) {
    if let What::Attribute { path, before: Some(Value::Secret(before)), after: Some(Value::Secret(after)) } =
        &what
        && before.same_secret(after).is_none()
    {
        masked.push((key, path.clone(), Value::Secret(after.clone())));
    } else {
        out.push(Kept { key, what, after: since.captured });
    }
}
