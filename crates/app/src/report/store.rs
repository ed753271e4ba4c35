//! What keeping house tells: text for people, and JSON (`parallax.store/1`) for scripts. Decides nothing.

use std::collections::BTreeMap;

use parallax_model::Timestamp;
use parallax_store::{Copied, Entry, Problem, Salvaged, Sizes, Standing, Verified};
use serde_json::{Value, json};

use crate::usecase::{Migrated, Run, Stats, Tidied};
use crate::view::clean;

/// How many losses or problems are listed in text.
const MOST_LISTED: usize = 200;

/// An answer, in both forms.
#[derive(Debug)]
pub struct Told {
    /// For people.
    pub text: String,
    /// For scripts: one object.
    pub json: Value,
}

impl Told {
    fn new(verb: &str, text: String, fields: Value) -> Self {
        let mut json = json!({"schema": "parallax.store/1", "command": verb});
        if let (Some(all), Value::Object(fields)) = (json.as_object_mut(), fields) {
            all.extend(fields);
        }
        Self { text, json }
    }
}

/// What is kept, and what space it takes.
#[must_use]
pub fn stats(stats: &Stats) -> Told {
    let (survey, sizes) = (&stats.survey, &stats.survey.sizes);
    let entries: usize = survey.environments.iter().map(|of| of.entries).sum();
    let mut text = format!(
        "{}   {}, schema {}   {}\n  {} of snapshots in {}, {} of changes in {}\n",
        clean(&stats.place),
        survey.about.engine,
        survey.about.schema,
        bytes(sizes.bytes),
        bytes(sizes.chunk_bytes),
        counted(sizes.chunks, "chunk"),
        bytes(sizes.block_bytes),
        counted(sizes.blocks, "block"),
    );
    if let Some(percent) = saved(survey.named_chunks, sizes.chunks) {
        text.push_str(&format!(
            "  equal parts are kept once: {} have {}, so that {percent} % is saved before compression\n",
            counted(entries as u64, "recording"),
            counted(survey.named_chunks, "chunk"),
        ));
    }
    let rows = survey.environments.iter().map(row);
    let head = ["environment", "recordings", "first", "last", "good", "pinned", "last good"];
    text.push_str(&table(std::iter::once(head.map(str::to_owned)).chain(rows).collect()));
    Told::new(
        "stats",
        text,
        json!({
            "place": stats.place,
            "backend": survey.about.engine,
            "version": survey.about.schema,
            "bytes": sizes.bytes,
            "chunks": {"count": sizes.chunks, "bytes": sizes.chunk_bytes, "named": survey.named_chunks},
            "changes": {"blocks": sizes.blocks, "bytes": sizes.block_bytes},
            "recordings": entries,
            "environments": survey.environments.iter().map(standing).collect::<Vec<_>>(),
        }),
    )
}

fn row(of: &Standing) -> [String; 7] {
    let (first, last) = of.between.map_or_else(Default::default, |(a, b)| (time(a), time(b)));
    [
        clean(&of.environment),
        of.entries.to_string(),
        first,
        last,
        of.good.to_string(),
        of.pinned.to_string(),
        of.last_good.as_ref().map_or_else(|| "never".to_owned(), |entry| time(entry.captured_at)),
    ]
}

fn standing(of: &Standing) -> Value {
    json!({
        "environment": of.environment,
        "recordings": of.entries,
        "first": of.between.map(|(first, _)| first),
        "last": of.between.map(|(_, last)| last),
        "good": of.good,
        "pinned": of.pinned,
        "last_good": of.last_good.as_ref().map(|entry| json!({
            "entry": entry.number, "captured_at": entry.captured_at, "found_good_at": entry.good,
            "snapshot": entry.snapshot.map(|hash| hash.to_string()),
        })),
    })
}

/// Whether all is whole.
#[must_use]
pub fn verify(verified: &Verified) -> Told {
    let Verified { entries, chunks, changes, problems } = verified;
    let mut text = listed(problems);
    let read = format!(
        "{}, {} and {} read",
        counted(*entries as u64, "recording"),
        counted(*chunks as u64, "chunk"),
        counted(*changes as u64, "change"),
    );
    text.push_str(&match problems.len() {
        0 => format!("{read}: all is whole\n"),
        count => format!(
            "{read}: {}\nhint: `parallax store salvage NEW_FILE` saves what is still whole\n",
            counted(count as u64, "problem")
        ),
    });
    let fields = json!({
        "whole": problems.is_empty(), "recordings": entries, "chunks": chunks, "changes": changes,
        "problems": all(problems),
    });
    Told::new("verify", text, fields)
}

