//! `store`: recording, comparing and reading timelines, beside bare rows in SQLite, a plain as-of query, and git.
//!
//! Resources are objects of ten attributes with realistic paths and values. Ours and SQLite run in this process; git
//! runs as people run it, fed by `fast-import`, one file a resource.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use parallax_model::{Key, Relation, RelationKind, Resource, Snapshot, SnapshotHeader, Timestamp, Value};
use parallax_store::{Entry, Query, Store};

use crate::measure::{self, Cost, Line, own_processor_seconds};
use crate::table::Table;
use crate::{Outcome, Setup};

/// Attributes of one resource.
const ATTRIBUTES: usize = 10;
/// Recordings after the first, and resources that each changes.
const CAPTURES: usize = 100;
const CHANGED: usize = 10;
/// How often what takes long is run, and what is short; the cheapest counts.
const RUNS: usize = 3;
const SHORT_RUNS: usize = 25;

pub(crate) fn run(setup: &Setup) -> Outcome {
    let mut table = Table::default();
    let folder = setup.scratch.path();
    first(&mut table, folder)?;
    series(&mut table, folder)?;
    let mut costs = Vec::new();
    for resources in [1_000, 10_000, 100_000] {
        costs.push(compare(&mut table, folder, resources)?);
    }
    if let [small, .., large] = costs.as_slice() {
        goal(
            &mut table,
            "comparing at 1,000,000 attributes, against at 10,000",
            large / small,
            "at most 2 times",
        );
    }
    history(&mut table, folder)?;
    relations(&mut table, folder)?;
    Ok(table)
}

fn resource(number: usize, round: usize) -> Resource {
    let name = format!("service-{number:06}");
    let kind = ["Deployment", "ConfigMap", "Service"].get(number % 3).copied().unwrap_or_default();
    let mut resource = Resource::new(Key::of(["k8s", "apps", kind, "shop", &name]), "object");
    for at in 0..ATTRIBUTES {
        let path = format!("spec.template.spec.containers[app].env[SETTING_{at:02}].value");
        let spread = (number * 31 + at * 17) % 997;
        // A round changes one attribute.
        let value = match at {
            3 => format!("registry.example.org/shop/{name}:2026.{}.{spread}", round + 1),
            _ => format!("{name}-{spread}.internal.example.org"),
        };
        resource.attributes.set(path.as_str(), Value::from(value));
    }
    resource
}

fn header(round: usize) -> SnapshotHeader {
    let second = 1_800_000_000 + 60 * i64::try_from(round).unwrap_or_default();
    SnapshotHeader {
        environment: "production".to_owned(),
        captured_at: Timestamp::from_second(second).unwrap_or_default(),
        tool: "bench".to_owned(),
        key_id: None,
        sources: Vec::new(),
        gaps: Vec::new(),
    }
}

fn snapshot(count: usize) -> Snapshot {
    Snapshot::new(header(0), (0..count).map(|number| resource(number, 0)).collect())
}

fn open(path: &Path) -> Result<Store, String> {
    Store::open(&path.display().to_string()).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// What some work cost in this process.
fn timed<T>(work: impl FnOnce() -> Result<T, String>) -> Result<(T, Cost), String> {
    let (processor, start) = (own_processor_seconds(), Instant::now());
    let done = work()?;
    let wall = start.elapsed().as_secs_f64();
    Ok((done, Cost { processor: own_processor_seconds() - processor, wall, memory: 0.0 }))
}

/// The cheapest of some runs: others share the processor, and only ever make a run dearer.
fn cheapest<T>(runs: usize, mut run: impl FnMut() -> Result<(T, Cost), String>) -> Result<(T, Cost), String> {
    let mut best = run()?;
    for _ in 1..runs {
        let next = run()?;
        if next.1.processor < best.1.processor {
            best = next;
        }
    }
    Ok(best)
}

fn goal(table: &mut Table, what: &str, found: f64, goal: &str) {
    table.note(format!("{what}: {found:.2} (goal: {goal})"));
}

fn milliseconds(cost: Cost) -> f64 {
    cost.processor * 1000.0
}

fn rows(path: &Path, snapshot: &Snapshot) -> rusqlite::Result<rusqlite::Connection> {
    let mut connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; CREATE TABLE attribute (key TEXT, path TEXT, value TEXT, \
         since INTEGER, until INTEGER)",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO attribute VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for resource in snapshot.resources() {
            for attribute in &resource.attributes {
                let value = attribute.value.to_json();
                insert.execute((resource.key.as_str(), attribute.path.as_str(), value, 0, i64::MAX))?;
            }
        }
    }
    transaction.commit()?;
    Ok(connection)
}

