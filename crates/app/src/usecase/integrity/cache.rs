//! Answers that are kept: one file of JSON in the cache folder. A registry can't change a published version, so an answer
//! holds for a week (versions can be yanked or removed); that something is absent is never kept. Holds no credential.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parallax_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Served, State};

const WEEK: i64 = 7 * 24 * 3600;
const MOST_BYTES: u64 = 64 << 20;
const FILE: &str = "registry-answers.json";

#[derive(Serialize, Deserialize)]
struct Kept {
    /// Seconds since 1970.
    at: i64,
    hashes: Vec<String>,
    yanked: bool,
}

pub(super) struct Cache {
    path: Option<PathBuf>,
    now: i64,
    all: BTreeMap<String, Kept>,
}

impl Cache {
    /// What is kept; nothing where it can't be read.
    pub(super) fn open(folder: Option<&Path>, now: Timestamp) -> Self {
        let path = folder.map(|folder| folder.join(FILE));
        let small = |path: &&PathBuf| path.metadata().is_ok_and(|m| m.is_file() && m.len() <= MOST_BYTES);
        let bytes = path.as_ref().filter(small).and_then(|path| std::fs::read(path).ok());
        let mut all: BTreeMap<String, Kept> =
            bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let now = now.as_second();
        all.retain(|_, kept| (0..WEEK).contains(&now.saturating_sub(kept.at)));
        Self { path, now, all }
    }

    pub(super) fn get(&self, key: &str) -> Option<Served> {
        let kept = self.all.get(key)?;
        let state = if kept.yanked { State::Yanked } else { State::There };
        Some(Served { hashes: kept.hashes.clone(), state })
    }

    pub(super) fn put(&mut self, key: String, served: &Served) {
        let yanked = match served.state {
            State::Absent => return,
            State::Yanked => true,
            State::There => false,
        };
        self.all.insert(key, Kept { at: self.now, hashes: served.hashes.clone(), yanked });
    }

    /// Writes all that is kept, whole or not at all. That nothing could be kept costs only time.
    pub(super) fn save(&self) {
        let Some(path) = &self.path else { return };
        let Some(folder) = path.parent() else { return };
        let written = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::Builder::new().prefix(".registry-").tempfile_in(folder)?;
            serde_json::to_writer(std::io::BufWriter::new(&mut file), &self.all)?;
            file.persist(path).map_err(|e| e.error)?;
            Ok(())
        };
        if let Err(error) = written() {
            tracing::debug!(%error, "answers of registries are not kept");
        }
    }
}
