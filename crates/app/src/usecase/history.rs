//! What changed in an environment: the changes of its timeline that may lie in a span of time, of everything or of a part.
//! Reads the store and makes none; nothing is observed.

use std::collections::BTreeMap;

use parallax_model::{Digest, Gap, Resource, Timestamp};
use parallax_store::{Change, Entry, Query, Store, What};

use super::endpoint::configured;
use super::scope::Scope;
use super::timeline::nowhere;
use super::{Context, StorePlace, existing_store, timeline_name};
use crate::error::{AppError, ErrorKind};

/// How many changes are looked through for the newest that tells something, and how many of one recording tell what it changed.
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
    /// The secrets of which no change can be seen in the span, whether they changed or not.
    pub secrets: Vec<Gap>,
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
    /// The changes of the last recording that has any which tell something; else of the last that has any.
    pub last_changes: Vec<Change>,
    /// Whether these are all that it has.
    pub reach: Reach,
}

/// Reads the changes of an environment.
///
/// A change that was first seen after the span's end and may have happened before it is among them: between two recordings nobody
/// knows.
///
/// # Errors
/// Where the environment was never recorded, the part is not known in it, or the store can't be read.
pub fn history(request: &HistoryRequest, context: &Context) -> Result<History, AppError> {
    again_where_collected(|| read(request, context))
}

/// Between two reads an entry may be collected; then all is read anew, once.
fn again_where_collected<T>(mut read: impl FnMut() -> Result<T, AppError>) -> Result<T, AppError> {
    match read() {
        Err(error) if error.kind == ErrorKind::Collected => read(),
        other => other,
    }
}

fn read(request: &HistoryRequest, context: &Context) -> Result<History, AppError> {
    let name = &request.environment;
    let timeline = timeline_name(name, context);
    let store = existing_store(context)?.ok_or_else(|| match context.store {
        StorePlace::Nowhere => nowhere(),
        StorePlace::Named(_) | StorePlace::Project(_) | StorePlace::User(_) => unrecorded(name, &[], context),
    })?;
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

    let secrets = super::secrets::unseen(&store, &entries, &scope)?;
    let query = Query { since, until: closed, ..scope.query(&timeline) };
    let (changes, reach) = newest(&store, &query, request, &scope)?;
    if reach == Reach::Newest
        && let Some(oldest) = changes.last()
    {
        // What was first seen after the span belongs to it by when it was last seen otherwise.
        let from = if oldest.not_after > until { oldest.after } else { oldest.not_after };
        entries.retain(|entry| entry.captured_at >= from);
    }
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
        secrets,
    })
}

/// The newest changes that may lie in the span. Those that were first seen in it go before those that were seen later.
fn newest(
    store: &Store,
    query: &Query,
    request: &HistoryRequest,
    scope: &Scope,
) -> Result<(Vec<Change>, Reach), AppError> {
    let since = request.since.unwrap_or(Timestamp::MIN);
    let until = request.until.unwrap_or(Timestamp::MAX);
    let is_meant = |change: Change| {
        let change = may_lie(&change, since, until).then_some(change)?;
        narrowed(change, scope)
    };
    // Changes of a whole resource may say nothing of one attribute, so these are counted afterwards; they are of one key.
    let limit = match scope {
        Scope::Resource(_, Some(_)) => usize::MAX,
        Scope::Whole | Scope::Resource(_, None) | Scope::Selected(_) => request.most.saturating_add(1),
    };
    let in_span = store.changes(&Query { limit, ..query.clone() })?;
    let mut in_span: Vec<Change> = in_span.into_iter().filter_map(is_meant).collect();
    let mut changes = Vec::new();
    if let Ok(after) = query.until.checked_add(jiff::SignedDuration::from_micros(1)) {
        let later = Query { since: after, until: Timestamp::MAX, limit: SEEN_LATER, ..query.clone() };
        changes.extend(store.changes(&later)?.into_iter().filter_map(is_meant));
    }
    let is_cut = in_span.len().saturating_add(changes.len()) > request.most;
    in_span.truncate(request.most);
    changes.truncate(request.most - in_span.len());
    changes.extend(in_span);
    Ok((changes, if is_cut { Reach::Newest } else { Reach::Whole }))
}

/// All environments that were recorded or are configured, by name.
///
/// # Errors
/// Where the store can't be read.
pub fn timelines(context: &Context) -> Result<Vec<Timeline>, AppError> {
    if context.store == StorePlace::Nowhere {
        return Err(nowhere());
    }
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
        if let Some(change) = last_told(store, &environment)? {
            let (since, until) = (change.not_after, change.not_after);
            let query = Query { since, until, limit: OF_LAST.saturating_add(1), ..Query::of(&environment) };
            last_changes = store.changes(&query)?;
        }
    }
    let reach = if last_changes.len() > OF_LAST { Reach::Newest } else { Reach::Whole };
    last_changes.truncate(OF_LAST);
    Ok(Timeline {
        recordings: entries.len(),
        ends: entries.last().cloned().zip(entries.first().cloned()),
        last_good: entries.into_iter().find(|entry| entry.good.is_some()),
        last_changes,
        reach,
        environment,
    })
}

/// The newest change that says something of how the software runs; where none of the newest does, the newest.
fn last_told(store: &Store, environment: &str) -> Result<Option<Change>, AppError> {
    let mut newest = None;
    for limit in [1, 64, 2_048, OF_LAST] {
        let changes = store.changes(&Query { limit, ..Query::of(environment) })?;
        let is_all = changes.len() < limit;
        if let Some(change) = changes.iter().find(|change| super::noise(change).is_none()) {
            return Ok(Some(change.clone()));
        }
        newest = changes.into_iter().next();
        if is_all {
            break;
        }
    }
    Ok(newest)
}

/// The error for an environment without recordings.
fn unrecorded(name: &str, recorded: &[String], context: &Context) -> AppError {
    if let Some(environment) = configured(name, context) {
        return AppError::usage(format!("environment `{name}` was never recorded"))
            .hint(format!("record it now: parallax capture {}", environment.name));
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

#[cfg(test)]
mod tests {
    use parallax_store::StoreError;

    use super::*;

    #[test]
    fn what_is_collected_meanwhile_is_read_anew_once() {
        let collected = || StoreError::NoEntry { environment: "snap".into(), number: 54 };
        let check = |failures: usize, expected: Result<usize, usize>| {
            let mut reads = 0;
            let read = again_where_collected(|| {
                reads += 1;
                if reads > failures { Ok(reads) } else { Err(AppError::from(collected())) }
            });
            assert_eq!(read.map_err(|_collected| reads), expected);
        };
        check(0, Ok(1));
        check(1, Ok(2));
        check(2, Err(2));
        let mut reads = 0;
        let other: Result<(), AppError> = again_where_collected(|| {
            reads += 1;
            Err(AppError::usage("another"))
        });
        assert_eq!((other.is_err(), reads), (true, 1));
    }
}
