//! Snapshots: everything observed of one environment at one time, and the file that holds one.
//!
//! The file (`parallax.snapshot/1`) is JSON lines: a header, then one resource a line, sorted by key. Reading
//! it back gives the same content hash. The header states how many resources follow and what their
//! hash is, so that a file cut short is refused instead of being read as a smaller environment.

use std::fmt;
use std::io::{BufRead, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Attributes, Fingerprint, Gap, Key, KeyError, Relation, RelationKind, Resource, Value};

/// The schema that this version writes and reads.
const SCHEMA: &str = "parallax.snapshot/1";

/// A content hash: BLAKE3, 32 bytes, written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// How far a source got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// Everything that it looks for was seen.
    Complete,
    /// Some of it is a gap.
    Partial,
    /// Nothing could be seen.
    Failed,
    /// It does not apply there.
    Skipped,
}

/// What one source did, for the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The collector's name: `host`, `runtime`, `environment`, `project` ...
    pub source: String,
    /// Where it looked: `this machine`, `ssh://staging`, a path.
    pub place: String,
    /// How far it got.
    pub status: SourceStatus,
    /// Why not further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How a report begins of what a source was not asked for, before the names that it was asked for.
const ONLY: &str = "asked only for: ";

impl SourceReport {
    /// Says that a source was asked for these names alone, and that the rest was left out.
    #[must_use]
    pub fn asked_only_for(source: &str, place: &str, names: &[String]) -> Self {
        let why = Some(format!("{ONLY}{}", names.join(", ")));
        Self { source: source.to_owned(), place: place.to_owned(), status: SourceStatus::Skipped, why }
    }

    /// The names that a source was asked for, where it was not asked for all.
    pub fn only_names(&self) -> Option<impl Iterator<Item = &str>> {
        let names =
            self.why.as_deref().filter(|_| self.status == SourceStatus::Skipped)?.strip_prefix(ONLY)?;
        Some(names.split(", ").filter(|name| !name.is_empty()))
    }
}

/// What is known of a snapshot besides its resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// The environment's name.
    pub environment: String,
    /// When the observation ended, by the observing machine's clock.
    pub captured_at: Timestamp,
    /// Which version of Parallax observed.
    pub tool: String,
    /// The id of the key that made the fingerprints; `None` where only presence was recorded.
    pub key_id: Option<String>,
    /// What each source did.
    pub sources: Vec<SourceReport>,
    /// What could not be observed; sorted, each once.
    pub gaps: Vec<Gap>,
}

/// Everything observed of one environment at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    header: SnapshotHeader,
    resources: Vec<Resource>,
}

/// Why a snapshot file could not be read. Lines count from 1.
#[derive(Debug, Error)]
pub enum SnapshotReadError {
    /// Reading failed.
    #[error("line {line}: {source}")]
    Io {
        /// The line that was being read.
        line: usize,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The first line is not the header of a snapshot.
    #[error("line 1: not a snapshot: {0}")]
    NotASnapshot(String),
    /// The file was written by a version with another format.
    #[error("line 1: schema `{0}`, but this version reads `parallax.snapshot/1`")]
    OtherSchema(String),
    /// A line is not a resource.
    #[error("line {line}: {source}")]
    Line {
        /// The line.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A key is malformed.
    #[error("line {line}: {source}")]
    Key {
        /// The line.
        line: usize,
        /// What is wrong with it.
        source: KeyError,
    },
    /// Keys must rise.
    #[error(
        "line {line}: key `{key}` does not come after `{before}`; a snapshot is sorted by key, each once"
    )]
    OutOfOrder {
        /// The line.
        line: usize,
        /// The key there.
        key: Key,
        /// The key on the line before.
        before: Key,
    },
    /// Fewer or more resources than the header says.
    #[error(
        "line {line}: {found} resources, but the header says {expected}: the file was cut short or edited"
    )]
    Count {
        /// The last line.
        line: usize,
        /// How many were read.
        found: usize,
        /// How many the header promised.
        expected: usize,
    },
    /// The content is not what the header says.
    #[error("content hash {found}, but the header says {expected}: the file was edited or damaged")]
    Hash {
        /// The hash of what was read.
        found: Digest,
        /// The hash that the header promised.
        expected: String,
    },
}

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    schema: String,
    environment: String,
    captured_at: Timestamp,
    #[serde(default)]
    tool: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint_key: Option<String>,
    #[serde(default)]
    sources: Vec<SourceReport>,
    #[serde(default)]
    gaps: Vec<Gap>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resources: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

