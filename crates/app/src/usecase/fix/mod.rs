//! `lint --fix`: pins what can move. Everything is resolved first; then files are written, each whole, and only where git
//! keeps what was there. Besides a reference (and the comment that names an action's version) no byte of a file changes.

mod edit;
mod write;

use std::collections::BTreeMap;

use similar::TextDiff;

pub use self::edit::Unfixed;
use self::edit::{Edit, Plan};
use super::lint::Lint;
use super::registry::{Resolver, World};
use super::{Context, Network};
use crate::error::AppError;

/// Whether files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// They are, where git keeps what was there.
    Kept,
    /// They are, whatever git knows.
    Anyway,
    /// The patch is only shown.
    Dry,
}

/// What a fix did, or would do.
#[derive(Debug, Default)]
pub struct Fixed {
    /// The changes as a unified diff, which `git apply` takes.
    pub patch: String,
    /// How many references are pinned.
    pub pinned: usize,
    /// The files that were written.
    pub written: Vec<String>,
    /// What can't be pinned, and why.
    pub unfixed: Vec<Unfixed>,
    /// What could not be resolved. Then nothing is written.
    pub unresolved: Vec<Unfixed>,
}

/// Pins what a lint found.
///
/// # Errors
/// Where a file has changes that git does not keep, or can't be written.
pub fn fix(lint: &Lint, context: &Context, network: Network, writing: Writing) -> Result<Fixed, AppError> {
    fix_with(lint, context, writing, &World { network })
}

fn fix_with(
    lint: &Lint,
    context: &Context,
    writing: Writing,
    resolver: &dyn Resolver,
) -> Result<Fixed, AppError> {
    let Plan { edits, unfixed, unresolved, pinned } = edit::plan(&lint.findings, resolver);
    let mut out = Fixed { unfixed, unresolved, pinned, ..Fixed::default() };
    let mut files: BTreeMap<&str, Vec<&Edit>> = BTreeMap::new();
    for edit in &edits {
        files.entry(&edit.path).or_default().push(edit);
    }
    let mut changes = Vec::new();
    for (path, edits) in files {
        let change = write::Change::new(&context.folder.join(path), path, &edits)?;
        out.patch.push_str(&diff(path, &change.before, &change.after));
        changes.push(change);
    }
    if writing == Writing::Dry || !out.unresolved.is_empty() || changes.is_empty() {
        return Ok(out);
    }
    if writing == Writing::Kept {
        write::refuse_what_git_does_not_keep(&changes)?;
    }
    for change in changes {
        change.write()?;
        out.written.push(change.shown);
    }
    Ok(out)
}

fn diff(path: &str, before: &str, after: &str) -> String {
    let names = (format!("a/{path}"), format!("b/{path}"));
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&names.0, &names.1)
        .to_string()
}

#[cfg(test)]
mod tests;
