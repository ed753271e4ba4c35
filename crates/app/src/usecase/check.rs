//! Compares two endpoints: under boundaries (`check`), or every difference without a verdict (`diff`).

use parallax_engine::boundary::{Filter, Judgement, Origin, Profile, Rules};
use parallax_engine::compare::Cause;
use parallax_model::selector::Selector;
use parallax_model::{Fingerprint, Snapshot, Value, ontology};

use super::observe::{Projects, unseen};
use super::{Context, Endpoint, Observing, Progress, Side, documents, image, observe, timeline};
use crate::config::{Environment, Source};
use crate::error::{AppError, ErrorKind};

/// What to compare.
#[derive(Debug)]
pub struct Request {
    /// The left endpoint.
    pub left: Endpoint,
    /// The right endpoint.
    pub right: Endpoint,
    /// Which part.
    pub filter: Filter,
    /// Whether undeclared divergences and warnings fail too.
    pub strict: bool,
}

/// A comparison with everything that a report needs.
#[derive(Debug)]
pub struct Comparison {
    /// The left side.
    pub left: Side,
    /// The right side.
    pub right: Side,
    /// Divergences and verdicts.
    pub judgement: Judgement,
    /// What the reader should know of how this was made.
    pub notes: Vec<String>,
    /// Why a side could not be seen at all.
    pub failures: Vec<AppError>,
    /// Whether project folders were looked at.
    pub projects: Projects,
}

impl Comparison {
    /// The same with secrets reduced to their presence: fingerprints of a key that was made for this run say
    /// nothing to anybody later, and would make two reports of one state differ.
    fn with_presence_only(mut self) -> Self {
        self.left.snapshot = self.left.snapshot.with_presence_only();
        self.right.snapshot = self.right.snapshot.with_presence_only();
        for divergence in &mut self.judgement.divergences {
            presence(&mut divergence.difference.left);
            presence(&mut divergence.difference.right);
        }
        for suppressed in &mut self.judgement.suppressed {
            presence(&mut suppressed.left);
            presence(&mut suppressed.right);
        }
        self
    }
}

fn presence(value: &mut Option<Value>) {
    if matches!(value, Some(Value::Secret(_))) {
        *value = Some(Value::Secret(Fingerprint::Present));
    }
}

/// Compares under boundaries.
///
/// # Errors
/// Where a side can't be observed at all.
pub fn check(request: &Request, context: &Context, progress: &dyn Progress) -> Result<Comparison, AppError> {
    let rules = Rules {
        profile: context.config.profile,
        boundaries: context.config.boundaries.clone(),
        env_schema: context.config.env_schema.clone(),
        env_example: super::execute::example(context)?,
        strict: request.strict,
        filter: request.filter.clone(),
    };
    compare(request, &rules, Reading::Whole, context, progress)
}

/// Compares without any rule: everything that differs is undeclared.
///
/// # Errors
/// Where a side can't be observed at all.
pub fn diff(request: &Request, context: &Context, progress: &dyn Progress) -> Result<Comparison, AppError> {
    let rules = Rules { profile: Profile::None, filter: request.filter.clone(), ..Rules::default() };
    compare(request, &rules, Reading::WhatDiffers, context, progress)
}

/// How two documents are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Whole: a boundary may speak of what is equal, too.
    Whole,
    /// Only what differs, which is much faster.
    WhatDiffers,
}

fn compare(
    request: &Request,
    rules: &Rules,
    reading: Reading,
    context: &Context,
    progress: &dyn Progress,
) -> Result<Comparison, AppError> {
    let mut notes = Vec::new();
    // Before anybody waits for a host.
    for endpoint in [&request.left, &request.right] {
        if let Endpoint::Recorded(in_time) = endpoint {
            timeline::is_there(in_time, context)?;
        }
    }
    let mut with = Observing::new(context)?;
    with.projects = projects(request, context, &mut notes);
    let pair = if reading == Reading::WhatDiffers { elided(request, &with)? } else { None };
    let mut failures = Vec::new();
    let (left, right, elided) = match pair {
        Some(pair) => pair,
        None => {
            let (left, right) = both(request, &with, progress, &mut failures)?;
            of_one_sort(&left, &right)?;
            selects_something(request, &left.snapshot, &right.snapshot)?;
            (left, right, 0)
        }
    };
    note_unknown_regions(rules, &left.snapshot, &right.snapshot, &mut notes);
    let mut differences = parallax_engine::compare(&left.snapshot, &right.snapshot);
    differences.equal += elided;
    let judgement = parallax_engine::judge(differences, &left.snapshot, &right.snapshot, rules);
    note_unknown(&judgement, &mut notes);
    let comparison = Comparison { left, right, judgement, notes, failures, projects: with.projects };
    Ok(if with.fingerprinter.key_id().is_some() { comparison } else { comparison.with_presence_only() })
}