/// The first snapshot, and a whole one read back, against rows.
fn first(table: &mut Table, folder: &Path) -> Result<(), String> {
    let whole = snapshot(100_000);
    let path = folder.join("first.db");
    let store = open(&path)?;
    let (recorded, ours) = timed(|| store.record("production", &whole).map_err(text))?;
    table.measured("first snapshot of 1,000,000 attributes", ours);
    let (connection, bare) = timed(|| rows(&folder.join("rows.db"), &whole).map_err(text))?;
    table.measured("  the same as bare rows in SQLite", bare);
    goal(table, "first snapshot: rate, against bare rows", bare.processor / ours.processor, "at least 0.5");

    let later = recorded.entry.captured_at;
    // Each time by a store that was just opened, as a command does.
    let (back, ours) = cheapest(RUNS, || {
        timed(|| {
            let store = open(&path)?;
            let entry = store.as_of("production", later).map_err(text)?.ok_or("no entry")?;
            store.read(&entry).map_err(text)
        })
    })?;
    if back != whole {
        return Err("what was read is not what was recorded".to_owned());
    }
    table.measured("the whole environment as of a time", ours);
    drop(back);
    let (read, plain) = cheapest(RUNS, || timed(|| as_of(&connection, &whole).map_err(text)))?;
    table.measured("  by a plain as-of query over rows", plain);
    if read.len() != whole.resources().len() {
        return Err(format!("the rows gave {} resources", read.len()));
    }
    let ratio = plain.processor / ours.processor;
    goal(table, "whole environment: rate, against the plain query", ratio, "at least 5");
    let sizes = store.stats().map_err(text)?;
    table.note(format!("first snapshot on disk: {} kB, {} chunks", sizes.bytes / 1000, sizes.chunks));
    Ok(())
}

/// Reads rows into the same resources.
fn as_of(connection: &rusqlite::Connection, whole: &Snapshot) -> rusqlite::Result<Vec<Resource>> {
    let mut select = connection.prepare(
        "SELECT key, path, value FROM attribute WHERE since <= ?1 AND ?1 < until ORDER BY key, path",
    )?;
    let mut rows = select.query([5])?;
    let mut read: Vec<Resource> = Vec::with_capacity(whole.resources().len());
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        if read.last().is_none_or(|last| last.key.as_str() != key) {
            read.push(Resource::new(Key::of([key.as_str()]), "object"));
        }
        let (path, value): (String, String) = (row.get(1)?, row.get(2)?);
        if let Some(last) = read.last_mut() {
            last.attributes.set(path.as_str(), Value::from(value));
        }
    }
    Ok(read)
}

fn changed(round: usize, count: usize) -> Vec<Resource> {
    (0..CHANGED).map(|at| resource((round * 7919 + at * 997) % count, round)).collect()
}

