//! What a database must do for a store. Everything above these traits is the same for every backend.
//!
//! A backend keeps rows and knows nothing of trees, changes or compression. Keys of all tables but those of chunks are led by
//! the environment, so that a distributed database can keep an environment together; chunks are shared by all.

use std::fmt::Debug;

use parallax_model::Digest;

use crate::StoreError;

/// An environment, as the backend numbers it.
pub type EnvironmentId = i64;
/// A chunk, as the backend numbers it.
pub type ChunkId = i64;

/// A chunk as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The chunk that it was compressed against.
    pub base: Option<ChunkId>,
    /// How many chunks must be read before this one.
    pub depth: u8,
    /// The compressed bytes.
    pub data: Vec<u8>,
}

/// One recording of an environment. Times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Its number in the timeline, from 1, without reuse.
    pub number: u64,
    /// When it was captured.
    pub captured: i64,
    /// The snapshot's content hash, once known.
    pub snapshot: Option<Digest>,
    /// The root of its tree.
    pub root: Digest,
    /// The chunk that holds its header.
    pub header: Digest,
    /// How many resources it has.
    pub resources: u64,
    /// How many attributes it has.
    pub attributes: u64,
    /// When it was found good.
    pub good: Option<i64>,
    /// Whether a decision names it.
    pub is_pinned: bool,
}

/// A part of a timeline. Both ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The earliest capture.
    pub since: i64,
    /// The latest capture.
    pub until: i64,
    /// How many entries at most, the newest first.
    pub limit: usize,
}

impl Span {
    /// Every entry.
    pub const ALL: Self = Self { since: i64::MIN, until: i64::MAX, limit: usize::MAX };
}

/// Some changes of one entry, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The entry that first shows them.
    pub entry: u64,
    /// The block's number within the entry.
    pub number: u64,
    /// When the entry was captured.
    pub captured: i64,
    /// The compressed changes.
    pub data: Vec<u8>,
}

/// Which blocks of changes are wanted; they are given newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockQuery {
    /// Only blocks with a change of a key of this number.
    pub key: Option<i64>,
    /// Only entries captured in this time, and how many blocks at most.
    pub span: Span,
    /// Only blocks before this entry and block: where the page before ended.
    pub before: Option<(u64, u64)>,
}

/// Something that became known of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRow {
    /// The change's entry.
    pub entry: u64,
    /// The change's key.
    pub key: String,
    /// The change's attribute.
    pub attribute: Option<String>,
    /// When it happened, if this is known.
    pub at: Option<i64>,
    /// What is known, as JSON.
    pub text: String,
}

/// What takes space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Bytes on disk.
    pub bytes: u64,
    /// Chunks.
    pub chunks: u64,
    /// Bytes of compressed chunks.
    pub chunk_bytes: u64,
    /// Entries, over all environments.
    pub entries: u64,
    /// Blocks of changes.
    pub blocks: u64,
    /// Bytes of compressed changes.
    pub block_bytes: u64,
}

/// What a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Its name, for people.
    pub engine: &'static str,
    /// The version of the store's tables in it.
    pub schema: i64,
}

