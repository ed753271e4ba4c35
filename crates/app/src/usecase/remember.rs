//! Recording: what was observed goes into its timeline, and what passed a check is marked good there. What can't be
//! recorded is for the caller to tell; it never changes a verdict.

use parallax_engine::boundary::Outcome;
use parallax_model::{Snapshot, SnapshotHeader, SourceReport, Timestamp};
use parallax_store::{Entry, Store};

use super::check::has_project;
use super::observe::{Projects, Provenance};
use super::{Comparison, Context, Endpoint, Request, Side, StorePlace, noise, open_store, secrets, timeline};
use crate::config::Environment;
use crate::error::AppError;

/// What a recording adds to its timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is the first.
    First,
    /// It was there already: a snapshot file that was recorded before.
    Again,
    /// Nothing changed since the recording of that time.
    Unchanged(Timestamp),
    /// Nothing is known to have changed since then, but other parts could be seen, or secrets were kept with
    /// another key or none.
    NoneSeen(Timestamp),
    /// So much changed since then.
    Changed(usize, Timestamp),
}

/// What came of recording a comparison.
#[derive(Debug, Default)]
pub struct Remembered {
    /// Why something could not be recorded.
    pub failures: Vec<AppError>,
    /// What was not recorded on purpose.
    pub notes: Vec<String>,
}

/// Records what was observed of an environment.
///
/// # Errors
/// Where the store can't be opened or written.
pub fn record(environment: &Environment, side: &Side, context: &Context) -> Result<Kept, AppError> {
    let store = open_store(context)?;
    Ok(record_in(&store, &timeline::of(environment, context), side)?.1)
}

/// Records what a comparison observed live. Where it passes, and nothing narrowed it, all that it compared is good.
#[must_use]
pub fn remember(comparison: &Comparison, request: &Request, context: &Context) -> Remembered {
    let mut out = Remembered::default();
    if context.store == StorePlace::Nowhere {
        out.notes
            .push("nothing was recorded: the account has no home; --store FILE names a place".to_owned());
        return out;
    }
    let sides = [(&request.left, &comparison.left), (&request.right, &comparison.right)];
    let jobs: Vec<Job<'_>> = sides
        .into_iter()
        .filter_map(|(endpoint, side)| job(endpoint, side, comparison.projects, context, &mut out.notes))
        .collect();
    let is_clear = is_all_clear(comparison, request);
    let is_itself = of_one_timeline(request, context);
    if is_clear && is_itself {
        out.notes.push("nothing was marked as good: both sides are of one timeline".to_owned());
    }
    let good_at = (is_clear && !is_itself).then_some(context.now);
    let is_work = |job: &Job<'_>| match job {
        Job::Record { .. } => true,
        Job::Mark(_) => good_at.is_some(),
    };
    if !jobs.iter().any(is_work) {
        return out;
    }
    if let Err(error) = open_store(context).and_then(|store| run(&store, &jobs, good_at)) {
        out.failures.push(AppError {
            message: format!("this run was not recorded: {}", error.message),
            ..error.hint("the verdict stands; --no-record checks without recording")
        });
    }
    out
}

/// A partial pass is no all-clear.
fn is_all_clear(comparison: &Comparison, request: &Request) -> bool {
    comparison.judgement.outcome() == Outcome::Parity
        && comparison.projects == Projects::Named
        && request.filter.only.is_empty()
        && request.filter.ignore.is_empty()
}

/// What equals itself need not be good.
fn of_one_timeline(request: &Request, context: &Context) -> bool {
    let name = |endpoint: &Endpoint| match endpoint {
        Endpoint::Environment(environment) => Some(timeline::of(environment, context)),
        Endpoint::Recorded(in_time) => Some(in_time.timeline.clone()),
        Endpoint::File(_) | Endpoint::StandardInput => None,
    };
    name(&request.left).is_some_and(|left| name(&request.right) == Some(left))
}

/// What is to be done about one side.
enum Job<'a> {
    Record { timeline: String, side: &'a Side },
    Mark(&'a Entry),
}

fn job<'a>(
    endpoint: &Endpoint,
    side: &'a Side,
    projects: Projects,
    context: &Context,
    notes: &mut Vec<String>,
) -> Option<Job<'a>> {
    match (&side.origin, endpoint) {
        (Provenance::Recorded(entry), _) => Some(Job::Mark(entry)),
        (Provenance::Live, Endpoint::Environment(environment)) => {
            if projects == Projects::Skipped && has_project(environment) {
                // Its timeline would show the project vanish.
                let name = &environment.name;
                notes.push(format!("{name} was not recorded: its project folder was not looked at"));
                return None;
            }
            Some(Job::Record { timeline: timeline::of(environment, context), side })
        }
        (Provenance::Live | Provenance::Unseen | Provenance::File, _) => None,
    }
}

fn run(store: &Store, jobs: &[Job<'_>], good_at: Option<Timestamp>) -> Result<(), AppError> {
    for job in jobs {
        let entry = match job {
            Job::Record { timeline, side } => record_in(store, timeline, side)?.0,
            Job::Mark(entry) => (*entry).clone(),
        };
        if let Some(at) = good_at {
            store.mark_good(&entry, at)?;
        }
    }
    Ok(())
}

fn record_in(store: &Store, timeline: &str, side: &Side) -> Result<(Entry, Kept), AppError> {
    let snapshot = &side.snapshot;
    let was_there = store.as_of(timeline, snapshot.header().captured_at)?;
    let recorded = store.record(timeline, snapshot)?;
    if was_there.is_some_and(|entry| entry.number == recorded.entry.number) {
        return Ok((recorded.entry, Kept::Again));
    }
    let before = match &recorded.before {
        Some(entry) => Some((entry.captured_at, store.header(entry)?)),
        None => None,
    };
    let told = recorded.changes.iter().filter(|change| noise(change).is_none()).count();
    let kept = match before {
        None => Kept::First,
        Some((at, _)) if told > 0 => Kept::Changed(told, at),
        Some((at, header)) if saw_alike(&header, snapshot) => Kept::Unchanged(at),
        Some((at, _)) => Kept::NoneSeen(at),
    };
    Ok((recorded.entry, kept))
}

/// Whether the same could be seen: with the same gaps, and secrets by the same key. Of a secret without a fingerprint nobody
/// knows whether it is the same.
fn saw_alike(before: &SnapshotHeader, snapshot: &Snapshot) -> bool {
    let after = snapshot.header();
    let asked = |header: &SnapshotHeader| -> Vec<Vec<String>> {
        let names = header.sources.iter().filter_map(SourceReport::only_names);
        names.map(|names| names.map(ToOwned::to_owned).collect()).collect()
    };
    before.gaps == after.gaps
        && asked(before) == asked(after)
        && before.key_id == after.key_id
        && !snapshot.resources().iter().any(|resource| resource.attributes.iter().any(secrets::is_bare))
}
