//! What is left of a damaged SQLite file, as a backend that can only be read. The file is never touched.
//!
//! Rows are told apart by their columns alone, which differ from table to table, and not by what the file says of its tables.
//! Names of chunks are not read but made again from the chunks. What is whole and what is not is for others to judge.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use parallax_model::Digest;

use super::pages::{Field, Pages, Row, Spot};
use crate::StoreError;
use crate::backend::{
    About, Backend, Block, BlockQuery, ChunkId, EntryRow, EnvironmentId, EvidenceRow, Job, Packed, Reader,
    Sizes, Span,
};

/// The rows of a damaged file that could be read.
#[derive(Debug)]
pub(crate) struct Wreck {
    pages: Pages,
    place: String,
    environments: BTreeMap<EnvironmentId, (Option<String>, Option<u64>)>,
    entries: BTreeMap<(EnvironmentId, u64), EntryRow>,
    chunks: BTreeMap<ChunkId, Spot>,
    names: HashMap<Digest, ChunkId>,
    blocks: BTreeMap<(EnvironmentId, u64, u64), (i64, Spot)>,
    evidence: BTreeMap<(EnvironmentId, u64, u64), EvidenceRow>,
    /// Entries that an index speaks of, with their time.
    indexed: BTreeMap<(EnvironmentId, u64), i64>,
    /// Names of environments as an index has them.
    indexed_names: BTreeMap<EnvironmentId, String>,
    /// Blocks that an index speaks of, or what looks like it.
    indexed_blocks: BTreeSet<(EnvironmentId, u64, u64)>,
    /// Pages of the file that are gone, or cannot be read.
    pub(crate) lost_pages: usize,
    /// Rows of which a part is gone.
    pub(crate) lost_rows: usize,
}

