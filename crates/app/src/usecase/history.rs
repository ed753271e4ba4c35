//! What changed in an environment: the changes of its timeline that may lie in a span of time, of everything or of a part.
//! Reads the store and makes none; nothing is observed.

use std::collections::BTreeMap;

use parallax_model::{Digest, Gap, Resource, Timestamp};
use parallax_store::{Change, Entry, Query, Store, What};

use super::scope::Scope;
use super::{Context, existing_store, timeline_name};
use crate::error::AppError;

/// How many changes of one recording tell what it changed.
const OF_LAST: usize = 20_000;
/// How many changes that were first seen after the span are looked through for those that may lie in it.
const SEEN_LATER: usize = 20_000;
/// How much a name may differ from one that is meant.
const NEAR: usize = 2;

/// What is asked.
#[derive(Debug, Clone)]
pub struct HistoryRequest {
    /// The environment.
    pub environment: String,
    /// A key, short or whole, with an attribute or without; or a selector.
    pub part: Option<String>,
    /// Only changes that may have happened at or after this time.
    pub since: Option<Timestamp>,
    /// Only changes that may have happened at or before this time.
    pub until: Option<Timestamp>,
    /// How many changes are read at most, the newest first.
    pub most: usize,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct History {
    /// The environment.
    pub environment: String,
    /// What the changes are of.
    pub scope: Scope,
    /// Where the span was said to begin.
    pub since: Option<Timestamp>,
    /// Where the span was said to end.
    pub until: Option<Timestamp>,
    /// The recordings of the span, newest first, with the one that closes it; as far back as changes were read.
    pub entries: Vec<Entry>,
    /// The hashes of all recordings by their numbers, where they are known.
    pub snapshots: BTreeMap<u64, Digest>,
    /// How many recordings the whole timeline has.
    pub recordings: usize,
    /// The changes, newest first; those of one recording in order of keys.
    pub changes: Vec<Change>,
    /// Whether there are older changes that were not read.
    pub reach: Reach,
    /// When the first recording that is kept was made.
    pub first: Timestamp,
    /// The last recording of all.
    pub latest: Entry,
    /// The last recording until the span's end that was found good.
    pub last_good: Option<Entry>,
    /// What the last recording could not see of what was asked for.
    pub gaps: Vec<Gap>,
}

impl History {
    /// The hash of the snapshot that first shows a change, where it is kept and known.
    #[must_use]
    pub fn snapshot_of(&self, change: &Change) -> Option<Digest> {
        self.snapshots.get(&change.entry).copied()
    }
}

/// How far back changes were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All that were asked for.
    Whole,
    /// Only the newest.
    Newest,
}

/// One environment's timeline, in a line.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The environment.
    pub environment: String,
    /// How many recordings are kept.
    pub recordings: usize,
    /// The first and the last recording; none where it is configured and was never recorded.
    pub ends: Option<(Entry, Entry)>,
    /// The last recording that was found good.
    pub last_good: Option<Entry>,
    /// The changes of the last recording that has any.
    pub last_changes: Vec<Change>,
}

/// Reads the changes of an environment.
///
/// A change that was first seen after the span's end and may have happened before it is among them: between two recordings nobody
/// knows.
///
/// # Errors
/// Where the environment was never recorded, the part is not known in it, or the store can't be read.
pub fn history(request: &HistoryRequest, context: &Context) -> Result<History, AppError> {
    let name = &request.environment;
    let timeline = timeline_name(name, context);
    let store = existing_store(context)?.ok_or_else(|| unrecorded(name, &[], context))?;
    let mut entries = store.entries(&timeline, Timestamp::MIN, Timestamp::MAX)?;
    let Some(latest) = entries.first().cloned() else {
        return Err(unrecorded(name, &store.environments()?, context));
    };
    let scope = Scope::find(request.part.as_deref(), &store, &latest)?;
    let since = request.since.unwrap_or(Timestamp::MIN);
    let until = request.until.unwrap_or(Timestamp::MAX);
    let last_good = entries.iter().find(|e| e.good.is_some() && e.captured_at <= until).cloned();
    let closing = entries.iter().rev().find(|entry| entry.captured_at >= until);
    let closed = closing.map_or(Timestamp::MAX, |entry| entry.captured_at);
    let first = entries.last().map_or(latest.captured_at, |entry| entry.captured_at);
    let snapshots = entries.iter().filter_map(|entry| Some((entry.number, entry.snapshot?))).collect();
    let recordings = entries.len();
    entries.retain(|entry| entry.captured_at >= since && entry.captured_at <= closed);

    let query =
        Query { since, until: closed, limit: request.most.saturating_add(1), ..scope.query(&timeline) };
    let mut changes = Vec::new();
    if let Ok(after) = closed.checked_add(jiff::SignedDuration::from_micros(1)) {
        let later = Query { since: after, until: Timestamp::MAX, limit: SEEN_LATER, ..query.clone() };
        changes = store.changes(&later)?;
    }
    let in_span = store.changes(&query)?;
    let is_cut = in_span.len() > request.most;
    changes.extend(in_span);
    changes.retain(|change| may_lie(change, since, until));
    let reach = if is_cut || changes.len() > request.most { Reach::Newest } else { Reach::Whole };
    changes.truncate(request.most);
    if reach == Reach::Newest
        && let Some(oldest) = changes.last().map(|change| change.not_after)
    {
        entries.retain(|entry| entry.captured_at >= oldest);
    }
    changes = changes.into_iter().filter_map(|change| narrowed(change, &scope)).collect();
    let mut gaps = store.header(&latest)?.gaps;
    gaps.retain(|gap| scope.may_be_hidden_by(gap));
    Ok(History {
        environment: name.clone(),
        scope,
        since: request.since,
        until: request.until,
        entries,
        snapshots,
        recordings,
        changes,
        reach,
        first,
        latest,
        last_good,
        gaps,
    })
}