#[derive(Serialize)]
struct ResourceLineRef<'a> {
    key: &'a str,
    kind: &'a str,
    attributes: &'a Attributes,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relations: Vec<(RelationKind, &'a str)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceLine {
    key: String,
    kind: String,
    attributes: Attributes,
    #[serde(default)]
    relations: Vec<(RelationKind, String)>,
}

impl Snapshot {
    /// Makes a snapshot of resources in any order. Where a key comes twice, attributes and
    /// relations are joined, and for an attribute with two values the later wins.
    #[must_use]
    pub fn new(mut header: SnapshotHeader, mut resources: Vec<Resource>) -> Self {
        resources.sort_by(|a, b| a.key.cmp(&b.key));
        let mut merged: Vec<Resource> = Vec::with_capacity(resources.len());
        for resource in resources {
            match merged.last_mut() {
                Some(last) if last.key == resource.key => join(last, resource),
                Some(_) | None => merged.push(resource),
            }
        }
        header.gaps.sort();
        header.gaps.dedup();
        Self { header, resources: merged }
    }

    /// What is known besides the resources.
    #[must_use]
    pub fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// The resources, sorted by key.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The resource with that key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Resource> {
        let at = self.resources.binary_search_by(|r| r.key.cmp(key)).ok()?;
        self.resources.get(at)
    }

    /// The resources whose keys start with these whole segments (`runtime`, `dependency/npm`).
    pub fn under<'a>(&'a self, prefix: &str) -> impl Iterator<Item = &'a Resource> + use<'a> {
        let prefix = format!("{prefix}/");
        let from = self.resources.partition_point(|r| r.key.as_str() < prefix.as_str());
        let rest = self.resources.get(from..).unwrap_or_default();
        rest.iter().take_while(move |r| r.key.as_str().starts_with(&prefix))
    }

    /// The content hash: over resources and gaps, not over name and time, so that the same state
    /// has the same hash wherever and whenever it is seen.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(SCHEMA.as_bytes());
        for gap in &self.header.gaps {
            hasher.update(gap.what.as_bytes()).update(b"\0").update(gap.why.as_bytes()).update(b"\n");
        }
        let mut line = Vec::new();
        for resource in &self.resources {
            line.clear();
            // Writing JSON into memory cannot fail: keys are text and numbers were checked.
            if write_resource(&mut line, resource).is_ok() {
                hasher.update(blake3::hash(&line).as_bytes());
            }
        }
        Digest(*hasher.finalize().as_bytes())
    }

    /// The same with every fingerprint reduced to "present": what may be kept when the key was made
    /// for one run only, since such fingerprints could never be compared again.
    #[must_use]
    pub fn with_presence_only(mut self) -> Self {
        self.header.key_id = None;
        for resource in &mut self.resources {
            resource.attributes.map_values(|value| match value {
                Value::Secret(_) => Some(Value::Secret(Fingerprint::Present)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
            });
        }
        self
    }

    /// Writes the snapshot file.
    ///
    /// # Errors
    /// Whatever writing gives (a full disk, a closed pipe).
    pub fn write(&self, mut out: impl Write) -> std::io::Result<()> {
        let header = HeaderLine {
            schema: SCHEMA.to_owned(),
            environment: self.header.environment.clone(),
            captured_at: self.header.captured_at,
            tool: self.header.tool.clone(),
            fingerprint_key: self.header.key_id.clone(),
            sources: self.header.sources.clone(),
            gaps: self.header.gaps.clone(),
            resources: Some(self.resources.len()),
            hash: Some(self.hash().to_string()),
        };
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        for resource in &self.resources {
            write_resource(&mut out, resource)?;
        }
        out.flush()
    }

    /// Reads a snapshot file. A byte order mark, CRLF and blank lines at the end are accepted.
    ///
    /// # Errors
    /// [`SnapshotReadError`], with the line.
    pub fn read(mut input: impl BufRead) -> Result<Self, SnapshotReadError> {
        let mut text = String::new();
        input.read_line(&mut text).map_err(|source| SnapshotReadError::Io { line: 1, source })?;
        let header = read_header(text.trim_start_matches('\u{feff}'))?;
        let mut resources: Vec<Resource> = Vec::new();
        let mut line = 1;
        loop {
            line += 1;
            text.clear();
            let read = input.read_line(&mut text).map_err(|source| SnapshotReadError::Io { line, source })?;
            if read == 0 {
                break;
            }
            if text.trim().is_empty() {
                continue;
            }
            let resource = read_resource(&text, line)?;
            if let Some(last) = resources.last().filter(|last| last.key >= resource.key) {
                let before = last.key.clone();
                return Err(SnapshotReadError::OutOfOrder { line, key: resource.key, before });
            }
            resources.push(resource);
        }
        verified(header, resources, line)
    }
}