/// Both sides without most of what is equal, and the count of the equal attributes left out, where that is quicker:
/// of two documents, and of two recordings.
fn elided(request: &Request, with: &Observing<'_>) -> Result<Option<(Side, Side, u64)>, AppError> {
    match (&request.left, &request.right) {
        // Whether a selector selects anything shows in the whole.
        (Endpoint::Recorded(left), Endpoint::Recorded(right)) if request.filter.only.is_empty() => {
            timeline::pair(left, right, with.context)
        }
        _ => documents::pair(request, with),
    }
}

/// Observes both sides at the same time. A side that can't be seen at all is a side of which everything is
/// unknown, so that the report is a report whatever happens; why is in `failures`.
fn both(
    request: &Request,
    with: &Observing<'_>,
    progress: &dyn Progress,
    failures: &mut Vec<AppError>,
) -> Result<(Side, Side), AppError> {
    let (left, right) = std::thread::scope(|scope| {
        // An image for several platforms is taken for the other side's, which has to be seen first.
        match (image::follows(&request.left), image::follows(&request.right)) {
            (true, false) => {
                let right = observe(&request.right, with, progress);
                let beside = right.as_ref().ok().map(|side| with.beside(&side.snapshot));
                return (Ok(observe(&request.left, beside.as_ref().unwrap_or(with), progress)), right);
            }
            (false, true) => {
                let left = observe(&request.left, with, progress);
                let beside = left.as_ref().ok().map(|side| with.beside(&side.snapshot));
                return (Ok(left), observe(&request.right, beside.as_ref().unwrap_or(with), progress));
            }
            (true, true) | (false, false) => {}
        }
        let left = scope.spawn(|| observe(&request.left, with, progress));
        let right = observe(&request.right, with, progress);
        (left.join(), right)
    });
    // A thread that panicked has told so on standard error already.
    let left =
        left.unwrap_or_else(|_| Err(AppError::unobserved("observing the left side stopped unexpectedly")));
    let mut seen = |side: Result<Side, AppError>, endpoint: &Endpoint| match side {
        Err(error) if error.kind == ErrorKind::Unobserved => {
            let side = unseen(endpoint, &error, with);
            failures.push(error);
            Ok(side)
        }
        other => other,
    };
    Ok((seen(left, &request.left)?, seen(right, &request.right)?))
}

/// A document and an environment have nothing in common.
fn of_one_sort(left: &Side, right: &Side) -> Result<(), AppError> {
    let documents =
        |side: &Side| side.snapshot.header().sources.iter().filter(|s| s.source == "documents").count();
    let all = |side: &Side| side.snapshot.header().sources.len();
    let only = |side: &Side| all(side) > 0 && documents(side) == all(side);
    let none = |side: &Side| all(side) > 0 && documents(side) == 0;
    let (document, other) = match (only(left) && none(right), none(left) && only(right)) {
        (true, _) => (left, right),
        (false, true) => (right, left),
        (false, false) => return Ok(()),
    };
    let name = |side: &Side| side.snapshot.header().environment.clone();
    Err(AppError::usage(format!(
        "`{}` is a document and `{}` is none: nothing of them can be compared",
        name(document),
        name(other)
    ))
    .hint("name two documents: parallax diff LEFT.json RIGHT.json"))
}