/// A timeline of recordings that change little, and the same in git.
fn series(table: &mut Table, folder: &Path) -> Result<(), String> {
    const COUNT: usize = 10_000;
    let store = open(&folder.join("series.db"))?;
    let mut entry = store.record("production", &snapshot(COUNT)).map_err(text)?.entry;
    let before = store.stats().map_err(text)?.bytes;
    let (_, cost) = timed(|| {
        for round in 1..=CAPTURES {
            let part = changed(round, COUNT);
            let recorded = store.record_changed("production", &entry, part, Vec::new(), &header(round));
            let recorded = recorded.map_err(text)?;
            if recorded.changes.len() != CHANGED {
                return Err(format!("{} changes", recorded.changes.len()));
            }
            entry = recorded.entry;
        }
        Ok(())
    })?;
    let after = store.stats().map_err(text)?;
    let captures = 100.0;
    let one = |cost: Cost| Cost { processor: cost.processor / captures, wall: cost.wall / captures, ..cost };
    table.measured("recording 10 changed of 10,000 resources", one(cost));
    goal(table, "recording 10 changed: processor ms", milliseconds(one(cost)), "at most 5");
    let growth = kilobytes(after.bytes - before) / captures;
    goal(table, "recording 10 changed: kB of growth", growth, "at most 40");
    let git = measure::is_there("git").then(|| in_git(folder, COUNT)).ok_or("git is not there")?;
    match git {
        Ok((import, diff, bytes)) => {
            table.measured("  git fast-import of the same, a capture", one(import));
            table.measured("  git diff of the last two", diff);
            table.note(format!(
                "after {CAPTURES} recordings: ours {} kB, git packed {} kB, ratio {:.2} (goal: below 1)",
                after.bytes / 1000,
                bytes / 1000,
                kilobytes(after.bytes) / kilobytes(bytes)
            ));
        }
        Err(why) => table.note(format!("NOT MEASURED: git: {why}")),
    }
    Ok(())
}

fn kilobytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX))
}

fn as_file(resource: &Resource) -> String {
    let mut out = String::new();
    for attribute in &resource.attributes {
        let written = writeln!(out, "{} = {}", attribute.path, attribute.value.to_json());
        debug_assert!(written.is_ok(), "text takes all that is written");
    }
    out
}

/// The costs of importing all and of one diff, and the packed bytes.
fn in_git(folder: &Path, count: usize) -> Result<(Cost, Cost, u64), String> {
    let stream = folder.join("stream");
    let mut text = String::new();
    let mut commit = |round: usize, resources: &[Resource]| {
        let mut files = String::new();
        for resource in resources {
            let file = as_file(resource);
            let written = write!(files, "M 644 inline {}\ndata {}\n{file}\n", resource.key, file.len());
            debug_assert!(written.is_ok(), "text takes all that is written");
        }
        let when = 1_800_000_000 + round * 60;
        let head = format!("commit refs/heads/main\ncommitter a <a@example.org> {when} +0000\ndata 2\nc\n");
        text.push_str(&head);
        text.push_str(&files);
    };
    commit(0, snapshot(count).resources());
    (1..=CAPTURES).for_each(|round| commit(round, &changed(round, count)));
    std::fs::write(&stream, text).map_err(self::text)?;
    let git = folder.join("git");
    let place = git.display();
    let run = |script: &str| measure::median(1, |_| Line::shell(script));
    run(&format!("git init -q --bare {place}"))?;
    let import = run(&format!("git -C {place} fast-import --quiet < {}", stream.display()))?;
    run(&format!("git -C {place} gc -q --aggressive --prune=now"))?;
    let diff = run(&format!("git -C {place} diff --stat main~1 main"))?;
    let bytes = Line::shell(&format!("cat {place}/objects/pack/* | wc -c")).output()?;
    let bytes = String::from_utf8_lossy(&bytes.stdout).trim().parse().map_err(self::text)?;
    Ok((import, diff, bytes))
}

