//! The project's own files: what they pin (`pin/<tool>`), and what its lockfiles fix (`lockfile/<path>`,
//! `dependency/<ecosystem>/<name>`).
//!
//! Pins of the project's own folder speak for the environment and are `pin/<tool>`; those of a sub-project are
//! `pin/<tool>/<folder>`, so that the parts of a monorepo may differ. Two round trips: a search, then the
//! files that it showed; more where packages are installed beside a lockfile. Reads no file that holds credentials, and judges nothing.

mod dependency;
pub(crate) mod dockerfile;
mod env_example;
pub(crate) mod files;
mod gemfile;
pub(crate) mod gitlab;
mod go_mod;
mod image;
mod installed;
mod package_json;
pub(crate) mod pin;
mod report;
mod toml_file;
mod version_file;
pub(crate) mod workflow;
mod wrapper;

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::{GapKind, Key};

pub use env_example::{
    EnvLine, ExampleError, ExampleFile, ExampleVariable, Sample, env_example, env_lines, read_env_example,
};

use self::files::{PinReader, Role};
use self::installed::Looks;
use self::report::Report;
use crate::lockfile::{self, Files, Format};
use crate::machine::{
    Batch, Entry, EntryKind, FileContent, Machine, MachineError, ProbeError, Replies, Ticket,
};
pub(crate) use crate::yaml;
use crate::{Collected, Collector, Scope};

/// The collector.
pub(crate) const COLLECTOR: Collector = Collector {
    name: "project",
    version: 1,
    kinds: &["pin", "lockfile", "dependency"],
    needs_project: true,
    collect,
};

/// Everything that this collector reports.
const REGIONS: [&str; 3] = ["pin/**", "lockfile/**", "dependency/**"];

const MAX_PIN_BYTES: usize = 1 << 20;
const MAX_LOCK_BYTES: usize = 64 << 20;
/// All lockfiles that are read together; where there are many, each may have its share, but at least the second.
const MAX_LOCKS_BYTES: usize = 256 << 20;
const MIN_LOCK_BYTES: usize = 4 << 20;
/// More names than this in one folder are not listed.
const MAX_ENTRIES: usize = 20_000;
/// More folders that can't be looked into than this are one gap.
const MAX_UNREADABLE: usize = 200;
/// More files of a sort than this are not read; those nearest to the root are.
const MAX_PIN_FILES: usize = 400;
const MAX_LOCK_FILES: usize = 100;

fn collect(machine: &dyn Machine, scope: &Scope) -> Collected {
    let mut collected = Collected::default();
    let Some(project) = scope.project.as_deref() else {
        collected.skipped = Some("no project folder".to_owned());
        return collected;
    };
    let root = match project.trim_end_matches('/') {
        "" => "/",
        trimmed => trimmed,
    };
    if let Err(error) = observe(machine, root, &mut collected) {
        for region in REGIONS {
            collected.gap(region, GapKind::Unreachable, error.to_string());
        }
    }
    collected
}

fn observe(machine: &dyn Machine, root: &str, collected: &mut Collected) -> Result<(), MachineError> {
    let Some(paths) = search(machine, root, collected)? else { return Ok(()) };
    let mut batch = Batch::new();
    let asked = ask(root, &paths, &mut batch, collected);
    if batch.is_empty() {
        return Ok(());
    }
    let mut looks = Looks::beside(root, asked.locks.iter().map(|lock| (lock.path, lock.format)));
    looks.ask(&mut batch);
    let replies = machine.run(&batch)?;
    looks.take(&replies);
    let mut report = Report::new(root, collected);
    let others = others(&asked, &replies);
    for (path, reader, ticket) in asked.pins {
        match whole(replies.get(ticket), MAX_PIN_BYTES) {
            Ok(content) => report.pins(path, &reader, content),
            Err(error) => report.unread_pins(path, &reader, paths.basis, &error),
        }
    }
    for (path, ticket) in asked.beside {
        if let Err(error) = whole(replies.get(ticket), MAX_PIN_BYTES) {
            report.unread_beside(path, paths.basis, &error);
        }
    }
    for AskedLock { path, format, digest, content } in asked.locks {
        match replies.get(digest) {
            Ok(digest) => {
                let content = content.map(|(ticket, most)| {
                    whole(replies.get(ticket), most).map(|content| Files::new(path, &content.bytes, &others))
                });
                report.lockfile(path, format, digest, content);
            }
            Err(error) => report.unread_lockfile(path, format, paths.basis, &error),
        }
    }
    for (path, ecosystem, tree) in looks.finish(machine) {
        report.installed(path, ecosystem, tree);
    }
    report.finish();
    Ok(())
}