/// What can be asked.
pub trait Reader {
    /// The environment of that name.
    fn environment(&self, name: &str) -> Result<Option<EnvironmentId>, StoreError>;
    /// All environments, by name.
    fn environments(&self) -> Result<Vec<(EnvironmentId, String)>, StoreError>;
    /// The number of the latest recording.
    fn head(&self, environment: EnvironmentId) -> Result<Option<u64>, StoreError>;
    /// One entry.
    fn entry(&self, environment: EnvironmentId, number: u64) -> Result<Option<EntryRow>, StoreError>;
    /// Entries by time of capture, newest first.
    fn entries(&self, environment: EnvironmentId, span: Span) -> Result<Vec<EntryRow>, StoreError>;
    /// The numbers of chunks; `None` for each that is not there.
    fn chunk_ids(&self, names: &[Digest]) -> Result<Vec<Option<ChunkId>>, StoreError>;
    /// Chunks by name, with their numbers, in one trip to the database; `None` for each that is not there.
    fn named(&self, names: &[Digest]) -> Result<Vec<Option<(ChunkId, Packed)>>, StoreError>;
    /// Chunks; `None` for each that is not there.
    fn packed(&self, ids: &[ChunkId]) -> Result<Vec<Option<Packed>>, StoreError>;
    /// All chunks: number, name, and what it was compressed against.
    fn all_chunks(&self) -> Result<Vec<(ChunkId, Digest, Option<ChunkId>)>, StoreError>;
    /// Blocks of changes.
    fn blocks(&self, environment: EnvironmentId, query: BlockQuery) -> Result<Vec<Block>, StoreError>;
    /// Evidence on the changes of an entry, in the order in which it came.
    fn evidence(&self, environment: EnvironmentId, entry: u64) -> Result<Vec<EvidenceRow>, StoreError>;
    /// What takes space.
    fn sizes(&self) -> Result<Sizes, StoreError>;
    /// What the database itself finds wrong with its file.
    fn integrity(&self) -> Result<Vec<String>, StoreError>;
}

/// What can be written, within one transaction.
pub trait Writer: Reader {
    /// Sees to it that nothing is recorded until the end of this transaction, and that what was recorded before it is seen.
    /// Does nothing where only one transaction writes at a time.
    fn keep_recordings_out(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    /// The environment of that name, which is made if need be.
    fn add_environment(&mut self, name: &str) -> Result<EnvironmentId, StoreError>;
    /// Adds a chunk that is not there.
    fn add_chunk(&mut self, name: &Digest, packed: &Packed) -> Result<ChunkId, StoreError>;
    /// Adds an entry.
    fn add_entry(&mut self, environment: EnvironmentId, row: &EntryRow) -> Result<(), StoreError>;
    /// Makes `to` the latest recording, if `from` is the latest until now; says whether it was.
    fn move_head(
        &mut self,
        environment: EnvironmentId,
        from: Option<u64>,
        to: u64,
    ) -> Result<bool, StoreError>;
    /// Adds a block of changes, to be found by these numbers of keys.
    fn add_block(
        &mut self,
        environment: EnvironmentId,
        block: &Block,
        keys: &[i64],
    ) -> Result<(), StoreError>;
    /// Adds evidence.
    fn add_evidence(&mut self, environment: EnvironmentId, row: &EvidenceRow) -> Result<(), StoreError>;
    /// Writes an entry's content hash, time of being good and pin.
    fn mark(&mut self, environment: EnvironmentId, row: &EntryRow) -> Result<(), StoreError>;
    /// Removes an entry; its changes stay.
    fn remove_entry(&mut self, environment: EnvironmentId, number: u64) -> Result<(), StoreError>;
    /// Removes chunks.
    fn remove_chunks(&mut self, chunks: &[(ChunkId, Digest)]) -> Result<(), StoreError>;
}

/// What is done within a transaction. It may be called more than once, each time from the start.
pub type Job<'j> = dyn FnMut(&mut dyn Writer) -> Result<(), StoreError> + 'j;

/// A database that keeps a store.
pub trait Backend: Reader + Debug + Send {
    /// Does a job that reads, all of it on the store as it was when it began. Cheaper than reading
    /// without. Must not be nested, nor write.
    ///
    /// # Errors
    /// What the job gives, or what kept it from being done.
    fn view(&self, job: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Does a job in one transaction: all of it, or nothing. Waits for other writers.
    ///
    /// # Errors
    /// What the job gives, or what kept the transaction from being done; then nothing of it was.
    fn write(&self, job: &mut Job<'_>) -> Result<(), StoreError>;

    /// What the database is.
    ///
    /// # Errors
    /// [`StoreError`]
    fn about(&self) -> Result<About, StoreError>;

    /// Gives space that nothing uses any more back to the file system, without keeping writers waiting. Does nothing
    /// where the database does so by itself.
    ///
    /// # Errors
    /// [`StoreError`]
    fn shrink(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