/// Two stored snapshots that differ in 100 attributes.
fn compare(table: &mut Table, folder: &Path, count: usize) -> Result<f64, String> {
    let path = folder.join(format!("compare-{count}.db"));
    let (left, right) = {
        let store = open(&path)?;
        let left = store.record("production", &snapshot(count)).map_err(text)?.entry;
        let part = (0..100).map(|at| resource(at * (count / 100), 1)).collect();
        let right = store.record_changed("production", &left, part, Vec::new(), &header(1));
        (left, right.map_err(text)?.entry)
    };
    let (_, cost) = cheapest(SHORT_RUNS, || {
        let store = open(&path)?;
        let (differing, cost) = timed(|| store.diff(&left, &right).map_err(text))?;
        let found = differing.left.len();
        if found == 100 { Ok(((), cost)) } else { Err(format!("{found} differ")) }
    })?;
    let attributes = count * ATTRIBUTES;
    table.measured(format!("comparing 100 changes among {attributes} attributes"), cost);
    let what = format!("comparing 100 changes among {attributes}, freshly opened: processor ms");
    goal(table, &what, milliseconds(cost), "below 3");
    let store = open(&path)?;
    let again = || timed(|| store.diff(&left, &right).map_err(text));
    let (_, warm) = cheapest(SHORT_RUNS, again)?;
    table.note(format!("  the same again, by the same store: {:.2} ms", milliseconds(warm)));
    Ok(cost.processor)
}

/// One resource as of a time, and one key's history, among 1,000,000 changes.
fn history(table: &mut Table, folder: &Path) -> Result<(), String> {
    const COUNT: usize = 100_000;
    let store = open(&folder.join("history.db"))?;
    let mut entry: Entry = store.record("production", &snapshot(COUNT)).map_err(text)?.entry;
    let (_, cost) = timed(|| {
        for round in 1..=100 {
            let part = (0..10_000).map(|at| resource(at + round % 10 * 10_000, round)).collect();
            let done = store.record_changed("production", &entry, part, Vec::new(), &header(round));
            entry = done.map_err(text)?.entry;
        }
        Ok(())
    })?;
    table.measured("recording 1,000,000 changes, 10,000 at a time", cost);
    let wanted = resource(500, 0).key;
    let path = folder.join("history.db");
    let (found, cost) = cheapest(SHORT_RUNS, || {
        let store = open(&path)?;
        timed(|| {
            let then = store.as_of("production", header(50).captured_at).map_err(text)?.ok_or("no entry")?;
            store.resource(&then, &wanted).map_err(text)
        })
    })?;
    if found != Some(resource(500, 50)) {
        return Err("another resource was read".to_owned());
    }
    goal(table, "one resource as of a time: processor ms", milliseconds(cost), "below 2");
    let query = Query { key: Some(wanted), ..Query::of("production") };
    let (changes, cost) = cheapest(SHORT_RUNS, || {
        let store = open(&path)?;
        timed(|| store.changes(&query).map_err(text))
    })?;
    if changes.len() != 10 {
        return Err(format!("{} changes in the history", changes.len()));
    }
    goal(table, "history of one key: processor ms", milliseconds(cost), "below 2");
    let sizes = store.stats().map_err(text)?;
    table.note(format!("after 1,000,000 changes: {} kB on disk", sizes.bytes / 1000));
    Ok(())
}

/// Relations as of a time: each of 100,000 resources points at two others.
fn relations(table: &mut Table, folder: &Path) -> Result<(), String> {
    const COUNT: usize = 100_000;
    let key = |number: usize| resource(number % COUNT, 0).key;
    let related = |number: usize| {
        let mut resource = resource(number, 0);
        for to in [number / 2, number * 7 + 1] {
            resource.relate(Relation { kind: RelationKind::DependsOn, to: key(to) });
        }
        resource
    };
    let store = open(&folder.join("relations.db"))?;
    let whole = Snapshot::new(header(0), (0..COUNT).map(related).collect());
    let entry = store.record("production", &whole).map_err(text)?.entry;
    let (graph, cost) = timed(|| store.graph(&entry).map_err(text))?;
    table.note(format!("relations of {COUNT} resources as of a time, read: {:.0} ms", cost.wall * 1000.0));
    let (reached, cost) = timed(|| Ok(graph.reachable(&key(COUNT - 1), &[], 6).len()))?;
    table.note(format!("what one reaches within 6 steps: {reached}, in {:.2} ms", cost.wall * 1000.0));
    let (reaching, cost) = timed(|| Ok(graph.reaching(&key(1), &[], 6).len()))?;
    table.note(format!("what reaches one within 6 steps: {reaching}, in {:.2} ms", cost.wall * 1000.0));
    Ok(())
}
