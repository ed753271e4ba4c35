//! Every statement that is sent to PostgreSQL, in one place, so that a test can hold all of them against what CockroachDB,
//! YugabyteDB and Citus also run (`lint.rs`).
//!
//! What those three ask for: no triggers, extensions, procedures, advisory locks, notifications, inheritance, temporary
//! tables or sequences; no join of chunks, which are spread by name, with anything; row locks where one environment is
//! named, or on the two small tables that are the same everywhere (`store`, `environment`).

use tokio_postgres::types::Type;

/// A statement and the types of its parameters. They are sent along, so that nothing is prepared beforehand: one trip for
/// each, and poolers that share connections between transactions may stand in between.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) sql: &'static str,
    pub(super) types: &'static [Type],
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident($($kind:ident),*) = $sql:expr;)*) => {
        $($(#[$doc])* pub(super) const $name: Statement = Statement { sql: $sql, types: &[$(Type::$kind),*] };)*
        /// All of them, for the lint.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &Statement)] = &[$((stringify!($name), &$name)),*];
    };
}

statements! {
    /// The version of the schema, and how many environments there ever were.
    STORE() = "SELECT version FROM parallax.store WHERE environment = 0";
    /// Locks the store against new environments.
    LOCK_STORE() = "SELECT version FROM parallax.store WHERE environment = 0 FOR UPDATE";
    FIRST_STORE(INT8) = "INSERT INTO parallax.store (environment, version, environments) VALUES (0, $1, 0) \
        ON CONFLICT (environment) DO NOTHING";
    SET_VERSION(INT8) = "UPDATE parallax.store SET version = $1 WHERE environment = 0";
    HAS_SCHEMA() = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'parallax'";

    NEXT_ENVIRONMENT() = "UPDATE parallax.store SET environments = environments + 1 WHERE environment = 0 \
        RETURNING environments";
    ADD_ENVIRONMENT(INT8, TEXT) = "INSERT INTO parallax.environment (environment, name, head) VALUES ($1, $2, NULL)";
    ENVIRONMENT(TEXT) = "SELECT environment FROM parallax.environment WHERE name = $1";
    LOCK_NAME(TEXT) = "SELECT environment FROM parallax.environment WHERE name = $1 FOR UPDATE";
    LOCK_ENVIRONMENT(INT8) = "SELECT environment FROM parallax.environment WHERE environment = $1 FOR UPDATE";
    LOCK_ENVIRONMENTS() = "SELECT environment FROM parallax.environment ORDER BY environment FOR UPDATE";
    ENVIRONMENTS() = "SELECT environment, name FROM parallax.environment";
    HEAD(INT8) = "SELECT head FROM parallax.environment WHERE environment = $1";
    MOVE_HEAD(INT8, INT8, INT8) = "UPDATE parallax.environment SET head = $3 WHERE environment = $1 \
        AND (head = $2 OR (head IS NULL AND $2 IS NULL)) RETURNING environment";

    ENTRY(INT8, INT8) = "SELECT number, captured, snapshot, root, header, resources, attributes, good, pinned \
        FROM parallax.entry WHERE environment = $1 AND number = $2";
    LOCK_ENTRY(INT8, INT8) = "SELECT number, captured, snapshot, root, header, resources, attributes, good, pinned \
        FROM parallax.entry WHERE environment = $1 AND number = $2 FOR UPDATE";
    ENTRIES(INT8, INT8, INT8, INT8) = "SELECT number, captured, snapshot, root, header, resources, attributes, good, \
        pinned FROM parallax.entry WHERE environment = $1 AND captured BETWEEN $2 AND $3 \
        ORDER BY captured DESC, number DESC LIMIT $4";
    ADD_ENTRY(INT8, INT8, INT8, BYTEA, BYTEA, BYTEA, INT8, INT8, INT8, BOOL, INT8) = "INSERT INTO parallax.entry \
        (environment, number, captured, snapshot, root, header, resources, attributes, good, pinned, attempt) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    ATTEMPT(INT8, INT8) = "SELECT attempt FROM parallax.entry WHERE environment = $1 AND number = $2";
    MARK(INT8, INT8, BYTEA, INT8, BOOL) = "UPDATE parallax.entry SET snapshot = $3, good = $4, pinned = $5 \
        WHERE environment = $1 AND number = $2";
    REMOVE_ENTRY(INT8, INT8) = "DELETE FROM parallax.entry WHERE environment = $1 AND number = $2";

    CHUNKS_THERE(BYTEA_ARRAY) = "SELECT name FROM parallax.chunk WHERE name = ANY($1)";
    CHUNKS(BYTEA_ARRAY) = "SELECT name, base, depth, data FROM parallax.chunk WHERE name = ANY($1)";
    CHUNKS_AFTER(BYTEA, INT8) = "SELECT name, base FROM parallax.chunk WHERE name > $1 ORDER BY name LIMIT $2";
    ADD_CHUNKS(BYTEA_ARRAY, BYTEA_ARRAY, INT2_ARRAY, BYTEA_ARRAY) = "INSERT INTO parallax.chunk \
        (name, base, depth, data) SELECT n.name, n.base, n.depth, n.data \
        FROM unnest($1, $2, $3, $4) AS n (name, base, depth, data) ON CONFLICT (name) DO NOTHING";
    REMOVE_CHUNKS(BYTEA_ARRAY) = "DELETE FROM parallax.chunk WHERE name = ANY($1)";

    BLOCKS(INT8, INT8, INT8, INT8, INT8, INT8) = "SELECT b.entry, b.number, b.captured, b.data \
        FROM parallax.change_block b WHERE b.environment = $1 AND b.captured BETWEEN $2 AND $3 \
        AND (b.entry < $4 OR (b.entry = $4 AND b.number < $5)) \
        ORDER BY b.entry DESC, b.number DESC LIMIT $6";
    BLOCKS_OF_KEY(INT8, INT8, INT8, INT8, INT8, INT8, INT8) = "SELECT b.entry, b.number, b.captured, b.data \
        FROM parallax.changed_key k JOIN parallax.change_block b \
        ON b.environment = k.environment AND b.entry = k.entry AND b.number = k.number \
        WHERE k.environment = $1 AND k.key = $7 AND b.captured BETWEEN $2 AND $3 \
        AND (k.entry < $4 OR (k.entry = $4 AND k.number < $5)) \
        ORDER BY k.entry DESC, k.number DESC LIMIT $6";
    ADD_BLOCKS(INT8, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, BYTEA_ARRAY) = "INSERT INTO parallax.change_block \
        (environment, entry, number, captured, data) SELECT $1, n.entry, n.number, n.captured, n.data \
        FROM unnest($2, $3, $4, $5) AS n (entry, number, captured, data)";
    ADD_KEYS(INT8, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY) = "INSERT INTO parallax.changed_key \
        (environment, key, entry, number) SELECT $1, n.key, n.entry, n.number \
        FROM unnest($2, $3, $4) AS n (key, entry, number) ON CONFLICT (environment, key, entry, number) DO NOTHING";

    EVIDENCE(INT8, INT8) = "SELECT key, attribute, at, text FROM parallax.evidence \
        WHERE environment = $1 AND entry = $2 ORDER BY number";
    LAST_EVIDENCE(INT8, INT8) = "SELECT max(number) FROM parallax.evidence WHERE environment = $1 AND entry = $2";
    ADD_EVIDENCE(INT8, INT8, INT8, TEXT, TEXT, INT8, TEXT, INT8) = "INSERT INTO parallax.evidence \
        (environment, entry, number, key, attribute, at, text, attempt) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    ATTEMPT_OF_EVIDENCE(INT8, INT8, INT8) = "SELECT attempt FROM parallax.evidence \
        WHERE environment = $1 AND entry = $2 AND number = $3";

    CHUNK_SIZES() = "SELECT count(*), CAST(coalesce(sum(octet_length(data)), 0) AS BIGINT) FROM parallax.chunk";
    BLOCK_SIZES() = "SELECT count(*), CAST(coalesce(sum(octet_length(data)), 0) AS BIGINT) FROM parallax.change_block";
    COUNT_ENTRIES() = "SELECT count(*) FROM parallax.entry";
}

/// What the tables take on disk, where the engine can tell. Not all can; then the sums above stand for it.
pub(super) const TABLE_SIZES: Statement = Statement {
    sql: "SELECT CAST(pg_total_relation_size('parallax.chunk') + pg_total_relation_size('parallax.change_block') \
          + pg_total_relation_size('parallax.changed_key') + pg_total_relation_size('parallax.entry') \
          + pg_total_relation_size('parallax.evidence') AS BIGINT)",
    types: &[],
};

/// What a connection is told when it is made: no wait without end, and locks are given up soon when this side is gone. An
/// engine that does not know one of these goes without.
pub(super) const SETTINGS: [&str; 2] =
    ["SET lock_timeout = '60s'", "SET idle_in_transaction_session_timeout = '30s'"];

/// A transaction that writes. Rows that matter are locked, so this level is enough; CockroachDB gives a stricter one.
pub(super) const BEGIN: &str = "BEGIN";
/// A transaction that reads all of the store as it was when it began.
pub(super) const BEGIN_VIEW: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";