fn verified(line: HeaderLine, resources: Vec<Resource>, last: usize) -> Result<Snapshot, SnapshotReadError> {
    if let Some(expected) = line.resources.filter(|n| *n != resources.len()) {
        let found = resources.len();
        return Err(SnapshotReadError::Count { line: last, found, expected });
    }
    let header = SnapshotHeader {
        environment: line.environment,
        captured_at: line.captured_at,
        tool: line.tool,
        key_id: line.fingerprint_key,
        sources: line.sources,
        gaps: line.gaps,
    };
    let snapshot = Snapshot::new(header, resources);
    let found = snapshot.hash();
    match line.hash {
        Some(expected) if expected != found.to_string() => Err(SnapshotReadError::Hash { found, expected }),
        Some(_) | None => Ok(snapshot),
    }
}

fn read_header(text: &str) -> Result<HeaderLine, SnapshotReadError> {
    #[derive(Deserialize)]
    struct Probe {
        schema: String,
    }
    if text.trim().is_empty() {
        return Err(SnapshotReadError::NotASnapshot("it is empty".to_owned()));
    }
    let not = |e: serde_json::Error| SnapshotReadError::NotASnapshot(e.to_string());
    let probe: Probe = serde_json::from_str(text).map_err(not)?;
    if probe.schema != SCHEMA {
        return Err(SnapshotReadError::OtherSchema(probe.schema));
    }
    serde_json::from_str(text).map_err(not)
}

fn read_resource(text: &str, line: usize) -> Result<Resource, SnapshotReadError> {
    let read: ResourceLine =
        serde_json::from_str(text.trim_end()).map_err(|source| SnapshotReadError::Line { line, source })?;
    let key = |text: &str| Key::parse(text).map_err(|source| SnapshotReadError::Key { line, source });
    let mut resource = Resource::new(key(&read.key)?, read.kind);
    resource.attributes = read.attributes;
    for (kind, to) in &read.relations {
        resource.relate(Relation { kind: *kind, to: key(to)? });
    }
    Ok(resource)
}

fn write_resource(mut out: impl Write, resource: &Resource) -> std::io::Result<()> {
    let line = ResourceLineRef {
        key: resource.key.as_str(),
        kind: &resource.kind,
        attributes: &resource.attributes,
        relations: resource.relations.iter().map(|r| (r.kind, r.to.as_str())).collect(),
    };
    serde_json::to_writer(&mut out, &line)?;
    out.write_all(b"\n")
}