/// What went, and what it gave back.
#[must_use]
pub fn tidy(tidied: &Tidied) -> Told {
    let collected = &tidied.collected;
    let mut by_environment: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &tidied.due {
        by_environment.entry(&entry.environment).or_default().push(entry);
    }
    let mut rows = vec![["environment", "recordings", "first", "last"].map(str::to_owned)];
    let mut gone = Vec::new();
    for (environment, entries) in by_environment {
        let at = |entry: Option<&&Entry>| entry.map(|entry| entry.captured_at);
        let (first, last) = (at(entries.first()), at(entries.last()));
        let shown = |at: Option<Timestamp>| at.map(time).unwrap_or_default();
        rows.push([clean(environment), entries.len().to_string(), shown(first), shown(last)]);
        gone.push(
            json!({"environment": environment, "recordings": entries.len(), "first": first, "last": last}),
        );
    }
    let freed = tidied.before.bytes.saturating_sub(tidied.after.bytes);
    let what = format!(
        "{} and {} ({})",
        counted(collected.entries as u64, "recording"),
        counted(collected.chunks as u64, "chunk"),
        bytes(collected.bytes),
    );
    let mut text = if rows.len() > 1 { table(rows) } else { String::new() };
    text.push_str(&match tidied.run {
        Run::Dry => format!("{what} would go; nothing was changed\n"),
        Run::Real => {
            format!("{what} went; {} came free, {} are left\n", bytes(freed), bytes(tidied.after.bytes))
        }
    });
    let policy = tidied.policy.map(|policy| {
        text.push_str(&format!(
            "kept: all of {} days, then hourly to {} days, daily to {}, then weekly; the good, the pinned, the latest\n",
            policy.all_days, policy.hourly_days, policy.daily_days
        ));
        json!({"all_days": policy.all_days, "hourly_days": policy.hourly_days, "daily_days": policy.daily_days})
    });
    let fields = json!({
        "dry_run": tidied.run == Run::Dry, "retention": policy, "collected": gone,
        "recordings": collected.entries, "chunks": collected.chunks, "chunk_bytes": collected.bytes,
        "bytes": {"before": tidied.before.bytes, "after": tidied.after.bytes, "freed": freed},
        "kept": kept(&tidied.after),
    });
    Told::new("gc", text, fields)
}

fn kept(sizes: &Sizes) -> Value {
    json!({"recordings": sizes.entries, "chunks": sizes.chunks})
}

/// Which schema the store has now.
#[must_use]
pub fn migrate(migrated: &Migrated) -> Told {
    let Migrated { place, from, about } = migrated;
    let told = match *from == about.schema {
        true => format!("schema {} is current", about.schema),
        false => format!("brought from schema {from} to {}", about.schema),
    };
    let text = format!("{}   {}: {told}\n", clean(place), about.engine);
    let json = json!({"place": place, "backend": about.engine, "from": from, "version": about.schema});
    Told::new("migrate", text, json)
}

/// What was copied; `to` is shown as it is.
#[must_use]
pub fn copy(copied: &Copied, to: &str) -> Told {
    let mut text = listed(&copied.problems);
    text.push_str(&format!(
        "{}: {} of {} copied ({}, {} of changes); {} there already, {}\n",
        clean(to),
        counted(copied.entries as u64, "recording"),
        counted(copied.environments as u64, "environment"),
        counted(copied.chunks as u64, "chunk"),
        counted(copied.blocks as u64, "block"),
        copied.already,
        match copied.marks {
            0 => "all marks as they were".to_owned(),
            marks => format!("{marks} of them marked or pinned anew"),
        },
    ));
    text.push_str(match (copied.problems.is_empty(), copied.entries) {
        (true, 0) => "nothing was new\n",
        (true, _) => "read back there: all is whole\n",
        (false, _) => "read back there: not all is whole\n",
    });
    let fields = json!({
        "to": to, "environments": copied.environments, "recordings": copied.entries, "already": copied.already,
        "chunks": copied.chunks, "blocks": copied.blocks, "evidence": copied.evidence, "marks": copied.marks,
        "whole": copied.problems.is_empty(), "problems": all(&copied.problems),
    });
    Told::new("copy", text, fields)
}