/// What readers of lockfiles may look at beside the lockfile: manifests, and other lockfiles that one may include.
fn others(asked: &Asked<'_>, replies: &Replies) -> BTreeMap<String, Vec<u8>> {
    let pins = asked.pins.iter().map(|(path, _, ticket)| (*path, *ticket, MAX_PIN_BYTES));
    let beside = asked.beside.iter().map(|(path, ticket)| (*path, *ticket, MAX_PIN_BYTES));
    let includes = asked.locks.iter().filter(|lock| lock.format.includes());
    let locks = includes.filter_map(|lock| lock.content.map(|(ticket, most)| (lock.path, ticket, most)));
    pins.chain(beside)
        .chain(locks)
        .filter_map(|(path, ticket, most)| {
            Some((path.to_owned(), whole(replies.get(ticket), most).ok()?.bytes.clone()))
        })
        .collect()
}

/// Files to read, relative to the project's folder.
struct Paths {
    list: BTreeSet<String>,
    basis: Basis,
}

/// How it is known which files there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    /// They were seen: one that is not there when it is read leaves a gap.
    Seen,
    /// Nothing could be listed: they are asked for by name, and most are absent.
    Guessed,
}

/// The first round trip: which files there are. `None` where there is no such folder.
fn search(
    machine: &dyn Machine,
    root: &str,
    collected: &mut Collected,
) -> Result<Option<Paths>, MachineError> {
    let mut batch = Batch::new();
    let listing = batch.list(root, MAX_ENTRIES);
    let workflows = batch.list(join(root, files::WORKFLOWS), MAX_ENTRIES);
    let found = batch.find(files::find(root));
    let replies = machine.run(&batch)?;

    let mut paths = Paths { list: BTreeSet::new(), basis: Basis::Seen };
    match replies.get(listing) {
        Ok(entries) => paths.list.extend(names(entries)),
        Err(ProbeError::NotFound) => {
            for region in REGIONS {
                collected.gap(region, GapKind::Failed, format!("{root}: no such folder"));
            }
            return Ok(None);
        }
        Err(error) => {
            unlisted(root, &error, collected);
            paths.basis = Basis::Guessed;
            paths.list.extend(files::exact_names().map(str::to_owned));
        }
    }
    match replies.get(workflows) {
        Ok(entries) => paths.list.extend(names(entries).map(|name| join(files::WORKFLOWS, &name))),
        Err(error) => collected.gap_unless_absent("pin/*", &join(root, files::WORKFLOWS), &error),
    }
    match replies.get(found) {
        Ok(found) => {
            paths.list.extend(found.paths.iter().cloned());
            unreadable(root, &found.unreadable, collected);
        }
        // The folder is there, so that it was not found by the search is no answer.
        Err(error) => unlisted(root, &error, collected),
    }
    Ok(Some(paths))
}

/// Folders that the search could not look into may hold pins and lockfiles, and these may fix packages.
fn unreadable(root: &str, folders: &[String], collected: &mut Collected) {
    let denied = ProbeError::Permission;
    match folders {
        [] => {}
        [first, ..] if folders.len() > MAX_UNREADABLE => {
            let why =
                format!("{}: {denied}, and so for {} more folders", join(root, first), folders.len() - 1);
            for region in REGIONS {
                collected.gap(region, GapKind::Permission, why.clone());
            }
        }
        [first, ..] => {
            for folder in folders {
                let key = Key::of(folder.split('/'));
                for region in ["pin/*", "lockfile"] {
                    collected.gap_unless_absent(&format!("{region}/{key}/**"), &join(root, folder), &denied);
                }
            }
            collected.gap_unless_absent("dependency/**", &join(root, first), &denied);
        }
    }
}

