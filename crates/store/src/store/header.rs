//! A snapshot's header as the bytes of a chunk. What its entry says already is left out, so that headers that say
//! the same are one chunk.

use parallax_model::{Gap, SnapshotHeader, SourceReport, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Bytes {
    tool: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    sources: Vec<SourceReport>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<Gap>,
    /// Only where it is not the name of the timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// Only where microseconds do not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    captured_at: Option<Timestamp>,
}

pub(crate) fn encode(timeline: &str, header: &SnapshotHeader) -> Vec<u8> {
    let is_exact = time(header.captured_at.as_microsecond()) == header.captured_at;
    let bytes = Bytes {
        tool: header.tool.clone(),
        key_id: header.key_id.clone(),
        sources: header.sources.clone(),
        gaps: header.gaps.clone(),
        environment: (header.environment != timeline).then(|| header.environment.clone()),
        captured_at: (!is_exact).then_some(header.captured_at),
    };
    // Writing text and lists of it into memory cannot fail.
    serde_json::to_vec(&bytes).unwrap_or_default()
}

pub(crate) fn decode(timeline: &str, captured: i64, bytes: &[u8]) -> Option<SnapshotHeader> {
    let read: Bytes = serde_json::from_slice(bytes).ok()?;
    Some(SnapshotHeader {
        environment: read.environment.unwrap_or_else(|| timeline.to_owned()),
        captured_at: read.captured_at.unwrap_or_else(|| time(captured)),
        tool: read.tool,
        key_id: read.key_id,
        sources: read.sources,
        gaps: read.gaps,
    })
}

/// A time from what the backend keeps; beyond the ends of time, the end.
pub(crate) fn time(microseconds: i64) -> Timestamp {
    let end = if microseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(microseconds).unwrap_or(end)
}
