//! What one tool answers on one machine: which file a bare command reaches, its version, and where that was
//! read. Files first; the command itself only where they do not tell.

use parallax_model::GapKind;

use super::follow::{self, Followed};
use super::known::{Known, Pending};
use super::parse::Printed;
use super::surroundings::Surroundings;
use super::table::Tool;
use super::told::{self, Links, Target, Told};
use super::{architecture, manager};
use crate::machine::{Candidate, Output, ProbeError};

/// Where snaps' commands stand.
const SNAPS: &str = "/snap/bin/";

/// What the search path has for one tool.
#[derive(Debug)]
pub(super) struct Found {
    /// The tool.
    pub tool: &'static Tool,
    /// For each of its commands that the search path has, the places, in the search path's order.
    pub commands: Vec<Vec<Candidate>>,
}

/// What a tool answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answered {
    /// Where the search path has it.
    pub path: String,
    /// Every place where the search path has that command.
    pub candidates: Vec<String>,
    /// The file that answers.
    pub resolved: String,
    /// That file's architecture, if it is a binary.
    pub architecture: Option<String>,
    /// The manager that it comes from.
    pub manager: Option<&'static str>,
    /// Its version and where it was read, or why there is none.
    pub version: Result<Told, NoVersion>,
}

/// Why there is no version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoVersion {
    /// The sort of reason.
    pub kind: GapKind,
    /// Why, in words that name the place.
    pub why: String,
}

/// Resolves one tool by the first of its commands that leads somewhere; `None` where the managers in the way
/// would say that there is no such command.
pub(super) fn answer(
    found: &Found,
    rustup: &[Candidate],
    world: &Surroundings,
    known: &mut Known,
) -> Result<Option<Answered>, Pending> {
    for candidates in &found.commands {
        if let Some(answered) = command(found.tool, candidates, rustup, world, known)? {
            return Ok(Some(answered));
        }
    }
    Ok(None)
}

/// Resolves one command.
fn command(
    tool: &'static Tool,
    candidates: &[Candidate],
    rustup: &[Candidate],
    world: &Surroundings,
    known: &mut Known,
) -> Result<Option<Answered>, Pending> {
    for candidate in candidates {
        let itself = || Target { path: candidate.resolved.clone(), links: Links::Followed };
        let followed = follow::follow(candidate, rustup, world, known)?;
        let (target, by, asked) = match followed {
            Followed::Next => continue,
            Followed::Absent => return Ok(None),
            // A snap's command is a link to `snap` itself; only its own path says more.
            Followed::Itself if candidate.path.starts_with(SNAPS) => {
                (Target { path: candidate.path.clone(), links: Links::Within }, Some("snap"), None)
            }
            Followed::Itself => (itself(), None, None),
            Followed::To { target, manager } => (target, Some(manager), None),
            Followed::Version { told, manager } => (itself(), Some(manager), Some(Ok(told))),
            Followed::Nowhere { why, manager } => {
                let why = format!("{}: {why}", candidate.path);
                (itself(), Some(manager), Some(Err(NoVersion { kind: GapKind::Unsupported, why })))
            }
            Followed::Ask { quiet, manager } => {
                let told = run(tool, &candidate.path, None, quiet, known)?;
                (itself(), Some(manager), Some(told))
            }
        };
        let version = match asked {
            Some(version) => version,
            None => version(tool, candidate, &target, world, known)?,
        };
        let head = match target.links {
            Links::Followed => Some(candidate.head.clone()),
            Links::Within if by == Some("snap") => None,
            Links::Within => known.head(&target.path)?,
        };
        return Ok(Some(Answered {
            path: candidate.path.clone(),
            candidates: candidates.iter().map(|c| c.path.clone()).collect(),
            architecture: head.and_then(|head| architecture::of_head(&head, &world.machine)),
            manager: by
                .or_else(|| manager::of_path(&target.path))
                .or_else(|| manager::of_path(&candidate.path)),
            resolved: target.path,
            version,
        }));
    }
    Ok(None)
}

/// The version by files, or by asking.
fn version(
    tool: &'static Tool,
    candidate: &Candidate,
    target: &Target,
    world: &Surroundings,
    known: &mut Known,
) -> Result<Result<Told, NoVersion>, Pending> {
    if let Some(told) = told::by_files(tool, target, world, known)? {
        return Ok(Ok(told));
    }
    // One binary may serve many names, so it is called by the name that was found.
    let own = target.path == candidate.resolved;
    let command = if own { &candidate.path } else { &target.path };
    let binary = own && !candidate.head.starts_with(b"#!");
    // What a script answers hangs on files that it reads, not on the script alone.
    run(tool, command, binary.then(|| candidate.resolved.clone()), &[], known)
}

/// Asks the command itself.
fn run(
    tool: &'static Tool,
    command: &str,
    depends_on: Option<String>,
    quiet: &[&str],
    known: &mut Known,
) -> Result<Result<Told, NoVersion>, Pending> {
    let mut argv: Vec<String> = Vec::new();
    let variables: Vec<&str> = tool.quiet.iter().chain(quiet).copied().collect();
    if !variables.is_empty() {
        argv.push("env".to_owned());
        argv.extend(variables.into_iter().map(str::to_owned));
    }
    argv.push(command.to_owned());
    argv.extend(tool.ask.iter().map(ToString::to_string));
    let asked = format!("{command} {}", tool.ask.first().copied().unwrap_or_default());
    let reply = known.run(argv, depends_on.into_iter().collect())?;
    Ok(read(tool, &asked, reply).map(|version| (version, asked)))
}

/// Reads a reply; everything but a version with exit code 0 is a reason.
fn read(tool: &Tool, asked: &str, reply: Result<&Output, ProbeError>) -> Result<String, NoVersion> {
    let no = |kind: GapKind, why: String| NoVersion { kind, why: format!("{asked}: {why}") };
    let output = reply.map_err(|error| match error.gap_kind() {
        Some(kind) => no(kind, error.to_string()),
        // It was found a moment ago.
        None => no(GapKind::Failed, "it cannot be started: its interpreter or loader is missing".to_owned()),
    })?;
    match output.status {
        0 => (tool.read)(&Printed::of(&output.stdout, &output.stderr))
            .ok_or_else(|| no(GapKind::NotParsed, "printed no version".to_owned())),
        status => Err(no(GapKind::Failed, format!("exit code {status}"))),
    }
}