fn unlisted(root: &str, error: &ProbeError, collected: &mut Collected) {
    let kind = error.gap_kind().unwrap_or(GapKind::Failed);
    let why = match error {
        ProbeError::TooLarge(most) => format!("{root}: more than {most} files to look at"),
        ProbeError::NotFound
        | ProbeError::Permission
        | ProbeError::TimedOut(_)
        | ProbeError::Unsupported(_)
        | ProbeError::Failed(_) => format!("{root}: {error}"),
    };
    for region in REGIONS {
        collected.gap(region, kind, why.clone());
    }
}

/// The names that may be read: files, and links, which may point to files.
fn names(entries: &[Entry]) -> impl Iterator<Item = String> {
    entries
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Link))
        .map(|entry| entry.name.clone())
}

/// What the second round trip asks for.
#[derive(Default)]
struct Asked<'p> {
    pins: Vec<(&'p str, PinReader, Ticket<FileContent>)>,
    beside: Vec<(&'p str, Ticket<FileContent>)>,
    locks: Vec<AskedLock<'p>>,
}

/// A lockfile: its digest, and its content where its packages are read, with how many bytes it may have.
struct AskedLock<'p> {
    path: &'p str,
    format: &'static Format,
    digest: Ticket<String>,
    content: Option<(Ticket<FileContent>, usize)>,
}

fn ask<'p>(root: &str, paths: &'p Paths, batch: &mut Batch, collected: &mut Collected) -> Asked<'p> {
    let mut asked = Asked::default();
    let mut nearest: Vec<&str> = paths.list.iter().map(String::as_str).collect();
    nearest.sort_by_key(|path| path.matches('/').count());
    let locks = || nearest.iter().filter_map(|path| lockfile::by_path(path));
    let most = lock_bytes(locks().filter(|format| format.read.is_some()).count().min(MAX_LOCK_FILES));
    let (mut pins_left_out, mut locks_left_out) = (0, 0);
    for path in &nearest {
        match files::role(path) {
            Some(Role::Pins(_)) if asked.pins.len() >= MAX_PIN_FILES => pins_left_out += 1,
            Some(Role::Pins(reader)) => {
                let ticket = batch.read(join(root, path), MAX_PIN_BYTES);
                asked.pins.push((path, reader, ticket));
            }
            Some(Role::Lock(_)) if asked.locks.len() >= MAX_LOCK_FILES => locks_left_out += 1,
            Some(Role::Lock(format)) => {
                let digest = batch.sha256(join(root, path));
                let content = format.read.map(|_| (batch.read(join(root, path), most), most));
                asked.locks.push(AskedLock { path, format, digest, content });
            }
            Some(Role::Beside) if locks().next().is_none() => {}
            Some(Role::Beside) if asked.beside.len() >= MAX_PIN_FILES => locks_left_out += 1,
            Some(Role::Beside) => {
                let ticket = batch.read(join(root, path), MAX_PIN_BYTES);
                asked.beside.push((path, ticket));
            }
            None => {}
        }
    }
    for (regions, left_out) in [(&REGIONS[..1], pins_left_out), (&REGIONS[1..], locks_left_out)] {
        for region in regions.iter().filter(|_| left_out > 0) {
            let why = format!("{root}: {left_out} files, those farthest from the root, were not read");
            collected.gap(*region, GapKind::TooLarge, why);
        }
    }
    asked
}

/// How many bytes each of so many lockfiles may have.
fn lock_bytes(count: usize) -> usize {
    (MAX_LOCKS_BYTES / count.max(1)).clamp(MIN_LOCK_BYTES, MAX_LOCK_BYTES)
}

/// A file that came whole.
fn whole(content: Result<&FileContent, ProbeError>, most: usize) -> Result<&FileContent, ProbeError> {
    match content {
        Ok(content) if content.truncated => Err(ProbeError::TooLarge(most)),
        other => other,
    }
}

fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

#[cfg(test)]
mod tests;
