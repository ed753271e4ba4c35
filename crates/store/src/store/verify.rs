//! Checking that all is whole: everything is read, and held against names, counts, hashes, and the changes that were derived
//! from it. Mends nothing.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use parallax_model::{Digest, Resource, Snapshot, Timestamp};

use super::house::reach;
use super::record::root_of;
use super::shelf::{Cache, Shelf};
use super::{Store, header};
use crate::StoreError;
use crate::backend::{Backend, Block, BlockQuery, EntryRow, EnvironmentId, Span};
use crate::change::{Kept, What};
use crate::tree;

/// How many blocks of changes are read at a time.
const PAGE: usize = 64;

/// Is told how much of the work is done, and how much there is.
pub type Tell<'t> = dyn FnMut(usize, usize) + 't;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Entries that were read.
    pub entries: usize,
    /// Chunks that were held against their names.
    pub chunks: usize,
    /// Changes that were read.
    pub changes: usize,
    /// What is wrong; nothing, where the store is whole.
    pub problems: Vec<Problem>,
}

/// Something that is wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The environment that it concerns, where it is one.
    pub environment: Option<String>,
    /// The entry that it concerns.
    pub entry: Option<u64>,
    /// When that entry was captured.
    pub captured_at: Option<Timestamp>,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    pub(super) fn of(environment: &str, row: &EntryRow, what: String) -> Self {
        Self::at(environment, row.number, row.captured, what)
    }

    pub(super) fn at(environment: &str, entry: u64, captured: i64, what: String) -> Self {
        let captured_at = Some(header::time(captured));
        Self { environment: Some(environment.to_owned()), entry: Some(entry), captured_at, what }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.environment, self.entry) {
            (Some(environment), Some(entry)) => write!(f, "environment `{environment}`, entry {entry}: ")?,
            (Some(environment), None) => write!(f, "environment `{environment}`: ")?,
            (None, _) => {}
        }
        f.write_str(&self.what)
    }
}

impl Store {
    /// Reads everything and holds it against its names, counts and hashes, and changes against what they changed.
    ///
    /// # Errors
    /// [`StoreError`] only where the store cannot be read at all; what is wrong with parts of it is in the answer.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        self.verify_telling(&mut |_, _| ())
    }

    /// As [`Store::verify`], and tells of every entry that is done.
    ///
    /// # Errors
    /// As [`Store::verify`].
    pub fn verify_telling(&self, tell: &mut Tell<'_>) -> Result<Verified, StoreError> {
        let whole = |what| Problem { environment: None, entry: None, captured_at: None, what };
        let integrity: Vec<Problem> = self.backend.integrity()?.into_iter().map(whole).collect();
        self.viewing(|| {
            // What others opened is not what lies in the backend now.
            let cache = Cache::default();
            let mut check = Check::new(self, &cache);
            check.out.problems.clone_from(&integrity);
            let environments = self.backend.environments()?;
            let total = usize::try_from(self.backend.sizes()?.entries).unwrap_or(usize::MAX);
            for (id, name) in environments {
                check.environment(id, &name, &mut |done| tell(done, total))?;
            }
            Ok(check.done())
        })
    }
}

/// A check under way.
pub(super) struct Check<'c> {
    store: &'c Store,
    shelf: Shelf<'c>,
    out: Verified,
    chunks: HashSet<Digest>,
    /// Trees and headers whose content hash was found to be this.
    hashes: HashSet<(Digest, Digest, Digest)>,
}

impl<'c> Check<'c> {
    pub(super) fn new(store: &'c Store, cache: &'c Cache) -> Self {
        let (out, shelf) = (Verified::default(), Shelf::new(&*store.backend, &store.packer, cache));
        Self { store, shelf, out, chunks: HashSet::new(), hashes: HashSet::new() }
    }

    pub(super) fn done(mut self) -> Verified {
        self.out.chunks = self.chunks.len();
        self.out
    }

    fn environment(
        &mut self,
        id: EnvironmentId,
        name: &str,
        tell: &mut dyn FnMut(usize),
    ) -> Result<(), StoreError> {
        let mut rows = self.store.backend.entries(id, Span::ALL)?;
        rows.sort_by_key(|row| std::cmp::Reverse(row.number));
        let head = self.store.backend.head(id)?;
        if rows.first().map(|row| row.number) != head {
            let what = "its latest entry is missing".to_owned();
            let (environment, captured_at) = (Some(name.to_owned()), None);
            self.out.problems.push(Problem { environment, entry: head, captured_at, what });
        }
        let mut blocks = Blocks::of(&*self.store.backend, id, Span::ALL, None);
        let mut next = blocks.next()?;
        for row in rows {
            // Blocks outlive their entries.
            while let Some(block) = next.take_if(|block| block.entry > row.number) {
                self.block(name, &block, None);
                next = blocks.next()?;
            }
            let resources = self.entry(name, &row);
            while let Some(block) = next.take_if(|block| block.entry == row.number) {
                // Others tell what changed from it to the entry that followed when it was recorded.
                let after = resources.as_deref().filter(|_| block.captured == row.captured);
                self.block(name, &block, after);
                next = blocks.next()?;
            }
            tell(self.out.entries);
        }
        while let Some(block) = next {
            self.block(name, &block, None);
            next = blocks.next()?;
        }
        Ok(())
    }