fn join(into: &mut Resource, from: Resource) {
    for attribute in &from.attributes {
        into.attributes.set(attribute.path.clone(), attribute.value.clone());
    }
    for relation in from.relations {
        into.relate(relation);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{GapKind, Number};

    fn header() -> SnapshotHeader {
        SnapshotHeader {
            environment: "local".into(),
            captured_at: "2026-11-21T03:00:00Z".parse().unwrap(),
            tool: "test".into(),
            key_id: None,
            sources: vec![SourceReport {
                source: "host".into(),
                place: "this machine".into(),
                status: SourceStatus::Complete,
                why: None,
            }],
            gaps: Vec::new(),
        }
    }

    fn written(snapshot: &Snapshot) -> String {
        let mut out = Vec::new();
        snapshot.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let hex = |n| {
            prop::collection::vec(0..16u8, n)
                .prop_map(|v| v.iter().map(|d| format!("{d:x}")).collect::<String>())
        };
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            ".*".prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter_map("finite", |f| Number::parse(&f.to_string())).prop_map(Value::Number),
            Just(Value::Secret(Fingerprint::Present)),
            (hex(8), hex(32))
                .prop_map(|(k, m)| Value::Secret(Fingerprint::Keyed { key_id: k.into(), mac: m.into() })),
        ]
    }

    fn any_resource() -> impl Strategy<Value = Resource> {
        let relation = (prop::sample::select(vec![RelationKind::Mounts, RelationKind::DependsOn]), ".*")
            .prop_map(|(kind, to)| Relation { kind, to: Key::of([to.as_str()]) });
        (
            "[a-c]",
            ".*",
            "[a-z]*",
            prop::collection::vec((".*", any_value()), 0..6),
            prop::collection::vec(relation, 0..3),
        )
            .prop_map(|(root, name, kind, attributes, relations)| {
                let mut resource = Resource::new(Key::of([root.as_str(), name.as_str()]), kind);
                attributes.into_iter().for_each(|(p, v)| resource.attributes.set(p.as_str(), v));
                relations.into_iter().for_each(|r| resource.relate(r));
                resource
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn what_is_written_reads_back_with_the_same_hash(
            resources in prop::collection::vec(any_resource(), 0..20),
            gaps in prop::collection::vec((".*", ".*"), 0..3),
        ) {
            let mut header = header();
            header.gaps = gaps.into_iter().map(|(a, b)| Gap::new(a, GapKind::TimedOut, b)).collect();
            let snapshot = Snapshot::new(header, resources.clone());
            let text = written(&snapshot);
            let back = Snapshot::read(text.as_bytes()).unwrap();
            prop_assert_eq!(&back, &snapshot);
            prop_assert_eq!(back.hash(), snapshot.hash());
            prop_assert_eq!(written(&back), text);
        }

        #[test]
        fn garbage_is_an_error_not_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Snapshot::read(bytes.as_slice()).is_err());
        }

        #[test]
        fn a_file_cut_anywhere_is_refused_or_whole(cut in 0..2000usize) {
            let snapshot = Snapshot::new(header(), vec![
                Resource::new(Key::of(["runtime", "node"]), "runtime").with("version", "18.19.0"),
                Resource::new(Key::of(["runtime", "npm"]), "runtime").with("version", "10.2.3"),
            ]);
            let text = written(&snapshot);
            let part = text.get(..cut.min(text.len())).unwrap();
            if let Ok(back) = Snapshot::read(part.as_bytes()) {
                prop_assert_eq!(back, snapshot);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]
        #[test]
        fn a_mutated_file_is_an_error_or_whole(at in 0..600usize, byte in any::<u8>(), cut in 0..900usize) {
            let snapshot = Snapshot::new(header(), vec![
                Resource::new(Key::of(["env", "A"]), "env").with("value", Value::Secret(Fingerprint::Present)),
                Resource::new(Key::of(["runtime", "node"]), "runtime").with("version", "18.19.0").with("n", 7),
            ]);
            let mut bytes = written(&snapshot).into_bytes();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(cut.max(1));
            // The header's words may change unseen (a name, a time); what was observed may not.
            if let Ok(back) = Snapshot::read(bytes.as_slice()) {
                prop_assert!(back.resources() == snapshot.resources() || back.header() != snapshot.header());
            }
        }
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let message = Snapshot::read(text.as_bytes()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn messages_name_the_line() {
        let head =
            r#"{"schema":"parallax.snapshot/1","environment":"e","captured_at":"2026-01-01T00:00:00Z"}"#;
        refused("", "line 1: not a snapshot: it is empty");
        refused("[]", "line 1: not a snapshot");
        refused(r#"{"schema":"parallax.snapshot/9"}"#, "schema `parallax.snapshot/9`");
        refused(&format!("{head}\n{{\"key\":\"a\"}}\n"), "line 2: missing field `kind`");
        let line = |key: &str| format!("{{\"key\":\"{key}\",\"kind\":\"k\",\"attributes\":{{}}}}\n");
        refused(&format!("{head}\n{}{}", line("b"), line("a")), "line 3: key `a` does not come after `b`");
        refused(&format!("{head}\n{}{}", line("a"), line("a")), "line 3");
        refused(&format!("{head}\n{}", line("a//b")), "line 2: key `a//b` has an empty segment");
    }

    #[test]
    fn an_edited_file_is_refused() {
        let snapshot =
            Snapshot::new(header(), vec![Resource::new(Key::of(["env", "A"]), "env").with("value", "1")]);
        refused(&written(&snapshot).replace("\"1\"", "\"2\""), "edited or damaged");
    }

    #[test]
    fn presence_only_removes_every_fingerprint() {
        let mac = "0123456789abcdef".repeat(2);
        let secret = Value::Secret(Fingerprint::Keyed { key_id: "00000001".into(), mac: mac.clone().into() });
        let snapshot =
            Snapshot::new(header(), vec![Resource::new(Key::of(["env", "A"]), "env").with("value", secret)]);
        assert!(written(&snapshot).contains(&mac));
        assert!(!written(&snapshot.with_presence_only()).contains(&mac));
    }

    #[test]
    fn under_a_prefix() {
        let keys = ["env/A", "runtime", "runtime/node", "runtime/npm", "runtime2/x"];
        let resources = keys.iter().map(|k| Resource::new(Key::parse(k).unwrap(), "k")).collect();
        let snapshot = Snapshot::new(header(), resources);
        let found: Vec<&str> = snapshot.under("runtime").map(|r| r.key.as_str()).collect();
        assert_eq!(found, ["runtime/node", "runtime/npm"]);
    }
}
