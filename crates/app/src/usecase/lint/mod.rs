//! `lint`: what is wrong with a project's own files, without another environment: references that can move, pins that
//! disagree, lockfiles that were outgrown, environment files that break the schema. Changes nothing; [`super::fix`] does.

mod aside;
mod files;
mod project;
mod rules;
mod variables;

use std::ops::Range;
use std::path::PathBuf;

use parallax_collect::image::Reference;
use parallax_engine::boundary::Severity;
use parallax_model::Code;

use super::integrity::{self, Integrity, RegistryProgress};
use super::{Context, Network};
use crate::error::AppError;

/// What to look at, and how.
#[derive(Debug, Clone)]
pub struct LintRequest {
    /// Files and folders; none is the project's folder.
    pub paths: Vec<PathBuf>,
    /// Only these codes; none is all.
    pub only: Vec<Code>,
    /// Not these.
    pub ignore: Vec<Code>,
    /// Whether what is locked is held against what registries serve now.
    pub registry: Registries,
    /// Whether anything may be asked over the network.
    pub network: Network,
}

/// Whether what is locked is held against what registries serve now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registries {
    /// It is.
    Asked,
    /// Only the project's files are looked at.
    LeftAlone,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its sort.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// The file, as the user would name it.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// Why that matters.
    pub why: String,
    /// What to do.
    pub mend: String,
    /// What `--fix` would replace.
    pub fix: Fix,
}

/// What `--fix` can do about a finding.
#[derive(Debug, Clone, PartialEq)]
pub enum Fix {
    /// Nothing.
    None,
    /// Nothing, as the reference is not written in one place: why.
    Apart(String),
    /// Write an image's digest behind these bytes.
    Image {
        /// The image.
        reference: Reference,
        /// Where it is written.
        written: Range<usize>,
    },
    /// Write a commit in place of an action's revision.
    Action {
        /// `owner/name` of the repository.
        repository: String,
        /// The tag or branch.
        revision: String,
        /// Where the whole reference is written.
        written: Range<usize>,
    },
}

/// A finding that a comment sets aside.
#[derive(Debug, Clone, PartialEq)]
pub struct SetAside {
    /// The finding.
    pub finding: Finding,
    /// The comment's reason.
    pub because: String,
}

/// A file that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The file.
    pub path: String,
    /// Why.
    pub why: String,
}

/// The answer.
#[derive(Debug, Default)]
pub struct Lint {
    /// What is wrong, by file and line.
    pub findings: Vec<Finding>,
    /// What comments set aside.
    pub set_aside: Vec<SetAside>,
    /// Files that could not be looked at: of these nothing is known.
    pub unread: Vec<Unread>,
    /// References that only the run resolves.
    pub untold: Vec<Unread>,
    /// How many files were looked at.
    pub files: usize,
    /// What registries said, where they were to be asked.
    pub registry: Option<Integrity>,
}

impl Lint {
    /// How many findings weigh so much.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Looks at a project's files.
///
/// # Errors
/// Where a path that was named can't be read.
pub fn lint(
    request: &LintRequest,
    context: &Context,
    progress: &dyn RegistryProgress,
) -> Result<Lint, AppError> {
    let mut out = Lint::default();
    let looked = files::look(&request.paths, context)?;
    out.unread = looked.unread;
    out.files = looked.files.len();
    for file in &looked.files {
        rules::references(file, &mut out);
        variables::check(file, context, &mut out)?;
    }
    for folder in &looked.folders {
        project::judge(folder, context, &mut out)?;
    }
    if request.registry == Registries::Asked {
        let locks: Vec<&files::File> = looked.files.iter().filter(|file| file.is_lockfile()).collect();
        let inputs =
            locks.iter().map(|file| (file.shown.as_str(), file.name.as_str(), file.bytes.as_slice()));
        let integrity = integrity::check(&inputs.collect::<Vec<_>>(), context, request.network, progress);
        out.findings.extend(integrity.findings.iter().cloned());
        out.unread.extend(integrity.unread.iter().cloned());
        out.registry = Some(integrity);
    }
    let wanted = |code: Code| {
        (request.only.is_empty() || request.only.contains(&code)) && !request.ignore.contains(&code)
    };
    out.findings.retain(|finding| wanted(finding.code));
    aside::set(&looked.files, &mut out);
    let place = |f: &Finding| (f.path.clone(), f.line, f.column, f.code, f.message.clone());
    out.findings.sort_by_key(place);
    out.findings.dedup();
    Ok(out)
}
