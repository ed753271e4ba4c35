//! What a store keeps, environment by environment, and what it saves by keeping equal parts once.

use std::collections::HashMap;

use parallax_model::{Digest, Timestamp};

use super::{Entry, Store, entry_of};
use crate::StoreError;
use crate::backend::{About, Sizes, Span};
use crate::tree;

/// What a store keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The database.
    pub about: About,
    /// What takes space.
    pub sizes: Sizes,
    /// All environments, by name.
    pub environments: Vec<Standing>,
    /// How many chunks all entries have, each counted for itself: what would be kept were nothing shared.
    pub named_chunks: u64,
}

/// What is kept of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub environment: String,
    /// How many entries.
    pub entries: usize,
    /// When the first and the last entry that are kept were captured.
    pub between: Option<(Timestamp, Timestamp)>,
    /// How many entries were found good.
    pub good: usize,
    /// How many entries a decision names.
    pub pinned: usize,
    /// The last one that was found good.
    pub last_good: Option<Entry>,
}

impl Store {
    /// What keeps the store.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn about(&self) -> Result<About, StoreError> {
        self.backend.about()
    }

    /// What is kept. Reads the inner parts of the trees, and no resource.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn survey(&self) -> Result<Survey, StoreError> {
        let about = self.backend.about()?;
        self.viewing(|| {
            let mut environments = Vec::new();
            let mut named_chunks = 0_u64;
            let mut known = HashMap::new();
            for (id, name) in self.backend.environments()? {
                let rows = self.backend.entries(id, Span::ALL)?;
                for row in &rows {
                    let count = self.chunks_under(row.root, &mut known)?;
                    named_chunks = named_chunks.saturating_add(count).saturating_add(1);
                }
                let entries: Vec<Entry> = rows.iter().map(|row| entry_of(&name, row)).collect();
                let first = entries.last().map(|entry| entry.captured_at);
                environments.push(Standing {
                    entries: entries.len(),
                    between: first.zip(entries.first().map(|entry| entry.captured_at)),
                    good: entries.iter().filter(|entry| entry.good.is_some()).count(),
                    pinned: entries.iter().filter(|entry| entry.is_pinned).count(),
                    last_good: entries.into_iter().find(|entry| entry.good.is_some()),
                    environment: name,
                });
            }
            Ok(Survey { about, sizes: self.backend.sizes()?, environments, named_chunks })
        })
    }

    /// How many chunks a tree has. Each inner node is opened once, and no leaf but one that is a root.
    fn chunks_under(&self, root: Digest, known: &mut HashMap<Digest, u64>) -> Result<u64, StoreError> {
        let shelf = self.shelf();
        let mut left = vec![root];
        while let Some(name) = left.last().copied() {
            if known.contains_key(&name) {
                left.pop();
                continue;
            }
            let links = tree::links_of(&shelf, &name)?;
            known.extend(links.iter().filter(|(_, level)| *level == 0).map(|(name, _)| (*name, 1)));
            let unknown: Vec<Digest> =
                links.iter().map(|(name, _)| *name).filter(|name| !known.contains_key(name)).collect();
            if unknown.is_empty() {
                let below = links.iter().filter_map(|(name, _)| known.get(name));
                let count = below.fold(1_u64, |sum, count| sum.saturating_add(*count));
                known.insert(name, count);
                left.pop();
            } else {
                left.extend(unknown);
            }
        }
        Ok(known.get(&root).copied().unwrap_or_default())
    }
}
