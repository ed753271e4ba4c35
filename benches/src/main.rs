//! Benchmarks that print ours beside what people run today: `cargo run -p bench --release -- [--runs N] SUBJECT...`.
//!
//! Every figure is measured in this one run, on this machine, but for those in the column `reported`. Nothing here is a
//! test: a slow machine fails nothing. A wrong answer does: each subject holds the output against what it must be.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

mod compare;
mod documents;
mod generate;
mod host;
mod measure;
mod ssh;
mod store;
mod table;

/// What is handed to each subject.
#[derive(Debug)]
struct Setup {
    /// How often ours is run; the median counts. Peers that take seconds run once.
    runs: usize,
    /// The `parallax` binary of the same target folder.
    parallax: PathBuf,
    /// A folder for inputs, removed at the end.
    scratch: tempfile::TempDir,
}

/// What a subject says at its end: its table as text, or what went wrong.
type Outcome = Result<table::Table, String>;

/// Name, one sentence, and what runs it.
type Subject = (&'static str, &'static str, fn(&Setup) -> Outcome);

const SUBJECTS: [Subject; 5] = [
    (
        "documents",
        "two JSON lists of 50 MB with 436 changes, read, compared by meaning, printed",
        documents::run,
    ),
    ("compare", "two snapshots of 1,000,000 attributes in memory, 0.1 % changed", compare::run),
    ("host", "one capture of this machine, first and repeated", host::run),
    (
        "store",
        "recording, comparing and reading timelines, beside bare rows, a plain as-of query and git",
        store::run,
    ),
    ("ssh", "one capture over ssh, against a loopback server that is started here", ssh::run),
];

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let answer = match arguments.first().map(String::as_str) {
        Some(measure::MEASURE) => measure::measured(arguments.get(1..).unwrap_or_default()),
        Some(documents::READ_PAIR) => documents::read_pair(arguments.get(1..).unwrap_or_default()),
        Some(_) | None => run_subjects(&mut arguments),
    };
    match answer {
        Ok(text) => {
            let written = std::io::stdout().lock().write_all(text.as_bytes());
            if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            let told = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::from(if told.is_ok() { 2 } else { 1 })
        }
    }
}

fn run_subjects(arguments: &mut Vec<String>) -> Result<String, String> {
    let setup = setup(arguments)?;
    let known = SUBJECTS.map(|(name, help, _)| format!("  {name:10} {help}\n")).concat();
    if arguments.is_empty() {
        return Err(format!("name a subject, or several:\n{known}"));
    }
    let mut wrong = Vec::new();
    for name in arguments.iter() {
        let Some((_, help, run)) = SUBJECTS.iter().find(|(known, ..)| known == name) else {
            return Err(format!("no subject `{name}`; there are:\n{known}"));
        };
        let text = match run(&setup) {
            Ok(table) => format!("{name}: {help}\n\n{table}\n"),
            Err(message) => {
                wrong.push(name.as_str());
                format!("{name}: FAILED: {message}\n\n")
            }
        };
        std::io::stdout().lock().write_all(text.as_bytes()).map_err(|e| e.to_string())?;
    }
    if wrong.is_empty() { Ok(String::new()) } else { Err(format!("failed: {}", wrong.join(", "))) }
}

fn setup(arguments: &mut Vec<String>) -> Result<Setup, String> {
    let mut runs = 7;
    if let Some(at) = arguments.iter().position(|argument| argument == "--runs") {
        let number = arguments.get(at + 1).and_then(|text| text.parse().ok()).filter(|n| *n > 0);
        runs = number.ok_or("--runs needs a number above 0")?;
        arguments.drain(at..at + 2);
    }
    let own = std::env::current_exe().map_err(|e| format!("this program's path: {e}"))?;
    let scratch = tempfile::tempdir().map_err(|e| format!("a scratch folder: {e}"))?;
    Ok(Setup { runs, parallax: own.with_file_name("parallax"), scratch })
}