/// All environments that were recorded or are configured, by name.
///
/// # Errors
/// Where the store can't be read.
pub fn timelines(context: &Context) -> Result<Vec<Timeline>, AppError> {
    let store = existing_store(context)?;
    let recorded = store.as_ref().map_or_else(|| Ok(Vec::new()), Store::environments)?;
    let configured =
        context.config.environments.iter().map(|environment| timeline_name(&environment.name, context));
    let mut names: Vec<String> = configured.chain(recorded).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| timeline(name, store.as_ref())).collect()
}

fn timeline(environment: String, store: Option<&Store>) -> Result<Timeline, AppError> {
    let (mut entries, mut last_changes) = (Vec::new(), Vec::new());
    if let Some(store) = store {
        entries = store.entries(&environment, Timestamp::MIN, Timestamp::MAX)?;
        let newest = Query { limit: 1, ..Query::of(&environment) };
        if let Some(change) = store.changes(&newest)?.first() {
            let of_entry = Query { since: change.not_after, until: change.not_after, ..newest };
            last_changes = store.changes(&Query { limit: OF_LAST, ..of_entry })?;
        }
    }
    Ok(Timeline {
        recordings: entries.len(),
        ends: entries.last().cloned().zip(entries.first().cloned()),
        last_good: entries.into_iter().find(|entry| entry.good.is_some()),
        last_changes,
        environment,
    })
}

/// The error for an environment without recordings.
fn unrecorded(name: &str, recorded: &[String], context: &Context) -> AppError {
    if context.config.environment(name).is_some() {
        return AppError::usage(format!("environment `{name}` was never recorded"))
            .hint(format!("record it now: parallax capture {name}"));
    }
    let error = AppError::usage(format!("no environment `{name}` is recorded"));
    if let Some((environment, time)) = name.split_once('@')
        && recorded.iter().any(|recorded| recorded == environment)
    {
        return error.hint(format!("for what was until a time: parallax log {environment} --until {time}"));
    }
    let configured = context.config.names();
    let known: Vec<&str> = recorded.iter().map(String::as_str).chain(configured).collect();
    let distance = |other: &str| strsim::damerau_levenshtein(other, name);
    let nearest = known.iter().min_by_key(|other| distance(other)).filter(|other| distance(other) <= NEAR);
    match nearest {
        Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
        None if recorded.is_empty() => {
            error.hint("nothing is recorded yet: `parallax capture ENV` records an environment")
        }
        None => error.hint(format!("recorded: {}", recorded.join(", "))),
    }
}

/// Whether a change may have happened in a span: it lies after the last sight of what was before.
fn may_lie(change: &Change, since: Timestamp, until: Timestamp) -> bool {
    match change.at {
        Some(at) => at >= since && at <= until,
        None => change.not_after >= since && change.after < until,
    }
}

/// A change of a whole resource, where one attribute is asked for, is a change of that one.
fn narrowed(mut change: Change, scope: &Scope) -> Option<Change> {
    let Scope::Resource(_, Some(wanted)) = scope else { return Some(change) };
    let value = |resource: &Resource| resource.attributes.get(wanted.as_str()).cloned();
    let (before, after) = match &change.what {
        What::Attribute { path, .. } => return (path == wanted).then_some(change),
        What::Appeared(resource) => (None, Some(value(resource)?)),
        What::Vanished(resource) => (Some(value(resource)?), None),
        What::Shape { .. } => return None,
    };
    change.what = What::Attribute { path: wanted.clone(), before, after };
    Some(change)
}