    /// Reads an entry whole; gives its resources where it is.
    pub(super) fn entry(&mut self, environment: &str, row: &EntryRow) -> Option<Vec<Resource>> {
        self.out.entries += 1;
        match self.read(environment, row) {
            Ok(resources) => Some(resources),
            Err(error) => {
                self.out.problems.push(Problem::of(environment, row, told(&error)));
                None
            }
        }
    }

    fn read(&mut self, environment: &str, row: &EntryRow) -> Result<Vec<Resource>, StoreError> {
        let header = self.store.header_of(environment, row, &self.shelf)?;
        self.chunks.insert(row.header);
        let chunks = &mut self.chunks;
        reach(&self.shelf, row.root, &mut |name| {
            chunks.insert(name);
        })?;
        let resources = tree::scan(&self.shelf, &root_of(row), "")?.collect::<Result<Vec<_>, _>>()?;
        let attributes: usize = resources.iter().map(|resource| resource.attributes.len()).sum();
        let said = (usize::try_from(row.resources).ok(), usize::try_from(row.attributes).ok());
        let wrong =
            |what| StoreError::Unreadable { environment: environment.to_owned(), number: row.number, what };
        if said != (Some(resources.len()), Some(attributes)) {
            return Err(wrong("its tree (it holds another number of resources than was recorded)"));
        }
        let Some(hash) = row.snapshot.filter(|hash| !self.hashes.contains(&(row.root, row.header, *hash)))
        else {
            return Ok(resources);
        };
        let snapshot = Snapshot::new(header, resources);
        if snapshot.hash() != hash {
            return Err(wrong("its content (the hash is another)"));
        }
        self.hashes.insert((row.root, row.header, hash));
        Ok(snapshot.resources().to_vec())
    }

    /// Reads a block, and holds it against the entry that it led to, where that is whole. Gives the changes that are true.
    pub(super) fn block(
        &mut self,
        environment: &str,
        block: &Block,
        after: Option<&[Resource]>,
    ) -> Option<Vec<Kept>> {
        let problem = |what: &str| Problem::at(environment, block.entry, block.captured, what.to_owned());
        let Ok(changes) = self.store.opened(environment, block) else {
            self.out.problems.push(problem("a block of its changes cannot be read"));
            return None;
        };
        self.out.changes += changes.len();
        if after.is_some_and(|after| !changes.iter().all(|kept| led_to(kept, after))) {
            self.out.problems.push(problem("its changes do not lead to it"));
            return None;
        }
        Some(changes)
    }
}

/// Whether a change leaves a resource as it is.
fn led_to(kept: &Kept, after: &[Resource]) -> bool {
    let found = after.binary_search_by(|resource| resource.key.cmp(&kept.key));
    let found = found.ok().and_then(|at| after.get(at));
    match (&kept.what, found) {
        (What::Appeared(resource), Some(found)) => resource == found,
        (What::Vanished(_), None) => true,
        (What::Attribute { path, after, .. }, Some(found)) => {
            found.attributes.get(path.as_str()) == after.as_ref()
        }
        (What::Shape { after, .. }, Some(found)) => {
            after.kind == found.kind && after.relations == found.relations
        }
        (What::Vanished(_), Some(_))
        | (What::Appeared(_) | What::Attribute { .. } | What::Shape { .. }, None) => false,
    }
}

/// An error with all that led to it.
pub(super) fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Blocks of changes, the newest first, some at a time.
pub(super) struct Blocks<'b> {
    backend: &'b dyn Backend,
    environment: EnvironmentId,
    query: BlockQuery,
    page: VecDeque<Block>,
}

impl<'b> Blocks<'b> {
    /// Those of entries captured in a time, and before an entry where one is named.
    pub(super) fn of(
        backend: &'b dyn Backend,
        environment: EnvironmentId,
        span: Span,
        before: Option<u64>,
    ) -> Self {
        let span = Span { limit: PAGE, ..span };
        let query = BlockQuery { key: None, span, before: before.map(|entry| (entry, 0)) };
        Self { backend, environment, query, page: VecDeque::new() }
    }

    pub(super) fn next(&mut self) -> Result<Option<Block>, StoreError> {
        if self.page.is_empty() {
            self.page = self.backend.blocks(self.environment, self.query)?.into();
        }
        let block = self.page.pop_front();
        if let Some(block) = &block {
            self.query.before = Some((block.entry, block.number));
        }
        Ok(block)
    }
}
