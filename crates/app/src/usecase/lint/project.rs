//! What the engine finds within one environment, of a project's files alone: pins that disagree, lockfiles that their
//! manifests have outgrown. What answers on this machine is `check`'s affair.

use std::sync::Arc;

use parallax_collect::machine::Local;
use parallax_collect::{COLLECTORS, Collector, Scope, Variables};
use parallax_engine::boundary::{Divergence, Profile, Rules, Severity};
use parallax_model::{Code, Snapshot, SnapshotHeader, Value};

use super::files::Folder;
use super::{Finding, Fix, Lint, Unread};
use crate::error::AppError;
use crate::usecase::{Context, key};

/// Judges the project of a folder by itself.
pub(super) fn judge(folder: &Folder, context: &Context, out: &mut Lint) -> Result<(), AppError> {
    let snapshot = observe(folder, context)?;
    let rules = Rules { profile: Profile::Recommended, ..Rules::default() };
    let differences = parallax_engine::compare(&snapshot, &snapshot);
    let judgement = parallax_engine::judge(differences, &snapshot, &snapshot, &rules);
    out.findings.extend(judgement.divergences.iter().filter_map(|one| finding(one, &snapshot, folder)));
    let gaps = &snapshot.header().gaps;
    out.unread.extend(gaps.iter().map(|gap| Unread { path: gap.what.to_string(), why: gap.why.to_string() }));
    Ok(())
}

fn observe(folder: &Folder, context: &Context) -> Result<Snapshot, AppError> {
    let wanted: Vec<&Collector> = COLLECTORS.iter().copied().filter(|one| one.name == "project").collect();
    let scope = Scope {
        project: Some(folder.path.display().to_string()),
        variables: Variables::Named(Vec::new()),
        fingerprinter: Arc::new(key::fingerprinter(&context.config.folder)?),
    };
    let seen = parallax_collect::observe(&Local::new(None), &scope, &wanted)
        .map_err(|e| AppError::unobserved("the project could not be looked at").caused_by(e.to_string()))?;
    let header = SnapshotHeader {
        environment: "local".to_owned(),
        captured_at: context.now,
        tool: crate::usecase::observe::TOOL.to_owned(),
        key_id: None,
        sources: seen.sources,
        gaps: seen.gaps,
    };
    Ok(Snapshot::new(header, seen.resources))
}

fn finding(divergence: &Divergence, snapshot: &Snapshot, folder: &Folder) -> Option<Finding> {
    divergence.within.as_ref()?;
    let difference = &divergence.difference;
    let (name, line) = place(divergence, snapshot)?;
    const PINS: (&str, &str) = (
        "tools that read different files run different versions",
        "write one version in all of them, or keep one of the files",
    );
    const LOCKS: (&str, &str) = (
        "the next installation changes the lockfile, or fails",
        "let the package manager lock anew, and commit the lockfile",
    );
    let told = [(Code::PinConflict, PINS), (Code::LockfileOutdated, LOCKS)];
    let (_, (why, mend)) = told.into_iter().find(|(code, _)| *code == difference.code)?;
    // Of one environment alone it goes without saying that this is here.
    let message = difference.message.strip_suffix(" here").unwrap_or(&difference.message).to_owned();
    Some(Finding {
        code: difference.code,
        severity: Severity::Error,
        path: format!("{}{name}", folder.shown),
        line,
        column: 1,
        message,
        why: why.to_owned(),
        mend: mend.to_owned(),
        fix: Fix::None,
    })
}

/// File and line of what a finding is about: `pin/node#by[.nvmrc]`, `lockfile/package-lock.json`.
fn place(divergence: &Divergence, snapshot: &Snapshot) -> Option<(String, usize)> {
    let key = &divergence.difference.key;
    if key.root() == "lockfile" {
        return Some((key.after(1).to_owned(), 1));
    }
    let bracketed = divergence.difference.attribute.as_ref()?.as_str().strip_prefix("by")?;
    let inner = bracketed.strip_prefix('[')?.strip_suffix(']')?.trim_matches('"');
    let line =
        snapshot.get(key)?.attributes.get(format!("at{bracketed}").as_str()).and_then(|line| match line {
            Value::Number(number) => number.as_str().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::Secret(_) => None,
        });
    let (file, _) = inner.split_once([' ', '#']).unwrap_or((inner, ""));
    Some((file.to_owned(), line.unwrap_or(1)))
}