/// What was saved, and what is lost.
#[must_use]
pub fn salvage(salvaged: &Salvaged, to: &str) -> Told {
    let known = salvaged.entries.saturating_add(salvaged.lost_entries);
    let mut text = listed(&salvaged.lost);
    text.push_str(&listed(&salvaged.problems));
    let percent = (salvaged.entries.saturating_mul(100)).checked_div(known).unwrap_or(0);
    text.push_str(&format!(
        "{} of {} saved into `{}` ({percent} %), with {}\n",
        salvaged.entries,
        counted(known as u64, "recording"),
        clean(to),
        counted(salvaged.changes as u64, "change"),
    ));
    if salvaged.lost_pages > 0 {
        text.push_str(&format!(
            "{} of the file cannot be read: of what stood there only, nothing is known\n",
            counted(salvaged.lost_pages as u64, "page")
        ));
    }
    text.push_str("the damaged file was not touched\n");
    let fields = json!({
        "to": to, "recordings": salvaged.entries, "lost_recordings": salvaged.lost_entries,
        "changes": salvaged.changes, "lost_pages": salvaged.lost_pages,
        "lost": all(&salvaged.lost), "problems": all(&salvaged.problems),
    });
    Told::new("salvage", text, fields)
}

fn all(problems: &[Problem]) -> Vec<Value> {
    let one = |problem: &Problem| {
        json!({
            "environment": problem.environment, "entry": problem.entry, "captured_at": problem.captured_at,
            "what": problem.what,
        })
    };
    problems.iter().map(one).collect()
}

/// A line each: environment, number, time, what.
fn listed(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems.iter().take(MOST_LISTED) {
        let environment = problem.environment.as_deref().map_or("store".to_owned(), clean);
        let number = problem.entry.map_or_else(String::new, |number| format!("   entry {number}"));
        let at = problem.captured_at.map_or_else(String::new, |at| format!("   {}", time(at)));
        text.push_str(&format!("✗ {environment}{number}{at}   {}\n", clean(&problem.what)));
    }
    if let Some(more) = problems.len().checked_sub(MOST_LISTED).filter(|more| *more > 0) {
        text.push_str(&format!("  and {more} more: --format json lists all\n"));
    }
    text
}

/// How many in a hundred chunks need not be kept.
fn saved(named: u64, kept: u64) -> Option<u64> {
    named.checked_sub(kept)?.checked_mul(100)?.checked_div(named)
}

/// Columns as wide as what stands in them.
fn table<const N: usize>(rows: Vec<[String; N]>) -> String {
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: [String; N]| {
        let cells = row.into_iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("   ").trim_end())
    };
    rows.into_iter().map(line).collect()
}

fn time(at: Timestamp) -> String {
    format!("{at:.0}")
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// `812 B`, `41 KB`, `1.2 MB`.
fn bytes(count: u64) -> String {
    let tenths = |unit: u64, name: &str| format!("{}.{} {name}", count / unit, count % unit * 10 / unit);
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} KB", count / 1_000),
        1_000_000..1_000_000_000 => tenths(1_000_000, "MB"),
        1_000_000_000.. => tenths(1_000_000_000, "GB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let check = |count, expected: &str| assert_eq!(bytes(count), expected);
        check(0, "0 B");
        check(999, "999 B");
        check(1_000, "1 KB");
        check(999_999, "999 KB");
        check(1_950_000, "1.9 MB");
        check(u64::MAX, "18446744073.7 GB");
    }

    #[test]
    fn many_problems_are_listed_in_part_and_nothing_raw() {
        let problem = Problem {
            environment: Some("a\u{1b}[31m".into()),
            entry: Some(1),
            captured_at: None,
            what: "lost\nmore".into(),
        };
        let text = listed(&vec![problem; MOST_LISTED + 3]);
        assert!(text.ends_with("and 3 more: --format json lists all\n"), "{text}");
        assert_eq!(text.lines().count(), MOST_LISTED + 1);
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn nothing_named_saves_nothing() {
        assert_eq!((saved(0, 0), saved(100, 25), saved(3, 5)), (None, Some(75), None));
    }
}
