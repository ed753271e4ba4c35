//! A timeline for scripts: `parallax.log/1` and `parallax.timelines/1`. One object, stable order, times in UTC. Fields may be
//! added, none changes.

use parallax_model::{Layer, Timestamp, Value, ontology};
use parallax_store::{Change, Entry, What};
use serde::Serialize;

use crate::usecase::{History, Reach, Timeline};
use crate::view;

/// The changes of one environment.
#[derive(Debug, Serialize)]
pub struct LogJson {
    schema: &'static str,
    environment: String,
    /// How many recordings lie in the span, with the one that closes it.
    recordings: usize,
    /// Where the span begins: as asked for, or the first recording.
    since: Option<String>,
    /// Where it ends: as asked for, or the last recording.
    until: Option<String>,
    last_good: Option<RecordingJson>,
    /// Whether all changes of the span are here; `false` where `--limit` left older ones out.
    complete: bool,
    /// What the last recording could not see, and the secrets of which no change can be seen in the span.
    gaps: Vec<super::GapJson>,
    changes: Vec<ChangeJson>,
}

/// A recording.
#[derive(Debug, Serialize)]
struct RecordingJson {
    captured_at: String,
    snapshot: Option<String>,
}

/// One change.
#[derive(Debug, Serialize)]
struct ChangeJson {
    at: Option<String>,
    after: String,
    not_after: String,
    key: String,
    attribute: Option<String>,
    layer: Layer,
    kind: Option<String>,
    change: &'static str,
    left: Option<Value>,
    right: Option<Value>,
    message: String,
    /// Who owns it, where it says nothing of how the software runs.
    noise: Option<&'static str>,
    evidence: Vec<serde_json::Value>,
    /// The snapshot that first shows it; null where it is kept no more.
    snapshot: Option<String>,
}

/// All environments.
#[derive(Debug, Serialize)]
pub struct TimelinesJson {
    schema: &'static str,
    environments: Vec<TimelineJson>,
}

#[derive(Debug, Serialize)]
struct TimelineJson {
    environment: String,
    recordings: usize,
    first: Option<RecordingJson>,
    last: Option<RecordingJson>,
    last_good: Option<RecordingJson>,
    /// When the last change was first seen.
    last_change: Option<String>,
}

/// The changes of one environment, newest first.
#[must_use]
pub fn log_json(history: &History) -> LogJson {
    let first = history.entries.last().map(|entry| entry.captured_at);
    let last = history.entries.first().map(|entry| entry.captured_at);
    LogJson {
        schema: "parallax.log/1",
        environment: history.environment.clone(),
        recordings: history.entries.len(),
        since: history.since.or(first).map(utc),
        until: history.until.or(last).map(utc),
        last_good: history.last_good.as_ref().map(recording),
        complete: history.reach == Reach::Whole,
        gaps: history
            .gaps
            .iter()
            .chain(&history.secrets)
            .map(|gap| super::GapJson { what: gap.what.to_string(), why: gap.why.to_string() })
            .collect(),
        changes: history.changes.iter().map(|change| change_json(change, history)).collect(),
    }
}

/// All environments, by name.
#[must_use]
pub fn timelines_json(timelines: &[Timeline]) -> TimelinesJson {
    let one = |timeline: &Timeline| TimelineJson {
        environment: timeline.environment.clone(),
        recordings: timeline.recordings,
        first: timeline.ends.as_ref().map(|(first, _)| recording(first)),
        last: timeline.ends.as_ref().map(|(_, last)| recording(last)),
        last_good: timeline.last_good.as_ref().map(recording),
        last_change: timeline.last_changes.first().map(|change| utc(change.at.unwrap_or(change.not_after))),
    };
    TimelinesJson { schema: "parallax.timelines/1", environments: timelines.iter().map(one).collect() }
}

fn change_json(change: &Change, history: &History) -> ChangeJson {
    let kind = crate::usecase::change_kind(change);
    let (left, right) = match &change.what {
        What::Attribute { before, after, .. } => (before.clone(), after.clone()),
        What::Appeared(_) | What::Vanished(_) | What::Shape { .. } => (None, None),
    };
    let told = view::change(change);
    ChangeJson {
        at: change.at.map(utc),
        after: utc(change.after),
        not_after: utc(change.not_after),
        key: change.key.to_string(),
        attribute: change.what.attribute().map(ToString::to_string),
        layer: kind.and_then(ontology::kind).map_or(Layer::Configuration, |row| row.layer),
        kind: kind.map(ToOwned::to_owned),
        change: told.sign.word(),
        left,
        right,
        message: format!("{} {}", told.name, told.words),
        noise: crate::usecase::noise(change),
        evidence: change.evidence.iter().map(|text| evidence(text)).collect(),
        snapshot: history.snapshot_of(change).map(|hash| hash.to_string()),
    }
}

/// Evidence is JSON; what is not is told as text.
fn evidence(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

fn recording(entry: &Entry) -> RecordingJson {
    RecordingJson {
        captured_at: utc(entry.captured_at),
        snapshot: entry.snapshot.map(|hash| hash.to_string()),
    }
}

fn utc(time: Timestamp) -> String {
    time.to_string()
}
