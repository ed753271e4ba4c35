//! Observes runtimes and tools: for each name in the table, which file a bare command reaches from the
//! project's folder, and what version it is. Does not judge, and installs nothing.
//!
//! The first round trip asks where the commands are. In the next, files that tell a version are read, while
//! commands that nothing tells of are already run. A third is needed only behind version managers, whose
//! choice must be known first, and where a file was expected to tell and did not.

mod answer;
mod architecture;
mod follow;
mod known;
mod manager;
mod package;
mod parse;
mod surroundings;
mod table;
mod told;

use std::collections::BTreeSet;

use parallax_model::{Attribute, Attributes, GapKind, Key, PathBuilder, Resource};

use self::answer::{Answered, Found};
use self::known::Known;
use self::surroundings::{Surroundings, VARIABLES};
use self::table::TOOLS;
use crate::machine::{Batch, Candidate, EntryKind, Environment, Machine, MachineError, ProbeError, Replies};
use crate::{Collected, Collector, Scope};

/// The collector.
pub(crate) const COLLECTOR: Collector =
    Collector { name: "runtime", version: 1, kinds: &["runtime"], needs_project: false, collect };

/// Round trips after the first. Resolvers need at most four; the rest is a bound, not a plan.
const ROUNDS: usize = 6;

fn collect(machine: &dyn Machine, scope: &Scope) -> Collected {
    let mut collected = Collected::default();
    match look_around(machine, scope) {
        Err(error) => unreachable(&mut collected, &error),
        Ok(Err(error)) => {
            let kind = error.gap_kind().unwrap_or(GapKind::Failed);
            collected.gap("runtime/**", kind, format!("the search path: {error}"));
        }
        Ok(Ok(seen)) => resolve(machine, &seen, &mut collected),
    }
    collected
}

/// What the first round trip shows.
#[derive(Debug)]
struct Seen {
    world: Surroundings,
    found: Vec<Found>,
    rustup: Vec<Candidate>,
}

/// Asks where the commands are, and what decides between versions. Without all of it no version can be told
/// for certain.
fn look_around(machine: &dyn Machine, scope: &Scope) -> Result<Result<Seen, ProbeError>, MachineError> {
    let names: BTreeSet<&str> =
        TOOLS.iter().flat_map(|tool| tool.commands).copied().chain(["rustup"]).collect();
    let mut batch = Batch::new();
    let which = batch.which(&names.into_iter().collect::<Vec<_>>());
    let system = batch.system();
    let root = batch.list("/", 1024);
    let variables = batch.environment(Environment {
        names: Some(VARIABLES.iter().map(ToString::to_string).collect()),
        fingerprinter: scope.fingerprinter.clone(),
    });
    let replies: Replies = machine.run(&batch)?;
    let seen = || {
        let candidates = replies.get(which)?;
        let merged_usr = replies.get(root).is_ok_and(|entries| {
            entries.iter().any(|entry| entry.name == "bin" && entry.kind == EntryKind::Link)
        });
        let world = Surroundings::new(
            replies.get(system)?,
            scope.project.as_deref(),
            replies.get(variables)?,
            candidates,
            merged_usr,
        );
        let found = TOOLS
            .iter()
            .map(|tool| {
                let lists = tool.commands.iter().map(|command| of_name(candidates, command));
                Found { tool, commands: lists.filter(|list| !list.is_empty()).collect() }
            })
            .collect();
        Ok(Seen { world, found, rustup: of_name(candidates, "rustup") })
    };
    Ok(seen())
}

/// The candidates of one command, each path once: a folder may stand in the search path twice.
fn of_name(candidates: &[Candidate], name: &str) -> Vec<Candidate> {
    let mut list: Vec<Candidate> = Vec::new();
    for candidate in candidates.iter().filter(|c| c.name == name) {
        if list.iter().all(|earlier| earlier.path != candidate.path) {
            list.push(candidate.clone());
        }
    }
    list
}

/// Resolves all tools, round by round, until none waits for an answer.
fn resolve(machine: &dyn Machine, seen: &Seen, collected: &mut Collected) {
    let mut known = Known::default();
    let mut waiting: Vec<&Found> = seen.found.iter().collect();
    for _ in 0..ROUNDS {
        waiting.retain(|found| match answer::answer(found, &seen.rustup, &seen.world, &mut known) {
            Ok(Some(answered)) => {
                report(found, &answered, collected);
                false
            }
            Ok(None) => false,
            Err(known::Pending) => true,
        });
        match known.fetch(machine) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                unreachable(collected, &error);
                return;
            }
        }
    }
    for found in waiting {
        let why = "it was not resolved within the round trips that it may take";
        collected.gap(format!("runtime/{}", found.tool.name), GapKind::Failed, why);
    }
}

fn unreachable(collected: &mut Collected, error: &MachineError) {
    let kind = match error {
        MachineError::TimedOut { .. } => GapKind::TimedOut,
        MachineError::Unreachable { .. }
        | MachineError::Refused { .. }
        | MachineError::HostKey { .. }
        | MachineError::Garbled { .. } => GapKind::Unreachable,
    };
    collected.gap("runtime/**", kind, error.to_string());
}

fn report(found: &Found, answered: &Answered, collected: &mut Collected) {
    let key = Key::of(["runtime", found.tool.name]);
    let mut list = Vec::new();
    let mut set = |path: &str, value: &str| {
        list.push(Attribute { path: path.into(), value: value.into() });
    };
    set("path", &answered.path);
    set("resolved", &answered.resolved);
    if let Some(architecture) = &answered.architecture {
        set("architecture", architecture);
    }
    if let Some(manager) = answered.manager {
        set("manager", manager);
    }
    match &answered.version {
        Ok((version, from)) => {
            set("version", version);
            set("from", from);
        }
        Err(reason) => collected.gap(key.as_str(), reason.kind, reason.why.as_str()),
    }
    for (at, candidate) in answered.candidates.iter().enumerate() {
        let path = PathBuilder::new().field("candidates").index(at).path();
        list.push(Attribute { path, value: candidate.as_str().into() });
    }
    let mut resource = Resource::new(key, "runtime");
    resource.attributes = Attributes::from_unsorted(list);
    collected.push(resource);
}

#[cfg(test)]
mod tests;