impl Wreck {
    /// Reads every page of a file once.
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        let place = path.display().to_string();
        let fail =
            |error: std::io::Error| StoreError::Unreachable { place: place.clone(), why: error.to_string() };
        let pages = Pages::open(path).map_err(fail)?;
        let (count, beyond) = pages.counts();
        let mut wreck = Self {
            pages,
            place: place.clone(),
            environments: BTreeMap::new(),
            entries: BTreeMap::new(),
            chunks: BTreeMap::new(),
            names: HashMap::new(),
            blocks: BTreeMap::new(),
            evidence: BTreeMap::new(),
            indexed: BTreeMap::new(),
            indexed_names: BTreeMap::new(),
            indexed_blocks: BTreeSet::new(),
            lost_pages: beyond,
            lost_rows: 0,
        };
        let free = wreck.pages.free();
        for number in (1..=count).filter(|number| !free.contains(number)) {
            if wreck.pages.page(number).is_none() {
                wreck.lost_pages += 1;
            }
            let (rows, lost) = wreck.pages.rows(number);
            wreck.lost_rows += lost;
            for row in &rows {
                // What is of no table of ours is SQLite's own, or rubbish.
                let _is_ours = wreck.take(row).is_some();
            }
        }
        if wreck.entries.is_empty() && wreck.environments.is_empty() && wreck.chunks.is_empty() {
            return Err(StoreError::NotAStore { place });
        }
        wreck.complete();
        Ok(wreck)
    }

    /// All chunks, by number: those that others are compressed against come before these.
    pub(crate) fn chunk_numbers(&self) -> Vec<ChunkId> {
        self.chunks.keys().copied().collect()
    }

    /// Gives a chunk the name that its bytes have.
    pub(crate) fn name(&mut self, chunk: ChunkId, name: Digest) {
        self.names.entry(name).or_insert(chunk);
    }

    /// The environments of whose names one cannot be sure: nothing else says what is true of them.
    pub(crate) fn unsure_names(&self) -> Vec<String> {
        let row = |id: &EnvironmentId| self.environments.get(id).and_then(|(name, _)| name.as_ref());
        let is_unsure = |id: &&EnvironmentId| {
            let indexed = self.indexed_names.get(*id);
            indexed.is_none() || row(id) != indexed
        };
        self.environments
            .keys()
            .filter(is_unsure)
            .map(|id| called(*id, row(id).map(String::as_str)))
            .collect()
    }

    /// Entries of whose time the table and its index say different things; no hash speaks of it.
    pub(crate) fn unsure_times(&self) -> Vec<(EnvironmentId, u64, i64)> {
        let differs = |(place, row): &(&(EnvironmentId, u64), &EntryRow)| {
            self.indexed.get(*place).is_some_and(|captured| *captured != row.captured)
        };
        let unsure = self.entries.iter().filter(differs);
        unsure.map(|((id, number), row)| (*id, *number, row.captured)).collect()
    }

    /// Entries that are known to have been there and whose row is gone, with their time where that is known.
    pub(crate) fn lost_entries(&self) -> Vec<(EnvironmentId, u64, Option<i64>)> {
        let heads = self.environments.iter().filter_map(|(id, (_, head))| Some(((*id, (*head)?), None)));
        let indexed = self.indexed.iter().map(|(place, captured)| (*place, Some(*captured)));
        let known: BTreeMap<_, _> = heads.chain(indexed).collect();
        let lost = known.into_iter().filter(|(place, _)| !self.entries.contains_key(place));
        lost.map(|((id, number), captured)| (id, number, captured)).collect()
    }

    /// Blocks of changes that are known to have been there and are gone: entry and block.
    pub(crate) fn lost_blocks(&self, environment: EnvironmentId) -> BTreeSet<u64> {
        let range = (environment, 0, 0)..=(environment, u64::MAX, u64::MAX);
        let there = |place: &(EnvironmentId, u64, u64)| self.blocks.contains_key(place);
        let mut lost: BTreeSet<u64> = self
            .indexed_blocks
            .range(range.clone())
            .filter(|place| !there(place))
            .map(|place| place.1)
            .collect();
        // Blocks of an entry are numbered from 0.
        for (_, entry, number) in self.blocks.range(range).map(|(place, _)| *place) {
            if number > 0 && !there(&(environment, entry, number - 1)) {
                lost.insert(entry);
            }
        }
        lost
    }

    fn take(&mut self, row: &Row) -> Option<()> {
        use Field::{Blob, Integer, Null, Text};
        match (row.id, row.fields()?.as_slice()) {
            (Some(id), [Null, Text(name), head @ (Null | Integer(_))]) => {
                let known = self.environments.entry(id).or_default();
                known.0 = Some((*name).to_owned());
                known.1 = known.1.max(optional(head)?.and_then(|head| u64::try_from(head).ok()));
            }
            (Some(id), [Null, Null | Integer(_), Integer(_), Blob(_)]) => {
                self.chunks.insert(id, row.spot);
            }
            (
                Some(_),
                [Integer(environment), Integer(entry), Integer(number), Integer(captured), Blob(_)],
            ) => {
                let place = (*environment, natural(*entry)?, natural(*number)?);
                self.blocks.insert(place, (*captured, row.spot));
            }
            (None, [Text(name), Integer(environment)]) => {
                self.indexed_names.insert(*environment, (*name).to_owned());
            }
            (None, [Integer(environment), Integer(captured), Integer(number)]) => {
                self.indexed.insert((*environment, natural(*number)?), *captured);
            }
            (None, [Integer(environment), Integer(entry), Integer(number), Integer(_)]) => {
                // The other table of such rows has a hash in the second place, which is this small about never.
                let place = (*environment, natural(*entry)?, natural(*number)?);
                if place.1 < 1 << 40 {
                    self.indexed_blocks.insert(place);
                }
            }
            (
                None,
                [Integer(environment), Integer(entry), Integer(number), Text(key), attribute, at, Text(text)],
            ) => {
                let attribute = match attribute {
                    Null => None,
                    Text(path) => Some((*path).to_owned()),
                    Integer(_) | Blob(_) | Field::Other => return None,
                };
                let entry = natural(*entry)?;
                let place = (*environment, entry, natural(*number)?);
                let (key, text, at) = ((*key).to_owned(), (*text).to_owned(), optional(at)?);
                self.evidence.insert(place, EvidenceRow { entry, key, attribute, at, text });
            }
            (None, fields) => self.take_entry(fields)?,
            (Some(_), _) => return None,
        }
        Some(())
    }

    fn take_entry(&mut self, fields: &[Field<'_>]) -> Option<()> {
        use Field::Integer;
        let [
            Integer(environment),
            Integer(number),
            Integer(captured),
            snapshot,
            root,
            header,
            Integer(resources),
            Integer(attributes),
            good,
            Integer(pinned),
        ] = fields
        else {
            return None;
        };
        let row = EntryRow {
            number: natural(*number)?,
            captured: *captured,
            snapshot: digest(snapshot),
            root: digest(root)?,
            header: digest(header)?,
            resources: natural(*resources)?,
            attributes: natural(*attributes)?,
            good: optional(good)?,
            is_pinned: *pinned != 0,
        };
        // A page that is not used any more may have the row as it was: what was known once is true.
        let known = self.entries.entry((*environment, row.number)).or_insert_with(|| row.clone());
        known.snapshot = known.snapshot.or(row.snapshot);
        known.good = known.good.max(row.good);
        known.is_pinned |= row.is_pinned;
        Some(())
    }

    /// Environments of which only entries are left, and heads of which nothing is.
    fn complete(&mut self) {
        for (id, number) in self.entries.keys() {
            let known = self.environments.entry(*id).or_default();
            known.1 = known.1.max(Some(*number));
        }
        for (id, known) in &mut self.environments {
            // Of two names that differ, nothing tells which is the true one.
            known.0 = match (known.0.take(), self.indexed_names.get(id)) {
                (Some(name), Some(indexed)) if name != *indexed => None,
                (name, indexed) => name.or_else(|| indexed.cloned()),
            };
        }
    }

    fn payload<T>(&self, spot: Spot, read: impl FnOnce(&[Field<'_>]) -> Option<T>) -> Option<T> {
        self.pages.at(spot).and_then(|row| row.fields().and_then(|fields| read(&fields)))
    }

    fn packed_one(&self, id: ChunkId) -> Option<Packed> {
        self.payload(*self.chunks.get(&id)?, |fields| match fields {
            [_, base, Field::Integer(depth), Field::Blob(data)] => {
                Some(Packed { base: optional(base)?, depth: u8::try_from(*depth).ok()?, data: data.to_vec() })
            }
            _ => None,
        })
    }
}

fn natural(number: i64) -> Option<u64> {
    u64::try_from(number).ok()
}

fn digest(field: &Field<'_>) -> Option<Digest> {
    match field {
        Field::Blob(bytes) => Some(Digest((*bytes).try_into().ok()?)),
        Field::Null | Field::Integer(_) | Field::Text(_) | Field::Other => None,
    }
}

/// A number or nothing; `None` for anything else.
fn optional(field: &Field<'_>) -> Option<Option<i64>> {
    match field {
        Field::Null => Some(None),
        Field::Integer(number) => Some(Some(*number)),
        Field::Text(_) | Field::Blob(_) | Field::Other => None,
    }
}

/// An environment without a name gets one by its number.
fn called(id: EnvironmentId, name: Option<&str>) -> String {
    name.map_or_else(|| format!("unnamed-{id}"), str::to_owned)
}

impl Reader for Wreck {
    fn environment(&self, name: &str) -> Result<Option<EnvironmentId>, StoreError> {
        Ok(self.environments()?.into_iter().find(|(_, known)| known == name).map(|(id, _)| id))
    }

    fn environments(&self) -> Result<Vec<(EnvironmentId, String)>, StoreError> {
        let named = self.environments.iter().map(|(id, (name, _))| (*id, called(*id, name.as_deref())));
        let mut all: Vec<(EnvironmentId, String)> = named.collect();
        all.sort_by(|left, right| left.1.cmp(&right.1));
        Ok(all)
    }

    fn head(&self, environment: EnvironmentId) -> Result<Option<u64>, StoreError> {
        Ok(self.environments.get(&environment).and_then(|(_, head)| *head))
    }

    fn entry(&self, environment: EnvironmentId, number: u64) -> Result<Option<EntryRow>, StoreError> {
        Ok(self.entries.get(&(environment, number)).cloned())
    }

    fn entries(&self, environment: EnvironmentId, span: Span) -> Result<Vec<EntryRow>, StoreError> {
        let all = self.entries.range((environment, 0)..=(environment, u64::MAX)).map(|(_, row)| row);
        let within = all.filter(|row| (span.since..=span.until).contains(&row.captured));
        let mut rows: Vec<EntryRow> = within.cloned().collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.captured, row.number)));
        rows.truncate(span.limit);
        Ok(rows)
    }

    fn chunk_ids(&self, names: &[Digest]) -> Result<Vec<Option<ChunkId>>, StoreError> {
        Ok(names.iter().map(|name| self.names.get(name).copied()).collect())
    }

    fn named(&self, names: &[Digest]) -> Result<Vec<Option<(ChunkId, Packed)>>, StoreError> {
        let find = |name: &Digest| {
            let id = *self.names.get(name)?;
            Some((id, self.packed_one(id)?))
        };
        Ok(names.iter().map(find).collect())
    }

    fn packed(&self, ids: &[ChunkId]) -> Result<Vec<Option<Packed>>, StoreError> {
        Ok(ids.iter().map(|id| self.packed_one(*id)).collect())
    }

    fn all_chunks(&self) -> Result<Vec<(ChunkId, Digest, Option<ChunkId>)>, StoreError> {
        let one = |(name, id): (&Digest, &ChunkId)| Some((*id, *name, self.packed_one(*id)?.base));
        let mut all: Vec<_> = self.names.iter().filter_map(one).collect();
        all.sort_unstable_by_key(|(id, ..)| *id);
        Ok(all)
    }

    fn blocks(&self, environment: EnvironmentId, query: BlockQuery) -> Result<Vec<Block>, StoreError> {
        let Span { since, until, limit } = query.span;
        let (entry, number) = query.before.unwrap_or((u64::MAX, u64::MAX));
        let wanted = self.blocks.range((environment, 0, 0)..(environment, entry, number)).rev();
        let within = wanted.filter(|(_, (captured, _))| (since..=until).contains(captured));
        let read = |(place, (captured, spot)): (&(EnvironmentId, u64, u64), &(i64, Spot))| {
            let data = self.payload(*spot, |fields| match fields.last() {
                Some(Field::Blob(data)) => Some(data.to_vec()),
                Some(_) | None => None,
            });
            let data = data.unwrap_or_default();
            Block { entry: place.1, number: place.2, captured: *captured, data }
        };
        // Which changes are of which key is found only in the changes themselves.
        Ok(within.map(read).take(limit).collect())
    }

    fn evidence(&self, environment: EnvironmentId, entry: u64) -> Result<Vec<EvidenceRow>, StoreError> {
        let of = self.evidence.range((environment, entry, 0)..=(environment, entry, u64::MAX));
        Ok(of.map(|(_, row)| row.clone()).collect())
    }

    fn sizes(&self) -> Result<Sizes, StoreError> {
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        Ok(Sizes {
            chunks: count(self.chunks.len()),
            entries: count(self.entries.len()),
            blocks: count(self.blocks.len()),
            ..Sizes::default()
        })
    }

    fn integrity(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

impl Backend for Wreck {
    fn view(&self, job: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        job()
    }

    fn write(&self, _job: &mut Job<'_>) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly { place: self.place.clone() })
    }

    fn about(&self) -> Result<About, StoreError> {
        Ok(About { engine: "SQLite", schema: super::schema::known() })
    }
}