/// A selector that selects nothing is a mistake, and a gate that it opens would be a false all-clear.
fn selects_something(request: &Request, left: &Snapshot, right: &Snapshot) -> Result<(), AppError> {
    for selector in &request.filter.only {
        let selects = |side: &Snapshot| {
            side.resources().iter().any(|r| selector.selects_key(&r.key))
                || side
                    .header()
                    .gaps
                    .iter()
                    .any(|gap| Selector::parse(&gap.what).is_ok_and(|g| g.overlaps(selector)))
        };
        if !selects(left) && !selects(right) {
            let mut roots: Vec<&str> =
                left.resources().iter().chain(right.resources()).map(|r| r.key.root()).collect();
            roots.dedup();
            roots.sort_unstable();
            roots.dedup();
            return Err(AppError::usage(format!("--only {selector} selects nothing on either side"))
                .hint(format!("keys here begin with: {}", roots.join(", "))));
        }
    }
    Ok(())
}

/// A boundary over keys that no source makes is likely a slip of the pen.
fn note_unknown_regions(rules: &Rules, left: &Snapshot, right: &Snapshot, notes: &mut Vec<String>) {
    let known = |root: &str| {
        root.contains('*')
            || ontology::kinds().any(|kind| kind.key.split('/').next() == Some(root))
            || [left, right].iter().any(|side| side.under(root).next().is_some())
    };
    for rule in &rules.boundaries {
        let root = rule.select.as_str().split(['/', '#']).next().unwrap_or_default();
        if let Origin::File { path, line } = &rule.origin
            && !known(root)
        {
            notes.push(format!(
                "{path}:{line}: nothing here begins with `{root}/`, so `{}` selects nothing",
                rule.select
            ));
        }
    }
}

/// A project is compared where both sides have one. A host that is named without a folder has none: then
/// the other side's is not looked at either, and the reader is told.
fn projects(request: &Request, context: &Context, notes: &mut Vec<String>) -> Projects {
    let without = |endpoint| match endpoint {
        Endpoint::Environment(e) if hosts(&e) && !has_project(&e) => Some(e),
        Endpoint::Environment(_) | Endpoint::Recorded(_) | Endpoint::File(_) | Endpoint::StandardInput => {
            None
        }
    };
    let Some(environment) = without(request.left.clone()).or_else(|| without(request.right.clone())) else {
        return Projects::Named;
    };
    let mend = if context.config.environment(&environment.name).is_some() {
        "add `project: PATH` to its source in parallax.yaml".to_owned()
    } else {
        "write its address as ssh://HOST/PATH".to_owned()
    };
    let name = &environment.name;
    notes.push(format!("pins and lockfiles are not compared: {name} names no project folder ({mend})"));
    Projects::Skipped
}

fn hosts(environment: &Environment) -> bool {
    environment.sources.iter().any(|s| matches!(s, Source::Host { .. }))
}

pub(super) fn has_project(environment: &Environment) -> bool {
    environment
        .sources
        .iter()
        .any(|s| matches!(s, Source::Host { project: Some(_), .. } | Source::Snapshot(_)))
}

/// What no boundary speaks of and was not seen on one side, in words.
fn note_unknown(judgement: &Judgement, notes: &mut Vec<String>) {
    let left_out = judgement.unknown.iter().filter(|unknown| unknown.cause == Cause::LeftOut);
    let mut told: Vec<String> = left_out.map(|unknown| unknown.gap.why.to_string()).collect();
    told.sort();
    told.dedup();
    notes.extend(told);
}

/// Reads selectors as given on the command line.
///
/// # Errors
/// Where one is malformed.
pub fn filter(only: &[String], ignore: &[String]) -> Result<Filter, AppError> {
    let read = |flag: &str, list: &[String]| {
        let one = |text: &String| {
            Selector::parse(text).map_err(|e| {
                AppError::usage(format!("{flag} {text}: {e}"))
                    .hint("selectors look like `runtime/*`, `env/AWS_*` or `k8s/**#spec.replicas`")
            })
        };
        list.iter().map(one).collect::<Result<Vec<_>, _>>()
    };
    Ok(Filter { only: read("--only", only)?, ignore: read("--ignore", ignore)? })
}
